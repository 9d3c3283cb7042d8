//! The stories that the demo plays, one after the other, on one bundle: a Friday, its night and weekend, and the
//! days after. Later stories join them here.

mod friday;
mod frozen;
mod weekend;
mod workdays;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::payloads::{Alert, Deployment, Merge, alertmanager, deployment_status, pull_request_merged};
use super::{DemoError, Play};

const PLATFORM: &str = "openedx/edx-platform";

/// A time of day in UTC in the week that begins on Friday 20 March 2026, which is day 0.
fn day(day: i64, hours: i64, minutes: i64) -> Timestamp {
    let midnight: Timestamp = Timestamp::from_second(1_773_964_800).unwrap_or_default();
    midnight + SignedDuration::from_mins((day * 24 + hours) * 60 + minutes)
}

pub(super) async fn tell(play: &mut Play) -> Result<(), DemoError> {
    play.clock.set(day(0, 15, 0));
    play.say("Recent Deployers: if you merge, you are on call for it.")?;
    play.say(
        "Some days in March, as edxapp saw them. Times on the left are UTC; everybody is told in their own zone.",
    )?;
    friday::tell(play).await?;
    weekend::night(play).await?;
    weekend::contributor(play).await?;
    workdays::other_side_of_the_world(play).await?;
    workdays::stalled(play).await?;
    workdays::by_hand(play).await?;
    frozen::gratitude(play).await?;
    frozen::urgent(play).await?;
    frozen::thaw(play).await?;
    frozen::peak(play).await?;
    play.say("\nThat was who answers, when, and how they knew. Start it for your own repository: cargo run")
}

impl Play {
    /// A chapter of the story.
    fn chapter(&mut self, title: &str) -> Result<(), DemoError> {
        self.say(&format!("\n== {title} {}", "=".repeat(95_usize.saturating_sub(title.chars().count()))))
    }

    async fn merges(&mut self, what: &str, merge: &Merge<'_>) -> Result<(), DemoError> {
        self.until(merge.at).await?;
        self.send(what, "/merge/github", &pull_request_merged(merge)).await
    }

    async fn deploys(&mut self, what: &str, deployment: &Deployment<'_>) -> Result<(), DemoError> {
        self.until(deployment.at).await?;
        self.send(what, "/deploy/github", &deployment_status(deployment)).await
    }

    async fn alerts(&mut self, what: &str, at: Timestamp, alert: &Alert<'_>) -> Result<(), DemoError> {
        self.until(at).await?;
        let payload: Value = alertmanager(std::slice::from_ref(alert));
        self.send(what, "/alert/alertmanager", &payload).await
    }
}
