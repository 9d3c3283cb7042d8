//! A deployment: a commit reaching one environment of one service, as far as its pipeline has told us.
//!
//! What we know only ever grows, and each report adds the same knowledge whenever it arrives: that is what
//! makes every arrival order end in the same state.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::gates::Waiting;
use crate::ids::{Commit, EnvironmentName, Reference, Repository};
use crate::measures::Marks;
use crate::on_deploy::Place;
use crate::text;

/// What a pipeline says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    Started,
    Succeeded,
    Failed,
    Aborted,
}

/// What a pipeline moves, as it calls it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Revision {
    Commit(Commit),
    /// By another name: an image, an execution of a pipeline. Somebody else tells which commit it stands for.
    Named(Reference),
    /// It does not say: then merge order decides what it carries.
    Untold,
}

/// How a pipeline moves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// All of it, as far as the pipeline says.
    #[default]
    Whole,
    /// A part of the traffic at a time. That it gave up is an alert too.
    Progressive,
    /// Nothing is moved: this suite of end-to-end tests runs against it.
    Test(String),
}

/// One report of a pipeline, in our words. Names are still the pipeline's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentEvent {
    pub source: String,
    /// The pipeline's own id of the deployment: the same over all its reports.
    pub id: String,
    /// Whether it is rather the id of what is deployed, and so the same when that is deployed again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recurs: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// What the pipeline calls what it deploys (application, job, `namespace/name`), the most telling name first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What it may call where that runs, the most telling name first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    pub revision: Revision,
    #[serde(default, skip_serializing_if = "is_whole")]
    pub manner: Manner,
    pub state: DeploymentState,
    /// When that was; absent where the pipeline does not say: then when we heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// When the deployment began, where the pipeline says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// What the pipeline says about it, such as why it gave up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

fn is_whole(manner: &Manner) -> bool {
    *manner == Manner::Whole
}

/// What pipelines tell us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployEvent {
    Moved(Box<DeploymentEvent>),
    StandsFor(StandsFor),
    /// A job waits until we say that it may go on.
    Waits(Waiting),
}

impl DeployEvent {
    /// The same, as said by this source.
    #[must_use]
    pub fn from(mut self, source: &str) -> Self {
        if let Self::Moved(event) = &mut self {
            source.clone_into(&mut event.source);
        }
        if let Self::Waits(waiting) = &mut self {
            source.clone_into(&mut waiting.source);
        }
        self
    }
}

/// What a reference stands for: a build tells which commit an image was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandsFor {
    pub reference: Reference,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    pub revision: Revision,
}

/// Identity of a deployment within a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeploymentKey {
    pub environment: EnvironmentName,
    pub source: String,
    pub id: String,
}

impl fmt::Display for DeploymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.environment, self.source, self.id)
    }
}

/// Which commits a deployment brought that the one before it lacked, as far as the forge has told us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// Not asked, or no token to ask with: merge order decides.
    #[default]
    Unasked,
    /// The forge's answer to "what is in this commit that was not in `since`?".
    Commits { since: Commit, commits: BTreeSet<Commit> },
    /// The forge did not say; merge order decides. `tries` so far.
    Unanswered { tries: u32, last: Timestamp },
}

/// Everything known of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    pub key: DeploymentKey,
    pub repository: Repository,
    /// Absent where nobody has told which it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// What the pipeline calls it, where that is not a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    #[serde(default, skip_serializing_if = "is_whole")]
    pub manner: Manner,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    #[serde(default)]
    pub aborted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default)]
    pub carries: Carries,
    /// When its commit was merged, once we know: kept here because the change itself leaves the working set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_merged_at: Option<Timestamp>,
    /// What of it was counted.
    #[serde(default, skip_serializing_if = "Marks::is_none")]
    pub counted: Marks,
}

impl Deployment {
    /// The first we hear of a deployment, whichever of its reports that is; at the place that it is about.
    #[must_use]
    pub fn first(event: &DeploymentEvent, place: &Place<'_>, now: Timestamp) -> Self {
        let environment = place.environment.clone();
        let mut deployment = Self {
            key: DeploymentKey { environment, source: event.source.clone(), id: event.id.clone() },
            repository: place.repository.clone(),
            commit: None,
            reference: None,
            manner: event.manner.clone(),
            created_at: event.created_at.or(event.at).unwrap_or(now),
            started_at: None,
            succeeded_at: None,
            failed_at: None,
            aborted: false,
            url: None,
            carries: Carries::Unasked,
            commit_merged_at: None,
            counted: Marks::default(),
        };
        deployment.learn(event, place, now);
        deployment
    }

    /// Adds a report, heard at `now`. Commutative and idempotent: of each kind of report the earliest counts.
    pub fn learn(&mut self, event: &DeploymentEvent, place: &Place<'_>, now: Timestamp) {
        let at = event.at.unwrap_or(now);
        // The repository is told with the commit; without one it is only where the commit will be.
        let known = self.commit.take().zip(Some(self.repository.clone()));
        if let Some((commit, repository)) = place.commit.clone().zip(Some(place.repository.clone())).max(known) {
            (self.commit, self.repository) = (Some(commit), repository);
        }
        self.reference = place.reference.clone().max(self.reference.take());
        // Whatever a test run's reports say of its beginning, it is in question from then on.
        if matches!(self.manner, Manner::Test(_)) && event.state != DeploymentState::Succeeded {
            let began = event.created_at.unwrap_or(at).min(at);
            self.started_at = Some(self.started_at.map_or(began, |known| known.min(began)));
        }
        let slot = match event.state {
            DeploymentState::Started => &mut self.started_at,
            DeploymentState::Succeeded => &mut self.succeeded_at,
            DeploymentState::Failed | DeploymentState::Aborted => &mut self.failed_at,
        };
        *slot = Some(slot.map_or(at, |known| known.min(at)));
        self.aborted |= event.state == DeploymentState::Aborted;
        self.created_at = self.created_at.min(event.created_at.unwrap_or(at));
        self.url = event.url.clone().max(self.url.take());
    }

