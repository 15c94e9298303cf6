//! How bytes become lines: ends, blanks, text, limits, memory.

use bytes::Bytes;

use super::{
    super::{Broken, Decoder, Frame, FrameError, Key, Limits, Line, TEXT_LIMIT},
    WIDE, line, lines, lines_of,
};

const SMALL: Limits = Limits { frame: 10, skip: 5 };

fn error(line: &Line) -> &FrameError {
    let Line::Broken(broken) = line else { panic!("{line:?}") };
    &broken.error
}

fn receive(decoder: &mut Decoder, bytes: &[u8]) -> Option<Line> {
    decoder.receive(Bytes::copy_from_slice(bytes));
    decoder.next_line()
}

#[test]
fn until_frames_are_expected_every_line_is_text_whatever_it_looks_like() {
    let mut decoder = Decoder::for_text(WIDE);
    decoder.receive(Bytes::from_static(b"{abc\r\n{}\n\n{}\n\n"));
    for text in ["{abc", "{}", ""] {
        assert_eq!(decoder.next_line(), Some(Line::Text(Bytes::from(text))));
    }
    decoder.expect_frames();
    assert_eq!(decoder.next_line(), Some(Line::Frame(Frame::parse("{}").unwrap())));
    assert_eq!(decoder.next_line(), Some(Line::Blank));
    assert_eq!(decoder.next_line(), None);
}

