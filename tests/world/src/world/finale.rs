//! The end of a world: all waiting is resolved when the clock runs on, and when all have gone nothing is left.

use std::collections::BTreeMap;
use std::time::Duration;

use super::World;
use crate::device::{Device, Role};
use crate::model::Port;
use crate::scenario::Finale;

impl World<'_> {
    /// Which limits hold somebody up now.
    pub(super) fn look_around(&mut self) {
        let limits = &self.setup.limits;
        let mut reached = Vec::new();
        let waiting_at_the_door =
            self.queue.len() > 0 && self.manager.admission().connections() < limits.connections;
        if waiting_at_the_door && !self.manager.is_short_of_memory() && !self.model.shutting_down {
            reached.push("limit: handshakes");
        }
        if self.is_short {
            reached.push("limit: memory");
        }
        if self.turned_away.take() > 0 {
            reached.push("limit: turned away");
        }
        let mut executing = BTreeMap::<Port, usize>::new();
        for (_, call) in self.model.unanswered() {
            let is_full = |port: Port| self.devices[usize::from(port) - 1].socket.borrow().is_full();
            if call.executed.is_some() {
                *executing.entry(call.client).or_default() += 1;
            } else if self.model.services.get(&call.service).is_some_and(|service| is_full(service.port)) {
                reached.push("limit: client waits for a service");
            } else if is_full(call.client) {
                reached.push("limit: unread answers");
            }
        }
        if executing.values().any(|calls| *calls >= limits.open_requests) {
            reached.push("limit: open requests");
        }
        self.is_short = false;
        for kind in reached {
            self.reach(kind);
        }
    }

    pub(super) fn finish(&mut self) {
        self.note(format_args!("* the clock runs on"));
        self.run_out();
        self.check_waiting();
        self.note(format_args!("* all read, all work is finished, rude peers go"));
        self.come_to_terms();
        self.check_quiet();
        let finale = self.setup.finale;
        self.note(format_args!("* {finale:?}"));
        match finale {
            Finale::ShutDown => self.shut_down(),
            Finale::Leave => self.ports().for_each(|port| self.take_leave(port)),
            Finale::Cut => self.ports().for_each(|port| self.cut_off(port)),
        }
        self.run_out();
        if finale == Finale::Leave {
            // Those that cannot ask for it: they have closed their side, and the Manager theirs.
            self.ports().for_each(|port| self.cut_off(port));
            self.run_out();
        }
        // Nobody but the door is left, which has the ticket of whoever comes next.
        assert!(self.manager.admission().connections() <= 1, "all have gone, and connections are left");
        self.shut_down();
        self.run_out();
        self.check_end();
    }

    fn cut_off(&mut self, port: Port) {
        if self.device(port).gone {
            return;
        }
        let now = self.now();
        {
            let mut socket = self.device(port).socket.borrow_mut();
            socket.close(now);
            socket.wake(now);
        }
        self.lose(port);
    }

    /// Everybody does what others may be waiting for.
    fn come_to_terms(&mut self) {
        for port in self.ports() {
            let device = self.device(port);
            device.reads = true;
            if device.is_rude() {
                self.cut_off(port);
            } else if let Some(service) = self.device(port).service() {
                service.pace.takes = Some(Duration::ZERO);
                let executing: Vec<_> = service.executing.keys().copied().collect();
                for execution in executing {
                    self.finish_execution(port, execution);
                }
            }
        }
        self.run_out();
    }

    /// The clock has run on: whoever waits, waits for a service that is there and does not answer, or does not read itself.
    fn check_waiting(&self) {
        let is_there = |port: Port| self.devices.get(usize::from(port) - 1).filter(|device| !device.gone);
        let mut owed = BTreeMap::<Port, usize>::new();
        let mut others = Vec::new();
        for (number, call) in self.model.unanswered() {
            let Some(client) = is_there(call.client).filter(|client| client.reads) else { continue };
            let is_at_work = |device: &Device| match &device.role {
                Role::Service(service) => {
                    service.executing.values().any(|executing| *executing == Some(number))
                }
                Role::Rude(_) => true,
                Role::Client(_) => false,
            };
            let service = self.model.services.get(&call.service).and_then(|service| is_there(service.port));
            let unread = service.is_some_and(|service| !service.reads);
            if unread || call.executed.and_then(is_there).is_some_and(is_at_work) {
                *owed.entry(client.port).or_default() += 1;
            } else {
                others.push((number, call));
            }
        }
        for (number, call) in others {
            // Behind as many as it may have open it is not read.
            let held_up = owed.get(&call.client).is_some_and(|owed| *owed >= self.setup.limits.open_requests);
            assert!(held_up, "call {number} waits for nobody: {call:?}");
        }
        assert!(self.short_since.is_none(), "memory stays short");
        self.check_connections();
        let there = self.model.clients.len() + self.model.services.len();
        let is_full = there >= self.setup.limits.connections;
        for device in self.devices.iter().filter(|device| !device.gone) {
            assert!(is_full || !device.reads || device.is_let_in(), "{} waits to be let in", device.port);
            assert!(!device.socket.borrow().is_full(), "{} takes nothing, and is not ended", device.port);
        }
    }

    /// Nothing is left to be waited for.
    fn check_quiet(&self) {
        for (number, call) in self.model.unanswered() {
            let gone = self.devices[usize::from(call.client) - 1].gone;
            assert!(gone, "call {number} has no answer, though all work is done: {call:?}");
        }
        let honest = |port: Port| {
            let device = &self.devices[usize::from(port) - 1];
            !device.gone && !device.disturbed && !device.is_rude()
        };
        self.model.check_feeds(|client| honest(client) && self.model.clients.contains_key(&client), honest);
        assert_eq!(self.manager.held(), 0, "all is quiet, and bytes are held");
        self.check_connections();
    }

    /// Who is connected has said who it is, and has not left.
    fn check_connections(&self) {
        let there = self.model.clients.len() + self.model.services.len();
        // The door has the ticket of whoever comes next.
        let door = usize::from(!self.model.shutting_down && there < self.setup.limits.connections);
        assert_eq!(self.manager.admission().connections(), there + door, "connections of nobody");
    }

    fn check_end(&self) {
        assert_eq!(self.manager.admission().connections(), 0, "all have gone, and connections are left");
        assert_eq!(self.manager.held(), 0, "all have gone, and bytes are held");
        assert!(
            self.model.clients.is_empty() && self.model.services.is_empty(),
            "all have gone, and some are there"
        );
        for device in &self.devices {
            let ended = match &device.role {
                Role::Client(client) => client.machine.is_ended() && client.calls.is_empty(),
                Role::Service(service) => service.machine.is_ended() && service.machine.executing() == 0,
                Role::Rude(_) => true,
            };
            assert!(ended, "{} does not know that its connection has ended", device.port);
        }
    }
}
