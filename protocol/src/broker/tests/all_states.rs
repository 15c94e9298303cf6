//! Links and locks, checked completely: every operation in every state that three clients and two services can reach.
//!
//! Each call of the broker is atomic, so whatever devices do at the same time is a path through these states. The search goes
//! through them breadth-first on the real broker until there is nothing new, and checks the rules of [`rules`] after every step.
//! Where one is broken, the failure shows a shortest sequence of operations that leads there.
//!
//! What is compared are [`Facts`]: all that the broker holds, but for the numbers of connections, which are new with every
//! arrival; and whether a lock was granted as an exclusive one, which the broker does not keep.

mod clients;
mod rules;

use alloc::collections::VecDeque;
use alloc::vec;
use std::println;

use self::clients::Clients;
use super::*;

/// Clients and services by number; a device has the same network name each time it comes.
const CLIENTS: [&str; 3] = ["Ann", "Bob", "Cid"];
const SERVICES: [&str; 2] = ["Adder", "Echo"];
const NETWORK_NAMES: [&str; 5] = ["Ann[lab:0]", "Bob[lab:1]", "Cid[lab:2]", "Adder[lab:3]", "Echo[lab:4]"];
/// How many links a service can take, each time it comes.
const LIMITS: [Option<u32>; 3] = [None, Some(1), Some(2)];

/// The states of a service while 0, 1, 2 or 3 clients are there, counted by hand: it is away, or there with one of the limits.
/// Then each client is linked or not, and each that is linked holds a lock or not: 3 to the power of the clients, less what
/// the limit forbids. Where one client is linked alone and holds a lock, the lock is an exclusive one or not: so many more.
const OF_A_SERVICE: [usize; 4] =
    [1 + 3, 1 + 3 * (3 + 1), 1 + 2 * (9 + 2) + (5 + 2), 1 + (27 + 3) + (19 + 3) + (7 + 3)];
/// The two services are independent of each other, but for the clients that are there.
const STATES: usize =
    OF_A_SERVICE[0].pow(2) + 3 * OF_A_SERVICE[1].pow(2) + 3 * OF_A_SERVICE[2].pow(2) + OF_A_SERVICE[3].pow(2);

/// What a device does. A client that has left may do it, too: a request may be on its way when its connection ends.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Join(usize),
    Disconnect(usize),
    Arrive { service: usize, limit: Option<u32> },
    Depart(usize),
    Link { client: usize, service: usize },
    Unlink { client: usize, service: usize },
    Acquire { client: usize, service: usize, shared: bool },
    Release { client: usize, service: usize },
}

/// What the broker answers: the names of clients for locks, of the service for a link, of who has come.
type Outcome = Result<Vec<String>, Denied>;

/// All that the broker holds, and all that is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Facts {
    clients: Clients,
    /// Of each service that is there.
    services: [Option<ServiceFacts>; SERVICES.len()],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct ServiceFacts {
    limit: Option<u32>,
    links: Clients,
    locks: Clients,
    /// Those that were granted an exclusive lock, and have not lost it since.
    exclusive: Clients,
}

/// The broker, and what it does not know.
#[derive(Clone)]
struct World {
    /// A mailbox is the number of its device: clients first.
    broker: Broker<usize>,
    /// The connection that each device has, or had last.
    connections: [ConnectionId; CLIENTS.len() + SERVICES.len()],
    next: u64,
    exclusive: [Clients; SERVICES.len()],
}

/// One step of the search.
struct Step {
    before: Facts,
    operation: Operation,
    outcome: Outcome,
    after: Facts,
}

/// A state that was found, and by which step from which other one.
struct Found {
    world: World,
    facts: Facts,
    from: Option<(usize, Operation)>,
}

#[test]
fn the_states_that_can_be_reached_are_all_that_the_rules_allow_and_no_others() {
    let operations = operations();
    let mut known = BTreeSet::from([Facts::default()]);
    let mut found = vec![Found { world: World::new(), facts: Facts::default(), from: None }];
    let mut open = VecDeque::from([0]);
    let mut steps = 0;
    while let Some(index) = open.pop_front() {
        let before = found[index].facts;
        for operation in operations.iter().copied().filter(|operation| before.allow(*operation)) {
            let mut world = found[index].world.clone();
            let outcome = world.apply(operation);
            let after = world.facts();
            let step = Step { before, operation, outcome, after };
            let broken = rules::broken(&world, &step);
            assert!(broken.is_empty(), "{broken:#?}\n{step:?}\nit came to this by {:?}", path(&found, index));
            steps += 1;
            if known.insert(after) {
                open.push_back(found.len());
                found.push(Found { world, facts: after, from: Some((index, operation)) });
            }
        }
    }
    println!("links and locks: {} states, {steps} steps", found.len());
    assert_eq!(found.len(), STATES);
}

fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for client in 0..CLIENTS.len() {
        operations.extend([Operation::Join(client), Operation::Disconnect(client)]);
        for service in 0..SERVICES.len() {
            operations.extend([
                Operation::Link { client, service },
                Operation::Unlink { client, service },
                Operation::Acquire { client, service, shared: false },
                Operation::Acquire { client, service, shared: true },
                Operation::Release { client, service },
            ]);
        }
    }
    for service in 0..SERVICES.len() {
        operations.push(Operation::Depart(service));
        operations.extend(LIMITS.map(|limit| Operation::Arrive { service, limit }));
    }
    operations
}

/// What leads to a state.
fn path(found: &[Found], mut index: usize) -> Vec<Operation> {
    let mut path = Vec::new();
    while let Some((before, operation)) = found[index].from {
        path.push(operation);
        index = before;
    }
    path.reverse();
    path
}

impl Facts {
    /// A device comes if it is not there, and leaves if it is. A client that has left may do the rest all the same.
    fn allow(&self, operation: Operation) -> bool {
        match operation {
            Operation::Join(client) => !self.clients.contains(client),
            Operation::Disconnect(client) => self.clients.contains(client),
            Operation::Arrive { service, .. } => self.services[service].is_none(),
            Operation::Depart(service) => self.services[service].is_some(),
            _ => true,
        }
    }

    /// The services that are there.
    fn there(&self) -> impl Iterator<Item = (usize, &ServiceFacts)> {
        self.services.iter().enumerate().filter_map(|(service, facts)| Some((service, facts.as_ref()?)))
    }
}

impl World {
    fn new() -> Self {
        Self {
            broker: Broker::new(),
            connections: [ConnectionId(0); CLIENTS.len() + SERVICES.len()],
            next: 1,
            exclusive: Default::default(),
        }
    }

    fn apply(&mut self, operation: Operation) -> Outcome {
        let (broker, connections) = (&mut self.broker, &self.connections);
        let outcome = match operation {
            Operation::Join(client) => self.join(client, Role::Client),
            Operation::Arrive { service, limit } => {
                let role = Role::Service { attributes: "{}".into(), max_clients: limit };
                self.join(CLIENTS.len() + service, role)
            }
            Operation::Disconnect(client) => {
                broker.leave(connections[client]);
                Ok(Vec::new())
            }
            Operation::Depart(service) => {
                broker.leave(connections[CLIENTS.len() + service]);
                Ok(Vec::new())
            }
            Operation::Link { client, service } => {
                let entry = broker.link(connections[client], SERVICES[service]);
                entry.map(|entry| vec![entry.network_name.to_string()])
            }
            Operation::Unlink { client, service } => {
                broker.unlink(connections[client], SERVICES[service]).map(|()| Vec::new())
            }
            Operation::Acquire { client, service, shared } => {
                let linked = broker.acquire_lock(connections[client], SERVICES[service], shared);
                if linked.is_ok() && !shared {
                    self.exclusive[service].insert(client);
                }
                linked.map(|names| texts(&names))
            }
            Operation::Release { client, service } => {
                let holders = broker.release_lock(connections[client], SERVICES[service]);
                holders.map(|names| texts(&names))
            }
        };
        self.forget_lost_locks();
        outcome
    }

    /// A device comes, with a connection that is new.
    fn join(&mut self, device: usize, role: Role) -> Outcome {
        let name = CLIENTS.iter().chain(&SERVICES).nth(device).unwrap();
        self.connections[device] = ConnectionId(self.next);
        self.next += 1;
        let connection = self.connections[device];
        let joined = self.broker.join(connection, &identity(name, role), &address(device), IP, device);
        joined.map(|name| vec![name.to_string()])
    }

    fn forget_lost_locks(&mut self) {
        for (service, exclusive) in self.exclusive.iter_mut().enumerate() {
            let locks = self.broker.services.get(SERVICES[service]).map(|service| &service.locks);
            let holds =
                |client: &usize| locks.is_some_and(|locks| locks.contains(&self.connections[*client]));
            *exclusive = exclusive.iter().filter(holds).collect();
        }
    }

    /// What the broker holds now. Who is not there holds nothing.
    fn facts(&self) -> Facts {
        let clients = |connections: &BTreeSet<ConnectionId>| {
            let clients = connections.iter().map(|id| self.broker.clients.get(id));
            clients.map(|client| client.expect("who is not there holds nothing").mailbox).collect()
        };
        let mut facts = Facts {
            clients: self.broker.clients.values().map(|client| client.mailbox).collect(),
            services: Default::default(),
        };
        for service in self.broker.services.values() {
            let number = service.mailbox - CLIENTS.len();
            facts.services[number] = Some(ServiceFacts {
                limit: service.entry.max_clients,
                links: clients(&service.links),
                locks: clients(&service.locks),
                exclusive: self.exclusive[number],
            });
        }
        facts
    }
}

impl core::fmt::Debug for Step {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { before, operation, outcome, after } = self;
        write!(f, "{operation:?} gave {outcome:?}\nbefore: {before:?}\nafter: {after:?}")
    }
}

fn address(device: usize) -> Address {
    Address { host: "lab".into(), port: u16::try_from(device).unwrap() }
}

fn names(devices: impl IntoIterator<Item = usize>) -> Vec<String> {
    devices.into_iter().map(|device| NETWORK_NAMES[device].to_string()).collect()
}
