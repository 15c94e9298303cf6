//! What a frame's members are, and where: all that is known of a frame without building its values.

use core::ops::Range;

use super::error::FrameError;

/// The members that mean something in the protocol (docs/wire.md section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `service`: whom a request is for, or who notifies.
    Service,
    /// `attribute`: what is requested.
    Attribute,
    /// `args`: the positional arguments.
    Args,
    /// `kwargs`: the arguments with names.
    Kwargs,
    /// `uid`: what a request and its reply have in common.
    Uid,
    /// `requester`: who requested.
    Requester,
    /// `error`: is this an error?
    Error,
    /// `result`: what was requested.
    Result,
    /// `message`: what went wrong.
    Message,
    /// `traceback`: where it went wrong.
    Traceback,
}

impl Key {
    /// Every key, in the order of the enum.
    pub(super) const ALL: [Self; 10] = [
        Self::Service,
        Self::Attribute,
        Self::Args,
        Self::Kwargs,
        Self::Uid,
        Self::Requester,
        Self::Error,
        Self::Result,
        Self::Message,
        Self::Traceback,
    ];

    /// The member's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Attribute => "attribute",
            Self::Args => "args",
            Self::Kwargs => "kwargs",
            Self::Uid => "uid",
            Self::Requester => "requester",
            Self::Error => "error",
            Self::Result => "result",
            Self::Message => "message",
            Self::Traceback => "traceback",
        }
    }

    /// The key with this name.
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"service" => Self::Service,
            b"attribute" => Self::Attribute,
            b"args" => Self::Args,
            b"kwargs" => Self::Kwargs,
            b"uid" => Self::Uid,
            b"requester" => Self::Requester,
            b"error" => Self::Error,
            b"result" => Self::Result,
            b"message" => Self::Message,
            b"traceback" => Self::Traceback,
            _ => return None,
        })
    }

    /// Does the member decide where a frame goes? Such a member must be there only once: two readers of the frame
    /// could choose different ones.
    pub(super) const fn routes(self) -> bool {
        matches!(
            self,
            Self::Service | Self::Attribute | Self::Requester | Self::Uid | Self::Error | Self::Result
        )
    }

    /// What the member must be, if this is something else.
    const fn refuses(self, kind: Kind, items: Items) -> Option<&'static str> {
        let (fits, expected) = match self {
            Self::Service | Self::Attribute | Self::Message => (matches!(kind, Kind::String), "a string"),
            Self::Requester => (matches!(kind, Kind::String | Kind::Null), "a string or null"),
            Self::Error => (matches!(kind, Kind::Bool(_)), "true or false"),
            Self::Args => (matches!(kind, Kind::Array), "an array"),
            Self::Kwargs => (matches!(kind, Kind::Object), "an object"),
            Self::Traceback => (matches!(kind, Kind::Array) && items.all_strings, "an array of strings"),
            Self::Uid | Self::Result => (true, "any value"),
        };
        if fits { None } else { Some(expected) }
    }
}

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, or one of the words `NaN`, `Infinity` and `-Infinity`.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// What is seen of an array's elements in passing: enough to check a notification's `[array, object]` and a
/// traceback's strings without reading the value again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    /// How many there are, 255 for that many or more; 0 for what is no array.
    pub count: u8,
    /// What the first is.
    pub first: Option<Kind>,
    /// What the second is.
    pub second: Option<Kind>,
    /// Is none of them anything but a string?
    pub all_strings: bool,
}

impl Items {
    pub(super) const NONE: Self = Self { count: 0, first: None, second: None, all_strings: true };

    pub(super) fn note(&mut self, kind: Kind) {
        match self.count {
            0 => self.first = Some(kind),
            1 => self.second = Some(kind),
            _ => {}
        }
        self.count = self.count.saturating_add(1);
        self.all_strings &= kind == Kind::String;
    }

    /// The same for so many numbers.
    pub(super) fn note_numbers(&mut self, count: u32) {
        (0..count.min(u8::MAX.into())).for_each(|_| self.note(Kind::Number));
    }
}

/// The value of a member: what and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What the value is.
    pub kind: Kind,
    /// What its elements are, if it is an array.
    pub items: Items,
    start: u32,
    end: u32,
}

impl Member {
    /// A value at `span`, which must end within [`MAX_LINE`].
    pub(super) fn new(kind: Kind, items: Items, span: Range<usize>) -> Self {
        Self { kind, items, start: narrow(span.start), end: narrow(span.end) }
    }

    /// Where the value is: bytes from the line's start.
    pub const fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The longest line that can be set as a limit: offsets are kept in 32 bits.
pub const MAX_LINE: usize = u32::MAX as usize;

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The members of a frame that mean something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    members: [Option<Member>; Key::ALL.len()],
    /// Where the object's closing brace is.
    close: u32,
    /// Does the object have members at all?
    occupied: bool,
}

impl Head {
    pub(super) fn member(&self, key: Key) -> Option<&Member> {
        self.members[key as usize].as_ref()
    }

    /// Enters a member. Of several with one name the last counts, as in Python; those that route the frame may not
    /// repeat, and there the first stays.
    pub(super) fn insert(&mut self, key: Key, member: Member) -> Result<(), FrameError> {
        let place = &mut self.members[key as usize];
        if key.routes() && place.is_some() {
            return Err(FrameError::Duplicate(key));
        }
        *place = Some(member);
        match key.refuses(member.kind, member.items) {
            Some(expected) => Err(FrameError::WrongType { key, expected }),
            None => Ok(()),
        }
    }

    /// The member, if its type is right.
    pub(super) fn fitting(&self, key: Key) -> Option<&Member> {
        self.member(key).filter(|member| key.refuses(member.kind, member.items).is_none())
    }

    pub(super) fn close(&mut self, at: usize, occupied: bool) {
        self.close = narrow(at);
        self.occupied = occupied;
    }

    pub(super) fn closing_brace(&self) -> usize {
        self.close as usize
    }

    pub(super) fn is_occupied(&self) -> bool {
        self.occupied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_name_and_stands_at_its_number() {
        for (number, key) in Key::ALL.into_iter().enumerate() {
            assert_eq!(key as usize, number);
            assert_eq!(Key::from_name(key.name().as_bytes()), Some(key));
        }
        assert_eq!(Key::from_name(b"Service"), None);
        assert_eq!(Key::from_name(b""), None);
    }

    #[test]
    fn a_head_stays_within_three_cache_lines() {
        assert!(size_of::<Head>() <= 192, "{}", size_of::<Head>());
    }
}
