//! `msl-network start`: from the arguments to a Manager that serves.
//!
//! The order matters: the log comes first, so that every later error is in it too; what can be refused without touching
//! a file comes before keys and certificates are made.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use msl_network_manager::certificate::Subject;
use msl_network_manager::config::{self, TlsFiles};
use msl_network_manager::log::{Level, TARGET};
use msl_network_manager::secret::Given;
use msl_network_manager::store::ConnectionLog;
use msl_network_manager::{
    Authentication, Computer, Config, Error, Home, Kind, Log, Secret, Store, Tls, key, tls,
};
use tracing::{debug, error, info, warn};

use crate::arguments::{DatabaseArguments, StartArguments};
use crate::output::end;
use crate::password;
use crate::serve::{self, Serve};

/// Runs the command to its end.
pub(crate) fn run(arguments: StartArguments) -> ExitCode {
    let (log, home) = match start_log(&arguments) {
        Ok(started) => started,
        Err(error) => return end(Err(error)),
    };
    // The log has been told of an error already, a person not yet.
    end(start(arguments, log, &home))
}

fn start_log(arguments: &StartArguments) -> Result<(Log, Home), Error> {
    let home = Home::find()?;
    let file = arguments.log_file.clone().unwrap_or_else(|| Log::default_file(&home));
    // A level that is wrong is refused once it can be logged.
    let level = Level::parse(&arguments.log_level).unwrap_or_default();
    Ok((Log::start(level, arguments.log_format.into(), &file)?, home))
}

fn start(arguments: StartArguments, log: Log, home: &Home) -> Result<(), Error> {
    let outcome = prepare(arguments, &log, home).and_then(serve::serve);
    if let Err(error) = &outcome {
        error!(target: TARGET, "{error}");
    }
    // What is queued is written here, before the message on standard error.
    drop(log);
    outcome
}

/// All that must be known and made before the Manager can listen.
fn prepare(arguments: StartArguments, log: &Log, home: &Home) -> Result<Serve, Error> {
    let computer = Computer::inspect();
    debug!(target: TARGET, "{}, {}, {} bytes of memory", computer.os, computer.language, computer.memory);
    let runtime = arguments.runtime;
    let (database, history) = (arguments.authentication.database.clone(), arguments.history.limits());
    let config = configure(arguments, &computer, log)?;
    let store = open(&database, &config.authentication)?;
    let tls = match &config.tls {
        Tls::Disabled => None,
        Tls::Enabled(named) => {
            let host = config.host.as_deref();
            let files = tls::Files::choose(named, home, host);
            let password = key_password(&files.key, named.key_password.as_ref())?;
            let server = files
                .server_config(password.as_ref(), || Subject::this_computer(&computer.host_name, host))?;
            info!(target: TARGET, "loaded certificate {}", files.certificate.display());
            Some(server)
        }
    };
    info!(target: TARGET, "{}", match config.authentication {
        Authentication::None => "not using authentication",
        Authentication::Password(_) => "using a password for authentication",
        Authentication::Login => "using a login for authentication",
        Authentication::HostNames => "using trusted hosts for authentication",
    });
    let connections = Arc::new(ConnectionLog::start(store.clone(), history)?);
    Ok(Serve { config, computer, tls, runtime, store, connections, log: log.control() })
}

fn configure(arguments: StartArguments, computer: &Computer, log: &Log) -> Result<Config, Error> {
    let log_level = Level::parse(&arguments.log_level).ok_or_else(|| {
        Error::new(Kind::Value, format!("Cannot set logging level to '{}'", arguments.log_level))
    })?;
    let port = config::port(&arguments.port)?;
    let host = arguments.host.as_deref().map(config::host).transpose()?;
    let authentication = authentication(&arguments)?;
    let limits = arguments.limits.limits(computer);
    config::check(&limits)?;
    if let Some(asked) = arguments.limits.too_many_connections(computer) {
        let allowed = computer.connections;
        warn!(target: TARGET, "{asked} connections were asked for, and the file descriptors allow {allowed}");
    }
    let tls = if arguments.disable_tls {
        Tls::Disabled
    } else {
        let key_password = of_flag(arguments.tls.key_file_password.as_deref(), "--key-file-password")?;
        Tls::Enabled(TlsFiles {
            certificate: arguments.tls.cert_file,
            key: arguments.tls.key_file,
            key_password,
        })
    };
    let log_file = Some(log.path().to_owned());
    Ok(Config { host, port, authentication, tls, log_level, log_file, limits })
}

fn authentication(arguments: &StartArguments) -> Result<Authentication, Error> {
    let given = &arguments.authentication;
    let password = of_flag(given.auth_password.as_deref(), "--auth-password")?;
    Authentication::choose(password, given.auth_login, given.auth_hostname)
}

/// Opens the database, and looks whether anybody could get in.
fn open(database: &DatabaseArguments, authentication: &Authentication) -> Result<Store, Error> {
    let store = database.open()?;
    info!(target: TARGET, "loaded the database {}", store.path().display());
    match authentication {
        Authentication::Login if store.users().is_empty()? => Err(Error::new(
            Kind::Plain,
            "The 'auth_users' table is empty, no one could log in\n\
             To add a user to the 'auth_users' table run the \"msl-network user\" command",
        )),
        Authentication::HostNames if store.hostnames().is_empty()? => {
            // Not an error: computers can be added while it runs.
            warn!(target: TARGET, "no computer is trusted, nobody can connect; run \"msl-network hostname\"");
            Ok(store)
        }
        _ => Ok(store),
    }
}

fn of_flag(words: Option<&[String]>, flag: &str) -> Result<Option<Secret>, Error> {
    let Some(words) = words else { return Ok(None) };
    let (secret, given) = Secret::from_words(words)?;
    if given == Given::Typed {
        warn!(target: TARGET, "{}", password::was_typed(flag));
    }
    Ok(Some(secret))
}

/// The password that the private key is read or made with: the given one, or one that is asked for.
fn key_password(path: &Path, given: Option<&Secret>) -> Result<Option<Secret>, Error> {
    let Some(given) = given else { return password::ask_for_key(path) };
    if key::is_encrypted(path)? == Some(false) {
        // Not an error: scripts give one to the Python program, which does not mind.
        warn!(target: TARGET, "the private key '{}' is not encrypted, and needs no password", path.display());
        return Ok(None);
    }
    Ok(Some(given.clone()))
}
