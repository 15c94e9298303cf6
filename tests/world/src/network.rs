//! The fake network: sockets in memory, with everything that goes wrong with real ones.
//!
//! A socket is two pipes. What is sent arrives later, in order, in pieces of any size; a pipe takes only so much that is not
//! read; it may stall. What a device does to its end (it closes it, resets it, vanishes), the Manager finds out as it
//! would from an operating system.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use msl_network_protocol::drive::Wire;
use msl_network_protocol::instant::Instant;

use crate::choices::Chance;
use crate::clock::Clock;

/// One direction of a socket.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// Bytes on their way, with the moment of their arrival.
    segments: VecDeque<(Instant, Bytes)>,
    /// How many bytes that is.
    waiting: usize,
    capacity: usize,
    latency: Duration,
    /// Nothing arrives before.
    stalled_until: Instant,
    /// When the end arrives, behind everything.
    end: Option<Instant>,
}

impl Pipe {
    fn new(capacity: usize, latency: Duration) -> Self {
        let (segments, stalled_until) = (VecDeque::new(), Instant::EPOCH);
        Self { segments, waiting: 0, capacity, latency, stalled_until, end: None }
    }

    /// How many bytes it takes now.
    pub(crate) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.waiting)
    }

    /// Whether anything in it has not been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: Bytes, now: Instant) {
        self.waiting += bytes.len();
        self.segments.push_back((now + self.latency, bytes));
    }

    /// Sends the end.
    pub(crate) fn send_end(&mut self, now: Instant) {
        self.end.get_or_insert(now + self.latency);
    }

    /// Whether the end was sent.
    pub(crate) fn is_closed(&self) -> bool {
        self.end.is_some()
    }

    /// Nothing arrives for so long.
    pub(crate) fn stall(&mut self, until: Instant) {
        self.stalled_until = self.stalled_until.max(until);
    }

    /// What is sent from now on takes so long.
    pub(crate) fn delay(&mut self, latency: Duration) {
        self.latency = latency;
    }

    /// When there is something to be read, bytes or the end.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        let bytes = self.segments.front().map(|(arrival, _)| *arrival);
        bytes.or(self.end).map(|arrival| arrival.max(self.stalled_until))
    }

    fn has_arrived(&self, now: Instant) -> bool {
        self.next_arrival().is_some_and(|arrival| arrival <= now)
    }

    /// Whether all was read, and the end has arrived.
    pub(crate) fn is_at_end(&self, now: Instant) -> bool {
        self.segments.is_empty() && self.has_arrived(now)
    }

    /// Takes at most so many bytes of what has arrived.
    pub(crate) fn take(&mut self, most: usize, now: Instant) -> Option<Bytes> {
        if self.segments.is_empty() || !self.has_arrived(now) || most == 0 {
            return None;
        }
        let (_, first) = self.segments.front_mut()?;
        let taken = first.split_to(most.min(first.len()));
        if first.is_empty() {
            self.segments.pop_front();
        }
        self.waiting -= taken.len();
        Some(taken)
    }
}

/// A socket, seen from both sides.
#[derive(Debug)]
pub(crate) struct Socket {
    /// From the device to the Manager.
    pub(crate) up: Pipe,
    /// From the Manager to the device.
    pub(crate) down: Pipe,
    /// Taken by the socket, not flushed yet, as TLS does.
    kept: Vec<u8>,
    /// What reading and writing give the Manager, from this moment on, where that is an error.
    failure: Option<(Instant, ErrorKind)>,
    /// Writing is of no use any more: nobody is at the other end. What was sent by it can still be read.
    pub(crate) deserted: bool,
    /// How the Manager has closed its end, once it has.
    pub(crate) released: Option<Release>,
    /// When the device has taken something last.
    pub(crate) last_taken: Instant,
    reader: Option<Waker>,
    writer: Option<Waker>,
    timer: Option<(Instant, Waker)>,
}

/// How the Manager has let go of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// The sending side was closed first, or the socket had failed.
    Orderly,
    /// The device did not take what was to be written.
    Stuck,
    /// With nothing of that: the device gets a reset.
    Reset,
}

/// Both ends of a socket have it.
pub(crate) type Shared = Rc<RefCell<Socket>>;

impl Socket {
    /// A socket whose pipes take so much, and take so long.
    pub(crate) fn new(capacity: usize, latency: Duration, now: Instant) -> Shared {
        Rc::new(RefCell::new(Self {
            up: Pipe::new(capacity, latency),
            down: Pipe::new(capacity, latency),
            kept: Vec::new(),
            failure: None,
            deserted: false,
            released: None,
            last_taken: now,
            reader: None,
            writer: None,
            timer: None,
        }))
    }

    /// From that moment on the Manager can neither read nor write.
    pub(crate) fn fail(&mut self, at: Instant, kind: ErrorKind) {
        if self.failure.is_none_or(|(earlier, _)| at < earlier) {
            self.failure = Some((at, kind));
        }
    }

