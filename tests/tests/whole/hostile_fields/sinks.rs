//! What each sink may hold of a stranger's words: a check for each. Whatever ends a line, reorders or hides text, or drives a terminal
//! must not arrive anywhere; what a sink takes for markup must not arrive there.

use std::collections::BTreeSet;

use house_tests::root;
use serde_json::Value;

/// What every stranger's text begins with.
pub const MARK: &str = "zq7";

/// Texts that strangers write, each line of markup that some sink would read.
pub const WORDS: [&str; 2] = [
    "zq7\"'><img src=x onerror=1><!channel> <@U0EVIL1> @all &amp; [x](https://evil.example/a) {{7*7}}\r\n/merge\u{1b}[2J\u{202e}\u{0}",
    "zq7`*_~| <https://evil.example|y> <at>x</at> ${7} %0d%0a #1 !1 </script><script>1</script>\u{2028}:fire:\u{200b}\u{9b}2J",
];
/// What they write where an address is expected.
pub const ADDRESSES: [&str; 2] = ["javascript:alert('zq7')", "https://evil.example/zq7\" onmouseover=\"1"];

/// Whether a text holds nothing that ends a line, reorders, hides or drives, but what is named.
#[track_caller]
pub fn plain(what: &str, text: &str, but: &[char]) {
    let deceives = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some(at) = text.char_indices().find(|(_, c)| deceives(*c) && !but.contains(c)) {
        let near: String = text[..at.0].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what}: {:?} after {near:?}", at.1);
    }
}

/// Every text in a JSON value, with the object that it is in.
pub fn texts<'a>(value: &'a Value, parent: &'a Value, see: &mut impl FnMut(&'a str, &'a Value)) {
    match value {
        Value::String(text) => see(text, parent),
        Value::Array(list) => list.iter().for_each(|one| texts(one, parent, see)),
        Value::Object(map) => {
            for (name, one) in map {
                see(name, value);
                texts(one, value, see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON that programs read: no text in it drives or deceives, and no address is a script's.
#[track_caller]
pub fn json(what: &str, body: &str) {
    let value: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{what}: {error}: {body}"));
    texts(&value, &value, &mut |text, _| {
        plain(what, text, &['\n']);
        assert!(!text.starts_with("javascript:"), "{what}: {text}");
    });
}

/// The elements and attributes that may stand in a page, as our own templates have them.
pub struct Markup(BTreeSet<String>);

impl Markup {
    /// Those of the board's templates.
    pub fn of_templates() -> Self {
        let mut known: BTreeSet<String> =
            ["nav aria-current", "a aria-current", "option selected"].map(str::to_owned).into();
        for file in std::fs::read_dir(root().join("functions/on-request/templates")).unwrap().map(Result::unwrap) {
            if file.path().extension().is_some_and(|e| e == "html") {
                let text = std::fs::read_to_string(file.path()).unwrap();
                known.extend(elements(&without_template(&text)).into_iter().flat_map(|found| found.names()));
            }
        }
        Self(known)
    }

    /// Those of our e-mails.
    pub fn of_emails() -> Self {
        let known = "html|html lang|head|meta|meta charset|meta name|meta content|title|body|body style|p|strong|a|a href|a style|br";
        Self(known.split('|').map(str::to_owned).collect())
    }

    /// A page: nothing that drives or deceives, and nothing that is not ours.
    #[track_caller]
    pub fn check(&self, what: &str, html: &str) {
        plain(what, html, &['\n', '\t']);
        self.structure(what, html);
    }

    /// No element and no attribute but ours, and no address that is not one.
    #[track_caller]
    pub fn structure(&self, what: &str, html: &str) {
        let mut rest = html.to_owned();
        for ours in ["script", "style"] {
            assert!(rest.matches(&format!("<{ours}")).count() <= 1, "{what}: another {ours}");
            let (begin, end) = (format!("<{ours}>"), format!("</{ours}>"));
            if let Some((before, after)) = rest.split_once(&begin) {
                let after = after.split_once(&end).unwrap_or_else(|| panic!("{what}: no end of {ours}")).1;
                rest = format!("{before}{after}");
            }
        }
        for found in elements(&rest) {
            for name in found.names() {
                assert!(self.0.contains(&name), "{what}: {name} is not ours: {found:?}");
            }
            for (name, value) in &found.attributes {
                let leads = ["href", "src", "action"].contains(&name.as_str());
                let known =
                    ["/", "#", "?", "http://", "https://", "webcal://"].iter().any(|start| value.starts_with(start));
                assert!(!leads || known, "{what}: {found:?}");
            }
        }
    }
}

/// One element as a browser would find it.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn names(&self) -> Vec<String> {
        let with = self.attributes.iter().map(|(name, _)| format!("{} {name}", self.name));
        std::iter::once(self.name.clone()).chain(with).collect()
    }
}

/// A template without what its engine reads.
fn without_template(text: &str) -> String {
    let mut rest = text.to_owned();
    for (begin, end) in [("{%", "%}"), ("{{", "}}")] {
        while let Some(at) = rest.find(begin) {
            let length = rest[at..].find(end).map_or(rest.len() - at, |length| length + end.len());
            rest.replace_range(at..at + length, "");
        }
    }
    rest
}

fn elements(html: &str) -> Vec<Element> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() || rest.starts_with('>') {
                break;
            }
            let end = rest.find(|c: char| c.is_whitespace() || "=>".contains(c)).unwrap_or(rest.len());
            let name = rest[..end].to_ascii_lowercase();
            rest = &rest[end..];
            let mut value = "";
            if let Some(after) = rest.strip_prefix('=') {
                let quote = after.chars().next().filter(|c| "\"'".contains(*c));
                let after = &after[quote.map_or(0, char::len_utf8)..];
                let ends = |c: char| quote.map_or(c.is_whitespace() || c == '>', |quote| c == quote);
                let end = after.find(ends).unwrap_or(after.len());
                value = &after[..end];
                rest = &after[(end + usize::from(quote.is_some())).min(after.len())..];
            }
            attributes.push((name, value.replace("&#x2f;", "/")));
        }
        found.push(Element { name, attributes });
    }
    found
}

