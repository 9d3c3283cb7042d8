//! The alert's fields, within the limits of both. Their pages understand HTML, in the message too: what could begin a
//! tag is replaced by what looks like it.
//! <https://support.atlassian.com/opsgenie/docs/alerts-and-alert-fields/>

use std::collections::BTreeMap;

use domain::message::Link;
use domain::{Message, Severity, text};
use serde_json::{Value, json};

const MESSAGE: usize = 130;
const DESCRIPTION: usize = 15_000;
const ALIAS: usize = 512;
const TAG: usize = 50;
/// All details together, as JSON.
const DETAILS: usize = 8_000;
const NOTE: usize = 25_000;

/// The alert that a page is there. `responder`: the one person; `details`: how they call its properties.
pub fn alert(message: &Message, actions: &[Link], responder: &Value, details: &str) -> Value {
    let tags = ["recent-deployers", message.key.service.as_str(), message.key.step.word(), message.severity.word()];
    let mut alert = json!({
        "message": cut(&shown(&message.title), MESSAGE),
        "alias": alias(message),
        "description": description(message, actions),
        "responders": [responder],
        "tags": tags.map(|tag| cut(&shown(tag), TAG)),
        "entity": message.key.service,
        "source": "Recent Deployers",
        "priority": priority(message.severity),
    });
    alert[details] = json!(properties(message, actions));
    alert
}

/// By what they know the alert. It stands in the path of an address too.
pub fn alias(message: &Message) -> String {
    text::handle(&message.at_pager().replacen('/', ".", 1), ALIAS)
}

/// What is written to an alert of which something became.
pub fn note(message: &Message) -> String {
    let lines: Vec<&str> = std::iter::once(&message.title).chain(&message.lines).map(String::as_str).collect();
    cut(&shown(&lines.join("\n")), NOTE)
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    }
}

/// The lines, and below them the links, of which none is cut. What was cut from the title is said here in full.
fn description(message: &Message, actions: &[Link]) -> String {
    let mut links = String::new();
    for link in actions.iter().chain(&message.links) {
        let line = format!("\n{}: {}", shown(&link.label), link.url);
        if length(&links) + length(&line) <= DESCRIPTION / 2 {
            links.push_str(&line);
        }
    }
    let title = (length(&message.title) > MESSAGE).then_some(&message.title);
    let text: Vec<String> = title.into_iter().chain(&message.lines).map(|line| shown(line)).collect();
    let text = cut(&text.join("\n"), DESCRIPTION - length(&links));
    format!("{text}{links}").trim_start().to_owned()
}

/// Facts and links by name.
fn properties(message: &Message, actions: &[Link]) -> BTreeMap<String, String> {
    let facts = [
        ("service", message.key.service.to_string()),
        ("about", message.key.subject.to_string()),
        ("person", message.key.person.to_string()),
        ("step", message.key.step.word().to_owned()),
    ];
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value));
    let links = actions.iter().chain(&message.links).map(|link| (shown(&link.label), link.url.clone()));
    let (mut properties, mut room) = (BTreeMap::new(), DETAILS - 2);
    for (name, value) in facts.chain(links) {
        let takes = json!(name).to_string().len() + json!(value).to_string().len() + 2;
        if takes <= room && !properties.contains_key(&name) {
            room -= takes;
            properties.insert(name, value);
        }
    }
    properties
}

/// A text that is no markup.
fn shown(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›")
}

/// As they may count: a character beyond the first 65536 as two.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn cut(text: &str, most: usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let mut room = most.saturating_sub(1);
    let fitting = text.chars().take_while(|c| {
        let fits = c.len_utf16() <= room;
        room = room.saturating_sub(c.len_utf16());
        fits
    });
    format!("{}…", fitting.collect::<String>())
}

#[cfg(test)]
pub mod sample {
    use domain::{IncidentId, Kind, MessageKey, Reason, Step, Subject};

    use super::*;

    /// A page as the wording makes it.
    pub fn page() -> Message {
        let incident: IncidentId = "edxapp-production-1".parse().unwrap();
        Message {
            key: MessageKey {
                service: "edxapp".parse().unwrap(),
                subject: Subject::Incident(incident),
                person: "anna".parse().unwrap(),
                step: Step::FirstResponder,
                nth: 0,
            },
            kind: Kind::Page,
            severity: Severity::Critical,
            title: "[critical] edxapp production: HighErrorRate".to_owned(),
            lines: vec!["7 % of requests fail, since 12:00".to_owned(), "Suspect: edx-platform#12".to_owned()],
            links: vec![Link { label: "Board".to_owned(), url: "https://deployers.example.com/edxapp".to_owned() }],
            short: String::new(),
            pager_key: Some("edxapp#edxapp-production-1#anna#0".to_owned()),
            not_by: None,
            unless: None,
            ends: None,
            again: 0,
            revert: None,
            reason: Reason::NoSuspect,
            decided_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    /// The same, told by somebody who means no good.
    pub fn hostile() -> Message {
        let title = format!("<b>\"it's\" \\ 🔥 {}", "<img src='https://evil.example.com'>é🔥".repeat(12));
        Message {
            title: title.chars().take(400).collect(),
            lines: vec!["<script>alert(\"x\")</script> {{alert}} 🔥".to_owned()],
            links: Vec::new(),
            pager_key: Some("edxapp#a/b%2F?c".to_owned()),
            not_by: None,
            unless: None,
            ends: None,
            again: 0,
            revert: None,
            severity: Severity::Warning,
            ..page()
        }
    }

    pub fn actions() -> Vec<Link> {
        vec![Link { label: "Acknowledge".to_owned(), url: "https://deployers.example.com/do/abc".to_owned() }]
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{actions, page};
    use super::*;

    #[test]
    fn whatever_the_texts_are_every_field_is_within_its_limit() {
        let long = "🔥".repeat(9_000);
        let link =
            |i: usize| Link { label: format!("L{i}"), url: format!("https://x.example.com/{}", "a".repeat(470)) };
        let message = Message {
            title: long.clone(),
            lines: vec![long.clone(), long],
            links: (0..40).map(link).collect(),
            pager_key: Some("k/".repeat(600)),
            not_by: None,
            unless: None,
            ends: None,
            again: 0,
            revert: None,
            ..page()
        };
        let alert = alert(&message, &actions(), &json!({}), "details");
        let size = |name: &str| length(alert[name].as_str().unwrap());
        assert_eq!([size("message"), size("alias"), size("description")], [129, 512, 14_999]);
        let description = alert["description"].as_str().unwrap();
        assert!(description.contains("…\nAcknowledge: https://deployers.example.com/do/abc\nL0: https://x"));
        assert!(description.lines().skip(1).all(|line| line.contains(": https://")), "no link is cut");
        assert!((7_000..=8_000).contains(&alert["details"].to_string().len()));
        assert!(alert["details"]["Acknowledge"].is_string());
        assert!(length(&note(&message)) <= NOTE);
    }
}