    /// The device closes its socket: what it has sent still arrives, what is sent to it goes nowhere.
    pub(crate) fn close(&mut self, now: Instant) {
        self.up.send_end(now);
        self.deserted = true;
    }

    /// The device's computer is gone: nothing arrives any more, until the Manager's gives up.
    pub(crate) fn vanish(&mut self, until: Instant) {
        self.up.stall(until);
        self.down.stall(until);
        self.fail(until, ErrorKind::TimedOut);
    }

    /// When something is due here for the Manager.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let read = self.reader.as_ref().and(self.up.next_arrival());
        let failure = (self.reader.is_some() || self.writer.is_some()).then_some(self.failure).flatten();
        let timer = self.timer.as_ref().map(|(deadline, _)| *deadline);
        [read, failure.map(|(at, _)| at), timer].into_iter().flatten().min()
    }

    /// Wakes the Manager's task if it can go on.
    pub(crate) fn wake(&mut self, now: Instant) {
        let failed = self.failed(now).is_some();
        if failed || self.up.has_arrived(now) {
            self.reader.take().into_iter().for_each(Waker::wake);
        }
        if failed || self.deserted || self.down.room() > 0 {
            self.writer.take().into_iter().for_each(Waker::wake);
        }
        if let Some((_, waker)) = self.timer.take_if(|(deadline, _)| *deadline <= now) {
            waker.wake();
        }
    }

    /// Whether the Manager waits for this socket to take bytes, or is about to learn that it will take none.
    pub(crate) fn is_full(&self) -> bool {
        self.writer.is_some() || self.failure.is_some()
    }

    fn failed(&self, now: Instant) -> Option<ErrorKind> {
        self.failure.filter(|(at, _)| *at <= now).map(|(_, kind)| kind)
    }

    fn flush(&mut self, now: Instant) {
        if !self.kept.is_empty() {
            let kept = std::mem::take(&mut self.kept);
            self.down.send(kept.into(), now);
        }
    }
}

/// The Manager's end of a socket.
pub(crate) struct End {
    socket: Shared,
    clock: Clock,
    chance: Rc<Chance>,
}

impl End {
    /// Of this socket.
    pub(crate) fn new(socket: Shared, clock: Clock, chance: Rc<Chance>) -> Self {
        Self { socket, clock, chance }
    }

    fn socket(&self) -> io::Result<RefMut<'_, Socket>> {
        let socket = self.socket.borrow_mut();
        socket.failed(self.clock.now()).map_or(Ok(socket), |kind| Err(kind.into()))
    }
}

impl Wire for End {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut socket = self.socket()?;
        let now = self.clock.now();
        let most = match self.chance.below(4) {
            0 => usize::MAX,
            cut => 1 + self.chance.below(8 << (3 * cut)),
        };
        if let Some(bytes) = socket.up.take(most.min(buffer.capacity() - buffer.len()), now) {
            buffer.extend_from_slice(&bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        if socket.up.is_at_end(now) {
            return Poll::Ready(Ok(0));
        }
        socket.reader = Some(context.waker().clone());
        Poll::Pending
    }

    fn poll_write(&mut self, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut socket = self.socket()?;
        assert!(!socket.down.is_closed(), "nothing is written behind the end");
        if socket.deserted {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let mut room = socket.down.room().saturating_sub(socket.kept.len());
        if room == 0 {
            socket.flush(self.clock.now());
            socket.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let before = socket.kept.len();
        for slice in slices {
            let part = &slice[..slice.len().min(room)];
            socket.kept.extend_from_slice(part);
            room -= part.len();
        }
        Poll::Ready(Ok(socket.kept.len() - before))
    }

    fn poll_flush(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.flush(self.clock.now());
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.socket()?;
        socket.flush(self.clock.now());
        socket.down.send_end(self.clock.now());
        Poll::Ready(Ok(()))
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn poll_until(&mut self, context: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let mut socket = self.socket.borrow_mut();
        socket.timer = None;
        match deadline {
            Some(deadline) if deadline <= self.clock.now() => Poll::Ready(()),
            Some(deadline) => {
                socket.timer = Some((deadline, context.waker().clone()));
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

/// The Manager closes its socket for good.
impl Drop for End {
    fn drop(&mut self) {
        let mut socket = self.socket.borrow_mut();
        let now = self.clock.now();
        let orderly = socket.down.is_closed() || socket.failed(now).is_some() || socket.deserted;
        socket.released = Some(match (orderly, socket.is_full()) {
            (true, _) => Release::Orderly,
            (false, true) => Release::Stuck,
            (false, false) => Release::Reset,
        });
        (socket.reader, socket.writer, socket.timer) = (None, None, None);
    }
}
