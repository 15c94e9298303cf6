//! Arithmetic that takes its time, to show what is gained by calls that run at once.
//!
//! A method that is a plain `fn` may block, as these do. Each call has a thread, so they do not wait for each other.

use std::thread::sleep;
use std::time::Duration;

use msl_network_tokio::{Connect, Error, NewClient, ServiceError, service};

/// The service.
#[derive(Debug)]
pub struct BasicMath {
    delay: Duration,
}

#[service]
impl BasicMath {
    #[name = "euler"]
    const EULER: f64 = std::f64::consts::E;

    #[property]
    fn pi(&self) -> f64 {
        std::f64::consts::PI
    }

    fn add(&self, x: f64, y: f64) -> f64 {
        self.work(1);
        x + y
    }

    fn subtract(&self, x: f64, y: f64) -> f64 {
        self.work(2);
        x - y
    }

    fn multiply(&self, x: f64, y: f64) -> f64 {
        self.work(3);
        x * y
    }

    fn divide(&self, x: f64, y: f64) -> Result<f64, ServiceError> {
        self.work(4);
        if y == 0.0 {
            return Err(ServiceError::new("ZeroDivisionError", "float division by zero"));
        }
        Ok(x / y)
    }

    fn ensure_positive(&self, x: f64) -> Result<bool, ServiceError> {
        self.work(5);
        if x < 0.0 {
            return Err(ServiceError::value("The value is < 0"));
        }
        Ok(true)
    }

    fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64 {
        self.work(6);
        x.powf(n)
    }
}

impl BasicMath {
    /// A service whose quickest method, `add`, takes this long; its slowest, `power`, takes six times as long.
    pub fn with_delay(delay: Duration) -> Self {
        Self { delay }
    }

    fn work(&self, delays: u32) {
        sleep(self.delay * delays);
    }
}

/// With a delay of one second.
impl Default for BasicMath {
    fn default() -> Self {
        Self::with_delay(Duration::from_secs(1))
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let math = BasicMathClient::from(manager.linked("BasicMath").await?);
    println!("pi = {}", math.pi().await?);
    // A call is sent when it is made: these four are executed at the same time.
    let (sum, quotient) = (math.add(1.0, 2.0), math.divide(1.0, 0.0));
    let (square, cube) = (math.power(3.0, None), math.power(3.0, 3.0));
    println!("1 + 2 = {}", sum.await?);
    match quotient.await {
        Ok(quotient) => println!("1 / 0 = {quotient}"),
        Err(error) => println!("1 / 0: {}", error.message()),
    }
    println!("3 ** 2 = {}", square.await?);
    println!("3 ** 3 = {}", cube.await?);
    Ok(())
}
