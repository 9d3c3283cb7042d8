//! Moving responsibility: taking the pager for a merge, handing a window over, being on call, pausing the pipeline.

use std::collections::BTreeSet;

use aws::links::{Action, Grant};
use aws::{House, Refusal};
use domain::on_request::hands::{Desk, Refused};
use domain::{ChangeId, Decisions, PersonId, Phase, Service, ServiceId, Window, shift, text, times, window};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Field, Filled, Form, NOT_ALLOWED, Outcome, Question, maintenance, modes, nothing, sentence, through};

/// So many people are named of those who are on call; the board shows all.
const MOST_RESPONDERS: usize = 12;

pub(super) async fn ask(house: &House, grant: &Grant) -> Result<Result<Question, Outcome>, Refusal> {
    let settings = house.settings();
    let (id, change) = about(&grant.action);
    let Some(service) = id.and_then(|id| settings.service(id)) else {
        return Ok(Err(no_service()));
    };
    let situation = house.store.situation(&service.id).await?;
    let now = house.now();
    let all = window::windows(&situation, service, &settings.roster, now);
    let window = change.map(|id| all.iter().find(|w| w.change.id == *id));
    let desk = Desk { situation: &situation, service, settings, now };
    Ok(match (&grant.action, window) {
        (_, Some(None)) => Err(nothing(&Refused::NoSuchChange)),
        (Action::Answer(..), Some(Some(window))) => Ok(take_the_pager(desk, window)),
        (Action::HandOver(..), Some(Some(window))) => Ok(hand_over(desk, window, &grant.person)),
        (Action::Queue(_), _) => {
            let question = maintenance::beside(queue(desk, &grant.person), desk, &grant.person);
            Ok(modes::beside(through::beside(question, desk), desk))
        }
        (_, _) => Ok(on_call(desk, &grant.person)),
    })
}

fn about(action: &Action) -> (Option<&ServiceId>, Option<&ChangeId>) {
    match action {
        Action::Answer(service, change) | Action::HandOver(service, change) => (Some(service), Some(change)),
        Action::OnCall(service) | Action::Queue(service) => (Some(service), None),
        Action::Acknowledge(_)
        | Action::Judge(_)
        | Action::Revert(..)
        | Action::Freezes
        | Action::Freeze(_)
        | Action::Person(_)
        | Action::Expedite(..) => (None, None),
    }
}

fn take_the_pager(desk: Desk<'_>, window: &Window<'_>) -> Question {
    let mut question = Question {
        title: format!("Take the pager for {}?", window.change.label()),
        lines: vec![
            format!("{} was merged into {}.", quoted(window), desk.service.id),
            "Taking it says that you are reachable until your turn for it is over, and that nobody else need be woken first."
                .to_owned(),
        ],
        ..Question::default()
    };
    if let domain::Attendance::Taken { person, .. } = &window.attendance {
        question.lines.push(format!("{} has taken it.", desk.settings.roster.name_of(person)));
    } else if desk.situation.asking(window.change, desk.service, &desk.settings.roster).is_some() {
        question.forms.push(Form { button: "Take the pager", does: "take", fields: Vec::new() });
        question.forms.push(Form { button: "I cannot", does: "decline", fields: Vec::new() });
    } else {
        question.lines.push("Nobody need be asked about it.".to_owned());
    }
    question
}

fn hand_over(desk: Desk<'_>, window: &Window<'_>, person: &PersonId) -> Question {
    let holder = desk.settings.roster.name_of(&window.holder.person);
    Question {
        title: format!("Hand {} over", window.change.label()),
        lines: vec![format!("{} is {holder}'s in {}.", quoted(window), desk.service.id)],
        forms: vec![Form { button: "Hand over", does: "hand-over", fields: vec![colleague(desk, "to", "To", person)] }],
    }
}

fn on_call(desk: Desk<'_>, person: &PersonId) -> Question {
    let how_long = Field { name: "for", label: "For", value: "2 h".to_owned(), ..Field::default() };
    let who = colleague(desk, "person", "Who", person);
    Question {
        title: format!("On call for {}", desk.service.id),
        lines: on_call_lines(desk, person),
        forms: vec![
            Form { button: "Take the pager", does: "take", fields: vec![who, how_long] },
            Form { button: "Give it back", does: "give-back", fields: Vec::new() },
            Form { button: "Send a test page", does: "drill", fields: vec![colleague(desk, "person", "To", person)] },
        ],
    }
}

