//! Who is paged for an open incident, and when, if nobody acknowledges. Read it as a table; the times are policy, counted
//! from the beginning of the round:
//!
//! | who | when | step |
//! | --- | --- | --- |
//! | whoever had taken it, where that grew stale or it worsened | at once | `first-responder` |
//! | who has the pager of the service by a person's word | at once | `first-responder` |
//! | else the person whose suspects are the likeliest cause, of those whose turn is not over | at once | `first-responder` |
//! | the next such people, if likely enough, three in all | each `next_suspect_after` (3 min) | `next-responder` |
//! | the rotation | `rotation_after` (5 min), or at once if there is nobody before it | `rotation` |
//! | where nobody was likely enough, the likeliest of all, also of those whose turn is over | `rotation_after` | `next-responder`, `tail-responder` |
//! | the next of the rotation, one by one | each `rotation_after` | `rotation` |
//! | the owner | `owner_after` (15 min) | `owner` |
//! | each of them again | `again_after` (10 min), then after twice as long, up to an hour | the same |
//!
//! How likely a person is, is the sum of all their changes' likelihoods, of what is left when those that were taken back, or whose
//! responder said "not mine", are left out. Likely enough is policy: `first_suspect_from`, `next_suspect_from`. Whom
//! somebody named is likely enough.
//!
//! A suspect's responder is asked again three times; the rotation and the owner as long as it takes. Whoever said "not
//! mine" is passed over, and the next one is due at once; where everybody of the rotation and every owner did, they are
//! asked once more, `again_after` later. Nobody is paged twice in a round for two reasons.
//!
//! A *round* begins with the incident, and again when something more severe begins after it was taken, when it fires
//! again after it was over, when an acknowledgement grew stale, when the only one was given back (then at the times of
//! the round before it), when everybody had said "not mine", and when what kept everybody asleep ([`crate::hold`]) is
//! over. The stored times decide, whoever wakes late.

mod likely;

use jiff::{SignedDuration, Timestamp};

use crate::ids::PersonId;
use crate::incident::{Incident, MOST_REPEATS, PageRecord};
use crate::message::Step;
use crate::reason::Reason;
use crate::responder::Responder;
use crate::service::Service;
use crate::suspect::{Stand, Suspect};

/// At most this many suspects' responders are paged in one round.
pub const MOST_FIRST_RESPONDERS: usize = 3;
/// How often a suspect's responder who does not answer is asked again.
const MOST_AGAIN: u32 = 3;
/// The longest between two pages to one person who does not answer.
const LONGEST_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The tick that wakes us; a deadline is due this much earlier, so that a late tick is still in time. Of a short
/// deadline it takes a fifth at most: nobody is passed over in the second in which they are paged.
pub const TICK: SignedDuration = SignedDuration::from_mins(1);

/// One line of the table for one incident: who is paged at which time, unless somebody acknowledges before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    pub at: Timestamp,
    pub person: PersonId,
    pub step: Step,
    pub reason: Reason,
}

/// A page that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePage {
    pub person: PersonId,
    pub step: Step,
    pub reason: Reason,
    /// Asked before in this round: the page that is repeated.
    pub again: bool,
}

/// Everything that decides on escalation.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub incident: &'a Incident,
    /// Who has the pager of the whole service by a person's word.
    pub pager: Option<&'a Responder>,
    pub service: &'a Service,
    /// The rotation as it is now, first one first.
    pub rotation: &'a [PersonId],
}

/// A deadline a tick early.
fn early(after: SignedDuration) -> SignedDuration {
    after - TICK.min(after / 5)
}

