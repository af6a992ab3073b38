//! What was measured, as a table for people and as Markdown.

use std::fmt;

use crate::Result;
use crate::figures::Figure;
use crate::machine::Machine;

/// One measured number and its goal.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What is compared with what.
    pub(crate) compared: String,
    /// What Armillaria took or did.
    pub(crate) ours: String,
    /// What the other side took or did.
    pub(crate) theirs: String,
    /// The first over the second; where there is no second, the first.
    pub(crate) value: f64,
    /// What the value should be.
    pub(crate) goal: Goal,
}

/// What a value should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// A ratio, this or less.
    Most(f64),
    /// A ratio, this or more.
    Least(f64),
    /// So many of a unit, or fewer.
    Units(f64, &'static str),
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    figures: Vec<(&'static Figure, std::result::Result<Vec<Line>, String>)>,
}

impl Line {
    /// Compares two numbers of one unit; the ratio is the first over the second.
    pub(crate) fn ratio(compared: impl Into<String>, ours: f64, theirs: f64, unit: Unit, goal: Goal) -> Line {
        Line { compared: compared.into(), ours: unit.show(ours), theirs: unit.show(theirs), value: ours / theirs, goal }
    }

    fn is_met(&self) -> bool {
        self.goal.is_met(self.value)
    }

    fn cells(&self) -> [String; 6] {
        let met = if self.is_met() { "met" } else { "MISSED" };
        let value = self.goal.show_value(self.value);
        [self.compared.clone(), self.ours.clone(), self.theirs.clone(), value, self.goal.to_string(), met.to_string()]
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [compared, ours, theirs, value, goal, met] = self.cells();
        write!(f, "{compared}: {ours} / {theirs} = {value} (goal {goal}): {met}")
    }
}

/// What numbers count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Seconds, shown as seconds or in milliseconds.
    Seconds,
    /// So many each second.
    PerSecond,
    /// Bytes, shown in megabytes of a million bytes.
    Bytes,
}

impl Unit {
    /// A number in words.
    pub(crate) fn show(self, number: f64) -> String {
        match self {
            Unit::Seconds if number < 1e-4 => format!("{:.2} µs", number * 1e6),
            Unit::Seconds if number < 0.01 => format!("{:.3} ms", number * 1e3),
            Unit::Seconds if number < 1.0 => format!("{:.1} ms", number * 1e3),
            Unit::Seconds => format!("{number:.2} s"),
            Unit::PerSecond => format!("{number:.0}/s"),
            Unit::Bytes => format!("{:.1} MB", number / 1e6),
        }
    }
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Goal::Most(goal) | Goal::Units(goal, _) => value <= goal,
            Goal::Least(goal) => value >= goal,
        }
    }

    fn show_value(self, value: f64) -> String {
        match self {
            Goal::Units(_, unit) => format!("{}{unit}", short(value)),
            _ => format!("{value:.3}"),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::Most(goal) => write!(f, "≤ {}", short(*goal)),
            Goal::Least(goal) => write!(f, "≥ {}", short(*goal)),
            Goal::Units(goal, unit) => write!(f, "≤ {}{unit}", short(*goal)),
        }
    }
}

/// At most two decimals, and none that say nothing.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

const HEADINGS: [&str; 6] = ["compared", "Armillaria", "against", "ratio", "goal", ""];

impl Report {
    pub(crate) fn new(machine: Machine) -> Report {
        Report { machine, figures: Vec::new() }
    }

    /// Takes what a figure gave; its lines in words.
    pub(crate) fn add(&mut self, figure: &'static Figure, result: Result<Vec<Line>>) -> Vec<String> {
        let result = result.map_err(|error| error.to_string());
        let said = match &result {
            Ok(lines) => lines.iter().map(ToString::to_string).collect(),
            Err(error) => vec![format!("FAILED: {error}")],
        };
        self.figures.push((figure, result));
        said
    }

    /// How many figures could not be measured.
    pub(crate) fn failures(&self) -> usize {
        self.figures.iter().filter(|(_, result)| result.is_err()).count()
    }

    /// How many goals were met.
    pub(crate) fn summary(&self) -> String {
        let lines: Vec<&Line> = self.figures.iter().flat_map(|(_, result)| result.iter().flatten()).collect();
        let met = lines.iter().filter(|line| line.is_met()).count();
        let failures = self.failures();
        let failed = if failures > 0 { format!(", {failures} figures failed") } else { String::new() };
        format!("{met} of {} goals met{failed}", lines.len())
    }

    /// A table for a terminal.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![[&[""][..], &HEADINGS[..]].concat().iter().map(ToString::to_string).collect::<Vec<_>>()];
        for (figure, result) in &self.figures {
            for line in result.iter().flatten() {
                rows.push([&[figure.letter.to_string()][..], &line.cells()[..]].concat());
            }
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..=HEADINGS.len()).map(width).collect();
        let pad = |(cell, width): (&String, &usize)| format!("{cell:<width$}");
        let text = |row: &Vec<String>| row.iter().zip(&widths).map(pad).collect::<Vec<_>>().join("  ");
        rows.iter().map(|row| text(row).trim_end().to_string()).collect::<Vec<_>>().join("\n")
    }

    /// The whole report.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("<!-- Generated by `make bench`; do not edit. -->\n\n# Benchmarks\n\n");
        text += "Every ratio was measured in one run, both sides taking turns, with as many threads on either side. For work of\n\
            the processor the best round counts, for work of the disk the middle one.\n\n";
        text += &format!("{}. {}\n", self.summary(), self.machine);
        for (figure, result) in &self.figures {
            text += &format!("\n## {}. {}\n\n{}\n\n", figure.letter, figure.title, figure.explained);
            text += &match result {
                Ok(lines) => markdown_table(lines),
                Err(error) => format!("Not measured: {error}\n"),
            };
        }
        text
    }
}

fn markdown_table(lines: &[Line]) -> String {
    let mut text = format!("| {} |\n|---|---|---|---|---|---|\n", HEADINGS.join(" | "));
    for line in lines {
        text += &format!("| {} |\n", line.cells().join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_hold_on_their_side_only() {
        assert!(Goal::Most(1.1).is_met(1.1) && !Goal::Most(1.1).is_met(1.11));
        assert!(Goal::Least(2.0).is_met(2.0) && !Goal::Least(2.0).is_met(1.99));
        assert!(!Goal::Most(1.1).is_met(f64::NAN) && !Goal::Least(1.1).is_met(f64::NAN));
        assert_eq!(Goal::Units(700.0, " MB").to_string(), "≤ 700 MB");
        assert_eq!(Unit::Seconds.show(0.0012), "1.200 ms");
    }
}
