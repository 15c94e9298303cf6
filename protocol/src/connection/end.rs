//! How a connection ends (docs/wire.md, sections 7 and 9).
//!
//! First the device leaves the broker: its name is free, its links and locks are gone. Then what is still owed is
//! awaited for a while, or answered with an error. Then what waits is written, and only the sending side is closed.

use alloc::format;
use alloc::vec::Vec;

use super::{Connection, Ending, Event, Leaving, Note, Phase, Side};
use crate::error::{Exception, Refusal};
use crate::frame::{self, Decoder, Rope};
use crate::instant::Instant;
use crate::json;
use crate::mailbox::{ConnectionId, Notice, Request};
use crate::name::NetworkName;

impl<H: Clone> Connection<H> {
    /// The device does not take what is sent to it. What waits is thrown away; nobody else is harmed.
    pub fn slow_consumer(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        self.write_deadline = None;
        if let Phase::Identified(device) = &self.phase
            && device.leaving.as_ref().is_some_and(|leaving| leaving.ending == Ending::SlowConsumer)
        {
            return;
        }
        out.push(Event::ClearMailbox);
        self.end(Ending::SlowConsumer, now, out);
    }

    /// Memory is short, and most of it waits for this device. One that reads is left alone.
    pub(super) fn make_room(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        let limits = &self.settings.limits;
        // The deadline is where it was set with the last progress.
        let patience = limits.write_timeout.saturating_sub(limits.linger);
        if self.write_deadline.is_some_and(|deadline| deadline <= now + patience) {
            self.slow_consumer(now, out);
        }
    }

    /// Begins the end, unless it has begun.
    ///
    /// A device that is identified gets no error of its own: a Python client would take that for the answer to whatever
    /// it asked last (docs/wire.md, section 2). Each open call gets its answer, and the end says the rest.
    pub(super) fn end(&mut self, ending: Ending, now: Instant, out: &mut Vec<Event<H>>) {
        let limits = &self.settings.limits;
        let device = match &mut self.phase {
            Phase::Identified(device) => device,
            Phase::Handshake(_) => return self.drain(ending, now, out),
            _ => return,
        };
        let until = now
            + match ending {
                Ending::Requested | Ending::Closed => limits.leave,
                Ending::Shutdown => limits.shutdown,
                _ => limits.linger,
            };
        if let Some(leaving) = &mut device.leaving {
            // A device that is leaving anyway may be in more of a hurry than it was.
            leaving.until = leaving.until.min(until);
            leaving.ending = ending;
        } else {
            device.leaving = Some(Leaving { ending, until, told: false });
            Self::note(Note::Ending(ending), out);
            out.push(Event::Leave);
            if let Side::Service(_) = device.side {
                out.push(Event::CloseMailbox(self.gone()));
            }
        }
        let Phase::Identified(device) = &mut self.phase else { return };
        if ending == Ending::Requested {
            // It will not answer the Manager's questions any more.
            device.forget_login();
        }
        match (&device.side, ending) {
            // These may still get, or give, answers.
            (Side::Client(_), Ending::Closed | Ending::Shutdown)
            | (Side::Service(_), Ending::Requested | Ending::Shutdown) => {}
            (Side::Client(_), Ending::Requested) => {
                self.tell_services(false, out);
                self.drain(ending, now, out);
            }
            (Side::Client(_), _) => {
                self.give_up(out);
                self.tell_services(true, out);
            }
            (Side::Service(_), _) => {
                self.fail_open_calls(out);
            }
        }
    }

    /// The Manager is shutting down: nothing more is read from clients, services may finish.
    pub(super) fn shut_down(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        let limits = &self.settings.limits;
        let over_by = *self.over_by.get_or_insert(now + limits.shutdown + limits.linger);
        if let Phase::Draining { until, at_the_latest } = &mut self.phase {
            *at_the_latest = over_by.min(*at_the_latest);
            *until = over_by.min(*until);
        }
        self.end(Ending::Shutdown, now, out);
        self.settle_shutdown_request();
        self.give_up_waiting(out);
    }

    /// What waits on this side of the Manager is answered, whatever it waits for.
    fn give_up(&mut self, out: &mut Vec<Event<H>>) {
        self.give_up_waiting(out);
        self.login_failed(self.gone(), out);
    }

    /// What only the device could move on, which is not heard any more: a request without room, a login's answer.
    fn give_up_waiting(&mut self, out: &mut Vec<Event<H>>) {
        let refusal = self.gone();
        if let Some(stalled) = self.client().and_then(|client| client.stalled.take()) {
            self.deny(refusal.clone(), Some(&stalled.request.uid.raw), out);
        }
        if self.expects_login_answer() {
            self.login_failed(refusal, out);
        }
    }

    /// Nothing more can be taken from the device now: goes on with the end if it has begun. `idle` says that there is
    /// nothing, rather than that it has to wait. Returns whether [`Connection::advance`] should be called again.
    pub(super) fn settle(&mut self, idle: bool, now: Instant, out: &mut Vec<Event<H>>) -> bool {
        match &mut self.phase {
            Phase::Handshake(handshake) => {
                if self.end_of_input && handshake.step.expects_answer() {
                    self.drain(Ending::Closed, now, out);
                }
                false
            }
            Phase::Identified(device) => {
                if self.end_of_input && device.leaving.is_none() {
                    self.end(Ending::Closed, now, out);
                    return true;
                }
                if self.end_of_input && self.expects_login_answer() {
                    let refusal = Refusal::new(Exception::Connection, "the answer to the login did not come");
                    self.login_failed(refusal, out);
                    return true;
                }
                if self.end_of_input && idle {
                    // A service that has closed its side while it was leaving will not answer any more.
                    self.fail_open_calls(out);
                }
                self.finish_if_settled(idle, now, out);
                false
            }
            _ => false,
        }
    }

