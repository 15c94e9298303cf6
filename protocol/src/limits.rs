//! How much a Manager takes upon itself: every limit, its default, and why the default is what it is.
//!
//! A plain value without behaviour (`docs/wire.md` section 10). What happens when a limit is reached is the business
//! of those who count.

use core::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: usize = 1024 * MIB;

/// The limits of one Manager. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All bytes of frames that are held at one time: read, waiting and being written. Half of the computer's memory,
    /// since instruments' programs live on the same computer.
    pub memory: usize,
    /// The longest frame of an identified device. Half of `memory`, at most 1 GiB: one frame must leave room for others,
    /// and Python programs send arrays of hundreds of megabytes as one line.
    pub max_frame: usize,
    /// The longest line of a device that is not identified yet. 1 MiB: a service's attribute list can be long, a
    /// stranger's line must not cost much.
    pub max_handshake_frame: usize,
    /// The bytes that may wait for one service before its clients are held up. 4 MiB: enough that small requests never
    /// wait for each other, little enough that a thousand slow services do not fill the memory.
    pub service_mailbox: usize,
    /// The replies that may wait for one client before its own requests are no longer read. 4 MiB, for the same reasons.
    pub client_mailbox: usize,
    /// The bytes of notifications that may wait for one client whose socket takes no more, before it is ended as a slow
    /// consumer. 64 MiB: they cannot be held up at their source, and a client may be busy for a while. A single one may be larger, and
    /// small ones that come together, up to [`TURN`], count as one.
    pub notifications: usize,
    /// How long one request waits for room in a service's mailbox. 60 s: longer than a measurement usually takes,
    /// shorter than a person's patience.
    pub service_wait: Duration,
    /// How long a device may take no byte while some wait for it. 5 min: a Python client in a debugger does not read,
    /// and a `LabVIEW` service reads only between its calls.
    pub write_timeout: Duration,
    /// How long the first answer of the handshake may take. 30 s: programs answer at once, slow networks within seconds.
    pub first_answer: Duration,
    /// How long the answer to a username or a password may take. 5 min: a person may be typing it.
    pub prompt: Duration,
    /// How long a new device's host name is looked up before its IP address is taken instead. 2 s: a device gives up
    /// after 10 s.
    pub name_wait: Duration,
    /// The connections that may be in their handshake at one time. 1,024: a laboratory that restarts as a whole.
    pub handshakes: usize,
    /// The same from one address. 64: one computer that starts all its services; it cannot use up the others' share.
    pub handshakes_per_address: usize,
    /// The connections at one time. 10,000, or what the file descriptors allow.
    pub connections: usize,
    /// The requests that one client may have without an answer. 10,000: beyond it, its requests are not read.
    pub open_requests: usize,
    /// How long a connection is silent before TCP asks whether the peer is still there. 30 s.
    pub keep_alive_idle: Duration,
    /// How long TCP waits between such questions. 10 s.
    pub keep_alive_interval: Duration,
    /// How many such questions may stay without an answer. 3: with the above, a computer that lost its power is noticed
    /// within a minute, and its name is free again; on Linux `unacknowledged` counts instead.
    pub keep_alive_probes: u32,
    /// How long sent bytes may stay unconfirmed by the peer's computer, or be refused by it while its buffers are full. A
    /// little more than `write_timeout`: a device that pauses has all of that time, and only then its connection is reset.
    /// While it is set, Linux counts it for silent peers too, in place of the number of probes.
    pub unacknowledged: Duration,
    /// How long a Manager that shuts down waits for open answers. 5 s: service units are killed soon after.
    pub shutdown: Duration,
    /// How long an ended connection is read for the peer to close first, so that it never ends by a reset. 5 s.
    pub linger: Duration,
    /// How long the answers of a service that left, and the answers to a client that only listens, still count. 10 s.
    pub leave: Duration,
}

impl Limits {
    /// The defaults for a Manager that may hold so many bytes.
    pub const fn for_memory(memory: usize) -> Self {
        Self {
            memory,
            max_frame: if memory / 2 < GIB { memory / 2 } else { GIB },
            max_handshake_frame: MIB,
            service_mailbox: 4 * MIB,
            client_mailbox: 4 * MIB,
            notifications: 64 * MIB,
            service_wait: Duration::from_secs(60),
            write_timeout: Duration::from_secs(5 * 60),
            first_answer: Duration::from_secs(30),
            prompt: Duration::from_secs(5 * 60),
            name_wait: Duration::from_secs(2),
            handshakes: 1024,
            handshakes_per_address: 64,
            connections: 10_000,
            open_requests: 10_000,
            keep_alive_idle: Duration::from_secs(30),
            keep_alive_interval: Duration::from_secs(10),
            keep_alive_probes: 3,
            unacknowledged: Duration::from_secs(5 * 60 + 5),
            shutdown: Duration::from_secs(5),
            linger: Duration::from_secs(5),
            leave: Duration::from_secs(10),
        }
    }
}

impl Default for Limits {
    /// For a computer that nothing is known about: 512 MiB.
    fn default() -> Self {
        Self::for_memory(512 * MIB)
    }
}

/// Bytes that one connection reads, or writes, in one turn before the next one has its turn.
pub const TURN: usize = 64 * KIB;

/// Lines of one device that are looked at in one turn, unless it is a service; who has not said yet what it is counts as a
/// client. A service begins with the first requests while the Manager goes through the next ones. Services have no such
/// limit: their notifications are for many clients, and each of these would be written to more often.
pub const LINES_PER_TURN: usize = 32;

/// An incomplete line smaller than this is never given up for lack of memory: that would gain nothing.
pub const WORTH_GIVING_UP: usize = 64 * KIB;

/// Input that is taken in while a connection has to wait (for a full service, say), so that it is noticed when its
/// device goes away.
pub const READ_AHEAD: usize = 64 * KIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_frame_is_half_of_the_memory_and_at_most_one_gibibyte() {
        assert_eq!(Limits::for_memory(100 * MIB).max_frame, 50 * MIB);
        assert_eq!(Limits::for_memory(64 * GIB).max_frame, GIB);
    }
}
