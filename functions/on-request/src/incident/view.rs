//! What pages show of an incident.

use aws::House;
use aws::links::Action;
use domain::hold::Hold;
use domain::ladder::{Reach, Row, Standing, rows};
use domain::outcome::{Judge, NotMine, Verdict};
use domain::{Incident, Reason, wording};
use jiff::Timestamp;
use serde::Serialize;

use super::{Delivery, Scene};
use crate::hours::{Moment, length};
use crate::offers::Offers;
use crate::people::{PersonView, person};
use crate::service::view::{UndoView, undo_view};

#[derive(Serialize)]
pub(crate) struct IncidentView {
    pub(crate) id: String,
    pub(crate) headline: String,
    pub(crate) state: &'static str,
    pub(crate) summary: String,
    /// Whether somebody is at it, or nobody is paged.
    pub(crate) calm: bool,
    pub(crate) since: Moment,
    pub(crate) resolved: Option<Moment>,
    /// The times that are measured.
    pub(crate) facts: Vec<Fact>,
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

/// A time by which incidents are measured.
#[derive(Serialize)]
pub(crate) struct Fact {
    what: &'static str,
    at: Moment,
    /// How long after it began.
    after: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct SuspectView {
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
    pub(crate) person: PersonView,
    pub(crate) evidence: String,
    pub(crate) percent: Option<u16>,
    /// `about 35 %`
    pub(crate) likely: Option<String>,
    pub(crate) revert: Option<String>,
    pub(crate) undo: Option<UndoView>,
    pub(crate) hand_over: Option<String>,
    /// What that comes from: words and points, which add up to the score.
    pub(crate) weighed: Vec<(String, String)>,
    pub(crate) score: String,
}

/// One line of the ladder.
#[derive(Serialize)]
pub(crate) struct RungView {
    pub(crate) at: Moment,
    pub(crate) person: PersonView,
    pub(crate) step: &'static str,
    pub(crate) why: String,
    pub(crate) standing: String,
    pub(crate) bad: bool,
}

#[derive(Serialize)]
pub(crate) struct PageView {
    pub(crate) at: Moment,
    pub(crate) person: PersonView,
    pub(crate) step: &'static str,
    pub(crate) why: String,
    /// `again 2 times, last Fri 2026-03-20 12:31`
    pub(crate) again: Option<String>,
    /// It was recorded, and nobody was told.
    pub(crate) would_be: bool,
    pub(crate) delivery: String,
    pub(crate) bad: bool,
}

pub(crate) fn incident_view(scene: Scene<'_>, offers: &Offers, incident: &Incident) -> IncidentView {
    let reach = Reach::of(scene.situation, scene.service, scene.hours.now);
    let call = reach.call(incident, scene.service);
    let rows = rows(&call, scene.hours.now);
    let pages: Vec<PageView> = incident.pages.iter().map(|page| page_view(scene, incident, page)).collect();
    let undelivered = pages.iter().filter(|page| page.bad);
    IncidentView {
        id: incident.id.to_string(),
        headline: wording::headline(incident),
        state: incident.state(&scene.service.policy, scene.hours.now).word(),
        summary: incident.headline().map(|a| a.summary.clone()).unwrap_or_default(),
        calm: incident.held.is_some() || incident.taken(&scene.service.policy, scene.hours.now).is_some(),
        since: scene.hours.moment(incident.began_at),
        resolved: incident.resolved_at.map(|at| scene.hours.moment(at)),
        facts: facts(scene, incident),
        held: held(scene, incident),
        round: round(scene, incident),
        next: next(scene, incident, &rows).or_else(|| {
            let at = call.next_at(scene.hours.now).filter(|_| incident.held.is_none())?;
            Some(format!("Everybody was paged; asked again at {}.", scene.hours.at(at)))
        }),
        suspects: suspects(scene, offers, incident),
        learnt: scene.situation.track.value.words(),
        ladder: rows.iter().map(|row| rung(scene, incident, row)).collect(),
        undelivered: undelivered.map(|page| format!("The page to {}: {}", page.person.name(), page.delivery)).collect(),
        pages,
        said: said(scene, incident),
        verdict: incident.verdict.as_ref().map(|verdict| verdict_words(scene.house, verdict)),
    }
}

/// When it began, was detected, first paged, first acknowledged, mitigated and resolved.
fn facts(scene: Scene<'_>, incident: &Incident) -> Vec<Fact> {
    let paged = incident.pages.iter().map(|page| page.at).min();
    let taken = incident.acknowledged.iter().map(|taken| taken.at).min();
    let all = [
        ("Detected", Some(incident.detected_at)),
        ("First page", paged),
        ("Acknowledged", taken),
        ("Mitigated", incident.mitigated.as_ref().map(|back| back.at)),
        ("Resolved", incident.resolved_at),
    ];
    let began = Fact { what: "Began", at: scene.hours.moment(incident.began_at), after: None };
    let fact = |(what, at): (&'static str, Option<Timestamp>)| {
        let after = at?.duration_since(incident.began_at);
        Some(Fact { what, at: scene.hours.moment(at?), after: Some(format!("after {}", length(after))) })
    };
    std::iter::once(began).chain(all.into_iter().filter_map(fact)).collect()
}

fn held(scene: Scene<'_>, incident: &Incident) -> Option<String> {
    let hold = incident.held.as_ref().filter(|_| incident.is_open())?;
    let until = hold.until.map(|at| format!(", until {}", scene.hours.at(at))).unwrap_or_default();
    Some(format!("Nobody is paged: {}{until}.", why_held(hold)))
}

/// Without its end, which is said beside it with its day.
pub(crate) fn why_held(hold: &Hold) -> String {
    let maintenance = matches!(hold.reason, Reason::UnderMaintenance { .. });
    if maintenance { "maintenance".to_owned() } else { hold.reason.to_string() }
}

fn round(scene: Scene<'_>, incident: &Incident) -> Option<String> {
    let (at, why) = (incident.round_at?, incident.round_why.as_ref()?);
    Some(format!("Round {} since {}: {why}.", incident.round + 1, scene.hours.at(at)))
}

fn next(scene: Scene<'_>, incident: &Incident, rows: &[Row<'_>]) -> Option<String> {
    let policy = &scene.service.policy;
    if let Some(taken) =
        incident.taken(policy, scene.hours.now).filter(|_| incident.is_open() && incident.held.is_none())
    {
        let who = taken.name(&scene.house.settings().roster);
        let at = scene.hours.at(taken.at + policy.acknowledged_for);
        return Some(format!("{who} is at it. If it is not over by {at}, it begins anew."));
    }
    let row = rows.iter().find(|row| row.standing == Standing::Next)?;
    let who = scene.name(&row.person);
    Some(format!("Next: {who} ({}) at {}, if nobody acknowledges.", row.step.word(), scene.hours.at(row.at)))
}

fn suspects(scene: Scene<'_>, offers: &Offers, incident: &Incident) -> Vec<SuspectView> {
    let settings = scene.house.settings();
    let known = |s: &domain::Suspect| scene.situation.changes.get(&s.change).map(|known| &known.value);
    let view = |s: &domain::Suspect| SuspectView {
        label: s.label.clone(),
        title: s.title.clone(),
        url: s.url.clone(),
        person: person(scene.house, &s.responder),
        percent: s.percent(),
        evidence: s.evidence.join(", "),
        revert: known(s).and_then(|change| offers.revert(settings, &scene.service.id, change)),
        undo: undo_view(scene, &s.change),
        hand_over: known(s).and_then(|change| {
            offers.path(Action::HandOver(scene.service.id.clone(), change.id.clone())).filter(|_| incident.is_open())
        }),
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
            let paged = if page.would_be { "would be paged" } else { "paged" };
            format!("{paged}{again}; {}", page.delivery)
        }
        Standing::Next => "next".to_owned(),
        Standing::Later => "not yet".to_owned(),
        Standing::Stopped => "not paged: somebody is at it".to_owned(),
        Standing::Held => "not paged: held".to_owned(),
    };
    RungView {
        at: scene.hours.moment(row.at),
        person: person(scene.house, &row.person),
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
        would_be: !page.mode.tells(),
        at: scene.hours.moment(page.at),
        person: person(scene.house, &page.person),
        step: page.step.word(),
        why: page.reason.to_string(),
        again: page.again_at.map(|at| format!("again {}, last {}", times(page.again), scene.hours.at(at))),
        bad: delivery.is_bad(),
        delivery: delivery.words(scene.hours),
    }
}

/// Acknowledgements, "not mine"s, what mitigated it.
fn said(scene: Scene<'_>, incident: &Incident) -> Vec<String> {
    let roster = &scene.house.settings().roster;
    let taken = incident.acknowledged.iter();
    let taken = taken.map(|a| format!("Acknowledged by {} at {}.", a.name(roster), scene.hours.at(a.at)));
    let not =
        incident.not_mine.iter().map(|n| format!("{} at {}.", not_mine(scene, incident, n), scene.hours.at(n.at)));
    let back = incident.mitigated.iter();
    let back = back.map(|b| format!("{} was {} at {}.", b.label, b.how.word(), scene.hours.at(b.at)));
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
pub(crate) fn verdict_words(house: &House, verdict: &Verdict) -> String {
    let by = match &verdict.by {
        Judge::Revert => "by its revert".to_owned(),
        Judge::Person(person) => format!("says {}", house.settings().roster.name_of(person)),
        Judge::Guess(person) => format!("guesses {}", house.settings().roster.name_of(person)),
    };
    format!("It was {}, {by}", verdict.label)
}
