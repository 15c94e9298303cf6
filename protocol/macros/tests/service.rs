//! Services made by `#[service]`, asked by a client through a Manager, all in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::unused_self,
    clippy::unused_async,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::unnecessary_literal_bound,
    clippy::used_underscore_items,
    reason = "the methods are there for their signatures"
)]

#[path = "../../tests/world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use msl_network_macros::service;
use msl_network_protocol::author::{Arguments, Context, ServiceError, With};
use msl_network_protocol::device::ErrorKind;
use serde::{Deserialize, Serialize};
use world::{ask, linked};

/// As in the manual of the Python package, without its delays.
struct BasicMath;

#[service]
impl BasicMath {
    /// The base of the natural logarithm.
    #[name = "euler"]
    const EULER: f64 = std::f64::consts::E;

    #[property]
    fn pi(&self) -> f64 {
        std::f64::consts::PI
    }

    /// Adds.
    fn add(&self, x: f64, y: f64) -> f64 {
        x + y
    }

    fn subtract(&self, x: f64, y: f64) -> f64 {
        x - y
    }

    fn multiply(&self, x: f64, y: f64) -> f64 {
        x * y
    }

    async fn divide(&self, x: f64, y: f64) -> f64 {
        x / y
    }

    fn ensure_positive(&self, x: f64) -> Result<bool, ServiceError> {
        if x < 0.0 {
            return Err(ServiceError::value("The value is < 0"));
        }
        Ok(true)
    }

    fn power(&self, x: f64, #[default(2.0)] n: f64) -> f64 {
        x.powf(n)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    volts: f64,
    unit: String,
}

/// Every kind of attribute.
struct Kinds {
    count: AtomicU32,
}

#[service(name = "All kinds", max_clients = 2, max_concurrent = 1)]
impl Kinds {
    const VERSION: &'static str = "1.0";
    #[skip]
    const SKIPPED: u8 = 1;
    const _PRIVATE: u8 = Self::SKIPPED;

    fn new() -> Self {
        Self { count: AtomicU32::new(0) }
    }

    fn checked(fine: bool) -> Result<Self, String> {
        fine.then(Self::new).ok_or_else(|| "not fine".to_string())
    }

    #[skip]
    fn skipped(count: u32) -> u32 {
        count
    }

    fn _private(&self) -> u8 {
        Self::_PRIVATE
    }

    #[property]
    fn count(&self) -> Result<u32, String> {
        Ok(Self::skipped(self.count.fetch_add(1, Ordering::SeqCst)))
    }

    fn nothing(&self) {}

    #[name = "range"]
    fn set_range(&self, mut volts: f64, unit: &str, #[default("auto")] mode: String) -> Reading {
        volts *= 2.0;
        Reading { volts, unit: format!("{unit} {mode}") }
    }

    fn read_back(&self, reading: Reading) -> Reading {
        reading
    }

    fn name(&self) -> &str {
        "it"
    }

    #[hidden]
    fn debug(
        &self,
        arguments: Option<i64>,
        context: &Context,
        #[default(-1)] this: i64,
    ) -> (String, Option<i64>, i64) {
        (context.requester().to_string(), arguments, this)
    }

    fn all(
        &self,
        first: f64,
        #[args] rest: Vec<f64>,
        #[default(1)] times: u8,
        #[kwargs] others: BTreeMap<String, bool>,
    ) -> String {
        format!("{first} {rest:?} {times} {others:?}")
    }

    async fn notify(&self, context: &Context, text: &str) -> Result<(), ServiceError> {
        context.notify((text,))?;
        Ok(())
    }

    fn fails(&self, text: &str) -> Result<f64, String> {
        Err(text.to_string())
    }

    fn fails_plainly(&self) -> std::io::Result<()> {
        Err(std::io::Error::other("no cable"))
    }

    fn panics(&self) -> f64 {
        panic!("on purpose")
    }

    #[cfg(any())]
    fn not_there(&self, of: NoSuchType) {}

