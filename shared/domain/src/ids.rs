//! Names of things, each its own type, checked once where it enters the house.
//!
//! Every id is bounded, printable and free of `#`, so that it can stand in a key, a log line or a page.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why a text is not an id. Says what was expected, never repeats the (hostile) text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {expected}")]
pub struct InvalidId {
    pub(crate) what: &'static str,
    pub(crate) expected: &'static str,
}

/// Whether a part of a path may lead out of it, also as a server reads it that decodes it first.
fn climbs(part: &str) -> bool {
    let read = part.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    read.split(['/', '\\']).any(|part| part == "." || part == "..")
}

pub(crate) fn printable(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.chars().all(|c| c.is_ascii_graphic() && c != '#' && c != '<' && c != '>' && c != '"')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $lower:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if !check(text) {
                    return Err(InvalidId { what: $what, expected: $expected });
                }
                Ok(Self(if $lower { text.to_ascii_lowercase() } else { text.to_owned() }))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A repository as its forge names it, lower-cased because forges ignore case: `openedx/edx-platform`.
    Repository,
    "repository",
    "a path of at least two segments such as `owner/name`",
    true,
    |t| {
        printable(t, 200)
            && (2..=21).contains(&t.split('/').count())
            && t.split('/').all(|part| !part.is_empty() && !climbs(part))
    }
);
id!(
    /// A commit by its full or abbreviated object name.
    Commit,
    "commit",
    "7 to 64 hexadecimal digits",
    true,
    |t| (7..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_hexdigit())
);
id!(
    /// A service of the configuration.
    ServiceId,
    "service",
    "1 to 64 letters, digits, `-`, `_` or `.`",
    true,
    simple_name
);
impl ServiceId {
    /// Freezes are kept as if they were a service of this name.
    #[must_use]
    pub fn freezes() -> Self {
        Self("freezes".to_owned())
    }

    /// What stands at the open pull requests of a repository is kept as if it were a service of this name.
    #[must_use]
    pub fn merges_into(repository: &Repository) -> Self {
        Self(format!("{}{}", Self::MERGES, EnvironmentName::about(repository.as_str())))
    }

    /// What these names begin with.
    pub const MERGES: &str = "merges.";
}
id!(
    /// An environment of a service, by the configuration's name for it.
    EnvironmentName,
    "environment",
    "1 to 64 letters, digits, `-`, `_` or `.`",
    true,
    simple_name
);
id!(
    /// A person of the roster.
    PersonId,
    "person",
    "1 to 64 letters, digits, `-`, `_` or `.`",
    true,
    simple_name
);
id!(
    /// A freeze, by the configuration's name for it or by that of whoever declared it.
    FreezeId,
    "freeze",
    "1 to 64 letters, digits, `-`, `_` or `.`",
    true,
    simple_name
);
id!(
    /// A squad of the configuration.
    SquadId,
    "squad",
    "1 to 64 letters, digits, `-`, `_` or `.`",
    true,
    simple_name
);
id!(
    /// An incident: the service and a digest of what opened it, such as `edxapp-k3v7q2ma`.
    IncidentId,
    "incident",
    "a service and eight characters, such as `edxapp-k3v7q2ma`",
    true,
    |t| printable(t, 80) && t.contains('-')
);

id!(
    /// Another name for what a pipeline moves, such as `image:ghcr.io/openedx/edx-platform:2.1`. What commit it stands
    /// for is told by somebody else.
    Reference,
    "reference",
    "up to 400 printable characters",
    false,
    |t| printable(t, 400)
);

