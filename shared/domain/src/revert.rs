//! What a change takes back, or lands again, as its title and body say it.
//!
//! Read are the forms that tools write (`git revert`, the revert buttons of GitHub, GitLab and Bitbucket, Gerrit) and
//! those that people use instead of them. Deliberately no revert: one in part (what stays may still be at
//! fault), prose about reverting, and a way back to some state ("Revert to using X") that names no change.
//! Whether the commit that is taken back was itself a revert is not known here, only what the words say.

mod references;

use serde::{Deserialize, Serialize};

use crate::ids::{Commit, Repository};
use crate::text;
use references::{Reference, number, references, statements};

/// How many changes one revert may name.
pub const MOST_CLAIMS: usize = 10;
/// As much of a body is looked at; whoever reverts says so at its beginning.
const MOST_BODY: usize = 20 * 1024;
const MOST_TITLE: usize = 2000;
/// As long as a change's own title may be, so that the two can be compared.
const MOST_QUOTED: usize = 200;
const MOST_STATEMENTS: usize = 100;
/// Nobody reverts reverts deeper than this; whoever writes so is playing.
const MOST_NESTED: usize = 32;

/// One way in which a revert names a change of its own repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Of a re-land this may be the revert that it takes back.
    Commit(Commit),
    /// A pull or merge request. Of a re-land this may be the revert that it takes back.
    Number(u64),
    /// A title, as one line of the length that changes' titles have; of a re-land: what is landed again.
    Title(String),
}

/// What a change takes back, or lands again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverts {
    /// Best first: commits, numbers, the title. Empty: it says that it reverts, not what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<Claim>,
    /// An even number of reverts: a re-land of what was reverted.
    pub lands_again: bool,
}

/// What the title and body of a merged change say about reverting. `None`: an ordinary change.
#[must_use]
pub fn read(title: &str, body: &str, repository: &Repository) -> Option<Reverts> {
    let (title, body) = (start(title, MOST_TITLE).trim(), start(body, MOST_BODY));
    let title = if is_merge(title) { body.lines().map(str::trim).find(|l| !l.is_empty())? } else { title };
    let mut claims = Claims { repository, of: Vec::new() };
    let Some(said) = says(title) else {
        // An edited title: the words of the tool still come first.
        let first = statements(body).find(|s| s.is_first)?;
        claims.add(references(first.rest));
        return (!claims.of.is_empty()).then(|| Reverts { of: claims.sorted(None), lands_again: first.again });
    };
    let (lands_again, name) = resolve(&said);
    claims.add(references(said.object));
    for statement in statements(body).take(MOST_STATEMENTS) {
        claims.add(references(statement.rest));
    }
    if said.is_conventional {
        for line in body.lines().filter_map(|l| rest_of(l.trim(), "refs:")) {
            claims.add(references(line));
        }
    }
    if let Some(number) = said.name.and_then(number_at_end) {
        claims.add([Reference::Here(Claim::Number(number))]);
    }
    Some(Reverts { of: claims.sorted(name), lands_again })
}

/// At most `most` bytes.
fn start(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// The title that a forge gives to a merge commit; what was merged is said in the body.
fn is_merge(title: &str) -> bool {
    ["merge pull request #", "merge branch '", "merged in "].iter().any(|start| rest_of(title, start).is_some())
}

/// What follows `start`, whatever its letter case.
fn rest_of<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| &text[start.len()..])
}

/// The words of reverting: whether they land again, and whether people use them before words of their own.
const VERBS: [(&str, bool, bool); 25] = [
    ("reverting", false, true),
    ("reverted", false, false),
    ("reverts", false, false),
    ("revert", false, true),
    ("rollback", false, false),
    ("roll back", false, false),
    ("rolls back", false, false),
    ("rolled back", false, false),
    ("rolling back", false, false),
    ("backout", false, false),
    ("back out", false, false),
    ("backs out", false, false),
    ("backed out", false, false),
    ("backing out", false, false),
    ("undo", false, false),
    ("reapplies", true, false),
    ("reapply", true, false),
    ("re-apply", true, false),
    ("reinstate", true, false),
    ("unrevert", true, false),
    ("un-revert", true, false),
    ("relanding", true, true),
    ("relands", true, true),
    ("reland", true, true),
    ("re-land", true, true),
];

/// Before these words "Revert" is prose, the way back to a state, the name of a thing, or a revert in part.
const PROSE: &str =
    " to from into are is was will can part parts most some button buttons dialog command functionality ";

/// What one title says.
struct Said<'a> {
    again: bool,
    is_conventional: bool,
    /// All that follows the verb.
    object: &'a str,
    /// The title it names, where it is named whole.
    name: Option<&'a str>,
}

fn says(title: &str) -> Option<Said<'_>> {
    let (title, is_tagged) = without_tags(title);
    let (verb, again, is_free) = VERBS.iter().find(|(verb, ..)| {
        rest_of(title, verb).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
    })?;
    let object = title[verb.len()..].trim_start();
    let said = |is_conventional, name| Some(Said { again: *again, is_conventional, object, name });
    if let Some(named) = after_colon(object) {
        return said(true, quoted(named).unwrap_or(Some(without_own_number(named))));
    }
    if let Some(name) = quoted(after_nouns(object)) {
        return said(false, name);
    }
    if references(object).next().is_some() {
        return said(false, None);
    }
    let named = rest_of(object, "of ").unwrap_or(object).trim_start();
    let mut words = named.split_whitespace().map(str::to_ascii_lowercase).skip_while(|w| w == "back");
    let is_prose = words.next().is_some_and(|word| PROSE.contains(&format!(" {word} ")));
    if *is_free && !is_tagged && !is_prose {
        return said(false, Some(without_own_number(named)).filter(|n| !n.is_empty()));
    }
    None
}

