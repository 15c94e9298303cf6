//! The port of a Manager, and what is set on every socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use async_lock::OnceCell;
use msl_network_protocol::limits::Limits;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// Devices that may wait to be accepted. The computer's own limit counts too.
pub(crate) const BACKLOG: i32 = 1024;

/// The sockets that a Manager listens on: one for each address of its host, all with the same port.
#[derive(Debug)]
pub struct Listener {
    pub(crate) sockets: Vec<TcpListener>,
    port: u16,
}

impl Listener {
    /// Listens on all addresses of `host`, or on all interfaces of this computer without one. Port 0 takes a free one.
    ///
    /// # Errors
    /// The host is not known, the port is in use, or may not be used.
    pub async fn bind(host: Option<&str>, port: u16) -> io::Result<Self> {
        let Some(host) = host else { return Self::bind_everywhere(port) };
        let mut listener = Self { sockets: Vec::new(), port };
        for mut address in addresses(host).await? {
            address.set_port(listener.port);
            if listener.sockets.iter().any(|bound| bound.local_addr().is_ok_and(|bound| bound == address)) {
                continue;
            }
            listener.add(listen(address, true)?)?;
        }
        if listener.sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")));
        }
        Ok(listener)
    }

    /// One socket takes IPv6 and IPv4; two where the computer does not do that; one where it has no IPv6.
    fn bind_everywhere(port: u16) -> io::Result<Self> {
        let mut listener = Self { sockets: Vec::new(), port };
        match listen((Ipv6Addr::UNSPECIFIED, port).into(), false) {
            Ok(socket) => listener.add(socket)?,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => listener.add(listen((Ipv4Addr::UNSPECIFIED, port).into(), false)?)?,
        }
        Ok(listener)
    }

    fn add(&mut self, socket: TcpListener) -> io::Result<()> {
        self.port = socket.local_addr()?.port();
        self.sockets.push(socket);
        Ok(())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Looks up a host, on a thread of its own: that may take as long as a name server does.
async fn addresses(host: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![(ip, 0).into()]);
    }
    let (host, found) = (host.to_owned(), Arc::new(OnceCell::new()));
    let finding = found.clone();
    thread::Builder::new().spawn(move || {
        let addresses: io::Result<Vec<_>> = (host, 0).to_socket_addrs().map(Iterator::collect);
        // It is set here only, once.
        let _ = finding.set_blocking(addresses);
    })?;
    match found.wait().await {
        Ok(addresses) => Ok(addresses.clone()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}

fn listen(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(only_v6)?;
    }
    // A Manager that restarts takes its port back at once. (On Windows this would let two programs share a port.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Sends what there is at once, and notices when the device's computer has gone (docs/wire.md, section 10). Each option is
/// set whatever became of the others.
pub(crate) fn configure(socket: &SockRef<'_>, limits: &Limits) -> io::Result<()> {
    let at_once = socket.set_tcp_nodelay(true);
    let keep_alive =
        TcpKeepalive::new().with_time(limits.keep_alive_idle).with_interval(limits.keep_alive_interval);
    #[cfg(not(windows))]
    let keep_alive = keep_alive.with_retries(limits.keep_alive_probes);
    let noticed = socket.set_tcp_keepalive(&keep_alive);
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(limits.unacknowledged))?;
    at_once.and(noticed)
}

/// The same for a socket that was accepted by one that is configured. On Linux it comes with all of that, unless it had
/// connected before.
pub(crate) fn configure_accepted(socket: &SockRef<'_>, limits: &Limits) -> io::Result<()> {
    // The option that is set last stands for all.
    #[cfg(target_os = "linux")]
    if socket.tcp_user_timeout().is_ok_and(|time| time == Some(limits.unacknowledged)) {
        return Ok(());
    }
    configure(socket, limits)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    /// A socket that listens, and a way to connect with it: both ends.
    fn listening() -> (TcpListener, impl Fn() -> (TcpStream, TcpStream)) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let same = listener.try_clone().unwrap();
        let connect = move || {
            let device = TcpStream::connect(same.local_addr().unwrap()).unwrap();
            (device, same.accept().unwrap().0)
        };
        (listener, connect)
    }

    #[test]
    fn whoever_connects_has_all_options_also_who_did_so_before_the_listening_socket_had_them() {
        let limits = Limits::default();
        let (listener, connect) = listening();
        let early = connect();
        configure(&SockRef::from(&listener), &limits).unwrap();
        for (_device, accepted) in [early, connect()] {
            let socket = SockRef::from(&accepted);
            configure_accepted(&socket, &limits).unwrap();
            assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
            #[cfg(not(windows))]
            assert_eq!(socket.tcp_keepalive_time().unwrap(), limits.keep_alive_idle);
            #[cfg(target_os = "linux")]
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(limits.unacknowledged));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_socket_has_from_the_one_that_accepted_it_is_not_set_again() {
        let limits = Limits::default();
        let (listener, connect) = listening();
        configure(&SockRef::from(&listener), &limits).unwrap();
        let (_device, accepted) = connect();
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        // Given one that has been changed since.
        socket.set_tcp_nodelay(false).unwrap();
        configure_accepted(&socket, &limits).unwrap();
        assert!(!socket.tcp_nodelay().unwrap());
    }
}
