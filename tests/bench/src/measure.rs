//! One measurement: a rate, and what it cost the peer.

use std::time::{Duration, Instant};

use crate::Failure;
use crate::load::calls::Calls;
use crate::load::notifications::Notifications;
use crate::load::{Load, Talk};
use crate::peer::Peer;
use crate::rows::What;

/// What came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// How many a second.
    pub(crate) rate: f64,
    /// The peer's CPU time for each.
    pub(crate) cpu: Duration,
}

/// Measures one row with one peer, after a little of the same to warm up.
pub(crate) fn measure(peer: &Peer, what: What, duration: Duration) -> Result<Figures, Failure> {
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
            let mut notifications =
                Notifications::new(address.protocol, clients, crate::rows::Payload::Small.json());
            let figures = run(peer, &mut load, &mut notifications, duration, Notifications::received)?;
            notifications.end();
            load.run(&mut notifications, None, Notifications::is_over)?;
            Ok(figures)
        }
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
    let (before, cpu, start) = (count(talk), peer.cpu_time()?, Instant::now());
    load.run(talk, Some(start + duration), |_| false)?;
    let (done, cpu, elapsed) = (count(talk) - before, peer.cpu_time()? - cpu, start.elapsed());
    if done == 0 {
        return Err("nothing has come in all the time".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "so many are not measured")]
    let done = done as f64;
    Ok(Figures { rate: done / elapsed.as_secs_f64(), cpu: cpu.div_f64(done) })
}
