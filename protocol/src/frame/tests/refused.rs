//! What is salvaged of a line that is refused.

use bytes::Bytes;

use super::{
    super::{Broken, Decoder, FrameError, Limits, Line, SALVAGE_LIMIT, Salvage},
    WIDE, line,
};

fn salvage(text: impl AsRef<[u8]>, limits: Limits) -> Salvage {
    let text = text.as_ref();
    let Line::Broken(broken) = line(text, limits) else { panic!("{}", text.escape_ascii()) };
    broken.head
}

fn uid(text: impl AsRef<[u8]>) -> Option<Bytes> {
    salvage(text, WIDE).uid
}

const SEVEN: Option<Bytes> = Some(Bytes::from_static(b"7"));

/// A line that is all right has all of these, in this order, and something after each.
fn all(filler: &str) -> (String, Salvage) {
    let text = format!(
        r#"{{"service":"S", "a":{filler},"attribute": "A" ,"requester":"R[h:1]","b":{filler},"uid":[1, {{"c":" "}}],"error":true,"result":{filler}}}"#
    );
    let salvage = Salvage {
        service: Some(Bytes::from("\"S\"")),
        attribute: Some(Bytes::from("\"A\"")),
        requester: Some(Bytes::from("\"R[h:1]\"")),
        uid: Some(Bytes::from("[1, {\"c\":\" \"}]")),
    };
    (text, salvage)
}

#[test]
fn of_a_line_that_is_too_long_all_small_routing_members_are_found_wherever_it_is_cut() {
    for filler in ["null", r#""a\"}\\""#, r#"[{"uid":5},"]",[[]]]"#, "-1.5e7", r#""é""#] {
        let (text, expected) = all(filler);
        for frame in 0..text.len() {
            let limits = Limits { frame, skip: 1 << 20 };
            assert_eq!(salvage(&text, limits), expected, "{frame}");
        }
    }
}

