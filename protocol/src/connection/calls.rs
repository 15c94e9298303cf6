//! What a service owes: the requests that were written to it and not answered yet.
//!
//! The table belongs to the service's own connection, so that a reply is checked and routed without asking anybody.
//! A reply counts only when it names a client and a uid that are in the table: nothing that a service makes up reaches
//! anyone (docs/wire.md, section 7).

use alloc::collections::VecDeque;
use alloc::collections::btree_map::{BTreeMap, Entry};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use crate::frame::Rope;
use crate::mailbox::{ConnectionId, Request, Uid};
use crate::name::NetworkName;

/// The open requests at one service, by client and uid. Several may have the same uid.
#[derive(Debug)]
pub(super) struct OpenCalls<H> {
    callers: BTreeMap<NetworkName, Caller<H>>,
}

#[derive(Debug)]
struct Caller<H> {
    client: ConnectionId,
    reply_to: H,
    /// By canonical uid: the uids as the client wrote them, oldest first.
    uids: BTreeMap<Arc<[u8]>, Spellings>,
}

#[derive(Debug)]
struct Spellings {
    first: Arc<[u8]>,
    more: VecDeque<Arc<[u8]>>,
}

/// An answer that somebody waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting<H> {
    pub(super) reply_to: H,
    /// The uid as the client wrote it.
    pub(super) uid: Arc<[u8]>,
}

