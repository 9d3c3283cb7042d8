//! What stands at an open pull request: the status, and the comment.

use super::{Manner, Open};
use crate::expedite::Granted;
use crate::freeze::Strength;
use crate::posted::Posted;
use crate::pull::{MergeStatus, Verdict};
use crate::text;
use crate::wording::markdown::literal;

/// What has to stand at this one; nothing: as it is.
pub(super) fn wanted(number: u64, open: &Open, posted: &Posted, manner: Manner, board: &str) -> Option<MergeStatus> {
    let status = |verdict, words: &str| {
        let words = text::line(words, MergeStatus::MOST_WORDS);
        Some(MergeStatus { verdict, words, url: format!("{board}/#freezes") })
    };
    let merging = posted.merging.as_ref().and_then(|merging| Some((merging, merging.strength?)));
    let Some((merging, strength)) = merging else {
        // What says that there is a freeze is corrected; else a status stands where one always does.
        let said = open.told.as_ref().is_some_and(|(_, status)| status.words != NONE);
        return (said || manner == Manner::Always).then(|| status(Verdict::Passes, NONE)).flatten();
    };
    let passing = |one: &&Granted| one.number == number && one.head.as_ref().is_none_or(|head| head.same(&open.head));
    if let Some(by) = posted.expedites.iter().find(passing) {
        return status(Verdict::Passes, &format!("May pass the freeze, by {}: {}", by.by, by.reason));
    }
    match strength {
        Strength::Advise => status(Verdict::Passes, &merging.words),
        Strength::Require => status(Verdict::Fails, &merging.words),
    }
}

pub(super) const NONE: &str = "No merge freeze";

pub(super) fn comment(number: u64, open: &Open, posted: &Posted) -> Option<(String, String)> {
    let merging = posted.merging.as_ref().filter(|merging| merging.strength.is_some())?;
    let worked_on = open.heard_at.is_some_and(|at| at >= merging.since);
    let passes = posted.expedites.iter().any(|one| one.number == number);
    if !worked_on || passes || open.commented == merging.key || open.author.is_bot() {
        return None;
    }
    let held = match merging.strength {
        Some(Strength::Require) => "It has to wait.",
        Some(Strength::Advise) | None => {
            "Please wait with merging. Whoever merges all the same is asked to take the pager for it."
        }
    };
    let words = literal(&merging.words);
    let text = format!(
        "{words}\n\n{held} An urgent fix passes by a comment `/expedite <reason>`: whoever asks has the pager for it."
    );
    Some((merging.key.clone(), text))
}
