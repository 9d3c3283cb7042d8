//! Names from elsewhere in the Markdown of forges: they mention nobody, refer to nothing, link nowhere and format nothing.
//!
//! Forges look for mentions and references in what the Markdown became, where an escape is gone; so such a mark is parted from its
//! word by a character without width.

use crate::text;

/// Without width, and no part of a word.
const PARTING: char = '\u{200b}';

/// A name among words.
#[must_use]
pub fn literal(text: &str) -> String {
    let mut out = String::new();
    // Addresses become links by themselves where they begin so.
    let parted = text.replace("://", ":\u{200b}//").replace("www.", "www\u{200b}.");
    for c in parted.chars() {
        match c {
            '@' | '#' | '%' | '$' => out.extend([c, PARTING]),
            '!' | '~' | '^' => out.extend(['\\', c, PARTING]),
            '<' => out.push_str("&lt;"),
            '&' => {
                out.push_str("&amp;");
                out.push(PARTING);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '>' => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}

/// A name as it is, in which nothing is read: of freezes, alerts and changes.
#[must_use]
pub fn code(raw: &str, most: usize) -> String {
    let mut out = String::from("`");
    for c in text::line(raw, most).chars() {
        match c {
            '`' => out.push('\''),
            '@' => out.extend([c, PARTING]),
            other => out.push(other),
        }
    }
    // Empty, it would begin what is closed elsewhere.
    if out.len() == 1 {
        out.push('-');
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is without the marks that have no width.
    fn seen(text: &str) -> String {
        text.replace(PARTING, "")
    }

    #[test]
    fn names_mention_nobody_and_link_nowhere() {
        for (name, want) in [
            ("Feanil Patel", "Feanil Patel"),
            ("@openedx/sre", "@\u{200b}openedx/sre"),
            ("fixes #12, !7", "fixes #\u{200b}12, \\!\u{200b}7"),
            ("https://evil.example www.evil.example", "https:\u{200b}//evil.example www\u{200b}.evil.example"),
            ("<img src=x>", "&lt;img src=x\\>"),
            ("&commat;all", "&amp;\u{200b}commat;all"),
            ("**[x](y)** `z`", "\\*\\*\\[x\\](y)\\*\\* \\`z\\`"),
        ] {
            assert_eq!(literal(name), want);
        }
    }

    #[test]
    fn in_a_span_of_code_nothing_is_read() {
        for (name, want) in [
            ("HighErrorRate", "`HighErrorRate`"),
            ("a`b``c", "`a'b''c`"),
            ("one\n\n# two", "`one # two`"),
            ("", "`-`"),
            ("\u{200b}\u{202e}", "`-`"),
            ("@all <!-- recent-deployers -->", "`@all <!-- recent-deployers -->`"),
        ] {
            assert_eq!(seen(&code(name, 60)), want);
        }
        assert!(code("@{18aa}", 60).contains("@\u{200b}{"));
        assert!(code(&"x".repeat(900), 60).chars().count() <= 62);
    }
}
