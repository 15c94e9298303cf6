//! What a connection causes: small owned values, appended to a list that the caller owns.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use core::net::IpAddr;

use bytes::Bytes;

use crate::error::{Exception, Refusal};
use crate::frame::{FrameError, Rope};
use crate::identity::Identity;
use crate::json::escaped;
use crate::mailbox::{Notice, Uid, Verdict};
use crate::name::{NetworkName, plain_ip};

/// Something that a connection cannot do by itself.
#[derive(Clone, Debug)]
pub enum Event<H> {
    /// A line for this device: into its own mailbox, behind what waits there.
    Send(Rope),
    /// An answer for the client with this mailbox.
    Answer {
        /// The client's mailbox.
        to: H,
        /// The line.
        line: Rope,
    },
    /// A notification of this service, for all that are linked with it.
    Notify(Rope),
    /// A request for a service: find it, put the request into its mailbox, and say so with
    /// [`Connection::asked`](super::Connection::asked).
    Request(Outgoing),
    /// A question that the broker answers.
    Ask {
        /// What is asked.
        question: Question,
        /// The request's uid as raw JSON.
        uid: Arc<[u8]>,
    },
    /// Register the device; answer with [`Connection::joined`](super::Connection::joined).
    Join(Identity),
    /// Take the device out of the broker.
    Leave,
    /// Let nothing more into this device's mailbox; each request in it is answered with this.
    CloseMailbox(Refusal),
    /// Throw away what waits for this device: it does not read.
    ClearMailbox,
    /// Tell another connection something.
    Tell(H, Notice),
    /// Something for the world outside of the core; see [`Action`].
    Act(Action),
}

/// A request of a client, before it is known where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The service's name.
    pub service: Arc<str>,
    /// The request's uid.
    pub uid: Uid,
    /// The line as the service gets it.
    pub line: Rope,
}

/// What a client can ask the Manager for (docs/wire.md, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who is there.
    Identity,
    /// To be linked with a service.
    Link(String),
    /// The link to end.
    Unlink(String),
    /// A lock on a service.
    AcquireLock {
        /// The service.
        service: String,
        /// Whether others that are linked may have one too.
        shared: bool,
    },
    /// The lock to end.
    ReleaseLock(String),
}

/// What leaves the core, to be done wherever that may block. Answers come back as a [`Notice`].
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// Find the host name of the device's IP address; answer with [`Notice::HostName`].
    LookUpHost,
    /// Check something; answer with [`Notice::Checked`].
    Check(Credentials),
    /// Do what an administrator asks for; answer with [`Notice::Administered`].
    Administer {
        /// The attribute, like `users_table.usernames`.
        attribute: String,
        /// A JSON array.
        args: Bytes,
        /// A JSON object.
        kwargs: Bytes,
    },
    /// An administrator asks the Manager to shut down.
    ShutDown,
    /// For the log.
    Note(Note),
}

impl Action {
    /// The answer of a Manager that looks up no names and knows no users, to a device with this IP address: the address is
    /// its name, its credentials are wrong, and so nobody is an administrator. `None` where none is due.
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use msl_network_protocol::connection::{Action, Credentials, Verdict};
    /// use msl_network_protocol::mailbox::Notice;
    ///
    /// let ip = IpAddr::from([10, 0, 0, 7]);
    /// assert_eq!(Action::LookUpHost.plain_answer(ip), Some(Notice::HostName("10.0.0.7".into())));
    /// let password = Action::Check(Credentials::ManagerPassword("1234".into()));
    /// assert!(matches!(password.plain_answer(ip), Some(Notice::Checked(Verdict::Refused(_)))));
    /// assert_eq!(Action::ShutDown.plain_answer(ip), None);
    /// ```
    pub fn plain_answer(&self, ip: IpAddr) -> Option<Notice> {
        match self {
            Self::LookUpHost => Some(Notice::HostName(plain_ip(ip).to_string().into())),
            Self::Check(credentials) => Some(Notice::Checked(Verdict::Refused(credentials.refusal()))),
            Self::Administer { .. } => {
                let text = "this Manager has no administrators";
                Some(Notice::Administered(Err(Refusal::new(Exception::Permission, text))))
            }
            Self::ShutDown | Self::Note(_) => None,
        }
    }
}

/// What an administrator sends along may be somebody's new password.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LookUpHost => f.write_str("LookUpHost"),
            Self::Check(credentials) => f.debug_tuple("Check").field(credentials).finish(),
            Self::Administer { attribute, .. } => {
                f.debug_struct("Administer").field("attribute", attribute).finish_non_exhaustive()
            }
            Self::ShutDown => f.write_str("ShutDown"),
            Self::Note(note) => f.debug_tuple("Note").field(note).finish(),
        }
    }
}

/// What a device shows to be let in.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The Manager's password.
    ManagerPassword(String),
    /// A user's.
    Login {
        /// The username.
        username: String,
        /// The password.
        password: String,
    },
    /// Its computer: the host name of its IP address.
    HostName,
}

