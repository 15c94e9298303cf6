//! What an administrator can call.

use msl_network_protocol::author::{CallArguments, ServiceError};
use msl_network_protocol::json::{to_text, unquote};
use msl_network_protocol::message::{MAX_NAME, MAX_UID};
use serde::Serialize;

use super::{Answer, Desk, Mistake};
use crate::log::Level;
use crate::store::Row;
use crate::{Error, Kind, Secret};

/// What an answer has round its result, in bytes at most: the requester, the uid, and the names of the members.
const ENVELOPE: usize = MAX_NAME + MAX_UID + 128;

/// One of the methods.
pub(super) struct Method {
    /// What a client asks for.
    pub(super) attribute: &'static str,
    /// What Python calls it in errors.
    pub(super) function: &'static str,
    /// Its parameters, written as in Python.
    pub(super) signature: &'static str,
    pub(super) call: fn(&Desk<'_>, &CallArguments) -> Answer,
}

impl Method {
    /// The table that it belongs to, if to one.
    pub(super) fn table(&self) -> Option<&'static str> {
        self.attribute.split_once('.').map(|(table, _)| table)
    }

    /// The class that Python names in errors.
    pub(super) fn owner(&self) -> &'static str {
        self.function.split_once('.').map_or("Manager", |(owner, _)| owner)
    }
}

/// All there are. (`shutdown_manager` is the protocol's own affair.)
pub(super) const METHODS: [Method; 14] = [
    Method {
        attribute: "connections_table.connections",
        function: "ConnectionsTable.connections",
        signature: "(*, start: str = None, end: str = None)",
        call: connections,
    },
    Method {
        attribute: "disconnect_client",
        function: "Manager.disconnect_client",
        signature: "(network_name: str)",
        call: |desk, arguments| json(&desk.manager.disconnect(arguments.read("network_name")?)),
    },
    Method {
        attribute: "hostnames_table.delete",
        function: "HostnamesTable.delete",
        signature: "(hostname: str)",
        call: |desk, arguments| json(&desk.store.hostnames().remove(arguments.read("hostname")?, "delete")?),
    },
    Method {
        attribute: "hostnames_table.hostnames",
        function: "HostnamesTable.hostnames",
        signature: "()",
        call: |desk, _| json(&desk.store.hostnames().list()?),
    },
    Method {
        attribute: "hostnames_table.insert",
        function: "HostnamesTable.insert",
        signature: "(hostname: str)",
        call: |desk, arguments| json(&desk.store.hostnames().insert(arguments.read("hostname")?)?),
    },
    Method {
        attribute: "set_logging_level",
        function: "Network.set_logging_level",
        signature: "(level: str)",
        call: set_logging_level,
    },
    Method {
        attribute: "users_table.delete",
        function: "UsersTable.delete",
        signature: "(username: str)",
        call: |desk, arguments| json(&desk.store.users().remove(&username(arguments)?, "delete")?),
    },
    Method {
        attribute: "users_table.insert",
        function: "UsersTable.insert",
        signature: "(username: str, password: str, is_admin: bool)",
        call: insert_user,
    },
    Method {
        attribute: "users_table.is_admin",
        function: "UsersTable.is_admin",
        signature: "(username: str)",
        call: |desk, arguments| json(&desk.store.users().is_administrator(&username(arguments)?)?),
    },
    Method {
        attribute: "users_table.is_password_valid",
        function: "UsersTable.is_password_valid",
        signature: "(username: str, password: str)",
        call: is_password_valid,
    },
    Method {
        attribute: "users_table.is_user_registered",
        function: "UsersTable.is_user_registered",
        signature: "(username: str)",
        call: |desk, arguments| json(&desk.store.users().is_registered(&username(arguments)?)?),
    },
    Method {
        attribute: "users_table.update",
        function: "UsersTable.update",
        signature: "(username: str, *, password: str = None, is_admin: bool = None)",
        call: update_user,
    },
    Method {
        attribute: "users_table.usernames",
        function: "UsersTable.usernames",
        signature: "()",
        call: |desk, _| json(&desk.store.users().names()?),
    },
    Method { attribute: "users_table.users", function: "UsersTable.users", signature: "()", call: users },
];

fn insert_user(desk: &Desk<'_>, arguments: &CallArguments) -> Answer {
    let password = Secret::new(arguments.read::<String>("password")?);
    let administrator = is_admin(arguments)?.unwrap_or_default();
    json(&desk.store.users().insert(&username(arguments)?, &password, administrator)?)
}

fn update_user(desk: &Desk<'_>, arguments: &CallArguments) -> Answer {
    let password = arguments.read::<Option<String>>("password")?.map(Secret::new);
    let users = desk.store.users();
    json(&users.update(&username(arguments)?, password.as_ref(), is_admin(arguments)?)?)
}

/// The truth of a number, too, as in Python. Not of a text, though, of which Python takes `"False"` for true: nobody is made an
/// administrator by that.
fn is_admin(arguments: &CallArguments) -> Result<Option<bool>, Mistake> {
    let given = arguments.raw("is_admin").and_then(|raw| std::str::from_utf8(raw).ok());
    match given.and_then(|text| text.parse::<f64>().ok()) {
        Some(number) => Ok(Some(number != 0.0)),
        None => Ok(arguments.read("is_admin")?),
    }
}

fn is_password_valid(desk: &Desk<'_>, arguments: &CallArguments) -> Answer {
    let password: String = arguments.read("password")?;
    json(&desk.store.users().check(&username(arguments)?, &password)?.is_some())
}

fn users(desk: &Desk<'_>, _: &CallArguments) -> Answer {
    let users = desk.store.users().list()?;
    json(&users.iter().map(|user| (&user.name, user.administrator)).collect::<Vec<_>>())
}

/// A name or a number, also one in quotes, as in Python; false where it is none of these.
fn set_logging_level(desk: &Desk<'_>, arguments: &CallArguments) -> Answer {
    let given = arguments.raw("level").unwrap_or_default();
    let level = match unquote(given) {
        Some(text) => Level::parse(&text),
        None => std::str::from_utf8(given).ok().and_then(Level::parse),
    };
    if let Some(level) = level {
        desk.log.set_level(level);
    }
    json(&level.is_some())
}

/// Devices read no longer line than the longest frame, so no longer answer is made.
fn connections(desk: &Desk<'_>, arguments: &CallArguments) -> Answer {
    let (start, end): (Option<String>, Option<String>) = (arguments.read("start")?, arguments.read("end")?);
    let most = desk.manager.settings().limits.max_frame.saturating_sub(ENVELOPE);
    let mut rows = String::from("[");
    desk.store.connections().each(start.as_deref(), end.as_deref(), |row| {
        let Row { pid, datetime, ip_address, domain, port, message, user } = row;
        let row = to_text(&(pid, datetime, ip_address, domain, port, message, user));
        let row = row.map_err(|error| Error::new(Kind::Runtime, error.to_string()))?;
        if rows.len() + row.len() + 2 > most {
            let text = format!(
                "these connections are more than the {most} bytes of an answer; narrow start and end"
            );
            return Err(Error::new(Kind::Value, text));
        }
        if rows.len() > 1 {
            rows.push(',');
        }
        rows.push_str(&row);
        Ok(())
    })?;
    rows.push(']');
    Ok(rows)
}

fn username(arguments: &CallArguments) -> Result<String, Mistake> {
    Ok(arguments.read("username")?)
}

fn json<T: Serialize>(value: &T) -> Answer {
    to_text(value).map_err(|error| ServiceError::from(error).into())
}
