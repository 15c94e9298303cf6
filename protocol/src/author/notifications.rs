//! Notifications of one service, as they come.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::ended::Ending;
use super::park::block_on;
use super::runtime::check_may_park;
use super::session::Session;
use crate::device::{Error, ErrorKind};
use crate::drive::lock;
use crate::json;

/// How many notifications wait for a reader that falls behind. Beyond it the oldest are lost, and counted.
pub const WAITING: usize = 1024;

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
    json::from_text(raw).map_err(|error| Error::new(ErrorKind::Decode, error.to_string()))
}

/// Where notifications wait for their reader.
#[derive(Default)]
pub(super) struct Inbox(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Notification>,
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
        self.queue.pop_front()
    }
}

impl Inbox {
    /// Puts one in; returns whom to wake, once no lock is held.
    pub(super) fn put(&self, notification: Notification) -> Option<Waker> {
        let mut waiting = lock(&self.0);
        if waiting.queue.len() >= WAITING {
            match waiting.queue.pop_front() {
                Some(Notification::Interrupted) => waiting.interrupted = true,
                _ => waiting.lost += 1,
            }
        }
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
/// Bounded: a reader that falls behind by more than [`WAITING`] gets a [`Notification::Lost`] in place of the oldest. If the
/// connection is restored when it was lost, this goes on behind a [`Notification::Interrupted`].
pub struct Notifications {
    session: Session,
    inbox: Arc<Inbox>,
}

impl Notifications {
    pub(super) fn new(session: Session, inbox: Arc<Inbox>) -> Self {
        Self { session, inbox }
    }

    /// The next one; `None` once the link or the connection has ended for good.
    pub async fn next(&mut self) -> Option<Notification> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next one, for use in a hand-written future.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        let mut waiting = lock(&self.inbox.0);
        match waiting.next() {
            Some(notification) => Poll::Ready(Some(notification)),
            None if waiting.ended => Poll::Ready(None),
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The next one, by parking this thread: for scripts.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] on a thread that runs asynchronous code, which it would hold up.
    pub fn wait(&mut self) -> Result<Option<Notification>, Error> {
        check_may_park(self.session.is_asynchronous_here(), "use next().await here")?;
        Ok(block_on(self.next()))
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
}
