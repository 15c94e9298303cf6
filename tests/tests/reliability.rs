//! What the documents say of limits and of tests, held against the code: docs/reliability.md and the table in docs/wire.md.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use msl_network_protocol::limits::Limits;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every limit, by the name of its flag, with its default as people read it.
fn defaults() -> Vec<(&'static str, String)> {
    // Without `..`, so that a new limit does not compile before it is here.
    let Limits {
        memory: _,
        max_frame: _,
        max_handshake_frame,
        service_mailbox,
        client_mailbox,
        notifications,
        service_wait,
        write_timeout,
        first_answer,
        prompt,
        name_wait,
        handshakes,
        handshakes_per_address,
        connections,
        open_requests,
        keep_alive_idle,
        keep_alive_interval,
        keep_alive_probes,
        unacknowledged,
        shutdown,
        linger,
        leave,
    } = Limits::default();
    vec![
        // These two depend on the computer; the command line's and the limits' own tests have them.
        ("memory", "half of the computer's".to_owned()),
        ("max-frame", "half of `memory`, at most 1 GiB".to_owned()),
        ("max-handshake-frame", size(max_handshake_frame)),
        ("service-mailbox", size(service_mailbox)),
        ("client-mailbox", size(client_mailbox)),
        ("notifications", size(notifications)),
        ("service-wait", time(service_wait)),
        ("write-timeout", time(write_timeout)),
        ("first-answer", time(first_answer)),
        ("prompt", time(prompt)),
        ("name-wait", time(name_wait)),
        ("handshakes", number(handshakes)),
        ("handshakes-per-address", number(handshakes_per_address)),
        ("connections", number(connections)),
        ("open-requests", number(open_requests)),
        ("keep-alive-idle", time(keep_alive_idle)),
        ("keep-alive-interval", time(keep_alive_interval)),
        ("keep-alive-probes", keep_alive_probes.to_string()),
        ("unacknowledged", time(unacknowledged)),
        ("shutdown", time(shutdown)),
        ("linger", time(linger)),
        ("leave", time(leave)),
    ]
}

fn size(bytes: usize) -> String {
    assert_eq!(bytes % (1 << 20), 0, "not whole mebibytes: {bytes}");
    format!("{} MiB", bytes >> 20)
}

/// Up to 60 in seconds, as people say it.
fn time(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0 | 1, _) => format!("{} s", time.as_secs()),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn number(number: usize) -> String {
    match (number / 1000, number % 1000) {
        (0, units) => units.to_string(),
        (thousands, units) => format!("{thousands},{units:03}"),
    }
}

/// The rows of the table of limits in this section: the first two cells.
fn rows<'a>(document: &'a str, section: &str) -> Vec<(&'a str, &'a str)> {
    let (_, section) = document.split_once(&format!("\n## {section}\n")).expect("there is such a section");
    let table = section.lines().skip_while(|line| !line.starts_with("| limit |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        (cells.next().unwrap().trim(), cells.next().unwrap().trim())
    })
    .collect()
}

#[test]
fn every_limit_is_in_the_documents_with_its_default() {
    for (document, section) in [("docs/wire.md", "10. Limits"), ("docs/reliability.md", "Limits")] {
        let text = read(document);
        let rows = rows(&text, section);
        for (limit, default) in defaults() {
            let name = format!("`{limit}`");
            let told = rows.iter().find(|(names, _)| names.contains(&name)).map(|(_, default)| default);
            assert!(
                told.is_some_and(|told| told.contains(&default)),
                "{document}: {limit} is {default}, not {told:?}"
            );
        }
    }
}

#[test]
fn nothing_else_is_called_a_limit_that_can_be_set() {
    let text = read("docs/reliability.md");
    let told: BTreeSet<&str> = rows(&text, "Limits").iter().map(|(name, _)| name.trim_matches('`')).collect();
    let limits: BTreeSet<&str> = defaults().iter().map(|(name, _)| *name).collect();
    assert_eq!(told, limits);
}

/// A test is named as a link to the file that it is in.
#[test]
fn every_test_that_is_named_exists() {
    let text = read("docs/reliability.md");
    let mut named = 0;
    for part in text.split("[`").skip(1) {
        let Some((name, rest)) = part.split_once("`](") else { continue };
        // A file has a dot in its name.
        if name.contains('.') {
            continue;
        }
        let (path, _) = rest.split_once(')').unwrap();
        let path = path.strip_prefix("../").unwrap_or_else(|| panic!("{path} is not beside docs/"));
        assert!(read(path).contains(&format!("fn {name}(")), "{path} has no {name}");
        named += 1;
    }
    assert!(named >= defaults().len(), "only {named} tests are named");
}
