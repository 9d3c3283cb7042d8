//! Alerts, as `on-alert` takes them: where they belong, what the same change broke elsewhere, what pagers answer.

use std::collections::BTreeMap;

use aws::keys;
use domain::alert::Place;
use domain::message::OwnPage;
use domain::on_alert::elsewhere::Together;
use domain::on_alert::{self, AlertEvent, Elsewhere};
use domain::{Alert, AlertState, Incident, PersonId, Reason, ServiceId};

use super::World;
use crate::witness::{Passed, Witness};

type Places = BTreeMap<Place, Vec<Alert>>;

impl<W: Witness> World<'_, W> {
    pub(super) fn alerted(&mut self, name: &str, event: AlertEvent) {
        self.kept.sweep(self.now);
        let source = self.source(name);
        let may = |service: &ServiceId| source.is_none_or(|source| source.speaks_for(service));
        let kind = source.map_or(name, |source| source.kind.as_str());
        let event = if on_alert_pagers(kind) { self.answers(event, &may) } else { event };
        let places = self.places(event, &may);
        let broken = self.elsewhere(&places);
        let now = self.now;
        for (place, alerts) in places {
            let elsewhere = broken.get(&place.service).map_or(&[][..], Vec::as_slice);
            let bucket = self.settings.service(&place.service).is_none_or(|service| service.repositories.is_empty());
            if bucket {
                self.witness.passed(Passed::Unplaced, "an alert of no service of the configuration");
            }
            self.decide(&place.service, |situation, settings| match settings.service(&place.service) {
                Some(service) => on_alert::decide(&alerts, &place, situation, service, settings, elsewhere, now),
                None => (domain::Decisions::none(&place.service, domain::decision::Wake::Now), Reason::AlertNotPlaced),
            });
            self.nudge(&place.service);
        }
    }

    /// The alerts by the service and environment they are about; what says too little awaits what says more.
    fn places(&mut self, event: AlertEvent, may: &dyn Fn(&ServiceId) -> bool) -> Places {
        if !event.brief {
            return event.by_place(&self.settings, may);
        }
        let mut places = Places::new();
        for alert in event.alerts {
            if let Some((place, alerts)) = self.remembered(alert, may) {
                places.entry(place).or_default().extend(alerts);
            }
        }
        places
    }

    fn remembered(&mut self, alert: Alert, may: &dyn Fn(&ServiceId) -> bool) -> Option<(Place, Vec<Alert>)> {
        let (key, expires) = (alert.key(), self.now + keys::KEEP_PLACEMENT);
        let settings = &self.settings;
        let good = |place: &Place| settings.service(&place.service).is_some() && may(&place.service);
        if alert.state != AlertState::Firing {
            let place = self.kept.placements.told_or_await(&key, &alert, expires);
            return place.filter(good).map(|place| (place, vec![alert]));
        }
        let remembered = self.kept.placements.told(&key).filter(good);
        let place = AlertEvent::place(&alert, settings, may);
        let bucket = |place: &Place| settings.service(&place.service).is_none_or(|s| s.repositories.is_empty());
        if let Some(remembered) = remembered.filter(|remembered| !bucket(remembered) || bucket(&place)) {
            return Some((remembered, vec![alert]));
        }
        let mut alerts = vec![alert];
        alerts.extend(self.kept.placements.tell(&key, place.clone(), expires));
        Some((place, alerts))
    }

    fn elsewhere(&self, places: &Places) -> BTreeMap<ServiceId, Vec<Elsewhere>> {
        let settings = &self.settings;
        let mut together = Together::default();
        for (place, alerts) in places {
            let shares = |service: &&domain::Service| settings.sharing(service).next().is_some();
            let Some(service) = settings.service(&place.service).filter(shares) else { continue };
            let empty;
            let situation = match self.situation(&place.service) {
                Some(situation) => situation,
                None => {
                    empty = domain::Situation::empty(place.service.clone());
                    &empty
                }
            };
            together.look(alerts, place, situation, service, settings, self.now);
        }
        let services = together.services().filter_map(|id| settings.service(id));
        services.map(|s| (s.id.clone(), together.beside(s, settings, |id| self.situation(id)))).collect()
    }

    /// What a pager tells of our own pages: answers, that count for what the page named too.
    fn answers(&mut self, event: AlertEvent, may: &dyn Fn(&ServiceId) -> bool) -> AlertEvent {
        let (event, answers) = event.without_own_pages();
        for (page, answer) in answers {
            let service = page.incident.service().filter(|id| self.settings.service(id).is_some() && may(id));
            let Some(service) = service else { continue };
            let reason = self.answer_of(&service, &page, &answer);
            let took = matches!(
                reason,
                Reason::AcknowledgedBy { .. } | Reason::AcknowledgedThere { .. } | Reason::AlreadyKnown
            );
            if answer.released_at.is_some() || took {
                self.named_together(&service, &page, &answer);
            }
        }
        event
    }

    fn answer_of(&mut self, service: &ServiceId, page: &OwnPage, answer: &Alert) -> Reason {
        let now = self.now;
        let (_, reason) = self.decide(service, |situation, settings| match settings.service(service) {
            Some(service) => on_alert::answered(page, answer, situation, service, settings, now),
            None => (domain::Decisions::none(service, domain::decision::Wake::Now), Reason::OurOwnPage),
        });
        self.nudge(service);
        reason
    }

    /// The incidents of other services that the same page named.
    fn named_together(&mut self, own: &ServiceId, page: &OwnPage, answer: &Alert) {
        let Ok(person) = page.person.parse::<PersonId>() else { return };
        let Some(service) = self.settings.service(own) else { return };
        let known = self.situation(own).and_then(|situation| situation.incidents.get(&page.incident));
        let Some(known) = known else { return };
        let named = |incident: &&Incident| match answer.released_at {
            Some(_) => known.value.was_named_with(incident, &person),
            None => known.value.is_taken_by(&person) && known.value.is_named_with(incident, &person),
        };
        let mut too = Vec::new();
        for other in self.settings.sharing(service) {
            let there = self.situation(&other.id).into_iter().flat_map(|situation| situation.incidents.values());
            let open = there.map(|known| &known.value).filter(|incident| incident.is_open());
            too.extend(open.filter(named).map(|incident| {
                let page =
                    OwnPage { incident: incident.id.clone(), round: incident.round, person: page.person.clone() };
                (other.id.clone(), page)
            }));
        }
        for (other, page) in too {
            self.answer_of(&other, &page, answer);
        }
    }
}

/// Whether this kind of source tells us of our own pages too.
fn on_alert_pagers(kind: &str) -> bool {
    ::on_alert::senders::PAGERS.contains(&kind)
}