impl Credentials {
    /// What a device is told whose credentials are wrong. One text, whatever was wrong: who fails learns nothing.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::ManagerPassword(_) => Self::wrong_manager_password(),
            Self::Login { .. } => Self::wrong_login(),
            Self::HostName => Refusal::new(Exception::Value, "this computer is not a trusted host"),
        }
    }

    pub(super) fn wrong_manager_password() -> Refusal {
        Refusal::new(Exception::Value, "Wrong Manager password")
    }

    pub(super) fn wrong_login() -> Refusal {
        Refusal::new(Exception::Value, "Unregistered user, or Wrong login password")
    }
}

/// Passwords never show themselves.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManagerPassword(_) => f.write_str("ManagerPassword"),
            Self::Login { username, .. } => {
                f.debug_struct("Login").field("username", username).finish_non_exhaustive()
            }
            Self::HostName => f.write_str("HostName"),
        }
    }
}

/// Whose connection it is, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Who<'a> {
    /// The network name of the device.
    pub name: Option<&'a NetworkName>,
    /// The user that it has logged in as.
    pub user: Option<&'a str>,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The device asked for it.
    Requested,
    /// The device closed its side.
    Closed,
    /// The handshake failed.
    Refused,
    /// A line that never ends.
    EndlessLine,
    /// The device does not take what is sent to it.
    SlowConsumer,
    /// The Manager is shutting down.
    Shutdown,
    /// An administrator asked for it.
    Administrator,
    /// A client that speaks TLS, on a port without it.
    TlsHello,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "it asked to be disconnected",
            Self::Closed => "it closed the connection",
            Self::Refused => "it was refused",
            Self::EndlessLine => "it sent a line that does not end",
            Self::SlowConsumer => "slow consumer: it does not read what is sent to it",
            Self::Shutdown => "the Manager is shutting down",
            Self::Administrator => "an administrator disconnected it",
            Self::TlsHello => "it speaks TLS, but TLS is disabled on this port (start without --disable-tls)",
        })
    }
}

/// Something worth a line in the log. The words are only made where somebody reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It is a client or a service now.
    Identified {
        /// Whether it is a service.
        service: bool,
    },
    /// The handshake failed.
    Refused {
        /// Where it failed.
        hurdle: Hurdle,
        /// What the device was told.
        refusal: Refusal,
    },
    /// A request of the device was refused.
    Denied(Refusal),
    /// The device sent a line that cannot be read.
    Broken(FrameError),
    /// The device answered something that it does not owe, or that nobody waits for any more.
    UnexpectedReply {
        /// Whom the answer names.
        requester: String,
    },
    /// The device sent a notification in another's name, or is no service.
    UnexpectedNotification,
    /// Its question was answered: it got a link or a lock, gave one back, or asked who is there.
    Answered(Question),
    /// The connection is ending.
    Ending(Ending),
}

/// What a device has to pass in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hurdle {
    /// The Manager's password.
    ManagerPassword,
    /// A username, and that user's password.
    Login,
    /// To be on a trusted computer.
    HostName,
    /// To say who it is, under a name that is free.
    Identity,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// For somebody who looks for a fault.
    Debug,
    /// The normal course of things.
    Info,
    /// Somebody should have a look.
    Warning,
}

impl Note {
    /// How much it matters.
    pub fn importance(&self) -> Importance {
        match self {
            Self::Answered(Question::Identity) => Importance::Debug,
            // A device of ours, asking whether it has been let in.
            Self::Answered(Question::Unlink(service)) if service.is_empty() => Importance::Debug,
            Self::Broken(_)
            | Self::UnexpectedReply { .. }
            | Self::UnexpectedNotification
            | Self::Ending(Ending::SlowConsumer | Ending::EndlessLine | Ending::TlsHello) => {
                Importance::Warning
            }
            _ => Importance::Info,
        }
    }
}

/// What follows the device's name in a log line; whatever a peer chose is shown escaped.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identified { service: true } => f.write_str("is a new Service connection"),
            Self::Identified { service: false } => f.write_str("is a new Client connection"),
            Self::Refused { refusal, .. } => write!(f, "was refused: {}", escaped(refusal.text())),
            Self::Denied(refusal) => {
                write!(f, "got {}: {}", refusal.exception().name(), escaped(refusal.text()))
            }
            Self::Broken(error) => write!(f, "sent a line that cannot be read: {error}"),
            Self::UnexpectedReply { requester } => {
                write!(f, "sent a reply that {} does not wait for; dropped", escaped(requester))
            }
            Self::UnexpectedNotification => f.write_str("sent a notification that is not its own; dropped"),
            Self::Answered(question) => match question {
                Question::Identity => f.write_str("asked who is there"),
                Question::Link(service) => write!(f, "linked with '{}'", escaped(service)),
                Question::Unlink(service) => write!(f, "unlinked from '{}'", escaped(service)),
                Question::AcquireLock { service, .. } => write!(f, "locked '{}'", escaped(service)),
                Question::ReleaseLock(service) => write!(f, "unlocked '{}'", escaped(service)),
            },
            Self::Ending(ending) => write!(f, "is being disconnected: {ending}"),
        }
    }
}
