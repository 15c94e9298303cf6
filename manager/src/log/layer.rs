//! From an event of `tracing` to a line.
//!
//! Runs on the thread where the event happens, so it only formats and queues. Easy to get wrong: `tracing` remembers for
//! each place in the code whether its events are wanted; [`Threshold::set`] makes it ask again.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, callsite};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::{Context, Layer};

use super::TARGET;
use super::escape::Escaped;
use super::format::Record;
use super::level::{self, Level};
use super::output::Queue;

/// Others' events are shown from here up.
const OTHERS: LevelFilter = LevelFilter::WARN;

/// From which level on events are logged; shared with the handle that changes it.
#[derive(Debug)]
pub(super) struct Threshold(Mutex<LevelFilter>);

impl Threshold {
    pub(super) fn new(level: Level) -> Self {
        Self(Mutex::new(level.filter()))
    }

    pub(super) fn set(&self, level: Level) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = level.filter();
        callsite::rebuild_interest_cache();
    }

    fn filter(&self) -> LevelFilter {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let filter = self.filter();
        // The bridge from the `log` crate gives its events one target of its own; the real one is known when they happen.
        if metadata.target() == TARGET {
            *metadata.level() <= filter
        } else {
            *metadata.level() <= filter.min(OTHERS)
        }
    }
}

/// Formats events and puts the lines into the queues of both outputs.
pub(super) struct LogLayer {
    threshold: Arc<Threshold>,
    console: Queue,
    file: Queue,
}

impl LogLayer {
    pub(super) fn new(threshold: Arc<Threshold>, console: Queue, file: Queue) -> Self {
        Self { threshold, console, file }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The answer holds until the threshold changes, which asks again.
        if self.threshold.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.threshold.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.threshold.filter())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let normal = event.normalized_metadata();
        let metadata = normal.as_ref().unwrap_or_else(|| event.metadata());
        let mut record = Record::now(level::name(*metadata.level()), metadata.target(), "");
        event.record(&mut Parts(&mut record));
        self.console.push(&record);
        self.file.push(&record);
    }
}

/// Takes an event apart: its message, and its fields.
struct Parts<'a, 'b>(&'a mut Record<'b>);

impl Parts<'_, '_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // The bridge from the `log` crate adds where the event happened.
        if field.name().starts_with("log.") {
            return;
        }
        // `Escaped` never fails, and a value whose formatting fails has nothing more to say.
        if field.name() == "message" {
            let _ = Escaped::new(&mut self.0.message).write_fmt(value);
        } else {
            let mut text = String::new();
            let _ = Escaped::new(&mut text).write_fmt(value);
            self.0.fields.push((field.name(), text));
        }
    }
}

impl Visit for Parts<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, format_args!("{value:?}"));
    }
}
