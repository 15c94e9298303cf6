//! The commands that are clients: `call`, `identities`, `listen`; and how a device reaches its Manager.
//!
//! What is asked of a person is asked on the terminal, and nowhere else: a script gets an error instead.

use std::io::{self, BufRead, IsTerminal};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures_lite::future::or;
use msl_network_protocol::author::{
    Arguments, BoxFuture, Call, Client, Connect, Link, NewClient, Notification, Trust, UnknownCertificate,
};
use msl_network_protocol::device::{Credentials, Error, ErrorKind, Prompt};
use msl_network_protocol::{json, terminal};

use crate::arguments::{
    CallArguments, ClientArguments, ConnectArguments, IdentitiesArguments, ListenArguments,
};
use crate::output::{Failure, ask, end, show, tell};
use crate::password::of_device;
use crate::runtime::Runtime;

/// How often `listen` asks whether its service is still there: a Manager does not say when one has gone.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Runs `call`.
pub(crate) fn call(arguments: &CallArguments) -> ExitCode {
    let ClientArguments { json, connection } = &arguments.client;
    as_client(connection, async |client| {
        let link = within(client.link(&arguments.service), connection).await?;
        let call = link.call_raw(&arguments.attribute, read(&arguments.arguments));
        let result = within(call, connection).await?;
        Ok(show(if *json { result } else { readable(&result) })?)
    })
}

/// Runs `identities`.
pub(crate) fn identities(arguments: &IdentitiesArguments) -> ExitCode {
    let ClientArguments { json, connection } = &arguments.client;
    as_client(connection, async |client| {
        Ok(show(if *json {
            let call = client.admin_request::<Box<serde_json::value::RawValue>>("identity", ());
            within(call, connection).await?.to_string()
        } else {
            within(client.identities(), connection).await?.to_string()
        })?)
    })
}

/// Runs `listen`.
pub(crate) fn listen(arguments: &ListenArguments) -> ExitCode {
    let ClientArguments { json, connection } = &arguments.client;
    as_client(connection, async |client| {
        let link = within(client.link(&arguments.service), connection).await?;
        let mut notifications = link.notifications();
        // One each for all rounds: between two, a signal would be lost.
        let mut interrupted = interrupted(connection.runtime)?;
        let mut gone = pin!(gone(&link, connection));
        loop {
            let notification = async { Ok(Some(notifications.next().await)) };
            let ended = async {
                (&mut interrupted).await;
                Ok(None)
            };
            let gone = async { Err((&mut gone).await) };
            let Some(notification) = or(ended, or(notification, gone)).await? else { return Ok(()) };
            match notification {
                Some(Notification::Received { args, kwargs }) => {
                    let (args, kwargs) = (String::from_utf8_lossy(&args), String::from_utf8_lossy(&kwargs));
                    show(if *json {
                        format!("{{\"args\": {args}, \"kwargs\": {kwargs}}}")
                    } else {
                        format!("{args} {kwargs}")
                    })?;
                }
                Some(Notification::Lost(count)) => tell(format_args!("{count} notifications were lost")),
                Some(Notification::Interrupted) => {
                    tell(format_args!("the connection was lost, and is restored"));
                }
                None => return Err(client.ended().await.into()),
            }
        }
    })
}

/// Connects with the Manager, does what a command is for, and leaves.
fn as_client(
    connection: &ConnectArguments,
    command: impl AsyncFnOnce(&Client) -> Result<(), Failure>,
) -> ExitCode {
    run(connection.runtime, async {
        let client = client(connection)?.await?;
        command(&client).await?;
        disconnect(&client, connection).await;
        Ok(())
    })
}

/// Is ready when the service of a link is there no more. Another one of the same name is not linked.
async fn gone(link: &Link, connection: &ConnectArguments) -> Error {
    loop {
        connection.runtime.sleep(LOOK_EVERY).await;
        let services = match within(link.client().identities(), connection).await {
            Ok(identities) => identities.services,
            Err(error) => return error,
        };
        let name = link.service_name();
        if services.get(name).is_none_or(|service| service.address != link.service_address()) {
            return Error::new(ErrorKind::NotLinked, format!("the service '{name}' has gone"));
        }
    }
}

/// A call that has the time that was given for answers.
fn within<T>(call: Call<T>, connection: &ConnectArguments) -> Call<T> {
    match connection.timeout {
        Some(timeout) => call.timeout(timeout.duration()),
        None => call,
    }
}

/// Ends the connection. All has been shown by then, so a Manager that does not answer in time is left without.
async fn disconnect(client: &Client, connection: &ConnectArguments) {
    let ended = client.disconnect();
    let ended = async { drop(ended.await) };
    match connection.timeout {
        Some(timeout) => or(ended, connection.runtime.sleep(timeout.duration())).await,
        None => ended.await,
    }
}

