//! The Lambda function `on-request`.

use std::sync::Arc;

use aws::{House, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let secrets = |c: &aws::settings::Configuration| {
        c.receivers.values().filter_map(|r| r.signing_secret.clone()).chain([c.link_secret.clone()]).collect()
    };
    let house = Arc::new(House::from_environment(now, secrets)?);
    lambda::serve_http(move |request| {
        let house = Arc::clone(&house);
        async move { on_request::handle(&house, request).await }
    })
    .await
}
