//! Levels of events, by the names and numbers of Python's logging.

use tracing::level_filters::LevelFilter;

/// From which level on events are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(i64);

impl Default for Level {
    /// `INFO`.
    fn default() -> Self {
        Self(INFO)
    }
}

const DEBUG: i64 = 10;
const INFO: i64 = 20;
const WARNING: i64 = 30;
const ERROR: i64 = 40;
const CRITICAL: i64 = 50;

impl Level {
    /// Reads a name in any case, or a number.
    ///
    /// ```
    /// use msl_network_manager::log::Level;
    ///
    /// assert_eq!(Level::parse("info"), Level::parse("20"));
    /// assert_eq!(Level::parse("loud"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(number) = text.parse() {
            return Some(Self(number));
        }
        let number = match text.to_ascii_uppercase().as_str() {
            "NOTSET" => 0,
            "DEBUG" => DEBUG,
            "INFO" => INFO,
            "WARNING" | "WARN" => WARNING,
            "ERROR" => ERROR,
            "CRITICAL" | "FATAL" => CRITICAL,
            _ => return None,
        };
        Some(Self(number))
    }

    /// The most detailed events of `tracing` that this level lets through. Python has nothing below `DEBUG`, so its
    /// level lets `TRACE` through only from 9 down.
    pub(super) fn filter(self) -> LevelFilter {
        match self.0 {
            i64::MIN..DEBUG => LevelFilter::TRACE,
            DEBUG => LevelFilter::DEBUG,
            11..=INFO => LevelFilter::INFO,
            21..=WARNING => LevelFilter::WARN,
            31..=ERROR => LevelFilter::ERROR,
            41..=i64::MAX => LevelFilter::OFF,
        }
    }
}

/// The name that a line shows for an event of this level.
pub(super) fn name(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "ERROR",
        tracing::Level::WARN => "WARNING",
        tracing::Level::INFO => "INFO",
        tracing::Level::DEBUG | tracing::Level::TRACE => "DEBUG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_mean_the_same() {
        for (name, number) in [
            ("NOTSET", "0"),
            ("debug", "10"),
            ("Info", "20"),
            ("WARN", "30"),
            ("error", "40"),
            ("FATAL", "50"),
        ] {
            assert_eq!(Level::parse(name).unwrap(), Level::parse(number).unwrap());
        }
    }

    #[test]
    fn a_number_between_two_levels_lets_the_higher_one_through() {
        let filter = |text| Level::parse(text).unwrap().filter();
        assert_eq!(filter("25"), LevelFilter::WARN);
        assert_eq!(filter("11"), LevelFilter::INFO);
        assert_eq!(filter("-3"), LevelFilter::TRACE);
        assert_eq!(filter("50"), LevelFilter::OFF);
    }

    #[test]
    fn anything_else_is_no_level() {
        for text in ["", "loud", "1.5", "99999999999999999999"] {
            assert_eq!(Level::parse(text), None, "{text}");
        }
    }
}
