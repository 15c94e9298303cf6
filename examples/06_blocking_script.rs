//! A script without a runtime: `.wait()` in place of `.await`. With `msl-network run-example MyArray`.

use msl_network_tokio::{Error, Trust, With, connect};

fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let client = connect(manager).trust(Trust::Save).wait()?;
    let array = client.link("MyArray").wait()?;

    let numbers: Vec<f64> = array.call("linspace", (0, 1).with("n", 5)).wait()?;
    println!("{numbers:?}");
    let ten_times: Vec<f64> = array.call("scalar_multiply", (10, numbers)).wait()?;
    println!("{ten_times:?}");
    Ok(())
}
