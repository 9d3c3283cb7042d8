//! The clock: woken each minute, and at once by whoever just changed something.

pub mod deliveries;
pub mod forges;

use std::sync::Arc;
use std::time::Duration;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::decision::Wake;
use domain::on_deploy::{self, Question};
use domain::{Decisions, Outgoing, ServiceId, Situation, on_schedule};
use forges::Unanswered;
use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// One look at a service does at most this many rounds; what is left is due at once again.
const MOST_ROUNDS: usize = 40;

/// How long a service that left the configuration is not looked at.
const LEFT_ALONE: SignedDuration = SignedDuration::from_hours(24);
/// How many questions are put to forges at a time.
const QUESTIONS_AT_ONCE: usize = 8;
/// How long forges are given, all of them together.
const FORGES_TAKE: Duration = Duration::from_secs(20);

/// Looks at every service whose clock has run out; then asks the forges what they know, so that no page of any
/// service waits for a forge.
pub async fn tick(house: &House) -> Result<usize, StoreError> {
    let due = house.store.due(house.now()).await?;
    let looked = look(house, &due).await;
    ask(house, &due).await;
    deliveries::catch_up(house).await;
    looked.map(|()| due.len())
}

/// After a single process was stopped, however it was: nothing can be in hand, so whatever the outboxes hold is
/// published at once instead of when its time is up. A message that a receiver may have got stays claimed.
pub async fn resume(house: &House) -> Result<(), StoreError> {
    let mut failed = None;
    for service in house.settings().services() {
        match house.store.outbox(&service.id).await {
            Ok(left) => house.publish(&left.into_iter().map(|o| o.message).collect::<Vec<_>>()).await,
            Err(error) => failed = Some(error),
        }
        look(house, [&service.id]).await.unwrap_or_else(|error| failed = Some(error));
    }
    failed.map_or(Ok(()), Err)
}

/// Brings one service up to date, with what its forge knows.
pub async fn settle(house: &House, service: &ServiceId) -> Result<(), StoreError> {
    let looked = look(house, [service]).await;
    ask(house, std::slice::from_ref(service)).await;
    looked
}

/// Brings services up to date: load, decide, commit, publish, until nothing is due now. One that fails does not keep
/// the others waiting.
pub async fn look<'a>(
    house: &House,
    services: impl IntoIterator<Item = &'a ServiceId> + Send,
) -> Result<(), StoreError> {
    let mut failed = None;
    for service in services {
        if let Err(error) = run_rounds(house, service).await {
            tracing::error!(service.name = %service, cause = error_chain(&error), "not settled, tried again at the next tick");
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Asks the forges what these services do not know yet, a few questions at a time and not for ever; looks again at
/// those that learnt something. Whoever has pages to send does not wait for this.
pub async fn ask(house: &House, services: &[ServiceId]) {
    if forges::github::Forge::configured(house).is_none() {
        return;
    }
    let (deadline, gate) = (Instant::now() + FORGES_TAKE, Arc::new(Semaphore::new(QUESTIONS_AT_ONCE)));
    let mut asking = JoinSet::new();
    for service in services {
        let (house, service, gate) = (house.clone(), service.clone(), Arc::clone(&gate));
        asking.spawn(async move {
            let learnt = ask_forge(&house, &service, &gate, deadline).await;
            (service, learnt)
        });
    }
    while let Some(asked) = asking.join_next().await {
        match asked {
            Ok((_, Ok(false))) => {}
            // What fails here is logged there, and tried again at the next tick.
            Ok((service, Ok(true))) => drop(look(house, [&service]).await),
            Ok((service, Err(error))) => {
                tracing::error!(service.name = %service, cause = error_chain(&error), "the forge was not asked");
            }
            Err(error) => tracing::error!(%error, "the forge was not asked"),
        }
    }
}

async fn run_rounds(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let Some(service) = settings.service(id) else {
        tracing::warn!(service.name = %id, "is no longer in the configuration: its items expire by themselves");
        // Its clock is put off, not stopped: should it come back, it goes on where it was.
        let later = Decisions::none(id, Wake::Exactly(Some(house.now() + LEFT_ALONE)));
        return house.store.decide(id, house.now(), |_| (later.clone(), ())).await.map(|_| ());
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
        if !matches!(again, Wake::Exactly(Some(at)) if at <= now) {
            return Ok(());
        }
    }
    Ok(())
}

/// Asks which commits the live deployments carried, where a token is configured. Whether anything was learnt.
async fn ask_forge(house: &House, id: &ServiceId, gate: &Semaphore, deadline: Instant) -> Result<bool, StoreError> {
    let (Some(service), Some(forge)) = (house.settings().service(id), forges::github::Forge::configured(house)) else {
        return Ok(false);
    };
    let now = house.now();
    let situation = house.store.situation(id).await?;
    let questions = on_deploy::questions(&situation, service, now);
    for question in &questions {
        let asking = async {
            let _one_of_a_few = gate.acquire().await;
            forge.compare(&house.http, question).await
        };
        let answer = tokio::time::timeout_at(deadline, asking).await.unwrap_or(Err(Unanswered::TooLate));
        keep_answer(house, question, answer).await?;
    }
    Ok(!questions.is_empty())
}

async fn keep_answer(
    house: &House,
    question: &Question,
    answer: Result<forges::Commits, Unanswered>,
) -> Result<(), StoreError> {
    let answer = answer.map_err(|why| error_chain(&why));
    let now = house.now();
    let decide = |situation: &Situation| (on_deploy::answered(question, answer.clone(), situation, now), ());
    house.store.decide(&question.service, now, decide).await.map(|_| ())
}
