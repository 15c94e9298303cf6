//! Arguments that are no list.

use msl_network_protocol::author::{Call, Link};

fn calls(math: &Link) {
    let _: Call<f64> = math.call("sqrt", 2.0);
    let _: Call<f64> = math.call("mean", vec![1.0, 2.0]);
}

fn main() {}
