//! Notifications as they come. With `msl-network run-example Heartbeat`.

use msl_network_tokio::{Error, Notification, Trust, connect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let manager = std::env::args().nth(1).unwrap_or_else(|| "localhost".into());
    let heartbeat = connect(manager).trust(Trust::Save).await?.link("Heartbeat").await?;
    let mut beats = heartbeat.notifications();
    heartbeat.call::<()>("set_heart_rate", (10,)).await?;

    while let Some(beat) = beats.next().await {
        if let Notification::Lost(count) = beat {
            println!("{count} beats were lost, since they were not read in time");
            continue;
        }
        let (count,): (u64,) = beat.args()?;
        println!("beat {count}");
        if count >= 10 {
            break;
        }
    }
    heartbeat.call("reset", ()).await
}
