//! The memory that a peer holds for each connection that says nothing: identified, linked, at rest.

use crate::Failure;
use crate::arguments::MeasureArguments;
use crate::dial::Device;
use crate::peer::{Encryption, Kind, Peer, Programs};
use crate::protocol::SERVICE;
use crate::table;

/// The first ones make what a process makes once.
const FIRST: usize = 100;
const FURTHER: usize = 500;

/// Measures what is wanted, and prints it.
pub(crate) fn measure(
    arguments: &MeasureArguments,
    programs: &Programs,
    kinds: &[Kind],
) -> Result<(), Failure> {
    let rows = [("idle", Encryption::Plain), ("idle, TLS", Encryption::Tls)];
    let rows: Vec<_> = rows.into_iter().filter(|(name, _)| arguments.wants(name)).collect();
    if !rows.is_empty() {
        println!("{}", table::head("memory of a connection", kinds));
    }
    for (name, encryption) in rows {
        // Once is enough: it hardly changes from one time to the next.
        let mut cells = Vec::new();
        for kind in kinds {
            let bytes = of_one(&Peer::start(programs, *kind, encryption, &[])?)?;
            cells.push(format!("{:.1} KB", bytes / 1000.0));
        }
        println!("{}", table::row(name, &cells));
    }
    Ok(())
}

/// What a further connection takes, in bytes.
fn of_one(peer: &Peer) -> Result<f64, Failure> {
    let _service = peer.address().introduce(Device::Service(SERVICE))?;
    let mut before = 0;
    let mut connections = Vec::new();
    for number in 0..FIRST + FURTHER {
        if number == FIRST {
            before = peer.memory()?;
        }
        connections.push(peer.address().introduce(Device::Client(number, SERVICE))?);
    }
    let grown = peer.memory()?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "no machine has so much memory")]
    Ok(grown as f64 / FURTHER as f64)
}
