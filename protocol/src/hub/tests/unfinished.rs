//! What a client had sent when its connection came to an end: each request gets one answer, and none is executed after its
//! sender was told that it is not (docs/wire.md, sections 7 and 9).

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::connection::Why;
use crate::hub::Hub;
use crate::limits::Limits;
use crate::mailbox::{ConnectionId, Notice};
use crate::testing::{World, ask, reply, request};

/// Requests with these uids are what a client sends in every test.
const UIDS: [&str; 5] = ["1", "2", "3", "4", "5"];

/// What keeps a client's requests from being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// The service does not read: request 1 is on its way, 2 waits in the mailbox, 3 for room, the others behind it.
    FullService,
    /// One request may be open: 1 is.
    TooManyOpen,
    /// Request 1 is for administrators, and the others came before the password.
    Login,
    /// The client does not read the reply to an older request.
    UnreadReply,
}

const OBSTACLES: [Obstacle; 4] =
    [Obstacle::FullService, Obstacle::TooManyOpen, Obstacle::Login, Obstacle::UnreadReply];

impl Obstacle {
    fn limits(self) -> Limits {
        let limits = Limits::default();
        match self {
            Self::FullService => Limits { service_mailbox: 200, ..limits },
            Self::TooManyOpen => Limits { open_requests: 1, ..limits },
            Self::Login => limits,
            Self::UnreadReply => Limits { client_mailbox: 1, ..limits },
        }
    }

    /// The service Echo and the client Ann, who has sent all requests.
    fn world(self) -> (World, ConnectionId, ConnectionId) {
        let mut world = World::with(self.limits());
        let echo = world.service("Echo");
        let ann = world.client("Ann");
        match self {
            Self::FullService => world.stop_reading(echo),
            Self::UnreadReply => {
                world.say(ann, &request("Echo", "echo", "0"));
                world.stop_reading(ann);
                world.say(echo, &reply("Ann[lab:2]", "0", "null"));
                world.hear(echo);
            }
            Self::TooManyOpen | Self::Login => {}
        }
        for uid in UIDS {
            if self == Self::Login && uid == "1" {
                world.say(ann, &ask("users_table.usernames", "", uid));
            } else {
                world.say(ann, &request("Echo", "echo", uid));
            }
        }
        (world, echo, ann)
    }

    /// The requests that have left already.
    fn sent(self) -> &'static [i64] {
        match self {
            Self::FullService | Self::TooManyOpen => &[1],
            Self::Login | Self::UnreadReply => &[],
        }
    }
}

/// The errors that a client got, by uid.
fn errors(world: &mut World, client: ConnectionId) -> Vec<(i64, String)> {
    let heard = world.hear(client).into_iter().filter(|message| message["error"] == true);
    let error = |message: Value| {
        (message["uid"].as_i64().unwrap(), String::from(message["message"].as_str().unwrap()))
    };
    let mut errors: Vec<_> = heard.map(error).collect();
    errors.sort();
    errors
}

