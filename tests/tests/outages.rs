//! The topic or the table is away for a while, in virtual time: whatever arrives meanwhile is told when it is back, what
//! is no longer true is withdrawn for a named reason, nobody is paged twice, and a page that nobody takes is not silent.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Mutex;

use aws::links::Action;
use domain::{Kind, ServiceId};
use house_tests::gate::Fault;
use house_tests::peer::Peer;
use house_tests::{Stage, configuration};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

/// What was logged as an error or worse, a line each.
static ERRORS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Errors;

impl Write for Errors {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        ERRORS.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on errors are kept, of all tests in this file.
fn keep_errors() {
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Errors);
    let kept = tracing_subscriber::registry().with(lines.with_filter(LevelFilter::ERROR));
    let _ = tracing_subscriber::util::SubscriberInitExt::try_init(kept);
}

/// The errors so far that have this in them.
fn errors(part: &str) -> usize {
    let text = String::from_utf8(ERRORS.lock().unwrap().clone()).unwrap();
    text.lines().filter(|line| line.contains(part)).count()
}

const ON_CALL: &str = "feanil";

/// These services, with a change of feanil's live in all of them, on Friday at 12:05.
async fn live(services: &[&str], more: &str) -> Stage {
    let mut stage = Stage::with(&format!("{}{more}", configuration(services)), |_| {}).await;
    stage.merge(ON_CALL, 12).await;
    stage.deploy("prod", "success", 12).await;
    stage.at("Fri 12:05").await.heard();
    stage
}

/// The pages since this was last asked, as `person service`, counted.
fn pages(stage: &Stage) -> BTreeMap<String, usize> {
    let mut pages = BTreeMap::new();
    for line in stage.heard() {
        let Some((person, about)) = line.strip_prefix("PAGE to ").and_then(|l| l.split_once(": [critical] ")) else {
            continue;
        };
        let service = about.split(' ').next().unwrap();
        *pages.entry(format!("{person} {service}")).or_default() += 1;
    }
    pages
}

fn once(pages: &[&str]) -> BTreeMap<String, usize> {
    pages.iter().map(|page| ((*page).to_owned(), 1)).collect()
}

/// `who` acknowledges the incident of this service, by link.
async fn acknowledge(stage: &Stage, service: &str, who: &str) {
    let action = Action::Acknowledge(stage.incident(service).await.id);
    assert_eq!(stage.post(&stage.link(action, who), vec![], b"do=acknowledge").await.status, 200);
}

/// Why pages of this service were withdrawn: `person reason`, each once.
async fn withdrawn(stage: &Stage, service: &str) -> Vec<String> {
    let log = stage.house.store.log(&id(service), 100).await.unwrap();
    let dropped = log.iter().filter(|e| e.what.starts_with("page to ") && e.what.ends_with(" withdrawn"));
    let said = dropped.map(|e| format!("{} {}", e.person.as_ref().unwrap(), e.reason.name()));
    said.collect::<BTreeSet<String>>().into_iter().collect()
}

fn id(service: &str) -> ServiceId {
    service.parse().unwrap()
}

/// Nobody waits for a page any more.
async fn is_out(stage: &Stage, services: &[&str]) {
    for service in services {
        let left = stage.house.store.outbox(&id(service)).await.unwrap();
        assert!(left.iter().all(|o| o.message.kind != Kind::Page), "{left:?}");
    }
}

#[tokio::test]
async fn a_topic_that_is_away_for_five_minutes_costs_no_page_and_sends_none_that_is_over() {
    let services = ["over", "taken", "waits", "grows", "again", "late"];
    let mut stage = live(&services, "[services.again.policy]\nagain_after = \"2 min\"\n").await;
    let (_, topic) = stage.gated().await;
    topic.close();
    for service in ["over", "taken", "waits", "again"] {
        assert_eq!(stage.alert(service, "Fri 12:05", false).await.status, 200, "the page is durable");
    }
    stage.tick_until("Fri 12:06").await;
    assert_eq!(stage.alert("grows", "Fri 12:06", false).await.status, 200);
    stage.tick_until("Fri 12:07").await;
    stage.alert("over", "Fri 12:05", true).await;
    acknowledge(&stage, "taken", "usama").await;
    stage.tick_until("Fri 12:09").await;
    assert_eq!(stage.alert("late", "Fri 12:09", false).await.status, 200);
    stage.tick_until("Fri 12:10").await;
    assert_eq!(pages(&stage), once(&[]), "nothing gets through");

    topic.open();
    stage.tick_until("Fri 12:12").await;
    let escalated = ["anna again", "anna grows", "anna waits"];
    let first = ["feanil again", "feanil grows", "feanil late", "feanil waits"];
    assert_eq!(pages(&stage), once(&[&escalated[..], &first].concat()), "out within two minutes, each once");
    assert_eq!(withdrawn(&stage, "over").await, ["feanil resolved_at"]);
    assert_eq!(withdrawn(&stage, "taken").await, ["feanil acknowledged_by"]);
    // Who is asked each two minutes hears the newest; what was to be said before is not repeated.
    assert_eq!(withdrawn(&stage, "again").await, ["anna superseded", "feanil superseded"]);
    for service in ["waits", "grows", "late"] {
        assert_eq!(withdrawn(&stage, service).await, [""; 0], "{service}");
    }
    is_out(&stage, &services).await;

    stage.tick_until("Fri 12:14").await;
    assert_eq!(pages(&stage), once(&["anna late"]), "and escalation goes on from there");
}

