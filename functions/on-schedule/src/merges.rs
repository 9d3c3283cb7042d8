//! A merge that a forge told when it was asked: kept as if it had reported it itself.

use aws::store::{self, MergeOutcome};
use aws::{House, StoreError};
use domain::on_merge::{self, MergeDecision, MergeEvent, Way};
use domain::{Change, Reason};

/// Load, decide, commit: again where somebody else was faster. What came of it.
pub async fn keep(house: &House, change: Change) -> Result<Reason, StoreError> {
    let event = MergeEvent::Merged(Box::new(change));
    let now = house.now();
    for attempt in 0..store::MOST_TRIES {
        let way = match on_merge::wants_way(&event, house.settings()) {
            Some((repository, number)) => house.store.queued(repository, number).await?.way,
            None => Way::default(),
        };
        let merge = match on_merge::decide(event.clone(), &way, house.settings(), now) {
            MergeDecision::Keep(merge) => merge,
            MergeDecision::Nothing(reason) => return Ok(reason),
            // A change is kept, or it is not.
            MergeDecision::NoteEnqueue(_)
            | MergeDecision::NoteApproval(_)
            | MergeDecision::Ask(..)
            | MergeDecision::Pull(..) => break,
        };
        let awaits = merge.awaits().map(|number| (number, &way));
        match house.store.keep_merge(&merge, awaits, now).await {
            Ok(MergeOutcome::Known) => return Ok(Reason::AlreadyKnown),
            Ok(MergeOutcome::Kept) => {
                for (service, ..) in &merge.windows {
                    (house.nudge)(service);
                }
                return Ok(Reason::MergedOnStandby);
            }
            Err(StoreError::Conflict) => store::pause(attempt, now).await,
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}
