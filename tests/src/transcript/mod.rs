//! Recorded conversations, as data: `tests/transcripts/*.json`.
//!
//! A transcript is a list of steps, played in order by [`play`] against anything that is a [`Network`]. A step is an
//! object with one of these members, whose value is the name that the transcript gives to a connection:
//!
//! | member | meaning |
//! | --- | --- |
//! | `open` | a device connects |
//! | `send`, `raw` | it sends `text`, with or without CR LF |
//! | `recv` | it receives one line: `json`, or `text` where that is not JSON |
//! | `eof` | the Manager ends the connection |
//! | `quiet` | nothing arrives |
//! | `close` | the device closes the connection |
//!
//! What differs from run to run is masked: see [`masks`]. A step that `departs` shows what this Manager does where the
//! recorded one did worse.

pub mod masks;
mod memory;
mod player;
mod socket;

pub use memory::HubNetwork;
pub use player::{Cut, Fidelity, play};
pub use socket::SocketNetwork;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A recorded conversation.
#[derive(Debug)]
pub struct Transcript {
    /// Its name, which is its file's without `.json`.
    pub name: String,
    /// The rule that it shows.
    pub why: String,
    /// Flags that the Manager was started with.
    pub manager: Vec<String>,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// One step; the first member is always the connection.
#[derive(Debug)]
pub enum Step {
    /// A device connects.
    Open(String),
    /// It sends this text, line ending and all.
    Send(String, String),
    /// It receives this line. The flag: the recorded Manager answered otherwise.
    Receive(String, Line, bool),
    /// The Manager ends the connection.
    End(String),
    /// Nothing arrives.
    Quiet(String),
    /// The device closes the connection.
    Close(String),
}

/// A line that is expected.
#[derive(Debug)]
pub enum Line {
    /// A value, whatever its spelling.
    Json(Value),
    /// Exactly this text.
    Text(String),
}

/// What a transcript is played against: a Manager and the connections to it. A failure is a panic.
pub trait Network {
    /// The name of the Manager's computer, `{host}`.
    fn host(&self) -> String;
    /// The Manager's port, `{port}`.
    fn port(&self) -> u16;
    /// Opens a connection; returns its port at the device's end.
    fn open(&mut self, connection: &str) -> u16;
    /// Delivers these bytes to the Manager, as one piece where the network has pieces.
    fn send(&mut self, connection: &str, bytes: &[u8]);
    /// The next line that the Manager sends, without its ending.
    fn receive(&mut self, connection: &str) -> Vec<u8>;
    /// Checks that the Manager ends the connection without sending another line.
    fn expect_end(&mut self, connection: &str);
    /// Checks that nothing arrives.
    fn expect_quiet(&mut self, connection: &str);
    /// Closes the connection from the device's end.
    fn close(&mut self, connection: &str);
    /// Returns once the Manager lists the device with this network name, or lists it no longer.
    ///
    /// For networks that take time: there is no message on a successful identification, nor after a device has gone.
    fn settle(&mut self, network_name: &str, listed: bool) {
        let _ = (network_name, listed);
    }
}

/// The folder of the transcripts.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts")
}

/// The names of all transcripts, in order.
pub fn names() -> BTreeSet<String> {
    let files = folder().read_dir().expect("the transcripts are there");
    let paths = files.map(|entry| entry.expect("a folder can be read").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().expect("a name").to_str().expect("a plain name").to_owned())
        .collect()
}

impl Transcript {
    /// Reads the transcript of that name.
    pub fn load(name: &str) -> Self {
        let path = folder().join(name).with_extension("json");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            name: name.to_owned(),
            why: text_of(&value["why"]),
            manager: value["manager"]
                .as_array()
                .map_or_else(Vec::new, |flags| flags.iter().map(text_of).collect()),
            steps: value["steps"]
                .as_array()
                .expect("a transcript has steps")
                .iter()
                .map(Step::parse)
                .collect(),
        }
    }

    /// Whether devices have to log in as a user.
    pub fn needs_login(&self) -> bool {
        self.manager.iter().any(|flag| flag == "--auth-login")
    }

    /// The Manager's password, where it was started with one.
    pub fn password(&self) -> Option<&str> {
        let flag = self.manager.iter().position(|flag| flag == "--auth-password")?;
        self.manager.get(flag + 1).map(String::as_str)
    }
}

impl Step {
    fn parse(value: &Value) -> Self {
        const KINDS: [&str; 7] = ["open", "send", "raw", "recv", "eof", "quiet", "close"];
        let kind = KINDS.into_iter().find(|kind| value.get(kind).is_some());
        let kind = kind.unwrap_or_else(|| panic!("an unknown step: {value}"));
        let connection = text_of(&value[kind]);
        match kind {
            "open" => Self::Open(connection),
            "send" => Self::Send(connection, text_of(&value["text"]) + "\r\n"),
            "raw" => Self::Send(connection, text_of(&value["text"])),
            "recv" => {
                let json = value.get("json").cloned().map(Line::Json);
                let line = json.unwrap_or_else(|| Line::Text(text_of(&value["text"])));
                Self::Receive(connection, line, value.get("departs").is_some())
            }
            "eof" => Self::End(connection),
            "quiet" => Self::Quiet(connection),
            _ => Self::Close(connection),
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
