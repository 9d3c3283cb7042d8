//! "What if I declare this?": the changes, the people and the releases that a freeze would touch, before there is one.

use std::collections::BTreeSet;

use aws::{House, Refusal};
use domain::freeze::{Declared, Freezes, Strength};
use domain::merge_desk;
use domain::queue::thaw;
use domain::text::count;
use domain::wording::freezes::line;
use domain::{ChangeId, PersonId, Phase, Repository, Service, ServiceId, Situation, times, window};
use jiff::tz::TimeZone;

use super::Outcome;

/// So many services are looked at; of more only the number is said.
const MOST_SERVICES: usize = 30;
/// So many people are named.
const MOST_NAMED: usize = 12;

/// What it would touch.
#[derive(Default)]
struct Touched {
    /// Each once, though it goes live in several services.
    changes: BTreeSet<ChangeId>,
    people: BTreeSet<PersonId>,
    releases: Vec<String>,
    jobs: usize,
    pipelines: usize,
    pulls: BTreeSet<(Repository, u64)>,
}

/// Says it, of one that nobody has declared.
pub(super) async fn show(house: &House, would: &Declared, desk: &Situation) -> Result<Outcome, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let zone = TimeZone::get(&would.zone).unwrap_or(TimeZone::UTC);
    let services: Vec<&Service> = settings
        .services()
        .filter(|service| !service.repositories.is_empty() && would.scope.includes(service))
        .collect();
    let mut touched = Touched::default();
    for service in services.iter().take(MOST_SERVICES) {
        look(house, service, would, &zone, &mut touched).await?;
    }
    let mut lines = vec![format!("{}. Nothing was declared.", would.in_words())];
    lines.push(format!(
        "It is about {}{}.",
        count(services.len(), "service", "services"),
        if services.len() > MOST_SERVICES {
            format!(", of which {MOST_SERVICES} were looked at")
        } else {
            String::new()
        }
    ));
    lines.extend(touched.words(house));
    let freezes = Freezes::of(settings, desk);
    let overlaps = freezes
        .ahead(now)
        .into_iter()
        .filter(|one| *one.id != would.id && one.from < would.until && would.from < one.until);
    lines.extend(overlaps.take(5).map(|one| format!("It overlaps with {}.", line(&one, now))));
    Ok(Outcome::done("What it would touch", lines.join("\n")))
}

async fn look(
    house: &House,
    service: &Service,
    would: &Declared,
    zone: &TimeZone,
    touched: &mut Touched,
) -> Result<(), Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let situation = house.store.situation(&service.id).await?;
    let service = &*situation.posted.value.applied(service);
    let all = window::windows(&situation, service, &settings.roster, now);
    let waiting = all.iter().filter(|window| window.phase == Phase::Standby);
    let holds = would.stops.deployments == Some(Strength::Require) && would.scope.holds(service);
    for window in waiting {
        touched.changes.insert(window.change.id.clone());
        touched.people.insert(window.holder.person.clone());
    }
    if holds {
        touched.jobs += situation.pipelines.value.gates.len();
        touched.pipelines += service.holds.len();
        let at = service.frozen_at(now).map_or(now, |frozen| frozen.until);
        let planned = thaw::forecast(&all, service, &settings.roster, at, now);
        let within = planned.releases.iter().filter(|release| would.from <= release.at && release.at < would.until);
        touched.releases.extend(within.map(|release| {
            let at = times::time(release.at, zone, now);
            format!("{} of {} at {at}", count(release.labels.len(), "change", "changes"), service.id)
        }));
    }
    if would.stops.merges.is_some() {
        pulls(house, service, touched).await?;
    }
    Ok(())
}

/// Who has something open, as far as is known now.
async fn pulls(house: &House, service: &Service, touched: &mut Touched) -> Result<(), Refusal> {
    for repository in service.merged() {
        if house.configuration.merge_status_of(repository).is_none() {
            continue;
        }
        let desk = house.store.situation(&ServiceId::merges_into(repository)).await?;
        let open: &merge_desk::Pulls = &desk.pulls.value;
        touched.pulls.extend(open.open.keys().map(|number| (repository.clone(), *number)));
        let authors = open.open.values().filter_map(|pull| house.settings().roster.by_login(&pull.author));
        touched.people.extend(authors.map(|person| person.id.clone()));
    }
    Ok(())
}

impl Touched {
    fn words(&self, house: &House) -> Vec<String> {
        let roster = &house.settings().roster;
        let mut lines = Vec::new();
        let names: Vec<&str> = self.people.iter().take(MOST_NAMED).map(|person| roster.name_of(person)).collect();
        let more = self.people.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let people = if names.is_empty() { "nobody".to_owned() } else { format!("{}{more}", names.join(", ")) };
        let open = match self.pulls.len() {
            0 => String::new(),
            pulls => format!(", {} open", count(pulls, "pull request", "pull requests")),
        };
        let wait = if self.changes.len() == 1 { "waits" } else { "wait" };
        let changes = count(self.changes.len(), "change", "changes");
        lines.push(format!("{changes} now {wait} to go live{open}: {people}."));
        if self.jobs + self.pipelines > 0 {
            let jobs = if self.jobs > 0 {
                format!(", and {}", count(self.jobs, "job that waits", "jobs that wait"))
            } else {
                String::new()
            };
            lines.push(format!("Held would be {}{jobs}.", count(self.pipelines, "pipeline", "pipelines")));
        }
        lines.extend(self.releases.iter().map(|release| format!("A proposed release falls into it: {release}.")));
        lines
    }
}
