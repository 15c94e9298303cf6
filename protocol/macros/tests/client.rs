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
use msl_network_protocol::author::{IntoService, Link};
use world::World;

fn linked(service: impl IntoService) -> (World, Link) {
    let mut world = World::new();
    let service = service.into_service();
    let name = service.name().to_string();
    world.service(service);
    let client = world.client("Ann");
    let link = world.run(client.link(&name)).unwrap();
    (world, link)
}

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
