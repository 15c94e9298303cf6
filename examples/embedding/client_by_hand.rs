//! A client without a runtime: its machine, driven by hand over a socket that blocks.
//!
//! With `manager_on_mio` or `msl-network start --disable-tls`, and `msl-network run-example Adder --disable-tls`.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{self, Duration};

use bytes::Bytes;
use msl_network_protocol::client::{Event, Machine, Request};
use msl_network_protocol::device::{Credentials, Description, LANGUAGE, READ_LIMIT};
use msl_network_protocol::instant::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost:1875".into());
    let mut client = Client::connect(&manager, "Ann")?;
    client.request("Manager", "link", r#"["Adder"]"#)?;
    println!("1.2 + 3.4 = {}", client.request("Adder", "add_numbers", "[1.2, 3.4]")?);
    client.disconnect()
}

struct Client {
    machine: Machine,
    socket: TcpStream,
    events: Vec<Event>, // what the machine has appended and nobody has looked at
    began: time::Instant,
}

impl Client {
    fn connect(manager: &str, name: &str) -> Result<Self, Box<dyn Error>> {
        let description = Description { name: name.into(), language: LANGUAGE.into(), os: "any".into() };
        let machine = Machine::new(description, Credentials::default(), READ_LIMIT);
        let socket = TcpStream::connect(manager)?;
        let mut client = Self { machine, socket, events: Vec::new(), began: time::Instant::now() };
        client.until(|event| matches!(event, Event::Connected).then_some(()))?;
        Ok(client)
    }

    /// Waits for the answer. Other requests could be sent meanwhile: each is settled under its own number.
    fn request(&mut self, service: &str, attribute: &str, args: &str) -> Result<String, Box<dyn Error>> {
        let deadline = Some(self.now() + Duration::from_secs(10));
        let request = Request { service, attribute, args: args.into(), kwargs: "{}".into(), deadline };
        let number = self.machine.call(request, &mut self.events)?;
        let outcome = self.until(|event| match event {
            Event::Settled { call, outcome } if call == number => Some(outcome),
            _ => None,
        })?;
        Ok(String::from_utf8(outcome?.into())?)
    }

    fn disconnect(mut self) -> Result<(), Box<dyn Error>> {
        self.machine.disconnect(&mut self.events);
        self.until(|_| None).or_else(|error| if self.machine.is_ended() { Ok(()) } else { Err(error) })
    }

    /// Does what the machine asks for, until something that it tells is what is `wanted`.
    fn until<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> Result<T, Box<dyn Error>> {
        let mut found = None;
        loop {
            self.machine.handle_timeout(self.now(), &mut self.events);
            for event in std::mem::take(&mut self.events) {
                match event {
                    Event::Send(line) => self.socket.write_all(&line.to_bytes())?,
                    Event::Ask(prompt) => self.machine.refuse(&prompt, &mut self.events),
                    Event::Ended(error) if found.is_none() => return Err(error.into()),
                    told => found = found.or_else(|| wanted(told)),
                }
            }
            match found {
                Some(found) => return Ok(found),
                None if self.machine.is_ended() => return Err("the connection has ended".into()),
                None if self.events.is_empty() => self.wait()?,
                None => {}
            }
        }
    }

    /// Waits for bytes, or for the deadline of a request. Systems differ in what they call the end of a patience.
    fn wait(&mut self) -> Result<(), Box<dyn Error>> {
        let shortest = Duration::from_millis(1); // zero would mean for ever
        let patience = self.machine.deadline().map(|deadline| (deadline - self.now()).max(shortest));
        self.socket.set_read_timeout(patience)?;
        let mut room = [0; 16 * 1024];
        match self.socket.read(&mut room) {
            Ok(0) => self.machine.end("the Manager closed the connection", &mut self.events),
            Ok(count) => self.machine.receive(Bytes::copy_from_slice(&room[..count])),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => self.machine.end(&error.to_string(), &mut self.events),
        }
        while self.machine.advance(&mut self.events) {}
        Ok(())
    }

    fn now(&self) -> Instant {
        Instant::new(self.began.elapsed())
    }
}
