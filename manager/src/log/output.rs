//! One place where lines go, written by a thread of its own.
//!
//! The queue is bounded in lines, and a line in bytes, so that an output that has stopped taking anything costs a few
//! megabytes and some lines, and nobody waits for it. Lines that found no room, or that the output did not take (a full
//! disk), are counted, and the count is written as soon as it can be.
//!
//! A line is written at once where nothing was written just before; else it waits for a moment, together with those that
//! come after it. To wake the thread for each line, and to write it alone, costs more than what most lines tell of.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::TARGET;
use super::format::{Format, Record};

/// The lines that may wait. At the usual 100 bytes a line a burst of a second is kept.
const LONGEST_QUEUE: usize = 4096;

/// The bytes that are collected before they are written in one piece.
const BATCH: usize = 64 * 1024;

/// How long the thread rests after it has written: the queue has room for four lines in each microsecond of it.
const GATHERING: Duration = Duration::from_millis(1);

/// How long the end of the program waits before it tries a full queue again.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(5);

enum Item {
    Line(String),
    End(SyncSender<()>),
}

/// A thread that writes lines.
pub(super) struct Output {
    queue: Queue,
}

/// The end of an output where lines are put in.
#[derive(Clone)]
pub(super) struct Queue {
    items: SyncSender<Item>,
    lost: Arc<AtomicU64>,
    format: Format,
}

