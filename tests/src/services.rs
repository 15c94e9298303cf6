//! Services of this project that behave as those in `tests/python/serve.py`: the examples, and some that are odd.

use std::future::pending;
use std::time::Duration;

use msl_network_examples::adder::Adder;
use msl_network_examples::basic_math::BasicMath;
use msl_network_examples::echo::Echo;
use msl_network_examples::heartbeat::Heartbeat;
use msl_network_examples::multimeter::{DigitalMultimeter, simulated};
use msl_network_examples::my_array::MyArray;
use msl_network_tokio::{IntoService, Service, ServiceError};

/// What [`BasicMath`] takes for its quickest method: a twentieth of what the manual says.
const DELAY: Duration = Duration::from_millis(50);

/// The simulated instrument answers at once, if at all.
const INSTRUMENT_TIMEOUT: Duration = Duration::from_millis(500);

/// The service of that name.
pub fn named(name: &str) -> Service {
    match name {
        "Adder" => Adder.into_service(),
        "BasicMath" => BasicMath::with_delay(DELAY).into_service(),
        "Echo" => Echo.into_service(),
        "Heartbeat" => Heartbeat::default().service(),
        "Hewlett Packard 34401A" => multimeter().into_service(),
        "MyArray" => MyArray.into_service(),
        "Single" => Service::new("Single").max_clients(1).method("value", "()", |_, _| 7),
        "Odd" => Service::new("Odd").method("no_json", "()", |_, _| {
            let error = ServiceError::type_error("Object of type object is not JSON serializable");
            Err::<(), _>(error.with_traceback(["Traceback (most recent call last):", "  in no_json"]))
        }),
        "Stoppable" => Service::new("Stoppable").on_shutdown(|_, arguments| {
            let (args, kwargs) = (arguments.rest::<i64>()?, arguments.keywords::<i64>()?);
            Ok::<_, ServiceError>((args, kwargs))
        }),
        "Waiter" => Service::new("Waiter").async_method("wait", "()", |_, _| pending::<()>()),
        other => panic!("there is no service {other}"),
    }
}

/// A multimeter, with an instrument of its own.
fn multimeter() -> DigitalMultimeter {
    let instrument = simulated().expect("some port is free");
    DigitalMultimeter::new(instrument.to_string(), INSTRUMENT_TIMEOUT)
}
