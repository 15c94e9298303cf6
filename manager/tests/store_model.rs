//! The store against a model of it: whatever is done, in whatever order and with the store opened anew in between, both hold
//! the same and say the same.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use msl_network_manager::store::{ConnectionLimits, ConnectionLog, Entry, Login, User};
use msl_network_manager::{Error, Secret, Store, computer};
use proptest::prelude::*;

/// What can be asked of a store.
#[derive(Clone, Debug)]
enum Step {
    Insert { name: &'static str, password: &'static str, administrator: bool },
    Update { name: &'static str, password: Option<&'static str>, administrator: Option<bool> },
    Remove { name: &'static str },
    Check { name: &'static str, password: &'static str },
    Trust { name: &'static str },
    Distrust { name: &'static str },
    Record { count: usize },
    OpenAnew,
}

/// What a store holds, and the rules of its changes.
#[derive(Default)]
struct Model {
    users: BTreeMap<&'static str, (&'static str, bool)>,
    hostnames: BTreeSet<String>,
    messages: Vec<String>,
}

impl Model {
    fn insert(
        &mut self,
        name: &'static str,
        password: &'static str,
        administrator: bool,
    ) -> Result<(), String> {
        if name.is_empty() {
            return Err("You must specify a username".to_owned());
        }
        if name.ends_with(":12") {
            return Err("A username cannot end with \":<integer>\"".to_owned());
        }
        if password.is_empty() {
            return Err(format!("You must specify a password for {}", quoted(name)));
        }
        if self.users.contains_key(name) {
            return Err(format!("A user with the name {} already exists", quoted(name)));
        }
        self.users.insert(name, (password, administrator));
        Ok(())
    }

    fn update(
        &mut self,
        name: &'static str,
        password: Option<&'static str>,
        administrator: Option<bool>,
    ) -> Result<(), String> {
        let Some(user) = self.users.get_mut(name) else {
            return Err(format!("Cannot update {}. This user is not in the table.", quoted(name)));
        };
        if password.is_none() && administrator.is_none() {
            return Err("Must specify either the password and/or the admin rights when updating".to_owned());
        }
        if password == Some("") {
            return Err(format!("You must specify a password for {}", quoted(name)));
        }
        *user = (password.unwrap_or(user.0), administrator.unwrap_or(user.1));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), String> {
        let removed = self.users.remove(name).map(drop);
        removed.ok_or_else(|| format!("Cannot delete {}. This user is not in the table.", quoted(name)))
    }

    fn distrust(&mut self, name: &str) -> Result<(), String> {
        let removed = self.hostnames.remove(name);
        removed
            .then_some(())
            .ok_or_else(|| format!("Cannot remove '{name}'. This hostname is not in the table."))
    }
}

/// A name in quotation marks, as Python writes it.
fn quoted(name: &str) -> String {
    if name.contains('\'') { format!("\"{name}\"") } else { format!("'{name}'") }
}

fn said(outcome: Result<(), Error>) -> Result<(), String> {
    outcome.map_err(|error| error.to_string())
}

fn with_kind(outcome: Result<(), String>) -> Result<(), String> {
    outcome.map_err(|text| format!("ValueError: {text}"))
}

fn step() -> impl Strategy<Value = Step> {
    let name = || prop_oneof![4 => Just("ann"), 4 => Just("it's"), 1 => Just("ann:12"), 1 => Just("")];
    let password = || prop_oneof![4 => Just("x"), 4 => Just("y z"), 1 => Just("")];
    let host = || prop_oneof![Just("bench3"), Just("localhost")];
    prop_oneof![
        (name(), password(), any::<bool>()).prop_map(|(name, password, administrator)| Step::Insert {
            name,
            password,
            administrator
        }),
        (name(), proptest::option::of(password()), any::<Option<bool>>())
            .prop_map(|(name, password, administrator)| { Step::Update { name, password, administrator } }),
        name().prop_map(|name| Step::Remove { name }),
        (name(), password()).prop_map(|(name, password)| Step::Check { name, password }),
        host().prop_map(|name| Step::Trust { name }),
        host().prop_map(|name| Step::Distrust { name }),
        (0..4_usize).prop_map(|count| Step::Record { count }),
        Just(Step::OpenAnew),
    ]
}

fn take(step: &Step, store: &mut Store, model: &mut Model) {
    match *step {
        Step::Insert { name, password, administrator } => assert_eq!(
            said(store.users().insert(name, &Secret::new(password), administrator)),
            with_kind(model.insert(name, password, administrator))
        ),
        Step::Update { name, password, administrator } => assert_eq!(
            said(store.users().update(name, password.map(Secret::new).as_ref(), administrator)),
            with_kind(model.update(name, password, administrator))
        ),
        Step::Remove { name } => {
            assert_eq!(said(store.users().remove(name, "delete")), with_kind(model.remove(name)));
        }
        Step::Check { name, password } => {
            let right = model.users.get(name).filter(|user| user.0 == password);
            assert_eq!(
                store.users().check(name, password).unwrap(),
                right.map(|user| Login { administrator: user.1 })
            );
        }
        Step::Trust { name } => {
            store.hostnames().insert(name).unwrap();
            model.hostnames.insert(name.to_owned());
        }
        Step::Distrust { name } => {
            assert_eq!(said(store.hostnames().remove(name, "remove")), with_kind(model.distrust(name)));
        }
        Step::Record { count } => record(store, model, count),
        Step::OpenAnew => *store = Store::open(store.path()).unwrap(),
    }
}

fn record(store: &Store, model: &mut Model, count: usize) {
    let log = ConnectionLog::start(store.clone(), ConnectionLimits::default()).unwrap();
    for _ in 0..count {
        let message = format!("message {}", model.messages.len());
        log.record(Entry {
            ip: IpAddr::from([10, 0, 0, 7]),
            host_name: "bench3".to_owned(),
            port: 1875,
            message: message.clone(),
            user: None,
        });
        model.messages.push(message);
    }
}

fn assert_same(store: &Store, model: &Model) {
    let users = model.users.iter();
    let users: Vec<_> =
        users.map(|(name, user)| User { name: (*name).to_owned(), administrator: user.1 }).collect();
    assert_eq!(store.users().list().unwrap(), users);
    for name in ["ann", "it's", ""] {
        let user = model.users.get(name);
        assert_eq!(store.users().is_registered(name).unwrap(), user.is_some());
        assert_eq!(store.users().is_administrator(name).unwrap(), user.is_some_and(|user| user.1));
    }
    assert_eq!(store.hostnames().list().unwrap(), Vec::from_iter(model.hostnames.clone()));
    let rows = store.connections().query(None, None).unwrap();
    assert_eq!(rows.iter().map(|row| &row.message).collect::<Vec<_>>(), Vec::from_iter(&model.messages));
}

proptest! {
    // Each case hashes passwords a dozen times.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_holds_and_says_what_its_model_does(steps in proptest::collection::vec(step(), 1..24)) {
        let folder = tempfile::tempdir().unwrap();
        let path: &Path = &folder.path().join("db");
        let mut store = Store::open(path).unwrap();
        let mut model = Model { hostnames: computer::own_names(), ..Model::default() };
        for step in &steps {
            take(step, &mut store, &mut model);
            assert_same(&store, &model);
        }
    }
}
