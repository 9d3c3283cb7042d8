//! The whole configuration, already checked: services, people, and where alerts without a service go.
//!
//! Reading it from a file is `aws::settings`; nothing here can be malformed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::alert::Alert;
use crate::calendar::{Calendar, Occasion, OccasionKind, Span};
use crate::code_owners::CodeOwners;
use crate::expedite::Lane;
use crate::freeze::{Freeze, Strength, Time};
use crate::ids::{EnvironmentName, PersonId, Repository, ServiceId, SquadId};
use crate::roster::Roster;
use crate::service::Service;
use crate::squad::{Ownership, Squad};
use crate::undo::Opens;

/// The label names by which monitors commonly say which service an alert is about.
pub const SERVICE_LABELS: [&str; 9] = [
    "service",
    "app",
    "application",
    "service_name",
    "app_kubernetes_io_name",
    "code_owner",
    "project",
    "namespace",
    "job",
];
/// The label names by which monitors commonly say which environment an alert is about.
pub const ENVIRONMENT_LABELS: [&str; 4] = ["environment", "env", "stage", "deployment_environment"];

/// The names of the labels by which alerts are placed, the most telling first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    pub service: Vec<String>,
    pub environment: Vec<String>,
}

impl Default for Labels {
    fn default() -> Self {
        let owned = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
        Self { service: owned(&SERVICE_LABELS), environment: owned(&ENVIRONMENT_LABELS) }
    }
}

#[derive(Debug, Clone)]
pub struct Settings {
    services: BTreeMap<ServiceId, Service>,
    pub roster: Roster,
    /// The service that takes alerts we cannot place: it has a rotation and no repositories.
    unmapped: Service,
    /// By which of their labels alerts are placed.
    pub labels: Labels,
    pub squads: BTreeMap<SquadId, Squad>,
    pub ownership: Ownership,
    /// Those of the configuration.
    pub freezes: Vec<Freeze>,
    /// Who may ask to let a fix pass one, and who signs for it.
    pub lane: Lane,
    /// The names of `[pipelines.<name>]`.
    pub pipelines: BTreeSet<String>,
    /// Whether jobs that wait for us can be answered.
    pub answers_jobs: bool,
    /// Of which repositories revert pull requests are opened by one click, and of what in them.
    pub reverts: BTreeMap<Repository, Opens>,
    /// Where freezes are kept and told of, as if it were a service: it has no repositories, and nothing of it breaks.
    freeze_desk: Service,
    /// Where it is kept what stands at the pull requests of each repository, as if each were a service.
    merge_desks: BTreeMap<ServiceId, (Service, Repository)>,
    /// At whose merged pull requests a comment stands.
    commented: BTreeSet<Repository>,
    /// Where people reach the board, without a trailing slash; links in messages start with it.
    pub public_url: String,
}

impl Settings {
    #[must_use]
    pub fn new(
        services: impl IntoIterator<Item = Service>,
        roster: Roster,
        unmapped: Service,
        public_url: String,
    ) -> Self {
        let services: BTreeMap<ServiceId, Service> = services.into_iter().map(|s| (s.id.clone(), s)).collect();
        let (squads, ownership) = (BTreeMap::new(), Ownership::default());
        let (labels, freezes) = (Labels::default(), Vec::new());
        let freeze_desk =
            Service { id: ServiceId::freezes(), rotation: Vec::new(), owners: Vec::new(), ..unmapped.clone() };
        let desk_of = |repository: &Repository| {
            let id = ServiceId::merges_into(repository);
            (id.clone(), (Service { id, ..freeze_desk.clone() }, repository.clone()))
        };
        let merge_desks = services.values().flat_map(Service::merged).map(desk_of).collect();
        Self {
            services,
            roster,
            unmapped,
            labels,
            squads,
            ownership,
            freezes,
            lane: Lane::default(),
            pipelines: BTreeSet::new(),
            answers_jobs: false,
            reverts: BTreeMap::new(),
            freeze_desk,
            merge_desks,
            commented: BTreeSet::new(),
            public_url,
        }
    }

