//! The connections table: who connected from where, and what became of it.
//!
//! Rows are kept for a time and up to a number ([`ConnectionLimits`]), so that a small disk does not fill; each write
//! removes what is beyond. They are kept with the time as such and shown with the time of this computer's clock,
//! as the Python package does.
//!
//! Easy to get wrong: most of a row is a stranger's text, so each part of it has a limit, too.

use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use msl_network_protocol::json::python_repr;
use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use crate::{Error, Kind};

use super::Store;
use super::fault::Fault;
use super::schema::{CONNECTIONS, ConnectionColumns, META, NEXT_CONNECTION_KEY};

/// The longest text in a row, in bytes. Longer ones are cut.
const LONGEST_TEXT: usize = 256;

/// The rows that one write removes at most. A table that is far beyond its limits, as they were made smaller, would
/// otherwise be locked for long.
const REMOVED_AT_ONCE: usize = 10_000;

/// How much of the past is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// For how long. A year as a default.
    pub age: Duration,
    /// How many rows: the newest. 100,000 as a default, which take about 15 MB.
    pub rows: u64,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { age: Duration::from_secs(365 * 24 * 60 * 60), rows: 100_000 }
    }
}

impl ConnectionLimits {
    /// The oldest second that is kept.
    pub(super) fn oldest(&self, now: i64) -> i64 {
        now.saturating_sub_unsigned(self.age.as_secs())
    }
}

/// Something that happened to a connection, at the moment when it is [recorded](super::ConnectionLog::record).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where the device is.
    pub ip: IpAddr,
    /// The host name of the address, or the address where it has none.
    pub host_name: String,
    /// The device's own port.
    pub port: u16,
    /// What happened.
    pub message: String,
    /// Who logged in, or tried to.
    pub user: Option<String>,
}

/// A row of the table. Its fields have the names and the order of the Python package's columns; `user` is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// A running number.
    pub pid: u64,
    /// The time on this computer's clock, `yyyy-mm-ddTHH:MM:SS`.
    pub datetime: String,
    /// The IP address of the device.
    pub ip_address: String,
    /// Its host name, or its address again.
    pub domain: String,
    /// Its port.
    pub port: u16,
    /// What happened.
    pub message: String,
    /// Who logged in or tried to, where that is known.
    pub user: Option<String>,
}

/// An entry with its time in seconds since 1970, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) time: i64,
    pub(super) ip: String,
    pub(super) host_name: String,
    pub(super) port: u16,
    pub(super) message: String,
    pub(super) user: Option<String>,
}

impl Record {
    /// An entry, as of now.
    pub(super) fn now(entry: Entry) -> Self {
        Self {
            time: now(),
            ip: entry.ip.to_canonical().to_string(),
            host_name: cut(entry.host_name),
            port: entry.port,
            message: cut(entry.message),
            user: entry.user.map(cut),
        }
    }

    fn row(self, pid: u64, zone: &TimeZone) -> Row {
        Row {
            pid,
            datetime: shown(self.time, zone),
            ip_address: self.ip,
            domain: self.host_name,
            port: self.port,
            message: self.message,
            user: self.user,
        }
    }
}

/// The table of connections.
#[derive(Clone, Copy, Debug)]
pub struct Connections<'a> {
    store: &'a Store,
}

impl<'a> Connections<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// The rows of a period, oldest first. `start` and `end` are in it; each is `yyyy-mm-ddTHH:MM:SS`, or `yyyy-mm-dd` for
    /// the beginning of that day as `start` and its end as `end`. `None` is without a limit.
    ///
    /// # Errors
    /// [`Kind::Value`] when `start` or `end` is no such time. Others when the store fails.
    pub fn query(&self, start: Option<&str>, end: Option<&str>) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        self.each(start, end, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The same, row by row: nothing is kept here of what may be a large table.
    ///
    /// # Errors
    /// As [`Connections::query`]; that of `then`, which ends it.
    pub fn each(
        &self,
        start: Option<&str>,
        end: Option<&str>,
        mut then: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let zone = TimeZone::system();
        let first = start.map_or(Ok(i64::MIN), |text| seconds(text, Bound::Start, &zone))?;
        let last = end.map_or(Ok(i64::MAX), |text| seconds(text, Bound::End, &zone))?;
        if first > last {
            return Ok(());
        }
        self.store.read(|transaction| {
            let table = transaction.open_table(CONNECTIONS)?;
            for entry in between(&table, first, last)? {
                let (pid, record) = entry?;
                then(record.row(pid, &zone))?;
            }
            Ok(())
        })
    }
}

