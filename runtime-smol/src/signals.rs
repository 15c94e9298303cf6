//! How a program is asked to end.

use std::future::{Future, pending};
use std::io;

use async_signal::{Signal, Signals};
use smol::stream::StreamExt;

/// What is listened for.
#[cfg(unix)]
const SIGNALS: [Signal; 2] = [Signal::Int, Signal::Term];
#[cfg(not(unix))]
const SIGNALS: [Signal; 1] = [Signal::Int];

/// Is ready when a person or the system asks the program to end (Ctrl+C, SIGTERM), and says by what. It counts from the call
/// on; the program then does not end by itself any more.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use msl_network_smol::{Listener, Manager, interrupted, serve};
/// # async fn example(listener: Listener, manager: Arc<Manager>) -> std::io::Result<()> {
/// let stop = interrupted()?;
/// serve(listener, manager, None, async { println!("{} received", stop.await) }).await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The system does not let this program handle signals.
pub fn interrupted() -> io::Result<impl Future<Output = &'static str> + Send + 'static> {
    let mut signals = Signals::new(SIGNALS)?;
    Ok(async move {
        match signals.next().await {
            Some(Ok(Signal::Term)) => "SIGTERM",
            Some(Ok(_)) => "SIGINT",
            // There will be none.
            Some(Err(_)) | None => pending().await,
        }
    })
}
