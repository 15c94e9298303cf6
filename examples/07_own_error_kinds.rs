//! Errors that clients can tell apart, in Rust as in Python: a service and its client in one program.

use msl_network_tokio::{Error, ServiceError, Trust, connect, service, start};

struct Oven;

enum OvenError {
    DoorIsOpen,
    TooHot { limit: f64 },
}

/// What clients get of it. (It has no `Display`: whatever has one is a `RuntimeError`, with that text.)
impl From<OvenError> for ServiceError {
    fn from(error: OvenError) -> Self {
        match error {
            OvenError::DoorIsOpen => Self::new("DoorError", "close the door"),
            OvenError::TooHot { limit } => Self::value(format!("the limit is {limit} °C")),
        }
    }
}

#[service]
impl Oven {
    fn heat(&self, celsius: f64) -> Result<(), OvenError> {
        Err(if celsius > 250.0 { OvenError::TooHot { limit: 250.0 } } else { OvenError::DoorIsOpen })
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let running = start(Oven, &manager).trust(Trust::Save).await?;
    let oven = OvenClient::from(connect(&manager).trust(Trust::Save).linked("Oven").await?);
    for celsius in [900.0, 180.0] {
        match oven.heat(celsius).await {
            Ok(()) => println!("it heats to {celsius} °C"),
            Err(error) if error.exception() == Some("DoorError") => println!("close it, please"),
            Err(error) => println!("{}", error.message()),
        }
    }
    running.shut_down().await;
    Ok(())
}
