//! What a line means: the messages of docs/wire.md, section 2, told apart by their members.
//!
//! A [`Frame`] is valid JSON with routing members of the right type; here it is given its kind, and the members that the
//! kind needs are asked for. Nothing is copied: what is forwarded stays the frame.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::error::{Exception, Refusal};
use crate::frame::{Frame, Key, Kind, Rope};
use crate::json;
use crate::mailbox::Uid;

pub use crate::name::MANAGER;
/// The `attribute` of a device that asks to be disconnected.
pub const DISCONNECT: &str = "__disconnect__";
/// The `uid` of notifications, as JSON; no request may have it.
pub const NOTIFICATION_UID: &[u8] = b"\"notification\"";
/// The longest `uid`, in bytes of JSON. It is kept for as long as a request is open, and Python's have 38.
pub const MAX_UID: usize = 1024;
/// The longest name of a service, an attribute or a requester that is looked at, in bytes of JSON. The longest network
/// name has room in it, however its characters are escaped.
pub const MAX_NAME: usize = 8 * 1024;
/// The longest request that the Manager itself answers, in bytes.
pub const MAX_MANAGER_REQUEST: usize = 1 << 20;
/// JSON of this length, in bytes, is not copied into a line any more.
const LONG: usize = 16 * 1024;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// For a service.
    Request,
    /// For the Manager itself.
    ManagerRequest,
    /// The device asks to be disconnected.
    Disconnect,
    /// A service's result, or its error where `error` is true.
    Reply {
        /// Whether it is an error reply.
        error: bool,
    },
    /// To all clients linked with the service that sends it.
    Notification,
}

impl Message {
    /// Tells what a frame is.
    ///
    /// # Errors
    /// The refusal that its sender gets where the frame lacks what its kind needs.
    pub fn of(frame: &Frame) -> Result<Self, Refusal> {
        let error = is_true(frame, Key::Error);
        if frame.member(Key::Result).is_some() || error {
            if !error && is_text(frame, Key::Uid, "notification") {
                return notification(frame);
            }
            return Ok(Self::Reply { error });
        }
        if is_text(frame, Key::Service, MANAGER) {
            return required(frame, Key::Attribute).map(|()| Self::ManagerRequest);
        }
        if is_text(frame, Key::Attribute, DISCONNECT) {
            return Ok(Self::Disconnect);
        }
        required(frame, Key::Service)?;
        required(frame, Key::Attribute)?;
        Ok(Self::Request)
    }
}

fn required(frame: &Frame, key: Key) -> Result<(), Refusal> {
    match frame.member(key) {
        None => Err(Refusal::new(Exception::Key, key.name())),
        Some(member) if member.span().len() > MAX_NAME => {
            Err(Refusal::new(Exception::Value, format!("the {} has at most {MAX_NAME} bytes", key.name())))
        }
        Some(_) => Ok(()),
    }
}

fn notification(frame: &Frame) -> Result<Message, Refusal> {
    let shaped = frame.member(Key::Result).is_some_and(|result| {
        let items = result.items;
        result.kind == Kind::Array
            && items.count == 2
            && items.first == Some(Kind::Array)
            && items.second == Some(Kind::Object)
    });
    if !shaped {
        let text =
            "the result of a notification is an array of positional and an object of keyword arguments";
        return Err(Refusal::new(Exception::Type, text));
    }
    required(frame, Key::Service).map(|()| Message::Notification)
}

fn is_true(frame: &Frame, key: Key) -> bool {
    frame.member(key).is_some_and(|member| member.kind == Kind::Bool(true))
}

/// The text of a member that is a string (and has no lone surrogate), as long as a name may be.
pub fn text(frame: &Frame, key: Key) -> Option<String> {
    view(frame, key).map(Cow::into_owned)
}

/// The same, to be looked at now.
pub fn view(frame: &Frame, key: Key) -> Option<Cow<'_, str>> {
    match name(frame, key)? {
        Cow::Borrowed(raw) => json::unquote(raw),
        Cow::Owned(raw) => json::unquote(&raw).map(|text| Cow::Owned(text.into_owned())),
    }
}

/// Whether a member is this string, however it is written.
pub(crate) fn is_text(frame: &Frame, key: Key, expected: &str) -> bool {
    name(frame, key).is_some_and(|raw| match &*raw {
        // With an escape it would be longer than what it stands for.
        [b'"', inside @ .., b'"'] if inside.len() <= expected.len() => {
            inside == expected.as_bytes() && !expected.contains('\\')
        }
        raw => {
            memchr::memchr(b'\\', raw).is_some() && json::unquote(raw).is_some_and(|text| text == expected)
        }
    })
}

