//! Who is let in, with the devices of the Python package: passwords, logins and trusted computers, right and wrong; and
//! what administrators can do.

use msl_network_tests::program::{Program, host_name};
use msl_network_tests::python::{Script, assert_error};
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, every_setup};
use serde_json::{Value, json};

every_setup! {
    the_managers_password_is_asked_for
    users_log_in
    computers_are_trusted_or_not
    an_administrator_gets_what_is_on_the_list_and_nobody_else_does
}

/// Tries to connect with each of these further arguments, one after the other; returns what became of it.
fn attempts(program: &Program, arguments: &[Value]) -> Vec<Value> {
    let arguments: Vec<String> = arguments.iter().map(Value::to_string).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let facts = Script::run("login.py", program, &arguments);
    facts.all("attempt").into_iter().cloned().collect()
}

fn the_managers_password_is_asked_for(setup: Setup) {
    let program = Program::start(setup, &["--auth-password", "the", "secret"]);
    let given = [json!({"password_manager": "the secret"}), json!({"password_manager": "the secre"})];
    let [right, wrong] = &attempts(&program, &given)[..] else { panic!("two attempts") };
    assert_eq!(right["clients"], 1);
    assert_error(wrong, "ValueError", &["Wrong Manager password"]);
}

fn users_log_in(setup: Setup) {
    let program = Program::with_users(setup, &["--auth-login"]);
    let login = |username: &str, password: &str| json!({"username": username, "password": password});
    let given =
        [login("bob", "builder"), login("bob", "engine"), login("nobody", "builder"), login("ada", "engine")];
    let [bob, wrong, unknown, ada] = &attempts(&program, &given)[..] else { panic!("four attempts") };
    assert_eq!((&bob["clients"], &ada["clients"]), (&json!(1), &json!(2)));
    for refused in [wrong, unknown] {
        assert_error(refused, "ValueError", &["Unregistered user, or Wrong login password"]);
    }
}

fn computers_are_trusted_or_not(setup: Setup) {
    let program = Program::start(setup, &["--auth-hostname"]);
    let [trusted] = &attempts(&program, &[json!({})])[..] else { panic!("one attempt") };
    assert_eq!(trusted["clients"], 1, "this computer's own names are in a new table");

    let listed = String::from_utf8(program.run(&["hostname", "list"]).stdout).expect("it is text");
    let names: Vec<&str> = listed.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert!(program.run(&[&["hostname", "remove"], &names[..]].concat()).status.success());

    let [refused] = &attempts(&program, &[json!({})])[..] else { panic!("one attempt") };
    assert_error(refused, "ValueError", &["'localhost' is not a trusted hostname"]);
}

fn an_administrator_gets_what_is_on_the_list_and_nobody_else_does(setup: Setup) {
    let mut program = Program::with_users(setup, &[]);
    let service = Script::start("serve.py", &program, &["Echo"]);
    let facts = Script::run("requests_of_administrators.py", &program, &[&host_name()]);
    let result = |name: &str| facts.one(name)["result"].clone();
    let results = |name: &str| -> Vec<Value> {
        facts.all(name).iter().map(|fact| fact.get("result").unwrap_or(&fact["text"]).clone()).collect()
    };
    let failed = |name: &str, index: usize, texts: &[&str]| {
        assert_error(facts.all(name)[index], "RuntimeError", texts);
    };

    assert_eq!(result("port"), program.port());
    let clients = result("clients");
    let (ada, entry) = clients.as_object().expect("an object").iter().next().expect("Ada is there");
    assert!(ada.starts_with("Ada["), "{ada}");
    assert_eq!(entry["name"], "Ada");
    assert_eq!(result("services")["Echo"]["max_clients"], -1);
    assert_eq!(result("service_links"), json!({"Echo": [ada]}));
    assert_eq!(result("service_locks"), json!({"Echo": [ada]}));

    assert_eq!(result("users_table.usernames"), json!(["ada", "bob"]));
    assert_eq!(result("users_table.is_user_registered"), true);
    assert_eq!(result("users_table.users"), json!([["ada", true], ["bob", false], ["cleo", true]]));
    assert_eq!(result("users_table.is_admin"), true);
    assert_eq!(results("users_table.is_password_valid"), [true, false]);
    assert_eq!(results("users_table.update"), [Value::Null, Value::Null]);
    assert_eq!(results("users_table.delete")[0], Value::Null);
    failed("users_table.delete", 1, &["ValueError: Cannot delete 'cleo'. This user is not in the table."]);
    assert_eq!(results("users_table.insert")[0], Value::Null);
    let missing =
        "TypeError: UsersTable.insert() missing 2 required positional arguments: 'password' and 'is_admin'";
    failed("users_table.insert", 1, &[missing]);
    failed("users_table.insert", 2, &["ValueError: You must specify a password for 'dan'"]);

    let names = result("hostnames_table.hostnames");
    assert!(names.as_array().expect("a list").contains(&json!("bench-3")), "{names}");
    assert_eq!(results("hostnames_table.delete")[0], Value::Null);
    failed("hostnames_table.delete", 1, &["ValueError: Cannot delete 'bench-3'."]);
    assert_eq!(results("set_logging_level"), [true, true, false]);

    let rows = &results("connections_table.connections")[0];
    for row in rows.as_array().expect("a list") {
        let [pid, time, ip, domain, port, message, user] = &row.as_array().expect("a row")[..] else {
            panic!("{row}")
        };
        assert!(pid.is_u64() && port.is_u64() && message.is_string() && user.is_null(), "{row}");
        assert_eq!((ip, domain), (&json!("127.0.0.1"), &json!(host_name())), "{row}");
        let shape: String = time
            .as_str()
            .expect("a time")
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(shape, "0000-00-00T00:00:00");
    }
    assert_eq!(results("connections_table.connections")[1], json!([]));
    failed("connections_table.connections", 2, &["ValueError: 'soon' is not a time"]);

    failed("users_table.records", 0, &["AttributeError: 'UsersTable' object has no attribute 'records'"]);
    failed("users_table.get_user", 0, &["AttributeError: 'UsersTable' object has no attribute 'get_user'"]);
    for attribute in ["password", "users_table", "__class__"] {
        let text = format!("AttributeError: 'Manager' object has no attribute '{attribute}'");
        failed(attribute, 0, &[&text]);
    }
    failed("_loop.stop", 0, &["AttributeError: 'Manager' object has no attribute '_loop'"]);

    assert_eq!(result("disconnect_client"), false, "there is nobody with port 0");
    assert_eq!(facts.one("before")["result"], json!([true]));
    let no_administrator = "ValueError: You must be an administrator to send this request to the Manager";
    failed("not an administrator", 0, &[no_administrator]);
    failed("wrong password", 0, &["ValueError: Unregistered user, or Wrong login password"]);
    assert_eq!(result("still there"), json!([true, true]));
    assert_eq!(result("shutdown"), Value::Null);
    assert!(program.wait().success());
    service.finish().one("ended");

    let log = program.log();
    for secret in ["engine", "builder", "a secret", "another", "a guess", "argon2", "pbkdf2"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    // What was waiting to be written has been written.
    let rows = connections(&program);
    for message in ["connected as a client", "connected as a service", "disconnected"] {
        assert!(rows.iter().any(|row| row.message == message), "{message} is not in {rows:?}");
    }
}

fn connections(program: &Program) -> Vec<msl_network_manager::store::Row> {
    let store = msl_network_manager::Store::open(program.database()).expect("it is a database");
    store.connections().query(None, None).expect("it can be read")
}
