//! Squads hear of the incidents of the services that their code goes into, as they wish: a notice, never a page.
//! This is the one place where wishes are applied; each is recorded with its reason, told or not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::decision::Decisions;
use crate::ids::{ChangeId, PersonId, SquadId};
use crate::incident::Incident;
use crate::message::{Step, Subject};
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::squad::{Squad, wish};
use crate::wording::{Reader, incidents};

/// How many people are told in one round, so that the transaction that pages has room; the next round goes on.
const MOST_TOLD: usize = 15;
/// How many squads are named in the line of the log.
const MOST_NAMED: usize = 20;

/// Tells those who are to be told and were not. Whether the incident changed.
pub(super) fn tell(
    decisions: &mut Decisions,
    incident: &mut Incident,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> bool {
    if !situation.mode(service).decides() || !incident.is_open() {
        return false;
    }
    let before = incident.squads.clone();
    let touched = touched(incident, situation, settings);
    let escalated = incident.pages.iter().any(|p| p.step == Step::Rotation) && !incident.suspects.is_empty();
    let (mut news, mut told) = (Vec::new(), 0);
    for squad in settings.squads.values().filter(|squad| concerns(squad, service, settings)) {
        let heard = wish(squad, incident.severity, touched.contains_key(&squad.id), escalated);
        let fresh = |person: &&PersonId| !incident.was_paged(person) && !incident.told.contains(*person);
        let listeners: Vec<PersonId> = squad.members.iter().filter(fresh).filter(|_| heard.tell).cloned().collect();
        let room = MOST_TOLD.saturating_sub(told).min(decisions.room().saturating_sub(2));
        told += listeners.len().min(room);
        for person in listeners.iter().take(room) {
            let reader = Reader { settings, service, person, now };
            let labels = touched.get(&squad.id).map_or(&[][..], Vec::as_slice);
            decisions.tell(incidents::squad_hears(reader, incident, squad, labels, heard.reason));
            incident.told.insert(person.clone());
        }
        // Who does not fit is told in the next round: until then the squad has not heard.
        if listeners.len() <= room && incident.squads.insert(squad.id.clone(), heard.reason) != Some(heard.reason) {
            news.push(format!("{} {}", squad.name, if heard.tell { "hears of it" } else { "does not" }));
        }
    }
    if !news.is_empty() {
        let more = news.len().saturating_sub(MOST_NAMED);
        news.truncate(MOST_NAMED);
        news.extend((more > 0).then(|| format!("{more} more squads")));
        let subject = Some(Subject::Incident(incident.id.clone()));
        decisions.log(now, subject, None, news.join(", "), Reason::SquadsWishes);
    }
    told > 0 || incident.squads != before
}

fn concerns(squad: &Squad, service: &Service, settings: &Settings) -> bool {
    let own = service.repositories.iter().map(|r| &r.repository);
    let all = own.chain(service.upstreams.iter().map(|u| &u.repository));
    all.into_iter().any(|repository| settings.ownership.owns_in(squad, repository))
}

/// The squads whose code a suspect touches, with the labels of those suspects.
fn touched(incident: &Incident, situation: &Situation, settings: &Settings) -> BTreeMap<SquadId, Vec<String>> {
    let mut found: BTreeMap<SquadId, Vec<String>> = BTreeMap::new();
    let mut seen: BTreeSet<&ChangeId> = BTreeSet::new();
    for suspect in incident.suspects.iter().filter(|s| seen.insert(&s.change)) {
        let Some(files) = situation.files.get(&suspect.change) else { continue };
        let paths = files.value.paths.iter().map(String::as_str);
        for squad in settings.ownership.squads_of(&suspect.change.repository, paths) {
            found.entry(squad).or_default().push(suspect.label.clone());
        }
    }
    found
}

#[cfg(test)]
#[path = "squads_tests.rs"]
mod tests;
