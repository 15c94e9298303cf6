//! Files that appear whole or not at all.
//!
//! A file is written under another name in the same folder, then renamed: a program that reads it meanwhile, or a power
//! cut, never meets half a key. Easy to get wrong: a rename works within one file system only, hence the same folder.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The owner alone (mode 0600).
    Owner,
    /// Everybody (mode 0644).
    Everybody,
}

/// Makes the file with this content, also its folder; replaces one that is there. Where a link is there, it is the file that
/// the link leads to.
///
/// # Errors
/// The system does not allow it, or has no room for it.
pub fn write(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        // A pipe or a terminal, such as `/dev/stdout`: to put a file there would take it away from everybody.
        return fs::write(path, content);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    prepare(&target, content, readers)?.persist(&target)?;
    Ok(())
}

/// Makes the file with this content, also its folder; leaves one that is there as it is. Says whether it was made.
///
/// # Errors
/// The system does not allow it, or has no room for it.
pub fn write_new(path: &Path, content: &[u8], readers: Readers) -> io::Result<bool> {
    match prepare(path, content, readers)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

fn prepare(path: &Path, content: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
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
    // The error names that file, of which nobody knows.
    let mut file = builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
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

    /// A folder in which not even root can make a file.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_names_no_temporary_file() {
        for error in [
            write(Path::new("/proc/self/f"), b"x", Readers::Owner).unwrap_err(),
            write_new(Path::new("/proc/self/f"), b"x", Readers::Owner).unwrap_err(),
        ] {
            assert!(!error.to_string().contains(".new-"), "{error}");
        }
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
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("f"), folder.path().join("l"));
        fs::write(&file, "1").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"2", Readers::Owner).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"2");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("l");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        write(&link, b"1", Readers::Owner).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
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
}
