//! Waiting for something that is kept under a lock.
//!
//! Whoever waits looks, under the lock, and is given a listener there if it is not yet so; a change after that look is not
//! missed. Who does not wait any more leaves nothing behind.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use event_listener::{Event, EventListener};

/// What was looked for; or what tells when to look again.
pub(super) type Look<T> = Result<T, EventListener>;

/// Those that wait for a change.
#[derive(Default)]
pub(super) struct Watchers(Arc<Changed>);

#[derive(Default)]
struct Changed(Event);

impl Watchers {
    /// What was found; or whoever looked for it hears of the next change.
    pub(super) fn look<T>(&self, found: Option<T>) -> Look<T> {
        found.ok_or_else(|| self.0.0.listen())
    }

    /// Wakes all that wait, once no lock is held.
    pub(super) fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }
}

impl Wake for Changed {
    fn wake(self: Arc<Self>) {
        self.0.notify(usize::MAX);
    }
}

/// A future that is ready when something is found.
pub(super) struct Watch<T> {
    look: Box<dyn Fn() -> Look<T> + Send + Sync>,
    listener: Option<EventListener>,
}

impl<T> Watch<T> {
    pub(super) fn new(look: impl Fn() -> Look<T> + Send + Sync + 'static) -> Self {
        Self { look: Box::new(look), listener: None }
    }
}

impl<T> Future for Watch<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        loop {
            if let Some(listener) = &mut self.listener
                && Pin::new(listener).poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            match (self.look)() {
                Ok(found) => return Poll::Ready(found),
                Err(listener) => self.listener = Some(listener),
            }
        }
    }
}

/// Puts in who is to be woken; returns who was, to be dropped once no lock is held.
#[must_use = "it is dropped once no lock is held"]
pub(super) fn remember(slot: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    if slot.as_ref().is_some_and(|old| old.will_wake(waker)) {
        return None;
    }
    slot.replace(waker.clone())
}
