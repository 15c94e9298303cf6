//! The log of a Manager: to the console and into a file, a line an event.
//!
//! Events come through `tracing`. Those of this project have the target [`TARGET`]; others' (of rustls, say) are shown from
//! warnings up. A line reads `YYYY-MM-DD HH:MM:SS.mmm [LEVEL] msl.network - text`, as the Python Manager writes it, and
//! is one line whatever a peer sent: control characters are escaped here, where the text is formatted, so that no
//! other place needs to remember it. With [`Layout::Json`] it is an object, for programs that collect logs.
//!
//! Logging must never hold up brokering: lines go through a bounded queue to a thread for each output, so that a stalled
//! console does not even stop the file. When a queue is full, lines are dropped and counted, and the count is logged as
//! soon as there is room. An output that fails (a full disk, a closed pipe) is no error for anybody.

pub(crate) mod escape;
mod format;
mod layer;
mod level;
mod output;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;

pub use format::Layout;
pub use level::Level;

use crate::{Error, Home, Kind};
use format::Format;
use layer::{LogLayer, Threshold};
use output::Output;

/// The target of the events of this project, and the name that their lines show.
pub const TARGET: &str = "msl.network";

/// How long the end of the program waits for each output to take what is queued.
const FLUSH: Duration = Duration::from_secs(2);

/// A log that is being written. Dropping it writes what is still queued.
pub struct Log {
    threshold: Arc<Threshold>,
    console: Output,
    file: Output,
    path: PathBuf,
}

impl Log {
    /// Starts the log of this process, to standard output and into the file; makes the file's folder, and empties a file
    /// that is there.
    ///
    /// # Errors
    /// When the file cannot be made, or the process has a log already.
    pub fn start(level: Level, layout: Layout, file: &Path) -> Result<Self, Error> {
        let (log, subscriber) = Self::new(level, layout, file, Box::new(io::stdout()))?;
        let twice = "the log of this process has been started already";
        tracing::subscriber::set_global_default(subscriber)
            .map_err(|error| Error::with_source(Kind::Runtime, twice, error))?;
        // Libraries that log through the `log` crate (rustls) come in as well, and cost nothing below a warning. If an
        // embedding program has a bridge of its own, that one stays.
        let _ = tracing_log::LogTracer::builder().with_max_level(tracing_log::log::LevelFilter::Warn).init();
        Ok(log)
    }

    /// A log and the subscriber that feeds it, for a program that installs its own.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(
        level: Level,
        layout: Layout,
        file: &Path,
        console: Box<dyn Write + Send>,
    ) -> Result<(Self, impl Subscriber + Send + Sync), Error> {
        let failed = |error| Error::io("cannot make the log file", file, error);
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        // Each line goes to the end of the file as it is then: where another Manager that started in the same second writes
        // into it, too, or somebody empties it meanwhile to save room, no line is written over another.
        let emptied = File::create(file).map_err(failed)?;
        let handle = OpenOptions::new().append(true).open(file).map_err(failed)?;
        drop(emptied);
        let console = Output::start("log-console", Format::new(layout, 5), console).map_err(failed)?;
        let output = Output::start("log-file", Format::new(layout, 8), handle).map_err(failed)?;
        let threshold = Arc::new(Threshold::new(level));
        let layer = LogLayer::new(Arc::clone(&threshold), console.queue(), output.queue());
        let log = Self { threshold, console, file: output, path: file.to_owned() };
        Ok((log, tracing_subscriber::registry().with(layer)))
    }

    /// The file where the log goes when nobody says otherwise: named after this moment, in local time.
    pub fn default_file(home: &Home) -> PathBuf {
        home.logs().join(format!("manager-{}.log", Zoned::now().strftime("%Y-%m-%d-%H-%M-%S")))
    }

    /// A handle to change from elsewhere which events are logged.
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.threshold))
    }

    /// The file that is written.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Changes which events are logged. It keeps no log alive.
#[derive(Clone, Debug)]
pub struct Control(Arc<Threshold>);

