//! Notifications that a service sends of its own accord, to all that are linked with it.
//!
//! What beats and what answers requests are two threads that share a state. Beating needs a notifier, which a service has
//! once it is connected; so it begins then:
//!
//! ```no_run
//! use msl_network_examples::heartbeat::Heartbeat;
//! use msl_network_tokio::{Error, start};
//!
//! fn main() -> Result<(), Error> {
//!     start(Heartbeat::default().service(), "localhost").run()
//! }
//! ```

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use msl_network_tokio::{Connect, Error, IntoService, NewClient, Notifier, Service, ServiceError, service};

/// The service. Clones share one heart.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<Mutex<Heart>>);

#[derive(Debug)]
struct Heart {
    alive: bool,
    count: u64,
    interval: Duration,
}

#[service]
impl Heartbeat {
    /// Stops it, for good.
    fn kill(&self) {
        self.heart().alive = false;
    }

    /// Counts from zero again.
    fn reset(&self) {
        self.heart().count = 0;
    }

    fn set_heart_rate(&self, beats_per_second: f64) -> Result<(), ServiceError> {
        let interval = Duration::try_from_secs_f64(1.0 / beats_per_second);
        self.heart().interval = interval.map_err(|error| ServiceError::value(error.to_string()))?;
        Ok(())
    }
}

impl Heartbeat {
    /// The service, which beats as soon as it is connected.
    pub fn service(self) -> Service {
        let heartbeat = self.clone();
        self.into_service().on_connect(|notifier| heartbeat.beat(notifier))
    }

    /// Notifies of a count that goes up, on a thread of its own, until it is killed or the connection has ended for good.
    fn beat(self, notifier: Notifier) {
        thread::spawn(move || {
            while let Some((count, interval)) = self.next().filter(|_| !notifier.has_ended()) {
                // It goes on without being heard while a connection that was lost is restored.
                let _ = notifier.notify((count,));
                thread::sleep(interval);
            }
        });
    }

    fn next(&self) -> Option<(u64, Duration)> {
        let mut heart = self.heart();
        heart.count += 1;
        heart.alive.then(|| (heart.count - 1, heart.interval))
    }

    fn heart(&self) -> MutexGuard<'_, Heart> {
        self.0.lock().expect("nothing panics while it holds the lock")
    }
}

/// One beat a second.
impl Default for Heart {
    fn default() -> Self {
        Self { alive: true, count: 0, interval: Duration::from_secs(1) }
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let heartbeat = HeartbeatClient::from(manager.linked("Heartbeat").await?);
    let mut beats = heartbeat.notifications();
    heartbeat.set_heart_rate(10.0).await?;
    for _ in 0..5 {
        let Some(beat) = beats.next().await else { break };
        let (count,): (u64,) = beat.args()?;
        println!("beat {count}");
    }
    heartbeat.set_heart_rate(1.0).await
}
