//! One connection by itself: something happens, and the list of what it causes is compared.

mod ending;
mod handshake;
mod login;
mod notes;
mod requests;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::Value;

use super::*;
use crate::broker::Denied;
use crate::error::{Exception, Refusal};
use crate::limits::Limits;
use crate::name::{Address, DeviceName};
use crate::settings::Authentication;
use crate::testing::{self, SECOND, just_before};

const ACCEPTED: Verdict = Verdict::Accepted { administrator: false };
const ADMINISTRATOR: Verdict = Verdict::Accepted { administrator: true };

/// The end of a connection that has not been identified, as it is shown.
const REFUSED: &str = "note: is being disconnected: it was refused";

/// One device's connection; mailboxes are numbers.
struct Peer {
    connection: Connection<u8>,
    now: Instant,
    /// Where its handshake failed, as that was noted.
    failed_at: Option<Hurdle>,
}

impl Peer {
    /// A new connection, with what it causes.
    fn opened(authentication: Authentication, limits: Limits) -> (Self, Vec<String>) {
        let settings = Arc::new(testing::settings(authentication, limits));
        let connection = Connection::new(ConnectionId(1), settings);
        let mut peer = Self { connection, now: Instant::EPOCH, failed_at: None };
        let events = peer.causes(Connection::open);
        (peer, events)
    }

    /// A device that has been asked the first question.
    fn asked(authentication: Authentication) -> Self {
        Self::opened(authentication, Limits::default()).0
    }

    /// A client past its handshake.
    fn client() -> Self {
        Self::identified(r#"{"type": "client", "name": "Ann"}"#, Limits::default())
    }

    /// A service past its handshake.
    fn service() -> Self {
        Self::identified(r#"{"type": "service", "name": "Ann", "attributes": {}}"#, Limits::default())
    }

    fn identified(identity: &str, limits: Limits) -> Self {
        let mut peer = Self::opened(Authentication::None, limits).0;
        peer.says(&format!(r#"{{"result": {identity}}}"#));
        assert_eq!(peer.told(Notice::HostName("lab".into())), ["join Ann"]);
        peer.joined();
        peer
    }

    /// The device sends a line.
    fn says(&mut self, line: &str) -> Vec<String> {
        self.sends(format!("{line}\r\n").as_bytes())
    }

    fn sends(&mut self, bytes: &[u8]) -> Vec<String> {
        let bytes = Bytes::copy_from_slice(bytes);
        self.causes(|connection, now, out| connection.receive(bytes, now, out))
    }

    /// The device closes its sending side.
    fn ends(&mut self) -> Vec<String> {
        self.causes(|connection, _, _| connection.end_of_input())
    }

    fn told(&mut self, notice: Notice) -> Vec<String> {
        self.causes(|connection, now, out| connection.notice(notice, now, out))
    }

    /// The broker has given it the name that it asked for.
    fn joined(&mut self) -> Vec<String> {
        let address = Address { host: "lab".into(), port: 5 };
        let name = NetworkName::new(&DeviceName::new("Ann").unwrap(), &address);
        self.causes(|connection, now, out| connection.joined(Ok(name), now, out))
    }

    /// Time passes, in one jump.
    fn waits(&mut self, duration: Duration) -> Vec<String> {
        self.now = self.now + duration;
        self.causes(Connection::handle_timeout)
    }

    /// How long until the next deadline, and why.
    fn deadline(&self) -> Option<(Duration, Why)> {
        self.connection.deadline().map(|(deadline, why)| (deadline - self.now, why))
    }

    fn flow(&self) -> Flow {
        self.connection.flow()
    }

    fn causes(
        &mut self,
        what: impl FnOnce(&mut Connection<u8>, Instant, &mut Vec<Event<u8>>),
    ) -> Vec<String> {
        let mut events = Vec::new();
        what(&mut self.connection, self.now, &mut events);
        while self.connection.advance(self.now, Pressure::default(), &mut events) {}
        for event in &events {
            if let Event::Act(Action::Note(Note::Refused { hurdle, .. })) = event {
                self.failed_at = Some(*hurdle);
            }
        }
        events.iter().map(shown).collect()
    }
}

/// An event in a few words.
fn shown(event: &Event<u8>) -> String {
    match event {
        Event::Send(line) => line_shown(line),
        Event::Answer { to, line } => format!("to {to}: {}", line_shown(line)),
        Event::Notify(_) => "notify".into(),
        Event::Request(outgoing) => {
            format!("request to {}, uid {}", outgoing.service, text(&outgoing.uid.raw))
        }
        Event::Ask { question, uid } => format!("{question:?}, uid {}", text(uid)),
        Event::Join(identity) => format!("join {}", identity.name),
        Event::Leave => "leave".into(),
        Event::CloseMailbox(_) => "close mailbox".into(),
        Event::ClearMailbox => "clear mailbox".into(),
        Event::Tell(to, notice) => format!("tell {to}: {notice:?}"),
        Event::Act(Action::LookUpHost) => "look up the host name".into(),
        Event::Act(Action::Check(Credentials::ManagerPassword(password))) => format!("check {password}"),
        Event::Act(Action::Check(Credentials::Login { username, password })) => {
            format!("check {username}, {password}")
        }
        Event::Act(Action::Check(Credentials::HostName)) => "check the host name".into(),
        Event::Act(Action::Administer { attribute, args, kwargs }) => {
            format!("do {attribute} {} {}", text(args), text(kwargs))
        }
        Event::Act(Action::ShutDown) => "shut down".into(),
        Event::Act(Action::Note(note)) => format!("note: {note}"),
    }
}

fn line_shown(line: &Rope) -> String {
    let line: Value = serde_json::from_slice(&line.to_bytes()).unwrap();
    let uid = &line["uid"];
    if line["error"] == true {
        format!("error {}, uid {uid}", line["message"].as_str().unwrap())
    } else if let Some(attribute) = line["attribute"].as_str() {
        format!("ask {attribute} {}", line["args"])
    } else {
        format!("answer {}, uid {uid}", line["result"])
    }
}

fn text(raw: &[u8]) -> &str {
    core::str::from_utf8(raw).unwrap()
}

/// What a device that is refused causes.
fn refused(message: &str) -> Vec<String> {
    let text = message.split_once(": ").map_or("", |(_, text)| text.trim_matches('\''));
    Vec::from([
        format!("error {message}, uid \"\""),
        format!("note: was refused: {text}"),
        REFUSED.to_string(),
        "close mailbox".to_string(),
    ])
}

fn wrong_login() -> Refusal {
    Refusal::new(Exception::Value, "Unregistered user, or Wrong login password")
}
