//! Handshakes and logins, while the clock jumps on both sides.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::laboratory::{ALL, Client, HOUR, Laboratory, Wired, almost, new_client, request};
use crate::client::{self, Event};
use crate::connection::{Action, Verdict};
use crate::device::{Credentials, ErrorKind, Prompt};
use crate::limits::Limits;
use crate::mailbox::Notice;
use crate::settings::Authentication;
use crate::testing::World;

/// Ann, who is asked for a username.
fn typing(credentials: Credentials) -> (World, Client, Prompt) {
    let mut world = World::authenticating(Authentication::Login, Limits::default());
    let mut ann = Wired::new(new_client("Ann", credentials), &mut world);
    settle(&mut world, &mut ann);
    let [Event::Ask(prompt)] = &ann.told()[..] else { panic!("it asks") };
    (world, ann, prompt.clone())
}

/// Carries all there is; whoever logs in is let in.
fn settle(world: &mut World, ann: &mut Client) {
    while ann.carry_up(world, ALL) | ann.carry_down(world, ALL) {
        for action in world.acts(ann.id) {
            if matches!(action, Action::Check(_)) {
                let verdict = Verdict::Accepted { administrator: false };
                world.tell(ann.id, Notice::Checked(verdict));
            }
        }
    }
}

fn jump(world: &mut World, ann: &mut Client, by: Duration) {
    world.jump(by);
    ann.act(|machine, out| machine.handle_timeout(world.now, out));
    settle(world, ann);
}

fn kinds_of_end(events: &[Event]) -> Vec<ErrorKind> {
    let ends = events.iter().filter_map(|event| match event {
        Event::Ended(error) => Some(error.kind()),
        _ => None,
    });
    ends.collect()
}

#[test]
fn an_identity_that_is_half_there_when_its_time_is_over_is_refused() {
    for (wait, connected) in
        [(almost(Limits::default().first_answer), true), (Limits::default().first_answer, false)]
    {
        let mut world = World::new();
        let mut ann = Wired::new(new_client("Ann", Credentials::default()), &mut world);
        ann.carry_down(&mut world, ALL);
        ann.carry_up(&mut world, 30);
        world.jump(wait);
        settle(&mut world, &mut ann);
        assert_eq!(ann.machine.is_connected(), connected);
        let refused = if connected { &[][..] } else { &[ErrorKind::Refused] };
        assert_eq!(kinds_of_end(&ann.told()), refused);
    }
}

#[test]
fn a_person_has_the_managers_time_for_each_answer() {
    let (mut world, mut ann, _) = typing(Credentials::default());
    for answer in ["ada", "engine"] {
        jump(&mut world, &mut ann, almost(Limits::default().prompt));
        ann.act(|machine, out| machine.answer(answer.to_string(), out));
        settle(&mut world, &mut ann);
    }
    assert!(ann.machine.is_connected());
}

#[test]
fn an_answer_that_a_person_gives_after_the_end_changes_nothing() {
    for answers in [true, false] {
        let (mut world, mut ann, prompt) = typing(Credentials::default());
        jump(&mut world, &mut ann, Limits::default().prompt);
        assert_eq!(kinds_of_end(&ann.told()), [ErrorKind::Refused]);

        ann.act(|machine, out| {
            if answers {
                machine.answer("ada".to_string(), out);
            } else {
                machine.refuse(&prompt, out);
            }
        });
        jump(&mut world, &mut ann, HOUR);

        assert_eq!(kinds_of_end(&ann.told()), []);
        world.assert_empty();
    }
}

#[test]
fn a_login_that_a_person_declines_while_the_client_leaves_takes_no_call_along() {
    let mut lab = Laboratory::pair();
    let call = lab.call("add", None);
    let administer = request("Manager", "users_table.users", "[]", None);
    lab.clients[0].act(|machine, out| machine.call(administer, out)).unwrap();
    lab.settle();
    let Some(Event::Ask(prompt)) = lab.clients[0].told().pop() else { panic!("it asks") };

    lab.clients[0].act(client::Machine::disconnect);
    lab.clients[0].act(|machine, out| machine.refuse(&prompt, out));
    lab.jump(HOUR);
    lab.settle();

    let told = lab.clients[0].told();
    let settled = |event: &Event| matches!(event, Event::Settled { call: settled, .. } if *settled == call);
    assert_eq!(told.iter().filter(|event| settled(event)).count(), 1, "{told:?}");
    assert_eq!(kinds_of_end(&told), [ErrorKind::Disconnected]);
}

#[test]
fn a_client_that_leaves_before_it_is_confirmed_tells_of_nothing_but_its_end() {
    for asks in [true, false] {
        let mut world = World::new();
        let mut ann = Wired::new(new_client("Ann", Credentials::default()), &mut world);
        ann.carry_down(&mut world, ALL);
        if asks {
            ann.act(client::Machine::disconnect);
        } else {
            ann.cut(&mut world);
        }
        settle(&mut world, &mut ann);
        let told = ann.told();
        assert!(matches!(told[..], [Event::Ended(_)]), "{told:?}");
    }
}
