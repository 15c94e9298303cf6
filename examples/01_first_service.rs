//! A first service.
//!
//! Start a Manager before: `cargo run --release -p msl-network -- start`. Then
//! `cargo run -p msl-network-examples --example 01_first_service`.

use msl_network_tokio::{Error, Trust, service, start};

struct Greeter;

#[service]
impl Greeter {
    fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }

    fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64 {
        x.powf(n)
    }
}

fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    // `Save` keeps the certificate of a Manager that was not met before without asking whether it is the right one; a changed
    // one is an error all the same. In a network that you do not trust, leave it out and name a `certificate`.
    start(Greeter, manager).trust(Trust::Save).run()
}
