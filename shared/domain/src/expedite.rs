//! The lane by which an urgent fix passes a freeze: who asks for it and why, who has to sign, and what came of it.
//!
//! What it takes follows from the freezes that hold at the moment: where all of them advise, a reason; where one requires, an
//! approver; at a peak event somebody of the rotation too. Nobody signs for themselves, and nobody signs twice. Whoever asks has
//! the pager for the fix by that act.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::freeze::{Answer, Freezes, Question, Side, Strength};
use crate::ids::{Commit, PersonId, Repository};
use crate::message::Step;
use crate::service::Service;
use crate::settings::Settings;

/// How long it may pass once it is asked for, or signed last. After that it has to be asked for again.
pub const LASTS: SignedDuration = SignedDuration::from_hours(24);
/// How long it is known, so that whose the change is can be explained.
pub const KNOWN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Who may ask and who signs, where the configuration says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// Empty: everybody of the roster who is no outside contributor.
    pub may: BTreeSet<PersonId>,
    /// Empty: the owners of the services that are concerned.
    pub approvers: BTreeSet<PersonId>,
}

/// How it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By the label at the forge.
    Label,
    /// By a comment at the forge.
    Command,
    /// At the board, in a chat, by the command line.
    Board,
}

/// Somebody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub person: PersonId,
    pub at: Timestamp,
    /// Whether they may sign as approver, and whether for the rotation: nobody counts for both.
    pub approver: bool,
    pub rotation: bool,
}

/// Why it passes no more, or never did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    Refused { why: String },
    Withdrawn,
}

/// One fix that somebody asks to let pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expedite {
    pub repository: Repository,
    /// The pull request's.
    pub number: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub by: PersonId,
    pub at: Timestamp,
    pub way: Way,
    /// The forge's time of the last word about it: what is told late, or again, is older.
    pub heard_at: Timestamp,
    /// The newest commit of the pull request, as far as was told: who signed, signed for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Commit>,
    /// Empty: not said yet.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed: Vec<Signed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<(Timestamp, PersonId, Over)>,
    /// By which word it passed, when it did last: whoever let it pass then has the pager for what was merged meanwhile, whatever is
    /// asked for later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Granted>,
    /// Who was told what of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<(Step, PersonId)>,
    /// Whether it was counted: once it is known what became of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counted: bool,
}

/// An expedite that passes, as services know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    pub repository: Repository,
    pub number: u64,
    pub by: PersonId,
    pub at: Timestamp,
    /// Until when it may pass.
    pub until: Timestamp,
    /// The commit that was signed for, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Commit>,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed: Vec<PersonId>,
}

impl Granted {
    /// As [`Expedite::key`].
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.repository, self.number)
    }
}

/// What an expedite takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    pub approver: bool,
    pub rotation: bool,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    NeedsReason,
    AwaitsApprover,
    AwaitsRotation,
    Granted,
    Refused,
    Withdrawn,
    /// It was not asked for, nor signed, for so long that it counts no more.
    Lapsed,
}