/// The JSON of a member that is no longer than a name may be.
fn name(frame: &Frame, key: Key) -> Option<Cow<'_, [u8]>> {
    frame.member(key).filter(|member| member.span().len() <= MAX_NAME)?;
    frame.value(key)
}

/// The uid of a request, `""` where it has none.
///
/// # Errors
/// The refusal for a uid that is reserved, too long, or nested too deeply to be compared.
pub fn uid(frame: &Frame) -> Result<Uid, Refusal> {
    if frame.member(Key::Uid).is_some_and(|member| member.span().len() > MAX_UID) {
        return Err(Refusal::new(Exception::Value, format!("a uid has at most {MAX_UID} bytes")));
    }
    let raw = frame.value(Key::Uid).unwrap_or(Cow::Borrowed(b"\"\""));
    let canonical = json::canonical(&raw)
        .ok_or_else(|| Refusal::new(Exception::Value, "this uid is nested too deeply to be compared"))?;
    if &*canonical == NOTIFICATION_UID {
        return Err(Refusal::new(Exception::Value, "the uid \"notification\" is reserved for notifications"));
    }
    // Copied, so that an open request does not keep the buffer alive that it arrived in.
    let copy: Arc<[u8]> = Arc::from(&*raw);
    let canonical = match canonical {
        Cow::Borrowed(same) if same.len() == raw.len() => copy.clone(),
        other => Arc::from(&*other),
    };
    Ok(Uid { raw: copy, canonical })
}

/// A request of the Manager to a device, with its line end: `username`, `password` or `identity`.
pub fn handshake_request(attribute: &str, argument: Option<&str>, manager: &str) -> String {
    let mut line = String::from("{\"args\": [");
    if let Some(argument) = argument {
        json::quote_into(&mut line, argument);
    }
    line.push_str("], \"attribute\": ");
    json::quote_into(&mut line, attribute);
    line.push_str(", \"error\": false, \"kwargs\": {}, \"requester\": ");
    json::quote_into(&mut line, manager);
    line.push_str(", \"uid\": \"\"}\r\n");
    line
}

/// The answer to a request, with its line end. `result` and `uid` are JSON.
pub fn answer(requester: &str, result: impl Into<String>, uid: &[u8]) -> Rope {
    let uid = core::str::from_utf8(uid).unwrap_or("\"\"");
    line(
        &[("{\"error\": false, \"requester\": ", requester)],
        ", \"result\": ",
        result.into(),
        &[", \"uid\": ", uid, "}\r\n"],
    )
}

/// The same as text, for tests.
#[cfg(test)]
pub(crate) fn answer_text(requester: &str, result: &str, uid: &[u8]) -> String {
    String::from_utf8_lossy(&answer(requester, result, uid).to_bytes()).into_owned()
}

/// A request as a client sends it, with its line end. `args`, `kwargs` and `uid` are JSON.
pub fn request(service: &str, attribute: &str, args: impl Into<String>, kwargs: &str, uid: &str) -> Rope {
    line(
        &[("{\"service\": ", service), (", \"attribute\": ", attribute)],
        ", \"args\": ",
        args.into(),
        &[", \"kwargs\": ", kwargs, ", \"error\": false, \"uid\": ", uid, "}\r\n"],
    )
}

/// A line: members that are texts, each behind its name; then JSON, which is a piece of its own if it is long; and the rest.
fn line(texts: &[(&str, &str)], name: &str, json: String, rest: &[&str]) -> Rope {
    let is_long = json.len() >= LONG;
    let rest_length: usize = rest.iter().map(|part| part.len()).sum();
    let quoted: usize = texts.iter().map(|(name, text)| name.len() + text.len() + "\"\"".len()).sum();
    let behind = if is_long { 0 } else { json.len() + rest_length };
    // Just as long as it becomes, where nothing is to be escaped: what is full can be shared without another piece of memory.
    let mut line = String::with_capacity(quoted + name.len() + behind);
    for (name, text) in texts {
        line.push_str(name);
        json::quote_into(&mut line, text);
    }
    line.push_str(name);
    if is_long {
        let mut pieces = Rope::from(line);
        pieces.push(json.into());
        pieces.push(rest.concat().into());
        return pieces;
    }
    line.push_str(&json);
    for part in rest {
        line.push_str(part);
    }
    Rope::from(line)
}

/// A request as the service gets it: with the client's name and with what is missing.
pub fn forwarded_request(frame: &Frame, quoted_requester: &str) -> Rope {
    const DEFAULTS: &[(Key, &str)] =
        &[(Key::Args, "[]"), (Key::Kwargs, "{}"), (Key::Error, "false"), (Key::Uid, "\"\"")];
    frame.splice(Some(quoted_requester.as_bytes()), DEFAULTS)
}

