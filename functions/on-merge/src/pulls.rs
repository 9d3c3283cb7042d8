//! What a forge tells of pull requests that are open: kept at the desk of their repository, where a merge freeze is to stand at
//! them; and who asks there to let an urgent fix pass.

use aws::settings::SenderConfig;
use aws::{House, Refusal, Response};
use domain::decision::Wake;
use domain::expedite::Way;
use domain::merge_desk;
use domain::on_request::expedites::{Fix, Refused};
use domain::on_request::freezes::Desk;
use domain::{Decisions, Login, PullEvent, Reason, Repository, ServiceId, Situation};
use serde_json::json;

pub(crate) async fn keep(
    house: &House,
    repository: &Repository,
    event: &PullEvent,
    config: &SenderConfig,
) -> Result<Response, Refusal> {
    match event {
        PullEvent::Open(..) | PullEvent::Gone { .. } => note(house, repository, event, config).await,
        PullEvent::Expedite { number, by, reason, title, url, head, at } => {
            let (title, url, head) = (title.clone(), url.clone(), head.clone());
            let fix = Fix { repository: repository.clone(), number: *number, title, url, head, at: *at };
            let way = if reason.is_some() { Way::Command } else { Way::Label };
            let reason = reason.as_deref().unwrap_or("");
            lane(house, by, |desk, person| desk.expedite(person, &fix, reason, way)).await
        }
        PullEvent::NoExpedite { number, by, at } => {
            lane(house, by, |desk, person| desk.unlabelled(person, repository, *number, *at)).await
        }
    }
}

async fn note(
    house: &House,
    repository: &Repository,
    event: &PullEvent,
    config: &SenderConfig,
) -> Result<Response, Refusal> {
    let source = house.configuration.merge_source_of(repository).filter(|(source, _)| source.kind == config.kind);
    // Another forge may have a repository of the same name.
    let Some((_, manner)) = source else {
        return Ok(Response::ignored(&Reason::NotAMerge.to_string()));
    };
    let id = ServiceId::merges_into(repository);
    let told =
        |situation: &Situation| (merge_desk::told(event, situation, manner), situation.posted.value.merging.is_some());
    let (decisions, frozen) = house.store.decide(&id, house.now(), told).await?;
    if let (PullEvent::Open(pull, at), true) = (event, frozen) {
        // Who signed for a fix signed for the commits that it had.
        let (settings, now) = (house.settings(), house.now());
        let moved = |situation: &Situation| {
            (Desk { situation, settings, now }.moved(repository, pull.number, &pull.head, *at), ())
        };
        let desk = &settings.freeze_desk().id;
        let (decisions, ()) = house.store.decide(desk, now, moved).await?;
        if !decisions.is_quiet() {
            (house.nudge)(desk);
        }
    }
    if decisions.is_quiet() {
        return Ok(Response::ignored(&Reason::NotAMerge.to_string()));
    }
    (house.nudge)(&id);
    Ok(Response::decided(&Reason::PullNoted, &json!({ "pull": format!("{repository}#{}", event.number()) })))
}

/// What somebody of the roster does about the lane, by an account of the forge.
async fn lane(
    house: &House,
    by: &Login,
    act: impl Fn(&Desk<'_>, &domain::PersonId) -> Result<Decisions, Refused>,
) -> Result<Response, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let Some(person) = settings.roster.by_login(by) else {
        return Ok(Response::ignored("nobody of the roster has this account: they ask for no fix"));
    };
    let desk = &settings.freeze_desk().id;
    let decide = |situation: &Situation| match act(&Desk { situation, settings, now }, &person.id) {
        Ok(decisions) => (decisions, None),
        Err(refused) => (Decisions::none(desk, Wake::Now), Some(refused)),
    };
    let (_, refused) = house.store.decide(desk, now, decide).await?;
    if let Some(refused) = refused {
        return Ok(Response::ignored(&refused.to_string()));
    }
    (house.nudge)(desk);
    Ok(Response::decided(&Reason::PullNoted, &json!({ "person": person.id })))
}
