use super::*;
use alloc::format;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The arguments of `Adder add` followed by `typed`.
fn arguments(typed: &str) -> (String, String) {
    match read(&format!("Adder add {typed}")) {
        Ok(Typed::Request { service, attribute, args, kwargs }) => {
            assert_eq!((service.as_str(), attribute.as_str()), ("Adder", "add"), "{typed}");
            (args, kwargs)
        }
        other => panic!("{typed}: {other:?}"),
    }
}

/// The one argument that `typed` is.
fn argument(typed: &str) -> String {
    let (args, kwargs) = arguments(typed);
    assert_eq!(kwargs, "{}", "{typed}");
    args[1..args.len() - 1].to_string()
}

fn request(service: &str, attribute: &str) -> Typed {
    let (service, attribute) = (service.to_string(), attribute.to_string());
    Typed::Request { service, attribute, args: "[]".to_string(), kwargs: "{}".to_string() }
}

#[test]
fn identity_and_disconnect_stand_alone_in_any_case() {
    for line in ["identity", "IDENTITY", "  Identity\r\n"] {
        assert_eq!(read(line), Ok(Typed::Identity), "{line:?}");
    }
    for line in ["disconnect", "exit", "__disconnect__", "Exit", "DISCONNECT ", "__DISCONNECT__"] {
        assert_eq!(read(line), Ok(Typed::Disconnect), "{line:?}");
    }
}

#[test]
fn a_client_may_have_a_name() {
    for (line, name) in [
        ("client", "Client"),
        ("CLIENT  ", "Client"),
        ("client \"\"", "Client"),
        ("client My Name", "My Name"),
        ("Client  My\t  Name ", "My Name"),
        ("client \"My Name\"", "My Name"),
        ("client\"My Name\"", "My Name"),
        ("client 'My Name'", "My Name"),
        ("client \"Me\" and \"Myself\"", "Me and Myself"),
        ("client Bob's laptop", "Bob's laptop"),
        ("client '", "'"),
    ] {
        assert_eq!(read(line), Ok(Typed::Client { name: name.to_string() }), "{line}");
    }
}

#[test]
fn a_link_names_its_service() {
    for (line, service) in [
        ("link Adder", "Adder"),
        ("LINK   Adder ", "Adder"),
        ("link \"String Editor\"", "String Editor"),
        ("link 'String Editor'", "String Editor"),
        ("link String Editor", "String Editor"),
        ("link Bob's", "Bob's"),
    ] {
        assert_eq!(read(line), Ok(Typed::Link { service: service.to_string() }), "{line}");
    }
    for line in ["link", "link ", "link \"\"", "link ' '"] {
        assert_eq!(read(line), Err(NotUnderstood::LinkToWhat), "{line}");
    }
}

#[test]
fn the_words_are_whole() {
    for (line, service, attribute) in [
        ("linker add", "linker", "add"),
        ("clientele add", "clientele", "add"),
        ("identity card", "identity", "card"),
        ("exit now", "exit", "now"),
        ("disconnected now", "disconnected", "now"),
        ("\"link\" Adder", "link", "Adder"),
        ("'client' add", "client", "add"),
    ] {
        assert_eq!(read(line), Ok(request(service, attribute)), "{line}");
    }
}

#[test]
fn a_request_names_service_and_attribute() {
    for (line, service, attribute) in [
        ("Adder pi", "Adder", "pi"),
        ("  Adder\t pi \r\n", "Adder", "pi"),
        ("Manager users_table.usernames", "Manager", "users_table.usernames"),
        ("\"String Editor\" concat", "String Editor", "concat"),
        ("'String Editor' 'two words'", "String Editor", "two words"),
        ("Adder \"two words\"", "Adder", "two words"),
        ("\"Bob's box\" pi", "Bob's box", "pi"),
        ("'the \"box\"' pi", "the \"box\"", "pi"),
        ("Bob's pi", "Bob's", "pi"),
        ("\"C:\\new\" pi", "C:\\new", "pi"),
        ("Prüfstand größe", "Prüfstand", "größe"),
    ] {
        assert_eq!(read(line), Ok(request(service, attribute)), "{line}");
    }
}

