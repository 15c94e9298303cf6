//! Any text, read as what a person types.
//!
//! The rules: a request's arguments are JSON that a Manager forwards, and not much longer than what was typed.

use bytes::Bytes;
use msl_network_protocol::frame::Frame;
use msl_network_protocol::terminal::{self, Typed};

/// Each byte gives at most six bytes of JSON.
const GROWTH: usize = 6;

/// Any text, line by line, as what a person types.
pub fn terminal(data: &[u8]) {
    for line in String::from_utf8_lossy(data).split('\n') {
        if let Some(json) = terminal::literal(line) {
            assert_forwarded(&format!("[{json}]"), "{}", line);
        }
        match terminal::read(line) {
            Ok(Typed::Request { args, kwargs, .. }) => {
                assert!(
                    args.starts_with('[') && kwargs.starts_with('{'),
                    "{line:?} gave {args} and {kwargs}"
                );
                let most = GROWTH * line.len() + "[]{}".len();
                assert!(args.len() + kwargs.len() <= most, "{line:?} gave {args} and {kwargs}");
                assert_forwarded(&args, &kwargs, line);
            }
            Ok(_) => {}
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn assert_forwarded(args: &str, kwargs: &str, typed: &str) {
    let frame = format!("{{\"args\": {args}, \"kwargs\": {kwargs}}}");
    if let Err(error) = Frame::parse(Bytes::from(frame)) {
        panic!("{typed:?} gave {args} and {kwargs}: {error}");
    }
}
