//! `[squads.<id>]`, and what of a repository is whose: `paths` and `codeowners`.

use std::collections::BTreeMap;

use domain::code_owners::handle;
use domain::text;
use domain::{CodeOwners, Paths, Repository, Roster, Service, Squad, Wish};

use super::section::Section;
use super::services::people;

/// How many problems of one CODEOWNERS file are told; more say nothing new.
const MOST_PROBLEMS: usize = 20;

/// The CODEOWNERS files of the repositories, with the names by which the configuration calls them.
#[derive(Default)]
pub(super) struct CodeOwnersFiles {
    files: BTreeMap<Repository, (String, CodeOwners)>,
}

impl CodeOwnersFiles {
    /// `codeowners = "CODEOWNERS"`: a copy of the repository's file, beside the configuration.
    pub(super) fn read(&mut self, section: &mut Section<'_, '_>, repository: &Repository) {
        let Some(content) = section.file("codeowners") else { return };
        let name = section.text("codeowners").unwrap_or_default();
        match self.files.get(repository) {
            Some((known, _)) if *known == name => return,
            Some((known, _)) => {
                let why = format!("`codeowners`: {repository} has the file {} already", text::line(known, 100));
                return section.problem_with("codeowners", why);
            }
            None => {}
        }
        let (owners, problems) = CodeOwners::parse(&content);
        let shown = text::line(&name, 100);
        for (line, why) in problems.iter().take(MOST_PROBLEMS) {
            section.problem_with("codeowners", format!("`codeowners`: {shown}:{line}: {why}"));
        }
        if problems.len() > MOST_PROBLEMS {
            let more = text::count(problems.len() - MOST_PROBLEMS, "more problem", "more problems");
            section.problem_with("codeowners", format!("`codeowners`: {shown} has {more}"));
        }
        self.files.insert(repository.clone(), (name, owners));
    }

    pub(super) fn compiled(self) -> BTreeMap<Repository, CodeOwners> {
        self.files.into_iter().map(|(repository, (_, owners))| (repository, owners)).collect()
    }
}

/// `paths = ["lms/**"]`: patterns as in CODEOWNERS.
pub(super) fn paths(section: &mut Section<'_, '_>, key: &str) -> Paths {
    let mut patterns = Vec::new();
    for (pattern, span) in section.texts(key) {
        match Paths::new(std::slice::from_ref(&pattern)) {
            Ok(_) => patterns.push(pattern),
            Err((_, why)) => section.problem_in(&span, format!("`{}` of `{key}`: {why}", text::line(&pattern, 60))),
        }
    }
    Paths::new(&patterns).unwrap_or_else(|(_, why)| {
        section.problem_with(key, format!("`{key}`: an entry {why}"));
        Paths::default()
    })
}

pub(super) fn read(root: &mut Section<'_, '_>, roster: &Roster, services: &[Service]) -> Vec<Squad> {
    let mut claimed = BTreeMap::new();
    let squads = root.tables("squads", |id, section| squad(id, section, roster, services, &mut claimed));
    squads.into_values().flatten().collect()
}

fn squad(
    id: &str,
    section: &mut Section<'_, '_>,
    roster: &Roster,
    services: &[Service],
    claimed: &mut BTreeMap<String, String>,
) -> Option<Squad> {
    let name = section.text("name").unwrap_or_else(|| id.to_owned());
    let members = people(section, "members", roster);
    let wish = wish(section);
    let code_owners = code_owners(section, id, claimed);
    let (paths, repository) = (paths(section, "paths"), repository(section, services));
    let has_code = section.has("code_owners") || section.has("paths");
    if matches!(wish, Wish::Mine | Wish::AfterEscalation) && !has_code {
        section.problem(format!("wishes \"{}\", but has neither `code_owners` nor `paths`", wish.word()));
    }
    let paths = if paths.is_empty() { Vec::new() } else { vec![(repository, paths)] };
    match id.parse() {
        Ok(id) => Some(Squad { id, name: text::line(&name, 60), members, wish, code_owners, paths }),
        Err(error) => {
            section.problem(format!("not a {error}"));
            None
        }
    }
}

/// Absent: of what touches the squad's own code.
fn wish(section: &mut Section<'_, '_>) -> Wish {
    let Some(word) = section.text("wish") else { return Wish::Mine };
    Wish::ALL.into_iter().find(|wish| wish.word() == word).unwrap_or_else(|| {
        let words = Wish::ALL.map(|wish| format!("\"{}\"", wish.word())).join(", ");
        section.problem_with("wish", format!("`wish` has to be one of {words}"));
        Wish::Mine
    })
}

/// The handles by which CODEOWNERS files call the squad; each is one squad's.
fn code_owners(section: &mut Section<'_, '_>, id: &str, claimed: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut handles = Vec::new();
    for (word, span) in section.texts("code_owners") {
        let Some(handle) = handle(&word) else {
            let word = text::line(&word, 60);
            section.problem_in(
                &span,
                format!("`{word}` is not a code owner: write @organisation/team, as CODEOWNERS does"),
            );
            continue;
        };
        match claimed.insert(handle.clone(), id.to_owned()) {
            Some(other) if other != id => {
                section.problem_in(&span, format!("the code owner {handle} is of the squad {other} already"));
            }
            Some(_) | None => handles.push(handle),
        }
    }
    handles
}

/// Where the squad's `paths` are; absent: in each repository.
fn repository(section: &mut Section<'_, '_>, services: &[Service]) -> Option<Repository> {
    let name = section.text("repository")?;
    match name.parse() {
        Ok(repository) if services.iter().any(|s| s.concerns(&repository)) => return Some(repository),
        Ok(repository) => section.problem_with("repository", format!("no service deploys {repository}")),
        Err(error) => section.problem_with("repository", format!("not a {error}")),
    }
    None
}
