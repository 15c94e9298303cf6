//! Services of this project that behave as those of the Python package's examples, and as those in `tests/python/serve.py`.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use msl_network_tokio::{Json, Service, ServiceError};

/// The service of that name.
pub fn named(name: &str) -> Service {
    match name {
        "BasicMath" => basic_math(),
        "Echo" => echo(),
        "Heartbeat" => heartbeat(),
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

/// Arithmetic that takes its time: from a twentieth of a second to six of them.
fn basic_math() -> Service {
    fn slow(twentieths: u64) {
        sleep(Duration::from_millis(50 * twentieths));
    }
    Service::new("BasicMath")
        .constant("euler", std::f64::consts::E)
        .property("pi", || std::f64::consts::PI)
        .method("add", "(x: float, y: float) -> float", |_, arguments| {
            slow(1);
            let (x, y): (f64, f64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x + y)
        })
        .method("subtract", "(x: float, y: float) -> float", |_, arguments| {
            slow(2);
            let (x, y): (f64, f64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x - y)
        })
        .method("multiply", "(x: float, y: float) -> float", |_, arguments| {
            slow(3);
            let (x, y): (f64, f64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x * y)
        })
        .method("divide", "(x: float, y: float) -> float", |_, arguments| {
            slow(4);
            match arguments.read_all::<(f64, f64)>()? {
                (_, 0.0) => Err(ServiceError::new("ZeroDivisionError", "float division by zero")),
                (x, y) => Ok(x / y),
            }
        })
        .method("ensure_positive", "(x: float) -> bool", |_, arguments| {
            slow(5);
            match arguments.read_all::<(f64,)>()? {
                (x,) if x < 0.0 => Err(ServiceError::value("The value is < 0")),
                _ => Ok(true),
            }
        })
        .method("power", "(x: float, n=2) -> float", |_, arguments| {
            slow(6);
            let (x, n): (f64, f64) = arguments.read_all()?;
            Ok::<_, ServiceError>(x.powf(n))
        })
}

fn echo() -> Service {
    Service::new("Echo").method("echo", "(*args, **kwargs)", |cx, _| {
        let text = [b"[".as_slice(), cx.args(), b", ", cx.kwargs(), b"]"].concat();
        Json::from_text(String::from_utf8(text)?)
    })
}

/// Notifies of a number that counts up, from its start until it is killed. The thread that beats begins with the first
/// request, as a service learns its notifier then.
fn heartbeat() -> Service {
    let heart = Arc::new(Heart {
        interval: AtomicU64::new(1_000_000),
        beating: AtomicBool::new(false),
        alive: AtomicBool::new(true),
    });
    let (rate, kill) = (heart.clone(), heart);
    Service::new("Heartbeat")
        .method("set_heart_rate", "(beats_per_second: int)", move |cx, arguments| {
            let (rate_per_second,): (u64,) = arguments.read_all()?;
            rate.interval.store(1_000_000 / rate_per_second.max(1), Ordering::SeqCst);
            if !rate.beating.swap(true, Ordering::SeqCst) {
                let (heart, notifier) = (rate.clone(), cx.notifier());
                thread::spawn(move || {
                    let mut count = 0_u64;
                    while heart.alive.load(Ordering::SeqCst) && notifier.notify((count,)).is_ok() {
                        count += 1;
                        sleep(Duration::from_micros(heart.interval.load(Ordering::SeqCst)));
                    }
                });
            }
            Ok::<_, ServiceError>(())
        })
        .method("kill", "()", move |_, _| kill.alive.store(false, Ordering::SeqCst))
}

struct Heart {
    /// Microseconds.
    interval: AtomicU64,
    beating: AtomicBool,
    alive: AtomicBool,
}
