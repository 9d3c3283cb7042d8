//! The weekly digest: what a service's channel reads of the seven days before, beside the four weeks before those. When it is due is
//! said by the configuration and the clock; that it was told is kept with the queue, in the transaction that tells it: once a week,
//! whoever looks and however often.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::figures::{Amount, Better, Measure};
use super::{Tally, Timeline, day, of_incident};
use crate::acknowledgement::Acknowledger;
use crate::decision::{Decisions, Record, Wake};
use crate::ids::PersonId;
use crate::incident::Incident;
use crate::mode::Mode;
use crate::queue::Queue;
use crate::service::Service;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::wording::{Reader, digests};

/// So long after its time it is still told; later only the next one is.
const LATE: SignedDuration = SignedDuration::from_hours(24);
/// The weeks with which a week is compared.
const BEFORE: i64 = 4;
/// So many judged incidents are evidence.
pub const FEWEST_JUDGED: u32 = 10;
/// What is compared, in the order in which it is told.
const COMPARED: [&str; 11] = [
    "time_to_acknowledge_median",
    "time_to_mitigate_median",
    "time_to_resolve_median",
    "change_fail_rate",
    "failed_deployment_recovery_time_median",
    "change_lead_time_median",
    "deployments_per_week",
    "wrong_pages_per_person",
    "rotation_pages_avoided",
    "queue_age_median",
    "release_size_median",
];

/// When it is told: on this day of the week, at this time on the service's wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekly {
    pub day: Weekday,
    pub at: Time,
}

impl Weekly {
    /// The last time that it was due, and the next one.
    #[must_use]
    pub fn around(self, zone: &TimeZone, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = now.to_zoned_datetime(zone.clone()).date();
        let at = |days: i64| {
            let date = today.checked_add(Span::new().days(days)).ok().filter(|date| date.weekday() == self.day)?;
            zone.to_timestamp(DateTime::from_parts(date, self.at)).ok()
        };
        let all: Vec<Timestamp> = (-8..=8).filter_map(at).collect();
        let last = all.iter().copied().filter(|at| *at <= now).max()?;
        Some((last, all.into_iter().filter(|at| *at > now).min()?))
    }
}

/// The time of the digest that is to be told now, if one is; and when the next one is to be.
#[must_use]
pub fn due(service: &Service, queue: &Queue, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let weekly = service.digest.filter(|_| service.channel.is_some());
    let Some((last, next)) = weekly.and_then(|weekly| weekly.around(&service.timetable.zone, now)) else {
        return (None, None);
    };
    let told = queue.digested.is_some_and(|told| told >= last);
    ((!told && now < last + LATE).then_some(last), Some(next))
}

/// What is loaded for it, once a week.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub known: Timeline,
    /// The service's incidents that left lately, and those of alerts of no service.
    pub past: Vec<Incident>,
    pub unmapped: Vec<Incident>,
}

/// The days that a digest is of, and those that it is compared with; in UTC, each inclusive.
#[must_use]
pub fn days(due: Timestamp) -> ((Date, Date), (Date, Date)) {
    let back = |days: i64| day(due).saturating_sub(Span::new().days(days));
    ((back(7), back(1)), (back(7 + 7 * BEFORE), back(8)))
}

/// How a figure has changed.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    pub measure: &'static Measure,
    pub now: Amount,
    pub before: Amount,
    pub better: bool,
}

/// What somebody might change; nothing does it by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposal {
    /// The evidence speaks for a mode more.
    Up { from: Mode, to: Mode, hits: u32, judged: u32, most_wrong: u32 },
    /// Too many are paged in vain: only those likelier than so many percent should be paged first.
    Threshold { from: u16, to: u16, wrong: u32, people: u32 },
}

/// What is told.
#[derive(Debug, Clone)]
pub struct Digest {
    pub first: Date,
    pub last: Date,
    pub week: Tally,
    pub moved: Vec<Moved>,
    /// Who was paged, acknowledged, or had the pager: by name, in no order but the alphabet's.
    pub load: Vec<String>,
    /// The alerts of no service.
    pub unmapped: Vec<String>,
    /// How often the pipeline was paused by people.
    pub pauses: usize,
    pub proposals: Vec<Proposal>,
}

impl Digest {
    /// Nothing happened of which anybody would want to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.week.is_empty()
            && self.load.is_empty()
            && self.unmapped.is_empty()
            && self.pauses == 0
            && self.proposals.is_empty()
    }
}

/// Tells it, if it is still to be told.
#[must_use]
pub fn decide(
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    loaded: &Loaded,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let queue = &situation.queue;
    let (Some(due), Some(channel)) = (due(service, &queue.value, now).0, &service.channel) else { return decisions };
    let digest = gather(situation, service, settings, loaded, due);
    if !digest.is_empty() {
        let mut message = digests::weekly(Reader { settings, service, person: channel, now }, &digest);
        // Which week it is.
        message.key.nth = u32::try_from(due.as_second().div_euclid(7 * 86_400)).unwrap_or(0);
        decisions.tell(message);
    }
    decisions.put(Record::Queue(Queue { digested: Some(due), ..queue.value.clone() }), queue.rev);
    decisions
}

