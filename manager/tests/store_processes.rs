//! Several processes with one store, some of which are killed.
//!
//! The other process is this very test program: [`the_other_process`] does something only where [`STORE`] is set.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
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
const KILLS: u64 = 200;

/// A store that is killed so often is then made anew: also making one must be safe to kill.
const KILLS_OF_A_STORE: u64 = 10;

/// What begins a line of the other process.
const ACKNOWLEDGED: &str = "acknowledged ";

#[test]
fn the_other_process() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let store = Store::open(path).unwrap();
    let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();
    for number in store.users().list().unwrap().len().. {
        store.users().insert(&format!("user {number}"), &Secret::new("open sesame"), true).unwrap();
        println!("{ACKNOWLEDGED}user {number}");
        store.hostnames().insert(&format!("host-{number}")).unwrap();
        println!("{ACKNOWLEDGED}host-{number}");
        for port in 0..100 {
            log.record(Entry {
                ip: IpAddr::from([10, 0, 0, 7]),
                host_name: "bench3".to_owned(),
                port,
                message: format!("message {port}"),
                user: None,
            });
        }
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

/// Lets the other process work for this time, kills it (SIGKILL), and returns what it had acknowledged.
fn work_and_die(path: &Path, time: Duration) -> Vec<String> {
    let mut child = start(path);
    let output = BufReader::new(child.stdout.take().unwrap());
    thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    // A line that has no end was not written to its end.
    let lines = output.split(b'\n').map(|line| String::from_utf8(line.unwrap()).unwrap());
    lines.filter_map(|line| Some(line.split_once(ACKNOWLEDGED)?.1.to_owned())).collect()
}

#[test]
fn whoever_is_killed_has_lost_nothing_that_was_acknowledged() {
    let (mut acknowledged_in_all, mut rows_in_all) = (0, 0);
    for store in 0..KILLS / KILLS_OF_A_STORE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let mut acknowledged = Vec::new();
        for kill in 0..KILLS_OF_A_STORE {
            // Any time is good, as long as they differ: the whole work of a process takes some tens of milliseconds.
            let time = Duration::from_micros(((store * KILLS_OF_A_STORE + kill) * 7919) % 100_000);
            acknowledged.extend(work_and_die(&path, time));

            let store = Store::open(&path).unwrap();
            let users = store.users().names().unwrap();
            let hosts = store.hostnames().list().unwrap();
            for name in &acknowledged {
                assert!(users.contains(name) || hosts.contains(name), "{name} is lost");
            }
            // Besides, there is at most what each process had begun.
            let hosts = hosts.iter().filter(|name| name.starts_with("host-")).count();
            assert!(users.len() + hosts <= acknowledged.len() + 1 + usize::try_from(kill).unwrap());
            if let Some(last) = users.last() {
                let login = store.users().check(last, "open sesame").unwrap();
                assert!(login.is_some_and(|login| login.administrator));
            }
            let rows = store.connections().query(None, None).unwrap();
            for row in &rows {
                assert_eq!((row.domain.as_str(), row.message.clone()), ("bench3", format!("message {}", row.port)));
            }
            rows_in_all += rows.len();
        }
        acknowledged_in_all += acknowledged.len();
    }
    println!("{acknowledged_in_all} acknowledged, {rows_in_all} rows read");
    assert!(acknowledged_in_all > 0, "no process came so far: the test shows nothing");
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
    assert!(theirs.iter().all(|name| users.contains(name) || hosts.contains(name)), "{theirs:?}");
}

#[cfg(unix)]
#[test]
fn a_new_store_is_its_owners_alone_under_a_umask_that_lets_everybody_in() {
    use std::os::unix::fs::PermissionsExt;
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
