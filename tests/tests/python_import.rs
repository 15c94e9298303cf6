//! What the Python package has kept is taken over: its own code makes the database here.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use msl_network_manager::Store;
use msl_network_manager::store::{ConnectionLimits, Count, Login, User};
use msl_network_tests::program::built;
use msl_network_tests::python::{Facts, Script};
use serde_json::json;

fn python_database(path: &Path) -> Facts {
    Script::run_alone("database.py", &[path.to_str().unwrap()])
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = files
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn users_log_in_with_their_old_passwords_and_their_hashes_are_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manager.sqlite3");
    let facts = python_database(&path);
    assert_eq!(facts.one("users")["valid"], true);
    let store = Store::open(folder.path().join("manager.redb")).unwrap();

    let imported = store.import(&path, &ConnectionLimits::default()).unwrap();

    assert_eq!(imported.users, Count { added: 2, present: 0 });
    let user = |name: &str, administrator| User { name: name.to_owned(), administrator };
    assert_eq!(store.users().list().unwrap(), [user("ann", true), user("bob", false)]);
    let kept = || fs::read(store.path()).unwrap();
    let is_in = |text: &str, file: &[u8]| file.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!is_in("$argon2id$", &kept()));

    // A wrong password changes nothing; the right one brings the new hash, and goes on being right.
    assert_eq!(store.users().check("ann", "open sesam").unwrap(), None);
    assert!(!is_in("$argon2id$", &kept()));
    assert_eq!(store.users().check("ann", "open sesame").unwrap(), Some(Login { administrator: true }));
    assert!(is_in("$argon2id$", &kept()));
    assert_eq!(store.users().check("ann", "open sesame").unwrap(), Some(Login { administrator: true }));
    assert_eq!(store.users().check("ann", "open sesam").unwrap(), None);
    assert_eq!(
        store.users().check("bob", "p\u{e4}ss w\u{f6}rd").unwrap(),
        Some(Login { administrator: false })
    );
    assert_eq!(store.users().check("carol", "open sesame").unwrap(), None);
}

#[test]
fn host_names_and_connections_are_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manager.sqlite3");
    let facts = python_database(&path);
    let store = Store::open(folder.path().join("manager.redb")).unwrap();

    store.import(&path, &ConnectionLimits::default()).unwrap();

    let hostnames = facts.one("hostnames")["hostnames"].clone();
    assert_eq!(json!(store.hostnames().list().unwrap()), hostnames);
    let rows: Vec<_> = store
        .connections()
        .query(None, None)
        .unwrap()
        .into_iter()
        .map(|row| json!([row.pid, row.datetime, row.ip_address, row.domain, row.port, row.message]))
        .collect();
    assert_eq!(json!(rows), facts.one("connections")["rows"]);
}

#[test]
fn the_source_is_not_changed_and_may_be_imported_again() {
    let folder = tempfile::tempdir().unwrap();
    let source = tempfile::tempdir().unwrap();
    let path = source.path().join("manager.sqlite3");
    python_database(&path);
    let before = files(source.path());
    let store = Store::open(folder.path().join("manager.redb")).unwrap();

    let first = store.import(&path, &ConnectionLimits::default()).unwrap();
    let second = store.import(&path, &ConnectionLimits::default()).unwrap();

    let again = |count: Count| Count { added: 0, present: count.added + count.present };
    assert_eq!(second.users, again(first.users));
    assert_eq!(second.hostnames, again(first.hostnames));
    assert_eq!(second.connections, again(first.connections));
    assert_eq!((first.connections, second.refused.len()), (Count { added: 3, present: 0 }, 0));
    assert!(files(source.path()) == before, "the source was changed");
}

fn import(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(built("msl-network"));
    command.arg("import").args(arguments).env("MSL_NETWORK_HOME", home).env_remove("SUDO_USER");
    command.output().unwrap()
}

#[test]
fn the_command_says_what_it_took() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("manager.sqlite3");
    let path = path.to_str().unwrap();
    python_database(Path::new(path));
    let made = home.path().join("manager.redb");

    let output = import(home.path(), &[path]);

    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let [first, users, hostnames, connections] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(*first, format!("Imported {path} into {}", made.display()));
    assert_eq!((*users, *connections), ("  2 users", "  3 connections"));
    assert!(hostnames.starts_with("  1 trusted hostnames ("), "{text}");
    assert_eq!(Store::open(made).unwrap().users().names().unwrap(), ["ann", "bob"]);
}

#[test]
fn the_command_says_what_is_wrong_and_fails() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("manager.sqlite3");
    let path = path.to_str().unwrap();
    python_database(Path::new(path));
    let notes = home.path().join("notes.txt");
    fs::write(&notes, "hello").unwrap();
    let notes = notes.to_str().unwrap();
    let missing = home.path().join("missing");
    let missing = missing.to_str().unwrap();

    for (arguments, message) in [
        (vec![missing], "FileNotFoundError: ".to_owned()),
        (vec![notes], format!("ValueError: '{notes}' is not a database of the Python package\n")),
        (vec![path, "-d", notes], "ValueError: ".to_owned()),
        (vec![path, "--database", path], format!("ValueError: '{path}' is a database of the Python package")),
    ] {
        let output = import(home.path(), &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with(&message), "{text}");
    }
    assert_eq!(import(home.path(), &[]).status.code(), Some(2));
}
