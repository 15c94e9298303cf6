//! Every sequence of five operations of two clients on a service that takes any number of links, and on one that takes one.
//!
//! Each is played against the broker and against a model of a few lines; after every step both must agree on the outcome,
//! and the broker must keep what holds always. The first operation is always Ann's link: before there is a link nothing else
//! changes anything, and Bob may do whatever Ann may.

use super::*;

const CLIENTS: [ConnectionId; 2] = [ANN, BOB];
/// How many operations follow the first one.
const LENGTH: u32 = 4;

#[derive(Clone, Copy, Debug)]
enum Operation {
    Link(ConnectionId),
    Unlink(ConnectionId),
    Acquire(ConnectionId, bool),
    Release(ConnectionId),
    /// A client, or the service, leaves and comes back.
    Return(ConnectionId),
}

const OPERATIONS: [Operation; 13] = [
    Operation::Link(ANN),
    Operation::Link(BOB),
    Operation::Unlink(ANN),
    Operation::Unlink(BOB),
    Operation::Acquire(ANN, false),
    Operation::Acquire(BOB, false),
    Operation::Acquire(ANN, true),
    Operation::Acquire(BOB, true),
    Operation::Release(ANN),
    Operation::Release(BOB),
    Operation::Return(ANN),
    Operation::Return(BOB),
    Operation::Return(ADDER),
];

/// What should be: docs/wire.md, section 5, in sets.
#[derive(Debug, Default)]
struct Model {
    most: Option<u32>,
    links: BTreeSet<ConnectionId>,
    locks: BTreeSet<ConnectionId>,
}

impl Model {
    fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.links.len() >= most as usize)
    }

    /// Whether the operation succeeds.
    fn apply(&mut self, operation: Operation) -> bool {
        match operation {
            Operation::Link(client) => {
                let allowed = self.links.contains(&client) || (self.locks.is_empty() && !self.is_full());
                if allowed {
                    self.links.insert(client);
                }
                allowed
            }
            Operation::Unlink(client) => {
                self.locks.remove(&client);
                self.links.remove(&client)
            }
            Operation::Acquire(client, shared) => {
                let allowed = self.links.contains(&client) && (shared || self.links.len() == 1);
                if allowed {
                    self.locks.insert(client);
                }
                allowed
            }
            Operation::Release(client) => {
                self.locks.remove(&client);
                true
            }
            Operation::Return(ADDER) => {
                self.links.clear();
                self.locks.clear();
                true
            }
            Operation::Return(client) => {
                self.links.remove(&client);
                self.locks.remove(&client);
                true
            }
        }
    }
}

impl Lab {
    fn apply(&mut self, operation: Operation, most: Option<u32>) -> bool {
        match operation {
            Operation::Link(client) => self.link(client, "Adder").is_ok(),
            Operation::Unlink(client) => self.0.unlink(client, "Adder").is_ok(),
            Operation::Acquire(client, shared) => self.lock(client, shared).is_ok(),
            Operation::Release(client) => self.release(client).is_ok(),
            Operation::Return(device) => {
                self.0.leave(device);
                match device {
                    ADDER => self.service(ADDER, "Adder", most).is_ok(),
                    ANN => self.client(ANN, "Ann").is_ok(),
                    _ => self.client(BOB, "Bob").is_ok(),
                }
            }
        }
    }

    /// What the broker knows is what the model says, on both sides of each link.
    fn check(&self, model: &Model) {
        let service = &self.0.services["Adder"];
        assert_eq!(service.links, model.links);
        assert_eq!(service.locks, model.locks);
        assert!(service.locks.is_subset(&service.links), "a lock needs a link");
        assert!(model.most.is_none_or(|most| service.links.len() <= most as usize), "too many links");
        for client in CLIENTS {
            let linked = model.links.contains(&client);
            assert_eq!(self.0.clients[&client].links.contains("Adder"), linked);
            let through = linked || (model.locks.is_empty() && !model.is_full());
            assert_eq!(self.0.route(client, "Adder").is_ok(), through);
        }
        assert_eq!(self.0.network_names.len(), 3);
    }
}

#[test]
fn every_short_history_keeps_to_the_rules() {
    for most in [None, Some(1)] {
        for number in 0..OPERATIONS.len().pow(LENGTH) {
            play(number, most);
        }
    }
}

/// The digits of the number are the operations.
fn play(mut number: usize, most: Option<u32>) {
    let mut lab = Lab::with_adder(most);
    let mut model = Model { most, ..Model::default() };
    step(&mut lab, &mut model, Operation::Link(ANN));
    for _ in 0..LENGTH {
        step(&mut lab, &mut model, OPERATIONS[number % OPERATIONS.len()]);
        number /= OPERATIONS.len();
    }
}

fn step(lab: &mut Lab, model: &mut Model, operation: Operation) {
    let locked = !model.locks.is_empty();
    let links_before = model.links.clone();
    let outcome = lab.apply(operation, model.most);
    assert_eq!(outcome, model.apply(operation), "{operation:?} with {model:?}");
    assert!(!locked || model.links.is_subset(&links_before), "nobody is linked anew while there is a lock");
    lab.check(model);
}
