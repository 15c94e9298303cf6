//! The commands that keep users, trusted computers and files, beside the Python program's: the same lines, but with exit
//! statuses that say how it went, where that program ends with 0.

use std::fs;

use msl_network_tests::beside::Beside;

#[test]
fn users_are_added_changed_listed_and_removed_with_the_same_lines() {
    let beside = Beside::new();
    for home in beside.homes() {
        fs::write(home.join("pass.txt"), "  from the file \nsecond line\n").expect("a file can be written");
        fs::write(home.join("empty.txt"), "\n").expect("a file can be written");
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
        let words: Vec<&str> = ["user"].into_iter().chain(words.split(' ')).collect();
        assert_eq!(beside.same(&words, ""), status, "{words:?}");
    }
    assert_eq!(beside.same(&["user", "add", "cleo", "--password", ""], ""), 1);
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
        let words: Vec<&str> = ["hostname"].into_iter().chain(words.split(' ')).collect();
        let [ours, python] = beside.both(&words, "");
        let sorted = |lines: &[String]| {
            let mut lines = lines.to_vec();
            // Ours tells errors on another stream, so they may stand elsewhere.
            lines.sort();
            lines
        };
        assert_eq!(sorted(&ours.lines), sorted(&python.lines), "{words:?}");
        assert_eq!(ours.status, status, "{words:?}");
    }
}

#[test]
fn what_the_program_has_made_is_deleted_with_the_same_lines() {
    let beside = Beside::new();
    for [home, database] in beside
        .homes()
        .into_iter()
        .zip(["manager.redb", "manager.sqlite3"])
        .map(|(home, name)| [home.clone(), home.join(name)])
    {
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
        fs::write(database, "x").expect("a file can be written");
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
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(beside.same(&words, input), status, "{words:?}");
    }
    for home in beside.homes() {
        assert!(home.join("certs/other.pem").exists() && home.join("notes.txt").exists());
        assert!(!home.join("keys/a.key").exists() && !home.join("logs/a.log").exists());
    }
}

#[test]
fn where_nobody_answers_nothing_is_deleted() {
    let beside = Beside::new();
    let [home, _] = beside.homes();
    fs::create_dir(home.join("keys")).expect("a folder can be made");
    fs::write(home.join("keys/a.key"), "x").expect("a file can be written");
    let [ours, _] = beside.both(&["delete", "--all"], "");
    assert_eq!(ours.status, 0);
    assert!(ours.lines.iter().any(|line| line.ends_with("Okay, not deleting")), "{ours:?}");
    assert!(home.join("keys/a.key").exists());
}

#[test]
fn a_manager_that_nobody_could_log_in_to_does_not_start() {
    for (flags, text) in [
        (&["--auth-login"][..], "The 'auth_users' table is empty, no one could log in"),
        (&["--auth-login", "--auth-hostname"], "Cannot specify multiple authentication methods"),
        (&["--auth-hostname", "--auth-password", "a"], "Cannot specify multiple authentication methods"),
    ] {
        let beside = Beside::new();
        let words = [&["start", "--disable-tls", "--port", "18751"], flags].concat();
        let [ours, python] = beside.both(&words, "");
        for outcome in [&ours, &python] {
            assert!(outcome.lines.iter().any(|line| line == text), "{outcome:?}");
        }
        assert_eq!(ours.status, 1);
    }
}
