//! A person opens the pipelines that hold for a freeze, for a fix that may pass: until a deployment begins, and not for long.

use super::hands::Desk;
use crate::change::ChangeKind;
use crate::decision::{Decisions, Record};
use crate::expedite::Granted;
use crate::ids::PersonId;
use crate::message::Subject;
use crate::pipelines::{LET_THROUGH, Through, open_until};
use crate::reason::Reason;
use crate::window::{Phase, windows};

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("they are open already")]
    AlreadySo,
    #[error("none of its pipelines holds for a freeze")]
    NothingHolds,
    #[error("no fix may pass here: ask for one first")]
    NothingPasses,
    #[error("whoever asked for the fix, or signed for it, opens them; or an owner")]
    NotYours,
}

impl Desk<'_> {
    /// `by` opens them.
    pub fn let_through(&self, by: &PersonId) -> Result<Decisions, Refused> {
        let known = &self.situation.pipelines;
        if open_until(self.situation, self.service, self.now).is_some() {
            return Err(Refused::AlreadySo);
        }
        if known.value.held.is_empty() {
            return Err(Refused::NothingHolds);
        }
        let passing: Vec<&Granted> = self.passing();
        if passing.is_empty() {
            return Err(Refused::NothingPasses);
        }
        let theirs = |one: &&&Granted| one.by == *by || one.signed.contains(by) || self.service.owners.contains(by);
        let Some(fix) = passing.iter().find(theirs) else { return Err(Refused::NotYours) };
        let label = format!("{}#{}", fix.repository.short(), fix.number);
        let mut pipelines = known.value.clone();
        let until = self.now + LET_THROUGH;
        pipelines.through = Some(Through { by: by.clone(), from: self.now, until, label: label.clone() });
        let mut decisions = self.decisions();
        let what = format!("{} opens the pipelines for {label}", self.name(by));
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, Reason::LetThrough { fix: label });
        decisions.put(Record::Pipelines(pipelines), known.rev);
        Ok(decisions)
    }

    /// The fixes that may pass and are not live here yet.
    fn passing(&self) -> Vec<&Granted> {
        let all = windows(self.situation, self.service, &self.settings.roster, self.now);
        let live = |one: &Granted| {
            all.iter().any(|window| {
                window.phase != Phase::Standby
                    && window.change.id.repository == one.repository
                    && window.change.kind == ChangeKind::PullRequest { number: one.number }
            })
        };
        let known = self.situation.posted.value.expedites.iter();
        let passing = &self.situation.posted.value.passing;
        known.filter(|one| passing.contains(&one.key()) && !live(one)).collect()
    }
}

#[cfg(test)]
#[path = "through_tests.rs"]
mod tests;
