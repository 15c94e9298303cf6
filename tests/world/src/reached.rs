//! What has happened in worlds: how often each kind of fault, limit, refusal and ending took place.
//!
//! A simulation is worth what it reaches. So each kind is named here; a test holds that none is left out.

use std::collections::BTreeMap;
use std::fmt;

/// Every kind.
pub const KINDS: &[&str] = &[
    "admin: done",
    "cut: closed",
    "cut: half closed",
    "cut: in mid-line",
    "cut: reset",
    "cut: vanished",
    "device: answer to a prompt",
    "device: does not read",
    "device: mute service",
    "device: no answer to a prompt",
    "device: slow service",
    "end: administrator",
    "end: asked for",
    "end: closed",
    "end: endless line",
    "end: refused",
    "end: shutdown",
    "end: slow consumer",
    "end: speaks TLS",
    "limit: client waits for a service",
    "limit: connections",
    "limit: first answer",
    "limit: frame too long",
    "limit: handshake frame too long",
    "limit: handshakes",
    "limit: leave",
    "limit: line skipped for memory",
    "limit: memory",
    "limit: name wait",
    "limit: notifications",
    "limit: open requests",
    "limit: prompt",
    "limit: service wait",
    "limit: too much behind a login",
    "limit: turned away",
    "limit: unread answers",
    "limit: write timeout",
    "network: delay",
    "network: stall",
    "password: right",
    "password: takes time",
    "password: wrong",
    "refused: full",
    "refused: link while locked",
    "refused: name taken",
    "refused: no such service",
    "refused: not alone",
    "refused: not linked",
    "refused: only for linked",
    "refused: service left",
    "rude: broken answer",
    "rude: double answer",
    "rude: endless line",
    "rude: forged notification",
    "rude: forged reply",
    "rude: half a line",
    "rude: raw bytes",
    "rude: requests",
    "rude: says nothing",
    "rude: typed text",
    "rude: wrong types",
    "told: answers",
    "told: links",
    "told: locks",
    "told: notifications",
    "told: shutdown in the middle",
    "told: timed out at the client",
    "told: unexpected notification dropped",
    "told: unexpected reply dropped",
];

/// A histogram.
#[derive(Clone, Debug, Default)]
pub struct Reached(BTreeMap<&'static str, u64>);

impl Reached {
    /// One more of this kind.
    pub fn add(&mut self, kind: &'static str) {
        debug_assert!(KINDS.contains(&kind), "{kind} is not among the kinds");
        *self.0.entry(kind).or_default() += 1;
    }

    /// How often.
    pub fn count(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or_default()
    }

    /// Those of another world, too.
    pub fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    /// The kinds that were not reached.
    pub fn missing(&self) -> Vec<&'static str> {
        KINDS.iter().copied().filter(|kind| self.count(kind) == 0).collect()
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for kind in KINDS {
            writeln!(f, "{:>10}  {kind}", self.count(kind))?;
        }
        Ok(())
    }
}
