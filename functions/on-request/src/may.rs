//! `GET /may-deploy?service=...` and `GET /may-merge?repository=...`: the plain answer that any pipeline can ask for.
//!
//! JSON, with 200. With `strict` it is 423 where the answer is no, so that `curl --fail` needs to read nothing; with
//! `strict=advise` also where it is advised to wait.

use std::collections::BTreeSet;

use aws::{House, Malformed, Refusal, Request, Response};
use domain::freeze::{Answer, Freezes, Occurrence, Question, Side, Strength};
use domain::wording::freezes::line;
use domain::{Repository, ServiceId, Situation};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sign_in;

pub(crate) async fn deploy(house: &House, request: &Request) -> Result<Response, Refusal> {
    sign_in::program(house, request)?;
    let settings = house.settings();
    let id = one::<ServiceId>(request, "service")?;
    let known = settings.services().find(|service| service.id == id && !service.repositories.is_empty());
    let service = known.ok_or(Refusal::NotFound("no service of the configuration is called so"))?;
    let environment = match request.query("environment").into_iter().next() {
        None => service.live_environment(),
        Some(name) => {
            let known = service.environment_called(&name);
            Some(known.ok_or(Refusal::NotFound("the service has no environment that is called so"))?)
        }
    };
    let question = Question::about(Side::Deployments, service, environment.map(|environment| &environment.name));
    answer(house, request, "may_deploy", &question).await
}

pub(crate) async fn merge(house: &House, request: &Request) -> Result<Response, Refusal> {
    sign_in::program(house, request)?;
    let repository = one::<Repository>(request, "repository")?;
    let question = Question::of_merge(&repository, house.settings());
    answer(house, request, "may_merge", &question).await
}

fn one<T: std::str::FromStr<Err = domain::InvalidId>>(request: &Request, name: &'static str) -> Result<T, Refusal> {
    let given = request.query(name).into_iter().next();
    let given = given.ok_or_else(|| {
        Malformed::new(format!("`{name}` is missing: /may-deploy?service=... or /may-merge?repository=..."))
    })?;
    Ok(given.parse().map_err(Malformed::from)?)
}

async fn answer(house: &House, request: &Request, name: &str, question: &Question<'_>) -> Result<Response, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let desk = desk(house).await?;
    let answer = Freezes::of(settings, &desk).answer(question, now);
    let shown = |one: &Occurrence<'_>| {
        let strength: Option<&'static str> = one.stops.of(question.side).map(Into::into);
        json!({
            "freeze": one.id, "name": one.name, "strength": strength, "from": one.from, "until": one.until,
            "declared_by": one.by(), "words": line(one, now),
        })
    };
    let body = json!({
        name: answer.may(),
        "advised_against": answer.strength == Some(Strength::Advise),
        "until": answer.until,
        "because": answer.because.iter().map(shown).collect::<Vec<Value>>(),
        "next": answer.next.as_ref().map(shown),
        "at": now,
    });
    Ok(Response::json(status(request, &answer), &body))
}

fn status(request: &Request, answer: &Answer<'_>) -> u16 {
    let refused = match request.query("strict").into_iter().next().as_deref() {
        None => false,
        Some("advise") => answer.strength.is_some(),
        Some(_) => !answer.may(),
    };
    if refused { 423 } else { 200 }
}

/// The desk of freezes.
pub(crate) async fn desk(house: &House) -> Result<Situation, Refusal> {
    Ok(house.store.situation(&house.settings().freeze_desk().id).await?)
}

/// Those that are under way, and of each that is ahead its next time.
pub(crate) fn next_of_each(ahead: Vec<Occurrence<'_>>, now: Timestamp) -> Vec<Occurrence<'_>> {
    let mut seen = BTreeSet::new();
    ahead.into_iter().filter(|one| one.from <= now || seen.insert(one.id)).collect()
}
