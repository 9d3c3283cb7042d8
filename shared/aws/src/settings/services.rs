//! `[services.<id>]` and `[unmapped]`: what is deployed and alerts.

use std::collections::BTreeMap;

use domain::service::{Pin, Upstream};
use domain::undo::outlook::MIGRATIONS;
use domain::{
    Environment, EnvironmentName, Matcher, Mode, Paths, Person, PersonId, Policy, Repository, Roster, ServedRepository,
    Service, Timetable,
};
use jiff::tz::TimeZone;

use super::calendars::{self, Calendars};
use super::modes;
use super::paging::{self, Receivers, Schedules};
use super::pipelines::{self, Pipelines};
use super::policy::policy;
use super::section::Section;
use super::squads::{CodeOwnersFiles, paths};

/// The service that takes alerts which name no service of ours.
const UNMAPPED: &str = "unmapped";

pub(super) fn read(
    root: &mut Section<'_, '_>,
    roster: &mut Roster,
    (receivers, pipelines): (&Receivers, &Pipelines),
    calendars: &Calendars,
    defaults: &Policy,
    code_owners: &mut CodeOwnersFiles,
) -> Vec<Service> {
    let (mut written, mut held, mut taken) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let services = root.tables("services", |name, section| {
        let timetable = calendars::of_service(section, calendars);
        let maintenance = calendars::maintenance(section, &timetable.zone);
        let channel = paging::channel(name, section, roster, receivers);
        let digest = calendars::digest(section);
        let schedules = Schedules::read(name, section, receivers, &mut written);
        let [channel_topic, user_group] = paging::shown(name, section, receivers, &mut taken);
        let holds = pipelines::holds(name, section, pipelines, &mut held);
        let service = service(name, section, (roster, pipelines), defaults, timetable, code_owners)?;
        let Schedules { rotation: schedule, beside } = schedules;
        Some(Service { maintenance, digest, channel, schedule, beside, channel_topic, user_group, holds, ..service })
    });
    if services.is_empty() {
        root.problem("there are no services: add a [services.<id>] for each");
    }
    services.into_values().flatten().collect()
}

fn service(
    name: &str,
    section: &mut Section<'_, '_>,
    (roster, pipelines): (&Roster, &Pipelines),
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
    let (mode, acts) = modes::read(section, pipelines);
    let environments = environments(section);
    let owners = people(section, "owners", roster);
    let rotation = people(section, "rotation", roster);
    let alerts = matchers(section);
    let policy = section.table("policy", |section| policy(section, defaults)).unwrap_or(*defaults);
    let migrations = migrations(section);
    let (runbook, dashboard) = (section.url("runbook"), section.url("dashboard"));
    match name.parse::<domain::ServiceId>() {
        Ok(_) if name == UNMAPPED => section.problem("`unmapped` is reserved: it takes the alerts of no service"),
        Ok(id) if id == domain::ServiceId::freezes() => {
            section.problem("`freezes` is reserved: freezes are kept there")
        }
        Ok(id) if id.as_str().starts_with(domain::ServiceId::MERGES) => {
            section.problem("`merges.` is reserved: what stands at open pull requests is kept there")
        }
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
                channel_topic: None,
                user_group: None,
                channel: None,
                alerts,
                policy,
                timetable,
                holds: Vec::new(),
                acts,
                maintenance: None,
                frozen: Vec::new(),
                migrations,
                runbook,
                dashboard,
                digest: None,
            });
        }
        Err(error) => section.problem(format!("not a {error}")),
    }
    None
}

/// `migrations = ["**/migrations/**"]`: patterns as in CODEOWNERS; without, the usual names.
fn migrations(section: &mut Section<'_, '_>) -> Paths {
    if section.has("migrations") {
        return paths(section, "migrations");
    }
    section.texts("migrations");
    Paths::new(&MIGRATIONS.map(str::to_owned)).unwrap_or_default()
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
    let paths = paths(section, "paths");
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
        } else if found.contains(&id) {
            section.problem_in(&span, format!("`{key}` names {id} twice"));
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
        channel_topic: None,
        user_group: None,
        channel: None,
        alerts: Vec::new(),
        policy: *defaults,
        timetable: Timetable::always(TimeZone::UTC),
        holds: Vec::new(),
        acts: None,
        maintenance: None,
        frozen: Vec::new(),
        migrations: Paths::default(),
        runbook: None,
        dashboard: None,
        digest: None,
    }
}