impl Output {
    /// Starts the thread, which writes lines of this format.
    pub(super) fn start(name: &str, format: Format, sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (items, receiver) = sync_channel(LONGEST_QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let queue = Queue { items, lost: Arc::clone(&lost), format };
        // The thread ends when its queue is gone or told to end; a stalled write must not keep the program from ending,
        // so nobody joins it.
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Nobody has to wake a thread that does not wait for the queue.
            run(&receiver, &lost, format, sink, || thread::sleep(GATHERING));
        })?;
        Ok(Self { queue })
    }

    pub(super) fn queue(&self) -> Queue {
        self.queue.clone()
    }

    /// Waits until what is queued is written, no longer than `limit`. Later lines are lost.
    pub(super) fn finish(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let (done, ended) = sync_channel(1);
        let mut end = Item::End(done);
        // The queue may be full; a sender of this kind cannot wait for a limited time, so it tries again.
        while let Err(TrySendError::Full(back)) = self.queue.items.try_send(end) {
            if Instant::now() >= deadline {
                return;
            }
            end = back;
            thread::sleep(FULL_QUEUE_PAUSE);
        }
        let _ = ended.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Queue {
    /// Puts a line in, or counts it as lost. Never waits.
    pub(super) fn push(&self, record: &Record<'_>) {
        if self.items.try_send(Item::Line(self.format.line(record))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn run(items: &Receiver<Item>, lost: &AtomicU64, format: Format, sink: impl Write, mut rest: impl FnMut()) {
    let mut batch = String::new();
    let mut tail = Tail { sink, torn: false };
    while let Ok(first) = items.recv() {
        let mut next = Ok(first);
        let mut end = None;
        batch.clear();
        loop {
            match next {
                Ok(Item::Line(line)) => batch.push_str(&line),
                Ok(Item::End(done)) => {
                    end = Some(done);
                    break;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
            if batch.len() >= BATCH {
                break;
            }
            next = items.try_recv();
        }
        // A failure costs these lines. The next ones are tried again: a full disk may have been cleared meanwhile.
        let mut missing = tail.write(&batch);
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            let message = format!("{count} lines were lost: the log could not be written, or not as fast");
            let told = tail.write(&format.line(&Record::now("WARNING", TARGET, &message))) == 0;
            missing += if told { 0 } else { count };
        }
        lost.fetch_add(missing, Ordering::Relaxed);
        if let Some(done) = end {
            let _ = done.send(());
            return;
        }
        if batch.len() < BATCH {
            rest();
        }
    }
}

/// Where lines are appended, and how it ends now.
struct Tail<W> {
    sink: W,
    /// The sink has stopped in the middle of a line.
    torn: bool,
}

impl<W: Write> Tail<W> {
    /// Writes lines, each of which begins a line of its own; returns how many were not taken.
    fn write(&mut self, lines: &str) -> u64 {
        let mut left = lines.as_bytes();
        if !self.torn || self.take(b"\n") == 1 {
            left = &left[self.take(left)..];
        }
        let _ = self.sink.flush();
        left.iter().map(|byte| u64::from(*byte == b'\n')).sum()
    }

    /// Writes until all is written or the sink fails; returns how many bytes it has taken.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            match self.sink.write(&bytes[taken..]) {
                Ok(length @ 1..) => taken += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
            }
        }
        if let Some(last) = bytes[..taken].last() {
            self.torn = *last != b'\n';
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    /// A disk: it takes what there is room for, and fails then.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(String, usize)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (content, room) = &mut *self.0.lock().unwrap();
            let length = bytes.len().min(*room);
            *room -= length;
            content.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
            if length == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(length) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Disk {
        fn set_room(&self, bytes: usize) {
            self.0.lock().unwrap().1 = bytes;
        }

        fn content(&self) -> String {
            self.0.lock().unwrap().0.clone()
        }
    }

    #[test]
    fn after_a_full_disk_the_next_line_begins_a_line_of_its_own() {
        let disk = Disk::default();
        let mut tail = Tail { sink: disk.clone(), torn: false };
        disk.set_room("a\nb".len());
        assert_eq!(tail.write("a\nbbb\nc\n"), 2);
        assert_eq!(tail.write("d\n"), 1);
        disk.set_room(usize::MAX);
        assert_eq!(tail.write("e\n"), 0);
        assert_eq!(tail.write("f\n"), 0);
        assert_eq!(disk.content(), "a\nb\ne\nf\n");
    }

    #[test]
    fn what_comes_while_the_thread_rests_is_written_together() {
        let format = Format::Text { width: 5 };
        let (items, receiver) = sync_channel(LONGEST_QUEUE);
        let queue = Queue { items, lost: Arc::default(), format };
        queue.push(&Record::now("INFO", "", "first"));
        let mut writes = Writes::default();
        let (mut rests, mut queue) = (0, Some(queue));
        run(&receiver, &AtomicU64::new(0), format, &mut writes, || {
            rests += 1;
            if let (1, Some(queue)) = (rests, &queue) {
                for text in ["second", "third"] {
                    queue.push(&Record::now("INFO", "", text));
                }
            } else {
                queue = None; // the thread ends with it
            }
        });
        assert_eq!(writes.0.iter().map(|text| text.lines().count()).collect::<Vec<_>>(), [1, 2]);
    }

    /// Each write by itself.
    #[derive(Default)]
    struct Writes(Vec<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_a_full_disk_it_is_said_how_many_lines_were_lost() {
        let disk = Disk::default();
        let output = Output::start("test", Format::Text { width: 5 }, disk.clone()).unwrap();
        let queue = output.queue();
        queue.push(&Record::now("INFO", "", "first"));
        queue.push(&Record::now("INFO", "", "second"));
        while queue.lost.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        disk.set_room(usize::MAX);
        queue.push(&Record::now("INFO", "", "third"));
        output.finish(Duration::from_secs(60));

        let content = disk.content();
        assert!(content.contains("third\n") && content.contains(" 2 lines were lost"), "{content}");
        assert!(!content.contains("first") && !content.contains("second"), "{content}");
    }

    /// A sink that says when it is written to, then waits to be let go on.
    struct Gate {
        written: Arc<Mutex<String>>,
        entered: Sender<()>,
        open: Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.open.recv();
            self.written.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_output_loses_lines_without_holding_anybody_up_and_says_how_many() {
        let written = Arc::new(Mutex::new(String::new()));
        let (entered, inside) = channel();
        let (gate, open) = channel();
        let output = Output::start(
            "test",
            Format::Text { width: 5 },
            Gate { written: Arc::clone(&written), entered, open },
        )
        .unwrap();
        let queue = output.queue();

        queue.push(&Record::now("INFO", "", "first"));
        inside.recv().unwrap(); // the thread is in its write and stays there
        for _ in 0..LONGEST_QUEUE + 5 {
            queue.push(&Record::now("INFO", "", "more"));
        }
        drop(gate); // from now on nothing stalls
        output.finish(Duration::from_secs(60));

        let written = written.lock().unwrap();
        assert_eq!(written.matches("more\n").count(), LONGEST_QUEUE);
        assert!(written.contains("5 lines were lost"), "{}", written.lines().last().unwrap());
    }
}
