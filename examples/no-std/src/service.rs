//! A service: it adds numbers, where an instrument would measure.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;
use msl_network_protocol::device::{Credentials, Description};
use msl_network_protocol::json;
use msl_network_protocol::service::{Event, Execution, Failure, Machine, Offer};

/// The longest line that it reads, in bytes: a board has little memory.
const READ_LIMIT: usize = 4 * 1024;

pub(crate) struct Service {
    machine: Machine,
    events: Vec<Event>,
    /// What it has to say and nobody has taken.
    lines: VecDeque<Bytes>,
}

impl Service {
    pub(crate) fn new() -> Self {
        let description =
            Description { name: "Adder".into(), language: "Rust, without std".into(), os: "none".into() };
        let add = ("add".into(), "\"(x: float, y: float) -> float\"".into());
        let offer = Offer { attributes: [add].into(), max_clients: None };
        let machine = Machine::new(description, offer, Credentials::default(), READ_LIMIT);
        Self { machine, events: Vec::new(), lines: VecDeque::new() }
    }

    /// The Manager has sent these bytes. Requests among them are executed at once.
    pub(crate) fn hears(&mut self, bytes: &[u8]) {
        self.machine.receive(Bytes::copy_from_slice(bytes));
        while self.machine.advance(&mut self.events) {}
        while !self.events.is_empty() {
            for event in core::mem::take(&mut self.events) {
                match event {
                    Event::Send(line) => self.lines.push_back(line.to_bytes()),
                    Event::Execute(execution) => {
                        let outcome = execute(&execution);
                        self.machine.finish(execution.id, outcome, &mut self.events);
                    }
                    Event::Ask(prompt) => self.machine.refuse(&prompt, &mut self.events),
                    Event::Connected | Event::Ended(_) => {}
                }
            }
        }
    }

    /// The next line for the Manager.
    pub(crate) fn says(&mut self) -> Option<Bytes> {
        self.lines.pop_front()
    }
}

/// The result as JSON, or what the client is told instead.
fn execute(execution: &Execution) -> Result<String, Failure> {
    if execution.attribute != "add" {
        return Err(Failure::new("AttributeError", "there is only 'add'"));
    }
    let numbers = json::elements(&execution.args).unwrap_or_default();
    match numbers.iter().map(number).collect::<Option<Vec<f64>>>().as_deref() {
        Some([x, y]) => Ok((x + y).to_string()),
        _ => Err(Failure::new("TypeError", "'add' takes two numbers")),
    }
}

fn number(json: &Bytes) -> Option<f64> {
    core::str::from_utf8(json).ok()?.parse().ok()
}
