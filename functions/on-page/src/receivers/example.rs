//! Messages for the tests of the receivers: an ordinary page, a hostile one, a notice.

use domain::message::Link;
use domain::{Kind, Message, MessageKey, Reason, Severity, Step, Subject};

fn link(label: &str, url: &str) -> Link {
    Link { label: label.to_owned(), url: url.to_owned() }
}

/// What an alert makes of edxapp, with the link by which it is acknowledged.
pub(super) fn page() -> (Message, Vec<Link>) {
    let key = MessageKey {
        service: "edxapp".parse().unwrap(),
        subject: Subject::Incident("edxapp-k3v7q2ma".parse().unwrap()),
        person: "feanil".parse().unwrap(),
        step: Step::FirstResponder,
        nth: 0,
    };
    let lines = [
        "7 % of requests fail, since 14:20.",
        "Why you: you merged edx-platform#12, live 6 min before.",
        "What changed:",
        "  1. edx-platform#12 Faster & \"better\" grades (you; live 6 min before)",
        "Revert: press Revert on https://github.com/openedx/edx-platform/pull/12",
    ];
    let message = Message {
        key,
        kind: Kind::Page,
        severity: Severity::Critical,
        title: "[critical] edxapp production: HighErrorRate".to_owned(),
        lines: lines.map(str::to_owned).into(),
        links: vec![
            link("Board", "https://deployers.example.com/incidents/edxapp-k3v7q2ma"),
            link("Alert", "https://alerts.example.com/graph?g0.expr=up&g0.tab=1"),
        ],
        short: String::new(),
        pager_key: None,
        not_by: None,
        unless: None,
        ends: None,
        again: 0,
        revert: None,
        reason: Reason::NoSuspect,
        decided_at: "2026-03-20T12:20:00Z".parse().unwrap(),
    };
    let path = "acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233";
    (message, vec![link("Acknowledge", &format!("https://deployers.example.com/{path}"))])
}

/// The same, by somebody who chose every word of it.
pub(super) fn hostile() -> (Message, Vec<Link>) {
    let (mut message, mut actions) = page();
    let long = "x".repeat(500);
    message.title = format!("<script>alert(1)</script>\r\nBcc: evil@example.com\r\n\u{202e}gnp.exe 🔥🔥 {long}");
    message.lines = vec![
        "</p><img src=\"https://evil.example.com/pixel\" onerror='alert(1)'>".to_owned(),
        "one\r\n.\r\nMAIL FROM:<evil@example.com>".to_owned(),
    ];
    message.links = vec![
        link("Runbook", "javascript:alert(1)"),
        link("Alert", "https://example.com/\"onmouseover=\"alert(1)"),
        link("<b>Board</b>\r\n", "https://deployers.example.com/?a=1&b='2'"),
    ];
    actions.push(link("Pay", "data:text/html,<script>alert(1)</script>"));
    (message, actions)
}

/// What asks for nothing.
pub(super) fn notice() -> (Message, Vec<Link>) {
    let (mut message, _) = page();
    (message.kind, message.key.step) = (Kind::Notice, Step::Resolved);
    message.title = "Resolved: [critical] edxapp production: HighErrorRate".to_owned();
    message.lines = vec!["14:20 to 14:52, 32 min. Anna acknowledged after 3 min.".to_owned()];
    message.links.truncate(1);
    (message, Vec::new())
}
