//! Text made safe to show: as Python's `repr` shows it, and for logs.
//!
//! Names and messages come from peers. A line feed in one would forge a log line, an escape code would drive
//! the reader's terminal, and a bidirectional control would show it in another order than it has.

use alloc::string::String;
use core::fmt::{self, Display, Write};

/// `text` as Python's `repr` of a string writes it: in single quotes, or in double quotes where that saves
/// escapes.
///
/// What Python does not consider printable is escaped: controls, formats, private use and all spaces but the
/// plain one. Code points that Unicode has not assigned are the exception: Python escapes them, this does
/// not, since a table of them is large and differs from version to version.
///
/// ```
/// use msl_network_protocol::json::python_repr;
///
/// assert_eq!(python_repr("it's\n"), r#""it's\n""#);
/// ```
#[must_use]
pub fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut repr = String::with_capacity(text.len() + 2);
    repr.push(quote);
    for character in text.chars() {
        // Writing to a String never fails.
        let _ = match character {
            '\n' => repr.write_str("\\n"),
            '\r' => repr.write_str("\\r"),
            '\t' => repr.write_str("\\t"),
            '\\' => repr.write_str("\\\\"),
            _ if character == quote => write!(repr, "\\{quote}"),
            _ if is_printable(character) => repr.write_char(character),
            _ => match u32::from(character) {
                code @ ..0x100 => write!(repr, "\\x{code:02x}"),
                code @ 0x100..0x1_0000 => write!(repr, "\\u{code:04x}"),
                code => write!(repr, "\\U{code:08x}"),
            },
        };
    }
    repr.push(quote);
    repr
}

/// `text` for a log or a terminal: what could mislead its reader is shown as an escape, all else as it is.
///
/// Escaped are control characters, line separators, bidirectional controls and invisible marks. A
/// backslash stays one, so this is for reading, not for reading back.
///
/// ```
/// use msl_network_protocol::json::escaped;
///
/// assert_eq!(escaped("DMM\n2\u{202e}").to_string(), r"DMM\n2\u{202e}");
/// ```
pub fn escaped(text: &str) -> impl Display + '_ {
    Escaped(text)
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = 0;
        for (at, character) in self.0.char_indices().filter(|&(_, character)| misleads(character)) {
            f.write_str(&self.0[shown..at])?;
            write!(f, "{}", character.escape_default())?;
            shown = at + character.len_utf8();
        }
        f.write_str(&self.0[shown..])
    }
}

/// Whether a character can make shown text look like another: a control character, a line or paragraph
/// separator, a control of the direction of writing, or an invisible mark (U+200B and U+FEFF).
///
/// The joiners U+200C and U+200D are not among them: some scripts, and many emoji, cannot be written without.
pub(crate) fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
        )
}

/// Whether Python's `str.isprintable` says so, but for unassigned code points.
fn is_printable(character: char) -> bool {
    // Unicode's categories Cc, Cf, Co, Zl, Zp and Zs, in order.
    !matches!(
        character,
        '\0'..='\u{1F}'
            | '\u{7F}'..='\u{A0}'
            | '\u{AD}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{1680}'
            | '\u{180E}'
            | '\u{2000}'..='\u{200F}'
            | '\u{2028}'..='\u{202F}'
            | '\u{205F}'..='\u{2064}'
            | '\u{2066}'..='\u{206F}'
            | '\u{3000}'
            | '\u{E000}'..='\u{F8FF}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0001}'
            | '\u{E0020}'..='\u{E007F}'
            | '\u{F0000}'..='\u{FFFFD}'
            | '\u{100000}'..='\u{10FFFD}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_quotes_of_repr_are_those_that_save_escapes() {
        for (text, repr) in [
            ("", "''"),
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("\"x\"", "'\"x\"'"),
            ("it's \"x\"", "'it\\'s \"x\"'"),
        ] {
            assert_eq!(python_repr(text), repr);
        }
    }

    #[test]
    fn repr_escapes_what_cannot_be_printed() {
        for (text, repr) in [
            ("\n\r\t\\", r"'\n\r\t\\'"),
            ("\0\u{1b}\u{7f}", r"'\x00\x1b\x7f'"),
            ("\u{85}\u{a0}\u{ad}", r"'\x85\xa0\xad'"),
            ("\u{200b}\u{2028}\u{202e}\u{2069}\u{feff}\u{e000}", r"'\u200b\u2028\u202e\u2069\ufeff\ue000'"),
            ("\u{e0001}\u{10fffd}", r"'\U000e0001\U0010fffd'"),
            ("µ é 中 😀", "'µ é 中 😀'"),
        ] {
            assert_eq!(python_repr(text), repr);
        }
    }

    #[test]
    fn logs_show_what_could_mislead_as_escapes() {
        for (text, shown) in [
            ("String Editor 'µ' 中 😀 \\ \"", "String Editor 'µ' 中 😀 \\ \""),
            ("a\r\nforged\tline", r"a\r\nforged\tline"),
            ("\u{1b}[2J\u{7f}\u{9b}", r"\u{1b}[2J\u{7f}\u{9b}"),
            ("\u{202e}x\u{2066}\u{2028}\u{200f}", r"\u{202e}x\u{2066}\u{2028}\u{200f}"),
            ("👩\u{200d}🔬", "👩\u{200d}🔬"),
        ] {
            assert_eq!(escaped(text).to_string(), shown);
        }
    }
}
