//! What the desk of freezes posts at services and at the desks of repositories.

use super::*;
use crate::freeze::{Declared, Scope, Stops};
use crate::testing::{at, repository, settings};

fn declared(id: &str, merges: Option<Strength>, deployments: Option<Strength>, from: &str, until: &str) -> Declared {
    Declared {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        stops: Stops { merges, deployments },
        rotation_signs: false,
        scope: Scope::default(),
        zone: "UTC".to_owned(),
        from: at(from),
        until: at(until),
        by: "olga".parse().unwrap(),
        declared_at: at("09:00"),
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

fn granted(number: u64, repository: &str) -> Granted {
    Granted {
        repository: repository.parse().unwrap(),
        number,
        by: "usama".parse().unwrap(),
        at: at("12:00"),
        until: at("23:00"),
        head: None,
        reason: "users cannot pay".into(),
        signed: vec![],
    }
}

/// What is posted at the service and at its repository's desk.
fn posted(all: &[Declared], fixes: &[Granted], now: &str) -> (Posted, Posted) {
    let (settings, freezes) =
        (settings(), Freezes { configured: &[], feeds: [].into(), declared: all.iter().collect() });
    let mut wanted = wanted(&freezes, (fixes, fixes), &settings, at(now));
    let (desk, _) = settings.merge_desks().find(|(_, of)| **of == repository()).unwrap();
    (wanted.remove(&"edxapp".parse().unwrap()).unwrap_or_default(), wanted.remove(&desk.id).unwrap_or_default())
}

const REQUIRE: Option<Strength> = Some(Strength::Require);
const ADVISE: Option<Strength> = Some(Strength::Advise);

#[test]
fn a_service_knows_what_stops_its_merges_and_which_deployments_have_to_wait() {
    let of = |merges, deployments| {
        let (at_service, _) = posted(&[declared("week", merges, deployments, "12:00", "Mon 12:00")], &[], "11:00");
        at_service.freezes.first().map(|one| (one.merges, one.deployments, one.from, one.until))
    };
    let (from, until) = (at("12:00"), at("Mon 12:00"));
    assert_eq!(of(ADVISE, None), Some((true, false, from, until)));
    assert_eq!(of(None, REQUIRE), Some((false, true, from, until)));
    assert_eq!(of(REQUIRE, ADVISE), Some((true, false, from, until)));
    assert_eq!(of(None, ADVISE), None, "nobody waits for that");
    let mut stage = declared("stage", None, REQUIRE, "12:00", "Mon 12:00");
    stage.scope.environments = ["stage".parse().unwrap()].into();
    assert_eq!(posted(&[stage], &[], "11:00").0.freezes, []);
    let mut shop = declared("shop", REQUIRE, REQUIRE, "12:00", "Mon 12:00");
    shop.scope.services = ["shop".parse().unwrap()].into();
    assert_eq!(posted(&[shop], &[], "11:00").0.freezes, []);
}

#[test]
fn it_holds_from_when_it_was_declared_and_what_was_over_by_then_is_not_posted() {
    let mut late = declared("late", REQUIRE, REQUIRE, "08:00", "20:00");
    assert_eq!(posted(std::slice::from_ref(&late), &[], "12:00").0.freezes[0].from, at("09:00"));
    late.widened_at = Some(at("11:00"));
    let (at_service, _) = posted(std::slice::from_ref(&late), &[], "12:00");
    assert_eq!((at_service.freezes[0].from, at_service.waits_until), (at("11:00"), Some(at("20:00"))));
    for (until, posted) in [("11:00", 0), ("11:01", 1)] {
        late.until = at(until);
        assert_eq!(self::posted(std::slice::from_ref(&late), &[], "12:00").0.freezes.len(), posted, "{until}");
    }
}

#[test]
fn what_was_lately_is_posted_for_a_week_and_what_comes_within_a_month() {
    let count = |now: Timestamp| {
        let all = [declared("day", REQUIRE, REQUIRE, "12:00", "Sat 12:00")];
        let freezes = Freezes { configured: &[], feeds: [].into(), declared: all.iter().collect() };
        let wanted = wanted(&freezes, (&[], &[]), &settings(), now);
        wanted.get(&"edxapp".parse().unwrap()).map_or(0, |posted| posted.freezes.len())
    };
    let (hour, day) = (SignedDuration::from_hours(1), SignedDuration::from_hours(24));
    assert_eq!(count(at("Sat 12:00") + 7 * day - hour), 1);
    assert_eq!(count(at("Sat 12:00") + 7 * day + hour), 0);
    assert_eq!(count(at("12:00") - 31 * day + hour), 1);
    assert_eq!(count(at("12:00") - 31 * day - hour), 0);
}

#[test]
fn fixes_are_posted_where_their_repository_is() {
    let fixes = [granted(12, "openedx/edx-platform"), granted(13, "openedx/other")];
    let (at_service, at_desk) = posted(&[], &fixes, "12:00");
    assert_eq!((at_service.expedites.as_slice(), at_service.passing), (&fixes[..1], vec![fixes[0].key()]));
    assert_eq!(at_desk.expedites, fixes[..1]);
    let change = crate::testing::change(12, "usama", at("22:59"));
    assert!(at_service_posted(&fixes).expedite_of(&change).is_some());
    let late = Change { merged_at: at("23:00"), ..change };
    assert!(at_service_posted(&fixes).expedite_of(&late).is_none());
}

fn at_service_posted(fixes: &[Granted]) -> Posted {
    Posted { expedites: fixes.to_vec(), ..Posted::default() }
}

#[test]
fn a_desk_knows_what_holds_for_merges_and_what_will_within_a_day() {
    let all = [declared("week", ADVISE, None, "Sat 12:00", "Mon 12:00")];
    let merging = |now: &str| posted(&all, &[], now).1.merging;
    assert_eq!(merging("11:59"), None);
    let ahead = merging("12:00").unwrap();
    assert_eq!((ahead.strength, ahead.since, ahead.words.as_str()), (None, at("Sat 12:00"), ""));
    let holds = merging("Sat 12:00").unwrap();
    assert_eq!((holds.strength, holds.since), (ADVISE, at("Sat 12:00")));
    assert_eq!(holds.words, "Merge freeze until Mon 2026-03-23 12:00 UTC: week. Urgent? Comment /expedite <reason>");
    assert_eq!(posted(&[declared("deploy", None, REQUIRE, "10:00", "20:00")], &[], "12:00").1.merging, None);
}

#[test]
fn what_was_posted_later_stays_and_the_same_is_not_written_twice() {
    let mut situation = Situation::empty("edxapp".parse().unwrap());
    let fixes = [granted(12, "openedx/edx-platform")];
    let at_look = |look, fixes: &[Granted]| Posted { look, ..at_service_posted(fixes) };
    let writes = |situation: &Situation, posted: &Posted| hear(posted, situation).writes.len();
    let known = at_look(5, &fixes);
    let decisions = hear(&known, &situation);
    assert_eq!(decisions.writes.len(), 1);
    situation.apply(&decisions, at("12:00"));
    for (posted, want) in [
        (at_look(4, &[]), 0),
        (at_look(5, &[]), 1),
        (at_look(6, &[]), 1),
        (at_look(5, &fixes), 0),
        (at_look(6, &fixes), 0),
    ] {
        assert_eq!(writes(&situation, &posted), want, "{posted:?}");
    }
}
