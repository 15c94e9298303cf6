//! The Manager's side of one socket: framing, the handshake, what the device may say, deadlines, and the end.
//!
//! A connection does all work that grows with bytes. It knows its own device and nothing of the others: facts about
//! those are the [`Broker`](crate::broker::Broker)'s, and [`relay`](crate::relay) carries questions and answers between
//! the two. Bytes go in with [`Connection::receive`]; [`Connection::advance`] then takes one line at a time and appends
//! what it causes to a list that the caller owns.
//!
//! The one thing that is easy to get wrong is the end: no connection may end by a reset (docs/wire.md, section 9), so an
//! end is a phase of its own: what is owed is answered, what waits is written, then only the sending side is closed,
//! and what still comes is read and thrown away.

mod answer;
mod calls;
mod end;
mod event;
mod handshake;
mod lines;
mod login;
mod opening;

pub(crate) use end::{failure, left};
pub use event::{Action, Credentials, Ending, Event, Hurdle, Importance, Note, Outgoing, Question, Who};

pub use crate::mailbox::Verdict;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::frame::{self, Decoder, Frame, Line, Rope};
use crate::identity::Identity;
use crate::instant::Instant;
use crate::json;
use crate::limits::{Limits, READ_AHEAD, WORTH_GIVING_UP};
use crate::mailbox::{ConnectionId, Notice, Parcel, Pressure, Request};
use crate::name::NetworkName;
use crate::settings::Settings;

use calls::OpenCalls;
use handshake::Step;
use login::Login;

/// Why a deadline is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The device has not answered in the handshake.
    Handshake,
    /// The host name of a new device has not been found.
    HostName,
    /// The device has not answered a login in the middle of a session.
    Login,
    /// A request waits for room in a service's mailbox.
    ServiceWait,
    /// Answers are still awaited from, or for, a device that is leaving.
    Leave,
    /// Bytes wait for the device, and it takes none.
    Write,
    /// The end: what is left to be written, and the device to close its side.
    Linger,
}

/// What the owner of the socket has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Read and write.
    Open,
    /// Write what is left, then close the sending side and say so with [`Connection::sending_closed`].
    Draining,
    /// Read, throw away, wait for the end.
    Lingering,
    /// Close the socket.
    Ended,
}

/// The Manager's side of one connection. `H` is the handle of a mailbox.
#[derive(Debug)]
pub struct Connection<H> {
    id: ConnectionId,
    settings: Arc<Settings>,
    decoder: Decoder,
    phase: Phase<H>,
    host: HostName,
    /// The device's network name, from the moment on when it is identified.
    name: Option<NetworkName>,
    /// The user that the device has logged in as.
    user: Option<String>,
    administrator: bool,
    /// Whether any byte has come.
    heard: bool,
    /// Whether the device has closed its sending side.
    end_of_input: bool,
    /// By when the device has to take a byte of what waits for it.
    write_deadline: Option<Instant>,
    /// By when all that can be written is written: the Manager is shutting down, which has its time.
    over_by: Option<Instant>,
}

/// The host name of the device's IP address.
#[derive(Debug)]
enum HostName {
    /// Nobody has been asked.
    Unknown,
    /// It is being looked up; so long is it worth waiting.
    Awaited {
        until: Instant,
    },
    /// It has none, or none that was found in time.
    Missing,
    Known(Arc<str>),
}

#[derive(Debug)]
enum Phase<H> {
    Handshake(Handshake),
    Identified(Box<Device<H>>),
    Draining {
        until: Instant,
        /// However much progress there is.
        at_the_latest: Instant,
    },
    Lingering {
        until: Instant,
    },
    Ended,
}

#[derive(Debug)]
struct Handshake {
    step: Step,
    /// By when the device has to answer, if it was asked something.
    deadline: Option<Instant>,
    /// What the device has answered last, as far as it is still needed.
    answer: String,
    username: String,
    identity: Option<Identity>,
}

