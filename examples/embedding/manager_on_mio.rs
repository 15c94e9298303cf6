//! A whole Manager in one thread: sockets that do not block, the system's poll (by way of `mio`), and time.
//!
//! `manager_on_mio [PORT]` lets everybody on this computer in, without TLS; Ctrl+C ends it. It knows devices by their
//! addresses: to look up a name would block, and so would to check a password. A program that wants these does them on
//! another thread, wakes the poll, and hands the answer to [`Hub::handle`].

#![expect(
    clippy::cast_possible_truncation,
    reason = "no Manager lives to see more connections than `usize` has numbers"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::time::{self, Duration};

use bytes::{Buf, Bytes};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use msl_network_protocol::connection::{Action, Flow, Importance};
use msl_network_protocol::device::LANGUAGE;
use msl_network_protocol::frame::Rope;
use msl_network_protocol::hub::{Hub, Input, Output};
use msl_network_protocol::instant::Instant;
use msl_network_protocol::limits::{Limits, TURN};
use msl_network_protocol::mailbox::ConnectionId;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};

/// What the poll calls the listener and the wish to end. Connections are called by their numbers, which count up from 1.
const LISTENER: Token = Token(usize::MAX);
const STOP: Token = Token(usize::MAX - 1);

/// How long to wait where somebody cannot be accepted now: there are too many, or the system has no more sockets.
const PAUSE: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(1875), |port| port.parse())?;
    let mut manager = Manager::bind(Ipv4Addr::LOCALHOST.into(), port)?;
    let waker = Waker::new(manager.poll.registry(), STOP)?;
    // Where waking fails, the poll has ended already.
    ctrlc::set_handler(move || drop(waker.wake()))?;
    manager.run()?;
    Ok(())
}

struct Manager {
    poll: Poll,
    /// Until the Manager is told to end.
    listener: Option<TcpListener>,
    /// Whether somebody may wait to be accepted.
    knocking: bool,
    hub: Hub,
    /// What the hub has appended and nobody has looked at.
    outputs: Vec<Output>,
    sockets: BTreeMap<ConnectionId, Socket>,
    /// Who has something to read, to write, or to end.
    ready: BTreeSet<ConnectionId>,
    began: time::Instant,
}

struct Socket {
    stream: TcpStream,
    ip: IpAddr,
    /// The poll tells these once; they hold until the socket says that it would block.
    readable: bool,
    writable: bool,
    /// What the hub gave and the socket has not taken.
    unsent: Rope,
}

