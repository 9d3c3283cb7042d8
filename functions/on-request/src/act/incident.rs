//! What a person does about an incident by link: acknowledge it, say that it is not theirs, take it, judge it.

use aws::links::{Action, Grant};
use aws::{House, Refusal};
use domain::on_request::incidents::{Counter, Refused};
use domain::{ChangeId, Decisions, Incident, IncidentId, times, wording};

use super::{Field, Filled, Form, NOT_ALLOWED, Outcome, Question};

/// The field that names a suspect; what stands for "none".
const CHANGE: &str = "change";
const NONE: &str = "none";

pub(super) async fn ask(house: &House, grant: &Grant, id: &IncidentId) -> Result<Result<Question, Outcome>, Refusal> {
    let found = match id.service() {
        Some(service) => house.store.situation(&service).await?.incidents.remove(id),
        None => None,
    };
    let Some(incident) = found.map(|noted| noted.value) else {
        return Ok(Err(unknown()));
    };
    let roster = &house.settings().roster;
    let since = times::time(incident.began_at, &roster.zone_of(&grant.person), house.now());
    let mut question = Question { title: wording::headline(&incident), ..Question::default() };
    question.lines.push(format!("Since {since}."));
    if !incident.acknowledged.is_empty() {
        let others: Vec<&str> = incident.acknowledged.iter().map(|a| a.name(roster)).collect();
        question.lines.push(format!("Acknowledged by {}.", others.join(", ")));
    }
    let over = if incident.is_open() { "" } else { "It is over. " };
    question.lines.push(if incident.is_open() && !is_to_judge(grant) {
        "Acknowledging says that you are at it, and stops the paging of others.".to_owned()
    } else {
        format!("{over}Which change was it? That is how suspects get better.")
    });
    question.forms = forms(&incident);
    question.forms.retain(|form| !is_to_judge(grant) || form.does == "judge");
    Ok(Ok(question))
}

/// What can be done about it just now.
pub(crate) fn forms(incident: &Incident) -> Vec<Form> {
    let mut forms = Vec::new();
    if incident.is_open() {
        forms.push(Form { button: "Acknowledge", does: "acknowledge", fields: Vec::new() });
        let fields = vec![suspects(incident, "whose, if you know", "I do not know")];
        forms.push(Form { button: "Not mine", does: "not-mine", fields });
        forms.push(Form { button: "Take it", does: "take", fields: Vec::new() });
    }
    if !incident.suspects.is_empty() {
        let fields = vec![suspects(incident, "it was", wording::NO_CHANGE)];
        forms.push(Form { button: "Judge", does: "judge", fields });
    }
    forms
}

/// Whether the link allows nothing else.
fn is_to_judge(grant: &Grant) -> bool {
    matches!(grant.action, Action::Judge(_))
}

/// A choice among the suspects, or none.
fn suspects(incident: &Incident, label: &'static str, none: &str) -> Field {
    let named = incident.suspects.iter().map(|s| (s.change.to_string(), format!("{} {}", s.label, s.title)));
    let options = std::iter::once((NONE.to_owned(), none.to_owned())).chain(named).collect();
    Field { name: CHANGE, label, value: NONE.to_owned(), options }
}

pub(super) async fn act(house: &House, grant: &Grant, id: &IncidentId, form: &Filled) -> Result<Outcome, Refusal> {
    let settings = house.settings();
    let Some(service) = id.service().and_then(|id| settings.service(&id)) else {
        return Ok(unknown());
    };
    let now = house.now();
    let said = match Said::read(grant, form) {
        Ok(said) => said,
        Err(Misread::NoSuchSuspect) => return Ok(failed(&Refused::NoSuchSuspect, grant, house)),
        Err(Misread::NotAllowed) => return Ok(Outcome::not_understood(NOT_ALLOWED)),
    };
    let done = super::decide(house, service, |situation| {
        said.decide(&Counter { id, person: &grant.person, situation, service, settings, now })
    })
    .await?;
    if said.counts_elsewhere(done.as_ref().err()) {
        named_together(house, grant, id, &said).await?;
    }
    Ok(match done {
        Ok(()) => success(&said.does, said.change.as_ref()),
        Err(refused) => failed(&refused, grant, house),
    })
}

/// What somebody says of an incident, read from the form.
pub struct Said {
    does: String,
    change: Option<ChangeId>,
}

