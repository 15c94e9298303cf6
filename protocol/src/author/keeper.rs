//! The task that restores a session's connection when it was lost, until the session ends.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use super::Way;
use super::connection::{Connection, Core};
use super::course::Course;
use super::ended::Ending;
use super::reconnect::{BackOff, Reconnect, Reconnection, is_final};
use super::runtime::{First, first};
use super::session::Session;
use super::watch::{Look, Watch};
use crate::device::{Error, Role};
use crate::frame::Rope;

/// A session that may outlive its connection.
pub(super) trait Lasting: Ending + Clone + 'static {
    /// Whether it is a client's or a service's.
    type Role: Role;

    /// Looks at it, under its lock.
    fn look<T>(&self, look: impl FnOnce(&mut Core<Self::Role>) -> T) -> T;

    /// Changes it, does what the events cause, and wakes whom it concerns after the lock.
    fn perform(&self, change: impl FnOnce(&mut Core<Self::Role>, &mut Vec<Event<Self>>, &mut Vec<Waker>));

    /// Whether there is a line for the Manager, and more may follow at once.
    fn is_gathering(&self) -> bool;

    /// Takes the next lines for the Manager, until they have this many bytes, while the connection of this number is the
    /// present one.
    fn take(&self, number: u64, bytes: usize, lines: &mut Vec<Rope>);

    /// Ends it for good, for this reason.
    fn finish(&self, error: Error) {
        self.perform(|core, events, wakers| {
            core.finish(error, events);
            wakers.extend(core.driver.take());
        });
    }

    /// Restores on the new connection what the one before had.
    fn restore(&self, _keeping: &Keeping) -> impl Future<Output = Infallible> + Send {
        pending()
    }
}

type Event<S> = <<S as Lasting>::Role as Role>::Event;

/// How a session is kept.
pub(super) struct Keeping {
    way: Way,
    reconnect: Reconnect,
}

/// Ends the session with the task that keeps it: a runtime that shuts down, a hook that panics.
struct FinishAtEnd<S: Lasting>(S);

impl<S: Lasting> Drop for FinishAtEnd<S> {
    fn drop(&mut self) {
        let text = if thread::panicking() {
            "the connection is not restored any more: the hook for its changes has panicked"
        } else {
            "the runtime of this connection was shut down"
        };
        self.0.finish(Error::disconnected(text, false));
    }
}

/// Sees to it that the connection of a session is restored from now on, if that is wanted.
pub(super) fn keep<S: Lasting>(session: &S, way: &Way) {
    let Some(reconnect) = way.options.reconnect.clone() else { return };
    if session.look(|core| core.course.make_lasting()) {
        let (session, keeping) = (FinishAtEnd(session.clone()), Keeping { way: way.clone(), reconnect });
        way.runtime.spawn(Box::pin(async move { keeping.keep(&session.0).await }));
    }
}

/// Waits for what a session's course has to tell.
fn watch<S: Lasting>(session: &S, look: fn(&Course) -> Look<Error>) -> Watch<Error> {
    let session = session.clone();
    Watch::new(move || session.look(|core| look(&core.course)))
}

impl Keeping {
    async fn keep<S: Lasting>(&self, session: &S) {
        // Not the end as its author is told of it, which may come later.
        let ended = watch(session, Course::look_ended);
        let go_on = async {
            loop {
                let over = watch(session, Course::look_over);
                let error = match first(over, session.restore(self)).await {
                    First::Left(error) => error,
                    First::Right(never) => match never {},
                };
                self.reconnect.tell(&Reconnection::Lost(error));
                if let Err(error) = self.connect(session).await {
                    return error;
                }
                self.reconnect.tell(&Reconnection::Restored);
            }
        };
        // The end comes first: it may have been what the connection was lost by.
        if let First::Right(error) = first(ended, go_on).await {
            session.finish(error);
        }
    }

    /// Connects again; an error is final.
    async fn connect<S: Lasting>(&self, session: &S) -> Result<(), Error> {
        let runtime = &self.way.runtime;
        let mut back_off = self.reconnect.back_off();
        let attempts = async {
            let mut delay = self.delay(&mut back_off);
            loop {
                runtime.sleep(delay).await;
                match self.way.open(&Connection::begin(session)).await {
                    Err(error) if !is_final(&error) => {
                        delay = self.delay(&mut back_off);
                        self.reconnect.tell(&Reconnection::Failed { error, next: delay });
                    }
                    outcome => return outcome,
                }
            }
        };
        let Some(limit) = self.reconnect.limit() else { return attempts.await };
        match first(attempts, runtime.sleep(limit)).await {
            First::Left(outcome) => outcome,
            First::Right(()) => {
                let text = format!("the connection was lost, and could not be restored within {limit:?}");
                Err(Error::disconnected(text, false))
            }
        }
    }

    fn delay(&self, back_off: &mut BackOff) -> Duration {
        back_off.delay(self.way.runtime.random())
    }

    /// Links a client again with what it was linked with, also if only a service has gone. The first attempt on a connection
    /// is made by the session when it is connected; here are the further ones.
    pub(super) async fn relink(&self, session: &Session) -> Infallible {
        let mut back_off = self.reconnect.back_off();
        loop {
            let watched = session.clone();
            let (news, missing) = Watch::new(move || watched.relinked()).await;
            let next = self.delay(&mut back_off);
            for (service, outcome) in news {
                self.reconnect.tell(&match outcome {
                    Ok(()) => Reconnection::Linked(service),
                    Err(error) => Reconnection::NotLinked { service, error, next },
                });
            }
            if !missing {
                back_off = self.reconnect.back_off();
                continue;
            }
            self.way.runtime.sleep(next).await;
            session.relink();
        }
    }
}
