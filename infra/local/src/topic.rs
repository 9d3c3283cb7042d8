//! The page topic on one machine: an endpoint that speaks SNS's `Publish` and hands each message to `on-page`
//! in the event that SNS hands to Lambda. Like SNS it answers before the message is delivered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws::House;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

pub const ARN: &str = "arn:aws:sns:eu-west-1:000000000000:recent-deployers-pages";

/// How many messages are being delivered, so that a demo or test can wait for them.
#[derive(Clone, Default)]
pub struct InFlight {
    count: Arc<AtomicUsize>,
    done: Arc<Notify>,
}

impl InFlight {
    /// Waits until nothing is being delivered.
    pub async fn idle(&self) {
        loop {
            let done = self.done.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            done.await;
        }
    }

    fn start(&self) -> Delivery {
        self.count.fetch_add(1, Ordering::SeqCst);
        Delivery(self.clone())
    }
}

struct Delivery(InFlight);

impl Drop for Delivery {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.done.notify_waiters();
    }
}

/// Serves the topic for this house until the process ends.
pub fn serve(listener: TcpListener, house: House, in_flight: InFlight) {
    let app = Router::new().route("/", post(publish)).with_state((house, in_flight));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the topic stopped");
        }
    });
}

async fn publish(State((house, in_flight)): State<(House, InFlight)>, body: String) -> (StatusCode, String) {
    let form: BTreeMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let message = match (form.get("Action").map(String::as_str), form.get("Message")) {
        (Some("Publish"), Some(message)) => message.clone(),
        _ => return (StatusCode::BAD_REQUEST, error("InvalidAction")),
    };
    let delivery = in_flight.start();
    tokio::spawn(async move {
        let event = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Type": "Notification", "TopicArn": ARN, "Message": message } }] });
        // A failure is logged by on-page; the sweeper publishes the message again.
        let _ = on_page::handle(&house, &event).await;
        drop(delivery);
    });
    (StatusCode::OK, accepted())
}

fn accepted() -> String {
    "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>local</MessageId></PublishResult>\
     <ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></PublishResponse>"
        .to_owned()
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code></Error><RequestId>local</RequestId></ErrorResponse>"
    )
}
