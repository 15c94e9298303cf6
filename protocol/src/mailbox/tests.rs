//! One mailbox: what is let in, what counts, and what becomes of it at the end.

use alloc::format;

use super::*;
use crate::frame::Rope;
use crate::name::{Address, DeviceName, NetworkName};

const ANN: ConnectionId = ConnectionId(1);
const BOB: ConnectionId = ConnectionId(2);

/// A mailbox that is full at 100 bytes and takes 50 bytes of notifications, with its budget.
fn small() -> (Mailbox<u64>, Arc<Budget>) {
    let budget = Arc::new(Budget::new(1000));
    let limits = Limits { service_mailbox: 100, notifications: 50, ..Limits::default() };
    (Mailbox::new(&limits, budget.clone()), budget)
}

fn line(bytes: usize) -> Rope {
    Rope::from(alloc::vec![b'x'; bytes])
}

/// A request of so many bytes; the client's mailbox is its number.
fn request(client: ConnectionId, bytes: usize) -> Parcel<u64> {
    let address = Address { host: "lab".into(), port: 1 };
    Parcel::Request(Request {
        client,
        requester: NetworkName::new(&DeviceName::new("Ann").unwrap(), &address),
        reply_to: client.0,
        uid: Uid { raw: format!("{bytes}").into_bytes().into(), canonical: [].into() },
        line: line(bytes),
    })
}

/// The sizes of requests, by which a test knows them again.
fn sizes(requests: &[Request<u64>]) -> Vec<usize> {
    requests.iter().map(|request| request.line.len()).collect()
}

fn takes(mailbox: &mut Mailbox<u64>) -> Option<usize> {
    mailbox.take(1).0.pop_front().map(|parcel| parcel.line().len())
}

fn senders(mailbox: &mut Mailbox<u64>) -> Vec<u64> {
    mailbox.senders_with_room().collect()
}

#[test]
fn lines_come_out_in_the_order_in_which_they_went_in() {
    let (mut mailbox, _) = small();
    for parcel in
        [Parcel::Own(line(1)), request(ANN, 2), Parcel::answer(line(3)), Parcel::Notification(line(4))]
    {
        mailbox.put(parcel).unwrap();
    }
    assert_eq!([1, 2, 3, 4].map(Some), core::array::from_fn(|_| takes(&mut mailbox)));
    assert_eq!(takes(&mut mailbox), None);
}

#[test]
fn a_request_that_finds_no_room_comes_back_and_its_sender_is_called_when_there_is_some() {
    let (mut mailbox, _) = small();
    // The one that passes the mark still goes in: a request may be larger than the whole mailbox.
    mailbox.put(request(ANN, 99)).unwrap();
    mailbox.put(request(ANN, 500)).unwrap();
    for (client, bytes) in [(ANN, 3), (BOB, 4), (ANN, 5)] {
        let Err(Undelivered::Full(back)) = mailbox.put(request(client, bytes)) else {
            panic!("there is no room")
        };
        assert_eq!(back.line.len(), bytes);
    }
    // What was taken out still counts, until the socket has it.
    takes(&mut mailbox);
    takes(&mut mailbox);
    assert_eq!((mailbox.backlog(), mailbox.is_empty()), (599, true));
    mailbox.sent(499);
    assert_eq!(senders(&mut mailbox), [0; 0]);
    mailbox.sent(1);
    assert_eq!(senders(&mut mailbox), [1, 2]);
    assert_eq!(senders(&mut mailbox), [0; 0], "each is called once");
}

#[test]
fn only_requests_wait_for_room() {
    let (mut mailbox, _) = small();
    mailbox.put(request(ANN, 100)).unwrap();
    for parcel in [Parcel::Own(line(100)), Parcel::answer(line(100)), Parcel::Notification(line(50))] {
        assert!(mailbox.put(parcel).is_ok());
    }
    assert_eq!(mailbox.backlog(), 350);
}

