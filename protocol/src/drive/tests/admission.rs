//! Who may connect now, and how tickets come back.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::lab::Lab;
use crate::drive::Admission;
use crate::limits::Limits;

const ANN: &str = r#"{"result": {"type": "client", "name": "Ann"}}"#;

#[test]
fn a_ticket_comes_back_when_its_connection_ends_however_that_happens() {
    let mut lab = Lab::new();
    for number in 1..=3 {
        lab.connect();
        assert_eq!(lab.manager.admission().connections(), number);
    }
    lab.lose(0);
    lab.drop_task(1);
    lab.end(2);
    lab.assert_empty();
}

#[test]
fn further_connections_wait_until_one_has_ended() {
    let mut lab = Lab::with(Limits { connections: 2, ..Limits::default() });
    let (ann, _, third) = (lab.client("Ann"), lab.client("Bob"), lab.connect());
    assert_eq!(lab.hear(third).len(), 0);
    lab.lose(ann);
    assert_eq!(lab.hear(third).len(), 1);
    assert_eq!(lab.manager.admission().connections(), 2);
}

#[test]
fn an_address_with_many_unfinished_handshakes_waits_until_one_is_over() {
    for limits in [
        Limits { handshakes_per_address: 2, ..Limits::default() },
        Limits { handshakes: 2, ..Limits::default() },
    ] {
        let mut lab = Lab::with(limits);
        let (first, second, third, fourth) = (lab.connect(), lab.connect(), lab.connect(), lab.connect());
        for (device, asked) in [(first, 1), (second, 1), (third, 0), (fourth, 0)] {
            assert_eq!(lab.hear(device).len(), asked);
        }
        // One is over since the device has a name, another one since it has gone.
        lab.say(first, ANN);
        assert_eq!((lab.hear(third).len(), lab.hear(fourth).len()), (1, 0));
        lab.lose(second);
        assert_eq!(lab.hear(fourth).len(), 1);
    }
}

#[test]
fn a_device_that_gives_up_waiting_takes_no_place() {
    let mut lab = Lab::with(Limits { handshakes_per_address: 1, ..Limits::default() });
    let (first, second, third) = (lab.connect(), lab.connect(), lab.connect());
    lab.drop_task(second);
    lab.say(first, ANN);
    lab.hear(first);
    assert_eq!(lab.hear(third).len(), 1);
    for device in [first, third] {
        lab.lose(device);
    }
    lab.assert_empty();
}

#[test]
fn one_address_gets_half_of_the_connections_that_others_leave_for_devices_that_say_nothing() {
    let mut lab = Lab::with(Limits { connections: 6, handshakes_per_address: 1, ..Limits::default() });
    let (first, second, third, fourth) = (lab.connect(), lab.connect(), lab.connect(), lab.connect());
    // One is in its handshake, two wait for theirs, the fourth is too many.
    for (device, asked, ended) in
        [(first, 1, false), (second, 0, false), (third, 0, false), (fourth, 0, true)]
    {
        assert_eq!((lab.hear(device).len(), lab.has_ended(device)), (asked, ended), "{device}");
    }
    assert_eq!(lab.manager.admission().connections(), 3, "its ticket has come back");
    // Devices of other addresses find a place.
    let other = lab.connect_from(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 8)));
    assert_eq!(lab.hear(other).len(), 1);
    // When one is past its handshake, however that ends, another one may wait in its place.
    lab.say(first, ANN);
    assert_eq!(lab.hear(second).len(), 1);
    lab.lose(second);
    assert_eq!(lab.hear(third).len(), 1);
    let (fifth, sixth) = (lab.connect(), lab.connect());
    // Two of the six are others', and two of the four are taken by the third and the fifth.
    assert!(!lab.has_ended(fifth) && lab.has_ended(sixth));
    for device in [first, third, fifth, other] {
        lab.lose(device);
    }
    lab.assert_empty();
}

#[test]
fn addresses_with_devices_that_say_nothing_leave_room_for_the_next_address() {
    let mut lab = Lab::with(Limits { connections: 64, handshakes_per_address: 1, ..Limits::default() });
    let address = |number| IpAddr::V4(Ipv4Addr::new(10, 0, 0, number));
    let mut silent = Vec::new();
    for (number, half) in [32, 16, 8, 4].into_iter().enumerate() {
        for _ in 0..64 {
            silent.push(lab.connect_from(address(u8::try_from(number).unwrap())));
        }
        silent.retain(|device| !lab.has_ended(*device));
        assert_eq!(silent.len(), 64 - half);
    }
    let newcomer = lab.connect_from(address(9));
    assert_eq!(lab.hear(newcomer).len(), 1);
}

#[test]
fn who_waits_for_a_handshake_is_overtaken_by_nobody() {
    for limits in [
        Limits { handshakes_per_address: 1, ..Limits::default() },
        Limits { handshakes: 1, ..Limits::default() },
    ] {
        let admission = Admission::new(&limits);
        let [mut first, mut second, mut third] = [(); 3].map(|()| at_once(admission.ticket()));
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(at_once(first.begin_handshake(ip)));
        let mut second = pin!(second.begin_handshake(ip));
        assert_eq!(poll(second.as_mut()), Poll::Pending);

        // There is room now; the newcomer's task has its turn before that of the one that waits.
        first.handshake_is_over();
        let mut third = pin!(third.begin_handshake(ip));
        assert_eq!(poll(third.as_mut()), Poll::Pending);
        assert_eq!(poll(second.as_mut()), Poll::Ready(true));
        assert_eq!(poll(third.as_mut()), Poll::Pending);
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    let Poll::Ready(outcome) = poll(pin!(future)) else { panic!("it has to wait") };
    outcome
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