/// A reply as its client gets it: as the service sent it, with what is missing.
pub fn forwarded_reply(frame: &Frame, error: bool) -> Rope {
    const REPLY: &[(Key, &str)] = &[(Key::Error, "false"), (Key::Uid, "\"\"")];
    const ERROR: &[(Key, &str)] = &[(Key::Message, "\"\""), (Key::Traceback, "[]"), (Key::Uid, "\"\"")];
    frame.splice(None, if error { ERROR } else { REPLY })
}

/// A notification as the clients get it.
pub fn forwarded_notification(frame: &Frame) -> Rope {
    frame.splice(None, &[(Key::Error, "false")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn of(line: &'static str) -> Result<Message, String> {
        Message::of(&Frame::parse(line.as_bytes()).unwrap()).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn members_tell_what_a_frame_is() {
        for (line, message) in [
            (r#"{"service": "A", "attribute": "b"}"#, Message::Request),
            (r#"{"service": "Manager", "attribute": "link"}"#, Message::ManagerRequest),
            (r#"{"service": "Manager", "attribute": "__disconnect__"}"#, Message::ManagerRequest),
            (r#"{"service": "self", "attribute": "__disconnect__"}"#, Message::Disconnect),
            (r#"{"service": "A", "attribute": "b", "result": null}"#, Message::Reply { error: false }),
            (r#"{"error": true}"#, Message::Reply { error: true }),
            (r#"{"service": "A", "uid": "notification", "result": [[], {}]}"#, Message::Notification),
            (r#"{"service": "A", "uid": "notific\u0061tion", "result": [[], {}]}"#, Message::Notification),
        ] {
            assert_eq!(of(line), Ok(message), "{line}");
        }
    }

    #[test]
    fn what_the_kind_needs_is_asked_for() {
        for (line, refusal) in [
            ("{}", "KeyError: 'service'"),
            (r#"{"service": "A"}"#, "KeyError: 'attribute'"),
            (r#"{"service": "Manager"}"#, "KeyError: 'attribute'"),
            (r#"{"uid": "notification", "result": [[], {}]}"#, "KeyError: 'service'"),
        ] {
            assert_eq!(of(line), Err(refusal.to_string()), "{line}");
        }
        for result in ["1", "[]", "[[]]", "[{}, []]", "[[], {}, 1]"] {
            let line = format!(r#"{{"uid": "notification", "service": "A", "result": {result}}}"#);
            let refusal = Message::of(&Frame::parse(line.into_bytes()).unwrap()).unwrap_err();
            assert_eq!(refusal.exception(), Exception::Type, "{result}");
        }
    }

    #[test]
    fn a_result_of_258_elements_is_no_notification() {
        // Two, if a byte counted them.
        let line = format!(
            r#"{{"uid": "notification", "service": "A", "result": [[], {{}}{}]}}"#,
            ", 0".repeat(256)
        );
        let refusal = Message::of(&Frame::parse(line.into_bytes()).unwrap()).unwrap_err();
        assert_eq!(refusal.exception(), Exception::Type);
    }

    #[test]
    fn a_text_is_the_same_however_it_is_written() {
        for (raw, text, same) in [
            (r#""Manager""#, MANAGER, true),
            (r#""M\u0061nager""#, MANAGER, true),
            (r#""Manage""#, MANAGER, false),
            (r#""Manager2""#, MANAGER, false),
            (r#""Manager\u0032""#, MANAGER, false),
            (r#""Manage\ud800""#, MANAGER, false),
            (r#""""#, MANAGER, false),
            (r#""""#, "", true),
            ("7", "7", false),
            ("null", "null", false),
            (r#""a\"b""#, "a\"b", true),
            (r#""a\u0022b""#, "a\"b", true),
            (r#""a\\b""#, "a\\b", true),
            (r#""a\b""#, "a\\b", false),
            (r#""a\b""#, "a\u{8}", true),
        ] {
            let frame = Frame::parse(format!(r#"{{"uid": {raw}}}"#).into_bytes()).unwrap();
            assert_eq!(is_text(&frame, Key::Uid, text), same, "{raw}, {text}");
        }
    }

    #[test]
    fn a_uid_is_kept_to_the_byte_and_compared_by_value() {
        let read = |line: &'static str| uid(&Frame::parse(line.as_bytes()).unwrap());
        assert_eq!(&read(r#"{"uid": 1.10}"#).unwrap().raw[..], b"1.10");
        assert_eq!(read(r#"{"uid": 1.10}"#).unwrap().canonical, read(r#"{"uid": 1.1}"#).unwrap().canonical);
        assert_eq!(&read("{}").unwrap().raw[..], b"\"\"");
        assert!(read(r#"{"uid": "notification"}"#).is_err());
        assert!(read(r#"{"uid": "\u006eotification"}"#).is_err());
    }
}
