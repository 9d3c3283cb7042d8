//! Who is paged before the rotation: who is likely to have caused it, and how likely. People, where suspects are changes.

use std::collections::BTreeMap;

use super::{Call, MOST_FIRST_RESPONDERS};
use crate::acknowledgement::Acknowledger;
use crate::ids::{ChangeId, PersonId};
use crate::message::Step;
use crate::reason::Reason;
use crate::suspect::{Stand, Suspect};

/// Somebody before the rotation, and how likely it is that a change of theirs is it.
struct Likely<'a> {
    person: &'a PersonId,
    /// The likeliest of their changes whose turns stand so.
    change: &'a Suspect,
    /// Absent where that was not reckoned.
    percent: Option<u16>,
    /// Somebody named it.
    named: bool,
}

impl<'a> Call<'a> {
    /// How likely it is, in percent, that it is the likeliest of those whose turn is not over.
    pub(super) fn likeliest(&self) -> Option<u16> {
        self.likely(Stand::Active).into_iter().next()?.percent
    }

    /// Whoever is the likeliest of all, if nobody is paged before the rotation; whom somebody named before all.
    pub(super) fn unlikely(&self) -> Option<(&'a PersonId, Step)> {
        let active = self.likely(Stand::Active).into_iter().map(|likely| (likely, Step::NextResponder));
        let tail = self.likely(Stand::Tail).into_iter().map(|likely| (likely, Step::TailResponder));
        let best = active.chain(tail).min_by_key(|(likely, _)| (!likely.named, likely.percent.map(std::cmp::Reverse)));
        best.map(|(likely, step)| (likely.person, step))
    }

    /// The people of suspects whose turns stand so, the likeliest first; whom somebody named before all.
    fn likely(&self, stand: Stand) -> Vec<Likely<'a>> {
        let named = self.named();
        let mut people: Vec<Likely<'a>> = Vec::new();
        for suspect in self.suspects(stand) {
            if people.iter().all(|known| *known.person != suspect.responder) {
                let named = Some(&suspect.change) == named;
                let percent = self.percent(suspect);
                people.push(Likely { person: &suspect.responder, change: suspect, percent, named });
            }
        }
        people.sort_by_key(|likely| (!likely.named, likely.percent.map(std::cmp::Reverse)));
        people
    }

    /// How likely it is that it was any change of this suspect's responder, of what is left when those are left out who said that it is
    /// not theirs, and what was taken back.
    fn percent(&self, of: &Suspect) -> Option<u16> {
        let together = u32::from(of.together?);
        let mut out: BTreeMap<&PersonId, u32> = BTreeMap::new();
        for suspect in self.incident.suspects.iter().filter(|suspect| !self.may_be_it(suspect)) {
            let person = out.entry(&suspect.responder).or_default();
            if self.passed_over(&suspect.responder) {
                *person = u32::from(suspect.together.unwrap_or(0));
            } else {
                *person += u32::from(suspect.likelihood.unwrap_or(0));
            }
        }
        let own = out.get(&of.responder).copied().unwrap_or(0);
        let left = 1000_u32.saturating_sub(out.into_values().sum()).max(1);
        u16::try_from((together.saturating_sub(own) * 100 / left).min(100)).ok()
    }

    /// Those before the rotation, each once, at most three, with the reason.
    pub(super) fn firsts(&self) -> Vec<(&'a PersonId, Reason)> {
        let before = self.incident.taken_before().and_then(|(taken, why)| match &taken.by {
            Acknowledger::Person(person) if !self.passed_over(person) => Some((person, why.clone())),
            Acknowledger::Person(_) | Acknowledger::Stranger(_) => None,
        });
        let pager = self.pager.filter(|p| !self.passed_over(&p.person));
        let likely = if pager.is_none() { self.likely(Stand::Active) } else { Vec::new() };
        let policy = &self.service.policy;
        let enough = |(i, likely): &(usize, Likely<'_>)| {
            let from = if *i == 0 { policy.first_suspect_from } else { policy.next_suspect_from };
            likely.named || likely.percent.is_none_or(|percent| percent >= from)
        };
        let suspects = likely.into_iter().enumerate().take_while(enough);
        let suspects = suspects.map(|(i, likely)| {
            let (change, percent) = (self.called(likely.change), likely.percent);
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

    /// `edx-platform#12`, or `edx-platform#12 and what else is theirs`, where that adds to it.
    fn called(&self, suspect: &Suspect) -> String {
        let alone = suspect.together.is_none() || suspect.together == suspect.likelihood;
        if alone { suspect.label.clone() } else { format!("{} and what else is theirs", suspect.label) }
    }

    /// The change that somebody named instead of their own, the last word first.
    pub(super) fn named(&self) -> Option<&'a ChangeId> {
        self.incident.not_mine.iter().rev().find_map(|said| said.instead.as_ref())
    }
}
