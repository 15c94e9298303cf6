//! What a typed client cannot receive, and what an asynchronous method must not hold.

#![allow(unused)]

use msl_network_macros::service;
use msl_network_protocol::author::ServiceError;
use std::sync::Mutex;

type Measured = Result<f64, ServiceError>;

struct Meter(Mutex<f64>);

#[service]
impl Meter {
    fn volts(&self) -> Measured {
        Ok(1.0)
    }
}

struct Slow(Mutex<f64>);

#[service]
impl Slow {
    async fn volts(&self) -> f64 {
        let volts = self.0.lock().unwrap();
        std::future::ready(()).await;
        *volts
    }
}

fn main() {}
