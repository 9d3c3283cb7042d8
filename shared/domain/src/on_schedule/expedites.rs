//! The clock of the lane of urgent fixes: who has to say why, who has to sign, who hears that it may pass. Each is told once.

use jiff::Timestamp;

use super::Next;
use crate::decision::{Decisions, Record, RecordKey};
use crate::expedite::{self, Expedite, KNOWN, Needs, Standing};
use crate::freeze::Freezes;
use crate::ids::PersonId;
use crate::measures;
use crate::message::{Step, Subject};
use crate::reason::Reason;
use crate::settings::Settings;
use crate::situation::{Noted, Situation};
use crate::wording::{Reader, expedites as words};

/// How each fix stands, and what holds for it.
pub(super) struct Lane<'a> {
    pub situation: &'a Situation,
    pub settings: &'a Settings,
    pub freezes: &'a Freezes<'a>,
    pub now: Timestamp,
}

impl Lane<'_> {
    /// What is due of each.
    pub(super) fn look(&self, decisions: &mut Decisions, next: &mut Next) {
        for (key, noted) in &self.situation.expedites {
            let leaves = noted.value.lapses_at().max(noted.value.at + KNOWN);
            if leaves <= self.now {
                if decisions.room() > 0 {
                    decisions.drop_record(RecordKey::Expedite(key.clone()), noted.rev);
                } else {
                    next.at(self.now);
                }
                continue;
            }
            next.at(leaves);
            self.one(decisions, next, noted);
        }
    }

    fn one(&self, decisions: &mut Decisions, next: &mut Next, noted: &Noted<Expedite>) {
        let one = &noted.value;
        let holding = expedite::holding(self.freezes, self.settings, &one.repository, self.now);
        let needs = expedite::needs(&holding);
        let standing = one.standing(needs, self.now);
        if !matches!(standing, Standing::Refused | Standing::Withdrawn | Standing::Lapsed) {
            next.at(one.lapses_at());
            // It may take more, or less, once another freeze begins or ends.
            holding.iter().filter_map(|answer| answer.until).filter(|at| *at > self.now).for_each(|at| next.at(at));
        }
        let mut told = one.told.clone();
        // That nothing holds just now lets nothing pass.
        let granted = standing == Standing::Granted && !holding.is_empty();
        let mut passed = if granted { Some(one.granted()) } else { one.passed.clone() };
        if matches!(standing, Standing::AwaitsApprover | Standing::AwaitsRotation | Standing::NeedsReason) {
            // It takes more than it did: who hears that it may pass hears it anew.
            told.retain(|(step, _)| *step != Step::ExpediteGranted);
            if let Some(passed) = &mut passed {
                passed.until = passed.until.min(self.now);
            }
        }
        let hearers = if holding.is_empty() { Vec::new() } else { self.hearers(one, standing, needs) };
        for (step, person) in hearers {
            if told.contains(&(step, person.clone())) {
                continue;
            }
            if decisions.room() < 3 {
                next.at(self.now);
                break;
            }
            let reader = Reader {
                settings: self.settings,
                service: self.settings.freeze_desk(),
                person: &person,
                now: self.now,
            };
            let message = words::notice(reader, one, step, needs, &holding);
            if standing == Standing::Granted && !told.iter().any(|(step, _)| *step == Step::ExpediteGranted) {
                let what = format!("{} may pass: {}", one.label(), one.reason);
                let reason = Reason::ExpediteGranted { why: one.reason.clone() };
                decisions.log(self.now, Some(Subject::Expedite(one.key())), Some(one.by.clone()), what, reason);
            }
            decisions.tell(message);
            told.insert((step, person));
        }
        let over = matches!(standing, Standing::Refused | Standing::Withdrawn | Standing::Lapsed);
        let counts = over && !one.counted && decisions.room() > 2;
        if told != one.told || passed != one.passed || counts {
            let next = Expedite { told, passed, counted: one.counted || counts, ..one.clone() };
            decisions.facts.extend(counts.then(|| measures::of_expedite(&next)));
            decisions.put(Record::Expedite(next), noted.rev);
        }
    }

    /// Who hears what of it, as it stands.
    fn hearers(&self, one: &Expedite, standing: Standing, needs: Needs) -> Vec<(Step, PersonId)> {
        let asker = |step: Step| vec![(step, one.by.clone())];
        match standing {
            Standing::NeedsReason => asker(Step::ExpediteWhy),
            Standing::AwaitsApprover | Standing::AwaitsRotation => {
                let mut able = expedite::approvers(self.settings, &one.repository);
                able.extend(expedite::rotation(self.settings, &one.repository));
                let furthers = |person: &&PersonId| {
                    let signed = expedite::signature(self.settings, &one.repository, person, self.now);
                    signed.is_some_and(|signed| one.is_furthered_by(&signed, needs))
                };
                let able: Vec<&PersonId> = able.into_iter().filter(furthers).collect();
                // Of those who could, first the approvers.
                let first = standing == Standing::AwaitsApprover;
                let approves =
                    |person: &&&PersonId| expedite::approvers(self.settings, &one.repository).contains(**person);
                let mut asked: Vec<&PersonId> =
                    able.iter().filter(|person| first == approves(person)).copied().collect();
                if asked.is_empty() {
                    asked = able;
                }
                // Nobody is left who could sign: whoever asked has to know.
                if asked.is_empty() {
                    asker(Step::ExpediteWhy)
                } else {
                    asked.into_iter().map(|p| (Step::ExpediteAsked, p.clone())).collect()
                }
            }
            Standing::Granted => {
                let channels = self.settings.services_of(&one.repository).filter_map(|service| service.channel.clone());
                std::iter::once(one.by.clone()).chain(channels).map(|person| (Step::ExpediteGranted, person)).collect()
            }
            Standing::Refused => asker(Step::ExpediteRefused),
            Standing::Withdrawn | Standing::Lapsed => Vec::new(),
        }
    }

    /// Those that may pass, or passed: whose a change is that was merged meanwhile.
    pub(super) fn passed(&self) -> Vec<expedite::Granted> {
        let all = self.situation.expedites.values().map(|noted| &noted.value);
        let passes = |one: &Expedite| {
            let now = self.passes(one).then(|| one.granted());
            // What was taken back, or refused, before it was merged did not pass.
            now.or_else(|| one.passed.clone().map(|passed| one.cut(passed)))
        };
        all.filter_map(passes).collect()
    }

    /// Those that may pass now.
    pub(super) fn passing(&self) -> Vec<expedite::Granted> {
        let all = self.situation.expedites.values().map(|noted| &noted.value);
        all.filter(|one| self.passes(one)).map(Expedite::granted).collect()
    }

    fn passes(&self, one: &Expedite) -> bool {
        let holding = expedite::holding(self.freezes, self.settings, &one.repository, self.now);
        !holding.is_empty() && one.standing(expedite::needs(&holding), self.now) == Standing::Granted
    }
}

#[cfg(test)]
#[path = "expedites_tests.rs"]
mod tests;
