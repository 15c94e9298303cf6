//! The inside of a JSON string, cut into plain text and decoded escapes.
//!
//! The one place that knows JSON's escapes and how two of them make one character.

/// A part of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text that stands for itself.
    Text(&'a str),
    /// A character that was written as an escape, or as two: a surrogate pair.
    Character(char),
    /// Half of a surrogate pair without its other half.
    LoneSurrogate(u16),
}

/// Whether the inside of a string stands for itself: no escapes, and nothing that JSON wants escaped.
#[expect(clippy::needless_bitwise_bool, reason = "without branches it is tested for many bytes at once")]
pub(super) fn is_plain(inside: &[u8]) -> bool {
    inside.iter().fold(true, |plain, &byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'))
}

/// Iterates over the pieces of a string's inside; an item `None` means that it is not JSON, and is the last.
pub(super) struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(inside: &'a str) -> Self {
        Self { rest: inside }
    }

    fn piece(&mut self) -> Option<Piece<'a>> {
        let plain = memchr::memchr(b'\\', self.rest.as_bytes()).unwrap_or(self.rest.len());
        if plain > 0 {
            let (text, rest) = self.rest.split_at(plain);
            self.rest = rest;
            return is_plain(text.as_bytes()).then_some(Piece::Text(text));
        }
        let mut characters = self.rest.strip_prefix('\\')?.chars();
        let character = match characters.next()? {
            same @ ('"' | '\\' | '/') => same,
            'b' => '\u{8}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return None,
        };
        self.rest = characters.as_str();
        Some(Piece::Character(character))
    }

    /// An escape with four hexadecimal digits, joined with the next where the two are a surrogate pair.
    fn unicode(&mut self) -> Option<Piece<'a>> {
        let (unit, rest) = code_unit(self.rest)?;
        self.rest = rest;
        if let Some(character) = char::from_u32(u32::from(unit)) {
            return Some(Piece::Character(character));
        }
        if let Some((second, rest)) = code_unit(rest)
            && let Some(Ok(character)) = char::decode_utf16([unit, second]).next()
        {
            self.rest = rest;
            return Some(Piece::Character(character));
        }
        Some(Piece::LoneSurrogate(unit))
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Option<Piece<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let piece = self.piece();
        if piece.is_none() {
            self.rest = "";
        }
        Some(piece)
    }
}

/// The value of a `\uXXXX` at the beginning of `text`, and what follows it.
pub(crate) fn code_unit(text: &str) -> Option<(u16, &str)> {
    let digits = text.strip_prefix("\\u")?;
    let (digits, rest) = digits.split_at_checked(4)?;
    // `from_str_radix` alone would take a sign.
    let all_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unit = u16::from_str_radix(digits, 16).ok()?;
    all_hexadecimal.then_some((unit, rest))
}
