//! The Lambda function `on-deploy`: HTTP events from API Gateway, and deployments from EventBridge and SNS.

use std::sync::Arc;

use aws::{House, Response, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let secrets = |c: &aws::settings::Configuration| c.sender_secrets(on_deploy::senders::SENDERS);
    let house = Arc::new(House::from_environment(now, secrets)?);
    lambda::serve(move |event| {
        let house = Arc::clone(&house);
        async move {
            if !lambda::is_http(&event) {
                return Ok(on_deploy::handle_event(&house, &event).await?);
            }
            let answer = match lambda::request(event) {
                Ok(request) => on_deploy::handle(&house, request).await,
                Err(refusal) => Response::from(refusal),
            };
            Ok(lambda::response(answer))
        }
    })
    .await
}
