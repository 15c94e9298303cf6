//! How a program is asked to end.

use std::future::Future;
use std::io;

/// Is ready when a person or the system asks the program to end (Ctrl+C, SIGTERM), and says by what. It counts from the call
/// on, which has to be on a tokio runtime; the program then does not end by itself any more.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use msl_network_tokio::{Listener, Manager, interrupted, serve};
/// # async fn example(listener: Listener, manager: Arc<Manager>) -> std::io::Result<()> {
/// let stop = interrupted()?;
/// serve(listener, manager, None, async { println!("{} received", stop.await) }).await;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The system does not let this program handle signals.
#[cfg(unix)]
pub fn interrupted() -> io::Result<impl Future<Output = &'static str> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

/// Is ready when a person asks the program to end (Ctrl+C, Ctrl+Break), and says by what. It counts from the call on, which has
/// to be on a tokio runtime; the program then does not end by itself any more.
///
/// # Errors
/// The system does not let this program handle them.
#[cfg(windows)]
pub fn interrupted() -> io::Result<impl Future<Output = &'static str> + Send + 'static> {
    use tokio::signal::windows::{ctrl_break, ctrl_c};

    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "Ctrl+C",
            _ = stop.recv() => "Ctrl+Break",
        }
    })
}
