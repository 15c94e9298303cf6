//! Keys of other programs are made by the `openssl` program; on a computer without it these tests prove nothing.

use super::*;
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("a.key");
        fs::write(&path, content).unwrap();
        path
    }

    /// A file that the `openssl` program writes; `None` on a computer without it.
    fn openssl(&self, arguments: &str) -> Option<PathBuf> {
        let path = self.path(&format!("{}.key", fs::read_dir(self.0.path()).unwrap().count()));
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .arg("-out")
            .arg(&path)
            .current_dir(self.0.path())
            .output()
            .ok()?;
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        Some(path)
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn refusal(path: &Path, password: Option<&str>) -> Error {
    read(path, password.map(Secret::new).as_ref()).unwrap_err()
}

#[test]
fn every_kind_of_key_that_is_made_is_read_again() {
    let world = World::new();
    let path = world.path("keys/localhost.key");
    for algorithm in [
        Algorithm::default(),
        Algorithm::rsa(3072).unwrap(),
        Algorithm::ecc("SECP256R1").unwrap(),
        Algorithm::ecc("SECP384R1").unwrap(),
        Algorithm::ecc("secp521r1").unwrap(),
    ] {
        make(&path, algorithm, None).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert_eq!(is_encrypted(&path).unwrap(), Some(false));
        assert!(matches!(read(&path, None).unwrap(), Some(PrivateKeyDer::Pkcs8(_))), "{algorithm:?}");
    }
}

#[test]
fn with_a_password_a_key_is_encrypted() {
    let world = World::new();
    let path = world.path("a.key");
    make(&path, Algorithm::ecc("SECP256R1").unwrap(), Some(&secret("hush"))).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert_eq!(is_encrypted(&path).unwrap(), Some(true));
    assert!(matches!(read(&path, Some(&secret("hush"))).unwrap(), Some(PrivateKeyDer::Pkcs8(_))));
}

#[test]
fn a_dsa_key_is_refused_with_what_to_use() {
    let world = World::new();
    let parameters = "genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024";
    let Some(parameters) = world.openssl(parameters) else { return };
    fs::rename(parameters, world.path("parameters")).unwrap();
    let key = world.openssl("genpkey -paramfile parameters").unwrap();
    fs::rename(key, world.path("dsa.key")).unwrap();
    for (arguments, password) in [
        ("pkey -in dsa.key", None),
        ("pkey -in dsa.key -traditional", None),
        ("pkey -in dsa.key -traditional -aes256 -passout pass:hush", Some("hush")),
        ("pkey -in dsa.key -aes256 -passout pass:hush", Some("hush")),
    ] {
        let error = refusal(&world.openssl(arguments).unwrap(), password).to_string();
        assert!(error.contains("use an RSA or an elliptic-curve key"), "{arguments}: {error}");
    }
}

#[test]
fn sizes_and_curves_that_cannot_be_made_are_refused() {
    for bits in [0, 1024, 2047, 16384] {
        assert!(Algorithm::rsa(bits).unwrap_err().to_string().contains("2048, 3072, 4096 and 8192"));
        assert!(Algorithm::dsa(bits).unwrap_err().to_string().contains("2048 and 3072"));
    }
    let error = Algorithm::ecc("secp256k1").unwrap_err().to_string();
    assert!(error.starts_with("ValueError: Invalid curve name 'SECP256K1'. Allowed curves are\n"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_key_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let path = World::new().path("a.key");
    make_missing(&path, None).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_existing_file_is_written_over_only_by_name() {
    let world = World::new();
    let path = world.file("mine");
    make_missing(&path, None).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    make(&path, Algorithm::default(), None).unwrap();
    assert_ne!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn the_older_forms_are_read() {
    let world = World::new();
    let Some(rsa) = world.openssl("genrsa -traditional") else { return };
    assert!(matches!(read(&rsa, None).unwrap(), Some(PrivateKeyDer::Pkcs1(_))));
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        // OpenSSL puts a section of parameters before the key.
        let ec = world.openssl(&format!("ecparam -genkey -name {curve}")).unwrap();
        assert!(matches!(read(&ec, None).unwrap(), Some(PrivateKeyDer::Sec1(_))), "{curve}");
    }
}

#[test]
fn encrypted_keys_of_all_forms_are_read_with_their_password_alone() {
    let world = World::new();
    make(&world.path("plain.key"), Algorithm::ecc("SECP256R1").unwrap(), None).unwrap();
    make(&world.path("rsa.key"), Algorithm::default(), None).unwrap();
    for arguments in [
        "pkcs8 -topk8 -in plain.key -v2 aes256",
        "pkcs8 -topk8 -in plain.key -v2 aes-128-cbc",
        "pkcs8 -topk8 -in plain.key -v2 aes-192-cbc -v2prf hmacWithSHA512",
        "pkcs8 -topk8 -in plain.key -v2 des3 -v2prf hmacWithSHA1",
        "pkcs8 -topk8 -in plain.key -scrypt",
        "pkcs8 -topk8 -in rsa.key",
        "pkey -traditional -in plain.key -aes256",
        "pkey -traditional -in plain.key -aes192",
        "pkey -traditional -in rsa.key -aes128",
        "pkey -traditional -in rsa.key -des3",
        "pkey -traditional -in plain.key -des -provider legacy -provider default",
    ] {
        let Some(path) = world.openssl(&format!("{arguments} -passout pass:gr\u{fc}n")) else { return };
        assert_eq!(is_encrypted(&path).unwrap(), Some(true), "{arguments}");
        assert!(read(&path, Some(&secret("grün"))).unwrap().is_some(), "{arguments}");
        let wrong = refusal(&path, Some("blau"));
        assert!(wrong.to_string().contains("the password is wrong"), "{arguments}: {wrong}");
        // As an editor on Windows leaves it, with notes before it.
        let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        let other = world.file(format!("Bag Attributes\r\n    friendlyName: lab\r\n{text}"));
        assert!(read(&other, Some(&secret("grün"))).unwrap().is_some(), "{arguments}");
        let missing = refusal(&path, None);
        assert!(missing.to_string().contains("is encrypted; give its password"), "{missing}");
        assert_eq!(missing.kind(), Kind::Type);
    }
}

#[test]
fn a_password_for_a_key_that_is_not_encrypted_is_an_error() {
    let world = World::new();
    let path = world.path("a.key");
    make(&path, Algorithm::ecc("SECP256R1").unwrap(), None).unwrap();
    let error = refusal(&path, Some("hush"));
    assert_eq!(error.kind(), Kind::Type);
    assert!(error.to_string().contains("is not encrypted"), "{error}");
}

#[test]
fn keys_that_tls_does_not_serve_are_errors_that_say_what_does() {
    let world = World::new();
    for arguments in [
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
        "genpkey -algorithm X25519",
        "ecparam -genkey -noout -name secp256k1",
    ] {
        let Some(path) = world.openssl(arguments) else { return };
        let error = refusal(&path, None).to_string();
        assert!(error.contains("RSA keys of 2048 bits and more, P-256"), "{arguments}: {error}");
    }
}

#[test]
fn what_cannot_be_decrypted_is_named() {
    let world = World::new();
    let old = |information: &str| {
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n{information}\nAAAA\n-----END RSA PRIVATE KEY-----\n"
        )
    };
    for (content, expected) in [
        (old("DEK-Info: CAMELLIA-256-CBC,00\n"), "encrypted with CAMELLIA-256-CBC"),
        (old("DEK-Info: AES-256-CBC\n"), "has no second part"),
        (old("DEK-Info: AES-256-CBC,0\n"), "not hexadecimal"),
        (old("DEK-Info: AES-256-CBC,00\n"), "has the wrong length"),
        (old(""), "lacks the header"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n".into(),
            "form of OpenSSH",
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n".into(),
            "damaged, or encrypted in an unusual way",
        ),
    ] {
        let path = world.file(&content);
        let password = is_encrypted(&path).unwrap().unwrap().then_some("hush");
        let error = refusal(&path, password);
        assert_eq!(error.kind(), Kind::Value);
        assert!(error.to_string().contains(expected), "{expected:?} is not in {error}");
    }
}

#[test]
fn a_file_without_a_key_is_none_and_a_damaged_key_an_error() {
    let world = World::new();
    let path = world.file("hello");
    assert!(read(&path, None).unwrap().is_none());
    assert_eq!(is_encrypted(&path).unwrap(), None);
    for damaged in [
        "-----BEGIN PRIVATE KEY-----\nAAAA\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n",
    ] {
        assert_eq!(refusal(&world.file(damaged), None).kind(), Kind::Value, "{damaged}");
    }
}

#[test]
fn a_missing_file_is_an_error() {
    let path = World::new().path("none");
    assert_eq!(refusal(&path, None).kind(), Kind::FileNotFound);
    assert_eq!(is_encrypted(&path).unwrap(), None);
}

#[test]
fn a_huge_file_is_an_error_that_does_not_fill_the_memory() {
    let world = World::new();
    let path = world.path("huge");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = refusal(&path, None).to_string();
    assert!(error.contains("larger than"), "{error}");
}

/// Keys as texts of PEM; the encrypted ones take little work.
static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let world = World::new();
    let plain = world.path("plain.key");
    make(&plain, Algorithm::ecc("SECP256R1").unwrap(), None).unwrap();
    let others = ["pkcs8 -topk8 -in plain.key -iter 1", "pkey -traditional -in plain.key -aes256"]
        .map(|form| world.openssl(&format!("{form} -passout pass:hush")));
    [Some(plain)].into_iter().chain(others).flatten().map(|path| fs::read_to_string(path).unwrap()).collect()
});

proptest! {
    /// Whatever is in the file, there is a key, none, or an error.
    #[test]
    fn no_file_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), label in "[A-Z ]{0,10}PRIVATE KEY") {
        let world = World::new();
        let _ = read(&world.file(&bytes), None);
        let text = pem::encode(&pem::Pem::new(label, bytes));
        let _ = read(&world.file(&text), None);
        let _ = read(&world.file(&text), Some(&secret("hush")));
    }

    /// The same for keys that were cut, or changed anywhere.
    #[test]
    fn no_damaged_key_is_a_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut content = which.get(&KEYS).clone().into_bytes();
        for (index, byte) in changes {
            *index.get_mut(&mut content) = byte;
        }
        let world = World::new();
        let _ = read(&world.file(&content), Some(&secret("hush")));
        let _ = read(&world.file(&content), None);
        content.truncate(end.index(content.len()));
        let _ = read(&world.file(&content), Some(&secret("hush")));
    }
}
