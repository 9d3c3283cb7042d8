//! Flapping: how often within an hour, how severe, and until when nobody is paged.

use super::*;
use crate::testing::{World, alert, at};

/// Why nobody is paged at 15:00 for what fired again at these times.
fn held(severity: Severity, again: &[Timestamp]) -> Option<Hold> {
    let mut world = World::new();
    world.until(at("13:00")).alert(&[alert("Down", at("13:00"), None)]);
    let mut incident = world.situation.incidents.values().next().unwrap().value.clone();
    (incident.severity, incident.reopened) = (severity, again.to_vec());
    hold(&incident, (&world.service, Mode::Page), [], at("15:00"))
}

#[test]
fn three_times_within_an_hour_it_flaps_until_it_has_fired_for_ten_minutes() {
    let second = SignedDuration::from_secs(1);
    let flaps = |times| Some(Hold { reason: Reason::Flapping { times }, until: Some(at("15:05")) });
    let (first, last) = (at("14:00") + second, at("14:55"));
    assert_eq!(held(Severity::Warning, &[first, at("14:30"), last]), flaps(3));
    assert_eq!(held(Severity::Warning, &[at("14:00"), at("14:30"), last]), None, "an hour ago");
    assert_eq!(held(Severity::Warning, &[at("14:00"), first, at("14:30"), last]), flaps(3));
    assert_eq!(held(Severity::Warning, &[at("14:30"), last]), None);
    assert_eq!(held(Severity::Critical, &[first, at("14:30"), last]), None, "never of what is most severe");
    let quiet = [at("14:20"), at("14:30"), at("14:50")];
    assert_eq!(held(Severity::Warning, &quiet), None, "it has fired for ten minutes");
    assert_eq!(
        held(Severity::Warning, &[at("14:20"), at("14:30"), at("14:50") + second]).map(|hold| hold.until),
        Some(Some(at("15:00") + second))
    );
}

#[test]
fn what_is_less_severe_than_the_service_pages_for_is_held_until_it_worsens() {
    assert_eq!(held(Severity::Warning, &[]), None);
    let reason = Reason::NotSevereEnough { severity: Severity::Info };
    assert_eq!(held(Severity::Info, &[]), Some(Hold { reason, until: None }));
}