/// What there is to tell.
#[must_use]
pub fn gather(
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    loaded: &Loaded,
    due: Timestamp,
) -> Digest {
    let ((first, last), (from, until)) = days(due);
    let within = |at: Timestamp| (first..=last).contains(&day(at));
    let here: Vec<&Incident> = situation.incidents.values().map(|known| &known.value).collect();
    let mut week = loaded.known.days(first, last);
    // What is over and not counted yet is in it too.
    let over = here.iter().filter(|incident| within(incident.detected_at));
    over.filter_map(|incident| of_incident(incident, service, &settings.roster)).for_each(|fact| week.learn(&fact));
    let before = loaded.known.days(from, until);
    let all: Vec<&Incident> = loaded.past.iter().chain(here).filter(|incident| within(incident.detected_at)).collect();
    let pauses = situation.queue.value.pauses.iter().filter(|pause| within(pause.from)).count();
    let mut evidence = before.clone();
    evidence.merge(&week);
    Digest {
        first,
        last,
        // Without weeks before there is nothing to compare with.
        moved: COMPARED
            .iter()
            .filter(|_| !before.is_empty())
            .filter_map(|name| moved(Measure::called(name)?, &week, &before))
            .collect(),
        load: load(&all, situation, settings, within),
        unmapped: unmapped(loaded.unmapped.iter().filter(|incident| within(incident.detected_at))),
        pauses,
        proposals: proposals(situation, service, &evidence),
        week,
    }
}

/// How a figure of the week differs from that of the weeks before: by a tenth at least.
fn moved(measure: &'static Measure, week: &Tally, before: &Tally) -> Option<Moved> {
    let (now, then) = (measure.of(week, 7)?, measure.of(before, 7 * BEFORE.unsigned_abs())?);
    let scaled = |amount: Amount, by: u64| Amount { n: amount.n * by, of: amount.of * 10 };
    let less = now.against(scaled(then, 9)).is_le() && now.against(then).is_lt();
    let more = now.against(scaled(then, 11)).is_ge() && now.against(then).is_gt();
    let better = match measure.better? {
        Better::Less => less,
        Better::More => more,
    };
    (less || more).then_some(Moved { measure, now, before: then, better })
}

fn load(
    incidents: &[&Incident],
    situation: &Situation,
    settings: &Settings,
    within: impl Fn(Timestamp) -> bool,
) -> Vec<String> {
    let mut people: BTreeSet<&PersonId> = BTreeSet::new();
    for incident in incidents {
        people.extend(incident.pages.iter().map(|page| &page.person));
        people.extend(incident.acknowledged.iter().filter_map(|taken| match &taken.by {
            Acknowledger::Person(person) => Some(person),
            Acknowledger::Stranger(_) => None,
        }));
    }
    let shifts = situation.shifts.values().map(|known| &known.value);
    people.extend(shifts.filter(|shift| within(shift.from)).map(|shift| &shift.person));
    let people = people.into_iter().filter(|person| !settings.is_channel(person));
    let mut names: Vec<String> = people.map(|person| settings.roster.name_of(person).to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn unmapped<'a>(incidents: impl Iterator<Item = &'a Incident>) -> Vec<String> {
    let names: BTreeSet<String> =
        incidents.flat_map(|incident| incident.alerts.values().map(|alert| alert.name.clone())).collect();
    names.into_iter().collect()
}

/// What the evidence of five weeks speaks for.
fn proposals(situation: &Situation, service: &Service, evidence: &Tally) -> Vec<Proposal> {
    let mut all = Vec::new();
    let most_wrong = evidence.people.values().copied().max().unwrap_or(0);
    let from = situation.ceiling.value.in_force(service.mode);
    let hit = evidence.judged >= FEWEST_JUDGED && evidence.three * 10 >= evidence.judged * 6;
    // What acts by itself is nobody's proposal.
    if let Some(to) = from.above().filter(|to| *to < Mode::Act && hit && most_wrong <= 1) {
        all.push(Proposal::Up { from, to, hits: evidence.three, judged: evidence.judged, most_wrong });
    }
    let (wrong, people) = (evidence.people.values().sum::<u32>(), evidence.people.len());
    let people = u32::try_from(people).unwrap_or(u32::MAX);
    let threshold = service.policy.first_suspect_from;
    if wrong >= 3 && wrong > people && threshold <= 40 {
        all.push(Proposal::Threshold { from: threshold, to: threshold + 10, wrong, people });
    }
    all
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