/// Each request has got one error, which says that the connection has ended.
fn assert_each_is_refused(world: &mut World, client: ConnectionId, case: Obstacle) {
    let errors = errors(world, client);
    assert_eq!(errors.iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{case:?}");
    assert!(errors.iter().all(|(_, text)| text.starts_with("ConnectionError: ")), "{case:?}: {errors:?}");
}

fn waiting_at(hub: &Hub, service: ConnectionId) -> Vec<ConnectionId> {
    hub.rest.mailboxes[&service].waiting()
}

#[test]
fn what_a_client_sent_before_an_administrator_ended_it_is_refused_and_not_executed() {
    for obstacle in OBSTACLES {
        let (mut world, echo, ann) = obstacle.world();
        world.tell(ann, Notice::Disconnect);
        world.read_again(ann);
        assert_each_is_refused(&mut world, ann, obstacle);
        assert!(world.is_closed(ann), "{obstacle:?}");
        world.read_again(echo);
        assert_eq!(world.hear_uids(echo), obstacle.sent(), "{obstacle:?}");
    }
}

#[test]
fn what_a_client_sent_before_a_shutdown_is_refused_and_not_executed() {
    for obstacle in OBSTACLES {
        let (mut world, echo, ann) = obstacle.world();
        world.shut_down();
        world.read_again(ann);
        world.wait(Limits::default().shutdown);
        assert_each_is_refused(&mut world, ann, obstacle);
        assert!(world.is_closed(ann), "{obstacle:?}");
        world.read_again(echo);
        assert_eq!(world.hear_uids(echo), obstacle.sent(), "{obstacle:?}");
    }
}

#[test]
fn the_requests_of_a_client_that_only_listens_get_one_answer_each_when_its_time_is_over() {
    for obstacle in [Obstacle::FullService, Obstacle::TooManyOpen] {
        let (mut world, echo, ann) = obstacle.world();
        world.end(ann);
        assert_eq!(world.wait_for_deadline(), (Limits::default().leave, Why::Leave), "{obstacle:?}");
        assert_each_is_refused(&mut world, ann, obstacle);
        assert!(world.is_gone(ann), "{obstacle:?}");
        world.read_again(echo);
        assert_eq!(world.hear_uids(echo), obstacle.sent(), "{obstacle:?}");
    }
}

#[test]
fn the_requests_of_a_client_that_only_listens_go_on_while_it_has_time() {
    let (mut world, echo, ann) = Obstacle::TooManyOpen.world();
    world.end(ann);
    for uid in ["1", "2"] {
        world.say(echo, &reply("Ann[lab:2]", uid, "null"));
    }
    assert_eq!(world.hear_uids(ann), [1, 2]);
    world.wait(Limits::default().leave);
    assert_eq!(errors(&mut world, ann).iter().map(|(uid, _)| *uid).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(world.hear_uids(echo), [1, 2, 3]);
    world.say(echo, &reply("Ann[lab:2]", "3", "null"));
    assert!(world.is_gone(ann));
    world.lose(echo);
    world.assert_empty();
}

#[test]
fn the_requests_of_a_client_that_only_listens_are_all_executed_when_there_is_room() {
    for obstacle in [Obstacle::FullService, Obstacle::UnreadReply] {
        let (mut world, echo, ann) = obstacle.world();
        world.end(ann);
        world.read_again(ann);
        world.read_again(echo);
        assert_eq!(world.hear_uids(echo), [1, 2, 3, 4, 5], "{obstacle:?}");
        world.hear(ann);
        for uid in UIDS {
            world.say(echo, &reply("Ann[lab:2]", uid, "null"));
        }
        assert_eq!(world.hear_uids(ann), [1, 2, 3, 4, 5], "{obstacle:?}");
        assert!(world.is_gone(ann), "{obstacle:?}");
    }
}

#[test]
fn a_client_that_waits_for_room_and_goes_leaves_no_entry_at_the_service() {
    for lost in [true, false] {
        let (mut world, echo, ann) = Obstacle::FullService.world();
        let bob = world.client("Bob");
        world.say(bob, &request("Echo", "echo", "6"));
        assert_eq!(waiting_at(&world.hub, echo), [ann, bob]);
        // Echo has got a request of Ann's; of Bob it knows only that he waits.
        for (client, left) in [(bob, &[ann][..]), (ann, &[])] {
            if lost {
                world.lose(client);
            } else {
                world.end(client);
                world.wait(Limits::default().leave);
            }
            assert!(world.is_gone(client));
            assert_eq!(waiting_at(&world.hub, echo), left, "lost: {lost}");
        }
    }
}

#[test]
fn a_client_that_gave_up_waiting_for_room_and_goes_leaves_no_entry_at_the_service() {
    let mut world = World::with(Obstacle::FullService.limits());
    let (echo, other) = (world.service("Echo"), world.service("Other"));
    let (ann, bob) = (world.client("Ann"), world.client("Bob"));
    world.stop_reading(echo);
    for uid in UIDS {
        world.say(bob, &request("Echo", "echo", uid));
    }
    // Given that the one request found no room in time, and that another service has answered since.
    world.say(ann, &request("Echo", "echo", "1"));
    assert_eq!(waiting_at(&world.hub, echo), [bob, ann]);
    world.wait(Limits::default().service_wait);
    assert_eq!(world.hear_uids(ann), [1]);
    world.say(ann, &request("Other", "echo", "2"));
    world.say(other, &reply("Ann[lab:3]", "2", "null"));
    assert_eq!(world.hear_uids(ann), [2]);
    world.lose(ann);
    assert_eq!(waiting_at(&world.hub, echo), [bob]);
}
