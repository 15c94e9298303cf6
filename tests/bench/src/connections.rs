//! How many connections a second: made, encrypted, introduced, linked and ended. A few threads do so, each one after the other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::Failure;
use crate::dial::{Address, Device};
use crate::peer::Peer;
use crate::protocol::SERVICE;
use crate::rates::{Clock, Figures};
use crate::rows::Sessions;

/// Enough that the peer always has one to work on.
const THREADS: usize = 8;

/// How many there have been.
#[derive(Default)]
struct Count {
    all: AtomicU64,
    resumed: AtomicU64,
    over: AtomicBool,
}

pub(crate) fn figures(peer: &Peer, sessions: Sessions, duration: Duration) -> Result<Figures, Failure> {
    let address = match sessions {
        Sessions::New => peer.address().clone().without_resumption(),
        Sessions::Resumed => peer.address().clone(),
    };
    let service = address.introduce(Device::Service(SERVICE))?;
    let count = Count::default();
    let (figures, resumed) = thread::scope(|scope| {
        let address = &address;
        let count = &count;
        let callers: Vec<_> =
            (0..THREADS).map(|number| scope.spawn(move || call_on(address, number, count))).collect();
        // The time is what is measured with, not what is waited for.
        thread::sleep(duration / 10);
        let clock = Clock::start(peer, count.all.load(Ordering::Relaxed));
        let resumed = count.resumed.load(Ordering::Relaxed);
        thread::sleep(duration);
        let all = count.all.load(Ordering::Relaxed);
        let figures = clock.and_then(|clock| clock.stop(peer, all));
        let resumed = count.resumed.load(Ordering::Relaxed) - resumed;
        count.over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.join().map_err(|_| "a thread has panicked")??;
        }
        Ok::<_, Failure>((figures?, resumed))
    })?;
    service.hang_up()?;
    #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
    let share = resumed as f64 / (figures.rate * duration.as_secs_f64()).max(1.0);
    if sessions == Sessions::Resumed && share < 0.9 {
        eprintln!("{}: of the sessions that could be resumed, only {share:.2} were", peer.kind());
    }
    Ok(figures)
}

/// Connects and hangs up, again and again.
fn call_on(address: &Address, number: usize, count: &Count) -> Result<(), Failure> {
    while !count.over.load(Ordering::Relaxed) {
        let dialled = address.introduce(Device::Client(number, SERVICE))?;
        count.resumed.fetch_add(dialled.is_resumed().into(), Ordering::Relaxed);
        dialled.hang_up()?;
        count.all.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