/// What Slack is sent: no mention, no link but ours, and markup only where we wrote it.
#[track_caller]
pub fn slack(what: &str, body: &str) {
    json(what, body);
    let value: Value = serde_json::from_str(body).unwrap();
    texts(&value, &value, &mut |text, parent| {
        for bad in ["<!", "<@", "<https://evil", "<img", "<at>", "<script"] {
            assert!(!text.contains(bad), "{what}: {text}");
        }
        let ours = text.starts_with("<https://deployers.example.com/") || !text.contains(MARK);
        assert!(parent["type"] != "mrkdwn" || ours, "{what}: {text}");
    });
}

/// What Teams is sent.
#[track_caller]
pub fn teams(what: &str, body: &str) {
    json(what, body);
    let value: Value = serde_json::from_str(body).unwrap();
    texts(&value, &value, &mut |text, parent| {
        for bad in ["{{", "${", "<at"] {
            assert!(!text.contains(bad), "{what}: {text}");
        }
        // A text block would be read as Markdown.
        assert!(!text.contains(MARK) || parent["type"] != "TextBlock", "{what}: {text}");
    });
}

/// What SES is sent.
#[track_caller]
pub fn email(what: &str, body: &str) {
    let value: Value = serde_json::from_str(body).unwrap();
    let part = |at: &str| value.pointer(&format!("/Content/Simple/{at}/Data")).and_then(Value::as_str).unwrap();
    plain(what, part("Subject"), &[]);
    plain(what, part("Body/Text"), &['\n']);
    Markup::of_emails().check(what, part("Body/Html"));
    for header in value.pointer("/Content/Simple/Headers").and_then(Value::as_array).unwrap() {
        let text = header["Value"].as_str().unwrap();
        assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{what}: {text}");
    }
}

/// What SNS is sent for a telephone: two lines at most, of which the second is ours.
#[track_caller]
pub fn sms(what: &str, body: &str) {
    let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let text = &form.iter().find(|(name, _)| name == "Message").unwrap().1;
    plain(what, text, &['\n']);
    let mut lines = text.lines();
    let (_, second, third) = (lines.next(), lines.next(), lines.next());
    assert!(second.is_none_or(|line| line.starts_with("https://deployers.example.com/")), "{what}: {text}");
    assert_eq!(third, None, "{what}: {text}");
    assert_eq!(form.iter().filter(|(name, _)| name == "PhoneNumber").count(), 1, "{what}");
}

/// What a terminal prints: each line is one of ours, headed or indented.
#[track_caller]
pub fn terminal(what: &str, text: &str) {
    plain(what, text, &['\n']);
    for line in text.lines() {
        assert!(line.starts_with("── ") || line.starts_with("  "), "{what}: a line of a stranger: {line}");
    }
}

/// Markdown at a forge or in a retrospective: nobody is mentioned, nothing is linked, no block begins.
#[track_caller]
pub fn markdown(what: &str, text: &str) {
    // A mark without width parts a mention from its word: it is ours.
    plain(what, text, &['\n', '\u{200b}']);
    let outside: String = text.split('`').step_by(2).collect();
    for bad in
        ["<img", "<script", "<at>", "<!channel", "@all", "](https://evil", "](<https://evil", "](javascript", "{{"]
    {
        let seen = if bad == "{{" { "" } else { outside.as_str() };
        assert!(!seen.contains(bad), "{what}: {bad}: {text}");
    }
    for line in text.lines() {
        let begins = line.trim_start();
        assert!(!begins.starts_with(['/', '<', '>', '=']) && !begins.starts_with(MARK), "{what}: {line}");
    }
}

/// A calendar: each line is a property or the rest of one.
#[track_caller]
pub fn calendar(what: &str, text: &str) {
    plain(what, text, &['\r', '\n']);
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, _) = line.split_once(':').unwrap_or((line, ""));
        let ours = name.bytes().all(|b| b.is_ascii_uppercase() || b"-;=".contains(&b));
        assert!(line.starts_with(' ') || ours, "{what}: {line}");
        assert!(!line.contains('\n') && !line.contains('\r'), "{what}: {line:?}");
    }
}
