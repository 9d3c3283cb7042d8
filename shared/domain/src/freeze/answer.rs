//! Whether something may go on: what of all freezes holds for it at a moment, until when, and what comes next.

use jiff::Timestamp;

use super::{Freezes, Occurrence, Side, Strength};
use crate::ids::{EnvironmentName, Repository, ServiceId};
use crate::service::Service;
use crate::settings::Settings;

/// What is asked about.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub side: Side,
    pub services: Vec<&'a ServiceId>,
    pub repositories: Vec<&'a Repository>,
    pub environment: Option<&'a EnvironmentName>,
}

impl<'a> Question<'a> {
    /// About what goes into a service; a deployment into this environment.
    #[must_use]
    pub fn about(side: Side, service: &'a Service, environment: Option<&'a EnvironmentName>) -> Self {
        let own = service.repositories.iter().map(|served| &served.repository);
        let repositories = own.chain(service.upstreams.iter().map(|upstream| &upstream.repository)).collect();
        Self { side, services: vec![&service.id], repositories, environment }
    }

    /// About a merge into a repository, whichever services it goes to.
    #[must_use]
    pub fn of_merge(repository: &'a Repository, settings: &'a Settings) -> Self {
        let services = settings.services_of(repository).map(|service| &service.id).collect();
        Self { side: Side::Merges, services, repositories: vec![repository], environment: None }
    }
}

/// What holds at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Absent: nothing speaks against it.
    pub strength: Option<Strength>,
    /// When that ends, or becomes weaker.
    pub until: Option<Timestamp>,
    /// What holds, the strongest first.
    pub because: Vec<Occurrence<'a>>,
    /// What begins next.
    pub next: Option<Occurrence<'a>>,
}

impl Answer<'_> {
    #[must_use]
    pub fn may(&self) -> bool {
        self.strength != Some(Strength::Require)
    }
}

impl<'a> Freezes<'a> {
    /// The times, by when they begin, that hold or will for what is asked about.
    #[must_use]
    pub fn concerning(&self, question: &Question<'_>, at: Timestamp) -> Vec<Occurrence<'a>> {
        let mut ahead = self.ahead(at);
        ahead.retain(|one| one.stops.of(question.side).is_some() && one.scope.concerns(question));
        ahead
    }

    /// What holds at `at` for what is asked about.
    #[must_use]
    pub fn answer(&self, question: &Question<'_>, at: Timestamp) -> Answer<'a> {
        let strength = |one: &Occurrence<'_>| one.stops.of(question.side);
        let ahead = self.concerning(question, at);
        let mut because: Vec<Occurrence<'a>> = ahead.iter().copied().filter(|one| one.from <= at).collect();
        because.sort_by_key(|one| (std::cmp::Reverse(strength(one)), std::cmp::Reverse(one.until), one.id));
        let strongest = because.iter().filter_map(strength).max();
        let until = strongest.map(|least| {
            // What is as strong and begins before the rest has ended goes on with it.
            ahead
                .iter()
                .filter(|one| strength(one) >= Some(least))
                .fold(at, |until, one| if one.from <= until { until.max(one.until) } else { until })
        });
        let next = ahead.into_iter().find(|one| one.from > at);
        Answer { strength: strongest, until, because, next }
    }
}
