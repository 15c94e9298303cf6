//! `#[service]` on a trait: what services and clients share, in one list of methods.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../tests/world/mod.rs"]
mod world;

use msl_network_protocol::author::IntoService;
use shared::{Math, MathClient, MathService};
use world::World;

/// As a crate that both sides depend on.
mod shared {
    use msl_network_macros::service;
    use msl_network_protocol::author::{Context, ServiceError};

    /// What a service for arithmetic can do.
    #[service(max_clients = 3)]
    pub(crate) trait Math {
        /// The version of its rules.
        const VERSION: &str;

        /// How many results there were.
        #[property]
        fn count(&self) -> u32;

        /// Adds.
        fn add(&self, x: u32, y: u32) -> u32;

        /// Raises to a power.
        async fn power(&self, x: u32, #[default(2)] n: u32) -> Result<u32, ServiceError>;

        /// Whom it serves.
        #[name = "whoami"]
        async fn requester(&self, context: &Context) -> String {
            context.requester().to_string()
        }

        #[skip]
        fn reset(&self);
    }
}

#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU32);

impl Math for Counting {
    const VERSION: &str = "1.0";

    fn count(&self) -> u32 {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn add(&self, x: u32, y: u32) -> u32 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        x + y
    }

    async fn power(&self, x: u32, n: u32) -> Result<u32, msl_network_protocol::author::ServiceError> {
        std::future::ready(()).await;
        x.checked_pow(n).ok_or_else(|| "too large".into())
    }

    fn reset(&self) {
        self.0.store(0, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn whatever_implements_the_trait_is_a_service_and_its_clients_need_the_trait_alone() {
    let mut world = World::new();
    let counting = Counting::default();
    counting.reset();
    world.service(MathService(counting).into_service());
    let client = world.client("Ann");
    let math = MathClient::from(world.run(client.link("Math")).unwrap());
    assert_eq!(world.run(math.version()).unwrap(), "1.0");
    assert_eq!(world.run(math.add(1, 2)), Ok(3));
    assert_eq!(world.run(math.count()), Ok(1));
    assert_eq!(world.run(math.power(3, None)), Ok(9));
    assert_eq!(world.run(math.power(3, 99)).unwrap_err().message(), "RuntimeError: too large");
    assert!(world.run(math.requester()).unwrap().starts_with("Ann["));
    assert_eq!(math.service_max_clients(), Some(3));
    let error = world.run(math.call::<()>("reset", ())).unwrap_err();
    assert_eq!(error.message(), "AttributeError: 'Math' object has no attribute 'reset'");
}
