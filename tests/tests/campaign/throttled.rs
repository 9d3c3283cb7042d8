//! The table refuses 30 % of all calls, then cannot be reached for a minute: whatever is answered with 2xx is in the table at
//! that moment, and everything comes right afterwards. Monitors send again what was not taken; GitHub does not, so its failed
//! deliveries are asked for again through its API.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use domain::ChangeId;
use house_tests::dice::Dice;
use house_tests::gate::{Fault, Gate};
use house_tests::peer::Peer;
use house_tests::{Stage, commit, time};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::judge::judge;
use crate::outcome::{Outcome, Plan};
use crate::world::{Event, MERGERS, configuration, pages, services};

/// Of a hundred calls.
const REFUSED: u64 = 30;
const AT_ONCE: usize = 16;
const GITHUB: &str = "POST /repos/openedx/";

pub fn run(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut told, mut refused, mut asked) = (0, 0, 0);
    let mut dice = Dice(plan.seed);
    for run in 0..plan.either(1, 4) {
        let seed = dice.roll(u64::MAX);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let played = runtime.block_on(play(seed, plan.either(12, 40)));
        println!("run {run}: {} told, {} refused, {} asked of GitHub again", played.told, played.refused, played.asked);
        (told, refused, asked) = (told + played.told, refused + played.refused, asked + played.asked);
        outcome.add(played.outcome, &format!("run {run}"));
    }
    outcome.must(refused > 0 && asked > 0, || "nothing was refused, or nothing fetched".to_owned());
    outcome.done = format!(
        "{told} events while {REFUSED} % of the table's calls were throttled, and while it was away for a minute; {refused} \
         were answered with 503; {asked} deliveries fetched from GitHub's API"
    );
    outcome
}

struct Played {
    told: usize,
    refused: usize,
    asked: usize,
    outcome: Outcome,
}

/// One delivery as GitHub lists it.
struct Delivery {
    event: Event,
    status: u16,
}

struct Player {
    stage: Stage,
    services: Vec<String>,
    /// By its number, from 1: what was delivered to us by GitHub, and how we answered.
    delivered: Mutex<Vec<Delivery>>,
    outcome: Mutex<Outcome>,
    refused: Mutex<Vec<Event>>,
}

async fn play(seed: u64, changes: u64) -> Played {
    let (services, pager, forge) = (services(3), Peer::start().await, Peer::start().await);
    let address = forge.address.clone();
    let mut stage = Stage::with(&configuration(&services, &pager.address), |configuration| {
        let github = configuration.senders.get_mut("github").expect("it is configured");
        (github.api_token, github.api_url) = (Some("api".into()), Some(address));
    })
    .await;
    // What was there before GitHub's failed deliveries count from is not asked for.
    stage.at("Fri 14:00").await;
    let (table, _) = stage.gated().await;
    let storm = Arc::new(AtomicBool::new(true));
    throttles(&table, Dice(seed), Arc::clone(&storm));
    let player = Arc::new(Player {
        stage,
        services,
        delivered: Mutex::default(),
        outcome: Mutex::new(Outcome { runs: 1, ..Outcome::default() }),
        refused: Mutex::default(),
    });
    let events = player.events(changes);
    let (during, away) = events.split_at(events.len() * 2 / 3);
    tell(&player, during).await;
    table.close();
    tell(&player, &away[..away.len() / 2]).await;
    let clock = &player.stage.clock;
    clock.set(clock.now() + SignedDuration::from_mins(1));
    player.stage.bundle.tick().await;
    tell(&player, &away[away.len() / 2..]).await;
    storm.store(false, Ordering::SeqCst);
    table.open();
    let refused = player.refused.lock().expect("no panic").len();
    let asked = player.comes_right(&forge).await;
    let mut outcome = std::mem::take(&mut *player.outcome.lock().expect("no panic"));
    let came = pages(&pager.received());
    // A page whose acceptance could not be written is sent again under the same key.
    let may_repeat: BTreeSet<String> = came.iter().map(|page| page.key.clone()).collect();
    judge(&player.stage.house.store, &player.services, &came, &may_repeat, &mut outcome).await;
    for event in &events {
        if !player.is_stored(event).await {
            outcome.is_lost(format!("{} in the end", event.what));
        }
    }
    Played { told: events.len(), refused, asked, outcome }
}

fn throttles(table: &Gate, dice: Dice, storm: Arc<AtomicBool>) {
    let dice = Mutex::new(dice);
    table.obeys(move |_| {
        let refused = dice.lock().expect("no panic").roll(100) < REFUSED;
        (storm.load(Ordering::SeqCst) && refused).then_some(Fault::Throttled)
    });
}

async fn tell(player: &Arc<Player>, events: &[Event]) {
    for group in events.chunks(AT_ONCE) {
        let telling = group.iter().cloned().map(|event| {
            let player = Arc::clone(player);
            tokio::spawn(async move { player.tell(event).await })
        });
        for told in telling.collect::<Vec<_>>() {
            told.await.expect("no panic");
        }
        player.stage.bundle.quiesce().await;
    }
}

