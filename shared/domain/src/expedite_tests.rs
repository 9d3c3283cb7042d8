//! What an expedite takes at which kind of freeze, and how it stands.

use super::*;
use crate::freeze::{Declared, Preset, Scope, Stops};
use crate::testing::{at, repository, settings};

fn declared(id: &str, preset: Preset, stops: Option<Stops>) -> Declared {
    Declared {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        stops: stops.unwrap_or(preset.stops()),
        rotation_signs: preset.rotation_signs(),
        scope: Scope::default(),
        zone: "UTC".to_owned(),
        from: at("10:00"),
        until: at("Mon 10:00"),
        by: "olga".parse().unwrap(),
        declared_at: at("09:00"),
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

fn asked(reason: &str) -> Expedite {
    Expedite {
        repository: repository(),
        number: 7,
        title: String::new(),
        url: None,
        by: "feanil".parse().unwrap(),
        at: at("12:00"),
        way: Way::Label,
        heard_at: at("12:00"),
        head: None,
        reason: reason.to_owned(),
        signed: vec![],
        over: None,
        passed: None,
        told: [].into(),
        counted: false,
    }
}

#[test]
fn what_it_takes_follows_from_the_freezes_that_hold() {
    let advisory = Stops { merges: Some(Strength::Advise), deployments: Some(Strength::Advise) };
    let merges = Stops { merges: Some(Strength::Require), deployments: None };
    for (freezes, want) in [
        (vec![], (false, false)),
        (vec![declared("weekend", Preset::Weekend, None)], (false, false)),
        (vec![declared("soft", Preset::Holiday, Some(advisory))], (false, false)),
        (vec![declared("week", Preset::Holiday, None)], (true, false)),
        (vec![declared("merges", Preset::Hackathon, Some(merges))], (true, false)),
        (vec![declared("monday", Preset::PeakEvent, None)], (true, true)),
        (
            vec![declared("monday", Preset::PeakEvent, None), declared("soft", Preset::Holiday, Some(advisory))],
            (true, true),
        ),
        // A peak event that only advises is one all the same.
        (vec![declared("monday", Preset::PeakEvent, Some(advisory))], (true, true)),
    ] {
        let freezes = Freezes { configured: &[], feeds: [].into(), declared: freezes.iter().collect() };
        let needs = needs(&holding(&freezes, &settings(), &repository(), at("12:00")));
        assert_eq!((needs.approver, needs.rotation), want);
    }
}

#[test]
fn it_passes_once_there_is_a_reason_and_everybody_has_signed_whom_it_takes() {
    let signed =
        |who: &str, approver, rotation| Signed { person: who.parse().unwrap(), at: at("13:00"), approver, rotation };
    let both = Needs { approver: true, rotation: true };
    let one = Needs { approver: true, rotation: false };
    let mut fix = asked("");
    assert_eq!(fix.standing(Needs::default(), at("12:01")), Standing::NeedsReason);
    fix.reason = "checkout fails".to_owned();
    assert_eq!(fix.standing(Needs::default(), at("12:01")), Standing::Granted);
    assert_eq!(fix.standing(one, at("12:01")), Standing::AwaitsApprover);
    fix.signed.push(signed("olga", true, false));
    assert_eq!(fix.standing(one, at("13:01")), Standing::Granted);
    assert_eq!(fix.standing(both, at("13:01")), Standing::AwaitsRotation);
    fix.signed.push(signed("anna", false, true));
    assert_eq!(fix.standing(both, at("13:01")), Standing::Granted);
    // It lasts for a day from what was said last.
    assert_eq!(fix.standing(both, at("Sat 12:59")), Standing::Granted);
    assert_eq!(fix.standing(both, at("Sat 13:00")), Standing::Lapsed);
    fix.over = Some((at("14:00"), "olga".parse().unwrap(), Over::Refused { why: "wait".to_owned() }));
    assert_eq!(fix.standing(both, at("14:00")), Standing::Refused);
}

#[test]
fn owners_approve_unless_the_configuration_names_others_and_outsiders_never_ask() {
    let mut settings = settings();
    let names = |all: BTreeSet<&PersonId>| all.into_iter().map(|id| id.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(approvers(&settings, &repository())), "olga");
    assert_eq!(names(rotation(&settings, &repository())), "anna");
    assert!(may_ask(&settings, &"usama".parse().unwrap()));
    assert!(!may_ask(&settings, &"nobody".parse().unwrap()));
    settings.lane.approvers.insert("usama".parse().unwrap());
    settings.lane.may.insert("feanil".parse().unwrap());
    assert_eq!(names(approvers(&settings, &repository())), "usama");
    assert!(!may_ask(&settings, &"usama".parse().unwrap()));
    assert!(may_ask(&settings, &"feanil".parse().unwrap()));
}

#[test]
fn who_could_sign_for_both_is_counted_where_it_helps_and_nobody_twice() {
    let both = Needs { approver: true, rotation: true };
    let signed =
        |who: &str, approver, rotation| Signed { person: who.parse().unwrap(), at: at("13:00"), approver, rotation };
    let mut fix = asked("checkout fails");
    // Anna may sign as either. One signature is never two.
    fix.signed.push(signed("anna", true, true));
    assert_ne!(fix.standing(both, at("13:01")), Standing::Granted);
    // Whoever comes next, of either kind, makes it whole.
    for (approver, rotation) in [(true, false), (false, true), (true, true)] {
        assert!(fix.is_furthered_by(&signed("olga", approver, rotation), both));
        let whole = Expedite { signed: vec![fix.signed[0].clone(), signed("olga", approver, rotation)], ..fix.clone() };
        assert_eq!(whole.standing(both, at("13:01")), Standing::Granted);
    }
    assert!(!fix.is_furthered_by(&signed("feanil", true, true), both), "nobody for themselves");
    // Two approvers are no rotation.
    let two = Expedite { signed: vec![signed("olga", true, false), signed("usama", true, false)], ..fix.clone() };
    assert_eq!(two.standing(both, at("13:01")), Standing::AwaitsRotation);
}

#[test]
fn it_is_known_by_its_repository_and_number_as_the_word_by_which_it_passes() {
    let fix = asked("users cannot pay");
    assert_eq!((fix.label().as_str(), fix.key().as_str()), ("edx-platform#7", "openedx/edx-platform@7"));
    assert_eq!(fix.granted().key(), fix.key());
}

#[test]
fn nobody_counts_for_both_and_only_what_is_needed_counts() {
    let signed =
        |who: &str, approver, rotation| Signed { person: who.parse().unwrap(), at: at("12:10"), approver, rotation };
    let both = Needs { approver: true, rotation: true };
    let approver = Needs { approver: true, rotation: false };
    for (signatures, needs, want) in [
        (vec![], both, 0),
        (vec![signed("anna", true, true)], both, 1),
        (vec![signed("anna", true, true), signed("olga", true, false)], both, 2),
        (vec![signed("anna", true, false), signed("olga", true, false)], both, 1),
        (vec![signed("anna", false, true)], approver, 0),
        (vec![signed("anna", true, true), signed("olga", false, true)], approver, 1),
        (vec![signed("anna", true, true)], Needs::default(), 0),
    ] {
        assert_eq!(Expedite::covered(&signatures, needs), want, "{signatures:?}");
    }
    let mut fix = asked("users cannot pay");
    assert!(fix.is_furthered_by(&signed("anna", true, false), approver));
    assert!(!fix.is_furthered_by(&signed("feanil", true, false), approver), "who asked does not sign");
    fix.signed.push(signed("anna", true, false));
    assert!(!fix.is_furthered_by(&signed("olga", true, false), approver), "one is enough");
}

#[test]
fn the_word_by_which_it_passed_ends_when_it_is_taken_back_or_asked_for_anew() {
    let mut fix = asked("users cannot pay");
    let passed = fix.granted();
    let until = |fix: &Expedite| fix.cut(passed.clone()).until;
    assert_eq!(until(&fix), passed.until);
    fix.at = at("11:00");
    assert_eq!(until(&fix), passed.until, "asked for before");
    fix.at = at("15:00");
    assert_eq!(until(&fix), at("15:00"));
    fix.over = Some((at("14:00"), "feanil".parse().unwrap(), Over::Withdrawn));
    assert_eq!(until(&fix), at("14:00"));
    assert_eq!(fix.cut(passed.clone()).reason, passed.reason);
}
