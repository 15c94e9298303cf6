//! The people and passwords of a test's Manager, in place of a store: what a Manager's host answers without one.
//!
//! Two users, the ones of the recorded transcripts: `ada` with the password `engine` is an administrator, `bob` with
//! `builder` is not. Of an administrator's requests those are answered that the transcripts make.

use std::sync::Arc;

use msl_network_protocol::connection::{Action, Credentials, Verdict};
use msl_network_protocol::drive::{Caller, Host, Manager};
use msl_network_protocol::error::{Exception, Refusal};
use msl_network_protocol::limits::Limits;
use msl_network_protocol::mailbox::Notice;
use msl_network_protocol::settings::{Authentication, ManagerIdentity, Settings};
use serde_json::{Value, json};

use crate::program;

/// Name, password, and whether it is an administrator.
const USERS: [(&str, &str, bool); 2] = [("ada", "engine", true), ("bob", "builder", false)];

/// The names of Python's logging levels.
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Who may do what.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// The Manager's password, where devices have to know it.
    pub password: Option<String>,
    /// The name of the computer that every device is on; the host's own answer counts without one.
    pub host: Option<String>,
}

impl Accounts {
    /// The answer to what a connection asks for; none for what needs none.
    pub fn answer(&self, action: &Action) -> Option<Notice> {
        match action {
            Action::LookUpHost => self.host.as_deref().map(|host| Notice::HostName(host.into())),
            Action::Check(credentials) => Some(Notice::Checked(self.check(credentials))),
            Action::Administer { attribute, args, .. } => {
                let args = serde_json::from_slice(args).expect("the arguments of a request are JSON");
                Some(Notice::Administered(administer(attribute, &args).map(|result| result.to_string())))
            }
            Action::ShutDown | Action::Note(_) => None,
        }
    }

    fn check(&self, credentials: &Credentials) -> Verdict {
        let user = match credentials {
            Credentials::ManagerPassword(given) if self.password.as_ref() == Some(given) => {
                return Verdict::Accepted { administrator: false };
            }
            Credentials::ManagerPassword(_) => return refused("Wrong Manager password"),
            Credentials::Login { username, password } => {
                USERS.iter().find(|user| (user.0, user.1) == (username, password))
            }
            Credentials::HostName => None,
        };
        match user {
            Some(&(_, _, administrator)) => Verdict::Accepted { administrator },
            None => refused("Unregistered user, or Wrong login password"),
        }
    }
}

/// Accounts alone are a Manager's host that keeps nothing and never shuts down.
impl Host for Accounts {
    fn act(&self, caller: Caller<'_>, action: Action) {
        if let Some(notice) = self.answer(&action) {
            caller.mailbox.tell(notice);
        }
    }
}

/// A Manager that lets everybody in and keeps nothing, for a listener on this port.
pub fn manager(port: u16) -> Arc<Manager> {
    let (hostname, language, os) = (program::host_name(), "Rust".to_owned(), "any".to_owned());
    let identity = ManagerIdentity { hostname, port, language, os };
    let accounts = Accounts { password: None, host: Some(program::host_name()) };
    let settings = Settings::new(identity, Authentication::None, Limits::default());
    Manager::new(settings, Box::new(accounts))
}

fn refused(text: &'static str) -> Verdict {
    Verdict::Refused(Refusal::new(Exception::Value, text))
}

fn administer(attribute: &str, args: &Value) -> Result<Value, Refusal> {
    let user = || USERS.iter().find(|user| args[0] == user.0);
    match attribute {
        "users_table.usernames" => Ok(json!(USERS.map(|(name, ..)| name))),
        "users_table.is_user_registered" => Ok(json!(user().is_some())),
        "users_table.is_admin" => Ok(json!(user().is_some_and(|user| user.2))),
        "set_logging_level" => Ok(json!(LEVELS.iter().any(|level| args[0] == *level))),
        _ => {
            let first = attribute.split('.').next().unwrap_or_default();
            let text = format!("'Manager' object has no attribute '{first}'");
            Err(Refusal::new(Exception::Attribute, text))
        }
    }
}
