//! The commands `keygen`, `certgen` and `certdump`, beside those of the Python package: what they print, and what they make.

use std::path::Path;

use msl_network_tests::Served;
use msl_network_tests::laboratory::Whose;
use msl_network_tests::peer::Peer;
use msl_network_tests::program::{self, Program, Tls};
use msl_network_tests::python::interpreter;
use msl_network_tests::workplace::{Outcome, Workplace, tool};
use serde_json::{Value, json};

/// How much of a text is the Python package's own, and so the same.
#[derive(Clone, Copy)]
enum Same {
    Everything,
    /// What follows lists what can be chosen, which differs.
    FirstLine,
    /// The text is a library's; the kind of error before the colon is the same.
    Kind,
}

/// What a command says: its result, or why it failed. The Python program prints errors as results, with status 0; ours warns
/// of passwords that were typed.
fn said(outcome: &Outcome) -> &str {
    if outcome.status == 0 {
        return &outcome.out;
    }
    match outcome.error.split_once('\n') {
        Some((first, rest)) if first.starts_with("Warning: ") => rest,
        _ => &outcome.error,
    }
}

#[test]
fn the_lines_are_those_of_the_python_program() {
    let (ours, pythons) = (Workplace::new(Whose::Ours), Workplace::new(Whose::Pythons));
    for place in [&ours, &pythons] {
        place.write("password", "open sesame\n");
    }
    for (words, status, same) in [
        ("keygen", 0, Same::Everything),
        ("keygen", 0, Same::Everything), // over the one before
        ("keygen ecc -c secp256r1 --out ec.key", 0, Same::Everything),
        ("keygen --size 3072 --password password --out new/encrypted.key", 0, Same::Everything),
        ("keygen --size x", 1, Same::Everything),
        ("keygen --size -1", 1, Same::Everything),
        ("keygen ecc --size 0", 1, Same::Everything),
        ("keygen ecc --curve nope", 1, Same::FirstLine),
        ("keygen --size 1000", 1, Same::Kind),
        ("keygen dsa --size 1234", 1, Same::Kind),
        ("certgen", 0, Same::Everything),
        ("certgen new/ec.crt --key-file ec.key --years-valid 0.25", 0, Same::Everything),
        ("certgen a.crt -k new/encrypted.key -p password --algorithm sha512", 0, Same::Everything),
        ("certgen b.crt -k new/encrypted.key --key-file-password open sesame", 0, Same::Everything),
        ("certgen -k new/encrypted.key -p open says me", 1, Same::Kind),
        ("certgen --key-file new/encrypted.key", 1, Same::Kind),
        ("certgen --key-file ec.key --key-file-password surplus", 1, Same::Kind),
        ("certgen --key-file none.key", 1, Same::Kind),
        ("certgen --key-file password", 1, Same::Kind),
        ("certgen --years-valid -1", 1, Same::Everything),
        ("certgen --years-valid x", 1, Same::Everything),
        ("certgen --years-valid 9000", 1, Same::Kind),
        ("certgen --algorithm nope", 1, Same::FirstLine),
        ("certdump none.crt", 1, Same::Everything),
        ("certdump home", 1, Same::Everything),
        ("certdump a.crt --out new/a.txt", 0, Same::Everything),
    ] {
        let (our, python) = (ours.run(words), pythons.run(words));
        assert_eq!(our.status, status, "{words}: {our:?}");
        let part = |outcome| match same {
            Same::Everything => said(outcome),
            Same::FirstLine => said(outcome).lines().next().unwrap_or_default(),
            Same::Kind => said(outcome).split(':').next().unwrap_or_default(),
        };
        assert_eq!(part(&our), part(&python), "{words}");
        assert!(status == 0 || our.out.is_empty(), "{words}: {our:?}");
    }
    let first = |place: &Workplace| {
        let text = std::fs::read_to_string(place.path("new/a.txt")).expect("the details are there");
        text.lines().next().map(str::to_owned)
    };
    assert_eq!(first(&ours), first(&pythons));
}

#[test]
fn wrong_usage_is_status_2_in_both_programs() {
    let (ours, pythons) = (Workplace::new(Whose::Ours), Workplace::new(Whose::Pythons));
    for words in ["keygen xyz", "keygen RSA", "keygen --password", "certgen a b", "certgen -p", "certdump"] {
        assert_eq!(ours.run(words).status, 2, "{words}");
        assert_eq!(pythons.run(words).status, 2, "{words}");
    }
    assert!(!ours.path("home").exists());
}

