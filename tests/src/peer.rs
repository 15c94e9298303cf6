//! A device on a socket, plain or with TLS, that sends exactly what a test tells it to, be it rude or well-behaved.
//!
//! It panics where the connection ends by a reset: no connection with a Manager may (`docs/wire.md` section 9).

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::channel::Channel;
use crate::{PATIENCE, Served};

/// How long nothing must arrive for a connection to count as quiet.
const QUIET: Duration = Duration::from_millis(100);

/// One connection to a Manager.
#[derive(Debug)]
pub struct Peer {
    channel: Channel,
    received: Vec<u8>,
    name: String,
}

impl Peer {
    /// Connects, with TLS where the Manager has it; its first request is not read yet.
    pub fn connect(manager: &impl Served) -> Self {
        match manager.certificate() {
            Some(certificate) => Self::open_tls(manager.port(), &certificate),
            None => Self::open(manager.port()),
        }
    }

    /// Connects without TLS.
    pub fn open(port: u16) -> Self {
        Self::on(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the Manager listens"))
    }

    /// Connects with TLS, as `localhost`, to a Manager that has this certificate.
    pub fn open_tls(port: u16, certificate: &Path) -> Self {
        let mut peer = Self::open(port);
        peer.channel = peer.channel.encrypt(certificate);
        peer
    }

    /// Takes a socket that is connected already.
    pub fn on(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket can be set");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket can be set");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket can be set");
        Self { channel: Channel::Plain(stream), received: Vec::new(), name: String::new() }
    }

    /// The local port.
    pub fn port(&self) -> u16 {
        self.stream().local_addr().expect("it is connected").port()
    }

    /// The network name that the Manager has given to an identified device.
    pub fn network_name(&self) -> &str {
        &self.name
    }

    /// Answers the Manager's requests for a username and a password.
    pub fn log_in(&mut self, username: &str, password: &str) {
        for (attribute, answer) in [("username", username), ("password", password)] {
            assert_eq!(self.receive()["attribute"], attribute);
            self.send(&json!({"result": answer}));
        }
    }

    /// Answers the Manager's request for the identity as a client.
    pub fn identify_client(&mut self, name: &str) {
        self.identify(&json!({"type": "client", "name": name}));
    }

    /// Answers the Manager's request for the identity as a service with one attribute.
    pub fn identify_service(&mut self, name: &str) {
        self.identify(&json!({"type": "service", "name": name, "attributes": {"add": "(x, y)"}}));
    }

    /// Answers the Manager's request for the identity, and returns once the Manager knows the device.
    pub fn identify(&mut self, identity: &Value) {
        assert_eq!(self.receive()["attribute"], "identity");
        self.send(&json!({"result": identity}));
        // There is no message on success; the answer to a request proves it.
        let answer = self.ask("Manager", "identity", &json!([]), "identified");
        assert_eq!(answer["error"], false, "the identity is refused: {answer}");
        answer["requester"].as_str().expect("the requester is a string").clone_into(&mut self.name);
    }

    /// Sends one line.
    pub fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    /// Sends one line of any text.
    pub fn send_line(&mut self, text: &str) {
        self.send_bytes(format!("{text}\r\n").as_bytes());
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.channel.write_all(bytes).expect("the Manager takes what it is sent");
    }

    /// Sends a request without waiting for its answer.
    pub fn request(&mut self, service: &str, attribute: &str, args: &Value, uid: &str) {
        self.send(&json!({
            "args": args, "attribute": attribute, "error": false, "kwargs": {}, "service": service, "uid": uid,
        }));
    }

    /// Sends a request and takes the next line for its answer.
    pub fn ask(&mut self, service: &str, attribute: &str, args: &Value, uid: &str) -> Value {
        self.request(service, attribute, args, uid);
        let answer = self.receive();
        assert_eq!(answer["uid"], uid, "not the answer to {service}.{attribute}: {answer}");
        answer
    }

    /// Answers `request`, which a service has received.
    pub fn reply(&mut self, request: &Value, result: &Value) {
        self.send(&json!({
            "error": false, "requester": request["requester"], "result": result, "uid": request["uid"],
        }));
    }

    /// The next line as JSON.
    pub fn receive(&mut self) -> Value {
        let line = self.receive_line().expect("a line, not the end");
        serde_json::from_slice(&line)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&line)))
    }

    /// The next line without its ending, or none at the end of the stream.
    pub fn receive_line(&mut self) -> Option<Vec<u8>> {
        self.stream().set_read_timeout(Some(PATIENCE)).expect("a socket can be set");
        let mut searched = 0;
        loop {
            if let Some(length) = self.received[searched..].iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.received.drain(..=searched + length).collect();
                line.pop();
                line.pop_if(|last| *last == b'\r');
                return Some(line);
            }
            searched = self.received.len();
            let mut buffer = [0; 16 * 1024];
            match self.channel.read(&mut buffer) {
                Ok(0) => {
                    assert!(self.received.is_empty(), "the stream ends in the middle of a line");
                    return None;
                }
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) => panic!("neither a line nor an orderly end: {error}"),
            }
        }
    }

    /// Checks that the connection is ended by the Manager, in order and without another line.
    pub fn expect_end(&mut self) {
        if let Some(line) = self.receive_line() {
            panic!("a line where the end should be: {}", String::from_utf8_lossy(&line));
        }
    }

    /// Reads a line without keeping it, however long; it must be the last one that there is. Returns its length in bytes.
    pub fn skip_line(&mut self) -> usize {
        let mut buffer = vec![0; 64 * 1024];
        let mut total = self.received.len();
        let mut last = self.received.last().copied();
        self.received.clear();
        while last != Some(b'\n') {
            match self.channel.read(&mut buffer).expect("a line, not a failure") {
                0 => panic!("a line, not the end"),
                length => (total, last) = (total + length, Some(buffer[length - 1])),
            }
        }
        total
    }

    /// Reads and throws away what comes until the Manager ends the connection, if need be in the middle of a line (of a
    /// record of TLS), but not by a reset.
    pub fn expect_end_after_anything(&mut self) {
        self.stream().set_read_timeout(Some(PATIENCE)).expect("a socket can be set");
        self.received.clear();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.channel.read(&mut buffer) {
                Ok(0) => return,
                Ok(_) => {}
                // TLS says so of a socket that ends without its `close_notify`.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return,
                Err(error) => panic!("neither bytes nor an orderly end: {error}"),
            }
        }
    }

    /// Checks that the connection is ended by the Manager, in order, and that all it says before are errors.
    pub fn expect_end_after_errors(&mut self) {
        while let Some(line) = self.receive_line() {
            let answer: Value = serde_json::from_slice(&line).expect("the Manager sends JSON");
            assert_eq!(answer["error"], true, "{answer}");
        }
    }

    /// The socket, for what the other methods cannot do.
    pub fn stream(&self) -> &TcpStream {
        self.channel.socket()
    }

    /// Checks that nothing has arrived, and that nothing arrives for a short while.
    pub fn expect_quiet(&mut self) {
        assert!(self.received.is_empty(), "unread: {}", String::from_utf8_lossy(&self.received));
        self.stream().set_read_timeout(Some(QUIET)).expect("a socket can be set");
        let mut buffer = [0; 1024];
        match self.channel.read(&mut buffer) {
            Ok(length) => panic!("not quiet: {:?}", String::from_utf8_lossy(&buffer[..length])),
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "not quiet: {error}"
            ),
        }
    }

    /// Ends the sending side; answers can still be read.
    pub fn end_sending(&mut self) {
        self.channel.end_sending();
    }
}
