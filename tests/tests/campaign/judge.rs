//! Whether every page that was decided came, once, or was withdrawn for a reason that holds; and how everything ended.

use std::collections::{BTreeMap, BTreeSet};

use aws::Store;
use domain::{Deployment, Incident, Kind, MessageKey, PersonId, Reason, ServiceId, Subject};
use house_tests::Stage;

use crate::outcome::Outcome;
use crate::world::Page;

/// Of how much.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Decided {
    pub incidents: usize,
    /// The keys of all pages.
    pub keys: BTreeSet<String>,
    pub withdrawn: usize,
    /// Pages that came again, each where that is allowed.
    pub again: usize,
}

/// Looks at all pages of these services. `may_repeat`: keys whose page may have come again.
pub async fn judge(
    store: &Store,
    services: &[String],
    came: &[Page],
    may_repeat: &BTreeSet<String>,
    outcome: &mut Outcome,
) -> Decided {
    let mut decided = Decided::default();
    let mut left: BTreeMap<(String, String), BTreeMap<&str, usize>> = BTreeMap::new();
    for page in came {
        let of = left.entry((page.incident.clone(), page.person.clone())).or_default();
        *of.entry(&page.key).or_default() += 1;
    }
    for service in services {
        let id: ServiceId = service.parse().expect("a service");
        let situation = store.situation(&id).await.expect("the table answers");
        let log = store.log(&id, 10_000).await.expect("the table answers");
        let past = store.past_incidents(&id, 10_000).await.expect("the table answers");
        for incident in situation.incidents.values().map(|known| &known.value).chain(&past) {
            decided.incidents += 1;
            let people: BTreeSet<&PersonId> = incident.pages.iter().map(|p| &p.person).collect();
            if people.is_empty() {
                outcome.is_lost(format!("nobody was paged for {}", incident.id));
            }
            for person in people {
                let keys = keys(incident, person);
                let came = left.remove(&(incident.id.to_string(), person.to_string())).unwrap_or_default();
                let withdrawn = withdrawn(&log, incident, person);
                for (key, times) in &came {
                    outcome.must(keys.contains(*key), || format!("{key} came and was never decided"));
                    if *times > 1 && may_repeat.contains(*key) {
                        decided.again += times - 1;
                    } else if *times > 1 {
                        outcome.is_doubled(format!("{key} came {times} times"));
                    }
                }
                if came.len() + withdrawn.len() < keys.len() {
                    outcome.is_lost(format!("of {keys:?} came {came:?}, withdrawn {withdrawn:?}"));
                }
                for reason in &withdrawn {
                    outcome.must(holds(reason, incident), || format!("withdrawn: {reason:?}, but {incident:?}"));
                }
                decided.withdrawn += withdrawn.len();
                decided.keys.extend(keys);
            }
        }
        let outbox = store.outbox(&id).await.expect("the table answers");
        for waiting in outbox.iter().filter(|o| o.message.kind == Kind::Page) {
            outcome.is_lost(format!("still in the outbox: {}", waiting.message.key));
        }
    }
    for ((incident, person), came) in left {
        outcome.is_wrong(format!("pages of {incident} to {person} that nobody decided: {came:?}"));
    }
    decided
}

/// The keys of all pages of an incident to a person, one for each (incident, person, step, nth).
fn keys(incident: &Incident, person: &PersonId) -> BTreeSet<String> {
    // One that another incident's page spoke for is no message of its own.
    let pages = incident.pages.iter().filter(|page| page.person == *person && page.joined.is_none());
    let keys = pages.flat_map(|page| {
        let last = incident.page_key(page);
        (0..=page.again).map(move |before| MessageKey { nth: last.nth - before, ..last.clone() })
    });
    keys.map(|key| key.to_string()).collect()
}

fn withdrawn<'a>(log: &'a [domain::Entry], incident: &Incident, person: &PersonId) -> Vec<&'a Reason> {
    let subject = Some(Subject::Incident(incident.id.clone()));
    log.iter()
        .filter(|entry| entry.subject == subject && entry.person.as_ref() == Some(person))
        .filter(|entry| entry.what.starts_with("page to ") && entry.what.ends_with(" withdrawn"))
        .map(|entry| &entry.reason)
        .collect()
}

/// A page was withdrawn for something that happened.
fn holds(reason: &Reason, incident: &Incident) -> bool {
    match reason.name() {
        "resolved_at" => incident.resolved_at.is_some() || !incident.reopened.is_empty(),
        "acknowledged_by" => !incident.acknowledged.is_empty(),
        "superseded" => true,
        _ => false,
    }
}

/// The lines that one has and the other has not.
pub fn differ(want: &[String], have: &[String]) -> String {
    let only =
        |these: &[String], those: &[String]| these.iter().filter(|l| !those.contains(l)).cloned().collect::<Vec<_>>();
    format!("{:?}, and not {:?}", only(have, want), only(want, have))
}

/// How a service ended, as far as that is the same in whatever order things are heard: its windows; its deployments; its incidents
/// with their suspects and alerts. An incident is named after the alert that was heard first, and what was counted of a deployment
/// is what was known when it was counted: neither is compared.
pub async fn end(stage: &Stage, service: &str) -> Vec<String> {
    let mut lines = stage.windows(service).await;
    let situation = stage.situation(service).await;
    lines.extend(situation.deployments.values().map(|known| deployment(&known.value)));
    for incident in situation.incidents.values().map(|known| &known.value) {
        let suspects: Vec<String> = incident.suspects.iter().map(|s| format!("{} {}", s.label, s.responder)).collect();
        let alerts: Vec<&String> = incident.alerts.keys().collect();
        let over = incident.resolved_at.is_some();
        lines.push(format!("incident of {}, over {over}, suspects {suspects:?}, alerts {alerts:?}", incident.began_at));
    }
    lines
}

/// A deployment in a line, without what was counted of it.
pub fn deployment(of: &Deployment) -> String {
    let times = (of.created_at, of.started_at, of.succeeded_at, of.failed_at);
    format!("deployment {} {:?} {times:?} aborted {}", of.key.id, of.commit, of.aborted)
}
