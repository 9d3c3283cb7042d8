//! What the board costs, however much there is: at most three queries and a hundred thousand bytes a page; and what it says where
//! little is known.

use aws::clients::{self, Aws, Http};
use aws::links::Action;
use aws::records::{self, Item};
use aws::secrets::Secret;
use aws::session::Session;
use aws::{Request, Response, keys};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use domain::{ChangeKind, Record, ServiceId};
use house_tests::{Stage, commit, configuration, time};
use jiff::SignedDuration;

/// A page may be so large, in bytes, and cost so many queries.
const MOST_BYTES: usize = 100_000;
const MOST_QUERIES: u64 = 3;

async fn write(client: &Client, items: Vec<Item>) {
    for some in items.chunks(25) {
        let put = |item: &Item| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let requests = some.iter().map(put).collect::<Vec<_>>();
        let answer = client.batch_write_item().request_items("recent-deployers", requests).send().await.unwrap();
        assert!(answer.unprocessed_items().is_none_or(std::collections::HashMap::is_empty));
    }
}

/// One service with five hundred windows and ten thousand incidents that are over.
async fn large() -> Stage {
    let mut stage = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    stage.merge("feanil", 1).await;
    stage.deploy("prod", "success", 1).await;
    stage.at("Fri 12:05").await.alert("edxapp", "Fri 12:04", false).await;
    stage.at("Fri 12:20").await.alert("edxapp", "Fri 12:04", true).await;
    let service: ServiceId = "edxapp".parse().unwrap();
    let situation = stage.situation("edxapp").await;
    let (one, over) = (situation.changes.values().next().unwrap(), situation.incidents.values().next().unwrap());
    let now = stage.clock.now();
    let mut items = Vec::new();
    for number in 2..=500 {
        let mut change = one.value.clone();
        change.id.commit = commit(number).parse().unwrap();
        change.kind = ChangeKind::PullRequest { number };
        change.title = format!("change number {number} with a title of the usual length");
        change.merged_at = now + SignedDuration::from_secs(i64::try_from(number).unwrap());
        items.push(records::encode(&service, &Record::Change(change), 1, now).unwrap());
    }
    for n in 0..10_000_i64 {
        let mut incident = over.value.clone();
        incident.id = format!("edxapp-{}", letters(n)).parse().unwrap();
        let at = incident.resolved_at.unwrap() - SignedDuration::from_mins(61 * (n + 1));
        incident.began_at = at - SignedDuration::from_mins(1 + n % 200);
        incident.resolved_at = Some(at);
        items.push(records::item(&keys::past_incident(&service, at, &incident.id), &incident, None).unwrap());
        items.push(records::item(&keys::whereabouts(&incident.id), &at, None).unwrap());
    }
    let aws = Aws::local(stage.endpoints().await.dynamodb_endpoint.clone().unwrap(), String::new());
    write(&clients::dynamodb(&aws, &Http::new()), items).await;
    // Half of it goes live; the other half waits.
    stage.at("Fri 12:40").await.deploy("prod", "success", 250).await;
    on_schedule::settle(&stage.house, &service).await.unwrap();
    stage
}

/// A name of an incident, as ours are.
fn letters(n: i64) -> String {
    let of = |shift: i64| char::from(b"abcdefghijkmnpqrstuvwxyz23456789"[usize::try_from(n >> shift & 31).unwrap()]);
    format!("aaaa{}{}{}{}", of(15), of(10), of(5), of(0))
}

async fn page(stage: &Stage, address: &str) -> (Response, u64) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let request = Request::new("GET", path, Vec::new(), Vec::new()).with_query(query);
    let (answer, [queries, ..]) = stage.cost(stage.bundle.route(request)).await;
    (answer, queries)
}

#[tokio::test]
async fn with_five_hundred_windows_and_ten_thousand_incidents_a_page_is_three_queries_and_small() {
    let stage = large().await;
    assert_eq!(stage.windows("edxapp").await.len(), 500);
    let past = format!("/incidents/edxapp-{}", letters(9_999));
    for (address, says) in [
        ("/", "change number 250"),
        ("/services/edxapp", "change number 2 "),
        ("/services/edxapp?after=60", "change number 311 "),
        ("/services/edxapp?after=99999999999", "wait now"),
        ("/services/edxapp/history", "The last 50 incidents of edxapp took"),
        ("/calendar", "None, now or ahead"),
        ("/measures", "Other figures"),
        ("/measures?service=edxapp", "time to resolve, median"),
        (past.as_str(), "Resolved"),
    ] {
        let (answer, queries) = page(&stage, address).await;
        println!("{address}: {queries} queries, {} bytes", answer.body.len());
        assert_eq!(answer.status, 200, "{address}: {}", answer.body);
        assert!(answer.body.contains(says), "{address} does not say {says}: {}", answer.body);
        assert!(queries <= MOST_QUERIES && answer.body.len() < MOST_BYTES, "{address}");
    }
}

