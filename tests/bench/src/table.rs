//! Medians, ratios, and the table.

use std::time::Duration;

use crate::measure::Figures;
use crate::peer::Kind;

/// The median; of an even number, the mean of both in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length => f64::midpoint(values[(length - 1) / 2], values[length / 2]),
    }
}

/// The head of the table.
pub(crate) fn head(kinds: &[Kind]) -> String {
    let names: String = kinds.iter().map(|kind| format!(" {kind} |")).collect();
    format!("| row |{names}\n| --- |{}", " --- |".repeat(kinds.len()))
}

/// One row: of each peer the rate, the ratio to the first peer in the same round, and the CPU time; medians of all rounds.
pub(crate) fn row(name: &str, rounds: &[Vec<Figures>]) -> String {
    let mut text = format!("| {name} |");
    for peer in 0..rounds.first().map_or(0, Vec::len) {
        let of = |value: fn(&Figures) -> f64| median(rounds.iter().map(|round| value(&round[peer])));
        let rate = of(|figures| figures.rate);
        let cpu = Duration::from_secs_f64(of(|figures| figures.cpu.as_secs_f64()));
        let ratio = median(rounds.iter().map(|round| round[peer].rate / round[0].rate));
        let ratio = if peer == 0 { String::new() } else { format!(" = {ratio:.2}") };
        text += &format!(" {}{ratio}, {:.2} µs |", thousands(rate), cpu.as_secs_f64() * 1e6);
    }
    text
}

/// A whole number with a comma after each three digits.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
