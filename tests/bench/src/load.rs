//! The load: a service and its clients in one thread, which asks the system as seldom as it can, so that the peer is what
//! limits the rate.
//!
//! Everything that has come is taken in before anything is sent, so that what belongs together is written together. A
//! client sends its next request when it gets an answer: as many are open as the row says, always.

pub(crate) mod calls;
pub(crate) mod notifications;

use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll, Token};

use crate::Failure;
use crate::dial::{Address, Device};
use crate::protocol::SERVICE;
use crate::socket::{Framing, SCRATCH, Side, Socket};

/// How long nothing may come before that is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the devices of a row do.
pub(crate) trait Talk {
    /// The service gets a message.
    fn serve(&mut self, message: &[u8], output: &mut Vec<u8>) -> Result<(), Failure>;

    /// A client gets a message.
    fn hear(&mut self, client: usize, message: &[u8], output: &mut Vec<u8>) -> Result<(), Failure>;

    /// All that has come is taken in; the service may say something by itself.
    fn speak(&mut self, output: &mut Vec<u8>);
}

/// The devices of one row, connected with one peer.
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    /// The service, and then the clients.
    sockets: Vec<Socket>,
    scratch: Vec<u8>,
    framing: Framing,
    unsent: Vec<usize>,
}

impl Load {
    /// Connects a service and so many clients.
    pub(crate) fn connect(address: &Address, clients: usize) -> Result<Self, Failure> {
        let mut load = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            sockets: Vec::new(),
            scratch: vec![0; SCRATCH],
            framing: address.protocol.framing(),
            unsent: Vec::new(),
        };
        let clients = (0..clients).map(|number| Device::Client(number, SERVICE));
        for device in [Device::Service(SERVICE)].into_iter().chain(clients) {
            let dialled = address.introduce(device)?;
            dialled.stream.set_nonblocking(true)?;
            let stream = TcpStream::from_std(dialled.stream);
            let token = Token(load.sockets.len());
            let socket = Socket::new(stream, dialled.tls.map(Into::into), load.poll.registry(), token)?;
            load.sockets.push(socket);
        }
        Ok(load)
    }

    /// What a client sends next is appended here.
    pub(crate) fn client(&mut self, client: usize) -> &mut Vec<u8> {
        self.unsent.push(client + 1);
        self.sockets[client + 1].output()
    }

    /// Lets the devices talk until the deadline or, without one, until `enough` says so.
    pub(crate) fn run<T: Talk>(
        &mut self,
        talk: &mut T,
        deadline: Option<Instant>,
        enough: impl Fn(&T) -> bool,
    ) -> Result<(), Failure> {
        loop {
            talk.speak(self.sockets[0].output());
            self.unsent.push(0);
            self.unsent.sort_unstable();
            self.unsent.dedup();
            for socket in self.unsent.drain(..) {
                self.sockets[socket].flush()?;
            }
            let now = Instant::now();
            if deadline.map_or_else(|| enough(talk), |deadline| now >= deadline) {
                return Ok(());
            }
            let wait = deadline.map_or(PATIENCE, |deadline| deadline - now);
            self.poll.poll(&mut self.events, Some(wait))?;
            if self.events.is_empty() && deadline.is_none() {
                return Err("no answer has come".into());
            }
            for event in &self.events {
                let token = event.token().0;
                self.unsent.push(token);
                let side =
                    self.sockets[token].receive(&mut self.scratch, self.framing, |message, output| {
                        match token {
                            0 => talk.serve(message, output),
                            client => talk.hear(client - 1, message, output),
                        }
                        .map_err(io::Error::other)
                    })?;
                if side == Side::Closed {
                    return Err("the peer has closed a connection".into());
                }
            }
        }
    }
}
