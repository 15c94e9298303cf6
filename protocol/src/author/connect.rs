//! Connecting: a builder for clients and services alike, and what follows once the socket is open.

use std::fmt;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::asking::Asked;
use super::park::block_on;
use super::runtime::{BoxFuture, First, Runtime, Runtimes, check_may_park, first};
use super::watch::{Look, Watch};
use super::{Address, ConnectOptions, Endpoint, Reconnect, Trust};
use crate::device::{Error, Prompt};

/// What can be connected with a Manager: a client, a client with its link, a service.
pub trait Device: Sized + Send + 'static {
    /// What its author then holds.
    type Connected: Send + 'static;

    /// Connects it.
    fn connect(self, way: Way) -> BoxFuture<Result<Self::Connected, Error>>;
}

/// The way to a Manager.
#[derive(Clone)]
pub struct Way {
    /// Where the Manager is, and what it is told.
    pub options: ConnectOptions,
    /// The runtime of the connection.
    pub runtime: Arc<dyn Runtime>,
    /// For the next connection with the same options.
    pub runtimes: Arc<dyn Runtimes>,
}

/// A connection that is about to be made: a builder that is awaited, or [waited for](Connect::wait) in scripts.
///
/// Nothing happens before.
#[must_use = "nothing happens before it is awaited"]
#[derive(Clone)]
pub struct Connect<D> {
    device: D,
    options: ConnectOptions,
    runtimes: Arc<dyn Runtimes>,
}

impl<D> Connect<D> {
    /// A connection of `device` with the Manager at `address`, for a runtime crate.
    pub fn new(device: D, address: impl Into<Address>, runtimes: Arc<dyn Runtimes>) -> Self {
        Self { device, options: ConnectOptions::new(address), runtimes }
    }

    pub(super) fn with_options(device: D, options: ConnectOptions, runtimes: Arc<dyn Runtimes>) -> Self {
        Self { device, options, runtimes }
    }

    pub(super) fn address(&self) -> &Address {
        &self.options.address
    }

    pub(super) fn map<E>(self, change: impl FnOnce(D) -> E) -> Connect<E> {
        Connect { device: change(self.device), options: self.options, runtimes: self.runtimes }
    }

    /// How long each step of connecting may take: 10 s if not set. While a person is asked something it does not run.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// The username, for a Manager that asks for a login.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.options.credentials.username = Some(username.into());
        self
    }

    /// That user's password.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.options.credentials.password = Some(password.into());
        self
    }

    /// The Manager's own password, for a Manager that asks for it.
    pub fn manager_password(mut self, password: impl Into<String>) -> Self {
        self.options.credentials.manager_password = Some(password.into());
        self
    }

    /// Is asked for a username or a password that is needed and was not given. It may block.
    pub fn on_prompt(mut self, answer: impl Fn(&Prompt) -> Option<String> + Send + Sync + 'static) -> Self {
        self.options.answer_prompt = Some(Arc::new(answer));
        self
    }

    /// Restores the connection when it is lost, which is not done if not set. The first one is not waited for.
    ///
    /// Requests that are on their way when the connection is lost fail, and so do those that are made while there is none:
    /// none is sent twice, and [`Error::may_be_executed`] says which are safe to be sent again. A client is then linked again
    /// with what it was linked with, as soon as that is there, and its links and notifications go on. **Locks are not
    /// restored:** somebody else may have had the instrument meanwhile. See [`super::Lock`].
    ///
    /// [`Reconnect::on_change`] says what happens to the connection; [`super::Client::restored`] waits for it, and
    /// [`super::Link::restored`] for a service as well: a Manager that was restarted may be there before its services, and a
    /// request is [`NoSuchService`](crate::device::ErrorKind::NoSuchService) until then.
    pub fn reconnect(mut self, reconnect: impl Into<Option<Reconnect>>) -> Self {
        self.options.reconnect = reconnect.into();
        self
    }

    /// The longest line that is read, in bytes: 1 GiB if not set.
    pub fn read_limit(mut self, bytes: usize) -> Self {
        self.options.read_limit = bytes;
        self
    }

    /// Connects without TLS, as the Manager was started.
    pub fn disable_tls(mut self) -> Self {
        self.options.tls.enabled = false;
        self
    }

    /// The file with the certificates to trust (PEM), in place of the one in the home folder.
    pub fn certificate(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.tls.certificate = Some(path.into());
        self
    }

    /// Whether the certificate has to be for the host that is connected with: yes, if not set.
    pub fn check_host_name(mut self, check: bool) -> Self {
        self.options.tls.check_host_name = check;
        self
    }

    /// What to do with the certificate of a Manager that was not met before: it is an error, if not set.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.options.tls.trust = trust;
        self
    }

    /// The folder that certificates are kept in (`certs` in it): if not set, `$MSL_NETWORK_HOME`, or `.msl/network` in the
    /// home of the user.
    pub fn home(mut self, folder: impl Into<PathBuf>) -> Self {
        self.options.tls.home = Some(folder.into());
        self
    }
}