    #[shutdown]
    fn goodbye(&self, #[default(false)] force: bool) -> Result<&'static str, ServiceError> {
        if force { Ok("bye") } else { Err(ServiceError::permission("use force")) }
    }
}

#[test]
fn clients_see_signatures_in_the_words_of_python() {
    let (_world, math) = linked(BasicMath);
    let shown: BTreeMap<&str, String> = math
        .service_attributes()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_json().to_string()))
        .collect();
    let expected = [
        ("add", "\"(x: float, y: float) -> float\""),
        ("divide", "\"(x: float, y: float) -> float\""),
        ("ensure_positive", "\"(x: float) -> bool\""),
        ("euler", "2.718281828459045"),
        ("multiply", "\"(x: float, y: float) -> float\""),
        ("pi", "3.141592653589793"),
        ("power", "\"(x: float, n: float = 2.0) -> float\""),
        ("subtract", "\"(x: float, y: float) -> float\""),
    ];
    assert_eq!(shown, expected.map(|(name, value)| (name, value.to_string())).into());
}

#[test]
fn clients_call_methods_as_those_of_a_python_service() {
    let (mut world, math) = linked(BasicMath);
    for (attribute, arguments, answer) in [
        ("add", Arguments::from((1, 2)), "3.0"),
        ("subtract", (1,).with("y", 2), "-1.0"),
        ("divide", (1, 0).into(), "Infinity"),
        ("power", (3,).into(), "9.0"),
        ("power", ().with("n", 3).with("x", 2), "8.0"),
        ("euler", ().into(), "2.718281828459045"),
        ("pi", ().into(), "3.141592653589793"),
        ("ensure_positive", (-1,).into(), "ValueError: The value is < 0"),
        ("add", (1,).into(), "TypeError: add() missing 1 required positional argument: 'y'"),
        ("sqrt", (1,).into(), "AttributeError: 'BasicMath' object has no attribute 'sqrt'"),
    ] {
        assert_eq!(ask(&mut world, &math, attribute, arguments), answer, "{attribute}");
    }
}

#[test]
fn the_typed_client_has_the_methods_of_the_service() {
    let (mut world, link) = linked(BasicMath);
    let math = BasicMathClient::from(link);
    // Sent at once, awaited later.
    let (sum, difference) = (math.add(1.0, 2.0), math.subtract(1.0, 2.0));
    assert_eq!(world.run(difference).map(f64::to_bits), Ok((-1.0_f64).to_bits()));
    assert_eq!(world.run(sum).map(f64::to_bits), Ok(3.0_f64.to_bits()));
    assert!(world.run(math.divide(0.0, 0.0)).unwrap().is_nan());
    assert_eq!(world.run(math.power(3.0, None)).unwrap().to_bits(), 9.0_f64.to_bits());
    assert_eq!(world.run(math.power(3.0, 3.0)).unwrap().to_bits(), 27.0_f64.to_bits());
    assert!(world.run(math.ensure_positive(1.0)).unwrap());
    assert_eq!(world.run(math.ensure_positive(-1.0)).unwrap_err().exception(), Some("ValueError"));
    assert!(world.run(math.euler()).unwrap() < world.run(math.pi()).unwrap());
    assert_eq!(math.service_name(), "BasicMath", "a link's own methods are there");
}

#[test]
fn every_kind_of_attribute_is_shown_as_it_is() {
    let (_world, kinds) = linked(Kinds::checked(true).unwrap());
    let shown: BTreeMap<&str, String> = kinds
        .service_attributes()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_json().to_string()))
        .collect();
    let expected = [
        ("VERSION", "\"1.0\""),
        ("all", "\"(first: float, *rest: float, times: int = 1, **others: bool) -> str\""),
        ("count", "0"),
        ("fails", "\"(text: str) -> float\""),
        ("fails_plainly", "\"() -> None\""),
        ("name", "\"() -> str\""),
        ("nothing", "\"() -> None\""),
        ("notify", "\"(text: str) -> None\""),
        ("panics", "\"() -> float\""),
        ("range", "\"(volts: float, unit: str, mode: str = 'auto') -> Reading\""),
        ("read_back", "\"(reading: Reading) -> Reading\""),
        ("shutdown_service", "\"(force: bool = False) -> str\""),
    ];
    assert_eq!(shown, expected.map(|(name, value)| (name, value.to_string())).into());
    assert_eq!(kinds.service_max_clients(), Some(2));
}

