//! What can be said of a line that is refused: whom an error about it concerns.
//!
//! It is read in two ways: from the members that were complete when the line was refused, and by `skim` from the
//! rest.

use bytes::Bytes;

use super::{
    head::{Head, Key},
    rope::Rope,
    scanner::{Scanner, Stop},
};

/// The longest raw value that is salvaged, in bytes. Names and uids are short; more would be memory for a line that
/// is refused.
pub const SALVAGE_LIMIT: usize = 8 * 1024;

/// Routing members that could be read of a line that is refused.
///
/// The values are raw JSON, valid and of the member's type, each of at most [`SALVAGE_LIMIT`] bytes and without the
/// line's buffers. Of a member that is there twice the first counts, as what comes before the break is surest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// A string.
    pub service: Option<Bytes>,
    /// A string.
    pub attribute: Option<Bytes>,
    /// A string or null.
    pub requester: Option<Bytes>,
    /// Any value.
    pub uid: Option<Bytes>,
}

impl Salvage {
    /// What a line's complete members say.
    pub(super) fn of(head: &Head, line: &Rope) -> Self {
        let mut salvage = Self::default();
        for key in [Key::Service, Key::Attribute, Key::Requester, Key::Uid] {
            if let Some(member) = head.fitting(key).filter(|member| member.span().len() <= SALVAGE_LIMIT) {
                let mut value = line.slice(member.span());
                value.compact();
                salvage.enter(key, value.to_bytes());
            }
        }
        salvage
    }

    /// Enters a value that may be anything, if it is valid and fits.
    pub(super) fn enter_unchecked(&mut self, key: Key, value: &[u8]) {
        let value = value.trim_ascii();
        if value.len() > SALVAGE_LIMIT {
            return;
        }
        let mut scanner = Scanner::default();
        let text = [&b"{\""[..], key.name().as_bytes(), b"\":", value, b"}"];
        if text.into_iter().any(|part| scanner.scan(part).1 != Stop::More) {
            return;
        }
        if scanner.check().is_err() {
            return;
        }
        if scanner.head.fitting(key).is_some() {
            self.enter(key, Bytes::copy_from_slice(value));
        }
    }

    /// Does a member of this name no longer matter?
    pub(super) fn has(&self, key: Key) -> bool {
        match key {
            Key::Service => self.service.is_some(),
            Key::Attribute => self.attribute.is_some(),
            Key::Requester => self.requester.is_some(),
            Key::Uid => self.uid.is_some(),
            _ => true,
        }
    }

    /// Enters a value that is not [there](Self::has) yet.
    fn enter(&mut self, key: Key, value: Bytes) {
        let place = match key {
            Key::Service => &mut self.service,
            Key::Attribute => &mut self.attribute,
            Key::Requester => &mut self.requester,
            Key::Uid => &mut self.uid,
            _ => return,
        };
        *place = Some(value);
    }
}
