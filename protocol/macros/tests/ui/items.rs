//! Items that cannot be attributes.

#![allow(unused)]

use msl_network_macros::service;

struct Meter;

#[service]
impl Meter {
    fn reset() {}

    fn set(&mut self, volts: f64) {}

    fn any<T>(&self, value: T) {}

    fn read(&self) -> f64 {
        0.0
    }

    #[name = "read"]
    fn read_again(&self) -> f64 {
        0.0
    }

    #[property]
    async fn volts(&self) -> f64 {
        0.0
    }
}

fn main() {}
