//! Our client's calls: with services of this project and of the Python package, through the Managers of both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::{eventually, every_laboratory};
use msl_network_tokio::{Arguments, Call, ErrorKind, With};
use serde_json::{Value, json};

every_laboratory! {
    answers_are_decoded_into_the_type_that_is_asked_for
    calls_that_are_made_together_run_together
    errors_of_a_service_have_their_exception_and_its_traceback
    values_arrive_as_they_were_sent
    twenty_megabytes_travel_there_and_back
    a_call_that_is_not_answered_in_time_fails_and_the_link_goes_on
    a_call_to_a_service_that_leaves_fails
}

fn answers_are_decoded_into_the_type_that_is_asked_for(mut laboratory: Laboratory) {
    laboratory.serve("BasicMath");
    let math = laboratory.link("Ann", "BasicMath");

    assert_eq!(math.call::<f64>("add", (1, 2)).wait(), Ok(3.0));
    assert_eq!(math.call::<f64>("power", (3,)).wait(), Ok(9.0));
    assert_eq!(math.call::<Value>("power", (3,).with("n", 3)).wait().unwrap().as_f64(), Some(27.0));
    assert_eq!(math.call::<f64>("subtract", ().with("y", 1).with("x", 2.5)).wait(), Ok(1.5));
    assert_eq!(math.call::<bool>("ensure_positive", (4,)).wait(), Ok(true));
    assert_eq!(math.call::<f64>("pi", ()).wait(), Ok(std::f64::consts::PI));
    assert_eq!(math.call_raw("euler", ()).wait(), Ok("2.718281828459045".to_string()));
    let error = math.call::<String>("pi", ()).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

fn calls_that_are_made_together_run_together(mut laboratory: Laboratory) {
    laboratory.serve("BasicMath");
    let math = laboratory.link("Ann", "BasicMath");
    let six: [&dyn Fn() -> Call<Value>; 6] = [
        &|| math.call("add", (1, 2)),
        &|| math.call("subtract", (1, 2)),
        &|| math.call("multiply", (2, 3)),
        &|| math.call("divide", (1, 2)),
        &|| math.call("ensure_positive", (4,)),
        &|| math.call("power", (3,)),
    ];
    // A twentieth of what the package's manual says: 21 s one after the other, 6 s together.
    let mut one_after_the_other = Duration::from_millis(1050);

    let began = Instant::now();
    let calls: Vec<_> = six.iter().map(|call| call()).collect();
    let results: Vec<Value> = calls.into_iter().map(|call| call.wait().unwrap()).collect();
    let together = began.elapsed();

    let numbers: Vec<f64> = results.iter().filter_map(Value::as_f64).collect();
    assert_eq!(numbers, [3.0, -1.0, 6.0, 0.5, 9.0]);
    assert_eq!(results[4], true);
    if together >= one_after_the_other {
        // This computer has much else to do: then these take longer, too.
        let began = Instant::now();
        for call in six {
            call().wait().unwrap();
        }
        one_after_the_other = began.elapsed();
    }
    assert!(together < one_after_the_other, "the calls do not overlap: {together:?}");
}

fn errors_of_a_service_have_their_exception_and_its_traceback(mut laboratory: Laboratory) {
    laboratory.serve("BasicMath");
    laboratory.serve("Odd");
    let math = laboratory.link("Ann", "BasicMath");
    let error = |attribute: &str, arguments: Arguments| {
        let error = math.call_raw(attribute, arguments).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
        error
    };

    let divided = error("divide", (1, 0).into());
    assert_eq!(divided.message(), "ZeroDivisionError: float division by zero");
    assert_eq!(divided.exception(), Some("ZeroDivisionError"));
    assert_eq!(error("ensure_positive", (-1,).into()).message(), "ValueError: The value is < 0");
    assert_eq!(error("add", (1,).into()).exception(), Some("TypeError"));
    assert_eq!(error("add", (1,).with("z", 1)).exception(), Some("TypeError"));
    assert_eq!(error("nothing", ().into()).exception(), Some("AttributeError"));
    assert_eq!(error("_private", ().into()).exception(), Some("PermissionError"));

    let odd = laboratory.link("Ann", "Odd").call_raw("no_json", ()).wait().unwrap_err();
    assert_eq!(odd.message(), "TypeError: Object of type object is not JSON serializable");
    assert_eq!(odd.traceback()[0], "Traceback (most recent call last):");
    let shown = odd.to_string();
    assert!(shown.starts_with("Traceback (most recent call last):\n"), "{shown}");
    assert!(shown.ends_with(odd.message()), "{shown}");
}

fn values_arrive_as_they_were_sent(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    let echo = laboratory.link("Ann", "Echo");

    let words = ("é漢\u{1f600}\n\"\\", [None, Some(0.1)], i64::MIN).with("größe", json!({"a": [[], {}]}));
    let back: Value = echo.call("echo", words).wait().unwrap();
    assert_eq!(back, json!([["é漢\u{1f600}\n\"\\", [null, 0.1], i64::MIN], {"größe": {"a": [[], {}]}}]));

    let numbers = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::MAX, -0.0);
    let ([back], _): ([[f64; 6]; 1], Value) = echo.call("echo", (numbers,)).wait().unwrap();
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, f64::MAX, -0.0];
    assert_eq!(back.map(f64::to_bits)[1..], numbers.map(f64::to_bits)[1..]);
    assert!(back[0].is_nan());

    let digits = "123456789012345678901234567890";
    let raw = echo.call_raw("echo", Arguments::new().and_json(digits)).wait().unwrap();
    assert!(raw.contains(digits), "{raw}");
    let ([back], _): ([i128; 1], Value) = echo.call("echo", (i128::MAX,)).wait().unwrap();
    assert_eq!(back, i128::MAX);
}

fn twenty_megabytes_travel_there_and_back(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    let echo = laboratory.link("Ann", "Echo");
    let text = "0.14285714285714285, ".repeat(1_000_000);

    let ([back], _): ([String; 1], Value) = echo.call("echo", (&text,)).wait().unwrap();

    assert!(back == text);
}

fn a_call_that_is_not_answered_in_time_fails_and_the_link_goes_on(mut laboratory: Laboratory) {
    laboratory.serve("Waiter");
    let waiter = laboratory.link("Ann", "Waiter");

    let error = waiter.call::<()>("wait", ()).timeout(Duration::from_secs(1)).wait().unwrap_err();

    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // Long before that, its request was on its way.
    assert!(error.may_be_executed());
    let error = waiter.call::<()>("nothing", ()).wait().unwrap_err();
    assert_eq!(error.exception(), Some("AttributeError"));
}

fn a_call_to_a_service_that_leaves_fails(mut laboratory: Laboratory) {
    laboratory.serve("Stoppable");
    let stoppable = laboratory.link("Ann", "Stoppable");

    let said: Value = stoppable.shutdown_service((1, 2).with("x", 3)).wait().unwrap();
    assert_eq!(said, json!([[1, 2], {"x": 3}]));

    // The answer comes before the service has gone.
    let client = stoppable.client();
    eventually("the service has gone", || client.identities().wait().unwrap().services.is_empty());
    for error in [
        stoppable.call::<Value>("nothing", ()).wait().unwrap_err(),
        client.link("Stoppable").wait().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NoSuchService, "{error}");
    }
}
