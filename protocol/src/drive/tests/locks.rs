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
fn replies_that_come_together_take_no_more_locks_than_one() {
    const TOGETHER: usize = 10;
    let mut lab = Lab::new();
    let echo = lab.service("Echo");
    let ann = lab.client("Ann");
    for uid in 0..TOGETHER {
        lab.say(ann, &request("Echo", "echo", &format!("{uid}")));
    }
    let replies: Vec<_> = (0..TOGETHER).map(|uid| reply("Ann[lab:1]", &format!("{uid}"), "2")).collect();
    let locks = locks(&mut lab, echo, &replies.join("\r\n"));
    assert_eq!(lab.hear(ann).len(), TOGETHER);
    println!("locks: {locks} for replies that come together");
    assert!(locks <= 13, "{locks}");
}

/// How many locks are taken when the service says this, to 50 clients that hear so many lines.
fn locks_of_notifying(notifications: &str, lines: usize) -> usize {
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
    let locks = locks(&mut lab, echo, notifications);
    for client in clients {
        assert_eq!(lab.hear(client).len(), lines);
    }
    println!("locks: {locks} for {lines} notifications to 50");
    locks
}

#[test]
fn notifications_to_fifty_clients_take_no_more_locks_than_this_however_many_come_together() {
    let notification = notification("Echo", "x");
    let one = locks_of_notifying(&notification, 1);
    let ten = locks_of_notifying(&[notification.as_str(); 10].join("\r\n"), 10);
    assert!(one <= 356 && ten <= 356, "{one}, {ten}");
}
