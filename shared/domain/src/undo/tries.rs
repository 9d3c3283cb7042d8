//! Whose turn it is to open a revert pull request, and when nobody tries any more.

use jiff::Timestamp;

use super::{MOST_WHY, Stage, Undo, Why, logged};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::ChangeId;
use crate::on_deploy::asked_again_at;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::{Noted, Situation};
use crate::text;
use crate::wording::{Reader, reverts as words};

/// The changes whose revert is to be opened now, the longest waiting first. What nobody opened in time is given up elsewhere.
#[must_use]
pub fn due(situation: &Situation, now: Timestamp) -> Vec<ChangeId> {
    let all = situation.undos.values().map(|noted| &noted.value);
    let awaited = all.filter(|undo| undo.given_up_at().is_some_and(|at| now < at));
    let mut due: Vec<(Timestamp, &ChangeId)> =
        awaited.filter_map(|undo| Some((undo.due_at().filter(|at| *at <= now)?, &undo.change))).collect();
    due.sort();
    due.into_iter().map(|(_, change)| change.clone()).collect()
}

/// Claims one that is due, so that nobody else opens it meanwhile. `None`: somebody was faster, or it was cut off once too often,
/// which whoever pressed is told.
#[must_use]
pub fn claim(
    change: &ChangeId,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> (Decisions, Option<Undo>) {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let known = situation.undos.get(change).filter(|known| known.value.due_at().is_some_and(|at| at <= now));
    let Some(known) = known else { return (decisions, None) };
    let tries = match &known.value.stage {
        Stage::Asked { tries, .. } => *tries,
        // Cut off: that was a try.
        Stage::UnderWay { tries, .. } => tries.saturating_add(1),
        Stage::Opened(_) | Stage::Refused { .. } => return (decisions, None),
    };
    if asked_again_at(tries, now).is_none() {
        give_up(
            &mut decisions,
            known,
            "each try was cut off",
            Reader { settings, service, person: &known.value.by, now },
        );
        return (decisions, None);
    }
    let claimed = Undo { stage: Stage::UnderWay { tries, since: now }, ..known.value.clone() };
    decisions.put(Record::Undo(claimed.clone()), known.rev);
    (decisions, Some(claimed))
}

/// Nobody tries it any more: whoever pressed, who is the reader, is told, and may press again.
pub(crate) fn give_up(decisions: &mut Decisions, known: &Noted<Undo>, why: &str, reader: Reader<'_>) {
    let why = Why::Silent { why: text::line(why, MOST_WHY) };
    let undo = Undo { stage: Stage::Refused { why: why.clone(), at: reader.now }, ..known.value.clone() };
    logged(decisions, &undo, reader.now);
    decisions.tell(words::refused(reader, &undo, &why));
    decisions.put(Record::Undo(undo), known.rev);
}
