//! Turns the bytes of a connection into lines.
//!
//! Bytes are received in any cuts and scanned when a line is asked for, so that the caller decides how much work is
//! done in a turn. Each byte is scanned once, when it comes first. What is kept of an incomplete line is bounded by its
//! limit; of a refused one nothing is kept. Easy to get wrong: the same bytes must give the same lines however they are
//! cut, also where a limit is just reached and the CR and LF come separately.

use alloc::{boxed::Box, collections::VecDeque};
use core::mem;

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

use super::{
    Frame,
    error::{Broken, FrameError},
    gather::Gather,
    head::MAX_LINE,
    salvage::Salvage,
    scanner::{Scanner, State, Stop},
    skim::Skim,
};

/// The longest line of text in bytes, without its end. Text is what a person types.
pub const TEXT_LIMIT: usize = 1024 * 1024;

/// A piece smaller than this is gathered with others where it has to wait.
const SMALL: usize = 4096;

/// How long a line may be (docs/wire.md section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line in bytes, without its end; at most [`MAX_LINE`] counts. Lines of text have [`TEXT_LIMIT`], too.
    pub frame: usize,
    /// How many bytes beyond that limit a line may have, all skipped, before it counts as endless (0: none).
    pub skip: usize,
}

/// A line, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A valid JSON object.
    Frame(Frame),
    /// The first byte that is not blank is no `{`: the line as it is, without its end. It may be any bytes.
    Text(Bytes),
    /// Nothing, or only white space.
    Blank,
    /// A line that is refused. It is over: what comes next is another line.
    Broken(Broken),
    /// A line that is too long and does not end. There are no lines after it.
    Endless,
}

/// A connection's incoming bytes.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    /// Received, not scanned. No piece is empty.
    queue: VecDeque<Bytes>,
    /// Small pieces that came behind the queue, gathered: a caller that has to wait may get many.
    small: BytesMut,
    queued: usize,
    mode: Mode,
    /// Are all lines text, whatever they look like?
    text_only: bool,
    scanner: Scanner,
    /// What is scanned of the line and kept.
    kept: Gather,
    /// A line as long as allowed had a CR after it. It may belong to the line's end.
    cr: bool,
}

/// What the line is that is being read.
#[derive(Debug)]
enum Mode {
    /// Blank so far, or an object.
    Object,
    Text,
    Refused(Box<Refused>),
    /// There will be no more lines.
    Ended,
}

/// A line of which nothing is kept.
#[derive(Debug)]
struct Refused {
    error: FrameError,
    skim: Skim,
    /// The limit that the line had.
    text: bool,
    /// How many bytes of it were read.
    read: usize,
    /// Was the last one a CR?
    cr: bool,
}

