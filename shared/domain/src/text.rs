//! Text from outside, made harmless before it is kept: bounded, one line, no control or direction marks.
//!
//! Escaping for a sink (HTML, chat, SMS) is not done here: each sink does its own.

use sha2::{Digest, Sha256};

/// One printable line of at most `most` characters; what is cut ends in `…`.
#[must_use]
pub fn line(raw: &str, most: usize) -> String {
    let mut out = String::with_capacity(raw.len().min(most * 4));
    let mut kept = 0;
    let mut space = false;
    for c in raw.chars() {
        if c.is_whitespace() || c.is_control() {
            space = kept > 0;
            continue;
        }
        if deceives(c) {
            continue;
        }
        let wanted = 1 + usize::from(space);
        if kept + wanted > most.saturating_sub(1) {
            out.push('…');
            return out;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
        }
        out.push(c);
        kept += wanted;
    }
    out
}

/// Marks that reorder or hide text: bidirectional controls, zero-width characters, tags, line separators.
fn deceives(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A web address fit to be shown as a link: http(s), bounded, nothing that ends an attribute or a line.
#[must_use]
pub fn url(raw: &str) -> Option<String> {
    let known = raw.starts_with("https://") || raw.starts_with("http://");
    let clean = raw.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '`' | '\\' | '|'));
    (known && clean && raw.len() <= 500).then(|| raw.to_owned())
}

/// A key as a name that can stand in an address, where a slash, even encoded, may end a segment: of at most `most`
/// characters (at least 40). Where something had to be replaced or cut, a digest keeps it unique.
#[must_use]
pub fn handle(key: &str, most: usize) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:@#".contains(c);
    if key.len() <= most && key.chars().all(fits) {
        return key.to_owned();
    }
    let digest = digest(key);
    let kept = key.chars().take(most.saturating_sub(digest.len() + 1)).map(|c| if fits(c) { c } else { '.' });
    format!("{}.{digest}", kept.collect::<String>())
}

/// Tells texts apart: 16 bytes of their digest, in hex.
#[must_use]
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// `1 change`, `2 changes`.
#[must_use]
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// Whether a text is like a pattern in which `*` stands for anything; without regard to case.
#[must_use]
pub fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_title_becomes_one_plain_line() {
        for (raw, most, want) in [
            ("  Fix\r\n\tthe\u{0}  thing ", 20, "Fix the thing"),
            ("safe\u{202e}exe.txt", 20, "safeexe.txt"),
            ("a\u{200b}b\u{feff}c", 20, "abc"),
            ("", 20, ""),
            ("12345678901", 10, "123456789…"),
            ("<!channel> & \"x\"", 30, "<!channel> & \"x\""),
        ] {
            assert_eq!(line(raw, most), want);
        }
        assert_eq!(line(&"é".repeat(9000), 300).chars().count(), 300);
    }

    #[test]
    fn a_key_becomes_a_name_that_is_its_own() {
        assert_eq!(handle("edxapp#1#anna", 100), "edxapp#1#anna");
        assert_eq!(handle("edxapp/1 é", 100), "edxapp.1...043e7f0e203e99109d8c6300ccbe5821");
        let (long, longer) = ("k".repeat(600), "k".repeat(601));
        assert_eq!(handle(&long, 512).len(), 512);
        let names = ["a/b", "a.b", "a?b", &long, &longer].map(|key| handle(key, 512));
        let different: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_star_stands_for_anything_also_for_nothing() {
        for (text, pattern, is) in [
            ("deploy", "deploy", true),
            ("deploy", "Deploy", true),
            ("deploys", "deploy", false),
            ("deploy-prod", "deploy*", true),
            ("deploy", "deploy*", true),
            ("redeploy", "*deploy", true),
            ("a-deploy-b", "*deploy*", true),
            ("aXbXc", "a*b*c", true),
            ("ab", "a*ab*b", false),
            ("aab", "a*ab*", true),
            ("abcb", "a*b*b", true),
            ("abc", "a*b*b", false),
            ("abxbc", "a*bx*x*c", false),
            ("xyxyz", "*xy*xy*z", true),
            ("xyz", "*xy*xy*z", false),
            ("", "*", true),
            ("", "", true),
            ("b", "a*", false),
        ] {
            assert_eq!(is_like(text, pattern), is, "{text} like {pattern}");
        }
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(url("https://github.com/openedx/edx-platform/pull/12").is_some());
        for bad in ["javascript:alert(1)", "//evil", "https://x\"onclick=", "https://x y", "http://x\n", "ftp://x"] {
            assert_eq!(url(bad), None, "{bad}");
        }
        assert_eq!(url(&format!("https://{}", "a".repeat(600))), None);
    }
}
