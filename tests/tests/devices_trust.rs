//! Connecting where something is in the way: nobody there, TLS on one side only, certificates that are new or have changed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::program::{Program, Tls};
use msl_network_tests::setup::Runtime;
use msl_network_tests::{PATIENCE, Served, every_runtime};
use msl_network_tokio::{Connect, Error, ErrorKind, NewClient, Trust, UnknownCertificate};
use tempfile::TempDir;

every_runtime! {
    a_certificate_that_is_not_known_is_an_error_that_says_what_to_do
    a_certificate_is_saved_on_first_use_and_trusted_from_then_on
    a_certificate_that_is_not_known_is_asked_about
    whoever_is_asked_may_wait_for_something_and_a_panic_is_told_as_one
    a_certificate_that_has_changed_is_an_error_whatever_is_to_be_trusted
    devices_share_the_home_folder_of_the_manager_and_of_the_python_package
    the_host_has_to_be_one_that_the_certificate_is_for_unless_that_is_not_checked
    a_manager_without_tls_is_recognised
    a_manager_with_tls_says_nothing_to_a_device_without_and_the_error_says_so
    where_nobody_listens_the_error_says_how_to_start_a_manager
    a_host_that_never_answers_is_given_up
}

/// A client whose certificates are in a folder of its own.
struct User {
    home: TempDir,
    runtime: Runtime,
}

impl User {
    fn new(runtime: Runtime) -> Self {
        Self { home: tempfile::tempdir().unwrap(), runtime }
    }

    fn connect(&self, manager: &Program) -> Connect<NewClient> {
        self.runtime.connect(("localhost", manager.port())).home(self.home.path()).timeout(PATIENCE)
    }

    fn saved(&self) -> PathBuf {
        self.home.path().join("certs").join("localhost.crt")
    }

    fn refused(&self, manager: &Program) -> Error {
        let error = self.connect(manager).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        error
    }
}

fn certificate(manager: &Program) -> String {
    fs::read_to_string(manager.certificate().unwrap()).unwrap()
}

fn every_manager() -> [Program; 2] {
    [Program::start(Tls::Enabled, &[]), Program::start_python(Tls::Enabled, &[])]
}

fn a_certificate_that_is_not_known_is_an_error_that_says_what_to_do(runtime: Runtime) {
    for manager in every_manager() {
        let user = User::new(runtime);
        let error = user.refused(&manager);
        let path = user.saved();
        for part in ["is not known", "SHA-256", "Trust::Save", path.to_str().unwrap()] {
            assert!(error.message().contains(part), "{part:?} is not in {error}");
        }
        assert!(!path.exists());
    }
}

fn a_certificate_is_saved_on_first_use_and_trusted_from_then_on(runtime: Runtime) {
    for manager in every_manager() {
        let user = User::new(runtime);
        let client = user.connect(&manager).trust(Trust::Save).wait().unwrap();
        assert!(client.is_connected());
        assert_eq!(fs::read_to_string(user.saved()).unwrap().trim(), certificate(&manager).trim());
        assert!(user.connect(&manager).wait().unwrap().is_connected());
    }
}

fn a_certificate_that_is_not_known_is_asked_about(runtime: Runtime) {
    let manager = Program::start(Tls::Enabled, &[]);
    let user = User::new(runtime);
    let asked: Arc<Mutex<Vec<UnknownCertificate>>> = Arc::default();
    let ask = |answer: bool| {
        let asked = asked.clone();
        let trust = Trust::ask(move |certificate| {
            asked.lock().unwrap().push(certificate.clone());
            answer
        });
        user.connect(&manager).trust(trust).wait()
    };

    assert_eq!(ask(false).unwrap_err().kind(), ErrorKind::Tls);
    assert!(!user.saved().exists());
    assert!(ask(true).unwrap().is_connected());
    assert!(ask(false).unwrap().is_connected(), "it is known now, and nobody is asked");

    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[0].host, "localhost");
    assert_eq!(asked[0].fingerprint.split(':').count(), 32);
    assert_eq!(asked[0].pem.trim(), certificate(&manager).trim());
    assert_eq!(asked[0].path, user.saved());
}

fn whoever_is_asked_may_wait_for_something_and_a_panic_is_told_as_one(runtime: Runtime) {
    let manager = Program::start(Tls::Enabled, &[]);
    let other = User::new(runtime).connect(&manager).trust(Trust::Save).wait().unwrap();
    let user = User::new(runtime);

    let panics = Trust::ask(|_| panic!("on purpose"));
    let error = user.connect(&manager).trust(panics).wait().unwrap_err();
    assert!(error.message().contains("panicked"), "{error}");

    let waits = Trust::ask(move |_| other.identities().wait().is_ok());
    assert!(user.connect(&manager).trust(waits).wait().unwrap().is_connected());
}

