//! What devices do by themselves: they read, their machines go on, they write; and what they have heard goes to the model.

use std::mem;

use bytes::Bytes;
use msl_network_protocol::client;
use msl_network_protocol::device::{ErrorKind, Prompt};
use msl_network_protocol::frame::Rope;
use msl_network_protocol::json;
use msl_network_protocol::service::{self, Execution, ExecutionId, Failure};
use msl_network_protocol::settings::Authentication;

use super::{Due, World};
use crate::device::{Question, Role};
use crate::line::{Line, port_in};
use crate::model::{Answer, Number, Port};
use crate::network::Release;

impl World<'_> {
    /// A device does what it can. Returns whether that was anything.
    pub(super) fn turn_of(&mut self, port: Port) -> bool {
        let now = self.now();
        if self.device(port).gone {
            return false;
        }
        let mut moved = false;
        while let Some(bytes) = self.device(port).take(now) {
            moved = true;
            self.hear(port, &bytes);
            self.device(port).socket.borrow_mut().last_taken = now;
        }
        let at_end = self.device(port).is_at_end(now);
        if at_end {
            moved |= self.hear_end(port);
        }
        match &mut self.device(port).role {
            Role::Client(client) => {
                while client.machine.advance(&mut client.events) {}
                client.machine.handle_timeout(now, &mut client.events);
                let events = mem::take(&mut client.events);
                moved |= !events.is_empty();
                for event in events {
                    self.client_event(port, event);
                }
            }
            Role::Service(service) => {
                while service.machine.advance(&mut service.events) {}
                service.machine.handle_timeout(now, &mut service.events);
                let events = mem::take(&mut service.events);
                moved |= !events.is_empty();
                for event in events {
                    self.service_event(port, event);
                }
            }
            Role::Rude(_) => {}
        }
        let device = self.device(port);
        if device.flush(now) {
            moved = true;
            match &mut device.role {
                Role::Client(client) => client.machine.written(),
                Role::Service(service) => service.machine.written(),
                Role::Rude(_) => {}
            }
        }
        device.socket.borrow_mut().wake(now);
        moved
    }

    fn hear(&mut self, port: Port, bytes: &Bytes) {
        let device = self.device(port);
        match &mut device.role {
            Role::Client(client) => client.machine.receive(bytes.clone()),
            Role::Service(service) => service.machine.receive(bytes.clone()),
            Role::Rude(_) => {}
        }
        device.heard.extend_from_slice(bytes);
        let heard = mem::take(&mut device.heard);
        let mut rest = &heard[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = rest.split_at(end + 1);
            rest = behind;
            assert!(line.ends_with(b"\r\n"), "a line has its end");
            self.hear_line(port, &line[..line.len() - 2]);
        }
        self.device(port).heard = rest.to_vec();
    }

    fn hear_line(&mut self, port: Port, bytes: &[u8]) {
        let line = Line::read(bytes);
        self.note(format_args!("{port} hears {}", String::from_utf8_lossy(&bytes[..bytes.len().min(160)])));
        if line.is_notification() {
            self.hear_notification(port, &line);
        } else if line.attribute.is_some() {
            self.hear_request(port, &line);
        } else {
            self.hear_answer(port, &line);
        }
    }

    fn hear_notification(&mut self, port: Port, line: &Line<'_>) {
        self.reach("told: notifications");
        let (mark, number) = line.notification().expect("whoever notifies says who it is");
        assert_eq!(
            line.service.as_deref(),
            Some(&*self.device(mark.by).name),
            "a notification in another's name"
        );
        self.model.notification(port, mark, number);
    }

    /// A request of a client, or a question of the Manager.
    fn hear_request(&mut self, port: Port, line: &Line<'_>) {
        let requester = line.requester.as_deref().expect("a request says whose it is");
        if requester.starts_with("Manager[") {
            self.answer_question(port, line.attribute.as_deref());
            return;
        }
        let client = port_in(requester).expect("a network name ends with its port");
        assert_eq!(line.service.as_deref(), Some(&*self.device(port).name), "a request for another service");
        if let Some(call) = line.first_argument() {
            self.model.executed(port, client, call);
        }
        let uid = line.uid.map_or("\"\"", |uid| uid.get()).to_owned();
        if let Role::Rude(rude) = &mut self.device(port).role {
            rude.requests.push((requester.to_owned(), uid));
        }
    }

    /// Rude peers, too, say who they are, if they do.
    fn answer_question(&mut self, port: Port, attribute: Option<&str>) {
        let of_manager = self.setup.authentication == Authentication::ManagerPassword;
        let device = self.device(port);
        let Role::Rude(rude) = &mut device.role else { return };
        let answer = match (attribute, rude.service) {
            (Some("identity"), Some(true)) => {
                let name = &device.name;
                format!(
                    "{{\"result\": {{\"type\": \"service\", \"name\": \"{name}\", \"attributes\": {{}}}}}}\r\n"
                )
            }
            (Some("identity"), Some(false)) => format!("client {}\n", device.name),
            (Some("username"), Some(_)) => "root\n".to_owned(),
            (Some(_), Some(_)) if of_manager => "1234\n".to_owned(),
            (Some(_), Some(_)) => "secret\n".to_owned(),
            _ => return,
        };
        device.unsent.push_back(answer.into());
    }

    fn hear_answer(&mut self, port: Port, line: &Line<'_>) {
        let requester = line.requester.as_deref().expect("an answer says whose it is");
        let own = port_in(requester) == Some(port);
        assert!(own || requester.starts_with("Manager["), "{port} gets the answer of {requester}");
        let Role::Client(client) = &mut self.device(port).role else { return };
        // The machine's own question: whether it was let in.
        if line.uid.is_some_and(|uid| uid.get() == "\"confirm\"") {
            return;
        }
        let Some(uid) = line.number() else {
            assert!(!own, "{port} was let in, and gets an error that it cannot know");
            return;
        };
        let sent = client.sent.remove(&uid);
        let (call, question) = sent.unwrap_or_else(|| panic!("{port} gets an answer to nothing: {uid}"));
        let answer = match (line.mark(), line.error) {
            (Some(mark), _) => Answer::Service(mark),
            (None, true) => Answer::Refusal(line.message.as_deref().unwrap_or_default()),
            (None, false) => Answer::Manager,
        };
        self.report.reached.add("told: answers");
        if let Answer::Refusal(text) = answer
            && text.contains("has left before it answered")
        {
            self.report.reached.add("refused: service left");
        }
        if let Answer::Refusal(text) = answer
            && text.ends_with("has not answered")
        {
            self.report.reached.add("limit: leave");
        }
        let devices = &self.devices;
        self.model.answered(port, call, answer, |by, name| {
            let device = &devices[usize::from(by) - 1];
            device.is_rude() && device.name == name
        });
        if let (Answer::Manager, Some(Question::Unlink(name))) = (answer, question) {
            self.model.unlinked(port, name);
        }
    }

    /// The Manager has closed its side. Whoever keeps to the rules closes theirs.
    fn hear_end(&mut self, port: Port) -> bool {
        let now = self.now();
        let device = self.device(port);
        device.has_read_all = true;
        let released = device.socket.borrow().released;
        match &mut device.role {
            Role::Client(client) => client.machine.end("the Manager has closed", &mut client.events),
            Role::Service(service) => service.machine.end("the Manager has closed", &mut service.events),
            Role::Rude(rude) if !rude.closes && released.is_none() => return false,
            Role::Rude(_) => {}
        }
        if device.is_rude() {
            device.socket.borrow_mut().close(now);
            device.gone = true;
        }
        assert!(released != Some(Release::Reset) || device.disturbed, "{port} gets a reset");
        true
    }

    fn send(&mut self, port: Port, line: &Rope) {
        self.device(port).unsent.push_back(line.to_bytes());
    }

    fn client_event(&mut self, port: Port, event: client::Event) {
        let now = self.now();
        match event {
            client::Event::Send(line) => self.send(port, &line),
            client::Event::Settled { call, outcome } => {
                let Role::Client(client) = &mut self.device(port).role else { return };
                let (number, deadline) = client.calls.remove(&call).expect("a call is settled once");
                if let Err(error) = &outcome
                    && error.kind() == ErrorKind::TimedOut
                {
                    assert!(
                        deadline.is_some_and(|deadline| deadline <= now),
                        "call {number} was given up too early"
                    );
                    self.reach("told: timed out at the client");
                }
            }
            client::Event::Ask(prompt) => self.ask(port, &prompt),
            client::Event::Notification { .. } | client::Event::Connected | client::Event::Gone { .. } => {}
            client::Event::Ended(why) => self.machine_ended(port, &why.to_string()),
        }
    }

    fn service_event(&mut self, port: Port, event: service::Event) {
        match event {
            service::Event::Send(line) => self.send(port, &line),
            service::Event::Execute(execution) => self.execute(port, &execution),
            service::Event::Ask(prompt) => self.ask(port, &prompt),
            service::Event::Connected => {}
            service::Event::Ended(why) => self.machine_ended(port, &why.to_string()),
        }
    }

    /// A machine has given up: its author closes the socket.
    fn machine_ended(&mut self, port: Port, why: &str) {
        self.note(format_args!("{port} ends: {why}"));
        let now = self.now();
        let device = self.device(port);
        // What it has said last is still sent where there is room.
        device.flush(now);
        device.unsent.clear();
        device.socket.borrow_mut().close(now);
        device.gone = true;
        if let Role::Service(service) = &mut device.role {
            service.executing.clear();
        }
        if let Role::Client(client) = &device.role {
            let left: Vec<_> = client.calls.values().collect();
            assert!(left.is_empty(), "{port} has ended, and waits for {left:?}");
        }
    }

    fn ask(&mut self, port: Port, prompt: &Prompt) {
        let device = self.device(port);
        let right = device.author.is_right;
        let Some(time) = device.author.types_after else {
            match &mut device.role {
                Role::Client(client) => client.machine.refuse(prompt, &mut client.events),
                Role::Service(service) => service.machine.refuse(prompt, &mut service.events),
                Role::Rude(_) => {}
            }
            return self.reach("device: no answer to a prompt");
        };
        let text = match prompt {
            Prompt::Username { .. } => "root",
            _ if !right => "wrong",
            Prompt::ManagerPassword { .. } => "1234",
            Prompt::Password { .. } => "secret",
        };
        self.reach("device: answer to a prompt");
        self.later(time, Due::Type(port, text.to_owned()));
    }

    fn execute(&mut self, port: Port, execution: &Execution) {
        let first =
            json::elements(&execution.args).and_then(|args| args.first().cloned()).unwrap_or_default();
        let number = std::str::from_utf8(&first).ok().and_then(|text| text.parse().ok());
        let Some(service) = self.device(port).service() else { return };
        service.executing.insert(execution.id, number);
        let takes = service.pace.takes;
        match takes {
            Some(time) if time.is_zero() => self.finish_execution(port, execution.id),
            Some(time) => {
                self.reach("device: slow service");
                self.later(time, Due::Finish(port, execution.id));
            }
            None => self.reach("device: mute service"),
        }
    }

    pub(super) fn finish_execution(&mut self, port: Port, id: ExecutionId) {
        let Some(service) = self.device(port).service() else { return };
        let Some(call) = service.executing.remove(&id) else { return };
        service.said += 1;
        let (said, pace) = (service.said, service.pace);
        let call = call.map_or("null".to_owned(), |call: Number| call.to_string());
        let padding = "x".repeat(pace.padding);
        if pace.fails {
            let failure = Failure::new("ValueError", format!("marked {port} {call} {said}"));
            service.machine.finish(id, Err(failure), &mut service.events);
        } else {
            let result =
                format!("{{\"by\": {port}, \"call\": {call}, \"said\": {said}, \"pad\": \"{padding}\"}}");
            service.machine.finish(id, Ok(result), &mut service.events);
        }
    }
}
