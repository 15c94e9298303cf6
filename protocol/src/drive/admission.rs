//! Who may connect now: the limits on connections (docs/wire.md, section 10).
//!
//! A runtime asks for a [`Ticket`] before it accepts a socket, so that further devices wait in the listen queue and cost
//! nothing. Devices of an address that has many unfinished handshakes wait after that: one computer that misbehaves
//! must not keep the others out.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::lock;
use crate::limits::Limits;

/// Counts connections and handshakes.
#[derive(Debug)]
pub struct Admission {
    connections: usize,
    handshakes: usize,
    handshakes_per_address: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    handshakes: usize,
    per_address: BTreeMap<IpAddr, usize>,
    /// Whoever waits for any of this to change; looked at again by each of them.
    waiting: Vec<Waker>,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections: limits.connections,
            handshakes: limits.handshakes,
            handshakes_per_address: limits.handshakes_per_address,
            counts: Mutex::default(),
        })
    }

    /// Waits until one more connection may be accepted.
    pub async fn ticket(self: &Arc<Self>) -> Ticket {
        self.when(|counts| {
            let free = counts.connections < self.connections && counts.handshakes < self.handshakes;
            free.then(|| counts.connections += 1)
        })
        .await;
        Ticket { admission: self.clone(), handshake: None }
    }

    /// Waits until there is no connection.
    pub async fn all_gone(&self) {
        self.when(|counts| (counts.connections == 0).then_some(())).await;
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        lock(&self.counts).connections
    }

    /// Waits until `ready` finds what it wants.
    async fn when(&self, mut ready: impl FnMut(&mut Counts) -> Option<()>) {
        poll_fn(|cx: &mut Context<'_>| {
            let mut counts = lock(&self.counts);
            match ready(&mut counts) {
                Some(()) => Poll::Ready(()),
                None => {
                    counts.wait(cx.waker());
                    Poll::Pending
                }
            }
        })
        .await;
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        let waiting = {
            let mut counts = lock(&self.counts);
            change(&mut counts);
            std::mem::take(&mut counts.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Counts {
    fn wait(&mut self, waker: &Waker) {
        if !self.waiting.iter().any(|waiting| waiting.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }
}

/// The right to one connection; given back when it is dropped.
#[derive(Debug)]
pub struct Ticket {
    admission: Arc<Admission>,
    /// Whose handshake is going on.
    handshake: Option<IpAddr>,
}

impl Ticket {
    /// Waits until the device at this address may begin its handshake.
    pub async fn begin_handshake(&mut self, ip: IpAddr) {
        let most = self.admission.handshakes_per_address;
        self.admission
            .when(|counts| {
                let from_there = counts.per_address.entry(ip).or_default();
                (*from_there < most).then(|| {
                    *from_there += 1;
                    counts.handshakes += 1;
                })
            })
            .await;
        self.handshake = Some(ip);
    }

    /// The handshake is over, one way or the other.
    pub fn handshake_is_over(&mut self) {
        let Some(ip) = self.handshake.take() else { return };
        self.admission.change(|counts| {
            counts.handshakes -= 1;
            if let Some(from_there) = counts.per_address.get_mut(&ip) {
                *from_there -= 1;
                if *from_there == 0 {
                    counts.per_address.remove(&ip);
                }
            }
        });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.handshake_is_over();
        self.admission.change(|counts| counts.connections -= 1);
    }
}
