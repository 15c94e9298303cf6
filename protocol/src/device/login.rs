//! A device's side of the handshake (docs/wire.md, section 4), and of a login in the middle of a session.

use alloc::borrow::Cow;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use core::fmt;

use super::{Error, ErrorKind};
use crate::error::Refusal;
use crate::frame::{Frame, Key, Rope};
use crate::json;
use crate::message;
use crate::name::looks_like_manager;

/// What a device answers when the Manager asks who it is allowed to be. What is missing is asked of the author.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The username, for a Manager that asks for a login.
    pub username: Option<String>,
    /// That user's password.
    pub password: Option<String>,
    /// The Manager's own password.
    pub manager_password: Option<String>,
}

/// Passwords never show themselves.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Something that the author has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// A username for this Manager.
    Username {
        /// The Manager's network name.
        manager: String,
    },
    /// A user's password.
    Password {
        /// The user.
        username: String,
    },
    /// The Manager's password.
    ManagerPassword {
        /// The Manager's network name.
        manager: String,
    },
}

impl Prompt {
    /// The end of a connection whose author has no answer.
    pub(crate) fn unanswered(&self) -> Error {
        let what = match self {
            Self::Username { manager } => format!("{manager} asks for a username"),
            Self::Password { username } => format!("the Manager asks for the password of {username}"),
            Self::ManagerPassword { manager } => format!("{manager} asks for its password"),
        };
        Error::new(ErrorKind::Login, format!("{what}, and none was given"))
    }
}

/// What the Manager asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Identity,
    Credential(Prompt),
}

impl Asked {
    /// Reads a request of the Manager to a device; `None` if the frame is none.
    pub(crate) fn read(frame: &Frame) -> Option<Self> {
        if frame.member(Key::Service).is_some() || frame.member(Key::Result).is_some() {
            return None;
        }
        let args = frame.raw(Key::Args).and_then(|raw| json::elements(&raw)).unwrap_or_default();
        let argument =
            args.first().and_then(|raw| json::unquote(raw).map(Cow::into_owned)).unwrap_or_default();
        match message::text(frame, Key::Attribute)?.as_str() {
            "identity" => Some(Self::Identity),
            "username" => Some(Self::Credential(Prompt::Username { manager: argument })),
            "password" if looks_like_manager(&argument) => {
                Some(Self::Credential(Prompt::ManagerPassword { manager: argument }))
            }
            "password" => Some(Self::Credential(Prompt::Password { username: argument })),
            _ => None,
        }
    }
}

/// What a device knows of its login.
///
/// Easy to get wrong: what a person types may be mistyped. It is remembered only once the Manager has accepted it.
#[derive(Debug)]
pub(crate) struct Login {
    credentials: Credentials,
    /// What the author was asked for and has said, until the Manager has accepted it.
    typed: Credentials,
    /// Asked of the author, in order.
    prompts: VecDeque<Prompt>,
}

impl Login {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, typed: Credentials::default(), prompts: VecDeque::new() }
    }

    /// What is known by now, for another connection.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// The answer, where it is known already; otherwise the author is to be asked.
    pub(crate) fn answer(&mut self, prompt: Prompt, manager: &str) -> Result<Rope, Prompt> {
        let known = match prompt {
            Prompt::Username { .. } => &self.credentials.username,
            Prompt::Password { .. } => &self.credentials.password,
            Prompt::ManagerPassword { .. } => &self.credentials.manager_password,
        };
        if let Some(text) = known {
            Ok(handshake_reply(json::quote(text), manager))
        } else {
            self.prompts.push_back(prompt.clone());
            Err(prompt)
        }
    }

    /// The author's answer to the oldest prompt.
    pub(crate) fn typed(&mut self, text: String, manager: &str) -> Option<Rope> {
        let line = handshake_reply(json::quote(&text), manager);
        let typed = match self.prompts.pop_front()? {
            Prompt::Username { .. } => &mut self.typed.username,
            Prompt::Password { .. } => &mut self.typed.password,
            Prompt::ManagerPassword { .. } => &mut self.typed.manager_password,
        };
        *typed = Some(text);
        Some(line)
    }

    /// The author has no answer to the oldest prompt. The Manager waits for one all the same, and gets an empty one.
    pub(crate) fn unanswered(&mut self, manager: &str) -> Option<Rope> {
        self.prompts.pop_front().map(|_| handshake_reply(String::from("\"\""), manager))
    }

    /// The Manager has accepted what was typed: it is remembered for the next login.
    pub(crate) fn accepted(&mut self) {
        let Credentials { username, password, manager_password } = core::mem::take(&mut self.typed);
        let known = &mut self.credentials;
        for (known, typed) in [
            (&mut known.username, username),
            (&mut known.password, password),
            (&mut known.manager_password, manager_password),
        ] {
            if typed.is_some() {
                *known = typed;
            }
        }
    }

    /// The Manager has refused what was typed: the author is asked again next time.
    pub(crate) fn rejected(&mut self) {
        self.typed = Credentials::default();
    }
}

/// A device's answer to the Manager, with its line end. `result` is JSON.
pub(crate) fn handshake_reply(result: String, manager: &str) -> Rope {
    message::answer(manager, result, b"\"\"")
}

/// The refusal in an error of the Manager, as it came.
pub(crate) fn refusal_text(frame: &Frame) -> String {
    let raw = frame.raw(Key::Message);
    let text = raw.as_deref().and_then(json::unquote).map(Cow::into_owned);
    text.unwrap_or_else(|| {
        format!("{}", Refusal::new(crate::error::Exception::Runtime, "no reason was given"))
    })
}
