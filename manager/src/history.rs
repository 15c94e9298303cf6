//! What the connections table says of a connection: how its handshake went, and when it left.
//!
//! The messages are the Python Manager's where it has one, as scripts look for them. It is a table of outcomes: what the log
//! says in between is not in it.

use msl_network_protocol::connection::{Ending, Hurdle, Note, Who};
use msl_network_protocol::error::Exception;

/// The message about this note; `None` where the table does not care.
pub(crate) fn message(who: Who<'_>, note: &Note) -> Option<String> {
    let message = match note {
        Note::Identified { service: false } => "connected as a client",
        Note::Identified { service: true } => "connected as a service",
        Note::Refused { refusal, .. } if refusal.exception() == Exception::Timeout => {
            "rejected: no answer in time"
        }
        Note::Refused { hurdle, .. } => match hurdle {
            Hurdle::ManagerPassword => "rejected: wrong Manager password",
            // One message for both, as the store does not tell them apart either.
            Hurdle::Login => "rejected: wrong login password, or unregistered user",
            Hurdle::HostName => "rejected: untrusted hostname",
            Hurdle::Identity => "rejected: invalid identity",
        },
        Note::Ending(_) if who.name.is_some() => "disconnected",
        // The refusal says it already.
        Note::Ending(Ending::Refused) => return None,
        Note::Ending(Ending::Closed) => "connection closed prematurely",
        Note::Ending(ending) => return Some(format!("rejected: {ending}")),
        _ => return None,
    };
    Some(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use msl_network_protocol::error::Refusal;

    fn refused(hurdle: Hurdle, exception: Exception) -> Note {
        Note::Refused { hurdle, refusal: Refusal::new(exception, "some text") }
    }

    #[test]
    fn outcomes_read_as_in_the_python_managers_table() {
        let nobody = Who::default();
        for (note, expected) in [
            (Note::Identified { service: false }, "connected as a client"),
            (Note::Identified { service: true }, "connected as a service"),
            (refused(Hurdle::ManagerPassword, Exception::Value), "rejected: wrong Manager password"),
            (refused(Hurdle::HostName, Exception::Value), "rejected: untrusted hostname"),
            (refused(Hurdle::Identity, Exception::Key), "rejected: invalid identity"),
            (refused(Hurdle::Login, Exception::Timeout), "rejected: no answer in time"),
            (Note::Ending(Ending::Closed), "connection closed prematurely"),
        ] {
            assert_eq!(message(nobody, &note).as_deref(), Some(expected), "{note:?}");
        }
        let login = message(nobody, &refused(Hurdle::Login, Exception::Value)).unwrap();
        assert!(login.starts_with("rejected: wrong login password"), "{login}");
    }

    #[test]
    fn a_connection_is_in_the_table_once_for_each_outcome() {
        assert_eq!(message(Who::default(), &Note::Ending(Ending::Refused)), None);
        assert_eq!(message(Who::default(), &Note::UnexpectedNotification), None);
    }
}
