//! What forges are asked for one service: merges of which only that they happened is known, the commits of releases, the
//! files of changes. All questions of one time share a gate and a deadline.

use std::sync::Arc;
use std::time::Duration;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::on_deploy;
use domain::on_merge::{errands, files};
use domain::{Repository, Service, ServiceId, Situation};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::forges::{Forge, Unanswered};
use crate::merges;

/// How many questions are put to forges at a time.
const QUESTIONS_AT_ONCE: usize = 8;
/// How long forges are given, all of them together.
const FORGES_TAKE: Duration = Duration::from_secs(20);

/// What all questions of one time share.
#[derive(Clone)]
pub(crate) struct Asker {
    house: House,
    gate: Arc<Semaphore>,
    deadline: Instant,
}

impl Asker {
    pub fn new(house: &House) -> Self {
        Self {
            house: house.clone(),
            gate: Arc::new(Semaphore::new(QUESTIONS_AT_ONCE)),
            deadline: Instant::now() + FORGES_TAKE,
        }
    }

    /// Everything that a service does not know and its forges may. Whether anything was learnt.
    pub async fn ask_all(&self, id: &ServiceId) -> Result<bool, StoreError> {
        let Some(service) = self.house.settings().service(id) else { return Ok(false) };
        let mut situation = self.house.store.situation(id).await?;
        let mut learnt = self.errands(&situation, service).await?;
        learnt |= self.releases(&situation, service).await?;
        if learnt {
            situation = self.house.store.situation(id).await?;
        }
        // A few at a time, since whoever asks may be stopped before the last one is answered.
        while self.files(&situation, service).await? {
            learnt = true;
            if Instant::now() >= self.deadline {
                break;
            }
            situation = self.house.store.situation(id).await?;
        }
        Ok(learnt)
    }

    /// What was merged, where only that it was is known.
    async fn errands(&self, situation: &Situation, service: &Service) -> Result<bool, StoreError> {
        let mut asked = false;
        for errand in errands::due(situation, self.house.now()) {
            let forge = Forge::of(&self.house, &errand.repository, errand.forge.as_deref());
            let answer = match &forge {
                Some(forge) => self.answer(forge.merged(&errand)).await,
                None => Err(Unanswered::NoForge),
            };
            // The others are asked when this one is asked again.
            let last = matches!(answer, Err(Unanswered::TooLate));
            let answer = match answer {
                Ok(change) => Ok(merges::keep(&self.house, change).await?),
                Err(why) => Err(error_chain(&why)),
            };
            let now = self.house.now();
            let decide =
                |situation: &Situation| (errands::answered(&errand, answer.clone(), &service.id, situation, now), ());
            self.house.store.decide(&service.id, now, decide).await?;
            asked = true;
            if last {
                break;
            }
        }
        Ok(asked)
    }

    /// Which commits the live deployments carried.
    async fn releases(&self, situation: &Situation, service: &Service) -> Result<bool, StoreError> {
        let mut asked = false;
        for question in on_deploy::questions(situation, service, self.house.now()) {
            let account = account(situation, &question.repository);
            let Some(forge) = Forge::of(&self.house, &question.repository, account) else { continue };
            let answer = self.answer(forge.compare(&question)).await.map_err(|why| error_chain(&why));
            let now = self.house.now();
            let decide = |situation: &Situation| (on_deploy::answered(&question, answer.clone(), situation, now), ());
            self.house.store.decide(&question.service, now, decide).await?;
            asked = true;
        }
        Ok(asked)
    }

    /// Which files the changes touch.
    async fn files(&self, situation: &Situation, service: &Service) -> Result<bool, StoreError> {
        let known = |repository: &Repository| Forge::of(&self.house, repository, None).is_some();
        let mut asked = false;
        for question in files::questions(situation, service, &known, self.house.now()) {
            let forge = Forge::of(&self.house, &question.change.repository, Some(&question.forge));
            let Some(forge) = forge else { continue };
            let answer = self.answer(forge.files(&question)).await;
            // The others are asked when this one is asked again.
            let last = matches!(answer, Err(Unanswered::TooLate));
            let answer = answer.map_err(|why| error_chain(&why));
            let now = self.house.now();
            let decide = |situation: &Situation| (files::answered(&question, answer.clone(), situation, now), ());
            self.house.store.decide(&question.service, now, decide).await?;
            asked = true;
            if last {
                break;
            }
        }
        Ok(asked)
    }

    /// The answer, if it comes in time.
    async fn answer<T>(&self, asking: impl Future<Output = Result<T, Unanswered>>) -> Result<T, Unanswered> {
        let in_turn = async {
            let _one_of_a_few = self.gate.acquire().await;
            asking.await
        };
        tokio::time::timeout_at(self.deadline, in_turn).await.unwrap_or(Err(Unanswered::TooLate))
    }
}

/// Where the accounts are of those who merge into a repository.
fn account<'a>(situation: &'a Situation, repository: &Repository) -> Option<&'a str> {
    let change = situation.changes.values().find(|change| change.value.id.repository == *repository)?;
    Some(change.value.merger.login.forge())
}
