//! The configuration: one TOML file, read whole, with *all* its problems found at once and each with its line.
//!
//! What the domain needs becomes [`domain::Settings`]; what only the shell needs (senders, receivers) stays here.

mod calendars;
mod freezes;
pub mod icalendar;
mod modes;
mod paging;
mod people;
mod pipelines;
mod policy;
mod receivers;
mod section;
mod services;
pub mod sign_in;
mod sources;
mod spelling;
mod squads;
mod tokens;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use domain::merge_desk::Manner;
use domain::settings::Labels;
use domain::{Repository, Settings};
use toml::de::DeTable;

use crate::pipeline::PipelineConfig;
use crate::receiver::ReceiverConfig;
use crate::sender::Sender;
use section::Section;
use sign_in::SignIn;
pub use sources::{Comments, GitHubApp, SenderConfig};
use sources::{comment_source_of, merge_source_of, revert_source_of, source};

pub use freezes::read_feed;
pub use policy::over as policy_over;

/// The kinds of sources that are forges, each of which can be asked where its source has an `api_token`.
pub const FORGES: [&str; 6] = ["github", "gitlab", "bitbucket", "bitbucket-server", "gitea", "azure"];

/// A whole configuration without problems.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub settings: Settings,
    pub senders: BTreeMap<String, SenderConfig>,
    pub receivers: BTreeMap<String, ReceiverConfig>,
    /// What can be asked to hold.
    pub pipelines: BTreeMap<String, PipelineConfig>,
    /// The name of the secret with which links and sessions are signed.
    pub link_secret: String,
    /// Where people sign in to the board.
    pub sign_in: Option<SignIn>,
    /// The names of the secrets with which programs read: `api_secret`, and one for each program of `read_tokens`.
    pub read_tokens: Vec<String>,
}

/// One problem, at one line (counted from 1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("{path} cannot be read")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} has {}:\n{}", domain::text::count(problems.len(), "problem", "problems"), list(path, problems))]
    Problems { path: PathBuf, problems: Vec<Problem> },
}

fn list(path: &Path, problems: &[Problem]) -> String {
    problems.iter().map(|p| format!("  {}:{}: {}", path.display(), p.line, p.what)).collect::<Vec<_>>().join("\n")
}

/// For a configuration that stands alone: whatever it names cannot be read.
pub fn no_files(_: &str) -> Result<String, String> {
    Err("cannot be read here".to_owned())
}

/// A file that a configuration names: beside it, or below. Anything else could be somebody's secret.
fn read_beside(configuration: &Path, name: &str) -> Result<String, String> {
    let inside = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err("has to be a path below the folder of the configuration".to_owned());
    }
    let path = configuration.parent().unwrap_or(Path::new("")).join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}"))
}

