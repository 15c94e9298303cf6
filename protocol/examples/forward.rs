//! Forwards messages in memory, and nothing else: for profilers, and for the count of instructions in `tests/instructions.rs`.
//!
//! `forward KIND NUMBER`, where KIND is `request`, `large-string`, `large-array` or `notification`. A request is forwarded with its
//! reply, a notification to 50 clients.

#![expect(clippy::unwrap_used, reason = "who runs this sees what is missing")]

#[expect(dead_code, reason = "what it counts is for the tests")]
#[path = "../tests/forwarding/mod.rs"]
mod forwarding;

use forwarding::{Laboratory, notification, reply, request};

const LARGE: usize = 64 * 1024;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().unwrap();
    let number: usize = arguments.next().unwrap().parse().unwrap();
    let mut lab = Laboratory::new();
    let service = lab.service("Echo");
    let client = lab.client("Echo");
    let small = format!("\"{}\"", "x".repeat(32));
    let payload = match kind.as_str() {
        "request" | "notification" => small,
        "large-string" => format!("\"{}\"", "x".repeat(LARGE)),
        "large-array" => format!("[{}]", vec!["0.14285714285714285"; LARGE / 20].join(", ")),
        other => panic!("there is no kind {other}"),
    };
    if kind == "notification" {
        for _ in 1..50 {
            lab.client("Echo");
        }
        let notification = notification(&payload);
        for _ in 0..number {
            lab.say(service, &notification);
            lab.forget();
        }
        return;
    }
    let (request, reply) = (request("1", &payload), reply(client, "1", &payload));
    for _ in 0..number {
        lab.say(client, &request);
        lab.say(service, &reply);
        assert_eq!(lab.heard_bytes(client), reply.len() + "\r\n".len());
        lab.forget();
    }
}
