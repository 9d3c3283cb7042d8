//! The Lambda function `on-deploy`: HTTP events from API Gateway, and deployments from EventBridge and SNS.

use std::sync::Arc;

use aws::house::{House, Needs};
use aws::{Response, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let house = House::from_environment(now, on_deploy::secrets, Needs::All).await?;
    lambda::serve(house, |house, event| async move {
        if !lambda::is_http(&event) {
            return Ok(on_deploy::handle_event(&house, &event).await?);
        }
        let answer = match lambda::request(event) {
            Ok(request) => on_deploy::handle(&house, request).await,
            Err(refusal) => Response::from(refusal),
        };
        Ok(lambda::response(answer))
    })
    .await
}
