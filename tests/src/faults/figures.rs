//! What a process uses, as Linux tells it.

use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most memory that a process has had at one time, in bytes.
pub fn peak_memory(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number of kB");
    kibibytes * 1024
}

/// The processor time that a process has taken so far, in steps of about 10 ms.
pub(super) fn processor_time(process: u32) -> Duration {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is there");
    // The name, which may hold anything, ends with the last parenthesis; user and system time are the 14th and 15th field.
    let (_, fields) = line.rsplit_once(')').expect("its name is in parentheses");
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("a number of ticks"))
        .sum();
    Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second()).expect("some hundred")
}

/// The file descriptors that a process has open.
pub(super) fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).expect("the process is there").count()
}

/// Lets this process, and those that it starts, have as many file descriptors as the system allows; says how many.
pub fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, there are fewer.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}
