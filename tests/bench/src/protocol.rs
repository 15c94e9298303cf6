//! What is said with a Manager or the relay, and with a NATS server: the same requests and answers, in a line or a parcel.
//!
//! A uid has always ten digits, so that all requests of a row have the same length.

use memchr::memmem::FinderRev;

use crate::Failure;
use crate::socket::{Framing, lines};

/// The service that all requests are for.
pub(crate) const SERVICE: &str = "Bench";

/// How a peer wants its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// One line of JSON each: Managers and the relay.
    Lines,
    /// A header with the length, and then the same JSON.
    Nats,
}

impl Protocol {
    pub(crate) fn framing(self) -> Framing {
        match self {
            Self::Lines => lines,
            Self::Nats => parcels,
        }
    }

    /// What stands before a request of a client, of which all have this length without the end of the line.
    pub(crate) fn request_header(self, client: usize, length: usize) -> Vec<u8> {
        match self {
            Self::Lines => Vec::new(),
            Self::Nats => format!("PUB {SERVICE} answers.{client} {length}\r\n").into_bytes(),
        }
    }

    /// What stands before a notification.
    pub(crate) fn notification_header(self, length: usize) -> Vec<u8> {
        match self {
            Self::Lines => Vec::new(),
            Self::Nats => format!("PUB notifications {length}\r\n").into_bytes(),
        }
    }

    /// Takes a message apart; `None` where it is only about the connection, and has been answered.
    pub(crate) fn open<'a>(self, message: &'a [u8], output: &mut Vec<u8>) -> Option<Opened<'a>> {
        match self {
            Self::Lines => Some(Opened { reply_to: &[], body: message }),
            Self::Nats if message.starts_with(b"MSG ") => {
                let header = memchr::memchr(b'\n', message)?;
                let mut words = message[..header].trim_ascii_end().split(|&byte| byte == b' ').skip(3);
                let (reply_to, length) = (words.next()?, words.next());
                let reply_to = if length.is_some() { reply_to } else { &[] };
                Some(Opened { reply_to, body: &message[header + 1..] })
            }
            Self::Nats => {
                if message.starts_with(b"PING") {
                    output.extend_from_slice(b"PONG\r\n");
                }
                None
            }
        }
    }
}

/// A message that has come.
pub(crate) struct Opened<'a> {
    /// The subject that the answer is for, where that is not said in the body.
    pub(crate) reply_to: &'a [u8],
    /// The JSON with the end of its line.
    pub(crate) body: &'a [u8],
}

/// Messages of NATS: a line, which after `MSG` is followed by as many bytes as it says, and the end of a line.
fn parcels(bytes: &[u8], _searched: usize) -> Option<usize> {
    let header = memchr::memchr(b'\n', bytes)? + 1;
    if !bytes.starts_with(b"MSG ") {
        return Some(header);
    }
    let length = bytes[..header].trim_ascii_end().rsplit(|&byte| byte == b' ').next()?;
    let whole = header + std::str::from_utf8(length).ok()?.parse::<usize>().ok()? + 2;
    (whole <= bytes.len()).then_some(whole)
}

/// What each message begins with, up to its payload or its number. All peers leave that as it is.
const REQUEST: &[u8] = br#"{"service": "Bench", "attribute": "echo", "args": ["#;
pub(crate) const REPLY: &[u8] = br#"{"result": "#;
const NOTIFICATION: &[u8] = br#"{"result": [["#;

/// Appends a request.
pub(crate) fn request(output: &mut Vec<u8>, service: &str, number: u64, payload: &[u8]) {
    output.extend_from_slice(b"{\"service\": \"");
    output.extend_from_slice(service.as_bytes());
    output.extend_from_slice(br#"", "attribute": "echo", "args": ["#);
    output.extend_from_slice(payload);
    output.extend_from_slice(br#"], "kwargs": {}, "uid": ""#);
    output.extend_from_slice(&digits(number));
    output.extend_from_slice(b"\", \"error\": false}\r\n");
}

/// Appends the answer to a request.
pub(crate) fn reply(output: &mut Vec<u8>, requester: &[u8], uid: &[u8], payload: &[u8]) {
    output.extend_from_slice(REPLY);
    output.extend_from_slice(payload);
    output.extend_from_slice(br#", "requester": ""#);
    output.extend_from_slice(requester);
    output.extend_from_slice(br#"", "uid": ""#);
    output.extend_from_slice(uid);
    output.extend_from_slice(b"\", \"error\": false}\r\n");
}

/// Appends a notification.
pub(crate) fn notification(output: &mut Vec<u8>, number: u64, payload: &[u8]) {
    output.extend_from_slice(NOTIFICATION);
    output.extend_from_slice(payload);
    output.extend_from_slice(b", \"");
    output.extend_from_slice(&digits(number));
    output.extend_from_slice(
        b"\"], {}], \"service\": \"Bench\", \"uid\": \"notification\", \"error\": false}\r\n",
    );
}

/// Finds members of which the name and the quotes are known, from the end of a line.
pub(crate) struct Members {
    requester: FinderRev<'static>,
    uid: FinderRev<'static>,
}

impl Members {
    pub(crate) fn new() -> Self {
        Self { requester: FinderRev::new(br#""requester":"#), uid: FinderRev::new(br#""uid": ""#) }
    }

    pub(crate) fn requester<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let value = &line[self.requester.rfind(line)? + br#""requester":"#.len()..];
        until_quote(value.trim_ascii_start().strip_prefix(b"\"")?)
    }

    pub(crate) fn uid<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        until_quote(&line[self.uid.rfind(line)? + br#""uid": ""#.len()..])
    }
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.get(..memchr::memchr(b'"', text)?)
}

/// Ten digits.
pub(crate) fn digits(number: u64) -> [u8; 10] {
    let mut left = number;
    let mut digits = [b'0'; 10];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
    digits
}

/// Checks that a request carries this payload.
pub(crate) fn check_request(body: &[u8], payload: &[u8]) -> Result<(), Failure> {
    after(body, REQUEST, payload).map(|_| ())
}

/// Checks that a reply carries this payload.
pub(crate) fn check_reply(body: &[u8], payload: &[u8]) -> Result<(), Failure> {
    after(body, REPLY, payload).map(|_| ())
}

/// Checks that a notification has this number and carries this payload.
pub(crate) fn check_notification(body: &[u8], number: u64, payload: &[u8]) -> Result<(), Failure> {
    let rest = after(body, NOTIFICATION, payload)?;
    match rest.strip_prefix(b", \"") {
        Some(rest) if rest.starts_with(&digits(number)) => Ok(()),
        _ => Err(format!("not notification {number}: {}", shown(body)).into()),
    }
}

/// What follows the payload.
fn after<'a>(body: &'a [u8], prefix: &[u8], payload: &[u8]) -> Result<&'a [u8], Failure> {
    let rest = body.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(payload));
    rest.ok_or_else(|| format!("not what was sent: {}", shown(body)).into())
}

/// The beginning of a message, for people.
pub(crate) fn shown(message: &[u8]) -> String {
    String::from_utf8_lossy(&message[..message.len().min(300)]).trim_end().to_owned()
}
