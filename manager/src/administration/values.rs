//! What an administrator can read.

use msl_network_protocol::drive::Manager;

/// How a value is made, as JSON.
type Write = fn(&Manager) -> String;

/// Each value by its name. The broker is asked for a list; what is written is written without its lock.
pub(super) const VALUES: [(&str, Write); 5] = [
    ("clients", |manager| manager.broker(|broker| broker.census()).clients_to_json()),
    ("port", |manager| manager.settings().identity.port.to_string()),
    ("service_links", |manager| manager.broker(|broker| broker.links()).to_json()),
    ("service_locks", |manager| manager.broker(|broker| broker.locks()).to_json()),
    ("services", |manager| manager.broker(|broker| broker.census()).services_to_json()),
];
