//! A history of one repository (a clone, or `../shared/histories`) as events: each change is merged, goes live a while later, and each
//! failure whose culprit is known is an alert, over once its revert is live.
//!
//! Where the configuration has no service for the repository, one is made up: then each author is a person of the roster.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws::settings::{Configuration, Problem};
use backtest::{History, Landed};
use domain::change::{Files, Size};
use domain::on_alert::AlertEvent;
use domain::on_merge::MergeEvent;
use domain::undo::Opens;
use domain::{
    Alert, AlertState, Change, ChangeId, ChangeKind, Commit, Credit, DeployEvent, DeploymentEvent, DeploymentState,
    EnvironmentName, Login, Manner, Merger, Repository, Revision, ServiceId, Severity, revert, text, times,
};
use jiff::{SignedDuration, Timestamp};

use crate::event::{Told, What};
use crate::input::BadInput;

/// By which source what is made up is told.
const SOURCE: &str = "history";
/// So long does a deployment of which nothing is known take.
const TAKES: SignedDuration = SignedDuration::from_mins(5);

/// How what a history does not say is assumed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long after its merge a change is live.
    pub live_after: SignedDuration,
    /// Whether its failures are alerts. Else those that were given are.
    pub failures: bool,
}

/// A history that can be played, and the service that it is of.
pub struct Past {
    history: History,
    repository: Repository,
    service: ServiceId,
    plan: Plan,
    /// Each event with its time, in order.
    order: Vec<(Timestamp, Kind, usize)>,
}

/// What comes first of what happens at one moment: an alert of a revert's time came before the revert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Fires,
    Merged,
    Deploying,
    Live,
    Over,
    Truth,
}

/// A person, or a service, called so.
fn name(text: &str) -> String {
    EnvironmentName::about(text).as_str().to_owned()
}

/// The account of an author.
fn login(landed: &Landed) -> Option<Login> {
    let bot = if landed.by_machine { "[bot]" } else { "" };
    Login::new("github", &format!("{}{bot}", name(&landed.author))).ok()
}

/// A configuration for a history that has none: one service, its authors the roster. `zone`: where they all work, on weekdays. Its forge
/// opens any revert, so that it is seen what `propose` would do.
pub fn configuration(history: &History, zone: &str) -> Result<Configuration, Vec<Problem>> {
    let mut configuration = Configuration::parse(&configuration_text(history, zone), &aws::settings::no_files)?;
    if let Ok(repository) = history.name.parse() {
        configuration.settings.reverts.insert(repository, Opens::Anything);
    }
    Ok(configuration)
}

/// The same, as TOML.
#[must_use]
pub fn configuration_text(history: &History, zone: &str) -> String {
    let service = name(history.name.rsplit('/').next().unwrap_or("service"));
    let zone: String = zone.chars().filter(|c| c.is_ascii_alphanumeric() || "/_+-".contains(*c)).collect();
    let people: BTreeSet<String> =
        history.changes.iter().filter(|change| !change.by_machine).map(|change| name(&change.author)).collect();
    let mut text = format!(
        "[senders.github]\n[senders.alertmanager]\n[unmapped]\nrotation = [\"rotation\"]\n\
         [people.rotation]\nzone = \"{zone}\"\ncontacts = [\"terminal\"]\n\
         [people.owner]\nzone = \"{zone}\"\ncontacts = [\"terminal\"]\n\
         [services.{service}]\nowners = [\"owner\"]\nrotation = [\"rotation\"]\nalerts = [\"service={service}\"]\n\
         repositories = [{{ name = \"{}\" }}]\n[services.{service}.environments.production]\nlive = true\n",
        history.name
    );
    for person in people.iter().filter(|person| !["rotation", "owner"].contains(&person.as_str())) {
        let _ = write!(
            text,
            "[people.\"{person}\"]\nzone = \"{zone}\"\ngithub = [\"{person}\"]\ncontacts = [\"terminal\"]\n\
             hours = \"Mon-Fri 09:00-17:00\"\n"
        );
    }
    text
}

