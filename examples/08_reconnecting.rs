//! A client that goes on when its Manager was restarted. With `msl-network run-example Heartbeat`.
//!
//! Stop the Manager and the service while it runs, which takes five seconds, and start both again: the beats go on.

use msl_network_tokio::{Error, ErrorKind, Notification, Reconnect, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let reconnect = Reconnect::default().on_change(|change| println!("{change}"));
    let heartbeat = connect(manager).trust(Trust::Save).reconnect(reconnect).linked("Heartbeat").await?;
    let mut beats = heartbeat.notifications();

    // No request is sent twice by itself. This one does no harm if it is, so it is made again until it is answered.
    while let Err(error) = heartbeat.call::<()>("set_heart_rate", (2,)).await {
        match error.kind() {
            // The Manager is not there, or is there again before the service.
            ErrorKind::Disconnected | ErrorKind::NoSuchService => heartbeat.restored().await?,
            _ => return Err(error),
        }
    }

    for _ in 0..10 {
        match beats.next().await {
            Some(Notification::Interrupted) => println!("beats are missing here"),
            Some(beat) => {
                let (count,): (u64,) = beat.args()?;
                println!("beat {count}");
            }
            None => break, // ended for good
        }
    }
    Ok(())
}
