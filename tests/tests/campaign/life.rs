//! A process that can die at any call it makes: the functions on a runtime of their own, behind gates that count their calls
//! to the table and the topic. When it dies, everything that ran on it is gone; the table, the pager and the senders stay.

use std::collections::BTreeSet;
use std::net::TcpListener as Listener;
use std::sync::{Arc, Mutex, PoisonError};

use aws::clients::{self, Aws};
use aws::topic::Topic;
use aws::{House, Store};
use domain::ServiceId;
use house_tests::Stage;
use house_tests::gate::{Fault, Gate};
use house_tests::peer::Peer;
use recent_deployers::topic::{self, InFlight};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::world::{self, Event};

/// At which of its calls a process dies, counted over all lives from 1; and whether the call is done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    pub place: usize,
    pub done: bool,
}

/// What the calls are counted by.
#[derive(Debug, Default)]
struct Count {
    calls: Vec<String>,
    strikes: Vec<Strike>,
    /// Whoever lives now is dead from here on.
    dead: bool,
}

impl Count {
    fn fault(&mut self, call: &str) -> Option<Fault> {
        if self.dead {
            return Some(Fault::Silence);
        }
        self.calls.push(call.to_owned());
        let strike = self.strikes.iter().find(|strike| strike.place == self.calls.len())?;
        self.dead = true;
        Some(if strike.done { Fault::DiesAfter } else { Fault::DiesBefore })
    }
}

/// What outlives every process.
pub struct World {
    pub stage: Stage,
    pub pager: Peer,
    table: Gate,
    topic: Gate,
    listener: Listener,
    count: Arc<Mutex<Count>>,
}

impl World {
    pub async fn new(services: &[String], strikes: &[Strike]) -> Self {
        let (stage, pager) = world::stage(services).await;
        let endpoints = &stage.endpoints().await;
        let table = Gate::before(endpoints.dynamodb_endpoint.clone().expect("an engine")).await;
        let listener = Listener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let topic = Gate::before(format!("http://{}", listener.local_addr().expect("an address"))).await;
        let count = Arc::new(Mutex::new(Count { strikes: strikes.to_vec(), ..Count::default() }));
        for gate in [&table, &topic] {
            let count = Arc::clone(&count);
            gate.obeys(move |request| {
                let target = request.header("x-amz-target").rsplit('.').next().unwrap_or_default();
                let call = if target.is_empty() { "Publish" } else { target };
                count.lock().unwrap_or_else(PoisonError::into_inner).fault(call)
            });
        }
        Self { stage, pager, table, topic, listener, count }
    }

    /// The calls so far, by their names.
    pub fn calls(&self) -> Vec<String> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).calls.clone()
    }

    /// A new process.
    pub fn live(&self) -> Life {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).dead = false;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let aws = Aws::local(self.table.address.clone(), self.topic.address.clone());
        let http = &self.stage.house.http;
        let nudged: Arc<Mutex<BTreeSet<ServiceId>>> = Arc::default();
        let rung = Arc::clone(&nudged);
        let house = House {
            store: Store::new(clients::dynamodb(&aws, http), "recent-deployers").taking_turns(),
            topic: Topic::new(clients::sns(&aws, http), topic::ARN),
            nudge: Arc::new(move |service: &ServiceId| {
                rung.lock().unwrap_or_else(PoisonError::into_inner).insert(service.clone());
            }),
            freezes_seen: Arc::default(),
            sealed_until: Arc::default(),
            ..self.stage.house.clone()
        };
        let in_flight = InFlight::default();
        let listener = self.listener.try_clone().expect("a socket");
        {
            let _within = runtime.enter();
            topic::serve(TcpListener::from_std(listener).expect("a socket"), house.clone(), in_flight.clone());
        }
        Life { runtime, house, in_flight, nudged }
    }

    /// Has this life do something. `None`: it died of it.
    pub async fn does<T: Send + 'static>(
        &self,
        life: &Life,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let mut working = life.runtime.spawn(work);
        tokio::select! {
            done = &mut working => Some(done.expect("no panic")),
            () = self.table.has_died() => None,
            () = self.topic.has_died() => None,
        }
    }
}

/// One process.
pub struct Life {
    runtime: Runtime,
    house: House,
    in_flight: InFlight,
    nudged: Arc<Mutex<BTreeSet<ServiceId>>>,
}

impl Life {
    /// It is gone, with whatever it was at.
    pub fn ends(self) {
        tokio::task::block_in_place(|| self.runtime.shutdown_timeout(std::time::Duration::from_secs(5)));
    }

    pub fn hears(&self, event: &Event) -> impl Future<Output = u16> + Send + use<> {
        let (house, event) = (self.house.clone(), event.clone());
        async move { world::hear(&house, &event).await }
    }

    /// The clock's minute.
    pub fn ticks(&self) -> impl Future<Output = ()> + Send + use<> {
        let house = self.house.clone();
        async move { drop(on_schedule::handle(&house, &json!({ "tick": true })).await) }
    }

    /// As one machine begins after it was stopped.
    pub fn resumes(&self) -> impl Future<Output = ()> + Send + use<> {
        let house = self.house.clone();
        let started = house.now();
        async move { drop(on_schedule::resume(&house, started).await) }
    }

    /// Looks at what was changed, as the table's stream has it do, and waits until all is delivered.
    pub fn rests(&self) -> impl Future<Output = ()> + Send + use<> {
        let (house, in_flight, nudged) = (self.house.clone(), self.in_flight.clone(), Arc::clone(&self.nudged));
        async move {
            for _ in 0..10 {
                let changed = std::mem::take(&mut *nudged.lock().unwrap_or_else(PoisonError::into_inner));
                let _ = on_schedule::look(&house, &changed).await;
                in_flight.idle().await;
                if changed.is_empty() {
                    return;
                }
            }
        }
    }
}
