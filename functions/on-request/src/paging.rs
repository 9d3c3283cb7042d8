//! What the board shows of a service's paging beside its incidents: who is on call now and how we know, what we wrote
//! into the pager, maintenance, where it can be followed.

use aws::House;
use domain::maintenance::{self, Maintenance};
use domain::{PersonId, Service, Situation};
use jiff::Timestamp;

use crate::hours::Hours;

/// Maintenance that is under way: part of what is so just now.
pub(crate) fn under_way(house: &House, service: &Service, situation: &Situation, hours: &Hours) -> Vec<String> {
    let now = hours.now;
    let told = situation.paging.value.maintenance.iter().filter(|m| m.from <= now && m.is_ahead(now));
    let mut lines: Vec<String> =
        told.map(|m| format!("Maintenance{}. Nobody is paged for it meanwhile.", of(house, m, hours))).collect();
    let weekly = maintenance::weekly_now(service, now);
    lines.extend(
        weekly.map(|(_, until)| format!("Maintenance, as each week, until {}. Nobody is paged.", hours.at(until))),
    );
    lines
}

/// ` of stage from .. until .., says olga: why`
fn of(house: &House, one: &Maintenance, hours: &Hours) -> String {
    let place = one.environment.as_ref().map(|e| format!(" of {e}")).unwrap_or_default();
    let by = house.settings().roster.name_of(&one.by);
    format!("{place} from {} until {}, says {by}: {}", hours.at(one.from), hours.at(one.over_at()), one.why)
}

/// The rest, a line each.
pub(crate) fn lines(house: &House, service: &Service, situation: &Situation, hours: &Hours) -> Vec<String> {
    let now = hours.now;
    let paging = &situation.paging.value;
    let name = |person: &PersonId| house.settings().roster.name_of(person).to_owned();
    let mut lines = rotation(house, service, situation, hours);
    if let Some(layer) = paging.layer.as_ref().filter(|layer| now < layer.until) {
        let (who, from, until) = (name(&layer.person), hours.at(layer.from), hours.at(layer.until));
        lines.push(match layer.id {
            Some(_) => format!("In the pager {who} is the first level, {from} to {until}."),
            None => format!("{who} is to be the first level in the pager, {from} to {until}: not written there yet."),
        });
    }
    for former in paging.former.iter().filter(|layer| now < layer.until) {
        lines.push(format!(
            "Still to be taken out of the pager: {}, until {}.",
            name(&former.person),
            hours.at(former.until)
        ));
    }
    if let Some(unwritten) = &paging.unwritten {
        let since = hours.at(unwritten.since);
        lines.push(format!("The pager cannot be written to since {since}: {}.", unwritten.why));
    }
    for ahead in paging.maintenance.iter().filter(|m| now < m.from && m.is_ahead(now)) {
        lines.push(format!("Maintenance ahead{}.", of(house, ahead, hours)));
    }
    if let Some((from, until)) = maintenance::weekly_next(service, now) {
        lines.push(format!("Maintenance each week: next from {} until {}.", hours.at(from), hours.at(until)));
    }
    let channel = service.channel.as_ref().and_then(|id| house.settings().roster.person(id));
    let contacts = channel.map(|channel| channel.contacts.iter().map(contact).collect::<Vec<_>>().join(", "));
    lines.extend(contacts.map(|contacts| format!("Its channel: {contacts}.")));
    lines
}

fn contact(contact: &domain::Contact) -> String {
    match contact.address.as_str() {
        "" => contact.receiver.clone(),
        address => format!("{}:{address}", contact.receiver),
    }
}

/// Who is on call now, and how we know.
fn rotation(house: &House, service: &Service, situation: &Situation, hours: &Hours) -> Vec<String> {
    let now = hours.now;
    let paging = &situation.paging.value;
    let names = |people: &[PersonId]| {
        let names: Vec<&str> = people.iter().map(|person| house.settings().roster.name_of(person)).collect();
        names.join(", ")
    };
    let Some(schedule) = &service.schedule else {
        return vec![format!("On call now: {}, says the configuration.", names(&service.rotation))];
    };
    let instead = format!("{}, says the configuration", names(&service.rotation));
    let receiver = &schedule.receiver;
    // Where it never answered, it was never read.
    let read = paging.on_call.as_ref().filter(|said| said.read_at > Timestamp::UNIX_EPOCH);
    let mut lines = vec![match (read, paging.said(now)) {
        (None, _) => format!("On call now: {instead}; the schedule in {receiver} was not read yet."),
        (Some(old), None) => {
            format!("On call now: {instead}; what {receiver} said at {} is too old.", hours.at(old.read_at))
        }
        (Some(_), Some(said)) if said.people.is_empty() => {
            format!("On call now: {instead}; {receiver} names nobody whom the roster knows.")
        }
        (Some(_), Some(said)) => {
            let until = said.until.map(|at| format!(", until {}", hours.at(at))).unwrap_or_default();
            let read = hours.at(said.read_at);
            format!("On call now: {}, says {receiver} (read {read}){until}.", names(&said.people))
        }
    }];
    let unread = paging.on_call.as_ref().and_then(|said| said.unread.as_ref());
    lines.extend(unread.map(|unread| {
        format!("The schedule in {receiver} cannot be read since {}: {}.", hours.at(unread.since), unread.why)
    }));
    lines
}
