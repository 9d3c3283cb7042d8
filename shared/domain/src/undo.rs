//! Taking a change back by one click: what somebody asked for, and what came of it. However often and by whomever it is pressed,
//! there is one revert pull request a change: it is kept in one service, the change's [`home`], in whose working set the press is
//! one conditional write; whoever opens it has claimed it before; and whoever opens it again looks first whether it is there.
//!
//! What is known beforehand of its going well is in [`outlook`]. People press in [`crate::on_request::reverts`]; the forge is
//! asked by `on-schedule`.

mod lane;
pub mod outlook;
mod tries;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::{Change, ChangeKind};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::{ChangeId, Commit, PersonId, Repository};
use crate::message::Subject;
use crate::on_deploy::asked_again_at;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::{Noted, Situation};
use crate::text;
use crate::wording::{Reader, reverts as words};
pub use lane::{Lane, ask_to_pass};
pub(crate) use tries::give_up;
pub use tries::{claim, due};

/// Whoever claimed it and said nothing for so long is gone: longer than all requests of one try may take.
const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// What nobody has opened so long after it was due is given up: nobody does it any more, and whoever pressed has to know.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);
/// How long it is known, so that the page of its incident can say so.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24 * 14);
const MOST_WHY: usize = 160;
const MOST_TITLE: usize = 200;

/// What was asked for, by the change.
pub type Undos = BTreeMap<ChangeId, Noted<Undo>>;

/// Of which changes a forge opens a revert pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// Of pull requests; what was pushed is taken back by hand.
    PullRequests,
    Anything,
}

/// Somebody asked for a change to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    pub change: ChangeId,
    pub kind: ChangeKind,
    pub title: String,
    /// The branch that it was merged into.
    pub base: String,
    pub by: PersonId,
    pub at: Timestamp,
    /// Nobody pressed: it was opened because of the evidence, in the name of whose change it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_itself: bool,
    pub stage: Stage,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// To be opened. `why`: the forge did not answer the last time.
    Asked {
        tries: u32,
        due_at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Somebody is opening it.
    UnderWay {
        tries: u32,
        since: Timestamp,
    },
    Opened(Opened),
    /// There is none. Pressed again, it is tried again.
    Refused {
        why: Why,
        at: Timestamp,
    },
}

/// The revert pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its newest commit, where the forge says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Commit>,
    /// It was there already: opened by a try that was cut off, or by somebody at the forge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
}

/// Why there is no revert pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    #[error("later changes are in its way: it conflicts")]
    Conflicts,
    #[error("nothing of it is left to take back")]
    NothingLeft,
    #[error("it was merged as several commits, which the forge does not take back as one")]
    Several,
    #[error("the forge's API has no revert of this")]
    NoApi,
    #[error("the token may not do it: it needs to write contents and pull requests")]
    NotAllowed,
    #[error("the forge does not take it: {why}")]
    Said { why: String },
    #[error("the forge did not answer: {why}")]
    Silent { why: String },
}

/// What came of asking the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Opened(Opened, Lane),
    Refused(Why),
    /// Not known: it may even be there. It is looked for, and tried, again.
    Silent(String),
}

impl Undo {
    #[must_use]
    pub fn new(change: &Change, by: &PersonId, now: Timestamp) -> Self {
        Self {
            change: change.id.clone(),
            kind: change.kind,
            title: text::line(&change.title, MOST_TITLE),
            base: change.base.clone(),
            by: by.clone(),
            at: now,
            by_itself: false,
            stage: Stage::Asked { tries: 0, due_at: now, why: None },
        }
    }

    /// `edx-platform#12`
    #[must_use]
    pub fn label(&self) -> String {
        let repository = self.change.repository.short();
        match self.kind {
            ChangeKind::PullRequest { number } => format!("{repository}#{number}"),
            ChangeKind::DirectPush => format!("{repository}@{}", self.change.commit.short()),
        }
    }

    /// How the revert pull request is called, if there is one: `edx-platform#13`.
    #[must_use]
    pub fn opened(&self) -> Option<(&Opened, String)> {
        match &self.stage {
            Stage::Opened(opened) => Some((opened, format!("{}#{}", self.change.repository.short(), opened.number))),
            Stage::Asked { .. } | Stage::UnderWay { .. } | Stage::Refused { .. } => None,
        }
    }

    /// When there is something to do about it.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Asked { due_at, .. } => Some(*due_at),
            Stage::UnderWay { since, .. } => Some(*since + LEASE),
            Stage::Opened(_) | Stage::Refused { .. } => None,
        }
    }

    /// When it is given up, if nobody does anything about it.
    #[must_use]
    pub fn given_up_at(&self) -> Option<Timestamp> {
        Some(self.due_at()? + FORGOTTEN)
    }
}

