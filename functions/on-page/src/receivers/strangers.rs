//! A page full of what strangers write, for the tests of what receivers make of it.

use domain::message::Link;
use domain::{Kind, Message, MessageKey, Reason, Severity, Step, Subject};

fn link(label: &str, url: &str) -> Link {
    Link { label: label.to_owned(), url: url.to_owned() }
}

/// A page to anna.
pub(super) fn page(title: &str, lines: &[&str]) -> Message {
    Message {
        key: MessageKey {
            service: "edxapp".parse().unwrap(),
            subject: Subject::Incident("edxapp-k3v7q2ma".parse().unwrap()),
            person: "anna".parse().unwrap(),
            step: Step::Rotation,
            nth: 0,
        },
        kind: Kind::Page,
        severity: Severity::Critical,
        title: title.to_owned(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        links: vec![
            link("Incident", "https://deployers.example.com/incidents/edxapp-k3v7q2ma?a=1&b=2"),
            link("Run*book* | <!here>", "https://wiki.example.com/edxapp"),
            link("Click me", "javascript:alert(1)"),
            link("Broken out", "https://evil.example.com/|label>*x*<!channel>"),
        ],
        short: String::new(),
        pager_key: None,
        not_by: None,
        unless: None,
        ends: None,
        again: 0,
        revert: None,
        reason: Reason::NoSuspect,
        decided_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn hostile() -> Message {
    page(
        "[critical] <!channel> & @everyone: *bold* safe\u{202e}gpj.exe",
        &[
            "feanil merged \u{201c}<https://evil.example.com|a link> [or so](https://evil.example.com)\u{201d}",
            "<at>olga</at> {{DATE(2026-01-01T00:00:00Z)}} ${env} {{{x}}} `code` :fire: <@U024BE7LH>",
            "two\nlines, \u{0}\u{200b}hidden",
            "",
        ],
    )
}
