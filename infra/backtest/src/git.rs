//! Reads a history out of a clone: the main line, its reverts in the forms that GitHub, GitLab and Bitbucket write, and which change each takes
//! back. The program `git` reads the objects; nothing of the clone is changed.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use domain::rank::past::MOST_FILES;
use domain::revert::{self, Claim};
use domain::{Commit, Login, Repository};
use jiff::{SignedDuration, Timestamp};

use crate::history::{History, Incident, Landed};

/// How old a culprit may be when it is reverted, for its incident to count.
const WEEK: SignedDuration = SignedDuration::from_hours(168);
/// Between the fields of a commit, and after them: what no message can hold.
const BETWEEN: u8 = 0;
/// Commit, time, name, address, parents, title, body, files.
const FIELDS: usize = 8;

/// Git could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GitFailed {
    #[error("cannot run git: is it installed?")]
    NotRun(#[source] io::Error),
    #[error("cannot read what git says")]
    NotRead(#[source] io::Error),
    #[error("git log failed: {0}")]
    Refused(String),
}

/// What a commit says of itself.
struct Said {
    landed: Landed,
    body: String,
}

/// Reads the main line of the clone in `folder`. `progress` hears how many commits are read, of how many.
pub fn read(folder: &Path, mut progress: impl FnMut(usize, usize)) -> Result<History, GitFailed> {
    let all = count(folder)?;
    let mut log = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.quotePath=false", "-c", "diff.renames=false", "-c", "log.showSignature=false"])
        .args([
            "log",
            "--first-parent",
            "--diff-merges=first-parent",
            "--reverse",
            "--numstat",
            "--no-color",
            "--no-ext-diff",
        ])
        .arg("--format=%x00%H%x00%ct%x00%aN%x00%aE%x00%P%x00%s%x00%b%x00")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Nobody reads what it warns of; that it failed its exit code says.
        .stderr(Stdio::null())
        .spawn()
        .map_err(GitFailed::NotRun)?;
    let mut found: Vec<Said> = Vec::with_capacity(all);
    if let Some(out) = log.stdout.take() {
        let mut reader = BufReader::with_capacity(1 << 20, out);
        let mut fields: Vec<String> = Vec::with_capacity(FIELDS);
        let mut bytes = Vec::new();
        // Nothing stands before the first.
        reader.read_until(BETWEEN, &mut bytes).map_err(GitFailed::NotRead)?;
        loop {
            bytes.clear();
            if reader.read_until(BETWEEN, &mut bytes).map_err(GitFailed::NotRead)? == 0 {
                break;
            }
            if bytes.last() == Some(&BETWEEN) {
                bytes.pop();
            }
            fields.push(String::from_utf8_lossy(&bytes).into_owned());
            if fields.len() == FIELDS {
                found.extend(commit(&fields));
                fields.clear();
                progress(found.len(), all);
            }
        }
        // The last has no files.
        if fields.len() == FIELDS - 1 {
            fields.push(String::new());
            found.extend(commit(&fields));
        }
    }
    finish(log)?;
    let name = folder.canonicalize().ok().and_then(|path| path.file_name()?.to_str().map(str::to_owned));
    let named = name.map(|name| format!("local/{name}")).filter(|name| name.parse::<Repository>().is_ok());
    Ok(history(named.unwrap_or_else(|| "local/repository".to_owned()), found))
}

/// How many commits the main line has.
fn count(folder: &Path) -> Result<usize, GitFailed> {
    let asked =
        Command::new("git").arg("-C").arg(folder).args(["rev-list", "--first-parent", "--count", "HEAD"]).output();
    let asked = asked.map_err(GitFailed::NotRun)?;
    if !asked.status.success() {
        return Err(GitFailed::Refused(String::from_utf8_lossy(&asked.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&asked.stdout).trim().parse().unwrap_or(0))
}

fn finish(mut log: std::process::Child) -> Result<(), GitFailed> {
    let status = log.wait().map_err(GitFailed::NotRead)?;
    if status.success() { Ok(()) } else { Err(GitFailed::Refused(format!("it ended with {status}"))) }
}

/// One commit, and its files: lines of added, deleted and path, with a dash for what is no text.
fn commit(fields: &[String]) -> Option<Said> {
    let [commit, at, name, address, parents, title, body, files] = fields else { return None };
    let mut landed = Landed {
        commit: commit.clone(),
        merged_at: at.parse().ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or_default(),
        author: author(name, address),
        title: title.clone(),
        by_machine: is_machine(name, address),
        commits: (parents.split(' ').count() < 2).then_some(1),
        ..Landed::default()
    };
    for line in files.lines() {
        let mut columns = line.splitn(3, '\t');
        let (Some(added), Some(deleted), Some(path)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let number = |column: &str| column.parse::<u64>().unwrap_or(0);
        landed.files += 1;
        landed.lines = landed.lines.saturating_add(number(added)).saturating_add(number(deleted));
        if landed.paths.len() < MOST_FILES {
            landed.paths.push(path.to_owned());
        }
    }
    Some(Said { landed, body: body.clone() })
}

/// Who it is, the same under whatever name they commit.
fn author(name: &str, address: &str) -> String {
    Login::from_email(address).map_or_else(|_| name.to_lowercase(), |login| login.to_string())
}

fn is_machine(name: &str, address: &str) -> bool {
    let named = |forge: &str, name: &str| Login::new(forge, name).is_ok_and(|login| login.is_bot());
    named("git", name) || Login::from_email(address).is_ok_and(|login| login.is_bot()) || name.contains("[bot]")
}

/// Which change takes back which, and the incidents that come of it.
fn history(name: String, found: Vec<Said>) -> History {
    let repository: Option<Repository> = name.parse().ok();
    let mut history = History { name, ..History::default() };
    let mut by_number: BTreeMap<u64, usize> = BTreeMap::new();
    let mut by_title: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_commit: BTreeMap<String, usize> = BTreeMap::new();
    let mut reverted = vec![false; found.len()];
    for (i, Said { mut landed, body }) in found.into_iter().enumerate() {
        let said = repository.as_ref().and_then(|repository| revert::read(&landed.title, &body, repository));
        if let Some(said) = &said {
            landed.lands_again = Some(said.lands_again);
            let meant = |claim: &Claim| match claim {
                Claim::Commit(commit) => by_prefix(&by_commit, commit),
                Claim::Number(number) => by_number.get(number).copied(),
                Claim::Title(title) => by_title.get(bare(title)).copied(),
            };
            landed.reverts = said.of.iter().find_map(meant);
        }
        let (number, title) = named(&landed.title, &body);
        if let Some(number) = number {
            by_number.entry(number).or_insert(i);
        }
        by_title.insert(bare(title).to_owned(), i);
        by_commit.insert(landed.commit.clone(), i);
        let culprit = landed.reverts.filter(|_| landed.lands_again == Some(false));
        history.changes.push(landed);
        if let Some(culprit) = culprit.filter(|culprit| !std::mem::replace(&mut reverted[*culprit], true)) {
            history.incidents.extend(incident(&history.changes, i, culprit));
        }
    }
    history
}

/// The incident that this revert ended, if it is one by the rules of `../shared/histories`: the culprit is no revert itself and not older than a
/// week.
fn incident(changes: &[Landed], revert: usize, culprit: usize) -> Option<Incident> {
    let at = changes[revert].merged_at;
    let since = at - WEEK;
    let young = changes[culprit].merged_at >= since && changes[culprit].lands_again.is_none();
    let in_time = |i: &usize| (since..=at).contains(&changes[*i].merged_at);
    young.then(|| Incident {
        id: changes[revert].commit.chars().take(12).collect(),
        alert_at: at,
        revert,
        culprit,
        candidates: (0..revert).filter(in_time).collect(),
    })
}

/// Commits are told in full or by their first digits.
fn by_prefix(known: &BTreeMap<String, usize>, commit: &Commit) -> Option<usize> {
    let start = commit.to_string();
    let (full, place) = known.range(start.clone()..).next()?;
    full.starts_with(&start).then_some(*place)
}

/// The number of the pull or merge request that a commit came by, and its own title.
fn named<'a>(title: &'a str, body: &'a str) -> (Option<u64>, &'a str) {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let own = || body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(title);
    // GitHub's merge commits, GitLab's, Bitbucket's; the squashes of GitHub and Bitbucket.
    if let Some(rest) = title.strip_prefix("Merge pull request #") {
        return (digits(rest), own());
    }
    if title.starts_with("Merge branch '") {
        let request = body.lines().rfind(|line| line.starts_with("See merge request"));
        return (request.and_then(|line| digits(line.rsplit_once('!')?.1)), own());
    }
    if let Some((_, rest)) = title.strip_prefix("Merged in ").and_then(|rest| rest.split_once("(pull request #")) {
        return (digits(rest), own());
    }
    // Only at the very end: elsewhere it is spoken of.
    let end = title.trim_end().strip_suffix(')').and_then(|title| title.rsplit_once('('));
    let number = end.and_then(|(_, end)| end.strip_prefix("pull request ").unwrap_or(end).strip_prefix('#'));
    (number.filter(|number| number.bytes().all(|b| b.is_ascii_digit())).and_then(|number| number.parse().ok()), title)
}

fn bare(title: &str) -> &str {
    let title = title.trim();
    let numbered = title.rsplit_once(" (#").or_else(|| title.rsplit_once(" (pull request #"));
    numbered.filter(|(_, end)| end.ends_with(')')).map_or(title, |(start, _)| start).trim_end()
}

#[cfg(test)]
#[path = "git_tests.rs"]
mod tests;
