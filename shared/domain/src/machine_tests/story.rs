//! What may happen, and what may go wrong on the way: one short word for each.

use std::fmt;

use proptest::prelude::*;

use crate::Severity::{self, Critical, Info, Warning};

/// Of the roster. Anna and bert have the rotation, carl owns the service.
pub const PEOPLE: [&str; 6] = ["feanil", "usama", "olga", "anna", "bert", "carl"];
/// The third is over by itself after a while, the fourth is about stage.
pub const ALERTS: [&str; 4] = ["Errors", "Slow", "Canary", "Suite"];

/// How far a function gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It dies after so many steps; 0: nobody ever reached it.
    Dies(usize),
    /// It stops after so many steps, and goes on later.
    Stops(usize),
}

/// What becomes of a page on its way from the topic to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// The topic takes its time, and nobody knows how long.
    Late,
    /// The receiver says no.
    Fails,
    /// The receiver hangs and the function dies before anything was sent; the claim stays.
    Hangs,
    /// The function dies when the receiver has it and before anybody knows.
    DiesSent,
    /// It stops after so many steps, and goes on later.
    Stops(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// So many seconds pass.
    Wait(i64),
    Fires(usize, Severity),
    Over(usize),
    /// It fires and is over, four times within two minutes, and fires again.
    Flaps(usize, Severity),
    /// Somebody acknowledges it in the monitor: a person of ours, or a stranger.
    TakenThere(usize, Option<usize>),
    /// A sender says again, word for word, what it said before.
    Again(usize),
    /// The forge tells of a merge, by this person.
    Merge(u64, usize),
    Revert(u64),
    /// A live deployment of this change: a release, or a rollback.
    Live(u64),
    Failed(u64),
    Acknowledges(usize),
    /// With the number of the suspect that it is instead.
    NotMine(usize, Option<usize>),
    /// Whoever acknowledged last says so.
    GivesBack,
    Takes(usize),
    /// Has the pager of the service for half an hour.
    HasPager(usize),
    /// So many minutes of it, from so many on.
    Maintenance(i64, i64),
    MaintenanceEnds,
    /// The next function that runs.
    Next(Pace),
    /// The next page that is delivered.
    Page(Fate),
    /// A function that stopped goes one step.
    Step(usize),
    /// The topic delivers once more what it delivered before.
    Stray(usize),
    /// The scheduler looks although it need not.
    Look,
    /// The scheduler does not wake for so many minutes.
    Asleep(i64),
    /// The topic takes nothing for so many minutes.
    TopicDown(i64),
}

/// So many changes are live, then this happens.
#[derive(Clone)]
pub struct Story {
    pub live: usize,
    pub events: Vec<Event>,
}

impl fmt::Debug for Story {
    /// One line, to be pasted into a test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: Vec<String> = self.events.iter().map(|event| format!("{event:?}")).collect();
        write!(f, "play({}, &[{}])", self.live, events.join(", "))
    }
}

fn wait() -> impl Strategy<Value = Event> {
    prop_oneof![4 => 1..70_i64, 4 => 60..400_i64, 1 => 400..1300_i64, 1 => 3500..3900_i64].prop_map(Event::Wait)
}

fn monitors() -> impl Strategy<Value = Event> {
    let alert = 0..ALERTS.len();
    let severity = || prop_oneof![4 => Just(Critical), 4 => Just(Warning), 1 => Just(Info)];
    prop_oneof![
        1 => (alert.clone(), severity()).prop_map(|(alert, severity)| Event::Flaps(alert, severity)),
        9 => (alert.clone(), severity()).prop_map(|(alert, severity)| Event::Fires(alert, severity)),
        6 => alert.clone().prop_map(Event::Over),
        2 => (alert, prop::option::of(0..PEOPLE.len())).prop_map(|(alert, who)| Event::TakenThere(alert, who)),
        4 => (0..20_usize).prop_map(Event::Again),
    ]
}

fn machines() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (4..7_u64, 0..PEOPLE.len()).prop_map(|(number, who)| Event::Merge(number, who)),
        1 => (1..7_u64).prop_map(Event::Revert),
        3 => (1..17_u64).prop_map(Event::Live),
        1 => (1..17_u64).prop_map(Event::Failed),
    ]
}

fn people() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE.len();
    prop_oneof![
        3 => who.clone().prop_map(Event::Acknowledges),
        3 => (who.clone(), prop::option::of(0..3_usize)).prop_map(|(who, instead)| Event::NotMine(who, instead)),
        2 => Just(Event::GivesBack),
        1 => who.clone().prop_map(Event::Takes),
        1 => who.prop_map(Event::HasPager),
        1 => (1..20_i64, 0..5_i64).prop_map(|(long, ahead)| Event::Maintenance(long, ahead)),
        1 => Just(Event::MaintenanceEnds),
    ]
}

fn mishaps() -> impl Strategy<Value = Event> {
    let fate = prop_oneof![
        2 => Just(Fate::Late),
        1 => Just(Fate::Arrives),
        2 => Just(Fate::Fails),
        2 => Just(Fate::Hangs),
        1 => Just(Fate::DiesSent),
        2 => (1..4_usize).prop_map(Fate::Stops),
    ];
    prop_oneof![
        3 => (0..5_usize).prop_map(|steps| Event::Next(Pace::Dies(steps))),
        3 => (1..5_usize).prop_map(|steps| Event::Next(Pace::Stops(steps))),
        6 => fate.prop_map(Event::Page),
        3 => (0..3_usize).prop_map(Event::Step),
        2 => (0..20_usize).prop_map(Event::Stray),
        1 => Just(Event::Look),
        1 => (1..12_i64).prop_map(Event::Asleep),
        1 => (1..8_i64).prop_map(Event::TopicDown),
    ]
}

pub fn story() -> impl Strategy<Value = Story> {
    let event = prop_oneof![6 => wait(), 5 => monitors(), 1 => machines(), 4 => people(), 5 => mishaps()];
    (0..=3_usize, prop::collection::vec(event, 1..48)).prop_map(|(live, events)| Story { live, events })
}
