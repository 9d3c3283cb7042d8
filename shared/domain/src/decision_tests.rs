//! How much of a transaction decisions take.

use super::*;
use crate::testing::{World, alert, at};

#[test]
fn everything_that_is_written_counts_and_an_incident_that_leaves_thrice() {
    let mut world = World::new();
    world.alert(&[alert("HighErrorRate", at("12:00"), None)]);
    let id = world.situation.incidents.keys().next().unwrap().clone();
    let mut decisions = Decisions::none(&"edxapp".parse().unwrap(), Wake::Now);
    assert_eq!(decisions.actions(), 1, "the clock");
    decisions.drop_record(RecordKey::Queue, 1);
    assert_eq!(decisions.actions(), 2);
    decisions.drop_record(RecordKey::Incident(id), 1);
    assert_eq!(decisions.actions(), 5);
    decisions.log(at("12:00"), None, None, String::new(), Reason::NoSuspect);
    assert_eq!(decisions.actions(), 6);
    decisions.tell(world.told[0].clone());
    assert_eq!(decisions.actions(), 8, "with its line");
    assert_eq!(decisions.room(), (MOST_ACTIONS - 8) / 2);
    decisions.facts.push(crate::measures::Fact::Failed { at: at("12:00"), recovery: None });
    assert_eq!(decisions.periods(), Period::all_of(at("12:00")).into_iter().collect());
    assert_eq!(decisions.actions(), 8 + decisions.periods().len());
}

#[test]
fn each_transaction_writes_the_clock_once_more() {
    let mut situation = crate::Situation::empty("edxapp".parse().unwrap());
    let decisions = Decisions::none(&situation.service, Wake::Now);
    let revisions = [1, 2, 3].map(|_| {
        situation.apply(&decisions, jiff::Timestamp::UNIX_EPOCH);
        situation.clock.rev
    });
    assert_eq!(revisions, [1, 2, 3], "who read it before has to read it anew");
}
