//! Where a past comes from, and what it is: our own archive, a history, exports of others. Read one event after the other.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use aws::settings::{Configuration, SenderConfig};
use backtest::{History, git};
use jiff::{SignedDuration, Timestamp};

use crate::archive::{self, BadLine};
use crate::event::Told;
use crate::export::{self, Exported, LeftOut};
use crate::history::{Past, Plan};
use crate::lines::{self, Lines};

/// How often progress is told.
const TOLD_EACH: u64 = 256;

/// Why an input cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum BadInput {
    #[error("cannot read {path}")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of {path}: {why}; --lenient leaves such lines out")]
    Line { path: PathBuf, line: u64, why: BadLine },
    #[error("{path}: {why}")]
    Export { path: PathBuf, why: String },
    #[error(transparent)]
    History(#[from] backtest::history::Unreadable),
    #[error(transparent)]
    Git(#[from] git::GitFailed),
    #[error("--live-after {0:#} is not between nothing and 366 days")]
    LiveAfter(SignedDuration),
    #[error(
        "a change or a failure of {at} is live, or over, at a time that no calendar has: a history is of this century"
    )]
    Time { at: Timestamp },
    #[error("no service of the configuration deploys {0}")]
    NotServed(String),
    #[error(
        "{path} is nothing that can be replayed: an archive (.jsonl, .jsonl.gz), a clone, a history, or an export; --kind says which"
    )]
    Unknown { path: PathBuf },
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Our own lines.
    Archive,
    /// A clone.
    Git,
    /// Two files of JSON lines, as `../shared/histories` has them.
    History,
    /// What others export: of a forge, of a pager, or a list of alerts.
    Export,
}

impl InputKind {
    /// What a person means by a path.
    pub fn of(path: &Path) -> Result<Self, BadInput> {
        if path.join(".git").exists() || (path.is_dir() && path.join("HEAD").exists() && path.join("objects").is_dir())
        {
            return Ok(Self::Git);
        }
        if PathBuf::from(format!("{}.changes.jsonl.gz", path.display())).exists() {
            return Ok(Self::History);
        }
        let unreadable = |source| BadInput::File { path: path.to_owned(), source };
        let first = if path.is_dir() { export::first_file(path).map_err(unreadable)? } else { Some(path.to_owned()) };
        let first = first.ok_or_else(|| BadInput::Unknown { path: path.to_owned() })?;
        export::guess(&first).map_err(unreadable)?.ok_or_else(|| BadInput::Unknown { path: path.to_owned() })
    }
}

/// A past that can be played, as often as is wished.
pub enum Input {
    Archive {
        path: PathBuf,
        lenient: bool,
    },
    /// In memory: a history, or what was exported, with alerts from elsewhere.
    Ordered(Ordered),
}

/// What had to be put in order first.
pub struct Ordered {
    pub past: Option<Past>,
    pub exported: Vec<Exported>,
    pub unread: u64,
}

/// A history that was read, and is not yet laid against a configuration.
pub fn history(kind: InputKind, path: &Path, progress: impl FnMut(usize, usize)) -> Result<Option<History>, BadInput> {
    Ok(match kind {
        InputKind::History => Some(History::read(path)?),
        InputKind::Git => Some(git::read(path, progress)?),
        InputKind::Archive | InputKind::Export => None,
    })
}

impl Input {
    /// A history by a configuration, with these alerts beside it; without any its own failures are alerts.
    pub fn of_history(
        history: History,
        configuration: &Configuration,
        live_after: SignedDuration,
        alerts: Vec<Exported>,
        left_out: LeftOut,
    ) -> Result<Self, BadInput> {
        let name = history.name.clone();
        let plan = Plan { live_after, failures: alerts.is_empty() };
        let longest = SignedDuration::from_hours(24 * 366);
        if live_after.is_negative() || live_after > longest {
            return Err(BadInput::LiveAfter(live_after));
        }
        let past = Past::of(history, plan, configuration)?.ok_or(BadInput::NotServed(name))?;
        Ok(Self::Ordered(Ordered { past: Some(past), exported: alerts, unread: left_out.all() }))
    }

    /// Exports alone, of which nothing is left out in silence.
    #[must_use]
    pub fn of_export(exported: Vec<Exported>, left_out: LeftOut) -> Self {
        Self::Ordered(Ordered { past: None, exported, unread: left_out.all() })
    }

    /// Hands over everything in order, and says how many lines could not be read.
    pub fn each(
        &self,
        senders: &BTreeMap<String, SenderConfig>,
        progress: &(dyn Fn(u64, u64) + Sync),
        hear: impl FnMut(Told),
    ) -> Result<u64, BadInput> {
        match self {
            Self::Archive { path, lenient } => ahead(path, *lenient, senders, progress, hear),
            Self::Ordered(ordered) => {
                ordered.each(senders, progress, hear);
                Ok(ordered.unread)
            }
        }
    }
}

/// So many lines are read at once, and so often before they are heard.
const BATCH: usize = 128;
const MOST_BATCHES: usize = 4;

/// What one line was read into, with its number.
type Line = Result<Told, (u64, BadLine)>;

/// Reads an archive in a thread of its own, a little ahead of whoever hears it.
fn ahead(
    path: &Path,
    lenient: bool,
    senders: &BTreeMap<String, SenderConfig>,
    progress: &(dyn Fn(u64, u64) + Sync),
    mut hear: impl FnMut(Told),
) -> Result<u64, BadInput> {
    let unreadable = |source| BadInput::File { path: path.to_owned(), source };
    let (mut lines, bytes): (Lines, _) = lines::open(path).map_err(unreadable)?;
    let (send, receive) = mpsc::sync_channel::<io::Result<Vec<Line>>>(MOST_BATCHES);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It ends with the file, or when nobody hears it any more.
            while send.send(batch(&mut lines, senders)).is_ok_and(|()| !lines.is_over()) {}
        });
        let mut unread = 0;
        for batch in receive {
            for line in batch.map_err(unreadable)? {
                match line {
                    Ok(told) => hear(told),
                    Err(_) if lenient => unread += 1,
                    Err((line, why)) => return Err(BadInput::Line { path: path.to_owned(), line, why }),
                }
            }
            progress(bytes.done(), bytes.all);
        }
        Ok(unread)
    })
}

fn batch(lines: &mut Lines, senders: &BTreeMap<String, SenderConfig>) -> io::Result<Vec<Line>> {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH {
        let Some((number, text)) = lines.next_line()? else { break };
        batch.push(archive::read(text, senders).map_err(|why| (number, why)));
    }
    Ok(batch)
}

impl Ordered {
    /// Both in order of time; of one moment, alerts first.
    fn each(
        &self,
        senders: &BTreeMap<String, SenderConfig>,
        progress: &(dyn Fn(u64, u64) + Sync),
        mut hear: impl FnMut(Told),
    ) {
        let all = self.exported.len() + self.past.as_ref().map_or(0, Past::len);
        let mut exported = self.exported.iter().filter_map(|one| one.told(senders)).peekable();
        let mut n = 0;
        let mut told = |told: Told| {
            hear(told);
            n += 1;
            if n % TOLD_EACH == 0 {
                progress(n, u64::try_from(all).unwrap_or(u64::MAX));
            }
        };
        for event in self.past.iter().flat_map(Past::events) {
            while let Some(before) = exported.next_if(|before| before.at <= event.at) {
                told(before);
            }
            told(event);
        }
        exported.for_each(told);
    }
}