impl Past {
    /// `None`: no service of the configuration deploys its repository. Fails where something would be live at a time that is none.
    pub fn of(history: History, plan: Plan, configuration: &Configuration) -> Result<Option<Self>, BadInput> {
        let Ok(repository) = history.name.parse::<Repository>() else { return Ok(None) };
        let served = configuration.settings.services().find(|service| service.deploys(&repository));
        let Some(service) = served.map(|service| service.id.clone()) else { return Ok(None) };
        let later = |at: Timestamp| {
            let later =
                at.checked_add(plan.live_after).ok().filter(|later| times::plausible(at) && times::plausible(*later));
            later.ok_or(BadInput::Time { at })
        };
        let mut order = Vec::with_capacity(history.changes.len() * 3);
        for (i, change) in history.changes.iter().enumerate() {
            let live = later(change.merged_at)?;
            order.push((change.merged_at, Kind::Merged, i));
            order.push((change.merged_at.max(live - TAKES), Kind::Deploying, i));
            order.push((live, Kind::Live, i));
        }
        for (i, incident) in history.incidents.iter().enumerate().filter(|_| plan.failures) {
            let over = later(incident.alert_at)?;
            order.push((incident.alert_at, Kind::Fires, i));
            order.push((over, Kind::Over, i));
            order.push((over, Kind::Truth, i));
        }
        // Of what happens at one moment: as the history has it.
        order.sort_by_key(|(at, kind, i)| (*at, *kind, *i));
        Ok(Some(Self { history, repository, service, plan, order }))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Everything that happened, in order.
    pub fn events(&self) -> impl Iterator<Item = Told> {
        self.order.iter().filter_map(|(at, kind, i)| Some(Told { at: *at, what: self.event(*at, *kind, *i)? }))
    }

    fn event(&self, at: Timestamp, kind: Kind, i: usize) -> Option<What> {
        let (change, incident) = (self.history.changes.get(i), self.history.incidents.get(i));
        Some(match kind {
            Kind::Merged => What::Merge(SOURCE.to_owned(), vec![MergeEvent::Merged(Box::new(self.change(change?)?))]),
            Kind::Deploying | Kind::Live => {
                What::Deploy(SOURCE.to_owned(), vec![self.deployment(at, kind, i, change?)?])
            }
            Kind::Fires | Kind::Over => {
                let ended_at = (kind == Kind::Over).then_some(at);
                let alert = self.alert(&incident?.id, incident?.alert_at, ended_at);
                What::Alert(SOURCE.to_owned(), AlertEvent { alerts: vec![alert], left_out: 0, brief: false })
            }
            Kind::Truth => {
                let culprit = self.history.changes.get(incident?.culprit)?.commit.parse::<Commit>().ok()?;
                let culprit = Some(ChangeId { repository: self.repository.clone(), commit: culprit });
                What::Truth { alert: format!("{SOURCE}/{}", incident?.id), culprit }
            }
        })
    }

    fn change(&self, landed: &Landed) -> Option<Change> {
        let id = ChangeId { repository: self.repository.clone(), commit: landed.commit.parse().ok()? };
        let kind = number(&landed.title).map_or(ChangeKind::DirectPush, |number| ChangeKind::PullRequest { number });
        let author = login(landed)?;
        let credit = match kind {
            ChangeKind::PullRequest { .. } => Credit::Merged,
            ChangeKind::DirectPush => Credit::Pushed,
        };
        Some(Change {
            id,
            kind,
            title: text::line(&landed.title, 200),
            url: None,
            base: "main".to_owned(),
            base_is_default: true,
            merger: Merger { login: author.clone(), credit },
            author,
            merged_at: landed.merged_at,
            size: Some(Size { files: landed.files, added: landed.lines, deleted: 0 }),
            labels: Vec::new(),
            approvers: Vec::new(),
            commits: Vec::new(),
            reverts: revert::read(&landed.title, "", &self.repository),
            files: Some(Files::of(landed.paths.iter().map(String::as_str))),
        })
    }

    fn deployment(&self, at: Timestamp, kind: Kind, i: usize, landed: &Landed) -> Option<DeployEvent> {
        let live = kind == Kind::Live;
        Some(DeployEvent::Moved(Box::new(DeploymentEvent {
            source: SOURCE.to_owned(),
            id: i.to_string(),
            recurs: false,
            repository: Some(self.repository.clone()),
            names: Vec::new(),
            environments: vec!["production".to_owned()],
            revision: Revision::Commit(landed.commit.parse().ok()?),
            manner: Manner::Whole,
            state: if live { DeploymentState::Succeeded } else { DeploymentState::Started },
            at: Some(at),
            created_at: Some(landed.merged_at.max(landed.merged_at + self.plan.live_after - TAKES)),
            note: None,
            url: None,
        })))
    }

    fn alert(&self, id: &str, started_at: Timestamp, ended_at: Option<Timestamp>) -> Alert {
        let labels = [("service".to_owned(), self.service.as_str().to_owned())].into();
        Alert {
            source: SOURCE.to_owned(),
            fingerprint: text::line(id, 100),
            name: "Failure".to_owned(),
            summary: "something that was reverted".to_owned(),
            severity: Severity::Critical,
            state: if ended_at.is_some() { AlertState::Resolved } else { AlertState::Firing },
            started_at: Some(started_at),
            ended_at,
            acknowledged: None,
            released_at: None,
            lasts: None,
            labels,
            group: None,
            url: None,
            detail: None,
        }
    }
}

/// The pull request that a title names, as squashes and merges of forges do: `... (#12)`, `Merge pull request #12 from ...`.
fn number(title: &str) -> Option<u64> {
    let digits = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text.get(..end)?.parse().ok()
    };
    let squashed = title.rsplit_once("(#").filter(|(_, rest)| rest.trim_end().ends_with(')'));
    squashed.map(|(_, rest)| rest).or(title.strip_prefix("Merge pull request #")).and_then(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_pull_request_stands_in_its_title() {
        assert_eq!(number("feat: batches (#34512)"), Some(34512));
        assert_eq!(number("Merge pull request #12 from a/b"), Some(12));
        assert_eq!(number("Revert \"x (#7)\" (#8)"), Some(8));
        assert_eq!((number("fix (#7) again"), number("no number"), number("(#)")), (None, None, None));
    }
}