#[test]
fn what_fits_no_form_is_not_understood() {
    for (line, why) in [
        ("", NotUnderstood::Blank),
        (" \r\n", NotUnderstood::Blank),
        ("nonsense", NotUnderstood::NoAttribute),
        ("\"String Editor\"", NotUnderstood::NoAttribute),
        ("\"String Editor concat", NotUnderstood::BadQuote),
        ("'Bob's box' pi", NotUnderstood::BadQuote),
        ("Adder 'add", NotUnderstood::BadQuote),
        ("Adder \"add\"1", NotUnderstood::BadQuote),
        ("'", NotUnderstood::BadQuote),
        ("\"\" add", NotUnderstood::EmptyName),
        ("Adder ' '", NotUnderstood::EmptyName),
        ("Adder add x=1 y=2 x=1", NotUnderstood::RepeatedKeyword("x".to_string())),
    ] {
        assert_eq!(read(line), Err(why), "{line}");
    }
}

#[test]
fn a_message_says_what_to_type_and_shows_no_control_characters() {
    for why in [
        NotUnderstood::Blank,
        NotUnderstood::LinkToWhat,
        NotUnderstood::NoAttribute,
        NotUnderstood::BadQuote,
        NotUnderstood::EmptyName,
        NotUnderstood::RepeatedKeyword("x".to_string()),
        NotUnderstood::TooDeep,
    ] {
        let message = why.to_string();
        assert!(message.contains("type") && !message.contains(char::is_control), "{message}");
    }
}

