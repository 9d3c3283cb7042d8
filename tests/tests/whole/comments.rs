//! The comment at a merged pull request, from the wire to the forge: one at each, edited and not repeated, whatever comes twice, is
//! lost or dies.

pub mod fake;

use aws::links::Action;
use domain::comments::GivenUp;
use house_tests::gate::Gate;
use house_tests::{REPOSITORY, Stage, configuration, time};
use jiff::SignedDuration;

use fake::{Fake, Mishap};

const KINDS: [&str; 6] = ["github", "gitlab", "bitbucket", "bitbucket-server", "gitea", "azure"];

/// These services, and comments at this forge, with this beside in its source.
async fn stage_with(forge: &Fake, kind: &str, services: &[&str], more: &str) -> Stage {
    let source = format!(
        "[senders.{kind}]\nsecret = \"github\"\napi_token = \"api\"\napi_url = \"{}\"\n{more}\n",
        forge.address
    );
    let text = configuration(services);
    let text = match kind {
        "github" => text.replace("[senders.github]\n", &source),
        _ => format!("{text}\n{source}"),
    };
    let stage = Stage::with(&text, |_| {}).await;
    forge.has_clock(stage.clock.clone());
    stage
}

async fn stage(forge: &Fake, kind: &str) -> Stage {
    stage_with(forge, kind, &["edxapp"], "comments = [\"openedx/*\"]").await
}

/// The one that stands at a pull request.
#[track_caller]
fn one(forge: &Fake, pull: u64) -> String {
    let mut stands = forge.stands(pull);
    assert_eq!(stands.len(), 1, "{stands:?}");
    stands.remove(0)
}

/// Why nothing more is written there.
async fn given_up(stage: &Stage, pull: u64) -> Option<GivenUp> {
    let desk = domain::ServiceId::merges_into(&REPOSITORY.parse().unwrap());
    let situation = stage.house.store.situation(&desk).await.unwrap();
    situation.comments.get(&pull).and_then(|known| known.value.given_up)
}

