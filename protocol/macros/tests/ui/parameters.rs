//! Parameters that clients cannot give.

#![allow(unused)]

use msl_network_macros::service;

struct Meter;

#[service]
impl Meter {
    fn slice(&self, values: &[f64]) {}

    fn pair(&self, (x, y): (f64, f64)) {}

    fn default_first(&self, #[default(1)] x: u8, y: u8) {}

    fn rest(&self, #[args] values: [f64; 2]) {}

    #[hiden]
    fn mistyped(&self) {}
}

fn main() {}
