//! The same requests by clients and a service that are written with this project's library, beside the load: what a device
//! costs in practice. The service is a process of its own, the clients are tasks of this one, both as the README advises: the
//! service as [`Connect::run`] runs it, the clients in a runtime with one thread.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use msl_network_tokio::{Connect, Json, LinkedClient, service};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::Failure;
use crate::arguments::MeasureArguments;
use crate::peer::{Kind, Peer, Programs};
use crate::protocol::SERVICE;
use crate::rates::{self, Clock, Figures};
use crate::rows::{Payload, Row, What};
use crate::table;

/// The service; it is called by its type's name, [`SERVICE`].
struct Bench;

#[service]
impl Bench {
    /// Does not block, so it needs no thread of its own.
    #[expect(clippy::unused_async, reason = "it could do more")]
    async fn echo(&self, value: Json) -> Json {
        value
    }
}

/// Serves until the connection ends.
pub(crate) fn serve(port: u16, certificate: Option<&Path>) -> Result<(), Failure> {
    let start = msl_network_tokio::start(Bench, ("localhost", port));
    let running = to(start, certificate).wait()?;
    println!("ready");
    running.ended().wait()?;
    Ok(())
}

/// Measures what is wanted with the Managers of this project, and prints it.
pub(crate) fn measure(
    arguments: &MeasureArguments,
    programs: &Programs,
    kinds: &[Kind],
) -> Result<(), Failure> {
    let rows: Vec<Row> = Row::calls().filter(|row| arguments.wants(format!("{row}, our devices"))).collect();
    let kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.is_ours()).collect();
    if rows.is_empty() || kinds.is_empty() {
        return Ok(());
    }
    println!("{}", table::head("a second; CPU time of the Manager for each", ["load", "our devices"]));
    for row in rows {
        let What::Calls { clients, open, payload } = row.what else { continue };
        for kind in &kinds {
            let peer = Peer::start(programs, *kind, row.encryption, &[])?;
            let mut rounds = Vec::new();
            for _ in 0..arguments.rounds {
                wait_for_the_name(&peer)?;
                let raw = rates::figures(&peer, row.what, arguments.duration())?;
                let ours = figures(&peer, clients, open, payload, arguments.duration())?;
                rounds.push(vec![raw, ours]);
            }
            println!("{}", table::row(format!("{row}, our devices, {kind}"), &table::rates(&rounds)));
        }
    }
    Ok(())
}

fn figures(
    peer: &Peer,
    clients: usize,
    open: usize,
    payload: Payload,
    duration: Duration,
) -> Result<Figures, Failure> {
    wait_for_the_name(peer)?;
    let _service = ServiceProcess::start(peer)?;
    let value = Json::from_text(String::from_utf8(payload.json())?).map_err(|error| format!("{error:?}"))?;
    runtime()?.block_on(async {
        let answers = Arc::new(AtomicU64::new(0));
        let mut calls = JoinSet::new();
        for _ in 0..clients {
            let client = msl_network_tokio::connect(("localhost", peer.address().port));
            let link = to(client, peer.certificate()).linked(SERVICE).await?;
            for _ in 0..open {
                calls.spawn(ask(link.clone(), value.clone(), answers.clone()));
            }
        }
        let clock = async {
            tokio::time::sleep(duration / 10).await;
            let clock = Clock::start(peer, answers.load(Ordering::Relaxed))?;
            tokio::time::sleep(duration).await;
            clock.stop(peer, answers.load(Ordering::Relaxed))
        };
        tokio::select! {
            figures = clock => figures,
            // They go on for ever, if they can.
            Some(failed) = calls.join_next() => Err(failed?.into()),
        }
    })
}

/// Waits until the service before has left: until then its name is taken.
fn wait_for_the_name(peer: &Peer) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let client = msl_network_tokio::connect(("localhost", peer.address().port));
        let client = to(client, peer.certificate()).await?;
        while !client.identities().await?.services.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

/// Of the clients.
fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Calls again and again; why it cannot go on.
async fn ask(link: LinkedClient, value: Json, answers: Arc<AtomicU64>) -> String {
    loop {
        match link.call_raw("echo", (&value,)).await {
            Ok(answer) if answer == value.as_json() => answers.fetch_add(1, Ordering::Relaxed),
            Ok(_) => return "the payload was changed".to_owned(),
            Err(error) => return error.to_string(),
        };
    }
}

/// With TLS where there is a certificate.
fn to<D>(connect: Connect<D>, certificate: Option<&Path>) -> Connect<D> {
    match certificate {
        Some(certificate) => connect.certificate(certificate),
        None => connect.disable_tls(),
    }
}

/// [`serve`] in a process of its own, which ends when this is dropped.
struct ServiceProcess(Child);

impl ServiceProcess {
    fn start(peer: &Peer) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["service", &peer.address().port.to_string()]).args(peer.certificate());
        let mut child = Self(command.stdout(Stdio::piped()).spawn()?);
        let output = child.0.stdout.take().ok_or("its output is not piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim() == "ready" { Ok(child) } else { Err("the service does not start".into()) }
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // Either may fail: it has ended then, which is all that is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