impl<D: Device> Connect<D> {
    /// Connects by parking this thread: for scripts. A thread in the background then serves the connection.
    ///
    /// # Errors
    /// Why there is no connection; [`Invalid`](crate::device::ErrorKind::Invalid) on a thread that runs asynchronous code, which it would hold up.
    pub fn wait(self) -> Result<D::Connected, Error> {
        let runtime = self.parkable()?;
        block_on(self.on(runtime))
    }

    /// The runtime in the background, on a thread that may wait for it.
    pub(super) fn parkable(&self) -> Result<Arc<dyn Runtime>, Error> {
        let runtime = self.runtimes.background()?;
        check_may_park(runtime.is_asynchronous_here(), "use .await here")?;
        Ok(runtime)
    }

    /// Connects on this runtime.
    pub(super) fn on(self, runtime: Arc<dyn Runtime>) -> BoxFuture<Result<D::Connected, Error>> {
        let Self { device, options, runtimes } = self;
        device.connect(Way { options, runtime, runtimes })
    }
}

impl<D: Device> IntoFuture for Connect<D> {
    type Output = Result<D::Connected, Error>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        match self.runtimes.here() {
            Ok(runtime) => self.on(runtime),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

impl<D> fmt::Debug for Connect<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("options", &self.options).finish_non_exhaustive()
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A connection that tells of its beginning.
pub(super) trait Beginning: Endpoint + Clone + 'static {
    /// Whether the Manager has let the device in.
    fn connected(&self) -> Look<Result<(), Error>>;

    /// What somebody was asked for on the way.
    fn asked(&self) -> Asked;
}

impl Way {
    /// Opens the socket, and waits until the Manager has let the device in.
    pub(super) async fn open(&self, connection: &impl Beginning) -> Result<(), Error> {
        let unless_connected = EndUnlessConnected(Some(connection.clone()));
        self.runtime.open(&self.options, Arc::new(connection.clone())).await?;
        let mut asked = connection.asked();
        loop {
            let watched = connection.clone();
            let connected = Watch::new(move || watched.connected());
            match first(connected, self.runtime.sleep(self.options.timeout)).await {
                First::Left(connected) => {
                    connected?;
                    break;
                }
                First::Right(()) => match connection.asked() {
                    // A person is slower than a network, which has its time again after the answer.
                    now if now.goes_on || now != asked => asked = now,
                    _ => return Err(self.options.silent()),
                },
            }
        }
        unless_connected.disarm();
        Ok(())
    }
}

/// Somebody who does not wait for the connection any more must not leave it behind half open.
struct EndUnlessConnected<E: Endpoint>(Option<E>);

impl<E: Endpoint> EndUnlessConnected<E> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl<E: Endpoint> Drop for EndUnlessConnected<E> {
    fn drop(&mut self) {
        if let Some(endpoint) = &self.0 {
            endpoint.end("nobody waits for this connection any more");
        }
    }
}
