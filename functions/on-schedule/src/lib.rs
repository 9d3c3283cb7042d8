//! The clock: woken each minute, and at once by whoever just changed something.

pub mod forges;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::on_deploy::{self, Question};
use domain::{Outgoing, ServiceId, Situation, on_schedule};

/// One look at a service does at most this many rounds; what is left is due at once again.
const MOST_ROUNDS: usize = 40;

/// Looks at every service whose clock has run out. One that fails does not keep the others waiting.
pub async fn tick(house: &House) -> Result<usize, StoreError> {
    let due = house.store.due(house.now()).await?;
    let mut failed = None;
    for service in &due {
        if let Err(error) = settle(house, service).await {
            tracing::error!(service.name = %service, cause = error_chain(&error), "not settled, tried again at the next tick");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(due.len()), Err)
}

/// After a single process was stopped, however it was: nothing can be in hand, so whatever the outboxes hold is
/// published at once instead of when its time is up. A message that a receiver may have got stays claimed.
pub async fn resume(house: &House) -> Result<(), StoreError> {
    for service in house.settings().services() {
        let left: Vec<_> = house.store.outbox(&service.id).await?.into_iter().map(|o| o.message).collect();
        house.publish(&left).await;
        settle(house, &service.id).await?;
    }
    Ok(())
}

/// Brings one service up to date: load, decide, commit, publish, until nothing is due now. Then asks the
/// forge what it does not know yet, so that no page waits for a forge.
pub async fn settle(house: &House, service: &ServiceId) -> Result<(), StoreError> {
    run_rounds(house, service).await?;
    if ask_forge(house, service).await? {
        run_rounds(house, service).await?;
    }
    Ok(())
}

async fn run_rounds(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let Some(service) = settings.service(id) else {
        tracing::warn!(service.name = %id, "is no longer in the configuration: its items expire by themselves");
        return Ok(());
    };
    for _ in 0..MOST_ROUNDS {
        let now = house.now();
        let decide = |situation: &Situation, outbox: &[Outgoing]| {
            let round = on_schedule::decide(situation, outbox, service, settings, now);
            (round.decisions, round.republish)
        };
        let (decisions, republish) = house.store.decide_seeing_outbox(id, now, decide).await?;
        house.publish(&decisions.messages).await;
        house.publish(&republish).await;
        let again = decisions.wake;
        if !matches!(again, domain::decision::Wake::Exactly(Some(at)) if at <= now) {
            return Ok(());
        }
    }
    Ok(())
}

/// Asks which commits the live deployments carried, where a token is configured. Whether anything was learnt.
async fn ask_forge(house: &House, id: &ServiceId) -> Result<bool, StoreError> {
    let Some(service) = house.settings().service(id) else {
        return Ok(false);
    };
    let Some(forge) = forges::github::Forge::configured(house) else {
        return Ok(false);
    };
    let now = house.now();
    let situation = house.store.situation(id).await?;
    let questions = on_deploy::questions(&situation, service, now);
    for question in &questions {
        let answer = forge.compare(&house.http, question).await;
        keep_answer(house, question, answer).await?;
    }
    Ok(!questions.is_empty())
}

async fn keep_answer(
    house: &House,
    question: &Question,
    answer: Result<forges::Commits, forges::Unanswered>,
) -> Result<(), StoreError> {
    let answer = answer.map_err(|why| error_chain(&why));
    let now = house.now();
    let decide = |situation: &Situation| (on_deploy::answered(question, answer.clone(), situation, now), ());
    house.store.decide(&question.service, now, decide).await.map(|_| ())
}