impl Expedite {
    /// `edx-platform#12`
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}#{}", self.repository.short(), self.number)
    }

    /// Its name among the others.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.repository, self.number)
    }

    /// Until when it counts, unless somebody signs meanwhile.
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        self.signed.iter().map(|signed| signed.at).max().unwrap_or(self.at).max(self.at) + LASTS
    }

    #[must_use]
    pub fn has_signed(&self, person: &PersonId) -> bool {
        self.signed.iter().any(|signed| signed.person == *person)
    }

    /// How many of the signatures that it takes are there.
    fn covered(signed: &[Signed], needs: Needs) -> usize {
        let approver = |one: &Signed| needs.approver && one.approver;
        let rotation = |one: &Signed| needs.rotation && one.rotation;
        let pair = |one: &Signed| approver(one) && signed.iter().any(|two| two.person != one.person && rotation(two));
        if signed.iter().any(pair) { 2 } else { usize::from(signed.iter().any(|one| approver(one) || rotation(one))) }
    }

    /// Whether this signature beside the others brings it further.
    #[must_use]
    pub fn is_furthered_by(&self, signed: &Signed, needs: Needs) -> bool {
        let with: Vec<Signed> = self.signed.iter().chain([signed]).cloned().collect();
        signed.person != self.by && Self::covered(&with, needs) > Self::covered(&self.signed, needs)
    }

    #[must_use]
    pub fn standing(&self, needs: Needs, now: Timestamp) -> Standing {
        let signed = |rotation: bool| self.signed.iter().any(|one| if rotation { one.rotation } else { one.approver });
        let whole = Self::covered(&self.signed, needs) == usize::from(needs.approver) + usize::from(needs.rotation);
        match &self.over {
            Some((_, _, Over::Refused { .. })) => Standing::Refused,
            Some((_, _, Over::Withdrawn)) => Standing::Withdrawn,
            None if self.lapses_at() <= now => Standing::Lapsed,
            None if self.reason.is_empty() => Standing::NeedsReason,
            None if whole => Standing::Granted,
            None if needs.rotation && signed(false) && !signed(true) => Standing::AwaitsRotation,
            None => Standing::AwaitsApprover,
        }
    }

    /// The word by which it passed, up to when that ended: somebody took it back, asked for another, or let it lapse.
    #[must_use]
    pub fn cut(&self, passed: Granted) -> Granted {
        let ended = self.over.as_ref().map(|(at, ..)| *at);
        let asked = Some(self.at).filter(|at| *at > passed.at);
        let until = ended.into_iter().chain(asked).fold(passed.until, Timestamp::min);
        Granted { until, ..passed }
    }

    #[must_use]
    pub fn granted(&self) -> Granted {
        Granted {
            repository: self.repository.clone(),
            number: self.number,
            by: self.by.clone(),
            at: self.at,
            until: self.lapses_at(),
            head: self.head.clone(),
            reason: self.reason.clone(),
            signed: self.signed.iter().map(|signed| signed.person.clone()).collect(),
        }
    }
}

/// What holds for a repository: for merges into it, and for deployments of each service that it goes to.
#[must_use]
pub fn holding<'a>(
    freezes: &Freezes<'a>,
    settings: &Settings,
    repository: &Repository,
    now: Timestamp,
) -> Vec<Answer<'a>> {
    let merge = freezes.answer(&Question::of_merge(repository, settings), now);
    let deploy = |service: &Service| {
        let environment = service.live_environment().map(|environment| &environment.name);
        freezes.answer(&Question::about(Side::Deployments, service, environment), now)
    };
    let all = std::iter::once(merge).chain(settings.services_of(repository).map(deploy));
    all.filter(|answer| answer.strength.is_some()).collect()
}

/// What it takes to pass what holds.
#[must_use]
pub fn needs(holding: &[Answer<'_>]) -> Needs {
    let because = || holding.iter().flat_map(|answer| &answer.because);
    let approver = holding.iter().any(|answer| answer.strength == Some(Strength::Require));
    Needs {
        approver: approver || because().any(|one| one.rotation_signs),
        rotation: because().any(|one| one.rotation_signs),
    }
}

/// Who may sign as approver.
#[must_use]
pub fn approvers<'a>(settings: &'a Settings, repository: &'a Repository) -> BTreeSet<&'a PersonId> {
    if !settings.lane.approvers.is_empty() {
        return settings.lane.approvers.iter().collect();
    }
    settings.services_of(repository).flat_map(|service| &service.owners).collect()
}

/// Who may sign for the rotation.
#[must_use]
pub fn rotation<'a>(settings: &'a Settings, repository: &'a Repository) -> BTreeSet<&'a PersonId> {
    settings.services_of(repository).flat_map(|service| &service.rotation).collect()
}

/// This person's signature, if they may sign at all.
#[must_use]
pub fn signature(settings: &Settings, repository: &Repository, person: &PersonId, at: Timestamp) -> Option<Signed> {
    let approver = approvers(settings, repository).contains(person);
    let rotation = rotation(settings, repository).contains(person);
    (approver || rotation).then(|| Signed { person: person.clone(), at, approver, rotation })
}

/// Whether this person may ask.
#[must_use]
pub fn may_ask(settings: &Settings, person: &PersonId) -> bool {
    let inside = settings.roster.person(person).is_some_and(|person| !person.is_outside());
    inside && !settings.is_channel(person) && (settings.lane.may.is_empty() || settings.lane.may.contains(person))
}

#[cfg(test)]
#[path = "expedite_tests.rs"]
mod tests;
