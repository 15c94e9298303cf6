//! Notifications of one service, as they come.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::ended::Ending;
use super::park::{block_on, block_on_for};
use super::runtime::check_may_park;
use super::watch::remember;
use crate::device::{Error, ErrorKind};
use crate::drive::lock;
use crate::json;

/// How many notifications wait for a reader that falls behind. Beyond it the oldest are lost, and counted.
pub const WAITING: usize = 1024;

/// How many bytes of notifications wait for a reader that falls behind. Beyond it the oldest are lost, and counted; a single
/// one may be longer.
pub const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// What a service has sent to all that are linked with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// A notification.
    Received {
        /// The positional arguments: a JSON array.
        args: Bytes,
        /// The keyword arguments: a JSON object.
        kwargs: Bytes,
    },
    /// So many were lost here, since they were not read as fast as they came.
    Lost(u64),
    /// The connection was lost here. What the service has sent until it was restored, and the link with it, is missing.
    Interrupted,
}

impl Notification {
    /// The positional arguments, as a tuple or a `Vec`.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`]: they are of another type, or lost.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self {
            Self::Received { args, .. } => decode(args),
            missing => Err(missing.missing()),
        }
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`]: they are of another type, or lost.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self {
            Self::Received { kwargs, .. } => decode(kwargs),
            missing => Err(missing.missing()),
        }
    }

    fn len(&self) -> usize {
        if let Self::Received { args, kwargs } = self { args.len() + kwargs.len() } else { 0 }
    }

    fn missing(&self) -> Error {
        let text = match self {
            Self::Lost(count) => format!("{count} notifications were lost here"),
            _ => "the connection was lost here, and notifications with it".to_string(),
        };
        Error::new(ErrorKind::Decode, text)
    }
}

/// Reads a value from the JSON of an answer.
pub(super) fn decode<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Error> {
    json::from_checked(raw).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
}

/// Where notifications wait for their reader.
#[derive(Default)]
pub(super) struct Inbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Notification>,
    /// Of what is in it.
    bytes: usize,
    /// What is missing in front of the queue.
    lost: u64,
    interrupted: bool,
    ended: bool,
    waker: Option<Waker>,
}

impl Waiting {
    fn next(&mut self) -> Option<Notification> {
        if self.lost > 0 {
            return Some(Notification::Lost(std::mem::take(&mut self.lost)));
        }
        if std::mem::take(&mut self.interrupted) {
            return Some(Notification::Interrupted);
        }
        self.pop()
    }

    fn pop(&mut self) -> Option<Notification> {
        let oldest = self.queue.pop_front()?;
        self.bytes -= oldest.len();
        Some(oldest)
    }

    /// Makes room for another one of so many bytes.
    fn make_room(&mut self, bytes: usize) {
        while self.queue.len() >= WAITING || self.bytes.saturating_add(bytes) > WAITING_BYTES {
            match self.pop() {
                Some(Notification::Interrupted) => self.interrupted = true,
                Some(_) => self.lost += 1,
                None => return,
            }
        }
    }
}

impl Inbox {
    /// Puts one in; returns whom to wake, once no lock is held.
    pub(super) fn put(&self, notification: Notification) -> Option<Waker> {
        let mut waiting = lock(&self.0);
        waiting.make_room(notification.len());
        waiting.bytes += notification.len();
        waiting.queue.push_back(notification);
        waiting.waker.take()
    }

    /// There will be no more.
    pub(super) fn end(&self) -> Option<Waker> {
        let mut waiting = lock(&self.0);
        waiting.ended = true;
        waiting.waker.take()
    }
}

/// The notifications of one service, from the moment on when this was made.
///
/// Bounded: a reader that falls behind by more than [`WAITING`], or [`WAITING_BYTES`], gets a [`Notification::Lost`] in place
/// of the oldest. If the connection is restored when it was lost, this goes on behind a [`Notification::Interrupted`].
///
/// It keeps the connection, as a [`Client`] does, and ends with the link: with [`super::Link::unlink`], with the connection, and
/// with the service. Nobody says so when a service leaves; it shows at the next request to it, which fails. Who does nothing
/// but listen asks it for something now and then.
pub struct Notifications {
    client: Client,
    inbox: Arc<Inbox>,
}

impl Notifications {
    pub(super) fn new(client: Client, inbox: Arc<Inbox>) -> Self {
        Self { client, inbox }
    }

    /// The next one; `None` once the link or the connection has ended for good.
    pub async fn next(&mut self) -> Option<Notification> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next one, for use in a hand-written future.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        // The waker before is dropped without the lock.
        let (next, _old) = {
            let mut waiting = lock(&self.inbox.0);
            match waiting.next() {
                Some(notification) => (Poll::Ready(Some(notification)), None),
                None if waiting.ended => (Poll::Ready(None), None),
                None => (Poll::Pending, remember(&mut waiting.waker, cx.waker())),
            }
        };
        next
    }

    /// The next one, by parking this thread: for scripts.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] on a thread that runs asynchronous code, which it would hold up.
    pub fn wait(&mut self) -> Result<Option<Notification>, Error> {
        self.check_may_park()?;
        Ok(block_on(self.next()))
    }

    /// As [`Notifications::wait`], for this long at most. None is lost by that.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`]: none has come. As [`Notifications::wait`], too.
    pub fn wait_timeout(&mut self, after: Duration) -> Result<Option<Notification>, Error> {
        self.check_may_park()?;
        block_on_for(self.next(), after, "no notification has come")
    }

    fn check_may_park(&self) -> Result<(), Error> {
        check_may_park(self.client.session().is_asynchronous_here(), "use next().await here")
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notifications")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received() -> Notification {
        Notification::Received { args: Bytes::from_static(b"[]"), kwargs: Bytes::from_static(b"{}") }
    }

    fn next(inbox: &Inbox) -> Option<Notification> {
        lock(&inbox.0).next()
    }

    #[test]
    fn a_reader_that_falls_behind_still_learns_of_an_interruption() {
        let inbox = Inbox::default();
        for notification in [received(), Notification::Interrupted, received()] {
            inbox.put(notification);
        }
        for _ in 0..WAITING {
            inbox.put(received());
        }

        assert_eq!(next(&inbox), Some(Notification::Lost(2)));
        assert_eq!(next(&inbox), Some(Notification::Interrupted));
        assert_eq!((0..WAITING).filter(|_| next(&inbox) == Some(received())).count(), WAITING);
        assert_eq!(next(&inbox), None);
    }

    #[test]
    fn what_waits_for_a_reader_is_bounded_in_bytes_and_a_single_long_one_is_not_lost() {
        let inbox = Inbox::default();
        let long =
            |bytes: usize| Notification::Received { args: vec![b' '; bytes].into(), kwargs: Bytes::new() };

        for bytes in [WAITING_BYTES / 2, WAITING_BYTES / 2, 1] {
            inbox.put(long(bytes));
        }
        assert_eq!(next(&inbox), Some(Notification::Lost(1)));
        inbox.put(long(WAITING_BYTES + 1));

        assert_eq!(next(&inbox), Some(Notification::Lost(2)));
        assert_eq!(next(&inbox), Some(long(WAITING_BYTES + 1)));
        assert_eq!(next(&inbox), None);
    }
}
