//! A digital multimeter that speaks SCPI, on a TCP port or on a serial one.
//!
//! One measurement takes several commands, and the instrument cannot do two things at a time: `max_concurrent = 1` keeps
//! the commands of two requests apart. The name and `write`, `read` and `query` are those of the example in the manual of the
//! Python package.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use msl_network_examples::multimeter::DigitalMultimeter;
//! use msl_network_tokio::{Error, start};
//!
//! fn main() -> Result<(), Error> {
//!     let multimeter = DigitalMultimeter::new("192.168.0.7:5025", Duration::from_secs(5));
//!     start(multimeter, "localhost").run()
//! }
//! ```

mod scpi;
mod simulated;

use std::time::Duration;

use msl_network_tokio::{Connect, Error, NewClient, ServiceError, service};
use serde::{Deserialize, Serialize};

pub use simulated::simulated;

use scpi::Instrument;

/// What a 34401A keeps of errors that nobody has asked for.
const ERROR_QUEUE: usize = 20;

/// The service.
#[derive(Debug)]
pub struct DigitalMultimeter {
    instrument: Instrument,
}

/// A number with its unit. Clients in Python get a dictionary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// How many of the unit.
    pub value: f64,
    /// The unit's symbol.
    pub unit: String,
}

#[service(name = "Hewlett Packard 34401A", max_clients = 1, max_concurrent = 1)]
impl DigitalMultimeter {
    /// The direct voltage. Without a range, the instrument finds it.
    fn voltage(&self, range: Option<f64>) -> Result<Reading, ServiceError> {
        self.measure("MEAS:VOLT:DC?", range, "V")
    }

    fn resistance(&self, range: Option<f64>) -> Result<Reading, ServiceError> {
        self.measure("MEAS:RES?", range, "Ohm")
    }

    /// Sends a command and returns its answer.
    fn query(&self, command: &str) -> Result<String, ServiceError> {
        let answer = self.instrument.query(command);
        // Where there is no answer, the error queue says why, and a timeout does not.
        self.check()?;
        answer
    }

    /// Sends a command. What it answers, if it does, is left to `read`; a mistake in it is told by the next query.
    fn write(&self, command: &str) -> Result<(), ServiceError> {
        self.instrument.write(command)
    }

    fn read(&self) -> Result<String, ServiceError> {
        self.instrument.read()
    }
}

impl DigitalMultimeter {
    /// The instrument at `HOST:PORT`, or behind a serial port, which is a path; and the longest that an answer may take.
    ///
    /// It is connected with when it is first asked for something. A serial port has to be set up before, so that it reads no
    /// longer than that: `stty -F /dev/ttyUSB0 9600 raw -echo min 0 time 50` for five seconds.
    pub fn new(address: impl Into<String>, timeout: Duration) -> Self {
        Self { instrument: Instrument::new(address.into(), timeout) }
    }

    fn measure(&self, command: &str, range: Option<f64>, unit: &str) -> Result<Reading, ServiceError> {
        let range = range.map(|range| format!(" {range}")).unwrap_or_default();
        let value = self.query(&format!("{command}{range}"))?.parse()?;
        Ok(Reading { value, unit: unit.into() })
    }

    /// Empties the error queue; what was in it is an error.
    fn check(&self) -> Result<(), ServiceError> {
        let mut errors = Vec::new();
        while errors.len() < ERROR_QUEUE {
            let error = self.instrument.query("SYST:ERR?")?;
            if error.split(',').next().and_then(|number| number.parse().ok()) == Some(0) {
                break;
            }
            errors.push(error);
        }
        if errors.is_empty() { Ok(()) } else { Err(ServiceError::new("ScpiError", errors.join("; "))) }
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let multimeter = DigitalMultimeterClient::from(manager.linked("Hewlett Packard 34401A").await?);
    println!("{}", multimeter.query("*IDN?").await?);
    let (voltage, resistance) = (multimeter.voltage(None), multimeter.resistance(1e6));
    for Reading { value, unit } in [voltage.await?, resistance.await?] {
        println!("{value} {unit}");
    }
    match multimeter.voltage(5000.0).await {
        Ok(Reading { value, unit }) => println!("{value} {unit}"),
        Err(error) => println!("{}", error.message()),
    }
    Ok(())
}
