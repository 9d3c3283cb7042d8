//! The Lambda function `on-schedule`: every event, whatever it is, is a tick.

use std::sync::Arc;

use aws::{House, lambda, telemetry};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let house = Arc::new(House::from_environment(now, |_| Vec::new())?);
    lambda::serve(move |_| {
        let house = Arc::clone(&house);
        async move { Ok(json!({ "settled": on_schedule::tick(&house).await? })) }
    })
    .await
}