/// How to do it by hand.
#[must_use]
pub fn by_hand(commit: &Commit) -> String {
    format!("git revert {commit} (a merge commit: -m 1) on a new branch, and a pull request of it")
}

/// The service that keeps it for all into which the repository's changes go live: so two who press in two services ask once.
#[must_use]
pub fn home<'a>(settings: &'a Settings, repository: &'a Repository) -> Option<&'a Service> {
    settings.services_of(repository).next()
}

/// What the configured source of a change's forge can do about it; `None`: nothing, by one click.
#[must_use]
pub fn can_open(settings: &Settings, change: &Change) -> bool {
    match settings.reverts.get(&change.id.repository) {
        Some(Opens::Anything) => true,
        Some(Opens::PullRequests) => change.kind != ChangeKind::DirectPush,
        None => false,
    }
}

/// Keeps what came of a claim, and tells whoever pressed. What another try has settled meanwhile stays so.
#[must_use]
pub fn heard(
    claimed: &Undo,
    said: &Said,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let Some(Noted { value: known, rev }) = situation.undos.get(&claimed.change) else { return decisions };
    let ours = known.stage == claimed.stage;
    let Stage::UnderWay { tries, .. } = claimed.stage else { return decisions };
    let reader = |person| Reader { settings, service, person, now };
    let stage = match said {
        Said::Opened(..) if known.opened().is_some() => return decisions,
        Said::Opened(opened, _) => Stage::Opened(opened.clone()),
        Said::Refused(_) | Said::Silent(_) if !ours => return decisions,
        Said::Refused(why) => Stage::Refused { why: bounded(why), at: now },
        Said::Silent(why) => {
            let (tries, why) = (tries.saturating_add(1), text::line(why, MOST_WHY));
            match asked_again_at(tries, now) {
                Some(due_at) => Stage::Asked { tries, due_at, why: Some(why) },
                None => Stage::Refused { why: Why::Silent { why }, at: now },
            }
        }
    };
    let undo = Undo { stage, ..known.clone() };
    logged(&mut decisions, &undo, now);
    match (&undo.stage, said) {
        (Stage::Opened(opened), Said::Opened(_, lane)) => {
            let channel = service.channel.iter().filter(|_| situation.changes.contains_key(&undo.change));
            for person in std::iter::once(&undo.by).chain(channel.filter(|channel| **channel != undo.by)) {
                decisions.tell(words::opened(reader(person), &undo, opened, lane));
            }
        }
        (Stage::Refused { why, .. }, _) => decisions.tell(words::refused(reader(&undo.by), &undo, why)),
        (Stage::Opened(_) | Stage::Asked { .. } | Stage::UnderWay { .. }, _) => {}
    }
    decisions.put(Record::Undo(undo), *rev);
    decisions
}

/// Another service into which the change went knows of the revert pull request, too.
#[must_use]
pub fn known_there(opened: &Undo, situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let known = situation.undos.get(&opened.change);
    if situation.changes.contains_key(&opened.change) && known.is_none_or(|known| known.value.opened().is_none()) {
        logged(&mut decisions, opened, now);
        decisions.put(Record::Undo(opened.clone()), known.map_or(0, |known| known.rev));
    }
    decisions
}

fn bounded(why: &Why) -> Why {
    match why {
        Why::Said { why } => Why::Said { why: text::line(why, MOST_WHY) },
        Why::Silent { why } => Why::Silent { why: text::line(why, MOST_WHY) },
        other @ (Why::Conflicts | Why::NothingLeft | Why::Several | Why::NoApi | Why::NotAllowed) => other.clone(),
    }
}

fn logged(decisions: &mut Decisions, undo: &Undo, now: Timestamp) {
    let label = undo.label();
    let (what, reason) = match &undo.stage {
        Stage::Asked { why: Some(why), .. } => {
            (format!("the revert of {label} is not opened yet"), Reason::RevertUnopened { why: why.clone() })
        }
        Stage::Opened(opened) => {
            let number = opened.number;
            (format!("{}#{number} reverts {label}", undo.change.repository.short()), Reason::RevertOpened { number })
        }
        Stage::Refused { why, .. } => {
            (format!("no revert of {label} is opened"), Reason::RevertRefused { why: why.to_string() })
        }
        Stage::Asked { why: None, .. } | Stage::UnderWay { .. } => return,
    };
    decisions.log(now, Some(Subject::Change(undo.change.clone())), Some(undo.by.clone()), what, reason);
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
