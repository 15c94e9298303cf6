//! Which lines are JSON objects.

use super::{
    super::{Frame, FrameError, Line, MAX_DEPTH},
    WIDE, line,
};

fn error(text: impl AsRef<[u8]>) -> FrameError {
    let text = text.as_ref();
    let Line::Broken(broken) = line(text, WIDE) else { panic!("{}", text.escape_ascii()) };
    assert_eq!(Frame::parse(text.to_vec()), Err(broken.error), "{}", text.escape_ascii());
    broken.error
}

fn accept(text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    let Line::Frame(frame) = line(text, WIDE) else { panic!("{}", text.escape_ascii()) };
    assert_eq!(frame.rope().to_bytes(), text);
    assert_eq!(Frame::parse(text.to_vec()), Ok(frame));
}

fn refuse_at(text: impl AsRef<[u8]>, place: usize) {
    let text = text.as_ref();
    let (FrameError::Syntax { at, .. } | FrameError::Utf8 { at }) = error(text) else { panic!() };
    assert_eq!(at, place, "{}", text.escape_ascii());
}

#[test]
fn objects_with_any_values_are_accepted() {
    for text in [
        "{}",
        " \t{ \t} \t",
        r#"{"":""}"#,
        r#"{"a":null,"b":true,"c":false,"d":"","e":[],"f":{},"g":0}"#,
        r#"{"a" : [ 1 , [ ] , { "b" : [ { } ] } ] , "a" : 2 }"#,
    ] {
        accept(text);
    }
}

