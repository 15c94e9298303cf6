//! It gives back what it gets, to the last digit.
//!
//! The one service here that is made with the builder in place of `#[service]`: it passes the text of its arguments on
//! and reads none of them, so that no value is changed by being read into a type.

use msl_network_tokio::{Connect, Error, IntoService, Json, NewClient, Service, With};

/// The service.
#[derive(Debug)]
pub struct Echo;

impl IntoService for Echo {
    fn into_service(self) -> Service {
        Service::new("Echo").method("echo", "(*args, **kwargs)", |context, _| {
            let text = [b"[".as_slice(), context.args(), b", ", context.kwargs(), b"]"].concat();
            Json::from_text(String::from_utf8(text)?)
        })
    }
}

/// Its client.
///
/// # Errors
/// There is no connection, no such service, or no answer.
pub async fn client(manager: Connect<NewClient>) -> Result<(), Error> {
    let echo = manager.linked("Echo").await?;
    println!("{}", echo.call_raw("echo", ("hello",)).await?);
    println!("{}", echo.call_raw("echo", ("world!",).with("x", 7).with("array", [0.1, f64::NAN])).await?);
    Ok(())
}
