//! Which pages of an incident woke somebody for nothing, and where the ranking had the change that it really was. What is measured,
//! and by what a service steps down from a mode, is the same.

use std::collections::BTreeSet;

use super::{Incident, PageRecord};
use crate::ids::{ChangeId, PersonId};
use crate::message::Step;
use crate::outcome::Judge;

impl Incident {
    /// The pages to responders of suspects that were not it, at most one for each person: the incident was judged to be a change of
    /// somebody else's, or none of ours; or they said that it is not theirs, and nobody has found otherwise. The rotation and the
    /// owner are paged because nobody else answered: that is never wrong.
    #[must_use]
    pub fn wrong_pages(&self) -> Vec<&PageRecord> {
        let mut seen: BTreeSet<&PersonId> = BTreeSet::new();
        let for_a_change = |page: &&PageRecord| {
            page.joined.is_none()
                && matches!(page.step, Step::FirstResponder | Step::NextResponder | Step::TailResponder)
        };
        let pages = self.pages.iter().filter(for_a_change).filter(|page| self.was_not_theirs(&page.person));
        pages.filter(|page| seen.insert(&page.person)).collect()
    }

    /// The change that it really was, where somebody who knows has said so; `Some(None)`: none of ours.
    #[must_use]
    pub fn culprit(&self) -> Option<Option<&ChangeId>> {
        let verdict = self.verdict.as_ref()?;
        match verdict.by {
            Judge::Guess(_) => None,
            Judge::Revert | Judge::Person(_) => Some(verdict.change.as_ref()),
        }
    }

    /// At which place of the suspects the change was that it really was, 1 being the first; `Some(None)`: it was not among them.
    /// Absent where nobody has judged, or it was none of ours.
    #[must_use]
    pub fn place_of_culprit(&self) -> Option<Option<usize>> {
        let culprit = self.culprit()??;
        Some(self.suspects.iter().position(|suspect| suspect.change == *culprit).map(|place| place + 1))
    }

    fn was_not_theirs(&self, person: &PersonId) -> bool {
        let theirs = |change: &ChangeId| self.suspects.iter().any(|s| s.change == *change && s.responder == *person);
        match self.culprit() {
            Some(culprit) => !culprit.is_some_and(theirs),
            None => self.not_mine.iter().any(|said| said.person == *person),
        }
    }
}