/// Who is on call for the service just now, in the zone of whoever reads it.
pub(crate) fn on_call_lines(desk: Desk<'_>, person: &PersonId) -> Vec<String> {
    let shifts = desk.situation.shifts.values().map(|s| &s.value);
    let zone = desk.settings.roster.zone_of(person);
    let now = match shift::of_service(shifts, desk.now) {
        Some(shift) => format!(
            "{} has its pager until {}.",
            desk.settings.roster.name_of(&shift.person),
            shift.until.map_or_else(String::new, |at| times::time(at, &zone, desk.now))
        ),
        None => "Nobody has its pager by their word: the responder of each change is paged first.".to_owned(),
    };
    std::iter::once(now).chain(responders(desk, &zone)).collect()
}

/// Who answers for which change until when, how many wait, and who is on the rotation.
fn responders(desk: Desk<'_>, zone: &TimeZone) -> Vec<String> {
    let Desk { situation, service, settings, now } = desk;
    let name = |person: &PersonId| settings.roster.name_of(person).to_owned();
    let all = window::windows(situation, service, &settings.roster, now);
    let active = all.iter().filter_map(|window| match window.phase {
        Phase::Active { until, .. } => Some(format!(
            "{} is on call for {} until {}.",
            name(&window.responder.person),
            window.change.label(),
            times::time(until, zone, now)
        )),
        Phase::Standby | Phase::Tail { .. } | Phase::Closed { .. } => None,
    });
    let mut lines: Vec<String> = active.collect();
    if lines.len() > MOST_RESPONDERS {
        let more = lines.split_off(MOST_RESPONDERS).len();
        lines.push(format!("And {more} more: the board shows them."));
    }
    let standby: Vec<_> = all.iter().filter(|window| window.phase == Phase::Standby).collect();
    if !standby.is_empty() {
        let people: BTreeSet<String> = standby.iter().map(|window| name(&window.holder.person)).collect();
        let people: Vec<String> = people.into_iter().take(MOST_RESPONDERS).collect();
        lines.push(format!(
            "{} to go live: {}.",
            text::count(standby.len(), "change waits", "changes wait"),
            people.join(", ")
        ));
    }
    let rotation = situation.paging.value.rotation(service, now);
    if !rotation.is_empty() {
        let names: Vec<String> = rotation.iter().map(name).collect();
        lines.push(format!("The rotation: {}.", names.join(", ")));
    }
    lines
}

fn queue(desk: Desk<'_>, person: &PersonId) -> Question {
    let zone = desk.settings.roster.zone_of(person);
    let title = format!("The pipeline of {}", desk.service.id);
    if let Some(pause) = desk.situation.queue.value.paused(desk.now) {
        let since = times::time(pause.from, &zone, desk.now);
        let line = format!("Paused since {since}: {} ({}).", pause.why, desk.settings.roster.name_of(&pause.by));
        let resume = Form { button: "Resume", does: "resume", fields: Vec::new() };
        return Question { title, lines: vec![line], forms: vec![resume] };
    }
    let why = Field { name: "why", label: "Why", ..Field::default() };
    let how_long = Field { name: "for", label: "For (empty: until it is resumed)", ..Field::default() };
    let learnt = desk.situation.track.value.words();
    let mut forms = vec![Form { button: "Pause", does: "pause", fields: vec![why, how_long] }];
    if learnt.is_some() {
        forms.push(Form { button: "Forget what was learnt of its past", does: "unlearn", fields: Vec::new() });
    }
    let waiting = "While it is paused, waiting does not count, and everybody sees why nothing moves.".to_owned();
    Question { title, lines: std::iter::once(waiting).chain(learnt).collect(), forms }
}

fn quoted(window: &Window<'_>) -> String {
    format!("{} \u{201c}{}\u{201d}", window.change.label(), window.change.title)
}

/// A choice among the people of the roster, the reader first.
fn colleague(desk: Desk<'_>, name: &'static str, label: &'static str, reader: &PersonId) -> Field {
    let mut options: Vec<(String, String)> =
        desk.settings.roster.people().filter(|p| !p.is_outside()).map(|p| (p.id.to_string(), p.name.clone())).collect();
    options.sort_by_key(|(id, name)| (*id != reader.as_str(), name.clone()));
    Field { name, label, value: reader.to_string(), options }
}

pub(super) async fn act(house: &House, grant: &Grant, filled: &Filled) -> Result<Outcome, Refusal> {
    let settings = house.settings();
    let (id, _) = about(&grant.action);
    let Some(service) = id.and_then(|id| settings.service(id)) else {
        return Ok(no_service());
    };
    let wish = match Wish::read(grant, filled, &settings.roster.zone_of(&grant.person), house.now()) {
        Ok(wish) => wish,
        Err(why) => return Ok(Outcome::not_understood(why)),
    };
    let now = house.now();
    let decided = super::decide(house, service, |situation| {
        wish.decide(Desk { situation, service, settings, now }, &grant.person)
    })
    .await?;
    Ok(match decided {
        Ok(()) => wish.done(service, |person| settings.roster.name_of(person).to_owned()),
        Err(why @ Refused::AlreadySo) => Outcome::done("Nothing to do", sentence(&why)),
        Err(why) => nothing(&why),
    })
}

