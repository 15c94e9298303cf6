//! A service, as its author writes it.
//!
//! [`Service`] is a list of attributes, made with closures here or with `#[service]` from an impl block. A runtime crate
//! connects it; what clients ask for is then executed through the [`Executor`] of that runtime.
//!
//! Easy to get wrong: methods that are plain closures may block, as instruments do, and run on threads, several at once;
//! [`Service::max_concurrent`] is for instruments whose commands must not interleave. Asynchronous ones must not block.

mod binding;
mod context;
mod error;
mod execute;
mod outcome;
mod parameters;
mod running;
mod session;
mod signature;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use crate::device::{Error, ErrorKind};
use crate::json::JsonText as Json;
use crate::name::DeviceName;
use crate::service::Offer;

pub use context::{Context, Notifier, WAITING_NOTIFICATIONS};
pub use error::ServiceError;
pub use execute::{CONCURRENT, Executor, WAITING_ANSWERS, WAITING_ARGUMENTS, WAITING_REQUESTS};
pub use outcome::{Fallible, IntoOutcome, Outcome, Plain};
pub use parameters::{CallArguments, FromArguments};
pub use running::RunningService;
use signature::Signature;

/// The attribute with which clients ask a service to end.
pub const SHUTDOWN_SERVICE: &str = "shutdown_service";

/// A service: its name and its attributes.
///
/// A mistake, such as two attributes of one name, is reported when the service is started, not by a panic here.
///
/// ```
/// use msl_network_protocol::author::{Service, ServiceError};
///
/// let math = Service::new("BasicMath")
///     .constant("answer", 42)
///     .method("add", "(x: float, y: float) -> float", |_, arguments| {
///         let (x, y): (f64, f64) = arguments.read_all()?;
///         Ok::<_, ServiceError>(x + y)
///     })
///     .method("power", "(x: float, n: float = 2.0) -> float", |_, arguments| {
///         let (x, n): (f64, f64) = arguments.read_all()?;
///         Ok::<_, ServiceError>(x.powf(n))
///     });
/// assert_eq!(math.name(), "BasicMath");
/// ```
pub struct Service {
    name: String,
    max_clients: Option<u32>,
    max_concurrent: usize,
    attributes: BTreeMap<Arc<str>, Attribute>,
    hidden: BTreeSet<String>,
    on_connect: Option<OnConnect>,
    on_disconnect: Option<OnDisconnect>,
    /// The author's first one.
    mistake: Option<String>,
}

/// What can be started as a service: [`Service`] itself, and every type with `#[service]` on its impl block.
pub trait IntoService {
    /// The service.
    fn into_service(self) -> Service;
}

impl IntoService for Service {
    fn into_service(self) -> Service {
        self
    }
}

type OnConnect = Box<dyn FnOnce(Notifier) + Send>;
type OnDisconnect = Box<dyn FnOnce(&Error) + Send>;
type Property = Arc<dyn Fn() -> Outcome + Send + Sync>;
type Blocking = Arc<dyn Fn(&Context, &CallArguments) -> Outcome + Send + Sync>;
type Asynchronous = Arc<dyn Fn(Context, CallArguments) -> OutcomeFuture + Send + Sync>;
type OutcomeFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

#[derive(Clone)]
enum Attribute {
    Constant(Json),
    Property(Property),
    Method { name: Arc<str>, signature: Arc<Signature>, run: Run },
}

#[derive(Clone)]
enum Run {
    Blocking(Blocking),
    Asynchronous(Asynchronous),
}

