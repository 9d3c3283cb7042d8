//! Counts what comes of a past: turns, pages, who was woken, whether the suspects were right. Bounded, however long the past is.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::RecordKey;
use domain::{
    Decisions, Entry, Incident, IncidentId, Kind, Message, PersonId, Reason, ServiceId, Settings, Situation, Step,
    Subject, Write,
};
use jiff::{SignedDuration, Timestamp};

use crate::event::Happened;
use crate::outcome::{Counts, Outcome, Told, Verdict};
use crate::witness::{Passed, Witness};

/// So many incidents are told of one by one; all of them are counted.
const MOST_INCIDENTS: usize = 20_000;
/// Of so many alerts what really happened waits for their incident; many have none. And so many people are named of each.
const MOST_WAITING: usize = 50_000;
const MOST_TOLD: usize = 50;
/// So many different words are kept of what reached nobody.
const MOST_WORDS: usize = 40;
/// Nobody is on call for longer by one change.
const LONGEST_TURN: SignedDuration = SignedDuration::from_hours(24 * 14);
/// The night, by the clock on the wall: from this hour, until that one.
const NIGHT: (i8, i8) = (22, 7);

/// What is counted while a past is played.
#[derive(Default)]
pub struct Tally {
    outcome: Outcome,
    /// Turns that have begun: whose, and when.
    turns: BTreeMap<(ServiceId, Subject, PersonId), Timestamp>,
    /// What caused it was not among the suspects.
    missed: BTreeSet<IncidentId>,
    /// How it really went, by the key of an alert.
    happened: BTreeMap<String, Happened>,
    /// How many turns and pages each person had: only how they are spread is told.
    load: BTreeMap<PersonId, (u64, u64)>,
    last: Option<Timestamp>,
}

