//! Merges, as `on-merge` takes them.

use aws::settings::SenderConfig;
use domain::expedite::Way as Asked;
use domain::on_merge::{self, Merge, MergeDecision, MergeEvent, Way};
use domain::on_request::expedites::Fix;
use domain::on_request::freezes::Desk;
use domain::{ChangeKind, Login, PullEvent, Reason, Record, Repository, Situation};

use super::World;
use super::kept::Queued;
use crate::witness::{Passed, Witness};

impl<W: Witness> World<'_, W> {
    pub(super) fn merged(&mut self, source: &str, events: Vec<MergeEvent>) {
        self.kept.sweep(self.now);
        let source = self.source(source);
        if source.is_some_and(|source| events.iter().any(|event| !source.speaks_for_repository(event.repository()))) {
            return self.witness.passed(Passed::OutOfScope, "a merge");
        }
        for event in events {
            self.keep(event, source);
        }
    }

    fn keep(&mut self, event: MergeEvent, source: Option<&SenderConfig>) {
        let about = on_merge::wants_way(&event, &self.settings);
        let way = about.map(|(repository, number)| self.kept.way(repository, number)).unwrap_or_default();
        match on_merge::decide(event, &way, &self.settings, self.now) {
            MergeDecision::Nothing(reason) => {
                let elsewhere = matches!(reason, Reason::RepositoryNotServed | Reason::BranchNotDeployed { .. });
                let why = if elsewhere { Passed::NotServed } else { Passed::Ignored };
                self.witness.passed(why, &reason.to_string());
            }
            MergeDecision::Keep(mut merge) => {
                merge.windows.retain(|(service, ..)| source.is_none_or(|source| source.speaks_for(service)));
                if merge.windows.is_empty() {
                    return self.witness.passed(Passed::OutOfScope, "a merge");
                }
                self.keep_merge(*merge, true);
            }
            MergeDecision::NoteEnqueue(enqueued) => {
                let queued = self.kept.queued(&enqueued.repository, enqueued.number, self.now);
                // What was concluded gives way to what is sure.
                if enqueued.sure || queued.way.enqueued.is_none() {
                    queued.way.enqueued = Some(enqueued.clone());
                }
                self.credit_late(&enqueued.repository, enqueued.number);
            }
            MergeDecision::NoteApproval(approved) => {
                let queued = self.kept.queued(&approved.repository, approved.number, self.now);
                let first = queued.way.approvals.entry(approved.by).or_insert(approved.at);
                *first = approved.at.min(*first);
                self.credit_late(&approved.repository, approved.number);
            }
            MergeDecision::Ask(..) => self.witness.passed(Passed::NobodyToAsk, &Reason::NoForgeToAsk.to_string()),
            MergeDecision::Pull(repository, event) => self.pull(&repository, &event),
        }
    }

    fn keep_merge(&mut self, merge: Merge, awaits: bool) {
        let (awaits, now) = (merge.awaits().filter(|_| awaits), self.now);
        let Merge { change, files, windows } = merge;
        if !self.kept.is_news(&change) {
            // A poorer report of a change that we know may still be the one that lists its files.
            for (service, ..) in windows.iter().filter(|_| files.is_some()) {
                let Some(files) = &files else { continue };
                self.decide(service, |situation, _| (on_merge::files::listed(&change.id, files, situation), ()));
            }
            return;
        }
        for (service, _, entry) in &windows {
            let situation = self.situations.entry(service.clone()).or_insert_with(|| Situation::empty(service.clone()));
            situation.note(Record::Change(change.clone()), u64::from(change.worth()));
            if let Some(files) = &files {
                situation.note(Record::Files(change.id.clone(), files.clone()), 1);
            }
            situation.clock.rev += 1;
            situation.clock.value.due_at = Some(now);
            self.witness.merged(service, entry);
            self.nudge(service);
        }
        if let Some(number) = awaits {
            let repository = change.id.repository.clone();
            self.kept.queued(&repository, number, now).merged = Some(Box::new(change));
        } else if let ChangeKind::PullRequest { number } = change.kind
            && self.kept.way(&change.id.repository, number) != Way::default()
        {
            let repository = change.id.repository.clone();
            let Queued { merged, .. } = self.kept.queued(&repository, number, now);
            if merged.as_ref().is_some_and(|known| known.id == change.id) {
                *merged = Some(Box::new(change));
            }
        }
    }

    /// The merge may have come before the news of who had enqueued or approved it: then its responder is corrected.
    fn credit_late(&mut self, repository: &Repository, number: u64) {
        let queued = self.kept.queued(repository, number, self.now);
        let Some(change) = queued.merged.clone() else { return };
        let way = queued.way.clone();
        if let MergeDecision::Keep(merge) = on_merge::decide(MergeEvent::Merged(change), &way, &self.settings, self.now)
        {
            self.keep_merge(*merge, false);
        }
    }

    /// What a forge tells of open pull requests: who asks there to let a fix pass.
    fn pull(&mut self, repository: &Repository, event: &PullEvent) {
        match event {
            PullEvent::Open(..) | PullEvent::Gone { .. } => {
                self.witness.passed(Passed::Ignored, &Reason::NotAMerge.to_string());
            }
            PullEvent::Expedite { number, by, reason, title, url, head, at } => {
                let (title, url, head) = (title.clone(), url.clone(), head.clone());
                let fix = Fix { repository: repository.clone(), number: *number, title, url, head, at: *at };
                let way = if reason.is_some() { Asked::Command } else { Asked::Label };
                let reason = reason.as_deref().unwrap_or("");
                self.lane(by, |desk, person| desk.expedite(person, &fix, reason, way).ok());
            }
            PullEvent::NoExpedite { number, by, at } => {
                self.lane(by, |desk, person| desk.unlabelled(person, repository, *number, *at).ok());
            }
        }
    }

    fn lane(&mut self, by: &Login, act: impl FnOnce(&Desk<'_>, &domain::PersonId) -> Option<domain::Decisions>) {
        let Some(person) = self.settings.roster.by_login(by).map(|person| person.id.clone()) else {
            return self.witness.passed(Passed::Refused, "nobody of the roster has this account");
        };
        let (desk, now) = (self.settings.freeze_desk().id.clone(), self.now);
        self.act_on(&desk, |situation, _, settings| act(&Desk { situation, settings, now }, &person));
    }
}
