//! The parts of a score in words: what a person reads on the page and the board.

use super::{Feature, Part};
use crate::text::count;

/// What words need beside the value of a feature.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told<'a> {
    /// How long it was live.
    pub age: &'a str,
    /// What it reverts or lands again.
    pub lineage: Option<&'a str>,
    /// The file that the alert names, and the word that it has in common with it.
    pub file: Option<&'a str>,
    pub word: Option<&'a str>,
}

/// One part of a score in words.
#[must_use]
pub fn words(part: &Part, told: Told<'_>) -> String {
    let value = part.value;
    let n = || whole(value.exp_m1());
    match part.feature {
        Feature::Age => format!("live {} before the alert", told.age),
        Feature::Pace if value > 0.0 => "what breaks this service is older than elsewhere".to_owned(),
        Feature::Pace => "what breaks this service is newer than elsewhere".to_owned(),
        Feature::Newer if n() == 0 => "the newest".to_owned(),
        Feature::Newer => format!("{} after it", count(n(), "change", "changes")),
        Feature::LaterByAuthor => format!("{} by its author after it", count(n(), "change", "changes")),
        Feature::IsRevert => told.lineage.unwrap_or("takes something back").to_owned(),
        Feature::TakenBack => "taken back already".to_owned(),
        Feature::LandsAgain => told.lineage.unwrap_or("lands again what was taken back").to_owned(),
        Feature::DirectoryReverts => {
            let often = if value >= 0.0 { "oftener" } else { "less often" };
            format!("its folder is reverted {:.1} times {often} than usual", value.abs().exp())
        }
        Feature::Familiarity if value < 0.005 => "its author is new to its files".to_owned(),
        Feature::Familiarity => format!("its author knows {} % of its files", whole(value * 100.0)),
        Feature::OnlyDocuments => "documents, styles and pictures only".to_owned(),
        Feature::SaysFix => "says that it mends something".to_owned(),
        Feature::Commits => count(whole(value.exp()), "commit", "commits"),
        Feature::Lines => count(n(), "line", "lines"),
        Feature::ByMachine => "made by a machine".to_owned(),
        Feature::NamedFile => told.file.map_or_else(
            || "touches no file that the alert names".to_owned(),
            |file| format!("the alert names {file}"),
        ),
        Feature::Alike => told.word.map_or_else(
            || "speaks of something else".to_owned(),
            |word| format!("the alert speaks of \u{201c}{word}\u{201d} too"),
        ),
        Feature::RollingOut => "was being rolled out when it began".to_owned(),
    }
}

fn whole(value: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts, not negative; what is not saturates"
    )]
    let whole = value.round().max(0.0) as usize;
    whole
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
