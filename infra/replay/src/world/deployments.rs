//! Deployments, as `on-deploy` takes them.

use std::sync::Arc;

use aws::keys;
use aws::settings::SenderConfig;
use domain::on_deploy::{self, Place};
use domain::{DeployEvent, DeploymentEvent, Reason, Repository, Revision, StandsFor, on_alert};

use super::World;
use crate::witness::{Passed, Witness};

/// A reference may stand for another one, as in `on-deploy`.
const MOST_STEPS: usize = 4;

impl<W: Witness> World<'_, W> {
    pub(super) fn deployed(&mut self, source: &str, events: Vec<DeployEvent>) {
        self.kept.sweep(self.now);
        for event in events {
            match event {
                DeployEvent::Moved(event) => self.moved(*event),
                DeployEvent::StandsFor(told) => self.learn(told, self.source(source)),
                DeployEvent::Waits(_) => self.witness.passed(Passed::NobodyToAsk, "a job waits for an answer"),
            }
        }
    }

    /// What something stands for is told; what was deployed before that was known is kept anew.
    fn learn(&mut self, told: StandsFor, source: Option<&SenderConfig>) {
        if let Some(source) = source.filter(|source| source.is_bound() && told.reference.is_image()) {
            let known = self.kept.references.told(&told.reference);
            if !self.may_tell(source, &told) || known.is_some_and(|known| known.repository != told.repository) {
                return self.witness.passed(Passed::OutOfScope, "what an image was built from");
            }
        }
        let reference = told.reference.clone();
        let awaiting = self.kept.references.tell(&reference, told, self.now + keys::KEEP_REFERENCE);
        for report in awaiting {
            self.moved(report);
        }
        self.kept.references.settled(&reference);
    }

    fn may_tell(&self, source: &SenderConfig, told: &StandsFor) -> bool {
        let theirs = |repository: &Repository| {
            let mut services = self.settings.services().filter(|service| source.speaks_for(&service.id));
            source.speaks_for_repository(repository) && services.any(|service| service.deploys(repository))
        };
        told.repository.as_ref().is_some_and(theirs)
    }

    fn moved(&mut self, mut event: DeploymentEvent) {
        let now = self.now;
        event.at.get_or_insert(now);
        let event = self.resolve(event);
        let source = self.source(&event.source);
        let may = |place: &Place<'_>| {
            source.is_none_or(|source| {
                source.speaks_for(place.service) && source.speaks_for_repository(&place.repository)
            })
        };
        match on_deploy::places(&event, &self.settings) {
            Ok(places) if places.iter().any(may) => {}
            Ok(_) => return self.witness.passed(Passed::OutOfScope, "a deployment"),
            Err(reason) => {
                let served = !matches!(reason, Reason::RepositoryNotServed);
                let why = if served { Passed::Unplaced } else { Passed::NotServed };
                return self.witness.passed(why, &reason.to_string());
            }
        }
        let event = self.await_meaning(event);
        let settings = Arc::clone(&self.settings);
        let places = on_deploy::places(&event, &settings).unwrap_or_default();
        for place in places.iter().filter(|place| may(place)) {
            let Some(service) = settings.service(place.service) else { continue };
            self.decide(&service.id, |situation, _| on_deploy::decide(&event, situation, service, place, now));
            if let Some(alert) = on_deploy::alarm(&event, place, service, now) {
                let at = domain::alert::Place { service: service.id.clone(), environment: place.environment.clone() };
                let alerts = [alert];
                self.decide(&service.id, |situation, _| {
                    on_alert::decide(&alerts, &at, situation, service, &settings, &[], now)
                });
            }
            self.nudge(&service.id);
        }
    }

    /// The event with its commit, as far as that is known.
    fn resolve(&self, mut event: DeploymentEvent) -> DeploymentEvent {
        for _ in 0..MOST_STEPS {
            let Revision::Named(reference) = &event.revision else { return event };
            match self.kept.references.told(reference) {
                Some(told) => event = self.meaning(event, told),
                None => match reference.spelled_commit() {
                    Some(commit) => event.revision = Revision::Commit(commit),
                    None => return event,
                },
            }
        }
        event
    }

    fn await_meaning(&mut self, event: DeploymentEvent) -> DeploymentEvent {
        let Revision::Named(reference) = &event.revision else { return event };
        let expires = self.now + keys::KEEP_REFERENCE;
        match self.kept.references.told_or_await(reference, &event, expires) {
            Some(told) => {
                let event = self.meaning(event, told);
                self.resolve(event)
            }
            None => {
                self.witness.passed(Passed::Awaits, "a deployment of something of which nobody has told the commit");
                event
            }
        }
    }

    fn meaning(&self, event: DeploymentEvent, told: StandsFor) -> DeploymentEvent {
        let deployed = |repository: &Repository| self.settings.services().any(|s| s.deploys(repository));
        let repository = told.repository.or(event.repository.filter(deployed));
        DeploymentEvent { repository, revision: told.revision, ..event }
    }
}
