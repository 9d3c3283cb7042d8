//! The stage on which whole stories are played: the real bundle in memory, the real wire formats with their
//! signatures, a clock that moves when it is told to. Reads like PRODUCT.md's stories.

pub mod dice;
pub mod gate;
pub mod heard;
pub mod long_day;
pub mod ministack;
pub mod peer;
pub mod program;
pub mod proving;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws::clients::{self, Aws};
use aws::links::{Action, Grant};
use aws::receiver::ReceiverKind;
use aws::secrets::{Secret, Secrets};
use aws::settings::Configuration;
use aws::wake::Waker;
use aws::{House, Request, Response};
use domain::{Incident, ServiceId, Situation};
use gate::Gate;
use jiff::{SignedDuration, Timestamp};
use recent_deployers::demo::VirtualClock;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use recent_deployers::{Bundle, Options};
use serde_json::Value;
use tokio::net::TcpListener;

pub const GITHUB_SECRET: &str = "It's a Secret to Everybody";
pub const TOKEN: &str = "alertmanager-token";
pub const REPOSITORY: &str = "openedx/edx-platform";

/// The real time, by which the program runs that a test starts.
#[must_use]
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a program under test reads the real clock")]
    Timestamp::now()
}

/// The project's root, where `../shared` is beside it.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A binary that `tests/run` has built.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let path = own.ancestors().nth(2).map(|target| target.join(name)).unwrap_or_default();
    assert!(path.exists(), "{} is not built: run tests/run, or cargo build --workspace", path.display());
    path
}

/// `"Fri 15:30"` of a week in March 2026, UTC.
///
/// # Panics
/// On anything else.
#[must_use]
pub fn time(text: &str) -> Timestamp {
    let days = ["Fri", "Sat", "Sun", "Mon", "Tue", "Wed", "Thu"];
    let parsed = text.split_once(' ').and_then(|(day, clock)| {
        let day = i64::try_from(days.iter().position(|d| *d == day)?).ok()?;
        let (hours, minutes) = clock.split_once(':')?;
        let minutes = (day * 24 + hours.parse::<i64>().ok()?) * 60 + minutes.parse::<i64>().ok()?;
        Some(Timestamp::from_second(1_773_964_800).ok()? + SignedDuration::from_mins(minutes))
    });
    let Some(time) = parsed else { panic!("not a time of the story: {text}") };
    time
}

/// The merge commit of pull request `number`.
#[must_use]
pub fn commit(number: u64) -> String {
    format!("{number:040x}")
}

/// The configuration of the stories: `services` go live from one repository, four people.
#[must_use]
pub fn configuration(services: &[&str]) -> String {
    let mut text = String::from(
        r#"
        public_url = "https://deployers.example.com"
        [senders.github]
        [senders.alertmanager]
        [senders.cloudwatch]
        secret = "alertmanager"
        [unmapped]
        rotation = ["anna"]
        "#,
    );
    for (id, zone) in [
        ("feanil", "America/New_York"),
        ("usama", "Asia/Karachi"),
        ("anna", "Europe/Stockholm"),
        ("olga", "Europe/London"),
    ] {
        text.push_str(&format!("[people.{id}]\nzone = \"{zone}\"\ngithub = [\"{id}\"]\ncontacts = [\"terminal\"]\n"));
    }
    for service in services {
        text.push_str(&format!(
            "[services.{service}]\nowners = [\"olga\"]\nrotation = [\"anna\"]\nalerts = [\"service={service}\"]\n\
             repositories = [{{ name = \"{REPOSITORY}\" }}]\n[services.{service}.environments.production]\nlive = true\n\
             aliases = [\"prod\"]\n[services.{service}.environments.stage]\n"
        ));
    }
    text
}

/// A bundle under test.
pub struct Stage {
    pub bundle: Bundle,
    pub clock: VirtualClock,
    pub printed: Arc<Mutex<Vec<String>>>,
    /// The house whose clock, table and topic the functions under test use.
    pub house: House,
    /// The bundle as each function has it, where they are watched.
    own: BTreeMap<&'static str, Bundle>,
}

/// The six functions.
pub const FUNCTIONS: [&str; 6] = ["on-merge", "on-deploy", "on-alert", "on-schedule", "on-page", "on-request"];

impl Stage {
    /// One service, `edxapp`, on Friday at 12:00.
    pub async fn new() -> Self {
        Self::with(&configuration(&["edxapp"]), |_| {}).await
    }

    /// A bundle with this configuration; `adjust` may change it after it was read.
    ///
    /// # Panics
    /// When the configuration has problems or the bundle does not start.
    pub async fn with(text: &str, adjust: impl FnOnce(&mut Configuration)) -> Self {
        Self::with_secrets(text, &[], adjust).await
    }