fn a_certificate_that_has_changed_is_an_error_whatever_is_to_be_trusted(runtime: Runtime) {
    let user = User::new(runtime);
    user.connect(&Program::start(Tls::Enabled, &[])).trust(Trust::Save).wait().unwrap();
    let before = fs::read(user.saved()).unwrap();

    for manager in every_manager() {
        let yes = || Trust::ask(|_| panic!("nobody is asked"));
        for trust in [Trust::Known, Trust::Save, yes()] {
            let error = user.connect(&manager).trust(trust).wait().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
            for part in ["not the one in", "delete that file", user.saved().to_str().unwrap()] {
                assert!(error.message().contains(part), "{part:?} is not in {error}");
            }
        }
    }
    assert_eq!(fs::read(user.saved()).unwrap(), before);

    fs::remove_file(user.saved()).unwrap();
    let manager = Program::start(Tls::Enabled, &[]);
    assert!(user.connect(&manager).trust(Trust::Save).wait().is_ok(), "as the error said");
}

fn devices_share_the_home_folder_of_the_manager_and_of_the_python_package(runtime: Runtime) {
    // Managers keep their own certificate where devices look for it.
    for manager in every_manager() {
        let certificate = manager.certificate().unwrap();
        let home: &Path = certificate.parent().and_then(Path::parent).unwrap();
        let client = runtime.connect(("localhost", manager.port())).home(home).timeout(PATIENCE).wait();
        assert!(client.unwrap().is_connected());
    }
}

fn the_host_has_to_be_one_that_the_certificate_is_for_unless_that_is_not_checked(runtime: Runtime) {
    // The only certificate of that Manager's host is for another name than the address used here.
    let manager = Program::start(Tls::Enabled, &[]);
    let certificate = manager.certificate().unwrap();
    let by_another_name =
        || runtime.connect(("127.0.0.2", manager.port())).certificate(&certificate).timeout(PATIENCE);

    let error = by_another_name().wait().unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Tls);
    for part in [
        "is not for that host but for ",
        "localhost",
        " 127.0.0.1",
        " ::1",
        "without the check of the host name",
    ] {
        assert!(error.message().contains(part), "{part:?} is not in {error}");
    }
    assert!(by_another_name().check_host_name(false).wait().unwrap().is_connected());
    let by_ip = runtime.connect(("127.0.0.1", manager.port())).certificate(&certificate).wait();
    assert!(by_ip.unwrap().is_connected());
}

#[test]
fn a_file_without_a_certificate_is_an_error_that_names_it() {
    let manager = Program::start(Tls::Enabled, &[]);
    let user = User::new(Runtime::Tokio);
    let path = user.home.path().join("mine.crt");
    for content in [None, Some("hello")] {
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let error = user.connect(&manager).certificate(&path).trust(Trust::Save).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
    }
}

fn a_manager_without_tls_is_recognised(runtime: Runtime) {
    let manager = Program::plain(&[]);
    let error = User::new(runtime).connect(&manager).trust(Trust::Save).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(error.message().contains("connect without TLS"), "{error}");
}

fn a_manager_with_tls_says_nothing_to_a_device_without_and_the_error_says_so(runtime: Runtime) {
    let manager = Program::start(Tls::Enabled, &[]);
    let device = runtime.connect(("localhost", manager.port())).disable_tls();
    let error = device.timeout(Duration::from_millis(300)).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.message().contains("it may wait for TLS"), "{error}");
}

fn where_nobody_listens_the_error_says_how_to_start_a_manager(runtime: Runtime) {
    // Bound and closed again; nothing takes a port of this range at once.
    let port = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = runtime.connect(("localhost", port)).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("msl-network start"), "{error}");
}

fn a_host_that_never_answers_is_given_up(runtime: Runtime) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let home = tempfile::tempdir().unwrap();
    for device in [runtime.connect(("127.0.0.1", port)), runtime.connect(("127.0.0.1", port)).disable_tls()] {
        let error = device.home(home.path()).timeout(Duration::from_millis(200)).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        assert!(error.message().contains("200ms"), "{error}");
    }
}

#[test]
fn what_is_no_address_is_an_error_before_anything_is_sent() {
    for address in ["", "lab7:port", "http://lab7"] {
        let error = Runtime::Tokio.connect(address).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}

#[test]
fn waiting_on_a_thread_of_a_runtime_is_an_error_and_awaiting_without_one_too() {
    let laboratory = Laboratory::ours(Tls::Disabled);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(laboratory.connect("Ann").wait().unwrap_err().kind(), ErrorKind::Invalid);
        let ann = laboratory.connect("Ann").await.unwrap();
        assert_eq!(ann.identities().wait().unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(ann.ended().wait().unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(ann.identities().await.unwrap().clients.len(), 1);
        ann.disconnect().await;
    });
    let connecting = IntoFuture::into_future(laboratory.connect("Ann"));
    let outcome = thread::spawn(|| futures_block_on(connecting)).join().unwrap();
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Invalid);
}

/// Polls a future that is ready at once.
fn futures_block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it is not ready"),
    }
}
