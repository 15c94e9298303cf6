//! Both runtimes: the same public names, and devices on either with a Manager on either.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::Command;

use msl_network_protocol::author::{Connect, NewClient};
use msl_network_protocol::device::ErrorKind;
use msl_network_tests::PATIENCE;
use msl_network_tests::accounts::manager;
use msl_network_tests::laboratory::Laboratory;
use msl_network_tests::process::Process;
use msl_network_tests::setup::{Runtime, Setup, Tls};
use serde_json::{Value, json};
use syn::{Item, UseTree, Visibility};

/// The names that `src/lib.rs` of this crate makes public. It may do so with `pub use` only, and without globs.
fn public_names(folder: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("src/lib.rs");
    let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut names = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Use(item) if is_public(&item.vis) => collect(&item.tree, &mut names),
            Item::Use(_) => {}
            Item::Mod(item) if !is_public(&item.vis) => {}
            _ => panic!("{folder} has something in its lib.rs that is not `mod` or `pub use`"),
        }
    }
    names
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn collect(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => collect(&path.tree, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| collect(tree, names)),
        UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        UseTree::Rename(rename) => drop(names.insert(rename.rename.to_string())),
        UseTree::Glob(_) => panic!("a glob hides what is public"),
    }
}

#[test]
fn both_crates_have_the_same_public_names() {
    let names = public_names("runtime-tokio");
    assert_eq!(names, public_names("runtime-smol"));
    for name in ["Listener", "Manager", "connect", "interrupted", "serve", "service", "start"] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn what_both_crates_connect_is_of_one_type() {
    let _: [fn(&'static str) -> Connect<NewClient>; 2] =
        [msl_network_tokio::connect, msl_network_smol::connect];
}

/// What the macro writes names the crate that it was called through.
mod services {
    pub(super) struct OnTokio;

    #[msl_network_tokio::service]
    impl OnTokio {
        fn double(&self, x: i64) -> i64 {
            2 * x
        }
    }

    pub(super) struct OnSmol;

    #[msl_network_smol::service]
    impl OnSmol {
        fn double(&self, x: i64) -> i64 {
            2 * x
        }
    }
}

#[test]
fn a_service_of_either_macro_is_a_service_on_either_runtime() {
    use msl_network_protocol::author::IntoService;

    let setup = Setup::from(Tls::Disabled);
    for (runtime, service) in
        [(Runtime::Smol, services::OnTokio.into_service()), (Runtime::Tokio, services::OnSmol.into_service())]
    {
        let laboratory = Laboratory::on(setup, runtime);
        let name = service.name().to_owned();
        laboratory.start(service).wait().unwrap();
        assert_eq!(laboratory.link("Ann", &name).call::<i64>("double", (21,)).wait(), Ok(42));
    }
}

/// The program of the next test.
#[test]
#[ignore = "another test runs it as a program of its own"]
fn a_program_that_is_a_manager() {
    let listener = smol::block_on(msl_network_tokio::Listener::bind(Some("127.0.0.1"), 0)).unwrap();
    let manager = manager(listener.port());
    println!("port {}", listener.port());
    let outcome = match env::var("RUNTIME").unwrap().as_str() {
        "tokio" => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(msl_network_tokio::run_forever(listener, manager, None))
        }
        _ => smol::block_on(msl_network_smol::run_forever(listener, manager, None)),
    };
    println!("it ended with {outcome:?}");
}

#[test]
fn a_manager_that_runs_forever_ends_in_order_when_it_is_told_to() {
    let by: [fn(&Process); 2] = [Process::interrupt, Process::terminate];
    for (runtime, end) in ["tokio", "smol"].into_iter().zip(by) {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "a_program_that_is_a_manager", "--ignored", "--nocapture"]);
        command.env("RUNTIME", runtime);
        let mut program = Process::spawn("a Manager", command);
        let port =
            program.wait_for("its port", |line| line.split_once("port ")?.1.trim().parse::<u16>().ok());
        let ann = msl_network_tokio::connect(("127.0.0.1", port)).disable_tls().wait().unwrap();

        end(&program);

        assert_eq!(ann.ended().wait().unwrap().kind(), ErrorKind::Disconnected);
        program.wait_for("its last words", |line| line.contains("it ended with Ok(())").then_some(()));
        assert!(program.wait(PATIENCE).success());
    }
}

macro_rules! every_pair {
    ($($test:ident)*) => {
        every_pair!(@ tokio_plain_and_devices_on_tokio Tokio Disabled Tokio: $($test)*);
        every_pair!(@ tokio_tls_and_devices_on_smol Tokio Enabled Smol: $($test)*);
        every_pair!(@ tokio_plain_and_devices_on_smol Tokio Disabled Smol: $($test)*);
        every_pair!(@ smol_tls_and_devices_on_tokio Smol Enabled Tokio: $($test)*);
        every_pair!(@ smol_plain_and_devices_on_tokio Smol Disabled Tokio: $($test)*);
        every_pair!(@ smol_tls_and_devices_on_smol Smol Enabled Smol: $($test)*);
    };
    (@ $module:ident $manager:ident $tls:ident $devices:ident: $($test:ident)*) => {
        mod $module {
            use super::*;

            $(#[test]
            fn $test() {
                let manager = Setup { runtime: Runtime::$manager, tls: Tls::$tls };
                super::$test(Laboratory::on(manager, Runtime::$devices));
            })*
        }
    };
}

every_pair! {
    calls_errors_and_notifications_arrive
    megabytes_travel_there_and_back
    the_end_of_the_manager_is_noticed
}

fn calls_errors_and_notifications_arrive(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    laboratory.serve("Heartbeat");
    let echo = laboratory.link("Ann", "Echo");
    let calls: Vec<_> = (0..20).map(|i| echo.call::<Value>("echo", (i,))).collect();
    for (i, call) in calls.into_iter().enumerate() {
        assert_eq!(call.wait(), Ok(json!([[i], {}])));
    }
    let error = echo.call::<Value>("nothing", ()).wait().unwrap_err();
    assert_eq!(error.exception(), Some("AttributeError"));

    let heart = laboratory.link("Bob", "Heartbeat");
    let mut beats = heart.notifications();
    heart.call::<()>("set_heart_rate", (1000,)).wait().unwrap();
    let counts: Vec<u64> = (0..10)
        .map(|_| {
            let beat = beats.wait().unwrap().expect("the connection goes on");
            let (count,): (u64,) = beat.args().unwrap();
            count
        })
        .collect();
    assert!(counts.windows(2).all(|pair| pair[1] == pair[0] + 1), "{counts:?}");
    heart.call::<()>("kill", ()).wait().unwrap();
}

fn megabytes_travel_there_and_back(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    let text = "é".repeat(2_000_000);
    let echo = laboratory.link("Ann", "Echo");
    let ([back], _): ([String; 1], Value) = echo.call("echo", (&text,)).wait().unwrap();
    assert!(back == text);
}

fn the_end_of_the_manager_is_noticed(mut laboratory: Laboratory) {
    laboratory.serve("Echo");
    let client = laboratory.link("Ann", "Echo").client().clone();

    laboratory.manager().terminate();

    assert_eq!(client.ended().wait().unwrap().kind(), ErrorKind::Disconnected);
    assert!(laboratory.manager().wait().success());
}
