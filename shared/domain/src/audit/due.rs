//! Which lines of the log are sealed now, and which belong into one seal.

use jiff::Timestamp;

use super::{Head, Logged, MOST_BYTES, MOST_LINES, hour_of};

/// Lines that belong into one seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub hour: Timestamp,
    pub lines: Vec<Logged>,
    /// The hour has more lines.
    pub more: bool,
    /// They came after their hour was sealed.
    pub late: bool,
}

/// Whether a line came after its hour was sealed.
#[must_use]
pub fn is_late(head: Option<&Head>, line: &Logged) -> bool {
    head.is_some_and(|head| {
        let hour = hour_of(line.at);
        line.place <= head.after || hour < head.hour || (hour == head.hour && !head.more)
    })
}

/// What is sealed next of these lines, which are in the log's order: a batch for each hour, or for each piece of a long one. Where
/// `all` of what can be sealed is not among them, the last batch may lack something, and is left to the next reading, unless it is
/// full. So an hour is cut at the same lines however it was read.
#[must_use]
pub fn due(lines: Vec<Logged>, all: bool) -> Vec<Batch> {
    let mut batches: Vec<(Batch, usize)> = Vec::new();
    for line in lines {
        let (hour, size) = (hour_of(line.at), size_of(&line));
        match batches.last_mut() {
            Some((batch, bytes)) if batch.hour == hour => {
                if batch.lines.len() < MOST_LINES && *bytes + size <= MOST_BYTES {
                    batch.lines.push(line);
                    *bytes += size;
                    continue;
                }
                batch.more = true;
            }
            Some(_) | None => {}
        }
        batches.push((Batch { hour, lines: vec![line], more: false, late: false }, size));
    }
    if !all {
        batches.pop();
    }
    batches.into_iter().map(|(batch, _)| batch).collect()
}

/// About how large a line is in the table.
fn size_of(line: &Logged) -> usize {
    const REST: usize = 240;
    line.subject.as_ref().map_or(0, String::len) + line.reason.len() + REST
}