#[tokio::test]
async fn one_comment_tells_a_change_s_whole_life_at_each_forge() {
    for kind in KINDS {
        let forge = Fake::start(kind).await;
        let mut day = stage(&forge, kind).await;
        day.merge("usama", 11).await;
        day.at("Fri 12:01").await.merge("feanil", 12).await;
        assert_eq!(forge.stands(12).len(), 0, "{kind}: first it settles");
        day.at("Fri 12:03").await;
        let words = "**feanil** is on standby: it is merged, not live. 1 change is ahead of it in the queue.";
        assert!(one(&forge, 12).contains(words), "{kind}: {}", one(&forge, 12));
        // The queue moves.
        day.at("Fri 12:10").await.deploy("prod", "success", 11).await;
        day.at("Fri 12:13").await;
        assert!(one(&forge, 12).contains("Nothing is ahead of it in the queue."), "{kind}: {}", one(&forge, 12));
        // A freeze holds it, until then.
        let link = day.link(Action::Freezes, "olga");
        let form = "do=freeze&name=Gratitude+week&from=2026-03-20+12:20&until=2026-03-20+13:00&zone=UTC";
        assert_eq!(day.post(&link, Vec::new(), form.as_bytes()).await.status, 200);
        day.at("Fri 12:25").await;
        let words = "Deployments wait until Fri 2026-03-20 09:00 (America/New_York), for the freeze `Gratitude week`.";
        assert!(one(&forge, 12).contains(words), "{kind}: {}", one(&forge, 12));
        day.at("Fri 13:05").await;
        assert!(!one(&forge, 12).contains("freeze"), "{kind}: {}", one(&forge, 12));
        // Live: at once.
        day.at("Fri 13:10").await.deploy("prod", "success", 12).await;
        let words = "live since Fri 2026-03-20 09:10 (America/New_York). **feanil** is paged first until";
        assert!(one(&forge, 12).contains(words), "{kind}: {}", one(&forge, 12));
        // An incident that names it: at once.
        day.at("Fri 13:20").await.alert("edxapp", "Fri 13:20", false).await;
        assert!(one(&forge, 12).contains("has it as a suspect. It is not over."), "{kind}: {}", one(&forge, 12));
        day.at("Fri 13:30").await.alert("edxapp", "Fri 13:20", true).await;
        assert!(one(&forge, 12).contains("It is over since Fri 2026-03-20 09:30"), "{kind}: {}", one(&forge, 12));
        // Its turn ends.
        day.at("Fri 14:30").await;
        let words = "The turn of **feanil** ended Fri 2026-03-20 10:10 (America/New_York). It stays a suspect until";
        assert!(one(&forge, 12).contains(words), "{kind}: {}", one(&forge, 12));
        // What comes twice writes nothing, and in the end nothing is kept.
        forge.written();
        day.alert("edxapp", "Fri 13:20", true).await;
        day.deploy("prod", "success", 12).await;
        day.merge("feanil", 12).await;
        day.at("Sun 18:00").await;
        assert_eq!(forge.written(), [""; 0], "{kind}");
        assert_eq!(forge.all(), 2, "{kind}");
        let desk = domain::ServiceId::merges_into(&REPOSITORY.parse().unwrap());
        assert!(day.house.store.situation(&desk).await.unwrap().comments.is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn a_comment_whose_answer_was_lost_is_found_at_each_forge() {
    for kind in KINDS {
        let forge = Fake::start(kind).await;
        let mut day = stage(&forge, kind).await;
        // Somebody said the same long ago, and somebody says something else now.
        forge.says(12, "**[Recent Deployers](https://evil.example): buy**", time("Fri 11:00"));
        forge.will(Mishap::Lost);
        day.merge("feanil", 12).await;
        day.at("Fri 12:01").await;
        forge.says(12, "nice", day.clock.now());
        assert_eq!(forge.written(), ["leave 12"], "{kind}");
        day.at("Fri 12:10").await;
        let stands = forge.stands(12);
        assert_eq!(stands.len(), 3, "{kind}: {stands:?}");
        assert!(stands[0].contains("evil") && stands[1].contains("feanil"), "{kind}: {stands:?}");
        assert_eq!(forge.written(), ["edit 12"], "{kind}");
    }
}

#[tokio::test]
async fn who_dies_after_a_comment_was_left_leaves_no_second_one() {
    let forge = Fake::start("github").await;
    let mut day = stage(&forge, "github").await;
    let (table, _topic): (Gate, Gate) = day.gated().await;
    forge.will(Mishap::Dies(table.clone()));
    day.merge("feanil", 12).await;
    // Nothing can be noted of it.
    day.clock.set(time("Fri 12:01"));
    day.bundle.tick().await;
    day.bundle.quiesce().await;
    assert_eq!((forge.written(), forge.all()), (vec!["leave 12".to_owned()], 1));
    table.open();
    day.at("Fri 12:10").await;
    assert_eq!((forge.written(), forge.all()), (vec!["edit 12".to_owned()], 1));
    day.deploy("prod", "success", 12).await;
    assert!(one(&forge, 12).contains("live since"));
}

#[tokio::test]
async fn a_forge_that_is_down_or_says_that_it_is_enough_is_left_alone_for_a_while() {
    for (status, said) in [
        (503, "Service Unavailable"),
        (429, "Too Many Requests"),
        (403, "You have exceeded a secondary rate limit"),
        // Without the name of what was left.
        (201, "garbage"),
    ] {
        let forge = Fake::start("github").await;
        let mut day = stage(&forge, "github").await;
        for _ in 0..3 {
            forge.will(Mishap::Says(status, said));
        }
        day.merge("feanil", 12).await;
        day.merge("feanil", 13).await;
        day.at("Fri 12:02").await;
        assert_eq!(forge.all(), 0, "{status}");
        day.at("Fri 12:20").await;
        assert_eq!((forge.stands(12).len(), forge.stands(13).len()), (1, 1), "{status}");
        assert_eq!(given_up(&day, 12).await, None);
    }
}

#[tokio::test]
async fn what_is_refused_for_one_pull_request_is_given_up_and_the_others_are_told() {
    let forge = Fake::start("github").await;
    let mut day = stage(&forge, "github").await;
    forge.locks(12);
    for number in [12, 13, 14] {
        day.merge("feanil", number).await;
    }
    day.at("Fri 12:05").await;
    assert_eq!(forge.all(), 2);
    assert_eq!(given_up(&day, 12).await, Some(GivenUp::Locked));
    let desk = domain::ServiceId::merges_into(&REPOSITORY.parse().unwrap());
    let log = day.house.store.log(&desk, 9).await.unwrap();
    assert!(log.iter().any(|line| line.reason.name() == "comment_given_up"), "{log:?}");
    // Who deletes it does not want it.
    forge.deletes(13);
    day.deploy("prod", "success", 14).await;
    day.at("Fri 12:10").await;
    assert_eq!((given_up(&day, 13).await, forge.all()), (Some(GivenUp::Deleted), 1));
    assert!(one(&forge, 14).contains("live since"));
}

#[tokio::test]
async fn a_token_that_sees_nothing_for_a_while_gives_nothing_up_at_each_forge() {
    for kind in KINDS {
        let forge = Fake::start(kind).await;
        let mut day = stage(&forge, kind).await;
        day.merge("feanil", 12).await;
        day.at("Fri 12:05").await.merge("feanil", 13).await;
        forge.is_blind(true);
        day.deploy("prod", "success", 12).await;
        day.at("Fri 17:00").await;
        assert_eq!((given_up(&day, 12).await, given_up(&day, 13).await), (None, None), "{kind}");
        forge.is_blind(false);
        day.at("Fri 18:30").await;
        assert!(one(&forge, 12).contains("The turn of **feanil** ended"), "{kind}: {}", one(&forge, 12));
        assert_eq!(forge.stands(13).len(), 1, "{kind}");
    }
    // Where the pull request can be seen, it is this comment that may not be written.
    let forge = Fake::start("github").await;
    let mut day = stage(&forge, "github").await;
    for _ in 0..3 {
        forge.will(Mishap::Says(403, "Resource not accessible"));
    }
    day.merge("feanil", 12).await;
    day.at("Fri 15:00").await;
    assert_eq!((given_up(&day, 12).await, forge.all()), (Some(GivenUp::Refused), 0));
}

#[tokio::test]
async fn a_pull_request_that_somebody_deleted_keeps_no_other_waiting_at_each_forge() {
    for kind in KINDS {
        let forge = Fake::start(kind).await;
        let mut day = stage(&forge, kind).await;
        forge.will(Mishap::Lost);
        day.merge("feanil", 12).await;
        day.at("Fri 12:01").await;
        forge.removes(12);
        day.merge("feanil", 13).await;
        day.at("Fri 12:30").await;
        assert_eq!(given_up(&day, 12).await, Some(GivenUp::Deleted), "{kind}");
        assert_eq!(forge.stands(13).len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_repository_that_is_quiet_gets_none_and_so_does_one_that_was_not_asked_for() {
    for more in ["comments = [\"openedx/*\"]\nquiet = [\"*/edx-platform\"]", "comments = [\"openedx/docs\"]", ""] {
        let forge = Fake::start("github").await;
        let mut day = stage_with(&forge, "github", &["edxapp"], more).await;
        day.merge("feanil", 12).await;
        day.deploy("prod", "success", 12).await;
        day.at("Fri 18:00").await;
        assert_eq!(forge.all(), 0, "{more}");
    }
}

#[tokio::test]
async fn a_change_of_two_services_has_one_comment_with_a_line_of_each() {
    let forge = Fake::start("github").await;
    let mut day = stage_with(&forge, "github", &["ecommerce", "edxapp"], "comments = [\"*\"]").await;
    day.merge("usama", 12).await;
    day.at("Fri 12:03").await;
    assert_eq!(forge.written(), ["leave 12"]);
    let text = one(&forge, 12);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
    assert!(lines.len() == 2 && lines[0].starts_with("- `ecommerce`: **usama**"), "{text}");
    assert!(lines[1].starts_with("- `edxapp`: **usama** is on standby"), "{text}");
    // Each has its own life.
    day.at("Fri 12:10").await.alert("ecommerce", "Fri 12:09", false).await;
    day.deploy("prod", "success", 12).await;
    let text = one(&forge, 12);
    assert_eq!(text.matches("live since Fri 2026-03-20 17:10 (Asia/Karachi)").count(), 2, "{text}");
}

#[tokio::test]
async fn a_release_of_sixty_is_told_in_portions_and_each_gets_exactly_one() {
    let forge = Fake::start("github").await;
    let mut day = stage(&forge, "github").await;
    for number in 1..=60 {
        day.clock.set(time("Fri 12:00") + SignedDuration::from_secs(i64::try_from(number).unwrap() / 2));
        day.merge("feanil", number).await;
    }
    day.at("Fri 12:10").await;
    assert_eq!(forge.all(), 60);
    let left = forge.written().iter().filter(|line| line.starts_with("leave")).count();
    assert_eq!(left, 60);
    day.deploy("prod", "success", 60).await;
    let at_once = forge.written().len();
    assert!((1..=20).contains(&at_once), "{at_once}");
    day.at("Fri 12:20").await;
    for number in 1..=60 {
        assert!(one(&forge, number).contains("live since"), "{number}");
    }
    assert_eq!(forge.written().len() + at_once, 60, "each is edited once");
}

#[tokio::test]
async fn what_a_service_says_costs_nothing_where_nobody_wants_it_and_nothing_at_a_merge() {
    let forge = Fake::start("github").await;
    let plain = stage_with(&forge, "github", &["edxapp"], "").await;
    let commented = stage(&forge, "github").await;
    let mut costs = Vec::new();
    for day in [&plain, &commented] {
        let body = day.merged("feanil", 12).to_string();
        let headers = recent_deployers::demo::payloads::github_headers("", house_tests::GITHUB_SECRET, body.as_bytes());
        let request = aws::Request::new("POST", "/merge/github", headers, body.into_bytes());
        let (answer, cost) = day.cost(on_merge::handle(&day.house, request)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        costs.push(cost);
    }
    assert_eq!(costs[0], costs[1]);
    day_rests(&plain).await;
    let (_, cost) = plain.cost(plain.bundle.tick()).await;
    assert_eq!(cost[3], 0, "nothing more is written");
}

async fn day_rests(day: &Stage) {
    day.bundle.tick().await;
    day.bundle.quiesce().await;
}