impl Player {
    /// Changes and their deployments, and alerts among them.
    fn events(&self, changes: u64) -> Vec<Event> {
        let now = self.stage.clock.now();
        let mut events = Vec::new();
        for number in 1..=changes {
            let service = &self.services[number as usize % self.services.len()];
            events.push(Event::merge(service, number, MERGERS[number as usize % 2], now));
            if number % 3 == 0 {
                events.push(Event::deploy(service, number, number, "success", now, now));
            }
            if number % 4 == 0 {
                events.push(Event::alert(service, &format!("Alert{number}"), now, None));
            }
        }
        events
    }

    /// Once, and what is answered with success has to be in the table.
    async fn tell(&self, event: Event) {
        let status = self.stage.bundle.route(event.request()).await.status;
        match status {
            200 if !self.is_stored(&event).await => {
                let mut outcome = self.outcome.lock().expect("no panic");
                outcome.is_lost(format!("{} was answered with 200 and is not in the table", event.what));
            }
            200 | 503 => {}
            other => self.outcome.lock().expect("no panic").is_wrong(format!("{}: {other}", event.what)),
        }
        if status != 200 {
            self.refused.lock().expect("no panic").push(event.clone());
        }
        if !event.path.starts_with("/alert") {
            self.delivered.lock().expect("no panic").push(Delivery { event, status });
        }
    }

    /// Whether the table has what this event says, asked past the gates.
    async fn is_stored(&self, event: &Event) -> bool {
        let body: Value = serde_json::from_str(&event.body).expect("our own payload");
        let store = &self.stage.house.store;
        let Some(service) = self.services.iter().find(|name| event.what.contains(name.as_str())) else { return false };
        let situation = self.stage.situation(service).await;
        match event.path {
            "/merge/github" => {
                let repository = format!("openedx/{service}").parse().expect("a repository");
                let commit = commit(body["number"].as_u64().expect("a number")).parse().expect("a commit");
                store.change(&ChangeId { repository, commit }).await.expect("the table answers").is_some()
            }
            "/deploy/github" => {
                let sha = body["deployment"]["sha"].as_str().expect("a commit");
                situation.deployments.values().any(|known| format!("{:?}", known.value).contains(sha))
            }
            _ => {
                let name = body["alerts"][0]["labels"]["alertname"].as_str().expect("a name");
                let mut signals = situation.signals.values().flat_map(|known| known.value.by_key.values());
                signals.any(|signal| signal.name == name)
            }
        }
    }

    /// The table is there again: monitors send again, GitHub is asked for what it does not send again. How often that was.
    async fn comes_right(&self, forge: &Peer) -> usize {
        let refused = std::mem::take(&mut *self.refused.lock().expect("no panic"));
        for alert in refused.into_iter().filter(|event| event.path.starts_with("/alert")) {
            self.tell(alert).await;
        }
        let mut asked = 0;
        // They are looked at every five minutes.
        let end = self.stage.clock.now() + SignedDuration::from_mins(20);
        while self.stage.clock.now() < end {
            self.lists(forge);
            self.stage.clock.set(self.stage.clock.now() + SignedDuration::from_mins(1));
            self.stage.bundle.tick().await;
            self.stage.bundle.quiesce().await;
            let again: Vec<usize> = forge.received().iter().filter_map(|request| again(&request.line)).collect();
            asked += again.len();
            for id in again {
                let event = self.delivered.lock().expect("no panic")[id - 1].event.clone();
                let status = self.stage.bundle.route(event.request()).await.status;
                self.delivered.lock().expect("no panic")[id - 1].status = status;
            }
        }
        asked
    }

    /// GitHub's answers: the one webhook of each repository and path, and what it delivered, newest first.
    fn lists(&self, forge: &Peer) {
        for service in &self.services {
            let hook = |id: u64, url: &str| json!({ "id": id, "active": true, "events": ["*"], "config": { "url": format!("https://deployers.example.com{url}") } });
            let hooks = format!("GET /repos/openedx/{service}/hooks?");
            forge.always_answers(&hooks, 200, json!([hook(1, "/merge/github"), hook(2, "/deploy/github")]).to_string());
            for (hook, path) in [(1, "/merge/github"), (2, "/deploy/github")] {
                let delivered = self.delivered.lock().expect("no panic");
                let of = |d: &&(usize, &Delivery)| d.1.event.path == path && d.1.event.what.contains(service.as_str());
                let numbered: Vec<(usize, &Delivery)> = delivered.iter().enumerate().collect();
                let attempts: Vec<Value> = numbered.iter().filter(of).rev().map(|(i, d)| attempt(i + 1, d)).collect();
                let list = format!("GET /repos/openedx/{service}/hooks/{hook}/deliveries?");
                forge.always_answers(&list, 200, json!(attempts).to_string());
            }
        }
        forge.always_answers(GITHUB, 202, "{}");
    }
}

fn attempt(id: usize, delivery: &Delivery) -> Value {
    let kind = if delivery.event.path.starts_with("/merge") { "pull_request" } else { "deployment_status" };
    json!({
        "id": id, "guid": format!("guid-{id}"), "delivered_at": time("Fri 14:00"), "redelivery": false, "duration": 0.2,
        "status": "", "status_code": delivery.status, "event": kind, "action": "closed",
    })
}

/// `POST /repos/openedx/x/hooks/1/deliveries/7/attempts HTTP/1.1`: 7
fn again(line: &str) -> Option<usize> {
    line.strip_prefix(GITHUB)?.split('/').nth(4)?.parse().ok()
}
