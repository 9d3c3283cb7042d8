//! A person acts by link: opening it asks, posting it acts, doing it again says so. A browser gets a page; a program
//! that accepts JSON gets `{"done", "title", "text"}`.

mod expedites;
mod freezes;
mod hands;
mod incident;
pub mod intent;
mod maintenance;
mod modes;
mod person;
mod preview;
mod revert;
mod through;

pub(crate) use expedites::{ASK as EXPEDITE, pull};
pub(crate) use freezes::{DECLARE as FREEZE, END as THAW, SHOW, meant as freeze_meant};
pub(crate) use hands::on_call_lines;
pub(crate) use incident::forms as incident_forms;
pub(crate) use modes::line as mode_line;

use std::collections::BTreeMap;

use aws::links::{self, Action, BadLink, Grant};
use aws::{House, Refusal, Request, Response};
use domain::{Decisions, Service, Situation};
use minijinja::context;
use serde::Serialize;
use serde_json::json;

use crate::page;

/// One thing that can be done, as a form.
#[derive(Debug, Serialize)]
pub(crate) struct Form {
    button: &'static str,
    /// Sent as `do`, where one link allows several things.
    does: &'static str,
    fields: Vec<Field>,
}

/// Something to fill in; with `options`, something to choose.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Field {
    name: &'static str,
    label: &'static str,
    value: String,
    options: Vec<(String, String)>,
}

/// What a link is about, before anything is done.
#[derive(Debug, Default)]
struct Question {
    title: String,
    lines: Vec<String>,
    forms: Vec<Form>,
}

/// What was filled in.
pub(crate) type Filled = BTreeMap<String, String>;

/// Why a form is not understood whose `do` is of another link.
const NOT_ALLOWED: &str = "`do` names something that this link does not allow";

