//! Accepting devices, and the end of it all.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_lock::OnceCell;
use bytes::BytesMut;
use futures_lite::future::or;
use msl_network_protocol::drive::{Driver, Manager, Ticket, Wire};
use msl_network_protocol::limits::Limits;
use msl_network_protocol::name::plain_ip;
use rustls::ServerConfig;
use socket2::SockRef;
use tracing::{debug, warn};

use crate::listener::{BACKLOG, configure, configure_accepted};
use crate::network::timeout;
use crate::{LOG, Listener, Network};

/// How long to wait where accepting cannot go on for now: no file descriptors, no memory. Long enough to cost nothing,
/// short enough that nobody notices.
const PAUSE: Duration = Duration::from_millis(50);

/// How long nothing more is logged of it: there may be a place now and then, each time for one device.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves devices until `stop` is ready, or somebody else calls [`Manager::shut_down`]; then ends every connection in good
/// order and returns.
///
/// With `tls`, devices have to speak TLS. At the end, open requests get their answers, or an error after
/// [`Limits::shutdown`]; it takes no longer than that and twice [`Limits::linger`].
///
/// Devices are accepted and served by tasks of the network: what else its caller does on this thread holds nobody up. Should
/// it be dropped before its end, these tasks are told to end all the same.
pub async fn serve<N: Network>(
    network: N,
    listener: Listener,
    manager: Arc<Manager>,
    tls: Option<Arc<ServerConfig>>,
    stop: impl Future<Output = ()>,
) {
    let ending = Ending(&manager);
    let gone = Arc::new(OnceCell::new());
    let open = Arc::new(Open(gone.clone()));
    let door = Door { network: network.clone(), manager: manager.clone(), tls, _open: open };
    for socket in listener.sockets {
        network.spawn(Box::pin(door.clone().accept(socket)));
    }
    drop(door);
    let all_gone = || async {
        gone.wait().await;
    };
    // All are gone before the end where no socket could be listened on.
    or(stop, or(manager.shutting_down(), all_gone())).await;
    drop(ending);
    let Limits { shutdown, linger, .. } = manager.settings().limits;
    if timeout(&network, shutdown + 2 * linger, all_gone()).await.is_none() {
        warn!(target: LOG, "{} connections did not end in time", manager.admission().connections());
    }
}

/// Shuts the Manager down when it is dropped.
struct Ending<'a>(&'a Manager);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

/// Filled when it is dropped: when every task that has a part of the door has ended.
struct Open(Arc<OnceCell<()>>);

impl Drop for Open {
    fn drop(&mut self) {
        // It is filled here only, once.
        let _ = self.0.set_blocking(());
    }
}

/// What every accepted device needs on its way in.
#[derive(Clone)]
struct Door<N> {
    network: N,
    manager: Arc<Manager>,
    tls: Option<Arc<ServerConfig>>,
    _open: Arc<Open>,
}

impl<N: Network> Door<N> {
    async fn accept(self, socket: net::TcpListener) {
        // What it has goes over to those that it accepts, where the system does that.
        if let Err(error) = configure(&SockRef::from(&socket), &self.manager.settings().limits) {
            debug!(target: LOG, "a socket that listens: {error}");
        }
        let socket = match N::listener(socket) {
            Ok(socket) => socket,
            Err(error) => return warn!(target: LOG, "cannot accept connections: {error}"),
        };
        or(self.manager.shutting_down(), self.accept_all(&socket)).await;
        self.turn_away(socket).await;
    }

    async fn accept_all(&self, socket: &N::Listener) {
        let mut silent_until = None;
        loop {
            let ticket = self.manager.admission().ticket().await;
            while self.manager.is_short_of_memory() {
                self.manager.relieve(self.network.now());
                self.network.sleep(PAUSE).await;
            }
            match N::accept(socket).await {
                Ok((stream, address)) => self.welcome(stream, address, ticket),
                Err(error) => {
                    let now = self.network.now();
                    if silent_until.is_none_or(|end| now >= end) {
                        warn!(target: LOG, "cannot accept connections for now: {error}");
                        silent_until = Some(now + SILENCE);
                    }
                    self.network.sleep(PAUSE).await;
                }
            }
        }
    }

    /// Each device is served by one task. That of a plain connection has no room for a TLS handshake.
    fn welcome(&self, stream: N::Stream, address: SocketAddr, ticket: Ticket) {
        let (ip, port) = (plain_ip(address.ip()), address.port());
        debug!(target: LOG, "new connection request from {ip}:{port}");
        if let Err(error) = configure_accepted(&N::socket(&stream), &self.manager.settings().limits) {
            // The device has gone already, or the system does not know an option: neither is a reason to refuse it.
            debug!(target: LOG, "{ip}:{port}: {error}");
        }
        let door = self.clone();
        match self.tls.clone() {
            Some(tls) => self.network.spawn(Box::pin(door.encrypted(stream, address, ticket, tls))),
            None => self.network.spawn(Box::pin(door.plain(stream, address, ticket))),
        }
    }