impl<'a> Call<'a> {
    /// The table for this incident, in the order in which people are paged.
    #[must_use]
    pub fn ladder(&self) -> Vec<Rung> {
        let (policy, since) = (&self.service.policy, self.incident.round_began());
        let firsts = self.firsts();
        let nobody_first = firsts.is_empty() && !self.is_asked_first();
        let mut rungs: Vec<Rung> = Vec::new();
        for (i, (person, reason)) in firsts.into_iter().enumerate() {
            let wait = policy.next_suspect_after * i32::try_from(i).unwrap_or(i32::MAX);
            let step = if i == 0 { Step::FirstResponder } else { Step::NextResponder };
            push(&mut rungs, since + wait, person, step, reason);
        }
        let late = since + early(policy.rotation_after);
        let unanswered = Reason::NobodyAcknowledged { minutes: policy.rotation_after.as_mins() };
        let at = if nobody_first { since } else { late };
        let reason = if nobody_first { self.why_nobody_first() } else { unanswered.clone() };
        let candidates = || self.last_line().filter(|p| !self.passed_over(p) && !self.was_asked_as_suspect(p));
        if let Some(person) = candidates().find(|p| rungs.iter().all(|r| r.person != **p)) {
            push(&mut rungs, at, person, Step::Rotation, reason);
        }
        if let Some((person, step)) = self.unlikely().filter(|_| nobody_first) {
            push(&mut rungs, late, person, step, unanswered);
        }
        // Where the rotation was paged already, the next of it follow that.
        let paged = self.this_round().filter(|page| page.step == Step::Rotation).map(|page| page.at).min();
        let mut at = paged.map_or(at, |paged| at.min(paged));
        for person in self.rotation.iter().filter(|p| !self.passed_over(p) && !self.was_asked_as_suspect(p)) {
            let next = at + policy.rotation_after;
            let minutes = next.duration_since(since).as_mins();
            if push(&mut rungs, next, person, Step::Rotation, Reason::NobodyAcknowledged { minutes }) {
                at = next;
            }
        }
        let owner = self.service.owners.iter().filter(|p| !self.passed_over(p));
        for person in owner {
            let minutes = policy.owner_after.max(policy.rotation_after).as_mins();
            let reason = Reason::NobodyAcknowledged { minutes };
            if push(
                &mut rungs,
                since + early(policy.owner_after.max(policy.rotation_after)),
                person,
                Step::Owner,
                reason,
            ) {
                break;
            }
        }
        rungs.sort_by_key(|rung| rung.at);
        rungs
    }