/// What came of acting: said to the person.
pub(crate) struct Outcome {
    status: u16,
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Outcome {
    pub(crate) fn done(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { status: 200, title: title.into(), text: text.into() }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.status == 200
    }

    pub(crate) fn missing(title: &str, text: &str) -> Self {
        Self { status: 404, title: title.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn not_understood(why: &str) -> Self {
        Self { status: 400, title: "Not understood".to_owned(), text: why.to_owned() }
    }

    /// What was meant to be done is not allowed, or no longer. `what`: the link or the button.
    pub(crate) fn refused(what: &str, bad: BadLink) -> Self {
        tracing::warn!(reason = %bad, "a {what} was refused");
        Self {
            status: 403,
            title: format!("This {what} does not work"),
            text: format!("Nothing was done: {bad}. Open the board for the newest state."),
        }
    }

    /// As a page, or as JSON for a program.
    fn answer(self, request: &Request) -> Response {
        if page::is_for_program(request) {
            let done = self.status == 200;
            return Response::json(self.status, &json!({ "done": done, "title": self.title, "text": self.text }));
        }
        page::notice(self.status, &self.title, &self.text)
    }
}

/// What the link would do, and the buttons that do it.
pub(crate) async fn ask(house: &House, request: &Request) -> Result<Response, Refusal> {
    let grant = match granted(house, request)? {
        Ok(grant) => grant,
        Err(refused) => return Ok(refused.answer(request)),
    };
    let question = match question(house, &grant).await? {
        Ok(question) => question,
        Err(refused) => return Ok(refused.answer(request)),
    };
    let person = house.settings().roster.name_of(&grant.person);
    let Question { title, lines, forms } = question;
    let (forms, action) = (page::value(&forms), &request.path);
    Ok(page::render(200, "act.html", context! { title, lines, forms, person, action }))
}

async fn question(house: &House, grant: &Grant) -> Result<Result<Question, Outcome>, Refusal> {
    match &grant.action {
        Action::Acknowledge(id) | Action::Judge(id) => incident::ask(house, grant, id).await,
        Action::Answer(..) | Action::HandOver(..) | Action::OnCall(_) | Action::Queue(_) => {
            hands::ask(house, grant).await
        }
        Action::Revert(service, change) => revert::ask(house, grant, service, change).await,
        Action::Person(id) => Ok(person::ask(house, grant, id)),
        Action::Freezes => freezes::ask(house, grant).await,
        Action::Freeze(id) => freezes::ask_of(house, grant, id).await,
        Action::Expedite(repository, number) => expedites::ask(house, grant, repository, *number).await,
    }
}

/// What is known of it, and `how` to go on, where there are no buttons.
pub(crate) async fn look(house: &House, grant: &Grant, how: &str) -> Result<Outcome, Refusal> {
    Ok(match question(house, grant).await? {
        Ok(Question { title, mut lines, .. }) => {
            lines.push(how.to_owned());
            Outcome::done(title, lines.join("\n"))
        }
        Err(refused) => refused,
    })
}

/// Does it.
pub(crate) async fn act(house: &House, request: &Request) -> Result<Response, Refusal> {
    let grant = match granted(house, request)? {
        Ok(grant) => grant,
        Err(refused) => return Ok(refused.answer(request)),
    };
    Ok(perform(house, &grant, &request.form()).await?.answer(request))
}

/// Does what the form of a link asks for, whichever way it came: `do` says what, the other fields with what.
pub(crate) async fn perform(house: &House, grant: &Grant, form: &Filled) -> Result<Outcome, Refusal> {
    let outcome = carry_out(house, grant, form).await?;
    if let Some(heard) = house.acted.as_ref().filter(|_| outcome.is_done()) {
        heard(&grant.action, &grant.person, form);
    }
    Ok(outcome)
}

async fn carry_out(house: &House, grant: &Grant, form: &Filled) -> Result<Outcome, Refusal> {
    match &grant.action {
        Action::Acknowledge(id) | Action::Judge(id) => Box::pin(incident::act(house, grant, id, form)).await,
        Action::Queue(service) if through::is_meant(form) => Box::pin(through::act(house, grant, service)).await,
        Action::Queue(service) if modes::is_meant(form) => Box::pin(modes::act(house, grant, service, form)).await,
        Action::Queue(service) if maintenance::is_meant(form) => {
            Box::pin(maintenance::act(house, grant, service, form)).await
        }
        Action::Answer(..) | Action::HandOver(..) | Action::OnCall(_) | Action::Queue(_) => {
            Box::pin(hands::act(house, grant, form)).await
        }
        Action::Revert(service, change) => Box::pin(revert::act(house, grant, service, change, form)).await,
        Action::Person(id) => Box::pin(person::act(house, grant, id, form)).await,
        Action::Freezes if expedites::is_meant(form) => Box::pin(expedites::act(house, grant, None, form)).await,
        Action::Freezes => Box::pin(freezes::act(house, grant, form)).await,
        Action::Freeze(id) => Box::pin(freezes::act_on(house, grant, id, form)).await,
        Action::Expedite(repository, number) => {
            Box::pin(expedites::act(house, grant, Some((repository, *number)), form)).await
        }
    }
}

/// What the domain refused, as a sentence.
fn sentence(why: &impl std::fmt::Display) -> String {
    let text = why.to_string();
    let mut letters = text.chars();
    let capital = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
    format!("{}.", capital.unwrap_or_default())
}

/// The domain refused: nothing was done.
fn nothing(why: &impl std::fmt::Display) -> Outcome {
    Outcome { status: 409, title: "Nothing was done".to_owned(), text: sentence(why) }
}

/// Load, decide, commit, publish. A refusal of the domain writes nothing.
async fn decide<T: Clone>(
    house: &House,
    service: &Service,
    mut decide: impl FnMut(&Situation) -> Result<Decisions, T>,
) -> Result<Result<(), T>, Refusal> {
    let now = house.now();
    let decided = |situation: &Situation| match decide(situation) {
        Ok(decisions) => (decisions, Ok(())),
        Err(refused) => (Decisions::none(&service.id, domain::decision::Wake::Now), Err(refused)),
    };
    let (decisions, outcome) = house.store.decide(&service.id, now, decided).await?;
    house.publish(&decisions.messages).await;
    (house.nudge)(&service.id);
    Ok(outcome)
}

fn granted(house: &House, request: &Request) -> Result<Result<Grant, Outcome>, Refusal> {
    let secrets = house.secrets.get(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    // Freezes are kept as if they were a service, and are none that people could take.
    let is_desk = |action: &Action| {
        let desk = |id| house.settings().is_desk(id);
        matches!(action, Action::OnCall(service) | Action::Queue(service) | Action::Answer(service, _) | Action::HandOver(service, _) | Action::Revert(service, _) if desk(service))
    };
    let known = |grant: Grant| match house.settings().roster.person(&grant.person) {
        Some(_) if is_desk(&grant.action) => Err(BadLink::Forged),
        Some(person) if !house.settings().is_channel(&person.id) => Ok(grant),
        Some(_) | None => Err(BadLink::Forged),
    };
    let checked = links::by_any(&secrets, |secret| links::check(secret, &request.segments(), house.now()));
    Ok(checked.and_then(known).map_err(|bad| Outcome::refused("link", bad)))
}
