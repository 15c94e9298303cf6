//! Clients and services in Rust with each other, over real sockets, plain and with TLS.

use std::time::Duration;

use msl_network_tests::plain_and_tls;
use msl_network_tests::program::{Program, Tls};
use msl_network_tokio::{Connect, Service, ServiceError, connect, start};

fn ours() -> Service {
    Service::new("BasicMath").method("add", "(x: float, y: float) -> float", |_, arguments| {
        let (x, y): (f64, f64) = arguments.read_all()?;
        Ok::<_, ServiceError>(x + y)
    })
}

plain_and_tls! { smoke }

fn to<D>(device: Connect<D>, program: &Program) -> Connect<D> {
    match program.certificate() {
        Some(path) => device.certificate(path),
        None => device.disable_tls(),
    }
}

fn smoke(tls: Tls) {
    let program = Program::start(tls, &[]);
    let address = ("localhost", program.port());
    let service = to(start(ours(), address), &program).wait().expect("it works");
    let client = to(connect(address), &program).name("Ann").wait().expect("it works");
    let math = client.link("BasicMath").wait().expect("it works");
    let sum: f64 = math.call("add", (1, 2)).timeout(Duration::from_secs(5)).wait().expect("it works");
    assert!((sum - 3.0).abs() < 1e-9);
    println!("{}", client.identities().wait().expect("it works"));
    println!("{}", client.disconnect().wait().expect("it works"));
    println!("{}", service.shut_down().wait().expect("it works"));
}
