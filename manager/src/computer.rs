//! What a Manager must know about the computer it runs on.
//!
//! Asked once at the start; a computer that changes its name or its memory while the Manager runs is not followed.

use std::collections::BTreeSet;
use std::net::IpAddr;

use msl_network_trust::computer;
pub use msl_network_trust::computer::half_of_the_cores;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// File descriptors that are not for connections: listeners, log files, the database, the runtime's own.
const RESERVED_DESCRIPTORS: usize = 64;

/// The memory that is assumed where the operating system does not tell: that of the smallest computers in use.
const ASSUMED_MEMORY: u64 = 1024 * 1024 * 1024;

/// The reverse names of the loopback addresses. Some resolvers know them by nothing else.
const LOOPBACK_4: &str = "1.0.0.127.in-addr.arpa";
const LOOPBACK_6: &str = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";

/// Facts about this computer and this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computer {
    /// The host name, with the domain if it is set up so.
    pub host_name: String,
    /// System, release and machine, as Python's `platform` writes them: `Linux 6.1.0 x86_64` (`docs/wire.md` section 3).
    pub os: String,
    /// The language of this program: `Rust 1.95.0`.
    pub language: String,
    /// The memory in bytes that programs may use: the computer's, or less where a control group limits it.
    pub memory: usize,
    /// The connections that the file descriptors of this process allow.
    pub connections: usize,
}

impl Computer {
    /// Asks the operating system, and raises the soft limit of file descriptors to the hard one: the usual soft limit of
    /// 1,024 is far below what a Manager may need.
    pub fn inspect() -> Self {
        Self {
            host_name: host_name(),
            os: computer::os(),
            language: computer::language(),
            memory: memory(),
            connections: descriptors().saturating_sub(RESERVED_DESCRIPTORS).max(1),
        }
    }
}

/// The IP addresses of this computer's interfaces, as they are now; none where the operating system does not tell.
pub fn addresses() -> Vec<IpAddr> {
    if_addrs::get_if_addrs()
        .map(|interfaces| interfaces.iter().map(if_addrs::Interface::ip).collect())
        .unwrap_or_default()
}

/// What this computer is called by itself and others: the host names and addresses that a device on it may have, and what
/// the loopback addresses are called in the domain name system.
pub fn own_names() -> BTreeSet<String> {
    let fixed = ["localhost", "127.0.0.1", "::1", LOOPBACK_4, LOOPBACK_6];
    let addresses = addresses().into_iter().filter(IpAddr::is_ipv4).map(|ip| ip.to_string());
    fixed.into_iter().map(str::to_owned).chain([host_name()]).chain(addresses).collect()
}

/// The host name of this computer, with the domain if it is set up so.
pub fn host_name() -> String {
    System::host_name().filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

fn memory() -> usize {
    let system = System::new_with_specifics(
        RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram()),
    );
    let total = match system.total_memory() {
        0 => ASSUMED_MEMORY,
        total => total,
    };
    let allowed = system
        .cgroup_limits()
        .map(|limits| limits.total_memory)
        .filter(|limit| *limit > 0)
        .map_or(total, |limit| limit.min(total));
    usize::try_from(allowed).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn descriptors() -> usize {
    // Where the limit cannot be raised, the one that is there counts; where it cannot even be read, 1,024 is usual.
    let limit = rlimit::increase_nofile_limit(rlimit::INFINITY)
        .or_else(|_| rlimit::Resource::NOFILE.get_soft())
        .unwrap_or(1024);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn descriptors() -> usize {
    // Sockets are not counted as files there.
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_connections_are_never_nothing() {
        let computer = Computer::inspect();
        assert!(computer.memory > 1024 * 1024);
        assert!(computer.connections >= 1);
    }
}
