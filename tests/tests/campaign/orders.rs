//! Every order in which up to seven events of one change and its incident can arrive: 5,040 of them a set, each of them played
//! through the readers and the domain in memory (`infra/replay`), which looks after each, with pauses in between or none. One final state: the
//! windows, the deployments, the suspects; and never two pages under one key.

use std::collections::BTreeSet;

use aws::settings::{Configuration, no_files};
use aws::{Malformed, Reading};
use domain::{Decisions, Entry, Kind, ServiceId, Settings, Situation};
use house_tests::dice::Dice;
use house_tests::time;
use jiff::{SignedDuration, Timestamp};
use replay::{Told, What, Witness, World};

use crate::judge::{deployment, differ};
use crate::outcome::{Outcome, Plan};
use crate::world::{Event, configuration, services};

/// What was seen of one order.
#[derive(Default)]
struct Seen {
    keys: BTreeSet<String>,
    doubled: Vec<String>,
    paged: BTreeSet<String>,
    end: Vec<String>,
}

struct Watcher<'a> {
    settings: &'a Settings,
    seen: Seen,
}

impl Witness for Watcher<'_> {
    fn decided(&mut self, _: &Situation, decisions: &Decisions, _: &Settings, _: Timestamp) {
        for message in &decisions.messages {
            if !self.seen.keys.insert(message.key.to_string()) {
                self.seen.doubled.push(message.key.to_string());
            }
            if message.kind == Kind::Page {
                self.seen.paged.insert(message.key.person.to_string());
            }
        }
    }

    fn merged(&mut self, _: &ServiceId, _: &Entry) {}

    fn ended(&mut self, situation: &Situation, now: Timestamp) {
        let Some(service) = self.settings.service(&situation.service) else { return };
        let windows = domain::window::windows(situation, service, &self.settings.roster, now);
        let end = &mut self.seen.end;
        end.extend(windows.iter().map(|w| format!("{} {} {:?}", w.change.label(), w.responder.person, w.phase)));
        end.extend(situation.deployments.values().map(|known| deployment(&known.value)));
        for incident in situation.incidents.values().map(|known| &known.value) {
            let suspects: Vec<_> = incident.suspects.iter().map(|s| (&s.label, &s.responder, s.live_since)).collect();
            end.push(format!("{} {suspects:?} {:?}", incident.began_at, incident.alerts.keys()));
        }
    }
}

fn at(minutes: i64) -> Timestamp {
    time("Fri 12:00") + SignedDuration::from_mins(minutes)
}

