//! The story: two merges, a stage and a live deployment, an alert, the page, an acknowledgement, the
//! resolution, the turn's end. Later stories join it here.

use jiff::{SignedDuration, Timestamp};

use super::payloads::{Alert, Deployment, Merge, alertmanager, deployment_status, pull_request_merged};
use super::{DemoError, Play};

const REPOSITORY: &str = "openedx/edx-platform";
const FIRST: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
const SECOND: &str = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e";

/// Friday 20 March 2026, a time of day in UTC; later days by hours over 24.
fn friday(hours: i64, minutes: i64) -> Timestamp {
    let midnight: Timestamp = Timestamp::from_second(1_773_964_800).unwrap_or_default();
    midnight + SignedDuration::from_mins(hours * 60 + minutes)
}

pub(super) async fn tell(play: &mut Play) -> Result<(), DemoError> {
    play.clock.set(friday(15, 0));
    play.say("Recent Deployers: if you merge, you are on call for it.")?;
    play.say("A Friday in March, as edxapp saw it. Times on the left are UTC; everybody is told in their own zone.")?;
    merges(play).await?;
    deployments(play).await?;
    incident(play).await?;
    afterwards(play).await
}

async fn merges(play: &mut Play) -> Result<(), DemoError> {
    let first = Merge {
        repository: REPOSITORY,
        number: 34512,
        title: "feat: send bulk enrolment mail in batches",
        author: "some-contributor",
        merger: "UsamaSadiq",
        commit: FIRST,
        at: friday(15, 0),
    };
    play.send("Usama merges #34512; GitHub tells us", "/merge/github", &pull_request_merged(&first)).await?;
    play.until(friday(15, 12)).await?;
    let second = Merge {
        repository: REPOSITORY,
        number: 34518,
        title: "perf: cache the course outline per learner",
        author: "feanil",
        merger: "feanil",
        commit: SECOND,
        at: friday(15, 12),
    };
    play.send("Feanil merges #34518", "/merge/github", &pull_request_merged(&second)).await?;
    play.until(friday(15, 13)).await?;
    play.send("GitHub delivers the same merge again", "/merge/github", &pull_request_merged(&second)).await
}

fn moved(
    id: u64,
    environment: &'static str,
    state: &'static str,
    created_at: Timestamp,
    at: Timestamp,
) -> Deployment<'static> {
    Deployment { repository: REPOSITORY, id, environment, commit: SECOND, state, created_at, at }
}

async fn deployments(play: &mut Play) -> Result<(), DemoError> {
    play.until(friday(15, 20)).await?;
    let stage = moved(7001, "stage", "success", friday(15, 16), friday(15, 20));
    play.send("both reach stage", "/deploy/github", &deployment_status(&stage)).await?;
    play.board("edxapp").await?;
    play.until(friday(15, 30)).await?;
    let started = moved(7002, "prod", "in_progress", friday(15, 29), friday(15, 30));
    play.send("the live deployment starts", "/deploy/github", &deployment_status(&started)).await?;
    play.until(friday(15, 36)).await?;
    let live = moved(7002, "prod", "success", friday(15, 29), friday(15, 36));
    play.send("the live deployment has succeeded", "/deploy/github", &deployment_status(&live)).await?;
    play.board("edxapp").await
}

async fn incident(play: &mut Play) -> Result<(), DemoError> {
    play.until(friday(15, 51)).await?;
    let mut alert = Alert {
        service: "edxapp",
        name: "HighErrorRate",
        summary: "7 % of requests to the course outline fail",
        severity: "critical",
        started_at: friday(15, 50),
        ended_at: None,
    };
    play.send(
        "production alerts; Alertmanager tells us",
        "/alert/alertmanager",
        &alertmanager(std::slice::from_ref(&alert)),
    )
    .await?;
    play.until(friday(15, 52)).await?;
    play.send("Alertmanager repeats itself", "/alert/alertmanager", &alertmanager(std::slice::from_ref(&alert)))
        .await?;
    play.until(friday(15, 53)).await?;
    play.acknowledge("Feanil presses Acknowledge", "Feanil Patel").await?;
    play.until(friday(16, 10)).await?;
    alert.ended_at = Some(friday(16, 9));
    play.send("the alert is over", "/alert/alertmanager", &alertmanager(&[alert])).await
}

async fn afterwards(play: &mut Play) -> Result<(), DemoError> {
    play.until(friday(16, 40)).await?;
    play.board("edxapp").await?;
    play.until(friday(24 + 16, 40)).await?;
    play.board("edxapp").await?;
    play.say("\nThat was one turn, from merge to tail. Start it for your own repository: cargo run")
}