/// A device that has said who it is.
#[derive(Debug)]
struct Device<H> {
    /// The name as a JSON string, for the requests that it sends.
    quoted_name: String,
    login: Option<Login>,
    /// What came behind a request that waits for a login.
    deferred: VecDeque<Frame>,
    deferred_bytes: usize,
    leaving: Option<Leaving>,
    side: Side<H>,
}

#[derive(Debug)]
enum Side<H> {
    Client(ClientSide<H>),
    Service(ServiceSide<H>),
}

#[derive(Debug)]
struct ClientSide<H> {
    /// Requests that services have not answered.
    open: usize,
    /// The service that was asked last.
    service: Arc<str>,
    /// The services that have got such requests, to be told when nobody waits any more.
    asked: BTreeMap<ConnectionId, H>,
    stalled: Option<Stalled<H>>,
    /// The services that had no room in time: they still know this client as one that waits.
    gave_up: BTreeMap<ConnectionId, H>,
}

/// A request that waits for room in a service's mailbox.
#[derive(Debug)]
pub(crate) struct Stalled<H> {
    pub(crate) service: Arc<str>,
    pub(crate) to: ConnectionId,
    pub(crate) mailbox: H,
    pub(crate) request: Box<Request<H>>,
    pub(crate) deadline: Instant,
}

#[derive(Debug)]
struct ServiceSide<H> {
    service: String,
    calls: OpenCalls<H>,
}

/// A device that is no longer known to the broker, while answers are still awaited.
#[derive(Debug)]
struct Leaving {
    ending: Ending,
    until: Instant,
    /// Whether the services have been told to answer at once.
    told: bool,
}

impl<H: Clone> Connection<H> {
    /// A new connection. Nothing is sent before [`Connection::open`].
    pub fn new(id: ConnectionId, settings: Arc<Settings>) -> Self {
        let limits = frame::Limits { frame: settings.limits.max_handshake_frame, skip: 0 };
        Self {
            id,
            settings,
            decoder: Decoder::for_text(limits),
            phase: Phase::Handshake(Handshake {
                step: Step::Start,
                deadline: None,
                answer: String::new(),
                username: String::new(),
                identity: None,
            }),
            host: HostName::Unknown,
            name: None,
            user: None,
            administrator: false,
            heard: false,
            end_of_input: false,
            write_deadline: None,
            over_by: None,
        }
    }

    /// Which connection this is.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The device's network name, once it is identified.
    pub fn name(&self) -> Option<&NetworkName> {
        self.name.as_ref()
    }

