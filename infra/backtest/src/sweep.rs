//! Walks through a history in order of time and asks, at each failure, what was known then. No look ahead: what a change's past
//! says is what had landed before it, and where it stands at the failure is what had landed before that.

use domain::change::Size;
use domain::rank::{Candidate, Facts, Past, Touches, Traits, facts};
use jiff::{SignedDuration, Timestamp};

use crate::history::{History, Incident, Landed};

/// Who is in question for one failure, as the ranking sees it.
#[derive(Debug, Clone)]
pub struct Lineup {
    pub id: String,
    /// When it is taken to have been noticed.
    pub at: Timestamp,
    /// Positions in the history of what had landed in the time before, in order.
    pub candidates: Vec<usize>,
    /// One of each candidate.
    pub facts: Vec<Facts>,
    /// Whether a candidate is a revert, or is taken back already: what the two rules put last.
    pub last: Vec<bool>,
}

/// One failure whose culprit is in the lineup.
#[derive(Debug, Clone)]
pub struct Example {
    pub lineup: Lineup,
    /// The place of the culprit among the candidates.
    pub culprit: usize,
    /// How old it was.
    pub age: SignedDuration,
}

/// How failures are laid before the ranking.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// How far back a change is a suspect.
    pub window: SignedDuration,
    /// The failure is noticed half-way between the culprit and its revert, instead of at the revert.
    pub midpoint: bool,
    /// Only what touches the culprit's top directory is a suspect, as if the alert had named its service.
    pub scope: bool,
}

impl View {
    #[must_use]
    pub fn of(window: SignedDuration) -> Self {
        Self { window, midpoint: false, scope: false }
    }
}

/// What came of walking through a history.
#[derive(Debug, Clone, Default)]
pub struct Swept {
    /// Failures whose culprit is young enough, in order.
    pub examples: Vec<Example>,
    /// The others that had suspects: the culprit is older.
    pub elsewhere: Vec<Lineup>,
}

/// The failures of a history whose culprit is as young as the view looks back. `progress` hears how many changes are done.
pub fn sweep(history: &History, view: View, mut progress: impl FnMut(usize)) -> Swept {
    let mut past = Past::default();
    let mut traits: Vec<Traits> = Vec::with_capacity(history.changes.len());
    let mut reverted_by: Vec<Option<usize>> = vec![None; history.changes.len()];
    let mut waiting = history.incidents.iter().collect::<Vec<_>>();
    waiting.sort_by_key(|incident| incident.revert);
    let mut waiting = waiting.into_iter().peekable();
    let mut swept = Swept::default();
    for (i, change) in history.changes.iter().enumerate() {
        while let Some(incident) = waiting.next_if(|incident| incident.revert <= i) {
            let known = Known { history, past: &past, traits: &traits, reverted_by: &reverted_by };
            match known.lineup(incident, view) {
                (lineup, Some((culprit, age))) => swept.examples.push(Example { lineup, culprit, age }),
                (lineup, None) if !lineup.candidates.is_empty() => swept.elsewhere.push(lineup),
                (_, None) => {}
            }
            let age = incident.alert_at.duration_since(history.changes[incident.culprit].merged_at);
            past.caused(age);
        }
        let paths: Vec<&str> = change.paths.iter().map(String::as_str).collect();
        let touches = Touches { author: &change.author, title: &change.title, paths: &paths };
        traits.push(past.traits(touches));
        past.landed(touches, change.lands_again == Some(false));
        // What lands something again takes nothing back.
        let takes_back = change.reverts.filter(|_| change.lands_again == Some(false));
        if let Some(back) = takes_back.filter(|back| *back < i && reverted_by[*back].is_none()) {
            reverted_by[back] = Some(i);
            let of = &history.changes[back];
            let paths: Vec<&str> = of.paths.iter().map(String::as_str).collect();
            past.taken_back(Touches { author: &of.author, title: &of.title, paths: &paths });
        }
        progress(i + 1);
    }
    swept
}

/// What is known at one moment of the walk.
struct Known<'a> {
    history: &'a History,
    past: &'a Past,
    traits: &'a [Traits],
    reverted_by: &'a [Option<usize>],
}

impl Known<'_> {
    /// Who is in question; which of them it was, and how old that was, if it is among them.
    fn lineup(&self, incident: &Incident, view: View) -> (Lineup, Option<(usize, SignedDuration)>) {
        let changes = &self.history.changes;
        let culprit = &changes[incident.culprit];
        let between = incident.alert_at.duration_since(culprit.merged_at);
        let at = if view.midpoint { incident.alert_at - between / 2 } else { incident.alert_at };
        let top = culprit.paths.iter().map(|path| top(path)).collect::<Vec<_>>();
        let is_candidate = |i: &&usize| {
            let change = &changes[**i];
            let in_time = change.merged_at <= at && change.merged_at >= at - view.window;
            in_time && (!view.scope || change.paths.iter().any(|path| top.contains(&self::top(path))))
        };
        let candidates: Vec<usize> = incident.candidates.iter().filter(is_candidate).copied().collect();
        let place = candidates.iter().position(|i| *i == incident.culprit);
        // Half-way to the revert, what landed later has not happened.
        let taken_back =
            |i: usize| self.reverted_by[i].is_some_and(|by| changes[by].merged_at <= at && by < incident.revert);
        let paths: Vec<Vec<&str>> =
            candidates.iter().map(|i| changes[*i].paths.iter().map(String::as_str).collect()).collect();
        let seen: Vec<Candidate<'_>> = candidates
            .iter()
            .zip(&paths)
            .map(|(i, paths)| candidate(*i, &changes[*i], self.traits[*i], paths, taken_back(*i)))
            .collect();
        let last = candidates.iter().map(|i| changes[*i].lands_again.is_some() || taken_back(*i)).collect();
        let facts = facts(&seen, self.past, at);
        let lineup = Lineup { id: incident.id.clone(), at, facts, candidates, last };
        (lineup, place.map(|place| (place, at.duration_since(culprit.merged_at))))
    }
}

fn top(path: &str) -> &str {
    path.split_once('/').map_or("", |(top, _)| top)
}

fn candidate<'a>(
    i: usize,
    change: &'a Landed,
    traits: Traits,
    paths: &'a [&'a str],
    taken_back: bool,
) -> Candidate<'a> {
    Candidate {
        since: change.merged_at,
        merged: (change.merged_at, i),
        author: &change.author,
        title: &change.title,
        lands_again: change.lands_again,
        taken_back,
        traits,
        paths,
        size: Some(Size { files: change.files, added: change.lines, deleted: 0 }),
        commits: change.commits,
        by_machine: change.by_machine,
        named: None,
        alike: None,
        rolling_out: false,
    }
}
