//! Executing requests: which thread, how many at once, and that every one gets its answer.
//!
//! Easy to get wrong: a runtime that shuts down drops what it was given. A [`Ticket`] answers its request even then.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll, Waker};

use super::outcome::{Caught, catch, caught};
use super::session::ServiceSession;
use super::{Attribute, CallArguments, Context, Notifier, Outcome, Run, SHUTDOWN_SERVICE, ServiceError};
use crate::device::Error;
use crate::service::{Execution, ExecutionId};

/// How many requests may be executed or wait for it, of all clients together. Beyond it, they are refused.
pub const WAITING_REQUESTS: usize = 100_000;

/// How many bytes their arguments may have together. Beyond it, requests are refused; a single one may be longer.
pub const WAITING_ARGUMENTS: usize = 64 << 20;

/// How many bytes of answers may wait to be sent before no more requests are executed: they wait until the Manager has read
/// some of it. The answers of those that are being executed come on top.
pub const WAITING_ANSWERS: usize = 64 << 20;

/// How many methods and properties run at once if [`super::Service::max_concurrent`] does not say otherwise. 64: more than an
/// instrument can use, and far fewer than the threads for blocking work that a runtime has (512 on tokio, 500 on smol), which
/// are there for other services and for looking up host names, too.
pub const CONCURRENT: usize = 64;

/// Where a runtime runs the methods of a service.
pub trait Executor: Send + Sync {
    /// Runs a future, beside others.
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>);

    /// Runs something that blocks, on a thread where it holds nobody up.
    fn block(&self, job: Box<dyn FnOnce() + Send>);
}

/// Something that blocks, and waits for its turn.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// What blocks: so many at once, the rest in order.
#[derive(Default)]
pub(super) struct Jobs {
    waiting: VecDeque<Job>,
    running: usize,
    /// Whether a thread is starting jobs; it sees what is added meanwhile.
    starting: bool,
    /// How many requests have not been answered, and the bytes of their arguments.
    requests: usize,
    arguments: usize,
}

impl Jobs {
    /// Those that were not started; nobody wants them any more.
    pub(super) fn abandon(&mut self) -> VecDeque<Job> {
        std::mem::take(&mut self.waiting)
    }

    /// The job to be started next. None is for now, if no answer would have room.
    pub(super) fn next(&mut self, most: usize, has_room: bool) -> Option<Job> {
        let may_start = has_room && self.running < most;
        let job = if may_start { self.waiting.pop_front() } else { None };
        self.running += usize::from(job.is_some());
        self.starting = job.is_some();
        job
    }

    /// Counts a request, with so many bytes of arguments; says what it is too much of, if it is.
    fn enter(&mut self, arguments: usize) -> Option<String> {
        self.requests += 1;
        self.arguments += arguments;
        if self.requests > WAITING_REQUESTS {
            return Some(format!("{WAITING_REQUESTS} requests"));
        }
        let too_long = self.arguments > WAITING_ARGUMENTS && self.arguments > arguments;
        too_long.then(|| format!("requests of {} MiB", WAITING_ARGUMENTS >> 20))
    }

    /// A request that was counted has been answered.
    pub(super) fn leave(&mut self, arguments: usize) {
        self.requests -= 1;
        self.arguments -= arguments;
    }
}

/// A request that has to be answered, once.
pub(super) struct Ticket {
    session: ServiceSession,
    id: ExecutionId,
    /// Bytes.
    arguments: usize,
    shuts_down: bool,
    open: bool,
}

impl Ticket {
    /// Whether somebody still waits for the answer. Nobody does when the connection has ended meanwhile: an instrument must
    /// not be told anything more then.
    fn is_awaited(&self) -> bool {
        self.session.is_awaited(self.id)
    }

    /// Waits until there is room for its answer; then says whether somebody still waits for it.
    fn poll_begin(&self, cx: &mut task::Context<'_>) -> Poll<bool> {
        self.session.poll_begin(self.id, cx)
    }

    /// Runs a method when it can be answered.
    async fn run(self, method: impl FnOnce() -> Result<Caught, ServiceError>) {
        if poll_fn(|cx| self.poll_begin(cx)).await {
            let outcome = match method() {
                Ok(method) => method.await,
                Err(error) => Err(error),
            };
            self.finish(outcome);
        }
    }

    fn finish(mut self, outcome: Outcome) {
        self.open = false;
        let shuts_down = self.shuts_down && outcome.is_ok();
        self.session.finish(self.id, self.arguments, outcome, shuts_down);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            let error = ServiceError::runtime("the service is being stopped, and has not executed this");
            self.session.finish(self.id, self.arguments, Err(error), false);
        }
    }
}

/// One of the jobs that run; lets the next one start when it is over, however it ends.
struct Turn(ServiceSession);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.jobs(|jobs| jobs.running -= 1);
        self.0.start_jobs();
    }
}

/// Calls the author's hook for the beginning.
pub(super) fn greet(hook: super::OnConnect, session: ServiceSession) {
    call(|| hook(Notifier::new(session)));
}

/// The author's hook for the end, called even if the runtime drops it.
pub(super) struct Farewell {
    session: ServiceSession,
    hook: Option<super::OnDisconnect>,
    error: Error,
}