#[test]
fn every_kind_of_attribute_answers() {
    let (mut world, kinds) = linked(Kinds::new());
    for (attribute, arguments, answer) in [
        ("VERSION", Arguments::new(), "\"1.0\""),
        ("count", ().into(), "1"),
        ("count", ().into(), "2"),
        ("nothing", ().into(), "null"),
        ("name", ().into(), "\"it\""),
        ("range", (1, "V").into(), r#"{"volts":2.0,"unit":"V auto"}"#),
        ("range", (1, "V", "fast").into(), r#"{"volts":2.0,"unit":"V fast"}"#),
        ("debug", ().into(), r#"["Ann[lab:50002]",null,-1]"#),
        ("debug", (7, 8).into(), r#"["Ann[lab:50002]",7,8]"#),
        ("all", (1,).into(), "\"1 [] 1 {}\""),
        ("all", (1, 2, 3.5).with("x", true).with("times", 4), r#""1 [2.0, 3.5] 4 {\"x\": true}""#),
        ("fails", ("no",).into(), "RuntimeError: no"),
        ("fails_plainly", ().into(), "RuntimeError: no cable"),
        ("panics", ().into(), "RuntimeError: the service panicked: on purpose"),
        ("skipped", (1,).into(), "AttributeError: 'All kinds' object has no attribute 'skipped'"),
        ("SKIPPED", ().into(), "AttributeError: 'All kinds' object has no attribute 'SKIPPED'"),
        ("set_range", (1,).into(), "AttributeError: 'All kinds' object has no attribute 'set_range'"),
        ("new", ().into(), "AttributeError: 'All kinds' object has no attribute 'new'"),
        ("_private", ().into(), "PermissionError: Cannot request a private attribute"),
        ("shutdown_service", ().into(), "PermissionError: use force"),
    ] {
        assert_eq!(ask(&mut world, &kinds, attribute, arguments), answer, "{attribute}");
    }
    assert_eq!(Kinds::new()._private(), 1);
}

#[test]
fn the_typed_client_knows_every_kind_of_attribute() {
    let (mut world, link) = linked(Kinds::new());
    let kinds = KindsClient::from(link);
    let mut notifications = kinds.notifications();
    assert_eq!(world.run(kinds.version()).unwrap(), "1.0");
    assert_eq!(world.run(kinds.count()).unwrap(), 1);
    world.run(kinds.nothing()).unwrap();
    assert_eq!(world.run(kinds.name()).unwrap(), "it");
    let reading = world.run(kinds.set_range(1.0, "V", None)).unwrap();
    assert_eq!(reading, Reading { volts: 2.0, unit: "V auto".into() });
    let reading = world.run(kinds.set_range(1.0, "V", "fast".to_string())).unwrap();
    assert_eq!(world.run(kinds.read_back(reading)).unwrap().unit, "V fast");
    assert_eq!(world.run(kinds.debug(None, None)).unwrap().1, None);
    let (_, arguments, this) = world.run(kinds.debug(7, 8)).unwrap();
    assert_eq!((arguments, this), (Some(7), 8));
    let others = BTreeMap::from([("x".to_string(), true)]);
    let all = world.run(kinds.all(1.0, vec![2.0], 3, others)).unwrap();
    assert_eq!(all, "1 [2.0] 3 {\"x\": true}");
    world.run(kinds.notify("hello")).unwrap();
    let notification = world.run(notifications.next()).unwrap();
    assert_eq!(notification.args::<(String,)>().unwrap(), ("hello".to_string(),));
    assert_eq!(world.run(kinds.fails("no")).unwrap_err().kind(), ErrorKind::Remote);
    assert_eq!(world.run(kinds.goodbye(true)).unwrap(), "bye");
}

/// An instrument over whatever carries its commands.
struct Instrument<P> {
    port: P,
}

#[service(name = "Instrument")]
impl<P: Fn(&str) -> String + Send + Sync + 'static> Instrument<P> {
    fn query(&self, command: &str) -> String {
        (self.port)(command)
    }
}

#[test]
fn a_service_may_have_type_parameters() {
    let (mut world, instrument) = linked(Instrument { port: |command: &str| format!("{command}!") });
    assert_eq!(ask(&mut world, &instrument, "query", ("*IDN?",)), "\"*IDN?!\"");
}

mod renamed {
    pub(crate) use msl_network_protocol::author as net;
}

struct Elsewhere;

#[msl_network_macros::service(crate = renamed::net, client = false)]
impl Elsewhere {
    fn add(&self, x: u8) -> u8 {
        x + 1
    }
}

#[test]
fn the_crate_may_have_another_name() {
    let (mut world, elsewhere) = linked(Elsewhere);
    assert_eq!(ask(&mut world, &elsewhere, "add", (1,)), "2");
}
