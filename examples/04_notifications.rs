//! Notifications as they come. With `msl-network run-example Heartbeat`.

use msl_network_tokio::{Error, Notification, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let heartbeat = connect(manager).trust(Trust::Save).linked("Heartbeat").await?;
    let mut beats = heartbeat.notifications();
    heartbeat.call::<()>("set_heart_rate", (10,)).await?;

    for _ in 0..10 {
        match beats.next().await {
            Some(Notification::Lost(count)) => println!("{count} beats were lost, unread"),
            Some(beat) => {
                let (count,): (u64,) = beat.args()?;
                println!("beat {count}");
            }
            None => break, // the link has ended
        }
    }
    heartbeat.call("reset", ()).await
}