impl Control {
    /// Changes which events are logged, from now on.
    pub fn set_level(&self, level: Level) {
        self.0.set(level);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.console.finish(FLUSH);
        self.file.finish(FLUSH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tracing::subscriber::with_default;
    use tracing::{debug, error, info, warn};

    /// A console that a test can read.
    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the console and the file show of the events that `act` causes.
    fn logged(level: &str, act: impl FnOnce(&Log)) -> (String, String) {
        logged_as(Layout::Text, level, act)
    }

    fn logged_as(layout: Layout, level: &str, act: impl FnOnce(&Log)) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs").join("a.log");
        let screen = Screen::default();
        let (log, subscriber) =
            Log::new(Level::parse(level).unwrap(), layout, &path, Box::new(screen.clone())).unwrap();
        with_default(subscriber, || act(&log));
        drop(log);
        let console = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        (console, fs::read_to_string(path).unwrap())
    }

    /// Without the date and time at the start of each line.
    fn texts(lines: &str) -> Vec<&str> {
        lines.lines().map(|line| &line["2026-01-02 03:04:05.678 ".len()..]).collect()
    }

    #[test]
    fn a_line_begins_with_local_date_and_time_in_milliseconds() {
        let (console, _) = logged("INFO", |_| info!(target: TARGET, "x"));
        let shape: String = console.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00 00:00:00.000 [INFO ] msl.network - x\n");
    }

    #[test]
    fn levels_have_pythons_names_padded_to_5_and_to_8() {
        let (console, file) = logged("DEBUG", |_| {
            debug!(target: TARGET, "a");
            info!(target: TARGET, "b");
            warn!(target: TARGET, "c");
            error!(target: TARGET, "d");
        });
        let expected = [
            "[DEBUG] msl.network - a",
            "[INFO ] msl.network - b",
            "[WARNING] msl.network - c",
            "[ERROR] msl.network - d",
        ];
        assert_eq!(texts(&console), expected);
        let expected = [
            "[DEBUG   ] msl.network - a",
            "[INFO    ] msl.network - b",
            "[WARNING ] msl.network - c",
            "[ERROR   ] msl.network - d",
        ];
        assert_eq!(texts(&file), expected);
    }

    #[test]
    fn two_logs_in_one_file_do_not_write_over_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let start = || Log::new(Level::default(), Layout::Text, &path, Box::new(io::sink())).unwrap();
        let (first, second) = (start(), start());
        for (text, (log, subscriber)) in [("a long line of the first", first), ("of the second", second)] {
            with_default(subscriber, || info!(target: TARGET, "{text}"));
            drop(log);
        }
        let file = fs::read_to_string(path).unwrap();
        assert_eq!(
            texts(&file),
            ["[INFO    ] msl.network - a long line of the first", "[INFO    ] msl.network - of the second"]
        );
    }

    #[test]
    fn the_level_can_be_changed_while_running() {
        let (console, _) = logged("WARNING", |log| {
            // The same place in the code each time: whether it is logged must not be remembered.
            let event = |text: &str| info!(target: TARGET, "{text}");
            event("before");
            log.control().set_level(Level::parse("10").unwrap());
            event("after");
            log.control().set_level(Level::parse("critical").unwrap());
            event("silent");
        });
        assert_eq!(texts(&console), ["[INFO ] msl.network - after"]);
    }

    #[test]
    fn other_programs_parts_are_shown_from_warnings_up_under_their_name() {
        let (console, _) = logged("DEBUG", |_| {
            info!(target: "rustls::conn", "no");
            warn!(target: "rustls::conn", "yes");
        });
        assert_eq!(texts(&console), ["[WARNING] rustls::conn - yes"]);
    }

    #[test]
    fn a_line_is_one_line_whatever_a_peer_sent() {
        let (console, _) = logged("INFO", |_| info!(target: TARGET, name = "\u{1b}[2Jx", "a\r\nb\u{202e}"));
        assert_eq!(texts(&console), [r"[INFO ] msl.network - a\r\nb\u{202e} name=\u{1b}[2Jx"]);
    }

    #[test]
    fn with_json_each_line_is_one_object_on_the_console_and_in_the_file() {
        let (console, file) = logged_as(Layout::Json, "INFO", |_| {
            info!(target: TARGET, name = "x\"y", port = 5, "a\r\n\u{1b}b\u{202e}\\");
            warn!(target: TARGET, "µ");
        });
        assert_eq!(console, file);
        let lines: Vec<serde_json::Value> =
            console.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["logger"], "msl.network");
        assert_eq!(lines[0]["message"], r"a\r\n\u{1b}b\u{202e}\");
        assert_eq!(lines[0]["fields"], serde_json::json!({"name": "x\"y", "port": "5"}));
        assert!(lines[0]["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{}", lines[0]);
        assert_eq!(lines[1]["message"], "µ");
        assert_eq!(lines[1].get("fields"), None);
    }

    #[test]
    fn an_output_that_fails_does_not_stop_the_other() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let (log, subscriber) = Log::new(Level::default(), Layout::Text, &path, Box::new(Broken)).unwrap();
        with_default(subscriber, || info!(target: TARGET, "x"));
        drop(log);
        assert_eq!(texts(&fs::read_to_string(path).unwrap()), ["[INFO    ] msl.network - x"]);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            Log::new(Level::default(), Layout::Text, folder.path(), Box::new(io::sink())).err().unwrap();
        assert!(error.to_string().contains("cannot make the log file"), "{error}");
    }

    #[test]
    fn the_default_file_is_named_after_the_moment() {
        let path = Log::default_file(&Home::at("/h"));
        let name = path.file_name().unwrap().to_str().unwrap();
        let shape: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "manager-0000-00-00-00-00-00.log");
        assert!(path.starts_with("/h/logs"));
    }
}
