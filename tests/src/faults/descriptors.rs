//! A Manager that may open no more files, and so can accept nobody.

use std::time::Duration;

use rustix::process::Resource;

use super::beside::beside;
use super::figures::descriptors;
use super::{Outcome, Size};
use crate::peer::Peer;
use crate::program::Program;
use crate::setup::Setup;
use crate::{Served, eventually};

/// What the log says of it.
const WARNING: &str = "cannot accept connections for now";

/// One is enough, and one a minute where it lasts; however often there is a place in between.
const MOST_WARNINGS: usize = 5;

/// What a Manager that waits may take of one processor. A loop that tries all the time takes whatever it gets: a whole one, or
/// its share where the computer is busy.
const IDLE: f64 = 0.1;

pub(super) fn run_out(setup: Setup, size: Size) -> Outcome {
    // Fewer than the handshakes of one address at a time: these devices answer in the order in which they have connected.
    let (room, count, pause) = size.of((10, 60, Duration::from_secs(1)), (50, 1000, Duration::from_secs(5)));
    let manager = Program::start(setup, &[]);
    beside(&manager, size, |beside| {
        let few = descriptors(manager.id()) + room;
        let usual = manager.limit(Resource::Nofile, Some(few as u64));
        let mut waiting: Vec<Peer> = (0..count).map(|_| manager.open()).collect();
        eventually("it cannot accept", || manager.log().contains(WARNING));

        let taken = beside.processor_time_of_a_pause(pause);
        assert!(taken.as_secs_f64() < IDLE * pause.as_secs_f64(), "{taken:?} in {pause:?} of waiting");

        // Each that leaves makes room for another.
        for (number, mut device) in waiting.drain(..).enumerate() {
            device.identify_client(&format!("Patient {number}"));
        }
        manager.limit(Resource::Nofile, usual);
        let warnings = manager.log().matches(WARNING).count();
        assert!(warnings <= MOST_WARNINGS, "{warnings} warnings of one and the same");
        (
            format!("{count} devices, descriptors for {room}"),
            format!("each has its turn; {taken:.2?} of processor time in {pause:.0?} of waiting"),
        )
    })
}
