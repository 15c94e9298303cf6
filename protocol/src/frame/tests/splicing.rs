//! What splicing changes, and what not.

use bytes::Bytes;

use super::super::{COPY_LIMIT, Frame, Key, Rope};

const DEFAULTS: &[(Key, &str)] = &[(Key::Args, "[]"), (Key::Kwargs, "{}"), (Key::Error, "false")];

fn splice(text: &str, requester: Option<&str>, defaults: &[(Key, &'static str)]) -> String {
    let frame = Frame::parse(text.to_owned()).unwrap();
    let line = frame.splice(requester.map(str::as_bytes), defaults).to_bytes();
    Frame::parse(line.clone()).unwrap();
    let line = String::from_utf8(line.to_vec()).unwrap();
    line.strip_suffix("\r\n").expect("a line that is sent ends with CR LF").to_owned()
}

#[test]
fn a_requester_is_replaced_where_it_is() {
    let spliced = splice(r#" {"a":1.10, "requester" : null , "uid":7} "#, Some(r#""Ann[h:1]""#), &[]);
    assert_eq!(spliced, r#" {"a":1.10, "requester" : "Ann[h:1]" , "uid":7} "#);
}

#[test]
fn a_requester_that_is_missing_comes_before_the_closing_brace() {
    assert_eq!(splice(r#"{"uid":{} }  "#, Some(r#""A""#), &[]), r#"{"uid":{} ,"requester":"A"}  "#);
    assert_eq!(splice("{ }", Some(r#""A""#), &[]), r#"{ "requester":"A"}"#);
}

#[test]
fn only_members_that_are_missing_are_added() {
    assert_eq!(
        splice(r#"{"args":[1],"x":2}"#, Some(r#""A""#), DEFAULTS),
        r#"{"args":[1],"x":2,"requester":"A","kwargs":{},"error":false}"#
    );
    assert_eq!(splice("{}", None, DEFAULTS), r#"{"args":[],"kwargs":{},"error":false}"#);
    let whole = r#"{"args":[],"kwargs":{},"error":true}"#;
    assert_eq!(splice(whole, None, DEFAULTS), whole);
}

#[test]
fn a_requester_that_is_given_comes_before_its_default() {
    let defaults = &[(Key::Requester, "null"), (Key::Uid, "\"\""), (Key::Uid, "1")];
    assert_eq!(splice("{}", Some(r#""A""#), defaults), r#"{"requester":"A","uid":""}"#);
    assert_eq!(splice("{}", None, defaults), r#"{"requester":null,"uid":""}"#);
}

#[test]
fn a_requester_stays_when_none_is_given() {
    let text = r#"{"requester":"B"}"#;
    assert_eq!(splice(text, None, &[]), text);
}

#[test]
fn a_small_frame_is_one_new_allocation() {
    let text = Bytes::from(br#"{"requester":"B"}"#.to_vec());
    let frame = Frame::parse(text.clone()).unwrap();
    let spliced = frame.splice(None, &[]);
    drop(frame);
    assert!(text.is_unique());
    assert_eq!(spliced.chunks().count(), 1);
}

#[test]
fn a_large_frame_is_not_copied() {
    let body = "x".repeat(COPY_LIMIT);
    let text = Bytes::from(format!(r#"{{"a":"{body}","requester":null,"b":"{body}"}}"#));
    let spliced = Frame::parse(text.clone()).unwrap().splice(Some(b"\"Ann\""), DEFAULTS);
    let chunks: Vec<&Bytes> = spliced.chunks().collect();
    assert_eq!(chunks.len(), 6);
    assert_eq!(chunks[0].as_ptr(), text.as_ptr());
    assert_eq!(chunks[1], "\"Ann\"");
    assert_eq!(chunks[2].as_ptr(), text[chunks[0].len() + 4..].as_ptr());
    let expected =
        format!(r#"{{"a":"{body}","requester":"Ann","b":"{body}","args":[],"kwargs":{{}},"error":false}}"#);
    assert_eq!(spliced, Rope::from((expected + "\r\n").into_bytes()));
}
