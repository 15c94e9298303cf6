//! `#[service]`: a service from an impl block, or from whatever implements a trait.
//!
//! Use it through a runtime crate, such as `msl-network-tokio`, which re-exports it: an author depends on nothing else. The
//! code that it generates names that crate. There is one entry for each crate that re-exports it, as a macro cannot know
//! through which of them it was called; `#[service(crate = path)]` is for a crate that was renamed.
//!
//! The steps, one module each: the macro's own arguments (`options`), what the impl block or trait says (`model`), the words for
//! Python (`python`), the service (`expand`) and its typed client (`client`).

mod client;
mod expand;
mod model;
mod options;
mod python;

use proc_macro::TokenStream;

/// Makes a service of an impl block, or of whatever implements a trait: its methods become attributes that clients can call.
///
/// ```
/// # use msl_network_macros::service;
/// # use msl_network_protocol::author::{Context, IntoService, ServiceError};
/// struct BasicMath {
///     offset: f64,
/// }
///
/// #[service(max_clients = 10)]
/// impl BasicMath {
///     const VERSION: &str = "1.0";
///
///     fn add(&self, x: f64, y: f64) -> f64 {
///         x + y + self.offset
///     }
///
///     fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64 {
///         x.powf(n)
///     }
///
///     fn root(&self, x: f64) -> Result<f64, ServiceError> {
///         if x < 0.0 {
///             return Err(ServiceError::value("The value is < 0"));
///         }
///         Ok(x.sqrt())
///     }
///
///     async fn announce(&self, context: &Context, text: &str) -> Result<(), ServiceError> {
///         context.notify((text,))?;
///         Ok(())
///     }
/// }
///
/// let service = BasicMath { offset: 0.0 }.into_service();
/// assert_eq!(service.name(), "BasicMath");
/// ```
///
/// # What becomes of the items
/// - A method with `&self` is an attribute of its name. Clients see its signature as Python writes it,
///   `(x: float, n: float = 2.0) -> float`. A plain `fn` may block and runs on a thread, several at once; an `async fn` runs
///   beside others and must not block.
/// - An associated `const` is a constant.
/// - A function that makes the type (it returns `Self`, perhaps in a `Result` or so) is left alone, and so is everything whose
///   name begins with an underscore.
///
/// A method may return any value that implements `serde::Serialize`, or a `Result` with an error that implements `Display`
/// or is a `ServiceError`. A parameter may have any type that implements `serde::Deserialize`; or be `&str`; or be
/// `&Context`, which tells who asks. `Option<T>` may be left out by clients.
///
/// # Attributes of items
/// | on a method or constant | |
/// | --- | --- |
/// | `#[property]` | a method without parameters that is shown to clients as a value |
/// | `#[name = "..."]` | another name for clients |
/// | `#[hidden]` | not shown to clients; they can ask for it |
/// | `#[skip]` | no attribute |
/// | `#[shutdown]` | answers `shutdown_service`; the service ends behind the answer, unless it is an error |
///
/// | on a parameter | |
/// | --- | --- |
/// | `#[default(2.0)]` | what it is when a client does not give it |
/// | `#[args] rest: Vec<T>` | takes all positional arguments that are left, Python's `*rest`; what follows it can only be given by name |
/// | `#[kwargs] rest: BTreeMap<String, T>` | takes all keyword arguments that are left, Python's `**rest` |
///
/// # Arguments of the macro
/// `name = "..."` (the type's name without it), `max_clients = 1`, `max_concurrent = 1` (for an instrument whose commands must
/// not interleave), `client = false` (no typed client), `crate = path` (where the authors' items are, if the runtime
/// crate has another name).
///
/// # The typed client
/// Beside the service stands a client of the type's name with `Client` at its end, made from a link, or from a linked client,
/// and with a method for each attribute. It derefs to the link. What has a default is an `Option` there, so that `2.0` and
/// `None` both do; `None` asks for the default, also if that is another value of an `Option`. A constant `EULER` is asked for
/// by `euler()`.
///
/// ```no_run
/// # use msl_network_macros::service;
/// # use msl_network_protocol::author::{Client, Link};
/// # struct BasicMath;
/// # #[service]
/// # impl BasicMath {
/// #     fn add(&self, x: f64, y: f64) -> f64 { x + y }
/// #     fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64 { x.powf(n) }
/// # }
/// # async fn with(client: Client) -> Result<(), msl_network_protocol::device::Error> {
/// let math = BasicMathClient::from(client.link("BasicMath").await?);
/// let sum = math.add(1.0, 2.0).await?;
/// let square = math.power(sum, None).await?;
/// # Ok(())
/// # }
/// ```
/// A type that clients can send but not receive, or the reverse, has to implement both of serde's traits for it, or
/// `client = false`. An impl block with type parameters gets no client. Of a `Result` the client gets the value, if it is
/// called `Result`: an alias of another name is not known as one. Beside an attribute `from` a client is made by
/// `link.into()`.
///
/// # On a trait
/// Programs of services and of clients can share a trait, in a crate that both depend on: then clients do not need the
/// instrument's code. `Math` brings `MathClient` and `MathService`, which makes a service of a value that implements it. The
/// attributes stand on the trait; an implementation is an ordinary one, and may write `async fn` where the trait does.
///
/// ```
/// # use msl_network_macros::service;
/// # use msl_network_protocol::author::{Client, IntoService};
/// #[service]
/// pub trait Math {
///     fn add(&self, x: f64, y: f64) -> f64;
///     fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64;
/// }
///
/// struct RealMath;
///
/// impl Math for RealMath {
///     fn add(&self, x: f64, y: f64) -> f64 {
///         x + y
///     }
///
///     fn power(&self, x: f64, n: f64) -> f64 {
///         x.powf(n)
///     }
/// }
///
/// assert_eq!(MathService(RealMath).into_service().name(), "Math");
///
/// async fn ask(client: Client) -> Result<f64, msl_network_protocol::device::Error> {
///     let math = MathClient::from(client.link("Math").await?);
///     math.add(1.0, 2.0).await
/// }
/// ```
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::service("msl_network_protocol::author", arguments.into(), &item.into()).into()
}

/// [`macro@service`] as `msl-network-tokio` re-exports it.
#[proc_macro_attribute]
pub fn service_tokio(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::service("msl_network_tokio", arguments.into(), &item.into()).into()
}

/// [`macro@service`] as `msl-network-smol` re-exports it.
#[proc_macro_attribute]
pub fn service_smol(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::service("msl_network_smol", arguments.into(), &item.into()).into()
}
