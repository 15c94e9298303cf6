//! The closed list, with a real store: what each attribute gives, and that nothing else gives anything.

use super::*;
use crate::Secret;
use crate::log::{Layout, Level, Log};
use crate::store::{ConnectionLimits, ConnectionLog, Entry};
use msl_network_protocol::connection::Action;
use msl_network_protocol::drive::Host;
use msl_network_protocol::limits::Limits;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};
use proptest::prelude::*;
use std::sync::Arc;

/// A Manager with the user `ada`, an administrator.
struct Lab {
    store: Store,
    log: Log,
    manager: Arc<Manager>,
    _folder: tempfile::TempDir,
}

struct Nobody;

impl Host for Nobody {
    fn act(&self, _: Caller<'_>, _: Action) {}
}

impl Lab {
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("manager.redb")).unwrap();
        store.users().insert("ada", &Secret::new("engine"), true).unwrap();
        let file = folder.path().join("a.log");
        let (log, _) = Log::new(Level::default(), Layout::Text, &file, Box::new(std::io::sink())).unwrap();
        let identity =
            ManagerIdentity { hostname: "lab".into(), port: 1875, language: "Rust".into(), os: "any".into() };
        let settings = Settings::new(identity, Authentication::None, limits);
        Self { store, log, manager: Manager::new(settings, Box::new(Nobody)), _folder: folder }
    }

    /// The answer as JSON, or the error's text.
    fn ask(&self, attribute: &str, args: &str, kwargs: &str) -> String {
        let log = self.log.control();
        let desk = Desk { store: &self.store, log: &log, manager: &self.manager };
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let answer = desk.answer(attribute, &bytes(args), &bytes(kwargs));
        answer.unwrap_or_else(|refusal| refusal.to_string())
    }
}

#[test]
fn the_list_is_the_one_in_the_documentation() {
    let values = VALUES.iter().map(|(name, _)| (format!("`{name}`"), String::new()));
    let methods =
        METHODS.iter().map(|method| (format!("`{}`", method.attribute), format!("`{}`", method.signature)));
    let listed: Vec<(String, String)> = values.chain(methods).collect();

    let documented = include_str!("../../../docs/wire.md").lines();
    let documented = documented.skip_while(|line| !line.starts_with("## 6. "));
    let documented = documented.skip_while(|line| !line.starts_with("| attribute | ")).skip(2);
    let documented: Vec<(String, String)> = documented
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.split('|').skip(1).map(|cell| cell.trim().to_owned());
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    assert_eq!(listed, documented);
}

#[test]
fn values_take_no_notice_of_arguments() {
    let lab = Lab::new();
    assert_eq!(lab.ask("port", "[1, 2]", "{\"x\": 1}"), "1875");
    for attribute in ["clients", "services", "service_links", "service_locks"] {
        assert_eq!(lab.ask(attribute, "[]", "{}"), "{}");
    }
}

#[test]
fn users_are_kept_and_nothing_secret_is_told() {
    let lab = Lab::new();
    assert_eq!(lab.ask("users_table.insert", "[\"bob\", \"builder\", false]", "{}"), "null");
    assert_eq!(lab.ask("users_table.usernames", "[]", "{}"), "[\"ada\",\"bob\"]");
    assert_eq!(lab.ask("users_table.users", "[]", "{}"), "[[\"ada\",true],[\"bob\",false]]");
    assert_eq!(lab.ask("users_table.is_password_valid", "[\"bob\"]", "{\"password\": \"builder\"}"), "true");
    assert_eq!(
        lab.ask("users_table.update", "[\"bob\"]", "{\"is_admin\": true, \"password\": null}"),
        "null"
    );
    assert_eq!(lab.ask("users_table.is_admin", "[\"bob\"]", "{}"), "true");
    let nothing = "ValueError: Must specify either the password and/or the admin rights when updating";
    assert_eq!(lab.ask("users_table.update", "[\"bob\"]", "{}"), nothing);
    assert_eq!(lab.ask("users_table.delete", "[\"bob\"]", "{}"), "null");
    assert_eq!(lab.ask("users_table.is_user_registered", "[\"bob\"]", "{}"), "false");
}

#[test]
fn who_is_an_administrator_is_a_truth_value_and_no_text() {
    let lab = Lab::new();
    for (number, (given, administrator)) in
        [("1", true), ("0", false), ("0.0", false), ("-2.5", true), ("null", false), ("true", true)]
            .into_iter()
            .enumerate()
    {
        let name = format!("user {number}");
        let arguments = format!("[\"{name}\", \"a secret\", {given}]");
        assert_eq!(lab.ask("users_table.insert", &arguments, "{}"), "null", "{given}");
        let answer = lab.ask("users_table.is_admin", &format!("[\"{name}\"]"), "{}");
        assert_eq!(answer, administrator.to_string(), "{given}");
    }
    assert_eq!(lab.ask("users_table.update", "[\"ada\"]", "{\"is_admin\": 0}"), "null");
    assert_eq!(lab.ask("users_table.is_admin", "[\"ada\"]", "{}"), "false");
    for text in ["\"False\"", "\"1\"", "[1]", "{}"] {
        let error = lab.ask("users_table.update", "[\"ada\"]", &format!("{{\"is_admin\": {text}}}"));
        assert!(error.starts_with("TypeError: "), "{text}: {error}");
    }
}

