//! A service for oneself. With `msl-network run-example Echo`.

use msl_network_tokio::{Error, ErrorKind, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let ann = connect(manager).name("Ann").trust(Trust::Save).await?;
    let bob = ann.spawn("Bob").await?;

    let echo = ann.link("Echo").await?;
    let lock = echo.lock(false).await?; // given back when it is dropped, too
    match bob.link("Echo").await {
        Err(error) if error.kind() == ErrorKind::Locked => println!("Bob has to wait"),
        other => println!("Bob should have to wait: {other:?}"),
    }
    lock.release().await?;
    bob.link("Echo").await?;
    println!("Bob is linked with Echo");
    Ok(())
}