impl Decoder {
    /// A decoder at the beginning of a line.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            queue: VecDeque::new(),
            small: BytesMut::new(),
            queued: 0,
            mode: Mode::Object,
            text_only: false,
            scanner: Scanner::default(),
            kept: Gather::default(),
            cr: false,
        }
    }

    /// A decoder that gives every line as [`Line::Text`], blank ones and objects too: in the handshake a line may be a
    /// password that looks like anything.
    pub fn for_text(limits: Limits) -> Self {
        Self { mode: Mode::Text, text_only: true, ..Self::new(limits) }
    }

    /// From the next line on, lines are told apart. To be called between two lines.
    pub fn expect_frames(&mut self) {
        self.text_only = false;
        if self.kept.len() == 0 && matches!(self.mode, Mode::Text) {
            self.mode = Mode::Object;
        }
    }

    /// Changes the limits for what is scanned from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Queues bytes. They are scanned by [`next_line`](Self::next_line).
    pub fn receive(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && !matches!(self.mode, Mode::Ended) {
            self.queued += bytes.len();
            if bytes.len() < SMALL && self.queued > bytes.len() {
                self.small.extend_from_slice(&bytes);
            } else {
                self.flush_small();
                self.queue.push_back(bytes);
            }
        }
    }

    /// The next line; `None` when more bytes are needed for it, or after [`Line::Endless`].
    pub fn next_line(&mut self) -> Option<Line> {
        while let Some(mut piece) = self.next_piece() {
            let before = piece.len();
            let line = self.read(&mut piece);
            self.queued -= before - piece.len();
            if matches!(line, Some(Line::Endless)) {
                self.end();
            } else if !piece.is_empty() {
                self.queue.push_front(piece);
            }
            if line.is_some() {
                return line;
            }
        }
        None
    }

    /// How many bytes were received and are not yet scanned.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// How many bytes of the incomplete line are scanned and kept: none of one that is refused already.
    pub fn incomplete(&self) -> usize {
        self.kept.len()
    }

    /// How much memory the incomplete line takes, in bytes: room, not only what is used of it. A large piece that was
    /// received counts with its own size. A line that is refused already counts as nothing (it takes a few KiB).
    pub fn held(&self) -> usize {
        self.kept.held()
    }

    /// Gives up the line that is incomplete, for lack of memory. Its bytes are dropped now, what still comes of it is
    /// skipped, and at its end it is [`Line::Broken`] with [`FrameError::Memory`]. Nothing happens where no byte of a
    /// line is scanned, or where it is refused already.
    pub fn skip_line(&mut self) {
        if self.kept.len() > 0 {
            self.refuse(FrameError::Memory, Bytes::new());
        }
    }

    fn next_piece(&mut self) -> Option<Bytes> {
        if self.queue.is_empty() {
            self.flush_small();
        }
        self.queue.pop_front()
    }

    fn flush_small(&mut self) {
        if !self.small.is_empty() {
            self.queue.push_back(mem::take(&mut self.small).freeze());
        }
    }

    /// Reads from a piece what belongs to one line, or a part of that.
    fn read(&mut self, piece: &mut Bytes) -> Option<Line> {
        let text = match &mut self.mode {
            Mode::Object => false,
            Mode::Text => true,
            Mode::Refused(_) => return self.skip(piece),
            Mode::Ended => {
                piece.clear();
                return None;
            }
        };
        let limit = self.limit(text);
        let room = limit.saturating_sub(self.kept.len());
        let end = match piece.first() {
            Some(b'\n') => 1, // always fits
            _ if room == 0 || self.cr => {
                self.overflow(piece, limit);
                return None;
            }
            _ => piece.len().min(room),
        };
        let (read, stop) = if text { scan_text(&piece[..end]) } else { self.scanner.scan(&piece[..end]) };
        let part = piece.split_to(read);
        match stop {
            Stop::More => self.kept.push(part),
            Stop::Text => {
                self.mode = Mode::Text;
                self.kept.push(part);
            }
            Stop::LineEnd => {
                piece.advance(1);
                return Some(self.finish(part));
            }
            Stop::Refused(error) => self.refuse(error, part),
        }
        None
    }

    /// The line is as long as allowed and goes on: with its end, perhaps.
    fn overflow(&mut self, piece: &mut Bytes, limit: usize) {
        if !self.cr && piece.first() == Some(&b'\r') {
            piece.advance(1);
            self.cr = true;
        } else {
            self.refuse(FrameError::TooLong { limit }, Bytes::new());
        }
    }

    /// The line is complete with this part.
    fn finish(&mut self, part: Bytes) -> Line {
        let mut line = self.kept.finish(part);
        if !mem::take(&mut self.cr) && line.last() == Some(b'\r') {
            line.drop_last();
        }
        let next = self.first_mode();
        if matches!(mem::replace(&mut self.mode, next), Mode::Text) {
            self.scanner = Scanner::default();
            return Line::Text(line.to_bytes());
        }
        if self.scanner.state == State::Start {
            self.scanner = Scanner::default();
            return Line::Blank;
        }
        let (head, outcome) = self.scanner.finish();
        match outcome {
            Ok(()) => Line::Frame(Frame { line, head }),
            Err(error) => Line::Broken(Broken { error, head: Salvage::of(&head, &line) }),
        }
    }

    /// Drops what is kept of the line and goes on to its end; `part` is the last of it that was read.
    fn refuse(&mut self, error: FrameError, part: Bytes) {
        let line = self.kept.finish(part);
        let text = matches!(self.mode, Mode::Text);
        let mut skim = if text { Skim::text() } else { Skim::after(&mut self.scanner, &line, &error) };
        let cr = mem::take(&mut self.cr);
        if cr {
            skim.read(b"\r");
        }
        let read = line.len() + usize::from(cr);
        let cr = cr || line.last() == Some(b'\r');
        self.scanner = Scanner::default();
        self.mode = Mode::Refused(Box::new(Refused { error, skim, text, read, cr }));
    }

    /// Reads on in a refused line.
    fn skip(&mut self, piece: &mut Bytes) -> Option<Line> {
        let Mode::Refused(refused) = &mut self.mode else { return None };
        let end = memchr(b'\n', piece);
        let part = piece.split_to(end.unwrap_or(piece.len()));
        refused.skim.read(&part);
        refused.read = refused.read.saturating_add(part.len());
        refused.cr = part.last().map_or(refused.cr, |&last| last == b'\r');
        let (len, text) = (refused.read - usize::from(refused.cr), refused.text);
        if len > self.limit(text).saturating_add(self.limits.skip) {
            return Some(Line::Endless);
        }
        end?;
        piece.advance(1);
        let next = self.first_mode();
        let Mode::Refused(refused) = mem::replace(&mut self.mode, next) else { return None };
        Some(Line::Broken(Broken { error: refused.error, head: refused.skim.finish() }))
    }

    fn end(&mut self) {
        self.mode = Mode::Ended;
        self.queue = VecDeque::new();
        self.small = BytesMut::new();
        self.queued = 0;
    }

    fn limit(&self, text: bool) -> usize {
        self.limits.frame.min(if text && !self.text_only { TEXT_LIMIT } else { MAX_LINE })
    }

    /// What a line is before its first byte.
    fn first_mode(&self) -> Mode {
        if self.text_only { Mode::Text } else { Mode::Object }
    }
}

fn scan_text(bytes: &[u8]) -> (usize, Stop) {
    match memchr(b'\n', bytes) {
        Some(end) => (end, Stop::LineEnd),
        None => (bytes.len(), Stop::More),
    }
}
