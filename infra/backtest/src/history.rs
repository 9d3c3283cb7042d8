//! The changes of one repository and its failures, as `../shared/histories` has them: two files of JSON lines, compressed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use domain::Repository;
use domain::rank::past::MOST_FILES;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A history that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("cannot read {path}")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of {path} is not what a history has")]
    Line {
        path: PathBuf,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("the incident {incident} names {commit}, which is not among the changes")]
    Unknown { incident: String, commit: String },
    #[error("{path} is no history: there is no {path}.changes.jsonl.gz")]
    NoHistory { path: PathBuf },
    #[error(transparent)]
    Git(#[from] crate::git::GitFailed),
}

/// One change as it landed on the main line.
#[derive(Debug, Clone, Default)]
pub struct Landed {
    pub commit: String,
    pub merged_at: Timestamp,
    pub author: String,
    pub title: String,
    pub by_machine: bool,
    /// How many commits it has; of a merge in a clone that is not known.
    pub commits: Option<u32>,
    /// How many files and lines it touches. The first [`MOST_FILES`] files are in `paths`.
    pub files: u64,
    pub lines: u64,
    pub paths: Vec<String>,
    /// It takes something back (`false`), or lands it again (`true`).
    pub lands_again: Option<bool>,
    /// The position of the change that it takes back, if that is known.
    pub reverts: Option<usize>,
}

/// A failure of which the culprit is known.
#[derive(Debug, Clone)]
pub struct Incident {
    pub id: String,
    pub alert_at: Timestamp,
    /// Positions among the changes.
    pub revert: usize,
    pub culprit: usize,
    /// What had landed in the week before, in order; the culprit is among them.
    pub candidates: Vec<usize>,
}

/// A repository's changes in order, and its failures.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub name: String,
    pub changes: Vec<Landed>,
    pub incidents: Vec<Incident>,
}

#[derive(Deserialize)]
struct ChangeLine {
    sha: String,
    merged_at: i64,
    author: String,
    bot: bool,
    title: String,
    n_commits: u32,
    is_revert: bool,
    reverts: Option<String>,
    n_files: u64,
    la: u64,
    ld: u64,
    files: Vec<(String, IgnoredAny, IgnoredAny)>,
}

#[derive(Deserialize)]
struct IncidentLine {
    id: String,
    alert_time: i64,
    culprit: String,
    candidates: Vec<String>,
    revert_sha: String,
}

impl History {
    /// Reads `<path>.changes.jsonl.gz` and `<path>.incidents.jsonl.gz`.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let file = |kind: &str| PathBuf::from(format!("{}.{kind}.jsonl.gz", path.display()));
        if !file("changes").exists() {
            return Err(Unreadable::NoHistory { path: path.to_owned() });
        }
        let name = path.file_name().map(|name| name.to_string_lossy().replacen("__", "/", 1)).unwrap_or_default();
        let mut positions = BTreeMap::new();
        let mut reverts = Vec::new();
        let mut changes = Vec::new();
        lines(&file("changes"), |line: ChangeLine| {
            positions.insert(line.sha.clone(), changes.len());
            reverts.push(line.reverts.clone());
            changes.push(landed(line, &name));
        })?;
        for (change, reverts) in changes.iter_mut().zip(reverts) {
            change.reverts = reverts.and_then(|commit| positions.get(&commit).copied());
        }
        let mut incidents = Vec::new();
        let mut unknown = None;
        lines(&file("incidents"), |line: IncidentLine| {
            let id = line.id;
            let mut find = |commit: &str| {
                let found = positions.get(commit).copied();
                if found.is_none() {
                    unknown = Some(Unreadable::Unknown { incident: id.clone(), commit: commit.to_owned() });
                }
                found.unwrap_or_default()
            };
            let candidates: BTreeSet<usize> = line.candidates.iter().map(|commit| find(commit)).collect();
            let (revert, culprit) = (find(&line.revert_sha), find(&line.culprit));
            let candidates = candidates.into_iter().collect();
            incidents.push(Incident { alert_at: seconds(line.alert_time), revert, culprit, candidates, id });
        })?;
        unknown.map_or(Ok(Self { name, changes, incidents }), Err)
    }

    /// The names, without their endings, of the histories in a folder, in order.
    pub fn all_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if let Some(name) = path.to_str().and_then(|path| path.strip_suffix(".changes.jsonl.gz")) {
                found.push(PathBuf::from(name));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn seconds(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or_default()
}

fn landed(line: ChangeLine, name: &str) -> Landed {
    let said =
        name.parse::<Repository>().ok().and_then(|repository| domain::revert::read(&line.title, "", &repository));
    let lands_again = said.is_some_and(|said| said.lands_again);
    Landed {
        commit: line.sha,
        merged_at: seconds(line.merged_at),
        author: line.author,
        by_machine: line.bot,
        commits: Some(line.n_commits),
        files: line.n_files,
        lines: line.la.saturating_add(line.ld),
        paths: line.files.into_iter().take(MOST_FILES).map(|(path, _, _)| path).collect(),
        lands_again: (line.is_revert || lands_again).then_some(lands_again && !line.is_revert),
        reverts: None,
        title: line.title,
    }
}

/// Each line of a compressed file, as what it is.
fn lines<T: for<'a> Deserialize<'a>>(path: &Path, mut each: impl FnMut(T)) -> Result<(), Unreadable> {
    let unreadable = |source| Unreadable::File { path: path.to_owned(), source };
    let mut reader = BufReader::new(MultiGzDecoder::new(File::open(path).map_err(unreadable)?));
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        if reader.read_line(&mut text).map_err(unreadable)? == 0 {
            break;
        }
        let wrong = |source| Unreadable::Line { path: path.to_owned(), line, source };
        each(serde_json::from_str(&text).map_err(wrong)?);
    }
    Ok(())
}
