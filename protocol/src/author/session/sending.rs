//! A request that a client is about to send.

use crate::author::Arguments;
use crate::author::links::Change;
use crate::author::locks::Step;
use crate::message::MANAGER;

/// A request to be sent, and what is special about it.
pub(in crate::author) struct Sending<'a> {
    pub(super) service: &'a str,
    pub(super) attribute: &'a str,
    pub(super) arguments: Arguments,
    pub(super) change: Option<(Change, &'a str)>,
    /// What it does with the lock on a service.
    pub(super) step: Option<(Step, &'a str)>,
}

impl<'a> Sending<'a> {
    /// A request to a service.
    pub(in crate::author) fn to(
        service: &'a str,
        attribute: &'a str,
        arguments: impl Into<Arguments>,
    ) -> Self {
        Self { service, attribute, arguments: arguments.into(), change: None, step: None }
    }

    /// A request to the Manager.
    pub(in crate::author) fn to_manager(attribute: &'a str, arguments: impl Into<Arguments>) -> Self {
        Self::to(MANAGER, attribute, arguments)
    }

    /// A request to the Manager whose answer changes the link with this service.
    pub(in crate::author) fn changing(self, change: Change, service: &'a str) -> Self {
        Self { change: Some((change, service)), ..self }
    }

    /// A request to the Manager that is a step of the lock on this service.
    pub(in crate::author) fn stepping(self, step: Step, service: &'a str) -> Self {
        Self { step: Some((step, service)), ..self }
    }
}
