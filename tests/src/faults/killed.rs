//! Services die while they owe answers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use socket2::SockRef;

use super::beside::beside;
use super::{Outcome, Size};
use crate::Served;
use crate::peer::Peer;
use crate::program::Program;
use crate::python::Script;
use crate::setup::Setup;

/// A service that is going to die, and how.
enum Victim {
    /// A program of the Python package that is killed (SIGKILL): its system closes the socket.
    Killed(Script),
    /// It has read all requests, and closes without a word.
    Gone(Peer),
    /// It has read none, so its system resets the connection.
    Unread(Peer),
    /// It has read all, and resets the connection.
    Reset(Peer),
}

impl Victim {
    fn start(manager: &Program, number: usize) -> (String, Self) {
        let name = format!("Victim {number}");
        let victim = match number % 3 {
            // One is enough: it takes a second to start.
            _ if number == 0 => {
                let script = Script::start("serve.py", manager, &["Waiter"]);
                return ("Waiter".to_owned(), Self::Killed(script));
            }
            0 => Self::Gone(manager.service(&name)),
            1 => Self::Unread(manager.service(&name)),
            _ => Self::Reset(manager.service(&name)),
        };
        (name, victim)
    }

    /// Returns when it has got all requests, if it reads them at all.
    fn read(&mut self, requests: usize) {
        match self {
            Self::Killed(_) | Self::Unread(_) => {}
            Self::Gone(peer) | Self::Reset(peer) => {
                for _ in 0..requests {
                    assert_eq!(peer.receive()["attribute"], "wait");
                }
            }
        }
    }

    fn die(self) {
        match self {
            Self::Killed(mut script) => script.process().kill(),
            Self::Gone(peer) | Self::Unread(peer) => drop(peer),
            Self::Reset(peer) => {
                SockRef::from(peer.stream()).set_linger(Some(Duration::ZERO)).expect("a socket can be set");
            }
        }
    }
}

pub(super) fn services(setup: Setup, size: Size) -> Outcome {
    let (victims, callers, requests) = (size.of(7, 60), size.of(3, 16), size.of(4, 20));
    let manager = Program::start(setup, &[]);
    beside(&manager, size, |_| {
        let (names, mut dying): (Vec<_>, Vec<_>) =
            (0..victims).map(|number| Victim::start(&manager, number)).unzip();
        let Victim::Killed(script) = &dying[0] else { unreachable!("the first is a program") };
        let mut callers: Vec<Peer> =
            (0..callers).map(|number| manager.client(&format!("Caller {number}"))).collect();
        wait_until_listed(&mut callers[0], &names[0]);

        for caller in &mut callers {
            for name in &names {
                for request in 0..requests {
                    caller.request(name, "wait", &json!([]), &format!("{name}/{request}"));
                }
            }
            // By this answer all of them have been sent on.
            assert_eq!(caller.ask("Manager", "unlink", &json!(["Nobody"]), "sent")["uid"], "sent");
        }
        script.wait_for("called");
        for victim in &mut dying {
            victim.read(callers.len() * requests);
        }
        dying.into_iter().for_each(Victim::die);

        let expected: BTreeSet<String> = names
            .iter()
            .flat_map(|name| (0..requests).map(move |request| format!("{name}/{request}")))
            .collect();
        for caller in &mut callers {
            let mut open = expected.clone();
            while !open.is_empty() {
                let answer = caller.receive();
                assert_eq!(answer["error"], true, "{answer}");
                assert!(
                    answer["message"].as_str().is_some_and(|text| text.starts_with("ConnectionError: ")),
                    "{answer}"
                );
                let uid = answer["uid"].as_str().expect("a uid of ours is a string");
                assert!(open.remove(uid), "it was answered before, or not asked: {answer}");
            }
            // The next line is the answer to this: there is no other.
            assert_eq!(caller.ask("Manager", "unlink", &json!(["Nobody"]), "over")["uid"], "over");
        }
        let calls = victims * callers.len() * requests;
        (format!("{victims} services, {calls} requests"), format!("{calls} errors, one for each request"))
    })
}

fn wait_until_listed(observer: &mut Peer, service: &str) {
    crate::eventually(&format!("{service} appears"), || {
        let identity = observer.ask("Manager", "identity", &json!([]), "who");
        identity["result"]["services"].get(service).is_some()
    });
}