impl Service {
    /// A service without attributes. Two services of a Manager cannot have the same name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            max_clients: None,
            max_concurrent: CONCURRENT,
            attributes: BTreeMap::new(),
            hidden: BTreeSet::new(),
            on_connect: None,
            on_disconnect: None,
            mistake: None,
        }
    }

    /// The same service under another name: for the second instrument of a kind.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How many clients may be linked; 0: any number, which is the default.
    #[must_use]
    pub fn max_clients(mut self, most: u32) -> Self {
        self.max_clients = Some(most).filter(|most| *most > 0);
        self
    }

    /// How many methods and properties may run at once, asynchronous methods aside; 1 for an instrument whose commands
    /// must not interleave. Requests beyond it wait, in order. [`CONCURRENT`] if not set.
    #[must_use]
    pub fn max_concurrent(mut self, most: usize) -> Self {
        if most == 0 {
            self.note("max_concurrent(0) lets nothing run".to_string());
        }
        self.max_concurrent = most;
        self
    }

    /// A value that never changes.
    #[must_use]
    pub fn constant<T: Serialize>(mut self, name: &str, value: T) -> Self {
        match Json::of(&value) {
            Ok(json) => self.add(name, Attribute::Constant(json)),
            Err(error) => self.note(format!("the constant {name}: {}", error.text())),
        }
        self
    }

    /// A value that is read anew for each request, and once at the start, since clients are shown it. One that fails at
    /// the start is not shown, but can be asked for.
    #[must_use]
    pub fn property<R, K>(self, name: &str, read: impl Fn() -> R + Send + Sync + 'static) -> Self
    where
        R: IntoOutcome<K>,
    {
        self.add_property(name, move || read().into_outcome())
    }

    /// A method that may block. `signature` is written as in Python; clients are shown it, arguments are bound by it, and
    /// its literal defaults count.
    ///
    /// The compiler has to be told the types of the arguments, and what the closure returns:
    ///
    /// ```
    /// use msl_network_protocol::author::{Service, ServiceError};
    ///
    /// let roots = Service::new("Roots").method(
    ///     "root",
    ///     "(x: float) -> float",
    ///     |_, arguments| -> Result<f64, ServiceError> {
    ///         let (x,): (f64,) = arguments.read_all()?;
    ///         if x < 0.0 {
    ///             return Err(format!("{x} has no root").into());
    ///         }
    ///         Ok(x.sqrt())
    ///     },
    /// );
    /// ```
    /// A closure cannot return a `Result<_, String>`: a text is also a value that could be answered. `?` and `.into()` make a
    /// [`ServiceError`] of it, as of every error.
    #[must_use]
    pub fn method<F, R, K>(self, name: &str, signature: &str, run: F) -> Self
    where
        F: Fn(&Context, &CallArguments) -> R + Send + Sync + 'static,
        R: IntoOutcome<K>,
    {
        self.add_blocking(name, signature, move |cx, arguments| run(cx, arguments).into_outcome())
    }

    /// A method that runs as a future, and must not block: up to its first wait it runs on the task of the connection, which
    /// hears nothing meanwhile.
    #[must_use]
    pub fn async_method<F, R, K>(self, name: &str, signature: &str, run: F) -> Self
    where
        F: Fn(Context, CallArguments) -> R + Send + Sync + 'static,
        R: Future<Output: IntoOutcome<K>> + Send + 'static,
    {
        self.add_asynchronous(name, signature, move |cx, arguments| {
            let answer = run(cx, arguments);
            async move { answer.await.into_outcome() }
        })
    }

    /// Lets clients end the service with `shutdown_service`; they get what `run` returns. An error of it prevents the end.
    /// What is executed is finished and answered first. Without this, clients get an `AttributeError`.
    ///
    /// A method of the name `shutdown_service` does the same with a signature of its own.
    #[must_use]
    pub fn on_shutdown<F, R, K>(self, run: F) -> Self
    where
        F: Fn(&Context, &CallArguments) -> R + Send + Sync + 'static,
        R: IntoOutcome<K>,
    {
        self.method(SHUTDOWN_SERVICE, "(*args, **kwargs)", run)
    }

    /// Is called once, when the service is connected for the first time: to prepare the instrument, or to begin to notify. It may
    /// block and has the first turn, like a method before all others; what goes on for longer belongs on a thread of its own.
    ///
    /// ```
    /// use std::{thread, time::Duration};
    /// use msl_network_protocol::author::Service;
    ///
    /// let clock = Service::new("Clock").on_connect(|notifier| {
    ///     thread::spawn(move || {
    ///         while !notifier.has_ended() {
    ///             let _ = notifier.notify(("tick",)); // nobody hears those between two connections
    ///             thread::sleep(Duration::from_secs(1));
    ///         }
    ///     });
    /// });
    /// ```
    #[must_use]
    pub fn on_connect(mut self, run: impl FnOnce(Notifier) + Send + 'static) -> Self {
        self.on_connect = Some(Box::new(run));
        self
    }

    /// Is called once when the connection has ended for good, whyever, if there was one: to leave the instrument in a safe state.
    /// It may block and waits for its turn like a method; methods that were waiting then are not executed. Only when it has
    /// returned is [`RunningService::ended`] ready; so it must not wait for that itself.
    #[must_use]
    pub fn on_disconnect(mut self, run: impl FnOnce(&Error) + Send + 'static) -> Self {
        self.on_disconnect = Some(Box::new(run));
        self
    }

    /// Does not show this attribute to clients. They can ask for it all the same.
    #[must_use]
    pub fn hide(mut self, name: &str) -> Self {
        self.hidden.insert(name.to_string());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    // These three are for code that `#[service]` generates: what it answers is JSON already, and is not written once more.

    /// As [`Service::property`], of what is an answer already.
    #[doc(hidden)]
    #[must_use]
    pub fn add_property(mut self, name: &str, read: impl Fn() -> Outcome + Send + Sync + 'static) -> Self {
        self.add(name, Attribute::Property(Arc::new(read)));
        self
    }

    /// As [`Service::method`], of what returns an answer.
    #[doc(hidden)]
    #[must_use]
    pub fn add_blocking<F>(self, name: &str, signature: &str, run: F) -> Self
    where
        F: Fn(&Context, &CallArguments) -> Outcome + Send + Sync + 'static,
    {
        self.add_method(name, signature, Run::Blocking(Arc::new(run)))
    }

    /// As [`Service::async_method`], of what returns an answer.
    #[doc(hidden)]
    #[must_use]
    pub fn add_asynchronous<F, R>(self, name: &str, signature: &str, run: F) -> Self
    where
        F: Fn(Context, CallArguments) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        let run = move |cx: Context, arguments: CallArguments| Box::pin(run(cx, arguments)) as OutcomeFuture;
        self.add_method(name, signature, Run::Asynchronous(Arc::new(run)))
    }

    fn add_method(mut self, name: &str, signature: &str, run: Run) -> Self {
        match Signature::parse(signature) {
            Ok(signature) => {
                let method = Attribute::Method { name: name.into(), signature: Arc::new(signature), run };
                self.add(name, method);
            }
            Err(error) => self.note(format!("the method {name}: {error}")),
        }
        self
    }

    fn add(&mut self, name: &str, attribute: Attribute) {
        if name.is_empty() {
            self.note("an attribute has no name".to_string());
        } else if name.starts_with('_') {
            self.note(format!(
                "the attribute {name} is private by its underscore, so no client could ask for it"
            ));
        } else if self.attributes.insert(name.into(), attribute).is_some() {
            self.note(format!("there are two attributes {name}"));
        }
    }

    fn note(&mut self, mistake: String) {
        self.mistake.get_or_insert(mistake);
    }

    /// What the Manager is told; properties are read for it.
    fn offer(&self) -> Result<Offer, Error> {
        let unknown = self.hidden.iter().find(|name| !self.attributes.contains_key(name.as_str()));
        let unknown = unknown.map(|name| format!("the attribute {name} is to be hidden, but there is none"));
        let bad_name = DeviceName::new(&self.name).err().map(|error| error.to_string());
        if let Some(mistake) = self.mistake.clone().or(unknown).or(bad_name) {
            return Err(Error::new(ErrorKind::Invalid, format!("the service {}: {mistake}", self.name)));
        }
        let shown = self.attributes.iter().filter(|(name, _)| !self.hidden.contains(&***name));
        let attributes = shown.filter_map(|(name, attribute)| Some((name.to_string(), attribute.shown()?)));
        Ok(Offer { attributes: attributes.collect(), max_clients: self.max_clients })
    }
}