    /// The pages that are due at `now` and were not decided before, in order.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Vec<DuePage> {
        if !self.is_waiting(now) {
            return Vec::new();
        }
        let suspects = |step: Step| matches!(step, Step::FirstResponder | Step::NextResponder);
        let asked = self.this_round().filter(|p| suspects(p.step)).count();
        let mut room = MOST_FIRST_RESPONDERS.saturating_sub(asked);
        let mut due = Vec::new();
        for rung in self.ladder().into_iter().filter(|rung| rung.at <= now) {
            if self.incident.was_paged_this_round(&rung.person) || (suspects(rung.step) && room == 0) {
                continue;
            }
            room -= usize::from(suspects(rung.step));
            due.push(DuePage { person: rung.person, step: rung.step, reason: rung.reason, again: false });
        }
        let again = self.this_round().filter(|page| self.again_at(page).is_some_and(|at| at <= now));
        due.extend(again.map(|page| {
            let minutes = now.duration_since(self.incident.round_began()).as_mins();
            let reason = Reason::StillUnacknowledged { minutes };
            DuePage { person: page.person.clone(), step: page.step, reason, again: true }
        }));
        due
    }

    /// When [`Self::due`] has to be asked again, if time alone can make another page due.
    #[must_use]
    pub fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        let incident = self.incident;
        if !incident.is_open() {
            return None;
        }
        let until = incident.held.as_ref().and_then(|hold| hold.until);
        if incident.held.is_some() {
            return until.filter(|at| *at > now);
        }
        if let Some(taken) = incident.taken(&self.service.policy, now) {
            return Some(taken.at + self.service.policy.acknowledged_for);
        }
        let rungs = self.ladder().into_iter();
        let rungs = rungs.filter(|rung| !incident.was_paged_this_round(&rung.person)).map(|rung| rung.at);
        let again = self.this_round().filter_map(|page| self.again_at(page));
        rungs.chain(again).chain(self.asked_anew_at(now)).filter(|at| *at > now).min()
    }

    /// Who is paged next if nobody acknowledges, after those who were.
    #[must_use]
    pub fn next_rung(&self, but: &PersonId) -> Option<Rung> {
        let fresh = |rung: &Rung| rung.person != *but && !self.incident.was_paged_this_round(&rung.person);
        self.ladder().into_iter().find(fresh)
    }

    /// Whether somebody was paged in this round before the rotation, and may still answer: what is learnt later does not wake the
    /// rotation any earlier.
    fn is_asked_first(&self) -> bool {
        let rotation = self.this_round().filter(|page| page.step == Step::Rotation).map(|page| page.at).min();
        let first = |page: &PageRecord| match (page.step, rotation) {
            (Step::FirstResponder, Some(rotation)) => page.at <= rotation,
            (Step::NextResponder, Some(rotation)) => page.at < rotation,
            (step, None) => matches!(step, Step::FirstResponder | Step::NextResponder),
            (_, Some(_)) => false,
        };
        self.this_round().any(|page| !self.passed_over(&page.person) && first(page))
    }

    /// Whoever was paged for a change of theirs in this round does not stand for the rotation too: somebody else has to be woken.
    fn was_asked_as_suspect(&self, person: &PersonId) -> bool {
        let suspects = |step: Step| matches!(step, Step::FirstResponder | Step::NextResponder);
        self.this_round().any(|page| page.person == *person && suspects(page.step))
    }

    fn is_waiting(&self, now: Timestamp) -> bool {
        let incident = self.incident;
        incident.is_open() && incident.held.is_none() && incident.taken(&self.service.policy, now).is_none()
    }

    fn this_round(&self) -> impl Iterator<Item = &'a PageRecord> {
        let incident = self.incident;
        incident.pages.iter().filter(|page| page.round == incident.round)
    }

    /// Whether this person said that it is not theirs. Of those who are asked last, that counts no more in a round that
    /// began after all of them had said so: somebody has to answer.
    fn passed_over(&self, person: &PersonId) -> bool {
        let said = self.incident.not_mine.iter().find(|said| said.person == *person);
        said.is_some_and(|said| {
            let asked_anew = said.at < self.incident.round_began()
                && self.last_line().any(|last| last == person)
                && self.all_refused_at().is_some();
            !asked_anew
        })
    }

    /// Those who are asked when nobody before them answers.
    fn last_line(&self) -> impl Iterator<Item = &'a PersonId> {
        self.rotation.iter().chain(&self.service.owners)
    }

    /// When the last of them said that it is not theirs, if all have.
    fn all_refused_at(&self) -> Option<Timestamp> {
        let said = |person: &PersonId| Some(self.incident.not_mine.iter().find(|said| said.person == *person)?.at);
        self.last_line().map(said).collect::<Option<Vec<Timestamp>>>()?.into_iter().max()
    }

    /// When a round begins because all of them have, in this round too, if nobody has taken it.
    #[must_use]
    pub fn asked_anew_at(&self, now: Timestamp) -> Option<Timestamp> {
        let (policy, began) = (&self.service.policy, self.incident.round_began());
        let all = self.is_waiting(now) && self.last_line().all(|person| self.passed_over(person));
        let last = self.all_refused_at().filter(|last| all && *last >= began)?;
        Some(last + policy.again_after.max(policy.rotation_after).max(TICK))
    }

    fn may_be_it(&self, suspect: &Suspect) -> bool {
        !self.incident.is_taken_back(&suspect.change) && !self.passed_over(&suspect.responder)
    }

    /// The suspects whose turns stand so, that were not taken back, and whose responders did not say that it is not theirs. Whom somebody named
    /// instead comes first.
    fn suspects(&self, stand: Stand) -> impl Iterator<Item = &'a Suspect> {
        let (incident, named) = (self.incident, self.named());
        let mut found: Vec<&Suspect> =
            incident.suspects.iter().filter(|s| s.stand == stand && self.may_be_it(s)).collect();
        found.sort_by_key(|s| Some(&s.change) != named);
        found.into_iter()
    }

    fn why_nobody_first(&self) -> Reason {
        let incident = self.incident;
        let unlikely = self.likeliest();
        if let Some(percent) = unlikely.filter(|percent| *percent < self.service.policy.first_suspect_from) {
            return Reason::NobodyStandsOut { percent };
        }
        match (incident.suspects.is_empty(), incident.not_mine.is_empty()) {
            (_, false) => Reason::NobodysOwn,
            (false, true) => Reason::OnlyTailSuspects,
            (true, true) if self.service.repositories.is_empty() => Reason::AlertNotPlaced,
            (true, true) => Reason::NoSuspect,
        }
    }

    /// When a page that nobody answered is repeated.
    fn again_at(&self, page: &PageRecord) -> Option<Timestamp> {
        let after = self.service.policy.again_after;
        let for_ever = matches!(page.step, Step::Rotation | Step::Owner);
        let most = if for_ever { MOST_REPEATS } else { MOST_AGAIN };
        if after.is_zero() || self.passed_over(&page.person) || page.again >= most {
            return None;
        }
        let longer = after * 2_i32.saturating_pow(page.again.min(10));
        Some(page.last_at() + longer.min(LONGEST_AGAIN.max(after)))
    }
}

fn push(rungs: &mut Vec<Rung>, at: Timestamp, person: &PersonId, step: Step, reason: Reason) -> bool {
    let fresh = rungs.iter().all(|rung| rung.person != *person);
    if fresh {
        rungs.push(Rung { at, person: person.clone(), step, reason });
    }
    fresh
}

#[cfg(test)]
#[path = "escalation/call_tests.rs"]
mod call_tests;
