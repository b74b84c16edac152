//! What is measured: numbers with names and units, their medians, and how they are printed.

use std::time::Duration;

use serde_json::{Value, json};

/// A number that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The number.
    pub value: f64,
}

/// What one run of a profile measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures(pub Vec<Figure>);

impl Figures {
    /// Adds a number.
    pub fn add(&mut self, name: impl Into<String>, unit: &str, value: f64) {
        self.0.push(Figure { name: name.into(), unit: unit.to_owned(), value });
    }

    /// Adds a count.
    pub fn count(&mut self, name: impl Into<String>, unit: &str, count: usize) {
        self.add(name, unit, float(count));
    }

    /// Adds a time in seconds.
    pub fn seconds(&mut self, name: impl Into<String>, time: Duration) {
        self.add(name, "s", time.as_secs_f64());
    }

    /// Adds the distribution of durations.
    pub fn distribution(&mut self, name: &str, durations: &[Duration]) {
        let mut sorted = durations.to_vec();
        sorted.sort();
        for (label, share) in [("p50", 50), ("p95", 95), ("p99", 99), ("max", 100)] {
            self.seconds(format!("{name}, {label}"), percentile(&sorted, share));
        }
    }

    /// The number of this name, if it was measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// The number of this name; 0 where nothing was counted.
    pub fn value(&self, name: &str) -> f64 {
        self.get(name).unwrap_or_default()
    }

    /// The numbers for a file.
    pub fn to_json(&self) -> Value {
        let entry =
            |figure: &Figure| json!({"name": figure.name, "unit": figure.unit, "value": figure.value});
        self.0.iter().map(entry).collect()
    }

    /// The numbers of a file.
    pub fn of_json(value: &Value) -> Self {
        let figure = |entry: &Value| Figure {
            name: entry["name"].as_str().unwrap().to_owned(),
            unit: entry["unit"].as_str().unwrap().to_owned(),
            value: entry["value"].as_f64().unwrap(),
        };
        Self(value.as_array().unwrap().iter().map(figure).collect())
    }
}

/// A count as a number that can be divided.
#[allow(clippy::cast_precision_loss, reason = "no count here is that large")]
pub fn float(count: usize) -> f64 {
    count as f64
}

/// The least duration that this share (of 100) of the sorted ones does not exceed.
fn percentile(sorted: &[Duration], share: usize) -> Duration {
    let place = (sorted.len() * share).div_ceil(100);
    sorted.get(place.max(1) - 1).copied().unwrap_or_default()
}

/// A figure over several runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The figure, with the median as its value.
    pub median: Figure,
    /// The lowest value.
    pub lowest: f64,
    /// The highest value.
    pub highest: f64,
}

/// The figures of several runs, in the order in which they first occur. What a run did not count is 0 there.
pub fn summarized(runs: &[Figures]) -> Vec<Summary> {
    let mut found: Vec<Figure> = Vec::new();
    for figure in runs.iter().flat_map(|run| &run.0) {
        if !found.iter().any(|known| known.name == figure.name) {
            found.push(figure.clone());
        }
    }
    let summary = |figure: Figure| {
        let mut values: Vec<f64> = runs.iter().map(|run| run.value(&figure.name)).collect();
        values.sort_by(f64::total_cmp);
        let middle = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        let (lowest, highest) = (values[0], values[values.len() - 1]);
        Summary { median: Figure { value: middle, ..figure }, lowest, highest }
    };
    found.into_iter().map(summary).collect()
}

/// A table of the figures, one a row.
pub fn table(title: &str, summaries: &[Summary]) -> String {
    let names = summaries.iter().map(|summary| summary.median.name.chars().count());
    let width = names.max().unwrap_or_default().max(title.chars().count());
    let head = format!("| {title:width$} | {:>10} | {:>10} | {:>10} | unit |", "median", "lowest", "highest");
    let line = format!("|{}|-----------:|-----------:|-----------:|------|", "-".repeat(width + 2));
    let row = |Summary { median, lowest, highest }: &Summary| {
        let [value, lowest, highest] = [median.value, *lowest, *highest].map(readable);
        format!("| {:width$} | {value:>10} | {lowest:>10} | {highest:>10} | {} |", median.name, median.unit)
    };
    let rows: Vec<_> = [head, line].into_iter().chain(summaries.iter().map(row)).collect();
    rows.join("\n")
}

/// Three digits or the whole part, whichever is more.
fn readable(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
    let at = |share| percentile(&sorted, share).as_millis();
    assert_eq!([at(50), at(95), at(99), at(100)], [100, 190, 198, 200]);
    assert_eq!(percentile(&sorted[..1], 50).as_millis(), 1);
    assert_eq!(percentile(&[], 99), Duration::ZERO);
}

#[test]
fn a_summary_has_the_median_and_the_ends() {
    let run = |value| Figures(vec![Figure { name: "a".to_owned(), unit: "s".to_owned(), value }]);
    let found = summarized(&[run(3.0), run(1.0), Figures::default()]);
    assert_eq!((found[0].median.value, found[0].lowest, found[0].highest), (1.0, 0.0, 3.0));
    assert_eq!(Figures::of_json(&run(3.0).to_json()), run(3.0));
    let table = table("idle", &found);
    assert!(table.contains("| a    |       1.00 |          0 |       3.00 | s |"), "{table}");
}
