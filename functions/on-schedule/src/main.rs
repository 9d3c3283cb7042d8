//! The Lambda function `on-schedule`: woken by the minute's tick, and by the table's stream.

use std::sync::Arc;

use aws::house::{House, Needs};
use aws::{emf, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::json();
    emf::begin();
    #[expect(clippy::disallowed_methods, reason = "the one place where this function reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let house = House::from_environment(now, on_schedule::secrets, Needs::None).await?;
    lambda::serve(house, |house, event| async move { Ok(on_schedule::handle(&house, &event).await?) }).await
}
