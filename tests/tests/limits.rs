//! What happens at the limits, with a Manager whose limits are small: who reaches one is held up, refused or ended, in
//! order; everybody else goes on.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use msl_network_protocol::connection::{Ending, Note};
use msl_network_protocol::limits::Limits;
use msl_network_tests::bystanders::{Bystanders, notification};
use msl_network_tests::local::LocalManager;
use msl_network_tests::peer::Peer;
use msl_network_tests::setup::Setup;
use msl_network_tests::{Served, eventually, every_setup};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

// Plain: they fill the sockets by themselves, beneath what TLS would be.
every_setup! {
    plain:
    a_service_that_does_not_read_holds_up_only_its_own_clients_and_each_request_gets_one_answer
    a_service_that_takes_nothing_is_ended_and_its_callers_are_told
    a_client_that_does_not_read_notifications_is_ended_and_the_others_get_them_all
    a_client_that_does_not_read_a_reply_is_ended_and_its_service_is_not_held_up
    a_client_that_does_not_read_replies_cannot_ask_for_more
    more_connections_than_allowed_wait_until_others_leave
    unfinished_handshakes_of_one_address_wait_for_each_other_and_are_refused_in_time
    new_connections_wait_while_memory_is_short_and_whoever_is_there_goes_on
}

// What has to be reached is the time for TLS.
every_setup! {
    tls:
    who_does_not_begin_tls_in_time_is_ended
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits {
        service_mailbox: 64 * KIB,
        client_mailbox: 64 * KIB,
        notifications: MIB,
        linger: SECOND,
        ..Limits::default()
    }
}

