//! What becomes of a store whose file was damaged behind its back: by a flash card that dies, say.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;
use std::path::Path;

use msl_network_manager::{Error, Kind, Secret, Store};

/// How often the file is damaged.
const DAMAGES: usize = 100;

/// The size of the pages that a database is made of.
const PAGE: usize = 4096;

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Turns a few bits over; sometimes a whole page is gone, too.
fn damage(content: &mut [u8], numbers: &mut Numbers) {
    for _ in 0..3 {
        content[numbers.below(content.len())] ^= 1 << numbers.below(8);
    }
    if numbers.below(2) == 0 {
        let page = numbers.below(content.len() / PAGE) * PAGE;
        content[page..page + PAGE].fill(0);
    }
}

fn use_all(path: &Path) -> Result<(), Error> {
    let store = Store::open(path)?;
    store.users().list()?;
    store.hostnames().insert("bench3")?;
    store.hostnames().list()?;
    store.connections().query(None, None)?;
    Ok(())
}

#[test]
fn damage_is_an_error_that_says_so_or_has_met_nothing_that_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    Store::open(&path).unwrap().users().insert("ann", &Secret::new("x"), true).unwrap();
    let good = fs::read(&path).unwrap();
    let mut numbers = Numbers(1);
    let mut errors = 0;
    for _ in 0..DAMAGES {
        let mut content = good.clone();
        damage(&mut content, &mut numbers);
        fs::write(&path, &content).unwrap();
        match use_all(&path) {
            Ok(()) => assert_eq!(Store::open(&path).unwrap().users().names().unwrap(), ["ann"]),
            Err(error) => {
                assert!([Kind::Os, Kind::Value].contains(&error.kind()), "{error}");
                errors += 1;
            }
        }
    }
    assert!(errors > 0, "nothing was damaged: the test shows nothing");
}
