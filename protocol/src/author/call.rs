//! A request that is on its way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::ended::Ending;
use super::linked::OnError;
use super::park::block_on;
use super::runtime::check_may_park;
use super::session::Session;
use super::watch::remember;
use crate::client::CallId;
use crate::device::{Error, ErrorKind};
use crate::drive::lock;

/// Makes the value of a call from the JSON of its answer, or of its error.
type Settle<T> = Box<dyn FnOnce(Result<Bytes, Error>) -> Result<T, Error> + Send>;

/// A request that was sent when it was made; its value is the answer.
///
/// It is a future, and for scripts without a runtime it has [`Call::wait`]. Several calls that are made before the first one
/// is waited for run at the same time. One that is dropped is forgotten; it may be executed all the same.
///
/// A program that ends at once takes along what was not written yet. Who does not want an answer at the end of a script waits
/// for the last call all the same, or for the end: `client.disconnect().wait()` lets go what was sent before.
///
/// # Errors
/// [`ErrorKind::Backlog`] if the Manager does not read as fast as requests are made, and more than [`super::WAITING_CALLS`]
/// bytes of them would wait.
#[must_use = "a call that is dropped is forgotten; wait for its answer"]
pub struct Call<T> {
    state: State<T>,
    on_error: Option<OnError>,
}

enum State<T> {
    /// Nothing is waited for; `None` once it was given.
    Settled(Option<Result<T, Error>>),
    Open {
        session: Session,
        id: CallId,
        slot: Arc<Slot>,
        settle: Settle<T>,
    },
}

/// Where an answer is put.
#[derive(Default)]
pub(super) struct Slot(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    outcome: Option<Result<Bytes, Error>>,
    waker: Option<Waker>,
}

impl Slot {
    /// Puts the answer in; returns whom to wake, once no lock is held.
    pub(super) fn settle(&self, outcome: Result<Bytes, Error>) -> Option<Waker> {
        let mut waiting = lock(&self.0);
        waiting.outcome = Some(outcome);
        waiting.waker.take()
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        // The waker before is dropped without the lock.
        let (outcome, _old) = {
            let mut waiting = lock(&self.0);
            match waiting.outcome.take() {
                Some(outcome) => (Poll::Ready(outcome), None),
                None => (Poll::Pending, remember(&mut waiting.waker, cx.waker())),
            }
        };
        outcome
    }
}

impl<T> Call<T> {
    pub(super) fn settled(outcome: Result<T, Error>) -> Self {
        Self { state: State::Settled(Some(outcome)), on_error: None }
    }

    pub(super) fn open(session: Session, id: CallId, slot: Arc<Slot>, settle: Settle<T>) -> Self {
        Self { state: State::Open { session, id, slot, settle }, on_error: None }
    }

    pub(super) fn with_hook(self, on_error: Option<OnError>) -> Self {
        let mut call = self;
        call.on_error = on_error;
        call
    }

    /// Gives up after this time, counted from now. The request may be executed all the same.
    pub fn timeout(self, after: Duration) -> Self {
        if let State::Open { session, id, .. } = &self.state {
            session.set_timeout(*id, after);
        }
        self
    }

    /// Waits for the answer by parking this thread: for scripts. In asynchronous code, `.await` the call.
    ///
    /// # Errors
    /// As the call itself; [`ErrorKind::Invalid`] on a thread that runs asynchronous code, which it would hold up.
    pub fn wait(self) -> Result<T, Error> {
        if let State::Open { session, .. } = &self.state {
            check_may_park(session.is_asynchronous_here(), "use .await here")?;
        }
        block_on(self)
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let call = self.get_mut();
        if let State::Open { slot, .. } = &call.state {
            let Poll::Ready(answer) = slot.poll(cx) else { return Poll::Pending };
            if let State::Open { settle, .. } = std::mem::replace(&mut call.state, State::Settled(None)) {
                call.state = State::Settled(Some(settle(answer)));
            }
        }
        let outcome = match &mut call.state {
            State::Settled(outcome) => outcome.take().unwrap_or_else(|| Err(answered())),
            State::Open { .. } => return Poll::Pending,
        };
        if let (Err(error), Some(hook)) = (&outcome, call.on_error.take()) {
            hook(error);
        }
        Poll::Ready(outcome)
    }
}

impl<T> Unpin for Call<T> {}

fn answered() -> Error {
    Error::new(ErrorKind::Invalid, "this call has given its answer already")
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let State::Open { session, id, .. } = &self.state {
            session.forget(*id);
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Open { .. } => "open",
            State::Settled(Some(_)) => "settled",
            State::Settled(None) => "done",
        };
        f.debug_tuple("Call").field(&state).finish()
    }
}
