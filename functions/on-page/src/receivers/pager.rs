//! What pagers have in common: what they are told of a page, by what they know it, and its texts within their bounds.
//! How each is asked is its own file's business.

use aws::verify::hmac_sha256;
use domain::message::Link;
use domain::text::line;
use domain::{Kind, Message, Step};
use serde_json::Value;

use super::{Letter, Undelivered};

/// So long is one line of a page, in characters.
const MOST_LINE: usize = 1000;

/// What a pager is told of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Somebody has to act.
    Open,
    /// Somebody does.
    Taken,
    /// Nobody has to any more.
    Over,
}

impl Told {
    pub(super) fn by(message: &Message) -> Self {
        match message.kind {
            Kind::Page | Kind::Notice => Self::Open,
            Kind::Update if message.key.step == Step::PagerAcknowledged => Self::Taken,
            Kind::Update => Self::Over,
        }
    }
}

/// By what the pager knows the page, in at most `most` characters: what is longer ends in a digest of the whole.
pub(super) fn key(message: &Message, most: usize) -> String {
    let key = message.at_pager();
    if key.chars().count() <= most {
        return key;
    }
    let digest = hmac_sha256(b"pager key", &[key.as_bytes()]);
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let start: String = key.chars().take(most.saturating_sub(digest.len() + 1)).collect();
    format!("{start}~{digest}")
}

/// The title as one harmless line. Never empty: pagers refuse that.
pub(super) fn title(message: &Message, most: usize) -> String {
    let title = line(&message.title, most);
    if title.is_empty() { format!("{}: you are paged", message.key.service) } else { title }
}

/// The lines below the title, each a harmless one.
pub(super) fn lines(message: &Message) -> impl Iterator<Item = String> {
    message.lines.iter().map(|text| line(text, MOST_LINE))
}

/// What can be done first, then where to look.
pub(super) fn links<'a>(message: &'a Message, actions: &'a [Link]) -> impl Iterator<Item = &'a Link> {
    actions.iter().chain(&message.links)
}

/// Lines and links as one text of at most `most` characters; where that is too little, it is lines that are missing.
pub(super) fn text(lines: &[String], links: &[String], most: usize) -> String {
    let links = links.join("\n");
    let mut room = most.saturating_sub(links.chars().count() + 4);
    let mut kept: Vec<&str> = Vec::new();
    for text in lines {
        let needed = text.chars().count() + 1;
        if needed > room {
            kept.push("…");
            break;
        }
        room -= needed;
        kept.push(text);
    }
    if !kept.is_empty() && !links.is_empty() {
        kept.push("");
    }
    if !links.is_empty() {
        kept.push(&links);
    }
    kept.join("\n")
}

/// A text as it stands in an address.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A refusal in the pager's words, without the address or the secret should it repeat them.
pub(super) fn refused(letter: &Letter<'_>, why: &str) -> Undelivered {
    let secret = letter.secret().ok();
    let hidden = [Some(letter.address), secret.as_ref().map(aws::secrets::Secret::expose)];
    let hidden = hidden.into_iter().flatten().filter(|text| !text.is_empty());
    Undelivered::refused(&hidden.fold(why.to_owned(), |why, text| why.replace(text, "…")))
}

/// The texts in a list, in one line.
pub(super) fn said(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
pub(super) mod tests {
    use domain::{MessageKey, Reason, Severity, Subject};

    use super::*;

    /// A page full of what strangers may write.
    pub(in crate::receivers) fn hostile() -> (Message, Vec<Link>) {
        let link = |label: &str, url: &str| Link { label: label.to_owned(), url: url.to_owned() };
        let message = Message {
            key: MessageKey {
                service: "edxapp".parse().unwrap(),
                subject: Subject::Incident("2026-03-06-abc".parse().unwrap()),
                person: "anna".parse().unwrap(),
                step: Step::FirstResponder,
                nth: 0,
            },
            kind: Kind::Page,
            severity: Severity::Critical,
            title: "[critical] <b>edxapp</b> \"down\"\r\n\u{0}\u{1b}[31m 🔥 {{x}}".to_owned(),
            lines: vec![
                "edx-platform#12 *Fix* the [thing](https://evil.example) <img src=x>".to_owned(),
                "> quoted\n# not a heading \\ `rm` & | ~ _x_".to_owned(),
            ],
            links: vec![link("Board", "https://deployers.example/incidents/2026-03-06-abc")],
            short: String::new(),
            pager_key: Some("edxapp/2026-03-06-abc/anna".to_owned()),
            not_by: None,
            unless: None,
            ends: None,
            again: 0,
            revert: None,
            reason: Reason::NoSuspect,
            decided_at: jiff::Timestamp::UNIX_EPOCH,
        };
        (message, vec![link("Acknowledge", "https://deployers.example/do/a.b_c")])
    }

    /// What became of it.
    pub(in crate::receivers) fn update(step: Step) -> Message {
        let (mut message, _) = hostile();
        message.kind = Kind::Update;
        message.key.step = step;
        message
    }

    #[test]
    fn a_key_is_the_same_each_time_and_never_too_long() {
        let (mut message, _) = hostile();
        assert_eq!(key(&message, 255), "deployers/edxapp/2026-03-06-abc/anna");
        message.pager_key = None;
        assert_eq!(key(&message, 255), "deployers/edxapp#2026-03-06-abc#anna#first-responder");
        let long = |end: &str| {
            let pager_key = Some(format!("{}{end}", "é".repeat(600)));
            key(&Message { pager_key, ..message.clone() }, 255)
        };
        assert_eq!(long("a").chars().count(), 255);
        assert!(long("a").starts_with("deployers/"));
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn a_text_that_is_too_long_lacks_lines_and_keeps_its_links() {
        let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
        let text = text(&lines, &["Acknowledge: https://a".to_owned()], 50);
        assert_eq!(text, "line 0\nline 1\nline 2\n…\n\nAcknowledge: https://a");
        assert!(text.chars().count() <= 50);
    }

    #[test]
    fn nothing_leaves_its_place_in_an_address() {
        assert_eq!(encoded("deployers/a#b&c=d e%é"), "deployers%2Fa%23b%26c%3Dd%20e%25%C3%A9");
    }

    #[test]
    fn what_a_pager_is_told() {
        assert_eq!(Told::by(&hostile().0), Told::Open);
        assert_eq!(Told::by(&update(Step::PagerAcknowledged)), Told::Taken);
        assert_eq!(Told::by(&update(Step::PagerResolved)), Told::Over);
    }
}
