//! The command `run-example`: a service of `msl-network-examples`, or its client.

use std::process::ExitCode;

use futures_lite::future::or;
use msl_network_examples::Example;

use crate::arguments::{ConnectArguments, RunExampleArguments};
use crate::device::{address, client, credentials, interrupted, reach, run as run_device};
use crate::output::{Failure, print};

/// Runs `run-example`.
pub(crate) fn run(arguments: &RunExampleArguments) -> ExitCode {
    let connection = &arguments.connection;
    match arguments.example {
        None => list(),
        Some(example) if arguments.client => {
            run_device(connection.runtime, async { Ok(example.client(client(connection)?).await?) })
        }
        Some(example) => run_device(connection.runtime, serve(example, connection)),
    }
}

fn list() -> ExitCode {
    for example in Example::ALL {
        print(format_args!("{:<18} {}", example.name(), example.about()));
    }
    ExitCode::SUCCESS
}

/// Serves until Ctrl+C, or until the connection has ended.
async fn serve(example: Example, connection: &ConnectArguments) -> Result<(), Failure> {
    // One for both waits, and listened to before anybody is told of Ctrl+C.
    let mut interrupted = interrupted(connection.runtime)?;
    let credentials = credentials(connection)?;
    let start =
        |service| reach(connection.runtime.start(service, address(connection)), connection, &credentials);
    let ended = async {
        (&mut interrupted).await;
        None
    };
    let Some(running) = or(ended, async { Some(example.start(start).await) }).await else { return Ok(()) };
    let running = running?;
    print(format_args!("{} is connected with {}; Ctrl+C ends it", running.name(), running.manager()));
    let lost = async { Err(running.ended().await) };
    or(lost, async {
        interrupted.await;
        Ok(())
    })
    .await?;
    running.shut_down().await;
    Ok(())
}
