//! References to changes in running text: `commit a and b`, `PR #1`, `group/project!1`, web addresses; and the
//! sentences of a body that begin with them.

use super::{Claim, rest_of};
use crate::ids::Commit;

/// How a line begins that says what is taken back, or landed again.
const STATEMENTS: [(&str, bool); 9] = [
    ("this reverts ", false),
    ("this commit reverts ", false),
    ("this pr reverts ", false),
    ("this pull request reverts ", false),
    ("reverts ", false),
    ("this is a reland of ", true),
    ("this relands ", true),
    ("relands ", true),
    ("reapplies ", true),
];

pub(super) struct Statement<'a> {
    pub(super) again: bool,
    /// Whether it is the first that is said at all.
    pub(super) is_first: bool,
    /// What follows, to the end of the paragraph.
    pub(super) rest: &'a str,
}

/// What the lines of a body say.
pub(super) fn statements(body: &str) -> impl Iterator<Item = Statement<'_>> {
    let mut first = true;
    body.split_inclusive('\n')
        .scan(0, move |at, line| {
            let begin = *at;
            *at += line.len();
            Some((begin, line))
        })
        .filter_map(move |(begin, line)| {
            let said = line.trim_start_matches([' ', '\t', '*', '-', '_']);
            if said.trim().is_empty() {
                return None;
            }
            let is_first = std::mem::take(&mut first);
            let (start, again) = STATEMENTS.iter().find(|(start, _)| rest_of(said, start).is_some())?;
            let rest = &body[begin + line.len() - said.len() + start.len()..];
            let end = ["\n\n", "\n\r\n"].iter().filter_map(|blank| rest.find(blank)).min().unwrap_or(rest.len());
            let statement = Statement { again: *again, is_first, rest: &rest[..end] };
            references(statement.rest).next().is_some().then_some(statement)
        })
}

/// A reference to a change.
pub(super) enum Reference<'a> {
    Here(Claim),
    /// With the path of the repository it belongs to, which may be ours.
    In(&'a str, Claim),
    /// Something that is tracked elsewhere.
    Elsewhere,
}

/// The references with which a text begins: `commit a and b`, `PR #1`, `!1`, `owner/name#1`, a web address.
pub(super) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    let (mut is_commit, mut is_bug, mut is_over) = (false, false, false);
    text.split_whitespace()
        .take(60)
        .map_while(move |word| {
            // What is quoted is a title; in brackets stands the change's own number.
            if is_over || word.starts_with(['"', '\'', '“', '‘', '(']) {
                return None;
            }
            let clean = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '#' | '!'));
            match clean.to_ascii_lowercase().as_str() {
                "" | "and" | "pr" | "prs" | "mr" | "pull" | "merge" | "request" | "requests" => return Some(None),
                "commit" | "commits" | "changeset" | "changesets" => is_commit = true,
                "bug" => is_bug = true,
                _ => {
                    is_over = word.ends_with(['.', ':']);
                    let found = if is_bug && number(clean).is_some() {
                        Some(Reference::Elsewhere)
                    } else {
                        reference(clean, is_commit)
                    };
                    return found.map(Some);
                }
            }
            Some(None)
        })
        .flatten()
}

fn reference(word: &str, is_commit: bool) -> Option<Reference<'_>> {
    // `[12ab](https://...)` in Markdown.
    let word = word.split("](").next()?;
    if let Some(address) = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://")) {
        return address_of_change(address.split_once('/')?.1);
    }
    if let Some(commit) = commit(word, is_commit) {
        return Some(Reference::Here(Claim::Commit(commit)));
    }
    let (path, rest) = word.split_at(word.find(['#', '!', '@'])?);
    let claim = match rest.strip_prefix('@') {
        Some(name) => Claim::Commit(commit(name, true)?),
        None => Claim::Number(number(&rest[1..])?),
    };
    // A word does not begin with `@`: that is trimmed.
    Some(if path.is_empty() { Reference::Here(claim) } else { Reference::In(path, claim) })
}

fn address_of_change(path: &str) -> Option<Reference<'_>> {
    let kinds = ["/-/merge_requests/", "/pull/", "/pull-requests/", "/-/commit/", "/commit/", "/commits/"];
    let (kind, at) = kinds.iter().find_map(|kind| Some((kind, path.find(kind)?)))?;
    let name = path[at + kind.len()..].split(['/', '?', '#']).next()?;
    let claim = if kind.contains("commit") { Claim::Commit(commit(name, true)?) } else { Claim::Number(number(name)?) };
    Some(Reference::In(&path[..at], claim))
}

/// A commit; unless the word before says so, not one that could be a word or a number.
fn commit(word: &str, is_commit: bool) -> Option<Commit> {
    let mixed = || word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic());
    (is_commit || word.len() >= 40 || mixed()).then(|| word.parse().ok()).flatten()
}

/// A number that a forge could give: only digits, not 0.
pub(super) fn number(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|n| *n > 0 && digits.bytes().all(|b| b.is_ascii_digit()))
}
