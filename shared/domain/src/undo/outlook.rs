//! What is known before a change is taken back: whether later changes are in its way, and whether it touches a migration, which a
//! revert does not take back. Git alone knows for certain.

use std::fmt;

use crate::change::{Change, Files};
use crate::ids::ChangeId;
use crate::paths::Paths;
use crate::situation::Situation;
use crate::text;

/// So many changes or files are named.
const MOST_NAMED: usize = 3;

/// What a service's migrations are called unless it says so itself.
pub const MIGRATIONS: [&str; 5] =
    ["**/migrations/**", "**/db/migrate/**", "**/alembic/versions/**", "**/changelog/**", "*.sql"];

/// Whether it conflicts, as far as the files tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing that was merged later touches the same files.
    Clean,
    /// These do, in the order in which they were merged.
    MayConflict(Vec<String>),
    /// Of this change, or of a later one, it is not known which files it touches.
    Unknown,
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.write_str("Clean, it seems: nothing that was merged later touches the same files."),
            Self::MayConflict(labels) => {
                let touch = if labels.len() == 1 { "touches" } else { "touch" };
                write!(f, "It may conflict: {} {touch} the same files since.", named(labels))
            }
            Self::Unknown => f.write_str("Whether it conflicts is not known: not all files are."),
        }
    }
}

/// What is known of its conflicts.
#[must_use]
pub fn outlook(change: &Change, situation: &Situation) -> Outlook {
    let files = |id: &ChangeId| situation.files.get(id).map(|known| &known.value).filter(|files| told(files));
    let later = situation.changes.values().map(|known| &known.value);
    let mut later: Vec<&Change> = later
        .filter(|other| other.id.repository == change.id.repository && other.base == change.base)
        .filter(|other| other.order() > change.order())
        .collect();
    later.sort_by(|a, b| a.order().cmp(&b.order()));
    let Some(own) = files(&change.id) else { return Outlook::Unknown };
    let mut unsure = own.cut;
    let mut labels = Vec::new();
    for other in later {
        match files(&other.id) {
            Some(files) if !own.paths.is_disjoint(&files.paths) => labels.push(other.label()),
            Some(files) => unsure |= files.cut,
            None => unsure = true,
        }
    }
    match (labels.is_empty(), unsure) {
        (false, _) => Outlook::MayConflict(labels),
        (true, true) => Outlook::Unknown,
        (true, false) => Outlook::Clean,
    }
}

/// Whether a list of files is one, and not a note that nobody told them.
fn told(files: &Files) -> bool {
    files.cut || !files.paths.is_empty()
}

/// The migrations that it touches, as a sentence.
#[must_use]
pub fn migrations(change: &ChangeId, situation: &Situation, patterns: &Paths) -> Option<String> {
    let files = &situation.files.get(change)?.value;
    let touched: Vec<String> = files.paths.iter().filter(|path| patterns.matches(path)).cloned().collect();
    let what = text::count(touched.len(), "migration", "migrations");
    let line = format!(
        "It touches {what} ({}): a revert does not take back what they did to the data. Look at that first.",
        named(&touched)
    );
    (!touched.is_empty()).then_some(line)
}

fn named(all: &[String]) -> String {
    let more = all.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let first: Vec<&str> = all.iter().take(MOST_NAMED).map(String::as_str).collect();
    format!("{}{more}", first.join(", "))
}