    /// Whose connection it is, as far as that is known.
    pub fn who(&self) -> Who<'_> {
        Who { name: self.name.as_ref(), user: self.user.as_deref() }
    }

    /// Whether the handshake is over, one way or the other.
    pub fn is_past_handshake(&self) -> bool {
        !matches!(self.phase, Phase::Handshake(_))
    }

    /// What the owner of the socket has to do.
    pub fn flow(&self) -> Flow {
        match self.phase {
            Phase::Handshake(_) | Phase::Identified(_) => Flow::Open,
            Phase::Draining { .. } => Flow::Draining,
            Phase::Lingering { .. } => Flow::Lingering,
            Phase::Ended => Flow::Ended,
        }
    }

    /// Whether it is a service.
    pub fn is_service(&self) -> bool {
        self.as_service().is_some()
    }

    /// Whether it is a service that has not answered all that it was asked.
    pub fn is_busy(&self) -> bool {
        self.as_service().is_some_and(|service| !service.calls.is_empty())
    }

    fn as_service(&self) -> Option<&ServiceSide<H>> {
        match &self.phase {
            Phase::Identified(device) => match &device.side {
                Side::Service(service) => Some(service),
                Side::Client(_) => None,
            },
            _ => None,
        }
    }

    /// Takes bytes from the socket; [`Connection::advance`] looks at them.
    pub fn receive(&mut self, bytes: Bytes, now: Instant, out: &mut Vec<Event<H>>) {
        let heard = core::mem::replace(&mut self.heard, true);
        match &self.phase {
            Phase::Draining { .. } | Phase::Lingering { .. } | Phase::Ended => {}
            Phase::Handshake(_) if !heard && is_tls_hello(&bytes) => self.drain(Ending::TlsHello, now, out),
            Phase::Identified(device) if device.ignores_input() => {}
            Phase::Handshake(_) | Phase::Identified(_) => self.decoder.receive(bytes),
        }
    }

    /// The device has closed its sending side. What it sent before still counts.
    pub fn end_of_input(&mut self) {
        self.end_of_input = true;
        if let Phase::Lingering { .. } = self.phase {
            self.phase = Phase::Ended;
        }
    }

    /// Whether the device has closed its sending side.
    pub fn has_ended_input(&self) -> bool {
        self.end_of_input
    }

    /// The socket has failed: nothing can be read or written any more.
    pub fn lost(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        self.end(Ending::Closed, now, out);
        self.tell_services(false, out);
        out.extend([Event::CloseMailbox(self.gone()), Event::ClearMailbox]);
        self.phase = Phase::Ended;
    }

    /// Whether more bytes should be read. While the device has to wait, a little is read ahead, so that it is noticed
    /// when it goes away. What is thrown away is always read: a socket that is closed with unread input resets.
    pub fn wants_input(&self) -> bool {
        let thrown_away = match &self.phase {
            Phase::Handshake(_) => false,
            Phase::Identified(device) => device.ignores_input(),
            Phase::Draining { .. } | Phase::Lingering { .. } => true,
            Phase::Ended => return false,
        };
        !self.end_of_input && (thrown_away || self.decoder.queued() < READ_AHEAD)
    }

    /// Bytes that are kept of lines that are not complete, or wait for their turn.
    pub fn held(&self) -> usize {
        let waiting = match &self.phase {
            Phase::Identified(device) => device.deferred_bytes + device.stalled_bytes(),
            _ => 0,
        };
        self.decoder.held() + self.decoder.queued() + waiting
    }

    /// Bytes kept of the line that is not complete.
    pub fn incomplete(&self) -> usize {
        self.decoder.incomplete()
    }

    /// Takes the next complete line, if there is one and nothing has to be waited for, and appends what it causes.
    /// Returns whether to call again. `pressure` is what waits in the device's own mailbox.
    pub fn advance(&mut self, now: Instant, pressure: Pressure, out: &mut Vec<Event<H>>) -> bool {
        match &mut self.phase {
            Phase::Handshake(handshake) if handshake.step.expects_answer() => {
                match self.decoder.next_line() {
                    Some(line) => {
                        self.handshake_line(line, now, out);
                        true
                    }
                    None => self.settle(true, now, out),
                }
            }
            Phase::Identified(device) if device.ignores_input() => match device.next_deferred() {
                Some(frame) => {
                    self.refuse_late(&frame, out);
                    true
                }
                None => match self.decoder.next_line() {
                    Some(line) => {
                        self.refuse_late_line(line, out);
                        true
                    }
                    None => self.settle(true, now, out),
                },
            },
            Phase::Identified(device)
                if device.is_ready(&self.settings.limits, pressure, self.end_of_input) =>
            {
                if device.login.is_none()
                    && let Some(frame) = device.next_deferred()
                {
                    self.frame(&frame, now, out);
                    return true;
                }
                match self.decoder.next_line() {
                    Some(line) => {
                        self.identified_line(line, now, out);
                        true
                    }
                    None => self.settle(true, now, out),
                }
            }
            _ => self.settle(false, now, out),
        }
    }

    /// Takes a notice from elsewhere in the Manager.
    pub fn notice(&mut self, notice: Notice, now: Instant, out: &mut Vec<Event<H>>) {
        match notice {
            Notice::HostName(host) => self.host_name(host, out),
            Notice::Checked(verdict) => self.checked(verdict, now, out),
            Notice::Administered(result) => self.administered(result, out),
            Notice::Forget { client, requester, answer } => self.forget(client, &requester, answer, out),
            // The line that was meant may have been completed since.
            Notice::SkipLine if self.incomplete() < WORTH_GIVING_UP => {}
            Notice::SkipLine => self.decoder.skip_line(),
            Notice::MakeRoom => self.make_room(now, out),
            Notice::Shutdown => self.shut_down(now, out),
            Notice::Disconnect => self.end(Ending::Administrator, now, out),
        }
    }

    /// A parcel is being written to the device: a request is owed an answer from now on, an answer no more.
    /// Returns its line, or its lines.
    pub fn outgoing(&mut self, parcel: Parcel<H>) -> Rope {
        match parcel {
            Parcel::Request(request) => match self.service() {
                Some(service) => service.calls.enter(request),
                None => request.line,
            },
            Parcel::Answers { lines, count } => {
                self.answers_are_gone(count);
                lines
            }
            Parcel::Notification(line) | Parcel::Own(line) => line,
        }
    }

    /// So many answers have left this client's mailbox, to be written or thrown away: nobody waits for them any more.
    pub(crate) fn answers_are_gone(&mut self, answers: usize) {
        if let Some(client) = self.client() {
            client.open = client.open.saturating_sub(answers);
            if client.open == 0 && client.stalled.is_none() {
                client.asked.clear();
            }
        }
    }

    /// The socket has taken bytes (`progress`), and more wait for it or not (`pending`).
    pub fn written(&mut self, progress: bool, pending: bool, now: Instant) {
        if !pending {
            self.write_deadline = None;
        } else if progress || self.write_deadline.is_none() {
            self.write_deadline = Some(now + self.settings.limits.write_timeout);
        }
        if progress && let Phase::Draining { until, at_the_latest } = &mut self.phase {
            *until = (now + self.settings.limits.linger).min(*at_the_latest);
        }
    }

    /// Whether bytes wait that the socket did not take.
    pub fn is_blocked(&self) -> bool {
        self.write_deadline.is_some()
    }

    /// When [`Connection::handle_timeout`] is to be called at the latest, and why.
    pub fn deadline(&self) -> Option<(Instant, Why)> {
        let write = self.write_deadline.map(|deadline| (deadline, Why::Write));
        match &self.phase {
            Phase::Handshake(handshake) => earliest([write, handshake.deadline(&self.host)]),
            Phase::Identified(device) => earliest([write, device.deadline()]),
            Phase::Draining { until, .. } | Phase::Lingering { until } => Some((*until, Why::Linger)),
            Phase::Ended => None,
        }
    }

    /// Time has passed: whatever is due happens.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Event<H>>) {
        let Some((deadline, why)) = self.deadline() else { return };
        if deadline > now {
            return;
        }
        match why {
            Why::Handshake => self.handshake_timed_out(now, out),
            Why::HostName => self.host_name_timed_out(out),
            Why::Login => self.login_timed_out(out),
            Why::ServiceWait => self.give_up_stalled(out),
            Why::Leave => self.stop_waiting(now, out),
            Why::Write => self.slow_consumer(now, out),
            Why::Linger => {
                self.phase = Phase::Ended;
                out.push(Event::ClearMailbox);
            }
        }
    }

    /// The sending side is closed. What still comes is thrown away; the device has a little time to close its own.
    pub fn sending_closed(&mut self, now: Instant) {
        self.write_deadline = None;
        self.phase = if self.end_of_input {
            Phase::Ended
        } else {
            Phase::Lingering { until: now + self.settings.limits.linger }
        };
    }

    fn send(line: impl Into<Rope>, out: &mut Vec<Event<H>>) {
        out.push(Event::Send(line.into()));
    }

    fn note(note: Note, out: &mut Vec<Event<H>>) {
        out.push(Event::Act(Action::Note(note)));
    }
}

