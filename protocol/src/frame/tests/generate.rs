//! Texts for the property tests: JSON as odd as it may be, and JSON that is damaged.

use proptest::{collection::vec, prelude::*, sample::select};

/// A number that the texts have instead of `NaN` and the infinities, which `serde_json` does not know.
pub(super) const WORD: &str = "-987654321";

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t\r]{1,3}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(WORD.to_owned()),
        "-?(0|[1-9][0-9]{0,30})",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?"
    ]
}

/// The inside of a string.
fn characters() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -!#-\\[\\]-~]{0,12}",
        1 => "[ -!#-\\[\\]-~]{28,70}",
        2 => "[éß測😀\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10ffff}]{1,20}",
        2 => "(\\\\[\"\\\\/bfnrt]){1,3}",
        1 => "(\\\\u[0-9a-fA-F]{4}){1,2}",
        1 => select(vec!["\\ud800", "\\udc00", "\\uD83D\\uDE00", "\\u0000"]).prop_map(String::from),
    ];
    vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn string() -> impl Strategy<Value = String> {
    characters().prop_map(|inside| format!("\"{inside}\""))
}

fn word() -> impl Strategy<Value = String> {
    select(vec!["null", "true", "false"]).prop_map(String::from)
}

fn array(item: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (vec((blank(), item, blank()), 0..4), blank()).prop_map(|(items, inside)| {
        let items: Vec<String> = items.into_iter().map(|(a, item, b)| a + &item + &b).collect();
        if items.is_empty() { format!("[{inside}]") } else { format!("[{}]", items.join(",")) }
    })
}

/// An array as instruments send it.
fn numbers() -> impl Strategy<Value = String> {
    (vec(number(), 0..=60), select(vec![", ", ","]))
        .prop_map(|(numbers, comma)| format!("[{}]", numbers.join(comma)))
}

/// An object with these members, names without their quotes; half of them are written as Python does it.
fn object_of(member: impl Strategy<Value = (String, String)>, most: usize) -> impl Strategy<Value = String> {
    let member = (blank(), member, blank(), blank(), blank());
    (vec(member, 0..=most), blank(), any::<bool>()).prop_map(|(members, inside, python)| {
        if members.is_empty() {
            return format!("{{{inside}}}");
        }
        let members = members.into_iter().map(|(a, (name, value), b, c, d)| {
            if python { format!("\"{name}\": {value}") } else { format!("{a}\"{name}\"{b}:{c}{value}{d}") }
        });
        let comma = if python { ", " } else { "," };
        format!("{{{}}}", members.collect::<Vec<_>>().join(comma))
    })
}

/// Any value.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![4 => word(), 4 => number(), 4 => string(), 1 => numbers()].prop_recursive(4, 24, 4, |inner| {
        prop_oneof![array(inner.clone()), object_of((characters(), inner), 3)]
    })
}

fn object() -> impl Strategy<Value = String> {
    object_of((characters(), value()), 3)
}

/// One of our names as it may be written.
fn ours(name: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(name.to_owned()),
        1 => (0..name.len()).prop_map(move |at| {
            format!("{}\\u{:04x}{}", &name[..at], name.as_bytes()[at], &name[at + 1..])
        }),
    ]
}

/// A member that means something, mostly of the right type.
fn our_member() -> impl Strategy<Value = (String, String)> {
    let text = || string().boxed();
    let right = prop_oneof![
        (ours("service"), text()),
        (ours("attribute"), text()),
        (ours("requester"), prop_oneof![text(), Just("null".to_owned()).boxed()].boxed()),
        (ours("uid"), value().boxed()),
        (ours("error"), "(true|false)".boxed()),
        (ours("result"), value().boxed()),
        (ours("args"), array(value()).boxed()),
        (ours("kwargs"), object().boxed()),
        (ours("message"), text()),
        (ours("traceback"), array(string()).boxed()),
    ];
    let name =
        select(vec!["service", "requester", "error", "args", "kwargs", "traceback"]).prop_flat_map(ours);
    prop_oneof![20 => right, 1 => (name, value())]
}

/// A valid JSON object on one line; some of its members may be repeated or have a wrong type.
pub(super) fn frame() -> impl Strategy<Value = String> {
    let member = prop_oneof![3 => our_member(), 1 => (characters(), value())];
    (blank(), object_of(member, 6), blank()).prop_map(|(before, object, after)| before + &object + &after)
}

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Replace(u8),
    Insert(Vec<u8>),
    Remove(usize),
    Repeat(usize),
    CutOff,
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = || {
        prop_oneof![
            select(b"{}[]:,\"\\u0-+.eEINt \t\r\0\x1f\x7f".to_vec()),
            any::<u8>().prop_map(|byte| if byte == b'\n' { b' ' } else { byte }),
        ]
    };
    prop_oneof![
        byte().prop_map(Damage::Replace),
        vec(byte(), 1..4).prop_map(Damage::Insert),
        (1..4usize).prop_map(Damage::Remove),
        (1..8usize).prop_map(Damage::Repeat),
        Just(Damage::CutOff),
    ]
}

/// A line that may be anything but resembles JSON; without a line end.
pub(super) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (frame(), vec((any::<prop::sample::Index>(), damage()), 0..4)).prop_map(|(text, damages)| {
        let mut bytes = text.into_bytes();
        for (at, damage) in damages {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let until = |len: usize| (at + len).min(bytes.len());
            match damage {
                Damage::Replace(byte) => bytes[at] = byte,
                Damage::Insert(some) => drop(bytes.splice(at..at, some)),
                Damage::Remove(len) => drop(bytes.drain(at..until(len))),
                Damage::Repeat(len) => {
                    let some = bytes[at..until(len)].to_vec();
                    drop(bytes.splice(at..at, some));
                }
                Damage::CutOff => bytes.truncate(at),
            }
        }
        bytes
    })
}

/// Lines of every kind with their ends, the last perhaps without.
pub(super) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => damaged(),
        2 => frame().prop_map(String::into_bytes),
        1 => "[ \t\r]{0,4}".prop_map(String::into_bytes),
        1 => "[ -~]{0,20}".prop_map(String::into_bytes),
        1 => "[{}\\[\\],:\"0 \t\r\\\\]{0,40}".prop_map(String::into_bytes),
    ];
    let end = select(vec![&b"\n"[..], b"\r\n", b"\r\r\n"]);
    (vec((line, end), 0..6), damaged()).prop_map(|(lines, last)| {
        let mut stream: Vec<u8> =
            lines.into_iter().flat_map(|(line, end)| [line, end.to_vec()]).flatten().collect();
        stream.extend(last);
        stream
    })
}

/// Sizes of pieces.
pub(super) fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), vec(1..8usize, 1..6), vec(1..200usize, 1..6)]
}
