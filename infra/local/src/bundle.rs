//! The six functions wired together in one process.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws::clients::{self, Aws, Http};
use aws::house::Now;
use aws::secrets::Secrets;
use aws::settings::Configuration;
use aws::topic::Topic;
use aws::wire::error_chain;
use aws::{House, Request, Response, Store, StoreError};
use domain::ServiceId;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::engine::{Engine, EngineError};
use crate::health::Health;
use crate::record::{self, Recorder};
use crate::topic::{self, InFlight};

const TABLE: &str = "recent-deployers";
/// The address of what is reached without a wire: the SDK wants one.
const NOWHERE: &str = "http://localhost";
/// How often what has expired is deleted. Nothing reads it, so there is no hurry.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// What came of printing: a printer that cannot fail returns nothing.
pub trait Printed {
    fn printed(self) -> io::Result<()>;
}

impl Printed for io::Result<()> {
    fn printed(self) -> io::Result<()> {
        self
    }
}

impl Printed for () {
    fn printed(self) -> io::Result<()> {
        Ok(self)
    }
}

/// What a bundle is started with.
pub struct Options<P = io::Result<()>> {
    pub configuration: Configuration,
    pub secrets: Secrets,
    /// Where the data lives; `None`: in memory.
    pub file: Option<PathBuf>,
    /// The account by which e-mails and text messages are sent, where there is one.
    pub aws: Option<Aws>,
    pub now: Now,
    /// Prints a message for a person.
    pub terminal: Arc<dyn Fn(&str) -> P + Send + Sync>,
}

/// Why a bundle does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the table cannot be made")]
    Table(#[from] StoreError),
}

/// The services that somebody just changed and nobody has looked at since.
#[derive(Clone, Default)]
struct Nudges {
    services: Arc<Mutex<BTreeSet<ServiceId>>>,
    arrived: Arc<Notify>,
}

