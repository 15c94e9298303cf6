//! What a program has to know about where it runs, some of which it says in its identity (`docs/wire.md`, section 3).

use std::num::NonZero;
use std::thread;

use sysinfo::System;

/// Half of the cores that this program may use, one at least. What may take all of its time gets no more, so that the devices on
/// this computer, and the rest of the Manager, have the others.
#[must_use]
pub fn half_of_the_cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2)
}

/// The language of this program: `Rust 1.95.0`.
pub fn language() -> String {
    format!("Rust {}", env!("MSL_NETWORK_RUST_VERSION"))
}

/// System, release and machine, as Python's `platform` writes them: `Linux 6.1.0 x86_64`.
pub fn os() -> String {
    let system = match std::env::consts::OS {
        "linux" | "android" => "Linux",
        "macos" | "ios" => "Darwin",
        "windows" => "Windows",
        "freebsd" => "FreeBSD",
        other => other,
    };
    // Python's release of Windows is "10" or "11", elsewhere it is the kernel's.
    let release = if cfg!(windows) { System::os_version() } else { System::kernel_version() };
    let release = release.as_deref().and_then(|text| text.split_whitespace().next()).unwrap_or("unknown");
    format!("{system} {release} {}", System::cpu_arch())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_os_reads_as_system_release_machine() {
        let os = os();
        assert_eq!(os.split(' ').count(), 3, "{os}");
        assert!(!os.contains("unknown"), "{os}");
    }

    #[test]
    fn the_language_says_the_version_of_the_compiler() {
        let language = language();
        let version = language.strip_prefix("Rust ").unwrap();
        assert!(version.starts_with("1."), "{version}");
    }
}