pub(crate) fn simple_name(text: &str) -> bool {
    printable(text, 64) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

impl Commit {
    /// The first ten digits: enough to recognise, short enough for a page.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }

    /// The same commit, where one side may be abbreviated.
    #[must_use]
    pub fn same(&self, other: &Commit) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl Reference {
    /// An image, by name and tag or digest.
    pub fn image(name: &str) -> Result<Self, InvalidId> {
        format!("image:{}", name.trim()).parse()
    }

    #[must_use]
    pub fn is_image(&self) -> bool {
        self.0.starts_with("image:")
    }

    /// The commit in an image's tag, where the tag spells one: `:8c1c06a`, `:main-8c1c06a1a8`. A number is a date
    /// or a build, not a commit.
    #[must_use]
    pub fn spelled_commit(&self) -> Option<Commit> {
        let image = self.0.strip_prefix("image:")?;
        let tag = image.split('@').next()?.rsplit('/').next()?.split_once(':')?.1;
        let commit = |part: &&str| {
            let mixed = part.bytes().any(|b| b.is_ascii_digit()) && part.bytes().any(|b| b.is_ascii_alphabetic());
            (7..=40).contains(&part.len()) && (mixed || part.len() == 40)
        };
        tag.split(|c: char| !c.is_ascii_alphanumeric()).filter(commit).find_map(|part| part.parse().ok())
    }
}

impl EnvironmentName {
    /// What an environment is called where the configuration names none.
    #[must_use]
    pub fn live() -> Self {
        Self("production".to_owned())
    }

    /// Any text as a name: lower-cased, with `-` for what cannot stand in one. What that would make the same, or
    /// what is too long, ends in a digest, so that different texts have different names.
    #[must_use]
    pub fn about(text: &str) -> Self {
        const MOST: usize = 40;
        let lower = text.to_lowercase();
        let mut name = String::new();
        for c in lower.chars().take(MOST) {
            let fits = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if fits || (!name.is_empty() && !name.ends_with('-')) {
                name.push(if fits { c } else { '-' });
            }
        }
        if name != lower {
            let digest = Sha256::digest(lower.as_bytes());
            let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let start = name.trim_end_matches('-');
            name = if start.is_empty() { digest } else { format!("{start}-{digest}") };
        }
        Self(if name.is_empty() { "unnamed".to_owned() } else { name })
    }
}

impl IncidentId {
    pub(crate) fn of(service: &ServiceId, name: &str) -> Self {
        Self(format!("{service}-{name}"))
    }

    /// The service that it is of: its id begins with it.
    #[must_use]
    pub fn service(&self) -> Option<ServiceId> {
        self.0.rsplit_once('-')?.0.parse().ok()
    }
}

impl Repository {
    /// The last segment: `edx-platform`.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// A change is known by its repository and its merge commit, so every report of it has the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChangeId {
    pub repository: Repository,
    pub commit: Commit,
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_could_break_a_key_or_a_page() {
        for bad in ["", "nosegment", "a/../b", "a//b", "a/b#c", "a/<b>", "a/b c", "a/b\n"] {
            assert!(bad.parse::<Repository>().is_err(), "{bad:?}");
        }
        for bad in ["a/%2e%2E", "a/.%2e", "a/%2e", "a/..%2fb", "a/b%2F..%2fc", "a/..\\b", "a/x%5c..%5Cy"] {
            assert!(bad.parse::<Repository>().is_err(), "{bad:?} leads elsewhere for who decodes it");
        }
        for good in ["a/b..c", "a/...", "open%20edx/edx", "a/.github", "a/%2ehidden"] {
            assert!(good.parse::<Repository>().is_ok(), "{good:?}");
        }
        for bad in ["", "abc", "xyzxyzx", "g".repeat(40).as_str()] {
            assert!(bad.parse::<Commit>().is_err(), "{bad:?}");
        }
        assert!("edx app".parse::<ServiceId>().is_err());
        assert!("x".repeat(65).parse::<ServiceId>().is_err());
    }

    #[test]
    fn any_text_has_a_name_that_is_its_own() {
        for (text, want) in [
            ("DatabaseDown", "databasedown"),
            ("billing", "billing"),
            ("Disk almost full", "disk-almost-full-66acb3c5"),
            ("диск", "001a0b8a"),
            ("", "unnamed"),
        ] {
            let name = EnvironmentName::about(text);
            assert_eq!(name.as_str().parse::<EnvironmentName>().as_ref(), Ok(&name), "{text}");
            assert_eq!(name.as_str(), want, "{text}");
        }
        let name = |text: &str| EnvironmentName::about(text);
        assert_ne!(name("a b"), name("a-b"));
        assert_ne!(name(&"x".repeat(50)), name(&"x".repeat(51)));
        assert!(name(&"\u{1f525}x#".repeat(900)).as_str().len() <= 64);
    }

    #[test]
    fn a_tag_may_spell_a_commit() {
        for (image, commit) in [
            ("ghcr.io/openedx/edx-platform:8c1c06a", Some("8c1c06a")),
            ("localhost:5000/edxapp:main-8c1c06a1a8-arm64", Some("8c1c06a1a8")),
            (
                "edxapp:sha-8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1@sha256:aa",
                Some("8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1"),
            ),
            ("edxapp:20261124", None),
            ("edxapp:2.1.0", None),
            ("edxapp:release-deadbeef", None),
            ("localhost:5000/edxapp", None),
            ("edxapp@sha256:8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a18c1c06a1a89e8278937a7d22", None),
        ] {
            let spelled = Reference::image(image).unwrap().spelled_commit();
            assert_eq!(spelled.as_ref().map(Commit::as_str), commit, "{image}");
        }
    }

    #[test]
    fn letter_case_never_loses_a_repository() {
        assert_eq!("OpenEdX/Edx-Platform".parse::<Repository>().unwrap().as_str(), "openedx/edx-platform");
    }

    #[test]
    fn an_abbreviated_commit_is_the_same_commit() {
        let full: Commit = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".parse().unwrap();
        assert!(full.same(&"8c1c06a1a8".parse().unwrap()));
        assert!(!full.same(&"8c1c06a1a9".parse().unwrap()));
    }
}
