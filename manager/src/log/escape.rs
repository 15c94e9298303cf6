//! Text from peers, made harmless for a log and a terminal.
//!
//! Escaped are control characters (a line feed forges a line, an escape character commands a terminal) and the characters
//! that change the direction or the lines of what follows them. Everything else stays readable, whatever its script.

use std::fmt::{self, Write};

/// The longest text of one line, in bytes. A peer's error message may be a megabyte; a log line need not.
pub(crate) const LONGEST_TEXT: usize = 8 * 1024;

/// Takes text, escapes it, and appends it to a line until [`LONGEST_TEXT`] is reached; what follows is cut off.
pub(crate) struct Escaped<'a> {
    line: &'a mut String,
    end: usize,
    cut: bool,
}

impl<'a> Escaped<'a> {
    pub(crate) fn new(line: &'a mut String) -> Self {
        let end = line.len() + LONGEST_TEXT;
        Self { line, end, cut: false }
    }
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.cut {
                break;
            }
            if self.line.len() >= self.end {
                self.cut = true;
                self.line.push_str("...");
            } else if is_harmful(c) {
                self.line.extend(c.escape_default());
            } else {
                self.line.push(c);
            }
        }
        // Never an error: formatting would stop in the middle and the rest of the line be lost.
        Ok(())
    }
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut line = String::new();
        Escaped::new(&mut line).write_str(text).unwrap();
        line
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escaped("a\nb\r\tc\0\u{7f}\u{9b}"), r"a\nb\r\tc\u{0}\u{7f}\u{9b}");
    }

    #[test]
    fn characters_that_turn_or_break_lines_are_escaped() {
        assert_eq!(escaped("a\u{202e}b\u{2028}"), r"a\u{202e}b\u{2028}");
    }

    #[test]
    fn other_characters_stay_as_they_are() {
        assert_eq!(escaped(r#"Ω "Māori" \ 'x' 実験"#), r#"Ω "Māori" \ 'x' 実験"#);
    }

    #[test]
    fn an_endless_text_is_cut() {
        let line = escaped(&"x".repeat(10 * LONGEST_TEXT));
        assert_eq!(line.len(), LONGEST_TEXT + 3);
        assert!(line.ends_with("x..."));
    }
}
