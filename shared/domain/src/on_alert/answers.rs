//! What pagers tell us of our own pages: not alerts, but answers. Somebody took one there, or closed it.

use jiff::Timestamp;

use super::{AlertEvent, MOST_NAME};
use crate::acknowledgement::{self, Acknowledgement, Acknowledger};
use crate::alert::{Alert, AlertState};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::IncidentId;
use crate::message::own_page;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;

/// Under which labels pagers tell by what they know an alert.
const OWN_LABELS: [&str; 3] = ["incident_key", "alias", "dedup_key"];

impl AlertEvent {
    /// Takes out the pages of ours that a pager tells us of: they are answers to us, not alerts.
    #[must_use]
    pub fn without_own_pages(mut self) -> (Self, Vec<(IncidentId, Alert)>) {
        let named = |alert: &Alert| OWN_LABELS.iter().find_map(|label| own_page(alert.labels.get(*label)?));
        let (own, alerts) = self.alerts.into_iter().partition::<Vec<Alert>, _>(|alert| named(alert).is_some());
        self.alerts = alerts;
        (self, own.into_iter().filter_map(|alert| Some((named(&alert)?, alert))).collect())
    }
}

/// A pager tells us what became of a page of ours. Whoever took it there, or closed it, has taken the incident.
#[must_use]
pub fn answered(
    id: &IncidentId,
    answer: &Alert,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> (Decisions, Reason) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let known = situation.incidents.get(id).filter(|known| known.value.is_open());
    let Some(known) = known.filter(|_| answer.state != AlertState::Firing) else {
        return (decisions, Reason::OurOwnPage);
    };
    let mut incident = known.value.clone();
    // Who acknowledges it for the others is us.
    if incident.taken(&service.policy, now).is_some() {
        return (decisions, Reason::AlreadyKnown);
    }
    let person = answer.acknowledged.as_ref().and_then(|there| settings.roster.by_login(there.login.as_ref()?));
    let stranger = || {
        let name = answer.acknowledged.as_ref().map_or("somebody", |there| there.name.as_str());
        Acknowledger::Stranger(text::line(&format!("{name} in {}", answer.source), MOST_NAME))
    };
    let by = person.map_or_else(stranger, |person| Acknowledger::Person(person.id.clone()));
    let acknowledgement = Acknowledgement { by, at: now };
    let reason = acknowledgement.reason();
    acknowledgement::acknowledge(&mut decisions, &mut incident, acknowledgement, service, settings, now);
    decisions.put(Record::Incident(incident), known.rev);
    (decisions, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, alert, at};

    #[test]
    fn our_own_pages_are_known_by_their_key_whatever_stands_for_the_slash() {
        let id = |key: &str| own_page(key).map(|id| id.to_string()).unwrap_or_default();
        assert_eq!(id("deployers/edxapp-k3v7q2ma/anna/0"), "edxapp-k3v7q2ma");
        assert_eq!(id("deployers.edx.app-k3v7q2ma.anna.b.0"), "edx.app-k3v7q2ma");
        for other in
            ["", "deployers", "deployers/", "deployers/edxapp", "other/edxapp-k3v7q2ma/anna", "deployers/a-b/c/d"]
        {
            assert_eq!(id(other), "", "{other}");
        }
    }

    #[test]
    fn a_page_of_ours_that_comes_back_is_no_alert_and_taking_it_there_takes_the_incident() {
        let mut world = World::new();
        world.until(at("15:50"));
        world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
        let id = world.situation.incidents.keys().next().unwrap().clone();
        let key = format!("deployers/{}", world.told[0].pager_key.as_ref().unwrap());
        let told = |state| Alert {
            source: "pagerduty".into(),
            state,
            labels: [("incident_key".to_owned(), key.clone())].into(),
            ..alert("Q1", at("15:51"), None)
        };
        let both = vec![told(AlertState::Firing), alert("Other", at("15:51"), None)];
        let event = AlertEvent { alerts: both, left_out: 0, brief: false };
        let (event, own) = event.without_own_pages();
        assert_eq!((event.alerts.len(), own.len()), (1, 1));
        assert_eq!(own[0].0, id);
        for (state, want) in [
            (AlertState::Firing, "our_own_page"),
            (AlertState::Acknowledged, "acknowledged_there"),
            (AlertState::Resolved, "already_known"),
        ] {
            let (situation, service) = (&world.situation, &world.service);
            let (decisions, reason) = answered(&id, &told(state), situation, service, &world.settings, at("15:52"));
            assert_eq!(reason.name(), want);
            world.commit(&decisions);
        }
        let gone = "edxapp-aaaaaaaa".parse().unwrap();
        let told = told(AlertState::Resolved);
        let (_, reason) = answered(&gone, &told, &world.situation, &world.service, &world.settings, at("15:52"));
        assert_eq!(reason, Reason::OurOwnPage);
    }
}
