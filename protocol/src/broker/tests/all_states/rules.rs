//! The rules of docs/wire.md, section 5, one by one: what holds in every state, and what of every step.

use super::clients::Clients;
use super::*;

type StateRule = (&'static str, fn(&World, &Facts) -> bool);
type StepRule = (&'static str, fn(&Step) -> bool);

/// What holds always; and who is not there holds nothing, or there would be no [`Facts`].
const OF_STATES: [StateRule; 7] = [
    ("a lock needs a link", |_, facts| facts.there().all(|(_, s)| s.locks.is_subset(s.links))),
    ("a client with an exclusive lock is linked alone", |_, facts| {
        facts.there().all(|(_, s)| s.exclusive.is_empty() || s.links.len() == 1 && s.exclusive == s.links)
    }),
    ("no service has more links than it takes", |_, facts| {
        facts.there().all(|(_, s)| s.limit.is_none_or(|limit| s.links.len() <= limit as usize))
    }),
    ("a client is linked with the services that are linked with it", |world, facts| {
        world.broker.clients.values().all(|client| {
            let linked = facts.there().filter(|(_, s)| s.links.contains(client.mailbox));
            client.links.iter().map(AsRef::as_ref).eq(linked.map(|(service, _)| SERVICES[service]))
        })
    }),
    ("notifications are for those that are linked, and for nobody else", |world, facts| {
        (0..SERVICES.len()).all(|service| {
            let links = facts.services[service].map(|s| s.links).unwrap_or_default();
            let audience = world.broker.audience(world.connections[CLIENTS.len() + service]);
            audience.copied().collect::<Clients>() == links
        })
    }),
    ("a service that is locked or full hears those that are linked; otherwise everybody", |world, facts| {
        (0..SERVICES.len()).all(|service| {
            facts.clients.iter().all(|client| {
                let heard = world.broker.route(world.connections[client], SERVICES[service]).is_ok();
                let may = |s: ServiceFacts| s.links.contains(client) || s.locks.is_empty() && !s.is_full();
                heard == facts.services[service].is_some_and(may)
            })
        })
    }),
    ("the network names in use are those of the devices that are there", |world, facts| {
        let services = facts.there().map(|(service, _)| CLIENTS.len() + service);
        let mut there: Vec<_> =
            facts.clients.iter().chain(services).map(|device| NETWORK_NAMES[device]).collect();
        there.sort_unstable();
        world.broker.network_names.iter().map(NetworkName::as_str).eq(there)
    }),
];

/// What holds whatever a device does. Those that begin with a kind of operation say all that it changes, and its answer.
const OF_STEPS: [StepRule; 10] = [
    ("a refusal changes nothing", |step| step.outcome.is_ok() || step.before == step.after),
    ("there is no new link while a lock is held", |step| {
        each_service(step, |before, after| before.locks.is_empty() || after.links.is_subset(before.links))
    }),
    ("nobody gets a lock but who asks for it", |step| {
        each_service(step, |before, after| {
            let asks = |gets| matches!(step.operation, Operation::Acquire { client, .. } if client == gets);
            after.locks.without(before.locks).iter().all(asks)
        })
    }),
    ("an exclusive lock goes only with its holder's doing, or with its service", |step| {
        each_service(step, |before, after| {
            before.exclusive.without(after.exclusive).iter().all(|lost| match step.operation {
                Operation::Release { client, .. }
                | Operation::Unlink { client, .. }
                | Operation::Disconnect(client) => client == lost,
                _ => false,
            })
        })
    }),
    ("coming: a device holds nothing, and no other loses anything", |step| {
        let mut expected = step.before;
        match step.operation {
            Operation::Join(client) => {
                expected.clients.insert(client);
            }
            Operation::Arrive { service, limit } => {
                expected.services[service] = Some(ServiceFacts { limit, ..ServiceFacts::default() });
            }
            _ => return true,
        }
        step.outcome.is_ok() && step.after == expected
    }),
    ("leaving: a client frees its links and locks, a service takes its own along", |step| {
        let mut expected = step.before;
        match step.operation {
            Operation::Disconnect(client) => {
                expected.clients.remove(client);
                expected.services.iter_mut().flatten().for_each(|service| service.forget(client));
            }
            Operation::Depart(service) => {
                expected.services[service] = None;
            }
            _ => return true,
        }
        step.after == expected
    }),
    ("link: for who has it already, or while there is neither a lock nor as many links as may be", |step| {
        let Operation::Link { client, service } = step.operation else { return true };
        is(step, service, |s| {
            if !step.before.clients.contains(client) {
                return Err(Denied::NotAClient);
            }
            let Some(s) = s else { return Err(Denied::NoSuchService) };
            if !s.links.contains(client) {
                if !s.locks.is_empty() {
                    return Err(Denied::Locked);
                }
                if s.is_full() {
                    return Err(Denied::Full(network_names(s.links)));
                }
                s.links.insert(client);
            }
            Ok(names([CLIENTS.len() + service]))
        })
    }),
    ("unlink: frees link and lock; refused to who is not linked, unless the service has gone", |step| {
        let Operation::Unlink { client, service } = step.operation else { return true };
        is(step, service, |s| {
            if let Some(s) = s {
                if !s.links.contains(client) {
                    return Err(Denied::NotLinked);
                }
                s.forget(client);
            }
            Ok(Vec::new())
        })
    }),
    ("acquire: for who is linked, exclusively only for who is alone; names those that are linked", |step| {
        let Operation::Acquire { client, service, shared } = step.operation else { return true };
        is(step, service, |s| {
            let s = s.ok_or(Denied::NoSuchService)?;
            if !s.links.contains(client) {
                return Err(Denied::NotLinked);
            }
            if !shared && s.links.len() > 1 {
                return Err(Denied::NotAlone(network_names(s.links)));
            }
            s.locks.insert(client);
            if !shared {
                s.exclusive.insert(client);
            }
            Ok(names(s.links.iter()))
        })
    }),
    ("release: also for who holds no lock; names those that still hold one", |step| {
        let Operation::Release { client, service } = step.operation else { return true };
        is(step, service, |s| {
            let s = s.ok_or(Denied::NoSuchService)?;
            s.locks.remove(client);
            s.exclusive.remove(client);
            Ok(names(s.locks.iter()))
        })
    }),
];

/// The rules that a step, or the state that it leads to, does not keep.
pub(super) fn broken(world: &World, step: &Step) -> Vec<&'static str> {
    let of_state = OF_STATES.iter().filter(|(_, holds)| !holds(world, &step.after)).map(|(rule, _)| *rule);
    let of_step = OF_STEPS.iter().filter(|(_, holds)| !holds(step)).map(|(rule, _)| *rule);
    of_state.chain(of_step).collect()
}

impl ServiceFacts {
    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.links.len() >= limit as usize)
    }

    fn forget(&mut self, client: usize) {
        self.links.remove(client);
        self.locks.remove(client);
        self.exclusive.remove(client);
    }
}

/// Whether this holds of each service that is there before and after.
fn each_service(step: &Step, holds: impl Fn(&ServiceFacts, &ServiceFacts) -> bool) -> bool {
    let after = &step.after.services;
    step.before.there().all(|(service, before)| after[service].is_none_or(|after| holds(before, &after)))
}

/// Whether a step gave what `rule` gives, and changed what it changes of one service and nothing else.
fn is(step: &Step, service: usize, rule: impl FnOnce(Option<&mut ServiceFacts>) -> Outcome) -> bool {
    let mut expected = step.before;
    let outcome = rule(expected.services[service].as_mut());
    step.outcome == outcome && step.after == expected
}

fn network_names(clients: Clients) -> Vec<NetworkName> {
    let name = |client: usize| NetworkName::new(&DeviceName::new(CLIENTS[client]).unwrap(), &address(client));
    clients.iter().map(name).collect()
}
