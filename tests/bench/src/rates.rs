//! The rows about rates: how many a second, and what each cost the peer.

use std::time::{Duration, Instant};

use crate::Failure;
use crate::arguments::MeasureArguments;
use crate::load::calls::Calls;
use crate::load::notifications::Notifications;
use crate::load::{Load, Talk};
use crate::peer::{Encryption, Kind, Peer, Programs};
use crate::rows::{Payload, Row, What};
use crate::{connections, table};

/// What came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// How many a second.
    pub(crate) rate: f64,
    /// The peer's CPU time for each.
    pub(crate) cpu: Duration,
}

/// Measures all rows that are wanted, and prints them.
pub(crate) fn measure(
    arguments: &MeasureArguments,
    programs: &Programs,
    kinds: &[Kind],
) -> Result<(), Failure> {
    let rows: Vec<Row> = Row::all().filter(|row| arguments.wants(row)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    println!("{}", table::head("a second; CPU time of each", kinds));
    for encryption in [Encryption::Plain, Encryption::Tls] {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.encryption == encryption).collect();
        if rows.is_empty() {
            continue;
        }
        let peers: Vec<Peer> = kinds
            .iter()
            .map(|kind| Peer::start(programs, *kind, encryption, &[]))
            .collect::<Result<_, _>>()?;
        for row in rows {
            let mut rounds = Vec::new();
            for _ in 0..arguments.rounds {
                let round = peers.iter().map(|peer| {
                    figures(peer, row.what, arguments.duration())
                        .map_err(|failure| format!("{row}, {}: {failure}", peer.kind()))
                });
                rounds.push(round.collect::<Result<Vec<Figures>, String>>()?);
            }
            println!("{}", table::row(row, &table::rates(&rounds)));
        }
    }
    Ok(())
}

/// Measures one row with one peer, after a little of the same to warm up.
pub(crate) fn figures(peer: &Peer, what: What, duration: Duration) -> Result<Figures, Failure> {
    let address = peer.address();
    match what {
        What::Calls { clients, open, payload } => {
            let mut load = Load::connect(address, clients)?;
            let mut calls = Calls::new(address.protocol, clients, payload.json());
            calls.begin(&mut load, open);
            let figures = run(peer, &mut load, &mut calls, duration, Calls::answers)?;
            calls.end();
            load.run(&mut calls, None, Calls::is_over)?;
            Ok(figures)
        }
        What::Notifications { clients } => {
            let mut load = Load::connect(address, clients)?;
            let mut talk = Notifications::new(address.protocol, clients, Payload::Small.json());
            let figures = run(peer, &mut load, &mut talk, duration, Notifications::received)?;
            talk.end();
            load.run(&mut talk, None, Notifications::is_over)?;
            Ok(figures)
        }
        What::Connections(sessions) => connections::figures(peer, sessions, duration),
    }
}

fn run<T: Talk>(
    peer: &Peer,
    load: &mut Load,
    talk: &mut T,
    duration: Duration,
    count: impl Fn(&T) -> u64,
) -> Result<Figures, Failure> {
    load.run(talk, Some(Instant::now() + duration / 10), |_| false)?;
    let clock = Clock::start(peer, count(talk))?;
    load.run(talk, Some(Instant::now() + duration), |_| false)?;
    clock.stop(peer, count(talk))
}

/// What was there when a measurement began.
pub(crate) struct Clock {
    count: u64,
    cpu: Duration,
    start: Instant,
}

impl Clock {
    pub(crate) fn start(peer: &Peer, count: u64) -> Result<Self, Failure> {
        Ok(Self { count, cpu: peer.cpu_time()?, start: Instant::now() })
    }

    /// What has been done since.
    #[expect(clippy::cast_precision_loss, reason = "more than 2^53 are not measured")]
    pub(crate) fn stop(self, peer: &Peer, count: u64) -> Result<Figures, Failure> {
        let (elapsed, cpu) = (self.start.elapsed(), peer.cpu_time()?.saturating_sub(self.cpu));
        let done = (count - self.count) as f64;
        // A slow peer may have done nothing yet; one that never does anything is noticed when the row ends.
        Ok(Figures { rate: done / elapsed.as_secs_f64(), cpu: cpu.div_f64(done.max(1.0)) })
    }
}
