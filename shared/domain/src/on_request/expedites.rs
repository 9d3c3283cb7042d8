//! A person asks to let an urgent fix pass a freeze, signs for it, refuses it, or takes it back. Doing it again is harmless and
//! says so.

use jiff::Timestamp;

use super::freezes::Desk;
use crate::decision::{Decisions, Record};
use crate::expedite::{self, Expedite, Needs, Over, Standing, Way};
use crate::freeze::Freezes;
use crate::ids::{Commit, PersonId, Repository};
use crate::message::Subject;
use crate::reason::Reason;
use crate::text;

/// So many may be under way at a time.
const MOST: usize = 50;
/// How much of a reason is kept, in characters.
const MOST_REASON: usize = 200;

/// The fix that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    pub repository: Repository,
    pub number: u64,
    pub title: String,
    pub url: Option<String>,
    pub head: Option<Commit>,
    /// When it was said, by the forge's clock.
    pub at: Timestamp,
}

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("that is so already")]
    AlreadySo,
    #[error("no freeze holds for it: merge and deploy as always")]
    NothingHolds,
    #[error("you may not ask for it: somebody who may is in [expedite] of the configuration")]
    MayNotAsk,
    #[error("no service of the configuration deploys {0}")]
    NotServed(Repository),
    #[error("{MOST} are under way already")]
    TooMany,
    #[error("nobody has asked to let {0} pass")]
    NotAsked(String),
    #[error("it was refused: {0}. Ask whoever refused it")]
    WasRefused(String),
    #[error("nobody signs for what they asked for themselves")]
    OwnAsk,
    #[error("you do not sign for it: the approvers and the rotation do")]
    NotYours,
    #[error("it waits for another signature than yours: {0}")]
    OthersSign(&'static str),
    #[error("only whoever asked for it takes it back")]
    NotTheirs,
    #[error("say why")]
    NoReason,
}