impl Handshake {
    fn deadline(&self, host: &HostName) -> Option<(Instant, Why)> {
        match host {
            HostName::Awaited { until } if self.step == Step::Joining => Some((*until, Why::HostName)),
            _ => self.deadline.map(|deadline| (deadline, Why::Handshake)),
        }
    }
}

impl<H: Clone> Device<H> {
    fn new(name: &NetworkName, identity: &Identity) -> Self {
        let side = if identity.is_service() {
            Side::Service(ServiceSide { service: identity.name.as_str().into(), calls: OpenCalls::new() })
        } else {
            Side::Client(ClientSide {
                open: 0,
                service: Arc::from(""),
                asked: BTreeMap::new(),
                stalled: None,
                gave_up: BTreeMap::new(),
            })
        };
        Self {
            quoted_name: json::quote(name.as_str()),
            login: None,
            deferred: VecDeque::new(),
            deferred_bytes: 0,
            leaving: None,
            side,
        }
    }

    /// The next of what came behind a request that waited for a login.
    fn next_deferred(&mut self) -> Option<Frame> {
        let frame = self.deferred.pop_front()?;
        self.deferred_bytes -= held(&frame);
        Some(frame)
    }

    /// What a request has that waits for room, in bytes.
    fn stalled_bytes(&self) -> usize {
        match &self.side {
            Side::Client(client) => client.stalled.as_ref().map_or(0, |stalled| stalled.request.line.len()),
            Side::Service(_) => 0,
        }
    }

