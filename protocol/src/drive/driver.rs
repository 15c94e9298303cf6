//! The poll loop of one connection: one task, one socket.
//!
//! A turn reads and writes at most [`TURN`] bytes each, takes so many lines ([`Relay::pump`]), and then lets others have
//! theirs. What is easy to get wrong here is a wake-up that is lost: the waker is registered with the mailbox before the
//! mailbox is looked at, and the loop ends only when reading, writing and the timer have all said `Pending`, or with a turn
//! that is used up: then the task wakes itself.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::{Caller, Handle, Manager, Ticket, Wire, input, lock, output::Output};
use crate::broker::{Broker, Denied, Route};
use crate::connection::{Action, Flow, Who};
use crate::frame::Rope;
use crate::instant::Instant;
use crate::limits::TURN;
use crate::mailbox::{ConnectionId, Mailbox, Notice, Parcel, Undelivered};
use crate::relay::{Office, Relay};

/// How much is still read, in one go, from a socket that takes nothing any more: what its receive buffer may have.
const LAST_WORDS: usize = 8 * 1024 * 1024;

/// Runs one connection of a Manager to its end. It never fails: whatever happens is the connection's affair.
#[derive(Debug)]
pub struct Driver<W: Wire> {
    wire: W,
    relay: Relay<Handle>,
    desk: Desk,
    ticket: Ticket,
    output: Output,
    opened: bool,
    /// Whether others have had a turn since there was something in the mailbox.
    gathered: bool,
    finished: bool,
}

impl<W: Wire> Driver<W> {
    /// A driver for a socket that was accepted with this ticket, from a device with this address.
    pub fn new(manager: &Arc<Manager>, ticket: Ticket, wire: W, ip: IpAddr, port: u16) -> Self {
        let (id, mailbox) = manager.enter();
        let relay = Relay::new(id, manager.settings.clone(), manager.budget.clone(), ip, port);
        let desk = Desk {
            manager: manager.clone(),
            id,
            mailbox,
            ip: relay.ip(),
            port,
            incomplete: 0,
            wakers: Vec::new(),
            last: None,
        };
        Self {
            wire,
            relay,
            desk,
            ticket,
            output: Output::default(),
            opened: false,
            gathered: false,
            finished: false,
        }
    }

    /// One turn.
    fn turn(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        if !self.gathered
            && self.relay.connection().is_busy()
            && !self.desk.mailbox.with(|mailbox| mailbox.is_empty())
        {
            // It has something to do already: whoever is ready has a turn first, and what they want goes out together. Each of
            // them would wake this task, if its waker were registered.
            self.gathered = true;
            self.wire.yield_now(cx);
            return Ok(Poll::Pending);
        }
        self.gathered = false;
        if !self.opened {
            self.opened = true;
            let now = self.wire.now();
            self.relay.open(now);
            // What is asked for here, the device's host name, is mostly known at once, which must not wake this task. What has
            // come meanwhile is looked at below.
            let _ = self.relay.pump(now, &mut self.desk);
        }
        self.desk.mailbox.register(cx.waker());
        let (mut to_read, mut to_write) = (TURN, TURN);
        loop {
            let now = self.wire.now();
            let more = self.relay.pump(now, &mut self.desk);
            self.desk.wake_all();
            if self.relay.connection().is_past_handshake() {
                self.ticket.handshake_is_over();
            }
            let wrote = match self.write(cx, &mut to_write, now) {
                Ok(wrote) => wrote,
                Err(error) => {
                    self.hear_out(cx)?;
                    return Err(error);
                }
            };
            let read = !more && self.read(cx, &mut to_read, now)?;
            let closed = self.close(cx)?;
            if self.relay.connection().flow() == Flow::Ended {
                return Ok(Poll::Ready(()));
            }
            if more || to_read == 0 || to_write == 0 {
                self.wire.yield_now(cx);
                return Ok(Poll::Pending);
            }
            if !wrote && !read && !closed {
                let deadline = self.relay.connection().deadline().map(|(deadline, _)| deadline);
                if self.wire.poll_until(cx, deadline).is_pending() {
                    return Ok(Poll::Pending);
                }
            }
        }
    }

    /// Takes lines out of the mailbox and writes them. Returns whether anything was written.
    fn write(&mut self, cx: &mut Context<'_>, to_write: &mut usize, now: Instant) -> io::Result<bool> {
        let mut total = 0;
        let (mut blocked, mut emptied) = (false, false);
        while *to_write > 0 && !blocked {
            // What comes after the mailbox was empty wakes this task once more.
            if self.output.len() < TURN && !emptied {
                let most = TURN - self.output.len();
                let (lines, bytes) = self.relay.take(most, &mut self.desk);
                self.output.extend(lines, bytes);
                emptied = bytes < most;
            }
            if self.output.is_empty() {
                break;
            }
            match self.output.poll_write(&mut self.wire, cx) {
                Poll::Ready(written) => {
                    let written = written?;
                    total += written;
                    *to_write = to_write.saturating_sub(written);
                }
                Poll::Pending => blocked = true,
            }
        }
        if self.output.is_empty() {
            match self.wire.poll_flush(cx) {
                Poll::Ready(flushed) => flushed?,
                Poll::Pending => blocked = true,
            }
        }
        self.relay.written(total, blocked, now, &mut self.desk);
        self.desk.wake_all();
        Ok(total > 0)
    }

