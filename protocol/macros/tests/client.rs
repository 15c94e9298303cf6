//! The typed clients that `#[service]` makes, asking their services through a Manager, all in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::unused_self,
    clippy::unused_async,
    clippy::needless_pass_by_value,
    reason = "the methods are there for their signatures"
)]

#[path = "../../tests/world/mod.rs"]
mod world;

use msl_network_macros::service;
use serde::{Deserialize, Serialize};
use world::linked;

struct Scale;

#[service]
impl Scale {
    fn scale(&self, #[args] rest: Vec<u32>, factor: u32, unit: &str) -> String {
        format!("{} {unit}", rest.iter().sum::<u32>() * factor)
    }
}

#[test]
fn what_stands_behind_args_is_sent_by_name() {
    let (mut world, link) = linked(Scale);
    let scale = ScaleClient::from(link);
    assert_eq!(world.run(scale.scale(vec![1, 2], 10, "V")).unwrap(), "30 V");
}

/// Names and types that mean something else beside the impl block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Odd {
    value: u8,
}

#[service]
impl Odd {
    const SELF: u8 = 1;
    const SUPER: u8 = 2;
    const CRATE: u8 = 3;
    const TYPE: u8 = 4;

    fn copy(&self) -> Self {
        self.clone()
    }

    fn pick(&self, these: Vec<Self>, #[default(None)] other: Option<Self>) -> Result<[Self; 1], String> {
        these.into_iter().chain(other).next_back().map(|last| [last]).ok_or_else(|| "none".to_string())
    }

    fn from(&self) -> &'static str {
        "from"
    }

    fn call(&self) -> &'static str {
        "call"
    }

    #[deprecated(note = "to be asked for by nobody")]
    fn old(&self) -> u8 {
        self.value
    }
}

#[test]
fn the_typed_client_has_whatever_names_and_types_the_service_has() {
    let (mut world, link) = linked(Odd { value: 7 });
    // An attribute `from` is in the way of `OddClient::from(link)`.
    let odd: OddClient = link.into();
    for (call, value) in [(odd.self_(), 1), (odd.super_(), 2), (odd.crate_(), 3), (odd.r#type(), 4)] {
        assert_eq!(world.run(call), Ok(value));
    }
    assert_eq!(world.run(odd.copy()), Ok(Odd { value: 7 }));
    assert_eq!(world.run(odd.pick(vec![Odd { value: 1 }], None)), Ok([Odd { value: 1 }]));
    assert_eq!(world.run(odd.pick(vec![Odd { value: 1 }], Odd { value: 2 })), Ok([Odd { value: 2 }]));
    assert_eq!(world.run(odd.from()).unwrap(), "from");
    assert_eq!(world.run(odd.call()).unwrap(), "call");
    #[expect(deprecated, reason = "the client says so as the service does")]
    let old = odd.old();
    assert_eq!(world.run(old), Ok(7));
}

const UNIT: &str = "V";

struct Defaults;

#[service]
impl Defaults {
    fn unit(&self, #[default(UNIT)] unit: &str, #[default(UNIT.to_string())] other: String) -> String {
        format!("{unit} {other}")
    }

    fn limit(&self, #[default(Some(2))] limit: Option<u8>) -> Option<u8> {
        limit
    }
}

#[test]
fn a_default_may_be_a_constant_or_a_value_of_an_option() {
    let (mut world, link) = linked(Defaults);
    let defaults = DefaultsClient::from(link);
    assert_eq!(world.run(defaults.unit(None, None)).unwrap(), "V V");
    assert_eq!(world.run(defaults.unit("A".to_string(), "B".to_string())).unwrap(), "A B");
    assert_eq!(world.run(defaults.limit(None)), Ok(Some(2)));
    assert_eq!(world.run(defaults.limit(3)), Ok(Some(3)));
    let explicit = defaults.call::<Option<u8>>("limit", (None::<u8>,));
    assert_eq!(world.run(explicit), Ok(None));
}
