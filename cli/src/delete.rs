//! `msl-network delete`: removes what this program has made.
//!
//! That is files with certain endings in certain folders of the home folder, and the database. Easy to get wrong: links. None
//! is followed and none is deleted, not even where a whole folder is one, so that nothing outside of the home folder is
//! ever touched.
//!
//! The lines are those of the Python program, as scripts look for them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use msl_network_manager::{Error, Home};

use crate::arguments::DeleteArguments;
use crate::output::{end, print, tell};

/// Something that was made, of which there may be many files.
struct Kind {
    asked_for: fn(&DeleteArguments) -> bool,
    folder: &'static str,
    extension: &'static str,
    singular: &'static str,
    plural: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        asked_for: |arguments| arguments.certs,
        folder: "certs",
        extension: "crt",
        singular: "certificate",
        plural: "certificates",
    },
    Kind {
        asked_for: |arguments| arguments.keys,
        folder: "keys",
        extension: "key",
        singular: "key",
        plural: "keys",
    },
    Kind {
        asked_for: |arguments| arguments.logs,
        folder: "logs",
        extension: "log",
        singular: "log file",
        plural: "log files",
    },
];

/// Runs the command.
pub(crate) fn run(arguments: &DeleteArguments) -> ExitCode {
    let kinds = || KINDS.iter().filter(|kind| arguments.all || (kind.asked_for)(arguments));
    let database = arguments.all || arguments.database;
    if kinds().next().is_none() && !database {
        tell("You must specify what you want to delete, for example\n  msl-network delete --keys");
        return ExitCode::from(2);
    }
    let home = match home(arguments) {
        Ok(home) => home,
        Err(error) => return end(Err(error)),
    };
    if !home.root().is_dir() {
        tell(format_args!("The '{}' directory does not exist", home.root().display()));
        return ExitCode::FAILURE;
    }
    let mut deletion = Deletion { arguments, failed: false };
    if database {
        deletion.database(&home.database());
    }
    for kind in kinds() {
        deletion.kind(home.root(), kind);
    }
    if deletion.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn home(arguments: &DeleteArguments) -> Result<Home, Error> {
    match &arguments.root {
        Some(root) => Ok(Home::at(root)),
        None => Ok(Home::find()?),
    }
}

struct Deletion<'a> {
    arguments: &'a DeleteArguments,
    failed: bool,
}

impl Deletion<'_> {
    fn database(&mut self, path: &Path) {
        let Some(size) = size_of_file(path) else { return self.say("No database file found") };
        self.say("\nThe following database will be deleted:");
        self.say(&format!("  {} [{}]", path.display(), shown(size)));
        if self.proceed() {
            self.delete(path);
        }
    }

    fn kind(&mut self, root: &Path, kind: &Kind) {
        let files = find(&root.join(kind.folder), kind.extension);
        let searching = format!("\nSearching for {} ... ", kind.plural);
        if files.is_empty() {
            return self.say(&format!("{searching}no {} found", kind.plural));
        }
        let size = shown(files.iter().map(|(_, size)| size).sum());
        self.say(&format!("{searching}\n  {} {}(s) will be deleted [{size}]", files.len(), kind.singular));
        if self.proceed() {
            for (path, _) in &files {
                self.delete(path);
            }
        }
    }

    fn say(&self, text: &str) {
        if !self.arguments.quiet {
            print(text);
        }
    }

    /// Asks, unless it was told not to. Where nobody answers, nothing is deleted.
    fn proceed(&self) -> bool {
        if self.arguments.yes {
            return true;
        }
        let _ = write!(io::stdout(), "Proceed (Y/n)? ").and_then(|()| io::stdout().flush());
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).unwrap_or(0);
        let yes = read > 0 && ["", "y", "yes"].contains(&line.trim().to_lowercase().as_str());
        if !yes {
            self.say("Okay, not deleting");
        }
        yes
    }

    fn delete(&mut self, path: &Path) {
        match fs::remove_file(path) {
            Ok(()) => self.say(&format!("[Deleted] {}", path.display())),
            Err(error) => {
                self.failed = true;
                tell(format_args!("[OSError] {error} -- Cannot delete {}", path.display()));
            }
        }
    }
}

/// The files with this extension in a folder and those below it, with their sizes.
fn find(folder: &Path, extension: &str) -> Vec<(PathBuf, u64)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // A link is no folder here: it would lead away.
        if !fs::symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_dir()) {
            continue;
        }
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            match size_of_file(&path) {
                Some(size) if path.extension().is_some_and(|found| found == extension) => {
                    files.push((path, size));
                }
                Some(_) => {}
                None => folders.push(path),
            }
        }
    }
    files.sort();
    files
}

/// The size of a file that is one, and no link to one.
fn size_of_file(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// A size with a unit, rounded as Python rounds: to the even one of two equally near.
#[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
fn shown(size: u64) -> String {
    let rounded = |unit: f64| (size as f64 / unit).round_ties_even();
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{} kB", rounded(1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", rounded(1e6)),
        _ => format!("{} GB", rounded(1e9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_in_python() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1 kB"),
            (1_500, "2 kB"),
            (2_500, "2 kB"),
            (999_999, "1000 kB"),
            (3_000_000, "3 MB"),
            (7_600_000_000, "8 GB"),
        ] {
            assert_eq!(shown(size), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_neither_followed_nor_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("certs"), folder.path().join("elsewhere"));
        for folder in [&inside, &inside.join("below"), &outside] {
            fs::create_dir(folder).unwrap();
        }
        for file in
            [inside.join("a.crt"), inside.join("below/b.crt"), inside.join("c.pem"), outside.join("x.crt")]
        {
            fs::write(file, "12").unwrap();
        }
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        std::os::unix::fs::symlink(outside.join("x.crt"), inside.join("link.crt")).unwrap();
        std::os::unix::fs::symlink(&outside, folder.path().join("all")).unwrap();

        assert_eq!(find(&inside, "crt"), [(inside.join("a.crt"), 2), (inside.join("below/b.crt"), 2)]);
        assert_eq!(find(&folder.path().join("all"), "crt"), []);
        assert_eq!(find(&folder.path().join("missing"), "crt"), []);
    }
}
