//! Saying how far automation goes for a service: beside the pausing of its pipeline.

use aws::links::Grant;
use aws::{House, Refusal};
use domain::on_request::hands::Desk;
use domain::on_request::modes::Refused;
use domain::wording::modes::{means, why};
use domain::{Mode, ServiceId};

use super::{Field, Filled, Form, Outcome, Question, nothing};

const SAY: &str = "mode";

/// Whether a form is about the mode.
pub(super) fn is_meant(filled: &Filled) -> bool {
    filled.get("do").is_some_and(|does| does == SAY)
}

/// Which mode, and why, as a form says it.
pub(super) fn wanted(filled: &Filled) -> Option<(Mode, &str)> {
    let given = filled.get("mode")?.trim();
    let mode = Mode::ALL.into_iter().find(|mode| mode.word() == given)?;
    Some((mode, filled.get("why").map_or("", |why| why.trim())))
}

/// The mode in force, as people read it, and what it was lowered by.
pub(crate) fn line(desk: Desk<'_>) -> String {
    let mode = desk.situation.mode(desk.service);
    let lowered = desk.situation.ceiling.value.lowered.as_ref().filter(|lowered| lowered.to < desk.service.mode);
    let lowered = lowered.map(|lowered| {
        format!(" The configuration says {}; it was lowered: {}.", desk.service.mode.word(), why(&lowered.why))
    });
    format!("Mode {}: {}.{}", mode.word(), means(mode), lowered.unwrap_or_default())
}

/// What can be said about it, added to what the link asks already.
pub(super) fn beside(mut question: Question, desk: Desk<'_>) -> Question {
    question.lines.push(line(desk));
    let options: Vec<(String, String)> = Mode::ALL
        .into_iter()
        .filter(|mode| *mode <= desk.service.mode)
        .map(|mode| (mode.word().to_owned(), format!("{}: {}", mode.word(), means(mode))))
        .collect();
    let value = desk.situation.mode(desk.service).word().to_owned();
    let fields = vec![
        Field { name: "mode", label: "Mode", value, options },
        Field { name: "why", label: "Why", ..Field::default() },
    ];
    question.forms.push(Form { button: "Set the mode", does: SAY, fields });
    question
}

pub(super) async fn act(
    house: &House,
    grant: &Grant,
    service: &ServiceId,
    filled: &Filled,
) -> Result<Outcome, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let Some(service) = settings.service(service) else {
        return Ok(Outcome::missing("No such service", "It is not in the configuration."));
    };
    let Some((mode, reason)) = wanted(filled) else {
        return Ok(Outcome::not_understood("`mode` is manual, shadow, notify, page, propose or act"));
    };
    let decide = |situation: &_| Desk { situation, service, settings, now }.set_mode(&grant.person, mode, reason);
    Ok(match super::decide(house, service, decide).await? {
        Ok(()) => Outcome::done(format!("Mode {}", mode.word()), format!("In {} {}.", service.id, means(mode))),
        Err(why @ Refused::AlreadySo) => Outcome::done("Nothing to do", super::sentence(&why)),
        Err(why) => nothing(&why),
    })
}