/// An alert as its monitor sends it: again each minute until it is accepted.
async fn accepted(
    stage: &Stage,
    service: &str,
    since: &str,
    pending: &mut BTreeSet<(String, String, bool)>,
    over: bool,
) {
    pending.insert((service.to_owned(), since.to_owned(), over));
    send_again(stage, pending).await;
}

async fn send_again(stage: &Stage, pending: &mut BTreeSet<(String, String, bool)>) {
    for (service, since, over) in pending.clone() {
        match stage.alert(&service, &since, over).await.status {
            200 => drop(pending.remove(&(service, since, over))),
            status => assert_eq!(status, 503, "what is not stored is sent again"),
        }
    }
}

#[tokio::test]
async fn a_table_that_is_away_for_five_minutes_is_answered_with_503_and_each_page_comes_once() {
    let services = ["before", "over", "waits"];
    let mut stage = live(&services, "").await;
    let (table, _) = stage.gated().await;
    let mut pending = BTreeSet::new();
    accepted(&stage, "before", "Fri 12:05", &mut pending, false).await;
    assert!(pending.is_empty());
    assert_eq!(pages(&stage), once(&["feanil before"]));
    table.close();
    accepted(&stage, "waits", "Fri 12:06", &mut pending, false).await;
    accepted(&stage, "over", "Fri 12:06", &mut pending, false).await;
    for minute in 7..=10 {
        stage.tick_until(&format!("Fri 12:{minute:02}")).await;
        send_again(&stage, &mut pending).await;
    }
    // It is over before anybody could be told: its monitor says so instead.
    pending.retain(|(service, ..)| service != "over");
    accepted(&stage, "over", "Fri 12:06", &mut pending, true).await;
    assert_eq!(pending.len(), 2, "nothing is taken that is not stored");
    assert_eq!(pages(&stage), once(&[]));

    table.open();
    stage.tick_until("Fri 12:11").await;
    send_again(&stage, &mut pending).await;
    assert!(pending.is_empty());
    stage.tick_until("Fri 12:12").await;
    // Feanil was paged for the same change a moment before the outage: he is told, not paged again.
    assert_eq!(pages(&stage), once(&["anna before"]), "what was due meanwhile");
    stage.tick_until("Fri 12:14").await;
    assert_eq!(pages(&stage), once(&[]));
    assert!(stage.situation("over").await.incidents.is_empty(), "what was over when we heard of it wakes nobody");
    is_out(&stage, &services).await;
}

/// An alert, in a house whose people are reached by a pager that knows repetitions; the nth call to the table from then on
/// fails. Returns which call it was, if there are so many, and what the pager got.
async fn failing(nth: usize, fault: Fault) -> Option<(String, Vec<String>)> {
    let pager = Peer::start().await;
    let text = configuration(&["edxapp"]).replace("[\"terminal\"]", "[\"pager\"]");
    let receiver = format!("[receivers.pager]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"hook\"\n", pager.address);
    let mut stage = Stage::with(&format!("{text}{receiver}"), |_| {}).await;
    stage.merge(ON_CALL, 12).await;
    stage.deploy("prod", "success", 12).await;
    stage.at("Fri 12:05").await;
    drop(pager.received());
    let (table, _) = stage.gated().await;
    table.fails(nth, fault);
    let mut statuses = Vec::new();
    while statuses.last() != Some(&200) {
        statuses.push(stage.alert("edxapp", "Fri 12:05", false).await.status);
        assert!(statuses.iter().all(|s| [200, 503].contains(s)) && statuses.len() < 3, "{nth} {fault:?}: {statuses:?}");
    }
    stage.tick_until("Fri 12:08").await;
    is_out(&stage, &["edxapp"]).await;
    let incident = stage.incident("edxapp").await;
    assert_eq!(incident.pages.len(), 1, "{nth} {fault:?}: {:?}", incident.pages);
    let received = pager.received();
    let pages = received.iter().filter(|r| r.body.contains("\"type\":\"page."));
    let keys: Vec<String> = pages.map(|r| r.header("webhook-id").to_owned()).collect();
    Some((table.struck()?, keys))
}