impl Desk<'_> {
    /// `by` asks to let the fix pass. Asked again with a reason, it has that reason.
    pub fn expedite(&self, by: &PersonId, fix: &Fix, reason: &str, way: Way) -> Result<Decisions, Refused> {
        if !expedite::may_ask(self.settings, by) {
            return Err(Refused::MayNotAsk);
        }
        if self.settings.services_of(&fix.repository).next().is_none() {
            return Err(Refused::NotServed(fix.repository.clone()));
        }
        let reason = text::line(reason, MOST_REASON);
        let fresh = Expedite {
            repository: fix.repository.clone(),
            number: fix.number,
            title: text::line(&fix.title, MOST_REASON),
            url: fix.url.as_deref().and_then(text::url),
            by: by.clone(),
            at: self.now,
            way,
            heard_at: fix.at,
            head: fix.head.clone(),
            reason: reason.clone(),
            signed: Vec::new(),
            over: None,
            passed: self
                .kept_as(&format!("{}@{}", fix.repository, fix.number))
                .and_then(|(known, _)| known.passed.clone()),
            told: [].into(),
            counted: false,
        };
        let (known, rev) = match self.kept_as(&fresh.key()) {
            Some((known, rev)) => (Some(known), rev),
            None => (None, 0),
        };
        // Told again, or late: what was said since counts.
        let since = known.map(|known| known.over.as_ref().map_or(known.heard_at, |(at, ..)| known.heard_at.max(*at)));
        if since.is_some_and(|since| fix.at <= since) || self.now.duration_since(fix.at) > expedite::LASTS {
            return Err(Refused::AlreadySo);
        }
        let asked = match known {
            Some(known) if self.is_under_way(known) => {
                if reason.is_empty() || known.reason == reason {
                    return Err(Refused::AlreadySo);
                }
                // Signed for another reason, it is not signed for this one.
                Expedite {
                    reason,
                    by: by.clone(),
                    signed: Vec::new(),
                    told: [].into(),
                    counted: false,
                    at: self.now,
                    way,
                    ..known.clone()
                }
            }
            // What an approver refused is not asked again by a label.
            Some(Expedite { over: Some((at, _, Over::Refused { why })), .. })
                if *at + expedite::LASTS > self.now && way != Way::Board =>
            {
                return Err(Refused::WasRefused(why.clone()));
            }
            _ => fresh,
        };
        if self.needs(&fix.repository).is_none() {
            return Err(Refused::NothingHolds);
        }
        if self.situation.expedites.values().filter(|noted| self.is_under_way(&noted.value)).count() >= MOST {
            return Err(Refused::TooMany);
        }
        let why = if asked.reason.is_empty() { "no reason yet".to_owned() } else { asked.reason.clone() };
        let what = format!("{} asks to let {} pass: {why}", self.name(by), asked.label());
        Ok(self.kept(asked, rev, by, what, Reason::ExpediteAsked { why }))
    }

    /// `by` signs for it: as approver, else for the rotation.
    pub fn sign(&self, by: &PersonId, repository: &Repository, number: u64) -> Result<Decisions, Refused> {
        let (known, rev) = self.under_way(repository, number)?;
        if known.by == *by {
            return Err(Refused::OwnAsk);
        }
        if known.has_signed(by) {
            return Err(Refused::AlreadySo);
        }
        if known.reason.is_empty() {
            return Err(Refused::NoReason);
        }
        let signed = expedite::signature(self.settings, repository, by, self.now).ok_or(Refused::NotYours)?;
        let needs = self.needs(repository).unwrap_or_default();
        if !known.is_furthered_by(&signed, needs) {
            return Err(match known.standing(needs, self.now) {
                Standing::AwaitsApprover => Refused::OthersSign("an approver's"),
                Standing::AwaitsRotation => Refused::OthersSign("somebody's of the rotation"),
                Standing::NeedsReason
                | Standing::Granted
                | Standing::Refused
                | Standing::Withdrawn
                | Standing::Lapsed => Refused::AlreadySo,
            });
        }
        let mut next = known.clone();
        let rotation = signed.rotation && !signed.approver;
        next.signed.push(signed);
        let role = if rotation { "for the rotation" } else { "as approver" };
        let what = format!("{} signs {role}: {} may pass", self.name(by), known.label());
        Ok(self.kept(next, rev, by, what, Reason::ExpediteSigned { rotation }))
    }

    /// `by` refuses it.
    pub fn refuse(&self, by: &PersonId, repository: &Repository, number: u64, why: &str) -> Result<Decisions, Refused> {
        let (known, rev) = self.under_way(repository, number)?;
        if expedite::signature(self.settings, repository, by, self.now).is_none() {
            return Err(Refused::NotYours);
        }
        let why = text::line(why, MOST_REASON);
        if why.is_empty() {
            return Err(Refused::NoReason);
        }
        let what = format!("{} does not let {} pass: {why}", self.name(by), known.label());
        let next = Expedite { over: Some((self.now, by.clone(), Over::Refused { why: why.clone() })), ..known.clone() };
        Ok(self.kept(next, rev, by, what, Reason::ExpediteRefused { why }))
    }

    /// Whoever asked takes it back.
    pub fn withdraw(&self, by: &PersonId, repository: &Repository, number: u64) -> Result<Decisions, Refused> {
        let (known, rev) = self.under_way(repository, number)?;
        if known.by != *by {
            return Err(Refused::NotTheirs);
        }
        let what = format!("{} takes back what was asked for {}", self.name(by), known.label());
        let next = Expedite { over: Some((self.now, by.clone(), Over::Withdrawn)), ..known.clone() };
        Ok(self.kept(next, rev, by, what, Reason::ExpediteWithdrawn))
    }

    /// The label was taken off: what was asked for by it is taken back, and nothing else.
    pub fn unlabelled(
        &self,
        by: &PersonId,
        repository: &Repository,
        number: u64,
        at: Timestamp,
    ) -> Result<Decisions, Refused> {
        let (known, _) = self.under_way(repository, number)?;
        if known.way != Way::Label || at <= known.heard_at {
            return Err(Refused::NotTheirs);
        }
        self.withdraw(by, repository, number)
    }

    /// The pull request has another newest commit: what was signed was signed for the one before it.
    #[must_use]
    pub fn moved(&self, repository: &Repository, number: u64, head: &Commit, at: Timestamp) -> Decisions {
        let Ok((known, rev)) = self.under_way(repository, number) else { return self.decisions() };
        let same = known.head.as_ref().is_some_and(|known| known.same(head));
        if same || at <= known.at {
            return self.decisions();
        }
        let next = Expedite { head: Some(head.clone()), signed: Vec::new(), told: [].into(), ..known.clone() };
        let by = known.by.clone();
        let what = format!("{} has other commits now: what was signed was not for these", known.label());
        let reason = Reason::ExpediteMoved;
        if known.signed.is_empty() {
            let mut decisions = self.decisions();
            decisions.put(Record::Expedite(Expedite { told: known.told.clone(), ..next }), rev);
            return decisions;
        }
        self.kept(next, rev, &by, what, reason)
    }

    /// What it takes for this repository now; `None`: nothing holds.
    #[must_use]
    pub fn needs(&self, repository: &Repository) -> Option<Needs> {
        let freezes = Freezes::of(self.settings, self.situation);
        let holding = expedite::holding(&freezes, self.settings, repository, self.now);
        (!holding.is_empty()).then(|| expedite::needs(&holding))
    }

    fn is_under_way(&self, known: &Expedite) -> bool {
        !matches!(
            known.standing(Needs::default(), self.now),
            Standing::Refused | Standing::Withdrawn | Standing::Lapsed
        )
    }

    fn kept_as(&self, key: &str) -> Option<(&Expedite, u64)> {
        self.situation.expedites.get(key).map(|noted| (&noted.value, noted.rev))
    }

    fn under_way(&self, repository: &Repository, number: u64) -> Result<(&Expedite, u64), Refused> {
        let known = self.kept_as(&format!("{repository}@{number}")).filter(|(known, _)| self.is_under_way(known));
        known.ok_or_else(|| Refused::NotAsked(format!("{}#{number}", repository.short())))
    }

    fn kept(&self, next: Expedite, rev: u64, by: &PersonId, what: String, reason: Reason) -> Decisions {
        let mut decisions = self.decisions();
        decisions.log(self.now, Some(Subject::Expedite(next.key())), Some(by.clone()), what, reason);
        decisions.put(Record::Expedite(next), rev);
        decisions
    }
}

#[cfg(test)]
#[path = "expedites_tests.rs"]
mod tests;
