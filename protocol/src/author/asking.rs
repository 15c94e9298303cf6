//! What the Manager wants to know of a person, and asking for it where that may block.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use super::{AnswerPrompt, Runtime};
use crate::device::Prompt;
use crate::drive::lock;

/// The prompts of one connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Asking(Arc<Inner>);

struct Inner {
    runtime: Arc<dyn Runtime>,
    answer: Option<AnswerPrompt>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    prompts: VecDeque<Prompt>,
    asked: Asked,
}

/// How often a person was asked, and has been done with answering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    begun: u64,
    done: u64,
}

impl Asked {
    /// Whether somebody is being asked now.
    pub(super) fn goes_on(self) -> bool {
        self.begun > self.done
    }
}

impl Asking {
    pub(super) fn new(runtime: Arc<dyn Runtime>, answer: Option<AnswerPrompt>) -> Self {
        Self(Arc::new(Inner { runtime, answer, queue: Mutex::default() }))
    }

    /// Has this asked when [`Asking::go_on`] is called next.
    pub(super) fn put(&self, prompt: Prompt) {
        lock(&self.0.queue).prompts.push_back(prompt);
    }

    /// How often somebody was asked so far.
    pub(super) fn asked(&self) -> Asked {
        lock(&self.0.queue).asked
    }

    /// Asks what is to be asked, one after the other, unless that goes on already. To be called without a lock; `reply`
    /// makes what takes the answers.
    pub(super) fn go_on<R>(&self, reply: impl FnOnce() -> R)
    where
        R: Fn(&Prompt, Option<String>) + Send + 'static,
    {
        {
            let mut queue = lock(&self.0.queue);
            if queue.prompts.is_empty() || queue.asked.goes_on() {
                return;
            }
            queue.asked.begun += 1;
        }
        let (asking, reply) = (self.clone(), reply());
        let ask = move || {
            while let Some(prompt) = asking.next() {
                reply(&prompt, asking.ask(&prompt));
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

    fn next(&self) -> Option<Prompt> {
        let mut queue = lock(&self.0.queue);
        let prompt = queue.prompts.pop_front();
        queue.asked.done += u64::from(prompt.is_none());
        prompt
    }
}
