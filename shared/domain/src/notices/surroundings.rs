//! What surrounds a window: its place in the queue, the rest of its release, what holds it up.

use super::Look;
use crate::attendance;
use crate::queue;
use crate::window::{Closed, Phase, Window};
use crate::wording::turns::Surroundings;

/// How many other changes of a release are named in a notice.
const MOST_NAMED: usize = 5;

impl<'a> Look<'a> {
    /// What surrounds a window, for its notices.
    #[must_use]
    pub fn around(&self, window: &Window<'_>) -> Surroundings<'a> {
        let (queue, change) = (&self.situation.queue.value, window.change);
        let standby = matches!(window.phase, Phase::Standby);
        let notes = self.situation.notes.get(&change.id).map(|n| &n.value);
        let roster = &self.settings.roster;
        let held = || {
            let asking = self.situation.asking(change, self.service, roster)?;
            attendance::held_until(&asking, notes, self.service, roster, self.now)
        };
        Surroundings {
            ahead: self
                .all
                .iter()
                .take_while(|w| w.change.id != change.id)
                .filter(|w| w.phase == Phase::Standby)
                .count(),
            with: self.released_with(window),
            stalled: standby
                .then(|| queue::stalled(self.situation, self.service, &change.id.repository, self.now))
                .flatten(),
            expected_live: standby.then(|| queue::expected_live(change, queue, self.service, self.now)).flatten(),
            held_until: standby.then(held).flatten(),
        }
    }

    /// The other changes of the same release and who answers for them, a few by name.
    fn released_with(&self, window: &Window<'_>) -> Vec<String> {
        let Some(release) = window.release else { return Vec::new() };
        let same = |w: &&Window<'_>| {
            let took =
                !matches!(w.phase, Phase::Closed { reason: Closed::RevertedBeforeLive | Closed::OtherPaths, .. });
            took && w.change.id != window.change.id && w.release.is_some_and(|other| other.key == release.key)
        };
        let name =
            |w: &Window<'_>| format!("{} ({})", w.change.label(), self.settings.roster.name_of(&w.holder.person));
        let mut others: Vec<String> = self.all.iter().filter(same).take(MOST_NAMED).map(name).collect();
        let more = self.all.iter().filter(same).count().saturating_sub(MOST_NAMED);
        if more > 0 {
            others.push(format!("{more} more"));
        }
        others
    }
}