    /// Reads what there is, as long as the connection wants more. Returns whether anything came.
    fn read(&mut self, cx: &mut Context<'_>, to_read: &mut usize, now: Instant) -> io::Result<bool> {
        if !self.relay.connection().wants_input() {
            return Ok(false);
        }
        let Poll::Ready(bytes) = input::poll_read(&mut self.wire, cx) else {
            // It may be idle for long.
            self.output.shrink();
            self.relay.shrink();
            return Ok(false);
        };
        let bytes = bytes?;
        if bytes.is_empty() {
            self.relay.end_of_input();
            return Ok(true);
        }
        *to_read = to_read.saturating_sub(bytes.len());
        self.relay.receive(bytes, now);
        Ok(true)
    }

    /// Nothing can be written any more, but what the device said last may still be there to be read.
    fn hear_out(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let now = self.wire.now();
        let mut to_read = LAST_WORDS;
        loop {
            // What was read before counts, too, even if nothing can be read any more.
            while self.relay.pump(now, &mut self.desk) {}
            if to_read == 0 || self.relay.has_ended_input() || !self.read(cx, &mut to_read, now)? {
                return Ok(());
            }
        }
    }

    /// Closes the sending side when all is written. Returns whether that was done now.
    fn close(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let drained = self.relay.connection().flow() == Flow::Draining
            && self.output.is_empty()
            && self.desk.mailbox.with(|mailbox| mailbox.is_empty());
        if !drained {
            return Ok(false);
        }
        let Poll::Ready(closed) = self.wire.poll_close(cx) else { return Ok(false) };
        closed?;
        self.relay.sending_closed(self.wire.now());
        Ok(true)
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            if self.relay.connection().flow() != Flow::Ended {
                self.relay.lost(self.wire.now(), &mut self.desk);
            }
            // What the socket did not take never will leave.
            self.desk.mailbox.with(|mailbox| mailbox.sent(usize::MAX));
            self.desk.mailbox.end();
            self.desk.manager.exit(self.desk.id);
            self.desk.wake_all();
        }
    }
}

impl<W: Wire + Unpin> Future for Driver<W> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = self.get_mut();
        match driver.turn(cx) {
            Ok(Poll::Pending) => Poll::Pending,
            // A socket that has failed is of no use; who waits for this device is told.
            Ok(Poll::Ready(())) | Err(_) => {
                driver.finish();
                Poll::Ready(())
            }
        }
    }
}

/// A task that is dropped before its end (a runtime shuts down, something in it has panicked) leaves nobody waiting.
impl<W: Wire> Drop for Driver<W> {
    fn drop(&mut self) {
        // A second panic while a first one unwinds would end the whole program.
        let _ = catch_unwind(AssertUnwindSafe(|| self.finish()));
    }
}

/// How one connection reaches the rest of the Manager.
#[derive(Debug)]
struct Desk {
    manager: Arc<Manager>,
    id: ConnectionId,
    mailbox: Handle,
    ip: IpAddr,
    port: u16,
    /// What the Manager knows of the line that is not complete, in bytes.
    incomplete: usize,
    /// Whose mailboxes have got something. They are woken when all is there, so that they find it in one turn.
    wakers: Vec<Waker>,
    last: Option<Last>,
}

/// Where the last request has gone. Most clients ask one service, and nothing changes in between.
#[derive(Debug)]
struct Last {
    service: String,
    /// The Manager's, when the broker said so.
    version: u64,
    route: Route<Handle>,
}

impl Desk {
    fn wake_all(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

impl Office<Handle> for Desk {
    fn broker<R>(&mut self, look: impl FnOnce(&mut Broker<Handle>) -> R) -> R {
        self.manager.broker(look)
    }

    fn route(&mut self, client: ConnectionId, service: &str) -> Result<Route<Handle>, Denied> {
        if let Some(last) = &self.last
            && last.service == service
            && last.version == self.manager.version.load(Ordering::Acquire)
        {
            return Ok(last.route.clone());
        }
        let broker = lock(&self.manager.broker);
        let version = self.manager.version.load(Ordering::Relaxed);
        let route = broker.route(client, service)?;
        self.last = Some(Last { service: service.into(), version, route: route.clone() });
        Ok(route)
    }

    fn notify(&mut self, service: ConnectionId, lines: &Rope) {
        let broker = lock(&self.manager.broker);
        for mailbox in broker.audience(service) {
            // A client that is leaving takes nothing more.
            let (_, waker) = mailbox.put(Parcel::Notification(lines.clone()));
            self.wakers.extend(waker);
        }
    }

    fn post(&mut self, to: &Handle, parcel: Parcel<Handle>) -> Result<(), Undelivered<Handle>> {
        if *to == self.mailbox {
            // Its own lines are written in this very turn: nobody has to be woken.
            return to.with(|mailbox| mailbox.put(parcel));
        }
        let (outcome, waker) = to.put(parcel);
        self.wakers.extend(waker);
        outcome
    }

    fn tell(&mut self, to: &Handle, notice: Notice) {
        self.wakers.extend(to.leave(notice));
    }

    fn own<R>(&mut self, look: impl FnOnce(&mut Mailbox<Handle>) -> R) -> R {
        self.mailbox.with(look)
    }

    fn handle(&self) -> Handle {
        self.mailbox.clone()
    }

    fn wake(&mut self, mailbox: &Handle) {
        self.wakers.extend(mailbox.waker());
    }

    fn act(&mut self, who: Who<'_>, action: Action) {
        let Self { manager, ip, port, mailbox, .. } = &*self;
        manager.host.act(Caller { who, ip: *ip, port: *port, mailbox, manager }, action);
    }

    fn incomplete(&mut self, bytes: usize) {
        if bytes != self.incomplete {
            self.incomplete = bytes;
            self.manager.note_incomplete(self.id, bytes);
        }
    }

    fn relieve(&mut self, now: Instant) {
        self.manager.relieve(now);
    }
}
