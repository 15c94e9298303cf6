//! The broker alone: its rules by example, then every state that three clients and two services can reach.

mod all_states;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::name::DeviceName;
use crate::settings::ManagerIdentity;

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
const ANN: ConnectionId = ConnectionId(1);
const BOB: ConnectionId = ConnectionId(2);
const ADDER: ConnectionId = ConnectionId(10);

/// A broker whose mailboxes are numbers: those of the connections.
struct Lab(Broker<u64>);

impl Lab {
    /// Ann, Bob and the service Adder, which takes `max_clients` links.
    fn with_adder(max_clients: Option<u32>) -> Self {
        let mut lab = Self(Broker::new());
        lab.client(ANN, "Ann").unwrap();
        lab.client(BOB, "Bob").unwrap();
        lab.service(ADDER, "Adder", max_clients).unwrap();
        lab
    }

    fn client(&mut self, connection: ConnectionId, name: &str) -> Result<String, Denied> {
        self.join(connection, &identity(name, Role::Client), connection.0)
    }

    fn service(&mut self, connection: ConnectionId, name: &str, max: Option<u32>) -> Result<String, Denied> {
        let role = Role::Service { attributes: "{\"add\": \"(x, y)\"}".into(), max_clients: max };
        self.join(connection, &identity(name, role), connection.0)
    }

    fn join(&mut self, connection: ConnectionId, identity: &Identity, port: u64) -> Result<String, Denied> {
        let address = Address { host: "lab".into(), port: u16::try_from(port).unwrap() };
        self.0.join(connection, identity, &address, IP, connection.0).map(|name| name.to_string())
    }

    fn link(&mut self, client: ConnectionId, service: &str) -> Result<(), Denied> {
        self.0.link(client, service).map(drop)
    }

    fn lock(&mut self, client: ConnectionId, shared: bool) -> Result<Vec<String>, Denied> {
        self.0.acquire_lock(client, "Adder", shared).map(|names| texts(&names))
    }

    fn release(&mut self, client: ConnectionId) -> Result<Vec<String>, Denied> {
        self.0.release_lock(client, "Adder").map(|names| texts(&names))
    }

    fn audience(&self, service: ConnectionId) -> Vec<u64> {
        self.0.audience(service).copied().collect()
    }
}

fn identity(name: &str, role: Role) -> Identity {
    Identity { name: DeviceName::new(name).unwrap(), language: "any".into(), os: "any".into(), role }
}

