//! Sessions of a person at a terminal, as the Python package's manual shows them: through a plain socket as with `nc`, and
//! through `openssl s_client`.

use std::process::Command;

use msl_network_tests::peer::Peer;
use msl_network_tests::process::Process;
use msl_network_tests::program::Program;
use msl_network_tests::python::Script;
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, eventually, every_setup};
use serde_json::{Value, json};

every_setup! {
    plain:
    a_person_can_do_what_the_manual_shows
    every_word_for_leaving_ends_the_connection
    who_sends_everything_and_stops_sending_gets_every_answer
}

every_setup! {
    tls:
    a_person_can_use_openssl_over_tls
    who_sends_everything_over_tls_gets_every_answer
}

/// The service of the manual's examples: it answers one request, after checking what has arrived.
fn serve(service: &mut Peer, attribute: &str, args: &Value, kwargs: &Value, result: &Value) {
    let request = service.receive();
    assert_eq!(
        (&request["attribute"], &request["args"], &request["kwargs"]),
        (&json!(attribute), args, kwargs)
    );
    service.reply(&request, result);
}

fn ask(terminal: &mut Peer, line: &str) -> Value {
    terminal.send_line(line);
    terminal.receive()
}

fn a_person_can_do_what_the_manual_shows(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut math = program.service("BasicMath");
    let mut editor = program.service("String Editor");
    let mut terminal = program.open();

    assert_eq!(terminal.receive()["attribute"], "identity");
    terminal.send_line("client My Name");

    for line in ["Manager identity", "identity", "IDENTITY"] {
        let answer = ask(&mut terminal, line);
        assert_eq!(answer["result"]["port"], program.port(), "{line}");
        assert!(answer["requester"].as_str().is_some_and(|name| name.starts_with("My Name[")), "{answer}");
    }
    assert_eq!(ask(&mut terminal, "link BasicMath")["result"]["attributes"], json!({"add": "(x, y)"}));

    for (line, args, kwargs) in [
        ("BasicMath add 4 10", json!([4, 10]), json!({})),
        ("BasicMath add x=4 y=10", json!([]), json!({"x": 4, "y": 10})),
    ] {
        terminal.send_line(line);
        serve(&mut math, "add", &args, &kwargs, &json!(14));
        assert_eq!(terminal.receive()["result"], 14, "{line}");
    }
    terminal.send_line(r#""String Editor" concat s1="first string" s2="second string""#);
    serve(
        &mut editor,
        "concat",
        &json!([]),
        &json!({"s1": "first string", "s2": "second string"}),
        &json!("first stringsecond string"),
    );
    assert_eq!(terminal.receive()["result"], "first stringsecond string");

    assert_eq!(ask(&mut terminal, "nonsense")["error"], true);
    terminal.send_line("disconnect");
    terminal.expect_end();
}

fn every_word_for_leaving_ends_the_connection(setup: Setup) {
    let program = Program::start(setup, &[]);
    for word in ["disconnect", "exit", "EXIT", "__disconnect__"] {
        let mut terminal = program.open();
        assert_eq!(terminal.receive()["attribute"], "identity");
        terminal.send_line("client");
        terminal.send_line(word);
        terminal.expect_end();
    }
}

/// As `printf 'client\nidentity\n' | nc localhost 1875`.
fn who_sends_everything_and_stops_sending_gets_every_answer(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut math = program.service("BasicMath");
    let mut terminal = program.open();

    terminal.send_bytes(b"client Pipe\nidentity\nlink BasicMath\nBasicMath add 4 10\nlink Nope\n");
    terminal.end_sending();

    assert_eq!(terminal.receive()["attribute"], "identity");
    assert_eq!(terminal.receive()["result"]["port"], program.port());
    assert_eq!(terminal.receive()["result"]["max_clients"], -1);
    let request = math.receive();
    assert_eq!(request["args"], json!([4, 10]));
    let error = terminal.receive();
    assert!(error["message"].as_str().is_some_and(|text| text.starts_with("KeyError: ")), "{error}");

    // It has stopped sending, so it has left: but the answer that it is owed still comes.
    eventually("the terminal has left", || {
        math.ask("Manager", "identity", &json!([]), "who")["result"]["clients"] == json!({})
    });
    math.reply(&request, &json!(14));
    assert_eq!(terminal.receive()["result"], 14);
    terminal.expect_end();
}

/// A session through `openssl s_client`, which reads its input as lines and prints what the Manager sends.
struct TlsTerminal(Process);

impl TlsTerminal {
    fn open(program: &Program) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", "localhost"]);
        command.args(["-connect", &format!("localhost:{}", program.port()), "-CAfile"]);
        command.arg(program.certificate().expect("the program has TLS"));
        Self(Process::spawn("openssl s_client", command))
    }

    /// The first line that `wanted` is true of.
    fn receive(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.0.wait_for(what, |line| serde_json::from_str(line).ok().filter(&wanted))
    }

    fn expect_end(&mut self) {
        let status = self.0.wait(msl_network_tests::PATIENCE);
        assert!(status.success(), "{status}: {}", self.0.log());
    }
}

fn a_person_can_use_openssl_over_tls(setup: Setup) {
    let program = Program::start(setup, &[]);
    let _service = Script::start("serve.py", &program, &["Echo"]);
    let mut terminal = TlsTerminal::open(&program);

    terminal.receive("the request for the identity", |line| line["attribute"] == "identity");
    terminal.0.write("client My Name\n");
    loop {
        // The service may still be starting.
        let seen = terminal.0.lines().len();
        terminal.0.write("link Echo\n");
        if !answer_after(&terminal, seen)["error"].as_bool().expect("an answer says whether it is an error") {
            break;
        }
    }
    terminal.0.write("Echo echo 4 10 x=\"two words\"\n");
    let answer = terminal.receive("the answer", |line| line["result"].is_array());
    assert_eq!(answer["result"], json!([[4, 10], {"x": "two words"}]));
    terminal.0.write("exit\n");
    terminal.expect_end();
}

/// The first line after those seen.
fn answer_after(terminal: &TlsTerminal, seen: usize) -> Value {
    let mut left = seen;
    terminal.0.wait_for("an answer", |line| {
        let is_new = left == 0;
        left = left.saturating_sub(1);
        is_new.then(|| serde_json::from_str(line).expect("the Manager sends JSON"))
    })
}

/// As `printf 'client\nidentity\nexit\n' | openssl s_client -quiet -connect localhost:1875`.
fn who_sends_everything_over_tls_gets_every_answer(setup: Setup) {
    let program = Program::start(setup, &[]);
    let mut terminal = TlsTerminal::open(&program);

    terminal.0.write("client Pipe\nidentity\nlink Nope\nexit\n");
    terminal.0.end_input();

    terminal.expect_end();
    let lines: Vec<Value> = terminal
        .0
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).expect("the Manager sends JSON"))
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0]["attribute"], "identity");
    assert_eq!(lines[1]["result"]["port"], program.port());
    assert_eq!(lines[2]["error"], true);
}
