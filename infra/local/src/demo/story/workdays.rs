//! Monday and Tuesday: a colleague on the other side of the world, a pipeline that stalls overnight, and a service
//! whose people take the pager themselves.

use super::{Alert, DemoError, Deployment, Merge, PLATFORM, Play, day};
use crate::wish::Wish;

const MORNING: &str = "c0ffee1590ab4d2e8f7a6b5c4d3e2f1a0b9c8d7e";
const EVENING: &str = "d15ea5e0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6";
const DISCOVERY: &str = "5eed0000a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// Whose day is our night is not asked: their working hours count.
pub(super) async fn other_side_of_the_world(play: &mut Play) -> Result<(), DemoError> {
    play.until(day(3, 7, 29)).await?;
    play.chapter("Monday: whose day is our night")?;
    let merge = Merge {
        repository: PLATFORM,
        number: 34555,
        title: "feat: grade export as a background task",
        author: "UsamaSadiq",
        merger: "UsamaSadiq",
        commit: MORNING,
        at: day(3, 7, 30),
    };
    play.merges("Usama merges #34555 at 12:30 in Karachi, 03:30 in New York: not asked anything", &merge).await?;
    let live = deployment(7020, "prod", MORNING, "success", day(3, 7, 50));
    play.deploys("it goes live, while Usama is awake", &live).await?;
    play.until(day(3, 9, 0)).await
}

/// The pipeline fails twice and is paused overnight. Nobody's turn begins.
pub(super) async fn stalled(play: &mut Play) -> Result<(), DemoError> {
    play.until(day(3, 19, 59)).await?;
    play.chapter("Monday evening: the pipeline fails twice and is paused overnight")?;
    let merge = Merge {
        repository: PLATFORM,
        number: 34560,
        title: "refactor: split the grading service",
        author: "feanil",
        merger: "feanil",
        commit: EVENING,
        at: day(3, 20, 0),
    };
    play.merges("Feanil merges #34560", &merge).await?;
    for (id, minutes) in [(7030, 15), (7031, 40)] {
        let failed = deployment(id, "stage", EVENING, "failure", day(3, 20, minutes));
        play.deploys("the end-to-end tests fail on stage", &failed).await?;
    }
    play.until(day(3, 21, 0)).await?;
    let pause = Wish::Pause { why: "flaky end-to-end tests".to_owned(), how_long: None };
    play.command("Olga pauses the pipeline", "edxapp", "olga", &pause).await?;
    play.board("edxapp").await?;
    play.until(day(4, 12, 0)).await?;
    play.command("next day Olga resumes it", "edxapp", "olga", &Wish::Resume).await?;
    let live = deployment(7032, "prod", EVENING, "in_progress", day(4, 13, 5));
    play.deploys("it goes live; only now Feanil's turn starts", &live).await?;
    play.deploys("and has succeeded", &deployment(7032, "prod", EVENING, "success", day(4, 13, 12))).await?;
    play.until(day(4, 14, 30)).await
}

/// In a service of mode `manual` the dev was paying attention and joined at once: we only record.
pub(super) async fn by_hand(play: &mut Play) -> Result<(), DemoError> {
    play.chapter("Tuesday: discovery's people take the pager themselves (mode manual)")?;
    let merge = Merge {
        repository: "openedx/course-discovery",
        number: 812,
        title: "feat: search by skill",
        author: "UsamaSadiq",
        merger: "UsamaSadiq",
        commit: DISCOVERY,
        at: day(4, 14, 40),
    };
    play.merges("Usama merges course-discovery#812", &merge).await?;
    let live = Deployment {
        repository: "openedx/course-discovery",
        ..deployment(7040, "prod", DISCOVERY, "success", day(4, 14, 50))
    };
    play.deploys("it goes live", &live).await?;
    let firing = Alert {
        service: "discovery",
        name: "SearchLatency",
        summary: "search takes 4 seconds",
        severity: "critical",
        started_at: day(4, 14, 55),
        ended_at: None,
    };
    play.alerts("production alerts; the monitor pages as it always did", day(4, 14, 56), &firing).await?;
    let take = Wish::Take { person: None, how_long: "2 h".to_owned(), from: None };
    play.command("Usama saw it, and takes the pager by one command", "discovery", "usama", &take).await?;
    play.board("discovery").await?;
    play.alerts("reverted; the alert is over", day(4, 15, 8), &Alert { ended_at: Some(day(4, 15, 7)), ..firing })
        .await?;
    play.log("discovery", 5).await
}

fn deployment(
    id: u64,
    environment: &'static str,
    commit: &'static str,
    state: &'static str,
    at: jiff::Timestamp,
) -> Deployment<'static> {
    let created_at = at - jiff::SignedDuration::from_mins(if state == "in_progress" { 2 } else { 9 });
    Deployment { repository: PLATFORM, id, environment, commit, state, created_at, at }
}
