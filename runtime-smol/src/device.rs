//! Clients and services on smol.

use std::sync::Arc;

use msl_network_protocol::author::{Address, Connect, IntoService, NewClient, Service};

use crate::runtime::Background;

/// Connects a client with the Manager at this address: `"localhost"`, `"lab7:1875"`, `("lab7", 1875)`.
///
/// The builder is awaited in asynchronous code, or [waited for](Connect::wait) in a script without one.
///
/// ```no_run
/// # async fn example() -> Result<(), msl_network_smol::Error> {
/// let client = msl_network_smol::connect("lab7").name("Ann").await?;
/// println!("{}", client.identities().await?);
/// # Ok(())
/// # }
/// ```
pub fn connect(address: impl Into<Address>) -> Connect<NewClient> {
    Connect::new(NewClient::default(), address, Arc::new(Background))
}

/// Starts a service at the Manager at this address.
///
/// The builder is awaited in asynchronous code, and gives a [`msl_network_protocol::author::RunningService`]; a program that is
/// nothing but a service [runs](Connect::run) it.
///
/// ```no_run
/// # fn example() -> Result<(), msl_network_smol::Error> {
/// use msl_network_smol::{Service, start};
///
/// start(Service::new("Constants").constant("pi", 3.14159), "localhost").run()
/// # }
/// ```
pub fn start(service: impl IntoService, address: impl Into<Address>) -> Connect<Service> {
    Connect::new(service.into_service(), address, Arc::new(Background))
}