    /// Nobody logs in any more, and what waits for that will not be done.
    fn forget_login(&mut self) {
        self.login = None;
        self.deferred.clear();
        self.deferred_bytes = 0;
    }

    /// Whether its next line may be looked at: services never wait for clients, clients wait for what they caused.
    fn is_ready(&self, limits: &Limits, pressure: Pressure, end_of_input: bool) -> bool {
        match &self.side {
            // But a service that does not read the answers to its own questions can ask no more.
            Side::Service(_) => end_of_input || pressure.own < limits.client_mailbox,
            Side::Client(client) => {
                self.login.as_ref().is_none_or(Login::expects_answer)
                    && client.stalled.is_none()
                    && client.open < limits.open_requests
                    && pressure.backlog < limits.client_mailbox
            }
        }
    }

    /// Whether what it sends is thrown away, since it is leaving and has nothing more to say.
    fn ignores_input(&self) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| match self.side {
            Side::Client(_) => leaving.ending != Ending::Closed || leaving.told,
            Side::Service(_) => !matches!(leaving.ending, Ending::Requested | Ending::Shutdown),
        })
    }

    fn deadline(&self) -> Option<(Instant, Why)> {
        let login = self.login.as_ref().and_then(Login::deadline).map(|deadline| (deadline, Why::Login));
        let leave = self.leaving.as_ref().map(|leaving| (leaving.until, Why::Leave));
        let stalled = match &self.side {
            Side::Client(client) => {
                client.stalled.as_ref().map(|stalled| (stalled.deadline, Why::ServiceWait))
            }
            Side::Service(_) => None,
        };
        earliest([login, leave, stalled])
    }
}

/// What a frame that waits takes, in bytes.
fn held(frame: &Frame) -> usize {
    frame.len() + size_of::<Frame>()
}

fn earliest<const N: usize>(deadlines: [Option<(Instant, Why)>; N]) -> Option<(Instant, Why)> {
    deadlines.into_iter().flatten().min_by_key(|(deadline, _)| *deadline)
}

/// The first bytes of TLS: a handshake record of any version of it.
fn is_tls_hello(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x16, 0x03]) || bytes == [0x16]
}

#[cfg(test)]
mod tests;