    async fn plain(self, stream: N::Stream, address: SocketAddr, mut ticket: Ticket) {
        match self.unless_shutting_down(begin_handshake(&mut ticket, address)).await {
            Ok(()) => self.driver(ticket, self.network.plain(stream), address).await,
            Err(error) => self.refuse(stream, address, &error).await,
        }
    }

    async fn encrypted(
        self,
        mut stream: N::Stream,
        address: SocketAddr,
        mut ticket: Ticket,
        tls: Arc<ServerConfig>,
    ) {
        let first_answer = self.manager.settings().limits.first_answer;
        let encrypt = async {
            begin_handshake(&mut ticket, address).await?;
            // Borrowed, so that the socket is still there when this fails or takes too long.
            let accepted = timeout(&self.network, first_answer, self.network.accept_tls(&mut stream, tls));
            accepted.await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
        };
        // In memory of its own, which is free once it is over.
        let encrypt = Box::pin(self.unless_shutting_down(encrypt));
        let error = match encrypt.await {
            Ok(wire) => return self.driver(ticket, wire, address).await,
            Err(error) => error,
        };
        self.refuse(stream, address, &error).await;
    }

    /// Devices that are not served yet have nothing to wait for.
    async fn unless_shutting_down<T>(&self, welcome: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let shutting_down = async {
            self.manager.shutting_down().await;
            Err(io::ErrorKind::Interrupted.into())
        };
        or(welcome, shutting_down).await
    }

    fn driver<W: Wire>(&self, ticket: Ticket, wire: W, address: SocketAddr) -> Driver<W> {
        Driver::new(&self.manager, ticket, wire, plain_ip(address.ip()), address.port())
    }

    async fn refuse(&self, stream: N::Stream, address: SocketAddr, error: &io::Error) {
        log_failure(error, address);
        end(self.network.plain(stream), self.manager.settings().limits.linger).await;
    }

    /// Ends the connections that nobody has accepted: closing the listening socket would reset them. Where descriptors are
    /// missing for that, those that end make room.
    async fn turn_away(&self, socket: N::Listener) {
        let Ok(socket) = N::into_std(socket) else { return };
        let Limits { shutdown, linger, .. } = self.manager.settings().limits;
        // From then on there is no time to end anybody in order.
        let deadline = self.network.now() + shutdown + linger;
        // Bounded, since new ones may come all the time.
        let mut left = BACKLOG;
        while left > 0 && self.network.now() < deadline {
            match socket.accept() {
                Ok((stream, _)) => {
                    left -= 1;
                    self.turn_one_away(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.network.sleep(PAUSE).await,
            }
        }
    }

    fn turn_one_away(&self, stream: net::TcpStream) {
        if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| N::stream(stream)) {
            let door = self.clone();
            let ending = async move {
                end(door.network.plain(stream), door.manager.settings().limits.linger).await;
            };
            self.network.spawn(Box::pin(ending));
        }
    }
}

async fn begin_handshake(ticket: &mut Ticket, address: SocketAddr) -> io::Result<()> {
    let begun = ticket.begin_handshake(plain_ip(address.ip())).await;
    begun.then_some(()).ok_or_else(|| io::ErrorKind::QuotaExceeded.into())
}

fn log_failure(error: &io::Error, address: SocketAddr) {
    const MEND: &str = "connect with TLS, or start with --disable-tls";
    let plain = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<rustls::Error>())
        .is_some_and(|error| matches!(error, rustls::Error::InvalidMessage(_)));
    match error.kind() {
        io::ErrorKind::Interrupted => debug!(target: LOG, "{address}: the Manager is shutting down"),
        io::ErrorKind::QuotaExceeded => {
            warn!(target: LOG, "{address}: too many devices of this address have not said who they are");
        }
        io::ErrorKind::TimedOut => {
            warn!(target: LOG, "{address} has not begun TLS, which is enabled on this port ({MEND})");
        }
        _ if plain => {
            warn!(target: LOG, "{address} does not speak TLS, which is enabled on this port ({MEND})");
        }
        _ => debug!(target: LOG, "{address}: the TLS handshake failed: {error}"),
    }
}

/// Closes the sending side and reads until the other end closes its own: a plain close could end in a reset.
pub(crate) async fn end(mut wire: impl Wire, linger: Duration) {
    let deadline = wire.now() + linger;
    let mut closed = false;
    let mut discarded = BytesMut::with_capacity(4096);
    poll_fn(|cx| {
        if !closed && let Poll::Ready(outcome) = wire.poll_close(cx) {
            closed = true;
            if outcome.is_err() {
                return Poll::Ready(());
            }
        }
        discarded.clear();
        match wire.poll_read(cx, &mut discarded) {
            // One read a turn, however much there is: others want theirs, and the deadline counts.
            Poll::Ready(Ok(1..)) => cx.waker().wake_by_ref(),
            Poll::Ready(_) => return Poll::Ready(()),
            Poll::Pending => {}
        }
        wire.poll_until(cx, Some(deadline))
    })
    .await;
}