fn texts(names: &[NetworkName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// What a client is told.
fn told(denied: &Denied, attempt: Attempt<'_>) -> String {
    denied.refusal(attempt, "Bob[lab:2]", "Adder").to_string()
}

#[test]
fn a_network_name_is_the_name_with_the_address() {
    let mut lab = Lab(Broker::new());
    assert_eq!(lab.client(ANN, "Ann").unwrap(), "Ann[lab:1]");
    assert_eq!(lab.service(ADDER, "Adder", None).unwrap(), "Adder[lab:10]");
}

#[test]
fn two_clients_may_have_the_same_name_two_services_may_not() {
    let mut lab = Lab::with_adder(None);
    assert_eq!(lab.client(ConnectionId(3), "Ann").unwrap(), "Ann[lab:3]");
    let denied = lab.service(ConnectionId(11), "Adder", None).unwrap_err();
    assert_eq!(
        told(&denied, Attempt::Join),
        "NameError: A 'Adder' service is already running on the Manager"
    );
    assert_eq!(lab.client(ConnectionId(4), "Adder").unwrap(), "Adder[lab:4]", "a client is no service");
}

#[test]
fn the_name_of_a_service_that_has_left_is_free_at_once() {
    let mut lab = Lab::with_adder(None);
    lab.0.leave(ADDER);
    assert_eq!(lab.service(ConnectionId(11), "Adder", None).unwrap(), "Adder[lab:11]");
}

#[test]
fn where_a_network_name_is_in_use_the_ip_address_takes_the_place_of_the_host_name() {
    let mut lab = Lab::with_adder(None);
    let ann = identity("Ann", Role::Client);
    assert_eq!(lab.join(ConnectionId(3), &ann, 1).unwrap(), "Ann[10.0.0.7:1]");
    assert_eq!(lab.join(ConnectionId(4), &ann, 1), Err(Denied::NetworkNameTaken));
    // Free again when its owner leaves, and only then.
    lab.0.leave(ConnectionId(3));
    assert_eq!(lab.join(ConnectionId(4), &ann, 1).unwrap(), "Ann[10.0.0.7:1]");
    lab.0.leave(ANN);
    assert_eq!(lab.join(ConnectionId(5), &ann, 1).unwrap(), "Ann[lab:1]");
}

#[test]
fn who_was_denied_leaves_nothing_behind() {
    let mut lab = Lab::with_adder(None);
    lab.service(ConnectionId(11), "Adder", None).unwrap_err();
    lab.0.leave(ConnectionId(11));
    assert!(lab.link(ANN, "Adder").is_ok(), "the other service is still there");
    assert_eq!(lab.0.census().services.len(), 1);
}

#[test]
fn a_link_gives_the_services_entry_and_linking_again_gives_the_same() {
    let mut lab = Lab::with_adder(Some(1));
    let entry = lab.0.link(ANN, "Adder").unwrap();
    assert_eq!(
        entry.to_json(),
        "{\"attributes\": {\"add\": \"(x, y)\"}, \"address\": \"lab:10\", \"language\": \"any\", \"os\": \"any\", \
         \"max_clients\": 1}"
    );
    assert_eq!(lab.0.link(ANN, "Adder").unwrap(), entry);
    assert_eq!(lab.audience(ADDER), [1], "several links are one");
    lab.lock(ANN, false).unwrap();
    assert_eq!(lab.0.link(ANN, "Adder").unwrap(), entry, "also while it is locked");
}

#[test]
fn a_service_without_a_limit_shows_minus_one() {
    let mut lab = Lab::with_adder(None);
    assert!(lab.0.link(ANN, "Adder").unwrap().to_json().ends_with("\"max_clients\": -1}"));
}

#[test]
fn a_link_with_nobody_is_refused() {
    let mut lab = Lab(Broker::new());
    lab.client(BOB, "Bob").unwrap();
    let denied = lab.link(BOB, "Adder").unwrap_err();
    assert_eq!(
        told(&denied, Attempt::Link),
        "KeyError: \"the 'Adder' service does not exist, cannot link with Bob[lab:2]\""
    );
}

#[test]
fn a_service_can_neither_link_nor_lock() {
    let mut lab = Lab::with_adder(None);
    let denied = lab.link(ADDER, "Adder").unwrap_err();
    assert_eq!(
        told(&denied, Attempt::Link),
        "PermissionError: Bob[lab:2] is a service, or has left: only a client that is connected can link with a service"
    );
    assert_eq!(lab.lock(ADDER, true), Err(Denied::NotLinked));
}

#[test]
fn a_full_service_takes_no_more_links_and_names_those_that_it_has() {
    let mut lab = Lab::with_adder(Some(1));
    lab.link(ANN, "Adder").unwrap();
    let denied = lab.link(BOB, "Adder").unwrap_err();
    assert_eq!(
        told(&denied, Attempt::Link),
        "PermissionError: The maximum number of Clients are already linked with 'Adder'\n\
         The linked Clients are:\n  Ann[lab:1]"
    );
    lab.0.unlink(ANN, "Adder").unwrap();
    assert!(lab.link(BOB, "Adder").is_ok());
}

#[test]
fn a_locked_service_takes_no_new_links() {
    for shared in [false, true] {
        let mut lab = Lab::with_adder(None);
        lab.link(ANN, "Adder").unwrap();
        lab.lock(ANN, shared).unwrap();
        let denied = lab.link(BOB, "Adder").unwrap_err();
        assert_eq!(told(&denied, Attempt::Link), "PermissionError: 'Adder' service is locked");
        lab.release(ANN).unwrap();
        assert!(lab.link(BOB, "Adder").is_ok());
    }
}

#[test]
fn unlinking_needs_a_link_unless_the_service_is_gone() {
    let mut lab = Lab::with_adder(None);
    let denied = lab.0.unlink(BOB, "Adder").unwrap_err();
    assert_eq!(
        told(&denied, Attempt::Unlink),
        "KeyError: \"cannot unlink Bob[lab:2], it was not linked with 'Adder'\""
    );
    lab.link(BOB, "Adder").unwrap();
    assert_eq!(lab.0.unlink(BOB, "Adder"), Ok(()));
    assert_eq!(lab.0.unlink(BOB, "Adder"), Err(Denied::NotLinked));
    lab.0.leave(ADDER);
    assert_eq!(lab.0.unlink(BOB, "Adder"), Ok(()));
}

#[test]
fn a_lock_needs_a_service_and_a_link_with_it() {
    let mut lab = Lab::with_adder(None);
    let denied = lab.lock(BOB, false).unwrap_err();
    assert_eq!(
        told(&denied, Attempt::AcquireLock),
        "PermissionError: Bob[lab:2] cannot acquire a lock because it is not linked with the 'Adder' service"
    );
    lab.0.leave(ADDER);
    let denied = lab.lock(BOB, false).unwrap_err();
    assert_eq!(
        told(&denied, Attempt::AcquireLock),
        "KeyError: \"'Adder' service does not exist, Bob[lab:2] cannot acquire a lock\""
    );
    let denied = lab.release(BOB).unwrap_err();
    assert_eq!(
        told(&denied, Attempt::ReleaseLock),
        "KeyError: \"'Adder' service does not exist, Bob[lab:2] cannot release the lock\""
    );
}

#[test]
fn an_exclusive_lock_needs_the_only_link_even_for_who_holds_a_shared_one() {
    let mut lab = Lab::with_adder(None);
    lab.link(BOB, "Adder").unwrap();
    lab.link(ANN, "Adder").unwrap();
    let denied = lab.lock(BOB, false).unwrap_err();
    assert_eq!(
        told(&denied, Attempt::AcquireLock),
        "PermissionError: Bob[lab:2] cannot acquire an exclusive lock, there are 2 links with the 'Adder' service\n\
         The linked Clients are:\n  Ann[lab:1]\n  Bob[lab:2]"
    );
    lab.lock(BOB, true).unwrap();
    assert_eq!(lab.lock(BOB, false).unwrap_err(), denied);
}

#[test]
fn asking_for_a_lock_again_in_either_mode_gets_the_same_answer() {
    let mut lab = Lab::with_adder(None);
    lab.link(ANN, "Adder").unwrap();
    for shared in [false, false, true, false] {
        assert_eq!(lab.lock(ANN, shared).unwrap(), ["Ann[lab:1]"]);
    }
    assert_eq!(lab.release(ANN).unwrap(), [""; 0], "one lock, however often it was asked for");
}

#[test]
fn a_shared_lock_belongs_to_those_of_the_linked_clients_that_asked_for_it() {
    let mut lab = Lab::with_adder(None);
    lab.link(ANN, "Adder").unwrap();
    lab.link(BOB, "Adder").unwrap();
    // Acquiring shows who is linked, releasing who still holds a lock.
    assert_eq!(lab.lock(ANN, true).unwrap(), ["Ann[lab:1]", "Bob[lab:2]"]);
    assert_eq!(lab.release(BOB).unwrap(), ["Ann[lab:1]"], "no error for who holds none");
    lab.lock(BOB, true).unwrap();
    assert_eq!(lab.release(ANN).unwrap(), ["Bob[lab:2]"]);
    assert_eq!(lab.release(BOB).unwrap(), [""; 0]);
}

#[test]
fn unlinking_and_leaving_free_the_lock() {
    for leave in [false, true] {
        let mut lab = Lab::with_adder(None);
        lab.link(ANN, "Adder").unwrap();
        lab.lock(ANN, false).unwrap();
        if leave {
            lab.0.leave(ANN);
        } else {
            lab.0.unlink(ANN, "Adder").unwrap();
        }
        assert_eq!(lab.link(BOB, "Adder"), Ok(()));
        assert_eq!(lab.lock(BOB, false).unwrap(), ["Bob[lab:2]"]);
    }
}

#[test]
fn a_service_that_leaves_takes_its_links_and_locks_along() {
    let mut lab = Lab::with_adder(Some(1));
    lab.link(ANN, "Adder").unwrap();
    lab.lock(ANN, false).unwrap();
    lab.0.leave(ADDER);
    // The name is used again, by a service that nobody is linked with.
    lab.service(ConnectionId(11), "Adder", Some(1)).unwrap();
    assert_eq!(lab.audience(ConnectionId(11)), [0; 0]);
    assert_eq!(lab.lock(ANN, false), Err(Denied::NotLinked));
    assert_eq!(lab.link(BOB, "Adder"), Ok(()), "neither locked nor full");
    // What the old one's client does now concerns its own links only.
    lab.0.leave(ANN);
    assert_eq!(lab.audience(ConnectionId(11)), [2]);
}

#[test]
fn a_clients_name_that_is_used_again_inherits_nothing() {
    let mut lab = Lab::with_adder(None);
    lab.link(ANN, "Adder").unwrap();
    lab.lock(ANN, false).unwrap();
    lab.0.leave(ANN);
    let ann = identity("Ann", Role::Client);
    assert_eq!(lab.join(ConnectionId(3), &ann, 1).unwrap(), "Ann[lab:1]");
    assert_eq!(lab.lock(ConnectionId(3), false), Err(Denied::NotLinked));
    assert_eq!(lab.audience(ADDER), [0; 0]);
}

#[test]
fn a_request_needs_no_link_but_a_service() {
    let mut lab = Lab::with_adder(Some(2));
    assert_eq!(lab.0.route(BOB, "Adder"), Ok(Route { service: ADDER, mailbox: 10 }));
    lab.0.leave(ADDER);
    let denied = lab.0.route(BOB, "Adder").unwrap_err();
    assert_eq!(
        told(&denied, Attempt::Request("Manager[lab:1875]")),
        "KeyError: \"the 'Adder' Service is not connected to Manager[lab:1875]\""
    );
}

#[test]
fn only_linked_clients_get_through_to_a_service_that_is_locked_or_full() {
    let through = Ok(Route { service: ADDER, mailbox: 10 });
    // Given a service that is full, Bob does not get through; the words name who is linked.
    let mut lab = Lab::with_adder(Some(1));
    lab.link(ANN, "Adder").unwrap();
    assert_eq!(lab.0.route(ANN, "Adder"), through);
    let denied = lab.0.route(BOB, "Adder").unwrap_err();
    assert!(told(&denied, Attempt::Request("")).ends_with("answers nobody else; try to link later"));
    // Given one that is locked, those that are linked do, with or without a lock of their own.
    let mut lab = Lab::with_adder(None);
    lab.client(ConnectionId(3), "Cem").unwrap();
    lab.link(ANN, "Adder").unwrap();
    lab.link(BOB, "Adder").unwrap();
    lab.lock(ANN, true).unwrap();
    assert_eq!(lab.0.route(ANN, "Adder"), through);
    assert_eq!(lab.0.route(BOB, "Adder"), through);
    let denied = lab.0.route(ConnectionId(3), "Adder").unwrap_err();
    assert_eq!(told(&denied, Attempt::Request("")), "PermissionError: 'Adder' service is locked");
}

#[test]
fn the_audience_is_who_is_linked_at_that_moment() {
    let mut lab = Lab::with_adder(None);
    assert_eq!(lab.audience(ADDER), [0; 0]);
    lab.link(ANN, "Adder").unwrap();
    lab.link(BOB, "Adder").unwrap();
    assert_eq!(lab.audience(ADDER), [1, 2]);
    lab.0.unlink(ANN, "Adder").unwrap();
    assert_eq!(lab.audience(ADDER), [2]);
    lab.0.leave(BOB);
    assert_eq!(lab.audience(ADDER), [0; 0]);
    assert_eq!(lab.audience(ANN), [0; 0], "a client has no audience");
}

#[test]
fn the_identity_shows_clients_by_network_name_and_services_by_name() {
    let mut lab = Lab::with_adder(Some(3));
    lab.0.leave(BOB);
    let manager =
        ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
    let shown: serde_json::Value = serde_json::from_str(&lab.0.census().to_json(&manager)).unwrap();
    let expected = serde_json::json!({
        "hostname": "lab",
        "port": 1875,
        "attributes": {"identity": "() -> dict", "link": "(service: str) -> bool"},
        "language": "Rust",
        "os": "any",
        "clients": {"Ann[lab:1]": {"name": "Ann", "address": "lab:1", "language": "any", "os": "any"}},
        "services": {"Adder": {
            "attributes": {"add": "(x, y)"}, "address": "lab:10", "language": "any", "os": "any", "max_clients": 3,
        }},
    });
    assert_eq!(shown, expected);
}

#[test]
fn links_and_locks_are_shown_by_service_with_their_holders_in_order() {
    let mut lab = Lab::with_adder(None);
    lab.service(ConnectionId(11), "Timer", None).unwrap();
    assert_eq!(lab.0.links().to_json(), r#"{"Adder": [], "Timer": []}"#);
    lab.link(BOB, "Adder").unwrap();
    lab.link(ANN, "Adder").unwrap();
    lab.lock(BOB, true).unwrap();
    assert_eq!(lab.0.links().to_json(), r#"{"Adder": ["Ann[lab:1]", "Bob[lab:2]"], "Timer": []}"#);
    assert_eq!(lab.0.locks().to_json(), r#"{"Adder": ["Bob[lab:2]"], "Timer": []}"#);
    let manager =
        ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
    let census = lab.0.census();
    let (clients, services) = (census.clients_to_json(), census.services_to_json());
    assert!(clients.contains("Ann[lab:1]") && services.contains("Adder"));
    let both = format!("\"clients\": {clients}, \"services\": {services}}}");
    assert!(census.to_json(&manager).ends_with(&both), "{both}");
}

#[test]
fn an_administrator_finds_a_connection_by_its_network_name() {
    let lab = Lab::with_adder(None);
    assert_eq!(lab.0.find("Ann[lab:1]"), Some(ANN));
    assert_eq!(lab.0.find("Adder[lab:10]"), Some(ADDER));
    assert_eq!(lab.0.find("Adder"), None);
}

#[test]
fn leaving_twice_or_without_having_joined_does_no_harm() {
    let mut lab = Lab::with_adder(None);
    lab.0.leave(ConnectionId(99));
    lab.0.leave(ANN);
    lab.0.leave(ANN);
    let names: BTreeSet<_> = lab.0.census().clients.iter().map(|client| client.name.to_string()).collect();
    assert_eq!(names, BTreeSet::from(["Bob".to_string()]));
}
