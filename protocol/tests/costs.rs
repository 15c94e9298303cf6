//! What it costs the Manager to forward a message, in numbers that are the same on every machine: allocations, bytes that are
//! copied, and calls of the system. `docs/performance.md` explains them.
//!
//! The bounds are what is needed now: whoever needs less lowers them, and more needs a reason. To see all figures:
//! `cargo test -p msl-network-protocol --test costs -- --nocapture`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod forwarding;

use forwarding::{Device, Laboratory, notification, reply, request};

/// So many of the same before one is measured: whatever is made once is there then.
const BEFORE: usize = 10;

/// A string of this many characters, as JSON.
fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}

const SMALL: usize = 32;
const LARGE: usize = 64 * 1024;

/// What was needed, or may be needed at most.
#[derive(Debug)]
struct Costs {
    /// Pieces of memory, and how many bytes they had together.
    allocations: u64,
    allocated: u64,
    /// Bytes that were written from elsewhere than where they were read to.
    copied: usize,
    /// Calls of the system.
    reads: usize,
    writes: usize,
}

impl Costs {
    fn assert_within(&self, bounds: &Self, what: &str) {
        println!("{what}: {self:?}");
        let is_within = self.allocations <= bounds.allocations
            && self.allocated <= bounds.allocated
            && self.copied <= bounds.copied
            && self.reads <= bounds.reads
            && self.writes <= bounds.writes;
        assert!(is_within, "{what} needs {self:?}, and not at most {bounds:?}");
    }
}

/// What it costs when the device says this.
fn costs(lab: &mut Laboratory, device: Device, line: &str) -> Costs {
    lab.forget();
    let memory = allocation_counter::measure(|| lab.say(device, line));
    let calls = lab.calls();
    Costs {
        allocations: memory.count_total,
        allocated: memory.bytes_total,
        copied: calls.copied,
        reads: calls.reads,
        writes: calls.writes,
    }
}

/// What a request and its reply cost, with a payload of this many characters.
fn costs_of_a_call(length: usize) -> (Costs, Costs) {
    let mut lab = Laboratory::new();
    let service = lab.service("Echo");
    let client = lab.client("Echo");
    let (request, reply) = (request("1", &text(length)), reply(client, "1", &text(length)));
    let mut call = || {
        let request_costs = costs(&mut lab, client, &request);
        assert!(lab.heard_bytes(service) > request.len(), "the requester was added");
        let reply_costs = costs(&mut lab, service, &reply);
        assert_eq!(lab.heard_bytes(client), reply.len() + "\r\n".len());
        (request_costs, reply_costs)
    };
    for _ in 0..BEFORE {
        call();
    }
    call()
}

#[test]
fn a_small_request_and_its_reply_cost_no_more_than_this() {
    let (request, reply) = costs_of_a_call(SMALL);

    let bounds = Costs { allocations: 8, allocated: 2200, copied: 158, reads: 4, writes: 1 };
    request.assert_within(&bounds, "a small request");
    let bounds = Costs { allocations: 5, allocated: 1200, copied: 106, reads: 4, writes: 1 };
    reply.assert_within(&bounds, "its reply");
}

#[test]
fn a_large_request_and_its_reply_cost_no_more_than_this() {
    let (request, reply) = costs_of_a_call(LARGE);

    // A line in several pieces has the list of them in a box, so that lines in one piece are small to move. That is
    // why these need a few more.
    let bounds = Costs { allocations: 16, allocated: 18_900, copied: 126, reads: 5, writes: 1 };
    request.assert_within(&bounds, "a large request");
    let bounds = Costs { allocations: 15, allocated: 17_900, copied: 74, reads: 5, writes: 1 };
    reply.assert_within(&bounds, "its reply");
}

#[test]
fn requests_that_come_together_are_written_together_and_cost_no_more_than_this() {
    const TOGETHER: usize = 64;
    let mut lab = Laboratory::new();
    let service = lab.service("Echo");
    let client = lab.client("Echo");
    let requests = vec![request("1", &text(SMALL)); TOGETHER].join("\r\n");
    let replies = vec![reply(client, "1", &text(SMALL)); TOGETHER].join("\r\n");
    let mut call = || {
        let request_costs = costs(&mut lab, client, &requests);
        let reply_costs = costs(&mut lab, service, &replies);
        assert_eq!(lab.heard_bytes(client), replies.len() + "\r\n".len());
        (request_costs, reply_costs)
    };
    for _ in 0..BEFORE {
        call();
    }
    let (request, reply) = call();

    // A client's turn has half of them, so that the service begins with those.
    let bounds = Costs { allocations: 148, allocated: 48_000, copied: 10_112, reads: 6, writes: 2 };
    request.assert_within(&bounds, "64 small requests");
    let bounds = Costs { allocations: 75, allocated: 28_000, copied: 6784, reads: 4, writes: 1 };
    reply.assert_within(&bounds, "their replies");
}

/// What it costs to send this to so many clients, which hear it.
fn costs_of_notifying(clients: usize, notifications: &str) -> Costs {
    let mut lab = Laboratory::new();
    let service = lab.service("Echo");
    let clients: Vec<Device> = (0..clients).map(|_| lab.client("Echo")).collect();
    for _ in 0..BEFORE {
        costs(&mut lab, service, notifications);
    }
    let costs = costs(&mut lab, service, notifications);
    for client in clients {
        assert_eq!(lab.heard(client), format!("{notifications}\r\n"));
    }
    costs
}

#[test]
fn a_notification_to_fifty_clients_costs_no_more_than_this() {
    let costs = costs_of_notifying(50, &notification(&text(SMALL)));

    let bounds = Costs { allocations: 55, allocated: 25_000, copied: 5700, reads: 102, writes: 50 };
    costs.assert_within(&bounds, "a notification to 50");
}

#[test]
fn notifications_that_come_together_cost_hardly_more_than_one() {
    let costs = costs_of_notifying(50, &vec![notification(&text(SMALL)); 64].join("\r\n"));

    // They are copied together once, and written from there to each client.
    let bounds = Costs { allocations: 125, allocated: 54_000, copied: 364_800, reads: 102, writes: 50 };
    costs.assert_within(&bounds, "64 notifications to 50");
}

#[test]
fn a_username_that_is_longer_than_any_is_refused_without_a_copy_of_it() {
    let mut lab = Laboratory::new();
    lab.service("Echo");
    let client = lab.client("Echo");
    // One letter more than it may have, each of them an escape.
    let username = format!(r#"{{"result": "{}"}}"#, r"\u0078".repeat(4097));
    let mut log_in = || {
        lab.say(client, r#"{"service": "Manager", "attribute": "users_table.users", "uid": 7}"#);
        let costs = costs(&mut lab, client, &username);
        assert!(lab.heard(client).contains("Wrong login password"), "{}", lab.heard(client));
        costs
    };
    for _ in 0..BEFORE {
        log_in();
    }
    let costs = log_in();

    let bounds = Costs { allocations: 8, allocated: 2300, copied: 159, reads: 3, writes: 1 };
    costs.assert_within(&bounds, "a username that is too long");
}