impl Attribute {
    /// The JSON that clients see in the service's identity.
    fn shown(&self) -> Option<String> {
        match self {
            Self::Constant(json) => Some(json.as_json().to_string()),
            Self::Property(read) => outcome::caught(|| read()).ok().map(|json| json.as_json().to_string()),
            Self::Method { signature, .. } => Some(signature.shown()),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("attributes", &self.attributes.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(service: &Service) -> Vec<(String, String)> {
        service.offer().unwrap().attributes
    }

    #[test]
    fn methods_are_shown_by_signature_and_the_rest_by_value() {
        let service = Service::new("Test")
            .method("add", "(x, y) -> float", |_, _| 1)
            .async_method("slow", "()", |_, _| async { 1 })
            .constant("euler", f64::NAN)
            .property("zero", || 0.5)
            .property("broken", || Err::<(), _>(ServiceError::value("no instrument")))
            .property("panics", || -> u8 { panic!("no instrument") })
            .constant("secret", 1)
            .hide("secret")
            .on_shutdown(|_, _| ());
        let expected = [
            ("add", "\"(x, y) -> float\""),
            ("euler", "NaN"),
            ("shutdown_service", "\"(*args, **kwargs)\""),
            ("slow", "\"()\""),
            ("zero", "0.5"),
        ];
        assert_eq!(shown(&service), expected.map(|(name, value)| (name.to_string(), value.to_string())));
    }

    #[test]
    fn no_number_of_clients_means_any_number() {
        assert_eq!(Service::new("Test").offer().unwrap().max_clients, None);
        assert_eq!(Service::new("Test").max_clients(0).offer().unwrap().max_clients, None);
        assert_eq!(Service::new("Test").max_clients(2).offer().unwrap().max_clients, Some(2));
    }

    #[test]
    fn mistakes_of_the_author_are_explained_when_it_is_built() {
        let new = || Service::new("Test");
        for (service, why) in [
            (new().constant("_x", 1), "private"),
            (new().constant("x", 1).property("x", || 2), "there are two attributes x"),
            (new().constant("", 1), "no name"),
            (new().method("add", "x", |_, _| 1), "the method add: the signature x does not begin"),
            (new().hide("x"), "the attribute x is to be hidden, but there is none"),
            (new().max_concurrent(0), "lets nothing run"),
            (
                new().constant("x", BTreeMap::from([(vec![1], 1)])),
                "the constant x: the result cannot be written",
            ),
            (Service::new("Manager"), "Manager"),
            (Service::new(""), "empty"),
        ] {
            let error = service.offer().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(why), "{error}");
        }
    }
}
