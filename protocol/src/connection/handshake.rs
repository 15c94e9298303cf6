//! The handshake as a table (docs/wire.md, section 4).
//!
//! The code below acts on [`TABLE`] and on nothing else, and a test holds the table against the one in docs/wire.md.

use crate::settings::Authentication;

/// Where a handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing has been asked.
    Start,
    /// Asked for the Manager's password.
    ManagerPassword,
    /// Asked for a username.
    Username,
    /// Asked for that user's password.
    Password,
    /// What it said is being checked elsewhere; what it sends meanwhile waits.
    Checking,
    /// Asked who it is.
    Identity,
    /// Its name is being registered, as soon as the host name is known.
    Joining,
    /// It is a client or a service now.
    Identified,
    /// It has been refused.
    Refused,
}

/// What moves a handshake on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// The connection is new, and devices have to show this.
    Opened(Authentication),
    /// A line that can be understood.
    Answer,
    /// The check, or the registration, succeeded.
    Accepted,
    /// It failed; or the answer is blank or cannot be understood.
    Rejected,
    /// No answer in time.
    TimedOut,
}

/// What is done on the way to the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    AskManagerPassword,
    AskUsername,
    AskPassword,
    AskIdentity,
    CheckHostName,
    CheckManagerPassword,
    CheckLogin,
    Register,
    Begin,
    Refuse,
}

/// Every transition there is: step, input, what is done, next step.
pub(super) const TABLE: &[(Step, Input, Act, Step)] = &[
    (Step::Start, Input::Opened(Authentication::None), Act::AskIdentity, Step::Identity),
    (
        Step::Start,
        Input::Opened(Authentication::ManagerPassword),
        Act::AskManagerPassword,
        Step::ManagerPassword,
    ),
    (Step::Start, Input::Opened(Authentication::Login), Act::AskUsername, Step::Username),
    (Step::Start, Input::Opened(Authentication::HostNames), Act::CheckHostName, Step::Checking),
    (Step::ManagerPassword, Input::Answer, Act::CheckManagerPassword, Step::Checking),
    (Step::ManagerPassword, Input::Rejected, Act::Refuse, Step::Refused),
    (Step::ManagerPassword, Input::TimedOut, Act::Refuse, Step::Refused),
    (Step::Username, Input::Answer, Act::AskPassword, Step::Password),
    (Step::Username, Input::Rejected, Act::Refuse, Step::Refused),
    (Step::Username, Input::TimedOut, Act::Refuse, Step::Refused),
    (Step::Password, Input::Answer, Act::CheckLogin, Step::Checking),
    (Step::Password, Input::Rejected, Act::Refuse, Step::Refused),
    (Step::Password, Input::TimedOut, Act::Refuse, Step::Refused),
    (Step::Checking, Input::Accepted, Act::AskIdentity, Step::Identity),
    (Step::Checking, Input::Rejected, Act::Refuse, Step::Refused),
    (Step::Identity, Input::Answer, Act::Register, Step::Joining),
    (Step::Identity, Input::Rejected, Act::Refuse, Step::Refused),
    (Step::Identity, Input::TimedOut, Act::Refuse, Step::Refused),
    (Step::Joining, Input::Accepted, Act::Begin, Step::Identified),
    (Step::Joining, Input::Rejected, Act::Refuse, Step::Refused),
];

/// The transition for an input, if there is one: a late or doubled input has none and changes nothing.
pub(super) fn transition(step: Step, input: Input) -> Option<(Act, Step)> {
    TABLE.iter().find(|row| row.0 == step && row.1 == input).map(|row| (row.2, row.3))
}

impl Step {
    /// Whether the device is to say something now.
    pub(super) fn expects_answer(self) -> bool {
        matches!(self, Self::ManagerPassword | Self::Username | Self::Password | Self::Identity)
    }

    /// Whether a person may be typing a secret or a name, which takes time.
    pub(super) fn is_prompt(self) -> bool {
        matches!(self, Self::ManagerPassword | Self::Username | Self::Password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn the_table_is_the_one_in_the_documentation() {
        let rows = TABLE
            .iter()
            .map(|(step, input, act, next)| format!("| {step:?} | {input:?} | {act:?} | {next:?} |"));
        let documented = include_str!("../../../docs/wire.md").lines();
        let documented = documented.skip_while(|line| !line.starts_with("| step | input |")).skip(2);
        let documented: Vec<String> =
            documented.take_while(|line| line.starts_with('|')).map(String::from).collect();
        assert_eq!(rows.collect::<Vec<_>>(), documented);
    }

    #[test]
    fn every_step_that_waits_for_an_answer_has_a_way_out_for_each_input() {
        for (step, ..) in TABLE.iter().filter(|row| row.0.expects_answer()) {
            for input in [Input::Answer, Input::Rejected, Input::TimedOut] {
                assert!(transition(*step, input).is_some(), "{step:?} {input:?}");
            }
        }
    }

    #[test]
    fn nobody_is_identified_without_the_check_that_the_manager_was_started_with() {
        // Given each way to authenticate, when all inputs but a successful check are tried, then Joining is out of reach.
        for way in [Authentication::ManagerPassword, Authentication::Login, Authentication::HostNames] {
            let mut reached = Vec::from([Step::Start]);
            let mut index = 0;
            while index < reached.len() {
                for (from, input, _, to) in TABLE {
                    let opened = !matches!(input, Input::Opened(_)) || *input == Input::Opened(way);
                    let unchecked = !(*from == Step::Checking && *input == Input::Accepted);
                    if *from == reached[index] && opened && unchecked && !reached.contains(to) {
                        reached.push(*to);
                    }
                }
                index += 1;
            }
            assert!(!reached.contains(&Step::Joining), "{way:?}");
        }
    }
}
