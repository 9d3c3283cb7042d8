//! Who is paged before the rotation: who is likely to have caused it, and how likely. People, where suspects are changes.

use super::{Call, MOST_FIRST_RESPONDERS};
use crate::acknowledgement::Acknowledger;
use crate::ids::{ChangeId, PersonId};
use crate::reason::Reason;
use crate::suspect::{Stand, Suspect};

/// Somebody before the rotation, and how likely it is that a change of theirs is it.
struct Likely<'a> {
    person: &'a PersonId,
    /// The likeliest of their changes.
    change: &'a str,
    /// Absent where that was not reckoned.
    percent: Option<u16>,
    /// Somebody named it.
    named: bool,
}

impl<'a> Call<'a> {
    /// The likeliest of those whose turn is not over, and how likely in percent.
    pub(super) fn likeliest(&self) -> Option<(&'a PersonId, Option<u16>)> {
        self.likely().into_iter().next().map(|likely| (likely.person, likely.percent))
    }

    /// The people whose turn is not over, the likeliest first; whom somebody named before all.
    fn likely(&self) -> Vec<Likely<'a>> {
        let named = self.named();
        let share = |suspect: &Suspect| suspect.likelihood.map(u32::from);
        let out = self.incident.suspects.iter().filter(|suspect| !self.may_be_it(suspect));
        let left = 1000_u32.saturating_sub(out.filter_map(share).sum());
        let mut people: Vec<(Likely<'a>, Option<u32>)> = Vec::new();
        for suspect in self.suspects(Stand::Active) {
            match people.iter_mut().find(|(known, _)| *known.person == suspect.responder) {
                Some((_, known)) => *known = known.zip(share(suspect)).map(|(a, b)| a + b),
                None => {
                    let named = Some(&suspect.change) == named;
                    let likely = Likely { person: &suspect.responder, change: &suspect.label, percent: None, named };
                    people.push((likely, share(suspect)));
                }
            }
        }
        people.sort_by_key(|(likely, share)| (!likely.named, share.map(std::cmp::Reverse)));
        let percent = |share: u32| u16::try_from((share * 100 / left.max(1)).min(100)).unwrap_or(100);
        people.into_iter().map(|(likely, share)| Likely { percent: share.map(percent), ..likely }).collect()
    }

    /// Those before the rotation, each once, at most three, with the reason.
    pub(super) fn firsts(&self) -> Vec<(&'a PersonId, Reason)> {
        let before = self.incident.taken_before().and_then(|(taken, why)| match &taken.by {
            Acknowledger::Person(person) if !self.passed_over(person) => Some((person, why.clone())),
            Acknowledger::Person(_) | Acknowledger::Stranger(_) => None,
        });
        let pager = self.pager.filter(|p| !self.passed_over(&p.person));
        let likely = if pager.is_none() { self.likely() } else { Vec::new() };
        let policy = &self.service.policy;
        let enough = |(i, likely): &(usize, Likely<'_>)| {
            let from = if *i == 0 { policy.first_suspect_from } else { policy.next_suspect_from };
            likely.named || likely.percent.is_none_or(|percent| percent >= from)
        };
        let suspects = likely.into_iter().enumerate().take_while(enough);
        let suspects = suspects.map(|(i, likely)| {
            let (change, percent) = (likely.change.to_owned(), likely.percent);
            let first = i == 0 && before.is_none();
            let reason =
                if first { Reason::FirstSuspect { change, percent } } else { Reason::NextSuspect { change, percent } };
            (likely.person, reason)
        });
        let all = before.clone().into_iter().chain(pager.map(|p| (&p.person, Reason::HasThePager))).chain(suspects);
        let mut firsts: Vec<(&PersonId, Reason)> = Vec::new();
        for (person, reason) in all {
            if firsts.iter().all(|(known, _)| *known != person) && firsts.len() < MOST_FIRST_RESPONDERS {
                firsts.push((person, reason));
            }
        }
        firsts
    }

    /// The change that somebody named instead of their own, the last word first.
    pub(super) fn named(&self) -> Option<&'a ChangeId> {
        self.incident.not_mine.iter().rev().find_map(|said| said.instead.as_ref())
    }
}
