//! What is kept of a service's past beside its working set: the bounded record out of which suspects are ranked. What is still in
//! the working set is added when somebody asks; what leaves it is counted in the same transaction, once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::ids::ChangeId;
use crate::incident::Incident;
use crate::lineage;
use crate::outcome::Judge;
use crate::rank::{Past, Touches, Traits, past};
use crate::revert::Claim;
use crate::situation::Situation;
use crate::text;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    #[serde(default)]
    pub past: Past,
    /// When somebody had it forget everything, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<Timestamp>,
}

/// The files of a change, as far as they are known.
#[must_use]
pub fn paths<'a>(situation: &'a Situation, change: &'a Change) -> Vec<&'a str> {
    let listed = situation.files.get(&change.id).map(|known| &known.value).or(change.files.as_ref());
    listed.into_iter().flat_map(|files| &files.paths).map(String::as_str).take(past::MOST_FILES).collect()
}

fn touches<'a>(change: &'a Change, paths: &'a [&'a str]) -> Touches<'a> {
    Touches { author: change.author.name(), title: &change.title, paths }
}

impl Track {
    /// What was learnt, as a sentence.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let ((changes, reverted), (culprits, others)) = (self.past.counted(), self.past.judged());
        let judged = culprits + others;
        if changes == 0 && judged == 0 {
            return None;
        }
        let n = |n: u32, one: &str, more: &str| text::count(usize::try_from(n).unwrap_or(usize::MAX), one, more);
        let pace = match self.past.pace() {
            ..-0.05 => "; what breaks it is newer than elsewhere",
            0.05.. => "; what breaks it is older than elsewhere",
            _ => "",
        };
        Some(format!(
            "Ranked by {} of this service too, {reverted} of them taken back, and by {}, {others} of which no suspect{pace}.",
            n(changes, "earlier change", "earlier changes"),
            n(judged, "judged incident", "judged incidents"),
        ))
    }

    /// What is known of some changes, each by what had landed before it, of `here`: those of the working set that are this service's; what
    /// left that early, because it was reverted before it was live, counts as before all.
    #[must_use]
    pub fn traits<'a, 'b>(
        &self,
        situation: &Situation,
        here: impl IntoIterator<Item = &'b Change>,
        of: impl IntoIterator<Item = &'a ChangeId>,
    ) -> Vec<Traits> {
        let mut changes: Vec<&Change> = here.into_iter().collect();
        changes.sort_by(|a, b| a.order().cmp(&b.order()));
        let mut back: BTreeMap<&ChangeId, Vec<&Change>> = BTreeMap::new();
        let reverts = lineage::reverts(&changes);
        for change in &changes {
            reverts.get(&change.id).into_iter().for_each(|by| back.entry(&by.id).or_default().push(change));
        }
        let mut past = self.past.clone();
        let mut known: BTreeMap<&ChangeId, Traits> = BTreeMap::new();
        for change in &changes {
            let paths = paths(situation, change);
            known.insert(&change.id, past.traits(touches(change, &paths)));
            past.landed(touches(change, &paths), is_revert(change));
            for back in back.get(&change.id).into_iter().flatten() {
                let paths = self::paths(situation, back);
                past.taken_back(touches(back, &paths));
            }
        }
        of.into_iter().map(|id| known.get(id).copied().unwrap_or_default()).collect()
    }

    /// A change leaves the working set. What it takes back may have left long before: then its own files are those that had to be
    /// taken back.
    pub fn leaves(&mut self, situation: &Situation, change: &Change, reverted: bool) {
        let paths = paths(situation, change);
        self.past.landed(touches(change, &paths), is_revert(change));
        if reverted {
            self.past.taken_back(touches(change, &paths));
        }
        // A revert that was itself reverted took nothing back.
        let said = change.reverts.as_ref().filter(|_| is_revert(change) && !reverted);
        let title = said.and_then(|said| {
            said.of.iter().find_map(|claim| match claim {
                Claim::Title(title) => Some(title.as_str()),
                Claim::Commit(_) | Claim::Number(_) => None,
            })
        });
        if let Some(title) = title.filter(|title| !self.past.has_taken_back(title)) {
            self.past.taken_back(Touches { title, ..touches(change, &paths) });
        }
    }

    /// An incident leaves the working set: which change it was, and how long that was live, if somebody knows.
    pub fn closes(&mut self, incident: &Incident) {
        let Some(verdict) = &incident.verdict else { return };
        match &verdict.change {
            // A guess is too little to learn from.
            _ if matches!(verdict.by, Judge::Guess(_)) => {}
            Some(change) => {
                let suspect = incident.suspects.iter().find(|suspect| suspect.change == *change);
                if let Some(suspect) = suspect {
                    self.past.caused(incident.began_at.duration_since(suspect.live_since));
                }
            }
            None => self.past.caused_by_none(),
        }
    }
}

fn is_revert(change: &Change) -> bool {
    change.reverts.as_ref().is_some_and(|said| !said.lands_again)
}
