//! `[senders.<name>]`: who tells us something, by which secret, of what; and what its API is asked and told.

use std::collections::BTreeMap;

use domain::merge_desk::Manner;
use domain::undo::Opens;
use domain::{Repository, ServiceId};

use super::FORGES;
use super::section::Section;

/// How one sender is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderConfig {
    /// Which sender it is; several sources may be of one kind.
    pub kind: String,
    /// The name of the secret by which it proves itself.
    pub secret: String,
    /// Whether it can prove itself without: SNS signs by its certificate, and nothing else was asked for.
    pub without_secret: bool,
    /// The repositories that its secret speaks for; empty: all that services name.
    pub repositories: Vec<String>,
    /// The services that its secret speaks for; empty: all.
    pub services: Vec<ServiceId>,
    /// The SNS topics whose messages it takes.
    pub topics: Vec<String>,
    /// The name of the secret with which we ask its API, where there is one.
    pub api_token: Option<String>,
    pub api_url: Option<String>,
    /// Whether merge freezes stand at open pull requests, and when.
    pub merge_status: Option<Manner>,
    /// Whether revert pull requests are opened by one click, by the token.
    pub reverts: bool,
    /// The GitHub App by which jobs that wait for us are answered.
    pub app: Option<GitHubApp>,
    /// Whether merge freezes stand as check runs of that App, not as statuses.
    pub check_runs: bool,
    pub comments: Comments,
}

/// At the merged pull requests of which repositories a comment stands: those that are like one of `at`, but for those that are like
/// one of `quiet`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comments {
    pub at: Vec<String>,
    pub quiet: Vec<String>,
}

impl Comments {
    #[must_use]
    pub fn stand_at(&self, repository: &Repository) -> bool {
        let like = |pattern: &String| domain::text::is_like(repository.as_str(), pattern);
        self.at.iter().any(like) && !self.quiet.iter().any(like)
    }
}

/// A GitHub App, as which we speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHubApp {
    pub id: String,
    /// The name of the secret that is its private key.
    pub key: String,
}

pub(super) fn merge_source_of<'a>(
    senders: &'a BTreeMap<String, SenderConfig>,
    repository: &Repository,
) -> Option<(&'a SenderConfig, Manner)> {
    let wants = |kind: &str| {
        let ours = senders.values().filter(move |source| source.kind == kind && source.api_token.is_some());
        let mut ours = ours.filter(|source| source.speaks_for_repository(repository));
        ours.find_map(|source| Some((source, source.merge_status?)))
    };
    FORGES.iter().find_map(|kind| wants(kind))
}

/// The source by whose token comments stand at the merged pull requests of a repository: of several that speak for it the first that
/// wants them.
pub(super) fn comment_source_of<'a>(
    senders: &'a BTreeMap<String, SenderConfig>,
    repository: &Repository,
) -> Option<&'a SenderConfig> {
    let wants = |kind: &str| {
        let ours = senders.values().filter(move |source| source.kind == kind && source.api_token.is_some());
        let mut ours = ours.filter(|source| source.speaks_for_repository(repository));
        ours.find(|source| source.comments.stand_at(repository))
    };
    FORGES.iter().find_map(|kind| wants(kind))
}

/// `[senders.<name>]`: a source. `speaking` gets the services that it names, to be looked up once all are known.
pub(super) fn source(
    name: &str,
    section: &mut Section<'_, '_>,
    known: Option<&[&str]>,
    speaking: &mut Vec<(ServiceId, std::ops::Range<usize>)>,
) -> SenderConfig {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        section.problem("the name stands in an address: letters, digits, `-`, `_` and `.` only");
    }
    let kind = section.text("kind").unwrap_or_else(|| name.to_owned());
    if let Some(known) = known.filter(|known| !known.contains(&kind.as_str())) {
        let kind = domain::text::line(&kind, 40);
        section
            .problem(format!("no sender is called `{kind}`; there are {}; or say which by `kind`", known.join(", ")));
    }
    let services: Vec<(ServiceId, _)> = section.ids("services");
    speaking.extend(services.iter().cloned());
    let topics = section.texts("topics");
    for (topic, span) in &topics {
        if !topic.starts_with("arn:aws") || topic.split(':').count() != 6 || topic.split(':').nth(2) != Some("sns") {
            section.problem_in(span, "an entry of `topics` is the ARN of an SNS topic");
        }
    }
    let (secret, kind_of) = (section.text("secret"), kind.clone());
    SenderConfig {
        kind,
        without_secret: secret.is_none() && !topics.is_empty(),
        secret: secret.unwrap_or_else(|| name.to_owned()),
        repositories: section.texts("repositories").into_iter().map(|(text, _)| text).collect(),
        services: services.into_iter().map(|(id, _)| id).collect(),
        topics: topics.into_iter().map(|(text, _)| text).collect(),
        api_token: section.text("api_token"),
        api_url: section.url("api_url"),
        merge_status: merge_status(section),
        reverts: reverts(section, &kind_of),
        app: app(section),
        check_runs: check_runs(section),
        comments: comments(section),
    }
}

