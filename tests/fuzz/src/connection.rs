//! Any bytes from a device that is past its handshake: once as a client, once as a service, each beside honest devices.
//!
//! The rules: a service is asked in the name of the client that asks; a client gets what is for it, and one answer to each of its
//! requests, at the latest when the service has gone; whatever the Manager says is a valid line; and when all have gone,
//! nothing is left.

use std::collections::BTreeMap;

use bytes::Bytes;
use msl_network_protocol::connection::Credentials;
use msl_network_protocol::frame::{Frame, Key};
use msl_network_protocol::settings::Authentication;

use crate::cuts::pieces;
use crate::lab::Lab;

/// How many requests the honest client makes.
const REQUESTS: usize = 3;

/// Any bytes from a device that is past its handshake.
pub fn connection(data: &[u8]) {
    from_client(data);
    from_service(data);
}

fn from_client(data: &[u8]) {
    // Its user is an administrator, so that it may ask for everything.
    let mut lab = Lab::new(Authentication::HostNames, |credentials| *credentials == Credentials::HostName);
    let services = ["Echo", "Tester"].map(|name| {
        lab.identified(&format!(
            "{{\"type\": \"service\", \"name\": \"{name}\", \"attributes\": {{}}, \"max_clients\": 1}}"
        ))
    });
    let client = lab.identified("{\"type\": \"client\", \"name\": \"Ann\"}");
    for piece in pieces(data) {
        lab.send(client, piece);
        for service in services {
            for request in lab.hear(service) {
                assert_eq!(raw(&request, Key::Requester), "\"Ann[lab:3]\"");
                let uid = raw(&request, Key::Uid);
                let reply = format!("{{\"result\": 1, \"requester\": \"Ann[lab:3]\", \"uid\": {uid}}}\n");
                lab.send(service, reply.as_bytes());
            }
        }
    }
    for answer in lab.hear(client) {
        let requester = raw(&answer, Key::Requester);
        assert!(["\"Ann[lab:3]\"", "\"Manager[lab:1875]\""].contains(&requester.as_str()), "{requester}");
    }
    lab.finish();
}

fn from_service(data: &[u8]) {
    let mut lab = Lab::new(Authentication::None, |_| false);
    let service = lab.identified("{\"type\": \"service\", \"name\": \"Tester\", \"attributes\": {}}");
    let client = lab.identified("{\"type\": \"client\", \"name\": \"Bob\"}");
    lab.send(
        client,
        b"{\"service\": \"Manager\", \"attribute\": \"link\", \"args\": [\"Tester\"], \"uid\": \"0\"}\n",
    );
    for uid in 1..=REQUESTS {
        lab.send(
            client,
            format!("{{\"service\": \"Tester\", \"attribute\": \"a\", \"uid\": {uid}}}\n").as_bytes(),
        );
    }
    for piece in pieces(data) {
        lab.send(service, piece);
    }
    lab.close(service);
    let mut answers = BTreeMap::new();
    for message in lab.hear(client) {
        let uid = raw(&message, Key::Uid);
        if uid == "\"notification\"" {
            assert_eq!(raw(&message, Key::Service), "\"Tester\"");
        } else {
            assert_eq!(raw(&message, Key::Requester), "\"Bob[lab:2]\"");
            *answers.entry(uid).or_insert(0) += 1;
        }
    }
    let expected = std::iter::once("\"0\"".to_owned()).chain((1..=REQUESTS).map(|uid| uid.to_string()));
    assert_eq!(answers, expected.map(|uid| (uid, 1)).collect(), "one answer to each request");
    lab.finish();
}

/// A member as it stands in the line.
fn raw(frame: &Frame, key: Key) -> String {
    let member: Option<Bytes> = frame.raw(key);
    String::from_utf8_lossy(&member.unwrap_or_default()).into_owned()
}