    /// With other labels by which alerts are placed.
    #[must_use]
    pub fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// With freezes. Where one asks to wait with merges, who merges all the same is asked as at any other time that is set apart.
    #[must_use]
    pub fn with_freezes(mut self, freezes: Vec<Freeze>) -> Self {
        for freeze in freezes.iter().filter(|freeze| freeze.stops.merges.is_some()) {
            let occasion = |time: &Time| {
                let span = Span::Times { from: time.from, until: time.until };
                Occasion { name: time.name.clone(), kind: OccasionKind::Event, span }
            };
            let calendar = Arc::new(Calendar::new(freeze.times.iter().map(occasion)));
            for service in self.services.values_mut().filter(|service| freeze.scope.includes(service)) {
                service.timetable.calendars.push(Arc::clone(&calendar));
            }
        }
        for freeze in freezes.iter().filter(|freeze| freeze.stops.deployments == Some(Strength::Require)) {
            let mut times = freeze.times.clone();
            times.sort();
            let times = Arc::new(times);
            for service in self.services.values_mut().filter(|service| freeze.scope.holds(service)) {
                service.frozen.push(Arc::clone(&times));
            }
        }
        Self { freezes, ..self }
    }

    /// With the pipelines that can be asked, and whether jobs that wait can be answered.
    #[must_use]
    pub fn with_pipelines(self, pipelines: BTreeSet<String>, answers_jobs: bool) -> Self {
        Self { pipelines, answers_jobs, ..self }
    }

    /// With the repositories of which a source says that revert pull requests are opened.
    #[must_use]
    pub fn with_reverts(mut self, opens: impl Fn(&Repository) -> Option<Opens>) -> Self {
        let all = self.services.values().flat_map(Service::merged);
        self.reverts = all.filter_map(|repository| Some((repository.clone(), opens(repository)?))).collect();
        self
    }

    /// With desks for those repositories alone for which this holds.
    #[must_use]
    pub fn with_merge_desks(mut self, wanted: impl Fn(&Repository) -> bool) -> Self {
        self.merge_desks.retain(|_, (_, repository)| wanted(repository));
        self
    }

    /// With a comment at the merged pull requests of those of these repositories for which this holds.
    #[must_use]
    pub fn with_comments(mut self, wanted: impl Fn(&Repository) -> bool) -> Self {
        let all = self.merge_desks.values().map(|(_, repository)| repository);
        self.commented = all.filter(|repository| wanted(repository)).cloned().collect();
        self
    }

    /// Whether a comment stands at the merged pull requests of a repository.
    #[must_use]
    pub fn comments_at(&self, repository: &Repository) -> bool {
        self.commented.contains(repository)
    }

    /// With who may ask to let a fix pass a freeze, and who signs for it.
    #[must_use]
    pub fn with_lane(self, lane: Lane) -> Self {
        Self { lane, ..self }
    }

    /// With the squads, and the CODEOWNERS files by which changes are theirs.
    #[must_use]
    pub fn with_squads(
        mut self,
        squads: impl IntoIterator<Item = Squad>,
        code_owners: BTreeMap<Repository, CodeOwners>,
    ) -> Self {
        self.squads = squads.into_iter().map(|s| (s.id.clone(), s)).collect();
        self.ownership = Ownership::new(code_owners, self.squads.values());
        self
    }