    /// Whether it is a deployment of this commit, where one side may be abbreviated.
    #[must_use]
    pub fn is_of(&self, commit: &Commit) -> bool {
        self.commit.as_ref().is_some_and(|own| own.same(commit))
    }

    /// Whether both are known to be of one commit.
    #[must_use]
    pub fn is_of_same(&self, other: &Deployment) -> bool {
        other.commit.as_ref().is_some_and(|commit| self.is_of(commit))
    }

    /// What people call it: `edx-platform@8c1c06a1a8`, else what the pipeline calls it.
    #[must_use]
    pub fn label(&self) -> String {
        let repository = self.repository.short();
        match (&self.commit, &self.reference) {
            (Some(commit), _) => format!("{repository}@{}", commit.short()),
            (None, Some(reference)) => text::line(reference.as_str(), 80),
            (None, None) => repository.to_owned(),
        }
    }

    /// Failed or aborted, and never succeeded: its changes are not live.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed_at.is_some() && self.succeeded_at.is_none()
    }

    /// When its changes first took traffic. A report of success alone says so too.
    #[must_use]
    pub fn live_since(&self) -> Option<Timestamp> {
        match (self.started_at, self.succeeded_at) {
            (Some(started), Some(succeeded)) => Some(started.min(succeeded)),
            (started, succeeded) => started.or(succeeded),
        }
    }

    /// The earliest moment at which it can have broken something: a pipeline that reports only success may
    /// have moved traffic any time after the deployment was created.
    #[must_use]
    pub fn suspect_since(&self) -> Option<Timestamp> {
        self.started_at.or_else(|| self.succeeded_at.map(|succeeded| succeeded.min(self.created_at)))
    }

    /// The order in which deployments took effect.
    #[must_use]
    pub fn order(&self) -> (Option<Timestamp>, &DeploymentKey) {
        (self.live_since(), &self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: DeploymentState, at: &str) -> DeploymentEvent {
        DeploymentEvent {
            source: "github".into(),
            id: "7".into(),
            recurs: false,
            repository: Some("openedx/edx-platform".parse().unwrap()),
            names: vec![],
            environments: vec!["prod".into()],
            revision: Revision::Commit("8c1c06a1a8".parse().unwrap()),
            manner: Manner::Whole,
            state,
            at: Some(at.parse().unwrap()),
            created_at: Some("2026-03-20T10:00:00Z".parse().unwrap()),
            note: None,
            url: None,
        }
    }

    #[test]
    fn reports_in_any_order_and_number_say_the_same() {
        let reports = [
            report(DeploymentState::Started, "2026-03-20T10:01:00Z"),
            report(DeploymentState::Failed, "2026-03-20T10:05:00Z"),
            report(DeploymentState::Succeeded, "2026-03-20T10:09:00Z"),
        ];
        let settings = crate::testing::settings();
        let place = |i: usize| crate::on_deploy::places(&reports[i], &settings).unwrap().remove(0);
        let told = |order: &[usize]| {
            let mut d = Deployment::first(&reports[order[0]], &place(order[0]), Timestamp::MAX);
            for i in order {
                d.learn(&reports[*i], &place(*i), Timestamp::MAX);
            }
            d
        };
        let want = told(&[0, 1, 2]);
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(told(&order), want);
        }
        assert!(!want.has_failed(), "a retry that succeeded is live");
    }

    #[test]
    fn of_what_reports_say_differently_the_same_stays_in_any_order() {
        let settings = crate::testing::settings();
        let with = |state, repository: Option<&str>, commit: Option<&str>, url: Option<&str>| {
            let mut event = report(state, "2026-03-20T10:01:00Z");
            event.url = url.map(str::to_owned);
            let mut place = crate::on_deploy::places(&event, &settings).unwrap().remove(0);
            place.commit = commit.map(|commit| commit.parse().unwrap());
            place.repository = repository.unwrap_or("openedx/edx-platform").parse().unwrap();
            (event, place)
        };
        let told = |all: [&(DeploymentEvent, crate::on_deploy::Place<'_>); 2]| {
            let now = "2026-03-20T10:10:00Z".parse().unwrap();
            let mut deployment = Deployment::first(&all[0].0, &all[0].1, now);
            deployment.learn(&all[1].0, &all[1].1, now);
            let commit = deployment.commit.as_ref().map(ToString::to_string);
            (deployment.repository.to_string(), commit, deployment.url, deployment.aborted)
        };
        let (low, high) = (Some("1c1c06a1a8"), Some("8c1c06a1a8"));
        let (started, aborted) = (DeploymentState::Started, DeploymentState::Aborted);
        let owned = |text: &str| Some(text.to_owned());
        let one = with(started, Some("openedx/one"), low, Some("https://a"));
        let two = with(aborted, Some("openedx/two"), high, Some("https://b"));
        let none = with(started, Some("openedx/none"), None, None);
        let of_two = ("openedx/two".to_owned(), owned("8c1c06a1a8"), owned("https://b"), true);
        let elsewhere = with(started, Some("openedx/one"), high, None);
        for order in [[&one, &two], [&two, &one], [&two, &none], [&none, &two], [&two, &two]] {
            assert_eq!(told(order), of_two);
        }
        for order in [[&elsewhere, &two], [&two, &elsewhere]] {
            assert_eq!(told(order), of_two, "of two repositories with one commit");
        }
        assert!(!told([&one, &none]).3);
    }
}