/// What the person wants, read from the form.
pub(super) enum Wish {
    Answer(ChangeId, bool),
    HandOver(ChangeId, PersonId),
    Take { person: PersonId, from: Option<Timestamp>, until: Timestamp },
    GiveBack,
    Drill(PersonId),
    Pause { why: String, until: Option<Timestamp> },
    Resume,
    Unlearn,
}

impl Wish {
    pub(super) fn read(grant: &Grant, filled: &Filled, zone: &TimeZone, now: Timestamp) -> Result<Self, &'static str> {
        let text = |name: &str| filled.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
        let person = |name: &str| {
            let given = text(name).map(|id| id.parse().map_err(|_| "a person is named by their id in the roster"));
            given.transpose()
        };
        let from = text("from")
            .map(|at| times::read(at, zone, now).ok_or("`from` is a time such as \"Mon 09:00\" or 2026-03-20T18:00Z"));
        let from = from.transpose()?;
        let span = text("for")
            .map(|span| span.parse::<SignedDuration>().map_err(|_| "`for` is a length of time such as \"2 h\""));
        let until = |start: Timestamp, span: SignedDuration| {
            start.checked_add(span).map_err(|_| "`for` is a length of time such as \"2 h\"")
        };
        match (&grant.action, text("do")) {
            (Action::Answer(_, change), Some("take")) => Ok(Self::Answer(change.clone(), true)),
            (Action::Answer(_, change), Some("decline")) => Ok(Self::Answer(change.clone(), false)),
            (Action::HandOver(_, change), Some("hand-over")) => {
                Ok(Self::HandOver(change.clone(), person("to")?.ok_or("`to` says who gets it")?))
            }
            (Action::OnCall(_), Some("take")) => {
                let span = span.transpose()?.ok_or("`for` says for how long, such as \"2 h\"")?;
                let person = person("person")?.unwrap_or_else(|| grant.person.clone());
                Ok(Self::Take { person, from, until: until(from.unwrap_or(now), span)? })
            }
            (Action::OnCall(_), Some("give-back")) => Ok(Self::GiveBack),
            (Action::OnCall(_), Some("drill")) => {
                Ok(Self::Drill(person("person")?.unwrap_or_else(|| grant.person.clone())))
            }
            (Action::Queue(_), Some("pause")) => {
                let until = span.transpose()?.map(|span| until(now, span)).transpose()?;
                Ok(Self::Pause { why: text("why").unwrap_or("").to_owned(), until })
            }
            (Action::Queue(_), Some("resume")) => Ok(Self::Resume),
            (Action::Queue(_), Some("unlearn")) => Ok(Self::Unlearn),
            _ => Err(NOT_ALLOWED),
        }
    }

    pub(super) fn decide(&self, desk: Desk<'_>, by: &PersonId) -> Result<Decisions, Refused> {
        match self {
            Self::Answer(change, takes) => desk.answer(change, by, *takes),
            Self::HandOver(change, to) => desk.hand_over(change, to, by),
            Self::Take { person, from, until } => desk.take(person, by, *from, *until),
            Self::GiveBack => desk.give_back(by),
            Self::Drill(person) => desk.drill(person, by),
            Self::Pause { why, until } => desk.pause(by, why, *until),
            Self::Resume => desk.resume(by),
            Self::Unlearn => desk.unlearn(by),
        }
    }

    fn done(&self, service: &Service, name: impl Fn(&PersonId) -> String) -> Outcome {
        let service = &service.id;
        match self {
            Self::Answer(_, true) => {
                Outcome::done("Thank you", "You have the pager for it. Nobody else is woken first.")
            }
            Self::Answer(_, false) => Outcome::done("Noted", "You do not take the pager for it."),
            Self::HandOver(_, to) => Outcome::done("Handed over", format!("{} has it now, and was told.", name(to))),
            Self::Take { person, .. } => {
                Outcome::done("On call", format!("{} has the pager of {service}; the board shows it.", name(person)))
            }
            Self::GiveBack => Outcome::done("Given back", format!("You no longer have the pager of {service}.")),
            Self::Drill(person) => {
                Outcome::done("On its way", format!("A test page goes to {}; the log says who took it.", name(person)))
            }
            Self::Pause { .. } => {
                Outcome::done("Paused", format!("The pipeline of {service} is paused; the board shows it."))
            }
            Self::Resume => Outcome::done("Resumed", format!("The pipeline of {service} goes on.")),
            Self::Unlearn => {
                Outcome::done("Forgotten", format!("The suspects of {service} are ranked as anybody's again."))
            }
        }
    }
}

fn no_service() -> Outcome {
    Outcome::missing("No such service", "It is not in the configuration.")
}
