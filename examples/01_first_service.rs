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
    start(Greeter, manager).trust(Trust::Save).run()
}
