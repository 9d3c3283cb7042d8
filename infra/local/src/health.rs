//! Whether the clock goes, for whoever watches this program from outside: `GET /health`. On AWS the alarm `tick-is-dead` tells it.

use std::sync::{Arc, Mutex, PoisonError};

use aws::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// The clock ticks each minute. As late as this, nobody is escalated to.
const DEAD_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// When a tick last came to its end; at first, when the program started.
#[derive(Clone)]
pub struct Health {
    ticked_at: Arc<Mutex<Timestamp>>,
}

impl Health {
    #[must_use]
    pub fn since(started: Timestamp) -> Self {
        Self { ticked_at: Arc::new(Mutex::new(started)) }
    }

    /// A tick came to its end.
    pub fn ticked(&self, now: Timestamp) {
        *self.ticked_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// The answer, if that is what is asked for: 200 while the clock goes, 503 while it does not. It says nothing else, so
    /// everybody may read it.
    #[must_use]
    pub fn answer(&self, request: &Request, now: Timestamp) -> Option<Response> {
        is_asked_for_health(request).then(|| {
            let ticked_at = *self.ticked_at.lock().unwrap_or_else(PoisonError::into_inner);
            // A clock that was set back makes nothing late.
            let late = now.duration_since(ticked_at) >= DEAD_AFTER;
            let (status, word) = if late { (503, "fail") } else { (200, "pass") };
            let tick = json!({ "status": word, "time": ticked_at, "componentType": "system" });
            let body = json!({ "status": word, "checks": { "tick": [tick] } });
            let mut answer = Response::json(status, &body);
            let headers = [("content-type", "application/health+json"), ("cache-control", "no-store")];
            answer.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            answer
        })
    }
}

#[must_use]
pub fn is_asked_for_health(request: &Request) -> bool {
    request.method == "GET" && request.segments() == ["health"]
}