/// Sets of events, each in the order in which they happened; all of them had happened when the first one is heard.
fn sets(service: &str) -> [(&'static str, Vec<Event>); 3] {
    let merge = |number, who| Event::merge(service, number, who, at(number.cast_signed()));
    let deploy = |id, number, state, minutes| Event::deploy(service, number, id, state, at(20), at(minutes));
    let alert = |name: &str, minutes| Event::alert(service, name, at(minutes), None);
    [
        (
            "three changes, one release of two, two alerts",
            vec![
                merge(1, "feanil"),
                merge(2, "usama"),
                merge(3, "olga"),
                deploy(1, 2, "in_progress", 21),
                deploy(1, 2, "success", 25),
                alert("Slow", 30),
                alert("Down", 31),
            ],
        ),
        (
            "a deployment that failed, and one that did not",
            vec![
                merge(1, "feanil"),
                deploy(1, 1, "in_progress", 21),
                deploy(1, 1, "failure", 22),
                Event::deploy(service, 1, 2, "in_progress", at(23), at(23)),
                Event::deploy(service, 1, 2, "success", at(23), at(26)),
                alert("Slow", 30),
                alert("Slow", 30),
            ],
        ),
        (
            "three changes in two releases",
            vec![
                merge(1, "feanil"),
                merge(2, "usama"),
                deploy(1, 2, "success", 21),
                merge(3, "olga"),
                Event::deploy(service, 3, 2, "in_progress", at(23), at(23)),
                Event::deploy(service, 3, 2, "success", at(23), at(26)),
                alert("Slow", 30),
            ],
        ),
    ]
}

/// What its reader makes of it.
fn read(event: &Event) -> What {
    let github = || "github".to_owned();
    fn of<E>(read: Result<Reading<E>, Malformed>, make: impl FnOnce(E) -> What) -> What {
        match read {
            Ok(Reading::Event(event)) => make(event),
            Ok(Reading::Ignored(why)) => What::Ignored(why),
            Err(why) => panic!("{why}"),
        }
    }
    let body = event.body.as_bytes();
    match event.path {
        "/merge/github" => {
            let sender = on_merge::senders::SENDERS.iter().find(|s| s.name == "github").expect("a sender");
            of((sender.parse)(body), |events| What::Merge(github(), events))
        }
        "/deploy/github" => {
            let sender = on_deploy::senders::SENDERS.iter().find(|s| s.name == "github").expect("a sender");
            of((sender.parse)(body), |events| What::Deploy(github(), events))
        }
        _ => {
            let sender = on_alert::senders::SENDERS.iter().find(|s| s.name == "alertmanager").expect("a sender");
            of((sender.parse)(body), |event| What::Alert("alertmanager".to_owned(), event.from("alertmanager")))
        }
    }
}

pub fn run(plan: &Plan) -> Outcome {
    let services = services(1);
    let parsed = Configuration::parse(&configuration(&services, "https://pager.example.com"), &no_files);
    let configuration = parsed.expect("no problems");
    let mut outcome = Outcome::default();
    let mut dice = Dice(plan.seed);
    for (name, events) in sets(&services[0]) {
        let told: Vec<What> = events.iter().map(read).collect();
        let ignored = told.iter().filter(|what| matches!(what, What::Ignored(_))).count();
        let orders = orders(told.len());
        let step = plan.either(4, 1);
        let want = play(&configuration, &told, &orders[0], 0);
        outcome.must(!want.end.is_empty() && !want.paged.is_empty(), || format!("{name}: nothing happened"));
        for order in orders.iter().skip(dice.below(step)).step_by(step) {
            // After the events whose bit is set time passes before the next one comes.
            let pauses = dice.roll(1 << told.len());
            let seen = play(&configuration, &told, order, pauses);
            outcome.runs += 1;
            let which = || format!("{name}, order {order:?}, pauses {pauses:b}");
            for key in &seen.doubled {
                outcome.is_doubled(format!("{}: {key}", which()));
            }
            outcome.must(seen.end == want.end, || format!("{}: {}", which(), differ(&want.end, &seen.end)));
            for person in want.paged.difference(&seen.paged) {
                outcome.is_lost(format!("{}: {person} is not paged", which()));
            }
        }
        println!("{name}: {} events ({ignored} of them ignored), {} orders", told.len(), orders.len());
    }
    let count = outcome.runs;
    outcome.must(plan.short || count >= 15_120, || format!("{count} orders"));
    outcome.done = "orders of three sets of seven events, with pauses in between at random".to_owned();
    outcome
}

/// Plays them in this order, with pauses, until half an hour later.
fn play(configuration: &Configuration, told: &[What], order: &[usize], pauses: u64) -> Seen {
    let settings = configuration.settings.clone();
    let watcher = Watcher { settings: &configuration.settings, seen: Seen::default() };
    let mut world = World::new(configuration, settings, watcher);
    let mut now = at(40);
    for (nth, event) in order.iter().enumerate() {
        world.hear(Told { at: now, what: told[*event].clone() });
        now += SignedDuration::from_secs(if pauses & (1 << nth) == 0 { 0 } else { 20 });
    }
    let rest = at(75).duration_since(now);
    world.end(rest).seen
}

/// All orders of so many, the one in which they happened first.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..count {
        let longer = |order: &Vec<usize>| {
            let rest = (0..count).filter(|i| !order.contains(i));
            rest.map(|i| [order.as_slice(), &[i]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}