    fn finish_if_settled(&mut self, idle: bool, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let settled = match &device.side {
            Side::Client(client) => client.open == 0 && idle && device.login.is_none(),
            Side::Service(service) => service.calls.is_empty() && device.login.is_none(),
        };
        if settled && device.leaving.is_some() {
            self.drain_quietly(now, out);
        }
    }

    /// The time for answers is over.
    pub(super) fn stop_waiting(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        let Phase::Identified(device) = &mut self.phase else { return };
        let Some(leaving) = &mut device.leaving else { return };
        let told = leaving.told;
        match &device.side {
            // The services answer for what they owe, at once; their answers are on the way.
            Side::Client(_) if !told => {
                leaving.until = now + self.settings.limits.linger;
                self.give_up(out);
                self.tell_services(true, out);
            }
            Side::Client(_) => {
                self.drain_quietly(now, out);
            }
            Side::Service(_) => {
                self.give_up(out);
                self.fail_open_calls(out);
                self.drain_quietly(now, out);
            }
        }
    }

    pub(super) fn tell_services(&mut self, answer: bool, out: &mut Vec<Event<H>>) {
        let (Phase::Identified(device), Some(name)) = (&mut self.phase, &self.name) else { return };
        if let Some(leaving) = &mut device.leaving {
            leaving.told = true;
        }
        let Side::Client(client) = &mut device.side else { return };
        let mut asked = core::mem::take(&mut client.asked);
        asked.append(&mut client.gave_up);
        for mailbox in asked.into_values() {
            let notice = Notice::Forget { client: self.id, requester: name.clone(), answer };
            out.push(Event::Tell(mailbox, notice));
        }
    }

    /// A client waits no more for this service.
    pub(super) fn forget(
        &mut self,
        client: ConnectionId,
        requester: &NetworkName,
        answer: bool,
        out: &mut Vec<Event<H>>,
    ) {
        let Some(service) = self.service() else { return };
        let waiting = service.calls.forget(client, requester);
        if answer {
            let refusal = self.withdrawn();
            out.extend(waiting.into_iter().map(|waiting| Event::Answer {
                to: waiting.reply_to,
                line: Rope::from(refusal.line(requester.as_str(), Some(&waiting.uid)).into_bytes()),
            }));
        }
    }

    /// Every client that waits for this service gets an error in place of the answer.
    fn fail_open_calls(&mut self, out: &mut Vec<Event<H>>) {
        let refusal = self.gone();
        let Some(service) = self.service() else { return };
        for (requester, waiting) in service.calls.drain() {
            let line = refusal.line(requester.as_str(), Some(&waiting.uid));
            out.push(Event::Answer { to: waiting.reply_to, line: Rope::from(line.into_bytes()) });
        }
    }

    /// Why a request to this service is not awaited any more by a client that is leaving.
    pub(crate) fn withdrawn(&self) -> Refusal {
        if let Phase::Identified(device) = &self.phase
            && let Side::Service(service) = &device.side
            && device.leaving.as_ref().is_none_or(|leaving| leaving.ending != Ending::Shutdown)
        {
            return no_answer(&service.service);
        }
        self.gone()
    }

    /// Why there will be no answer from, or for, this device.
    pub(super) fn gone(&self) -> Refusal {
        let text = match &self.phase {
            Phase::Identified(device) => {
                match (&device.side, device.leaving.as_ref().map(|leaving| leaving.ending)) {
                    (_, Some(Ending::Shutdown)) | (Side::Client(_), None) => {
                        "the Manager is shutting down".into()
                    }
                    (Side::Service(service), _) => return left(&service.service),
                    (Side::Client(_), Some(ending)) => format!("this connection is being closed: {ending}"),
                }
            }
            _ => "the device has gone".into(),
        };
        Refusal::new(Exception::Connection, text)
    }

    /// What waits is written, then the sending side is closed. For a device that is not in the broker.
    pub(super) fn drain(&mut self, ending: Ending, now: Instant, out: &mut Vec<Event<H>>) {
        if self.name.is_none() {
            Self::note(Note::Ending(ending), out);
        }
        self.drain_quietly(now, out);
    }

    fn drain_quietly(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        out.push(Event::CloseMailbox(self.gone()));
        // What came and was not looked at is of no use any more; the socket goes on being read.
        self.decoder = Decoder::new(frame::Limits { frame: 0, skip: 0 });
        let limits = &self.settings.limits;
        let at_the_latest = self.over_by.into_iter().fold(now + limits.write_timeout, Instant::min);
        self.phase = Phase::Draining { until: at_the_latest.min(now + limits.linger), at_the_latest };
    }
}

/// The error for a request that its service did not get.
pub(crate) fn failure<H>(request: &Request<H>, refusal: &Refusal) -> Rope {
    Rope::from(refusal.line(request.requester.as_str(), Some(&request.uid.raw)).into_bytes())
}

/// The answer to a request whose service has left.
pub(crate) fn left(service: &str) -> Refusal {
    let service = json::python_repr(service);
    Refusal::new(Exception::Connection, format!("the {service} service has left before it answered"))
}

fn no_answer(service: &str) -> Refusal {
    let service = json::python_repr(service);
    Refusal::new(
        Exception::Connection,
        format!("this connection is being closed; the {service} service has not answered"),
    )
}
