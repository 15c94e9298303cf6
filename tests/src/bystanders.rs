//! Two well-behaved devices beside those that a test is about: whatever happens to others, they go on working.

use serde_json::{Value, json};

use crate::Served;
use crate::peer::Peer;

/// A service and a linked client that only want to work.
#[derive(Debug)]
pub struct Bystanders {
    /// It is called Adder.
    pub service: Peer,
    /// It is called Ann.
    pub client: Peer,
}

impl Bystanders {
    /// Connects both.
    pub fn new(manager: &impl Served) -> Self {
        let mut service = Peer::connect(manager);
        service.identify_service("Adder");
        let mut client = Peer::connect(manager);
        client.identify_client("Ann");
        assert_eq!(client.ask("Manager", "link", &json!(["Adder"]), "link")["error"], false);
        Self { service, client }
    }

    /// A request, its reply and a notification, with nothing between them that is not theirs.
    pub fn work(&mut self) {
        self.client.request("Adder", "add", &json!([1, 2]), "work");
        let request = self.service.receive();
        assert_eq!(
            (&request["requester"], &request["uid"]),
            (&json!(self.client.network_name()), &json!("work"))
        );
        self.service.send(&notification("Adder", "tick"));
        self.service.reply(&request, &json!(3));
        assert_eq!(self.client.receive()["result"], json!([["tick"], {}]));
        let reply = self.client.receive();
        assert_eq!((&reply["result"], &reply["uid"]), (&json!(3), &json!("work")));
    }
}

/// A notification in the name of `service`.
pub fn notification(service: &str, value: &str) -> Value {
    json!({"error": false, "result": [[value], {}], "service": service, "uid": "notification"})
}
