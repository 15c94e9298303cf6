//! The name of a top-level member while it is being read.
//!
//! Names may be written with escapes (`"u\u0069d"` is `uid`) and may be cut by the end of a piece. A name too long to
//! be one of ours is not kept.

use super::head::Key;

/// The longest of our names.
const LONGEST: usize = 9;
/// Our longest name with each letter as `\uXXXX`.
const LONGEST_RAW: usize = LONGEST * 6;

/// The beginning of a name that was cut: its raw bytes, without the quotes.
#[derive(Clone, Debug)]
pub(super) struct Name {
    raw: [u8; LONGEST_RAW],
    /// More than `LONGEST_RAW`: too long to be ours.
    len: usize,
}

impl Default for Name {
    fn default() -> Self {
        Self { raw: [0; LONGEST_RAW], len: 0 }
    }
}

impl Name {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Keeps the name of this key, as if it had been read.
    pub(super) fn set(&mut self, key: Option<Key>) {
        self.clear();
        self.keep(key.map_or("", Key::name).as_bytes());
    }

    /// Keeps a part of the name, up to the cut.
    pub(super) fn keep(&mut self, part: &[u8]) {
        let end = self.len.saturating_add(part.len());
        if let Some(room) = self.raw.get_mut(self.len..end) {
            room.copy_from_slice(part);
        }
        self.len = end;
    }

    /// The key that the name means, after its last part.
    pub(super) fn finish(&mut self, last: &[u8]) -> Option<Key> {
        if self.len == 0 {
            return key(last); // not cut, as nearly always: no copy
        }
        self.keep(last);
        self.raw.get(..self.len).and_then(key)
    }
}

/// The key that a raw name means.
fn key(raw: &[u8]) -> Option<Key> {
    if let Some(key) = Key::from_name(raw) {
        return Some(key);
    }
    if raw.len() > LONGEST_RAW || !raw.contains(&b'\\') {
        return None;
    }
    let mut decoded = [0; LONGEST];
    let mut len = 0;
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        let letter;
        (letter, rest) = if byte == b'\\' { unescape(after)? } else { (byte, after) };
        *decoded.get_mut(len)? = letter;
        len += 1;
    }
    Key::from_name(&decoded[..len])
}

/// The letter that an escape without its backslash means, and what follows; `None` for what is in none of our names.
fn unescape(escape: &[u8]) -> Option<(u8, &[u8])> {
    let digits = escape.strip_prefix(b"u")?.get(..4)?;
    let digits = core::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    let letter = u8::try_from(u16::from_str_radix(digits, 16).ok()?).ok()?;
    Some((letter, &escape[5..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_same_with_escapes_and_in_any_cut() {
        for raw in [&b"uid"[..], b"u\\u0069d", b"\\u0075\\u0069\\u0064"] {
            for cut in 0..=raw.len() {
                let mut name = Name::default();
                name.keep(&raw[..cut]);
                assert_eq!(name.finish(&raw[cut..]), Some(Key::Uid));
            }
        }
        let escaped = br"\u0061\u0074\u0074\u0072\u0069\u0062\u0075\u0074\u0065";
        assert_eq!(key(escaped), Some(Key::Attribute));
    }

    #[test]
    fn other_names_mean_nothing() {
        for raw in
            [&b""[..], b"UID", b"uid ", b"u\\nid", b"u\\u+069d", b"u\\u006", b"\\u0175id", b"u\\", b"\xffuid"]
        {
            assert_eq!(key(raw), None);
        }
    }

    #[test]
    fn a_long_name_is_not_ours_however_it_is_cut() {
        let mut name = Name::default();
        for _ in 0..1000 {
            name.keep(b"uid");
        }
        assert_eq!(name.finish(b""), None);
        name.clear();
        assert_eq!(name.finish(b"uid"), Some(Key::Uid));
    }
}
