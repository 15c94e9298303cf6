//! What small calls of one pair of devices take while a reply of 200 MB is in flight between another pair.
//!
//! `cargo bench -p msl-network-tests --bench bystander` prints a table, within two minutes. All devices are threads of this
//! process and the Manager is the program, on the same computer: so the processors that the devices need are missing to
//! the Manager, and over TLS that is much. Rounds without and with the reply take turns, so that neither has the warmer
//! machine.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use msl_network_tests::Served;
use msl_network_tests::faults::peak_memory;
use msl_network_tests::peer::Peer;
use msl_network_tests::program::Program;
use msl_network_tests::setup::{Runtime, Setup, Tls};
use serde_json::json;

const BIG_REPLY: usize = 200 * 1000 * 1000;
const ROUNDS: usize = 3;
/// How long a round takes: several big replies.
const ROUND: Duration = Duration::from_secs(2);

fn main() {
    let setups = [Tls::Disabled, Tls::Enabled]
        .map(|tls| [Runtime::Tokio, Runtime::Smol].map(|runtime| Setup { runtime, tls }));
    let (rows, notes): (Vec<_>, Vec<_>) = setups.into_iter().flatten().map(measure).unzip();
    println!("| connections | beside it | calls | p50 | p99 | max |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    println!("{}\n\n{}", rows.concat().join("\n"), notes.join("\n"));
}

/// The rows of one kind of connection, and what else there is to say.
fn measure(setup: Setup) -> ([String; 2], String) {
    let mut program = Program::start(setup, &[]);
    let mut small = Pair::new(&program, "Small", "x".to_owned());
    let mut big = Pair::new(&program, "Big", "x".repeat(BIG_REPLY));
    let kind = format!("{:?}, TLS {:?}", setup.runtime, setup.tls).to_lowercase();
    // The first calls warm up what there is to warm up.
    small.calls();
    let mut undisturbed: Vec<Duration> = (0..3).map(|_| big.call()).collect();
    undisturbed.sort_unstable();

    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.extend(small.calls());
        beside.extend(calls_beside(&mut small, &mut big));
    }
    let rows = [row(&kind, "nothing", &mut alone), row(&kind, "a reply of 200 MB", &mut beside)];
    let peak_memory = peak_memory(program.id());
    // The services' threads end with it.
    program.terminate();
    program.wait();
    let note = format!(
        "{kind}: a reply of 200 MB with nothing beside it took {:.0?} (median of 3); the Manager's peak memory was {} MB",
        undisturbed[1],
        peak_memory / 1000 / 1000,
    );
    (rows, note)
}

fn row(kind: &str, beside: &str, times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
    format!("| {kind} | {beside} | {} | {:.1?} | {:.1?} | {:.1?} |", times.len(), at(500), at(990), at(1000))
}

/// A client, and a service that gives the same answer to every call.
struct Pair {
    client: Peer,
    request: Vec<u8>,
}

impl Pair {
    fn new(program: &Program, name: &str, result: String) -> Self {
        let mut service = program.service(name);
        let client = program.client(name);
        let request = json!({
            "args": [1, 2], "attribute": "add", "error": false, "kwargs": {}, "service": name, "uid": "1",
        });
        let requester = client.network_name().to_owned();
        thread::spawn(move || {
            let reply = json!({"error": false, "requester": requester, "result": result, "uid": "1"});
            let reply = format!("{reply}\r\n").into_bytes();
            while service.receive_line().is_some() {
                service.send_bytes(&reply);
            }
        });
        Self { client, request: format!("{request}\r\n").into_bytes() }
    }

    /// One call; how long it took.
    fn call(&mut self) -> Duration {
        let start = Instant::now();
        self.client.send_bytes(&self.request);
        self.client.skip_line();
        start.elapsed()
    }

    /// One round of calls, one after the other; how long each took.
    fn calls(&mut self) -> Vec<Duration> {
        let end = Instant::now() + ROUND;
        std::iter::from_fn(|| (Instant::now() < end).then(|| self.call())).collect()
    }
}

/// Calls of one pair while replies of the other are in flight, one after the other, from the first call to the last.
fn calls_beside(small: &mut Pair, big: &mut Pair) -> Vec<Duration> {
    let (begun, over) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            while !over.load(Ordering::Relaxed) {
                big.call();
            }
        });
        begun.wait();
        let times = small.calls();
        over.store(true, Ordering::Relaxed);
        times
    })
}
