//! The store as its users see it: the file, who may share it, and what stands in the way.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::thread;

use msl_network_manager::store::{ConnectionLimits, ConnectionLog, Entry, User};
use msl_network_manager::{Kind, Secret, Store, computer};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn entry(message: &str) -> Entry {
    Entry {
        ip: IpAddr::from([192, 168, 1, 7]),
        host_name: "bench3".to_owned(),
        port: 50123,
        message: message.to_owned(),
        user: None,
    }
}

fn refused(path: &Path) -> String {
    Store::open(path).unwrap_err().to_string()
}

#[test]
fn a_new_store_is_made_with_its_folders_and_trusts_this_computer() {
    let folder = folder();
    let path = folder.path().join("a").join("b").join("manager.redb");

    let store = Store::open(&path).unwrap();

    assert!(store.users().is_empty().unwrap());
    assert!(store.connections().query(None, None).unwrap().is_empty());
    assert_eq!(store.hostnames().list().unwrap(), Vec::from_iter(computer::own_names()));
    assert!(store.hostnames().list().unwrap().contains(&"localhost".to_owned()));
    let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn an_emptied_table_of_host_names_stays_empty() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    for name in store.hostnames().list().unwrap() {
        store.hostnames().remove(&name, "remove").unwrap();
    }

    let store = Store::open(store.path()).unwrap();

    assert!(store.hostnames().is_empty().unwrap());
    assert_eq!(store.hostnames().list().unwrap(), [""; 0]);
}

#[test]
fn what_one_handle_changes_counts_for_the_other_at_once() {
    let folder = folder();
    let one = Store::open(folder.path().join("db")).unwrap();
    let other = Store::open(folder.path().join("db")).unwrap();

    one.users().insert("ann", &Secret::new("x"), false).unwrap();
    other.users().update("ann", None, Some(true)).unwrap();

    assert_eq!(one.users().list().unwrap(), [User { name: "ann".to_owned(), administrator: true }]);
    assert!(one.users().check("ann", "x").unwrap().unwrap().administrator);
}

#[test]
fn many_threads_with_handles_of_their_own_lose_nothing() {
    let folder = folder();
    let path = folder.path().join("db");
    let store = Store::open(&path).unwrap();

    thread::scope(|scope| {
        for thread in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for number in 0..10 {
                    Store::open(path).unwrap().hostnames().insert(&format!("h{thread}-{number}")).unwrap();
                }
            });
        }
    });

    let names = store.hostnames().list().unwrap();
    assert_eq!(names.iter().filter(|name| name.starts_with('h')).count(), 40, "{names:?}");
}

#[test]
fn a_database_that_is_removed_meanwhile_is_made_anew() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    store.users().insert("ann", &Secret::new("x"), true).unwrap();

    fs::remove_file(store.path()).unwrap();

    assert_eq!(store.users().check("ann", "x").unwrap(), None);
    store.hostnames().insert("bench3").unwrap();
    assert!(store.hostnames().list().unwrap().contains(&"bench3".to_owned()));
}

