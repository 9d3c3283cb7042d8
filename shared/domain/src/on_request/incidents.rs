//! What a person does about an incident. Doing it again, or too late, is harmless and says so. Each leaves a line in the
//! log.

use jiff::Timestamp;

use crate::acknowledgement::{self, Acknowledgement};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::{ChangeId, IncidentId, PersonId};
use crate::incident::{Incident, PageRecord};
use crate::message::Subject;
use crate::on_alert::{escalate, judge};
use crate::outcome::{Judge, NotMine, Verdict};
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::shift::{Scope, Shift};
use crate::situation::{Noted, Situation};
use crate::suspect::{Stand, Suspect};
use crate::wording;

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// This person acknowledged it before, and that still counts.
    Before {
        at: Timestamp,
    },
    /// It is over: nothing is left to be done about it, but to judge it.
    Resolved {
        at: Timestamp,
    },
    /// It was said before.
    SaidAlready,
    /// What was named is not among the suspects.
    NoSuchSuspect,
    NoSuchIncident,
    /// Outside contributors are not paged: they keep nobody from being paged, and do not say whose it was.
    Outside,
}

/// Where a person acts: one incident of one service, at one moment.
#[derive(Clone, Copy)]
pub struct Counter<'a> {
    pub id: &'a IncidentId,
    pub person: &'a PersonId,
    pub situation: &'a Situation,
    pub service: &'a Service,
    pub settings: &'a Settings,
    pub now: Timestamp,
}

