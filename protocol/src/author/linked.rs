//! A client and its link in one piece, for programs that use one service.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::connect::{Connect, Device, Way};
use super::runtime::{BoxFuture, Runtime};
use super::{Client, Link, NewClient};
use crate::device::{Error, ErrorKind};

/// How often a service is asked for that has not appeared yet.
const INTERVAL: Duration = Duration::from_millis(200);

/// Called with each error of a link's calls, before their caller gets it.
pub(super) type OnError = Arc<dyn Fn(&Error) + Send + Sync>;

/// A client that is about to be connected and linked with a service.
#[derive(Clone)]
pub struct NewLinkedClient {
    client: NewClient,
    service: String,
    on_error: Option<OnError>,
}

impl NewLinkedClient {
    pub(super) fn new(client: NewClient, service: String) -> Self {
        Self { client, service, on_error: None }
    }
}

impl fmt::Debug for NewLinkedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLinkedClient").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Connect<NewLinkedClient> {
    /// Is called with each error of the calls to the service, before whoever waits for the call gets it: to close files or
    /// to leave an instrument in a safe state.
    pub fn on_error(self, hook: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.map(|device| NewLinkedClient { on_error: Some(Arc::new(hook)), ..device })
    }
}

impl Device for NewLinkedClient {
    type Connected = LinkedClient;

    fn connect(self, way: Way) -> BoxFuture<Result<LinkedClient, Error>> {
        Box::pin(async move {
            let again =
                Arc::new(Connect::with_options(self.clone(), way.options.clone(), way.runtimes.clone()));
            let (runtime, patience) = (way.runtime.clone(), way.options.timeout);
            let client = self.client.connect(way).await?;
            let link = appear(&client, &self.service, &*runtime, patience).await?;
            Ok(LinkedClient { link: link.with_hook(self.on_error), client, again })
        })
    }
}

/// Links with a service as soon as it is there.
async fn appear(
    client: &Client,
    service: &str,
    runtime: &dyn Runtime,
    patience: Duration,
) -> Result<Link, Error> {
    let deadline = runtime.now() + patience;
    loop {
        let left = deadline - runtime.now();
        // The last look, too, has time for its answer.
        match client.link(service).timeout(left.max(INTERVAL)).await {
            Err(error) if error.kind() == ErrorKind::NoSuchService && left.is_zero() => {
                let manager = client.manager();
                let text = format!("the service {service} has not appeared at {manager} within {patience:?}");
                return Err(Error::new(ErrorKind::NoSuchService, text));
            }
            Err(error) if error.kind() == ErrorKind::NoSuchService => {}
            other => return other,
        }
        runtime.sleep(left.min(INTERVAL)).await;
    }
}

/// A client with its link. Everything that the [`Link`] can do is here, too. Cheap to clone.
#[derive(Clone)]
pub struct LinkedClient {
    client: Client,
    link: Link,
    again: Arc<Connect<NewLinkedClient>>,
}

impl LinkedClient {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The link.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Another connection with the same options, linked with the same service.
    pub fn spawn(&self, name: impl Into<String>) -> Connect<NewLinkedClient> {
        let client = NewClient::named(name);
        Connect::clone(&self.again).map(|device| NewLinkedClient { client, ..device })
    }
}

impl Deref for LinkedClient {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

impl fmt::Debug for LinkedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.link.fmt(f)
    }
}
