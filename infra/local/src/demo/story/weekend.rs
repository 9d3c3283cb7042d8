//! Merging outside working hours: allowed, at a price. "It's late, it's a holiday, I don't want to be disturbed because
//! others take a risk", and the contributor from outside who merges on Saturday.

use super::{Alert, DemoError, Deployment, Merge, PLATFORM, Play, day};

const LATE: &str = "2f7d0c5c8a4a1c3e1bb1b0f1f5e6c0a7d9e84b11";
const SATURDAY: &str = "b6a1e7c2905d4b7fa3c8e0d1f2a3b4c5d6e7f809";

/// An off-hours merge breaks production. The merger is paged first; the rotation sleeps.
pub(super) async fn night(play: &mut Play) -> Result<(), DemoError> {
    play.chapter("Friday night: who takes the risk takes the pager")?;
    let merge = Merge {
        repository: PLATFORM,
        number: 34530,
        title: "fix: retry the enrolment queue",
        author: "feanil",
        merger: "feanil",
        commit: LATE,
        at: day(0, 23, 40),
    };
    play.merges("Feanil merges #34530 on Friday evening, after the team has left", &merge).await?;
    play.until(day(0, 23, 44)).await?;
    play.press("Feanil takes the pager", "Feanil Patel", "Take it, or not", "do=take").await?;
    let live = Deployment {
        repository: PLATFORM,
        id: 7010,
        environment: "prod",
        commit: LATE,
        state: "success",
        created_at: day(0, 23, 50),
        at: day(0, 23, 55),
    };
    play.deploys("it goes live", &live).await?;
    let firing = Alert {
        service: "edxapp",
        name: "EnrolmentQueueStuck",
        summary: "no enrolment was processed for 10 minutes",
        severity: "critical",
        started_at: day(1, 0, 4),
        ended_at: None,
    };
    play.alerts("production alerts", day(1, 0, 5), &firing).await?;
    play.until(day(1, 0, 8)).await?;
    play.press("Feanil acknowledges; Anna, on the rotation, sleeps on", "Feanil Patel", "Acknowledge", "").await?;
    play.alerts("the alert is over", day(1, 0, 31), &Alert { ended_at: Some(day(1, 0, 30)), ..firing }).await?;
    play.until(day(1, 1, 0)).await
}

/// Somebody outside the company merges on Saturday. A champion answers, the contributor is thanked.
pub(super) async fn contributor(play: &mut Play) -> Result<(), DemoError> {
    play.until(day(1, 13, 59)).await?;
    play.chapter("Saturday: a contributor from outside merges")?;
    let merge = Merge {
        repository: PLATFORM,
        number: 34541,
        title: "feat: right-to-left course pages",
        author: "carol-contributes",
        merger: "carol-contributes",
        commit: SATURDAY,
        at: day(1, 14, 0),
    };
    play.merges("Carol merges #34541", &merge).await?;
    play.until(day(1, 14, 20)).await?;
    play.press("Anna does not answer; Usama takes it", "Usama Sadiq", "Take it, or not", "do=take").await?;
    play.board("edxapp").await
}
