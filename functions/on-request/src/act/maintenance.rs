//! Saying that a service may break for a while, and that this is over: beside the pausing of its pipeline.

use aws::links::Grant;
use aws::{House, Refusal};
use domain::on_request::hands::Desk;
use domain::on_request::maintenance::{Refused, Wanted};
use domain::{Decisions, PersonId, Service, ServiceId, maintenance, times};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Field, Filled, Form, Outcome, Question, nothing};

const BEGIN: &str = "maintain";
const END: &str = "maintained";
/// Stands for all environments.
const EVERY: &str = "";
const LENGTH: &str = "`for` is a length of time such as \"2 h\", or a number of minutes";

/// Whether a form is about maintenance.
pub(super) fn is_meant(filled: &Filled) -> bool {
    filled.get("do").is_some_and(|does| does == BEGIN || does == END)
}

/// What can be said about it, added to what the link asks already.
pub(super) fn beside(mut question: Question, desk: Desk<'_>, person: &PersonId) -> Question {
    let zone = desk.settings.roster.zone_of(person);
    let time = |at| times::time(at, &zone, desk.now);
    let told = desk.situation.paging.value.maintenance.iter().filter(|m| m.is_ahead(desk.now));
    let told: Vec<_> = told.collect();
    for one in &told {
        let place = one.environment.as_ref().map(|e| format!(" of {e}")).unwrap_or_default();
        let (from, until) = (time(one.from), time(one.over_at()));
        let by = desk.settings.roster.name_of(&one.by);
        question.lines.push(format!("Maintenance{place} from {from} until {until}: {} ({by}).", one.why));
    }
    if let Some((_, until)) = maintenance::weekly_now(desk.service, desk.now) {
        question.lines.push(format!("Maintenance, as each week, until {}.", time(until)));
    }
    question.lines.push("While it is under maintenance nobody is paged; what still fires after it pages.".to_owned());
    question.forms.push(Form { button: "Begin maintenance", does: BEGIN, fields: fields(desk.service) });
    if !told.is_empty() {
        question.forms.push(Form { button: "End maintenance", does: END, fields: Vec::new() });
    }
    question
}

fn fields(service: &Service) -> Vec<Field> {
    let environments = service.environments.iter().map(|e| (e.name.to_string(), e.name.to_string()));
    let every = (EVERY.to_owned(), "every environment".to_owned());
    vec![
        Field { name: "for", label: "Minutes", value: "60".to_owned(), ..Field::default() },
        Field { name: "why", label: "Why", ..Field::default() },
        Field {
            name: "environment",
            label: "Where",
            value: EVERY.to_owned(),
            options: std::iter::once(every).chain(environments).collect(),
        },
        Field { name: "from", label: "From (empty: now; such as 2026-03-20T18:00Z)", ..Field::default() },
    ]
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
    let wish = match Wish::read(filled, &settings.roster.zone_of(&grant.person), now) {
        Ok(wish) => wish,
        Err(why) => return Ok(Outcome::not_understood(why)),
    };
    let decide = |situation: &_| wish.decide(Desk { situation, service, settings, now }, &grant.person);
    Ok(match super::decide(house, service, decide).await? {
        Ok(()) => {
            wish.wake(house, &service.id).await;
            wish.done(service, |at| times::time(at, &settings.roster.zone_of(&grant.person), now))
        }
        Err(why @ Refused::AlreadySo) => Outcome::done("Nothing to do", super::sentence(&why)),
        Err(why) => nothing(&why),
    })
}

/// What the person wants, read from the form.
pub(super) enum Wish {
    Begin(Wanted),
    End,
}

impl Wish {
    pub(super) fn read(filled: &Filled, zone: &TimeZone, now: Timestamp) -> Result<Self, &'static str> {
        let text = |name: &str| filled.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
        if text("do") == Some(END) {
            return Ok(Self::End);
        }
        let from = text("from")
            .map(|at| times::read(at, zone, now).ok_or("`from` is a time such as \"Mon 09:00\" or 2026-03-20T18:00Z"));
        let from: Option<Timestamp> = from.transpose()?;
        let until = from.unwrap_or(now).checked_add(length(text("for").ok_or(LENGTH)?)?).map_err(|_| LENGTH)?;
        let environment = text("environment").map(str::to_owned);
        Ok(Self::Begin(Wanted { environment, from, until, why: text("why").unwrap_or("").to_owned() }))
    }

    pub(super) fn decide(&self, desk: Desk<'_>, by: &PersonId) -> Result<Decisions, Refused> {
        match self {
            Self::Begin(wanted) => desk.begin_maintenance(by, wanted),
            Self::End => desk.end_maintenance(by),
        }
    }

    /// Its begin and its end are looked at when they come.
    async fn wake(&self, house: &House, service: &ServiceId) {
        let Self::Begin(wanted) = self else { return };
        for at in wanted.from.into_iter().chain([wanted.until]) {
            house.wake_at(service, at).await;
        }
    }

    fn done(&self, service: &Service, time: impl Fn(Timestamp) -> String) -> Outcome {
        let service = &service.id;
        match self {
            Self::Begin(wanted) => {
                let until = time(wanted.until);
                let when = wanted.from.map_or_else(String::new, |from| format!("from {} ", time(from)));
                let text = format!("Nobody is paged for {service} {when}until {until}; the board shows it.");
                Outcome::done("Under maintenance", text)
            }
            Self::End => Outcome::done("Maintenance ended", format!("What fires in {service} pages again.")),
        }
    }
}

/// `90` is minutes; else a length of time.
fn length(text: &str) -> Result<SignedDuration, &'static str> {
    match text.parse::<u32>() {
        Ok(minutes) => Ok(SignedDuration::from_mins(minutes.into())),
        Err(_) => text.parse().map_err(|_| LENGTH),
    }
}