    /// As it is where nobody outside can be asked or told, though it is known what a forge would open. `change` is made to each service.
    #[must_use]
    pub fn alone(mut self, mut change: impl FnMut(&mut Service)) -> Self {
        for service in self.services.values_mut().chain([&mut self.unmapped]) {
            (service.schedule, service.beside, service.channel_topic, service.user_group) = (None, None, None, None);
            (service.digest, service.holds) = (None, Vec::new());
            change(service);
        }
        self.merge_desks.clear();
        self.commented.clear();
        Self { answers_jobs: false, ..self }
    }

    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        let apart = || [&self.unmapped, &self.freeze_desk].into_iter().find(|service| service.id == *id);
        self.services.get(id).or_else(apart).or_else(|| self.merge_desks.get(id).map(|(desk, _)| desk))
    }

    /// Where freezes are kept and told of.
    #[must_use]
    pub fn freeze_desk(&self) -> &Service {
        &self.freeze_desk
    }

    /// The desks of repositories, each with its own.
    pub fn merge_desks(&self) -> impl Iterator<Item = (&Service, &Repository)> {
        self.merge_desks.values().map(|(desk, repository)| (desk, repository))
    }

    /// The repository whose desk this is.
    #[must_use]
    pub fn merges_at(&self, id: &ServiceId) -> Option<&Repository> {
        self.merge_desks.get(id).map(|(_, repository)| repository)
    }

    /// Whether this is kept as if it were a service, and is none that people could take.
    #[must_use]
    pub fn is_desk(&self, id: &ServiceId) -> bool {
        self.freeze_desk.id == *id || self.merge_desks.contains_key(id)
    }

    /// The bucket of the alerts that are of no service.
    #[must_use]
    pub fn unmapped(&self) -> &ServiceId {
        &self.unmapped.id
    }

    /// Every service, the bucket of unmapped alerts last.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values().chain(std::iter::once(&self.unmapped))
    }

    /// The other services into which changes of this one's repositories go live.
    pub fn sharing<'a>(&'a self, service: &Service) -> impl Iterator<Item = &'a Service> {
        let own = service.repositories.iter().map(|r| &r.repository);
        let all: Vec<Repository> = own.chain(service.upstreams.iter().map(|u| &u.repository)).cloned().collect();
        let id = service.id.clone();
        self.services.values().filter(move |other| other.id != id && all.iter().any(|r| other.concerns(r)))
    }

    /// Whether this is the channel of a service, not a person: it is told, and cannot act.
    #[must_use]
    pub fn is_channel(&self, person: &PersonId) -> bool {
        self.services.values().any(|service| service.channel.as_ref() == Some(person))
    }

    pub fn services_of<'a>(&'a self, repository: &'a Repository) -> impl Iterator<Item = &'a Service> {
        self.services.values().filter(move |s| s.concerns(repository))
    }

    /// The service and environment an alert is about. Never nothing: what cannot be placed goes to the bucket.
    ///
    /// A service's own matchers decide first; then a common label that names a service. An alert that names
    /// no environment is taken to be about the live one, because a wrong page is better than silence. In the bucket,
    /// what an alert is about stands for the environment.
    #[must_use]
    pub fn place<'a>(&'a self, alert: &Alert) -> (&'a Service, EnvironmentName) {
        let matched = self.services.values().find(|s| s.alerts.iter().any(|m| m.matches(alert)));
        let named = || {
            self.labels
                .service
                .iter()
                .filter_map(|label| alert.labels.get(label))
                .find_map(|value| self.services.values().find(|s| s.id.as_str().eq_ignore_ascii_case(value)))
        };
        let Some(service) = matched.or_else(named) else {
            return self.unplaced(alert);
        };
        let environment = self
            .labels
            .environment
            .iter()
            .filter_map(|label| alert.labels.get(label))
            .find_map(|value| service.environment_called(value))
            .or_else(|| service.live_environment())
            .or_else(|| service.environments.first());
        let fallback = || self.unmapped.environments.first();
        let name = environment.or_else(fallback).map(|e| e.name.clone());
        (service, name.unwrap_or_else(EnvironmentName::live))
    }
}

impl Settings {
    /// The bucket of alerts that are about no service. What this one is about stands for the environment: what a
    /// common label calls it, else its own name. So unrelated alerts are incidents of their own, and none hides another.
    #[must_use]
    pub fn unplaced(&self, alert: &Alert) -> (&Service, EnvironmentName) {
        let labels = self.labels.service.iter().filter_map(|label| alert.labels.get(label));
        let named = labels.filter(|value| !value.trim().is_empty()).map(String::as_str).next();
        (&self.unmapped, EnvironmentName::about(named.unwrap_or(&alert.name)))
    }
}
#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
