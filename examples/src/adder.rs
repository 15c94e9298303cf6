//! The smallest service that computes something. The manual of the Python package has it as a program in `LabVIEW`.

use msl_network_tokio::{Connect, Error, NewClient, service};

/// The service.
#[derive(Debug)]
pub struct Adder;

#[service]
impl Adder {
    fn add_numbers(&self, x: f64, y: f64) -> f64 {
        x + y
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let adder = AdderClient::from(manager.linked("Adder").await?);
    println!("1.2 + 3.4 = {}", adder.add_numbers(1.2, 3.4).await?);
    Ok(())
}
