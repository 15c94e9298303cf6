//! What an administrator can ask of a running Manager (`docs/wire.md` section 6).
//!
//! The Python Manager lets administrators read and call whatever its object has, by name. Here it is a closed list:
//! [`VALUES`] and [`METHODS`] are all there is, and no password or hash is in any answer.
//!
//! Everything here may block, as most of it works with the store; so it takes [turns](crate::turns).

mod methods;
mod values;

use bytes::Bytes;
use msl_network_protocol::author::{CallArguments, ServiceError};
use msl_network_protocol::drive::{Caller, Manager};
use msl_network_protocol::error::{Exception, Refusal};
use msl_network_protocol::json::python_repr;
use msl_network_protocol::mailbox::Notice;
use tracing::info;

use crate::log::{Control, TARGET};
use crate::program::Owed;
use crate::turns::Turns;
use crate::{Error, Kind, Store};

use methods::METHODS;
use values::VALUES;

/// Answers administrators. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Administration {
    turns: Turns,
    store: Store,
    log: Control,
}

/// What a method works with.
struct Desk<'a> {
    store: &'a Store,
    log: &'a Control,
    manager: &'a Manager,
}

/// What a method gives: JSON.
type Answer = Result<String, Mistake>;

/// Why it gives nothing.
enum Mistake {
    /// The arguments are wrong.
    Arguments(ServiceError),
    /// The store refused, or failed.
    Store(Error),
}

impl Administration {
    pub(crate) fn new(turns: Turns, store: Store, log: Control) -> Self {
        Self { turns, store, log }
    }

    /// Does what an administrator asks for, and tells the outcome.
    pub(crate) fn administer(&self, caller: Caller<'_>, attribute: String, args: Bytes, kwargs: Bytes) {
        let user = caller.who.user.unwrap_or_default();
        let (what, user) = (python_repr(&attribute), python_repr(user));
        info!(target: TARGET, "{caller} requested {what} as the administrator {user}");
        let unanswered = Refusal::new(Exception::Runtime, "the Manager failed to answer; its log says why");
        let owed = Owed::new(caller.mailbox, Notice::Administered(Err(unanswered)));
        let (this, manager) = (self.clone(), caller.manager.clone());
        self.turns.run(
            caller.ip.into(),
            // Also for one that does not stay to hear the answer: it asked for it.
            || true,
            Box::new(move || {
                let desk = Desk { store: &this.store, log: &this.log, manager: &manager };
                owed.pay(Notice::Administered(desk.answer(&attribute, &args, &kwargs)));
            }),
        );
    }
}

impl Desk<'_> {
    fn answer(&self, attribute: &str, args: &Bytes, kwargs: &Bytes) -> Result<String, Refusal> {
        // As in Python, a value takes no notice of arguments.
        if let Some((_, value)) = VALUES.iter().find(|(name, _)| *name == attribute) {
            return Ok(value(self.manager));
        }
        let Some(method) = METHODS.iter().find(|method| method.attribute == attribute) else {
            return Err(unknown(attribute));
        };
        let arguments = CallArguments::new(method.function, method.signature, args, kwargs);
        let answer = arguments.map_err(Mistake::from).and_then(|arguments| (method.call)(self, &arguments));
        answer.map_err(Refusal::from)
    }
}

/// The error for an attribute that is not on the list, as Python words it: it names the first part that is not there.
fn unknown(attribute: &str) -> Refusal {
    let (first, rest) = attribute.split_once('.').unwrap_or((attribute, ""));
    let table = METHODS.iter().find(|method| method.table() == Some(first));
    let (owner, missing) = match table {
        Some(method) if !rest.is_empty() => (method.owner(), rest.split('.').next().unwrap_or(rest)),
        _ => ("Manager", first),
    };
    Refusal::new(Exception::Attribute, format!("'{owner}' object has no attribute {}", python_repr(missing)))
}

impl From<ServiceError> for Mistake {
    fn from(error: ServiceError) -> Self {
        Self::Arguments(error)
    }
}

impl From<Error> for Mistake {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Mistake> for Refusal {
    fn from(mistake: Mistake) -> Self {
        match mistake {
            Mistake::Arguments(error) => {
                let exception =
                    if error.exception() == "TypeError" { Exception::Type } else { Exception::Runtime };
                Self::new(exception, error.text().to_owned())
            }
            Mistake::Store(error) if error.kind() == Kind::Value => {
                Self::new(Exception::Value, error.text().to_owned())
            }
            Mistake::Store(error) => Self::new(Exception::Runtime, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
