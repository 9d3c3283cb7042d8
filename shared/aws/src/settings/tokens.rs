//! `api_secret` and `read_tokens`: the names of the secrets with which programs read. Each is handed to a program, so none may be a
//! secret that does more than read.

use std::collections::BTreeSet;
use std::ops::Range;

use super::section::Section;

pub(super) type Tokens = Vec<(String, Option<Range<usize>>)>;

pub(super) fn read(root: &mut Section<'_, '_>) -> Tokens {
    let one = root.text("api_secret").map(|name| (name, None));
    let more = root.texts("read_tokens").into_iter().map(|(name, span)| (name, Some(span)));
    one.into_iter().chain(more).collect()
}

/// `others`: the names of every other secret.
pub(super) fn check(root: &mut Section<'_, '_>, tokens: &Tokens, link_secret: &str, others: &BTreeSet<&str>) {
    let mut seen = BTreeSet::new();
    for (name, span) in tokens {
        let problem = if name == link_secret {
            format!("`{name}` signs links: whoever is handed it to read could act as anybody")
        } else if others.contains(name.as_str()) {
            format!("`{name}` is another secret too: whoever is handed it to read could do more")
        } else if !seen.insert(name) {
            format!("`{name}` is named twice")
        } else {
            continue;
        };
        match span {
            Some(span) => root.problem_in(span, problem),
            None => root.problem_with("api_secret", problem),
        }
    }
}
