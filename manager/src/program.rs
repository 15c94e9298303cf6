//! What the duties of a Manager need of the program around it: its threads, its timer, and its end.
//!
//! Nothing else in this crate knows a runtime. The program has one, and this is all that it lends.

use std::fmt;
use std::time::Duration;

use msl_network_protocol::drive::Handle;
use msl_network_protocol::mailbox::Notice;

/// Something to be done elsewhere.
pub type Job = Box<dyn FnOnce() + Send>;

/// The program that a Manager runs in.
pub trait Program: Send + Sync + 'static {
    /// Runs a job that may block, where that harms nobody, without holding up the caller.
    fn run_blocking(&self, job: Job);

    /// Runs a job that does not block, after this time, without holding up the caller or a thread meanwhile.
    fn run_later(&self, after: Duration, job: Job);

    /// An administrator wants the Manager to end.
    fn shut_down(&self);
}

/// An answer that a connection waits for. Whatever becomes of the job that makes it, the connection gets one.
pub(crate) struct Owed {
    mailbox: Handle,
    otherwise: Option<Notice>,
}

impl Owed {
    /// The connection with this mailbox is told `otherwise` if it is told nothing else.
    pub(crate) fn new(mailbox: &Handle, otherwise: Notice) -> Self {
        Self { mailbox: mailbox.clone(), otherwise: Some(otherwise) }
    }

    /// Tells whether the connection is still there to hear the answer.
    pub(crate) fn is_awaited(&self) -> impl Fn() -> bool + Send + 'static {
        let mailbox = self.mailbox.clone();
        move || !mailbox.has_ended()
    }

    pub(crate) fn pay(mut self, notice: Notice) {
        self.otherwise = None;
        self.mailbox.tell(notice);
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(notice) = self.otherwise.take() {
            self.mailbox.tell(notice);
        }
    }
}

impl fmt::Debug for dyn Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Program")
    }
}
