//! The home folder: where certificates, and a Manager's keys, logs and database, are when nobody says otherwise.
//!
//! It only computes paths; nothing is made or read here. The same folder and file names as the Python Manager's are
//! used, so that an existing home folder goes on working.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The folder that holds what Managers and devices of a user make and keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The home folder of this process: `$MSL_NETWORK_HOME`, else `.msl/network` in the home of the user.
    ///
    /// Under `sudo` it is the home of `$SUDO_USER`, so that a Manager started with and without `sudo` uses the same key.
    ///
    /// # Errors
    /// The user has no home folder.
    pub fn find() -> Result<Self, NoHome> {
        Self::choose(
            env::var_os("MSL_NETWORK_HOME"),
            env::var_os("SUDO_USER").and_then(|user| home_of(&user)).or_else(env::home_dir),
        )
    }

    /// A home folder at this path.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn choose(named: Option<OsString>, user_home: Option<PathBuf>) -> Result<Self, NoHome> {
        // An empty variable or home would put private keys into whatever folder the program was started from.
        if let Some(root) = named.filter(|root| !root.is_empty()) {
            return Ok(Self::at(root));
        }
        match user_home.filter(|home| !home.as_os_str().is_empty()) {
            Some(home) => Ok(Self::at(home.join(".msl").join("network"))),
            None => Err(NoHome),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the certificates.
    pub fn certs(&self) -> PathBuf {
        self.root.join("certs")
    }

    /// The folder of the private keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The folder of the log files.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The database of a Manager: users, trusted host names, connections.
    pub fn database(&self) -> PathBuf {
        self.root.join("manager.redb")
    }

    /// The private key of a Manager on this host: `keys/HOST.key`, `keys/localhost.key` where no host was named.
    pub fn default_key(&self, host: Option<&str>) -> PathBuf {
        self.keys().join(format!("{}.key", host.unwrap_or("localhost")))
    }

    /// The certificate of a Manager on this host: `certs/HOST.crt`, `certs/localhost.crt` where no host was named. Devices
    /// keep it under the same name.
    pub fn default_certificate(&self, host: Option<&str>) -> PathBuf {
        self.certs().join(format!("{}.crt", host.unwrap_or("localhost")))
    }
}

/// The user has no home folder, and none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHome;

impl fmt::Display for NoHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this user has no home folder: set MSL_NETWORK_HOME to the folder for keys, certificates and logs",
        )
    }
}

impl Error for NoHome {}

#[cfg(unix)]
fn home_of(user: &std::ffi::OsStr) -> Option<PathBuf> {
    let user = nix::unistd::User::from_name(user.to_str()?).ok()??;
    Some(user.dir)
}

#[cfg(not(unix))]
fn home_of(_user: &std::ffi::OsStr) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_the_folder_itself() {
        let home = Home::choose(Some("/data/msl".into()), Some("/home/ann".into())).unwrap();
        assert_eq!(home.root(), Path::new("/data/msl"));
    }

    #[test]
    fn without_the_variable_it_is_in_the_home_of_the_user() {
        let home = Home::choose(None, Some("/home/ann".into())).unwrap();
        assert_eq!(home.root(), Path::new("/home/ann/.msl/network"));
    }

    #[test]
    fn an_empty_variable_counts_as_none() {
        let home = Home::choose(Some(OsString::new()), Some("/home/ann".into())).unwrap();
        assert_eq!(home.root(), Path::new("/home/ann/.msl/network"));
    }

    #[test]
    fn without_any_home_the_error_says_what_to_set() {
        let error = Home::choose(None, Some(PathBuf::new())).unwrap_err();
        assert!(error.to_string().contains("MSL_NETWORK_HOME"), "{error}");
    }

    #[test]
    fn key_and_certificate_are_named_after_the_host() {
        let home = Home::at("/h");
        assert_eq!(home.default_key(None), Path::new("/h/keys/localhost.key"));
        assert_eq!(home.default_certificate(None), Path::new("/h/certs/localhost.crt"));
        assert_eq!(home.default_key(Some("lab7")), Path::new("/h/keys/lab7.key"));
        assert_eq!(home.default_certificate(Some("lab7")), Path::new("/h/certs/lab7.crt"));
    }

    #[cfg(unix)]
    #[test]
    fn the_home_of_another_user_is_looked_up() {
        assert!(home_of("root".as_ref()).is_some());
        assert_eq!(home_of("no such user here".as_ref()), None);
    }
}
