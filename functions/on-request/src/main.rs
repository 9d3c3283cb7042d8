//! The Lambda function `on-request`.

use std::sync::Arc;

use aws::house::{House, Needs};
use aws::{lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let house = House::from_environment(now, on_request::secrets, Needs::None).await?;
    lambda::serve_http(house, |house, request| async move { on_request::handle(&house, request).await }).await
}