/// The rows of a period, both of whose ends are in it, with their numbers; oldest first.
pub(super) fn between(
    table: &impl ReadableTable<(i64, u64), ConnectionColumns<'static>>,
    first: i64,
    last: i64,
) -> Result<impl Iterator<Item = Result<(u64, Record), Fault>>, Fault> {
    let rows = table.range((first, 0)..=(last, u64::MAX))?;
    Ok(rows.map(|entry| {
        let (key, columns) = entry?;
        let ((time, pid), (ip, host_name, port, message, user)) = (key.value(), columns.value());
        let record = Record {
            time,
            ip: ip.to_owned(),
            host_name: host_name.to_owned(),
            port,
            message: message.to_owned(),
            user: user.map(str::to_owned),
        };
        Ok((pid, record))
    }))
}

/// Adds rows, and removes those that are beyond the limits.
pub(super) fn append(
    transaction: &WriteTransaction,
    records: &[Record],
    limits: &ConnectionLimits,
) -> Result<(), Fault> {
    let mut meta = transaction.open_table(META)?;
    let mut table = transaction.open_table(CONNECTIONS)?;
    let mut pid = meta.get(NEXT_CONNECTION_KEY)?.map_or(1, |pid| pid.value());
    for record in records {
        let columns = (
            record.ip.as_str(),
            record.host_name.as_str(),
            record.port,
            record.message.as_str(),
            record.user.as_deref(),
        );
        table.insert((record.time, pid), columns)?;
        pid += 1;
    }
    meta.insert(NEXT_CONNECTION_KEY, pid)?;
    let oldest = limits.oldest(now());
    for _ in 0..REMOVED_AT_ONCE {
        let Some(time) = table.first()?.map(|(key, _)| key.value().0) else { break };
        if time >= oldest && table.len()? <= limits.rows {
            break;
        }
        table.pop_first()?;
    }
    Ok(())
}

/// The time in seconds since 1970.
pub(super) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Which end of a period a time is.
#[derive(Clone, Copy)]
enum Bound {
    Start,
    End,
}

fn seconds(text: &str, bound: Bound, zone: &TimeZone) -> Result<i64, Error> {
    let civil = match (text.parse::<Date>(), bound) {
        (Ok(date), Bound::End) if text.len() == "yyyy-mm-dd".len() => {
            Ok(date.tomorrow().unwrap_or(date).to_datetime(jiff::civil::Time::midnight()) - 1.second())
        }
        _ => text.parse::<DateTime>(),
    };
    civil.ok().and_then(|civil| instant(civil, zone)).ok_or_else(|| {
        let text = python_repr(text);
        Error::new(
            Kind::Value,
            format!("{text} is not a time; write it as 'yyyy-mm-dd' or 'yyyy-mm-ddTHH:MM:SS'"),
        )
    })
}

/// The second at which clocks in that zone show a time; the first one where they show it twice.
pub(super) fn instant(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    zone.to_timestamp(civil).ok().map(Timestamp::as_second)
}