#[test]
fn numbers_follow_the_grammar() {
    for number in [
        "0",
        "-0",
        "7",
        "-12",
        "1.10",
        "0.0",
        "1E5",
        "1e+5",
        "1e-05",
        "-0.5e0",
        "1e400",
        "12345678901234567890123",
        "NaN",
        "Infinity",
        "-Infinity",
    ] {
        accept(format!(r#"{{"a":{number}}}"#));
        accept(format!(r#"{{"a":[{number} ,{number}]}}"#));
    }
    for (number, wrong) in [
        ("-", 1),
        ("01", 1),
        ("-01", 2),
        ("+1", 0),
        (".5", 0),
        ("1.", 2),
        ("1.e5", 2),
        ("1e", 2),
        ("1e+", 3),
        ("1e5.0", 3),
        ("0x10", 1),
        ("1_0", 1),
        ("--1", 1),
        ("-NaN", 1),
        ("nan", 1),
        ("Nan", 2),
        ("infinity", 0),
        ("Inf", 3),
        ("-Inf", 4),
        ("Infinityy", 8),
        ("1 2", 2),
    ] {
        refuse_at(format!(r#"{{"a":{number}}}"#), 5 + wrong);
    }
}

#[test]
fn words_are_whole_and_lower_case() {
    for (word, wrong) in [("True", 0), ("tru", 3), ("truee", 4), ("nul", 3), ("falsy", 4), ("None", 1)] {
        refuse_at(format!(r#"{{"a":{word}}}"#), 5 + wrong);
    }
}

#[test]
fn brackets_commas_and_colons_are_where_they_belong() {
    for (text, wrong) in [
        (r#"{"a":1"#, 6),
        (r#"{"a":[}"#, 6),
        (r#"{"a":[1}"#, 7),
        (r#"{"a":{]"#, 6),
        (r#"{"a":{"b":1]"#, 11),
        (r#"{"a":1]"#, 6),
        ("{]", 1),
        (r#"{"a":1,}"#, 7),
        (r#"{"a":[1,]}"#, 8),
        (r#"{"a":[,1]}"#, 6),
        ("{,}", 1),
        (r#"{"a" 1}"#, 5),
        (r#"{"a"}"#, 4),
        (r#"{"a":}"#, 5),
        (r#"{"a"::1}"#, 5),
        (r#"{"a":1 "b":2}"#, 7),
        (r"{a:1}", 1),
        (r"{1:1}", 1),
        (r"{'a':1}", 1),
        (r#"{"a":[1 2]}"#, 8),
        (r#"{"a":["b":1]}"#, 9),
        ("{", 1),
    ] {
        refuse_at(text, wrong);
    }
}

#[test]
fn nothing_but_white_space_follows_the_object() {
    accept("{} \t\r ");
    for text in ["{}{}", "{}}", "{}x", "{},", "{}\u{b}", "{}\u{a0}"] {
        refuse_at(text, 2);
    }
}

#[test]
fn only_the_white_space_of_json_counts() {
    accept("{\r\t \"a\"\r:\t1\r}");
    for blank in ['\u{b}', '\u{c}', '\0', '\u{a0}', '\u{feff}'] {
        refuse_at(format!("{{{blank}}}"), 1);
    }
}

#[test]
fn escapes_are_checked() {
    for escape in [r"\n\r\t\b\f\/\\", r#"\""#, r"\u0000", r"\uABcd", r"\ud800", r"\udc00\ud800x"] {
        accept(format!(r#"{{"a":"{escape}","{escape}":[0]}}"#));
    }
    for (escape, wrong) in
        [(r"\a", 1), (r"\x41", 1), (r"\u12", 4), (r"\u12G4", 4), (r"\U1234", 1), (r"\u+123", 2), (r"\'", 1)]
    {
        refuse_at(format!(r#"{{"a":"{escape}"}}"#), 6 + wrong);
    }
}

#[test]
fn control_characters_in_strings_are_refused() {
    for control in (0..0x20).filter(|&control| control != b'\n') {
        for before in [0, 1, 31, 32, 40] {
            let text = [&b"{\"a\":\""[..], &b"x".repeat(before), &[control], b"y\"}"].concat();
            refuse_at(text, 6 + before);
        }
    }
    accept("{\"a\":\"\u{7f}\"}");
}

#[test]
fn a_line_end_ends_the_line_even_in_a_string() {
    refuse_at(r#"{"a":"b"#, 7);
    refuse_at(r#"{"a":"b\"#, 8);
}

#[test]
fn strings_are_utf8() {
    for character in
        ["\u{80}", "é", "\u{7ff}", "\u{800}", "測", "\u{d7ff}", "\u{e000}", "\u{ffff}", "😀", "\u{10ffff}"]
    {
        accept(format!(r#"{{"a":"x{character}","{character}y":"{}"}}"#, character.repeat(40)));
    }
    let invalid: [&[u8]; 13] = [
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xc3",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xe6\xb8",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf0\x9f\x98",
        b"\xff",
    ];
    for bytes in invalid {
        for before in [0, 1, 30, 50] {
            let text = [&b"{\"a\":\""[..], &b"x".repeat(before), bytes, b"\"}"].concat();
            assert_eq!(error(text), FrameError::Utf8 { at: 6 + before }, "{}", bytes.escape_ascii());
            let text = ["{\"a\":\"".as_bytes(), "é".repeat(before).as_bytes(), bytes, b"y\"}"].concat();
            assert_eq!(error(text), FrameError::Utf8 { at: 6 + 2 * before }, "{}", bytes.escape_ascii());
        }
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |open: &str, close: &str, inner: usize| {
        format!(r#"{{"a":{}0{}}}"#, open.repeat(inner), close.repeat(inner))
    };
    for (open, close) in [("[", "]"), (r#"{"b":"#, "}")] {
        accept(nested(open, close, MAX_DEPTH - 1));
        let at = 5 + (MAX_DEPTH - 1) * open.len();
        for inner in [MAX_DEPTH, MAX_DEPTH + 1, 20_000] {
            assert_eq!(error(nested(open, close, inner)), FrameError::TooDeep { at });
        }
    }
}

#[test]
fn deep_and_flat_parts_may_alternate() {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH - 2), "]".repeat(MAX_DEPTH - 2));
    accept(format!(r#"{{"a":[{}]}}"#, [deep.as_str(); 5].join(",")));
}

#[test]
fn a_whole_line_is_parsed_with_its_end_or_without() {
    for (text, len) in [("{}", 2), ("{}\n", 2), ("{}\r\n", 2), ("{}\r\r\n", 3), ("{}\r", 3)] {
        assert_eq!(Frame::parse(text).unwrap().len(), len, "{text:?}");
    }
    for (text, at) in
        [("", 0), ("\n", 0), (" x", 1), ("{}\n\n", 2), ("{}\n{}", 2), ("{\n}", 1), ("[]", 0), ("\n{}", 0)]
    {
        assert!(
            matches!(Frame::parse(text), Err(FrameError::Syntax { at: wrong, .. }) if wrong == at),
            "{text:?}"
        );
    }
}

#[test]
fn errors_say_in_plain_words_what_is_wrong() {
    for (text, message) in [
        ("{\"a\" 1}", "the line is not a valid JSON object: expected `:` at byte 5"),
        ("{\"uid\":1,\"uid\":1}", "the member 'uid' is there more than once"),
        ("{\"error\":0}", "the member 'error' must be true or false"),
    ] {
        assert_eq!(error(text).to_string(), message);
    }
}
