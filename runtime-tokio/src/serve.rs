//! Accepting devices, and the end of it all.

use std::future::Future;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use msl_network_protocol::drive::{Driver, Manager, Ticket};
use msl_network_protocol::limits::Limits;
use msl_network_protocol::name::plain_ip;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use crate::listener::{BACKLOG, configure};
use crate::{Clock, Listener, Socket};

/// The target of the log lines of this project.
pub(crate) const LOG: &str = "msl.network";

/// How long to wait where accepting cannot go on for now: no file descriptors, no memory. Long enough to cost nothing,
/// short enough that nobody notices.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves devices until `stop` is ready; then ends every connection in good order and returns.
///
/// With `tls`, devices have to speak TLS. At the end, open requests get their answers, or an error after
/// [`Limits::shutdown`]; it takes no longer than that and twice [`Limits::linger`].
pub async fn serve(
    listener: Listener,
    manager: Arc<Manager>,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: impl Future<Output = ()>,
) {
    let door = Door { manager: manager.clone(), tls: tls.map(TlsAcceptor::from), clock: Clock::start() };
    let mut accepting = JoinSet::new();
    for socket in listener.sockets {
        accepting.spawn(door.clone().accept(socket));
    }
    stop.await;
    manager.shut_down();
    let Limits { shutdown, linger, .. } = manager.settings().limits;
    let all_gone = async {
        accepting.join_all().await;
        manager.admission().all_gone().await;
    };
    if timeout(shutdown + 2 * linger, all_gone).await.is_err() {
        warn!(target: LOG, "{} connections did not end in time", manager.admission().connections());
    }
}

/// What every accepted device needs on its way in.
#[derive(Clone)]
struct Door {
    manager: Arc<Manager>,
    tls: Option<TlsAcceptor>,
    clock: Clock,
}

impl Door {
    async fn accept(self, socket: TcpListener) {
        tokio::select! {
            () = self.accept_all(&socket) => {}
            () = self.manager.shutting_down() => {}
        }
        turn_away(socket, self.manager.settings().limits.linger).await;
    }

    async fn accept_all(&self, socket: &TcpListener) {
        let mut failing = false;
        loop {
            let ticket = self.manager.admission().ticket().await;
            while self.manager.is_short_of_memory() {
                self.manager.relieve(self.clock.now());
                sleep(PAUSE).await;
            }
            match socket.accept().await {
                Ok((stream, address)) => {
                    failing = false;
                    tokio::spawn(self.clone().connection(stream, address, ticket));
                }
                Err(error) => {
                    // Once is enough for the log, however long it lasts.
                    if !mem::replace(&mut failing, true) {
                        warn!(target: LOG, "cannot accept connections for now: {error}");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn connection(self, mut stream: TcpStream, address: SocketAddr, mut ticket: Ticket) {
        let (ip, port) = (plain_ip(address.ip()), address.port());
        debug!(target: LOG, "new connection request from {ip}:{port}");
        let limits = &self.manager.settings().limits;
        if let Err(error) = configure(&stream, limits) {
            // The device has gone already, or the system does not know an option: neither is a reason to refuse it.
            debug!(target: LOG, "{ip}:{port}: {error}");
        }
        let welcome = async {
            if !ticket.begin_handshake(ip).await {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            match &self.tls {
                None => Ok(None),
                // Borrowed, so that the socket is still there when this fails or takes too long.
                Some(tls) => match timeout(limits.first_answer, tls.accept(&mut stream)).await {
                    Ok(accepted) => accepted.map(Some),
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                },
            }
        };
        let outcome = tokio::select! {
            // Devices that are not served yet have nothing to wait for.
            () = self.manager.shutting_down() => Err(io::ErrorKind::Interrupted.into()),
            outcome = welcome => outcome,
        };
        match outcome {
            Ok(Some(stream)) => {
                Driver::new(&self.manager, ticket, Socket::new(stream, self.clock), ip, port).await;
            }
            Ok(None) => {
                Driver::new(&self.manager, ticket, Socket::new(stream, self.clock), ip, port).await;
            }
            Err(error) => {
                log_failure(&error, address);
                end(stream, limits.linger).await;
            }
        }
    }
}

/// Ends the connections that nobody has accepted: closing the listening socket would reset them.
async fn turn_away(socket: TcpListener, linger: Duration) {
    let mut ending = JoinSet::new();
    // Bounded, since new ones may come all the time.
    if let Ok(socket) = socket.into_std() {
        let waiting = (0..BACKLOG).map_while(|_| socket.accept().ok());
        for (stream, _) in waiting {
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                ending.spawn(end(stream, linger));
            }
        }
    }
    ending.join_all().await;
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

/// Closes the sending side and reads until the device closes its own: a plain close could end in a reset.
async fn end(mut stream: TcpStream, linger: Duration) {
    let drain = async {
        stream.shutdown().await?;
        let mut discarded = [0; 4096];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    // However this ends, the connection is over.
    let _ = timeout(linger, drain).await;
}
