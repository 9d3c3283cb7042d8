//! Every figure, in the order in which they are shown.

use super::{Amount, Better, Measure, Unit};
use crate::measures::Tally;

const LESS: Option<Better> = Some(Better::Less);
const MORE: Option<Better> = Some(Better::More);

const fn figure(
    name: &'static str,
    unit: Unit,
    better: Option<Better>,
    words: &'static str,
    of: fn(&Tally, u64) -> Option<Amount>,
) -> Measure {
    Measure { name, unit, better, words, of }
}

fn counted(n: u32) -> Option<Amount> {
    Some(Amount { n: u64::from(n), of: 1 })
}

fn share(n: u32, of: u32) -> Option<Amount> {
    (of > 0).then(|| Amount { n: u64::from(n), of: u64::from(of) })
}

fn wrong(tally: &Tally) -> impl Iterator<Item = u64> {
    tally.people.values().copied().map(u64::from)
}

fn per_person(tally: &Tally) -> Option<Amount> {
    (!tally.people.is_empty()).then(|| Amount { n: wrong(tally).sum(), of: tally.people.len() as u64 })
}

pub static MEASURES: &[Measure] = &[
    figure(
        "incidents",
        Unit::Count,
        None,
        "incidents of the live environment, by the day on which we heard of each; counted a day after it was over",
        |tally, _| counted(tally.incidents),
    ),
    figure(
        "time_to_detect_median",
        Unit::Seconds,
        LESS,
        "from when a failure began, as its monitor says, until we heard of it: the median",
        |tally, _| tally.detect.median(),
    ),
    figure(
        "time_to_detect_p90",
        Unit::Seconds,
        LESS,
        "from when a failure began, as its monitor says, until we heard of it: nine in ten took no longer",
        |tally, _| tally.detect.p90(),
    ),
    figure(
        "time_to_acknowledge_median",
        Unit::Seconds,
        LESS,
        "from when we heard of it until the first person took it: the median",
        |tally, _| tally.acknowledge.median(),
    ),
    figure(
        "time_to_acknowledge_p90",
        Unit::Seconds,
        LESS,
        "from when we heard of it until the first person took it: nine in ten took no longer",
        |tally, _| tally.acknowledge.p90(),
    ),
    figure(
        "time_to_mitigate_median",
        Unit::Seconds,
        LESS,
        "from when a failure began until a suspect was taken back, where one was: the median",
        |tally, _| tally.mitigate.median(),
    ),
    figure(
        "time_to_mitigate_p90",
        Unit::Seconds,
        LESS,
        "from when a failure began until a suspect was taken back, where one was: nine in ten took no longer",
        |tally, _| tally.mitigate.p90(),
    ),
    figure(
        "time_to_resolve_median",
        Unit::Seconds,
        LESS,
        "from when a failure began until it was over: the median",
        |tally, _| tally.resolve.median(),
    ),
    figure(
        "time_to_resolve_p90",
        Unit::Seconds,
        LESS,
        "from when a failure began until it was over: nine in ten took no longer",
        |tally, _| tally.resolve.p90(),
    ),
    figure(
        "deployments",
        Unit::Count,
        MORE,
        "deployment frequency: deployments into the live environment that succeeded",
        |tally, _| counted(tally.deployments),
    ),
    figure("deployments_per_week", Unit::Mean, MORE, "the same for each week", |tally, days| {
        (days > 0).then(|| Amount { n: u64::from(tally.deployments) * 7, of: days })
    }),
    figure(
        "change_lead_time_median",
        Unit::Seconds,
        LESS,
        "from when a change was merged until the deployment that brought it live had succeeded: the median",
        |tally, _| tally.leads.median(),
    ),
    figure(
        "change_lead_time_p90",
        Unit::Seconds,
        LESS,
        "from when a change was merged until the deployment that brought it live had succeeded: nine in ten took no longer",
        |tally, _| tally.leads.p90(),
    ),
    figure(
        "change_fail_rate",
        Unit::Share,
        LESS,
        "of the deployments, those that had to be put right: rolled back, or the cause of an incident",
        |tally, _| share(tally.failed, tally.deployments),
    ),
    figure(
        "failed_deployment_recovery_time_median",
        Unit::Seconds,
        LESS,
        "from when such a deployment began to fail until users were well again: the median",
        |tally, _| tally.recovery.median(),
    ),
    figure(
        "failed_deployment_recovery_time_p90",
        Unit::Seconds,
        LESS,
        "from when such a deployment began to fail until users were well again: nine in ten took no longer",
        |tally, _| tally.recovery.p90(),
    ),
    figure(
        "deployment_rework_rate",
        Unit::Share,
        LESS,
        "of the deployments, those that were made to put something right: a revert, a rollback or an expedited fix",
        |tally, _| share(tally.rework, tally.deployments),
    ),
    figure(
        "judged_incidents",
        Unit::Count,
        None,
        "incidents of which somebody who knows has said which change of ours it was",
        |tally, _| counted(tally.judged),
    ),
    figure(
        "suspects_hit_at_1",
        Unit::Share,
        MORE,
        "of the judged incidents, those in which that change was the first suspect",
        |tally, _| share(tally.first, tally.judged),
    ),
    figure("suspects_hit_at_3", Unit::Share, MORE, "the same, among the first three", |tally, _| {
        share(tally.three, tally.judged)
    }),
    figure("suspects_hit_at_5", Unit::Share, MORE, "the same, among the first five", |tally, _| {
        share(tally.five, tally.judged)
    }),
    figure("pages", Unit::Count, LESS, "pages of these incidents, each repetition too", |tally, _| {
        counted(tally.pages)
    }),
    figure(
        "wrong_pages",
        Unit::Count,
        LESS,
        "of the people who were paged for a change, those whose change it was not; once for each person and incident",
        |tally, _| Some(Amount { n: wrong(tally).sum(), of: 1 }),
    ),
    figure(
        "wrong_pages_per_person",
        Unit::Mean,
        LESS,
        "the same for each person and month in which they were paged for a change",
        |tally, _| per_person(tally),
    ),
    figure(
        "wrong_pages_most",
        Unit::Count,
        LESS,
        "the most that anybody had in one month; who it was is not kept",
        |tally, _| Some(Amount { n: wrong(tally).max().unwrap_or(0), of: 1 }),
    ),
    figure(
        "rotation_pages_avoided",
        Unit::Share,
        MORE,
        "of the incidents for which anybody was paged, those in which neither the rotation nor the owner was",
        |tally, _| share(tally.spared, tally.paged),
    ),
    figure(
        "pages_off_hours",
        Unit::Share,
        LESS,
        "of the pages, those outside the working hours of whom they went to",
        |tally, _| share(tally.off_hours, tally.pages),
    ),
    figure(
        "queue_age_median",
        Unit::Seconds,
        LESS,
        "how long the oldest change of a release had waited when it was live: the median",
        |tally, _| tally.ages.median(),
    ),
    figure(
        "queue_age_p90",
        Unit::Seconds,
        LESS,
        "how long the oldest change of a release had waited when it was live: nine in ten waited no longer",
        |tally, _| tally.ages.p90(),
    ),
    figure("release_size_median", Unit::Mean, LESS, "how many changes a release brought: the median", |tally, _| {
        tally.sizes.median()
    }),
    figure(
        "release_size_p90",
        Unit::Mean,
        LESS,
        "how many changes a release brought: nine in ten brought no more",
        |tally, _| tally.sizes.p90(),
    ),
    figure(
        "stalled_deployments",
        Unit::Count,
        LESS,
        "deployments into any environment that failed or were aborted",
        |tally, _| Some(Amount { n: tally.stalled.values().copied().map(u64::from).sum(), of: 1 }),
    ),
    figure("freezes", Unit::Count, None, "freezes that ended; of the service freezes only", |tally, _| {
        Some(Amount { n: tally.freezes.count(), of: 1 })
    }),
    figure("freeze_time", Unit::Seconds, None, "how long they lasted, together", |tally, _| {
        (!tally.freezes.is_empty()).then(|| Amount { n: tally.freezes.sum(), of: 1 })
    }),
    figure(
        "expedites_asked",
        Unit::Count,
        None,
        "fixes that somebody asked to let pass a freeze; of the service freezes only",
        |tally, _| counted(tally.asked),
    ),
    figure("expedites_granted", Unit::Count, None, "of these, those that might pass", |tally, _| {
        counted(tally.granted)
    }),
    figure("expedites_refused", Unit::Count, None, "of these, those that somebody refused", |tally, _| {
        counted(tally.refused)
    }),
];
