//! Who is likely to have caused it, and how likely: people, where suspects are changes.

use super::Call;
use crate::ids::PersonId;
use crate::suspect::{Stand, Suspect};

/// Somebody before the rotation, and how likely it is that a change of theirs is it.
pub(super) struct Likely<'a> {
    pub(super) person: &'a PersonId,
    /// The likeliest of their changes.
    pub(super) change: &'a str,
    /// Absent where that was not reckoned.
    pub(super) percent: Option<u16>,
    /// Somebody named it.
    pub(super) named: bool,
}

impl<'a> Call<'a> {
    /// The people whose turn is not over, the likeliest first; whom somebody named before all.
    pub(super) fn likely(&self) -> Vec<Likely<'a>> {
        let named = self.named();
        let share = |suspect: &Suspect| suspect.likelihood.map(u32::from);
        let out = self.incident.suspects.iter().filter(|suspect| !self.may_be_it(suspect));
        let left = 1000_u32.saturating_sub(out.filter_map(share).sum());
        let mut people: Vec<(Likely<'a>, Option<u32>)> = Vec::new();
        for suspect in self.suspects(Stand::Active) {
            match people.iter_mut().find(|(known, _)| *known.person == suspect.responder) {
                Some((_, known)) => *known = known.zip(share(suspect)).map(|(a, b)| a + b),
                None => {
                    let named = Some(&suspect.change) == named;
                    let likely = Likely { person: &suspect.responder, change: &suspect.label, percent: None, named };
                    people.push((likely, share(suspect)));
                }
            }
        }
        people.sort_by_key(|(likely, share)| (!likely.named, share.map(std::cmp::Reverse)));
        let percent = |share: u32| u16::try_from((share * 100 / left.max(1)).min(100)).unwrap_or(100);
        people.into_iter().map(|(likely, share)| Likely { percent: share.map(percent), ..likely }).collect()
    }
}