impl Nudges {
    fn add(&self, service: &ServiceId) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(service.clone());
        self.arrived.notify_one();
    }

    fn take(&self) -> Vec<ServiceId> {
        std::mem::take(&mut *self.services.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

/// A running bundle.
#[derive(Clone)]
pub struct Bundle {
    pub house: House,
    in_flight: InFlight,
    nudges: Nudges,
    engine: Engine,
    /// No delivery that began before is under way.
    started: Timestamp,
    /// Whether the clock goes.
    health: Health,
    /// When the engine was last told to delete what has expired.
    swept_at: Arc<Mutex<Option<Timestamp>>>,
    /// Hears what is delivered, to be played again.
    recorder: Option<Recorder>,
}

/// What one service says may change another, and that a third: so often is it looked again.
const MOST_ROUNDS: usize = 10;

impl Bundle {
    /// Starts the engine and the topic, and makes the table. Nothing runs by itself yet.
    pub async fn start<P: Printed + 'static>(options: Options<P>) -> Result<Self, StartError> {
        let started = (options.now)();
        let engine = Engine::open(options.file.as_deref(), Arc::clone(&options.now))?;
        let aws = Aws::local(NOWHERE.to_owned(), NOWHERE.to_owned());
        let (http, in_flight) = (Http::new(), InFlight::default());
        let (topic, published) = topic::wireless(in_flight.clone());
        let nudges = Nudges::default();
        let nudge = nudges.clone();
        let print = options.terminal;
        let house = House {
            configuration: Arc::new(options.configuration),
            store: Store::new(clients::dynamodb(&aws, &engine.reached_by(&http)), TABLE).taking_turns(),
            topic: Topic::new(clients::sns(&aws, &http.by_way_of(topic)), topic::ARN),
            secrets: Arc::new(options.secrets),
            certificates: Arc::default(),
            http,
            aws: options.aws,
            now: options.now,
            nudge: Arc::new(move |service| nudge.add(service)),
            terminal: Some(Arc::new(move |text| print(text).printed())),
            acted: None,
            renewal: None,
            waker: None,
            freezes_seen: Arc::default(),
            sealed_until: Arc::default(),
            // The server of one machine shows the board to that machine, unless it is told otherwise.
            vouched: true,
        };
        house.store.create_table().await?;
        // The first tick sweeps, since a program that is started each morning may never run for long.
        let (health, swept_at) = (Health::since(started), Arc::default());
        published.go_to(house.clone());
        Ok(Self { house, in_flight, nudges, engine, started, health, swept_at, recorder: None })
    }

    /// From now on what is delivered and done is recorded: what people do wherever they do it, by a link or in a chat.
    pub fn record(&mut self, recorder: Recorder) {
        let (heard, now) = (Arc::clone(&recorder), Arc::clone(&self.house.now));
        self.house.acted = Some(Arc::new(move |action, by, form| {
            if let Some(line) = record::act(action, by, form, now()) {
                heard(&line);
            }
        }));
        self.recorder = Some(recorder);
    }

    /// Serves the table to other clients too, and says where.
    pub async fn endpoints(&self) -> Result<Aws, EngineError> {
        Ok(Aws::local(self.engine.serve().await?, NOWHERE.to_owned()))
    }

    /// Serves the topic at this address too, whose messages are delivered in this house.
    pub fn serve_topic(&self, listener: TcpListener, house: House) {
        topic::serve(listener, house, self.in_flight.clone());
    }

    /// Hands a request to the function whose route it is: the same routes as API Gateway's, and whether the clock goes.
    pub async fn route(&self, request: Request) -> Response {
        if let Some(answer) = self.health.answer(&request, self.house.now()) {
            return answer;
        }
        let Some(recorder) = &self.recorder else { return self.serve(request).await };
        let (at, heard) = (self.house.now(), request.clone());
        let response = self.serve(request).await;
        if let Some(line) = record::delivery(&heard, &response, at) {
            recorder(&line);
        }
        response
    }

    async fn serve(&self, request: Request) -> Response {
        match request.segments().first().copied() {
            Some("merge") => Box::pin(on_merge::handle(&self.house, request)).await,
            Some("deploy") => Box::pin(on_deploy::handle(&self.house, request)).await,
            Some("alert") => Box::pin(on_alert::handle(&self.house, request)).await,
            // Whatever else there is, as API Gateway's catch-all has it.
            _ => Box::pin(on_request::handle(&self.house, request)).await,
        }
    }

    /// Looks at every service that was just changed; on AWS the table's stream wakes `on-schedule` for it.
    /// Whether there was any.
    pub async fn settle_nudged(&self) -> bool {
        let changed = self.look_at_nudged().await;
        on_schedule::ask(&self.house, &changed).await;
        !changed.is_empty()
    }

    /// One tick of the clock.
    pub async fn tick(&self) {
        let due = self.look_at_due().await;
        on_schedule::ask(&self.house, &due).await;
        on_schedule::deliveries::catch_up(&self.house).await;
        on_schedule::sealing::seal(&self.house).await;
        self.sweep_now_and_then().await;
    }

    /// Deletes what has expired, if that was not done lately.
    async fn sweep_now_and_then(&self) {
        let now = self.house.now();
        let due = {
            let mut swept_at = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
            let due = swept_at.is_none_or(|at| now.duration_since(at) >= SWEEP_EVERY);
            if due {
                *swept_at = Some(now);
            }
            due
        };
        if due {
            self.engine.sweep().await;
        }
    }

    /// The next tick at which something is due, for clocks that can be moved: whole minutes after `now`.
    pub async fn next_tick(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let Some(due) = self.house.store.earliest_due().await? else { return Ok(None) };
        Ok(Some(domain::on_schedule::tick_after(due, now)))
    }

    /// Settles, and waits until every message is delivered and nothing new has come of it.
    pub async fn quiesce(&self) {
        for _ in 0..MOST_ROUNDS {
            let changed = self.settle_nudged().await;
            self.in_flight.idle().await;
            if !changed {
                return;
            }
        }
    }

    /// Looks when nudged and each minute, for ever; at once too, for what was left when we were last stopped. Forges
    /// are asked beside it, since no look of any service waits for one.
    pub async fn run_schedule(self) {
        let questions = Nudges::default();
        tokio::spawn(self.clone().run_questions(questions.clone()));
        if let Err(error) = on_schedule::resume(&self.house, self.started).await {
            tracing::error!(cause = error_chain(&error), "not resumed, the ticks will");
        }
        let desk = std::iter::once(self.house.settings().freeze_desk());
        self.house.settings().services().chain(desk).for_each(|service| questions.add(&service.id));
        let mut minute = tokio::time::interval(std::time::Duration::from_secs(60));
        minute.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let looked = tokio::select! {
                _ = minute.tick() => {
                    let bundle = self.clone();
                    tokio::spawn(async move {
                        bundle.sweep_now_and_then().await;
                        on_schedule::deliveries::catch_up(&bundle.house).await;
                        on_schedule::sealing::seal(&bundle.house).await;
                    });
                    self.look_at_due().await
                }
                () = self.nudges.arrived.notified() => self.look_at_nudged().await,
            };
            looked.iter().for_each(|service| questions.add(service));
        }
    }

    async fn run_questions(self, questions: Nudges) {
        loop {
            questions.arrived.notified().await;
            on_schedule::ask(&self.house, &questions.take()).await;
        }
    }

    /// Looks at what was changed, and says what that was.
    async fn look_at_nudged(&self) -> Vec<ServiceId> {
        let changed = self.nudges.take();
        // What fails is logged there, and tried again at the next tick.
        let _ = on_schedule::look(&self.house, &changed).await;
        changed
    }

    /// Looks at what is due, and says what that was.
    async fn look_at_due(&self) -> Vec<ServiceId> {
        let due = match on_schedule::due(&self.house).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(cause = error_chain(&error), "the tick failed, tried again in a minute");
                return Vec::new();
            }
        };
        if on_schedule::look(&self.house, &due).await.is_ok() {
            self.health.ticked(self.house.now());
        }
        due
    }
}
