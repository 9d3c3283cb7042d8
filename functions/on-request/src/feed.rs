//! `GET /freezes.ics`: the freezes as a calendar to subscribe to (RFC 5545), one event for each time of each freeze.
//!
//! Times are UTC, so no zones are described; the words of an event say them in the freeze's own zone. An event is known by what
//! does not change with its end: a freeze that somebody declared by when it was first declared, so that it is seen to move; one of
//! the configuration by its begin.

use aws::{House, Malformed, Refusal, Request, Response, links};
use domain::freeze::{Freezes, LOOK_AHEAD, Occurrence, Source};
use domain::roster::Roster;
use domain::wording::freezes::details;
use domain::{PersonId, Service, ServiceId, Settings};
use jiff::{SignedDuration, Timestamp};

use crate::may;

/// For how long a freeze that is over is shown, where it is still known.
const PAST: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long a line may be, in octets, its end not counted.
const WIDTH: usize = 75;

/// `GET /freezes.ics`, to whoever reads the board.
pub(crate) async fn calendar(house: &House, request: &Request) -> Result<Response, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let about = About::read(request, settings)?;
    let desk = may::desk(house).await?;
    let text = about.calendar(&Freezes::of(settings, &desk), settings, now);
    let headers = [
        ("content-type", "text/calendar; charset=utf-8"),
        ("cache-control", "private"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Ok(Response { status: 200, headers, body: text })
}

/// `GET /freezes.ics/{person}/{mac}`, to a calendar program, which cannot sign in.
pub(crate) async fn subscribed(house: &House, request: &Request, person: &str, mac: &str) -> Result<Response, Refusal> {
    const NOT_OURS: Refusal =
        Refusal::Forbidden("this address is not one of ours, or not any more: the board says where to subscribe");
    let secrets = house.secrets.get(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let person = links::subscriber(&secrets, person, mac).ok_or(NOT_OURS)?;
    house.settings().roster.person(&person).ok_or(NOT_OURS)?;
    // It lies at a calendar's provider for ever: it tells of freezes and of its own person, and nobody else's name.
    let other = |name: &str| request.query(name).iter().any(|asked| *asked != person.to_string());
    if other("person") || !request.query("service").is_empty() {
        return Err(Refusal::NotFound("this address knows every freeze, or with `?person=` those of its own person"));
    }
    calendar(house, request).await
}

/// What is asked for: every freeze, or those that are about some services.
struct About<'a> {
    name: String,
    services: Option<Vec<&'a Service>>,
}

impl<'a> About<'a> {
    /// `?service=`: that one; `?person=`: those that the person owns or whose rotation they are in.
    fn read(request: &Request, settings: &'a Settings) -> Result<Self, Refusal> {
        let one = |name: &str| request.query(name).into_iter().next();
        if let Some(id) = one("service") {
            let id = id.parse::<ServiceId>().map_err(Malformed::from)?;
            let known = settings.services().find(|service| service.id == id && !service.repositories.is_empty());
            let known = known.ok_or(Refusal::NotFound("no service of the configuration is called so"))?;
            return Ok(Self { name: format!("Freezes: {id}"), services: Some(vec![known]) });
        }
        if let Some(id) = one("person") {
            let id = id.parse::<PersonId>().map_err(Malformed::from)?;
            let known = settings.roster.person(&id);
            known.ok_or(Refusal::NotFound("nobody of the roster is called so"))?;
            let theirs = settings.services().filter(|s| s.owners.contains(&id) || s.rotation.contains(&id));
            let name = format!("Freezes: {}", settings.roster.name_of(&id));
            return Ok(Self { name, services: Some(theirs.collect()) });
        }
        Ok(Self { name: "Freezes".to_owned(), services: None })
    }

    fn calendar(&self, freezes: &Freezes<'_>, settings: &Settings, now: Timestamp) -> String {
        let asked = |one: &Occurrence<'_>| {
            let includes = |service: &&Service| one.scope.includes(service);
            self.services.as_ref().is_none_or(|services| services.iter().any(includes))
        };
        let mut lines = Lines::default();
        lines.put("BEGIN", "VCALENDAR");
        lines.put("VERSION", "2.0");
        lines.put("PRODID", "-//Recent Deployers//Freezes//EN");
        lines.put("CALSCALE", "GREGORIAN");
        lines.put("METHOD", "PUBLISH");
        lines.put("X-WR-CALNAME", &escaped(&self.name));
        lines.put("REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
        lines.put("X-PUBLISHED-TTL", "PT1H");
        let held = freezes.during(now - PAST, now + LOOK_AHEAD);
        for one in held.into_iter().chain(freezes.called_off()).filter(asked) {
            lines.event(&one, &settings.roster, &settings.public_url, now);
        }
        lines.put("END", "VCALENDAR");
        lines.0
    }
}

/// Lines of a calendar, each folded and ended as the format has it.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// What is not known to be plain is to be escaped before.
    fn put(&mut self, name: &str, value: &str) {
        let line = format!("{name}:{value}");
        let (mut rest, mut width) = (line.as_str(), WIDTH);
        while rest.len() > width {
            let (part, more) = rest.split_at(rest.floor_char_boundary(width));
            self.0.push_str(part);
            self.0.push_str("\r\n ");
            // The space at its begin is of the line.
            (rest, width) = (more, WIDTH - 1);
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }

    fn event(&mut self, one: &Occurrence<'_>, roster: &Roster, board: &str, now: Timestamp) {
        let called_off = matches!(one.source, Source::Person(declared) if declared.is_called_off());
        self.put("BEGIN", "VEVENT");
        self.put("UID", &escaped(&uid(one)));
        self.put("DTSTAMP", &utc(now));
        self.put("DTSTART", &utc(one.from));
        // The format knows no parts of a second, and no event that takes no time.
        self.put("DTEND", &utc(one.until.max(one.from + SignedDuration::from_secs(1))));
        if let Source::Person(declared) = one.source {
            let touched = declared.touched_at();
            self.put("LAST-MODIFIED", &utc(touched));
            self.put("SEQUENCE", &touched.duration_since(declared.declared_at).as_secs().to_string());
        }
        self.put("SUMMARY", &escaped(&format!("Freeze: {}", one.name)));
        self.put("DESCRIPTION", &escaped(&details(one, roster).join("\n")));
        if !board.is_empty() {
            self.put("URL", &format!("{board}/"));
        }
        self.put("STATUS", if called_off { "CANCELLED" } else { "CONFIRMED" });
        self.put("TRANSP", "TRANSPARENT");
        self.put("END", "VEVENT");
    }
}

fn uid(one: &Occurrence<'_>) -> String {
    match one.source {
        Source::Configuration | Source::Feed => one.key(),
        Source::Person(declared) => format!("{}@declared-{}", one.id, utc(declared.declared_at)),
    }
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Text from anywhere as the value of a property: it ends neither the line nor the value.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
