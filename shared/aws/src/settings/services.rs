//! `[services.<id>]`, `[policy]` and `[unmapped]`: what is deployed and alerts, and by which policy.

use std::collections::{BTreeMap, BTreeSet};

use domain::service::{Declined, OffHours, Pin, Schedule, Upstream};
use domain::{
    Environment, EnvironmentName, Matcher, Mode, Person, PersonId, Policy, Repository, Roster, ServedRepository,
    Service, Severity, Timetable,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::calendars::{self, Calendars};
use super::receivers;
use super::section::Section;
use super::squads::{CodeOwnersFiles, paths};
use crate::receiver::ReceiverConfig;

/// The configured receivers, by name.
type Receivers = BTreeMap<String, ReceiverConfig>;

/// The service that takes alerts which name no service of ours.
const UNMAPPED: &str = "unmapped";

/// What a merge outside working hours means.
const OFF_HOURS: [(&str, OffHours); 3] = [("ask", OffHours::Ask), ("hold", OffHours::Hold), ("allow", OffHours::Allow)];
/// Who answers when everybody who was asked declined.
const DECLINED: [(&str, Declined); 3] =
    [("owner", Declined::Owner), ("rotation", Declined::Rotation), ("merger", Declined::Merger)];
/// How severe something has to be for anybody to be paged.
const SEVERITIES: [(&str, Severity); 3] =
    [("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];
/// How far automation goes. The modes between these two come with shadow mode and replay.
const MODES: [(&str, Mode); 2] = [("manual", Mode::Manual), ("page", Mode::Page)];

/// `[policy]`: every service's numbers, unless it says otherwise.
pub(super) fn defaults(root: &mut Section<'_, '_>) -> Policy {
    root.table("policy", |section| policy(section, &Policy::default())).unwrap_or_default()
}

fn policy(section: &mut Section<'_, '_>, base: &Policy) -> Policy {
    let policy = Policy {
        active: section.duration("active").unwrap_or(base.active),
        at_most: section.duration("at_most").unwrap_or(base.at_most),
        tail: section.duration("tail").unwrap_or(base.tail),
        ending_notice: section.duration("ending_notice").unwrap_or(base.ending_notice),
        next_suspect_after: section.duration("next_suspect_after").unwrap_or(base.next_suspect_after),
        rotation_after: section.duration("rotation_after").unwrap_or(base.rotation_after),
        owner_after: section.duration("owner_after").unwrap_or(base.owner_after),
        again_after: section.duration("again_after").unwrap_or(base.again_after),
        acknowledged_for: section.duration("acknowledged_for").unwrap_or(base.acknowledged_for),
        reopen_within: section.duration("reopen_within").unwrap_or(base.reopen_within),
        damping: section.duration("damping").unwrap_or(base.damping),
        pages_from: section.choice("pages_from", &SEVERITIES).unwrap_or(base.pages_from),
        after_failure: section.duration("after_failure").unwrap_or(base.after_failure),
        off_hours: section.choice("off_hours", &OFF_HOURS).unwrap_or(base.off_hours),
        answer_within: section.duration("answer_within").unwrap_or(base.answer_within),
        declined: section.choice("declined", &DECLINED).unwrap_or(base.declined),
        queue_told_after: section.duration("queue_told_after").unwrap_or(base.queue_told_after),
        queue_deputy_after: section.duration("queue_deputy_after").unwrap_or(base.queue_deputy_after),
    };
    if policy.active > policy.at_most {
        section.problem("`active` is longer than `at_most`");
    }
    if policy.active.is_zero() {
        section.problem("`active` is nothing: nobody would ever be on call");
    }
    if policy.ending_notice >= policy.active && !policy.active.is_zero() {
        section.problem("`ending_notice` is as long as `active`: it would come with the start");
    }
    if policy.answer_within.is_zero() {
        section.problem("`answer_within` is nothing: nobody could ever answer");
    }
    if policy.owner_after < policy.rotation_after {
        section.problem("`owner_after` is shorter than `rotation_after`: the owner comes after the rotation");
    }
    if policy.acknowledged_for < SignedDuration::from_mins(5) {
        section.problem("`acknowledged_for` is less than 5 min: nobody could get to work before being asked again");
    }
    if !policy.again_after.is_zero() && policy.again_after < SignedDuration::from_mins(1) {
        section.problem("`again_after` is less than a minute; \"0 s\" means never");
    }
    if policy.queue_told_after > policy.queue_deputy_after {
        section.problem("`queue_told_after` is longer than `queue_deputy_after`");
    }
    policy
}

pub(super) fn read(
    root: &mut Section<'_, '_>,
    roster: &mut Roster,
    receivers: &Receivers,
    calendars: &Calendars,
    defaults: &Policy,
    code_owners: &mut CodeOwnersFiles,
) -> Vec<Service> {
    let services = root.tables("services", |name, section| {
        let timetable = calendars::of_service(section, calendars);
        let channel = channel(name, section, roster, receivers);
        let schedules = Schedules::read(section, receivers);
        let service = service(name, section, roster, defaults, timetable, code_owners)?;
        Some(Service { channel, schedule: schedules.rotation, beside: schedules.beside, ..service })
    });
    if services.is_empty() {
        root.problem("there are no services: add a [services.<id>] for each");
    }
    services.into_values().flatten().collect()
}

fn service(
    name: &str,
    section: &mut Section<'_, '_>,
    roster: &Roster,
    defaults: &Policy,
    timetable: Timetable,
    code_owners: &mut CodeOwnersFiles,
) -> Option<Service> {
    let repositories = section.list("repositories", |section| repository(section, code_owners));
    let repositories: Vec<ServedRepository> = repositories.into_iter().flatten().collect();
    if !section.has("repositories") {
        section.problem("`repositories` is missing: whose merges go live here?");
    }
    let upstreams = upstreams(section);
    for upstream in upstreams.iter().filter(|u| repositories.iter().any(|r| r.repository == u.repository)) {
        section
            .problem_with("upstreams", format!("{} is one of the service's own `repositories`", upstream.repository));
    }
    let mode = section.choice("mode", &MODES).unwrap_or(Mode::Page);
    let environments = environments(section);
    let owners = people(section, "owners", roster);
    let rotation = people(section, "rotation", roster);
    let alerts = matchers(section);
    let policy = section.table("policy", |section| policy(section, defaults)).unwrap_or(*defaults);
    let (runbook, dashboard) = (section.url("runbook"), section.url("dashboard"));
    match name.parse() {
        Ok(_) if name == UNMAPPED => section.problem("`unmapped` is reserved: it takes the alerts of no service"),
        Ok(id) => {
            return Some(Service {
                id,
                mode,
                repositories,
                upstreams,
                environments,
                owners,
                rotation,
                schedule: None,
                beside: None,
                channel: None,
                alerts,
                policy,
                timetable,
                runbook,
                dashboard,
            });
        }
        Err(error) => section.problem(format!("not a {error}")),
    }
    None
}

/// The schedules of a service in its pager.
struct Schedules {
    rotation: Option<Schedule>,
    beside: Option<Schedule>,
}

impl Schedules {
    /// `schedule = "pagerduty:PIJ90N7"`: who is on call. `beside`: where whoever has an active window is written.
    fn read(section: &mut Section<'_, '_>, receivers: &Receivers) -> Self {
        let mut schedule = |key: &str| {
            let text = section.text(key)?;
            let (name, id) = text.split_once(':').unwrap_or((&text, ""));
            let pager = receivers.get(name.trim()).filter(|receiver| receiver.kind.has_schedules());
            if pager.is_none() || id.trim().is_empty() {
                let what = "is \"<receiver>:<schedule>\", where the receiver is a pagerduty, an opsgenie or a jira-service-management";
                section.problem_with(key, format!("`{key}` {what}"));
                return None;
            }
            Some(Schedule { receiver: name.trim().to_owned(), id: id.trim().to_owned() })
        };
        Self { rotation: schedule("schedule"), beside: schedule("beside") }
    }
}

/// `channel = ["slack:C024BE91L"]`: where the service's incidents can be followed. It joins the roster, as somebody who
/// is told and never paged.
fn channel(name: &str, section: &mut Section<'_, '_>, roster: &mut Roster, receivers: &Receivers) -> Option<PersonId> {
    let contacts = receivers::contacts(section, "channel", receivers);
    let id: PersonId = format!("channel-of-{name}").parse().ok().filter(|_| !contacts.is_empty())?;
    if roster.person(&id).is_some() {
        section.problem_with("channel", format!("somebody is called {id}, as this channel is"));
        return None;
    }
    roster.add(Person {
        name: format!("the channel of {name}"),
        logins: Vec::new(),
        zone: TimeZone::UTC,
        timetable: Timetable::always(TimeZone::UTC),
        contacts,
        champions: Vec::new(),
        deputies: Vec::new(),
        muted: BTreeSet::new(),
        id: id.clone(),
    });
    Some(id)
}

/// `upstreams = [{ name = "openedx/edx-enterprise" }]`: merged elsewhere, live here.
fn upstreams(section: &mut Section<'_, '_>) -> Vec<Upstream> {
    let read = |section: &mut Section<'_, '_>| {
        let name = section.need_text("name");
        let pinned_as = section.text("pinned_as");
        let newest = section.flag("newest").unwrap_or(false);
        if newest && pinned_as.is_some() {
            section.problem("`newest` and `pinned_as` exclude each other");
        }
        let repository: Repository = match name.parse() {
            Ok(repository) => repository,
            Err(error) => {
                section.problem_with("name", format!("not a {error}"));
                return None;
            }
        };
        let named = || Pin::Named(pinned_as.unwrap_or_else(|| repository.short().to_owned()));
        let pin = if newest { Pin::Newest } else { named() };
        Some(Upstream { repository, pin })
    };
    section.list("upstreams", read).into_iter().flatten().collect()
}

fn repository(section: &mut Section<'_, '_>, code_owners: &mut CodeOwnersFiles) -> Option<ServedRepository> {
    let name = section.need_text("name");
    let branch = section.text("branch");
    let paths = paths(section);
    let parsed = name.parse();
    match &parsed {
        Ok(repository) => code_owners.read(section, repository),
        Err(error) => {
            section.text("codeowners");
            if !name.is_empty() {
                section.problem_with("name", format!("not a {error}"));
            }
        }
    }
    Some(ServedRepository { repository: parsed.ok()?, branch, paths })
}

fn environments(section: &mut Section<'_, '_>) -> Vec<Environment> {
    let mut found = Vec::new();
    let tables = section.tables("environments", |name, section| {
        let live = section.flag("live").unwrap_or(false);
        let mut texts = |key| section.texts(key).into_iter().map(|(text, _)| text).collect();
        let (aliases, deployed_as) = (texts("aliases"), texts("deployed_as"));
        match name.parse::<EnvironmentName>() {
            Ok(name) => Some(Environment { name, live, aliases, deployed_as }),
            Err(error) => {
                section.problem(format!("not an {error}"));
                None
            }
        }
    });
    found.extend(tables.into_values().flatten());
    match found.iter().filter(|e| e.live).count() {
        1 => {}
        0 => section.problem("no environment is `live = true`: nobody would ever be on call"),
        n => section.problem(format!("{n} environments are `live = true`; exactly one has to be")),
    }
    for (i, environment) in found.iter().enumerate() {
        let names = std::iter::once(environment.name.as_str()).chain(environment.aliases.iter().map(String::as_str));
        for name in names {
            if found[..i].iter().any(|other| other.is_called(name)) {
                section.problem(format!("two environments are called `{name}`"));
            }
        }
    }
    found
}

pub(super) fn people(section: &mut Section<'_, '_>, key: &str, roster: &Roster) -> Vec<PersonId> {
    let mut found = Vec::new();
    for (id, span) in section.ids::<PersonId>(key) {
        if roster.person(&id).is_none() {
            section.problem_in(&span, format!("`{key}` names {id}, who is not among the people"));
        } else if roster.person(&id).is_some_and(Person::is_outside) {
            section.problem_in(&span, format!("`{key}` names {id}, who has champions: nobody outside is to be paged"));
        } else {
            found.push(id);
        }
    }
    if !section.has(key) {
        section.problem(format!("`{key}` names nobody: somebody always has to answer"));
    }
    found
}

/// `alerts = ["service=edxapp"]`: an alert with this label is about this service.
fn matchers(section: &mut Section<'_, '_>) -> Vec<Matcher> {
    let mut found = Vec::new();
    for (text, span) in section.texts("alerts") {
        match text.split_once('=') {
            Some((label, value)) if !label.trim().is_empty() && !value.trim().is_empty() => {
                found.push(Matcher { label: label.trim().to_owned(), value: value.trim().to_owned() });
            }
            Some(_) | None => section.problem_in(&span, "an entry of `alerts` is \"label=value\""),
        }
    }
    found
}

/// `[unmapped]`: who is paged for alerts that name no service of ours.
pub(super) fn unmapped(root: &mut Section<'_, '_>, roster: &Roster, defaults: &Policy) -> Service {
    let rotation = root.table("unmapped", |section| people(section, "rotation", roster));
    if rotation.is_none() {
        root.problem("[unmapped] is missing: its `rotation` is paged for alerts that name no service of yours");
    }
    let rotation = rotation.unwrap_or_default();
    let id = UNMAPPED.parse().unwrap_or_else(|_| unreachable!("a constant that is a service id"));
    Service {
        id,
        mode: Mode::Page,
        repositories: Vec::new(),
        upstreams: Vec::new(),
        environments: vec![Environment {
            name: EnvironmentName::live(),
            live: true,
            aliases: Vec::new(),
            deployed_as: Vec::new(),
        }],
        owners: rotation.clone(),
        rotation,
        schedule: None,
        beside: None,
        channel: None,
        alerts: Vec::new(),
        policy: *defaults,
        timetable: Timetable::always(TimeZone::UTC),
        runbook: None,
        dashboard: None,
    }
}
