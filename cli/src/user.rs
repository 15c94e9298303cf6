//! `msl-network user`: the people who may log in.
//!
//! The lines are those of the Python program, as scripts look for them.

use std::process::ExitCode;

use clap::ValueEnum;
use msl_network_manager::store::User;
use msl_network_manager::{Error, Kind, Secret, Store};

use crate::arguments::{UserAction, UserArguments};
use crate::output::{end, print};
use crate::password;

/// Runs the command.
pub(crate) fn run(arguments: &UserArguments) -> ExitCode {
    end(if arguments.action == UserAction::List {
        arguments.database.open_to_read().and_then(|store| list(&store))
    } else {
        arguments.database.open().and_then(|store| act(arguments, &store))
    })
}

fn act(arguments: &UserArguments, store: &Store) -> Result<(), Error> {
    let action = verb(arguments.action);
    let name = arguments
        .username
        .as_deref()
        .ok_or_else(|| Error::new(Kind::Value, format!("You must specify a username to {action}")))?;
    let users = store.users();
    match arguments.action {
        UserAction::Insert | UserAction::Add => {
            users.insert(name, &password_for_new(arguments)?, arguments.admin)?;
            print(format_args!("{name} has been {action}ed"));
        }
        UserAction::Remove | UserAction::Delete => {
            users.remove(name, &action)?;
            print(format_args!("{name} has been {action}d"));
        }
        UserAction::Update => {
            users.update(name, given_password(arguments)?.as_ref(), Some(arguments.admin))?;
            print(format_args!("Updated {name}"));
        }
        UserAction::List => {}
    }
    Ok(())
}

/// The word that was typed.
fn verb(action: UserAction) -> String {
    action.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn given_password(arguments: &UserArguments) -> Result<Option<Secret>, Error> {
    if arguments.password.as_ref().is_some_and(|words| words.concat().is_empty()) {
        // The store says whose it is.
        return Ok(Some(Secret::new("")));
    }
    password::of_flag(arguments.password.as_deref(), "--password", "password")
}

fn password_for_new(arguments: &UserArguments) -> Result<Secret, Error> {
    match given_password(arguments)? {
        Some(password) => Ok(password),
        None if password::can_ask() => password::ask_for_new(),
        // The store says who has none.
        None => Ok(Secret::new("")),
    }
}

fn list(store: &Store) -> Result<(), Error> {
    let users = store.users().list()?;
    if users.is_empty() {
        print("There are no users in the database");
        return Ok(());
    }
    print(format_args!("Users in {}\n", store.path().display()));
    print(table(&users));
    Ok(())
}

fn table(users: &[User]) -> String {
    const TITLE: &str = "Username";
    let names = users.iter().map(|user| user.name.chars().count());
    let width = names.chain([TITLE.len()]).max().unwrap_or_default();
    let mut lines =
        vec![format!("{TITLE:<width$} Administrator"), format!("{} =============", "=".repeat(width))];
    lines.extend(users.iter().map(|User { name, administrator }| {
        let administrator = if *administrator { "True" } else { "False" };
        format!("{name:<width$} {administrator}")
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_wide_as_its_longest_name() {
        let user = |name: &str, administrator| User { name: name.to_owned(), administrator };
        assert_eq!(
            table(&[user("ada", true), user("a.longer.name", false)]),
            "Username      Administrator\n\
             ============= =============\n\
             ada           True\n\
             a.longer.name False"
        );
    }
}