#[tokio::test]
async fn the_history_is_read_page_by_page_and_each_incident_is_on_one() {
    let stage = large().await;
    let mut address = "/services/edxapp/history".to_owned();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let (answer, queries) = page(&stage, &address).await;
        assert_eq!((answer.status, queries), (200, 1), "{}", answer.body);
        let body = answer.body.replace("&#x2f;", "/");
        let ids: Vec<&str> =
            body.split("href=\"/incidents/").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
        assert_eq!(ids.len(), 50);
        assert!(ids.into_iter().all(|id| seen.insert(id.to_owned())), "one is on two pages");
        let (_, older) = body.split_once("href=\"?before=").unwrap();
        address = format!("/services/edxapp/history?before={}", older.split_once('"').unwrap().0);
    }
    assert_eq!(seen.len(), 500);
    for odd in ["x", "2026-03-20T12:00:00Z", "_", "2026-03-20T12:00:00Z_<b>", "9999-01-01T00:00:00Z_edxapp-aaaaaaaa"] {
        let (answer, _) = page(&stage, &format!("/services/edxapp/history?before={odd}")).await;
        assert!(answer.status == 200 && answer.body.contains("The last 50"), "{odd}: the newest");
    }
}

#[tokio::test]
async fn a_service_of_which_nothing_was_heard_is_there_and_says_who_is_on_its_rotation() {
    let mut stage = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    let (board, queries) = page(&stage, "/").await;
    assert!(
        board.body.contains("nothing heard")
            && board.body.contains("/services/discovery".replace('/', "&#x2f;").as_str())
            || board.body.contains("/services/discovery")
    );
    assert_eq!(queries, MOST_QUERIES);
    assert!(!board.body.contains("Alerts of no service"));
    // A turn that has ended is not shown, though nobody has looked at the service since.
    stage.merge("feanil", 1).await;
    stage.deploy("prod", "success", 1).await;
    assert!(page(&stage, "/").await.0.body.contains("change number 1"));
    stage.clock.set(time("Fri 13:01"));
    let late = page(&stage, "/").await.0.body;
    assert!(!late.contains("change number 1"), "{late}");
    stage.at("Fri 13:02").await;
    let board = page(&stage, "/").await.0.body;
    assert!(board.contains("1 still suspect"), "{board}");
    for path in ["/services/nothing", "/services/freezes", "/services/nothing/history", "/services/edxapp/other"] {
        assert_eq!(page(&stage, path).await.0.status, 404, "{path}");
    }
}

#[tokio::test]
async fn whoever_has_the_pager_is_on_call_and_maintenance_is_shown_while_it_lasts() {
    let text = configuration(&["edxapp"])
        .replace("github = [\"usama\"]", "github = [\"usama\"]\nemails = [\"usama@example.com\"]");
    let sign_in = "\n[sign_in]\nissuer = \"https://id.example.com\"\nclient_id = \"deployers\"\n";
    let mut stage = Stage::with_secrets(&format!("{text}{sign_in}"), &[("sign-in", "x")], |_| {}).await;
    let service: ServiceId = "edxapp".parse().unwrap();
    let does = |action: Action, who: &str, form: &'static str| {
        let (path, stage) = (stage.link(action, who), &stage);
        async move { assert_eq!(stage.post(&path, Vec::new(), form.as_bytes()).await.status, 200) }
    };
    does(Action::OnCall(service.clone()), "usama", "do=take&for=2+h").await;
    does(Action::Queue(service.clone()), "olga", "do=maintain&for=30&why=disks&from=2026-03-20T12:30Z").await;
    let seen = |stage: &Stage, path: &'static str| {
        let session = Session { who: "usama@example.com".to_owned(), expires: time("Sat 12:00") };
        let cookie = format!("__Host-deployers-session={}", session.seal(&Secret::new("links-key").unwrap()));
        let request = Request::new("GET", path, vec![("cookie".to_owned(), cookie)], Vec::new());
        let bundle = stage.bundle.clone();
        async move { bundle.route(request).await.body }
    };
    let board = seen(&stage, "/").await;
    assert!(board.contains("You are on call for edxapp (you have its pager until 19:00)."), "{board}");
    assert!(board.contains("has the pager: paged first for everything") && !board.contains("maintenance"), "{board}");
    let own = seen(&stage, "/people/usama").await;
    assert!(own.contains("Has the pager of edxapp until 19:00."), "{own}");
    // Nobody looks at the service meanwhile.
    stage.clock.set(time("Fri 12:40"));
    assert!(seen(&stage, "/").await.contains("maintenance until 18:00"));
    stage.clock.set(time("Fri 13:01"));
    assert!(!seen(&stage, "/").await.contains("maintenance until"));
    stage.at("Fri 14:00").await;
    let board = seen(&stage, "/").await;
    assert!(board.contains("No change of yours is on call now.") && !board.contains("has the pager"), "{board}");
}

#[tokio::test]
async fn the_clock_looks_once_at_each_service_of_which_the_board_has_no_card() {
    let stage = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    assert!(stage.house.store.cards().await.unwrap().is_empty());
    on_schedule::tick(&stage.house).await.unwrap();
    let known: Vec<String> =
        stage.house.store.cards().await.unwrap().into_iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(known, ["discovery", "edxapp", "unmapped"]);
    let board = page(&stage, "/").await.0.body;
    assert!(!board.contains("nobody has looked at it yet"), "{board}");
}
