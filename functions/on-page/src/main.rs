//! The Lambda function `on-page`: subscribed to the page topic.

use std::sync::Arc;

use aws::house::{House, Needs};
use aws::{lambda, telemetry};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let house = House::from_environment(now, on_page::secrets, Needs::All).await?;
    lambda::serve(house, |house, event| async move {
        on_page::handle(&house, &event).await?;
        Ok(Value::Null)
    })
    .await
}
