//! The commands that keep users, trusted computers and files, beside the Python program's: the same lines, but with exit
//! statuses that say how it went, where that program ends with 0.

use std::fs;

use msl_network_tests::laboratory::Whose;
use msl_network_tests::workplace::{Outcome, Workplace};

/// The two programs, each in a folder of its own.
struct Beside {
    ours: Workplace,
    pythons: Workplace,
}

impl Beside {
    fn new() -> Self {
        let beside = Self { ours: Workplace::new(Whose::Ours), pythons: Workplace::new(Whose::Pythons) };
        for place in beside.places() {
            fs::create_dir(place.path("home")).expect("a folder can be made");
        }
        beside
    }

    fn places(&self) -> [&Workplace; 2] {
        [&self.ours, &self.pythons]
    }

    /// Checks that both print the same lines, and returns our exit status.
    fn same(&self, words: &str, input: &str) -> i32 {
        let [ours, pythons] = self.places().map(|place| place.run_with(words, input));
        assert_eq!(lines(&ours), lines(&pythons), "{words}");
        ours.status
    }
}

/// All lines, whatever their stream: ours tells errors on standard error, where the other tells them among the rest. So the
/// order is not compared. The name of the database is masked, and its size.
fn lines(outcome: &Outcome) -> Vec<String> {
    let texts = [&outcome.out, &outcome.error];
    let lines = texts.iter().flat_map(|text| text.lines());
    // The Python program does not warn of anything.
    let lines = lines.filter(|line| !line.starts_with("Warning: "));
    let mut lines: Vec<String> = lines
        .map(|line| {
            let line = line.replace("manager.redb", "DATABASE").replace("manager.sqlite3", "DATABASE");
            match line.split_once("DATABASE [") {
                Some((before, _)) => format!("{before}DATABASE [SIZE]"),
                None => line,
            }
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn users_are_added_changed_listed_and_removed_with_the_same_lines() {
    let beside = Beside::new();
    for place in beside.places() {
        place.write("pass.txt", "  from the file \nsecond line\n");
    }
    for (words, status) in [
        ("list", 0),
        ("add ada --admin --password a good password", 0),
        ("add ada --password again", 1),
        ("insert a.much.longer.name -p 12", 0),
        ("add bob --password pass.txt", 0),
        ("list", 0),
        ("update bob --admin", 0),
        ("update ada", 0),
        ("update nobody --admin", 1),
        ("update bob --adm --pass pass.txt", 0),
        ("list", 0),
        ("add cleo", 1),
        ("add cleo:12 --password x", 1),
        ("add it's --password x", 0),
        ("remove it's", 0),
        ("remove it's", 1),
        ("add", 1),
        ("insert", 1),
        ("update", 1),
        ("remove", 1),
        ("remove nobody", 1),
        ("delete nobody", 1),
        ("delete bob", 0),
        ("list", 0),
    ] {
        assert_eq!(beside.same(&format!("user {words}"), ""), status, "{words}");
    }
    assert_eq!(beside.same("user add cleo --password ", ""), 1, "the password is empty");
}

#[test]
fn computers_are_trusted_listed_and_removed_with_the_same_lines() {
    let beside = Beside::new();
    for (words, status) in [
        ("add bench-3 10.1.2.3", 0),
        ("insert bench-4", 0),
        ("add bench-3", 0),
        ("remove bench-3 nobody 10.1.2.3", 1),
        ("delete nobody", 1),
        ("delete bench-4", 0),
        ("add", 2),
        ("insert", 2),
        ("remove", 2),
        ("delete", 2),
        ("list", 0),
        ("list --database other/DATABASE", 0),
    ] {
        assert_eq!(beside.same(&format!("hostname {words}"), ""), status, "{words}");
    }
}

#[test]
fn what_the_program_has_made_is_deleted_with_the_same_lines() {
    let beside = Beside::new();
    for (place, database) in beside.places().into_iter().zip(["manager.redb", "manager.sqlite3"]) {
        let home = place.path("home");
        for folder in ["certs", "keys", "logs"] {
            fs::create_dir(home.join(folder)).expect("a folder can be made");
        }
        for (file, size) in [
            ("certs/a.crt", 700),
            ("certs/other.pem", 5),
            ("keys/a.key", 1_500),
            ("logs/a.log", 2_600_000),
            ("notes.txt", 5),
        ] {
            fs::write(home.join(file), vec![b'x'; size]).expect("a file can be written");
        }
        fs::write(home.join(database), "x").expect("a file can be written");
    }
    for (words, input, status) in [
        ("delete", "", 2),
        ("delete --root nowhere --all", "", 1),
        ("delete --certs", "n\n", 0),
        ("delete --keys --logs", "no\nNO\n", 0),
        ("delete --certs --quiet --yes", "", 0),
        ("delete --certs", "", 0),
        ("delete --keys", "\n", 0),
        ("delete -k", "", 0),
        ("delete --logs", "YES\n", 0),
        ("delete --database", "x\n", 0),
        ("delete --database", "y\n", 0),
        ("delete --all", "", 0),
        ("delete --all --quiet", "", 0),
    ] {
        assert_eq!(beside.same(words, input), status, "{words}");
    }
    for home in beside.places().map(|place| place.path("home")) {
        assert!(home.join("certs/other.pem").exists() && home.join("notes.txt").exists());
        assert!(!home.join("keys/a.key").exists() && !home.join("logs/a.log").exists());
    }
}

#[test]
fn where_nobody_answers_nothing_is_deleted() {
    let place = Workplace::new(Whose::Ours);
    fs::create_dir_all(place.path("home/keys")).expect("a folder can be made");
    place.write("home/keys/a.key", "x");
    let outcome = place.run("delete --all");
    assert_eq!(outcome.status, 0);
    assert!(outcome.out.contains("Okay, not deleting\n"), "{outcome:?}");
    assert!(place.path("home/keys/a.key").exists());
}

#[test]
fn a_manager_that_nobody_could_log_in_to_does_not_start() {
    for (flags, text) in [
        ("--auth-login", "The 'auth_users' table is empty, no one could log in"),
        ("--auth-login --auth-hostname", "Cannot specify multiple authentication methods"),
        ("--auth-hostname --auth-password a", "Cannot specify multiple authentication methods"),
    ] {
        let beside = Beside::new();
        // Neither comes as far as to listen there.
        let words = format!("start --disable-tls --port 1 {flags}");
        let [ours, pythons] = beside.places().map(|place| place.run(&words));
        for outcome in [&ours, &pythons] {
            assert!(outcome.error.lines().any(|line| line == text), "{outcome:?}");
        }
        assert_eq!(ours.status, 1);
    }
}
