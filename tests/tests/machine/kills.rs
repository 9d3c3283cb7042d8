//! The program, killed (`kill -9`) at random moments under a stream of merges, deployments, alerts, resolutions and
//! acknowledgements, and started again each time. No page is lost, none is decided twice, and what was left is out soon.
//!
//! `tests/kill 200` does it 200 times. The seed is printed and makes the same plan again; what the machine makes of it
//! in time is its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::clients::{self, Aws, Http};
use aws::settings::Configuration;
use domain::incident::MOST_ALERTS;
use domain::{Incident, Kind, MessageKey, PersonId, Reason, ServiceId, Subject};
use house_tests::dice::Dice;
use house_tests::peer::{Peer, Received};
use house_tests::program::Program;
use house_tests::{commit, now};
use jiff::{SignedDuration, Timestamp};
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use recent_deployers::engine::Engine;
use serde_json::Value;
use tokio::time::sleep;

/// Everything that was left when the program was killed is out this long after it is ready again.
const OUT_WITHIN: SignedDuration = SignedDuration::from_secs(90);
/// How many senders there are, each with services of its own.
const SENDERS: usize = 4;
const PEOPLE: [&str; 3] = ["feanil", "usama", "olga"];

/// An alert as its monitor knows it.
#[derive(Clone, PartialEq, Eq)]
struct Told {
    since: Timestamp,
    over: Option<Timestamp>,
}

/// A page as it came.
#[derive(Clone)]
struct Came {
    at: Timestamp,
    decided: Timestamp,
    /// The same however often the page is sent.
    key: String,
    incident: String,
    person: String,
    /// Where it can be acknowledged.
    link: Option<String>,
}

/// One life of the program that was ended.
struct Killed {
    at: Timestamp,
    /// When the next life was ready.
    ready: Timestamp,
}

/// What the senders, the pagers and the killer share.
struct World {
    data: PathBuf,
    config: PathBuf,
    services: Vec<String>,
    base: Mutex<String>,
    over: AtomicBool,
    /// How many alerts were about to be sent.
    alerts: AtomicUsize,
    /// By service and name, as last accepted.
    accepted: Mutex<BTreeMap<(String, String), Told>>,
    /// How many requests were answered with 2xx, and how often one had to be sent again.
    sent: Mutex<(usize, usize)>,
    came: Mutex<Vec<Came>>,
}

impl World {
    fn secret(&self, name: &str) -> String {
        std::fs::read_to_string(self.data.join("secrets").join(name)).unwrap()
    }