    /// The same, with these secrets beside those that are always there.
    ///
    /// # Panics
    /// When the configuration has problems or the bundle does not start.
    pub async fn with_secrets(text: &str, secrets: &[(&str, &str)], adjust: impl FnOnce(&mut Configuration)) -> Self {
        let parsed = Configuration::parse(text, &aws::settings::no_files);
        let Ok(mut configuration) = parsed else { panic!("{parsed:?}") };
        adjust(&mut configuration);
        let clock = VirtualClock::starting_at(time("Fri 12:00"));
        let printed = Arc::<Mutex<Vec<String>>>::default();
        let (now, lines) = (clock.clone(), Arc::clone(&printed));
        let always = [
            ("github", GITHUB_SECRET),
            ("alertmanager", TOKEN),
            ("links", "links-key"),
            ("hook", "hook-key"),
            ("api", "api-token"),
            ("signing", "8f742231b10e8888abcd99yyyzzz85a5"),
        ];
        let secrets = always.iter().chain(secrets);
        let secrets = secrets.filter_map(|(name, text)| Some(((*name).to_owned(), Secret::new(text)?)));
        let started = Bundle::start(Options {
            configuration,
            secrets: Secrets::fixed(secrets),
            file: None,
            aws: Some(Aws::local(String::new(), String::new())),
            now: Arc::new(move || now.now()),
            terminal: Arc::new(move |text| lines.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned())),
        })
        .await;
        let bundle = match started {
            Ok(bundle) => bundle,
            Err(error) => panic!("{error}"),
        };
        Self { house: bundle.house.clone(), bundle, clock, printed, own: BTreeMap::new() }
    }

    /// Puts gates before the table and before the topic, and all functions behind them; `house` stays outside.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn gated(&mut self) -> (Gate, Gate) {
        let (house, table, topic, listener) = self.behind_gates().await;
        self.bundle.house = house;
        self.bundle.serve_topic(listener, self.bundle.house.clone());
        (table, topic)
    }

    /// Where the table is reached by other clients than the house's own.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn endpoints(&self) -> Aws {
        match self.bundle.endpoints().await {
            Ok(endpoints) => endpoints,
            Err(error) => panic!("{error}"),
        }
    }

    /// Plays on another engine than the embedded one, in a table of this name.
    ///
    /// # Panics
    /// When it cannot be made there.
    pub async fn moves_to(&mut self, endpoint: &str, table: &str) {
        let aws = Aws::local(endpoint.to_owned(), String::new());
        let store = aws::Store::new(clients::dynamodb(&aws, &self.house.http), table).taking_turns();
        if let Err(error) = store.create_table().await {
            panic!("{table} cannot be made at {endpoint}: {error}");
        }
        self.house.store = store.clone();
        self.bundle.house.store = store;
        let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { panic!("no port is free") };
        let address = listener.local_addr().map(|a| format!("http://{a}")).unwrap_or_default();
        let aws = Aws::local(String::new(), address);
        self.bundle.house.topic =
            aws::topic::Topic::new(clients::sns(&aws, &self.house.http), recent_deployers::topic::ARN);
        self.bundle.serve_topic(listener, self.bundle.house.clone());
    }

    /// Puts gates of its own before the table, the topic and whatever else of AWS answers at `beyond` for each function, so that it
    /// is seen what each asks for.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn watched(&mut self, beyond: &str) -> BTreeMap<&'static str, [Gate; 3]> {
        let (mut gates, mut own) = (BTreeMap::new(), BTreeMap::new());
        let mut listeners = Vec::new();
        for function in FUNCTIONS {
            let (house, table, topic, listener) = self.behind_gates().await;
            let beyond = Gate::before(beyond.to_owned()).await;
            let mut bundle = self.bundle.clone();
            let mut configuration = (*house.configuration).clone();
            let of_aws = |kind| matches!(kind, ReceiverKind::Email | ReceiverKind::Sms);
            configuration.receivers.values_mut().filter(|receiver| of_aws(receiver.kind)).for_each(|receiver| {
                receiver.url.clone_from(&beyond.address);
            });
            let aws = Aws { scheduler_endpoint: Some(beyond.address.clone()), ..self.endpoints().await };
            let (http, text) = (house.http.clone(), str::to_owned);
            let waker = Waker { aws, http, group: text("wakes"), target: text("on-schedule"), role: text("scheduler") };
            bundle.house = House { configuration: configuration.into(), waker: Some(waker), ..house };
            own.insert(function, bundle);
            gates.insert(function, [table, topic, beyond]);
            listeners.push(listener);
        }
        // Whoever publishes, it is on-page that delivers.
        for listener in listeners {
            self.bundle.serve_topic(listener, own["on-page"].house.clone());
        }
        self.own = own;
        gates
    }

    /// A house behind gates, and where its topic is to be served.
    async fn behind_gates(&self) -> (House, Gate, Gate, TcpListener) {
        let endpoints = &self.endpoints().await;
        let table = Gate::before(endpoints.dynamodb_endpoint.clone().unwrap_or_default()).await;
        let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { panic!("no port is free") };
        let address = listener.local_addr().map(|a| format!("http://{a}")).unwrap_or_default();
        let topic = Gate::before(address).await;
        let aws = Aws::local(table.address.clone(), topic.address.clone());
        let http = &self.house.http;
        let store = aws::Store::new(clients::dynamodb(&aws, http), "recent-deployers").taking_turns();
        let sns = aws::topic::Topic::new(clients::sns(&aws, http), recent_deployers::topic::ARN);
        (House { store, topic: sns, ..self.bundle.house.clone() }, table, topic, listener)
    }

    /// The bundle, as the function that serves this path has it.
    fn bundle_of(&self, path: &str) -> &Bundle {
        let function = match path.split('/').nth(1) {
            Some("merge") => "on-merge",
            Some("deploy") => "on-deploy",
            Some("alert") => "on-alert",
            _ => "on-request",
        };
        self.own.get(function).unwrap_or(&self.bundle)
    }

    /// The bundle as the clock's function has it.
    fn clock_s(&self) -> &Bundle {
        self.own.get("on-schedule").unwrap_or(&self.bundle)
    }

    /// Lets the clock tick each minute until `text`, whether or not something is due.
    pub async fn tick_until(&self, text: &str) {
        let then = time(text);
        while self.clock.now() < then {
            self.clock.set(then.min(self.clock.now() + SignedDuration::from_mins(1)));
            self.clock_s().tick().await;
            self.clock_s().quiesce().await;
        }
    }

    /// Lets time pass until `text`, minute by minute.
    pub async fn at(&mut self, text: &str) -> &mut Self {
        self.until(time(text)).await;
        self
    }

    /// Lets time pass until `then`, minute by minute.
    pub async fn until(&self, then: Timestamp) {
        while let Some(tick) = self.next_tick().await.filter(|tick| *tick <= then) {
            self.clock.set(tick);
            self.clock_s().tick().await;
            self.clock_s().quiesce().await;
        }
        self.clock.set(then);
    }

    async fn next_tick(&self) -> Option<Timestamp> {
        match self.bundle.next_tick(self.clock.now()).await {
            Ok(tick) => tick,
            Err(error) => panic!("{error}"),
        }
    }

    /// Posts a body as it is, and lets the bundle come to rest.
    pub async fn post(&self, path: &str, headers: Vec<(String, String)>, body: &[u8]) -> Response {
        let response = self.bundle_of(path).route(Request::new("POST", path, headers, body.to_vec())).await;
        self.clock_s().quiesce().await;
        response
    }

    pub async fn get(&self, path: &str) -> Response {
        self.bundle_of(path).route(Request::new("GET", path, Vec::new(), Vec::new())).await
    }

    /// Posts a payload as GitHub does.
    pub async fn github(&self, path: &str, payload: &Value) -> Response {
        let body = payload.to_string();
        self.post(path, payloads::github_headers("", GITHUB_SECRET, body.as_bytes()), body.as_bytes()).await
    }

    /// `who` merges pull request `number`, now.
    pub async fn merge(&self, who: &str, number: u64) -> Response {
        self.github("/merge/github", &self.merged(who, number)).await
    }

    /// The payload of that merge.
    #[must_use]
    pub fn merged(&self, who: &str, number: u64) -> Value {
        let title = format!("change number {number}");
        let commit = commit(number);
        let at = self.clock.now();
        payloads::pull_request_merged(&Merge {
            repository: REPOSITORY,
            number,
            title: &title,
            author: who,
            merger: who,
            commit: &commit,
            at,
        })
    }

    /// The commit of `number` gets into `state` in `environment`, now.
    pub async fn deploy(&self, environment: &str, state: &str, number: u64) -> Response {
        self.github("/deploy/github", &self.deployed(environment, state, number)).await
    }

    /// The payload of that report.
    #[must_use]
    pub fn deployed(&self, environment: &str, state: &str, number: u64) -> Value {
        let commit = commit(number);
        let at = self.clock.now();
        payloads::deployment_status(&Deployment {
            repository: REPOSITORY,
            id: number,
            environment,
            commit: &commit,
            state,
            created_at: at,
            at,
        })
    }

    /// An alert of `service` that began at `since` fires, or is over now.
    pub async fn alert(&self, service: &str, since: &str, over: bool) -> Response {
        let body = self.alerting(service, since, over).to_string();
        self.post("/alert/alertmanager", payloads::token_headers(TOKEN), body.as_bytes()).await
    }

    /// The payload of that alert.
    #[must_use]
    pub fn alerting(&self, service: &str, since: &str, over: bool) -> Value {
        payloads::alertmanager(&[Alert {
            service,
            name: "HighErrorRate",
            summary: "7 % of requests fail",
            severity: "critical",
            started_at: time(since),
            ended_at: over.then(|| self.clock.now()),
        }])
    }

    /// `who` acknowledges the one incident of `edxapp`, by link.
    ///
    /// # Panics
    /// When there is no incident, or the link does not work.
    pub async fn acknowledge(&self, who: &str) -> Response {
        let incident = self.incident("edxapp").await.id;
        let path = self.link(Action::Acknowledge(incident), who);
        self.post(&path, Vec::new(), b"do=acknowledge").await
    }

    /// A link by which `who` may do this, for a day.
    ///
    /// # Panics
    /// When nobody can be called so.
    #[must_use]
    pub fn link(&self, action: Action, who: &str) -> String {
        let Ok(person) = who.parse() else { panic!("not a person: {who}") };
        let Some(secret) = Secret::new("links-key") else { panic!("a secret") };
        let expires = self.clock.now() + SignedDuration::from_hours(24);
        aws::links::path(&secret, &Grant { action, person, expires })
    }

    /// Who was paged and noticed since this was last asked: `page feanil: title`, sorted.
    pub fn heard(&self) -> Vec<String> {
        let texts = std::mem::take(&mut *self.printed.lock().unwrap_or_else(PoisonError::into_inner));
        let mut lines: Vec<String> = texts.iter().map(|text| first_lines(text)).collect();
        lines.sort();
        lines
    }

    /// The whole text of what was printed since this was last asked.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        std::mem::take(&mut *self.printed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The service as the table has it.
    ///
    /// # Panics
    /// When the table does not answer.
    pub async fn situation(&self, service: &str) -> Situation {
        let id: ServiceId = service.parse().unwrap_or_else(|_| panic!("not a service: {service}"));
        match self.house.store.situation(&id).await {
            Ok(situation) => situation,
            Err(error) => panic!("{error}"),
        }
    }

    /// The one incident of the service.
    ///
    /// # Panics
    /// When there is none or more than one.
    pub async fn incident(&self, service: &str) -> Incident {
        let mut incidents: Vec<Incident> =
            self.situation(service).await.incidents.into_values().map(|i| i.value).collect();
        assert_eq!(incidents.len(), 1, "exactly one incident");
        incidents.remove(0)
    }

    /// `label person phase`, a line for each window of the service, in merge order.
    pub async fn windows(&self, service: &str) -> Vec<String> {
        let situation = self.situation(service).await;
        let settings = self.house.settings();
        let Some(service) = settings.service(&situation.service) else { return Vec::new() };
        let all = domain::window::windows(&situation, service, &settings.roster, self.clock.now());
        let line = |w: &domain::Window<'_>| {
            let phase = match w.phase {
                domain::Phase::Standby => "standby".to_owned(),
                domain::Phase::Active { until, .. } => format!("active until {}", until.strftime("%a %H:%M")),
                domain::Phase::Tail { until, .. } => format!("tail until {}", until.strftime("%a %H:%M")),
                domain::Phase::Closed { .. } => "closed".to_owned(),
            };
            format!("{} {} {phase}", w.change.label(), w.responder.person)
        };
        all.iter().map(line).collect()
    }

    /// How often the table was queried, got from, written to singly, and in transactions, during `work`.
    pub async fn cost<T>(&self, work: impl Future<Output = T>) -> (T, [u64; 4]) {
        let before = self.house.store.counters().read();
        let result = work.await;
        let after = self.house.store.counters().read();
        (result, std::array::from_fn(|i| after[i] - before[i]))
    }

    /// The same house, but its topic is where nobody listens.
    #[must_use]
    pub fn without_topic(&self) -> House {
        let aws = Aws::local(String::new(), "http://127.0.0.1:9".to_owned());
        let topic = aws::topic::Topic::new(clients::sns(&aws, &self.house.http), recent_deployers::topic::ARN);
        House { topic, ..self.house.clone() }
    }

    /// The same house, but its table is where nobody listens.
    #[must_use]
    pub fn without_table(&self) -> House {
        let aws = Aws::local("http://127.0.0.1:9".to_owned(), String::new());
        let store = aws::Store::new(clients::dynamodb(&aws, &self.house.http), "recent-deployers");
        House { store, ..self.house.clone() }
    }
}

fn first_lines(text: &str) -> String {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or("").trim_matches(|c| c == '─' || c == ' ').to_owned();
    format!("{head}: {}", lines.next().unwrap_or("").trim())
}
