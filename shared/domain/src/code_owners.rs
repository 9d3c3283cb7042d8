//! CODEOWNERS: who owns which files of a repository, as GitHub and GitLab document it.
//!
//! The last line that means a file wins; a line without owners takes ownership away. Sections are GitLab's: each
//! decides for itself, and a file that has one is read by GitLab's rule that only a leading slash means the root.
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
//! <https://docs.gitlab.com/user/project/codeowners/reference/>

use std::fmt;

use crate::paths::{Anchor, Pattern, Patterns};
use crate::text;

/// GitHub reads no larger file.
const MOST_BYTES: usize = 3 * 1024 * 1024;
const MOST_RULES: usize = 20_000;
const MOST_SECTIONS: usize = 500;
const MOST_OWNERS: usize = 100;

/// One file, compiled.
#[derive(Clone, Default)]
pub struct CodeOwners {
    sections: Vec<Section>,
}

/// Rules that are decided together.
#[derive(Clone, Default)]
struct Section {
    /// Lower-cased; the rules before any section have none.
    name: String,
    /// The owners of each rule, as they are compared: lower-cased.
    owners: Vec<Vec<String>>,
    patterns: Patterns,
}

/// A section that is being read.
#[derive(Default)]
struct Draft {
    name: String,
    owners: Vec<Vec<String>>,
    patterns: Vec<Pattern>,
}

impl CodeOwners {
    /// What can be read of the file, and what cannot, by its line (from 1). A line with a problem means nothing.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<(usize, String)>) {
        if text.len() > MOST_BYTES {
            return (Self::default(), vec![(1, "the file is larger than 3 MB".to_owned())]);
        }
        let is_header = |line: &str| matches!(header(line.trim()), Some(Ok(_)));
        let anchor = if text.lines().any(is_header) { Anchor::LeadingSlash } else { Anchor::AnySlash };
        let mut reader = Reader { anchor, drafts: vec![Draft::default()], current: 0, defaults: Vec::new(), rules: 0 };
        let mut problems = Vec::new();
        for (i, line) in text.lines().enumerate() {
            if let Err(why) = reader.line(line) {
                problems.push((i + 1, why));
            }
            if reader.rules == MOST_RULES || reader.drafts.len() == MOST_SECTIONS {
                problems.push((i + 1, format!("what follows is not read: {MOST_RULES} rules are the most")));
                break;
            }
        }
        let section = |draft: Draft| {
            let patterns = Patterns::new(draft.patterns);
            Section { name: draft.name, owners: draft.owners, patterns }
        };
        (Self { sections: reader.drafts.into_iter().map(section).collect() }, problems)
    }

    /// Who owns a file, lower-cased: of each section the owners of its last rule that means it.
    #[must_use]
    pub fn owners_of(&self, path: &str) -> Vec<&str> {
        let rules = self.sections.iter().filter_map(|s| s.owners.get(s.patterns.last_match(path)?));
        let mut owners: Vec<&str> = rules.flatten().map(String::as_str).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Whether anything at all is this owner's.
    #[must_use]
    pub fn names(&self, owner: &str) -> bool {
        self.sections.iter().flat_map(|s| &s.owners).flatten().any(|known| known == owner)
    }

    /// How many rules it has.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.sections.iter().map(|s| s.owners.len()).sum()
    }
}

impl fmt::Debug for CodeOwners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections = self.sections.iter().map(|s| (s.name.as_str(), s.owners.len()));
        f.debug_map().entries(sections).finish()
    }
}

struct Reader {
    anchor: Anchor,
    drafts: Vec<Draft>,
    current: usize,
    /// Who owns what a line of the section names no owner for.
    defaults: Vec<String>,
    rules: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(header) = header(line) {
            let (name, rest) = header?;
            let defaults = owners(rest)?;
            let name = name.to_lowercase();
            let known = self.drafts.iter().position(|d| d.name == name);
            self.current = known.unwrap_or(self.drafts.len());
            if known.is_none() {
                self.drafts.push(Draft { name, ..Draft::default() });
            }
            self.defaults = defaults;
            return Ok(());
        }
        let (pattern, rest) = pattern(line);
        let mut owners = owners(rest)?;
        let pattern =
            Pattern::new(&pattern, self.anchor).map_err(|why| format!("`{}`: {why}", text::line(&pattern, 60)))?;
        if owners.is_empty() {
            owners.clone_from(&self.defaults);
        }
        if let Some(draft) = self.drafts.get_mut(self.current) {
            draft.owners.push(owners);
            draft.patterns.push(pattern);
            self.rules += 1;
        }
        Ok(())
    }
}

/// `[Name]`, `^[Optional]`, `[Name][2] @default`: the name and what follows. None: a rule, such as `[ab].js`.
fn header(line: &str) -> Option<Result<(&str, &str), String>> {
    let (name, rest) = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?.split_once(']')?;
    let rest = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((count, rest)) if !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => rest,
        Some(_) => return Some(Err("the number of approvals of a section is a number".to_owned())),
        None => rest,
    };
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some(if name.trim().is_empty() { Err("a section has no name".to_owned()) } else { Ok((name.trim(), rest)) })
}

/// The pattern of a rule, which a backslash lets have spaces, and what follows.
fn pattern(line: &str) -> (String, &str) {
    let (mut pattern, mut escaped) = (String::new(), false);
    for (at, c) in line.char_indices() {
        if c.is_whitespace() && !escaped {
            return (pattern, &line[at..]);
        }
        if c.is_whitespace() {
            pattern.pop();
        }
        pattern.push(c);
        escaped = c == '\\' && !escaped;
    }
    (pattern, "")
}

/// `@user`, `@org/team`, `@@role`, `somebody@example.com`, up to a comment.
fn owners(text: &str) -> Result<Vec<String>, String> {
    let mut owners = Vec::new();
    for word in text.split_whitespace().take_while(|word| !word.starts_with('#')) {
        owners.push(handle(word).ok_or_else(|| {
            format!("`{}` is not an owner: write @user, @organisation/team or an address", text::line(word, 60))
        })?);
    }
    if owners.len() > MOST_OWNERS {
        return Err(format!("more than {MOST_OWNERS} owners"));
    }
    Ok(owners)
}

/// An owner as it is compared, lower-cased; `None`: it is not one.
#[must_use]
pub fn handle(word: &str) -> Option<String> {
    let name = word.strip_prefix("@@").or_else(|| word.strip_prefix('@'));
    let is_owner = match name {
        Some(name) => name.starts_with(char::is_alphanumeric) && !name.contains('@'),
        None => word.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.')),
    };
    let is_clean = word.len() <= 200 && word.chars().all(|c| c.is_ascii_graphic() && !"#,;!<>\"".contains(c));
    (is_owner && is_clean).then(|| word.to_ascii_lowercase())
}

#[cfg(test)]
#[path = "code_owners_tests.rs"]
mod tests;
