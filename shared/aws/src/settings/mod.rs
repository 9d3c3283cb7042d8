//! The configuration: one TOML file, read whole, with *all* its problems found at once and each with its line.
//!
//! What the domain needs becomes [`domain::Settings`]; what only the shell needs (senders, receivers) stays here.

mod calendars;
mod icalendar;
mod people;
mod section;
mod services;
mod spelling;
mod squads;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use domain::Settings;
use toml::de::DeTable;

use section::Section;

/// How one sender is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderConfig {
    /// The name of the secret by which it proves itself.
    pub secret: String,
    /// The name of the secret with which we ask its API, where there is one.
    pub api_token: Option<String>,
    pub api_url: Option<String>,
}

/// How one receiver is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverConfig {
    pub url: String,
    /// The name of the secret with which its messages are signed.
    pub secret: String,
}

/// A whole configuration without problems.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub settings: Settings,
    pub senders: BTreeMap<String, SenderConfig>,
    pub receivers: BTreeMap<String, ReceiverConfig>,
    /// The name of the secret with which links are signed.
    pub link_secret: String,
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

/// The senders we know, with the function each belongs to.
pub const SENDERS: [(&str, &str); 3] =
    [("github", "merge and deploy"), ("alertmanager", "alert"), ("cloudwatch", "alert")];

impl Configuration {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let text =
            std::fs::read_to_string(path).map_err(|source| Unreadable::File { path: path.to_owned(), source })?;
        let beside = |name: &str| read_beside(path, name);
        Self::parse(&text, &beside).map_err(|problems| Unreadable::Problems { path: path.to_owned(), problems })
    }

    /// Reads a text; all its problems if there are any, by line. `files` reads what the text names (calendars,
    /// code owners); see [`no_files`].
    pub fn parse(text: &str, files: &dyn Fn(&str) -> Result<String, String>) -> Result<Self, Vec<Problem>> {
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
        let configuration = Self::build(&mut Section::root(text, &document, files, &mut found));
        problems.append(&mut found);
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(configuration) } else { Err(problems) }
    }

    /// The names of the secrets by which those of these senders that are configured prove themselves.
    #[must_use]
    pub fn sender_secrets(&self, senders: &[&str]) -> Vec<String> {
        senders.iter().filter_map(|name| self.senders.get(*name)).map(|s| s.secret.clone()).collect()
    }

    fn build(root: &mut Section<'_, '_>) -> Self {
        let public_url = root.url("public_url").unwrap_or_default();
        let link_secret = root.text("link_secret").unwrap_or_else(|| "links".to_owned());
        let receivers = root.tables("receivers", |_, section| {
            let url = section.need_url("url");
            let secret = section.need_text("secret");
            ReceiverConfig { url, secret }
        });
        let senders = root.tables("senders", |name, section| {
            if !SENDERS.iter().any(|(known, _)| *known == name) {
                let known: Vec<&str> = SENDERS.iter().map(|(n, _)| *n).collect();
                section.problem(format!("no sender is called `{name}`; there are {}", known.join(", ")));
            }
            SenderConfig {
                secret: section.text("secret").unwrap_or_else(|| name.to_owned()),
                api_token: section.text("api_token"),
                api_url: section.url("api_url"),
            }
        });
        let calendars = calendars::read(root);
        let roster = people::read(root, &receivers, &calendars);
        let defaults = services::defaults(root);
        let mut code_owners = squads::CodeOwnersFiles::default();
        let services = services::read(root, &roster, &calendars, &defaults, &mut code_owners);
        let unmapped = services::unmapped(root, &roster, &defaults);
        let squads = squads::read(root, &roster, &services);
        root.finish();
        let settings =
            Settings::new(services, roster, unmapped, public_url).with_squads(squads, code_owners.compiled());
        Self { settings, senders, receivers, link_secret }
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
