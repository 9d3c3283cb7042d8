//! The accounts that a message of GitLab names: most places tell only an id, which is looked up among them.

use aws::given::{number, word};
use domain::Login;
use serde_json::Value;

use super::FORGE;

/// So many accounts of one message are looked at.
const MOST: usize = 100;

/// Everybody whom a message names with an account.
pub(super) struct People<'a> {
    all: Vec<&'a Value>,
    reviewers: &'a [Value],
}

impl<'a> People<'a> {
    pub fn of(event: &'a Value) -> Self {
        let list = |name: &str| event.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let one = ["/user", "/assignee", "/object_attributes/assignee", "/object_attributes/author"];
        let one = one.iter().filter_map(|place| event.pointer(place));
        let reviewers = list("reviewers");
        let all = one.chain(list("assignees")).chain(reviewers).take(MOST).collect();
        Self { all, reviewers }
    }

    pub fn by_id(&self, id: Option<u64>) -> Option<Login> {
        let id = id?;
        self.all.iter().find(|person| person.get("id").and_then(number) == Some(id)).and_then(|person| login(person))
    }

    /// The account with this address, else the address itself.
    pub fn by_address(&self, address: &str) -> Option<Login> {
        let own = |person: &&&Value| word(person, "/email").is_some_and(|email| email.eq_ignore_ascii_case(address));
        let known = || self.all.iter().find(own).and_then(|person| login(person));
        // Who publishes no address has `[REDACTED]`, like everybody else who does not.
        let address = at_address(address)?;
        known().or(Some(address))
    }

    /// The reviewers who approved, where the version tells.
    pub fn approvers(&self) -> Vec<Login> {
        let approved = self.reviewers.iter().filter(|reviewer| word(reviewer, "/state") == Some("approved"));
        approved.take(MOST).filter_map(login).filter(|login| !is_bot(login)).collect()
    }
}

pub(super) fn login(person: &Value) -> Option<Login> {
    Login::new(FORGE, word(person, "/username")?).ok()
}

/// The account behind an address that a GitLab made up, wherever it runs; else the address.
pub(super) fn at_address(address: &str) -> Option<Login> {
    let made_up = address.split_once("@users.noreply.").filter(|(_, host)| !host.eq_ignore_ascii_case("github.com"));
    let account = made_up.and_then(|(name, _)| {
        let (id, account) = name.split_once('-')?;
        id.bytes().all(|b| b.is_ascii_digit()).then_some(account)
    });
    match account {
        Some(account) => Login::new(FORGE, account).ok(),
        None => Login::from_email(address).ok(),
    }
}

/// The accounts of access tokens (`project_12_bot_ab`, `group_12_bot`), service accounts, and what calls itself a bot.
/// <https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects>
pub(super) fn is_bot(login: &Login) -> bool {
    let name = login.name();
    let of_token = |start: &str| {
        let rest = name.strip_prefix(start).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        rest.is_some_and(|rest| rest.starts_with("_bot"))
    };
    login.is_bot()
        || of_token("project_")
        || of_token("group_")
        || name.starts_with("service_account_")
        || name.ends_with("-bot")
        || name.ends_with("_bot")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bots_are_known_by_name() {
        for (name, bot) in [
            ("project_123_bot", true),
            ("project_123_bot_4ffca233d8298ea1", true),
            ("group_7_bot_ab", true),
            ("service_account_group_7_ab", true),
            ("gitlab-bot", true),
            ("marge-bot", true),
            ("abbot", false),
            ("project_manager", false),
            ("usama", false),
        ] {
            assert_eq!(is_bot(&Login::new("gitlab", name).unwrap()), bot, "{name}");
        }
    }

    #[test]
    fn an_address_is_an_account_where_one_has_it() {
        let event = json!({"user": {"username": "anna", "email": "Anna@example.com"},
            "assignees": [{"username": "bob", "email": "[REDACTED]"}]});
        for (address, want) in [
            ("anna@example.com", Some("gitlab:anna")),
            ("carl@example.com", Some("email:carl@example.com")),
            ("12-dora@users.noreply.gitlab.example.com", Some("gitlab:dora")),
            ("12+dora@users.noreply.github.com", Some("github:dora")),
            ("[REDACTED]", None),
            ("", None),
        ] {
            let found = People::of(&event).by_address(address).map(|login| login.to_string());
            assert_eq!(found, want.map(str::to_owned), "{address}");
        }
    }
}