impl Tally {
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        let turns: Vec<u64> = self.load.values().map(|(turns, _)| *turns).filter(|n| *n > 0).collect();
        let pages: Vec<u64> = self.load.values().map(|(_, pages)| *pages).filter(|n| *n > 0).collect();
        self.outcome.people_on_call = turns.len();
        self.outcome.people_paged = pages.len();
        self.outcome.most_pages_of_one = pages.into_iter().max().unwrap_or(0);
        self.outcome.until = self.last;
        self.outcome.incidents.sort_by(|a, b| (a.detected_at, &a.id).cmp(&(b.detected_at, &b.id)));
        self.outcome
    }

    fn counts(&mut self, service: &ServiceId) -> &mut Counts {
        self.outcome.services.entry(service.clone()).or_default()
    }

    fn message(&mut self, message: &Message, settings: &Settings, now: Timestamp) {
        let service = &message.key.service;
        match message.kind {
            Kind::Update => {}
            Kind::Notice => {
                self.counts(service).notices += 1;
                self.turn(message, now);
            }
            // Where another page to the same person says it, it is one page. A drill is none.
            Kind::Page if message.unless.is_some() || message.key.step == Step::Drill => {}
            Kind::Page => self.page(message, settings, now),
        }
    }

    fn turn(&mut self, message: &Message, now: Timestamp) {
        let key = (message.key.service.clone(), message.key.subject.clone(), message.key.person.clone());
        if message.key.step == Step::Started {
            self.counts(&key.0).turns += 1;
            self.load.entry(key.2.clone()).or_default().0 += 1;
            self.turns.insert(key, now);
        } else if matches!(message.key.step, Step::Ended | Step::StandbyAgain | Step::TakenOver) {
            self.turn_over(&key, now);
        }
    }

    fn turn_over(&mut self, key: &(ServiceId, Subject, PersonId), now: Timestamp) {
        if let Some(began) = self.turns.remove(key) {
            let lasted = now.duration_since(began).min(LONGEST_TURN);
            self.counts(&key.0).turn_minutes += u64::try_from(lasted.as_mins()).unwrap_or(0);
        }
    }

    fn page(&mut self, message: &Message, settings: &Settings, now: Timestamp) {
        let person = settings.roster.person(&message.key.person);
        let outside = person.is_some_and(|person| !person.timetable.kind_at(now).is_working());
        let hour = person.map(|person| person.zone.to_datetime(now).hour());
        let night = hour.is_some_and(|hour| hour >= NIGHT.0 || hour < NIGHT.1);
        let rotation = matches!(message.key.step, Step::Rotation | Step::Owner);
        let counts = self.counts(&message.key.service);
        counts.pages += 1;
        counts.pages_outside_hours += u64::from(outside);
        counts.pages_at_night += u64::from(night);
        counts.rotation_pages += u64::from(rotation);
        self.load.entry(message.key.person.clone()).or_default().1 += 1;
        if let Some(hour) = hour.and_then(|hour| usize::try_from(hour).ok()) {
            self.outcome.pages_by_hour[hour] += 1;
        }
        let month = now.strftime("%Y-%m").to_string();
        let of_month = self.outcome.months.entry(month).or_default();
        of_month.pages += 1;
        of_month.pages_at_night += u64::from(night);
        of_month.pages_outside_hours += u64::from(outside);
        of_month.rotation_pages += u64::from(rotation);
    }

    fn entry(&mut self, service: &ServiceId, entry: &Entry) {
        let reason = &entry.reason;
        let live = matches!(
            reason,
            Reason::LiveDeploymentSucceeded { .. } | Reason::LiveDeploymentFailed { .. } | Reason::RolledBack { .. }
        );
        if !live && !matches!(reason, Reason::Unattended) {
            return;
        }
        let succeeded = matches!(reason, Reason::LiveDeploymentSucceeded { .. });
        if succeeded {
            self.outcome.months.entry(entry.at.strftime("%Y-%m").to_string()).or_default().deployments += 1;
        }
        let counts = self.counts(service);
        counts.deployments += u64::from(succeeded);
        counts.deployments_failed += u64::from(matches!(reason, Reason::LiveDeploymentFailed { .. }));
        counts.rollbacks += u64::from(matches!(reason, Reason::RolledBack { .. }));
        counts.unattended += u64::from(matches!(reason, Reason::Unattended));
    }

    /// An incident is over, or nothing comes after it: it is counted once.
    fn incident(&mut self, incident: &Incident) {
        let verdict = self.verdict(incident);
        let really = incident.alerts.keys().find_map(|key| self.happened.remove(key));
        let told = Told::of(incident, verdict, really);
        let counts = self.counts(&incident.service);
        counts.incidents += 1;
        counts.incidents_paged += u64::from(!told.paged.is_empty());
        counts.incidents_acknowledged += u64::from(told.acknowledged_at.is_some());
        counts.rotation_spared += u64::from(!told.paged.is_empty() && told.rotation_at.is_none());
        counts.suspects_shown += u64::from(!incident.suspects.is_empty());
        counts.wrong_pages += u64::try_from(told.wrong_pages).unwrap_or(0);
        match verdict {
            Verdict::Unknown => {}
            Verdict::NoChange => counts.no_change += 1,
            Verdict::Missed => counts.judged += 1,
            Verdict::Place(place) => {
                counts.judged += 1;
                counts.top_1 += u64::from(place == 1);
                counts.top_3 += u64::from(place <= 3);
                counts.top_5 += u64::from(place <= 5);
            }
        }
        counts.culprits_paged += u64::from(told.culprit_paged);
        if let Some(proposal) = &incident.proposed {
            let is_known = incident.culprit().is_some() || verdict == Verdict::Missed;
            let right = incident.culprit().flatten() == Some(&proposal.change);
            counts.proposed += 1;
            counts.proposed_right += u64::from(right);
            counts.proposed_wrong += u64::from(is_known && !right);
            counts.proposed_to_merge += u64::from(proposal.left.is_none());
        }
        let month = incident.detected_at.strftime("%Y-%m").to_string();
        self.outcome.months.entry(month).or_default().incidents += 1;
        if self.outcome.incidents.len() < MOST_INCIDENTS {
            self.outcome.incidents.push(told);
        }
    }

    fn verdict(&mut self, incident: &Incident) -> Verdict {
        if self.missed.remove(&incident.id) {
            return Verdict::Missed;
        }
        match (incident.culprit(), incident.place_of_culprit()) {
            (None, _) => Verdict::Unknown,
            (Some(_), None) => Verdict::NoChange,
            (Some(_), Some(None)) => Verdict::Missed,
            (Some(_), Some(Some(place))) => Verdict::Place(place),
        }
    }
}

