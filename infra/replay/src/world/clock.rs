//! The clock, as `on-schedule` has it: looks at what was changed at once, and each minute at what is due.

use domain::decision::Wake;
use domain::on_schedule::{self, freezes};
use domain::{ServiceId, posted};
use jiff::Timestamp;

use super::World;
use crate::witness::Witness;

/// One look at a service does at most this many rounds, as in `on-schedule`.
const MOST_ROUNDS: usize = 40;
/// What one service says may change another, and that a third: so often is it looked again.
const MOST_CHAINS: usize = 10;

impl<W: Witness> World<'_, W> {
    /// Moves the clock to `then`, and ticks on the way whenever something is due.
    pub(super) fn until(&mut self, then: Timestamp) {
        while let Some(tick) = self.next_tick().filter(|tick| *tick <= then) {
            self.now = tick;
            self.tick();
            self.settle();
        }
        self.now = self.now.max(then);
    }

    /// The next whole minute after now at which something is due.
    fn next_tick(&self) -> Option<Timestamp> {
        let due = self.situations.values().filter_map(|situation| situation.clock.value.due_at).min()?;
        Some(on_schedule::tick_after(due, self.now))
    }

    fn tick(&mut self) {
        let due_at = |(id, situation): (&ServiceId, &domain::Situation)| {
            let at = situation.clock.value.due_at.filter(|at| *at <= self.now)?;
            Some((at, id.clone()))
        };
        let mut due: Vec<(Timestamp, ServiceId)> = self.situations.iter().filter_map(due_at).collect();
        due.sort();
        let mut due: Vec<ServiceId> = due.into_iter().map(|(_, id)| id).collect();
        if !self.desk_seen {
            let desk = self.settings.freeze_desk().id.clone();
            let first = std::iter::once(desk).chain(std::mem::take(&mut self.unseen));
            let first: Vec<ServiceId> = first.filter(|id| !due.contains(id)).collect();
            due.extend(first);
        }
        self.look(&due);
    }

    /// Looks at what was just changed, until nothing new comes of it.
    pub(super) fn settle(&mut self) {
        for _ in 0..MOST_CHAINS {
            if self.nudged.is_empty() {
                return;
            }
            let changed: Vec<ServiceId> = std::mem::take(&mut self.nudged).into_iter().collect();
            self.look(&changed);
        }
    }

    fn look(&mut self, services: &[ServiceId]) {
        for service in services {
            self.rounds(service);
        }
        let desk = &self.settings.freeze_desk().id;
        if services.contains(desk) {
            self.post();
        }
    }

    /// Brings one service up to date, until nothing is due now.
    fn rounds(&mut self, id: &ServiceId) {
        let desk = self.settings.freeze_desk().id == *id;
        self.unseen.remove(id);
        for _ in 0..MOST_ROUNDS {
            let now = self.now;
            let (decisions, ()) = self.decide(id, |situation, settings| {
                let round = match settings.service(id) {
                    Some(_) if desk => freezes::decide(situation, &[], settings, now),
                    Some(service) => on_schedule::decide(situation, &[], service, settings, now),
                    None => return (domain::Decisions::none(id, Wake::Exactly(None)), ()),
                };
                (round.decisions, ())
            });
            if !matches!(decisions.wake, Wake::Exactly(Some(at)) if at <= now) {
                self.desk_seen |= desk;
                return;
            }
        }
    }

    /// Posts at every service what the desk of freezes says of it, where that has changed.
    fn post(&mut self) {
        let (now, desk) = (self.now, self.settings.freeze_desk().id.clone());
        let (_, due) = self.decide(&desk, |situation, settings| {
            (domain::Decisions::none(&desk, Wake::Now), freezes::posting(situation, settings, now))
        });
        let Some(posting) = due else { return };
        let services = self.settings.services().filter(|service| !service.repositories.is_empty());
        let services: Vec<ServiceId> = services.map(|service| service.id.clone()).collect();
        for service in services {
            let posted = posting.wanted.get(&service).unwrap_or(&posting.nothing);
            let (decisions, ()) = self.decide(&service, |situation, _| (posted::hear(posted, situation), ()));
            if !decisions.is_quiet() {
                self.nudge(&service);
            }
        }
        self.decide(&desk, |situation, _| (freezes::all_posted(&posting.digest, situation), ()));
    }
}