/// Runs a command to its end; an error goes to standard error.
pub(crate) fn run(runtime: Runtime, command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    match runtime.block_on(command) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => failure.end(),
        Err(error) => end(Err(format!("OSError: cannot start the runtime: {error}"))),
    }
}

/// The wish of a person, or of the system, that the command ends; from now on.
pub(crate) fn interrupted(runtime: Runtime) -> Result<BoxFuture<&'static str>, Error> {
    runtime.interrupted().map_err(|error| Error::new(ErrorKind::Io, error.to_string()))
}

/// A client that is about to be connected.
///
/// # Errors
/// As [`credentials`].
pub(crate) fn client(arguments: &ConnectArguments) -> Result<Connect<NewClient>, Failure> {
    let device = arguments.runtime.connect(address(arguments)).name(&arguments.name);
    Ok(reach(device, arguments, &credentials(arguments)?))
}

/// Where the Manager is.
pub(crate) fn address(arguments: &ConnectArguments) -> (&str, u16) {
    (&arguments.host, arguments.port)
}

/// What the flags say of who it is.
///
/// # Errors
/// A password is empty, or in a file that cannot be read.
pub(crate) fn credentials(arguments: &ConnectArguments) -> Result<Credentials, Failure> {
    let text = |words: &Option<Vec<String>>, flag| -> Result<Option<String>, Failure> {
        Ok(of_device(words.as_deref(), flag)?.map(|secret| secret.expose().to_owned()))
    };
    Ok(Credentials {
        username: arguments.username.clone(),
        password: text(&arguments.password, "--password")?,
        manager_password: text(&arguments.manager_password, "--manager-password")?,
    })
}

/// A device that knows its way to the Manager.
pub(crate) fn reach<D>(
    device: Connect<D>,
    arguments: &ConnectArguments,
    credentials: &Credentials,
) -> Connect<D> {
    let mut device = device
        .check_host_name(!arguments.any_host_name)
        .trust(if arguments.auto_save { Trust::Save } else { Trust::ask(is_trusted) })
        .on_prompt(answer);
    device = given(device, credentials.username.as_ref(), |device, name| device.username(name));
    device = given(device, credentials.password.as_ref(), |device, text| device.password(text));
    device =
        given(device, credentials.manager_password.as_ref(), |device, text| device.manager_password(text));
    device = given(device, arguments.cert_file.as_ref(), |device, path| device.certificate(path));
    if let Some(timeout) = arguments.timeout {
        device = device.timeout(timeout.duration());
    }
    if arguments.disable_tls { device.disable_tls() } else { device }
}

fn given<D, T>(
    device: Connect<D>,
    value: Option<&T>,
    set: impl FnOnce(Connect<D>, &T) -> Connect<D>,
) -> Connect<D> {
    match value {
        Some(value) => set(device, value),
        None => device,
    }
}

/// Arguments as a person types them: `KEY=VALUE`, or a value.
fn read(texts: &[String]) -> Arguments {
    texts.iter().fold(Arguments::new(), |arguments, text| match text.split_once('=') {
        Some((key, value)) if is_identifier(key) => arguments.with_json(key, value_of(value)),
        _ => arguments.and_json(value_of(text)),
    })
}

fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|character| character == '_' || character.is_alphanumeric())
}

/// A literal of Python or of JSON; anything else is text.
fn value_of(text: &str) -> String {
    terminal::literal(text).unwrap_or_else(|| json::quote(text))
}

/// A result to be read by a person: a text without its quotes, anything else as it came.
fn readable(result: &str) -> String {
    json::unquote(result.as_bytes()).map_or_else(|| result.to_owned(), std::borrow::Cow::into_owned)
}

/// Asks on the terminal for what the Manager wants to know.
fn answer(prompt: &Prompt) -> Option<String> {
    if !io::stdin().is_terminal() {
        return None;
    }
    match prompt {
        Prompt::Username { manager } => answer_to(&format!("Username for {manager}: ")),
        Prompt::Password { username } => rpassword::prompt_password(format!("Password of {username}: ")).ok(),
        Prompt::ManagerPassword { manager } => {
            rpassword::prompt_password(format!("Password of {}: ", json::escaped(manager))).ok()
        }
    }
}

/// Shows a certificate that is not known, and asks whether to trust it from now on.
fn is_trusted(unknown: &UnknownCertificate) -> bool {
    let UnknownCertificate { host, fingerprint, .. } = unknown;
    tell(format_args!("The certificate of {host} is not known. Its SHA-256 fingerprint is\n{fingerprint}"));
    if !io::stdin().is_terminal() {
        tell(
            "Without a terminal nobody can be asked: --auto-save trusts it, or --cert-file FILE another one",
        );
        return false;
    }
    answer_to("Trust it from now on (y/n)? ").is_some_and(|answer| answer.trim().eq_ignore_ascii_case("y"))
}

fn answer_to(question: &str) -> Option<String> {
    ask(question);
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
