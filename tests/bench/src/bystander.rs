//! What small calls of one pair of devices take while a reply of 1 GB passes between another pair, and how much memory the peer
//! needs for that. Rounds without and with such a reply take turns.
//!
//! The devices are threads of this process, on the same computer as the peer: the processors that they need are missing to
//! it, which shows in the slowest calls.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::arguments::MeasureArguments;
use crate::dial::{Address, Device, Dialled};
use crate::peer::{Encryption, Kind, Peer, Programs};
use crate::protocol::{self, REPLY, Request, SERVICE, check_reply, read_request, reply, shown};
use crate::rows::Payload;
use crate::table;

/// The Python Manager takes half a minute for one.
const MOST_ROUNDS: usize = 3;

const BIG_SERVICE: &str = "Big";

/// The big reply begins with this, and then come so many pieces.
const BIG_HEAD: &[u8; 12] = b"{\"result\": \"";
const PIECES: usize = 1000;
static PIECE: [u8; 1_000_000] = [b'x'; 1_000_000];

/// Measures what is wanted, and prints it.
pub(crate) fn measure(
    arguments: &MeasureArguments,
    programs: &Programs,
    kinds: &[Kind],
) -> Result<(), Failure> {
    let rows = [("1 GB", Encryption::Plain), ("1 GB, TLS", Encryption::Tls)];
    let rows: Vec<_> = rows.into_iter().filter(|(name, _)| arguments.wants(name)).collect();
    if !rows.is_empty() {
        let columns = ["beside it", "calls", "p50", "p99", "longest", "1 GB took", "peak memory"];
        println!("{}", table::head("small calls", columns));
    }
    for (name, encryption) in rows {
        // The relay serves one service only, and NATS takes no message that long.
        for kind in kinds.iter().filter(|kind| !matches!(kind, Kind::Relay | Kind::Nats)) {
            let peer = Peer::start(programs, *kind, encryption, &[])?;
            let outcome = of_one(&peer, arguments).map_err(|failure| format!("{kind}, {name}: {failure}"))?;
            outcome.print(&format!("{name}, {kind}"));
        }
    }
    Ok(())
}

/// What came out for one peer.
#[derive(Default)]
struct Outcome {
    /// How long each small call took, with nothing beside it.
    alone: Vec<Duration>,
    /// The same while the big reply passed.
    beside: Vec<Duration>,
    /// How long the big reply took, in seconds.
    big: Vec<f64>,
    peak_memory: u64,
}

fn of_one(peer: &Peer, arguments: &MeasureArguments) -> Result<Outcome, Failure> {
    let payload = Payload::Small.json();
    let mut small = Caller::new(peer.address(), SERVICE, Payload::Small.json(), move |stream, request| {
        let mut line = Vec::new();
        reply(&mut line, request, &payload);
        stream.write_all(&line)
    })?;
    let mut big = Caller::new(peer.address(), BIG_SERVICE, b"0".to_vec(), answer_big)?;
    let mut outcome = Outcome::default();
    for _ in 0..arguments.rounds.min(MOST_ROUNDS) {
        let end = Instant::now() + arguments.duration();
        outcome.alone.extend(small.call_until(|| Instant::now() >= end)?);

        let over = AtomicBool::new(false);
        let (calls, took) = thread::scope(|scope| {
            let big = scope.spawn(|| {
                let took = big.call_big();
                over.store(true, Ordering::Relaxed);
                took
            });
            let calls = small.call_until(|| over.load(Ordering::Relaxed));
            (calls, big.join())
        });
        outcome.beside.extend(calls?);
        outcome.big.push(took.map_err(|_| "a thread has panicked")??.as_secs_f64());
    }
    outcome.peak_memory = peer.peak_memory()?;
    Ok(outcome)
}

impl Outcome {
    fn print(mut self, name: &str) {
        let (big, peak) = (table::median(self.big), self.peak_memory / 1_000_000);
        for (beside, calls) in [("nothing", &mut self.alone), ("1 GB", &mut self.beside)] {
            calls.sort_unstable();
            let at = |per_mille: usize| format!("{:.0?}", calls[(calls.len() - 1) * per_mille / 1000]);
            let figures = [calls.len().to_string(), at(500), at(990), at(1000)];
            let rest = [format!("{big:.2} s"), format!("{peak} MB")];
            println!("{}", table::row(name, &[&[beside.to_owned()], &figures[..], &rest[..]].concat()));
        }
    }
}

/// A client with a service of its own, of which the thread ends with the connection.
struct Caller {
    client: BufReader<Dialled>,
    request: Vec<u8>,
}

impl Caller {
    /// `answer` gets each request, which has to carry this payload.
    fn new(
        address: &Address,
        service: &'static str,
        payload: Vec<u8>,
        answer: impl Fn(&mut Dialled, &Request<'_>) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, Failure> {
        let mut stream = BufReader::new(address.introduce(Device::Service(service))?);
        let mut line = Vec::new();
        protocol::request(&mut line, service, 0, &payload);
        thread::spawn(move || {
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                // Its client hears nothing then, and says so.
                let Ok(request) = read_request(&line, &payload) else { break };
                if answer(stream.get_mut(), &request).and_then(|()| stream.get_mut().flush()).is_err() {
                    break;
                }
                line.clear();
            }
        });
        let client = BufReader::with_capacity(PIECE.len(), address.introduce(Device::Client(0, service))?);
        Ok(Self { client, request: line })
    }

    fn send(&mut self) -> io::Result<()> {
        self.client.get_mut().write_all(&self.request)?;
        self.client.get_mut().flush()
    }

    /// Small calls, one after the other; how long each took.
    fn call_until(&mut self, over: impl Fn() -> bool) -> Result<Vec<Duration>, Failure> {
        let payload = Payload::Small.json();
        let mut times = Vec::new();
        let mut line = Vec::new();
        while !over() || times.is_empty() {
            let start = Instant::now();
            self.send()?;
            line.clear();
            self.client.read_until(b'\n', &mut line)?;
            times.push(start.elapsed());
            check_reply(&line, 0, &payload)?;
        }
        Ok(times)
    }

    /// One big call; how long it took.
    fn call_big(&mut self) -> Result<Duration, Failure> {
        let start = Instant::now();
        self.send()?;
        let mut head = [0; BIG_HEAD.len()];
        self.client.read_exact(&mut head)?;
        let mut piece = vec![0; PIECE.len()];
        for _ in 0..PIECES {
            self.client.read_exact(&mut piece)?;
            if piece != PIECE {
                return Err("the big reply was changed".into());
            }
        }
        let took = start.elapsed();
        let mut tail = Vec::new();
        self.client.read_until(b'\n', &mut tail)?;
        if head != *BIG_HEAD || !tail.starts_with(b"\",") {
            return Err(format!("not the big reply: {} ... {}", shown(&head), shown(&tail)).into());
        }
        Ok(took)
    }
}

fn answer_big(stream: &mut Dialled, request: &Request<'_>) -> io::Result<()> {
    stream.write_all(BIG_HEAD)?;
    for _ in 0..PIECES {
        stream.write_all(&PIECE)?;
    }
    let mut tail = Vec::new();
    reply(&mut tail, request, b"");
    // What a reply says after its result, which is empty here.
    stream.write_all(b"\"")?;
    stream.write_all(&tail[REPLY.len()..])
}
