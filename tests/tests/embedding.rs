//! The examples of `examples/embedding`: the protocol in event loops that are not ours. The Python package's devices with one
//! of them are in `python_interop.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use msl_network_tests::embedded::Embedded;
use msl_network_tests::laboratory::{Laboratory, Whose, reach};
use msl_network_tests::peer::Peer;
use msl_network_tests::program::{Tls, built};
use msl_network_tests::transcript::{self, Cut, Fidelity, SocketNetwork, Transcript, play};
use msl_network_tests::{PATIENCE, Served, eventually, services};
use serde_json::{Value, json};

fn run(example: &str, arguments: &[&str]) -> Output {
    Command::new(built(example)).args(arguments).output().unwrap()
}

fn client_by_hand(manager: &impl Served) -> Output {
    run("client_by_hand", &[&format!("localhost:{}", manager.port())])
}

fn assert_prints(output: &Output, expected: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_client_by_hand_calls_a_service_through_every_manager() {
    for whose in [Whose::Ours, Whose::Pythons] {
        let mut laboratory = Laboratory::new(whose, Tls::Disabled, Whose::Ours);
        laboratory.serve("Adder");
        assert_prints(&client_by_hand(laboratory.manager()), "1.2 + 3.4 = 4.6\n");
    }
}

#[test]
fn the_client_by_hand_calls_a_service_through_the_manager_on_mio() {
    let manager = Embedded::start("manager_on_mio");
    let start = msl_network_tokio::start(services::named("Adder"), ("localhost", manager.port()));
    let _running = reach(start, &manager).wait().unwrap();

    assert_prints(&client_by_hand(&manager), "1.2 + 3.4 = 4.6\n");
}

#[test]
fn the_client_by_hand_says_why_it_cannot_go_on() {
    let mut laboratory = Laboratory::ours(Tls::Disabled);

    let output = client_by_hand(laboratory.manager());

    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("'Adder' service does not exist"), "{error}");
}

#[test]
fn every_recorded_conversation_is_the_same_with_the_manager_on_mio() {
    for name in transcript::names() {
        let transcript = Transcript::load(&name);
        // It has neither users nor a password.
        if !transcript.manager.is_empty() {
            continue;
        }
        for cut in [Cut::Whole, Cut::Bytes] {
            println!("{name}");
            let manager = Embedded::start("manager_on_mio");
            play(&transcript, &mut SocketNetwork::new(&manager, &transcript), cut, Fidelity::Departing);
        }
    }
}

#[test]
fn the_manager_on_mio_serves_many_at_once() {
    const CLIENTS: usize = 50;
    let manager = Embedded::start("manager_on_mio");
    let mut service = manager.service("Adder");
    let mut clients: Vec<Peer> = (0..CLIENTS).map(|number| manager.client(&format!("C{number}"))).collect();
    let large = "x".repeat(100_000);

    for (number, client) in clients.iter_mut().enumerate() {
        client.request("Adder", "add", &json!([number, large]), "a");
    }
    for _ in 0..CLIENTS {
        let request = service.receive();
        service.reply(&request, &request["args"]);
    }
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.receive()["result"], json!([number, large]));
    }
}

/// The last part is a matter of time: nothing but the hub's deadline ends a connection that its device leaves open.
#[test]
fn the_manager_on_mio_ends_in_order_and_waits_for_nobody_for_ever() {
    let mut manager = Embedded::start("manager_on_mio");
    let mut service = manager.service("Adder");
    let mut client = manager.client("Ann");
    client.request("Adder", "add", &json!([1]), "open");
    let request = service.receive();

    manager.process().interrupt();

    service.reply(&request, &json!(2));
    assert_eq!(client.receive()["result"], 2);
    client.expect_end();
    service.expect_end_after_anything();
    assert!(manager.wait().success());
}

#[test]
fn a_device_that_vanishes_in_mid_line_is_forgotten_by_the_manager_on_mio() {
    let manager = Embedded::start("manager_on_mio");
    let mut observer = manager.client("Observer");
    let vanishing = manager.service("Adder");
    let mut half = manager.open();
    half.send_bytes(b"{\"result\": ");

    for device in [&vanishing, &half] {
        socket2::SockRef::from(device.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop((vanishing, half));

    eventually("the service is not listed any more", || {
        observer.ask("Manager", "identity", &json!([]), "who")["result"]["services"] == json!({})
    });
}

#[test]
fn the_laboratory_in_memory_goes_by_its_own_clock() {
    let expected = "\
0 s: Adder is connected
0 s: Ann is connected
0 s: Ann gets {\"attributes\": {\"add\": \"(x, y)\"}, \"address\": \"127.0.0.1:50001\", \"language\": \"Rust\", \
\"os\": \"none\", \"max_clients\": -1}
3 s: Adder is done with [1, 2]
3 s: Ann gets 3
once more, with less patience:
7 s: Ann: Adder.add was not answered in time
8 s: Adder is done with [3, 4]
86405 s: Adder: the Manager has closed the connection
86405 s: Ann: the Manager has closed the connection
";
    assert_prints(&run("laboratory_in_memory", &[]), expected);
}

/// The web server beside a Manager.
struct Web(SocketAddr);

impl Web {
    fn of(manager: &Embedded) -> Self {
        Self(manager.process().wait_for("where it is shown", |line| {
            line.split_once("shown at http://").and_then(|(_, address)| address.parse().ok())
        }))
    }

    /// The body of the answer.
    fn ask(&self, method: &str, path: &str) -> String {
        let mut socket = TcpStream::connect(self.0).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        body.to_owned()
    }

    fn has_ended(&self) -> bool {
        TcpStream::connect(self.0).is_err()
    }
}

#[test]
fn the_web_server_beside_a_manager_shows_who_is_connected() {
    let manager = Embedded::start("manager_beside_axum");
    let web = Web::of(&manager);
    let client = manager.client("Ann");

    let page: Value = serde_json::from_str(&web.ask("GET", "/")).unwrap();

    assert_eq!(page["clients"][client.network_name()]["name"], "Ann", "{page}");
}

#[test]
fn the_web_server_and_the_manager_end_together_however_they_are_told() {
    for how in ["POST", "signal"] {
        let mut manager = Embedded::start("manager_beside_axum");
        let web = Web::of(&manager);
        let mut client = manager.client("Ann");

        match how {
            "POST" => assert_eq!(web.ask("POST", "/stop"), ""),
            _ => manager.process().terminate(),
        }

        client.expect_end();
        eventually("the web server has ended", || web.has_ended());
        drop(client);
        assert!(manager.wait().success(), "{how}");
    }
}

/// A document that quotes code has a line `<!-- FILE -->` before it.
#[test]
fn code_that_the_documents_quote_is_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/theory.md")).unwrap();
    let mut quotes = 0;
    for part in document.split("<!-- examples/").skip(1) {
        let (file, rest) = part.split_once(" -->\n").unwrap();
        let quote = rest.strip_prefix("```rust,ignore\n").unwrap().split_once("```").unwrap().0;
        let code = fs::read_to_string(root.join("examples").join(file)).unwrap();
        assert!(unindented(&code).contains(&unindented(quote)), "{file} does not say\n{quote}");
        quotes += 1;
    }
    assert!(quotes > 0, "nothing is quoted");
}

/// The same lines, wherever they stand. That the code is well-formed keeps their indentation meaningful.
fn unindented(code: &str) -> String {
    code.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}