/// Why a form is not understood.
pub enum Misread {
    NotAllowed,
    NoSuchSuspect,
}

impl Said {
    /// Reads what the form of a link says.
    pub fn read(grant: &Grant, form: &Filled) -> Result<Self, Misread> {
        let does = form.get("do").map_or(if is_to_judge(grant) { "" } else { "acknowledge" }, String::as_str);
        let named = form.get(CHANGE).map(String::as_str).filter(|text| *text != NONE && !text.is_empty());
        let change = match named.map(aws::keys::parse_change) {
            Some(None) => return Err(Misread::NoSuchSuspect),
            named => named.flatten(),
        };
        let allowed: &[&str] =
            if is_to_judge(grant) { &["judge"] } else { &["acknowledge", "not-mine", "take", "judge"] };
        if allowed.contains(&does) { Ok(Self { does: does.to_owned(), change }) } else { Err(Misread::NotAllowed) }
    }

    /// What it comes to, of one incident.
    pub fn decide(&self, counter: &Counter<'_>) -> Result<Decisions, Refused> {
        match self.does.as_str() {
            "not-mine" => counter.not_mine(self.change.as_ref()),
            "take" => counter.take(),
            "judge" => counter.judge(self.change.as_ref()),
            _ => counter.acknowledge(),
        }
    }

    /// Whether it counts for what the same page named too: said before of this one, it may not have reached the others.
    #[must_use]
    pub fn counts_elsewhere(&self, refused: Option<&Refused>) -> bool {
        let said = matches!(refused, None | Some(Refused::Before { .. } | Refused::SaidAlready));
        said && self.does != "judge"
    }
}

/// What was told this person by the same page: what they say of one counts for the others too.
async fn named_together(house: &House, grant: &Grant, id: &IncidentId, said: &Said) -> Result<(), Refusal> {
    let (settings, now, person) = (house.settings(), house.now(), &grant.person);
    let Some(own) = id.service().and_then(|id| settings.service(&id)) else { return Ok(()) };
    if settings.sharing(own).next().is_none() {
        return Ok(());
    }
    let mut here = house.store.situation(&own.id).await?;
    let Some(known) = here.incidents.remove(id) else { return Ok(()) };
    for other in settings.sharing(own) {
        let there = house.store.situation(&other.id).await?;
        let by_it = |incident: &Incident| incident.is_open() && known.value.is_named_with(incident, person);
        for other_id in there.incidents.values().filter(|known| by_it(&known.value)).map(|known| &known.value.id) {
            // Where it was said before, or is over, there is nothing to say.
            let _ = super::decide(house, other, |situation| {
                said.decide(&Counter { id: other_id, person, situation, service: other, settings, now })
            })
            .await?;
        }
    }
    Ok(())
}

fn success(does: &str, change: Option<&ChangeId>) -> Outcome {
    match (does, change) {
        ("not-mine", Some(_)) => {
            Outcome::done("Not yours", "Noted. Whoever answers for what you named is asked at once.")
        }
        ("not-mine", None) => Outcome::done("Not yours", "Noted. The next one is asked at once."),
        ("take", _) => Outcome::done(
            "Taken",
            "It is yours: nobody else will be paged for it, and you answer for the first suspect.",
        ),
        ("judge", _) => Outcome::done("Judged", "Thank you: it counts for how often the suspects were right."),
        _ => Outcome::done("Acknowledged", "It is yours. Nobody else will be paged for it."),
    }
}

fn failed(refused: &Refused, grant: &Grant, house: &House) -> Outcome {
    let time = |at| times::time(at, &house.settings().roster.zone_of(&grant.person), house.now());
    match refused {
        Refused::Before { at } => {
            Outcome::done("Acknowledged before", format!("You acknowledged this at {}.", time(*at)))
        }
        Refused::Resolved { at } => {
            Outcome::done("Resolved already", format!("It was over at {}. There is nothing to do.", time(*at)))
        }
        Refused::SaidAlready => Outcome::done("Said before", "That is known already. Nothing was changed."),
        Refused::NoSuchSuspect => Outcome::missing("No such suspect", "What you named is not among the suspects."),
        Refused::NoSuchIncident => unknown(),
        Refused::Outside => {
            super::nothing(&"outside contributors are not paged: whoever answers for their changes says this")
        }
    }
}

fn unknown() -> Outcome {
    Outcome::missing("No such incident", "It is not among the open or lately resolved incidents.")
}
