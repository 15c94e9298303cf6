//! What a service owes: the requests that were written to it and not answered yet.
//!
//! The table belongs to the service's own connection, so that a reply is checked and routed without asking anybody.
//! A reply counts only when it names a client and a uid that are in the table: nothing that a service makes up reaches
//! anyone (docs/wire.md, section 7).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

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
    uids: BTreeMap<Bytes, Spellings>,
}

#[derive(Debug)]
struct Spellings {
    first: Bytes,
    more: VecDeque<Bytes>,
}

/// Somebody who waits for an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Waiting<H> {
    pub(super) requester: NetworkName,
    pub(super) reply_to: H,
    /// The uid as the client wrote it.
    pub(super) uid: Bytes,
}

impl<H: Clone> OpenCalls<H> {
    pub(super) fn new() -> Self {
        Self { callers: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }

    /// A request is being written to the service.
    pub(super) fn enter(&mut self, request: &Request<H>) {
        let Request { client, requester, reply_to, uid, .. } = request;
        let caller = self.callers.entry(requester.clone()).or_insert_with(|| Caller {
            client: *client,
            reply_to: reply_to.clone(),
            uids: BTreeMap::new(),
        });
        if caller.client != *client {
            // A client that has gone had the same name: what it asked for concerns nobody any more.
            *caller = Caller { client: *client, reply_to: reply_to.clone(), uids: BTreeMap::new() };
        }
        let Uid { raw, canonical } = uid;
        caller
            .uids
            .entry(canonical.clone())
            .and_modify(|spellings| spellings.more.push_back(raw.clone()))
            .or_insert_with(|| Spellings { first: raw.clone(), more: VecDeque::new() });
    }

    /// The service answers: who waits for that, if anybody does. It waits no more.
    pub(super) fn settle(&mut self, requester: &str, canonical_uid: &[u8]) -> Option<Waiting<H>> {
        let caller = self.callers.get_mut(requester)?;
        let spellings = caller.uids.get_mut(canonical_uid)?;
        let uid = match spellings.more.pop_front() {
            Some(next) => mem::replace(&mut spellings.first, next),
            None => caller.uids.remove(canonical_uid)?.first,
        };
        let reply_to = caller.reply_to.clone();
        let (requester, _) = self.callers.get_key_value(requester)?;
        let requester = requester.clone();
        if self.callers.get(&requester).is_some_and(|caller| caller.uids.is_empty()) {
            self.callers.remove(&requester);
        }
        Some(Waiting { requester, reply_to, uid })
    }

    /// Takes out all that `client` waits for.
    pub(super) fn forget(&mut self, client: ConnectionId, requester: &NetworkName) -> Vec<Waiting<H>> {
        match self.callers.get(requester) {
            Some(caller) if caller.client == client => {
                let caller = self.callers.remove(requester);
                caller.into_iter().flat_map(|caller| caller.into_waiting(requester)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Takes out everything: the service will not answer.
    pub(super) fn drain(&mut self) -> Vec<Waiting<H>> {
        let callers = mem::take(&mut self.callers);
        callers.into_iter().flat_map(|(requester, caller)| caller.into_waiting(&requester)).collect()
    }
}

impl<H: Clone> Caller<H> {
    fn into_waiting(self, requester: &NetworkName) -> Vec<Waiting<H>> {
        let uids = self
            .uids
            .into_values()
            .flat_map(|spellings| core::iter::once(spellings.first).chain(spellings.more));
        uids.map(|uid| Waiting { requester: requester.clone(), reply_to: self.reply_to.clone(), uid })
            .collect()
    }
}
