//! What the Manager wants to know of a person, and asking for it where that may block.
//!
//! Easy to get wrong: a person may take longer than a connection lasts. Nobody is asked two things at once, also if another
//! connection has taken its place meanwhile; and an answer counts for the connection that it was asked for.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use super::{AnswerPrompt, Runtime};
use crate::device::Prompt;
use crate::drive::lock;

/// The prompts of one session. Cheap to clone.
#[derive(Clone)]
pub(super) struct Asking(Arc<Inner>);

struct Inner {
    runtime: Arc<dyn Runtime>,
    answer: Option<AnswerPrompt>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Each with the number of the connection that it is for.
    prompts: VecDeque<(u64, Prompt)>,
    /// Whether a thread asks what is in here.
    runs: bool,
    /// For which connection somebody is being asked now.
    now: Option<u64>,
    answered: u64,
}

/// Whether a person has something to answer for a connection, and how often anybody has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) goes_on: bool,
    answered: u64,
}

impl Asking {
    pub(super) fn new(runtime: Arc<dyn Runtime>, answer: Option<AnswerPrompt>) -> Self {
        Self(Arc::new(Inner { runtime, answer, queue: Mutex::default() }))
    }

    /// Has this asked when [`Asking::go_on`] is called next.
    pub(super) fn put(&self, number: u64, prompt: Prompt) {
        lock(&self.0.queue).prompts.push_back((number, prompt));
    }

    /// Nobody needs to know any more what has not been asked yet.
    pub(super) fn forget(&self) {
        lock(&self.0.queue).prompts.clear();
    }

    /// What was asked for this connection so far.
    pub(super) fn asked(&self, number: u64) -> Asked {
        let queue = lock(&self.0.queue);
        let waits = queue.prompts.iter().any(|(asking, _)| *asking == number);
        Asked { goes_on: waits || queue.now == Some(number), answered: queue.answered }
    }

    /// Asks what is to be asked, one after the other, unless that goes on already. To be called without a lock; `reply`
    /// makes what takes the answers.
    pub(super) fn go_on<R>(&self, reply: impl FnOnce() -> R)
    where
        R: Fn(u64, &Prompt, Option<String>) + Send + 'static,
    {
        {
            let mut queue = lock(&self.0.queue);
            if queue.prompts.is_empty() || queue.runs {
                return;
            }
            queue.runs = true;
        }
        let (asking, reply) = (self.clone(), reply());
        let ask = move || {
            while let Some((number, prompt)) = asking.next() {
                reply(number, &prompt, asking.ask(&prompt));
            }
        };
        if self.0.answer.is_some() {
            self.0.runtime.block(Box::new(ask));
        } else {
            ask();
        }
    }

    /// The author's answer. A panic is none.
    fn ask(&self, prompt: &Prompt) -> Option<String> {
        let answer = self.0.answer.as_ref()?;
        catch_unwind(AssertUnwindSafe(|| answer(prompt))).ok().flatten()
    }

    fn next(&self) -> Option<(u64, Prompt)> {
        let mut queue = lock(&self.0.queue);
        let next = queue.prompts.pop_front();
        let before = std::mem::replace(&mut queue.now, next.as_ref().map(|(number, _)| *number));
        queue.answered += u64::from(before.is_some());
        queue.runs = next.is_some();
        next
    }
}