fn shown(time: i64, zone: &TimeZone) -> String {
    // Only what is a time was written; should the file say otherwise, a row is still shown.
    let time = Timestamp::from_second(time).unwrap_or(Timestamp::UNIX_EPOCH);
    zone.to_datetime(time).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Cuts a text at its limit, between two characters.
pub(super) fn cut(mut text: String) -> String {
    let mut end = LONGEST_TEXT.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Zurich").unwrap_or(TimeZone::UTC)
    }

    fn second(text: &str, bound: Bound) -> Option<String> {
        seconds(text, bound, &zone()).ok().map(|second| shown(second, &zone()))
    }

    #[test]
    fn a_time_is_shown_as_it_was_given() {
        for text in ["2026-11-22T17:35:04", "1999-12-31T23:59:59"] {
            assert_eq!(second(text, Bound::Start).as_deref(), Some(text));
            assert_eq!(second(text, Bound::End).as_deref(), Some(text));
        }
        assert_eq!(second("2026-11-22 17:35:04", Bound::Start).as_deref(), Some("2026-11-22T17:35:04"));
    }

    #[test]
    fn a_date_alone_is_the_whole_day() {
        assert_eq!(second("2024-02-29", Bound::Start).as_deref(), Some("2024-02-29T00:00:00"));
        assert_eq!(second("2024-02-29", Bound::End).as_deref(), Some("2024-02-29T23:59:59"));
    }

    #[test]
    fn what_is_no_time_is_an_error_that_says_how_to_write_one() {
        for text in ["", "now", "2024-02-30", "2024", "22.11.2026", "2024-01-01T25:00:00", "9999-99-99"] {
            let error = seconds(text, Bound::End, &zone()).unwrap_err().to_string();
            assert!(error.starts_with("ValueError: ") && error.contains("yyyy-mm-dd"), "{error}");
        }
    }

    #[test]
    fn rows_that_are_too_old_are_removed_with_the_next_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let limits = ConnectionLimits { age: Duration::from_secs(3600), ..ConnectionLimits::default() };
        let record = |age| Record {
            time: now() - age,
            ip: String::new(),
            host_name: String::new(),
            port: 0,
            message: format!("{age} seconds ago"),
            user: None,
        };
        let all = ConnectionLimits { age: Duration::MAX, rows: u64::MAX };
        store.write(|transaction| append(transaction, &[record(7200), record(60)], &all)).unwrap();
        assert_eq!(store.connections().query(None, None).unwrap().len(), 2);

        store.write(|transaction| append(transaction, &[record(0)], &limits)).unwrap();

        let rows = store.connections().query(None, None).unwrap();
        let messages: Vec<_> = rows.iter().map(|row| row.message.as_str()).collect();
        assert_eq!(messages, ["60 seconds ago", "0 seconds ago"]);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_no_rows() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db")).unwrap();
        let limits = ConnectionLimits { rows: 3, ..ConnectionLimits::default() };
        let at = |time: i64, port| Record {
            time,
            ip: String::new(),
            host_name: String::new(),
            port,
            message: String::new(),
            user: None,
        };
        let ports = || -> Vec<u16> {
            store.connections().query(None, None).unwrap().iter().map(|row| row.port).collect()
        };
        let (day, year) = (24 * 60 * 60, 365 * 24 * 60 * 60);

        // The clock is a year ahead for a while, and then right again.
        for (time, port) in [(now() - day, 1), (now() + year, 2), (now(), 3)] {
            store.write(|transaction| append(transaction, &[at(time, port)], &limits)).unwrap();
        }
        assert_eq!(ports(), [1, 3, 2]);

        // Beyond the number, the oldest goes, and not what is written now.
        store.write(|transaction| append(transaction, &[at(now() + 1, 4)], &limits)).unwrap();
        assert_eq!(ports(), [3, 4, 2]);
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!(cut("x".repeat(300)).len(), 256);
        assert_eq!(cut("\u{20ac}".repeat(100)).len(), 255);
    }

    #[test]
    fn an_ipv4_address_in_ipv6_form_is_kept_as_ipv4() {
        let entry = Entry {
            ip: "::ffff:10.0.0.7".parse().unwrap(),
            host_name: "bench3".to_owned(),
            port: 1,
            message: String::new(),
            user: None,
        };
        assert_eq!(Record::now(entry).ip, "10.0.0.7");
    }
}
