//! Who may connect now: the limits on connections (docs/wire.md, section 10).
//!
//! A runtime asks for a [`Ticket`] before it accepts a socket, so that further devices wait in the listen queue and cost
//! nothing. Devices of an address that has many unfinished handshakes wait after that, where they do not count as
//! unfinished: one computer that misbehaves must not keep the others out.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::lock;
use super::places::{Place, Places};
use crate::limits::Limits;

/// Counts connections and handshakes.
#[derive(Debug)]
pub struct Admission {
    connections: Places,
    handshakes: Places,
    handshakes_per_address: usize,
    most_connections: usize,
    /// The handshakes of each address that anybody connects from, with how many devices need them.
    addresses: Mutex<BTreeMap<IpAddr, (Places, usize)>>,
    present: Mutex<Present>,
}

/// How many connections there are, and who wants to know when there is none.
#[derive(Debug, Default)]
struct Present {
    connections: usize,
    waiting: Option<Waker>,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections: Places::new(limits.connections),
            handshakes: Places::new(limits.handshakes),
            handshakes_per_address: limits.handshakes_per_address,
            most_connections: limits.connections,
            addresses: Mutex::default(),
            present: Mutex::default(),
        })
    }

    /// Waits until one more connection may be accepted.
    pub async fn ticket(self: &Arc<Self>) -> Ticket {
        let connection = self.connections.take().await;
        // Only to see that there is room: the handshake counts from its begin.
        drop(self.handshakes.take().await);
        lock(&self.present).connections += 1;
        Ticket { admission: self.clone(), handshake: None, _connection: connection }
    }

    /// Waits until there is no connection. For one task at a time.
    pub async fn all_gone(&self) {
        poll_fn(|cx| {
            let mut present = lock(&self.present);
            if present.connections == 0 {
                return Poll::Ready(());
            }
            present.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        lock(&self.present).connections
    }

    /// How many devices of one address may be there without having finished their handshakes, waiting ones included: half of
    /// the connections that are not others'. So a second address that misbehaves gets half of what the first one has left,
    /// and there is room for a next one.
    fn most_unfinished(&self, of_others: usize) -> usize {
        self.most_connections.saturating_sub(of_others).div_ceil(2).max(self.handshakes_per_address)
    }
}

/// The right to one connection; given back when it is dropped.
#[derive(Debug)]
pub struct Ticket {
    admission: Arc<Admission>,
    handshake: Option<Handshake>,
    _connection: Place,
}

#[derive(Debug)]
struct Handshake {
    _in_all: Place,
    _from_address: Place,
    _address: AddressInUse,
}

impl Ticket {
    /// Waits until the device at this address may begin its handshake: those of an address do so in the order in which they
    /// have connected. `false`: half of the connections that others leave
    /// are of this address and in their handshakes already, or wait for them. This one should be ended, so that others find a
    /// place.
    pub async fn begin_handshake(&mut self, ip: IpAddr) -> bool {
        let Some((address, of_address)) = AddressInUse::enter(&self.admission, ip) else { return false };
        let from_address = of_address.take().await;
        let in_all = self.admission.handshakes.take().await;
        self.handshake = Some(Handshake { _in_all: in_all, _from_address: from_address, _address: address });
        true
    }

    /// The handshake is over, one way or the other.
    pub fn handshake_is_over(&mut self) {
        self.handshake = None;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let waiting = {
            let mut present = lock(&self.admission.present);
            present.connections -= 1;
            if present.connections == 0 { present.waiting.take() } else { None }
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

/// Keeps the places of an address for as long as somebody from there needs it.
#[derive(Debug)]
struct AddressInUse {
    admission: Arc<Admission>,
    ip: IpAddr,
}

impl AddressInUse {
    fn enter(admission: &Arc<Admission>, ip: IpAddr) -> Option<(Self, Places)> {
        let connections = admission.connections();
        let mut addresses = lock(&admission.addresses);
        let new = || (Places::new(admission.handshakes_per_address), 0);
        let (places, users) = addresses.entry(ip).or_insert_with(new);
        // This one counts as a connection, and not yet as a user.
        let of_others = connections.saturating_sub(*users + 1);
        if *users >= admission.most_unfinished(of_others) {
            return None;
        }
        *users += 1;
        Some((Self { admission: admission.clone(), ip }, places.clone()))
    }
}

impl Drop for AddressInUse {
    fn drop(&mut self) {
        let mut addresses = lock(&self.admission.addresses);
        if let Some((_, users)) = addresses.get_mut(&self.ip) {
            *users -= 1;
            if *users == 0 {
                addresses.remove(&self.ip);
            }
        }
    }
}
