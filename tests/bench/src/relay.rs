//! A bare relay: what is left of a Manager that checks nothing, and so the limit of what a Manager can reach on this machine.
//!
//! Many clients and one service. It cuts lines, inserts the requester into requests, finds a reply's client by a search from
//! the end of its line, hands a line without a requester to all clients, and writes once for all that came together. Who
//! connects is asked for its identity and has one request answered, as by a Manager; after that nothing is looked at that
//! forwarding does not need. One thread.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use memchr::memmem::{self, Finder};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use rustls::{ServerConfig, ServerConnection};

use crate::Failure;
use crate::socket::{SCRATCH, Side, Socket, lines};

const LISTENER: Token = Token(usize::MAX);

const REQUESTER: &[u8] = b"\"requester\": \"";
const TAIL: usize = 256;

const IDENTITY: &[u8] = b"{\"attribute\": \"identity\", \"args\": [], \"kwargs\": {}, \"requester\": \"Relay\", \"uid\": \"\", \"error\": false}\r\n";
const WELCOME: &[u8] =
    b"{\"result\": true, \"requester\": \"Relay\", \"uid\": \"welcome\", \"error\": false}\r\n";

/// Relays on this port until the process is ended.
pub(crate) fn run(port: u16, tls: Option<Arc<ServerConfig>>) -> Result<(), Failure> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port).into())?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    Relay {
        poll,
        listener,
        tls,
        connections: Vec::new(),
        free: Vec::new(),
        unsent: Vec::new(),
        service: None,
        scratch: vec![0; SCRATCH],
        requester: Finder::new(REQUESTER),
    }
    .run()
}

struct Relay {
    poll: Poll,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    /// By token.
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Who has something to send that came in this turn.
    unsent: Vec<usize>,
    service: Option<usize>,
    scratch: Vec<u8>,
    requester: Finder<'static>,
}

struct Connection {
    socket: Socket,
    role: Role,
    /// The end of each of its requests, with its name: that is its token.
    ending: Vec<u8>,
    unsent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It has not answered.
    Unknown,
    /// It has not asked for its link, or whatever its first request is.
    Named {
        service: bool,
    },
    Client,
    Service,
}

impl Relay {
    fn run(mut self) -> Result<(), Failure> {
        let mut events = Events::with_capacity(1024);
        loop {
            self.poll.poll(&mut events, None)?;
            for event in &events {
                if event.token() == LISTENER {
                    self.accept()?;
                } else if self.receive(event.token().0).is_err() {
                    self.remove(event.token().0);
                }
            }
            while let Some(token) = self.unsent.pop() {
                let Some(connection) = &mut self.connections[token] else { continue };
                connection.unsent = false;
                if connection.socket.flush().is_err() {
                    self.remove(token);
                }
            }
        }
    }

    fn accept(&mut self) -> Result<(), Failure> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let token = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let tls = self.tls.clone().map(ServerConnection::new).transpose()?;
            let mut socket = Socket::new(stream, tls.map(Into::into), self.poll.registry(), Token(token))?;
            socket.output().extend_from_slice(IDENTITY);
            let ending = format!(",\"requester\":\"{token}\"}}\r\n").into_bytes();
            self.connections[token] = Some(Connection { socket, role: Role::Unknown, ending, unsent: true });
            self.unsent.push(token);
        }
    }

    /// Takes what has come, and sends it on at the end of the turn.
    fn receive(&mut self, token: usize) -> io::Result<()> {
        // It is not there while its lines are handed to others; none is for itself.
        let Some(mut connection) = self.connections[token].take() else { return Ok(()) };
        let Connection { socket, role, ending, .. } = &mut connection;
        let mut scratch = std::mem::take(&mut self.scratch);
        let side = socket.receive(&mut scratch, lines, |line, output| {
            match *role {
                Role::Unknown => {
                    let service = memmem::find(line, br#""type": "service""#).is_some();
                    *role = Role::Named { service };
                }
                Role::Named { service } => {
                    output.extend_from_slice(WELCOME);
                    *role = if service { Role::Service } else { Role::Client };
                    if service {
                        self.service = Some(token);
                    }
                }
                Role::Client => self.forward(line, ending),
                Role::Service => self.back(line),
            }
            Ok(())
        });
        self.scratch = scratch;
        if !connection.unsent {
            connection.unsent = true;
            self.unsent.push(token);
        }
        self.connections[token] = Some(connection);
        if side? == Side::Closed {
            self.remove(token);
        }
        Ok(())
    }

    fn forward(&mut self, line: &[u8], ending: &[u8]) {
        let Some(service) = self.service else { return };
        let end = memchr::memrchr(b'}', line).unwrap_or(line.len());
        self.send(service, &[&line[..end], ending]);
    }

    fn back(&mut self, line: &[u8]) {
        // It stands near the end, mostly.
        let tail = &line[line.len().saturating_sub(TAIL)..];
        let rest = |text| self.requester.find(text).map(|place| &text[place + REQUESTER.len()..]);
        match rest(tail).or_else(|| rest(line)) {
            Some(rest) => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
                let token = digits.fold(0, |token, digit| token * 10 + usize::from(digit - b'0'));
                self.send(token, &[line]);
            }
            None => {
                for token in 0..self.connections.len() {
                    if self.connections[token].as_ref().is_some_and(|other| other.role == Role::Client) {
                        self.send(token, &[line]);
                    }
                }
            }
        }
    }

    fn send(&mut self, token: usize, pieces: &[&[u8]]) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        for piece in pieces {
            connection.socket.output().extend_from_slice(piece);
        }
        if !connection.unsent {
            connection.unsent = true;
            self.unsent.push(token);
        }
    }

    fn remove(&mut self, token: usize) {
        if self.connections[token].take().is_some() {
            self.free.push(token);
        }
        if self.service == Some(token) {
            self.service = None;
        }
    }
}
