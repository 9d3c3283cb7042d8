//! A person takes a change back by one click: one revert pull request is opened, once, however often it is pressed.

use super::hands::Desk;
use crate::change::{Change, ChangeKind};
use crate::decision::{Decisions, Record};
use crate::ids::{ChangeId, PersonId};
use crate::lineage;
use crate::message::Subject;
use crate::reason::Reason;
use crate::roster::Person;
use crate::undo::{self, Stage, Undo};

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("only people of the roster who are no outside contributors press it")]
    NotInside,
    #[error("no change of this name waits or is live here lately")]
    NoSuchChange,
    #[error("{0} has reverted it already")]
    RevertedBy(String),
    #[error("no source has `reverts = true` for its repository, so nobody opens the pull request. By hand: {by_hand}")]
    NotConfigured { by_hand: String },
    #[error("it was pushed without a pull request, and its forge takes back pull requests only. By hand: {by_hand}")]
    OfAPush { by_hand: String },
    /// It was pressed before: [`Undo::stage`] says how far it is.
    #[error("it was asked for already")]
    AskedBefore(Box<Undo>),
}

impl<'a> Desk<'a> {
    /// The change that is meant, if `by` may have it reverted. Asked where they pressed, before its [`undo::home`] is.
    pub fn revertible(&self, change: &ChangeId, by: &PersonId) -> Result<&'a Change, Refused> {
        let person = self.settings.roster.person(by);
        if self.settings.is_channel(by) || person.is_none_or(Person::is_outside) {
            return Err(Refused::NotInside);
        }
        let change = &self.situation.changes.get(change).ok_or(Refused::NoSuchChange)?.value;
        let all: Vec<&Change> = self.situation.changes.values().map(|known| &known.value).collect();
        if let Some(by) = lineage::reverts(&all).get(&change.id) {
            return Err(Refused::RevertedBy(by.label()));
        }
        if undo::can_open(self.settings, change) {
            return Ok(change);
        }
        let by_hand = undo::by_hand(&change.id.commit);
        let configured = self.settings.reverts.contains_key(&change.id.repository);
        Err(match change.kind {
            ChangeKind::DirectPush if configured => Refused::OfAPush { by_hand },
            ChangeKind::DirectPush | ChangeKind::PullRequest { .. } => Refused::NotConfigured { by_hand },
        })
    }

    /// `by` presses it: one write, at the change's [`undo::home`]. What the forge refused before is tried again.
    pub fn revert(&self, change: &Change, by: &PersonId) -> Result<Decisions, Refused> {
        let known = self.situation.undos.get(&change.id);
        if let Some(known) = known.filter(|known| !matches!(known.value.stage, Stage::Refused { .. })) {
            return Err(Refused::AskedBefore(Box::new(known.value.clone())));
        }
        let undo = Undo::new(change, by, self.now);
        let mut decisions = self.decisions();
        let what = format!("{} asks to revert {}", self.name(by), undo.label());
        decisions.log(self.now, Some(Subject::Change(change.id.clone())), Some(by.clone()), what, Reason::RevertAsked);
        decisions.put(Record::Undo(undo), known.map_or(0, |known| known.rev));
        Ok(decisions)
    }
}

#[cfg(test)]
#[path = "reverts_tests.rs"]
mod tests;
