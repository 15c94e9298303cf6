//! Executing requests: which thread, how many at once, and that every one gets its answer.
//!
//! Easy to get wrong: a runtime that shuts down drops what it was given. A [`Ticket`] answers its request even then.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use super::outcome::{Caught, caught};
use super::session::ServiceSession;
use super::{Attribute, CallArguments, Context, Notifier, Outcome, Run, SHUTDOWN_SERVICE, ServiceError};
use crate::device::Error;
use crate::service::{Execution, ExecutionId};

/// How many requests may be executed or wait for it, of all clients together. Beyond it, they are refused.
pub const WAITING_REQUESTS: usize = 100_000;

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
}

impl Jobs {
    /// Those that were not started; nobody wants them any more.
    pub(super) fn abandon(&mut self) -> VecDeque<Job> {
        std::mem::take(&mut self.waiting)
    }

    fn next(&mut self, most: usize) -> Option<Job> {
        if self.running >= most {
            return None;
        }
        let job = self.waiting.pop_front()?;
        self.running += 1;
        Some(job)
    }
}

/// A request that has to be answered, once.
pub(super) struct Ticket {
    session: ServiceSession,
    id: ExecutionId,
    shuts_down: bool,
    open: bool,
}

impl Ticket {
    pub(super) fn finish(mut self, outcome: &Outcome) {
        self.open = false;
        self.session.finish(self.id, outcome, self.shuts_down && outcome.is_ok());
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            let error = ServiceError::runtime("the service is being stopped, and has not executed this");
            self.session.finish(self.id, &Err(error), false);
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

/// The author's hook for the end, called even if the runtime drops it.
pub(super) struct Farewell(Option<(super::OnDisconnect, Error)>);

impl Farewell {
    pub(super) fn new(hook: super::OnDisconnect, error: Error) -> Self {
        Self(Some((hook, error)))
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if let Some((hook, error)) = self.0.take() {
            // Its panic concerns nobody else; the panic hook has shown it.
            let _ = caught(|| {
                hook(&error);
                Err(ServiceError::runtime("no answer"))
            });
        }
    }
}

impl ServiceSession {
    /// Executes a request, sooner or later.
    pub(super) fn execute(&self, execution: Execution, executing: usize) {
        let attribute = self.attribute(&execution.attribute);
        let shuts_down = execution.attribute == SHUTDOWN_SERVICE;
        let ticket = Ticket { session: self.clone(), id: execution.id, shuts_down, open: true };
        if executing > WAITING_REQUESTS {
            let text =
                format!("{} is busy: {WAITING_REQUESTS} requests wait already; ask again later", self.name());
            return ticket.finish(&Err(ServiceError::runtime(text)));
        }
        match attribute {
            None => {
                let text = format!("'{}' object has no attribute '{}'", self.name(), execution.attribute);
                ticket.finish(&Err(ServiceError::attribute(text)));
            }
            Some(Attribute::Constant(json)) => ticket.finish(&Ok(json.clone())),
            Some(Attribute::Property(read)) => {
                let read = read.clone();
                self.enqueue(Box::new(move || ticket.finish(&caught(|| read()))));
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
            Run::Blocking(run) => self.enqueue(Box::new(move || {
                let outcome = bind(execution).and_then(|(cx, arguments)| caught(|| run(&cx, &arguments)));
                ticket.finish(&outcome);
            })),
            Run::Asynchronous(run) => self.runtime().spawn(Box::pin(async move {
                let outcome = match bind(execution) {
                    Ok((cx, arguments)) => Caught(Box::pin(async move { run(cx, arguments).await })).await,
                    Err(error) => Err(error),
                };
                ticket.finish(&outcome);
            })),
        }
    }

    /// Runs something that blocks when it is its turn.
    pub(super) fn enqueue(&self, job: Job) {
        self.jobs(|jobs| jobs.waiting.push_back(job));
        self.start_jobs();
    }

    fn start_jobs(&self) {
        // One at a time, by a loop: an executor that runs or drops a job at once would otherwise come back to here from
        // within, as often as there are jobs.
        if self.jobs(|jobs| std::mem::replace(&mut jobs.starting, true)) {
            return;
        }
        let most = self.max_concurrent();
        while let Some(job) = self.jobs(|jobs| {
            let job = jobs.next(most);
            jobs.starting = job.is_some();
            job
        }) {
            let turn = Turn(self.clone());
            self.runtime().block(Box::new(move || {
                let _turn = turn;
                job();
            }));
        }
    }
}