impl<H: Clone> OpenCalls<H> {
    pub(super) fn new() -> Self {
        Self { callers: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }

    /// A request is being written to the service. Gives its line.
    pub(super) fn enter(&mut self, request: Request<H>) -> Rope {
        let Request { client, requester, reply_to, uid, line } = request;
        let new = || Caller { client, reply_to, uids: BTreeMap::new() };
        let caller = match self.callers.entry(requester) {
            Entry::Occupied(mut entry) => {
                if entry.get().client != client {
                    // A client that has gone had the same name: what it asked for concerns nobody any more.
                    entry.insert(new());
                }
                entry.into_mut()
            }
            Entry::Vacant(entry) => entry.insert(new()),
        };
        let Uid { raw, canonical } = uid;
        match caller.uids.entry(canonical) {
            Entry::Occupied(entry) => entry.into_mut().more.push_back(raw),
            Entry::Vacant(entry) => {
                entry.insert(Spellings { first: raw, more: VecDeque::new() });
            }
        }
        line
    }

    /// The service answers: who waits for that, if anybody does. It waits no more.
    pub(super) fn settle(&mut self, requester: &str, canonical_uid: &[u8]) -> Option<Waiting<H>> {
        let caller = self.callers.get_mut(requester)?;
        let (canonical_uid, mut spellings) = caller.uids.remove_entry(canonical_uid)?;
        let uid = spellings.first;
        if let Some(next) = spellings.more.pop_front() {
            spellings.first = next;
            caller.uids.insert(canonical_uid, spellings);
        }
        let reply_to = if caller.uids.is_empty() {
            self.callers.remove(requester)?.reply_to
        } else {
            caller.reply_to.clone()
        };
        Some(Waiting { reply_to, uid })
    }

    /// Takes out all that `client` waits for.
    pub(super) fn forget(&mut self, client: ConnectionId, requester: &NetworkName) -> Vec<Waiting<H>> {
        match self.callers.get(requester) {
            Some(caller) if caller.client == client => {
                self.callers.remove(requester).into_iter().flat_map(Caller::into_waiting).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Takes out everything, with the names of those who wait: the service will not answer.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (NetworkName, Waiting<H>)> + use<H> {
        let callers = mem::take(&mut self.callers);
        callers.into_iter().flat_map(|(requester, caller)| {
            caller.into_waiting().map(move |waiting| (requester.clone(), waiting))
        })
    }
}

impl<H: Clone> Caller<H> {
    fn into_waiting(self) -> impl Iterator<Item = Waiting<H>> {
        let Self { reply_to, uids, .. } = self;
        let uids =
            uids.into_values().flat_map(|spellings| core::iter::once(spellings.first).chain(spellings.more));
        uids.map(move |uid| Waiting { reply_to: reply_to.clone(), uid })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::json;
    use crate::name::{Address, DeviceName};

    const ANN: ConnectionId = ConnectionId(1);

    fn network_name(name: &str) -> NetworkName {
        let address = Address { host: "lab".into(), port: 1 };
        NetworkName::new(&name.parse::<DeviceName>().unwrap(), &address)
    }

    /// A request of `Ann[lab:1]`, who may be another connection at another time.
    fn request(client: ConnectionId, uid: &'static str) -> Request<u64> {
        request_of(client, "Ann", uid)
    }

    fn request_of(client: ConnectionId, name: &str, uid: &'static str) -> Request<u64> {
        let canonical = Arc::from(&*json::canonical(uid.as_bytes()).unwrap());
        Request {
            client,
            requester: network_name(name),
            reply_to: client.0,
            uid: Uid { raw: uid.as_bytes().into(), canonical },
            line: Rope::new(),
        }
    }

    fn calls(uids: &[&'static str]) -> OpenCalls<u64> {
        let mut calls = OpenCalls::new();
        for uid in uids {
            calls.enter(request(ANN, uid));
        }
        calls
    }

    fn uids(waiting: impl IntoIterator<Item = Waiting<u64>>) -> Vec<String> {
        waiting.into_iter().map(|waiting| String::from_utf8(waiting.uid.to_vec()).unwrap()).collect()
    }

    #[test]
    fn an_answer_goes_to_who_asked_and_settles_one_request() {
        let mut calls = calls(&["7", "8"]);
        let waiting = calls.settle("Ann[lab:1]", b"7").unwrap();
        let expected = Waiting { reply_to: 1, uid: b"7"[..].into() };
        assert_eq!(waiting, expected);
        assert_eq!(calls.settle("Ann[lab:1]", b"7"), None);
        assert!(!calls.is_empty());
        assert!(calls.settle("Ann[lab:1]", b"8").is_some());
        assert!(calls.is_empty());
    }

    #[test]
    fn what_nobody_asked_settles_nothing() {
        let mut calls = calls(&["7"]);
        assert_eq!(calls.settle("Ann[lab:1]", b"8"), None);
        assert_eq!(calls.settle("Bob[lab:1]", b"7"), None);
        assert_eq!(calls.settle("", b""), None);
        assert!(calls.settle("Ann[lab:1]", b"7").is_some());
    }

    #[test]
    fn equal_uids_are_settled_oldest_first_each_in_its_own_spelling() {
        let mut calls = calls(&["1.0", "1.00", "10e-1"]);
        for spelling in ["1.0", "1.00", "10e-1"] {
            let canonical = json::canonical(b"1.000").unwrap();
            assert_eq!(calls.settle("Ann[lab:1]", &canonical).unwrap().uid[..], *spelling.as_bytes());
        }
        assert!(calls.is_empty());
    }

    #[test]
    fn a_client_that_is_forgotten_waits_for_nothing_more() {
        let mut calls = calls(&["7", "7", "8"]);
        assert_eq!(uids(calls.forget(ANN, &network_name("Ann"))), ["7", "7", "8"]);
        assert!(calls.is_empty());
        assert_eq!(calls.settle("Ann[lab:1]", b"7"), None);
    }

    #[test]
    fn forgetting_a_client_leaves_its_successor_of_the_same_name_alone() {
        let mut calls = calls(&["7"]);
        let successor = ConnectionId(2);
        calls.enter(request(successor, "8"));
        assert_eq!(calls.settle("Ann[lab:1]", b"7"), None, "the old one's requests concern nobody");
        assert_eq!(calls.forget(ANN, &network_name("Ann")), []);
        assert_eq!(calls.settle("Ann[lab:1]", b"8").unwrap().reply_to, 2);
    }

    #[test]
    fn draining_gives_everything_that_is_owed() {
        let mut calls = calls(&["7", "8", "7"]);
        let (names, waiting): (Vec<_>, Vec<_>) = calls.drain().unzip();
        assert_eq!(uids(waiting), ["7", "7", "8"]);
        assert!(names.iter().all(|name| *name == network_name("Ann")));
        assert!(calls.is_empty());
    }

    #[test]
    fn each_of_those_who_wait_is_named() {
        let mut calls = calls(&["7", "8"]);
        calls.enter(request_of(ConnectionId(2), "Bob", "7"));
        let drained = calls.drain().map(|(name, waiting)| (name, waiting.reply_to, waiting.uid));
        let expected = [("Ann", 1, "7"), ("Ann", 1, "8"), ("Bob", 2, "7")]
            .map(|(name, reply_to, uid)| (network_name(name), reply_to, Arc::from(uid.as_bytes())));
        assert_eq!(drained.collect::<Vec<_>>(), expected);
    }
}
