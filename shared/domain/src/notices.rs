//! Which notices of a change's life are due, and to whom. Each is said once to each person in each turn; what was
//! over before we heard of it is not said at all.
//!
//! Personal mutes are applied here, in [`Told::say`], and nowhere else; the start of a turn cannot be muted.

use jiff::Timestamp;

use crate::attendance::{self, Asked, Asking, Due};
use crate::because::Because;
use crate::ids::PersonId;
use crate::message::{Message, MessageKey, Step};
use crate::queue::{self, Age};
use crate::reason::Reason;
use crate::responder::{self, Responder};
use crate::service::{Mode, Service};
use crate::settings::Settings;
use crate::shift::Shift;
use crate::situation::Situation;
use crate::turn::Extension;
use crate::window::{Closed, Phase, Window, WindowNotes};
use crate::wording::turns::Surroundings;
use crate::wording::{Reader, hands, turns};

/// How many other changes of a release are named in a notice.
const MOST_NAMED: usize = 5;

/// One look at a service's windows.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub situation: &'a Situation,
    pub service: &'a Service,
    pub settings: &'a Settings,
    pub all: &'a [Window<'a>],
    pub now: Timestamp,
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
}

impl Told {
    fn say(&mut self, look: &Look<'_>, notes: &mut WindowNotes, message: Message) {
        let message = Message { key: MessageKey { nth: notes.restarts, ..message.key }, ..message };
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
        if self.service.mode == Mode::Manual {
            return told;
        }
        self.attendance(window, notes, &mut told);
        match window.phase {
            Phase::Standby => self.standby(window, notes, &mut told),
            Phase::Active { until, settled, .. } => self.active(window, until, settled, notes, &mut told),
            Phase::Tail { .. } | Phase::Closed { .. } => self.over(window, notes, &mut told),
        }
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
            for step in [Step::Started, Step::EndingSoon, Step::Extended, Step::Ended, Step::StoodInFor] {
                notes.heard.remove(&step);
            }
            notes.restarts += 1;
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
        let soon = until - self.service.policy.ending_notice;
        // That a turn lasts longer is said when it would have ended: until then it makes no difference.
        let longer = window.turn().filter(|t| t.extended.is_some_and(|why| why != Extension::IncidentOver));
        let would_end = longer.map(|turn| turn.planned - self.service.policy.ending_notice);
        // Whose change is taken back hears that it is over, and why: not first that it will be.
        let settled = settled && window.turn().is_some_and(|turn| turn.cut.is_none());
        if !notes.has_heard(Step::Started, holder) {
            told.went_live = !notes.was_said(Step::Started);
            notes.hears(Step::Receipt, holder);
            self.away(window, notes, told);
            told.say(self, notes, self.notice(window, Step::Started, Reason::TurnStarted));
        } else if would_end.is_some_and(|at| at <= self.now) && !notes.has_heard(Step::Extended, holder) {
            told.say(self, notes, self.notice(window, Step::Extended, Reason::TurnExtended));
        } else if settled && self.now >= soon && !notes.has_heard(Step::EndingSoon, holder) {
            told.say(self, notes, self.notice(window, Step::EndingSoon, Reason::TurnEndsSoon));
        }
        let next = [would_end, settled.then_some(soon)].into_iter().flatten().filter(|at| *at > self.now).min();
        told.wait(next.unwrap_or(until));
    }

