//! What is measured: the rows of the table.

use std::fmt;

use crate::peer::Encryption;

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) what: What,
    pub(crate) encryption: Encryption,
}

/// What is done in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// Requests: so many clients, each with so many of them open.
    Calls { clients: usize, open: usize, payload: Payload },
    /// Notifications to so many clients.
    Notifications { clients: usize },
    /// Connections: made, introduced, linked and ended, one after the other on each of some threads.
    Connections(Sessions),
}

/// What TLS begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// A whole handshake (without TLS, nothing).
    New,
    /// A session that there was before.
    Resumed,
}

/// What a request carries, and its answer, too.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload {
    /// A string of 32 bytes.
    Small,
    /// A string of 64 KiB.
    LargeString,
    /// An array of floats, 64 KiB of text.
    LargeArray,
}

const LARGE: usize = 64 * 1024;

/// They take 64 KiB as text.
const FLOATS: u32 = 3_665;

impl Payload {
    /// The value as JSON, written as Python writes it: with a blank after each comma.
    pub(crate) fn json(self) -> Vec<u8> {
        match self {
            Self::Small => b"\"abcdefghijklmnopqrstuvwxyz012345\"".to_vec(),
            Self::LargeString => format!("\"{}\"", "0123456789abcdef".repeat(LARGE / 16)).into_bytes(),
            Self::LargeArray => {
                let floats: Vec<String> =
                    (0..FLOATS).map(|number| (f64::from(number) / 7.0).to_string()).collect();
                format!("[{}]", floats.join(", ")).into_bytes()
            }
        }
    }
}

const ALL: [What; 8] = [
    What::Calls { clients: 1, open: 1, payload: Payload::Small },
    What::Calls { clients: 1, open: 64, payload: Payload::Small },
    What::Calls { clients: 16, open: 16, payload: Payload::Small },
    What::Calls { clients: 100, open: 1, payload: Payload::Small },
    What::Calls { clients: 8, open: 4, payload: Payload::LargeString },
    What::Calls { clients: 8, open: 4, payload: Payload::LargeArray },
    What::Notifications { clients: 50 },
    What::Connections(Sessions::New),
];

impl Row {
    /// All rows, plain and with TLS.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let with = |encryption| ALL.into_iter().map(move |what| Self { what, encryption });
        let resumed = Self { what: What::Connections(Sessions::Resumed), encryption: Encryption::Tls };
        with(Encryption::Plain).chain(with(Encryption::Tls)).chain([resumed])
    }

    /// The rows of requests that are measured with devices of this project, too.
    pub(crate) fn calls() -> impl Iterator<Item = Self> {
        Self::all().filter(|row| matches!(row.what, What::Calls { clients: ..=16, .. }))
    }
}

/// The name of the row, which `--rows` selects it by.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)?;
        f.write_str(match self.encryption {
            Encryption::Plain => "",
            Encryption::Tls => ", TLS",
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls { clients, open, payload } => write!(f, "{clients}x{open}{payload}"),
            Self::Notifications { clients } => write!(f, "fan-out to {clients}"),
            Self::Connections(Sessions::New) => f.write_str("connections"),
            Self::Connections(Sessions::Resumed) => f.write_str("connections resumed"),
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "",
            Self::LargeString => ", 64 KiB string",
            Self::LargeArray => ", 64 KiB array",
        })
    }
}
