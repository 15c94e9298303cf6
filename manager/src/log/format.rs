//! What a line looks like.

use jiff::Zoned;
use msl_network_protocol::json::{quote, quote_into};

/// For whom the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// For people, and for scripts that know the Python Manager:
    /// `2026-01-02 03:04:05.678 [INFO ] msl.network - text`.
    #[default]
    Text,
    /// For programs, an object a line:
    /// `{"time": "2026-01-02T03:04:05.678+13:00", "level": "INFO", "logger": "msl.network", "message": "text"}`; and
    /// `fields`, an object of strings, where an event has any.
    Json,
}

/// How one output writes its lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    /// With the level padded to this width.
    Text {
        width: usize,
    },
    Json,
}

/// An event, ready to be written. Its texts are escaped already.
pub(super) struct Record<'a> {
    pub(super) time: Zoned,
    pub(super) level: &'static str,
    pub(super) target: &'a str,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl<'a> Record<'a> {
    /// Of this moment.
    pub(super) fn now(level: &'static str, target: &'a str, message: &str) -> Self {
        Self { time: Zoned::now(), level, target, message: message.to_owned(), fields: Vec::new() }
    }
}

impl Format {
    pub(super) fn new(layout: Layout, width: usize) -> Self {
        match layout {
            Layout::Text => Self::Text { width },
            Layout::Json => Self::Json,
        }
    }

    /// The line, with its end.
    pub(super) fn line(self, record: &Record<'_>) -> String {
        match self {
            Self::Text { width } => text(record, width),
            Self::Json => json(record),
        }
    }
}

/// The message, then the fields as `name=value`.
fn text(record: &Record<'_>, width: usize) -> String {
    let Record { time, level, target, message, fields } = record;
    let time = time.strftime("%Y-%m-%d %H:%M:%S.%3f");
    let mut line = format!("{time} [{level:<width$}] {target} - {message}");
    for (index, (name, value)) in fields.iter().enumerate() {
        let blank = if index == 0 && message.is_empty() { "" } else { " " };
        line.extend([blank, name, "=", value]);
    }
    line.push('\n');
    line
}

fn json(record: &Record<'_>) -> String {
    let Record { time, level, target, message, fields } = record;
    let time = time.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z");
    let mut line = format!("{{\"time\": \"{time}\", \"level\": \"{level}\", \"logger\": ");
    quote_into(&mut line, target);
    line.push_str(", \"message\": ");
    quote_into(&mut line, message);
    let separators = std::iter::once(", \"fields\": {").chain(std::iter::repeat(", "));
    for (separator, (name, value)) in separators.zip(fields) {
        line.extend([separator, &quote(name), ": ", &quote(value)]);
    }
    line.push_str(if fields.is_empty() { "}\n" } else { "}}\n" });
    line
}
