//! What peers say that keep to no rule.

use std::fmt::Write as _;

use crate::choices::Chance;
use crate::model::Port;

/// What a rude peer knows when it says something.
pub(crate) struct Situation<'a> {
    /// Its own number.
    pub(crate) port: Port,
    /// Its own name.
    pub(crate) name: &'a str,
    /// The network name of some client, and the uid of a request that it may have made.
    pub(crate) victim: &'a str,
    /// The uid of a request that the victim may have made.
    pub(crate) uid: usize,
    /// The name of some service, mostly another one.
    pub(crate) other: &'a str,
    /// A request that it has got: requester and uid.
    pub(crate) request: Option<&'a (String, String)>,
    /// How long what has a length is.
    pub(crate) length: usize,
    /// The longest line that the Manager takes.
    pub(crate) max_frame: usize,
}

/// Whole lines, that are wrong or strange in one way or another.
const STRANGE: &[&str] = &[
    "{\"service\": 5, \"attribute\": \"a\", \"uid\": \"3\"}",
    "{\"service\": \"Adder\", \"attribute\": [], \"uid\": {}}",
    "{\"service\": \"Adder\", \"attribute\": \"add\", \"args\": {}, \"uid\": \"2\"}",
    "{\"service\": \"Adder\", \"attribute\": \"add\", \"kwargs\": [], \"error\": 1}",
    "{\"service\": \"Manager\", \"attribute\": \"link\", \"args\": [1]}",
    "{\"service\": \"Manager\", \"attribute\": \"link\", \"args\": \"Adder\"}",
    "{\"error\": true, \"requester\": 7}",
    "{\"result\": null, \"traceback\": {}}",
    "{\"uid\": 1, \"uid\": 2, \"service\": \"Adder\", \"attribute\": \"add\"}",
    "{\"service\": \"Adder\", \"attribute\": \"add\", \"uid\": \"notification\"}",
    "{\"service\": \"Adder\", \"attribute\": \"add\", \"args\": [1e999, -0, 1.10], \"uid\": 1.0}",
    "[1, 2]",
    "null",
    "{}",
    "{",
];

/// What a person may type.
const TYPED: &[&str] = &[
    "identity",
    "link Adder",
    "link Echo",
    "Adder add one 2",
    "Echo echo x=1 y=[2, 3]",
    "\"no end",
    "",
    "   ",
    "rubbish",
    "Manager unlink Echo",
    "Manager acquire_lock Adder shared=True",
    "Manager release_lock Adder",
    "client Ann",
    "disconnect",
];

/// Something to say, by a choice, and what kind of thing that is.
pub(crate) fn speech(choice: usize, situation: &Situation<'_>, chance: &Chance) -> (Vec<u8>, &'static str) {
    let Situation { port, name, victim, uid, other, request, length, max_frame } = *situation;
    let padding = "x".repeat(length);
    let result = format!("{{\"by\": {port}, \"pad\": \"{padding}\"}}");
    let line = |text: String| (text + "\r\n").into_bytes();
    match choice % 16 {
        0 => ((0..=length.min(200)).map(|_| chance.below(256).to_le_bytes()[0]).collect(), "rude: raw bytes"),
        1 | 2 => (
            line(format!("{{\"result\": {result}, \"requester\": \"{victim}\", \"uid\": \"{uid}\"}}")),
            "rude: forged reply",
        ),
        3 => {
            let message = format!("ValueError: marked {port} - -");
            (
                line(format!(
                    "{{\"error\": true, \"message\": \"{message}\", \"requester\": \"{victim}\", \"uid\": \"{uid}\"}}"
                )),
                "rude: forged reply",
            )
        }
        4 => (notification(other, port, &padding), "rude: forged notification"),
        5 => (notification(name, port, &padding), "rude: forged notification"),
        6 => (line(STRANGE[uid % STRANGE.len()].to_owned()), "rude: wrong types"),
        7 => (line(TYPED[uid % TYPED.len()].to_owned()), "rude: typed text"),
        // Those that are longer than three times the limit end the connection; one of a few megabytes would only take time.
        8 if max_frame < 1 << 16 => (vec![b'x'; 3 * max_frame + 2000], "rude: endless line"),
        8 | 9 => (
            format!("{{\"service\": \"{other}\", \"uid\": \"{uid}\", \"args\": [\"{padding}").into_bytes(),
            "rude: half a line",
        ),
        10 => {
            let times = 1 + uid % 6;
            let mut lines = String::new();
            for uid in 0..times {
                let _ = write!(
                    lines,
                    "{{\"service\": \"{other}\", \"attribute\": \"a\", \"args\": [\"{padding}\"], \"uid\": {}}}\r\n",
                    uid % 2
                );
            }
            (lines.into_bytes(), "rude: requests")
        }
        11 => (
            line(format!("{{\"service\": \"Manager\", \"attribute\": \"clients\", \"uid\": \"{uid}\"}}")),
            "rude: requests",
        ),
        _ => {
            let Some((requester, uid)) = request else {
                return (
                    line(format!(
                        "{{\"result\": {result}, \"requester\": \"{victim}\", \"uid\": \"{uid}\"}}"
                    )),
                    "rude: forged reply",
                );
            };
            let answer = format!("{{\"result\": {result}, \"requester\": \"{requester}\", \"uid\": {uid}}}");
            match choice % 16 {
                12 | 13 => (line(answer), "rude: double answer"),
                14 => (
                    line(format!("{{\"requester\": \"{requester}\", \"uid\": {uid}, \"result\": [1, }}")),
                    "rude: broken answer",
                ),
                _ => (line(answer.replace("\"pad\"", "\"pad\": 1e5, \"pad\"")), "rude: double answer"),
            }
        }
    }
}

fn notification(service: &str, port: Port, padding: &str) -> Vec<u8> {
    format!(
        "{{\"result\": [[{port}, \"{padding}\"], {{}}], \"service\": \"{service}\", \"uid\": \"notification\", \"error\": false}}\r\n"
    )
    .into_bytes()
}
