//! The pages of an incident: an append-only log of whom it paged, in which round, and by what a pager knows each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Incident;
use crate::acknowledgement::Acknowledgement;
use crate::ids::{IncidentId, PersonId};
use crate::message::{MessageKey, Step, Subject, is_zero};
use crate::mode::Mode;
use crate::reason::Reason;

/// So many pages of an incident are kept; one that fires on and off for a night has more.
const MOST_PAGES: usize = 150;
/// A page is never repeated as often as this: its number within the round has to stay its own.
pub(crate) const MOST_REPEATS: u32 = 999;

/// A page that was decided: at most one for each person in a round; asked again, it is the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRecord {
    pub person: PersonId,
    pub step: Step,
    pub at: Timestamp,
    pub reason: Reason,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
    /// The incident of another service whose page named this one too: the person was not paged twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<IncidentId>,
    /// How often it was repeated, and when last.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub again: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// When whoever took it at a pager last gave it back there, or that ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// Whether the person's pagers were told that it waits for nobody any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// How far automation went when it was decided, where that is less than paging: then no pager has it.
    #[serde(default, skip_serializing_if = "pages")]
    pub mode: Mode,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn pages(mode: &Mode) -> bool {
    mode.pages()
}

impl PageRecord {
    /// When the person was last paged by it.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.again_at.unwrap_or(self.at)
    }

    /// Which of the pages of its step to its person it is by now: no other one ever has this number.
    #[must_use]
    pub fn nth(&self) -> u32 {
        nth(self.round, self.again)
    }
}

fn nth(round: u32, again: u32) -> u32 {
    round.saturating_mul(MOST_REPEATS + 1).saturating_add(again)
}

impl Incident {
    #[must_use]
    pub fn was_paged(&self, person: &PersonId) -> bool {
        self.pages.iter().any(|p| p.person == *person)
    }

    #[must_use]
    pub fn was_paged_this_round(&self, person: &PersonId) -> bool {
        self.page_of_now(person).is_some()
    }

    /// This person's page of the present round.
    #[must_use]
    pub fn page_of_now(&self, person: &PersonId) -> Option<&PageRecord> {
        self.pages.iter().find(|p| p.person == *person && p.round == self.round)
    }

    /// Whether this page was decided already, as often as it was.
    #[must_use]
    pub fn has_page(&self, page: &PageRecord) -> bool {
        self.pages.iter().any(|p| p.person == page.person && p.nth() == page.nth())
    }

    /// Whether nobody was woken by the pages of this round, though there are some: the service's mode was below that.
    #[must_use]
    pub fn was_paged_in_words_only(&self) -> bool {
        let mut own = self.pages.iter().filter(|page| page.round == self.round).peekable();
        own.peek().is_some() && own.all(|page| !page.mode.pages())
    }

    /// Whether anybody was paged, or paged once more, who was not `before`.
    #[must_use]
    pub fn has_paged_since(&self, before: &Self) -> bool {
        self.pages.iter().any(|page| !before.has_page(page))
    }

    /// Whether this person's page of now names that incident too, or that one's this.
    #[must_use]
    pub fn is_named_with(&self, other: &Self, person: &PersonId) -> bool {
        let joins =
            |one: &Self, to: &IncidentId| one.page_of_now(person).is_some_and(|p| p.joined.as_ref() == Some(to));
        joins(self, &other.id) || joins(other, &self.id)
    }

    /// Whether that was ever so.
    #[must_use]
    pub fn was_named_with(&self, other: &Self, person: &PersonId) -> bool {
        let joins = |one: &Self, to: &IncidentId| {
            one.pages.iter().any(|page| page.person == *person && page.joined.as_ref() == Some(to))
        };
        joins(self, &other.id) || joins(other, &self.id)
    }

    /// Whether this person has taken it in this round, or somebody has at their page.
    #[must_use]
    pub fn is_taken_by(&self, person: &PersonId) -> bool {
        let theirs = |a: &Acknowledgement| a.is_by(person) || a.at_page.as_ref() == Some(person);
        self.acknowledged.iter().any(|a| theirs(a) && a.at >= self.round_began())
    }

    /// The newest page to this person that was decided.
    #[must_use]
    pub fn last_page(&self, person: &PersonId) -> Option<MessageKey> {
        let last = self.pages.iter().filter(|p| p.person == *person).max_by_key(|p| p.last_at())?;
        Some(self.page_key(last))
    }

    /// The message that a page was sent by.
    #[must_use]
    pub fn page_key(&self, page: &PageRecord) -> MessageKey {
        MessageKey {
            service: self.service.clone(),
            subject: Subject::Incident(self.id.clone()),
            person: page.person.clone(),
            step: page.step,
            nth: page.nth(),
        }
    }

    /// By what a pager knows this person's page of this round.
    #[must_use]
    pub fn pager_key(&self, person: &PersonId, round: u32) -> String {
        format!("{}/{round}/{person}", self.id)
    }

    /// Keeps a page that is decided now: a new one, or the same once more. Of too many, those leave first that nobody has
    /// to be told about, then the oldest.
    pub(crate) fn keep_page(
        &mut self,
        person: &PersonId,
        step: Step,
        reason: &Reason,
        joined: Option<IncidentId>,
        (mode, now): (Mode, Timestamp),
    ) {
        let mode = mode.min(Mode::Page);
        let round = self.round;
        if let Some(known) = self.pages.iter_mut().find(|p| p.person == *person && p.round == round) {
            (known.again, known.again_at, known.over) = (known.again + 1, Some(now), false);
            known.mode = known.mode.max(mode);
            return;
        }
        let (person, reason) = (person.clone(), reason.clone());
        self.pages.push(PageRecord {
            person,
            step,
            at: now,
            reason,
            round,
            joined,
            again: 0,
            again_at: None,
            released_at: None,
            over: false,
            mode,
        });
        while self.pages.len() > MOST_PAGES {
            let told = self.pages.iter().position(|p| p.over && p.round < round);
            self.pages.remove(told.unwrap_or(0));
        }
    }

    /// The number of the page to this person that would be decided now.
    #[must_use]
    pub(crate) fn next_nth(&self, person: &PersonId) -> u32 {
        nth(self.round, self.page_of_now(person).map_or(0, |known| known.again + 1))
    }
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
