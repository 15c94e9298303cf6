//! How many locks it takes to forward a message: each may have to be waited for, and the broker's is everybody's.
//!
//! The bounds are what is needed now: whoever needs fewer lowers them, and more needs a reason.

use super::LOCKS;
use super::lab::{Device, Lab};
use crate::testing::{ask, notification, reply, request};

/// How many locks are taken when the device says this.
fn locks(lab: &mut Lab, device: Device, line: &str) -> usize {
    let before = LOCKS.get();
    lab.say(device, line);
    LOCKS.get() - before
}

#[test]
fn a_request_and_its_reply_take_no_more_locks_than_this() {
    let mut lab = Lab::new();
    let echo = lab.service("Echo");
    let ann = lab.client("Ann");
    let request = locks(&mut lab, ann, &request("Echo", "echo", "1"));
    let reply = locks(&mut lab, echo, &reply("Ann[lab:1]", "1", "2"));
    assert_eq!(lab.hear_uids(ann), [1]);
    println!("locks: {request} for a request, {reply} for its reply");
    assert!(request <= 13 && reply <= 13, "{request} for a request, {reply} for its reply");
}

#[test]
fn a_notification_to_fifty_clients_takes_no_more_locks_than_this() {
    let mut lab = Lab::new();
    let echo = lab.service("Echo");
    let clients: Vec<Device> = (0..50)
        .map(|_| {
            let client = lab.client("Ann");
            lab.say(client, &ask("link", "Echo", "1"));
            lab.hear(client);
            client
        })
        .collect();
    let locks = locks(&mut lab, echo, &notification("Echo", "x"));
    for client in clients {
        assert_eq!(lab.hear(client).len(), 1);
    }
    println!("locks: {locks} for a notification to 50");
    assert!(locks <= 356, "{locks}");
}
