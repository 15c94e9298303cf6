//! Sizes and times with units, as people write them: `4 MiB`, `1GB`, `60s`, `5min`.

use std::str::FromStr;
use std::time::Duration;

/// A number of bytes. `KiB`, `MiB`, `GiB` count by 1,024; `kB`, `MB`, `GB` by 1,000; without a unit it is bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(usize);

/// A length of time, which needs a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(Duration);

impl Size {
    pub(crate) fn bytes(self) -> usize {
        self.0
    }
}

impl Time {
    pub(crate) fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = parse_size::parse_size(text)
            .map_err(|error| format!("{error}; a size reads like 4MiB, 1GB or 65536"))?;
        usize::try_from(bytes).map(Self).map_err(|_| "more than this computer can address".to_owned())
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|error| format!("{error}; a time reads like 60s, 5min or 500ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units_or_none() {
        for (text, bytes) in [
            ("65536", 65536),
            ("512MiB", 512 << 20),
            ("4 MiB", 4 << 20),
            ("1GB", 1_000_000_000),
            ("1.5kib", 1536),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [("60s", 60), ("5min", 300), ("1h 30m", 5400)] {
            assert_eq!(text.parse(), Ok(Time(Duration::from_secs(seconds))), "{text}");
        }
        assert!("60".parse::<Time>().unwrap_err().contains("60s"));
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "-1", "four", "1 XB", "99999999999999999999999"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        for text in ["", "-1s", "soon"] {
            assert!(text.parse::<Time>().unwrap_err().contains("5min"), "{text}");
        }
    }
}
