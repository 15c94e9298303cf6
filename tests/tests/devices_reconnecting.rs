//! Devices that connect again when their Manager was killed and another one has taken its place.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::future::pending;
use std::sync::mpsc;
use std::time::Duration;

use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::setup::Setup;
use msl_network_tests::{PATIENCE, every_setup};
use msl_network_tokio::{ErrorKind, Notification, Reconnect, Reconnection, Service};

every_setup! {
    a_client_and_a_service_go_on_with_the_next_manager
    a_script_stops_waiting_when_another_thread_ends_the_connection
}

fn eager() -> Reconnect {
    Reconnect::default().first_delay(Duration::from_millis(50)).longest_delay(Duration::from_millis(200))
}

fn instrument() -> Service {
    Service::new("Instrument")
        .method("measure", "()", |cx, _| cx.notify(("measured",)).map(|()| 4.2))
        .async_method("never", "()", |_, _| pending::<()>())
}

fn a_client_and_a_service_go_on_with_the_next_manager(setup: Setup) {
    let mut laboratory = Laboratory::ours(setup);
    let service = laboratory.start(instrument()).reconnect(eager()).wait().unwrap();
    let (tell, changes) = mpsc::channel();
    let reconnect = eager().on_change(move |change| drop(tell.send(change.clone())));
    let linking = laboratory.connect("Ann").reconnect(reconnect).linked("Instrument").timeout(PATIENCE);
    let instrument = linking.wait().unwrap();
    let mut notifications = instrument.notifications();
    let lock = instrument.lock(false).wait().unwrap();
    let never = instrument.call::<()>("never", ());
    assert_eq!(instrument.call::<f64>("measure", ()).wait(), Ok(4.2));

    laboratory.manager().kill();

    let error = never.wait().unwrap_err();
    assert_eq!((error.kind(), error.may_be_executed()), (ErrorKind::Disconnected, true), "{error}");
    assert!(matches!(changes.recv_timeout(PATIENCE), Ok(Reconnection::Lost(_))));
    assert!(matches!(changes.recv_timeout(PATIENCE), Ok(Reconnection::Failed { .. })));
    assert!(!instrument.client().is_connected());
    let between = instrument.call::<f64>("measure", ()).wait().unwrap_err();
    assert_eq!((between.kind(), between.may_be_executed()), (ErrorKind::Disconnected, false));

    laboratory.manager().revive();
    instrument.restored().wait().unwrap();

    assert_eq!(instrument.call::<f64>("measure", ()).wait(), Ok(4.2));
    assert!(service.is_connected());
    assert!(notifications.wait().unwrap().unwrap().args::<(String,)>().is_ok());
    assert_eq!(notifications.wait(), Ok(Some(Notification::Interrupted)));
    assert!(notifications.wait().unwrap().unwrap().args::<(String,)>().is_ok());
    assert!(!lock.is_held());
    assert_eq!(lock.release().wait().unwrap_err().kind(), ErrorKind::Disconnected);

    instrument.client().disconnect().wait().unwrap();
    assert_eq!(notifications.wait(), Ok(None));
    service.shut_down().wait().unwrap();
}

fn a_script_stops_waiting_when_another_thread_ends_the_connection(setup: Setup) {
    let mut laboratory = Laboratory::ours(setup);
    let (tell, changes) = mpsc::channel();
    let reconnect = Reconnect::default().on_change(move |change| drop(tell.send(change.clone())));
    let client = laboratory.connect("Ann").reconnect(reconnect).wait().unwrap();
    laboratory.manager().kill();
    assert!(matches!(changes.recv_timeout(PATIENCE), Ok(Reconnection::Lost(_))));

    let restored = std::thread::spawn({
        let client = client.clone();
        move || client.restored().wait()
    });
    let end = client.disconnect().wait().unwrap();

    assert_eq!(restored.join().unwrap(), Err(end));
    drop(client);
    // The hook is dropped with the last that could call it.
    let nothing_more = loop {
        if let Err(error) = changes.recv_timeout(PATIENCE) {
            break error;
        }
    };
    assert_eq!(nothing_more, mpsc::RecvTimeoutError::Disconnected);
}
