//! Clients that never read, while services send them far more than any buffer on the way holds.

use std::collections::BTreeSet;
use std::iter;

use serde_json::json;

use super::beside::beside;
use super::{Outcome, Size, peak_memory};
use crate::bystanders::notification;
use crate::peer::Peer;
use crate::program::Program;
use crate::setup::Setup;
use crate::{Served, eventually};

const MIB: usize = 1024 * 1024;

/// What the Manager may have beyond the bytes of messages that its limits speak of, as a multiple of these and in bytes: what
/// a heap has lost to its holes, and the program itself.
const HEAP: (usize, usize) = (2, 64 * MIB);

/// How much there is of what.
struct Bulk {
    /// The Manager's limit on all bytes, in MiB.
    memory: usize,
    /// Its limit on notifications that wait, in MiB.
    notifications: usize,
    /// The length of a message.
    length: usize,
    /// How many are sent as notifications, and how many as replies.
    count: usize,
}

pub(super) fn clients(setup: Setup, size: Size) -> Outcome {
    let bulk = size.of(
        Bulk { memory: 8, notifications: 2, length: 256 * 1024, count: 64 },
        Bulk { memory: 128, notifications: 64, length: MIB, count: 200 },
    );
    let (memory, notifications) = (format!("{}MiB", bulk.memory), format!("{}MiB", bulk.notifications));
    let flags = ["--memory", &memory, "--notifications", &notifications];
    let manager = Program::start(setup, &flags);
    beside(&manager, size, |_| {
        let mut source = manager.service("Source");
        notifications_that_are_not_read(&manager, &mut source, &bulk);
        let second = replies_that_are_not_read(&manager, source, &bulk);

        let (peak, allowed) = (peak_memory(manager.id()), HEAP.0 * bulk.memory * MIB + HEAP.1);
        assert!(peak < allowed, "{peak} bytes of memory, where {allowed} are allowed");
        let sent = bulk.count * bulk.length / 1_000_000;
        (
            format!("{sent} MB of notifications, {sent} MB of replies, --memory {memory}"),
            format!(
                "the first is ended in order, another reader gets every notification; the second is {second}"
            ),
        )
    })
}

/// Another client that is linked gets them all, in order; the sleeper is ended.
fn notifications_that_are_not_read(manager: &Program, source: &mut Peer, bulk: &Bulk) {
    let mut reader = manager.client("Reader");
    let mut sleeper = manager.client("Sleeper");
    for client in [&mut reader, &mut sleeper] {
        assert_eq!(client.ask("Manager", "link", &json!(["Source"]), "link")["error"], false);
    }
    let text = "x".repeat(bulk.length);
    for number in 0..bulk.count {
        source.send(&notification("Source", &format!("{number} {text}")));
        let received = reader.receive();
        let begin = format!("{number} ");
        assert!(received["result"][0][0].as_str().is_some_and(|text| text.starts_with(&begin)));
    }
    eventually("it is ended", || !is_listed(&mut reader, &sleeper));
    sleeper.expect_end_after_anything();
}

/// The service is never held up. The sleeper may be ended, to make room; otherwise it gets, when it wakes up, one answer to each
/// request: the reply, or that there was no memory for it.
fn replies_that_are_not_read(manager: &Program, mut source: Peer, bulk: &Bulk) -> &'static str {
    let mut observer = manager.client("Observer");
    let mut sleeper = manager.client("Sleeper");
    for request in 0..bulk.count {
        sleeper.request("Source", "add", &json!([]), &request.to_string());
    }
    let result = json!("x".repeat(bulk.length));
    for _ in 0..bulk.count {
        // It is told of replies for which there was no memory.
        let request = iter::repeat_with(|| source.receive()).find(|line| line["error"] == false);
        source.reply(&request.expect("it ends with a request"), &result);
    }
    source.request("Manager", "identity", &json!([]), "all are taken");
    while source.receive()["uid"] != "all are taken" {}

    if !is_listed(&mut observer, &sleeper) {
        sleeper.expect_end_after_anything();
        return "ended in order";
    }
    let mut open: BTreeSet<_> =
        (0..bulk.count).map(|request| json!(request.to_string()).to_string()).collect();
    while !open.is_empty() {
        let answer = sleeper.receive();
        assert!(open.remove(&answer["uid"].to_string()), "answered before: {}", answer["uid"]);
    }
    "answered when it wakes up"
}

fn is_listed(observer: &mut Peer, client: &Peer) -> bool {
    let identity = observer.ask("Manager", "identity", &json!([]), "who");
    identity["result"]["clients"].get(client.network_name()).is_some()
}
