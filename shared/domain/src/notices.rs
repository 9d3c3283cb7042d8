//! Which notices of a change's life are due, and to whom. Each is said once to each person in each turn; what was
//! over before we heard of it is not said at all.
//!
//! Personal mutes are applied here, in [`Told::say`], and nowhere else; the start of a turn cannot be muted.

mod surroundings;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::attendance::{self, Asked, Asking, Due};
use crate::ids::{ChangeId, PersonId};
use crate::message::{Message, MessageKey, Step};
use crate::queue::{self, Age};
use crate::reason::Reason;
use crate::responder::{self, Responder};
use crate::service::Service;
use crate::settings::Settings;
use crate::shift::Shift;
use crate::situation::Situation;
use crate::suite::Failure;
use crate::turn::Extension;
use crate::window::{Closed, Phase, Window, WindowNotes};
use crate::wording::{Reader, hands, turns};

/// The owner hears of one queue at most this often.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// One look at a service's windows.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub situation: &'a Situation,
    pub service: &'a Service,
    pub settings: &'a Settings,
    pub all: &'a [Window<'a>],
    /// Which suites of end-to-end tests failed with which change.
    pub failures: &'a BTreeMap<&'a ChangeId, Vec<Failure<'a>>>,
    pub now: Timestamp,
    /// The owner has heard of the queue already, in this round.
    pub owner_told: bool,
}

/// What came of looking at one window.
#[derive(Debug, Default)]
pub struct Told {
    pub messages: Vec<Message>,
    /// What was not said, to whom, and why not.
    pub unsaid: Vec<(PersonId, Step, Reason)>,
    /// When time alone may make another notice due.
    pub next: Option<Timestamp>,
    /// The turn began just now, for the first time.
    pub went_live: bool,
    /// The owner heard that the queue does not move.
    pub owner_told: Option<Step>,
}

impl Told {
    fn say(&mut self, look: &Look<'_>, notes: &mut WindowNotes, message: Message) {
        let nth = notes.nth();
        self.say_as(look, notes, Message { key: MessageKey { nth, ..message.key }, ..message });
    }

    /// Says what has told itself apart from others of its step already.
    fn say_as(&mut self, look: &Look<'_>, notes: &mut WindowNotes, message: Message) {
        let (person, step) = (message.key.person.clone(), message.key.step);
        notes.hears(step, &person);
        let muted = |p: &crate::Person| step.can_be_muted() && p.muted.contains(&step);
        if look.settings.roster.person(&person).is_some_and(muted) {
            self.unsaid.push((person, step, Reason::Muted));
        } else {
            self.messages.push(message);
        }
    }

    fn wait(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |known| known.min(at)));
    }
}

impl<'a> Look<'a> {
    /// What is due for one window; `notes` then say that it was said.
    #[must_use]
    pub fn window(&self, window: &Window<'a>, notes: &mut WindowNotes) -> Told {
        let mut told = Told::default();
        if !self.situation.mode(self.service).decides() {
            return told;
        }
        self.attendance(window, notes, &mut told);
        match window.phase {
            Phase::Standby => self.standby(window, notes, &mut told),
            Phase::Active { until, settled, .. } => self.active(window, until, settled, notes, &mut told),
            Phase::Tail { .. } | Phase::Closed { .. } => self.over(window, notes, &mut told),
        }
        self.tests(window, notes, &mut told);
        told
    }

    fn reader<'b>(&'b self, person: &'b PersonId) -> Reader<'b> {
        Reader { settings: self.settings, service: self.service, person, now: self.now }
    }

    /// A notice about the window, to whoever holds it.
    fn notice(&self, window: &Window<'_>, step: Step, reason: Reason) -> Message {
        turns::notice(self.reader(&window.holder.person), window, step, reason, &self.around(window))
    }

    fn standby(&self, window: &Window<'a>, notes: &mut WindowNotes, told: &mut Told) {
        let holder = &window.holder.person;
        if notes.was_said(Step::Started) && window.nth_turn() > 0 {
            notes.begin_anew();
            told.say(self, notes, self.notice(window, Step::StandbyAgain, Reason::BackOnStandby));
        } else if !notes.has_heard(Step::Receipt, holder) {
            told.say(self, notes, self.notice(window, Step::Receipt, Reason::MergedOnStandby));
        }
        self.thanks(window, notes, told);
        self.waiting(window, notes, told);
    }