impl Manager {
    fn bind(ip: IpAddr, port: u16) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind((ip, port).into())?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (hostname, port) = (ip.to_string(), listener.local_addr()?.port());
        let (language, os) = (LANGUAGE.into(), std::env::consts::OS.into());
        let identity = ManagerIdentity { hostname, port, language, os };
        println!("{} is running", identity.network_name());
        let settings = Settings::new(identity, Authentication::None, Limits::default());
        Ok(Self {
            poll,
            listener: Some(listener),
            knocking: false,
            hub: Hub::new(settings),
            outputs: Vec::new(),
            sockets: BTreeMap::new(),
            ready: BTreeSet::new(),
            began: time::Instant::now(),
        })
    }

    /// Serves until it has been told to end, and every connection has ended.
    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while self.listener.is_some() || !self.sockets.is_empty() {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.knocking = true,
                    STOP => self.shut_down(),
                    Token(number) => self.woken(ConnectionId(number as u64)),
                }
            }
            self.accept();
            self.hub.handle_timeout(self.now(), &mut self.outputs);
            self.follow_up();
            for id in std::mem::take(&mut self.ready) {
                self.turn(id);
            }
        }
        Ok(())
    }

    /// How long the poll may sleep: not at all while somebody is ready, and until the hub's deadline otherwise.
    fn patience(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let deadline = self.hub.deadline().map(|(deadline, ..)| deadline - self.now());
        let pause = self.knocking.then_some(PAUSE);
        deadline.into_iter().chain(pause).min()
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener
            && self.knocking
            && self.sockets.len() < self.hub.settings().limits.connections
        {
            match listener.accept() {
                Ok((stream, address)) => self.open(stream, address),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.knocking = false,
                Err(_) => break,
            }
        }
    }

    fn open(&mut self, mut stream: TcpStream, address: SocketAddr) {
        let ip = address.ip();
        let id = self.hub.connect(ip, address.port(), self.now(), &mut self.outputs);
        let (token, interest) = (Token(id.0 as usize), Interest::READABLE | Interest::WRITABLE);
        let registered = self.poll.registry().register(&mut stream, token, interest);
        if registered.and_then(|()| stream.set_nodelay(true)).is_err() {
            self.handle(id, Input::Lost);
        }
        self.sockets.insert(id, Socket { stream, ip, readable: true, writable: true, unsent: Rope::new() });
    }

    /// To try what is not ready does no harm, and an error shows wherever it is met.
    fn woken(&mut self, id: ConnectionId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            (socket.readable, socket.writable) = (true, true);
            self.ready.insert(id);
        }
    }

    /// A connection reads once and writes once. After either the hub says that it is ready again, and so everybody has a
    /// turn before its next one.
    fn turn(&mut self, id: ConnectionId) {
        if self.read(id).and_then(|()| self.write(id)).is_err() {
            self.handle(id, Input::Lost);
        }
        if self.hub.flow(id) == Flow::Ended {
            self.hub.remove(id, self.now(), &mut self.outputs);
            self.sockets.remove(&id);
        }
        self.follow_up();
    }

    fn read(&mut self, id: ConnectionId) -> io::Result<()> {
        let Some(socket) = self.sockets.get_mut(&id) else { return Ok(()) };
        if !socket.readable || !self.hub.wants_input(id) {
            return Ok(());
        }
        let mut room = [0; 16 * 1024];
        match socket.stream.read(&mut room) {
            Ok(0) => self.handle(id, Input::EndOfInput),
            Ok(count) => self.handle(id, Input::Received(Bytes::copy_from_slice(&room[..count]))),
            Err(error) if error.kind() == ErrorKind::WouldBlock => socket.readable = false,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn write(&mut self, id: ConnectionId) -> io::Result<()> {
        let Some(socket) = self.sockets.get_mut(&id) else { return Ok(()) };
        if !socket.writable {
            return Ok(());
        }
        while socket.unsent.len() < TURN
            && let Some(line) = self.hub.next_lines(id)
        {
            socket.unsent.append(line);
        }
        if socket.unsent.is_empty() {
            if self.hub.flow(id) == Flow::Draining {
                socket.stream.shutdown(Shutdown::Write)?;
                self.handle(id, Input::SendingClosed);
            }
            return Ok(());
        }
        let mut slices = [IoSlice::new(&[]); 64];
        let count = socket.unsent.chunks_vectored(&mut slices);
        let bytes = match socket.stream.write_vectored(&slices[..count]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            written => written?,
        };
        socket.writable = bytes > 0;
        socket.unsent.advance(bytes);
        let pending = socket.unsent.len();
        self.handle(id, Input::Written { bytes, pending });
        Ok(())
    }

    fn handle(&mut self, id: ConnectionId, input: Input) {
        self.hub.handle(id, input, self.now(), &mut self.outputs);
    }

    /// Does what the hub asks for, and then what that causes.
    fn follow_up(&mut self) {
        while !self.outputs.is_empty() {
            for output in std::mem::take(&mut self.outputs) {
                match output {
                    Output::Ready(id) => drop(self.ready.insert(id)),
                    Output::Act(id, action) => self.act(id, &action),
                }
            }
        }
    }

    fn act(&mut self, id: ConnectionId, action: &Action) {
        if let Action::Note(note) = action
            && note.importance() >= Importance::Info
        {
            println!("connection {} {note}", id.0);
        }
        let answer = self.sockets.get(&id).and_then(|socket| action.plain_answer(socket.ip));
        if let Some(answer) = answer {
            self.handle(id, Input::Told(answer));
        }
    }

    /// Lets nobody in any more, and ends every connection in good order.
    fn shut_down(&mut self) {
        (self.listener, self.knocking) = (None, false);
        self.hub.shut_down(self.now(), &mut self.outputs);
    }

    fn now(&self) -> Instant {
        Instant::new(self.began.elapsed())
    }
}
