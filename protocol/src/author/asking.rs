//! What the Manager wants to know of a person, and asking for it where that may block.

use std::collections::VecDeque;
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
    /// How often somebody has begun or ceased to be asked: odd while that goes on.
    asked: u64,
}

impl Asking {
    pub(super) fn new(runtime: Arc<dyn Runtime>, answer: Option<AnswerPrompt>) -> Self {
        Self(Arc::new(Inner { runtime, answer, queue: Mutex::default() }))
    }

    /// Has this asked when [`Asking::go_on`] is called next.
    pub(super) fn put(&self, prompt: Prompt) {
        lock(&self.0.queue).prompts.push_back(prompt);
    }

    /// How often somebody has begun or ceased to be asked for something: odd while they are.
    pub(super) fn asked(&self) -> u64 {
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
            if queue.prompts.is_empty() || queue.asked % 2 == 1 {
                return;
            }
            queue.asked += 1;
        }
        let (asking, reply) = (self.clone(), reply());
        let ask = move || {
            while let Some(prompt) = asking.next() {
                let answer = asking.0.answer.as_ref().and_then(|answer| answer(&prompt));
                reply(&prompt, answer);
            }
        };
        if self.0.answer.is_some() {
            self.0.runtime.block(Box::new(ask));
        } else {
            ask();
        }
    }

    fn next(&self) -> Option<Prompt> {
        let mut queue = lock(&self.0.queue);
        let prompt = queue.prompts.pop_front();
        queue.asked += u64::from(prompt.is_none());
        prompt
    }
}
