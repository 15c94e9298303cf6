//! Any bytes from a device that has just connected, for each way of authentication.
//!
//! The rules: who has not shown the right credentials is neither a client nor a service; whatever the Manager says is a valid
//! line; and when the device has gone, nothing is left of it.

use msl_network_protocol::connection::Credentials;
use msl_network_protocol::settings::Authentication;

use crate::cuts::pieces;
use crate::lab::{Check, Lab};

/// The credentials are those of the recorded conversations.
const WAYS: [(Authentication, Check); 5] = [
    (Authentication::None, |_| false),
    (Authentication::ManagerPassword, |given| *given == Credentials::ManagerPassword("secret".into())),
    (Authentication::Login, |given| {
        *given == Credentials::Login { username: "bob".into(), password: "builder".into() }
    }),
    (Authentication::HostNames, |_| true),
    (Authentication::HostNames, |_| false),
];

/// Any bytes from a device that has just connected.
pub fn handshake(data: &[u8]) {
    for (authentication, check) in WAYS {
        let mut lab = Lab::new(authentication, check);
        let device = lab.connect();
        for piece in pieces(data) {
            lab.send(device, piece);
            let census = lab.hub.broker().census();
            let count = census.clients.len() + census.services.len();
            let may = authentication == Authentication::None || lab.accepted;
            assert!(count <= usize::from(may), "{authentication:?}: {count} devices");
        }
        lab.finish();
    }
}
