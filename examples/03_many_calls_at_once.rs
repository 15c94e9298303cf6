//! Six calls one after the other, and at once: 21 seconds, and 6. With `msl-network run-example BasicMath`.

use std::time::Instant;

use msl_network_examples::basic_math::BasicMathClient;
use msl_network_tokio::{Error, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let math = BasicMathClient::from(connect(manager).trust(Trust::Save).linked("BasicMath").await?);

    let began = Instant::now();
    println!("1 + 2 = {}", math.add(1.0, 2.0).await?);
    println!("1 - 2 = {}", math.subtract(1.0, 2.0).await?);
    println!("1 * 2 = {}", math.multiply(1.0, 2.0).await?);
    println!("1 / 2 = {}", math.divide(1.0, 2.0).await?);
    println!("is 1 positive? {}", math.ensure_positive(1.0).await?);
    println!("2 ** 4 = {}", math.power(2.0, 4.0).await?);
    println!("one after the other: {:.2} s", began.elapsed().as_secs_f64());

    // A call is sent when it is made, not when it is awaited.
    let began = Instant::now();
    let (sum, difference, product) = (math.add(1.0, 2.0), math.subtract(1.0, 2.0), math.multiply(1.0, 2.0));
    let (quotient, is_positive, power) =
        (math.divide(1.0, 2.0), math.ensure_positive(1.0), math.power(2.0, 4.0));
    println!("1 + 2 = {}", sum.await?);
    println!("1 - 2 = {}", difference.await?);
    println!("1 * 2 = {}", product.await?);
    println!("1 / 2 = {}", quotient.await?);
    println!("is 1 positive? {}", is_positive.await?);
    println!("2 ** 4 = {}", power.await?);
    println!("at once: {:.2} s", began.elapsed().as_secs_f64());
    Ok(())
}
