//! The home tab: what somebody answers for and until when, what is open, who is on call, as it is when they open it. It is read and
//! published before we answer, since a function freezes then, within what Slack waits: what takes longer is left to the board.
//! <https://docs.slack.dev/surfaces/app-home>, <https://docs.slack.dev/reference/methods/views.publish>

mod view;

use std::time::Duration;

use aws::receiver::ReceiverConfig;
use aws::slack::{self, Said};
use aws::wire::error_chain;
use aws::{House, Refusal, links};
use domain::expedite::{Expedite, signature};
use domain::freeze::Freezes;
use domain::on_request::hands::Desk;
use domain::wording::{self, freezes};
use domain::{FreezeId, Incident, Person, Phase, Service, ServiceId, Situation, Window, shift, text, times, window};
use serde_json::{Value, json};

use super::{Buttons, joining, say};
use crate::act::{Outcome, on_call_lines};
use crate::board::readable;
use crate::{may, person};

/// How long the services may take to be read. With the rest it stays below the 3 s that Slack waits, of a cold function too.
const TO_READ: Duration = Duration::from_millis(1_000);
/// How long Slack may take to be told, in seconds.
const SECONDS_TO_PUBLISH: u64 = 1;
/// So many services are shown, one's own first.
const MOST_SERVICES: usize = 30;

/// What somebody sees there.
struct Scene {
    /// What came of what they pressed.
    said: Vec<String>,
    outside: bool,
    seen: Vec<Seen>,
    /// How many services are not shown.
    left_out: usize,
    unreadable: Vec<String>,
    freezes: Vec<(String, Option<FreezeId>)>,
    /// What waits for their signature.
    fixes: Vec<(String, Expedite)>,
    /// Where to read more.
    links: Vec<(&'static str, String)>,
}

/// A service, as they see it.
struct Seen {
    service: ServiceId,
    own: bool,
    mine: Vec<Mine>,
    on_call: Vec<String>,
    incidents: Vec<Open>,
}

struct Mine {
    words: String,
    /// What they may hand over.
    held: Option<domain::ChangeId>,
}

struct Open {
    incident: Incident,
    words: String,
    url: String,
}

/// Publishes it for this user. `by`: who that is in the roster; a stranger is told how to come into it.
pub(super) async fn show(
    house: &House,
    receivers: &[&ReceiverConfig],
    user: &str,
    by: Option<&Person>,
    outcome: Option<&Outcome>,
) -> Result<(), Refusal> {
    let said = outcome.map(say::lines).unwrap_or_default();
    let blocks = match by {
        Some(person) => view::blocks(&read(house, person, said).await?, &Buttons::of(house)?),
        None => view::stranger(&joining(receivers, user)),
    };
    let of_theirs = |receiver: &&&ReceiverConfig| {
        by.is_none_or(|by| by.contacts.iter().any(|c| c.receiver == receiver.name && c.address == user))
    };
    let Some(receiver) = receivers.iter().find(of_theirs) else { return Ok(()) };
    publish(house, receiver, user, blocks).await;
    Ok(())
}

/// What cannot be published is logged: they open it again.
async fn publish(house: &House, receiver: &ReceiverConfig, user: &str, blocks: Vec<Value>) {
    let body = json!({ "user_id": user, "view": { "type": "home", "blocks": blocks } });
    if let Err(error) = slack::call(house, receiver, "views.publish", Said::Json(&body), SECONDS_TO_PUBLISH).await {
        tracing::warn!(receiver = receiver.name, cause = error_chain(&error), "the home tab was not published");
    }
}

async fn read(house: &House, by: &Person, said: Vec<String>) -> Result<Scene, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let own = own(house, by).await?;
    let served = || settings.services().filter(|service| !service.repositories.is_empty());
    let ordered = served().filter(|s| own.contains(&s.id)).chain(served().filter(|s| !own.contains(&s.id)));
    let (mut seen, mut unreadable) = (Vec::new(), Vec::new());
    let reading = async {
        for service in ordered.take(MOST_SERVICES) {
            let read = house.store.situation(&service.id).await;
            if let Some(situation) = readable(&mut unreadable, service, read)? {
                seen.push(look(house, service, &situation, by, own.contains(&service.id)));
            }
        }
        Ok::<(), Refusal>(())
    };
    match tokio::time::timeout(TO_READ, reading).await {
        Ok(read) => read?,
        Err(_) => tracing::warn!("the services take long to be read: the home tab shows some of them"),
    }
    let left_out = served().count().saturating_sub(seen.len() + unreadable.len());
    let desk = may::desk(house).await?;
    let declared = Freezes::of(settings, &desk);
    let ahead = may::next_of_each(declared.ahead(now), now);
    let ends = |one: &domain::freeze::Occurrence<'_>| one.by().filter(|who| **who == by.id).map(|_| one.id.clone());
    let freezes = ahead.iter().map(|one| (freezes::line(one, now), ends(one))).collect();
    let fixes = desk.expedites.values().map(|noted| &noted.value);
    let signs = |one: &&Expedite| one.by != by.id && signature(settings, &one.repository, &by.id, now).is_some();
    let line = |one: &Expedite| Some((may::fix(house, &declared, one, now)?, one.clone()));
    let fixes = fixes.filter(signs).filter_map(line).collect();
    let links = links(house, by)?;
    Ok(Scene { said, outside: by.is_outside(), seen, left_out, unreadable, freezes, fixes, links })
}

