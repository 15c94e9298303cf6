//! Arguments that the macro does not know.

#![allow(unused)]

use msl_network_macros::service;

struct Meter;

#[service(nme = "Meter")]
impl Meter {}

#[service]
struct NoBlock;

fn main() {}
