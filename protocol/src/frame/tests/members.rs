//! What a frame's head says of its members.

use bytes::Bytes;

use super::{
    super::{COPIED, Frame, FrameError, Items, Key, Kind, Line, Room},
    WIDE, line,
};

fn frame(text: &str) -> Frame {
    let Line::Frame(frame) = line(text, WIDE) else { panic!("{text}") };
    frame
}

fn error(text: &str) -> FrameError {
    let Line::Broken(broken) = line(text, WIDE) else { panic!("{text}") };
    broken.error
}

#[test]
fn values_are_found_as_they_are_written() {
    let frame = frame(
        r#" {"uid" : -0 ,"service":"\u0041", "attribute":"add","args": [1, "2"],"kwargs":{"a": {}},"result":NaN}"#,
    );
    for (key, kind, raw) in [
        (Key::Uid, Kind::Number, "-0"),
        (Key::Service, Kind::String, r#""\u0041""#),
        (Key::Attribute, Kind::String, r#""add""#),
        (Key::Args, Kind::Array, r#"[1, "2"]"#),
        (Key::Kwargs, Kind::Object, r#"{"a": {}}"#),
        (Key::Result, Kind::Number, "NaN"),
    ] {
        assert_eq!(frame.member(key).unwrap().kind, kind);
        assert_eq!(frame.raw(key).unwrap(), raw);
        assert_eq!(&*frame.value(key).unwrap(), raw.as_bytes());
    }
    for key in [Key::Requester, Key::Error, Key::Message, Key::Traceback] {
        assert_eq!(frame.member(key), None);
        assert_eq!(frame.raw(key), None);
    }
}

#[test]
fn names_may_be_written_with_escapes() {
    let frame = frame(r#"{"u\u0069d":1,"\u0073ervice":"a","uid\n":2,"\u0175id":3,"result":4,"resu\/lt":5}"#);
    assert_eq!(frame.raw(Key::Uid).unwrap(), "1");
    assert_eq!(frame.raw(Key::Service).unwrap(), "\"a\"");
    assert_eq!(frame.raw(Key::Result).unwrap(), "4");
    assert_eq!(error(r#"{"u\u0069d":1,"uid":2}"#), FrameError::Duplicate(Key::Uid));
}

#[test]
fn only_members_of_the_top_level_count() {
    let frame = frame(r#"{"a":{"uid":1},"b":[{"uid":2,"service":5}],"uid":3,"c":{"uid":4}}"#);
    assert_eq!(frame.raw(Key::Uid).unwrap(), "3");
    assert_eq!(frame.member(Key::Service), None);
}

#[test]
fn routing_members_are_there_once() {
    for (name, value) in [
        ("service", "\"\""),
        ("attribute", "\"\""),
        ("requester", "null"),
        ("uid", "1"),
        ("error", "true"),
        ("result", "1"),
    ] {
        let key = Key::ALL.into_iter().find(|key| key.name() == name).unwrap();
        assert_eq!(
            error(&format!(r#"{{"{name}":{value},"a":1,"{name}":{value}}}"#)),
            FrameError::Duplicate(key)
        );
    }
}

#[test]
fn of_other_members_the_last_counts() {
    let frame = frame(
        r#"{"args":[1],"kwargs":{"a":1},"message":"a","traceback":["a"],"args":[],"kwargs":{},"message":"","traceback":[]}"#,
    );
    for (key, raw) in [(Key::Args, "[]"), (Key::Kwargs, "{}"), (Key::Message, "\"\""), (Key::Traceback, "[]")]
    {
        assert_eq!(frame.raw(key).unwrap(), raw);
    }
}

#[test]
fn members_have_their_type() {
    let values = ["null", "true", "1", "\"a\"", "[]", "[\"a\"]", "[1]", "[\"a\",[\"b\"]]", "{}", "NaN"];
    for (key, fitting) in [
        (Key::Service, &["\"a\""][..]),
        (Key::Attribute, &["\"a\""]),
        (Key::Message, &["\"a\""]),
        (Key::Requester, &["\"a\"", "null"]),
        (Key::Error, &["true"]),
        (Key::Args, &["[]", "[\"a\"]", "[1]", "[\"a\",[\"b\"]]"]),
        (Key::Kwargs, &["{}"]),
        (Key::Traceback, &["[]", "[\"a\"]"]),
        (Key::Uid, &values),
        (Key::Result, &values),
    ] {
        for value in values {
            let text = format!(r#"{{"{}":{value}}}"#, key.name());
            if fitting.contains(&value) {
                assert_eq!(frame(&text).raw(key).unwrap(), value);
            } else {
                assert!(
                    matches!(error(&text), FrameError::WrongType { key: wrong, .. } if wrong == key),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn what_is_no_json_is_said_before_what_is_wrong_with_members() {
    assert!(matches!(error(r#"{"error":1,"uid":1,"uid":2"#), FrameError::Syntax { .. }));
    assert!(matches!(error(r#"{"error":1,"uid":1,"uid":2}"#), FrameError::WrongType { key: Key::Error, .. }));
}

#[test]
fn the_elements_of_arrays_are_seen() {
    let items = |value: &str| frame(&format!(r#"{{"result":{value}}}"#)).member(Key::Result).unwrap().items;
    let none = Items { count: 0, first: None, second: None, all_strings: true };
    for value in ["[]", "1", "{}", r#"{"a":[1,2]}"#, "null"] {
        assert_eq!(items(value), none, "{value}");
    }
    assert_eq!(
        items("[[1,2,3],{\"a\":[4]}]"),
        Items { count: 2, first: Some(Kind::Array), second: Some(Kind::Object), all_strings: false }
    );
    assert_eq!(
        items("[\"a\", \"b\", \"[\"]"),
        Items { count: 3, first: Some(Kind::String), second: Some(Kind::String), all_strings: true }
    );
    assert_eq!(items("[\"a\", null, \"b\"]").second, Some(Kind::Null));
    assert!(!items("[\"a\", null, \"b\"]").all_strings);
    assert_eq!(items("[-Infinity]").first, Some(Kind::Number));
    assert_eq!(items("[true,false]").second, Some(Kind::Bool(false)));
}

#[test]
fn the_count_of_elements_stops_at_255() {
    for element in ["0", "-1.5e3", "\"a\"", "[1]"] {
        for (written, counted) in [(254, 254), (255, 255), (256, 255), (258, 255), (1000, 255)] {
            let elements = vec![element; written].join(", ");
            let frame = frame(&format!(r#"{{"result": [{elements}]}}"#));
            assert_eq!(frame.member(Key::Result).unwrap().items.count, counted, "{written} of {element}");
        }
    }
}

#[test]
fn a_value_in_one_chunk_is_not_copied() {
    let text = bytes::Bytes::from(br#"{"uid":"abc"}"#.to_vec());
    let frame = Frame::parse(text.clone()).unwrap();
    assert_eq!(frame.raw(Key::Uid).unwrap().as_ptr(), text[7..].as_ptr());
}

#[test]
fn lines_of_devices_in_use_are_accepted() {
    for text in [
        r#"{"args": ["Echo"], "attribute": "link", "error": false, "kwargs": {}, "service": "Manager", "uid": "44d2"}"#,
        r#"{"error": false, "requester": null, "result": {"type": "client", "name": "Ann"}, "uid": ""}"#,
        r#"{"result": [[1], {}], "service": "Heartbeat", "uid": "notification", "error": false}"#,
        r#"{"error": true, "message": "ValueError: no", "traceback": ["a", "b"], "result": null, "requester": "Ann[h:1]", "uid": "1"}"#,
        r#"{"service": "self", "attribute": "__disconnect__"}"#,
    ] {
        frame(text);
    }
}

#[test]
fn what_is_kept_does_not_hold_a_buffer_for_little_and_is_not_copied_for_much() {
    let long = format!("[\"{}\"]", "x".repeat(COPIED));
    let frame = frame(&format!("{{\"args\": {long}, \"kwargs\": {{}}, \"uid\": 1}}"));
    let place = |bytes: Bytes| bytes.as_ptr();
    let room = &mut Room::default();

    assert_eq!(frame.kept(Key::Args, room).map(place), frame.raw(Key::Args).map(place));
    assert_eq!(frame.kept(Key::Uid, room).unwrap(), "1");
    assert_ne!(frame.kept(Key::Uid, room).map(place), frame.raw(Key::Uid).map(place));
    assert_eq!(frame.kept(Key::Kwargs, room).unwrap(), "{}");
    assert_eq!(frame.kept(Key::Result, room), None);
}