/// Sends lines from another thread, for as long as the connection takes them.
fn send_in_background(peer: &Peer, lines: impl Iterator<Item = Value> + Send + 'static) -> JoinHandle<()> {
    let mut stream = peer.stream().try_clone().expect("a socket can be shared");
    thread::spawn(move || {
        for line in lines {
            if stream.write_all(format!("{line}\n").as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn request(service: &str, uid: &str, argument: &str) -> Value {
    json!({"service": service, "attribute": "add", "args": [argument], "uid": uid})
}

fn message(answer: &Value) -> &str {
    assert_eq!(answer["error"], true, "{answer}");
    answer["message"].as_str().expect("an error has a message")
}

fn is_listed(observer: &mut Peer, name: &str) -> bool {
    let identity = observer.ask("Manager", "identity", &json!([]), "who");
    identity["result"]["clients"].get(name).is_some() || identity["result"]["services"].get(name).is_some()
}

fn expect_slow_consumer(manager: &LocalManager, name: &str) {
    let slow = Note::Ending(Ending::SlowConsumer);
    manager.expect_note(name, "is ended as a slow consumer", |note| *note == slow);
}

fn a_service_that_does_not_read_holds_up_only_its_own_clients_and_each_request_gets_one_answer(setup: Setup) {
    const REQUESTS: usize = 128;
    let manager = LocalManager::start(setup, Limits { service_wait: SECOND, ..limits() });
    let mut bystanders = Bystanders::new(&manager);
    let stopped = manager.service("Stopped");
    let mut client = manager.client("Held up");

    let argument = "x".repeat(256 * KIB);
    let requests = (0..REQUESTS).map(move |uid| request("Stopped", &uid.to_string(), &argument));
    let last = json!({"service": "Manager", "attribute": "identity", "uid": "last"});
    let sending = send_in_background(&client, requests.chain([last]));
    bystanders.work();

    let answer = client.receive();
    assert!(message(&answer).starts_with("TimeoutError: the 'Stopped' service"), "{answer}");
    assert!(is_listed(&mut bystanders.client, "Stopped"), "it is slow, not gone");
    bystanders.work();

    // Once the service has gone, what it never answered is answered in its place.
    drop(stopped);
    let mut answered = vec![answer["uid"].clone()];
    while answered.last() != Some(&json!("last")) {
        answered.push(client.receive()["uid"].clone());
    }
    sending.join().expect("the client can send");
    answered.sort_by_key(|uid| uid.as_str().and_then(|uid| uid.parse().ok()).unwrap_or(REQUESTS));
    let mut sent: Vec<Value> = (0..REQUESTS).map(|uid| json!(uid.to_string())).collect();
    sent.push(json!("last"));
    assert_eq!(answered, sent);
    bystanders.work();
}

fn a_service_that_takes_nothing_is_ended_and_its_callers_are_told(setup: Setup) {
    let manager = LocalManager::start(setup, Limits { write_timeout: SECOND, ..limits() });
    let mut bystanders = Bystanders::new(&manager);
    let mut stopped = manager.service("Stopped");
    let mut client = manager.client("Held up");

    let argument = "x".repeat(MIB);
    let sending = send_in_background(&client, (0..).map(move |_| request("Stopped", "same", &argument)));

    let answer = client.receive();
    assert!(message(&answer).starts_with("ConnectionError: the 'Stopped' service"), "{answer}");
    expect_slow_consumer(&manager, "Stopped[");
    assert!(!is_listed(&mut bystanders.client, "Stopped"));
    stopped.expect_end_after_anything();
    bystanders.work();
    drop(client);
    drop(manager);
    sending.join().expect("the client could send");
}

fn a_client_that_does_not_read_notifications_is_ended_and_the_others_get_them_all(setup: Setup) {
    const MOST: usize = 2000;
    let manager = LocalManager::start(setup, limits());
    let mut bystanders = Bystanders::new(&manager);
    let mut sleeper = manager.client("Sleeper");
    assert_eq!(sleeper.ask("Manager", "link", &json!(["Adder"]), "link")["error"], false);
    let name = sleeper.network_name().to_owned();

    let text = "x".repeat(64 * KIB);
    let sent = (1..=MOST).find(|number| {
        bystanders.service.send(&notification("Adder", &format!("{number} {text}")));
        let received = bystanders.client.receive();
        assert!(
            received["result"][0][0].as_str().is_some_and(|text| text.starts_with(&format!("{number} ")))
        );
        !is_listed(&mut bystanders.client, &name)
    });

    assert!(sent.is_some(), "it is still there");
    expect_slow_consumer(&manager, &name);
    bystanders.work();
    sleeper.expect_end_after_anything();
}

fn a_client_that_does_not_read_a_reply_is_ended_and_its_service_is_not_held_up(setup: Setup) {
    let manager = LocalManager::start(setup, Limits { write_timeout: SECOND, ..limits() });
    let mut bystanders = Bystanders::new(&manager);
    let mut sleeper = manager.client("Sleeper");
    let name = sleeper.network_name().to_owned();

    sleeper.request("Adder", "add", &json!([]), "big");
    let request = bystanders.service.receive();
    bystanders.service.reply(&request, &json!("x".repeat(32 * MIB)));
    bystanders.work();

    eventually("it is ended", || !is_listed(&mut bystanders.client, &name));
    expect_slow_consumer(&manager, &name);
    bystanders.work();
    sleeper.expect_end_after_anything();
}

fn a_client_that_does_not_read_replies_cannot_ask_for_more(setup: Setup) {
    /// Their replies fill every buffer on the way many times.
    const FAR_TOO_MANY: usize = 2000;
    let manager = LocalManager::start(setup, Limits { open_requests: 10, write_timeout: SECOND, ..limits() });
    let Bystanders { mut service, .. } = Bystanders::new(&manager);
    let sleeper = manager.client("Sleeper");
    let name = sleeper.network_name().to_owned();
    let sending = send_in_background(&sleeper, (0..).map(|_: u32| request("Adder", "same", "")));

    // The service answers whatever comes until the client is ended.
    let reply = json!("x".repeat(64 * KIB));
    let mut asked = 0;
    loop {
        service.request("Manager", "identity", &json!([]), "still there?");
        let mut line = service.receive();
        while line["uid"] != "still there?" {
            asked += 1;
            assert!(asked < FAR_TOO_MANY, "its requests are read on and on, though it reads no reply");
            service.reply(&line, &reply);
            line = service.receive();
        }
        if asked > 0 && line["result"]["clients"].get(&name).is_none() {
            break;
        }
    }
    drop(sleeper);
    drop(manager);
    sending.join().expect("the client could send");
}

fn more_connections_than_allowed_wait_until_others_leave(setup: Setup) {
    let manager = LocalManager::start(setup, Limits { connections: 3, ..limits() });
    let mut bystanders = Bystanders::new(&manager);
    let third = manager.client("Third");

    let mut fourth = manager.open();
    let mut fifth = manager.open();
    fourth.expect_quiet();
    fifth.expect_quiet();
    bystanders.work();

    drop(third);
    fourth.identify_client("Fourth");
    fifth.expect_quiet();
    drop(fourth);
    fifth.identify_client("Fifth");
    bystanders.work();
}

fn unfinished_handshakes_of_one_address_wait_for_each_other_and_are_refused_in_time(setup: Setup) {
    let limits = Limits { handshakes: 4, handshakes_per_address: 2, first_answer: SECOND, ..limits() };
    let manager = LocalManager::start(setup, limits);
    let mut bystanders = Bystanders::new(&manager);
    let mut silent: Vec<Peer> = (0..5).map(|_| open_from(Ipv4Addr::new(127, 0, 0, 2), &manager)).collect();
    for first in &mut silent[..2] {
        assert_eq!(first.receive()["attribute"], "identity");
    }

    // Devices at other addresses do not wait for these.
    drop(manager.client("Bob"));
    bystanders.work();

    for (number, silent) in silent.iter_mut().enumerate() {
        if number >= 2 {
            assert_eq!(silent.receive()["attribute"], "identity");
        }
        assert!(message(&silent.receive()).starts_with("TimeoutError: "));
        silent.expect_end();
    }
    bystanders.work();
}

fn new_connections_wait_while_memory_is_short_and_whoever_is_there_goes_on(setup: Setup) {
    // So small that none is given up on its way; together far more than the sockets and the memory take.
    const SIZE: usize = 32 * KIB;
    const REQUESTS: usize = 1024;
    let limits = Limits {
        memory: MIB,
        service_mailbox: 2 * REQUESTS * SIZE,
        linger: Limits::default().write_timeout,
        ..limits()
    };
    let manager = LocalManager::start(setup, limits);
    let mut bystanders = Bystanders::new(&manager);
    let stopped = manager.service("Stopped");
    let client = manager.client("Generous");
    let argument = "x".repeat(SIZE);
    let requests = (0..REQUESTS).map(move |uid| request("Stopped", &uid.to_string(), &argument));
    send_in_background(&client, requests).join().expect("the client is read all the time");

    // When others connect, then the first may be the one that was awaited already. The second waits.
    let first = manager.open();
    let mut second = manager.open();
    second.expect_quiet();
    bystanders.work();

    // When there is memory again, so is there a place.
    drop(stopped);
    second.identify_client("Second");
    bystanders.work();
    drop((first, client));
}

fn who_does_not_begin_tls_in_time_is_ended(setup: Setup) {
    let manager = LocalManager::start(setup, Limits { first_answer: SECOND, ..limits() });
    let mut bystanders = Bystanders::new(&manager);
    let mut silent = Peer::open(manager.port());
    let mut slow = Peer::open(manager.port());
    // The beginning of a record of TLS, and no more.
    slow.send_bytes(&[0x16, 3, 1]);

    silent.expect_end();
    slow.expect_end_after_anything();
    bystanders.work();
}

/// Connects from another address of this computer.
fn open_from(ip: Ipv4Addr, manager: &LocalManager) -> Peer {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
    socket.bind(&SocketAddr::from((ip, 0)).into()).expect("the address is this computer's");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, manager.port())).into()).expect("it listens");
    Peer::on(TcpStream::from(socket))
}