    /// An outside contributor hears, once, who answers.
    fn thanks(&self, window: &Window<'_>, notes: &mut WindowNotes, told: &mut Told) {
        let merger = self.settings.roster.by_login(&window.change.merger.login);
        let outsider = merger.filter(|p| p.is_outside() && !p.contacts.is_empty() && p.id != window.holder.person);
        if let Some(contributor) = outsider
            && !notes.was_said(Step::Thanks)
        {
            told.say(self, notes, hands::thanks(self.reader(&contributor.id), window, !notes.asked.is_empty()));
        }
    }

    fn active(&self, window: &Window<'a>, until: Timestamp, settled: bool, notes: &mut WindowNotes, told: &mut Told) {
        let holder = &window.holder.person;
        let Some(turn) = window.turn() else { return };
        if notes.turn_since.is_some_and(|said| said < turn.since) {
            notes.begin_anew();
        }
        let notice = self.service.policy.ending_notice;
        let soon = until - notice;
        // That a turn lasts longer is said when it would have ended: until then it makes no difference.
        let known_end = notes.told_until.unwrap_or(turn.planned);
        let longer = turn.extended.is_some_and(|why| why != Extension::IncidentOver) && turn.until > known_end;
        let would_end = longer.then(|| known_end - notice);
        // Whose change is taken back hears that it is over, and why: not first that it will be.
        let settled = settled && turn.cut.is_none();
        if !notes.has_heard(Step::Started, holder) {
            told.went_live = !notes.was_said(Step::Started);
            notes.turn_since = Some(turn.since);
            self.released(window, notes, told);
            notes.hears(Step::Receipt, holder);
            told.say(self, notes, self.notice(window, Step::Started, Reason::TurnStarted));
        } else if would_end.is_some_and(|at| at <= self.now) {
            notes.told_until = Some(turn.until);
            notes.extensions += 1;
            notes.heard.remove(&Step::EndingSoon);
            told.say(self, notes, self.notice(window, Step::Extended, Reason::TurnExtended));
        } else if settled && self.now >= soon && !notes.has_heard(Step::EndingSoon, holder) {
            told.say(self, notes, self.notice(window, Step::EndingSoon, Reason::TurnEndsSoon));
        }
        let next = [would_end, settled.then_some(soon)].into_iter().flatten().filter(|at| *at > self.now).min();
        told.wait(next.unwrap_or(until));
    }

    /// End-to-end tests failed with it: said once a suite, until it passes, while the change is on its way or active.
    fn tests(&self, window: &Window<'a>, notes: &mut WindowNotes, told: &mut Told) {
        let failures = self.failures.get(&window.change.id).map_or(&[][..], Vec::as_slice);
        notes.suites.retain(|suite| failures.iter().any(|failure| failure.suite == suite));
        if !matches!(window.phase, Phase::Standby | Phase::Active { .. }) {
            return;
        }
        for failure in failures {
            if notes.suites.iter().any(|said| said == failure.suite) {
                continue;
            }
            notes.suites.push(failure.suite.to_owned());
            let mut message = hands::tests_failed(self.reader(&window.holder.person), window, failure);
            // Each run that is told of has a key of its own.
            message.key.nth = u32::try_from(failure.at.as_second() / 60).unwrap_or(u32::MAX);
            told.say_as(self, notes, message);
        }
    }

    /// Who took it to be theirs while it waited hears who answers now that it is live.
    fn released(&self, window: &Window<'_>, notes: &mut WindowNotes, told: &mut Told) {
        let theirs = |person: &&PersonId| {
            **person != window.holder.person
                && !notes.has_heard(Step::Forewarned, person)
                && !notes.has_heard(Step::StoodInFor, person)
        };
        let heard = notes.heard.get(&Step::Receipt).cloned().unwrap_or_default();
        for person in heard.iter().filter(theirs).cloned().collect::<Vec<_>>() {
            told.say(self, notes, hands::somebody_else_has_it(self.reader(&person), window));
        }
    }

    fn over(&self, window: &Window<'_>, notes: &mut WindowNotes, told: &mut Told) {
        let holder = &window.holder.person;
        if notes.has_heard(Step::Ended, holder) {
            return;
        }
        let (reason, concerns) = match window.phase {
            // Nothing was ever asked of anybody for it here.
            Phase::Closed { reason: Closed::OtherPaths, .. } => return,
            Phase::Closed { reason: Closed::RevertedBeforeLive, .. } => (Reason::RevertedBeforeLive, Step::Receipt),
            Phase::Closed { reason: Closed::Reverted, .. } => (Reason::TurnReverted, Step::Started),
            Phase::Standby | Phase::Active { .. } | Phase::Tail { .. } | Phase::Closed { .. } => {
                (Reason::TurnEnded, Step::Started)
            }
        };
        if notes.has_heard(concerns, holder) {
            told.say(self, notes, self.notice(window, Step::Ended, reason));
        } else {
            notes.hears(Step::Ended, holder);
            told.unsaid.push((holder.clone(), Step::Ended, Reason::TurnWasOverWhenHeard));
        }
        for step in [Step::Receipt, Step::Started] {
            notes.hears(step, holder);
        }
    }

