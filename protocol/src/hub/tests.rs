//! Whole Managers in memory: what one device says, another one hears.

mod chaos;
mod departures;
mod lines;
mod memory;
mod notifications;
mod pressure;
mod replies;
mod shutdown;
mod unfinished;
