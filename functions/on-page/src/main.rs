//! The Lambda function `on-page`: subscribed to the page topic.

use std::sync::Arc;

use aws::{House, lambda, telemetry};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let secrets = |c: &aws::settings::Configuration| {
        c.receivers.values().filter_map(|r| r.secret.clone()).chain([c.link_secret.clone()]).collect()
    };
    let house = Arc::new(House::from_environment(now, secrets)?);
    lambda::serve(move |event| {
        let house = Arc::clone(&house);
        async move {
            on_page::handle(&house, &event).await?;
            Ok(Value::Null)
        }
    })
    .await
}
