//! Arrays, as arguments and as results.

use msl_network_tokio::{Connect, Error, NewClient, ServiceError, service};

/// What a client may ask for at most: 20 MB of text.
const LONGEST: u32 = 1_000_000;

/// The service.
#[derive(Debug)]
pub struct MyArray;

#[service]
impl MyArray {
    /// Evenly spaced numbers, both ends included.
    fn linspace(&self, start: f64, stop: f64, #[default(100)] n: u32) -> Result<Vec<f64>, ServiceError> {
        if n > LONGEST {
            return Err(ServiceError::value(format!("n is at most {LONGEST}")));
        }
        let steps = f64::from(n.max(2) - 1);
        Ok((0..n).map(|i| start + (stop - start) * f64::from(i) / steps).collect())
    }

    /// The data, each element multiplied by a number.
    fn scalar_multiply(&self, scalar: f64, data: Vec<f64>) -> Vec<f64> {
        data.into_iter().map(|element| element * scalar).collect()
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let array = MyArrayClient::from(manager.linked("MyArray").await?);
    let numbers = array.linspace(0.0, 1.0, 5).await?;
    println!("{numbers:?}");
    println!("{:?}", array.scalar_multiply(10.0, numbers).await?);
    println!("{} numbers without n", array.linspace(0.0, 1.0, None).await?.len());
    Ok(())
}
