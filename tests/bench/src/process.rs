//! What the system knows of a process: its CPU time and its memory (Linux: `/proc`).

use std::fs;
use std::time::Duration;

use crate::Failure;

/// The CPU time that all threads of a process have taken, in steps of 10 ms mostly.
pub(crate) fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is a name that may hold anything; after it, the 12th and 13th are utime and stime.
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in stat")?;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(ticks * (1_000_000_000 / rustix::param::clock_ticks_per_second())))
}

/// The memory that a process has in RAM now, in bytes.
pub(crate) fn memory(process: u32) -> Result<u64, Failure> {
    from_status(process, "VmRSS:")
}

/// The most memory that a process has had in RAM at one time, in bytes.
pub(crate) fn peak_memory(process: u32) -> Result<u64, Failure> {
    from_status(process, "VmHWM:")
}

fn from_status(process: u32, field: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field in status")?;
    Ok(value.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
