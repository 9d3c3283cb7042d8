//! What people did, as `on-request` takes it: by a link of theirs, wherever they pressed it; and what is known of the truth.

use std::collections::BTreeMap;

use aws::links::{Action, Grant};
use domain::on_request::incidents::{Counter, Refused};
use domain::{ChangeId, Decisions, IncidentId, PersonId, Service, ServiceId, Settings, Situation};
use on_request::intent::{self, Said};

use super::World;
use crate::witness::{Passed, Witness};

impl<W: Witness> World<'_, W> {
    pub(super) fn acted(&mut self, action: Action, by: PersonId, form: &BTreeMap<String, String>) {
        let known = self.settings.roster.person(&by).is_some() && !self.settings.is_channel(&by);
        if !known {
            return self.witness.passed(Passed::Refused, "somebody who is not in the roster acts");
        }
        let (now, grant) = (self.now, Grant { action, person: by, expires: self.now });
        match (&grant.action, intent::place(&grant.action, &self.settings)) {
            (Action::Acknowledge(id) | Action::Judge(id), _) => match Said::read(&grant, form) {
                Ok(said) => self.said(id, &grant.person, &said),
                Err(_) => self.witness.passed(Passed::Refused, "what somebody did is not understood"),
            },
            (_, Some(place)) => self.act_on(&place, |situation, service, settings| {
                intent::decide(&grant, form, situation, service, settings, now)
            }),
            // A revert is opened at a forge.
            (_, None) => self.witness.passed(Passed::NobodyToAsk, "somebody asks for a revert pull request"),
        }
    }

    /// Load, decide, commit; a refusal writes nothing.
    pub(super) fn act_on(
        &mut self,
        place: &ServiceId,
        act: impl FnOnce(&Situation, &Service, &Settings) -> Option<Decisions>,
    ) {
        if self.settings.service(place).is_none() {
            return self.witness.passed(Passed::Unplaced, "somebody acts in a service that is not there");
        }
        let (_, done) = self.decide(place, |situation, settings| {
            let decided = settings.service(place).and_then(|service| act(situation, service, settings));
            let done = decided.is_some();
            (decided.unwrap_or_else(|| Decisions::none(place, domain::decision::Wake::Now)), done)
        });
        if !done {
            self.witness.passed(Passed::Refused, "what somebody did was refused, or is not understood");
        }
        self.nudge(place);
    }

    fn said(&mut self, id: &IncidentId, person: &PersonId, said: &Said) {
        let Some(place) = id.service().filter(|place| self.settings.service(place).is_some()) else {
            return self.witness.passed(Passed::Unplaced, "somebody acts on an incident of no service");
        };
        let refused = self.counter(&place, id, person, |counter| said.decide(counter));
        if !said.counts_elsewhere(refused.as_ref()) {
            return;
        }
        let Some(own) = self.settings.service(&place) else { return };
        let here = self.situation(&place).and_then(|situation| situation.incidents.get(id));
        let Some(here) = here else { return };
        let mut too = Vec::new();
        for other in self.settings.sharing(own) {
            let there = self.situation(&other.id).into_iter().flat_map(|situation| situation.incidents.values());
            let named = there.map(|known| &known.value);
            let named = named.filter(|incident| incident.is_open() && here.value.is_named_with(incident, person));
            too.extend(named.map(|incident| (other.id.clone(), incident.id.clone())));
        }
        for (other, id) in too {
            // Where it was said before, or is over, there is nothing to say.
            self.counter(&other, &id, person, |counter| said.decide(counter));
        }
    }

    /// What somebody says at one incident; why not, if it is refused.
    fn counter(
        &mut self,
        place: &ServiceId,
        id: &IncidentId,
        person: &PersonId,
        say: impl FnOnce(&Counter<'_>) -> Result<Decisions, Refused>,
    ) -> Option<Refused> {
        let now = self.now;
        let (_, refused) = self.decide(place, |situation, settings| {
            let nothing = || Decisions::none(place, domain::decision::Wake::Now);
            let Some(service) = settings.service(place) else { return (nothing(), Some(Refused::NoSuchIncident)) };
            match say(&Counter { id, person, situation, service, settings, now }) {
                Ok(decisions) => (decisions, None),
                Err(refused) => (nothing(), Some(refused)),
            }
        });
        self.nudge(place);
        refused
    }

    /// It is known which change it was: an owner of the service judges so.
    pub(super) fn judged(&mut self, alert: &str, culprit: Option<ChangeId>) {
        let about = |situation: &Situation| {
            let theirs = situation.incidents.values().map(|known| &known.value);
            let newest = theirs.filter(|incident| incident.alerts.contains_key(alert));
            let id = newest.max_by_key(|incident| incident.detected_at)?.id.clone();
            Some((situation.service.clone(), id))
        };
        let found = self.situations.values().find_map(about);
        let judge = found.as_ref().and_then(|(place, _)| self.settings.service(place)?.last_resort().cloned());
        let (Some((place, id)), Some(judge)) = (found, judge) else {
            return self.witness.passed(Passed::Unplaced, "what caused an incident that is not known");
        };
        let incident = self.situation(&place).and_then(|situation| situation.incidents.get(&id));
        let suspects = incident.into_iter().flat_map(|known| known.value.suspects.iter().map(|s| &s.change));
        // Whoever writes a list of culprits writes the beginning of a commit.
        let same = |culprit: &ChangeId, known: &ChangeId| {
            known.repository == culprit.repository && known.commit.same(&culprit.commit)
        };
        let culprit = culprit.map(|culprit| suspects.clone().find(|s| same(&culprit, s)).cloned().unwrap_or(culprit));
        let named = self.counter(&place, &id, &judge, |counter| counter.judge(culprit.as_ref()));
        if culprit.is_some() && matches!(named, Some(Refused::NoSuchSuspect)) {
            // It is none of those that are shown.
            self.counter(&place, &id, &judge, |counter| counter.judge(None));
            self.witness.missed(&id);
        }
    }
}
