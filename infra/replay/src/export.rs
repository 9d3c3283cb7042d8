//! What others export: pull requests, deployments and their statuses from GitHub's API, incidents from PagerDuty, alerts from Opsgenie, or a
//! list of alerts. Each object says by its fields what it is, so that files of several kinds can lie in one folder.
//!
//! An export is in no order that helps, so all of it is read before it is played: some hundred bytes for each event. So how much that may
//! be is bounded; who has more exports by month, or records an archive, which is read line by line.

mod alerts;
mod csv;
mod github;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use aws::settings::SenderConfig;
use domain::times;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde_json::Value;

use crate::archive;
use crate::event::{Told, What};
use crate::input::{BadInput, InputKind};

/// How much is read: a file is held in memory while it is read, and what is in it until it is played.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Bytes of one file, unpacked.
    file: u64,
    /// Bytes of all files together, unpacked.
    all: u64,
    /// Objects of all files together.
    objects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 256 << 20, all: 1 << 30, objects: 1_000_000 }
    }
}

/// As much of a file is looked at to see what it is.
const LOOKED_AT: u64 = 64 * 1024;
/// Arrays in arrays, and answers with an envelope, are opened so deep.
const DEEPEST: usize = 3;

/// One event of an export.
#[derive(Debug, Clone)]
pub struct Exported {
    pub at: Timestamp,
    what: Stored,
}

#[derive(Debug, Clone)]
enum Stored {
    /// As the sender would have delivered it.
    Delivered(&'static str, Box<str>),
    Is(Box<What>),
}

impl Exported {
    pub(crate) fn is(at: Timestamp, what: What) -> Self {
        Self { at, what: Stored::Is(Box::new(what)) }
    }

    fn delivered(at: Timestamp, to: &'static str, body: &Value) -> Self {
        Self { at, what: Stored::Delivered(to, body.to_string().into_boxed_str()) }
    }

    /// As it is heard; nothing where its sender's reader does not understand it.
    #[must_use]
    pub fn told(&self, senders: &BTreeMap<String, SenderConfig>) -> Option<Told> {
        let what = match &self.what {
            Stored::Delivered(to, body) => archive::delivered(to, body.as_bytes(), senders)
                .unwrap_or_else(|why| What::Ignored(domain::text::line(&why.to_string(), 200))),
            Stored::Is(what) => (**what).clone(),
        };
        Some(Told { at: self.at, what })
    }
}

/// What was read of some files.
#[derive(Default)]
pub struct Export {
    events: Vec<Exported>,
    left_out: LeftOut,
    github: github::Deployments,
    read: usize,
    bytes: u64,
    limits: Limits,
}

/// How much of an export is not played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Objects that are none that we know.
    pub unknown: u64,
    /// What has a time that is not of this century.
    pub badly_timed: u64,
}

impl LeftOut {
    #[must_use]
    pub fn all(&self) -> u64 {
        self.unknown + self.badly_timed
    }
}