    /// Merged outside working hours: somebody is asked to take the pager.
    fn attendance(&self, window: &Window<'a>, notes: &mut WindowNotes, told: &mut Told) {
        if !matches!(window.phase, Phase::Standby | Phase::Active { .. }) {
            return;
        }
        let roster = &self.settings.roster;
        let Some(asking) = self.situation.asking(window.change, self.service, roster) else { return };
        match attendance::due(&asking, notes, self.service, &self.settings.roster, self.now) {
            Due::Nothing => {}
            Due::Wait(at) => told.wait(at),
            Due::Ask(person) => {
                notes.asked.push(Asked { person: person.clone(), at: self.now });
                // The question says all that a receipt would.
                notes.hears(Step::Receipt, &person);
                told.say(self, notes, hands::ask(self.reader(&person), window, &asking, &self.around(window)));
                told.wait(self.now + self.service.policy.answer_within);
            }
            Due::GiveUp => {
                notes.unattended_at = Some(self.now);
                self.forewarn(window, &asking, notes, told);
                // It may be somebody else's from now on, who has to hear of it.
                told.wait(self.now);
            }
        }
    }

    /// The rotation is warned of what nobody has taken the pager for.
    fn forewarn(&self, window: &Window<'a>, asking: &Asking, notes: &mut WindowNotes, told: &mut Told) {
        let Some(first) = self.service.rotation.first() else { return };
        let attendance = attendance::attendance(notes, &self.service.policy);
        let holder = self.holder(window, notes).unwrap_or_else(|| window.holder.clone());
        let window = Window { holder, attendance, ..window.clone() };
        if asking.candidates.contains(first) {
            // Who was asked need not be warned of it.
            told.unsaid.push((first.clone(), Step::Forewarned, Reason::Unattended));
            return;
        }
        told.say(self, notes, hands::forewarned(self.reader(first), &window, asking, &self.around(&window)));
        notes.hears(Step::Receipt, first);
    }

    /// Who holds the window by what the notes say now.
    fn holder(&self, window: &Window<'_>, notes: &WindowNotes) -> Option<Responder> {
        let shifts: Vec<&Shift> = self.situation.shifts.values().map(|s| &s.value).collect();
        let moment = window.turn().map_or(window.change.merged_at, |turn| turn.since).min(self.now);
        let roster = &self.settings.roster;
        let posted = &self.situation.posted.value;
        responder::holder(window.change, Some(notes), &shifts, posted, self.service, roster, moment, self.now)
    }

    /// The oldest change of which the owner has not heard tells that the queue does not move, at most once a day.
    fn waiting(&self, window: &Window<'_>, notes: &mut WindowNotes, told: &mut Told) {
        let waiting = || self.all.iter().filter(|w| w.phase == Phase::Standby);
        let Some(owner) = self.service.last_resort() else { return };
        let Some(oldest) = waiting().next() else { return };
        let (age, next) = queue::age(window.change, &self.situation.queue.value, self.service, self.now);
        if let Some(at) = next {
            told.wait(at);
        }
        let policy = &self.service.policy;
        let (step, reason) = match age {
            None => return,
            Some(Age::Told) => (Step::QueueSlow, Reason::QueueWaits { hours: policy.queue_told_after.as_hours() }),
            Some(Age::Deputy) => (Step::Deputy, Reason::QueueDeputy { hours: policy.queue_deputy_after.as_hours() }),
        };
        if notes.was_said(step) || self.owner_told {
            return;
        }
        let again = self.situation.queue.value.owner_told_at.get(&step).map(|at| *at + A_DAY);
        if let Some(at) = again.filter(|at| *at > self.now) {
            told.wait(at);
            return;
        }
        let message = hands::queue_slow(
            self.reader(owner),
            (window, oldest),
            waiting().count(),
            step,
            reason,
            &self.around(oldest),
        );
        told.say(self, notes, message);
        told.owner_told = Some(step);
    }
}

#[cfg(test)]
#[path = "notices_tests.rs"]
mod tests;
