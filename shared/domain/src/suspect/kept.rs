//! Which suspects an incident keeps: few, and whoever may be paged is among them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Clues, Exposed, MOST_SUSPECTS, Stand};
use crate::escalation::MOST_FIRST_RESPONDERS;
use crate::ids::PersonId;

/// Which suspects are kept: the likeliest, and among them whatever decides who is paged: the change that somebody named, and the likeliest
/// change of each of the likeliest people whose turn is not over, if they are likely enough (`from`, in percent).
pub(super) fn kept(
    order: &[usize],
    found: &[Exposed<'_, '_>],
    people: &BTreeMap<&PersonId, f64>,
    clues: &Clues,
    from: u16,
) -> BTreeSet<usize> {
    let named = order.iter().filter(|i| clues.named.as_ref() == Some(&found[**i].window.change.id));
    let mut first_of: Vec<(&PersonId, usize)> = Vec::new();
    for i in order.iter().filter(|i| found[**i].stand == Stand::Active) {
        let person = &found[*i].window.holder.person;
        if !clues.refused.contains(person) && first_of.iter().all(|(known, _)| *known != person) {
            first_of.push((person, *i));
        }
    }
    first_of.sort_by(|a, b| people[&b.0].total_cmp(&people[&a.0]));
    let refused: f64 = clues.refused.iter().filter_map(|person| people.get(person)).sum();
    let enough = |person: &PersonId| people[person] * 100.0 >= f64::from(from) * (1.0 - refused);
    let on_call = first_of.into_iter().enumerate().filter(|(nth, (person, _))| *nth == 0 || enough(person));
    let on_call = on_call.map(|(_, (_, i))| i).take(MOST_FIRST_RESPONDERS);
    let mut kept: BTreeSet<usize> = named.copied().chain(on_call).collect();
    for i in order {
        if kept.len() < MOST_SUSPECTS {
            kept.insert(*i);
        }
    }
    kept
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
