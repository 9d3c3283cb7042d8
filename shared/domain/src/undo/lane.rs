//! Whether a revert pull request passes the freezes that hold: it is asked for in the name of whoever pressed, unless somebody has
//! asked for it already. What was signed, or refused, stays so.

use super::{Opened, Undo};
use crate::decision::Decisions;
use crate::expedite::{LASTS, Over, Standing, Way};
use crate::on_request::expedites::{Fix, Refused};
use crate::on_request::freezes::Desk;
use crate::wording::reverts::title;

/// Whether it passes the freezes that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lane {
    NothingHolds,
    Asked,
    NotAsked(String),
}

/// Asks at the desk of freezes to let it pass.
#[must_use]
pub fn ask_to_pass(undo: &Undo, opened: &Opened, desk: &Desk<'_>) -> (Decisions, Lane) {
    let nothing = |lane| (desk.decisions(), lane);
    if let Some(lane) = asked_already(undo, opened, desk) {
        return nothing(lane);
    }
    let (repository, number) = (undo.change.repository.clone(), opened.number);
    let (url, head) = (opened.url.clone(), opened.head.clone());
    let fix = Fix { repository, number, title: title(undo), url, head, at: desk.now };
    match desk.expedite(&undo.by, &fix, &format!("revert of {}", undo.label()), Way::Board) {
        Ok(decisions) => (decisions, Lane::Asked),
        Err(Refused::NothingHolds) => nothing(Lane::NothingHolds),
        Err(Refused::AlreadySo) => nothing(Lane::Asked),
        Err(
            other @ (Refused::MayNotAsk
            | Refused::NotServed(_)
            | Refused::TooMany
            | Refused::NotAsked(_)
            | Refused::WasRefused(_)
            | Refused::OwnAsk
            | Refused::NotYours
            | Refused::OthersSign(_)
            | Refused::NotTheirs
            | Refused::NoReason),
        ) => nothing(Lane::NotAsked(other.to_string())),
    }
}

/// A label asks too, and says no reason: that we have.
fn asked_already(undo: &Undo, opened: &Opened, desk: &Desk<'_>) -> Option<Lane> {
    let repository = &undo.change.repository;
    let known = &desk.situation.expedites.get(&format!("{repository}@{}", opened.number))?.value;
    if let Some((at, _, Over::Refused { why })) = &known.over
        && *at + LASTS > desk.now
    {
        return Some(Lane::NotAsked(Refused::WasRefused(why.clone()).to_string()));
    }
    match known.standing(desk.needs(repository).unwrap_or_default(), desk.now) {
        Standing::AwaitsApprover | Standing::AwaitsRotation | Standing::Granted => Some(Lane::Asked),
        Standing::NeedsReason | Standing::Refused | Standing::Withdrawn | Standing::Lapsed => None,
    }
}