impl Configuration {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        Self::read_knowing(path, None)
    }

    /// Reads a file; a source of a kind that is not among these is a problem. A function knows its own senders only.
    pub fn read_knowing(path: &Path, senders: Option<&[&str]>) -> Result<Self, Unreadable> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Unreadable::File { path: path.to_owned(), source })?;
        let beside = |name: &str| read_beside(path, name);
        let problems = |problems| Unreadable::Problems { path: path.to_owned(), problems };
        Self::parse_knowing(&text, &beside, senders).map_err(problems)
    }

    /// Reads a file whose sources are of these kinds, and returns the texts too: its own as `recent-deployers.toml`, and the
    /// files that it names.
    pub fn read_with_files(path: &Path, senders: &[&str]) -> Result<(Self, BTreeMap<String, String>), Unreadable> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Unreadable::File { path: path.to_owned(), source })?;
        let texts = RefCell::new(BTreeMap::from([("recent-deployers.toml".to_owned(), text.clone())]));
        let beside = |name: &str| {
            let text = read_beside(path, name)?;
            texts.borrow_mut().insert(name.to_owned(), text.clone());
            Ok(text)
        };
        let problems = |problems| Unreadable::Problems { path: path.to_owned(), problems };
        let configuration = Self::parse_knowing(&text, &beside, Some(senders)).map_err(problems)?;
        Ok((configuration, texts.into_inner()))
    }

    /// Reads a text; all its problems if there are any, by line. `files` reads what the text names (calendars,
    /// code owners); see [`no_files`].
    pub fn parse(text: &str, files: &dyn Fn(&str) -> Result<String, String>) -> Result<Self, Vec<Problem>> {
        Self::parse_knowing(text, files, None)
    }

    fn parse_knowing(
        text: &str,
        files: &dyn Fn(&str) -> Result<String, String>,
        senders: Option<&[&str]>,
    ) -> Result<Self, Vec<Problem>> {
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut problems: Vec<Problem> = errors
            .iter()
            .map(|e| Problem {
                line: section::line_of(text, e.span().map_or(0, |s| s.start)),
                what: format!("not TOML: {}", e.message()),
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut found = Vec::new();
        let configuration = Self::build(&mut Section::root(text, &document, files, &mut found), senders);
        problems.append(&mut found);
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(configuration) } else { Err(problems) }
    }

    /// The names of the secrets by which sources of these kinds prove themselves.
    #[must_use]
    pub fn sender_secrets<E>(&self, senders: &[Sender<E>]) -> Vec<String> {
        let known = |config: &&SenderConfig| senders.iter().any(|sender| sender.name == config.kind);
        let needed = self.senders.values().filter(known).filter(|config| !config.without_secret);
        needed.map(|config| config.secret.clone()).collect()
    }

    /// The source whose API knows about a repository: of this kind, with a token, and speaking for it.
    #[must_use]
    pub fn forge_of(&self, kind: &str, repository: &Repository) -> Option<&SenderConfig> {
        let knows = |config: &&SenderConfig| {
            config.kind == kind && config.api_token.is_some() && config.speaks_for_repository(repository)
        };
        self.senders.values().find(knows)
    }

    /// The source by whose token merge freezes stand at the open pull requests of a repository, and how: of several that want it
    /// the first.
    #[must_use]
    pub fn merge_source_of(&self, repository: &Repository) -> Option<(&SenderConfig, Manner)> {
        merge_source_of(&self.senders, repository)
    }

    /// The source by whose token revert pull requests of a repository are opened.
    #[must_use]
    pub fn revert_source_of(&self, repository: &Repository) -> Option<&SenderConfig> {
        revert_source_of(&self.senders, repository).map(|(source, _)| source)
    }

    #[must_use]
    pub fn merge_status_of(&self, repository: &Repository) -> Option<Manner> {
        self.merge_source_of(repository).map(|(_, manner)| manner)
    }

    /// The source by whose token comments stand at the merged pull requests of a repository.
    #[must_use]
    pub fn comment_source_of(&self, repository: &Repository) -> Option<&SenderConfig> {
        comment_source_of(&self.senders, repository)
    }

    /// Whether there is any forge to ask about a repository.
    #[must_use]
    pub fn knows_forge_of(&self, repository: &Repository) -> bool {
        FORGES.iter().any(|kind| self.forge_of(kind, repository).is_some())
    }

    fn build(root: &mut Section<'_, '_>, known: Option<&[&str]>) -> Self {
        let public_url = root.url("public_url").unwrap_or_default();
        let link_secret = root.text("link_secret").unwrap_or_else(|| "links".to_owned());
        let read_tokens = tokens::read(root);
        let sign_in = root.table("sign_in", sign_in::read);
        if sign_in.is_some() && !public_url.is_empty() && !sign_in::is_safe(&public_url) {
            root.problem_with("public_url", "`public_url` has to be an https address: people sign in there");
        }
        let receivers = receivers::read(root);
        let pipelines = pipelines::read(root);
        let mut speaking = Vec::new();
        let senders = root.tables("senders", |name, section| source(name, section, known, &mut speaking));
        let calendars = calendars::read(root);
        let mut roster = people::read(root, &receivers, &calendars);
        let defaults = policy::defaults(root);
        let mut code_owners = squads::CodeOwnersFiles::default();
        let services =
            services::read(root, &mut roster, (&receivers, &pipelines), &calendars, &defaults, &mut code_owners);
        for (id, span) in speaking {
            if !services.iter().any(|service| service.id == id) {
                root.problem_in(&span, format!("`services` names {id}, which is not a service"));
            }
        }
        modes::check(root, &services, &senders);
        let unmapped = services::unmapped(root, &roster, &defaults);
        let labels = root.table("alerts", labels).unwrap_or_default();
        let squads = squads::read(root, &roster, &services);
        let freezes = freezes::read(root, &services, &calendars);
        let lane = root.table("expedite", |section| freezes::lane(section, &roster, &squads)).unwrap_or_default();
        let asked = senders.values().flat_map(|s| [Some(&s.secret), s.api_token.as_ref()]);
        let told = receivers.values().flat_map(|r| [r.secret.as_ref(), r.signing_secret.as_ref()]);
        let others = asked.chain(told).chain([sign_in.as_ref().map(|s| &s.secret)]).flatten().map(String::as_str);
        tokens::check(root, &read_tokens, &link_secret, &others.collect());
        let read_tokens = read_tokens.into_iter().map(|(name, _)| name).collect();
        root.finish();
        let settings = Settings::new(services, roster, unmapped, public_url)
            .with_labels(labels)
            .with_squads(squads, code_owners.compiled())
            .with_freezes(freezes)
            .with_lane(lane)
            .with_pipelines(pipelines.keys().cloned().collect(), senders.values().any(|source| source.app.is_some()))
            .with_reverts(|repository| revert_source_of(&senders, repository).map(|(_, opens)| opens))
            .with_merge_desks(|repository| {
                merge_source_of(&senders, repository).is_some() || comment_source_of(&senders, repository).is_some()
            })
            .with_comments(|repository| comment_source_of(&senders, repository).is_some());
        Self { settings, senders, receivers, pipelines, link_secret, sign_in, read_tokens }
    }
}

/// `[alerts]`: by which labels alerts are placed.
fn labels(section: &mut Section<'_, '_>) -> Labels {
    let usual = Labels::default();
    let mut texts = |key, usual: Vec<String>| {
        let given: Vec<String> = section.texts(key).into_iter().map(|(text, _)| text).collect();
        if given.is_empty() { usual } else { given }
    };
    Labels {
        service: texts("service_labels", usual.service),
        environment: texts("environment_labels", usual.environment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_letter_case_only_are_a_problem_with_its_line() {
        let text = "[people.feanil]\n[services.EdxApp]\n[people.FEANIL]\n[services.edxapp]\n[services.other]\n";
        let problems = Configuration::parse(text, &no_files).unwrap_err();
        let twice: Vec<String> =
            problems.iter().filter(|p| p.what.contains("letter case")).map(ToString::to_string).collect();
        assert_eq!(
            twice,
            [
                "line 3: `people.FEANIL` is there already: letter case does not tell names apart",
                "line 4: `services.edxapp` is there already: letter case does not tell names apart",
            ]
        );
    }
}
