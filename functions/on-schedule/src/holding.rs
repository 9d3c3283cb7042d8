//! Has pipelines hold while deployments wait, and go on after it. What is to be asked is the domain's business
//! ([`domain::pipelines`]); how, that of [`crate::pipelines`].

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::decision::Wake;
use domain::pipelines::{self, Ask, Said};
use domain::service::Pipeline;
use domain::{Decisions, ServiceId, Situation};

use crate::pipelines::{Mark, Place, State, hold, release, state};

/// Each answer may make something else due, and each is asked for what is due at that moment: so many in a row.
const MOST_ROUNDS: usize = 30;

/// Asks the pipelines of one service what is due. What we hold for a service that is gone is let go.
pub(crate) async fn keep(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let service = settings.service(id);
    let holds = service.is_none_or(|service| !service.holds.is_empty());
    if settings.is_desk(id) || (!holds && house.configuration.pipelines.is_empty()) {
        return Ok(());
    }
    for _ in 0..MOST_ROUNDS {
        let now = house.now();
        let plan = |situation: &Situation| match service {
            Some(service) => {
                let service = situation.posted.value.applied(service);
                pipelines::plan(situation, &service, &settings.pipelines, now)
            }
            None => (Decisions::none(id, Wake::Now), pipelines::all_let_go(situation, now)),
        };
        let (_, asks) = house.store.decide(id, now, plan).await?;
        // What was planned for another may not be wanted any more by the time that this one has answered.
        let Some((pipeline, ask)) = asks.into_iter().next() else { return Ok(()) };
        let said = asked(house, id, &pipeline, &ask).await;
        let now = house.now();
        let hear = |situation: &Situation| (pipelines::hear(&pipeline, &ask, &said, situation, now), ());
        house.store.decide(id, now, hear).await?;
    }
    Ok(())
}

async fn asked(house: &House, service: &ServiceId, pipeline: &Pipeline, ask: &Ask) -> Said {
    let Some(config) = house.configuration.pipelines.get(&pipeline.at) else {
        return Said::Nothing(format!("[pipelines.{}] is not in the configuration any more", pipeline.at));
    };
    let place = Place { house, pipeline: config };
    let stands = match ask {
        Ask::Hold { freeze, from, until } => {
            let why = format!("frozen until {} for {freeze}", until.strftime("%Y-%m-%d %H:%M UTC"));
            let mark = Mark { service, why: &why, from: *from, until: *until };
            hold(&place, &pipeline.id, &mark).await
        }
        Ask::LetGo => release(&place, &pipeline.id, service).await,
        Ask::Look => state(&place, &pipeline.id, service).await,
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
