//! What GitHub could not deliver is asked for again, by the clock, where a token is configured; and comes in by the
//! ordinary door.

use domain::Repository;
use house_tests::peer::Peer;
use house_tests::{GITHUB_SECRET, REPOSITORY, Stage, configuration, time};
use jiff::{SignedDuration, Timestamp};
use recent_deployers::demo::payloads::github_headers;
use serde_json::{Value, json};

/// Where GitHub lists the webhooks, and the deliveries of ours.
const HOOKS: &str = "GET /repos/openedx/edx-platform/hooks?";
const LIST: &str = "GET /repos/openedx/edx-platform/hooks/7/deliveries?";
const AGAIN: &str = "POST /repos/openedx/edx-platform/hooks/7/deliveries/";

/// GitHub as our API token sees it, with one webhook of ours and one of somebody else's.
struct GitHub {
    peer: Peer,
}

impl GitHub {
    async fn start() -> (Self, Stage) {
        let peer = Peer::start().await;
        let address = peer.address.clone();
        let stage = Stage::with(&configuration(&["edxapp"]), |c| {
            let github = c.senders.get_mut("github").unwrap();
            (github.api_token, github.api_url) = (Some("api".into()), Some(address));
        })
        .await;
        let hook = |id: u64, url: &str| json!({ "id": id, "active": true, "events": ["*"], "config": { "url": url, "secret": "********" } });
        let hooks = json!([
            hook(6, "https://ci.example.com/github-webhook/"),
            hook(7, "https://deployers.example.com/merge/github")
        ]);
        peer.always_answers(HOOKS, 200, hooks.to_string());
        peer.always_answers(AGAIN, 202, "{}");
        let github = Self { peer };
        github.lists(&[]);
        (github, stage)
    }

    fn lists(&self, attempts: &[Value]) {
        self.peer.always_answers(LIST, 200, json!(attempts).to_string());
    }

    /// The attempts that it was asked to make again since this was last asked; and how many requests there were.
    fn asked(&self) -> (Vec<u64>, usize) {
        let received = self.peer.received();
        assert!(received.iter().all(|r| r.header("authorization") == "Bearer api-token"), "{received:?}");
        let again = received.iter().filter_map(|r| r.line.strip_prefix(AGAIN)?.strip_suffix("/attempts HTTP/1.1"));
        (again.map(|id| id.parse().unwrap()).collect(), received.len())
    }
}

fn attempt(id: u64, guid: &str, at: &str, status: u16) -> Value {
    attempt_at(id, guid, time(at), status, false)
}

fn again(id: u64, guid: &str, at: &str, status: u16) -> Value {
    attempt_at(id, guid, time(at), status, true)
}

fn attempt_at(id: u64, guid: &str, at: Timestamp, status: u16, redelivery: bool) -> Value {
    let said = if status == 200 { "OK" } else { "failed to connect to host" };
    json!({
        "id": id, "guid": guid, "delivered_at": at, "redelivery": redelivery, "duration": 0.27, "status": said,
        "status_code": status, "event": "pull_request", "action": "closed", "installation_id": null, "repository_id": 1
    })
}

async fn tick(stage: &Stage, at: &str) {
    stage.clock.set(time(at));
    stage.bundle.tick().await;
}

fn repository() -> Repository {
    REPOSITORY.parse().unwrap()
}

/// Until when everything is settled, as the table has it.
async fn settled(stage: &Stage) -> Option<Timestamp> {
    stage.house.store.look(&repository()).await.unwrap().map(|look| look.settled_until)
}

#[tokio::test]
async fn a_delivery_that_failed_is_asked_for_again_and_once_it_arrives_never_more() {
    let (github, stage) = GitHub::start().await;
    github.lists(&[attempt(102, "b", "Fri 11:55", 200), attempt(101, "a", "Fri 11:50", 502)]);
    tick(&stage, "Fri 12:00").await;
    assert_eq!(github.asked(), (vec![101], 3));
    assert_eq!(settled(&stage).await, Some(time("Fri 11:50")), "not before it has arrived");
    tick(&stage, "Fri 12:01").await;
    tick(&stage, "Fri 12:04").await;
    assert_eq!(github.asked(), (vec![], 0), "not each minute");
    github.lists(&[
        again(103, "a", "Fri 12:00", 200),
        attempt(102, "b", "Fri 11:55", 200),
        attempt(101, "a", "Fri 11:50", 502),
    ]);
    tick(&stage, "Fri 12:05").await;
    assert_eq!(github.asked(), (vec![], 2));
    assert_eq!(settled(&stage).await, Some(time("Fri 12:05")));
}

