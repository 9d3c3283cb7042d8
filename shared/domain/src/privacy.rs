//! Where somebody is named in what is kept: by their id, an account, an address or their name. And how a placeholder stands there
//! instead, so that what happened can still be read.

use crate::ids::PersonId;
use crate::login::Login;
use crate::roster::Person;

/// By what somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    pub person: PersonId,
    /// Accounts, addresses and names, in lower case, the longest first; the id is among them.
    called: Vec<String>,
}

/// Shorter names are not looked for in texts: they would be found in what means somebody or something else.
const SHORTEST: usize = 3;

impl Traces {
    /// Of somebody who may have left the roster: then by their id, and by the accounts that are named beside.
    #[must_use]
    pub fn of(person: &PersonId, known: Option<&Person>, logins: &[Login]) -> Self {
        let of_roster = known.iter().flat_map(|known| {
            let logins = known.logins.iter().map(Login::name).map(str::to_owned);
            logins.chain([known.name.clone()]).collect::<Vec<_>>()
        });
        let named = logins.iter().map(|login| login.name().to_owned());
        let mut called: Vec<String> =
            of_roster.chain(named).chain([person.to_string()]).map(|name| name.to_lowercase()).collect();
        called.retain(|name| !name.is_empty());
        called.sort_by_key(|name| (std::cmp::Reverse(name.len()), name.clone()));
        called.dedup();
        Self { person: person.clone(), called }
    }

    /// The text with `instead` wherever they are named in it; `None`: they are not.
    #[must_use]
    pub fn replaced(&self, text: &str, instead: &str) -> Option<String> {
        let mut out = text.to_owned();
        let mut found = false;
        for name in self.called.iter().filter(|name| name.len() >= SHORTEST || text.eq_ignore_ascii_case(name)) {
            let (next, any) = replace(&out, name, instead);
            found |= any;
            out = next;
        }
        found.then_some(out)
    }

    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.replaced(text, "").is_some()
    }
}

/// Each time that the name stands there as a word of its own, whatever its letter case.
fn replace(text: &str, name: &str, instead: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before, mut found) = (text, None, false);
    while let Some(c) = rest.chars().next() {
        if !before.is_some_and(is_part)
            && let Some(after) = led_by(rest, name)
            && !continues(after)
        {
            out.push_str(instead);
            found = true;
            before = name.chars().last();
            rest = after;
        } else {
            out.push(c);
            before = Some(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    (out, found)
}

/// What is behind the name, where the text begins with it.
fn led_by<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    for wanted in name.chars() {
        let c = rest.chars().next()?;
        if !c.to_lowercase().eq([wanted]) {
            return None;
        }
        rest = &rest[c.len_utf8()..];
    }
    Some(rest)
}

/// Whether a name goes on with this.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn continues(after: &str) -> bool {
    let mut letters = after.chars();
    match letters.next() {
        Some('.') => letters.next().is_some_and(is_part),
        Some(c) => is_part(c),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::person;

    fn anna() -> Traces {
        let mut known = person("anna", "Anna Lindqvist", "Europe/Stockholm");
        known.logins.push(Login::from_email("anna.l@example.com").unwrap());
        Traces::of(&"anna".parse().unwrap(), Some(&known), &[Login::new("gitlab", "alq").unwrap()])
    }

    #[test]
    fn somebody_is_found_by_whatever_they_are_called_and_nobody_else_is() {
        for (text, want) in [
            ("anna", Some("X")),
            ("Anna", Some("X")),
            ("page to anna: [critical] edxapp", Some("page to X: [critical] edxapp")),
            ("github:anna", Some("github:X")),
            ("email:anna.l@example.com", Some("email:X")),
            ("Anna Lindqvist acknowledged, says anna.", Some("X acknowledged, says X.")),
            ("@ALQ, please", Some("@X, please")),
            ("edxapp/1/anna/2", Some("edxapp/1/X/2")),
            ("ANNA, anna and anna", Some("X, X and X")),
            ("annabel", None),
            ("joanna", None),
            ("anna-maria", None),
            ("mary_anna", None),
            ("anna.smith", None),
            ("", None),
            ("größe", None),
        ] {
            assert_eq!(anna().replaced(text, "X").as_deref(), want, "{text}");
            assert_eq!(anna().is_in(text), want.is_some(), "{text}");
        }
    }

    #[test]
    fn who_has_left_is_known_by_their_id_and_a_short_one_only_where_it_stands_alone() {
        let al = Traces::of(&"al".parse().unwrap(), None, &[]);
        assert_eq!(al.replaced("al", "X").as_deref(), Some("X"));
        assert_eq!(al.replaced("et al", "X"), None);
    }

    proptest! {
        #[test]
        fn once_replaced_they_are_not_found_again(text in "[aAnNlLqQ .@_:/é-]{0,40}|(anna|alq|x|[., @]){0,12}") {
            let once = anna().replaced(&text, "former-1a2b").unwrap_or(text);
            prop_assert!(!anna().is_in(&once), "{}", once);
        }
    }
}
