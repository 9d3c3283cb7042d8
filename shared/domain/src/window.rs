//! A responsibility window: one person's responsibility for one change in one service. This file answers
//! "when am I on call?"; how long a turn lasts is in [`crate::turn`], who answers in [`crate::responder`].
//!
//! A window's phase is a function of what is known now. Nothing has to happen at the right moment for it to
//! be right: timers only send the notices. What is kept of a window is only what was said about it, and what people
//! answered.

mod notes;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attendance::{self, Attendance};
use crate::change::Change;
use crate::deployment::{Deployment, DeploymentKey};
use crate::ids::{ChangeId, ServiceId};
use crate::lineage;
use crate::release::{self, Exposure, RolledBack};
use crate::responder::{self, Responder};
use crate::roster::Roster;
use crate::service::{Policy, Service};
use crate::shift::Shift;
use crate::situation::Situation;
use crate::turn::{self, Broken, Cut, Turn};
pub use notes::WindowNotes;

/// Where a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// Merged, not live: named, not paged.
    Standby,
    /// Live: paged first, until `until`. `settled` when the end is known: the deployment has succeeded, and
    /// nothing is broken.
    Active { since: Timestamp, until: Timestamp, settled: bool },
    /// Still a suspect, no longer paged first.
    Tail { since: Timestamp, until: Timestamp },
    /// Over.
    Closed { at: Timestamp, reason: Closed },
}

/// Why a window is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The tail ran out.
    TailOver,
    /// A change that reverts it has been live for a while.
    Reverted,
    /// A change that reverts it went live together with it, or before it: it never took traffic.
    RevertedBeforeLive,
    /// It touches nothing of this service, as the list of its files says.
    OtherPaths,
}

/// A window as it stands at one moment.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    pub service: &'a ServiceId,
    pub change: &'a Change,
    /// Whose the change is: told of its turn.
    pub holder: Responder,
    /// Who is paged for it now: the holder, unless somebody has the pager of the whole service.
    pub responder: Responder,
    pub phase: Phase,
    /// The turn it has, or had last; those before it were taken back.
    pub turns: Vec<Turn<'a>>,
    /// The deployment that brought the change live.
    pub release: Option<&'a Deployment>,
    /// The change of the service's own repository that pins it, where it is a change of an upstream.
    pub pinned_by: Option<&'a Change>,
    /// Deployments that tried and failed.
    pub attempts: Vec<&'a Deployment>,
    /// Releases of it that were taken back.
    pub rolled_back: Vec<RolledBack<'a>>,
    /// The change that reverts it, where one was merged.
    pub reverted_by: Option<&'a Change>,
    /// Since when that is live.
    pub reverted_live_at: Option<Timestamp>,
    /// What it reverts or lands again itself, in words.
    pub lineage: Option<String>,
    pub attendance: Attendance,
    /// Whether somebody let it pass a freeze.
    pub expedited: bool,
}

impl<'a> Window<'a> {
    /// Whether this deployment brought the change live, now or before, or tried to, or took it back.
    #[must_use]
    pub fn involves(&self, key: &DeploymentKey) -> bool {
        let back = self.rolled_back.iter().flat_map(|r| [r.release, r.by]);
        self.release.into_iter().chain(self.attempts.iter().copied()).chain(back).any(|d| d.key == *key)
    }

    /// The turn it has, or had last.
    #[must_use]
    pub fn turn(&self) -> Option<&Turn<'a>> {
        self.turns.last()
    }

    /// How many turns it had, or nearly had, before this one, as far as is known now.
    #[must_use]
    pub fn nth_turn(&self) -> u32 {
        // What was just taken back is still in the turn that it had.
        let lasting = self.release.is_none() && matches!(self.phase, Phase::Active { .. } | Phase::Tail { .. });
        let ended = self.attempts.len() + self.rolled_back.len();
        u32::try_from(ended.saturating_sub(usize::from(lasting))).unwrap_or(u32::MAX)
    }
}

/// The phase at `now` of a change with this turn. `unseen`: since when it is known never to have been live, nor to
/// become so; `reverted_at`: since when a revert of it is live.
fn phase(turn: Option<&Turn<'_>>, unseen: Option<Timestamp>, reverted_at: Option<Timestamp>, now: Timestamp) -> Phase {
    if let Some(at) = unseen.filter(|at| *at <= now) {
        return Phase::Closed { at, reason: Closed::RevertedBeforeLive };
    }
    let reverted_at = reverted_at.filter(|at| *at <= now);
    let Some(turn) = turn else {
        return reverted_at.map_or(Phase::Standby, |at| Phase::Closed { at, reason: Closed::Reverted });
    };
    let taken_back = turn.cut == Some(Cut::RolledBack);
    match now {
        now if now < turn.since => Phase::Standby,
        now if now < turn.until => Phase::Active { since: turn.since, until: turn.until, settled: turn.settled },
        now if now < turn.over => Phase::Tail { since: turn.until, until: turn.over },
        // It is still in the branch, so the next deployment brings it again; unless it was reverted meanwhile.
        _ if taken_back && reverted_at.is_none() => Phase::Standby,
        _ if turn.cut.is_some() => Phase::Closed { at: turn.over, reason: Closed::Reverted },
        _ => Phase::Closed { at: turn.over, reason: Closed::TailOver },
    }
}