/// `check_runs = true`: as the App that `app_id` and `app_key` are of.
fn check_runs(section: &mut Section<'_, '_>) -> bool {
    let wanted = section.flag("check_runs") == Some(true);
    if wanted && !(section.has("app_id") && section.has("merge_status")) {
        section.problem_with(
            "check_runs",
            "`check_runs` needs `merge_status`, and the `app_id` and `app_key` of a GitHub App: only an App has check runs",
        );
    }
    wanted
}

/// `comments = ["openedx/*"]`, `quiet = ["openedx/docs"]`.
fn comments(section: &mut Section<'_, '_>) -> Comments {
    let mut texts = |key| section.texts(key).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
    let comments = Comments { at: texts("comments"), quiet: texts("quiet") };
    if !comments.at.is_empty() && !section.has("api_token") {
        section.problem_with("comments", "`comments` needs an `api_token`, by which they are written");
    }
    if comments.at.is_empty() && !comments.quiet.is_empty() {
        section.problem_with("quiet", "`quiet` takes repositories out of `comments`, and there are none");
    }
    comments
}

/// `app_id` and `app_key`: of a GitHub App, whose rule protects environments.
fn app(section: &mut Section<'_, '_>) -> Option<GitHubApp> {
    match (section.text("app_id"), section.text("app_key")) {
        (Some(id), Some(key)) => Some(GitHubApp { id, key }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            section
                .problem("`app_id` and `app_key` belong together: the GitHub App's id, and the secret that is its key");
            None
        }
    }
}

/// `merge_status = "during-freezes"`: what stands at open pull requests is told by the token.
fn merge_status(section: &mut Section<'_, '_>) -> Option<Manner> {
    let words = [("during-freezes", Manner::DuringFreezes), ("always", Manner::Always)];
    let manner = section.choice("merge_status", &words);
    if manner.is_some() && !section.has("api_token") {
        section.problem_with("merge_status", "`merge_status` needs an `api_token`, by which the forge is told");
    }
    manner
}

/// `reverts = true`: the token may open revert pull requests.
fn reverts(section: &mut Section<'_, '_>, kind: &str) -> bool {
    let wanted = section.flag("reverts").unwrap_or(false);
    if wanted && !section.has("api_token") {
        section.problem_with("reverts", "`reverts` needs an `api_token`, by which the pull request is opened");
    }
    if wanted && opens(kind).is_none() {
        let can: Vec<&str> = OPENS.iter().map(|(kind, _)| *kind).collect();
        let what = format!("`reverts`: the API of `{kind}` has no revert; that of {} has", can.join(", "));
        section.problem_with("reverts", what);
    }
    wanted
}

/// The forges whose APIs take changes back, and which changes.
const OPENS: [(&str, Opens); 3] =
    [("github", Opens::PullRequests), ("gitlab", Opens::Anything), ("azure", Opens::Anything)];

fn opens(kind: &str) -> Option<Opens> {
    OPENS.iter().find(|(name, _)| *name == kind).map(|(_, opens)| *opens)
}

/// The source by whose token revert pull requests of a repository are opened, and of what.
pub(super) fn revert_source_of<'a>(
    senders: &'a BTreeMap<String, SenderConfig>,
    repository: &Repository,
) -> Option<(&'a SenderConfig, Opens)> {
    let mut ours = senders.values().filter(|source| source.reverts && source.api_token.is_some());
    ours.find_map(|source| Some((source, opens(&source.kind).filter(|_| source.speaks_for_repository(repository))?)))
}

impl SenderConfig {
    /// Whether its secret may speak for a repository; `*` in a pattern stands for anything.
    #[must_use]
    pub fn speaks_for_repository(&self, repository: &Repository) -> bool {
        let like = |pattern: &String| domain::text::is_like(repository.as_str(), pattern);
        self.repositories.is_empty() || self.repositories.iter().any(like)
    }

    /// Whether its secret speaks for some repositories or services only.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        !self.repositories.is_empty() || !self.services.is_empty()
    }

    /// Whether its secret may speak for a service.
    #[must_use]
    pub fn speaks_for(&self, service: &ServiceId) -> bool {
        self.services.is_empty() || self.services.contains(service)
    }
}
