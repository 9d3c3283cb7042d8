//! A person moves responsibility by their word: takes a service's pager, puts somebody on call, hands a window over,
//! gives back, answers whether they take the pager for a merge, pauses the pipeline. Doing it again is harmless and
//! says so. Each leaves a line in the log and is shown on the board.

use jiff::{SignedDuration, Timestamp};

use crate::attendance::{self, Answer, Attendance};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::{ChangeId, PersonId};
use crate::message::{Step, Subject};
use crate::queue::Pause;
use crate::rank::Past;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::shift::{self, Scope, Shift};
use crate::situation::{Noted, Situation};
use crate::text;
use crate::track::Track;
use crate::window::{Phase, Window, windows};
use crate::wording::{Reader, hands};

/// How many of those who had something are told at most that another person has it now.
const MOST_TOLD: usize = 20;
/// The longest that a pipeline may be paused for, where the end is said.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Asking again within this time is a second click, not a wish for longer.
pub(super) const A_CLICK: SignedDuration = SignedDuration::from_mins(1);
/// How long the reason of a pause, or of maintenance, may be, in characters.
pub(super) const MOST_WHY: usize = 120;

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("nobody in the roster is called {0}")]
    Nobody(PersonId),
    #[error("{0} is an outside contributor, who is not to be paged")]
    Outside(PersonId),
    #[error("no change of this name waits or is live here lately")]
    NoSuchChange,
    #[error("its window is closed: there is nothing to hold any more")]
    WindowClosed,
    #[error("that is so already")]
    AlreadySo,
    #[error("{0} has taken it already")]
    TakenBy(PersonId),
    #[error("you were not asked about this change")]
    NotAsked,
    #[error("it has to end after it begins, and not lie in the past")]
    Backwards,
    #[error("at most two weeks at a time, at most three months ahead: a rotation belongs into the pager")]
    TooLong,
    #[error("you do not have the pager by anybody's word, so there is nothing to give back")]
    NothingToGiveBack,
    #[error("at most 90 days: a pipeline that is paused for longer is paused until somebody resumes it")]
    PausedTooLong,
    #[error("the pipeline is not paused")]
    NotPaused,
    #[error("outside contributors do not move the pager or the pipeline: ask somebody of the team")]
    ByOutside,
}

/// Where a person acts: one service as it stands at one moment.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub situation: &'a Situation,
    pub service: &'a Service,
    pub settings: &'a Settings,
    pub now: Timestamp,
}

