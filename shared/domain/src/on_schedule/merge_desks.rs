//! The clock of what stands at pull requests: when the forge is asked and told again.

use jiff::Timestamp;

use super::{Next, REPUBLISH, Round, unsent};
use crate::comments;
use crate::decision::{Decisions, Wake};
use crate::merge_desk::{self, Manner};
use crate::message::Outgoing;
use crate::settings::Settings;
use crate::situation::Situation;

/// Looks at a repository's desk; `manner`: nothing stands there where its source does not want it.
#[must_use]
pub fn decide(
    situation: &Situation,
    outbox: &[Outgoing],
    manner: Option<Manner>,
    settings: &Settings,
    now: Timestamp,
) -> Round {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut next = Next::default();
    comments::tidy(&mut decisions, situation, now);
    let status = manner.and_then(|manner| merge_desk::due_at(situation, manner, &settings.public_url, now));
    for at in [status, comments::due_at(situation, settings, now)].into_iter().flatten() {
        // What is due now is done after this look; should that fail, the tick comes again.
        next.at(at.max(now + REPUBLISH));
    }
    let republish = unsent(&mut next, outbox, now);
    decisions.wake = Wake::Exactly(next.0);
    Round { decisions, republish }
}
