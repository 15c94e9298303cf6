//! Example services of MSL-Network, each beside its client.
//!
//! A module a service: a type with `#[service]` on its impl block, and a function `client` that uses it and prints what it
//! does. They have the names, attributes and results of the examples in the Python package's manual, so that clients of
//! either work with services of both. `msl-network run-example` runs them. Programs that show one thing each are beside
//! this crate's `Cargo.toml`.

// Both crates have the same names, so that this is all that it takes.
#[cfg(not(feature = "tokio"))]
extern crate msl_network_smol as msl_network_tokio;

pub mod adder;
pub mod basic_math;
pub mod echo;
pub mod heartbeat;
pub mod multimeter;
pub mod my_array;

use std::time::Duration;

use msl_network_tokio::{Connect, Error, ErrorKind, IntoService, NewClient, RunningService, Service};

use adder::Adder;
use basic_math::BasicMath;
use echo::Echo;
use heartbeat::Heartbeat;
use multimeter::DigitalMultimeter;
use my_array::MyArray;

/// Gives an instrument its time, and a client that waits for an error soon what it waits for.
const INSTRUMENT_TIMEOUT: Duration = Duration::from_secs(1);

/// One of the services, with its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each module says what it is")]
pub enum Example {
    Adder,
    BasicMath,
    DigitalMultimeter,
    Echo,
    Heartbeat,
    MyArray,
}

impl Example {
    /// All of them, by name.
    pub const ALL: [Self; 6] =
        [Self::Adder, Self::BasicMath, Self::DigitalMultimeter, Self::Echo, Self::Heartbeat, Self::MyArray];

    /// Its name: that of the service's type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adder => "Adder",
            Self::BasicMath => "BasicMath",
            Self::DigitalMultimeter => "DigitalMultimeter",
            Self::Echo => "Echo",
            Self::Heartbeat => "Heartbeat",
            Self::MyArray => "MyArray",
        }
    }

    /// What it shows, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Adder => "the smallest service that computes something",
            Self::BasicMath => "arithmetic that takes its time, so that it pays to call at once",
            Self::DigitalMultimeter => "an instrument that speaks SCPI; here a simulated one",
            Self::Echo => "gives back what it gets",
            Self::Heartbeat => "notifications, at a rate that clients set",
            Self::MyArray => "arrays as arguments and as results",
        }
    }

    /// Starts the service; `connect` tells it the way to its Manager.
    ///
    /// # Errors
    /// It cannot be connected.
    pub async fn start(
        self,
        connect: impl FnOnce(Service) -> Connect<Service>,
    ) -> Result<RunningService, Error> {
        match self {
            Self::Adder => connect(Adder.into_service()).await,
            Self::BasicMath => connect(BasicMath::default().into_service()).await,
            Self::DigitalMultimeter => {
                let instrument = multimeter::simulated().map_err(|error| {
                    Error::new(ErrorKind::Io, format!("no simulated instrument: {error}"))
                })?;
                let multimeter = DigitalMultimeter::new(instrument.to_string(), INSTRUMENT_TIMEOUT);
                connect(multimeter.into_service()).await
            }
            Self::Echo => connect(Echo.into_service()).await,
            Self::Heartbeat => connect(Heartbeat::default().service()).await,
            Self::MyArray => connect(MyArray.into_service()).await,
        }
    }

    /// Runs the client.
    ///
    /// # Errors
    /// There is no connection, no such service, or no answer.
    pub async fn client(self, manager: Connect<NewClient>) -> Result<(), Error> {
        match self {
            Self::Adder => adder::client(manager).await,
            Self::BasicMath => basic_math::client(manager).await,
            Self::DigitalMultimeter => multimeter::client(manager).await,
            Self::Echo => echo::client(manager).await,
            Self::Heartbeat => heartbeat::client(manager).await,
            Self::MyArray => my_array::client(manager).await,
        }
    }
}
