//! The bounded record of a service's past.

use super::*;

fn touches<'a>(author: &'a str, title: &'a str, paths: &'a [&'a str]) -> Touches<'a> {
    Touches { author, title, paths }
}

#[test]
fn what_had_landed_before_says_what_to_think_of_a_change() {
    let mut past = Past::default();
    let risky = touches("ann", "Billing", &["billing/charge.py", "billing/tax.py"]);
    let calm = touches("ben", "Help", &["help/page.py"]);
    for _ in 0..30 {
        past.landed(risky, false);
        past.landed(calm, false);
    }
    for _ in 0..6 {
        past.taken_back(risky);
    }
    let (of_risky, of_calm) = (past.traits(risky), past.traits(calm));
    assert!(of_risky.directory.unwrap() > 0.2 && of_calm.directory.unwrap() < -0.4, "{of_risky:?} {of_calm:?}");
    assert_eq!((of_risky.familiarity, of_calm.familiarity), (Some(1.0), Some(1.0)));
    assert!(of_risky.returns && !of_calm.returns);
    // A colleague who was never there; a title as a squash has it.
    let other = past.traits(touches("ben", "Billing (#12)", &["billing/charge.py", "help/page.py"]));
    assert_eq!((other.familiarity, other.returns), (Some(0.5), true));
    // Of a service that is new to us nothing is said.
    assert_eq!(Past::default().traits(risky), Traits::default());
    // Nothing is said of files that are not known.
    assert_eq!(past.traits(touches("ann", "Else", &[])), Traits::default());
}

#[test]
fn a_revert_is_no_change_but_its_author_has_seen_the_files() {
    let mut past = Past::default();
    (0..10).for_each(|_| past.landed(touches("ben", "Help", &["help/page.py"]), false));
    past.landed(touches("ann", "Revert \"Billing\"", &["billing/charge.py"]), true);
    assert_eq!(past.counted(), (10, 0));
    assert_eq!(past.traits(touches("ann", "x", &["billing/charge.py"])).familiarity, Some(1.0));
}

#[test]
fn a_services_own_incidents_bend_what_holds_elsewhere_a_little() {
    let mut past = Past::default();
    assert!(past.pace().abs() < f64::EPSILON);
    assert!((past.among(0.8) - 0.8).abs() < 1e-9);
    (0..1_000).for_each(|_| past.caused(SignedDuration::from_hours(100)));
    assert!((past.pace() - MOST_PACE).abs() < f64::EPSILON, "bounded");
    let mut past = Past::default();
    (0..1_000).for_each(|_| past.caused(SignedDuration::from_secs(30)));
    assert!((past.pace() + MOST_PACE).abs() < f64::EPSILON, "bounded");
    let mut hopeless = Past::default();
    (0..1_000).for_each(|_| hopeless.caused_by_none());
    assert!((hopeless.among(0.8) - 0.5).abs() < 1e-9, "bounded");
    (0..10).for_each(|_| past.caused_by_none());
    assert!(past.among(0.8) < 1.0 && past.judged() == (1_000, 10));
}

#[test]
fn it_stays_small_and_comes_back_as_it_was() {
    let mut past = Past::default();
    for i in 0..50_000 {
        let path = format!("d{}/f{i}.py", i % 900);
        let paths = [path.as_str()];
        past.landed(touches("ann", "x", &paths), false);
        if i % 20 == 0 {
            past.taken_back(touches("ann", &format!("t{i}"), &paths));
        }
    }
    assert!(past.counted().0 < ROLLS_AT, "the older half counts half");
    let json = serde_json::to_string(&past).unwrap();
    assert_eq!(serde_json::from_str::<Past>(&json).unwrap(), past);
    // As the table keeps it: 2 kB of counts, 4 kB and 1 kB of marks.
    let bytes = json.matches(',').count();
    assert!(bytes < 7_300, "{bytes}");
    // What was never seen is hardly ever taken for known.
    let new = |i: &u32| past.traits(touches("ben", &format!("n{i}"), &[&format!("e{i}/g{i}.py")]));
    let wrong = (0..1_000).map(|i| new(&i)).filter(|traits| traits.returns || traits.familiarity != Some(0.0)).count();
    assert!(wrong < 100, "{wrong} of a thousand");
    // What another program wrote in another size begins anew.
    let other: Past = serde_json::from_str(r#"{"changes": 3, "directories": [1, 2], "known": [7]}"#).unwrap();
    assert_eq!(other.counted(), (3, 0));
}

#[test]
fn in_whatever_order_changes_leave_it_is_the_same() {
    let all: Vec<(String, [String; 2])> =
        (0..40).map(|i| (format!("p{}", i % 7), [format!("a{}/x", i % 5), format!("b{i}/y")])).collect();
    let count = |order: &mut dyn Iterator<Item = usize>| {
        let mut past = Past::default();
        for i in order {
            let paths: Vec<&str> = all[i].1.iter().map(String::as_str).collect();
            past.landed(touches(&all[i].0, "t", &paths), false);
            if i % 3 == 0 {
                past.taken_back(touches(&all[i].0, "t", &paths));
            }
        }
        past
    };
    assert_eq!(count(&mut (0..40)), count(&mut (0..40).rev()));
}

#[test]
fn how_much_oftener_than_usual_a_directory_is_taken_back_is_reckoned_with_doubt() {
    let mut past = Past::default();
    let risky = touches("ann", "Billing", &["billing/charge.py"]);
    let calm = touches("ben", "Help", &["help/page.py"]);
    (0..30).for_each(|_| past.landed(risky, false));
    (0..30).for_each(|_| past.landed(calm, false));
    (0..6).for_each(|_| past.taken_back(risky));
    // Usual are (6 + 1) of (60 + 50); 20 changes of doubt: ln of (6 + 20 × 7/110) of (30 + 20), and of 20 × 7/110 of 50, by that.
    let of = |change| past.traits(change).directory.unwrap();
    assert!((of(risky) - 0.826_679).abs() < 1e-5, "{}", of(risky));
    assert!((of(calm) + 0.916_291).abs() < 1e-5, "{}", of(calm));
    // Of two directories the worse one counts; one that nobody knows is as good as usual.
    assert!((of(touches("ann", "x", &["help/a.py", "billing/b.py"])) - of(risky)).abs() < 1e-9);
    assert!(of(touches("ann", "x", &["new/a.py"])).abs() < 1e-9);
}

#[test]
fn that_a_title_was_taken_back_is_known_before_anything_else_is() {
    let mut past = Past::default();
    let change = touches("ann", "Billing", &["billing/charge.py"]);
    (0..9).for_each(|_| past.landed(change, false));
    past.taken_back(change);
    assert_eq!(
        past.traits(change),
        Traits { returns: true, ..Traits::default() },
        "nine changes say nothing of folders"
    );
    past.landed(change, false);
    let ten = past.traits(change);
    assert!(ten.returns && ten.directory.is_some() && ten.familiarity == Some(1.0), "{ten:?}");
}

#[test]
fn after_many_changes_what_is_known_counts_half() {
    let mut past = Past::default();
    let change = touches("ann", "Billing", &["billing/charge.py"]);
    (0..5).for_each(|_| past.taken_back(change));
    (1..ROLLS_AT).for_each(|_| past.landed(change, false));
    assert_eq!((past.counted(), past.directories.of("billing")), ((19_999, 5), (19_999, 5)));
    past.landed(change, false);
    assert_eq!((past.counted(), past.directories.of("billing")), ((10_000, 2), (10_000, 2)));
}
