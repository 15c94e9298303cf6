//! A first service. Start a Manager before: `cargo run --release -p msl-network -- start`; then
//! `cargo run -p msl-network-tokio --example 01_first_service`.

use msl_network_tokio::{Error, IntoService, Trust, service, start};

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
    start(Greeter.into_service(), "localhost").trust(Trust::Save).run()
}