impl<'a> Counter<'a> {
    fn known(&self) -> Result<&'a Noted<Incident>, Refused> {
        if self.settings.roster.person(self.person).is_some_and(crate::Person::is_outside) {
            return Err(Refused::Outside);
        }
        self.situation.incidents.get(self.id).ok_or(Refused::NoSuchIncident)
    }

    fn open(&self) -> Result<&'a Noted<Incident>, Refused> {
        let known = self.known()?;
        known.value.resolved_at.map_or(Ok(known), |at| Err(Refused::Resolved { at }))
    }

    fn decisions(&self) -> Decisions {
        Decisions::none(&self.service.id, Wake::Now)
    }

    fn suspect<'b>(incident: &'b Incident, change: &ChangeId) -> Result<&'b Suspect, Refused> {
        incident.suspects.iter().find(|s| s.change == *change).ok_or(Refused::NoSuchSuspect)
    }

    /// Is at it: stops the escalation.
    pub fn acknowledge(&self) -> Result<Decisions, Refused> {
        let known = self.open()?;
        let mut incident = known.value.clone();
        if let Some(at) = self.has_lately(&incident) {
            return Err(Refused::Before { at });
        }
        let mut decisions = self.decisions();
        self.takes(&mut decisions, &mut incident);
        decisions.put(Record::Incident(incident), known.rev);
        Ok(decisions)
    }

    /// When they took what it is now about, if that is to last for a while yet.
    fn has_lately(&self, incident: &Incident) -> Option<Timestamp> {
        let policy = &self.service.policy;
        let counts = |a: &&Acknowledgement| {
            let of_round = incident.round_at.is_none_or(|began| a.at >= began);
            let of_now = incident.worsened_at.is_none_or(|worse| a.at >= worse);
            a.is_by(self.person) && of_round && of_now && self.now < a.at + policy.acknowledged_for / 2
        };
        incident.acknowledged.iter().rev().find(counts).map(|a| a.at)
    }

    fn takes(&self, decisions: &mut Decisions, incident: &mut Incident) {
        let acknowledgement = Acknowledgement::of_now(self.person, incident, self.now);
        acknowledgement::acknowledge(decisions, incident, acknowledgement, self.service, self.settings, self.now);
    }

    /// Is at it, and answers from now on for the first suspect too.
    pub fn take(&self) -> Result<Decisions, Refused> {
        let known = self.open()?;
        let mut incident = known.value.clone();
        let mut decisions = self.decisions();
        let taken = self.has_lately(&incident);
        let active = incident.suspects.iter().find(|s| s.stand == Stand::Active);
        if let Some(suspect) = active.filter(|s| s.responder != *self.person).cloned() {
            let scope = Scope::Change(suspect.change.clone());
            let shift = Shift::new(scope, self.person, self.person, self.now, None, self.now);
            let what = format!("{} takes {}", self.settings.roster.name_of(self.person), suspect.label);
            let subject = Some(Subject::Change(suspect.change.clone()));
            let reason = Reason::ShiftMade { by: self.person.clone() };
            decisions.log(self.now, subject, Some(self.person.clone()), what, reason);
            let seen = self.situation.shifts.get(&shift.id).map_or(0, |known| known.rev);
            decisions.put(Record::Shift(shift), seen);
        }
        match taken {
            Some(at) if decisions.is_quiet() => return Err(Refused::Before { at }),
            Some(_) => {}
            None => self.takes(&mut decisions, &mut incident),
        }
        incident.not_mine.retain(|said| said.person != *self.person);
        decisions.put(Record::Incident(incident), known.rev);
        Ok(decisions)
    }

    /// It is not theirs: the next one is asked at once. `instead`: the suspect that they think it is.
    pub fn not_mine(&self, instead: Option<&ChangeId>) -> Result<Decisions, Refused> {
        let known = self.open()?;
        let mut incident = known.value.clone();
        let named = instead.map(|change| Self::suspect(&incident, change)).transpose()?.cloned();
        // Also by the clock of a monitor in which they had taken it, or it would tell us of that again.
        let theirs = || incident.acknowledged.iter().filter(|a| a.is_of(self.person));
        let at = theirs().filter_map(|a| a.there).max().map_or(self.now, |there| there.max(self.now));
        let said = NotMine { person: self.person.clone(), at, instead: instead.cloned() };
        let same = |before: &&NotMine| before.person == said.person && before.instead == said.instead;
        if let Some(before) = incident.not_mine.iter().find(same) {
            let paged = incident.pages.iter().filter(|p| p.person == said.person).map(PageRecord::last_at);
            // Since then they were asked once more, or have taken it after all.
            let since = paged.chain(theirs().map(|a| a.at)).max();
            if since.is_none_or(|since| since <= before.at) {
                return Err(Refused::SaidAlready);
            }
        }
        let mut decisions = self.decisions();
        let but = named.as_ref().map(|suspect| format!(", but {}", suspect.label)).unwrap_or_default();
        let what = format!("not of {}{but}", self.settings.roster.name_of(self.person));
        let subject = Some(Subject::Incident(incident.id.clone()));
        let reason = Reason::NotMine { person: self.person.clone() };
        decisions.log(self.now, subject, Some(self.person.clone()), what, reason);
        incident.not_mine.retain(|before| before.person != *self.person);
        incident.not_mine.push(said);
        // Whoever had taken it has not any more. The others heard that somebody had, and perhaps not that they were paged:
        // each is asked anew, at the time at which they were due.
        let was_taken = incident.last_taken().is_some();
        incident.acknowledged.retain(|a| !a.is_of(self.person));
        if was_taken && incident.last_taken().is_none() {
            incident.begin_round(incident.round_began(), Reason::NotMine { person: self.person.clone() });
        }
        if let Some(suspect) = named {
            let by = Judge::Guess(self.person.clone());
            let verdict = Verdict { change: Some(suspect.change), label: suspect.label, by, at: self.now };
            judge(&mut decisions, &mut incident, verdict, self.now);
        }
        escalate(&mut decisions, &mut incident, self.situation, self.service, self.settings, self.now);
        decisions.put(Record::Incident(incident), known.rev);
        Ok(decisions)
    }

    /// Says which change it really was; `None`: none of ours.
    pub fn judge(&self, change: Option<&ChangeId>) -> Result<Decisions, Refused> {
        let known = self.known()?;
        let mut incident = known.value.clone();
        let label = match change {
            Some(change) => Self::suspect(&incident, change)?.label.clone(),
            None => wording::NO_CHANGE.to_owned(),
        };
        let by = Judge::Person(self.person.clone());
        let verdict = Verdict { change: change.cloned(), label, by, at: self.now };
        let mut decisions = self.decisions();
        judge(&mut decisions, &mut incident, verdict, self.now);
        if incident == known.value {
            return Err(Refused::SaidAlready);
        }
        decisions.put(Record::Incident(incident), known.rev);
        Ok(decisions)
    }
}

#[cfg(test)]
#[path = "incidents_tests.rs"]
mod tests;