    /// Sends it until it is accepted, as senders do.
    async fn send(&self, path: &str, headers: &[(String, String)], body: &str) {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let http = Http::new();
        loop {
            let url = format!("{}{path}", self.base.lock().unwrap());
            let status = http.send("POST", &url, &headers, body.into(), 10).await.map(|answer| answer.status);
            match status {
                Ok(200..300) => break,
                Ok(503) | Err(_) => self.sent.lock().unwrap().1 += 1,
                Ok(status) => panic!("{path} was answered with {status}"),
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.sent.lock().unwrap().0 += 1;
    }

    async fn github(&self, path: &str, payload: &Value) {
        let body = payload.to_string();
        let headers = payloads::github_headers("", &self.secret("github"), body.as_bytes());
        self.send(path, &headers, &body).await;
    }

    async fn alert(&self, service: &str, name: &str, told: Told) {
        let (started_at, ended_at) = (told.since, told.over);
        let summary = "7 % of requests fail";
        let alert = Alert { service, name, summary, severity: "critical", started_at, ended_at };
        let body = payloads::alertmanager(&[alert]).to_string();
        self.alerts.fetch_add(1, Ordering::SeqCst);
        self.send("/alert/alertmanager", &payloads::token_headers(&self.secret("alertmanager")), &body).await;
        self.accepted.lock().unwrap().insert((service.to_owned(), name.to_owned()), told);
    }

    /// One sender: what happens to its services, one thing after another.
    async fn go_on(self: Arc<Self>, place: usize, mut dice: Dice) {
        let services: Vec<&String> = self.services.iter().skip(place).step_by(SENDERS).collect();
        // Nobody sees to the others.
        let seen_to = &services[..services.len() / 2];
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        let mut number = place as u64 * 1_000_000;
        while !self.over.load(Ordering::SeqCst) {
            let service = dice.of(&services).as_str();
            number += 1;
            match dice.roll(100) {
                0..20 => {
                    let payload = merged(service, number, dice.of::<&str>(&PEOPLE));
                    self.github("/merge/github", &payload).await;
                    newest.insert(service, number);
                }
                20..35 => {
                    let Some(newest) = newest.get(service) else { continue };
                    self.github("/deploy/github", &deployed(service, *newest, number)).await;
                }
                35..60 => {
                    // Now and then one that was over fires again.
                    let again = self.some(service, true, &mut dice).filter(|_| dice.roll(5) == 0);
                    let name = again.map_or_else(|| format!("Alert{number}"), |(name, _)| name);
                    self.alert(service, &name, Told { since: now(), over: None }).await;
                }
                60..90 => {
                    let service = dice.of(seen_to);
                    let Some((name, told)) = self.some(service, false, &mut dice) else { continue };
                    self.alert(service, &name, Told { over: Some(now()), ..told }).await;
                }
                _ => {
                    let service = dice.of(seen_to);
                    let mine = |came: &&Came| came.key.starts_with(&format!("{service}#"));
                    let link = self.came.lock().unwrap().iter().rev().find(mine).and_then(|came| came.link.clone());
                    let Some(link) = link else { continue };
                    self.send(&link, &[], "do=acknowledge").await;
                }
            }
            sleep(dice.up_to(120)).await;
        }
    }

    /// An alert of the service that is over, or fires.
    fn some(&self, service: &str, over: bool, dice: &mut Dice) -> Option<(String, Told)> {
        let accepted = self.accepted.lock().unwrap();
        let of = accepted.iter().filter(|((of, _), told)| of == service && told.over.is_some() == over);
        let found: Vec<(String, Told)> = of.map(|((_, name), told)| (name.clone(), told.clone())).collect();
        (!found.is_empty()).then(|| dice.of(&found).clone())
    }

    /// Keeps what came to the pagers.
    async fn listen(self: Arc<Self>, webhook: Peer, events: Peer) {
        loop {
            let (webhook, events) = (webhook.received(), events.received());
            let pages = webhook.iter().filter_map(by_webhook).chain(events.iter().filter_map(by_event));
            self.came.lock().unwrap().extend(pages);
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts the program; kills it before it is ready if that takes longer.
    async fn start(&self, at_most: Option<Duration>) -> Option<Program> {
        let log = File::options().append(true).create(true).open(self.data.join("log")).unwrap();
        let mut program = Program::spawn(&self.data, &self.config, log.into());
        if let Some(at_most) = at_most {
            sleep(at_most).await;
            program.kill();
            return None;
        }
        let program = tokio::task::spawn_blocking(move || {
            program.ready();
            program
        });
        let program = program.await.unwrap();
        program.base.clone_into(&mut self.base.lock().unwrap());
        Some(program)
    }

    /// Lets it live for a moment. A third of its lives ends while a pager has a page and may not have answered yet, a third
    /// while it hears of an alert, the rest at any time.
    async fn live(&self, dice: &mut Dice) {
        let came = || self.came.lock().unwrap().len();
        let alerts = || self.alerts.load(Ordering::SeqCst);
        let mode = dice.roll(3);
        sleep(dice.up_to(if mode == 2 { 2500 } else { 1000 })).await;
        let (pages_before, alerts_before) = (came(), alerts());
        for _ in 0..400 {
            if mode == 2 || (mode == 1 && alerts() > alerts_before) || (mode == 0 && came() > pages_before) {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        sleep(dice.up_to(60)).await;
    }
}

fn merged(service: &str, number: u64, who: &str) -> Value {
    let (repository, commit) = (format!("openedx/{service}"), commit(number));
    let title = format!("change number {number}");
    let (author, merger, at) = (who, who, now());
    payloads::pull_request_merged(&Merge {
        repository: &repository,
        number,
        title: &title,
        author,
        merger,
        commit: &commit,
        at,
    })
}

fn deployed(service: &str, newest: u64, id: u64) -> Value {
    let (repository, commit) = (format!("openedx/{service}"), commit(newest));
    let (environment, state, created_at, at) = ("production", "success", now(), now());
    payloads::deployment_status(&Deployment {
        repository: &repository,
        id,
        environment,
        commit: &commit,
        state,
        created_at,
        at,
    })
}

fn by_webhook(received: &Received) -> Option<Came> {
    let body: Value = serde_json::from_str(&received.body).unwrap();
    let data = &body["data"];
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (text("kind") == "page").then(|| Came {
        at: received.at,
        decided: text("decided_at").parse().unwrap(),
        key: received.header("webhook-id").to_owned(),
        incident: text("subject"),
        person: text("person"),
        link: data["acknowledge_url"].as_str().map(|url| url[url.find("/acknowledge/").unwrap()..].to_owned()),
    })
}

/// Its key is the same for every page to a person until it is over; which page it is, the time of its decision says.
fn by_event(received: &Received) -> Option<Came> {
    let body: Value = serde_json::from_str(&received.body).unwrap();
    if body["event_action"] != "trigger" {
        return None;
    }
    let (key, payload) = (body["dedup_key"].as_str().unwrap(), &body["payload"]);
    let decided = payload["timestamp"].as_str().unwrap();
    let parts: Vec<&str> = key.split('/').collect();
    let [_, incident, _, person, ..] = parts[..] else { panic!("not a page of an incident: {key}") };
    Some(Came {
        at: received.at,
        decided: decided.parse().unwrap(),
        key: format!("{key} {} {decided}", payload["class"]),
        incident: incident.to_owned(),
        person: person.to_owned(),
        link: None,
    })
}

fn configuration(services: &[String], webhook: &Peer, events: &Peer) -> String {
    let mut text = format!(
        "[senders.github]\n[senders.alertmanager]\n[policy]\nrotation_after = \"1 min\"\nowner_after = \"2 min\"\n\
         next_suspect_after = \"30 s\"\nagain_after = \"2 min\"\n[unmapped]\nrotation = [\"anna\"]\n\
         [receivers.pager]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"pager\"\n\
         [receivers.events]\nkind = \"pagerduty-events\"\nurl = \"{}\"\nsecret = \"events\"\n",
        webhook.address, events.address
    );
    for person in PEOPLE.iter().chain(&["anna"]) {
        let contact = if *person == "anna" { "events" } else { "pager" };
        text.push_str(&format!(
            "[people.{person}]\nzone = \"UTC\"\ngithub = [\"{person}\"]\ncontacts = [\"{contact}\"]\n"
        ));
    }
    for (i, service) in services.iter().enumerate() {
        let (first, second) = if i % 2 == 0 { ("anna", "olga") } else { ("olga", "anna") };
        text.push_str(&format!(
            "[services.{service}]\nowners = [\"{second}\"]\nrotation = [\"{first}\"]\nalerts = [\"service={service}\"]\n\
             repositories = [{{ name = \"openedx/{service}\" }}]\n[services.{service}.environments.production]\nlive = true\n"
        ));
    }
    text
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn killed_at_random_moments_it_loses_no_page() {
    let kills = number("KILLS").unwrap_or(20);
    let seed = number("SEED").unwrap_or_else(|| now().as_millisecond().unsigned_abs());
    println!("kills: seed {seed} (again: tests/kill {kills} {seed})");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(kill(kills, seed));
}

async fn kill(kills: u64, seed: u64) {
    let mut dice = Dice(seed);
    let data = std::env::temp_dir().join(format!("recent-deployers-kills-{}", std::process::id()));
    std::fs::create_dir_all(data.join("secrets")).unwrap();
    std::fs::write(data.join("secrets/events"), "routing-key").unwrap();
    let (webhook, events) = (Peer::start().await, Peer::start().await);
    events.always_answers("POST /v2/enqueue", 202, r#"{"status":"success"}"#);
    let services: Vec<String> = (0..(40 + kills).min(120)).map(|i| format!("service{i}")).collect();
    let config = data.join("config.toml");
    std::fs::write(&config, configuration(&services, &webhook, &events)).unwrap();
    let world = Arc::new(World {
        data,
        config,
        services,
        base: Mutex::default(),
        over: AtomicBool::new(false),
        alerts: AtomicUsize::new(0),
        accepted: Mutex::default(),
        sent: Mutex::default(),
        came: Mutex::default(),
    });
    let mut program = world.start(None).await.unwrap();
    let listening = tokio::spawn(Arc::clone(&world).listen(webhook.clone(), events.clone()));
    let sending = (0..SENDERS).map(|i| tokio::spawn(Arc::clone(&world).go_on(i, Dice(dice.roll(u64::MAX)))));
    let sending: Vec<_> = sending.collect();
    let mut killed: Vec<Killed> = Vec::new();
    while (killed.len() as u64) < kills {
        [&webhook, &events].iter().for_each(|peer| peer.takes(dice.up_to(120)));
        world.live(&mut dice).await;
        let mut ends = vec![now()];
        program.kill();
        // Now and then it does not even get ready.
        if dice.roll(6) == 0 && (killed.len() as u64) + 1 < kills {
            assert!(world.start(Some(dice.up_to(400))).await.is_none());
            ends.push(now());
        }
        program = world.start(None).await.unwrap();
        let ready = now();
        killed.extend(ends.into_iter().map(|at| Killed { at, ready }));
    }
    world.over.store(true, Ordering::SeqCst);
    for sender in sending {
        sender.await.unwrap();
    }
    let table = Table::of(&world).await;
    table.is_out(killed.last().unwrap().ready).await;
    program.kill();
    sleep(Duration::from_millis(500)).await;
    listening.abort();
    let log = std::fs::read_to_string(world.data.join("log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    table.has_everything_accepted(&world).await;
    let decided = table.has_sent_every_page(&world).await;
    let (doubled, left, slowest) = repeated_and_late(&world.came.lock().unwrap(), &killed);
    let (sent, again) = *world.sent.lock().unwrap();
    println!(
        "kills: {} kills, {sent} events accepted ({again} sent again), {} alerts, {} incidents, {} pages decided, {} \
         delivered, {} withdrawn by name, {doubled} delivered again under the same key; {left} were left by a kill and came \
         after it, the slowest {:.1} s after the restart",
        killed.len(),
        world.accepted.lock().unwrap().len(),
        decided.incidents,
        decided.pages,
        decided.delivered,
        decided.withdrawn,
        slowest.as_secs_f64(),
    );
    std::fs::remove_dir_all(&world.data).unwrap();
}

/// What the program has written, read beside it.
struct Table {
    store: aws::Store,
    services: Vec<ServiceId>,
}

#[derive(Default)]
struct Decided {
    incidents: usize,
    pages: usize,
    delivered: usize,
    withdrawn: usize,
}

impl Table {
    async fn of(world: &World) -> Self {
        let text = std::fs::read_to_string(&world.config).unwrap();
        assert!(Configuration::parse(&text, &aws::settings::no_files).is_ok());
        let file = world.data.join("recent-deployers.sqlite");
        let engine = Engine::open(Some(Path::new(&file)), Arc::new(now)).unwrap();
        let aws = Aws::local(engine.serve().await.unwrap(), String::new());
        let store = aws::Store::new(clients::dynamodb(&aws, &Http::new()), "recent-deployers");
        Self { store, services: world.services.iter().map(|id| id.parse().unwrap()).collect() }
    }

    /// Waits until no page is in any outbox.
    async fn is_out(&self, ready: Timestamp) {
        loop {
            let mut left = Vec::new();
            for service in &self.services {
                let outbox = self.store.outbox(service).await.unwrap();
                left.extend(
                    outbox.into_iter().filter(|o| o.message.kind == Kind::Page && o.message.decided_at < ready),
                );
            }
            if left.is_empty() {
                return;
            }
            assert!(now() < ready + OUT_WITHIN, "still in the outbox: {left:#?}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Every alert that was accepted is in the table as it was told last, and what fires in an open incident.
    async fn has_everything_accepted(&self, world: &World) {
        let accepted = world.accepted.lock().unwrap().clone();
        for service in &self.services {
            let situation = self.store.situation(service).await.unwrap();
            let signals = situation.signals.values().flat_map(|known| known.value.by_key.iter());
            let signals: BTreeMap<&str, _> =
                signals.map(|(key, signal)| (signal.name.as_str(), (key, signal))).collect();
            for ((_, name), told) in accepted.iter().filter(|((of, _), _)| of == service.as_str()) {
                let Some((key, signal)) = signals.get(name.as_str()) else { panic!("{service}: {name} is lost") };
                assert_eq!(signal.started_at, Some(told.since), "{service}: {name}");
                assert_eq!(signal.is_firing(), told.over.is_none(), "{service}: {name}");
                // An incident that fires again is about what fires now; of a storm it keeps some.
                let storm = |incident: &Incident| incident.alerts.len() >= MOST_ALERTS;
                let keeps = |incident: &Incident| incident.alerts.contains_key(*key) || storm(incident);
                let open = |incident: &Incident| incident.is_open() && keeps(incident);
                let in_one = told.over.is_some() || situation.incidents.values().any(|i| open(&i.value));
                assert!(in_one, "{service}: {name} fires and is in no open incident");
            }
        }
    }

    /// Every page that was decided came, or was withdrawn for a reason that holds; nothing else came.
    async fn has_sent_every_page(&self, world: &World) -> Decided {
        let came = world.came.lock().unwrap().clone();
        let mut by_incident: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
        for page in &came {
            by_incident.entry((page.incident.clone(), page.person.clone())).or_default().insert(&page.key);
        }
        let mut decided = Decided::default();
        for service in &self.services {
            let situation = self.store.situation(service).await.unwrap();
            let log = self.store.log(service, 10_000).await.unwrap();
            for incident in situation.incidents.values().map(|i| &i.value) {
                decided.incidents += 1;
                let people: BTreeSet<&PersonId> = incident.pages.iter().map(|p| &p.person).collect();
                assert!(!people.is_empty(), "nobody was paged: {incident:#?}");
                for person in people {
                    let keys = keys(incident, person);
                    let came = by_incident.remove(&(incident.id.to_string(), person.to_string())).unwrap_or_default();
                    let withdrawn: Vec<&Reason> = log
                        .iter()
                        .filter(|entry| entry.subject == Some(Subject::Incident(incident.id.clone())))
                        .filter(|entry| entry.person.as_ref() == Some(person) && entry.what.starts_with("page to "))
                        .filter(|entry| entry.what.ends_with(" withdrawn"))
                        .map(|entry| &entry.reason)
                        .collect();
                    if person.as_str() != "anna" {
                        assert!(came.iter().all(|key| keys.contains(*key)), "{came:?} of {keys:?}");
                    }
                    assert!(came.len() <= keys.len(), "{came:?} of {keys:?}");
                    assert!(
                        came.len() + withdrawn.len() >= keys.len(),
                        "lost: {keys:?}, of which came {came:?}, withdrawn {withdrawn:?}"
                    );
                    withdrawn.iter().for_each(|reason| holds(reason, incident));
                    decided.pages += keys.len();
                    decided.delivered += came.len();
                    decided.withdrawn += withdrawn.len();
                }
            }
        }
        assert!(by_incident.is_empty(), "pages that nobody decided: {by_incident:?}");
        decided
    }
}

/// The keys of all pages of an incident to a person, one for each (incident, person, step, nth).
fn keys(incident: &Incident, person: &PersonId) -> BTreeSet<String> {
    let pages = incident.pages.iter().filter(|page| page.person == *person);
    let keys = pages.flat_map(|page| {
        let last = incident.page_key(page);
        (0..=page.again).map(move |before| MessageKey { nth: last.nth - before, ..last.clone() })
    });
    keys.map(|key| key.to_string()).collect()
}

/// A page was withdrawn for something that happened.
fn holds(reason: &Reason, incident: &Incident) {
    let true_of_it = match reason.name() {
        "resolved_at" => incident.resolved_at.is_some() || !incident.reopened.is_empty(),
        "acknowledged_by" => !incident.acknowledged.is_empty(),
        "superseded" => true,
        _ => false,
    };
    assert!(true_of_it, "withdrawn: {reason:?}, but {incident:#?}");
}

/// How many pages came again under the same key, each time because of a kill; how many were decided before a kill and
/// came after it, and how long after the restart the last of them.
fn repeated_and_late(came: &[Came], killed: &[Killed]) -> (usize, usize, SignedDuration) {
    let mut by_key: BTreeMap<&str, Vec<&Came>> = BTreeMap::new();
    came.iter().for_each(|page| by_key.entry(&page.key).or_default().push(page));
    let (mut doubled, mut left) = (0, 0);
    let mut slowest = SignedDuration::ZERO;
    for (key, times) in by_key {
        for pair in times.windows(2) {
            // What was under way when it was killed may be read a little later.
            let around = killed.iter().any(|k| pair[0].at <= k.ready && k.at <= pair[1].at);
            let last = killed.iter().rfind(|k| k.at <= pair[1].at).map(|k| (k.at, k.ready));
            assert!(around, "{key} came at {} and {}, and nothing was killed since {last:?}", pair[0].at, pair[1].at);
            doubled += 1;
        }
        let first = times[0];
        if let Some(end) = killed.iter().find(|k| first.decided < k.at && k.at < first.at) {
            let late = first.at.duration_since(end.ready);
            assert!(late <= OUT_WITHIN, "{key} came {late:#} after the restart");
            left += 1;
            slowest = slowest.max(late);
        }
    }
    (doubled, left, slowest)
}
