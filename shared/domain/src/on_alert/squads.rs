//! Squads hear of the incidents of the services that their code goes into, as they wish: a notice, never a page.
//! This is the one place where wishes are applied; each is recorded with its reason, told or not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::decision::Decisions;
use crate::ids::{ChangeId, PersonId, SquadId};
use crate::incident::Incident;
use crate::message::{Step, Subject};
use crate::reason::Reason;
use crate::service::{Mode, Service};
use crate::settings::Settings;
use crate::situation::Situation;
use crate::squad::{Squad, WishReason, wish};
use crate::wording::{Reader, hands};

/// How many people are told in one round, so that the transaction that pages has room.
const MOST_TOLD: usize = 20;

/// Tells those who are to be told and were not. Whether the incident changed.
pub(super) fn tell(
    decisions: &mut Decisions,
    incident: &mut Incident,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> bool {
    if service.mode == Mode::Manual || !incident.is_open() {
        return false;
    }
    let touched = touched(incident, situation, settings);
    let escalated = incident.pages.iter().any(|p| p.step == Step::Rotation) && !incident.suspects.is_empty();
    let mut changed = false;
    for squad in settings.squads.values().filter(|squad| concerns(squad, service, settings)) {
        let touches = touched.contains_key(&squad.id);
        let heard = wish(squad, incident.severity, touches, escalated);
        if incident.squads.get(&squad.id) == Some(&heard.reason) {
            continue;
        }
        let told_before = incident.squads.get(&squad.id).is_some_and(|before| before.tells());
        incident.squads.insert(squad.id.clone(), heard.reason);
        changed = true;
        let reason = Reason::SquadWish { squad: squad.id.clone(), wish: heard.reason };
        let subject = Some(Subject::Incident(incident.id.clone()));
        let what = if heard.tell { "hears of it" } else { "does not hear of it" };
        decisions.log(now, subject, None, format!("{} {what}", squad.name), reason);
        if heard.tell && !told_before {
            for person in listeners(squad, incident) {
                let reader = Reader { settings, service, person: &person, now };
                let labels = touched.get(&squad.id).map_or(&[][..], Vec::as_slice);
                decisions.tell(hands::squad_hears(reader, incident, squad, labels, heard.reason));
                incident.told.insert(person);
            }
        }
    }
    changed
}

/// The members who have not heard of it as responders or otherwise.
fn listeners(squad: &Squad, incident: &Incident) -> Vec<PersonId> {
    let fresh = |person: &&PersonId| !incident.was_paged(person) && !incident.told.contains(*person);
    squad.members.iter().filter(fresh).take(MOST_TOLD.saturating_sub(incident.told.len())).cloned().collect()
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

impl WishReason {
    fn tells(self) -> bool {
        matches!(self, Self::MostSevere | Self::WishesAll | Self::TouchesItsCode | Self::Escalated)
    }
}
