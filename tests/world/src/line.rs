//! A line that the Manager has said to a device, as far as the world looks at it.
//!
//! Read with `serde_json`, not with the project's own reader: so whatever reaches a device is checked to be one JSON object, too.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{Mark, Number};

/// A line.
#[derive(Debug, Deserialize)]
pub(crate) struct Line<'a> {
    /// Of a request.
    #[serde(borrow)]
    pub(crate) attribute: Option<Cow<'a, str>>,
    /// Of a notification.
    #[serde(borrow)]
    pub(crate) service: Option<Cow<'a, str>>,
    /// Whose request it is, or was.
    #[serde(borrow)]
    pub(crate) requester: Option<Cow<'a, str>>,
    /// The number of the request.
    #[serde(borrow)]
    pub(crate) uid: Option<&'a RawValue>,
    /// Of a request.
    #[serde(borrow)]
    pub(crate) args: Option<&'a RawValue>,
    /// Whether it is an error.
    #[serde(default)]
    pub(crate) error: bool,
    /// Of an error.
    #[serde(borrow)]
    pub(crate) message: Option<Cow<'a, str>>,
    /// Of an answer or a notification.
    #[serde(borrow)]
    pub(crate) result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Marked {
    by: u16,
    call: Option<Number>,
    said: Option<Number>,
}

impl<'a> Line<'a> {
    /// Reads a line; what cannot be read must not have been sent.
    pub(crate) fn read(line: &'a [u8]) -> Self {
        serde_json::from_slice(line).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&line[..line.len().min(300)]))
        })
    }

    /// The uid, where it is a string of digits, as a client's are.
    pub(crate) fn number(&self) -> Option<u64> {
        self.uid?.get().trim_matches('"').parse().ok()
    }

    /// The first argument of a request, which is its number where an honest client has made it.
    pub(crate) fn first_argument(&self) -> Option<Number> {
        let args: Vec<Value> = serde_json::from_str(self.args?.get()).ok()?;
        Number::try_from(args.first()?.as_u64()?).ok()
    }

    /// Whether it is a notification.
    pub(crate) fn is_notification(&self) -> bool {
        !self.error && self.uid.is_some_and(|uid| uid.get() == "\"notification\"") && self.result.is_some()
    }

    /// Who has answered what, if a service has put that in.
    pub(crate) fn mark(&self) -> Option<Mark> {
        if self.error {
            let text = self.message.as_deref()?.strip_prefix("ValueError: marked ")?;
            let mut numbers = text.split(' ').map(|number| number.parse::<Number>().ok());
            let by = u16::try_from(numbers.next()??).ok()?;
            return Some(Mark { by, call: numbers.next()?, said: numbers.next()? });
        }
        let Marked { by, call, said } = serde_json::from_str(self.result?.get()).ok()?;
        Some(Mark { by, call, said })
    }

    /// Of a notification: who has sent it, and its numbers where that is an honest service.
    pub(crate) fn notification(&self) -> Option<(Mark, Option<Number>)> {
        let (args, _): (Vec<Value>, Value) = serde_json::from_str(self.result?.get()).ok()?;
        let number =
            |at: usize| args.get(at).and_then(Value::as_u64).and_then(|number| Number::try_from(number).ok());
        let by = u16::try_from(number(0)?).ok()?;
        Some((Mark { by, call: None, said: number(2) }, number(1)))
    }
}

/// The port in a network name, which is the number of its device.
pub(crate) fn port_in(network_name: &str) -> Option<u16> {
    network_name.strip_suffix(']')?.rsplit_once(':')?.1.parse().ok()
}
