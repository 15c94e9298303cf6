//! A first client, of the first service: `cargo run -p msl-network-examples --example 02_first_client`.

use msl_network_tokio::{Error, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    // `Save` keeps the certificate of a Manager that was not met before without asking whether it is the right one; a changed
    // one is an error all the same. In a network that you do not trust, leave it out and name a `certificate`.
    let greeter = connect(manager).name("Ann").trust(Trust::Save).linked("Greeter").await?;
    let greeting: String = greeter.call("greet", ("world",)).await?;
    println!("{greeting}");
    Ok(())
}
