//! Random devices that do random things at random moments.
//!
//! Whatever happens: nothing panics, every line is valid (the world checks that), every request of a client gets exactly one
//! answer or its connection ends, an answer reaches nobody but who asked, an error without a uid answers only what could
//! not be read, and when all have gone nothing is left.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use crate::connection::{Action, Verdict};
use crate::limits::Limits;
use crate::mailbox::{ConnectionId, Notice};
use crate::testing::{DISCONNECT, MANAGER, World, ask, notification, reply, request};

/// Longer than everything that can be waited for, one after the other.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);
const SERVICES: [&str; 2] = ["Echo", "Other"];
/// Lines that cannot be read, or that mean nothing here.
const RUBBISH: [&str; 8] = [
    "{",
    "rubbish",
    "[1, 2]",
    "null",
    "{\"a\": \"\u{7f}",
    "client Ann",
    "{\"uid\": \"notification\", \"service\": \"Echo\", \"result\": 1}",
    "{\"error\": true, \"requester\": \"C0[lab:1]\"}",
];

#[derive(Clone, Debug)]
enum Step {
    Connect {
        service: bool,
    },
    Request {
        service: usize,
        padding: usize,
    },
    Ask {
        attribute: usize,
        service: usize,
    },
    Administer,
    /// An answer to a question for a username or password, whether there was one or not.
    Credential,
    /// The service answers one of the requests that it has heard, perhaps twice.
    Answer {
        which: usize,
        error: bool,
        padding: usize,
        twice: bool,
    },
    Notify {
        service: usize,
        padding: usize,
    },
    Rubbish(usize),
    Disconnect,
    End,
    Lose,
    StopReading,
    ReadAgain,
    Wait(u64),
    EndedByAdministrator,
    ShutDown,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|service| Step::Connect { service }),
        12 => (0..2_usize, 0..600_usize).prop_map(|(service, padding)| Step::Request { service, padding }),
        4 => (0..5_usize, 0..2_usize).prop_map(|(attribute, service)| Step::Ask { attribute, service }),
        1 => Just(Step::Administer),
        2 => Just(Step::Credential),
        12 => (any::<usize>(), any::<bool>(), 0..600_usize, prop::bool::weighted(0.1))
            .prop_map(|(which, error, padding, twice)| Step::Answer { which, error, padding, twice }),
        3 => (0..2_usize, 0..200_usize).prop_map(|(service, padding)| Step::Notify { service, padding }),
        2 => (0..RUBBISH.len()).prop_map(Step::Rubbish),
        1 => Just(Step::Disconnect),
        1 => Just(Step::End),
        1 => Just(Step::Lose),
        2 => Just(Step::StopReading),
        3 => Just(Step::ReadAgain),
        2 => (0..400_u64).prop_map(Step::Wait),
        1 => Just(Step::EndedByAdministrator),
        1 => prop::bool::weighted(0.1).prop_map(|now| if now { Step::ShutDown } else { Step::Wait(1) }),
    ]
}

/// One device as it knows itself.
struct Player {
    id: ConnectionId,
    /// The network name that it would have.
    name: String,
    is_service: bool,
    /// The end of a line of which only the beginning has been sent.
    rest: String,
    /// For a client: how many answers there were to each request.
    answers: BTreeMap<u64, usize>,
    /// For a service: what it has been asked, requester and uid.
    asked: Vec<(String, Value)>,
    unreadable: usize,
    without_uid: usize,
}

struct Stage {
    world: World,
    players: Vec<Player>,
    next_uid: u64,
}

fn limits() -> Limits {
    Limits {
        service_mailbox: 300,
        client_mailbox: 300,
        notifications: 500,
        open_requests: 5,
        max_frame: 1000,
        ..Limits::for_memory(6000)
    }
}

impl Stage {
    fn new() -> Self {
        Self { world: World::with(limits()), players: Vec::new(), next_uid: 1 }
    }