impl Export {
    /// Reads a file, or all files of a folder.
    pub fn add(&mut self, path: &Path) -> Result<(), BadInput> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| BadInput::File { path, source }
        };
        for file in files(path).map_err(unreadable(path))? {
            let is_table = named(&file).ends_with(".csv");
            let most = self.limits.file.min(self.limits.all.saturating_sub(self.bytes));
            let mut reader = Bounded { inner: open(&file).map_err(unreadable(&file))?, read: 0, most };
            if let Some(why) = too_large(&file, &self.limits).map_err(unreadable(&file))? {
                return Err(BadInput::Export { path: file, why });
            }
            if is_table {
                let rows = csv::read(&mut reader).map_err(|why| BadInput::Export { path: file.clone(), why })?;
                self.bytes += reader.read;
                for object in rows {
                    self.object(&object, &file)?;
                }
                continue;
            }
            let reader = &mut reader;
            for value in serde_json::Deserializer::from_reader(&mut *reader).into_iter::<Value>() {
                let value = value.map_err(|why| BadInput::Export { path: file.clone(), why: why.to_string() })?;
                self.value(&value, &file, DEEPEST)?;
            }
            self.bytes += reader.read;
        }
        Ok(())
    }

    /// All of it, in order of time, and how much is left out.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Exported>, LeftOut) {
        let deployments = std::mem::take(&mut self.github).events();
        self.keep(deployments);
        self.events.sort_by_key(|event| event.at);
        (self.events, self.left_out)
    }

    /// Keeps what has a time by which it can be played.
    fn keep(&mut self, events: impl IntoIterator<Item = Exported>) {
        for event in events {
            if times::plausible(event.at) {
                self.events.push(event);
            } else {
                self.left_out.badly_timed += 1;
            }
        }
    }

    fn value(&mut self, value: &Value, file: &Path, deeper: usize) -> Result<(), BadInput> {
        let list = value.as_array().or_else(|| {
            let envelope = ["incidents", "data", "values", "alerts", "deployments"];
            envelope.iter().find_map(|name| value.get(name)?.as_array())
        });
        match list {
            Some(list) if deeper > 0 => list.iter().try_for_each(|one| self.value(one, file, deeper - 1)),
            _ => self.object(value, file),
        }
    }

    fn object(&mut self, object: &Value, file: &Path) -> Result<(), BadInput> {
        self.read += 1;
        if self.read > self.limits.objects {
            let why = format!("there are more than {} objects: replay them a year at a time", self.limits.objects);
            return Err(BadInput::Export { path: file.to_owned(), why });
        }
        let known =
            github::pull(object).map(|event| self.keep(event)).or_else(|| self.github.add(object)).or_else(|| {
                match alerts::read(object)? {
                    alerts::Read::Told(events) => {
                        self.keep(events);
                        Some(())
                    }
                    alerts::Read::BadlyTimed => {
                        self.left_out.badly_timed += 1;
                        Some(())
                    }
                }
            });
        self.left_out.unknown += u64::from(known.is_none());
        Ok(())
    }
}

/// Reads no more than so much; what goes on is an error.
struct Bounded<R> {
    inner: R,
    read: u64,
    most: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read += u64::try_from(n).unwrap_or(u64::MAX);
        if self.read > self.most {
            let why = format!(
                "it goes on behind {} bytes, which are the most that are read of it: export it by month, or record an archive",
                self.most
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(n)
    }
}

/// Why a file is not even begun.
fn too_large(path: &Path, limits: &Limits) -> io::Result<Option<String>> {
    let size = path.metadata()?.len();
    Ok((size > limits.file).then(|| {
        let most = limits.file;
        format!(
            "it has {size} bytes, and at most {most} are read of one file: export it by month, or record an archive"
        )
    }))
}

fn named(path: &Path) -> String {
    path.to_string_lossy().trim_end_matches(".gz").to_ascii_lowercase()
}

/// The files of an export: this one, or those of a folder that are JSON or tables, in order of their names.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in path.read_dir()? {
        let path = entry?.path();
        let is = [".json", ".jsonl", ".ndjson", ".csv"].iter().any(|end| named(&path).ends_with(end));
        if path.is_file() && is {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The first file of a folder.
pub fn first_file(folder: &Path) -> io::Result<Option<PathBuf>> {
    Ok(files(folder)?.into_iter().next())
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(File::open(path)?);
    let packed = path.extension().is_some_and(|end| end == "gz");
    Ok(if packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// What a file is, by its beginning.
pub fn guess(path: &Path) -> io::Result<Option<InputKind>> {
    if named(path).ends_with(".csv") {
        return Ok(Some(InputKind::Export));
    }
    let mut text = Vec::new();
    open(path)?.take(LOOKED_AT).read_to_end(&mut text)?;
    let line = text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let is_object = text.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['));
    let ours = |value: &Value| {
        let has = |name: &str| value.get(name).is_some();
        (has("at") && (has("to") || has("truth") || has("happened"))) || (has("delivered_at") && has("request"))
    };
    Ok(match serde_json::from_slice::<Value>(line) {
        Ok(value) if ours(&value) => Some(InputKind::Archive),
        // A line that is longer than what was looked at begins as it begins.
        Err(_) if line.starts_with(b"{\"at\"") => Some(InputKind::Archive),
        _ => is_object.then_some(InputKind::Export),
    })
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
