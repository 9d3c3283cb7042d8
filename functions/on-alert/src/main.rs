//! The Lambda function `on-alert`: HTTP events from API Gateway, and alarms from SNS and EventBridge.

use std::sync::Arc;

use aws::house::{House, Needs};
use aws::{Response, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let house = House::from_environment(now, on_alert::secrets, Needs::All).await?;
    lambda::serve(house, |house, event| async move {
        if !lambda::is_http(&event) {
            return Ok(on_alert::handle_event(&house, &event).await?);
        }
        let answer = match lambda::request(event) {
            Ok(request) => on_alert::handle(&house, request).await,
            Err(refusal) => Response::from(refusal),
        };
        Ok(lambda::response(answer))
    })
    .await
}
