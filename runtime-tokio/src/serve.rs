//! Accepting devices, and the end of it all.

use std::future::Future;
use std::io;
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

use crate::listener::configure;
use crate::{Clock, Listener, Socket};

/// The target of the log lines of this project.
const LOG: &str = "msl.network";

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
    let clock = Clock::start();
    let tls = tls.map(TlsAcceptor::from);
    let mut accepting = JoinSet::new();
    for socket in listener.sockets {
        accepting.spawn(accept(socket, manager.clone(), tls.clone(), clock));
    }
    stop.await;
    manager.shut_down();
    // Nobody new from here on.
    while accepting.join_next().await.is_some() {}
    let Limits { shutdown, linger, .. } = manager.settings().limits;
    if timeout(shutdown + 2 * linger, manager.admission().all_gone()).await.is_err() {
        warn!(target: LOG, "{} connections did not end in time", manager.admission().connections());
    }
}

/// Accepts devices until the Manager shuts down.
async fn accept(socket: TcpListener, manager: Arc<Manager>, tls: Option<TlsAcceptor>, clock: Clock) {
    tokio::select! {
        () = accept_all(&socket, &manager, tls.as_ref(), clock) => {}
        () = manager.shutting_down() => {}
    }
    // Who waits in the listen queue is sent home: closing the socket would reset them.
    let linger = manager.settings().limits.linger;
    while let Ok(Ok((stream, _))) = timeout(Duration::ZERO, socket.accept()).await {
        tokio::spawn(end(stream, linger));
    }
}

async fn accept_all(socket: &TcpListener, manager: &Arc<Manager>, tls: Option<&TlsAcceptor>, clock: Clock) {
    let mut failing = false;
    loop {
        let ticket = manager.admission().ticket().await;
        while manager.is_short_of_memory() {
            sleep(PAUSE).await;
        }
        match socket.accept().await {
            Ok((stream, address)) => {
                failing = false;
                tokio::spawn(connection(stream, address, ticket, manager.clone(), tls.cloned(), clock));
            }
            Err(error) => {
                // Once is enough for the log, however long it lasts.
                if !std::mem::replace(&mut failing, true) {
                    warn!(target: LOG, "cannot accept connections for now: {error}");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    mut ticket: Ticket,
    manager: Arc<Manager>,
    tls: Option<TlsAcceptor>,
    clock: Clock,
) {
    let (ip, port) = (plain_ip(address.ip()), address.port());
    debug!(target: LOG, "new connection request from {ip}:{port}");
    let limits = &manager.settings().limits;
    if let Err(error) = configure(&stream, limits) {
        // The device has gone already, or the system does not know an option: neither is a reason to refuse it.
        debug!(target: LOG, "{ip}:{port}: {error}");
    }
    let admitted = tokio::select! {
        admitted = ticket.begin_handshake(ip) => admitted,
        () = manager.shutting_down() => false,
    };
    if !admitted {
        debug!(target: LOG, "{ip}:{port} is sent away: too many of its address have not said who they are");
        return end(stream, limits.linger).await;
    }
    let Some(tls) = tls else {
        return Driver::new(&manager, ticket, Socket::new(stream, clock), ip, port).await;
    };
    let handshake = timeout(limits.first_answer, tls.accept(stream).into_fallible());
    let handshake = tokio::select! {
        handshake = handshake => handshake,
        // The stream goes with the handshake; nothing was said that could be lost.
        () = manager.shutting_down() => return,
    };
    match handshake {
        Ok(Ok(stream)) => Driver::new(&manager, ticket, Socket::new(stream, clock), ip, port).await,
        Ok(Err((error, stream))) => {
            log_tls_failure(&error, address);
            end(stream, limits.linger).await;
        }
        Err(_) => warn!(
            target: LOG,
            "{ip}:{port} did not begin TLS in time; if TLS is disabled there, enable it, or start with --disable-tls"
        ),
    }
}

fn log_tls_failure(error: &io::Error, address: SocketAddr) {
    let plain = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<rustls::Error>())
        .is_some_and(|error| matches!(error, rustls::Error::InvalidMessage(_)));
    if plain {
        warn!(
            target: LOG,
            "{address} does not speak TLS, which is enabled on this port (connect with TLS, or start with --disable-tls)"
        );
    } else {
        debug!(target: LOG, "{address}: the TLS handshake failed: {error}");
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
