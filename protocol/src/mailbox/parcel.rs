//! What connections send one another: lines for their devices, and notices.

use alloc::string::String;
use alloc::sync::Arc;

use crate::error::Refusal;
use crate::frame::Rope;
use crate::name::NetworkName;

/// Which connection of a Manager; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A request's `uid`: what answers carry, and what replies are matched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uid {
    /// The JSON value as the client wrote it.
    pub raw: Arc<[u8]>,
    /// The same value in the one form that all its spellings have ([`crate::json::canonical`]): a Python service
    /// writes a uid anew.
    pub canonical: Arc<[u8]>,
}

/// A request on its way to a service. `H` is the handle of a mailbox.
#[derive(Clone, Debug)]
pub struct Request<H> {
    /// Who asks.
    pub client: ConnectionId,
    /// Its network name, which the reply will carry.
    pub requester: NetworkName,
    /// Where the answer goes.
    pub reply_to: H,
    /// The client's name for the request.
    pub uid: Uid,
    /// The line, as the service gets it.
    pub line: Rope,
}

/// What waits in a mailbox: a line, its end included, or several of them.
#[derive(Clone, Debug)]
pub enum Parcel<H> {
    /// For a service: somebody's request.
    Request(Request<H>),
    /// For a client: answers to requests that went to a service.
    Answers {
        /// One or more.
        lines: Rope,
        /// How many.
        count: usize,
    },
    /// For a client: notifications of a service that it is linked with, one or more.
    Notification(Rope),
    /// For any device: what the Manager itself says.
    Own(Rope),
}

impl<H> Parcel<H> {
    /// One answer.
    pub fn answer(line: Rope) -> Self {
        Self::Answers { lines: line, count: 1 }
    }

    /// Its line or lines.
    pub fn line(&self) -> &Rope {
        match self {
            Self::Request(request) => &request.line,
            Self::Answers { lines, .. } | Self::Notification(lines) | Self::Own(lines) => lines,
        }
    }
}

/// Something that a connection is told by the rest of the Manager; it has no place in the order of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The host name of the device's IP address.
    HostName(Arc<str>),
    /// The outcome of a check.
    Checked(Verdict),
    /// For a service: this client waits no more for answers; where `answer` is set it gets an error for each.
    Forget {
        /// Who.
        client: ConnectionId,
        /// Its network name.
        requester: NetworkName,
        /// Whether it is still there to be told.
        answer: bool,
    },
    /// What an administrator's request gave: the JSON text of the result, or a refusal.
    Administered(Result<String, Refusal>),
    /// Memory is short and this connection's incomplete line is the largest: give it up.
    SkipLine,
    /// Memory is short and much of it waits for this device: end, if it has taken nothing for a while.
    MakeRoom,
    /// The Manager is shutting down.
    Shutdown,
    /// An administrator ends this connection.
    Disconnect,
}

/// The outcome of a check of [`Credentials`](crate::connection::Credentials).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Accepted {
        /// Whether it is an administrator.
        administrator: bool,
    },
    /// It may not; this is what it is told.
    Refused(Refusal),
}
