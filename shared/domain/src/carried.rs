//! What a deployment carries: a fix alone, or all that was merged up to a commit and is not live yet. Whether all of it may pass
//! a freeze, and whether it is more than a release should be.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::{Change, ChangeKind};
use crate::expedite::Granted;
use crate::freeze::{Answer, Strength};
use crate::ids::{Commit, Repository};
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::window::{Phase, Window, windows};

/// How many are named that may not pass.
const MOST_NAMED: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Of which pull requests.
    pub pulls: Vec<(Repository, u64)>,
    /// What was pushed without one.
    pub others: usize,
    /// The commit to deploy before this one, where it carries more than a release should.
    pub first_batch: Option<Commit>,
}

impl Carried {
    /// One fix, and nothing else.
    #[must_use]
    pub fn alone(repository: Repository, number: u64) -> Self {
        Self { pulls: vec![(repository, number)], others: 0, first_batch: None }
    }

    /// What waits up to this commit, this one included; nothing where no change that waits is known by it.
    #[must_use]
    pub fn of(
        commit: &Commit,
        situation: &Situation,
        service: &Service,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Self> {
        let service = &*situation.posted.value.applied(service);
        let all = windows(situation, service, &settings.roster, now);
        let is =
            |change: &Change| std::iter::once(&change.id.commit).chain(&change.commits).any(|own| own.same(commit));
        let at = all.iter().position(|window| window.phase == Phase::Standby && is(window.change))?;
        let tip = all.get(at)?.change;
        let waits =
            |window: &&Window<'_>| window.phase == Phase::Standby && window.change.id.repository == tip.id.repository;
        let carried: Vec<&Change> = all.iter().take(at + 1).filter(waits).map(|window| window.change).collect();
        let pull = |change: &&Change| match change.kind {
            ChangeKind::PullRequest { number } => Some((change.id.repository.clone(), number)),
            ChangeKind::DirectPush => None,
        };
        let pulls: Vec<_> = carried.iter().filter_map(pull).collect();
        let most = usize::from(service.policy.release_at_most);
        let first_batch =
            carried.get(most.saturating_sub(1)).filter(|_| carried.len() > most).map(|change| change.id.commit.clone());
        Some(Self { others: carried.len() - pulls.len(), pulls, first_batch })
    }

    /// What these commits carry, of which some stand for what they were picked from: a hot fix on a branch of its own. Nothing where
    /// no change that waits is among them.
    #[must_use]
    pub fn of_commits(
        commits: &BTreeSet<Commit>,
        situation: &Situation,
        service: &Service,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Self> {
        let service = &*situation.posted.value.applied(service);
        let all = windows(situation, service, &settings.roster, now);
        let is = |change: &Change| {
            let own = std::iter::once(&change.id.commit).chain(&change.commits);
            own.filter(|own| commits.iter().any(|commit| commit.same(own))).count()
        };
        let (mut pulls, mut picked) = (Vec::new(), 0);
        for window in all.iter().filter(|window| window.phase == Phase::Standby) {
            let found = is(window.change);
            if let (ChangeKind::PullRequest { number }, 1..) = (window.change.kind, found) {
                pulls.push((window.change.id.repository.clone(), number));
                picked += found;
            }
        }
        // Each pick is a commit of the branch beside that which it was picked from.
        let others = commits.len().saturating_sub(2 * picked);
        (!pulls.is_empty()).then_some(Self { pulls, others, first_batch: None })
    }

    /// What two services say of one deployment.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        let more: Vec<_> = other.pulls.into_iter().filter(|pull| !self.pulls.contains(pull)).collect();
        self.pulls.extend(more);
        self.others = self.others.max(other.others);
        self.first_batch = self.first_batch.or(other.first_batch);
        self
    }

    /// How many changes.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.pulls.len() + self.others
    }

    fn is_among(pull: &(Repository, u64), passing: &[Granted]) -> bool {
        passing.iter().any(|one| one.repository == pull.0 && one.number == pull.1)
    }

    /// Whether all of it may pass: one change that may not keeps the others back.
    #[must_use]
    pub fn all_among(&self, passing: &[Granted]) -> bool {
        self.others == 0 && !self.pulls.is_empty() && self.pulls.iter().all(|pull| Self::is_among(pull, passing))
    }

    /// By whose word it passes.
    pub fn passing<'a>(&'a self, passing: &'a [Granted]) -> impl Iterator<Item = &'a Granted> {
        passing.iter().filter(|one| self.pulls.contains(&(one.repository.clone(), one.number)))
    }

    /// What to do about it, where it is not plain.
    #[must_use]
    pub fn words(&self, answer: &Answer<'_>, passing: &[Granted]) -> Option<String> {
        if self.all_among(passing) {
            return None;
        }
        let kept: Vec<String> = self
            .pulls
            .iter()
            .filter(|pull| !Self::is_among(pull, passing))
            .map(|(repository, number)| format!("{}#{number}", repository.short()))
            .collect();
        if answer.strength == Some(Strength::Require) && kept.len() < self.pulls.len() {
            let more = kept.len().saturating_sub(MOST_NAMED) + self.others;
            let named = kept.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {}", text::count(more, "other", "others")) } else { String::new() };
            return Some(format!(
                "it carries {named}{more}, which may not pass: release the fix alone, on a branch from the live commit (git cherry-pick -x)"
            ));
        }
        let first = self.first_batch.as_ref().filter(|_| answer.strength.is_none())?;
        Some(format!("it carries {} changes: deploy {} first", self.changes(), first.short()))
    }
}

#[cfg(test)]
#[path = "carried_tests.rs"]
mod tests;