impl<'a> Desk<'a> {
    fn windows(&self) -> Vec<Window<'a>> {
        windows(self.situation, self.service, &self.settings.roster, self.now)
    }

    pub(super) fn reader<'b>(&'b self, person: &'b PersonId) -> Reader<'b> {
        Reader { settings: self.settings, service: self.service, person, now: self.now }
    }

    pub(super) fn known(&self, person: &PersonId) -> Result<(), Refused> {
        match self.settings.roster.person(person) {
            None => Err(Refused::Nobody(person.clone())),
            Some(person) if person.is_outside() => Err(Refused::Outside(person.id.clone())),
            Some(_) => Ok(()),
        }
    }

    /// Whoever is not to be paged does not say who is.
    fn inside(&self, by: &PersonId) -> Result<(), Refused> {
        let outside = self.settings.roster.person(by).is_some_and(crate::Person::is_outside);
        if outside { Err(Refused::ByOutside) } else { Ok(()) }
    }

    pub(super) fn decisions(&self) -> Decisions {
        Decisions::none(&self.service.id, Wake::Now)
    }

    pub(super) fn name<'b>(&'b self, person: &'b PersonId) -> &'b str {
        self.settings.roster.name_of(person)
    }

    /// `person` has the pager of the service from `from` until `until`, by the word of `by`: paged first for every
    /// window of it, and for what has no window.
    pub fn take(
        &self,
        person: &PersonId,
        by: &PersonId,
        from: Option<Timestamp>,
        until: Timestamp,
    ) -> Result<Decisions, Refused> {
        self.inside(by)?;
        self.known(person)?;
        let from = from.unwrap_or(self.now).max(self.now);
        if until <= from {
            return Err(Refused::Backwards);
        }
        if from.duration_since(self.now) > shift::FURTHEST || until.duration_since(from) > shift::LONGEST {
            return Err(Refused::TooLong);
        }
        let shifts = || self.situation.shifts.values().map(|s| &s.value);
        let before = shift::of_service(shifts(), from);
        if before.is_some_and(|b| b.person == *person && b.until.is_some_and(|theirs| theirs + A_CLICK >= until)) {
            return Err(Refused::AlreadySo);
        }
        let shift = Shift::new(Scope::Service, person, by, from, Some(until), self.now);
        let mut decisions = self.decisions();
        // What this person holds now, and what begins before this ends, becomes one.
        let one = |s: &&Noted<Shift>| s.value.from < until && s.value.over_at().is_none_or(|over| over >= from);
        self.end(&mut decisions, person, one);
        let active = self.windows();
        let active = active.iter().filter(|w| matches!(w.phase, Phase::Active { .. })).map(|w| &w.holder.person);
        let mut others: Vec<&PersonId> = before.map(|b| &b.person).into_iter().chain(active).collect();
        others.sort();
        others.dedup();
        // The board tells the rest: one transaction holds a hundred things.
        others.truncate(MOST_TOLD);
        self.tell_both(&mut decisions, &shift, None, 0, others.into_iter().filter(|other| *other != person));
        Ok(decisions)
    }

    /// The window of `change` goes to `to`, by the word of `by`, until it is closed.
    pub fn hand_over(&self, change: &ChangeId, to: &PersonId, by: &PersonId) -> Result<Decisions, Refused> {
        self.inside(by)?;
        self.known(to)?;
        let all = self.windows();
        let window = all.iter().find(|w| w.change.id == *change).ok_or(Refused::NoSuchChange)?;
        if let Phase::Closed { .. } = window.phase {
            return Err(Refused::WindowClosed);
        }
        let holder = &window.holder.person;
        if holder == to {
            return Err(Refused::AlreadySo);
        }
        let scope = Scope::Change(change.clone());
        let before = self.situation.shifts.values().filter(|s| s.value.scope == scope).count();
        let nth = u32::try_from(before + 1).unwrap_or(u32::MAX);
        let shift = Shift::new(scope, to, by, self.now, None, self.now);
        let mut decisions = self.decisions();
        self.tell_both(&mut decisions, &shift, Some(window), nth, [holder].into_iter().filter(|h| *h != by));
        // What the handover says need not be said again as a receipt or a start.
        let known = self.situation.notes.get(change);
        let mut notes = known.map(|n| n.value.clone()).unwrap_or_default();
        notes.hears(Step::Receipt, to);
        if notes.was_said(Step::Started) {
            notes.hears(Step::Started, to);
        }
        if let Phase::Tail { .. } = window.phase {
            notes.hears(Step::Ended, to);
        }
        decisions.put(Record::Notes(change.clone(), notes), known.map_or(0, |n| n.rev));
        Ok(decisions)
    }

    /// Keeps a shift, logs it, and tells who has it now and who had it before.
    fn tell_both<'b>(
        &self,
        decisions: &mut Decisions,
        shift: &Shift,
        window: Option<&Window<'_>>,
        nth: u32,
        before: impl Iterator<Item = &'b PersonId>,
    ) {
        let change = window.map(|w| w.change);
        let what = match change {
            Some(change) => format!("{} has {}", self.name(&shift.person), change.label()),
            None => format!("{} has the pager of {}", self.name(&shift.person), self.service.id),
        };
        let subject = match &shift.scope {
            Scope::Service => Subject::Shift(shift.id.clone()),
            Scope::Change(change) => Subject::Change(change.clone()),
        };
        let reason = Reason::ShiftMade { by: shift.by.clone() };
        decisions.log(self.now, Some(subject), Some(shift.person.clone()), what, reason);
        decisions.tell(hands::handed_over(self.reader(&shift.person), shift, window, nth));
        for person in before {
            decisions.tell(hands::taken_over(self.reader(person), shift, change, nth));
        }
        decisions.put(Record::Shift(shift.clone()), 0);
    }

    /// `person` gives the pager of the service back before its time.
    pub fn give_back(&self, person: &PersonId) -> Result<Decisions, Refused> {
        let mut decisions = self.decisions();
        let Some(shift) = self.end(&mut decisions, person, |_| true) else { return Err(Refused::NothingToGiveBack) };
        let what = format!("{} gives the pager of {} back", self.name(person), self.service.id);
        decisions.log(self.now, Some(Subject::Shift(shift)), Some(person.clone()), what, Reason::ShiftEnded);
        Ok(decisions)
    }

    /// Ends what `person` has of the service's pager, now or later; the id of the last that was ended.
    fn end(
        &self,
        decisions: &mut Decisions,
        person: &PersonId,
        which: impl Fn(&&Noted<Shift>) -> bool,
    ) -> Option<String> {
        let ours = |s: &&Noted<Shift>| s.value.scope == Scope::Service && s.value.person == *person;
        let held = self.situation.shifts.values().filter(ours).filter(|s| s.value.is_ahead(self.now)).filter(which);
        held.map(|known| {
            let shift = Shift { ended_at: Some(self.now), ..known.value.clone() };
            decisions.put(Record::Shift(shift), known.rev);
            known.value.id.clone()
        })
        .last()
    }

    /// `person`, who was asked, takes the pager for `change`, or does not.
    pub fn answer(&self, change: &ChangeId, person: &PersonId, takes: bool) -> Result<Decisions, Refused> {
        let all = self.windows();
        let window = all.iter().find(|w| w.change.id == *change).ok_or(Refused::NoSuchChange)?;
        if let Phase::Closed { .. } = window.phase {
            return Err(Refused::WindowClosed);
        }
        let asking = self.situation.asking(window.change, self.service, &self.settings.roster);
        if !asking.is_some_and(|asking| asking.candidates.contains(person)) {
            return Err(Refused::NotAsked);
        }
        let known = self.situation.notes.get(change);
        let mut notes = known.map(|n| n.value.clone()).unwrap_or_default();
        match (attendance::attendance(&notes, &self.service.policy), notes.answers.get(person)) {
            (Attendance::Taken { person: other, .. }, _) if other != *person => return Err(Refused::TakenBy(other)),
            (_, Some(before)) if before.takes == takes => return Err(Refused::AlreadySo),
            (_, _) => {}
        }
        notes.answers.insert(person.clone(), Answer { takes, at: self.now });
        let (what, reason) = if takes {
            ("takes the pager for", Reason::PagerTaken)
        } else {
            ("does not take the pager for", Reason::PagerDeclined)
        };
        let mut decisions = self.decisions();
        let what = format!("{} {what} {}", self.name(person), window.change.label());
        decisions.log(self.now, Some(Subject::Change(change.clone())), Some(person.clone()), what, reason);
        decisions.put(Record::Notes(change.clone(), notes), known.map_or(0, |n| n.rev));
        Ok(decisions)
    }

    /// The pipeline is paused by `by`, until then or until somebody resumes it. Nobody's window burns meanwhile.
    pub fn pause(&self, by: &PersonId, why: &str, until: Option<Timestamp>) -> Result<Decisions, Refused> {
        self.inside(by)?;
        if until.is_some_and(|until| until <= self.now) {
            return Err(Refused::Backwards);
        }
        if until.is_some_and(|until| until.duration_since(self.now) > LONGEST_PAUSE) {
            return Err(Refused::PausedTooLong);
        }
        let mut queue = self.situation.queue.value.clone();
        if queue.paused(self.now).is_some() {
            return Err(Refused::AlreadySo);
        }
        let why = text::line(why, MOST_WHY);
        let why = if why.is_empty() { "no reason was given".to_owned() } else { why };
        queue.pause(Pause { from: self.now, until, by: by.clone(), why: why.clone() });
        let mut decisions = self.decisions();
        let what = format!("{} paused the pipeline of {}", self.name(by), self.service.id);
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, Reason::QueuePaused { why });
        decisions.put(Record::Queue(queue), self.situation.queue.rev);
        Ok(decisions)
    }

    /// Forgets what was learnt of the service's past, so that its suspects are ranked as anybody's.
    pub fn unlearn(&self, by: &PersonId) -> Result<Decisions, Refused> {
        let known = &self.situation.track;
        if known.value.past == Past::default() {
            return Err(Refused::AlreadySo);
        }
        let mut decisions = self.decisions();
        let what = format!("{} had the past of {} forgotten", self.name(by), self.service.id);
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, Reason::Unlearnt);
        let track = Track { past: Past::default(), reset_at: Some(self.now) };
        decisions.put(Record::Track(track), known.rev);
        Ok(decisions)
    }

    /// The pipeline goes on.
    pub fn resume(&self, by: &PersonId) -> Result<Decisions, Refused> {
        self.inside(by)?;
        let mut queue = self.situation.queue.value.clone();
        if !queue.resume(self.now) {
            return Err(Refused::NotPaused);
        }
        let mut decisions = self.decisions();
        let what = format!("{} resumed the pipeline of {}", self.name(by), self.service.id);
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, Reason::QueueResumed);
        decisions.put(Record::Queue(queue), self.situation.queue.rev);
        Ok(decisions)
    }
}

#[cfg(test)]
#[path = "hands_tests.rs"]
mod tests;
