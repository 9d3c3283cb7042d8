//! The revert button: what is known before it is pressed, and what came of pressing it.

use aws::links::Grant;
use aws::{House, Refusal};
use domain::on_request::freezes;
use domain::on_request::hands::Desk;
use domain::on_request::reverts::Refused;
use domain::undo::{self, Stage, Undo, outlook};
use domain::wording::{Reader, reverts as words};
use domain::{Change, ChangeId, PersonId, Phase, Service, ServiceId, Situation, times, window};

use super::{Filled, Form, NOT_ALLOWED, Outcome, Question, nothing, sentence};

const REVERT: &str = "revert";

pub(super) async fn ask(
    house: &House,
    grant: &Grant,
    service: &ServiceId,
    change: &ChangeId,
) -> Result<Result<Question, Outcome>, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let Some(service) = settings.service(service) else { return Ok(Err(no_service())) };
    let situation = house.store.situation(&service.id).await?;
    let desk = Desk { situation: &situation, service, settings, now };
    let change = match desk.revertible(change, &grant.person) {
        Ok(change) => change,
        Err(why) => return Ok(Err(nothing(&why))),
    };
    let asked = match undo::home(settings, &change.id.repository) {
        Some(home) if home.id == service.id => situation.undos.get(&change.id).map(|known| known.value.clone()),
        Some(home) => house.store.situation(&home.id).await?.undos.remove(&change.id).map(|known| known.value),
        None => None,
    };
    let mut question = Question { title: format!("Revert {}?", change.label()), ..Question::default() };
    question.lines.push(what_it_is(desk, change, &grant.person));
    question.lines.push(outlook::outlook(change, &situation).to_string());
    question.lines.extend(outlook::migrations(&change.id, &situation, &service.migrations));
    let frozen = house.store.situation(&settings.freeze_desk().id).await?;
    let holds = freezes::Desk { situation: &frozen, settings, now }.needs(&change.id.repository).is_some();
    let passes = if holds { ", and the freeze that holds is asked to let it pass" } else { "" };
    question.lines.push(format!("One pull request is opened, labelled expedite{passes}."));
    question
        .lines
        .push("Nothing is reverted before somebody merges it and it is live. You are told its address.".to_owned());
    let refused = |undo: &Undo| matches!(undo.stage, Stage::Refused { .. });
    let again = asked.as_ref().is_some_and(refused);
    let button = if again { "Try again" } else { "Revert" };
    match asked {
        Some(undo) => {
            question.lines = vec![what_it_is(desk, change, &grant.person), stands(house, service, grant, &undo)];
            if again {
                question.forms.push(Form { button, does: REVERT, fields: Vec::new() });
            }
        }
        None => question.forms.push(Form { button, does: REVERT, fields: Vec::new() }),
    }
    Ok(Ok(question))
}

/// `edx-platform#12 “Pay once” is Usama's in edxapp, live since 14:02.`
fn what_it_is(desk: Desk<'_>, change: &Change, person: &PersonId) -> String {
    let Desk { situation, service, settings, now } = desk;
    let zone = settings.roster.zone_of(person);
    let all = window::windows(situation, service, &settings.roster, now);
    let window = all.iter().find(|window| window.change.id == change.id);
    let holder = window.map_or("nobody", |window| settings.roster.name_of(&window.holder.person));
    let live = match window.map(|window| window.phase) {
        Some(Phase::Active { since, .. } | Phase::Tail { since, .. }) => {
            format!("live since {}", times::time(since, &zone, now))
        }
        Some(Phase::Standby) => "not live yet".to_owned(),
        Some(Phase::Closed { .. }) | None => "its window is closed".to_owned(),
    };
    format!("{} \u{201c}{}\u{201d} is {holder}'s in {}, {live}.", change.label(), change.title, service.id)
}

fn stands(house: &House, service: &Service, grant: &Grant, undo: &Undo) -> String {
    words::stands(Reader { settings: house.settings(), service, person: &grant.person, now: house.now() }, undo)
}

/// Decided at the change's home, where whoever presses in another service presses too.
pub(super) async fn act(
    house: &House,
    grant: &Grant,
    service: &ServiceId,
    change: &ChangeId,
    filled: &Filled,
) -> Result<Outcome, Refusal> {
    if filled.get("do").is_some_and(|does| does != REVERT) {
        return Ok(Outcome::not_understood(NOT_ALLOWED));
    }
    let (settings, now) = (house.settings(), house.now());
    let Some(service) = settings.service(service) else { return Ok(no_service()) };
    let there: Situation = house.store.situation(&service.id).await?;
    let meant = Desk { situation: &there, service, settings, now }.revertible(change, &grant.person);
    let (change, home) = match meant.map(|change| (change, undo::home(settings, &change.id.repository))) {
        Ok((change, Some(home))) => (change, home),
        Ok((_, None)) => return Ok(no_service()),
        Err(why) => return Ok(nothing(&why)),
    };
    let decide = |situation: &Situation| Desk { situation, service: home, settings, now }.revert(change, &grant.person);
    Ok(match super::decide(house, home, decide).await? {
        Ok(()) => Outcome::done(
            format!("The revert of {} is on its way", change.label()),
            "One pull request is opened. You are told its address; then it has to be merged.",
        ),
        Err(Refused::AskedBefore(undo)) => Outcome::done("Asked for already", stands(house, service, grant, &undo)),
        Err(why) => nothing(&why),
    })
}

fn no_service() -> Outcome {
    Outcome::missing("No such service", &sentence(&"it is not in the configuration"))
}
