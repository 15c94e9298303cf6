//! It gives back what it gets, to the last digit.
//!
//! A [`Json`] keeps the text of a value, so that none is changed by being read into a type. Keyword arguments come back in the
//! order of their names.

use std::collections::BTreeMap;

use msl_network_tokio::{Connect, Error, Json, NewClient, With, service};

/// The service.
#[derive(Debug)]
pub struct Echo;

#[service]
impl Echo {
    fn echo(
        &self,
        #[args] args: Vec<Json>,
        #[kwargs] kwargs: BTreeMap<String, Json>,
    ) -> (Vec<Json>, BTreeMap<String, Json>) {
        (args, kwargs)
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let echo = manager.linked("Echo").await?;
    println!("{}", echo.call_raw("echo", ("hello",)).await?);
    println!("{}", echo.call_raw("echo", ("world!",).with("array", [0.1, f64::NAN]).with("x", 7)).await?);
    Ok(())
}