#[test]
fn what_is_not_on_the_list_is_an_attribute_error_that_names_the_first_missing_part() {
    let lab = Lab::new();
    for (attribute, owner, missing) in [
        ("nothing", "Manager", "nothing"),
        ("no.such.thing", "Manager", "no"),
        ("password", "Manager", "password"),
        ("users_table", "Manager", "users_table"),
        ("users_table.", "Manager", "users_table"),
        ("users_table.records", "UsersTable", "records"),
        ("users_table.usernames.x", "UsersTable", "usernames"),
        ("hostnames_table._connection.close", "HostnamesTable", "_connection"),
        ("connections_table.insert", "ConnectionsTable", "insert"),
        ("port.real", "Manager", "port"),
        ("", "Manager", ""),
    ] {
        let text = format!("AttributeError: '{owner}' object has no attribute '{missing}'");
        assert_eq!(lab.ask(attribute, "[]", "{}"), text);
    }
}

#[test]
fn arguments_that_do_not_fit_are_type_errors_in_the_words_of_python() {
    let lab = Lab::new();
    for (attribute, args, kwargs, text) in [
        (
            "users_table.usernames",
            "[1]",
            "{}",
            "UsersTable.usernames() takes 0 positional arguments but 1 was given",
        ),
        (
            "users_table.is_admin",
            "[]",
            "{}",
            "UsersTable.is_admin() missing 1 required positional argument: 'username'",
        ),
        (
            "users_table.is_admin",
            "[\"a\"]",
            "{\"x\": 1}",
            "UsersTable.is_admin() got an unexpected keyword argument 'x'",
        ),
        (
            "users_table.update",
            "[\"a\", \"b\"]",
            "{}",
            "UsersTable.update() takes 1 positional argument but 2 were given",
        ),
    ] {
        assert_eq!(lab.ask(attribute, args, kwargs), format!("TypeError: {text}"));
    }
    for (attribute, args) in [
        ("users_table.is_admin", "[5]"),
        ("users_table.insert", "[\"a\", 5, true]"),
        ("users_table.insert", "[\"a\", \"b\", \"yes\"]"),
        ("hostnames_table.insert", "[null]"),
        ("disconnect_client", "[[]]"),
    ] {
        let error = lab.ask(attribute, args, "{}");
        assert!(error.starts_with("TypeError: "), "{attribute}: {error}");
    }
}

#[test]
fn connections_that_do_not_fit_into_a_frame_are_an_error_that_says_how_to_ask_for_fewer() {
    for (max_frame, fits) in [(1 << 20, true), (1 << 14, false)] {
        let lab = Lab::with_limits(Limits { max_frame, ..Limits::default() });
        let log = ConnectionLog::start(lab.store.clone(), ConnectionLimits::default()).unwrap();
        for port in 0..100 {
            let (ip, host_name, message) = ([10, 0, 0, 3].into(), "bench-3".into(), "x".repeat(200));
            log.record(Entry { ip, host_name, port, message, user: None });
        }
        log.finish();

        let answer = lab.ask("connections_table.connections", "[]", "{}");
        if fits {
            assert_eq!((answer.matches("bench-3").count(), answer.matches("],[").count()), (100, 99));
        } else {
            assert!(answer.starts_with("ValueError: ") && answer.contains("narrow"), "{answer}");
        }
        let none = lab.ask("connections_table.connections", "[]", "{\"end\": \"2000-01-01\"}");
        assert_eq!(none, "[]");
    }
}

#[test]
fn a_level_is_a_name_or_a_number_and_all_else_is_none() {
    let lab = Lab::new();
    for (level, known) in [
        ("\"DEBUG\"", true),
        ("\"20\"", true),
        ("30", true),
        ("\"loud\"", false),
        ("null", false),
        ("1.5", false),
        ("[10]", false),
    ] {
        assert_eq!(lab.ask("set_logging_level", &format!("[{level}]"), "{}"), known.to_string(), "{level}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_arguments_end_in_a_panic(
        index in 0..METHODS.len(),
        args in prop::collection::vec(prop::sample::select(vec!["1", "\"x\"", "null", "true", "[]", "NaN", "{\"a\": []}", "\"\\ud83d\""]), 0..4),
        name in prop::sample::select(vec!["username", "password", "level", "start", "x", ""]),
    ) {
        // One folder for all: making a store takes time.
        static LAB: std::sync::LazyLock<Lab> = std::sync::LazyLock::new(Lab::new);
        let kwargs = format!("{{\"{name}\": {}}}", args.first().unwrap_or(&"0"));
        for kwargs in ["{}", &kwargs] {
            let answer = LAB.ask(METHODS[index].attribute, &format!("[{}]", args.join(", ")), kwargs);
            prop_assert!(!answer.contains("$argon2"), "{}", answer);
        }
    }
}