#[test]
fn certificates_for_dsa_keys_are_refused_with_what_to_use() {
    let place = Workplace::new(Whose::Ours);
    let outcome = place.succeed("keygen dsa --out dsa.key");
    assert_eq!(outcome.out, "Created private DSA key 'dsa.key'\n");
    assert_eq!(facts(&place, &["dsa.key"]), [json!({"kind": "DSA", "size": 2048, "curve": null})]);
    for words in ["certgen --key-file dsa.key", "start --port 0 --key-file dsa.key"] {
        let outcome = place.run(words);
        assert_eq!(outcome.status, 1);
        assert!(outcome.error.contains("use an RSA or an elliptic-curve key"), "{}", outcome.error);
    }
}

/// What Python's `cryptography` finds in files.
fn facts(place: &Workplace, files: &[&str]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/pem.py");
    let words = [&[script.to_str().expect("a path is text")], files].concat();
    let output = tool(place.folder(), interpreter(), &words);
    output.lines().map(|line| serde_json::from_str(line).expect("it prints JSON")).collect()
}

#[test]
fn our_keys_are_read_by_python_and_by_openssl() {
    let place = Workplace::new(Whose::Ours);
    for (words, file, expected) in [
        ("keygen -o 1", "1", json!({"kind": "RSA", "size": 2048, "curve": null})),
        ("keygen -s 4096 -o 2 -p a b", "2=a b", json!({"kind": "RSA", "size": 4096, "curve": null})),
        ("keygen ecc -o 3", "3", json!({"kind": "ECC", "size": 384, "curve": "secp384r1"})),
        (
            "keygen ecc -o 4 -c secp256r1 -p grün",
            "4=grün",
            json!({"kind": "ECC", "size": 256, "curve": "secp256r1"}),
        ),
        ("keygen ecc -o 5 -c SECP521R1", "5", json!({"kind": "ECC", "size": 521, "curve": "secp521r1"})),
    ] {
        place.succeed(words);
        assert_eq!(facts(&place, &[file]), [expected], "{words}");
        let (name, password) = file.split_once('=').unwrap_or((file, ""));
        let password = format!("pass:{password}");
        tool(place.folder(), "openssl", &["pkey", "-noout", "-in", name, "-passin", &password]);
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_key_and_everybody_a_certificate() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new(Whose::Ours);
    place.write("old.key", "readable by others");
    place.succeed("keygen ecc --out old.key");
    place.succeed("keygen --password hush");
    place.succeed("certgen --key-file-password hush");
    for (name, mode) in
        [("old.key", 0o600), ("home/keys/localhost.key", 0o600), ("home/certs/localhost.crt", 0o644)]
    {
        let found = std::fs::metadata(place.path(name)).expect("it was made").permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
}

#[test]
fn our_certificates_say_what_they_should() {
    let place = Workplace::new(Whose::Ours);
    let host_name = program::host_name();
    place.succeed("keygen --out rsa.key");
    place.succeed("keygen ecc --curve secp521r1 --out ec.key");
    for (words, hash, days) in [
        ("certgen a.crt", "sha256", None),
        ("certgen a.crt -k rsa.key -a SHA384 -y 0.5", "sha384", Some(182.5)),
        ("certgen a.crt -k ec.key -y 1e-1", "sha512", Some(36.5)),
    ] {
        place.succeed(words);
        let [facts] = facts(&place, &["a.crt"]).try_into().expect("it is one certificate");
        for party in ["issuer", "subject"] {
            assert_eq!(facts[party], format!("CN={host_name}"));
        }
        let names = facts["names"].as_array().expect("a list");
        for name in [&host_name, "localhost", "127.0.0.1", "::1"] {
            assert!(names.contains(&json!(name)), "{name} is not in {names:?}");
        }
        assert_eq!((&facts["authority"], &facts["serial"]), (&json!(false), &json!(true)));
        assert_eq!(facts["hash"], hash, "{words}");
        let valid = facts["days"].as_f64().expect("a number");
        match days {
            Some(days) => assert!((valid - days).abs() < 1e-3, "{words}: {valid} days"),
            None => assert!((valid / 365.25 - 100.0).abs() < 0.1, "{words}: {valid} days"),
        }
    }
    assert!(place.path("home/keys/localhost.key").exists());
}

#[test]
fn the_details_of_pythons_certificates_are_those_that_openssl_shows() {
    let (ours, pythons) = (Workplace::new(Whose::Ours), Workplace::new(Whose::Pythons));
    for (algorithm, lines) in [
        ("rsa", ["rsaEncryption (1.2.840.113549.1.1.1)", "Size: 2048 bits", "Exponent: 65537"]),
        ("ecc", ["id-ecPublicKey (1.2.840.10045.2.1)", "Curve: secp384r1 (1.3.132.0.34)", "Point:"]),
        ("dsa", ["id-dsa (1.2.840.10040.4.1)", "Size: 2048 bits", "Y:"]),
    ] {
        pythons.succeed(&format!("keygen {algorithm} --out a.key"));
        pythons.succeed("certgen a.crt --key-file a.key");
        let path = pythons.path("a.crt");
        let details = ours.succeed(&format!("certdump {}", path.display())).out;
        let openssl = |flags: &[&str]| {
            tool(pythons.folder(), "openssl", &[&["x509", "-noout", "-in", "a.crt"], flags].concat())
        };
        for hash in ["-sha256", "-sha1"] {
            let text = openssl(&["-fingerprint", hash]);
            let (_, fingerprint) = text.trim().split_once('=').expect("it has a name");
            assert!(details.contains(fingerprint), "{fingerprint} is not in\n{details}");
        }
        let serial = openssl(&["-serial"]).trim().trim_start_matches("serial=").to_lowercase();
        let found =
            details.lines().find_map(|line| line.strip_prefix("Serial number: ")).expect("it is shown");
        assert_eq!(found.replace(':', ""), serial);
        let host = format!("DNS: {}", program::host_name());
        let common = ["Wellington", "Lower Hutt", "info@measurement.govt.nz", "DNS: localhost", &host];
        for line in lines.iter().chain(&common) {
            assert!(details.contains(line), "{line:?} is not in\n{details}");
        }
    }
}

#[test]
fn a_new_certificate_is_shown_if_asked_for() {
    let place = Workplace::new(Whose::Ours);
    let outcome = place.succeed("certgen a.crt --show");
    let details = place.succeed("certdump a.crt").out;
    assert_eq!(outcome.out, format!("Created the self-signed certificate 'a.crt'\n\n{details}"));
}

#[test]
fn what_is_no_certificate_is_an_error() {
    let place = Workplace::new(Whose::Ours);
    place.write("junk", "junk");
    place.write("damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for name in ["junk", "damaged"] {
        let outcome = place.run(&format!("certdump {name}"));
        assert_eq!((outcome.status, outcome.out.as_str()), (1, ""));
        assert!(outcome.error.starts_with("ValueError: "), "{}", outcome.error);
    }
}

/// Keys as the programs write them: the words of `keygen`, and those that name the key's password.
const KEYS: [(&str, &str); 4] = [
    ("keygen -o a.key", ""),
    ("keygen -o a.key -p open sesame", "-p open sesame"),
    ("keygen ecc -o a.key", ""),
    ("keygen ecc -c SECP256R1 -o a.key -p open sesame", "-p open sesame"),
];

/// Makes key and certificate with one program; returns the flags that start a Manager with them.
fn made(place: &Workplace, (key, password): (&str, &str)) -> Vec<String> {
    place.succeed(key);
    place.succeed(format!("certgen a.crt -k a.key {password}").trim_end());
    let path = |name| place.path(name).to_str().expect("a path is text").to_owned();
    let mut flags: Vec<String> = ["-c".into(), path("a.crt"), "-k".into(), path("a.key")].into();
    flags.extend(password.split(' ').filter(|word| !word.is_empty()).map(|word| word.replace("-p", "-D")));
    flags
}

fn expect_served(program: &Program, place: &Workplace) {
    let mut peer = Peer::open_tls(program.port(), &place.path("a.crt"));
    assert_eq!(peer.receive()["attribute"], "identity");
}

#[test]
fn pythons_keys_and_certificates_start_our_manager() {
    let (ours, pythons) = (Workplace::new(Whose::Ours), Workplace::new(Whose::Pythons));
    for key in KEYS {
        let flags = made(&pythons, key);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        expect_served(&Program::start(Tls::Enabled, &flags), &pythons);

        // And a certificate of ours for a key of theirs.
        let words = format!("certgen a.crt -k {} {}", pythons.path("a.key").display(), key.1);
        ours.succeed(words.trim_end());
        let certificate = ours.path("a.crt");
        let flags = [&["-c", certificate.to_str().expect("a path is text")], &flags[2..]].concat();
        expect_served(&Program::start(Tls::Enabled, &flags), &ours);
    }
}

#[test]
fn our_keys_and_certificates_start_the_python_manager() {
    let place = Workplace::new(Whose::Ours);
    for key in KEYS {
        let flags = made(&place, key);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        expect_served(&Program::start_python(Tls::Enabled, &flags), &place);
    }
}

#[test]
fn a_manager_makes_an_encrypted_key_and_starts_again_with_it_alone() {
    let program = Program::start(Tls::Enabled, &["-D", "open", "sesame"]);
    let certificate = program.certificate().expect("it has TLS");
    let key = certificate.with_file_name("../keys/localhost.key");
    let text = std::fs::read_to_string(&key).expect("it made a key");
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert!(!program.log().contains("sesame"), "{}", program.log());
    assert!(program.log().contains("the password of --key-file-password was typed"), "{}", program.log());

    // A key alone has the certificate made anew.
    let key = key.to_str().expect("a path is text");
    let again = Program::start(Tls::Enabled, &["-k", key, "-D", "open", "sesame"]);
    drop(again.client("Ann"));
}

#[test]
fn a_manager_does_not_start_without_the_right_password() {
    let place = Workplace::new(Whose::Ours);
    place.succeed("keygen ecc --out a.key --password open sesame");
    for (flags, expected) in [
        ("", "TypeError: the private key 'a.key' is encrypted; give its password with --key-file-password"),
        ("-D open says me", "ValueError: the private key 'a.key' cannot be decrypted: the password is wrong"),
    ] {
        let outcome = place.run(format!("start --port 0 --key-file a.key {flags}").trim_end());
        assert_eq!(outcome.status, 1);
        assert!(outcome.error.starts_with(expected), "{}", outcome.error);
        assert!(outcome.out.contains("[ERROR] msl.network - "), "{}", outcome.out);
        assert!(!(outcome.out + &outcome.error).contains("says me"));
    }
}

/// As the Python Manager, which scripts give a password that it does not need.
#[test]
fn a_manager_minds_no_password_for_a_key_that_is_not_encrypted() {
    let place = Workplace::new(Whose::Ours);
    let mut flags = made(&place, KEYS[2]);
    flags.extend(["-D", "surplus"].map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let program = Program::start(Tls::Enabled, &flags);
    expect_served(&program, &place);
    assert!(program.log().contains("is not encrypted, and needs no password"), "{}", program.log());
}

#[test]
fn a_password_that_was_typed_is_warned_of_and_never_shown() {
    let place = Workplace::new(Whose::Ours);
    place.write("password", "  hush hush  \nmore");
    for (words, flag) in [
        ("keygen ecc --out a.key --password hush hush", "--password"),
        ("certgen a.crt -k a.key -p hush hush", "--key-file-password"),
    ] {
        let outcome = place.succeed(words);
        assert!(outcome.error.contains(&format!("the password of {flag} was typed")), "{outcome:?}");
        assert!(!(outcome.out + &outcome.error).contains("hush"));
    }
    let outcome = place.succeed("certgen a.crt -k a.key -p password");
    assert_eq!(outcome.error, "");
}

/// Runs a command on a terminal, with these answers; returns the exit status and what the terminal showed.
#[cfg(unix)]
fn on_a_terminal(place: &Workplace, answers: &[&str], words: &str) -> (i32, String) {
    let command = place.command();
    let mut terminal = std::process::Command::new(interpreter());
    terminal.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/terminal.py"));
    terminal.args(answers).arg("--").arg(command.get_program()).args(words.split(' '));
    terminal.current_dir(place.folder()).env("MSL_NETWORK_HOME", place.path("home"));
    let output = terminal.output().expect("Python can be started");
    (output.status.code().expect("it ends by itself"), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(unix)]
#[test]
fn a_person_is_asked_for_a_password_that_stays_unseen() {
    let place = Workplace::new(Whose::Ours);
    let (status, shown) = on_a_terminal(&place, &["hush", "hush"], "keygen ecc --out a.key --password");
    assert!(status == 0 && shown.contains("Created private ECC key 'a.key'"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
    assert_eq!(facts(&place, &["a.key=hush"])[0]["kind"], "ECC");

    let (status, shown) = on_a_terminal(&place, &["hush"], "certgen a.crt --key-file a.key");
    assert!(status == 0 && shown.contains("Password of the private key 'a.key': "), "{shown}");
    let (status, shown) = on_a_terminal(&place, &["loud"], "certgen a.crt --key-file a.key");
    assert!(status == 1 && shown.contains("the password is wrong"), "{shown}");

    let (status, shown) = on_a_terminal(&place, &["hush", "push"], "keygen ecc --out b.key --password");
    assert!(status == 1 && shown.contains("the two passwords are not the same"), "{shown}");
    assert!(!place.path("b.key").exists());
}
