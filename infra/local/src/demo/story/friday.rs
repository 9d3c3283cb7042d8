//! The first full life of a window: two merges, a stage and a live deployment, an alert, the page, an
//! acknowledgement, the resolution, the turn's end.

use super::{Alert, DemoError, Deployment, Merge, PLATFORM, Play, day};

const FIRST: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";
const SECOND: &str = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e";

pub(super) async fn tell(play: &mut Play) -> Result<(), DemoError> {
    play.chapter("Friday: two merges, one release, one alert")?;
    merges(play).await?;
    deployments(play).await?;
    incident(play).await?;
    play.until(day(0, 16, 40)).await?;
    play.board("edxapp").await
}

async fn merges(play: &mut Play) -> Result<(), DemoError> {
    let first = Merge {
        repository: PLATFORM,
        number: 34512,
        title: "feat: send bulk enrolment mail in batches",
        author: "some-contributor",
        merger: "UsamaSadiq",
        commit: FIRST,
        at: day(0, 15, 0),
    };
    play.merges("Usama merges #34512; GitHub tells us", &first).await?;
    let second = Merge {
        number: 34518,
        title: "perf: cache the course outline per learner",
        author: "feanil",
        merger: "feanil",
        commit: SECOND,
        at: day(0, 15, 12),
        ..first
    };
    play.merges("Feanil merges #34518", &second).await?;
    play.until(day(0, 15, 13)).await?;
    play.merges("GitHub delivers the same merge again", &second).await
}

async fn deployments(play: &mut Play) -> Result<(), DemoError> {
    let stage = Deployment {
        repository: PLATFORM,
        id: 7001,
        environment: "stage",
        commit: SECOND,
        state: "success",
        created_at: day(0, 15, 16),
        at: day(0, 15, 20),
    };
    play.deploys("both reach stage", &stage).await?;
    play.board("edxapp").await?;
    let live = Deployment { id: 7002, environment: "prod", created_at: day(0, 15, 29), ..stage };
    let started = Deployment { state: "in_progress", at: day(0, 15, 30), ..live.clone() };
    play.deploys("the live deployment starts", &started).await?;
    play.deploys("the live deployment has succeeded", &Deployment { at: day(0, 15, 36), ..live }).await?;
    play.board("edxapp").await
}

async fn incident(play: &mut Play) -> Result<(), DemoError> {
    let firing = Alert {
        service: "edxapp",
        name: "HighErrorRate",
        summary: "7 % of requests to the course outline fail",
        severity: "critical",
        started_at: day(0, 15, 50),
        ended_at: None,
    };
    play.alerts("production alerts; Alertmanager tells us", day(0, 15, 51), &firing).await?;
    play.alerts("Alertmanager repeats itself", day(0, 15, 52), &firing).await?;
    play.until(day(0, 15, 53)).await?;
    play.press("Feanil presses Acknowledge", "Feanil Patel", "Acknowledge", "").await?;
    let over = Alert { ended_at: Some(day(0, 16, 9)), ..firing };
    play.alerts("the alert is over", day(0, 16, 10), &over).await
}
