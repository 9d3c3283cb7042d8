//! What a scenario is asked for, what came of it, and the table of all.

use serde_json::{Value, json};

/// What a scenario is asked for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whatever chance decides follows from it.
    pub seed: u64,
    /// Within `tests/run`: a tenth, or less.
    pub short: bool,
    /// How long `soak` goes on by the real clock; without it, as long as its virtual time takes.
    pub minutes: Option<u64>,
}

impl Plan {
    /// What does this scenario again.
    pub fn command(&self, name: &str) -> String {
        let short = if self.short { " --short" } else { "" };
        let minutes = self.minutes.map(|minutes| format!(" --minutes {minutes}")).unwrap_or_default();
        format!("tests/campaign --seed {}{short}{minutes} {name}", self.seed)
    }

    /// The one for the short form, or the one for the full.
    pub fn either<T>(&self, short: T, full: T) -> T {
        if self.short { short } else { full }
    }
}

const MOST_FAULTS: usize = 12;
/// Begins the line by which a scenario's process tells its outcome.
const MARK: &str = "outcome: ";

/// What came of a scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What was done, in words.
    pub done: String,
    pub runs: usize,
    /// What was accepted and is gone, or should have been told to somebody and was not.
    pub lost: usize,
    /// What came twice and should not.
    pub doubled: usize,
    /// Whatever else was not as it has to be.
    pub wrong: usize,
    /// The first of all these, in words.
    pub faults: Vec<String>,
}

impl Outcome {
    pub fn crashed(why: &str) -> Self {
        let mut outcome = Self::default();
        outcome.is_wrong(why.to_owned());
        outcome
    }

    pub fn holds(&self) -> bool {
        self.lost + self.doubled + self.wrong == 0
    }

    pub fn is_lost(&mut self, what: String) {
        self.lost += 1;
        self.fault(format!("lost: {what}"));
    }

    pub fn is_doubled(&mut self, what: String) {
        self.doubled += 1;
        self.fault(format!("doubled: {what}"));
    }

    pub fn is_wrong(&mut self, what: String) {
        self.wrong += 1;
        self.fault(format!("wrong: {what}"));
    }

    /// It is wrong unless this holds.
    pub fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.is_wrong(what());
        }
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(what.chars().take(1500).collect());
        }
    }

    /// What came of a further run.
    pub fn add(&mut self, run: Self, which: &str) {
        self.runs += run.runs;
        self.lost += run.lost;
        self.doubled += run.doubled;
        self.wrong += run.wrong;
        for fault in run.faults {
            self.fault(format!("{which}: {fault}"));
        }
    }

    pub fn to_line(&self) -> String {
        let numbers = [self.runs, self.lost, self.doubled, self.wrong];
        format!("{MARK}{}", json!({ "done": self.done, "numbers": numbers, "faults": self.faults }))
    }

    pub fn from_line(line: &str) -> Option<Self> {
        let told: Value = serde_json::from_str(line.strip_prefix(MARK)?).ok()?;
        let number = |i: usize| told["numbers"][i].as_u64().and_then(|n| usize::try_from(n).ok());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(Self {
            done: text(&told["done"]),
            runs: number(0)?,
            lost: number(1)?,
            doubled: number(2)?,
            wrong: number(3)?,
            faults: told["faults"].as_array()?.iter().map(text).collect(),
        })
    }
}

/// The table of a campaign, as Markdown.
pub fn table(rows: &[(&str, Outcome, f64)]) -> String {
    let head = "| scenario | what was done | runs | lost | doubled | wrong | seconds |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n";
    let row = |(name, o, seconds): &(&str, Outcome, f64)| {
        format!("| `{name}` | {} | {} | {} | {} | {} | {seconds:.0} |\n", o.done, o.runs, o.lost, o.doubled, o.wrong)
    };
    head.to_owned() + &rows.iter().map(row).collect::<String>()
}
