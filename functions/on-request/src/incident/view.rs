//! What pages show of an incident.

use domain::hold::Hold;
use domain::ladder::{Reach, Row, Standing, rows};
use domain::outcome::{Judge, NotMine, Verdict};
use domain::{Incident, Reason, wording};
use serde::Serialize;

use super::{Delivery, Scene};
use crate::view::utc;

#[derive(Serialize)]
pub(crate) struct IncidentView {
    pub(crate) id: String,
    pub(crate) headline: String,
    pub(crate) state: &'static str,
    pub(crate) summary: String,
    pub(crate) since: String,
    pub(crate) resolved: Option<String>,
    /// Why nobody is paged, and until when.
    pub(crate) held: Option<String>,
    /// Which round of escalation it is, since when and why, after the first.
    pub(crate) round: Option<String>,
    /// What happens next if nobody does anything.
    pub(crate) next: Option<String>,
    pub(crate) suspects: Vec<SuspectView>,
    /// What was learnt of the service's own past.
    pub(crate) learnt: Option<String>,
    pub(crate) ladder: Vec<RungView>,
    pub(crate) pages: Vec<PageView>,
    /// Pages that no receiver took.
    pub(crate) undelivered: Vec<String>,
    /// What people said of it, and what became of it: a line each.
    pub(crate) said: Vec<String>,
    pub(crate) verdict: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct SuspectView {
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
    pub(crate) person: String,
    pub(crate) evidence: String,
    /// `about 35 %`
    pub(crate) likely: Option<String>,
    /// What that comes from: words and points, which add up to the score.
    pub(crate) weighed: Vec<(String, String)>,
    pub(crate) score: String,
}

/// One line of the ladder.
#[derive(Serialize)]
pub(crate) struct RungView {
    pub(crate) at: String,
    pub(crate) person: String,
    pub(crate) step: &'static str,
    pub(crate) why: String,
    pub(crate) standing: String,
    pub(crate) bad: bool,
}

#[derive(Serialize)]
pub(crate) struct PageView {
    pub(crate) at: String,
    pub(crate) person: String,
    pub(crate) step: &'static str,
    pub(crate) why: String,
    /// `again 2 times, last Fri 2026-03-20 12:31`
    pub(crate) again: Option<String>,
    pub(crate) delivery: String,
    pub(crate) bad: bool,
}

pub(crate) fn incident_view(scene: Scene<'_>, incident: &Incident) -> IncidentView {
    let reach = Reach::of(scene.situation, scene.service, scene.now);
    let call = reach.call(incident, scene.service);
    let rows = rows(&call, scene.now);
    let pages: Vec<PageView> = incident.pages.iter().map(|page| page_view(scene, incident, page)).collect();
    let undelivered = pages.iter().filter(|page| page.bad);
    IncidentView {
        id: incident.id.to_string(),
        headline: wording::headline(incident),
        state: incident.state(&scene.service.policy, scene.now).word(),
        summary: incident.headline().map(|a| a.summary.clone()).unwrap_or_default(),
        since: utc(incident.began_at),
        resolved: incident.resolved_at.map(utc),
        held: held(incident),
        round: round(incident),
        next: next(scene, incident, &rows).or_else(|| {
            let at = call.next_at(scene.now).filter(|_| incident.held.is_none())?;
            Some(format!("Everybody was paged; asked again at {} UTC.", utc(at)))
        }),
        suspects: suspects(scene, incident),
        learnt: scene.situation.track.value.words(),
        ladder: rows.iter().map(|row| rung(scene, incident, row)).collect(),
        undelivered: undelivered.map(|page| format!("The page to {}: {}", page.person, page.delivery)).collect(),
        pages,
        said: said(scene, incident),
        verdict: incident.verdict.as_ref().map(|verdict| self::verdict(scene, verdict)),
    }
}

fn held(incident: &Incident) -> Option<String> {
    let hold = incident.held.as_ref().filter(|_| incident.is_open())?;
    let until = hold.until.map(|at| format!(", until {} UTC", utc(at))).unwrap_or_default();
    Some(format!("Nobody is paged: {}{until}.", why_held(hold)))
}

/// Without its end, which is said beside it with its day.
pub(super) fn why_held(hold: &Hold) -> String {
    let maintenance = matches!(hold.reason, Reason::UnderMaintenance { .. });
    if maintenance { "maintenance".to_owned() } else { hold.reason.to_string() }
}

fn round(incident: &Incident) -> Option<String> {
    let (at, why) = (incident.round_at?, incident.round_why.as_ref()?);
    Some(format!("Round {} since {} UTC: {why}.", incident.round + 1, utc(at)))
}

fn next(scene: Scene<'_>, incident: &Incident, rows: &[Row<'_>]) -> Option<String> {
    let policy = &scene.service.policy;
    if let Some(taken) = incident.taken(policy, scene.now).filter(|_| incident.is_open() && incident.held.is_none()) {
        let who = taken.name(&scene.house.settings().roster);
        let at = utc(taken.at + policy.acknowledged_for);
        return Some(format!("{who} is at it. If it is not over by {at} UTC, it begins anew."));
    }
    let row = rows.iter().find(|row| row.standing == Standing::Next)?;
    let who = scene.name(&row.person);
    Some(format!("Next: {who} ({}) at {} UTC, if nobody acknowledges.", row.step.word(), utc(row.at)))
}