#[test]
fn a_line_ends_with_lf_or_with_cr_and_lf() {
    let lines = lines("{}\n{ }\r\nab\ncd\r\n\n\r\n \t \n e\r\r\n", WIDE);
    let text = |text: &'static str| Line::Text(Bytes::from(text));
    let frame = |text: &'static str| Line::Frame(Frame::parse(text).unwrap());
    let expected = [
        frame("{}"),
        frame("{ }"),
        text("ab"),
        text("cd"),
        Line::Blank,
        Line::Blank,
        Line::Blank,
        text(" e\r"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn bytes_are_queued_until_a_line_is_asked_for() {
    let mut decoder = Decoder::new(WIDE);
    decoder.receive(Bytes::new());
    decoder.receive(Bytes::from("{}\n{"));
    decoder.receive(Bytes::from("}\n{}"));
    assert_eq!((decoder.queued(), decoder.held()), (8, 0));
    assert!(matches!(decoder.next_line(), Some(Line::Frame(_))));
    assert_eq!(decoder.queued(), 5);
    assert!(matches!(decoder.next_line(), Some(Line::Frame(_))));
    assert_eq!(decoder.queued(), 2);
    assert_eq!(decoder.next_line(), None);
    assert_eq!(decoder.queued(), 0);
    assert!(decoder.held() >= 2);
    assert!(matches!(receive(&mut decoder, b"\n"), Some(Line::Frame(_))));
    assert_eq!((decoder.queued(), decoder.held()), (0, 0));
}

#[test]
fn what_does_not_begin_with_a_brace_is_text_of_any_bytes() {
    for text in
        [&b"identity"[..], b" [1, {]", b"12345", b"null", b"\xff\0\xfe", b"\"", b"\xef\xbb\xbf{}", b"\x0b{}"]
    {
        assert_eq!(line(text, WIDE), Line::Text(Bytes::copy_from_slice(text)));
    }
}

#[test]
fn a_line_in_one_piece_is_a_slice_of_it() {
    let received = Bytes::from(b"{}\r\n{ }\r\n".to_vec());
    let mut decoder = Decoder::new(WIDE);
    decoder.receive(received.clone());
    for start in [0, 4] {
        let Some(Line::Frame(frame)) = decoder.next_line() else { panic!() };
        assert_eq!(frame.rope().to_bytes().as_ptr(), received[start..].as_ptr());
    }
}

#[test]
fn a_line_may_be_as_long_as_the_limit_without_its_end() {
    for text in ["{        }", "0123456789", "          "] {
        for end in ["\n", "\r\n"] {
            let lines = lines(format!("{text}{end}"), SMALL);
            assert!(matches!(&lines[..], [Line::Frame(_) | Line::Text(_) | Line::Blank]), "{lines:?}");
            let lines = super::lines(format!("{text}-{end}{{}}\n"), SMALL);
            assert_eq!(error(&lines[0]), &FrameError::TooLong { limit: 10 });
            assert!(matches!(lines[1], Line::Frame(_)));
        }
        let lines = lines(format!("{text}\r\r\n"), SMALL);
        assert_eq!(error(&lines[0]), &FrameError::TooLong { limit: 10 });
    }
    assert_eq!(lines("\n\r\n", Limits { frame: 0, skip: 0 }), [Line::Blank, Line::Blank]);
}

#[test]
fn a_carriage_return_at_the_limit_is_no_part_of_the_line() {
    assert_eq!(lines("012345678\r\r\n", SMALL), [Line::Text(Bytes::from("012345678\r"))]);
}

#[test]
fn a_line_with_more_skipped_bytes_than_allowed_is_endless_and_the_last() {
    for start in ["{        }", "0123456789", "          ", "{\"a\" oh  "] {
        for end in ["\n", "\r\n"] {
            let broken = lines(format!("{start:10}.....{end}{{}}\n"), SMALL);
            assert!(matches!(broken[..], [Line::Broken(_), Line::Frame(_)]), "{broken:?}");
            assert_eq!(lines(format!("{start:10}......{end}{{}}\n"), SMALL), [Line::Endless]);
        }
    }
}

#[test]
fn an_endless_line_is_noticed_before_its_end_and_nothing_is_kept_afterwards() {
    let mut decoder = Decoder::new(Limits { frame: 2, skip: 0 });
    assert_eq!(receive(&mut decoder, b"{}"), None);
    assert_eq!(receive(&mut decoder, b"\r"), None);
    assert_eq!(receive(&mut decoder, b"x{}\n"), Some(Line::Endless));
    assert_eq!(receive(&mut decoder, b"{}\n"), None);
    assert_eq!((decoder.queued(), decoder.held()), (0, 0));
}

#[test]
fn a_line_that_is_broken_early_may_be_as_long_as_another() {
    let limits = Limits { frame: 10, skip: 0 };
    assert!(matches!(error(&line("{oh no   }", limits)), FrameError::Syntax { at: 1, .. }));
    assert_eq!(lines("{oh no    }\n", limits), [Line::Endless]);
}

#[test]
fn text_has_its_own_limit() {
    let limits = Limits { frame: 3 * TEXT_LIMIT, skip: 10 };
    let text = "x".repeat(TEXT_LIMIT);
    for (more, broken) in [("", false), ("\r", false), ("y", true), ("0123456789\r", true)] {
        let lines = lines_of(format!("{text}{more}\n").as_bytes(), &[usize::MAX, 65536], limits);
        match &lines[..] {
            [Line::Text(whole)] if !broken => assert_eq!(whole, &text),
            [line] if broken => assert_eq!(error(line), &FrameError::TooLong { limit: TEXT_LIMIT }),
            _ => panic!("{more}"),
        }
    }
    assert_eq!(lines_of(format!("{text}0123456789x").as_bytes(), &[65536], limits), [Line::Endless]);
    let object = format!("{{\"a\":\"{text}{text}\"}}\n");
    assert!(matches!(lines_of(object.as_bytes(), &[65536], limits)[..], [Line::Frame(_)]));
}

#[test]
fn limits_change_for_what_is_scanned_from_then_on() {
    let mut decoder = Decoder::new(SMALL);
    decoder.receive(Bytes::from("{         }\n{         }\n"));
    assert_eq!(error(&decoder.next_line().unwrap()), &FrameError::TooLong { limit: 10 });
    decoder.set_limits(WIDE);
    assert!(matches!(decoder.next_line(), Some(Line::Frame(_))));
    assert_eq!(receive(&mut decoder, b"{        "), None);
    decoder.set_limits(Limits { frame: 5, skip: 10 });
    assert_eq!(receive(&mut decoder, b" "), None);
    assert_eq!(error(&receive(&mut decoder, b"}\n").unwrap()), &FrameError::TooLong { limit: 5 });
}

#[test]
fn what_follows_a_carriage_return_at_the_limit_decides_even_if_the_limit_changes() {
    for (next, whole) in [("\n", true), ("}\n", false)] {
        let mut decoder = Decoder::new(Limits { frame: 2, skip: 100 });
        assert_eq!(receive(&mut decoder, b"{}\r"), None);
        decoder.set_limits(WIDE);
        let line = receive(&mut decoder, next.as_bytes()).unwrap();
        assert_eq!(matches!(line, Line::Frame(_)), whole);
        assert_eq!(matches!(line, Line::Broken(Broken { error: FrameError::TooLong { .. }, .. })), !whole);
    }
}

#[test]
fn a_long_line_is_held_in_slices_and_without_its_read_buffers() {
    let mut decoder = Decoder::new(WIDE);
    receive(&mut decoder, b"{\"result\":\"");
    for piece in [1, 10, 1000, 10_000, 65_536] {
        let buffer = Bytes::from(vec![b'x'; 65_536]);
        for _ in 0..(1 << 18) / piece {
            decoder.receive(buffer.slice(..piece));
            assert_eq!(decoder.next_line(), None);
        }
        assert_eq!(buffer.is_unique(), piece < 16 * 1024);
    }
    assert!(decoder.held() < 5 * (1 << 18) * 11 / 10, "{}", decoder.held());
    let Some(Line::Frame(frame)) = receive(&mut decoder, b"\",\"uid\":7}\n") else { panic!() };
    assert!(frame.rope().chunks().count() < 5 * 16 + 10);
    assert_eq!(frame.raw(Key::Uid).unwrap(), "7");
    assert_eq!(decoder.held(), 0);
}

#[test]
fn small_pieces_that_wait_are_put_together_and_keep_no_buffer() {
    let buffer = Bytes::from(format!("{{\"uid\":\"{}\"}}\n{{}}\n", "x".repeat(10_000)).into_bytes());
    let mut decoder = Decoder::new(WIDE);
    // The first one waits alone, as it came; in the middle there is a large one.
    decoder.receive(Bytes::copy_from_slice(&buffer[..1]));
    for at in 1..1000 {
        decoder.receive(buffer.slice(at..=at));
    }
    assert!(buffer.is_unique());
    decoder.receive(buffer.slice(1000..8000));
    assert!(!buffer.is_unique());
    for at in 8000..buffer.len() {
        decoder.receive(buffer.slice(at..=at));
    }
    assert_eq!(decoder.queued(), buffer.len());
    let Some(Line::Frame(frame)) = decoder.next_line() else { panic!() };
    assert_eq!(frame.rope().to_bytes(), buffer[..frame.len()]);
    assert!(frame.rope().chunks().count() <= 4, "{}", frame.rope().chunks().count());
    assert_eq!(decoder.next_line(), Some(Line::Frame(Frame::parse("{}").unwrap())));
    assert_eq!((decoder.queued(), decoder.held()), (0, 0));
}

#[test]
fn a_skipped_line_frees_its_memory_and_is_answered_at_its_end() {
    let mut decoder = Decoder::new(WIDE);
    decoder.skip_line(); // there is none: nothing happens
    assert!(matches!(receive(&mut decoder, b"{}\n"), Some(Line::Frame(_))));
    for start in ["{\"uid\":1,\"a\":\"", "text"] {
        receive(&mut decoder, start.as_bytes());
        assert!(decoder.held() > 0);
        decoder.skip_line();
        decoder.skip_line();
        assert_eq!(decoder.held(), 0);
        assert_eq!(receive(&mut decoder, b"more"), None);
        assert_eq!(decoder.held(), 0);
        let line = receive(&mut decoder, b"\"}\n").unwrap();
        assert_eq!(error(&line), &FrameError::Memory);
        assert!(matches!(receive(&mut decoder, b"{}\n"), Some(Line::Frame(_))));
    }
}

#[test]
fn nothing_is_held_of_a_refused_line() {
    let mut decoder = Decoder::new(WIDE);
    receive(&mut decoder, b"{\"uid\":1, oh");
    assert_eq!(decoder.held(), 0);
    receive(&mut decoder, &b"no".repeat(100_000));
    assert_eq!(decoder.held(), 0);
    assert!(matches!(receive(&mut decoder, b"\n"), Some(Line::Broken(_))));
}

#[test]
fn a_decoder_can_go_to_another_thread() {
    fn is_send<T: Send + Sync>() {}
    is_send::<Decoder>();
    is_send::<Line>();
}
