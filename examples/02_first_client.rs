//! A first client, of the first service: `cargo run -p msl-network-examples --example 02_first_client`.

use msl_network_tokio::{Error, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let greeter = connect(manager).name("Ann").trust(Trust::Save).linked("Greeter").await?;
    let greeting: String = greeter.call("greet", ("world",)).await?;
    println!("{greeting}");
    Ok(())
}
