//! `GET /may-deploy?service=...` and `GET /may-merge?repository=...`: the plain answer that any pipeline can ask for.
//!
//! JSON, with 200. With `strict` it is 423 where the answer is no, so that `curl --fail` needs to read nothing; with
//! `strict=advise` also where it is advised to wait. A fix that may pass is named by its `number`; a deployment says by its
//! `commit` what it carries, or by `number` that it carries that fix alone.

use std::collections::BTreeSet;

use aws::{House, Malformed, Refusal, Request, Response};
use domain::carried::Carried;
use domain::expedite::{self, Expedite, Granted, Standing};
use domain::freeze::{Freezes, Occurrence, Question, Side, Strength};
use domain::gates;
use domain::wording::freezes::line;
use domain::{Commit, Repository, Service, ServiceId, Situation};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::parameters::Parameters;

pub(crate) async fn deploy(house: &House, request: &Request) -> Result<Response, Refusal> {
    Parameters::read(request, &["service", "environment", "commit", "number", "repository", "strict"])?;
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
    let desk = house.store.situation(&settings.freeze_desk().id).await?;
    let carried = match (number(request)?, maybe::<Commit>(request, "commit")?) {
        (Some(number), _) => Some(Carried::alone(repository(request, service)?, number)),
        (None, Some(commit)) => {
            let situation = house.store.situation(&service.id).await?;
            Carried::of(&commit, &situation, service, settings, house.now())
        }
        (None, None) => None,
    };
    answer(house, request, "may_deploy", &question, &desk, carried.as_ref())
}

pub(crate) async fn merge(house: &House, request: &Request) -> Result<Response, Refusal> {
    Parameters::read(request, &["repository", "number", "strict"])?;
    let repository = one::<Repository>(request, "repository")?;
    let question = Question::of_merge(&repository, house.settings());
    let desk = house.store.situation(&house.settings().freeze_desk().id).await?;
    let carried = number(request)?.map(|number| Carried::alone(repository.clone(), number));
    answer(house, request, "may_merge", &question, &desk, carried.as_ref())
}

fn one<T: std::str::FromStr<Err = domain::InvalidId>>(request: &Request, name: &'static str) -> Result<T, Refusal> {
    maybe(request, name)?.ok_or_else(|| {
        Malformed::new(format!("`{name}` is missing: /may-deploy?service=... or /may-merge?repository=...")).into()
    })
}

fn maybe<T: std::str::FromStr<Err = domain::InvalidId>>(
    request: &Request,
    name: &'static str,
) -> Result<Option<T>, Refusal> {
    let given = request.query(name).into_iter().next().filter(|given| !given.is_empty());
    Ok(given.map(|given| given.parse()).transpose().map_err(Malformed::from)?)
}

fn number(request: &Request) -> Result<Option<u64>, Refusal> {
    let given = request.query("number").into_iter().next().filter(|given| !given.is_empty());
    let read = given.map(|given| given.trim_start_matches('#').parse()).transpose();
    Ok(read.map_err(|_| Malformed::new("`number` is that of a pull request, such as 12"))?)
}

/// The one that is named, else the service's first.
fn repository(request: &Request, service: &Service) -> Result<Repository, Refusal> {
    let first = || service.repositories.first().map(|served| served.repository.clone());
    let given: Option<Repository> = maybe(request, "repository")?;
    let named = given.or_else(first).ok_or(Refusal::NotFound("the service has no repository"))?;
    // A fix for something else does not pass here.
    let ours = service.merged().any(|repository| *repository == named);
    ours.then_some(named).ok_or(Refusal::NotFound("the service does not deploy this repository"))
}

fn answer(
    house: &House,
    request: &Request,
    name: &str,
    question: &Question<'_>,
    desk: &Situation,
    carried: Option<&Carried>,
) -> Result<Response, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let freezes = Freezes::of(settings, desk);
    let answer = freezes.answer(question, now);
    let passing = gates::passing(desk, &freezes, settings, now);
    // Deny beats allow: one change that may not pass keeps the others back.
    let passes = carried.filter(|carried| answer.strength.is_some() && carried.all_among(&passing));
    let batch = carried.and_then(|carried| carried.first_batch.as_ref());
    let may = answer.may() || passes.is_some();
    let advised = passes.is_none() && (answer.strength == Some(Strength::Advise) || (answer.may() && batch.is_some()));
    let shown = |one: &Occurrence<'_>| {
        let strength: Option<&'static str> = one.stops.of(question.side).map(Into::into);
        json!({
            "freeze": one.id, "name": one.name, "strength": strength, "from": one.from, "until": one.until,
            "declared_by": one.by(), "words": line(one, now),
        })
    };
    let body = json!({
        name: may,
        "advised_against": advised,
        "until": answer.until,
        "because": answer.because.iter().map(shown).collect::<Vec<Value>>(),
        "next": answer.next.as_ref().map(shown),
        "expedited": passes.map(|carried| carried.passing(&passing).map(passed).collect::<Vec<Value>>()),
        "carries": carried.map(Carried::changes),
        "deploy_first": batch,
        "words": carried.and_then(|carried| carried.words(&answer, &passing)),
        "at": now,
    });
    Ok(Response::json(status(request, may, advised), &body))
}

/// By whose word a fix passes.
fn passed(one: &Granted) -> Value {
    json!({ "pull": format!("{}#{}", one.repository, one.number), "by": one.by, "why": one.reason, "signed": one.signed })
}

fn status(request: &Request, may: bool, advised: bool) -> u16 {
    let refused = match request.query("strict").into_iter().next().as_deref() {
        None => false,
        Some("advise") => advised || !may,
        Some(_) => !may,
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

/// A fix that somebody asks to let pass, in a line for the board; those that came to nothing are in the log.
pub(crate) fn fix(house: &House, freezes: &Freezes<'_>, one: &Expedite, now: Timestamp) -> Option<String> {
    let settings = house.settings();
    let holding = expedite::holding(freezes, settings, &one.repository, now);
    let state = match one.standing(expedite::needs(&holding), now) {
        Standing::NeedsReason => "waits for a reason",
        Standing::AwaitsApprover => "waits for an approver",
        Standing::AwaitsRotation => "waits for the rotation",
        Standing::Granted => "may pass",
        Standing::Refused | Standing::Withdrawn | Standing::Lapsed => return None,
    };
    let by = settings.roster.name_of(&one.by);
    let reason = if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason) };
    Some(format!("{} {state}, asked for by {by}{reason}", one.label()))
}