/// Without what teams put before their titles: `[AB-12]`, `fix(scope):`, `Bug 12 -`. True: by a tag after which
/// only the forms of tools count ("feat: revert button" is a feature).
fn without_tags(title: &str) -> (&str, bool) {
    let (mut title, mut is_tagged) = (title.trim_start(), false);
    for _ in 0..3 {
        if let Some((_, rest)) = title.strip_prefix('[').and_then(|t| t.split_once(']')) {
            title = rest.trim_start_matches([' ', ':', '-']);
            continue;
        }
        let end = [": ", " - "].iter().filter_map(|mark| Some((title.find(mark)?, mark.len()))).min();
        let is_tag = |head: &str| head.len() <= 40 && !head.contains(['"', '“']) && !begins_with_verb(head);
        match end.filter(|(at, _)| is_tag(&title[..*at])) {
            Some((at, len)) => (title, is_tagged) = (title[at + len..].trim_start(), true),
            None => break,
        }
    }
    (title, is_tagged)
}

fn begins_with_verb(head: &str) -> bool {
    VERBS.iter().any(|(verb, ..)| rest_of(head, verb).is_some())
}

/// `: X`, `(scope)!: X` and `- X`.
fn after_colon(object: &str) -> Option<&str> {
    if let Some(rest) = object.strip_prefix("- ") {
        return Some(rest.trim());
    }
    let scoped = object.strip_prefix('(').and_then(|o| Some(o.split_once(')')?.1)).unwrap_or(object);
    let rest = scoped.strip_prefix('!').unwrap_or(scoped).strip_prefix(':')?;
    Some(rest.trim()).filter(|rest| !rest.is_empty())
}

fn after_nouns(mut object: &str) -> &str {
    for noun in ["back ", "of ", "the ", "pr ", "commit ", "change "] {
        object = rest_of(object, noun).unwrap_or(object).trim_start();
    }
    object
}

/// What stands in quotes at the start, up to the last closing quote: quotes may be nested, and something may
/// follow. `Some(None)`: quoted, but cut off.
fn quoted(text: &str) -> Option<Option<&str>> {
    let open = text.chars().next()?;
    let close = match open {
        '"' | '\'' => open,
        '“' => '”',
        '‘' => '’',
        _ => return None,
    };
    let inside = &text[open.len_utf8()..];
    let name = inside.rfind(close).map(|end| inside[..end].trim());
    // An apostrophe opens nothing.
    if name.is_none() && open == '\'' {
        return None;
    }
    Some(name.filter(|n| !n.ends_with('…') && n.chars().any(char::is_alphanumeric)))
}

/// Whether an even number of reverts is said, and the title to look for: what is taken back by name, or, of a
/// re-land, the innermost.
fn resolve(said: &Said<'_>) -> (bool, Option<String>) {
    let (mut again, mut innermost) = (said.again, said.name);
    for _ in 0..MOST_NESTED {
        let Some(inner) = innermost.and_then(says) else { break };
        // Two that land again land again; two that take back do, too.
        again = again == inner.again;
        innermost = inner.name;
    }
    let name = if again { innermost } else { said.name };
    (again, name.map(|n| text::line(n, MOST_QUOTED)).filter(|n| !n.is_empty()))
}

/// `X (#12)`: the forge puts the number of the change itself behind its title.
fn without_own_number(title: &str) -> &str {
    match number_at_end(title) {
        Some(_) => title.rfind('(').map_or(title, |at| title[..at].trim_end()),
        None => title.trim_end(),
    }
}

/// `X (#12)`, `X (!12)`, `X (pull request #12)`.
fn number_at_end(title: &str) -> Option<u64> {
    let inside = title.trim_end().strip_suffix(')')?.rsplit_once('(')?.1;
    let digits = rest_of(inside, "pull request ").unwrap_or(inside).strip_prefix(['#', '!'])?;
    number(digits)
}

/// What was claimed so far.
struct Claims<'a> {
    repository: &'a Repository,
    of: Vec<Claim>,
}

impl Claims<'_> {
    fn add<'r>(&mut self, references: impl IntoIterator<Item = Reference<'r>>) {
        for reference in references {
            if self.of.len() == MOST_CLAIMS {
                return;
            }
            let claim = match reference {
                Reference::Here(claim) => claim,
                Reference::In(path, claim) if path.eq_ignore_ascii_case(self.repository.as_str()) => claim,
                Reference::In(..) | Reference::Elsewhere => continue,
            };
            match self.of.iter_mut().find(|known| is_same(known, &claim)) {
                Some(known) => *known = fuller(known, claim),
                None => self.of.push(claim),
            }
        }
    }

    /// Best first.
    fn sorted(mut self, title: Option<String>) -> Vec<Claim> {
        self.of.sort_by_key(|claim| matches!(claim, Claim::Number(_)));
        self.of.extend(title.map(Claim::Title));
        self.of.truncate(MOST_CLAIMS);
        self.of
    }
}

/// The same change, where one commit may be abbreviated.
fn is_same(a: &Claim, b: &Claim) -> bool {
    if let (Claim::Commit(a), Claim::Commit(b)) = (a, b) { a.same(b) } else { a == b }
}

fn fuller(known: &Claim, new: Claim) -> Claim {
    match (known, &new) {
        (Claim::Commit(a), Claim::Commit(b)) if a.as_str().len() < b.as_str().len() => new,
        _ => known.clone(),
    }
}

#[cfg(test)]
#[path = "revert_tests.rs"]
mod tests;
