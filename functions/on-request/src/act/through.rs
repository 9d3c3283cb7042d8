//! Opening the pipelines that hold for a freeze, for a fix that may pass.

use aws::links::Grant;
use aws::{House, Refusal};
use domain::ServiceId;
use domain::on_request::hands::Desk;
use domain::on_request::through::Refused;

use super::{Filled, Form, Outcome, Question, nothing, sentence};

const OPEN: &str = "let-through";

/// Whether a form is about it.
pub(super) fn is_meant(filled: &Filled) -> bool {
    filled.get("do").is_some_and(|does| does == OPEN)
}

/// The button, where a pipeline holds.
pub(super) fn beside(mut question: Question, desk: Desk<'_>) -> Question {
    if !desk.situation.pipelines.value.held.is_empty() {
        question.forms.push(Form {
            button: "Open its pipelines for a fix that may pass",
            does: OPEN,
            fields: Vec::new(),
        });
    }
    question
}

pub(super) async fn act(house: &House, grant: &Grant, service: &ServiceId) -> Result<Outcome, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let Some(service) = settings.service(service) else {
        return Ok(Outcome::missing("No such service", "It is not in the configuration."));
    };
    let decide = |situation: &_| Desk { situation, service, settings, now }.let_through(&grant.person);
    Ok(match super::decide(house, service, decide).await? {
        Ok(()) => Outcome::done(
            "They are opened",
            "They hold again once a deployment has begun, or after 30 minutes. What waits there goes out too.",
        ),
        Err(why @ Refused::AlreadySo) => Outcome::done("Nothing to do", sentence(&why)),
        Err(why) => nothing(&why),
    })
}
