//! A first client, of the first service: `cargo run -p msl-network-tokio --example 02_first_client`.

use msl_network_tokio::{Error, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cxn = connect("localhost").trust(Trust::Save).await?;
    let greeter = cxn.link("Greeter").await?;
    let greeting: String = greeter.call("greet", ("world",)).await?;
    println!("{greeting}");
    Ok(())
}