    fn connect(&mut self, is_service: bool) {
        let id = self.world.connect();
        let number = self.players.len();
        let (name, identity) = if is_service {
            let name = SERVICES[number % 2].to_string();
            let identity =
                format!(r#"{{"type": "service", "name": "{name}", "attributes": {{}}, "max_clients": 2}}"#);
            (name, identity)
        } else {
            (format!("C{number}"), format!(r#"{{"type": "client", "name": "C{number}"}}"#))
        };
        self.world.say(id, &format!(r#"{{"result": {identity}}}"#));
        self.world.hear(id);
        self.players.push(Player {
            id,
            name: format!("{name}[lab:{}]", number + 1),
            is_service,
            rest: String::new(),
            answers: BTreeMap::new(),
            asked: Vec::new(),
            unreadable: 0,
            without_uid: 0,
        });
    }

    /// Sends what was left of the last line, and this one up to the cut.
    fn say(&mut self, player: usize, line: &str, cut: usize) {
        let player = &mut self.players[player];
        let mut bytes = core::mem::take(&mut player.rest) + line + "\r\n";
        let mut cut = bytes.len().saturating_sub(cut);
        while !bytes.is_char_boundary(cut) {
            cut -= 1;
        }
        player.rest = bytes.split_off(cut);
        self.world.send(player.id, bytes);
    }

    fn play(&mut self, who: usize, cut: usize, step: &Step) {
        match *step {
            Step::Connect { service } if self.players.len() < 8 => return self.connect(service),
            Step::Wait(seconds) => return self.world.wait(Duration::from_secs(seconds)),
            Step::ShutDown => return self.world.shut_down(),
            _ => {}
        }
        if self.players.is_empty() {
            return;
        }
        let who = who % self.players.len();
        let id = self.players[who].id;
        if self.world.is_gone(id) {
            return;
        }
        let uid = self.next_uid;
        self.next_uid += 1;
        let is_service = self.players[who].is_service;
        match *step {
            Step::Request { service, padding } => {
                self.asks(who, uid, is_service);
                self.say(who, &request(SERVICES[service], &"x".repeat(padding), &format!("{uid}")), cut);
            }
            Step::Ask { attribute, service } => {
                let attribute = ["link", "unlink", "acquire_lock", "release_lock", "identity"][attribute];
                self.asks(who, uid, is_service);
                self.say(who, &ask(attribute, SERVICES[service], &format!("{uid}")), cut);
            }
            Step::Administer => {
                self.asks(who, uid, is_service);
                self.say(who, &ask("users_table.users", "", &format!("{uid}")), cut);
            }
            Step::Answer { which, error, padding, twice } if is_service => {
                self.hear(who);
                let asked = &mut self.players[who].asked;
                if asked.is_empty() {
                    return;
                }
                let (requester, uid) = asked.remove(which % asked.len());
                let result = format!("\"{requester}{}\"", "x".repeat(padding));
                let mut line = reply(&requester, &uid.to_string(), &result);
                if error {
                    line = line.replace(
                        "\"error\": false",
                        "\"error\": true, \"message\": \"E\", \"traceback\": []",
                    );
                }
                self.say(who, &line, cut);
                if twice {
                    self.say(who, &line, 0);
                }
            }
            Step::Notify { service, padding } => {
                self.say(who, &notification(SERVICES[service], &"x".repeat(padding)), cut);
            }
            Step::Rubbish(which) => {
                self.players[who].unreadable += 1;
                self.say(who, RUBBISH[which], cut);
            }
            Step::Credential => self.say(who, &reply(MANAGER, "\"\"", "\"root\""), cut),
            Step::Disconnect => self.say(who, DISCONNECT, cut),
            Step::End => self.world.end(id),
            Step::Lose => self.world.lose(id),
            Step::StopReading => self.world.stop_reading(id),
            Step::ReadAgain => self.world.read_again(id),
            Step::EndedByAdministrator => self.world.tell(id, Notice::Disconnect),
            _ => {}
        }
        self.administer();
    }

    fn asks(&mut self, who: usize, uid: u64, is_service: bool) {
        if !is_service {
            self.players[who].answers.insert(uid, 0);
        }
    }

    /// The world does what the Manager asks it for, until it asks for nothing more.
    fn administer(&mut self) {
        let mut players: Vec<_> = self.players.iter().map(|player| player.id).collect();
        while let Some(id) = players.pop() {
            for action in self.world.acts(id) {
                let notice = match action {
                    Action::Check(_) => Notice::Checked(Verdict::Accepted { administrator: true }),
                    Action::Administer { .. } => Notice::Administered(Ok("1".into())),
                    _ => continue,
                };
                self.world.tell(id, notice);
                players.push(id);
            }
        }
    }

    /// The player looks at what has come.
    fn hear(&mut self, who: usize) {
        let player = &mut self.players[who];
        for message in self.world.hear(player.id) {
            let uid = &message["uid"];
            if message["attribute"].is_string() {
                // A request, or a question of the Manager.
                if player.is_service && message["service"].is_string() {
                    let requester = message["requester"].as_str().unwrap();
                    player.asked.push((requester.to_string(), uid.clone()));
                }
                continue;
            }
            if uid == "" {
                player.without_uid += 1;
            }
            if player.is_service || uid == "notification" {
                continue;
            }
            assert_eq!(message["requester"], player.name, "{message}");
            if let Some(result) = message["result"].as_str() {
                assert!(result.starts_with(&player.name), "somebody else's: {message}");
            }
            if let Some(uid) = uid.as_u64() {
                *player.answers.get_mut(&uid).expect("an answer to nothing") += 1;
            }
        }
    }

    /// Everybody finishes what has been begun, the services leave, and everything that can time out does.
    fn finish(&mut self) {
        for who in 0..self.players.len() {
            let id = self.players[who].id;
            if !self.world.is_gone(id) {
                self.world.read_again(id);
                let rest = core::mem::take(&mut self.players[who].rest);
                self.world.send(id, rest);
            }
        }
        for who in 0..self.players.len() {
            if self.players[who].is_service {
                self.world.lose(self.players[who].id);
            }
        }
        // A login that has timed out may let the next request for administrators through.
        for _ in 0..10 {
            self.world.wait(LONG);
            self.administer();
        }
        for who in 0..self.players.len() {
            self.hear(who);
        }
    }

    fn check(&self) {
        for player in &self.players {
            assert!(player.without_uid <= player.unreadable, "{}", player.name);
            for (uid, answers) in &player.answers {
                assert!(*answers <= 1, "{} got {answers} answers to {uid}", player.name);
                let answered = *answers == 1 || self.world.is_closed(player.id);
                assert!(answered, "{} got no answer to {uid}", player.name);
            }
        }
    }

    fn end(&mut self) {
        for player in &self.players {
            self.world.end(player.id);
        }
        self.world.wait(LONG);
        self.world.assert_empty();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn every_request_gets_exactly_one_answer_or_its_connection_ends(
        steps in prop::collection::vec((0..8_usize, prop_oneof![3 => Just(0_usize), 1 => 0..200_usize], step()), 0..80)
    ) {
        let mut stage = Stage::new();
        for service in [true, true, false, false] {
            stage.connect(service);
        }
        for (who, cut, step) in &steps {
            stage.play(*who, *cut, step);
        }
        stage.finish();
        stage.check();
        stage.end();
    }
}