#[test]
fn arguments_are_separated_by_blanks() {
    for (typed, args, kwargs) in [
        ("", "[]", "{}"),
        ("4 10", "[4, 10]", "{}"),
        ("4\t  10 ", "[4, 10]", "{}"),
        ("x=4 y=10", "[]", r#"{"x": 4, "y": 10}"#),
        ("x=1 2", "[2]", r#"{"x": 1}"#),
        ("1 x=2 3 y=4 5", "[1, 3, 5]", r#"{"x": 2, "y": 4}"#),
        ("x = 1 y= 2 z =3", "[]", r#"{"x": 1, "y": 2, "z": 3}"#),
        ("1 true y=\"two words\" z=[1,2,3]", "[1, true]", r#"{"y": "two words", "z": [1, 2, 3]}"#),
        ("'single quoted' none -0x10 (1,2)", r#"["single quoted", null, -16, [1, 2]]"#, "{}"),
        ("x={'a': (1, 2)} y=''", "[]", r#"{"x": {"a": [1, 2]}, "y": ""}"#),
        ("größe=1 _x2=2", "[]", r#"{"größe": 1, "_x2": 2}"#),
        ("x=y=z", "[]", r#"{"x": "y=z"}"#),
    ] {
        assert_eq!(arguments(typed), (args.to_string(), kwargs.to_string()), "{typed}");
    }
}

#[test]
fn an_equals_sign_without_a_keyword_and_a_value_is_text() {
    for typed in ["a==b", "QUJD==", "x=", "=x", "=", "5=x", "a-b=c", "http://a/?b=c", "a<=b"] {
        assert_eq!(argument(typed), format!("\"{typed}\""));
    }
    assert_eq!(argument("\"a=b\""), "\"a=b\"");
    assert_eq!(arguments("a >= 5"), (r#"["a", ">=", 5]"#.to_string(), "{}".to_string()));
}

#[test]
fn words_that_are_values() {
    for (typed, json) in [
        ("true", "true"),
        ("TRUE", "true"),
        ("False", "false"),
        ("none", "null"),
        ("None", "null"),
        ("Null", "null"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1.10", "1.10"),
        ("0x1F", "31"),
    ] {
        assert_eq!(argument(typed), json);
    }
}

#[test]
fn other_words_are_text_as_typed() {
    for typed in [
        "nan",
        "inf",
        "-inf",
        "infinity",
        "+Infinity",
        "-NaN",
        "truely",
        "n.bohr",
        "it's",
        "5\"",
        "10.0.0.1",
        "12:30",
        "2024-01-01",
        "007",
        "1-2",
        "5V",
        "C:\\new",
        "a,b",
        "1,a",
        ",",
        ",1",
        "1,,2",
        "[a,b]",
        "[1",
        "]",
        "(",
        "()x",
        "{",
        "{a:1}",
        "{1,2}",
        "{'a'}",
        "{[1]:2}",
        "[1]]",
        "[,]",
        "(,)",
        "{,}",
        "\"a\"b",
        "'a'\"b\"",
        "\"a",
        "'",
        "\u{1b}x",
        "𝟝",
    ] {
        let expected = crate::json::quote(typed);
        assert_eq!(argument(typed), expected);
    }
}

#[test]
fn what_begins_as_a_literal_and_fails_ends_at_the_next_blank() {
    assert_eq!(arguments("[1, x] 2").0, r#"["[1,", "x]", 2]"#);
    assert_eq!(arguments("\"a 2").0, r#"["\"a", 2]"#);
}

#[test]
fn lists_tuples_and_objects() {
    for (typed, json) in [
        ("[]", "[]"),
        ("[ ]", "[]"),
        ("[1, 2, 3]", "[1, 2, 3]"),
        ("[ 1 ,2,\t3 , ]", "[1, 2, 3]"),
        ("()", "[]"),
        ("( )", "[]"),
        ("(1)", "1"),
        ("( 'a' )", "\"a\""),
        ("(1,)", "[1]"),
        ("(1, 2)", "[1, 2]"),
        ("((1, 2), (3,),)", "[[1, 2], [3]]"),
        ("1,2", "[1, 2]"),
        ("1,", "[1]"),
        ("'a',\"b\",[1, 2]", r#"["a", "b", [1, 2]]"#),
        ("{}", "{}"),
        ("{\"a\": 1, 'b' : [true, None], }", r#"{"a": 1, "b": [true, null]}"#),
        ("{'a': {'b': (1, {})}}", r#"{"a": {"b": [1, {}]}}"#),
        ("[NaN, -Infinity, 0b11, .5, 1_0]", "[NaN, -Infinity, 3, 0.5, 10]"),
        ("['a b', \"it's\", ']']", r#"["a b", "it's", "]"]"#),
    ] {
        assert_eq!(argument(typed), json, "{typed}");
    }
}

#[test]
fn keys_that_are_no_strings_become_strings_as_in_python() {
    for (typed, json) in [
        ("{1: 2}", r#"{"1": 2}"#),
        ("{-0x10: 2}", r#"{"-16": 2}"#),
        ("{1.10: 2, 1e3: 3}", r#"{"1.1": 2, "1000.0": 3}"#),
        ("{True: 1, none: 2, NaN: 3}", r#"{"true": 1, "null": 2, "NaN": 3}"#),
    ] {
        assert_eq!(argument(typed), json, "{typed}");
    }
}

#[test]
fn strings_have_the_escapes_of_both_languages() {
    for (typed, json) in [
        (r#""a\tb""#, r#""a\tb""#),
        (r#""\u00b5""#, "\"µ\""),
        (r"'it\'s'", "\"it's\""),
        (r#""\x00""#, r#""\u0000""#),
        (r#""\ud800""#, r#""\\ud800""#),
        (r#"x="C:\Users""#, ""),
    ] {
        if json.is_empty() {
            assert_eq!(arguments(typed).1, r#"{"x": "C:\\Users"}"#);
        } else {
            assert_eq!(argument(typed), json, "{typed}");
        }
    }
}

#[test]
fn depth_is_limited() {
    for (open, close) in [("[", "]"), ("(", ",)"), ("{'a':", "}")] {
        let typed = |depth| format!("Adder add {}1{}", open.repeat(depth), close.repeat(depth));
        assert!(matches!(read(&typed(MAX_TYPED_DEPTH)), Ok(Typed::Request { .. })));
        assert_eq!(read(&typed(MAX_TYPED_DEPTH + 1)), Err(NotUnderstood::TooDeep));
    }
    assert_eq!(read(&format!("Adder add {}", "[".repeat(1 << 20))), Err(NotUnderstood::TooDeep));
}

/// Each of these would take minutes if an attempt at a literal could be repeated from each of its words.
#[test]
fn long_lines_take_linear_time() {
    let almost_too_deep = "[ ".repeat(MAX_TYPED_DEPTH - 1);
    for part in [
        "[ ", "[1, ", "[ 'x ", "\"x ", "'x \" ", "\"\\\" ", "[ \" ", "{'a': ", "[],", "[ ],", "(1,),[ ",
        "1, ", "x ", "= ", "\\",
    ] {
        let _ = read(&format!("Adder add {}", part.repeat(1 << 16)));
        let _ = read(&format!("Adder add {almost_too_deep}{}", part.repeat(1 << 12)));
    }
    let _ = read(&format!("Adder add {}", format!("0x{} ", "f".repeat(1000)).repeat(1 << 5)));
}

/// Reads our JSON: the words that JSON lacks become strings, which no test looks at.
fn parse(json: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(json)
}

/// What a person may type for a value, and the value.
fn typed_value() -> impl Strategy<Value = (String, Value)> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|value| (value.to_string(), json!(value))),
        any::<u32>().prop_map(|value| (format!("{value:#x}"), json!(value))),
        any::<i32>()
            .prop_map(|value| (format!("{:?}", f64::from(value) / 8.0), json!(f64::from(value) / 8.0))),
        prop_oneof![Just("true"), Just("True")].prop_map(|word| (word.to_string(), json!(true))),
        prop_oneof![Just("none"), Just("null")].prop_map(|word| (word.to_string(), json!(null))),
        any::<String>().prop_map(|text| (crate::json::quote(&text), json!(text))),
        any::<String>()
            .prop_map(|text| (format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")), json!(text))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let items = proptest::collection::vec(inner.clone(), 0..4);
        let members = proptest::collection::btree_map(any::<String>(), inner, 0..4);
        prop_oneof![
            (items.clone(), prop_oneof![Just(","), Just(" , ")]).prop_map(|(items, comma)| {
                let typed: Vec<_> = items.iter().map(|(typed, _)| typed.as_str()).collect();
                (format!("[{}]", typed.join(comma)), items.iter().map(|(_, value)| value.clone()).collect())
            }),
            items.prop_map(|items| {
                let typed: Vec<_> = items.iter().map(|(typed, _)| typed.as_str()).collect();
                let comma = if items.is_empty() { "" } else { "," };
                (
                    format!("({}{comma})", typed.join(", ")),
                    items.iter().map(|(_, value)| value.clone()).collect(),
                )
            }),
            members.prop_map(|members| {
                let typed: Vec<_> = members
                    .iter()
                    .map(|(key, (typed, _))| format!("{}: {typed}", crate::json::quote(key)))
                    .collect();
                let value = members.into_iter().map(|(key, (_, value))| (key, value)).collect();
                (format!("{{{}}}", typed.join(", ")), Value::Object(value))
            }),
        ]
    })
}

fn is_valid_json(json: &str) -> bool {
    // Only these words, outside strings, are not JSON; a string that holds one is still a string without it.
    parse(json).is_ok()
        || parse(&json.replace("-Infinity", "0").replace("Infinity", "0").replace("NaN", "0")).is_ok()
}

proptest! {
    #[test]
    fn any_line_gives_valid_json_or_an_error(line in any::<String>()) {
        for line in [line.clone(), format!("Adder add {line}")] {
            if let Ok(Typed::Request { args, kwargs, .. }) = read(&line) {
                prop_assert!(is_valid_json(&args) && is_valid_json(&kwargs), "{} {}", args, kwargs);
            }
        }
    }

    #[test]
    fn lines_of_likely_pieces_give_valid_json_or_an_error(
        line in r#"(link|client|[a-z_]|[0-9+\-.eExob_]{1,4}|[\[\](){}]|[,:= ]|["'\\]|\\["'nxuU0d]|ud83d|\\ude00|NaN|-?Infinity|True|[^ -~]){0,24}"#
    ) {
        for line in [line.clone(), format!("Adder add {line}")] {
            if let Ok(Typed::Request { args, kwargs, .. }) = read(&line) {
                prop_assert!(is_valid_json(&args) && is_valid_json(&kwargs), "{} {}", args, kwargs);
            }
        }
    }

    #[test]
    fn typed_values_are_read_as_meant(values in proptest::collection::vec((typed_value(), any::<bool>()), 0..5)) {
        let (mut line, mut args, mut kwargs) = (String::from("Adder add"), Vec::new(), serde_json::Map::new());
        for (index, ((typed, value), is_keyword)) in values.into_iter().enumerate() {
            if is_keyword {
                line = format!("{line} k{index}={typed}");
                kwargs.insert(format!("k{index}"), value);
            } else {
                line = format!("{line}  {typed}");
                args.push(value);
            }
        }
        let read = read(&line).unwrap();
        let Typed::Request { args: read_args, kwargs: read_kwargs, .. } = read else { panic!("{read:?}") };
        prop_assert_eq!(parse(&read_args).unwrap(), Value::Array(args));
        prop_assert_eq!(parse(&read_kwargs).unwrap(), Value::Object(kwargs));
    }
}