#[test]
fn notifications_are_counted_while_they_wait_and_too_many_are_noticed() {
    let (mut mailbox, budget) = small();
    mailbox.put(Parcel::Notification(line(50))).unwrap();
    takes(&mut mailbox);
    mailbox.set_blocked(true);
    mailbox.put(Parcel::Notification(line(50))).unwrap();
    assert!(!mailbox.has_overflowed());
    // Once there was one too many, the device is going to end: no more are kept, and nobody gets an error.
    for bytes in [1, 1] {
        mailbox.put(Parcel::Notification(line(bytes))).unwrap();
        assert!(mailbox.has_overflowed());
    }
    takes(&mut mailbox);
    mailbox.put(Parcel::Notification(line(1))).unwrap();
    assert!(mailbox.is_empty(), "a hole would not be seen");
    assert_eq!(budget.held(), 100);
}

#[test]
fn a_closed_mailbox_takes_nothing_and_gives_its_requests_back() {
    let (mut mailbox, budget) = small();
    for parcel in [request(ANN, 1), Parcel::Own(line(2)), request(BOB, 3), request(ANN, 100)] {
        mailbox.put(parcel).unwrap();
    }
    mailbox.put(request(BOB, 5)).unwrap_err();
    assert_eq!(sizes(&mailbox.close()), [1, 3, 100]);
    assert_eq!(budget.held(), 2);
    // Who waited for room is called, to find out that there will be none.
    assert_eq!(senders(&mut mailbox), [2]);
    for parcel in
        [request(ANN, 1), Parcel::Own(line(2)), Parcel::answer(line(3)), Parcel::Notification(line(4))]
    {
        assert!(matches!(mailbox.put(parcel), Err(Undelivered::Closed)));
    }
    // What was said before is still written.
    assert_eq!((takes(&mut mailbox), takes(&mut mailbox)), (Some(2), None));
}

#[test]
fn the_requests_of_one_client_can_be_withdrawn() {
    let (mut mailbox, budget) = small();
    for (client, bytes) in [(ANN, 1), (BOB, 2), (ANN, 3), (BOB, 4)] {
        mailbox.put(request(client, bytes)).unwrap();
    }
    takes(&mut mailbox);
    assert_eq!(sizes(&mailbox.withdraw(ANN)), [3], "the first one is on its way");
    assert_eq!(sizes(&mailbox.withdraw(ANN)), [0; 0]);
    assert_eq!((mailbox.backlog(), budget.held()), (7, 7));
    assert_eq!((takes(&mut mailbox), takes(&mut mailbox)), (Some(2), Some(4)));
}

#[test]
fn clearing_throws_lines_away_but_no_requests() {
    let (mut mailbox, budget) = small();
    for parcel in [Parcel::Notification(line(50)), request(ANN, 2), Parcel::answer(line(3)), request(BOB, 4)]
    {
        mailbox.put(parcel).unwrap();
    }
    mailbox.set_blocked(true);
    assert_eq!(mailbox.clear(), 1, "one answer");
    assert_eq!((mailbox.backlog(), budget.held()), (6, 6));
    mailbox.put(Parcel::Notification(line(50))).unwrap();
    assert!(!mailbox.has_overflowed(), "those that were thrown away do not count");
    assert_eq!(sizes(&mailbox.close()), [2, 4]);
}

#[test]
fn the_budget_counts_what_waits_and_what_is_on_its_way() {
    let (mut mailbox, budget) = small();
    mailbox.put(Parcel::Own(line(600))).unwrap();
    mailbox.put(Parcel::Own(line(500))).unwrap();
    assert!(budget.is_exceeded());
    takes(&mut mailbox);
    assert_eq!(budget.held(), 1100);
    mailbox.sent(100);
    assert_eq!((budget.held(), budget.is_exceeded()), (1000, false));
    // Nobody can give more back than was taken.
    mailbox.sent(10_000);
    assert_eq!((budget.held(), mailbox.backlog()), (500, 500));
    drop(mailbox);
    assert_eq!(budget.held(), 0);
}

#[test]
fn notices_are_taken_oldest_first_and_once_and_have_no_place_among_the_lines() {
    let (mut mailbox, budget) = small();
    mailbox.notify(Notice::SkipLine);
    mailbox.close();
    mailbox.notify(Notice::Shutdown);
    assert!(mailbox.is_empty());
    assert_eq!(mailbox.take_notices(), [Notice::SkipLine, Notice::Shutdown]);
    assert_eq!(mailbox.take_notices(), []);
    assert_eq!(budget.held(), 0);
}
