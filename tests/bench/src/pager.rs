//! The webhook receiver of both: it notes which alert each request is about, and when it came.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// By this an alert is known in whatever is said of it; six digits follow.
pub const MARK: &str = "Alert-";

/// The page of an alert.
struct Heard {
    at: Instant,
    /// What the sender calls it, where it does: the same however often it is sent.
    key: String,
    times: usize,
}

#[derive(Clone, Default)]
pub struct Pager {
    pub address: String,
    heard: Arc<Mutex<BTreeMap<usize, Heard>>>,
    /// Whatever it is about.
    requests: Arc<AtomicUsize>,
    refuses: Arc<AtomicBool>,
    arrived: Arc<Notify>,
}

impl Pager {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pager = Self { address: format!("http://{}/page", listener.local_addr().unwrap()), ..Self::default() };
        let app = Router::new().fallback(hear).with_state(pager.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        pager
    }

    /// From now on it answers 503, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// When it was first paged for this alert.
    pub fn heard(&self, alert: usize) -> Option<Instant> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&alert).map(|heard| heard.at)
    }

    /// How often that page came.
    pub fn how_often(&self, alert: usize) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&alert).map_or(0, |heard| heard.times)
    }

    /// Waits until it has heard of all of these, at most so long. Whether it has.
    pub async fn hears(&self, alerts: &[usize], at_most: Duration) -> bool {
        let all = async {
            loop {
                let arrived = self.arrived.notified();
                if alerts.iter().all(|alert| self.heard(*alert).is_some()) {
                    return;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(at_most, all).await.is_ok()
    }

    /// Waits until nothing has come for so long.
    pub async fn quiet(&self, silence: Duration) {
        let mut last = usize::MAX;
        while last != self.requests.load(Ordering::SeqCst) {
            last = self.requests.load(Ordering::SeqCst);
            tokio::time::sleep(silence).await;
        }
    }
}

async fn hear(State(pager): State<Pager>, headers: HeaderMap, body: String) -> StatusCode {
    let at = Instant::now();
    pager.requests.fetch_add(1, Ordering::SeqCst);
    if pager.refuses.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let of = body.find(MARK).and_then(|at| body.get(at + MARK.len()..at + MARK.len() + 6)).and_then(|n| n.parse().ok());
    // We also tell owners and the rotation; Alertmanager knows nothing but pages.
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let pages = body["data"]["kind"].as_str().is_none_or(|kind| kind == "page");
    if let Some(alert) = of.filter(|_| pages) {
        let key = headers.get("webhook-id").and_then(|key| key.to_str().ok()).unwrap_or("").to_owned();
        let mut heard = pager.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let page = heard.entry(alert).or_insert_with(|| Heard { at, key: key.clone(), times: 0 });
        page.times += usize::from(page.key == key);
        drop(heard);
        pager.arrived.notify_waiters();
    }
    StatusCode::OK
}
