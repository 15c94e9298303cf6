//! Writing JSON text piece by piece.

use alloc::string::String;
use core::fmt::{self, Write};

use super::quote_into;

/// Appends formatted text.
pub(crate) fn put(out: &mut String, text: fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = out.write_fmt(text);
}

/// Writes the pieces of a list with commas between them.
pub(crate) fn separated<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
}

/// A JSON array of strings.
pub(crate) fn string_array<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    separated(&mut out, texts, quote_into);
    out.push(']');
    out
}