#[test]
fn of_a_line_given_up_for_lack_of_memory_all_are_found() {
    let (text, expected) = all(r#""x\ny""#);
    for cut in 1..text.len() {
        let mut decoder = Decoder::new(WIDE);
        decoder.receive(Bytes::copy_from_slice(&text.as_bytes()[..cut]));
        assert_eq!(decoder.next_line(), None);
        decoder.skip_line();
        decoder.receive(Bytes::copy_from_slice(&text.as_bytes()[cut..]));
        decoder.receive(Bytes::from("\r\n"));
        let broken = Broken { error: FrameError::Memory, head: expected.clone() };
        assert_eq!(decoder.next_line(), Some(Line::Broken(broken)), "{cut}");
    }
}

#[test]
fn members_before_and_after_the_break_are_found() {
    let breaks = [
        "\"a\":tru",
        "\"a\":01",
        "\"a\":\"\\x\"",
        "\"a\" 1",
        "a:1",
        "\"a\":[1,}",
        "\"a\":[1}",
        "\"a\":{1}",
        "\"a\":\"\t\"",
        "\"a\"",
        "\"a\":",
        "1",
        "\"a\":1 2",
        "",
        "{}",
        "\"a\":1]",
        "]",
        ":",
        "::",
        "\"a\"::1",
        "\"a\":nul",
        "\"a\":-",
        "\"a\":\"\\u12\"",
        "\"a\" \"b\"",
    ];
    for broken in breaks {
        assert_eq!(uid(format!(r#"{{"uid":7,{broken},"b":1}}"#)), SEVEN, "{broken}");
        assert_eq!(uid(format!(r#"{{"b":1,{broken},"uid":7}}"#)), SEVEN, "{broken}");
        assert_eq!(uid(format!(r#"{{{broken},"uid" : 7 ,"b":2}}"#)), SEVEN, "{broken}");
    }
    for broken in [&b"\"a\":\"\xff\""[..], b"\"a\xc3\":1", b"\"a\":\"\xe6\xb8\"", b"\"\xff\\\"\":1", b"\xff"]
    {
        let text = [&b"{"[..], broken, b",\"uid\":7}"].concat();
        assert_eq!(uid(text), SEVEN, "{}", broken.escape_ascii());
    }
}

#[test]
fn a_break_after_a_missing_comma_costs_neither_neighbour() {
    let salvage = salvage(r#"{"service":"S" "uid":7}"#, WIDE);
    assert_eq!((salvage.service, salvage.uid), (Some(Bytes::from("\"S\"")), SEVEN));
}

#[test]
fn a_line_that_is_too_deep_still_tells_its_uid() {
    for depth in [600, 100_000] {
        let text = format!(r#"{{"a":{}{},"uid":7}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(uid(text), SEVEN);
        let text = format!(r#"{{"a":{}{},"uid":7}}"#, r#"{"b":"#.repeat(depth), "}".repeat(depth));
        assert_eq!(uid(text), SEVEN);
    }
    assert_eq!(uid(format!(r#"{{"a":{},"uid":7}}"#, "[".repeat(600))), None);
}

#[test]
fn a_line_cut_short_tells_what_was_complete() {
    assert_eq!(uid(r#"{"uid":7,"a":"#), SEVEN);
    assert_eq!(uid(r#"{"uid":"7""#), Some(Bytes::from("\"7\"")));
    assert_eq!(uid(r#"{"uid":7"#), None, "more digits may have been there");
    assert_eq!(uid(r#"{"uid":"7"#), None);
    assert_eq!(uid(r#"{"uid""#), None);
}

#[test]
fn names_with_escapes_are_understood() {
    assert_eq!(uid(r#"{"u\u0069d":7,!}"#), SEVEN);
    assert_eq!(uid(r#"{!,"u\u0069d":7}"#), SEVEN);
    assert_eq!(uid(r#"{!,"u\u006":7,"\"uid":8}"#), None);
}

#[test]
fn broken_or_unfitting_values_are_not_salvaged() {
    for value in ["01", "1 2", "\"\\x\"", "[1", "[}", "", "tru", "\"\u{1}\"", "{\"a\"}", "7]"] {
        assert_eq!(uid(format!(r#"{{"uid":{value},"b":1}}"#)), None, "{value}");
        assert_eq!(uid(format!(r#"{{!,"uid":{value},"b":1}}"#)), None, "{value}");
    }
    assert_eq!(uid(b"{!,\"uid\":\"\xff\"}"), None);
    for text in [r#"{"service":1,"requester":[],!}"#, r#"{!,"service":1,"requester":true}"#] {
        assert_eq!(salvage(text, WIDE), Salvage::default(), "{text}");
    }
}

#[test]
fn null_is_a_requester() {
    let salvage = salvage(r#"{!,"requester":null,"error":false,"result":null}"#, WIDE);
    assert_eq!(salvage, Salvage { requester: Some(Bytes::from("null")), ..Salvage::default() });
}

#[test]
fn a_carriage_return_at_the_limit_is_not_lost_from_a_value() {
    let text = "{\"uid\":\"a\rb\",\"a\":1}";
    let at = text.find('\r').unwrap();
    assert_eq!(salvage(text, Limits { frame: at, skip: 100 }).uid, None, "control characters are invalid");
}

#[test]
fn only_the_top_level_is_looked_at() {
    for text in [r#"{"a":{"uid":1},!}"#, r#"{!,"a":{"uid":1},"b":[{"uid":2}]}"#, r#"{!,"a":"\"uid\":3,"}"#] {
        assert_eq!(uid(text), None, "{text}");
    }
    assert_eq!(uid(r#"{!} ,"uid":7}"#), None, "after the object");
    assert_eq!(uid(r#"{"uid":7} x"#), SEVEN);
}

#[test]
fn of_several_the_first_counts() {
    assert_eq!(uid(r#"{"uid":7,"uid":8}"#), SEVEN);
    assert_eq!(uid(r#"{"uid":7,!,"uid":8}"#), SEVEN);
    assert_eq!(uid(r#"{!,"uid":7,"uid":8}"#), SEVEN);
}

#[test]
fn a_member_of_wrong_type_leaves_the_others_readable() {
    assert_eq!(uid(r#"{"args":1,"uid":7}"#), SEVEN);
}

#[test]
fn values_are_salvaged_up_to_their_limit_and_white_space_does_not_count() {
    let blank = " ".repeat(5000);
    for (len, found) in
        [(SALVAGE_LIMIT, true), (SALVAGE_LIMIT + 1, false), (SALVAGE_LIMIT + 2, false), (9999, false)]
    {
        let string = format!("\"{}\"", "x".repeat(len - 2));
        let array = format!("[1{}]", " ".repeat(len - 3));
        let number = "1".repeat(len);
        for value in [string, array, number] {
            let expected = found.then(|| Bytes::from(value.clone()));
            assert_eq!(uid(format!(r#"{{"uid":{blank}{value}{blank},!}}"#)), expected);
            assert_eq!(uid(format!(r#"{{!,"uid":{blank}{value}{blank}}}"#)), expected);
            let text = format!(r#"{{"uid":{blank}{value}{blank},"a":1}}"#);
            for frame in [0, 6, 4000, 5008, 5500, 7000] {
                assert_eq!(salvage(&text, Limits { frame, skip: 1 << 20 }).uid, expected);
            }
        }
    }
}

#[test]
fn salvaged_values_do_not_keep_the_line_alive() {
    let received = Bytes::from(format!("{{\"uid\":\"abc\",!{}}}\n", " ".repeat(50_000)));
    let mut decoder = Decoder::new(WIDE);
    decoder.receive(received.clone());
    let Some(Line::Broken(broken)) = decoder.next_line() else { panic!() };
    assert_eq!(broken.head.uid.unwrap(), "\"abc\"");
    assert!(received.is_unique());
}

#[test]
fn of_text_nothing_is_salvaged() {
    let limits = Limits { frame: 10, skip: 100 };
    assert_eq!(salvage(r#"text {"uid":7}"#, limits), Salvage::default());
    assert_eq!(salvage(r#"              text {"uid":7}"#, limits), Salvage::default());
}
