//! A Manager in a tokio program that has something else to do, too: here a web server, made with axum.
//!
//! `manager_beside_axum [PORT [WEB_PORT]]`. `GET /` shows who is connected, `POST /stop` ends both, and so does Ctrl+C. It lets
//! everybody on this computer in, without TLS: `msl-network start` does more, with the crate `msl-network-manager`.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use msl_network_protocol::connection::Action;
use msl_network_protocol::device::LANGUAGE;
use msl_network_protocol::drive::{Caller, Host};
use msl_network_protocol::limits::Limits;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};
use msl_network_tokio::{Listener, Manager, interrupted, serve};
use tokio::net::TcpListener;

const HOST: &str = "127.0.0.1";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut ports = std::env::args().skip(1).map(|port| port.parse::<u16>());
    let listener = Listener::bind(Some(HOST), ports.next().unwrap_or(Ok(1875))?).await?;
    let web = TcpListener::bind((HOST, ports.next().unwrap_or(Ok(8080))?)).await?;
    // Before anybody knows of the ports, so that no signal is missed.
    let interrupted = interrupted()?;

    let (port, os) = (listener.port(), std::env::consts::OS.into());
    let identity = ManagerIdentity { hostname: HOST.into(), port, language: LANGUAGE.into(), os };
    println!("{} is running, and shown at http://{}", identity.network_name(), web.local_addr()?);
    let settings = Settings::new(identity, Authentication::None, Limits::default());
    let manager = Manager::new(settings, Box::new(Duties));

    let pages = Router::new().route("/", get(who_is_there)).route("/stop", post(stop));
    let pages = pages.with_state(manager.clone());
    // Whoever tells the Manager to end, the web server ends with it.
    let ending = manager.clone();
    let shown = axum::serve(web, pages).with_graceful_shutdown(async move { ending.shutting_down().await });
    let served = serve(listener, manager, None, async {
        interrupted.await;
    });
    let (shown, ()) = tokio::join!(shown.into_future(), served);
    Ok(shown?)
}

async fn who_is_there(State(manager): State<Arc<Manager>>) -> String {
    let census = manager.broker(|broker| broker.census());
    census.to_json(&manager.settings().identity)
}

async fn stop(State(manager): State<Arc<Manager>>) {
    manager.shut_down();
}

/// What this program does for its Manager. It must not block: what may is to be done in a task.
struct Duties;

impl Host for Duties {
    fn act(&self, caller: Caller<'_>, action: Action) {
        if let Action::Note(note) = &action {
            println!("{caller} {note}");
        }
        if let Some(answer) = action.plain_answer(caller.ip) {
            caller.mailbox.tell(answer);
        }
    }
}
