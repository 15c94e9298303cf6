//! What a trait cannot say, and what does not implement it.

#![allow(unused)]

use msl_network_macros::service;
use msl_network_protocol::author::IntoService;

#[service]
trait Meter {
    type Reading;

    fn copy(&self) -> Self;
}

#[service]
trait Math {
    async fn add(&self, x: f64, y: f64) -> f64;
}

struct Slow(std::sync::Mutex<f64>);

impl Math for Slow {
    async fn add(&self, x: f64, y: f64) -> f64 {
        let offset = self.0.lock().unwrap();
        std::future::ready(()).await;
        x + y + *offset
    }
}

struct Nothing;

fn main() {
    MathService(Nothing).into_service();
}
