//! A request that a client is about to send.

use crate::author::Arguments;
use crate::author::links::Change;
use crate::message::MANAGER;

/// A request to be sent, and what is special about it.
pub(in crate::author) struct Sending<'a> {
    pub(super) service: &'a str,
    pub(super) attribute: &'a str,
    pub(super) arguments: Arguments,
    pub(super) change: Option<(Change, &'a str)>,
    /// The connection that it has to be sent on; any one if none is named.
    pub(super) connection: Option<u64>,
}

impl<'a> Sending<'a> {
    /// A request to a service.
    pub(in crate::author) fn to(
        service: &'a str,
        attribute: &'a str,
        arguments: impl Into<Arguments>,
    ) -> Self {
        Self { service, attribute, arguments: arguments.into(), change: None, connection: None }
    }

    /// A request to the Manager.
    pub(in crate::author) fn to_manager(attribute: &'a str, arguments: impl Into<Arguments>) -> Self {
        Self::to(MANAGER, attribute, arguments)
    }

    /// A request to the Manager whose answer changes the link with this service.
    pub(in crate::author) fn changing(self, change: Change, service: &'a str) -> Self {
        Self { change: Some((change, service)), ..self }
    }

    /// A request that is sent on this connection, and on no other.
    pub(in crate::author) fn on(self, connection: u64) -> Self {
        Self { connection: Some(connection), ..self }
    }
}
