//! What is said with a Manager or the relay, and with a NATS server: the same requests and answers, in a line or a parcel.
//!
//! A uid has always ten digits, so that all requests of a row have the same length.

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

/// What stands around the values of a request, a reply and a notification. All peers leave that as it is.
const REQUEST: &[u8] = br#"{"service": ""#;
const ARGUMENTS: &[u8] = br#"", "attribute": "echo", "args": ["#;
const AFTER_ARGUMENTS: &[u8] = br#"], "kwargs": {}, "uid": ""#;
const ERROR: &[u8] = br#"", "error": false"#;
pub(crate) const REPLY: &[u8] = br#"{"result": "#;
const REQUESTER: &[u8] = br#", "requester": ""#;
const UID: &[u8] = br#"", "uid": ""#;
const NOTIFICATION: &[u8] = br#"{"result": [["#;
const END: &[u8] = b"}\r\n";

fn extend(output: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        output.extend_from_slice(piece);
    }
}

/// Appends a request.
pub(crate) fn request(output: &mut Vec<u8>, service: &str, number: u64, payload: &[u8]) {
    let uid = digits(number);
    extend(output, &[REQUEST, service.as_bytes(), ARGUMENTS, payload, AFTER_ARGUMENTS, &uid, ERROR, END]);
}

/// Appends the answer to a request.
pub(crate) fn reply(output: &mut Vec<u8>, request: &Request<'_>, payload: &[u8]) {
    extend(output, &[REPLY, payload, REQUESTER, request.requester, UID, request.uid, ERROR, END]);
}

/// Appends a notification.
pub(crate) fn notification(output: &mut Vec<u8>, number: u64, payload: &[u8]) {
    let number = digits(number);
    let rest = br#""], {}], "service": "Bench", "uid": "notification", "error": false"#;
    extend(output, &[NOTIFICATION, payload, b", \"", &number, rest, END]);
}

/// Who asked what.
pub(crate) struct Request<'a> {
    /// Empty where no Manager has added it.
    pub(crate) requester: &'a [u8],
    pub(crate) uid: &'a [u8],
}

/// Reads a request, which must carry this payload.
///
/// It looks at known places only, as the load must not be what limits the rate.
pub(crate) fn read_request<'a>(body: &'a [u8], payload: &[u8]) -> Result<Request<'a>, Failure> {
    let read = || {
        // The service's name comes first, of which the length is not known.
        let name = body.strip_prefix(REQUEST)?;
        let rest = name[memchr::memchr(b'"', name)?..].strip_prefix(ARGUMENTS)?;
        let rest = rest.strip_prefix(payload)?.strip_prefix(AFTER_ARGUMENTS)?;
        let (uid, rest) = rest.split_at_checked(DIGITS)?;
        let rest = rest.strip_prefix(ERROR)?;
        let Some(rest) = rest.strip_prefix(b",") else { return Some(Request { requester: b"", uid }) };
        // Some write a blank, some do not.
        let rest = rest.trim_ascii_start().strip_prefix(b"\"requester\":")?;
        let requester = until_quote(rest.trim_ascii_start().strip_prefix(b"\"")?)?;
        Some(Request { requester, uid })
    };
    read().ok_or_else(|| format!("not the request that was sent: {}", shown(body)).into())
}

/// Checks that a reply carries this payload, and answers this request.
pub(crate) fn check_reply(body: &[u8], number: u64, payload: &[u8]) -> Result<(), Failure> {
    let uid = || {
        let rest = body.strip_prefix(REPLY)?.strip_prefix(payload)?.strip_prefix(REQUESTER)?;
        let rest = rest[memchr::memchr(b'"', rest)?..].strip_prefix(UID)?;
        rest.get(..DIGITS)
    };
    if uid() == Some(&digits(number)) {
        return Ok(());
    }
    Err(format!("not the reply to {number}: {}", shown(body)).into())
}

/// Checks that a notification has this number and carries this payload.
pub(crate) fn check_notification(body: &[u8], number: u64, payload: &[u8]) -> Result<(), Failure> {
    let found = || {
        let rest = body.strip_prefix(NOTIFICATION)?.strip_prefix(payload)?.strip_prefix(b", \"")?;
        rest.get(..DIGITS)
    };
    if found() == Some(&digits(number)) {
        return Ok(());
    }
    Err(format!("not notification {number}: {}", shown(body)).into())
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.get(..memchr::memchr(b'"', text)?)
}

/// How many digits a uid has.
const DIGITS: usize = 10;

/// Ten digits.
fn digits(number: u64) -> [u8; DIGITS] {
    let mut left = number;
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
    digits
}

/// The beginning of a message, for people.
pub(crate) fn shown(message: &[u8]) -> String {
    String::from_utf8_lossy(&message[..message.len().min(300)]).trim_end().to_owned()
}
