//! A child process whose output is collected while it runs, and which ends with the test at the latest.
//!
//! Both output streams are read in the background from the start: a child that nobody reads would block on a full pipe.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::PATIENCE;

/// A running child.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Arc<Output>,
}

#[derive(Debug, Default)]
struct Output {
    state: Mutex<OutputState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct OutputState {
    /// Lines of standard output.
    lines: Vec<String>,
    /// Lines of both streams, as they came.
    log: String,
    /// How many of the two streams are at their end.
    ended: usize,
}

impl Process {
    /// Starts `command`; `name` is for messages.
    pub fn spawn(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {name} ({command:?}): {error}"));
        let output = Arc::new(Output::default());
        collect(Arc::clone(&output), child.stdout.take().expect("it is piped"), true);
        collect(Arc::clone(&output), child.stderr.take().expect("it is piped"), false);
        Self { name: name.to_owned(), input: child.stdin.take(), child, output }
    }

    /// Writes to the child's standard input.
    pub fn write(&mut self, text: &str) {
        let input = self.input.as_mut().expect("its input is open");
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).expect("the child reads its input");
    }

    /// Ends the child's standard input.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until `find` makes something of a line of standard output, from the first line on.
    pub fn wait_for<T>(&self, what: &str, mut find: impl FnMut(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = 0;
        let mut state = self.output.lock();
        loop {
            if let Some(found) = state.lines[seen..].iter().find_map(|line| find(line)) {
                return found;
            }
            seen = state.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} did not print {what} in time:\n{}", self.name, state.log);
            assert!(state.ended < 2, "{} ended without {what}:\n{}", self.name, state.log);
            state = self.output.wait(state, left);
        }
    }

    /// Everything printed so far, on both streams.
    pub fn log(&self) -> String {
        self.output.lock().log.clone()
    }

    /// The lines of standard output so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().lines.clone()
    }

    /// Asks the child to end (SIGTERM).
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks the child to end as a person does at a terminal, with Ctrl+C (SIGINT).
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the child at once (SIGKILL).
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let id =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id is positive");
        rustix::process::kill_process(id, signal).expect("the child can be signalled");
    }

    /// Waits until the child has ended and its output is complete.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        let mut state = self.output.lock();
        while state.ended < 2 {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} did not end within {patience:?}:\n{}", self.name, state.log);
            state = self.output.wait(state, left);
        }
        drop(state);
        self.child.wait().expect("it is our child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either may fail: the child has ended then, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            println!("--- output of {} ---\n{}", self.name, self.log());
        }
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, OutputState> {
        // A test that fails while it holds the lock still wants the log printed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'state>(
        &self,
        state: MutexGuard<'state, OutputState>,
        patience: Duration,
    ) -> MutexGuard<'state, OutputState> {
        self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
    }
}

fn collect(output: Arc<Output>, stream: impl Read + Send + 'static, is_stdout: bool) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let mut state = output.lock();
            writeln!(state.log, "{text}").expect("a String can be written to");
            if is_stdout {
                state.lines.push(text);
            }
            output.changed.notify_all();
        }
        output.lock().ended += 1;
        output.changed.notify_all();
    });
}
