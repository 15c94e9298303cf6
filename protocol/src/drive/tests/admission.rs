//! Who may connect now, and how tickets come back.

use super::lab::Lab;
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
