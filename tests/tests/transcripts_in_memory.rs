//! Every recorded conversation, played against the Manager's core alone: no sockets, no clock, no threads.

use msl_network_tests::random::Random;
use msl_network_tests::transcript::{self, Cut, Fidelity, HubNetwork, Transcript, play};

/// How often each transcript is cut at random.
const SEEDS: u64 = 100;

fn play_all(cuts: impl Fn() -> Vec<Cut>) {
    for name in transcript::names() {
        let transcript = Transcript::load(&name);
        for cut in cuts() {
            println!("{cut:?}: {}", transcript.why);
            let mut network = HubNetwork::new(&transcript);
            play(&transcript, &mut network, cut, Fidelity::Departing);
            network.finish();
        }
    }
}

#[test]
fn whole() {
    play_all(|| vec![Cut::Whole]);
}

#[test]
fn byte_by_byte() {
    play_all(|| vec![Cut::Bytes]);
}

#[test]
fn cut_at_random() {
    play_all(|| (1..=SEEDS).map(|seed| Cut::Random(Random::new(seed))).collect());
}
