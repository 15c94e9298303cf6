//! Notifications of one service to many clients. Each client checks that it gets every one, whole and in order.

use crate::Failure;
use crate::load::Talk;
use crate::protocol::{Protocol, check_notification, notification, shown};

/// How many of them are on their way at once.
const WINDOW: u64 = 64;

/// A service that notifies its clients.
pub(crate) struct Notifications {
    protocol: Protocol,
    payload: Vec<u8>,
    header: Vec<u8>,
    sent: u64,
    /// By client.
    received: Vec<u64>,
    /// The sum of these.
    deliveries: u64,
    going_on: bool,
}

impl Notifications {
    pub(crate) fn new(protocol: Protocol, clients: usize, payload: Vec<u8>) -> Self {
        let mut example = Vec::new();
        notification(&mut example, 0, &payload);
        let header = protocol.notification_header(example.len() - "\r\n".len());
        let received = vec![0; clients];
        Self { protocol, payload, header, sent: 0, received, deliveries: 0, going_on: true }
    }

    /// From now on there are no further ones.
    pub(crate) fn end(&mut self) {
        self.going_on = false;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.deliveries == self.sent * self.received.len() as u64
    }

    /// How many have come to all clients, on average.
    pub(crate) fn received(&self) -> u64 {
        self.deliveries / self.received.len() as u64
    }
}

impl Talk for Notifications {
    fn serve(&mut self, message: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        match self.protocol.open(message, output) {
            Some(opened) => Err(format!("nobody asked anything: {}", shown(opened.body)).into()),
            None => Ok(()),
        }
    }

    fn hear(&mut self, client: usize, message: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(opened) = self.protocol.open(message, output) else { return Ok(()) };
        let received = &mut self.received[client];
        check_notification(opened.body, *received, &self.payload)?;
        *received += 1;
        self.deliveries += 1;
        Ok(())
    }

    fn speak(&mut self, output: &mut Vec<u8>) {
        while self.going_on && self.sent < self.received() + WINDOW {
            output.extend_from_slice(&self.header);
            notification(output, self.sent, &self.payload);
            self.sent += 1;
        }
    }
}
