//! The Manager of a world: the real one, with a door that lets devices in, as a runtime would, and a program around it that
//! answers when the world says so.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_lite::future::or;
use msl_network_protocol::connection::Action;
use msl_network_protocol::drive::{Caller, Driver, Handle, Host, Manager, Wire};

use crate::choices::Chance;
use crate::clock::Clock;
use crate::executor::Spawner;
use crate::network::{End, Shared};

/// How long the door waits while memory is short, as `msl-network-runtime` does.
const PAUSE: Duration = Duration::from_millis(50);

/// What a connection has asked of the program, or noted.
pub(crate) struct Act {
    /// The device's port, which is its number.
    pub(crate) port: u16,
    /// Its network name, if it has one.
    pub(crate) name: Option<String>,
    /// What.
    pub(crate) action: Action,
    /// Where the answer goes.
    pub(crate) mailbox: Handle,
}

/// What the connections have asked, in order.
pub(crate) type Acts = Arc<Mutex<Vec<Act>>>;

/// The program: it writes down what it is asked.
pub(crate) struct Program(pub(crate) Acts);

impl Host for Program {
    fn act(&self, caller: Caller<'_>, action: Action) {
        let name = caller.who.name.map(|name| name.as_str().to_owned());
        let act = Act { port: caller.port, name, action, mailbox: caller.mailbox.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(act);
    }
}

/// A device at the door.
pub(crate) struct Arrival {
    /// Its socket.
    pub(crate) socket: Shared,
    /// Its IP address.
    pub(crate) ip: IpAddr,
    /// Its port.
    pub(crate) port: u16,
}

/// The listen queue.
#[derive(Clone, Default)]
pub(crate) struct Queue(Rc<RefCell<(VecDeque<Arrival>, Option<Waker>)>>);

impl Queue {
    /// A device connects.
    pub(crate) fn push(&self, arrival: Arrival) {
        let mut queue = self.0.borrow_mut();
        queue.0.push_back(arrival);
        queue.1.take().into_iter().for_each(Waker::wake);
    }

    /// How many wait to be accepted.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().0.len()
    }

    fn poll_pop(&self, context: &mut Context<'_>) -> Poll<Arrival> {
        let mut queue = self.0.borrow_mut();
        if let Some(arrival) = queue.0.pop_front() {
            return Poll::Ready(arrival);
        }
        queue.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Lets devices in.
#[derive(Clone)]
pub(crate) struct Door {
    /// The Manager that is behind it.
    pub(crate) manager: Arc<Manager>,
    /// Who waits in front of it.
    pub(crate) queue: Queue,
    /// For a task for each device.
    pub(crate) spawner: Spawner,
    /// The world's.
    pub(crate) clock: Clock,
    /// How many were sent away at once.
    pub(crate) turned_away: Rc<Cell<usize>>,
    /// The world's.
    pub(crate) chance: Rc<Chance>,
}

impl Door {
    /// Accepts devices until the Manager shuts down. Those that wait then are ended in good order.
    pub(crate) async fn accept(self) {
        let all = async {
            loop {
                let mut ticket = self.manager.admission().ticket().await;
                while self.manager.is_short_of_memory() {
                    self.manager.relieve(self.clock.now());
                    self.clock.sleep(PAUSE).await;
                }
                let arrival = poll_fn(|context| self.queue.poll_pop(context)).await;
                let door = self.clone();
                self.spawner.spawn(async move {
                    let begun = async { Some(ticket.begin_handshake(arrival.ip).await) };
                    let ended = async {
                        door.manager.shutting_down().await;
                        None
                    };
                    let begun = or(ended, begun).await;
                    if begun == Some(true) {
                        let Arrival { ip, port, .. } = arrival;
                        return Driver::new(&door.manager, ticket, door.end(arrival), ip, port).await;
                    }
                    door.turned_away.update(|count| count + usize::from(begun == Some(false)));
                    door.turn_away(arrival).await;
                });
            }
        };
        or(self.manager.shutting_down(), all).await;
        while self.queue.len() > 0 {
            let arrival = poll_fn(|context| self.queue.poll_pop(context)).await;
            self.turn_away(arrival).await;
        }
    }

    fn end(&self, arrival: Arrival) -> End {
        End::new(arrival.socket, self.clock.clone(), self.chance.clone())
    }

    /// Closes a connection that nobody serves. (That the real door reads on for a while is its own tests' business.)
    async fn turn_away(&self, arrival: Arrival) {
        let mut end = self.end(arrival);
        // One that has failed is closed already.
        let _: io::Result<()> = poll_fn(|context| end.poll_close(context)).await;
    }
}