/// What is the same for every window of a service at one moment.
struct Context<'a> {
    situation: &'a Situation,
    service: &'a Service,
    roster: &'a Roster,
    now: Timestamp,
    broken: Vec<Broken>,
    shifts: Vec<&'a Shift>,
    on_override: Option<Responder>,
}

/// Every window of the service as it stands at `now`, in merge order.
#[must_use]
pub fn windows<'a>(
    situation: &'a Situation,
    service: &'a Service,
    roster: &'a Roster,
    now: Timestamp,
) -> Vec<Window<'a>> {
    let mut changes: Vec<&Change> = situation.changes.values().map(|c| &c.value).collect();
    changes.sort_by(|a, b| a.order().cmp(&b.order()));
    let deployments: Vec<&Deployment> = situation.deployments.values().map(|d| &d.value).collect();
    let exposures: BTreeMap<&ChangeId, Exposure<'a>> = service
        .live_environment()
        .map(|live| release::exposures(&changes, &deployments, &live.name, &service.upstreams))
        .unwrap_or_default();
    let reverts = lineage::reverts(&changes);
    let shifts: Vec<&Shift> = situation.shifts.values().map(|s| &s.value).collect();
    let context = Context {
        situation,
        service,
        roster,
        now,
        broken: service
            .live_environment()
            .and_then(|live| situation.signals.get(&live.name))
            .zip(deployments.iter().filter_map(|deployment| deployment.live_since()).min())
            .map(|(signals, first)| turn::broken(&signals.value, first))
            .unwrap_or_default(),
        on_override: responder::on_override(&shifts, now),
        shifts,
    };
    let window = |change: &'a Change| {
        let exposure = exposures.get(&change.id)?;
        // What is live only by what pins it is taken back with the pin.
        let pin = exposure.pinned_by.and_then(|pin| reverts.get(&pin.id));
        let reverted_by = reverts.get(&change.id).or(pin).copied();
        let revert = reverted_by.and_then(|by| exposures.get(&by.id)?.live);
        let window = context.window(change, exposure, reverted_by, revert)?;
        Some(Window { lineage: lineage::words(change, &changes), ..window })
    };
    changes.iter().copied().filter_map(window).collect()
}

impl<'a> Context<'a> {
    /// `revert`: the deployment that brought the revert live.
    fn window(
        &self,
        change: &'a Change,
        exposure: &Exposure<'a>,
        reverted_by: Option<&'a Change>,
        revert: Option<&'a Deployment>,
    ) -> Option<Window<'a>> {
        let policy = &self.service.policy;
        let reverted_at = revert.and_then(Deployment::live_since);
        // A deployment that brings the change together with its revert brings neither.
        let with_revert = revert.is_some_and(|by| exposure.live.is_none_or(|live| live.order() >= by.order()));
        let live = exposure.live.filter(|_| !with_revert);
        let turns = turns(exposure, live, &self.broken, reverted_at, policy);
        let never = with_revert && exposure.rolled_back.is_empty() && exposure.attempts.is_empty();
        let unseen = reverted_at.filter(|_| never);
        let files = self.situation.files.get(&change.id).map(|f| &f.value);
        let phase = if self.service.touched_by(&change.id.repository, files) {
            // A canary that was aborted stays in question for a while, reverted or not.
            let tried = exposure.attempts.iter().filter_map(|d| d.failed_at).max().map(|at| at + policy.after_failure);
            phase(turns.last(), unseen, reverted_at.map(|at| tried.map_or(at, |tried| at.max(tried))), self.now)
        } else {
            Phase::Closed { at: change.merged_at, reason: Closed::OtherPaths }
        };
        let notes = self.situation.notes.get(&change.id).map(|n| &n.value);
        let since = turns.last().map(|turn| turn.since).filter(|since| *since <= self.now);
        let moment = since.unwrap_or(change.merged_at);
        let (posted, shifts) = (&self.situation.posted.value, &self.shifts);
        let holder = responder::holder(change, notes, shifts, posted, self.service, self.roster, moment, self.now)?;
        Some(Window {
            service: &self.service.id,
            change,
            responder: self.on_override.clone().unwrap_or_else(|| holder.clone()),
            holder,
            phase,
            turns,
            release: live,
            pinned_by: exposure.pinned_by,
            attempts: exposure.attempts.clone(),
            rolled_back: exposure.rolled_back.clone(),
            reverted_by,
            reverted_live_at: reverted_at,
            lineage: None,
            attendance: notes.map_or(Attendance::NotAsked, |n| attendance::attendance(n, policy)),
            expedited: posted.expedite_of(change).is_some(),
        })
    }
}

/// Every turn of a change, the last one last.
fn turns<'a>(
    exposure: &Exposure<'a>,
    live: Option<&'a Deployment>,
    broken: &[Broken],
    reverted_at: Option<Timestamp>,
    policy: &Policy,
) -> Vec<Turn<'a>> {
    let back = exposure.rolled_back.iter().filter_map(|back| turn::taken_back(back, broken, policy));
    back.chain(live.and_then(|live| turn::live(live, &exposure.redeployed, broken, reverted_at, policy))).collect()
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
