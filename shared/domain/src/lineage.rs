//! Which change takes back or lands again which other, among those of a working set. What a change says about
//! itself is read in [`crate::revert`]; here it is matched with the changes that are there.
//!
//! Nothing is looked up for it: where the other change has left the working set, its number or title still stands in
//! the claim.

use std::collections::BTreeMap;

use crate::change::{Change, ChangeKind};
use crate::ids::ChangeId;
use crate::revert::{Claim, Reverts};
use crate::text;

/// Each change that is taken back, with the first change that does so.
#[must_use]
pub fn reverts<'a>(changes: &[&'a Change]) -> BTreeMap<&'a ChangeId, &'a Change> {
    let mut found: BTreeMap<&ChangeId, &Change> = BTreeMap::new();
    for change in changes {
        let Some((said, target)) = said_of(change, changes) else { continue };
        // What lands again takes back the revert; it does not take back what the revert took back.
        if said.lands_again && target.reverts.is_none() {
            continue;
        }
        let first = found.entry(&target.id).or_insert(change);
        if change.order() < first.order() {
            *first = change;
        }
    }
    found
}

/// `reverts edx-platform#12`, or `lands edx-platform#12 again, which edx-platform#20 had reverted`.
#[must_use]
pub fn words(change: &Change, changes: &[&Change]) -> Option<String> {
    let said = change.reverts.as_ref()?;
    let target = said_of(change, changes).map(|(_, target)| target);
    let named = || said.of.first().map(|claim| label(claim, change));
    let direct = target.map(Change::label).or_else(named);
    if !said.lands_again {
        return Some(direct.map_or_else(|| "reverts something".to_owned(), |what| format!("reverts {what}")));
    }
    let Some(revert) = target.filter(|t| t.reverts.is_some()) else {
        return Some(direct.map_or_else(
            || "lands again what was reverted".to_owned(),
            |what| format!("lands again what was reverted, see {what}"),
        ));
    };
    let original = said_of(revert, changes).map(|(_, original)| original.label());
    let original = original.or_else(|| revert.reverts.as_ref()?.of.first().map(|claim| label(claim, revert)));
    let original = original.unwrap_or_else(|| "it".to_owned());
    Some(format!("lands {original} again, which {} had reverted", revert.label()))
}

/// What a change says it takes back, and the change that it means: the best of its claims that names one.
fn said_of<'a>(change: &'a Change, changes: &[&'a Change]) -> Option<(&'a Reverts, &'a Change)> {
    let said = change.reverts.as_ref()?;
    let before = |other: &&&Change| other.id != change.id && other.id.repository == change.id.repository;
    let target = said.of.iter().find_map(|claim| {
        let named = changes.iter().filter(before).filter(|other| is_meant(claim, change, other));
        named.copied().max_by(|a, b| a.order().cmp(&b.order()))
    })?;
    Some((said, target))
}

fn is_meant(claim: &Claim, of: &Change, other: &Change) -> bool {
    match claim {
        Claim::Commit(commit) => other.id.commit.same(commit),
        Claim::Number(number) => other.kind == ChangeKind::PullRequest { number: *number },
        // The title of a squashed commit ends with the number of its pull request, the title of that does not. A
        // title may come again, so only what was merged before can be meant.
        Claim::Title(title) => bare(&other.title) == bare(title) && other.order() < of.order(),
    }
}

fn bare(title: &str) -> &str {
    let title = title.trim_end();
    match title.rsplit_once(" (#") {
        Some((start, number)) if number.trim_end_matches(')').bytes().all(|b| b.is_ascii_digit()) => start,
        _ => title,
    }
}

fn label(claim: &Claim, change: &Change) -> String {
    let repository = change.id.repository.short();
    match claim {
        Claim::Commit(commit) => format!("{repository}@{}", commit.short()),
        Claim::Number(number) => format!("{repository}#{number}"),
        Claim::Title(title) => format!("\u{201c}{}\u{201d}", text::line(title, 80)),
    }
}

#[cfg(test)]
#[path = "lineage_tests.rs"]
mod tests;
