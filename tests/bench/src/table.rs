//! Medians, ratios, and the table.

use std::fmt::Display;

use crate::rates::Figures;

/// The median; of an even number, the mean of both in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length => f64::midpoint(values[(length - 1) / 2], values[length / 2]),
    }
}

/// The head of a table, with the names of its columns.
pub(crate) fn head(title: &str, columns: impl IntoIterator<Item = impl Display>) -> String {
    let columns: Vec<String> = columns.into_iter().map(|column| column.to_string()).collect();
    format!("\n| {title} | {} |\n| --- |{}", columns.join(" | "), " --- |".repeat(columns.len()))
}

/// One row.
pub(crate) fn row(name: impl Display, cells: &[String]) -> String {
    format!("| {name} | {} |", cells.join(" | "))
}

/// Of each column the rate, the ratio to the first column in the same round, and the CPU time; medians of all rounds.
pub(crate) fn rates(rounds: &[Vec<Figures>]) -> Vec<String> {
    let columns = rounds.first().map_or(0, Vec::len);
    (0..columns)
        .map(|column| {
            let of = |value: fn(&Figures) -> f64| median(rounds.iter().map(|round| value(&round[column])));
            let rate = thousands(of(|figures| figures.rate));
            let cpu = of(|figures| figures.cpu.as_secs_f64()) * 1e6;
            if column == 0 {
                return format!("{rate}; {cpu:.2} µs");
            }
            let ratio = median(rounds.iter().map(|round| round[column].rate / round[0].rate));
            format!("{rate} = {ratio:.2}; {cpu:.2} µs")
        })
        .collect()
}

/// A whole number with a comma after each three digits.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
