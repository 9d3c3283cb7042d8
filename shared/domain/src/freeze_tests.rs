//! What holds at a moment, against the stored times.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{at, repository, service};

fn declared(id: &str, stops: Stops, from: Timestamp, until: Timestamp) -> Declared {
    Declared {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        stops,
        rotation_signs: false,
        scope: Scope::default(),
        zone: "UTC".to_owned(),
        from,
        until,
        by: "olga".parse().unwrap(),
        declared_at: from,
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

fn both(strength: Strength) -> Stops {
    Stops { merges: Some(strength), deployments: Some(strength) }
}

fn freezes(declared: &[Declared]) -> Freezes<'_> {
    Freezes { configured: &[], feeds: [].into(), declared: declared.iter().collect() }
}

#[test]
fn the_strongest_counts_and_those_that_touch_are_one() {
    let service = service();
    let all = [
        declared("week", both(Strength::Advise), at("12:00"), at("Mon 12:00")),
        declared("sale", both(Strength::Require), at("18:00"), at("Sat 06:00")),
        declared("after", both(Strength::Require), at("Sat 06:00"), at("Sat 08:00")),
        declared("later", both(Strength::Advise), at("Tue 00:00"), at("Tue 01:00")),
    ];
    let ask = |when| freezes(&all).answer(&Question::about(Side::Deployments, &service, None), at(when));
    let names = |answer: &Answer<'_>| answer.because.iter().map(|one| one.name.to_owned()).collect::<Vec<_>>();
    let next = |answer: &Answer<'_>| answer.next.map(|one| one.name.to_owned());

    let before = ask("11:59");
    assert_eq!((before.strength, before.until, next(&before).as_deref()), (None, None, Some("week")));
    let first = ask("12:00");
    assert_eq!((first.strength, first.until), (Some(Strength::Advise), Some(at("Mon 12:00"))));
    assert!(first.may() && next(&first).as_deref() == Some("sale"));
    let hard = ask("23:00");
    assert_eq!((hard.strength, hard.until), (Some(Strength::Require), Some(at("Sat 08:00"))), "two touch");
    assert!(!hard.may() && names(&hard) == ["sale", "week"]);
    let soft = ask("Sat 08:00");
    assert_eq!(
        (soft.strength, soft.until, names(&soft)),
        (Some(Strength::Advise), Some(at("Mon 12:00")), vec!["week".to_owned()])
    );
    let over = ask("Mon 12:00");
    assert_eq!((over.strength, next(&over).as_deref()), (None, Some("later")));
    assert_eq!(ask("Tue 01:00").next, None);
}

#[test]
fn it_is_about_what_it_names_and_about_everything_where_it_names_nothing() {
    let (service, other) = (service(), Service { id: "discovery".parse().unwrap(), repositories: vec![], ..service() });
    let production: EnvironmentName = "production".parse().unwrap();
    let stage: EnvironmentName = "stage".parse().unwrap();
    let one = |scope: Scope| {
        let freeze = Declared { scope, ..declared("x", both(Strength::Require), at("12:00"), at("13:00")) };
        let may = |question: Question<'_>| freezes(std::slice::from_ref(&freeze)).answer(&question, at("12:30")).may();
        [
            may(Question::about(Side::Deployments, &service, Some(&production))),
            may(Question::about(Side::Deployments, &service, Some(&stage))),
            may(Question::about(Side::Deployments, &other, None)),
            may(Question::about(Side::Merges, &service, None)),
        ]
    };
    assert_eq!(one(Scope::default()), [false, false, false, false]);
    let services = [service.id.clone()].into();
    assert_eq!(one(Scope { services, ..Scope::default() }), [false, false, true, false]);
    let environments = [production.clone()].into();
    assert_eq!(one(Scope { environments, ..Scope::default() }), [false, true, false, false]);
    let repositories = ["OpenEdX/edx-*".to_owned()].into();
    assert_eq!(one(Scope { repositories, ..Scope::default() }), [false, false, true, false]);
    let repositories = ["openedx/other".to_owned()].into();
    assert_eq!(one(Scope { repositories, ..Scope::default() }), [true, true, true, true]);
    assert!(Scope { services: [other.id.clone()].into(), ..Scope::default() }.includes(&other));
}

#[test]
fn a_merge_is_about_every_service_that_it_goes_to() {
    let settings = crate::testing::settings();
    let repository = repository();
    let question = Question::of_merge(&repository, &settings);
    assert_eq!(question.services.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["edxapp"]);
    let mut freeze = declared("x", both(Strength::Advise), at("12:00"), at("13:00"));
    freeze.scope.services = ["edxapp".parse().unwrap()].into();
    let strength = |freeze: &Declared| {
        freezes(std::slice::from_ref(freeze)).answer(&Question::of_merge(&repository, &settings), at("12:00")).strength
    };
    assert_eq!(strength(&freeze), Some(Strength::Advise));
    freeze.scope.services = ["discovery".parse().unwrap()].into();
    assert_eq!(strength(&freeze), None);
    // A freeze of deployments alone says nothing of merges.
    let deployments = Stops { merges: None, deployments: Some(Strength::Require) };
    assert_eq!(strength(&declared("x", deployments, at("12:00"), at("13:00"))), None);
}

#[test]
fn what_was_ended_before_its_time_is_over() {
    let service = service();
    let mut freeze = declared("x", both(Strength::Require), at("12:00"), at("18:00"));
    let may = |freeze: &Declared, when| {
        freezes(std::slice::from_ref(freeze)).answer(&Question::about(Side::Merges, &service, None), at(when)).may()
    };
    assert!(!may(&freeze, "15:00"));
    freeze.ended = Some((at("14:00"), "olga".parse().unwrap()));
    assert!(!may(&freeze, "13:59") && may(&freeze, "14:00") && may(&freeze, "15:00"));
    // Called off before it began, and with an end before its begin: never.
    freeze.ended = Some((at("11:00"), "olga".parse().unwrap()));
    assert!(may(&freeze, "12:00") && may(&freeze, "11:00"));
}

#[test]
fn the_presets_are_those_of_the_product() {
    let said = |name: &str| name.parse::<Preset>().unwrap().stops();
    let backstop = Stops { merges: Some(Strength::Advise), deployments: Some(Strength::Require) };
    assert_eq!(said("weekend"), Stops { merges: None, deployments: Some(Strength::Advise) });
    assert_eq!([said("holiday"), said("hackathon"), said("peak-event")], [backstop; 3]);
}

prop_compose! {
    fn some_freeze()(
        from in 0i64..200, length in 0i64..80, merges in 0usize..3, deployments in 0usize..3, end in proptest::option::of(0i64..260),
    ) -> Declared {
        let minute = |m: i64| at("00:00") + SignedDuration::from_mins(m);
        let strength = |n: usize| [None, Some(Strength::Advise), Some(Strength::Require)][n];
        let stops = Stops { merges: strength(merges), deployments: strength(deployments) };
        let mut freeze = declared("x", stops, minute(from), minute(from + length));
        freeze.ended = end.map(|m| (minute(m), "olga".parse().unwrap()));
        freeze
    }
}

proptest! {
    /// Minute by minute: the answer is what the stored times say, and ends when they say so.
    #[test]
    fn the_answer_is_what_the_stored_times_say(all in vec(some_freeze(), 0..8), minute in 0i64..300) {
        let service = service();
        let when = |m: i64| at("00:00") + SignedDuration::from_mins(m);
        for side in [Side::Merges, Side::Deployments] {
            let naive = |moment: Timestamp| {
                all.iter().filter(|f| f.from <= moment && moment < f.over_at()).filter_map(|f| f.stops.of(side)).max()
            };
            let answer = freezes(&all).answer(&Question::about(side, &service, None), when(minute));
            prop_assert_eq!(answer.strength, naive(when(minute)));
            prop_assert_eq!(answer.until.is_some(), answer.strength.is_some());
            if let Some(until) = answer.until {
                // Until then it is at least as strong, and then it is not.
                let mut moment = minute;
                while when(moment) < until {
                    prop_assert!(naive(when(moment)) >= answer.strength);
                    moment += 1;
                }
                prop_assert!(naive(until) < answer.strength);
            }
            let begins = all.iter().filter(|f| f.from > when(minute) && f.from < f.over_at() && f.stops.of(side).is_some());
            prop_assert_eq!(answer.next.map(|one| one.from), begins.map(|f| f.from).min());
        }
    }
}

#[test]
fn a_freeze_holds_a_service_where_it_is_about_it_and_its_live_environment() {
    let service = service();
    let scope = |services: &[&str], environments: &[&str]| Scope {
        services: services.iter().map(|id| id.parse().unwrap()).collect(),
        environments: environments.iter().map(|name| name.parse().unwrap()).collect(),
        ..Scope::default()
    };
    for (scope, includes, holds) in [
        (scope(&[], &[]), true, true),
        (scope(&["edxapp"], &[]), true, true),
        (scope(&["shop"], &[]), false, false),
        (scope(&["edxapp"], &["production"]), true, true),
        (scope(&["edxapp"], &["stage"]), true, false),
        (scope(&["shop"], &["production"]), false, false),
    ] {
        assert_eq!((scope.includes(&service), scope.holds(&service)), (includes, holds), "{scope:?}");
    }
}

#[test]
fn what_is_ended_before_it_begins_is_called_off_and_whose_word_it_is_is_known() {
    let mut declared = declared("week", both(Strength::Advise), at("12:00"), at("Mon 12:00"));
    for (ended, called_off) in [(None, false), (Some("11:59"), true), (Some("12:00"), true), (Some("12:01"), false)] {
        declared.ended = ended.map(|when| (at(when), "anna".parse().unwrap()));
        assert_eq!(declared.is_called_off(), called_off, "{ended:?}");
    }
    let occurrence = declared.occurrence(declared.until);
    assert_eq!(occurrence.by().map(PersonId::as_str), Some("olga"));
    assert_eq!(Occurrence { source: Source::Configuration, ..occurrence }.by(), None);
}

#[test]
fn all_about_one_says_what_it_asks_for_when_and_by_whose_word() {
    let of = |ended: Option<&str>| {
        let ended = ended.map(|when| (at(when), "anna".parse().unwrap()));
        let sale = Declared { ended, ..declared("sale", both(Strength::Require), at("12:00"), at("18:00")) };
        let known = [sale];
        let freezes = freezes(&known);
        let off: Vec<String> = freezes.called_off().map(|one| format!("{} until {}", one.name, one.until)).collect();
        let roster = crate::testing::settings().roster;
        let said = crate::wording::freezes::details(&known[0].occurrence(known[0].until), &roster);
        (off, said.join("\n"))
    };
    assert!(of(None).0.is_empty() && of(Some("15:00")).0.is_empty());
    assert_eq!(of(Some("11:00")).0, ["sale until 2026-03-20T18:00:00Z"], "before it began");
    assert_eq!(of(Some("12:00")).0.len(), 1, "as it began");
    expect_test::expect![[r#"
        Nothing is merged; nothing is deployed. For every service.
        2026-03-20 12:00 to 18:00 (UTC).
        Olga declared it.

        Nothing is merged; nothing is deployed. For every service.
        2026-03-20 12:00 to 18:00 (UTC).
        Olga declared it.
        Anna ended it before its time.

        Nothing is merged; nothing is deployed. For every service.
        2026-03-20 12:00 to 18:00 (UTC).
        Olga declared it.
        Anna called it off."#]]
    .assert_eq(&[None, Some("15:00"), Some("11:00")].map(|ended| of(ended).1).join("\n\n"));
}

#[test]
fn that_one_has_changed_is_told_each_minute_anew() {
    let known = [declared("sale", both(Strength::Require), at("12:00"), at("18:00"))];
    let (settings, service) = (crate::testing::settings(), service());
    let told = |when: &str| {
        let (person, now) = (&service.owners[0], at(when));
        let reader = crate::wording::Reader { settings: &settings, service: &service, person, now };
        crate::wording::freezes::changed(reader, &known[0].occurrence(at("18:00")))
    };
    assert_eq!(i64::from(told("13:00").key.nth), at("13:00").as_second() / 60);
    assert_eq!(i64::from(told("13:01").key.nth), at("13:01").as_second() / 60);
    let id: crate::FreezeId = "sale".parse().unwrap();
    assert_eq!(told("13:00").ends, Some(id), "who declared it may end it");
}

#[test]
fn eight_services_of_a_freeze_are_named_and_further_ones_counted() {
    let words = |count: usize| {
        let services = (1..=count).map(|n| format!("s{n}").parse().unwrap()).collect();
        Scope { services, ..Scope::default() }.in_words()
    };
    assert_eq!((words(0).as_str(), words(2).as_str()), ("every service", "s1, s2"));
    assert_eq!(words(8), "s1, s2, s3, s4, s5, s6, s7, s8");
    assert!(words(10).ends_with(" and 2 more"), "{}", words(10));
}