/// The services that they have to do with.
async fn own(house: &House, by: &Person) -> Result<std::collections::BTreeSet<ServiceId>, Refusal> {
    let mut own = house.store.services_of(&by.id, 200).await?;
    own.extend(person::answers_in(by, house.settings()));
    Ok(own)
}

fn links(house: &House, by: &Person) -> Result<Vec<(&'static str, String)>, Refusal> {
    let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let board = &house.settings().public_url;
    Ok(vec![
        ("Board", format!("{board}/")),
        ("Your page", format!("{board}/people/{}", by.id)),
        ("Calendar of freezes", format!("{board}{}", links::subscription(&secret, &by.id))),
    ])
}

fn look(house: &House, service: &Service, situation: &Situation, by: &Person, own: bool) -> Seen {
    let (settings, now) = (house.settings(), house.now());
    let service = &*situation.posted.value.applied(service);
    let desk = Desk { situation, service, settings, now };
    let all = window::windows(situation, service, &settings.roster, now);
    let mut mine: Vec<Mine> = all.iter().filter_map(|window| of_theirs(house, service, &all, window, by)).collect();
    if let Some(until) = shift::of_service(situation.shifts.values().map(|s| &s.value), now)
        .filter(|shift| shift.person == by.id)
        .map(shift::Shift::over_at)
    {
        let until = until.map(|at| format!(" until {}", times::time(at, &by.zone, now))).unwrap_or_default();
        mine.insert(0, Mine { words: format!("You have the pager of {}{until}.", service.id), held: None });
    }
    let incidents = situation.incidents.values().map(|noted| &noted.value).filter(|incident| incident.is_open());
    Seen {
        service: service.id.clone(),
        own,
        mine,
        on_call: on_call_lines(desk, &by.id),
        incidents: incidents.map(|incident| open(house, incident, by)).collect(),
    }
}

/// What they answer for, and when: `None`: it is somebody else's, or over.
fn of_theirs(house: &House, service: &Service, all: &[Window<'_>], window: &Window<'_>, by: &Person) -> Option<Mine> {
    let (holds, paged) = (window.holder.person == by.id, window.responder.person == by.id);
    let (label, id) = (window.change.label(), &service.id);
    let words = match window.phase {
        Phase::Active { until, .. } if holds || paged => {
            let until = times::time(until, &by.zone, house.now());
            match (paged, holds) {
                (true, true) => format!("You are on call for {label} in {id} until {until}."),
                (true, false) => {
                    let whose = house.settings().roster.name_of(&window.holder.person);
                    format!("You are paged for {label} in {id}, which is {whose}'s, until {until}.")
                }
                (false, _) => {
                    let who = house.settings().roster.name_of(&window.responder.person);
                    format!("{label} in {id} is yours until {until}; {who} is paged instead of you meanwhile.")
                }
            }
        }
        Phase::Standby if holds => {
            let before = all.iter().take_while(|other| other.change.id != window.change.id);
            let ahead = match before.filter(|other| other.phase == Phase::Standby).count() {
                0 => "nothing is ahead of it".to_owned(),
                n => format!("{} ahead of it", text::count(n, "change is", "changes are")),
            };
            format!("{label} waits to go live in {id}: {ahead} in the queue.")
        }
        Phase::Standby | Phase::Active { .. } | Phase::Tail { .. } | Phase::Closed { .. } => return None,
    };
    Some(Mine { words, held: holds.then(|| window.change.id.clone()) })
}

fn open(house: &House, incident: &Incident, by: &Person) -> Open {
    let roster = &house.settings().roster;
    let since = times::time(incident.began_at, &by.zone, house.now());
    let taken: Vec<&str> = incident.acknowledged.iter().map(|a| a.name(roster)).collect();
    let taken = if taken.is_empty() {
        "Nobody has acknowledged it.".to_owned()
    } else {
        format!("Acknowledged by {}.", taken.join(", "))
    };
    Open {
        words: format!("{}, since {since}. {taken}", wording::headline(incident)),
        url: format!("{}/incidents/{}", house.settings().public_url, incident.id),
        incident: incident.clone(),
    }
}
