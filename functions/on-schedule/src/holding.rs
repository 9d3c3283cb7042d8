//! Has pipelines hold while deployments wait, and go on after it. What is to be asked is the domain's business
//! ([`domain::pipelines`]); how, that of [`crate::pipelines`].

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::pipelines::{self, Ask, Said};
use domain::service::Pipeline;
use domain::{Service, ServiceId};

use crate::pipelines::{Mark, Place, State, hold, release, state};

/// A pipeline may answer so that it is asked something else at once: so often.
const MOST_ROUNDS: usize = 3;

/// Asks the pipelines of one service what is due.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let Some(service) = house.settings().service(id).filter(|service| !service.repositories.is_empty()) else {
        return Ok(());
    };
    if service.holds.is_empty() && house.configuration.pipelines.is_empty() {
        return Ok(());
    }
    for _ in 0..MOST_ROUNDS {
        let now = house.now();
        let plan =
            |situation: &domain::Situation| pipelines::plan(situation, &situation.posted.value.applied(service), now);
        let (_, asks) = house.store.decide(id, now, plan).await?;
        if asks.is_empty() {
            return Ok(());
        }
        for (pipeline, ask) in asks {
            let said = asked(house, service, &pipeline, &ask).await;
            let now = house.now();
            let hear =
                |situation: &domain::Situation| (pipelines::hear(&pipeline, &ask, &said, situation, service, now), ());
            let (decisions, ()) = house.store.decide(id, now, hear).await?;
            if !decisions.is_quiet() {
                (house.nudge)(id);
            }
        }
    }
    Ok(())
}

async fn asked(house: &House, service: &Service, pipeline: &Pipeline, ask: &Ask) -> Said {
    let Some(config) = house.configuration.pipelines.get(&pipeline.at) else {
        return Said::Nothing(format!("[pipelines.{}] is not in the configuration any more", pipeline.at));
    };
    let place = Place { house, pipeline: config };
    let stands = match ask {
        Ask::Hold { freeze, from, until } => {
            let why = format!("frozen until {} for {freeze}", until.strftime("%Y-%m-%d %H:%M UTC"));
            let mark = Mark { service: &service.id, why: &why, from: *from, until: *until };
            hold(&place, &pipeline.id, &mark).await
        }
        Ask::LetGo => release(&place, &pipeline.id, &service.id).await,
        Ask::Look => state(&place, &pipeline.id, &service.id).await,
    };
    match stands {
        Ok(State::Open) => Said::Open,
        Ok(State::Ours) => Said::Ours,
        Ok(State::Theirs(why)) => Said::Theirs(why),
        Err(error) => {
            tracing::warn!(pipeline = %pipeline, cause = error_chain(&error), "a pipeline does not answer");
            Said::Nothing(error_chain(&error))
        }
    }
}
