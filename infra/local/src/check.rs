//! `check [config]`: everything that is wrong with a configuration, or a summary of what is right.

use std::path::Path;

use aws::receiver::ReceiverKind;
use aws::settings::{Configuration, Unreadable};
use aws::slack::{GROUP_SCOPES, TOPIC_SCOPES};
use domain::text::count;
use domain::times::span;

use crate::catalogue;

/// Reads a configuration; it has problems too where it names a sender that no function knows.
pub fn read(path: &Path) -> Result<Configuration, Unreadable> {
    Configuration::read_knowing(path, Some(&catalogue::names()))
}

/// What a configuration without problems amounts to, in a few lines.
#[must_use]
pub fn summary(configuration: &Configuration) -> String {
    let settings = &configuration.settings;
    let served: Vec<_> = settings.services().filter(|s| !s.repositories.is_empty()).collect();
    let mut lines = vec![format!(
        "{}, {}, {}",
        count(served.len(), "service", "services"),
        count(settings.roster.people().count(), "person", "people"),
        count(configuration.senders.len(), "sender", "senders"),
    )];
    for service in served {
        let repositories: Vec<&str> = service.repositories.iter().map(|r| r.repository.as_str()).collect();
        let rotation: Vec<&str> = service.rotation.iter().map(|p| settings.roster.name_of(p)).collect();
        let mode = match service.mode {
            domain::Mode::Page => String::new(),
            domain::Mode::Manual => "; mode manual: nobody is paged".to_owned(),
            mode @ (domain::Mode::Shadow | domain::Mode::Notify | domain::Mode::Propose | domain::Mode::Act) => {
                format!("; mode {}: {}", mode.word(), domain::wording::modes::means(mode))
            }
        };
        let live = service.live_environment().map_or("", |e| e.name.as_str());
        lines.push(format!(
            "  {}: {} go live in {live}; turns last {}, at most {}; rotation: {}{mode}",
            service.id,
            repositories.join(", "),
            span(service.policy.active),
            span(service.policy.at_most),
            rotation.join(", ")
        ));
    }
    for freeze in &settings.freezes {
        let (asks, about) = (freeze.stops.in_words(), freeze.scope.in_words());
        let times = match &freeze.feed {
            Some(_) => "by a calendar that is read while we run".to_owned(),
            None => format!("{} until 2060", count(freeze.times.len(), "time", "times")),
        };
        lines.push(format!("  freeze {}, {times}: {asks} ({about})", freeze.id));
    }
    lines.extend(doubled(configuration));
    lines.extend(shown(configuration));
    lines.join("\n")
}

/// What an app in Slack needs so that it shows who is on call, and who cannot be shown.
fn shown(configuration: &Configuration) -> Vec<String> {
    let settings = &configuration.settings;
    let mut lines = Vec::new();
    for service in settings.services() {
        let id = &service.id;
        if let Some(spot) = &service.channel_topic {
            let [read, write, private_read, private_write] = TOPIC_SCOPES;
            lines.push(format!(
                "  {id}: the topic of {spot} says who is on call: the app has to be in that channel, and needs the scopes {read} and {write} (of a private channel {private_read} and {private_write})"
            ));
        }
        let Some(spot) = &service.user_group else { continue };
        lines.push(format!(
            "  {id}: the user group {spot} is whoever is on call: the app needs the scopes {}",
            GROUP_SCOPES.join(" and ")
        ));
        let account = |c: &domain::Contact| c.receiver == spot.receiver && c.address.starts_with(['U', 'W']);
        let without = settings
            .roster
            .people()
            .filter(|person| service.rotation.contains(&person.id) && !person.contacts.iter().any(account));
        let names: Vec<&str> = without.map(|person| person.name.as_str()).collect();
        if !names.is_empty() {
            lines.push(format!(
                "  careful: {id}: without a contact at {} nobody can be put into the user group: {}",
                spot.receiver,
                names.join(", ")
            ));
        }
    }
    lines
}