#[tokio::test]
async fn what_arrived_later_what_was_refused_and_what_was_sent_before_we_were_there_is_left_alone() {
    let (github, stage) = GitHub::start().await;
    let mut of_no_use = attempt(105, "e", "Fri 11:50", 502);
    of_no_use["event"] = json!("issues");
    github.lists(&[
        again(106, "a", "Fri 11:52", 200),
        of_no_use,
        attempt(104, "d", "Fri 11:50", 413),
        attempt(103, "c", "Fri 11:50", 401),
        attempt(102, "a", "Fri 11:50", 502),
        attempt(101, "b", "Fri 09:00", 502),
    ]);
    tick(&stage, "Fri 12:00").await;
    assert_eq!(github.asked(), (vec![], 2));
    assert_eq!(settled(&stage).await, Some(time("Fri 12:00")));
}

#[tokio::test]
async fn a_delivery_that_fails_again_and_again_is_given_up_after_three_attempts() {
    let (github, stage) = GitHub::start().await;
    let mut listed = vec![attempt(101, "a", "Fri 11:50", 0)];
    for (at, asks, settled_until) in [
        ("Fri 12:00", Some(101), "Fri 11:50"),
        // It fails each time, at once.
        ("Fri 12:05", None, "Fri 11:50"),
        ("Fri 12:25", None, "Fri 11:50"),
        ("Fri 12:30", Some(102), "Fri 11:50"),
        ("Fri 12:35", None, "Fri 12:35"),
        ("Fri 13:30", None, "Fri 13:30"),
    ] {
        github.lists(&listed);
        tick(&stage, at).await;
        assert_eq!(github.asked().0, Vec::from_iter(asks), "{at}");
        assert_eq!(settled(&stage).await, Some(time(settled_until)), "{at}");
        if let Some(id) = asks {
            listed.insert(0, again(id + 1, "a", at, 503));
        }
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_asked_and_nothing_is_kept() {
    let stage = Stage::new().await;
    // The first tick of a process looks at the desk of freezes.
    stage.bundle.tick().await;
    let ((), cost) = stage.cost(stage.bundle.tick()).await;
    assert_eq!(cost, [1, 0, 0, 0], "what is due");
    assert_eq!(settled(&stage).await, None);
}

#[tokio::test]
async fn while_github_does_not_tell_time_stands_still_and_everything_else_goes_on() {
    let (github, stage) = GitHub::start().await;
    github.lists(&[attempt(101, "a", "Fri 11:30", 502)]);
    let minutes = |n: i64| time("Fri 12:00") + SignedDuration::from_mins(5 * n);
    for (n, (start, status, body)) in [
        (HOOKS, 500, ""),
        (HOOKS, 404, r#"{"message":"Not Found"}"#),
        (HOOKS, 403, "{}"),
        (HOOKS, 200, "<html>"),
        (HOOKS, 200, r#"[{"id":"seven"}]"#),
        (LIST, 502, ""),
        (LIST, 200, "{}"),
        (LIST, 200, r#"[{"id":1,"guid":"a","delivered_at":"1066-10-14T09:00:00Z","event":"push"}]"#),
        (AGAIN, 403, "{}"),
        (AGAIN, 404, "{}"),
        (AGAIN, 500, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let broken = Peer::start().await;
        let mut house = stage.house.clone();
        let mut configuration = (*house.configuration).clone();
        configuration.senders.get_mut("github").unwrap().api_url = Some(broken.address.clone());
        house.configuration = std::sync::Arc::new(configuration);
        let hooks =
            json!([{ "id": 7, "active": true, "config": { "url": "https://deployers.example.com/merge/github" } }]);
        broken.always_answers(HOOKS, 200, hooks.to_string());
        broken.always_answers(LIST, 200, json!([attempt(101, "a", "Fri 11:30", 502)]).to_string());
        broken.always_answers_paged(start, status, "", body);
        stage.clock.set(minutes(n as i64));
        assert!(on_schedule::tick(&house).await.is_ok(), "{start} {status}");
        assert!(!broken.received().is_empty());
        assert_eq!(settled(&stage).await, Some(time("Fri 11:00")), "{start} {status} {body}");
    }
    let warned = stage.house.store.look(&repository()).await.unwrap().unwrap().warned_at;
    assert_eq!(warned, Some(minutes(1)), "that it is refused is said once a day");
    stage.clock.set(minutes(20));
    stage.bundle.tick().await;
    assert_eq!(github.asked().0, [101], "what was missed in the meantime is not lost");
}

#[tokio::test]
async fn two_who_look_at_once_ask_once() {
    let (github, stage) = GitHub::start().await;
    github.lists(&[attempt(101, "a", "Fri 11:50", 502)]);
    let house = &stage.house;
    tokio::join!(on_schedule::deliveries::catch_up(house), on_schedule::deliveries::catch_up(house));
    assert_eq!(github.asked(), (vec![101], 3));
}

#[tokio::test]
async fn after_a_long_outage_the_oldest_come_first_and_none_is_passed_over() {
    let (github, stage) = GitHub::start().await;
    tick(&stage, "Fri 12:00").await;
    // Two days later; newest first, as GitHub lists them.
    let sent_at = |id: u64| time("Fri 12:00") + SignedDuration::from_mins(30 * id as i64);
    let failed: Vec<Value> =
        (1..=60).rev().map(|id| attempt_at(id, &format!("guid-{id}"), sent_at(id), 0, false)).collect();
    github.lists(&failed);
    github.asked();
    tick(&stage, "Sun 12:00").await;
    assert_eq!(github.asked().0, Vec::from_iter(1..=50));
    assert_eq!(settled(&stage).await, Some(sent_at(1)));
    let arrived = (1..=50).rev().map(|id| attempt_at(id + 100, &format!("guid-{id}"), time("Sun 12:00"), 200, true));
    github.lists(&arrived.chain(failed).collect::<Vec<_>>());
    tick(&stage, "Sun 12:05").await;
    assert_eq!(github.asked().0, Vec::from_iter(51..=60));
}

#[tokio::test]
async fn pages_are_read_back_to_the_last_look_and_the_token_goes_nowhere_else() {
    let (github, stage) = GitHub::start().await;
    let elsewhere = Peer::start().await;
    let next = |cursor: &str| format!("<{}/x?per_page=100&cursor={cursor}>; rel=\"next\"", elsewhere.address);
    let page = |attempts: &[Value]| json!(attempts).to_string();
    let list = |cursor: &str| format!("{LIST}per_page=100&cursor={cursor} ");
    github.peer.always_answers_paged(LIST, 200, &next("v1_2"), page(&[attempt(103, "c", "Fri 11:59", 200)]));
    github.peer.always_answers_paged(&list("v1_2"), 200, &next("v1_1"), page(&[attempt(102, "b", "Fri 11:30", 502)]));
    let last = page(&[attempt(101, "a", "Fri 11:20", 504), attempt(100, "z", "Fri 10:00", 502)]);
    github.peer.always_answers_paged(&list("v1_1"), 200, &next("v1_0"), last);
    tick(&stage, "Fri 12:00").await;
    assert_eq!(github.asked(), (vec![101, 102], 6), "three pages: the fourth is before the time that counts");
    // A list without an end.
    github.peer.always_answers_paged(LIST, 200, &next("v1_2"), page(&[attempt(103, "c", "Fri 12:01", 200)]));
    github.peer.always_answers_paged(&list("v1_2"), 200, &next("v1_2"), page(&[attempt(103, "c", "Fri 12:01", 200)]));
    tick(&stage, "Fri 12:05").await;
    assert_eq!(github.asked(), (vec![], 11));
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_merge_that_came_while_the_table_was_away_opens_its_window_after_all() {
    let (github, mut stage) = GitHub::start().await;
    stage.at("Fri 14:00").await;
    let merged = stage.merged("feanil", 12).to_string();
    let deliver = || {
        let headers = github_headers("pull_request", GITHUB_SECRET, merged.as_bytes());
        aws::Request::new("POST", "/merge/github", headers, merged.clone().into_bytes())
    };
    let answered = on_merge::handle(&stage.without_table(), deliver()).await.status;
    assert_eq!(answered, 503);
    github.lists(&[attempt(101, "a", "Fri 14:00", answered)]);
    tick(&stage, "Fri 14:02").await;
    assert_eq!(github.asked().0, [101]);
    assert!(stage.windows("edxapp").await.is_empty());
    // As GitHub does when it is asked to.
    let answered = stage.bundle.route(deliver()).await.status;
    stage.bundle.quiesce().await;
    github.lists(&[again(102, "a", "Fri 14:02", answered), attempt(101, "a", "Fri 14:00", 503)]);
    assert_eq!(stage.windows("edxapp").await, ["edx-platform#12 feanil standby"]);
    tick(&stage, "Fri 14:07").await;
    assert_eq!(github.asked().0, [0; 0]);
}
