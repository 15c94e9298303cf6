//! Several processes with one store, some of which are killed.
//!
//! The other process is this very test program: [`the_other_process`] does something only where [`STORE`] is set.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use msl_network_manager::store::{ConnectionLimits, ConnectionLog, Entry};
use msl_network_manager::{Secret, Store};

/// Where the store of the other process is.
const STORE: &str = "MSL_TEST_STORE";

/// How often a process is killed.
const KILLS: usize = 200;

/// A store that is killed so often is then made anew: also making one must be safe to kill.
const KILLS_OF_A_STORE: usize = 10;

/// What begins a line of the other process.
const ACKNOWLEDGED: &str = "acknowledged ";

/// What the other process records at a time.
const ROWS: usize = 10;

#[test]
fn the_other_process() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = Store::open(path).unwrap();
    for number in store.users().list().unwrap().len().. {
        store.users().insert(&format!("user {number}"), &Secret::new("open sesame"), true).unwrap();
        println!("{ACKNOWLEDGED}user {number}");
        store.hostnames().insert(&format!("host-{number}")).unwrap();
        println!("{ACKNOWLEDGED}host-{number}");
        let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();
        for row in 0..ROWS {
            log.record(entry(row));
        }
        log.finish();
        println!("{ACKNOWLEDGED}rows");
    }
}

fn entry(row: usize) -> Entry {
    Entry {
        ip: IpAddr::from([10, 0, 0, 7]),
        host_name: "bench3".to_owned(),
        port: u16::try_from(row).unwrap(),
        message: format!("message {row}"),
        user: None,
    }
}

fn start(path: &Path) -> Child {
    // A umask that lets everybody read and write must not matter.
    Command::new("sh")
        .args(["-c", "umask 0; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process", "--nocapture"])
        .env(STORE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lets the other process work until it has acknowledged so many things and some time more, kills it (SIGKILL), and returns
/// what it had acknowledged.
fn work_and_die(path: &Path, things: usize, time: Duration) -> Vec<String> {
    let mut child = start(path);
    let output = BufReader::new(child.stdout.take().unwrap());
    // A line that has no end was not written to its end.
    let lines = output.split(b'\n').map(|line| String::from_utf8(line.unwrap()).unwrap());
    let mut lines = lines.filter_map(|line| Some(line.split_once(ACKNOWLEDGED)?.1.to_owned()));
    let mut acknowledged: Vec<_> = lines.by_ref().take(things).collect();
    thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines);
    acknowledged
}

#[test]
fn whoever_is_killed_has_lost_nothing_that_was_acknowledged() {
    let (mut acknowledged_in_all, mut not_acknowledged_in_all) = (0, 0);
    for store in 0..KILLS / KILLS_OF_A_STORE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let mut acknowledged = Vec::new();
        for kill in 0..KILLS_OF_A_STORE {
            // Any moment is good, as long as they differ. A thing takes some milliseconds, a password some more.
            let number = store * KILLS_OF_A_STORE + kill;
            let time = Duration::from_micros((number as u64 * 7919) % 20_000);
            acknowledged.extend(work_and_die(&path, number % 7, time));

            let store = Store::open(&path).unwrap();
            let users = store.users().names().unwrap();
            let mut hosts = store.hostnames().list().unwrap();
            hosts.retain(|name| name.starts_with("host-"));
            let rows = store.connections().query(None, None).unwrap();
            for name in acknowledged.iter().filter(|name| *name != "rows") {
                assert!(users.contains(name) || hosts.contains(name), "{name} is lost");
            }
            assert!(rows.len() >= ROWS * acknowledged.iter().filter(|name| *name == "rows").count());
            // Besides, there is at most the one thing that each process had begun.
            let things = users.len() + hosts.len() + rows.len().div_ceil(ROWS);
            let not_acknowledged = things - acknowledged.len();
            assert!(not_acknowledged <= kill + 1, "{not_acknowledged} after {} kills", kill + 1);
            // And what is there is whole.
            if let Some(last) = users.last() {
                let login = store.users().check(last, "open sesame").unwrap();
                assert!(login.is_some_and(|login| login.administrator));
            }
            for row in &rows {
                let Entry { host_name, message, .. } = entry(row.port.into());
                assert_eq!((&row.domain, &row.message), (&host_name, &message));
            }
            if kill + 1 == KILLS_OF_A_STORE {
                not_acknowledged_in_all += not_acknowledged;
            }
        }
        acknowledged_in_all += acknowledged.len();
    }
    println!(
        "{KILLS} kills: {acknowledged_in_all} things acknowledged, {not_acknowledged_in_all} others found"
    );
    assert!(acknowledged_in_all >= KILLS, "the processes came nowhere: the test shows nothing");
}

#[test]
fn a_command_changes_the_store_while_another_process_works_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut child = start(&path);
    let (sender, lines) = mpsc::channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some((_, name)) = line.split_once(ACKNOWLEDGED) {
                let _ = sender.send(name.to_owned());
            }
        }
    });
    let mut theirs = vec![lines.recv().unwrap()];

    let store = Store::open(&path).unwrap();
    for number in 0..20 {
        store.hostnames().insert(&format!("ours-{number}")).unwrap();
        theirs.push(lines.recv().unwrap());
    }

    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    let (users, hosts) = (store.users().names().unwrap(), store.hostnames().list().unwrap());
    assert!((0..20).all(|number| hosts.contains(&format!("ours-{number}"))), "{hosts:?}");
    theirs.retain(|name| name != "rows");
    assert!(theirs.iter().all(|name| users.contains(name) || hosts.contains(name)), "{theirs:?}");
}

#[test]
fn a_new_store_is_its_owners_alone_under_a_umask_that_lets_everybody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut child = start(&path);
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    while !line.contains(ACKNOWLEDGED) {
        assert_ne!(output.read_line(&mut line).unwrap(), 0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
