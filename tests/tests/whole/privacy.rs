//! What is kept of people: PRIVACY.md says it of every kind of item, what is kept of somebody can be exported, and removed.

use std::collections::BTreeSet;

use aws::links::Action;
use aws::{Response, records};
use house_tests::{Stage, configuration, root};
use serde_json::Value;

fn source(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The partitions that `keys.rs` names, by their first letters; of working sets, each kind of record.
fn kinds() -> BTreeSet<String> {
    let keys = source("shared/aws/src/keys.rs");
    let rows = keys.lines().filter_map(|line| line.strip_prefix("//! | "));
    let partition = |row: &str| row.split(" | ").nth(1)?.split('`').nth(1).map(str::to_owned);
    let partitions =
        rows.filter_map(partition).filter(|partition| !partition.contains(' ') && *partition != "S#service");
    let short = |partition: String| match partition.split_once('#') {
        Some((letter, _)) => format!("`{letter}#`"),
        None => format!("`{partition}`"),
    };
    // The indexes hold nothing of their own.
    let partitions = partitions.filter(|partition| !["due", "person"].contains(&partition.as_str())).map(short);
    let records = source("shared/aws/src/records.rs");
    let kind = |line: &str| Some(format!("`S#` `{}#`", line.trim().strip_prefix('"')?.split_once("\" => Record::")?.0));
    let records: Vec<String> = records.lines().filter_map(kind).collect();
    partitions.chain(records).chain(["`S#` `T`".to_owned()]).collect()
}

#[test]
fn the_document_speaks_of_every_kind_of_item_and_of_no_other() {
    let document = source("PRIVACY.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells: Vec<Vec<&str>> = rows.map(|row| row.trim_end_matches(" |").split(" | ").collect()).collect();
    let said: BTreeSet<String> = cells.iter().map(|row| format!("`{}", row[0])).collect();
    assert_eq!(said, kinds());
    assert!(cells.iter().all(|row| row.len() == 6 && row.iter().all(|cell| !cell.is_empty())), "each says all of it");
}

/// Everything that the table holds, as text: partition, sort, the rest.
async fn everything(stage: &Stage) -> Vec<(String, String, String)> {
    let client = aws::clients::dynamodb(&stage.endpoints().await, &stage.house.http);
    let (mut all, mut start) = (Vec::new(), None);
    loop {
        let answer = client.scan().table_name("recent-deployers").set_exclusive_start_key(start).send().await.unwrap();
        all.extend(answer.items().iter().map(|item| {
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
            (text("pk"), text("sk"), format!("{item:?}"))
        }));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return all;
        }
    }
}

/// The keys of what names somebody.
async fn naming(stage: &Stage, name: &str) -> Vec<String> {
    let all = everything(stage).await.into_iter();
    all.filter(|(.., text)| text.to_lowercase().contains(name)).map(|(pk, sk, _)| format!("{pk} {sk}")).collect()
}

async fn does(stage: &Stage, about: &str, by: &str, form: &str) -> Response {
    let link = stage.link(Action::Person(about.parse().unwrap()), by);
    let headers = vec![("accept".to_owned(), "application/json".to_owned())];
    stage.post(&link, headers, form.as_bytes()).await
}

fn text(answer: &Response) -> String {
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    format!("{}\n{}", said["title"].as_str().unwrap(), said["text"].as_str().unwrap())
}

/// Feanil's change broke something and it is over; usama's is live, and he has the pager. It is all sealed.
async fn day() -> Stage {
    let mut day = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    day.merge("feanil", 12).await;
    day.at("Fri 12:05").await.deploy("prod", "success", 12).await;
    day.at("Fri 12:10").await.alert("edxapp", "Fri 12:09", false).await;
    day.at("Fri 12:12").await.acknowledge("feanil").await;
    let take = day.link(Action::OnCall("edxapp".parse().unwrap()), "feanil");
    assert_eq!(day.post(&take, vec![], b"do=take&for=2+h").await.status, 200);
    let freeze = day.link(Action::Freezes, "feanil");
    let declared = b"do=freeze&name=sale&until=2026-03-21+09:00&preset=peak-event";
    assert_eq!(day.post(&freeze, vec![], declared).await.status, 200);
    day.at("Fri 12:40").await.alert("edxapp", "Fri 12:09", true).await;
    day.at("Sun 12:00").await;
    day.tick_until("Sun 12:30").await;
    day
}

#[tokio::test]
async fn what_is_kept_of_somebody_is_exported_whole() {
    let day = day().await;
    let answer = does(&day, "feanil", "olga", "do=export").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    let document: Value = serde_json::from_str(said["text"].as_str().unwrap()).unwrap();
    let key = |item: &Value| format!("{} {}", item["partition"].as_str().unwrap(), item["sort"].as_str().unwrap());
    let exported: BTreeSet<String> = document["items"].as_array().unwrap().iter().map(key).collect();
    let held: BTreeSet<String> = naming(&day, "feanil").await.into_iter().collect();
    // The index holds nothing of its own, and that a page was accepted is forgotten within days.
    let held: BTreeSet<String> = held.into_iter().filter(|key| !key.starts_with("Y#")).collect();
    assert_eq!(held.difference(&exported).collect::<Vec<_>>(), [""; 0]);
    assert!(
        ["L#", "P#", "C#", "K "].iter().all(|kind| exported.iter().any(|key| key.starts_with(kind))),
        "{exported:?}"
    );
    let log = day.house.store.log(&"freezes".parse().unwrap(), 1).await.unwrap();
    assert_eq!((log[0].reason.name(), log[0].person.as_ref().unwrap().as_str()), ("data_exported", "olga"));
}

#[tokio::test]
async fn who_is_removed_is_found_nowhere_and_what_happened_can_still_be_read() {
    let mut day = day().await;
    let id = day.house.store.past_incidents(&"edxapp".parse().unwrap(), 5).await.unwrap()[0].id.clone();
    for (by, form, why) in [
        ("usama", "do=remove&sure=yes", "owns a service"),
        ("olga", "do=remove", "still in the roster"),
        ("olga", "do=remove&sure=yes&logins=usama", "forge:name"),
        ("olga", "do=remove&sure=yes&logins=github:production", "is called as they are"),
        ("olga", "do=remove&sure=yes&logins=github:openedx", "is called as they are"),
    ] {
        let answer = does(&day, "feanil", by, form).await;
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert!(answer.body.contains(why), "{}", answer.body);
    }
    day.tick_until("Sun 14:30").await;
    let before = day.get("/audit").await.status;
    assert_eq!(before, 400, "it is asked for by service");
    let removed = does(&day, "feanil", "olga", "do=remove&sure=yes").await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    let left: Vec<String> = naming(&day, "feanil").await;
    let said = text(&removed);
    let listed = |key: &String| said.contains(key.as_str()) || key.starts_with("Y#");
    assert!(left.iter().all(listed), "{left:?}\n{said}");
    assert!(!said.contains("Left"), "nothing is open: {said}");
    // The incident reads as before, of nobody.
    let page = day.get(&format!("/incidents/{id}.md")).await.body;
    assert!(page.contains("former-") && page.contains("acknowledged") && !page.contains("feanil"), "{page}");
    let answer = audited(&day).await;
    assert_eq!(answer["faults"].as_array().unwrap().len(), 0, "{}", answer["faults"]);
    let log = day.house.store.log(&"freezes".parse().unwrap(), 5).await.unwrap();
    let removed = log.iter().find(|entry| entry.reason.name() == "data_removed").unwrap();
    assert_eq!(removed.person.as_ref().unwrap().as_str(), "olga");
    // Once more there is nothing to do.
    let again = text(&does(&day, "feanil", "olga", "do=remove&sure=yes").await);
    assert!(again.contains("0 items were rewritten"), "{again}");
    day.at("Mon 12:00").await;
    assert_eq!(audited(&day).await["faults"].as_array().unwrap().len(), 0);
}

async fn audited(day: &Stage) -> Value {
    let request = aws::Request::new("GET", "/audit", vec![], vec![]).with_query("service=edxapp");
    serde_json::from_str(&day.bundle.route(request).await.body).unwrap()
}

#[tokio::test]
async fn what_open_work_needs_is_left_and_goes_when_it_is_over() {
    let mut day = Stage::new().await;
    day.merge("feanil", 12).await;
    day.at("Fri 12:05").await.deploy("prod", "success", 12).await;
    day.at("Fri 12:10").await.alert("edxapp", "Fri 12:09", false).await;
    let said = text(&does(&day, "feanil", "olga", "do=remove&sure=yes").await);
    assert!(said.contains("until its window is closed") && said.contains("after the incident is over"), "{said}");
    let windows = day.windows("edxapp").await;
    assert!(windows[0].starts_with("edx-platform#12 feanil active"), "they still answer for it: {windows:?}");
    let unsaid: Vec<String> = naming(&day, "feanil").await.into_iter().filter(|key| !said.contains(key)).collect();
    assert_eq!(unsaid, [""; 0], "{said}");
    day.at("Fri 12:30").await.alert("edxapp", "Fri 12:09", true).await;
    day.at("Tue 12:00").await;
    let said = text(&does(&day, "feanil", "olga", "do=remove&sure=yes").await);
    assert!(!said.contains("Left"), "{said}");
    let left: Vec<String> = naming(&day, "feanil").await.into_iter().filter(|key| !key.starts_with("Y#")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn a_removal_that_dies_in_the_middle_is_gone_on_with() {
    let day = day().await;
    let (traces, services) = (
        domain::privacy::Traces::of(&"feanil".parse().unwrap(), None, &[]),
        ["edxapp", "discovery", "unmapped", "freezes"].map(|id| id.parse().unwrap()),
    );
    // It comes as far as one of the services, and ends before it has forgotten the pseudonym.
    let first = day.house.store.known(&traces.person).await.unwrap().unwrap();
    day.house.store.forget(&services[3..], &traces, day.clock.now()).await.unwrap();
    let item = records::item(&aws::keys::person(&traces.person), &first, None).unwrap();
    let client = aws::clients::dynamodb(&day.endpoints().await, &day.house.http);
    client.put_item().table_name("recent-deployers").set_item(Some(item)).send().await.unwrap();
    let removed = day.house.store.forget(&services, &traces, day.clock.now()).await.unwrap();
    assert!(removed.items > 0 && day.house.store.known(&traces.person).await.unwrap().is_none());
    let merges = |key: &String| key.starts_with("Y#") || key.starts_with("S#merges") || key.starts_with("L#merges");
    assert!(naming(&day, "feanil").await.iter().all(merges), "{:?}", naming(&day, "feanil").await);
}