/// Where a pager tells us of alerts, it pages people itself; who is reached by the same pager would be paged twice, unless
/// the service stands beside it.
fn doubled(configuration: &Configuration) -> Vec<String> {
    let settings = &configuration.settings;
    let tells = |kind: ReceiverKind| {
        let sender = match kind {
            ReceiverKind::PagerDuty | ReceiverKind::PagerDutyEvents => "pagerduty",
            ReceiverKind::Opsgenie => "opsgenie",
            ReceiverKind::JiraServiceManagement => "jira-service-management",
            ReceiverKind::Terminal
            | ReceiverKind::Webhook
            | ReceiverKind::GoAlert
            | ReceiverKind::Slack
            | ReceiverKind::Teams
            | ReceiverKind::Email
            | ReceiverKind::Sms => return false,
        };
        configuration.senders.values().any(|source| source.kind == sender)
    };
    let pagers: Vec<&str> =
        configuration.receivers.values().filter(|r| tells(r.kind)).map(|r| r.name.as_str()).collect();
    let reached = |pager: &&str| settings.roster.people().any(|p| p.contacts.iter().any(|c| c.receiver == **pager));
    let mut lines = Vec::new();
    for pager in pagers.into_iter().filter(reached) {
        let alone = settings.services().filter(|s| !s.repositories.is_empty() && s.beside.is_none());
        let names: Vec<&str> = alone.map(|service| service.id.as_str()).collect();
        if !names.is_empty() {
            lines.push(format!(
                "  careful: {pager} tells us of alerts and pages people itself, and people are reached by it too: say `beside` in {}, or they are paged twice",
                names.join(", ")
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_that_would_page_somebody_beside_us_is_told() {
        let text = |beside: &str| {
            format!(
                "[senders.pagerduty]\n[unmapped]\nrotation = [\"anna\"]\n[people.anna]\nzone = \"UTC\"\ncontacts = [\"pd:PXPGF42\"]\n\
                 [receivers.pd]\nkind = \"pagerduty\"\nsecret = \"pd\"\nfrom = \"bot@example.com\"\nservice = \"PS\"\n\
                 [services.edxapp]\nowners = [\"anna\"]\nrotation = [\"anna\"]\nrepositories = [{{ name = \"a/b\" }}]\n{beside}\n\
                 [services.edxapp.environments.prod]\nlive = true\n"
            )
        };
        let told = |beside: &str| {
            let parsed = Configuration::parse(&text(beside), &aws::settings::no_files);
            summary(&parsed.unwrap_or_else(|problems| panic!("{problems:?}")))
        };
        assert!(told("").contains("careful: pd tells us of alerts"), "{}", told(""));
        assert!(!told("beside = \"pd:PFIRST\"").contains("careful"));
    }

    #[test]
    fn what_an_app_in_slack_needs_is_told_and_who_cannot_be_shown() {
        let text = |contacts: &str| {
            format!(
                "[unmapped]\nrotation = [\"anna\"]\n[people.anna]\nzone = \"UTC\"\ncontacts = [{contacts}]\n[receivers.slack]\nsecret = \"bot\"\n\
                 [services.edxapp]\nowners = [\"anna\"]\nrotation = [\"anna\"]\nrepositories = [{{ name = \"a/b\" }}]\n\
                 channel_topic = \"slack:C024BE91L\"\nuser_group = \"slack:S0614TZR7\"\n[services.edxapp.environments.prod]\nlive = true\n"
            )
        };
        let told = |contacts: &str| {
            let parsed = Configuration::parse(&text(contacts), &aws::settings::no_files);
            summary(&parsed.unwrap_or_else(|problems| panic!("{problems:?}")))
        };
        let good = told("\"slack:U0ANNA00001\"");
        assert!(good.contains("needs the scopes channels:read and channels:write.topic"), "{good}");
        assert!(good.contains("needs the scopes usergroups:read and usergroups:write"), "{good}");
        assert!(!good.contains("careful"), "{good}");
        let lonely = told("\"terminal\"");
        assert!(
            lonely.contains("careful: edxapp: without a contact at slack nobody can be put into the user group: anna"),
            "{lonely}"
        );
    }
}
