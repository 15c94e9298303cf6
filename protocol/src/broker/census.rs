//! Who is there, as shown to everybody who asks for the Manager's identity.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::json::{put, quote_into, separated, string_array};
use crate::name::{Address, NetworkName};
use crate::settings::ManagerIdentity;

/// What is shown of a client.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientEntry {
    /// `name[host:port]`.
    pub network_name: NetworkName,
    /// Its own name.
    pub name: Arc<str>,
    /// `host:port`.
    pub address: Address,
    /// The language that it is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
}

/// What is shown of a service.
#[derive(Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    /// `name[host:port]`.
    pub network_name: NetworkName,
    /// Its own name.
    pub name: Arc<str>,
    /// A JSON object as the service sent it.
    pub attributes: Bytes,
    /// `host:port`.
    pub address: Address,
    /// The language that it is written in.
    pub language: String,
    /// The operating system that it runs on.
    pub os: String,
    /// How many clients may be linked; `None`: any number.
    pub max_clients: Option<u32>,
}

/// A list of all devices, cheap to take and free of any lock.
#[derive(Debug, PartialEq, Eq)]
pub struct Census {
    /// All clients.
    pub clients: Vec<Arc<ClientEntry>>,
    /// All services, by name.
    pub services: Vec<Arc<ServiceEntry>>,
}

impl ClientEntry {
    fn write(&self, out: &mut String) {
        out.push_str("{\"name\": ");
        quote_into(out, &self.name);
        write_origin(out, &self.address, &self.language, &self.os);
        out.push('}');
    }
}

impl ServiceEntry {
    /// Its JSON object: the result of `link`, and its value in the Manager's identity.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.attributes.len() + 160);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push_str("{\"attributes\": ");
        // Checked when it came; the fallback cannot be reached.
        out.push_str(core::str::from_utf8(&self.attributes).unwrap_or("{}"));
        write_origin(out, &self.address, &self.language, &self.os);
        match self.max_clients {
            Some(most) => put(out, format_args!(", \"max_clients\": {most}}}")),
            None => out.push_str(", \"max_clients\": -1}"),
        }
    }
}

fn write_origin(out: &mut String, address: &Address, language: &str, os: &str) {
    out.push_str(", \"address\": ");
    quote_into(out, &format!("{address}"));
    out.push_str(", \"language\": ");
    quote_into(out, language);
    out.push_str(", \"os\": ");
    quote_into(out, os);
}

/// For each service, by name, the clients that are linked with it or hold its locks.
#[derive(Debug, PartialEq, Eq)]
pub struct Holders(pub(super) Vec<(Arc<str>, Vec<NetworkName>)>);

impl Holders {
    /// A JSON object: the network names of the clients, by the name of the service.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        separated(&mut out, &self.0, |out, (service, clients)| {
            quote_into(out, service);
            out.push_str(": ");
            out.push_str(&string_array(clients.iter().map(NetworkName::as_str)));
        });
        out.push('}');
        out
    }
}

impl Census {
    /// The Manager's identity as a JSON object (docs/wire.md, section 5).
    pub fn to_json(&self, manager: &ManagerIdentity) -> String {
        let mut out = String::from("{\"hostname\": ");
        quote_into(&mut out, &manager.hostname);
        put(&mut out, format_args!(", \"port\": {}", manager.port));
        out.push_str(
            ", \"attributes\": {\"identity\": \"() -> dict\", \"link\": \"(service: str) -> bool\"}",
        );
        out.push_str(", \"language\": ");
        quote_into(&mut out, &manager.language);
        out.push_str(", \"os\": ");
        quote_into(&mut out, &manager.os);
        out.push_str(", \"clients\": ");
        self.write_clients(&mut out);
        out.push_str(", \"services\": ");
        self.write_services(&mut out);
        out.push('}');
        out
    }

    /// The clients alone, as they stand in the identity.
    pub fn clients_to_json(&self) -> String {
        let mut out = String::new();
        self.write_clients(&mut out);
        out
    }

    /// The services alone, as they stand in the identity.
    pub fn services_to_json(&self) -> String {
        let mut out = String::new();
        self.write_services(&mut out);
        out
    }

    fn write_clients(&self, out: &mut String) {
        out.push('{');
        separated(out, &self.clients, |out, client| {
            quote_into(out, client.network_name.as_str());
            out.push_str(": ");
            client.write(out);
        });
        out.push('}');
    }

    fn write_services(&self, out: &mut String) {
        out.push('{');
        separated(out, &self.services, |out, service| {
            quote_into(out, &service.name);
            out.push_str(": ");
            service.write(out);
        });
        out.push('}');
    }
}
