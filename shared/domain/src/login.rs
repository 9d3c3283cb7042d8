//! An account of a person: on a forge, in a pager, or an e-mail address.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{InvalidId, printable, simple_name};

/// An account on a forge. Compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login {
    forge: String,
    name: String,
}

impl Login {
    /// An account of the named forge; `name` is what the forge sent.
    pub fn new(forge: &str, name: &str) -> Result<Self, InvalidId> {
        if !printable(name, 100) || !simple_name(forge) {
            return Err(InvalidId { what: "login", expected: "1 to 100 printable characters" });
        }
        Ok(Self { forge: forge.to_ascii_lowercase(), name: name.to_ascii_lowercase() })
    }

    /// The account behind an e-mail address: that of the forge for the addresses which forges make up
    /// (`12345+feanil@users.noreply.github.com`), else the address itself.
    pub fn from_email(address: &str) -> Result<Self, InvalidId> {
        let address = address.trim().to_ascii_lowercase();
        let Some((name, host)) = address.rsplit_once('@').filter(|(name, host)| !name.is_empty() && host.contains('.'))
        else {
            return Err(InvalidId { what: "e-mail address", expected: "`name@host`, such as `feanil@example.com`" });
        };
        let account = |separator| match name.split_once(separator) {
            Some((id, account)) if id.bytes().all(|b| b.is_ascii_digit()) => account,
            _ => name,
        };
        match host.strip_prefix("users.noreply.") {
            Some("github.com") => Self::new("github", account('+')),
            Some("gitlab.com") => Self::new("gitlab", account('-')),
            _ => Self::new("email", &address),
        }
    }

    /// The forge, or the other place, where the account is.
    #[must_use]
    pub fn forge(&self) -> &str {
        &self.forge
    }

    /// The account's name without its forge.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A forge's own accounts, GitHub apps and merge queues. They merge on behalf of somebody else.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        // GitLab's access tokens: `project_12_bot_8a1f`, `group_7_bot`.
        let token = |rest: &str| rest.split_once("_bot").is_some_and(|(id, _)| id.bytes().all(|b| b.is_ascii_digit()));
        let name = self.name.as_str();
        ["[bot]", "-bot", "_bot"].iter().any(|end| name.ends_with(end))
            || ["project_", "group_"].iter().filter_map(|start| name.strip_prefix(start)).any(token)
            || name.starts_with("service_account_")
            || matches!(name, "web-flow" | "github-merge-queue" | "bors")
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.forge, self.name)
    }
}

impl From<Login> for String {
    fn from(login: Login) -> String {
        login.to_string()
    }
}

impl TryFrom<String> for Login {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        let (forge, name) = text
            .split_once(':')
            .ok_or(InvalidId { what: "login", expected: "`forge:name`, such as `github:octocat`" })?;
        Login::new(forge, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_never_loses_a_person() {
        assert_eq!(Login::new("github", "Feanil").unwrap(), Login::new("GitHub", "feanil").unwrap());
    }

    #[test]
    fn the_addresses_that_forges_make_up_are_accounts() {
        for (address, want) in [
            ("12345+Feanil@users.noreply.github.com", "github:feanil"),
            ("feanil@users.noreply.github.com", "github:feanil"),
            ("4711-Usama@users.noreply.gitlab.com", "gitlab:usama"),
            ("anna-lindqvist@users.noreply.gitlab.com", "gitlab:anna-lindqvist"),
            ("Feanil.Patel@Example.COM", "email:feanil.patel@example.com"),
        ] {
            assert_eq!(Login::from_email(address).unwrap().to_string(), want);
        }
        for bad in ["", "feanil", "@example.com", "feanil@", "feanil@localhost", "a b@example.com", "<x>@example.com"] {
            assert!(Login::from_email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn forge_accounts_are_recognised_as_bots() {
        for (name, bot) in [
            ("github-merge-queue[bot]", true),
            ("web-flow", true),
            ("feanil", false),
            ("robot", false),
            ("project_12_bot_8a1f", true),
            ("group_7_bot", true),
            ("renovate-bot", true),
            ("project_bot_fan", false),
        ] {
            assert_eq!(Login::new("github", name).unwrap().is_bot(), bot, "{name}");
        }
    }
}