#[test]
fn a_database_of_the_python_package_is_answered_with_the_command_that_imports_it() {
    let folder = folder();
    let path = folder.path().join("manager.sqlite3");
    fs::write(&path, b"SQLite format 3\0 and so on").unwrap();

    let message = refused(&path);

    assert!(message.starts_with("ValueError: "), "{message}");
    assert!(message.contains(&format!("msl-network import {}", path.display())), "{message}");
    assert_eq!(fs::read(&path).unwrap(), b"SQLite format 3\0 and so on");
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_as_it_is() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    for content in ["", "hello", "a text that is longer than any of the marks that a database begins with"] {
        fs::write(&path, content).unwrap();
        assert!(refused(&path).starts_with("ValueError: "), "{content}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    assert!(refused(folder.path()).starts_with("OSError: "));
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = folder();
    let path = folder.path().join("other.redb");
    drop(redb::Database::create(&path).unwrap());

    assert_eq!(refused(&path), "ValueError: the database belongs to another program; name another file");
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let folder = folder();
    let path = folder.path().join("db");
    Store::open(&path).unwrap();
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, u64>::new("msl-network");
    transaction.open_table(meta).unwrap().insert("version", 2).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let message = refused(&path);

    assert!(message.starts_with("ValueError: the database has version 2"), "{message}");
}

#[test]
fn a_damaged_database_is_an_error() {
    let folder = folder();
    let path = folder.path().join("db");
    Store::open(&path).unwrap();
    let content = fs::read(&path).unwrap();
    for length in [16, 100, 4096, content.len() / 2] {
        fs::write(&path, &content[..length]).unwrap();
        assert!(refused(&path).starts_with("OSError: "), "{length}");
    }
}

#[cfg(unix)]
#[test]
fn it_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    store.hostnames().insert("bench3").unwrap();
    assert_eq!(fs::metadata(store.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Root may write to it all the same.
#[cfg(unix)]
#[test]
fn a_database_that_may_only_be_read_can_be_listed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("db");
    Store::open(&path).unwrap().users().insert("ann", &Secret::new("open sesame"), true).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();

    let store = Store::open_to_read(&path).unwrap();
    assert_eq!(store.users().names().unwrap(), ["ann"]);
    if Store::open(&path).is_err() {
        let error = store.users().remove("ann", "remove").unwrap_err();
        assert_eq!(error.kind(), Kind::Permission, "{error}");
    }
}

#[test]
fn a_computer_that_is_removed_is_not_trusted_under_another_spelling() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    let hostnames = store.hostnames();
    for name in ["Bench-3", "bench-3", "bench-30"] {
        hostnames.insert(name).unwrap();
    }
    hostnames.remove("BENCH-3", "remove").unwrap();
    let left = hostnames.list().unwrap();
    assert!(left.contains(&"bench-30".to_owned()), "{left:?}");
    assert!(!left.iter().any(|name| name.eq_ignore_ascii_case("bench-3")), "{left:?}");
    assert!(hostnames.remove("bench-3", "remove").is_err());
}

#[test]
fn a_host_name_is_one_word() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    for name in ["", "two words", "line\nbreak", &"x".repeat(254)] {
        assert_eq!(store.hostnames().insert(name).unwrap_err().kind(), Kind::Value, "{name:?}");
    }
}

#[test]
fn a_user_that_nobody_could_log_in_as_is_refused() {
    let folder = folder();
    let users = Store::open(folder.path().join("db")).unwrap();
    let users = users.users();
    let long = "x".repeat(257);
    for name in ["", "ann:12", "Manager[lab-7:1875]", "a\nb", "\u{202e}nna", &long] {
        assert_eq!(users.insert(name, &Secret::new("x"), false).unwrap_err().kind(), Kind::Value, "{name:?}");
    }
    let too_long = Secret::new("x".repeat(4097));
    assert_eq!(users.insert("ann", &too_long, false).unwrap_err().kind(), Kind::Value);
    assert!(users.is_empty().unwrap());
    users.insert("Manager", &Secret::new("x".repeat(4096)), false).unwrap();
}

#[test]
fn what_was_recorded_is_in_the_table_when_the_log_has_finished() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();

    log.record(entry("new connection request"));
    log.record(Entry { user: Some("ann".to_owned()), ..entry("connected as a client") });
    log.finish();
    log.record(entry("too late"));

    let rows = store.connections().query(None, None).unwrap();
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((first.pid, second.pid), (1, 2));
    assert_eq!(
        (first.ip_address.as_str(), first.domain.as_str(), first.port, first.message.as_str()),
        ("192.168.1.7", "bench3", 50123, "new connection request")
    );
    assert_eq!((&first.user, second.user.as_deref()), (&None, Some("ann")));
    assert_eq!(first.datetime.len(), "yyyy-mm-ddTHH:MM:SS".len());
    let (start, end) = (Some(first.datetime.as_str()), Some(second.datetime.as_str()));
    assert_eq!(store.connections().query(start, end).unwrap().len(), 2);
    assert_eq!(store.connections().query(None, Some("2000-01-01")).unwrap(), []);
    assert_eq!(store.connections().query(Some("2100-01-01"), None).unwrap(), []);
    assert_eq!(store.connections().query(end, Some("2000-01-01")).unwrap(), []);
}

#[test]
fn an_entry_is_written_without_being_asked_for() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();

    log.record(entry("new connection request"));

    while store.connections().query(None, None).unwrap().is_empty() {
        thread::yield_now();
    }
    drop(log);
}

#[test]
fn only_the_newest_rows_are_kept() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    let limits = ConnectionLimits { rows: 3, ..ConnectionLimits::default() };
    for part in [0..5, 5..7] {
        let log = ConnectionLog::start(store.clone(), limits).unwrap();
        for number in part {
            log.record(entry(&number.to_string()));
        }
        log.finish();
    }

    let rows = store.connections().query(None, None).unwrap();

    assert_eq!(
        rows.iter().map(|row| (row.pid, row.message.as_str())).collect::<Vec<_>>(),
        [(5, "4"), (6, "5"), (7, "6")]
    );
}

#[test]
fn a_log_outlives_a_time_without_a_database_that_it_can_write() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();
    let good = fs::read(store.path()).unwrap();

    fs::write(store.path(), "damaged").unwrap();
    log.record(entry("meanwhile"));
    fs::write(store.path(), good).unwrap();
    log.finish();

    assert_eq!(store.connections().query(None, None).unwrap().len(), 1);
}

#[test]
fn a_log_that_cannot_write_at_all_still_ends() {
    let folder = folder();
    let store = Store::open(folder.path().join("db")).unwrap();
    let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();
    fs::write(store.path(), "damaged").unwrap();
    log.record(entry("lost"));
    log.finish();
}