fn suspects(scene: Scene<'_>, incident: &Incident) -> Vec<SuspectView> {
    let view = |s: &domain::Suspect| SuspectView {
        label: s.label.clone(),
        title: s.title.clone(),
        url: s.url.clone(),
        person: scene.name(&s.responder).to_owned(),
        evidence: s.evidence.join(", "),
        likely: s.percent().map(|percent| format!("about {percent} %")),
        weighed: s.weighed.iter().map(|evidence| (evidence.words.clone(), points(evidence.points))).collect(),
        score: points(s.score()),
    };
    incident.suspects.iter().map(view).collect()
}

/// Thousandths as people read them: `+0.9`.
fn points(thousandths: i64) -> String {
    let sign = if thousandths < 0 { '-' } else { '+' };
    let hundredths = (thousandths.unsigned_abs() + 5) / 10;
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

fn rung(scene: Scene<'_>, incident: &Incident, row: &Row<'_>) -> RungView {
    let mut bad = false;
    let standing = match row.standing {
        Standing::Paged(page) => {
            let page = page_view(scene, incident, page);
            bad = page.bad;
            let again = page.again.map(|again| format!(", {again}")).unwrap_or_default();
            format!("paged{again}; {}", page.delivery)
        }
        Standing::Next => "next".to_owned(),
        Standing::Later => "not yet".to_owned(),
        Standing::Stopped => "not paged: somebody is at it".to_owned(),
        Standing::Held => "not paged: held".to_owned(),
    };
    RungView {
        at: utc(row.at),
        person: scene.name(&row.person).to_owned(),
        step: row.step.word(),
        why: row.reason.to_string(),
        standing,
        bad,
    }
}

fn page_view(scene: Scene<'_>, incident: &Incident, page: &domain::PageRecord) -> PageView {
    let delivery = Delivery::of(scene, incident, page);
    let times = |n: u32| domain::text::count(usize::try_from(n).unwrap_or(usize::MAX), "time", "times");
    PageView {
        at: utc(page.at),
        person: scene.name(&page.person).to_owned(),
        step: page.step.word(),
        why: page.reason.to_string(),
        again: page.again_at.map(|at| format!("again {}, last {}", times(page.again), utc(at))),
        bad: delivery.is_bad(),
        delivery: delivery.to_string(),
    }
}

/// Acknowledgements, "not mine"s, what mitigated it.
fn said(scene: Scene<'_>, incident: &Incident) -> Vec<String> {
    let roster = &scene.house.settings().roster;
    let taken = incident.acknowledged.iter();
    let taken = taken.map(|a| format!("Acknowledged by {} at {} UTC.", a.name(roster), utc(a.at)));
    let not = incident.not_mine.iter().map(|n| format!("{} at {} UTC.", not_mine(scene, incident, n), utc(n.at)));
    let back = incident.mitigated.iter();
    let back = back.map(|b| format!("{} was {} at {} UTC.", b.label, b.how.word(), utc(b.at)));
    taken.chain(not).chain(back).collect()
}

/// `Usama says that it is not theirs, but edx-platform#12`
pub(super) fn not_mine(scene: Scene<'_>, incident: &Incident, said: &NotMine) -> String {
    let named = said.instead.as_ref().map(|change| {
        let suspect = incident.suspects.iter().find(|s| s.change == *change);
        suspect.map_or_else(|| change.to_string(), |suspect| suspect.label.clone())
    });
    let but = named.map(|label| format!(", but {label}")).unwrap_or_default();
    format!("{} says that it is not theirs{but}", scene.name(&said.person))
}

/// `It was edx-platform#12, says Olga`
pub(crate) fn verdict(scene: Scene<'_>, verdict: &Verdict) -> String {
    let by = match &verdict.by {
        Judge::Revert => "by its revert".to_owned(),
        Judge::Person(person) => format!("says {}", scene.name(person)),
        Judge::Guess(person) => format!("guesses {}", scene.name(person)),
    };
    format!("It was {}, {by}", verdict.label)
}
