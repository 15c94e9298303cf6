//! The rules of frames, one file a subject.

mod decoding;
mod differential;
mod generate;
mod grammar;
mod members;
mod refused;
mod splicing;

use bytes::Bytes;

use super::{Decoder, Limits, Line};

/// Limits that no test reaches by accident.
const WIDE: Limits = Limits { frame: 1 << 24, skip: 1 << 24 };

/// The lines that come out of bytes that come in pieces of these sizes, over and over; each size is at least 1.
fn lines_of(bytes: &[u8], pieces: &[usize], limits: Limits) -> Vec<Line> {
    let mut decoder = Decoder::new(limits);
    let mut lines = Vec::new();
    let mut rest = bytes;
    for &size in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at(size.min(rest.len()));
        decoder.receive(Bytes::copy_from_slice(piece));
        lines.extend(core::iter::from_fn(|| decoder.next_line()));
        rest = later;
    }
    lines
}

/// The same lines come out whole and byte by byte; this is what they are.
fn lines(bytes: impl AsRef<[u8]>, limits: Limits) -> Vec<Line> {
    let whole = lines_of(bytes.as_ref(), &[usize::MAX], limits);
    assert_eq!(whole, lines_of(bytes.as_ref(), &[1], limits), "byte by byte");
    whole
}

/// The only line of these bytes, which lack its end.
fn line(bytes: impl AsRef<[u8]>, limits: Limits) -> Line {
    let mut bytes = bytes.as_ref().to_vec();
    bytes.push(b'\n');
    let mut lines = lines(bytes, limits);
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}
