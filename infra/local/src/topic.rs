//! The page topic on one machine: it speaks SNS's `Publish`, without a wire or at an address, and hands each message to `on-page` in
//! the event that SNS hands to Lambda. Like SNS it answers before the message is delivered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws::House;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

pub const ARN: &str = "arn:aws:sns:eu-west-1:000000000000:recent-deployers-pages";

/// How many messages are being delivered, so that a demo or test can wait for them.
#[derive(Debug, Clone, Default)]
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

#[derive(Debug)]
struct Delivery(InFlight);

impl Drop for Delivery {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.done.notify_waiters();
    }
}

/// Delivers what is published, in this house.
#[derive(Clone)]
struct Deliverer {
    house: House,
    in_flight: InFlight,
}

/// Serves the topic for this house at an address, until the process ends.
pub fn serve(listener: TcpListener, house: House, in_flight: InFlight) {
    let deliverer = Deliverer { house, in_flight };
    let app = Router::new().route("/", post(publish)).with_state(deliverer);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the topic stopped");
        }
    });
}

async fn publish(State(deliverer): State<Deliverer>, body: String) -> (StatusCode, String) {
    let Some(message) = published(body.as_bytes()) else {
        return (StatusCode::BAD_REQUEST, error("InvalidAction"));
    };
    let delivery = deliverer.in_flight.start();
    tokio::spawn(deliver(deliverer.house, message, delivery));
    (StatusCode::OK, accepted())
}

/// The message of a request to publish one.
fn published(body: &[u8]) -> Option<String> {
    let mut form: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let publishes = form.get("Action").is_some_and(|action| action == "Publish");
    form.remove("Message").filter(|_| publishes)
}

async fn deliver(house: House, message: String, delivery: Delivery) {
    let event = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Type": "Notification", "TopicArn": ARN, "Message": message } }] });
    // A failure is logged by on-page; the sweeper publishes the message again.
    let _ = on_page::handle(&house, &event).await;
    drop(delivery);
}

/// A connector to the topic of our own process, which has no address.
#[derive(Debug)]
pub struct Wireless {
    messages: UnboundedSender<(String, Delivery)>,
    in_flight: InFlight,
}

/// What was published by a [`Wireless`] and waits for its house.
pub struct Published(UnboundedReceiver<(String, Delivery)>);

/// A topic of our own process: by which it is published to, and what [`Published::go_to`] delivers.
#[must_use]
pub fn wireless(in_flight: InFlight) -> (Wireless, Published) {
    let (messages, waiting) = mpsc::unbounded_channel();
    (Wireless { messages, in_flight }, Published(waiting))
}

impl Published {
    /// From now on all is delivered in this house, until the process ends.
    pub fn go_to(mut self, house: House) {
        tokio::spawn(async move {
            while let Some((message, delivery)) = self.0.recv().await {
                tokio::spawn(deliver(house.clone(), message, delivery));
            }
        });
    }
}

impl HttpConnector for Wireless {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let message = request.body().bytes().and_then(published);
        let taken = message.and_then(|message| self.messages.send((message, self.in_flight.start())).ok());
        let (status, body) = match taken {
            Some(()) => (200, accepted()),
            None => (400, error("InvalidAction")),
        };
        let status = aws_smithy_runtime_api::http::StatusCode::try_from(status);
        HttpConnectorFuture::ready(match status {
            Ok(status) => Ok(HttpResponse::new(status, SdkBody::from(body))),
            Err(error) => Err(ConnectorError::other(error.into(), None)),
        })
    }
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
