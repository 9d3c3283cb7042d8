//! The Lambda function `on-merge`.

use std::sync::Arc;

use aws::{House, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let secrets = |c: &aws::settings::Configuration| c.sender_secrets(on_merge::senders::SENDERS);
    let house = Arc::new(House::from_environment(now, secrets)?);
    lambda::serve_http(move |request| {
        let house = Arc::clone(&house);
        async move { on_merge::handle(&house, request).await }
    })
    .await
}