    /// Who merged it and has a day off hears who stands in.
    fn away(&self, window: &Window<'_>, notes: &mut WindowNotes, told: &mut Told) {
        if let Because::Deputises { away, .. } = &window.holder.because
            && notes.has_heard(Step::Receipt, away)
            && !notes.has_heard(Step::StoodInFor, away)
        {
            told.say(self, notes, hands::deputy_has_it(self.reader(away), window));
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
        let Some(asking) = attendance::asking(window.change, self.service, &self.settings.roster) else { return };
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
            }
        }
    }

    /// The rotation is warned of what nobody has taken the pager for.
    fn forewarn(&self, window: &Window<'a>, asking: &Asking, notes: &mut WindowNotes, told: &mut Told) {
        let Some(first) = self.service.rotation.first() else { return };
        let attendance = attendance::attendance(notes, &self.service.policy);
        let holder = self.holder(window, notes).unwrap_or_else(|| window.holder.clone());
        let window = Window { holder, attendance, ..window.clone() };
        told.say(self, notes, hands::forewarned(self.reader(first), &window, asking, &self.around(&window)));
        notes.hears(Step::Receipt, first);
    }

    /// Who holds the window by what the notes say now.
    fn holder(&self, window: &Window<'_>, notes: &WindowNotes) -> Option<Responder> {
        let shifts: Vec<&Shift> = self.situation.shifts.values().map(|s| &s.value).collect();
        let moment = window.turn().map_or(window.change.merged_at, |turn| turn.since).min(self.now);
        let roster = &self.settings.roster;
        responder::holder(window.change, Some(notes), &shifts, self.service, roster, moment, self.now)
    }

    /// The oldest change of the queue tells the owner, once, that the queue does not move.
    fn waiting(&self, window: &Window<'_>, notes: &mut WindowNotes, told: &mut Told) {
        let waiting = || self.all.iter().filter(|w| w.phase == Phase::Standby);
        let Some(owner) = self.service.last_resort() else { return };
        if waiting().next().is_none_or(|oldest| oldest.change.id != window.change.id) {
            return;
        }
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
        let noted = |w: &Window<'_>| self.situation.notes.get(&w.change.id).is_some_and(|n| n.value.was_said(step));
        if !notes.was_said(step) && !waiting().any(noted) {
            let around = self.around(window);
            told.say(
                self,
                notes,
                hands::queue_slow(self.reader(owner), window, waiting().count(), step, reason, &around),
            );
        }
    }

    /// What surrounds a window, for its notices.
    #[must_use]
    pub fn around(&self, window: &Window<'_>) -> Surroundings<'a> {
        let (queue, change) = (&self.situation.queue.value, window.change);
        let standby = matches!(window.phase, Phase::Standby);
        let notes = self.situation.notes.get(&change.id).map(|n| &n.value);
        let roster = &self.settings.roster;
        let held = || {
            let asking = attendance::asking(change, self.service, roster)?;
            attendance::held_until(&asking, notes, self.service, roster, self.now)
        };
        Surroundings {
            ahead: self
                .all
                .iter()
                .take_while(|w| w.change.id != change.id)
                .filter(|w| w.phase == Phase::Standby)
                .count(),
            with: self.released_with(window),
            stalled: standby.then(|| queue::stalled(self.situation, &change.id.repository, self.now)).flatten(),
            expected_live: standby.then(|| queue::expected_live(change, queue, self.now)).flatten(),
            held_until: standby.then(held).flatten(),
        }
    }

    /// The other changes of the same release and who answers for them, a few by name.
    fn released_with(&self, window: &Window<'_>) -> Vec<String> {
        let Some(release) = window.release else { return Vec::new() };
        let same = |w: &&Window<'_>| {
            let took =
                !matches!(w.phase, Phase::Closed { reason: Closed::RevertedBeforeLive | Closed::OtherPaths, .. });
            took && w.change.id != window.change.id && w.release.is_some_and(|other| other.key == release.key)
        };
        let name =
            |w: &Window<'_>| format!("{} ({})", w.change.label(), self.settings.roster.name_of(&w.holder.person));
        let mut others: Vec<String> = self.all.iter().filter(same).take(MOST_NAMED).map(name).collect();
        let more = self.all.iter().filter(same).count().saturating_sub(MOST_NAMED);
        if more > 0 {
            others.push(format!("{more} more"));
        }
        others
    }
}
