//! Files that appear whole or not at all.
//!
//! A file is written under another name in the same folder, then renamed: a program that reads it meanwhile, or a power
//! cut, never meets half a key. Easy to get wrong: a rename works within one file system only, hence the same folder.

use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The owner alone (mode 0600).
    Owner,
    /// Everybody (mode 0644).
    Everybody,
}

/// Makes the file with this content, also its folder; replaces one that is there.
pub(crate) fn write(path: &Path, content: &[u8], readers: Readers) -> Result<(), Error> {
    let failed = |error| Error::io("cannot write", path, error);
    prepare(path, content, readers)?.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Makes the file with this content, also its folder; leaves one that is there as it is. Says whether it was made.
pub(crate) fn write_new(path: &Path, content: &[u8], readers: Readers) -> Result<bool, Error> {
    match prepare(path, content, readers)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io("cannot write", path, error.error)),
    }
}

fn prepare(path: &Path, content: &[u8], readers: Readers) -> Result<NamedTempFile, Error> {
    let failed = |error| Error::io("cannot write", path, error);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|error| Error::io("cannot make the folder", folder, error))?;
    let mut builder = Builder::new();
    builder.prefix(".new-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = match readers {
            Readers::Owner => 0o600,
            Readers::Everybody => 0o644,
        };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = readers; // the folder's own access list counts there
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_made_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("b");
        write(&path, b"x", Readers::Everybody).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn write_replaces_and_write_new_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert!(write_new(&path, b"1", Readers::Owner).unwrap());
        assert!(!write_new(&path, b"2", Readers::Owner).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"1");
        write(&path, b"3", Readers::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"3");
    }

    #[test]
    fn nothing_else_is_left_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write(&path, b"1", Readers::Owner).unwrap();
        let _ = write_new(&path, b"2", Readers::Owner).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_for_the_owner_is_readable_by_nobody_else() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write(&path, b"x", Readers::Owner).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = write(&file.join("sub").join("f"), b"x", Readers::Owner).unwrap_err();
        assert!(error.to_string().contains("sub"), "{error}");
    }
}
