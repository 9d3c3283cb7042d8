//! What somebody can do about a message: by a link of their own, and in a chat by a press or a choice. Which message offers what is
//! one table; what each does is the form of the link.

use aws::House;
use aws::links::{self, Action, Click, Grant};
use aws::secrets::SecretError;
use domain::message::Link;
use domain::outcome::Judge;
use domain::{Incident, Kind, Message, Step, Subject};

/// One thing that can be done.
#[derive(Debug, Clone)]
pub struct Offer {
    pub link: Link,
    /// What a chat's button carries.
    pub carried: String,
    /// What a chat shows of it.
    pub clicks: Vec<&'static Click>,
    /// What may be chosen among: a change, and its words.
    pub suspects: Vec<(String, String)>,
}

/// What is offered, before it is addressed to anybody.
struct Wanted {
    label: &'static str,
    action: Action,
    /// Which of its clicks, by their ids; none: all.
    only: &'static [&'static str],
}

fn wanted(label: &'static str, action: Action, only: &'static [&'static str]) -> Wanted {
    Wanted { label, action, only }
}

/// Each with a link of this message's person.
pub(crate) fn offers(house: &House, message: &Message, incident: Option<&Incident>) -> Result<Vec<Offer>, SecretError> {
    let all = about(message, incident);
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let secret = house.secrets.first(&house.configuration.link_secret)?;
    let expires = message.decided_at + links::LIFE;
    let suspects = incident.map(suspects).unwrap_or_default();
    let offer = |Wanted { label, action, only }: Wanted| {
        let clicks = action.clicks().iter().filter(|click| only.is_empty() || only.contains(&click.id().as_str()));
        let (carried, clicks) = (links::button(&secret, &action, expires), clicks.collect());
        let grant = Grant { action, person: message.key.person.clone(), expires };
        let url = format!("{}{}", house.settings().public_url, links::path(&secret, &grant));
        Offer { link: Link { label: label.to_owned(), url }, carried, clicks, suspects: suspects.clone() }
    };
    Ok(all.into_iter().map(offer).collect())
}

fn suspects(incident: &Incident) -> Vec<(String, String)> {
    incident.suspects.iter().map(|s| (s.change.to_string(), format!("{} {}", s.label, s.title))).collect()
}

/// Which message offers what.
fn about(message: &Message, incident: Option<&Incident>) -> Vec<Wanted> {
    let service = || message.key.service.clone();
    match (&message.key.subject, message.kind, message.key.step) {
        (Subject::Incident(id), Kind::Page, _) => {
            let own = incident.and_then(|incident| incident.suspect_of(&message.key.person));
            let hand_over = |change| wanted("Hand over", Action::HandOver(service(), change), &["hand-over.to"]);
            let acknowledge = wanted("Acknowledge", Action::Acknowledge(id.clone()), &[]);
            std::iter::once(acknowledge).chain(own.map(|suspect| hand_over(suspect.change.clone()))).collect()
        }
        (Subject::Incident(id), Kind::Notice, Step::Opened | Step::AlsoBroken | Step::Escalated) => {
            vec![wanted("Acknowledge", Action::Acknowledge(id.clone()), &[])]
        }
        (Subject::Incident(id), Kind::Notice, Step::SquadHears) => {
            vec![wanted("Take it", Action::Acknowledge(id.clone()), &["take"])]
        }
        (Subject::Incident(id), Kind::Notice, Step::Resolved) if incident.is_some_and(is_to_be_judged) => {
            vec![wanted("Which change was it?", Action::Judge(id.clone()), &[])]
        }
        (Subject::Change(change), _, Step::Ask) => {
            vec![wanted("Take it, or not", Action::Answer(service(), change.clone()), &[])]
        }
        (Subject::Change(change), _, Step::Forewarned) => {
            vec![wanted("Take it", Action::HandOver(service(), change.clone()), &["hand-over"])]
        }
        (Subject::Change(change), _, Step::Receipt | Step::Started | Step::Extended | Step::HandedOver) => {
            vec![wanted("Hand over", Action::HandOver(service(), change.clone()), &["hand-over.to"])]
        }
        (Subject::Change(_), _, Step::QueueSlow | Step::Deputy)
        | (Subject::Service, _, Step::QueueGrew | Step::PipelineSilent) => {
            vec![wanted("The pipeline", Action::Queue(service()), &[])]
        }
        (Subject::Shift(_), _, Step::HandedOver) => {
            vec![wanted("Give back", Action::OnCall(service()), &["give-back"])]
        }
        (Subject::Freeze(_), ..) => {
            let end = message.ends.clone().map(|freeze| wanted("End it now", Action::Freeze(freeze), &[]));
            end.into_iter().collect()
        }
        (Subject::Expedite(fix), _, Step::ExpediteAsked) => {
            expedite(fix).map(|action| wanted("Sign, or refuse", action, &["sign", "refuse.why"])).into_iter().collect()
        }
        (Subject::Expedite(fix), _, Step::ExpediteWhy) => {
            expedite(fix).map(|action| wanted("Say why", action, &["expedite.why", "withdraw"])).into_iter().collect()
        }
        (Subject::Expedite(fix), _, Step::ExpediteRefused) => {
            expedite(fix).map(|action| wanted("Say why", action, &["expedite.why"])).into_iter().collect()
        }
        (
            Subject::Change(_) | Subject::Incident(_) | Subject::Shift(_) | Subject::Expedite(_) | Subject::Service,
            _,
            _,
        ) => Vec::new(),
    }
}

/// What was reverted, or judged by somebody, is known; a guess is not.
fn is_to_be_judged(incident: &Incident) -> bool {
    let known = incident.verdict.as_ref().is_some_and(|verdict| !matches!(verdict.by, Judge::Guess(_)));
    !incident.suspects.is_empty() && !known
}

/// The link about a fix, by its key.
fn expedite(key: &str) -> Option<Action> {
    let (repository, number) = key.rsplit_once('@')?;
    Some(Action::Expedite(repository.parse().ok()?, number.parse().ok()?))
}
