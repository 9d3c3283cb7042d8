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
    let mut all = about(message, incident);
    all.extend(revert(message));
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

/// Where a forge opens it.
fn revert(message: &Message) -> Option<Wanted> {
    let change = message.revert.clone()?;
    Some(wanted("Revert", Action::Revert(message.key.service.clone(), change), &[]))
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
            vec![wanted("Say which change it was", Action::Judge(id.clone()), &[])]
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
        | (Subject::Service, _, Step::QueueGrew | Step::PipelineSilent | Step::SteppedDown) => {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{MessageKey, Reason, Severity};
    use expect_test::expect;

    use super::*;

    /// `shift: Give back [give-back]`
    fn line(subject: &Subject, kind: Kind, step: Step) -> Option<String> {
        let message = Message {
            key: MessageKey {
                service: "edxapp".parse().unwrap(),
                subject: subject.clone(),
                person: "anna".parse().unwrap(),
                step,
                nth: 0,
            },
            kind,
            severity: Severity::Critical,
            title: String::new(),
            lines: Vec::new(),
            links: Vec::new(),
            short: String::new(),
            pager_key: None,
            not_by: None,
            unless: None,
            revert: None,
            ends: matches!(subject, Subject::Freeze(_)).then(|| "gratitude-week".parse().unwrap()),
            again: 0,
            reason: Reason::NoSuspect,
            decided_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let all = about(&message, None);
        let one = |wanted: &Wanted| {
            let ids: Vec<String> = wanted.action.clicks().iter().map(Click::id).collect();
            let only: BTreeSet<&str> = wanted.only.iter().copied().collect();
            assert!(only.iter().all(|id| ids.iter().any(|known| known == id)), "{only:?}");
            let shown = ids.iter().filter(|id| only.is_empty() || only.contains(id.as_str()));
            format!("{} [{}]", wanted.label, shown.cloned().collect::<Vec<_>>().join(", "))
        };
        (!all.is_empty()).then(|| all.iter().map(one).collect::<Vec<_>>().join("; "))
    }

    /// Another message that asks or offers something belongs into the table.
    #[test]
    fn which_message_offers_what() {
        let change = domain::ChangeId {
            repository: "openedx/edx-platform".parse().unwrap(),
            commit: "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".parse().unwrap(),
        };
        let subjects = [
            ("change", Subject::Change(change)),
            ("incident", Subject::Incident("edxapp-k3v7q2ma".parse().unwrap())),
            ("shift", Subject::Shift("0011".to_owned())),
            ("freeze", Subject::Freeze("gratitude-week@20260320T130000Z".to_owned())),
            ("fix", Subject::Expedite("openedx/edx-platform@12".to_owned())),
            ("service", Subject::Service),
        ];
        let mut table = String::new();
        for (name, subject) in &subjects {
            let pages = matches!(subject, Subject::Incident(_)).then_some(Kind::Page);
            for kind in pages.into_iter().chain([Kind::Notice]) {
                let mut rows: Vec<(String, Vec<&str>)> = Vec::new();
                for step in <Step as strum::IntoEnumIterator>::iter() {
                    let Some(offered) = line(subject, kind, step) else { continue };
                    match rows.iter_mut().find(|(known, _)| *known == offered) {
                        Some((_, steps)) => steps.push(step.word()),
                        None => rows.push((offered, vec![step.word()])),
                    }
                }
                for (offered, steps) in rows {
                    let steps = if steps.len() > 20 { "any".to_owned() } else { steps.join(", ") };
                    let article = if *name == "incident" { "an" } else { "a" };
                    table.push_str(&format!("{} of {article} {name}, {steps}: {offered}\n", kind.word()));
                }
            }
        }
        expect![[r#"
            notice of a change, receipt, extended, handed-over, started: Hand over [hand-over.to]
            notice of a change, ask: Take it, or not [take, decline]
            notice of a change, forewarned: Take it [hand-over]
            notice of a change, queue-slow, deputy: The pipeline [resume, pause.why]
            page of an incident, any: Acknowledge [acknowledge, not-mine, take, not-mine.change]
            notice of an incident, squad-hears: Take it [take]
            notice of an incident, also-broken, opened, escalated: Acknowledge [acknowledge, not-mine, take, not-mine.change]
            notice of a shift, handed-over: Give back [give-back]
            notice of a freeze, any: End it now [thaw]
            notice of a fix, expedite-why: Say why [expedite.why, withdraw]
            notice of a fix, expedite-asked: Sign, or refuse [sign, refuse.why]
            notice of a fix, expedite-refused: Say why [expedite.why]
            notice of a service, queue-grew, pipeline-silent, stepped-down: The pipeline [resume, pause.why]
        "#]]
        .assert_eq(&table);
    }
}
