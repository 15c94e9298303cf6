//! Types that are no JSON, or of which no two threads may know.

#![allow(unused)]

use msl_network_macros::service;

struct Opaque;

struct Meter;

#[service(client = false)]
impl Meter {
    fn returned(&self) -> Opaque {
        Opaque
    }

    fn taken(&self, opaque: Opaque) {
        drop(opaque);
    }

    fn defaulted(&self, #[default("one")] count: u8) -> u8 {
        count
    }
}

struct Local(std::rc::Rc<u8>);

#[service(client = false)]
impl Local {
    fn value(&self) -> u8 {
        *self.0
    }
}

fn main() {}
