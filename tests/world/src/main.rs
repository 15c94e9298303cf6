//! Plays worlds for as long as one likes, or one of them for a closer look.

use std::fmt;
use std::io::{self, Write as _};
use std::panic;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Parser;
use msl_network_world::{Failure, Report, bytes_of, check, reached::Reached, shrink};

/// Plays simulated laboratories, each decided by a seed, and tells what was reached.
#[derive(Parser)]
struct Arguments {
    /// How long to go on
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Stop after so many worlds, whatever time it is
    #[arg(long, default_value_t = u32::MAX, hide_default_value = true)]
    worlds: u32,
    /// The seed to begin with; alone, this one only
    #[arg(long)]
    seed: Option<u64>,
    /// Go on from the seed, for as long as --seconds says
    #[arg(long, requires = "seed")]
    onward: bool,
    /// A scenario itself, in hexadecimal digits, as a failure is reported
    #[arg(long, conflicts_with = "seed")]
    bytes: Option<Scenario>,
    /// Show what happens, line by line
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    // What is wrong is said below, once, and not for each attempt to make it smaller.
    panic::set_hook(Box::new(|_| ()));
    let arguments = Arguments::parse();
    let time = Duration::from_secs(arguments.seconds);
    let all_well = match (arguments.bytes, arguments.seed) {
        (Some(Scenario(bytes)), _) => one(&bytes, arguments.trace),
        (None, Some(seed)) if !arguments.onward => one(&bytes_of(seed), arguments.trace),
        (None, seed) => many(seed.unwrap_or_default(), time, arguments.worlds),
    };
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The bytes of a scenario, in hexadecimal digits.
#[derive(Clone)]
struct Scenario(Vec<u8>);

impl FromStr for Scenario {
    type Err = &'static str;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<_> = digits.as_bytes().chunks(2).map(byte).collect();
        bytes.map(Self).ok_or("these are no pairs of hexadecimal digits")
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Seeds one after the other, until the time is over, there were `most`, or one fails.
fn many(first: u64, time: Duration, most: u32) -> bool {
    let begin = Instant::now();
    let (mut reached, mut simulated) = (Reached::default(), Duration::ZERO);
    let (mut steps, mut turns, mut worlds) = (0, 0, 0_u32);
    while begin.elapsed() < time && worlds < most {
        let seed = first + u64::from(worlds);
        let bytes = bytes_of(seed);
        match check(&bytes, false) {
            Ok(report) => {
                worlds += 1;
                reached.merge(&report.reached);
                simulated += report.simulated;
                steps += report.steps;
                turns += report.turns;
            }
            Err(failure) => {
                println!("seed {seed}: {failure}");
                show_smallest(&bytes);
                return false;
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("{reached}");
    println!("{worlds} worlds from seed {first}, {steps} steps, {turns} turns of tasks");
    println!("{:.0} simulated hours", simulated.as_secs_f64() / 3600.0);
    println!("{:.0} worlds a minute, in {seconds:.0} s", f64::from(worlds) * 60.0 / seconds);
    let missing = reached.missing();
    if !missing.is_empty() {
        println!("not reached: {}", missing.join(", "));
    }
    true
}

fn one(bytes: &[u8], trace: bool) -> bool {
    let outcome = check(bytes, trace);
    let (text, shown) = match &outcome {
        Ok(Report { trace, simulated, steps, .. }) => {
            (format!("all rules held: {steps} steps, {:.1} simulated s", simulated.as_secs_f64()), trace)
        }
        Err(Failure { message, trace }) => (message.clone(), trace),
    };
    if let Some(shown) = shown {
        // Nobody may read any more, as with `| head`.
        let _ = io::stdout().write_all(shown.as_bytes());
    }
    println!("{text}");
    if outcome.is_err() {
        show_smallest(bytes);
    }
    outcome.is_ok()
}

fn show_smallest(bytes: &[u8]) {
    let smallest = shrink(bytes, |bytes| check(bytes, false).is_err());
    if let Err(failure) = check(&smallest, false) {
        println!("the smallest found: {failure}");
    }
    println!("cargo run --release -p msl-network-world -- --trace --bytes {}", Scenario(smallest));
}
