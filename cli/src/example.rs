//! The command `run-example`: a service of `msl-network-examples`, or its client.

use std::pin::pin;
use std::process::ExitCode;

use msl_network_examples::Example;
use msl_network_tokio::start;

use crate::arguments::{ConnectArguments, RunExampleArguments};
use crate::device::{address, client, reach, run as run_device};
use crate::output::{Failure, print};

/// Runs `run-example`.
pub(crate) fn run(arguments: &RunExampleArguments) -> ExitCode {
    let connection = &arguments.connection;
    match arguments.example {
        None => list(),
        Some(example) if arguments.client => {
            run_device(async { Ok(example.client(client(connection)).await?) })
        }
        Some(example) => run_device(serve(example, connection)),
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
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let running = tokio::select! {
        biased;
        _ = &mut interrupted => return Ok(()),
        running = example.start(|service| reach(start(service, address(connection)), connection)) => running?,
    };
    print(format_args!("{} is connected with {}; Ctrl+C ends it", running.name(), running.manager()));
    tokio::select! {
        error = running.ended() => return Err(error.into()),
        _ = interrupted => {}
    }
    running.shut_down().await;
    Ok(())
}
