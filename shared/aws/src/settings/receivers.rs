//! `[receivers.<name>]`, and the contacts of people, which name them.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::Contact;
use strum::IntoEnumIterator;

use super::section::Section;
use crate::receiver::{AddressForm, ReceiverConfig, ReceiverKind};

/// The keys that some kind of receiver knows.
const KEYS: [&str; 6] = ["url", "secret", "signing_secret", "from", "service", "cloud"];

pub(super) fn read(root: &mut Section<'_, '_>) -> BTreeMap<String, ReceiverConfig> {
    let terminal = ReceiverConfig::terminal();
    let found = root.tables("receivers", receiver);
    let found = found.into_values().flatten().chain([terminal]);
    found.map(|receiver| (receiver.name.clone(), receiver)).collect()
}

fn receiver(name: &str, section: &mut Section<'_, '_>) -> Option<ReceiverConfig> {
    let word = section.text("kind").unwrap_or_else(|| name.to_owned());
    let kind = ReceiverKind::from_str(&word).ok().filter(|kind| *kind != ReceiverKind::Terminal);
    if name.is_empty() || name.contains(':') || name == ReceiverKind::Terminal.word() {
        section.problem("the name stands before the `:` of a contact; `terminal` is always there");
    }
    let Some(kind) = kind else {
        let words: Vec<&str> =
            ReceiverKind::iter().filter(|k| *k != ReceiverKind::Terminal).map(ReceiverKind::word).collect();
        let word = domain::text::line(&word, 40);
        section.problem(format!("no receiver is called `{word}`; say which by `kind`: {}", words.join(", ")));
        KEYS.iter().for_each(|key| drop(section.text(key)));
        return None;
    };
    let traits = kind.traits();
    for key in traits.needs {
        if !section.has(key) {
            section.problem(format!("`{key}` is missing"));
        }
    }
    let mut known = |key: &str| {
        let is = traits.needs.contains(&key) || traits.may.contains(&key);
        if is { section.text(key) } else { None }
    };
    let (secret, from, service, cloud) = (known("secret"), known("from"), known("service"), known("cloud"));
    let signing_secret = known("signing_secret");
    let url = if known("url").is_some() { section.url("url") } else { None };
    Some(ReceiverConfig {
        name: name.to_owned(),
        kind,
        url: url.or_else(|| traits.url.map(str::to_owned)).unwrap_or_default(),
        secret,
        signing_secret,
        from,
        service,
        cloud,
    })
}

/// `contacts = ["slack:U024BE7LH", "terminal"]`: in order, until one accepts.
pub(super) fn contacts(
    section: &mut Section<'_, '_>,
    key: &str,
    receivers: &BTreeMap<String, ReceiverConfig>,
) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for (text, span) in section.texts(key) {
        let (name, address) = text.split_once(':').unwrap_or((&text, ""));
        let (name, address) = (name.trim(), address.trim());
        let Some(receiver) = receivers.get(name) else {
            let name = domain::text::line(name, 40);
            section.problem_in(
                &span,
                format!("a contact is \"terminal\", or \"<receiver>:<address>\"; there is no [receivers.{name}]"),
            );
            continue;
        };
        match receiver.kind.traits().address {
            AddressForm::None if !address.is_empty() => {
                section.problem_in(&span, format!("a {} has no address: write \"{name}\"", receiver.kind.word()));
            }
            AddressForm::Like(example, is) if !is(address) => {
                section.problem_in(&span, format!("after `{name}:` comes something like {example}"));
            }
            AddressForm::None | AddressForm::Like(..) => {
                let keeps = receiver.kind.traits().keeps;
                contacts.push(Contact { receiver: name.to_owned(), address: address.to_owned(), keeps });
            }
        }
    }
    contacts
}

#[cfg(test)]
mod tests {
    use crate::settings::{Configuration, no_files};

    #[test]
    fn slack_is_addressed_by_ids_and_may_sign_and_teams_is_an_address_by_itself() {
        let read = |receivers: &str, contact: &str| {
            let text = format!(
                "public_url = \"https://x.example.com\"\n[people.anna]\nzone = \"UTC\"\ncontacts = [\"{contact}\"]\n{receivers}"
            );
            let problems = Configuration::parse(&text, &no_files).err().unwrap_or_default();
            let of_receivers = |what: &&String| what.contains("receivers") || what.contains("people.anna");
            problems.iter().map(|p| &p.what).filter(of_receivers).cloned().collect::<Vec<_>>().join("\n")
        };
        let slack = "[receivers.slack]\nsecret = \"bot\"\nsigning_secret = \"signing\"\n";
        for good in ["slack:U024BE7LH", "slack:W012A3CDE", "slack:C1234567890", "slack:G012AC86C"] {
            assert_eq!(read(slack, good), "", "{good}");
        }
        for bad in
            ["slack", "slack:#general", "slack:general", "slack:u024be7lh", "slack:U024", "slack:anna@example.com"]
        {
            assert_eq!(read(slack, bad), "[people.anna] after `slack:` comes something like U024BE7LH", "{bad}");
        }
        let teams = "[receivers.teams]\nsecret = \"workflow\"\n";
        assert_eq!(read(teams, "teams"), "");
        assert_eq!(read(teams, "teams:anna"), "[people.anna] a teams has no address: write \"teams\"");
        let signs = format!("{teams}signing_secret = \"signing\"\n");
        assert!(read(&signs, "teams").contains("signing_secret"), "{}", read(&signs, "teams"));
    }
}