/// Each call on an alert's way, from the webhook to the page that is accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_call_to_the_table_fails_an_alert_is_one_page() {
    const MOST: usize = 16;
    let mut failed = BTreeMap::<(usize, String), Vec<String>>::new();
    for fault in Fault::ALL {
        let trying = (1..=MOST).map(|nth| tokio::spawn(async move { (nth, failing(nth, fault).await) }));
        for tried in trying.collect::<Vec<_>>() {
            let (nth, came) = tried.await.unwrap();
            let Some((call, keys)) = came else { continue };
            let distinct: BTreeSet<&String> = keys.iter().collect();
            assert_eq!(distinct.len(), 1, "call {nth}, {call}, {fault:?}: {keys:?}");
            // Sent and not taken out of the outbox: it is sent again, under the same key.
            assert!(keys.len() <= 2, "call {nth}, {call}, {fault:?}: {keys:?}");
            let again = if keys.len() > 1 { format!("{fault:?}, the page came twice") } else { format!("{fault:?}") };
            failed.entry((nth, call)).or_default().push(again);
        }
    }
    for ((nth, call), faults) in &failed {
        println!("call {nth}, {call}: {}", faults.join("; "));
    }
    let most = failed.keys().map(|(nth, _)| *nth).max().unwrap();
    assert!((12..MOST).contains(&most), "every call was tried: {most}");
}

#[tokio::test]
async fn a_page_that_no_contact_takes_is_an_error_in_the_log_at_once_and_when_it_is_overdue() {
    keep_errors();
    let pager = Peer::start().await;
    pager.always_answers("POST", 503, "");
    let text = configuration(&["deaf"]).replace("[\"terminal\"]", "[\"pager\"]");
    let receiver = format!("[receivers.pager]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"hook\"\n", pager.address);
    // Nobody is asked again, so that this is about two pages: to the rotation, and to the owner.
    let policy = "[services.deaf.policy]\nagain_after = \"0 s\"\n";
    let stage = Stage::with(&format!("{text}{receiver}{policy}"), |_| {}).await;
    let failed = "no contact of anna accepted it: pager: it answered 503";
    let overdue = || errors("a page has reached nobody");
    stage.alert("deaf", "Fri 12:00", false).await;
    assert_eq!(errors(failed), 1, "an alarm at the first failure");
    assert_eq!(errors("\"message\":\"not delivered\",\"message.key\":\"deaf#deaf-"), 1, "which names the page");
    let not_delivered = "page to anna not delivered";
    let log = stage.house.store.log(&id("deaf"), 100).await.unwrap();
    assert_eq!(log.iter().filter(|e| e.what == not_delivered).count(), 1, "{log:?}");

    stage.tick_until("Fri 12:09").await;
    assert!(errors(failed) >= 8, "each try is one: {}", errors(failed));
    assert_eq!(overdue(), 0);
    stage.tick_until("Fri 12:11").await;
    assert_eq!((overdue(), errors("\"minutes\":10")), (2, 1), "and one of its own when it is overdue, each minute");
    let outbox = stage.house.store.outbox(&id("deaf")).await.unwrap();
    let waiting = outbox.iter().find(|o| o.message.key.person.as_str() == "anna").unwrap();
    assert!(waiting.tries >= 10 && waiting.claimed_at.is_none(), "{waiting:?}");
    let log = stage.house.store.log(&id("deaf"), 100).await.unwrap();
    assert_eq!(log.iter().filter(|e| e.what == not_delivered).count(), 1, "the log of the service says it once");

    pager.always_answers("POST", 200, "");
    drop(pager.received());
    stage.tick_until("Fri 12:14").await;
    let received = pager.received();
    let pages = received.iter().filter(|r| r.body.contains("\"type\":\"page."));
    let people = pages.map(|r| r.header("webhook-id").split('#').nth(2).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(people, ["anna", "olga"], "each once");
    assert_eq!(overdue(), 3, "then it is silent");
    is_out(&stage, &["deaf"]).await;
}
