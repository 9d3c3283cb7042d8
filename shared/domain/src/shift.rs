//! How responsibility moves by a person's word: somebody takes a service's pager for a while, is put on call by
//! somebody else, or is handed one window. Shifts are only ever added and ended, never rewritten: they are the
//! history of who held what.
//!
//! Who of several holds it at one moment is decided in [`crate::responder`], not here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::{ChangeId, PersonId};

/// The longest that one shift may last: a rotation belongs into the pager.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 14);
/// How far ahead a shift may begin.
pub const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How long a shift that is over stays known, so that what happened during it can be explained.
pub const KEEP: SignedDuration = SignedDuration::from_hours(48);

/// What a shift is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every window of the service, and what has no window.
    Service,
    /// One window.
    Change(ChangeId),
}

/// One person's word that somebody holds something from then until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    pub id: String,
    pub scope: Scope,
    /// Who holds it.
    pub person: PersonId,
    /// Who said so: the same person who takes it, the one who hands it over, or somebody who overrides.
    pub by: PersonId,
    pub from: Timestamp,
    /// Absent for a window: it is held until it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub made_at: Timestamp,
    /// When it was given back before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether its holder has been told that it ran out.
    #[serde(default)]
    pub told_over: bool,
}

impl Shift {
    /// Its id comes from what it says, so that saying it twice at the same moment is saying it once.
    #[must_use]
    pub fn new(
        scope: Scope,
        person: &PersonId,
        by: &PersonId,
        from: Timestamp,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let what = match &scope {
            Scope::Service => "service".to_owned(),
            Scope::Change(change) => change.to_string(),
        };
        let until_text = until.map_or_else(String::new, |at| at.to_string());
        let digest = Sha256::digest(format!("{what}\n{person}\n{by}\n{from}\n{until_text}\n{now}"));
        let id = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self {
            id,
            scope,
            person: person.clone(),
            by: by.clone(),
            from,
            until,
            made_at: now,
            ended_at: None,
            told_over: false,
        }
    }

    /// When it is over: given back, or run out. `None`: as long as its window.
    #[must_use]
    pub fn over_at(&self) -> Option<Timestamp> {
        match (self.until, self.ended_at) {
            (Some(until), Some(ended)) => Some(until.min(ended)),
            (until, ended) => until.or(ended),
        }
    }

    /// Whether it holds at `at`. What was said later never counts for a time before it was said.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.max(self.made_at) <= at && self.over_at().is_none_or(|over| at < over)
    }

    /// Whether it may still hold at some later time than `now`.
    #[must_use]
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.over_at().is_none_or(|over| now < over)
    }

    /// Somebody took it for themselves, and nobody gave it to them.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.person == self.by
    }
}

/// Of the shifts with this scope that cover `at`, the one said last.
#[must_use]
pub fn current<'a>(
    shifts: impl Iterator<Item = &'a Shift>,
    scope: impl Fn(&Scope) -> bool,
    at: Timestamp,
) -> Option<&'a Shift> {
    shifts.filter(|s| scope(&s.scope) && s.covers(at)).max_by(|a, b| (a.made_at, &a.id).cmp(&(b.made_at, &b.id)))
}

/// Who holds the pager of the whole service at `at` by a person's word.
#[must_use]
pub fn of_service<'a>(shifts: impl Iterator<Item = &'a Shift>, at: Timestamp) -> Option<&'a Shift> {
    current(shifts, |scope| *scope == Scope::Service, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn shift(person: &str, from: &str, until: &str, made_at: &str) -> Shift {
        let person = person.parse().unwrap();
        Shift::new(Scope::Service, &person, &person, at(from), Some(at(until)), at(made_at))
    }

    #[test]
    fn of_shifts_that_overlap_the_one_said_last_holds_and_the_other_comes_back_after_it() {
        let shifts = [shift("olga", "12:00", "16:00", "11:00"), shift("anna", "13:00", "14:00", "12:30")];
        for (when, who) in [
            ("11:59", None),
            ("12:00", Some("olga")),
            ("13:00", Some("anna")),
            ("13:59", Some("anna")),
            ("14:00", Some("olga")),
            ("16:00", None),
        ] {
            assert_eq!(of_service(shifts.iter(), at(when)).map(|s| s.person.as_str()), who, "{when}");
        }
    }

    #[test]
    fn history_is_not_rewritten_by_what_is_said_later() {
        let late = shift("olga", "12:00", "16:00", "13:00");
        assert!(!late.covers(at("12:30")), "nobody knew of it then");
        assert!(late.covers(at("13:00")));
        let mut given_back = late.clone();
        given_back.ended_at = Some(at("14:00"));
        assert!(given_back.covers(at("13:30")) && !given_back.covers(at("14:00")));
    }

    #[test]
    fn the_same_word_twice_at_one_moment_is_one_shift() {
        assert_eq!(shift("olga", "12:00", "16:00", "12:00").id, shift("olga", "12:00", "16:00", "12:00").id);
        assert_ne!(shift("olga", "12:00", "16:00", "12:00").id, shift("anna", "12:00", "16:00", "12:00").id);
    }
}
