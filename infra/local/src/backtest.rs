//! `cargo run -- backtest`: the ranking of suspects on a team's own history, before they trust it.

use std::path::Path;

use backtest::history::Unreadable;
use backtest::{History, git, report};
use domain::rank::Table;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

/// Where the history is.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Two files of JSON lines, by what their names begin with.
    History(&'a Path),
    /// A clone.
    Git(&'a Path),
}

impl<'a> Source<'a> {
    /// What a person means: a folder is a clone.
    #[must_use]
    pub fn of(path: &'a Path) -> Self {
        if path.is_dir() { Self::Git(path) } else { Self::History(path) }
    }
}

/// Reads a history and says how often the ranking was right on it: a page of text, or JSON. How far it is shows on a terminal.
pub fn run(source: Source<'_>, window: SignedDuration, json: bool) -> Result<String, Unreadable> {
    let history = match source {
        Source::History(path) => History::read(path)?,
        Source::Git(folder) => {
            let bar = bar("reading");
            let history = git::read(folder, |done, all| show(&bar, done, all))?;
            bar.finish_and_clear();
            history
        }
    };
    let bar = bar("ranking");
    let all = history.changes.len();
    let report = report::backtest(&history, window, Table::shipped(), |done| {
        // Each thousandth is often enough.
        if done % (1 + all / 1000) == 0 {
            show(&bar, done, all);
        }
    });
    bar.finish_and_clear();
    let json = json.then(|| serde_json::to_string_pretty(&report).unwrap_or_default());
    Ok(json.unwrap_or_else(|| report.words().trim_end().to_owned()))
}

fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} changes");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, done: usize, all: usize) {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    bar.set_length(number(all));
    bar.set_position(number(done));
}