impl Witness for Tally {
    fn decided(&mut self, before: &Situation, decisions: &Decisions, settings: &Settings, now: Timestamp) {
        for message in &decisions.messages {
            self.message(message, settings, now);
        }
        for entry in &decisions.entries {
            self.entry(&decisions.service, entry);
        }
        for write in &decisions.writes {
            let Write::Drop { key, .. } = write else { continue };
            if let RecordKey::Incident(id) = key
                && let Some(known) = before.incidents.get(id)
            {
                self.incident(&known.value);
            }
            if let RecordKey::Change(id) = key {
                // Whoever does not want to hear of the end of a turn is on call for no longer.
                let of = |(service, subject, _): &(ServiceId, Subject, PersonId)| {
                    *service == decisions.service && matches!(subject, Subject::Change(about) if about == id)
                };
                let over: Vec<_> = self.turns.keys().filter(|key| of(key)).cloned().collect();
                over.iter().for_each(|key| self.turn_over(key, now));
            }
        }
        self.last = Some(now);
    }

    fn merged(&mut self, service: &ServiceId, entry: &Entry) {
        self.outcome.from.get_or_insert(entry.at);
        self.counts(service).merges += 1;
        self.outcome.months.entry(entry.at.strftime("%Y-%m").to_string()).or_default().merges += 1;
        if matches!(entry.reason, Reason::MergedOffHours { .. }) {
            self.counts(service).merges_off_hours += 1;
        }
        self.last = Some(entry.at);
    }

    fn passed(&mut self, why: Passed, words: &str) {
        let (count, said) = self.outcome.passed.entry(why).or_default();
        *count += 1;
        if said.len() < MOST_WORDS || said.contains_key(words) {
            *said.entry(words.to_owned()).or_default() += 1;
        }
    }

    fn missed(&mut self, incident: &IncidentId) {
        self.missed.insert(incident.clone());
    }

    fn happened(&mut self, what: Happened) {
        self.outcome.really += 1;
        if self.happened.len() >= MOST_WAITING && !self.happened.contains_key(&what.alert) {
            self.outcome.really_left_out += 1;
            return;
        }
        let known = self.happened.entry(what.alert.clone()).or_default();
        known.alert = what.alert;
        for person in what.told {
            if known.told.len() < MOST_TOLD && !known.told.contains(&person) {
                known.told.push(person);
            }
        }
        known.taken_by = known.taken_by.take().or(what.taken_by);
        known.taken_at = known.taken_at.or(what.taken_at);
    }

    fn ended(&mut self, situation: &Situation, now: Timestamp) {
        for known in situation.incidents.values() {
            self.incident(&known.value);
        }
        let open: Vec<_> = self.turns.keys().filter(|(service, ..)| *service == situation.service).cloned().collect();
        open.iter().for_each(|key| self.turn_over(key, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_kept_within_bounds_and_what_is_left_out_is_counted() {
        let mut tally = Tally::default();
        let told: Vec<String> = (0..2 * MOST_TOLD).map(|n| format!("somebody {n}")).collect();
        for n in 0..MOST_WAITING + 10 {
            let told = if n == 0 { told.clone() } else { Vec::new() };
            tally.happened(Happened { alert: format!("list/{n}"), told, ..Happened::default() });
        }
        // Of one that is known more may be told.
        tally.happened(Happened { alert: "list/0".into(), taken_by: Some("anna".into()), ..Happened::default() });
        assert_eq!((tally.happened.len(), tally.happened["list/0"].told.len()), (MOST_WAITING, MOST_TOLD));
        assert_eq!(tally.happened["list/0"].taken_by.as_deref(), Some("anna"));
        let (really, left_out) = (tally.outcome.really, tally.outcome.really_left_out);
        assert_eq!((really, left_out), (u64::try_from(MOST_WAITING).unwrap() + 11, 10));
    }
}