impl Farewell {
    pub(super) fn new(session: ServiceSession, hook: super::OnDisconnect, error: Error) -> Self {
        Self { session, hook: Some(hook), error }
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some(hook) = self.hook.take() {
            call(|| hook(&self.error));
        }
        self.session.said_farewell();
    }
}

/// Calls a hook. Its panic concerns nobody else; the panic hook has shown it.
fn call(hook: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(hook));
}

impl ServiceSession {
    /// Executes a request, sooner or later.
    pub(super) fn execute(&self, execution: Execution) {
        let attribute = self.attribute(&execution.attribute);
        let shuts_down = execution.attribute == SHUTDOWN_SERVICE;
        let arguments = execution.args.len() + execution.kwargs.len();
        let too_much = self.jobs(|jobs| jobs.enter(arguments));
        let ticket = Ticket { session: self.clone(), id: execution.id, arguments, shuts_down, open: true };
        if let Some(too_much) = too_much {
            let text = format!("{} is busy: {too_much} wait already; ask again later", self.name());
            return ticket.finish(Err(ServiceError::runtime(text)));
        }
        match attribute {
            None => {
                let text = format!("'{}' object has no attribute '{}'", self.name(), execution.attribute);
                ticket.finish(Err(ServiceError::attribute(text)));
            }
            Some(Attribute::Constant(json)) => ticket.finish(Ok(json.clone())),
            Some(Attribute::Property(read)) => {
                let read = read.clone();
                self.enqueue_request(ticket, move || caught(|| read()));
            }
            Some(Attribute::Method { name, signature, run }) => {
                let (name, signature) = (name.clone(), signature.clone());
                let notifier = Notifier::new(self.clone());
                let bind = move |execution: Execution| {
                    let arguments = CallArguments::bind(name, signature, &execution.args, &execution.kwargs)?;
                    Ok::<_, ServiceError>((Context::new(notifier, execution), arguments))
                };
                self.run(run.clone(), bind, execution, ticket);
            }
        }
    }

    fn run<B>(&self, run: Run, bind: B, execution: Execution, ticket: Ticket)
    where
        B: FnOnce(Execution) -> Result<(Context, CallArguments), ServiceError> + Send + 'static,
    {
        match run {
            Run::Blocking(run) => self.enqueue_request(ticket, move || {
                bind(execution).and_then(|(cx, arguments)| caught(|| run(&cx, &arguments)))
            }),
            Run::Asynchronous(run) => self.begin(ticket, move || {
                let (cx, arguments) = bind(execution)?;
                catch(|| run(cx, arguments)).map(Caught)
            }),
        }
    }

    /// Runs an asynchronous method beside others; but here and now if it is ready at once, as most are: a task for each would
    /// cost more than what they do.
    fn begin(&self, ticket: Ticket, method: impl FnOnce() -> Result<Caught, ServiceError> + Send + 'static) {
        let here = &mut task::Context::from_waker(Waker::noop());
        match ticket.poll_begin(here) {
            Poll::Ready(true) => {}
            Poll::Ready(false) => return,
            Poll::Pending => return self.runtime().spawn(Box::pin(ticket.run(method))),
        }
        match method() {
            Err(error) => ticket.finish(Err(error)),
            Ok(mut method) => match Pin::new(&mut method).poll(here) {
                Poll::Ready(outcome) => ticket.finish(outcome),
                Poll::Pending => self.runtime().spawn(Box::pin(async move { ticket.finish(method.await) })),
            },
        }
    }

    fn enqueue_request(&self, ticket: Ticket, run: impl FnOnce() -> Outcome + Send + 'static) {
        self.enqueue(Box::new(move || {
            // A runtime may have let it wait for a thread.
            if ticket.is_awaited() {
                ticket.finish(run());
            }
        }));
    }

    /// Runs something that blocks when it is its turn.
    pub(super) fn enqueue(&self, job: Job) {
        self.jobs(|jobs| jobs.waiting.push_back(job));
        self.start_jobs();
    }

    pub(super) fn start_jobs(&self) {
        // One at a time, by a loop: an executor that runs or drops a job at once would otherwise come back to here from
        // within, as often as there are jobs.
        if self.jobs(|jobs| std::mem::replace(&mut jobs.starting, true)) {
            return;
        }
        while let Some(job) = self.next_job() {
            let turn = Turn(self.clone());
            self.runtime().block(Box::new(move || {
                let _turn = turn;
                job();
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_refused_when_their_arguments_are_too_much_together_but_not_a_single_one() {
        let mut jobs = Jobs::default();
        assert_eq!(jobs.enter(WAITING_ARGUMENTS), None);
        assert_eq!(jobs.enter(1).as_deref(), Some("requests of 64 MiB"));
        jobs.leave(1);
        assert_eq!(jobs.enter(0), None);
        jobs.leave(0);
        jobs.leave(WAITING_ARGUMENTS);
        assert_eq!(jobs.enter(WAITING_ARGUMENTS + 1), None, "it is alone");
    }

    #[test]
    fn requests_are_refused_when_they_are_too_many() {
        let mut jobs = Jobs::default();
        assert!((0..WAITING_REQUESTS).all(|_| jobs.enter(0).is_none()));
        assert_eq!(jobs.enter(0).as_deref(), Some("100000 requests"));
        jobs.leave(0);
        jobs.leave(0);
        assert_eq!(jobs.enter(0), None);
    }
}
