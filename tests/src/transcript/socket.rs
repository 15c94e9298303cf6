//! The network of a real Manager: TCP connections.
//!
//! The Manager serves connections in any order. So where a step depends on what it did with another connection, and no
//! message tells, a watcher of our own asks the Manager until it shows; the watcher is gone before the play goes on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Network, Transcript};
use crate::peer::Peer;
use crate::{Served, eventually};

/// Connections to a Manager, by the names that a transcript gives them.
#[derive(Debug)]
pub struct SocketNetwork<'manager, M> {
    manager: &'manager M,
    password: Option<String>,
    login: bool,
    peers: BTreeMap<String, Peer>,
}

impl<'manager, M: Served> SocketNetwork<'manager, M> {
    /// For the play of `transcript`, with whose flags `manager` was started.
    pub fn new(manager: &'manager M, transcript: &Transcript) -> Self {
        let password = transcript.password().map(str::to_owned);
        Self { manager, password, login: transcript.needs_login(), peers: BTreeMap::new() }
    }

    fn peer(&mut self, connection: &str) -> &mut Peer {
        self.peers.get_mut(connection).unwrap_or_else(|| panic!("{connection} is not open"))
    }

    fn watcher(&self) -> Peer {
        let mut watcher = self.manager.open();
        if let Some(password) = &self.password {
            assert_eq!(watcher.receive()["attribute"], "password");
            watcher.send(&json!({"result": password}));
        }
        if self.login {
            watcher.log_in("bob", "builder");
        }
        watcher.identify_client("Watcher");
        watcher
    }
}

impl<M: Served> Network for SocketNetwork<'_, M> {
    fn host(&self) -> String {
        self.manager.host()
    }

    fn port(&self) -> u16 {
        self.manager.port()
    }

    fn open(&mut self, connection: &str) -> u16 {
        let peer = self.manager.open();
        let port = peer.port();
        self.peers.insert(connection.to_owned(), peer);
        port
    }

    fn send(&mut self, connection: &str, bytes: &[u8]) {
        self.peer(connection).send_bytes(bytes);
    }

    fn receive(&mut self, connection: &str) -> Vec<u8> {
        self.peer(connection).receive_line().expect("a line, not the end")
    }

    fn expect_end(&mut self, connection: &str) {
        self.peer(connection).expect_end();
    }

    fn expect_quiet(&mut self, connection: &str) {
        self.peer(connection).expect_quiet();
    }

    fn close(&mut self, connection: &str) {
        self.peers.remove(connection);
    }

    fn settle(&mut self, network_name: &str, listed: bool) {
        let mut watcher = self.watcher();
        eventually(&format!("{network_name} listed: {listed}"), || {
            is_listed(network_name, &watcher.ask("Manager", "identity", &json!([]), "watch")["result"])
                == listed
        });
        watcher.send(&json!({"service": watcher.network_name(), "attribute": "__disconnect__"}));
        watcher.expect_end();
    }
}

fn is_listed(network_name: &str, identity: &Value) -> bool {
    let services = identity["services"].as_object().expect("an identity lists the services");
    identity["clients"].get(network_name).is_some()
        || services.iter().any(|(name, service)| {
            service["address"].as_str().is_some_and(|address| network_name == format!("{name}[{address}]"))
        })
}
