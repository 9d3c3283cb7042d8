//! The store's contract, on every engine that is there: the embedded one, MiniStack (`tests/run` gets it), and any other that speaks
//! DynamoDB's protocol at the address in RECENT_DEPLOYERS_DYNAMODB, such as Amazon's own DynamoDB Local.
//!
//! What the code believes of DynamoDB is here: conditions, transactions, sets that grow, indexes.

use std::collections::BTreeSet;

use aws::clients::{self, Aws, Http};
use aws::store::Thread;
use aws::{Store, StoreError, keys};
use domain::decision::{Decisions, Record, RecordKey, Wake};
use domain::message::{Kind, Message, MessageKey, Step, Subject};
use domain::on_merge::{Approved, Enqueued};
use domain::{Entry, PersonId, Queue, Reason, ServiceId, Severity, Shift};
use house_tests::ministack::{self, MiniStack};
use house_tests::{Stage, time};
use jiff::{SignedDuration, Timestamp};

fn at(minutes: i64) -> Timestamp {
    time("Fri 12:00") + SignedDuration::from_mins(minutes)
}

fn service(name: &str) -> ServiceId {
    name.parse().unwrap()
}

fn line(what: &str) -> Entry {
    Entry { at: at(0), subject: None, person: None, what: what.to_owned(), reason: Reason::AlreadyKnown }
}

fn message(service: &ServiceId, person: &str) -> Message {
    let person: PersonId = person.parse().unwrap();
    Message {
        key: MessageKey { service: service.clone(), subject: Subject::Service, person, step: Step::Drill, nth: 0 },
        kind: Kind::Page,
        severity: Severity::Critical,
        title: "t".to_owned(),
        lines: Vec::new(),
        links: Vec::new(),
        short: String::new(),
        pager_key: None,
        not_by: None,
        unless: None,
        ends: None,
        again: 0,
        revert: None,
        reason: Reason::AlreadyKnown,
        decided_at: at(0),
    }
}

fn decisions(service: &ServiceId, what: &str) -> Decisions {
    let mut decisions = Decisions::none(service, Wake::Now);
    decisions.entries.push(line(what));
    decisions
}

/// Of two decisions about what both have read one is made, and of the other nothing is.
async fn a_decision_is_whole_or_is_not(store: &Store) {
    let id = service("whole");
    let (first, second) = (store.situation(&id).await.unwrap(), store.situation(&id).await.unwrap());
    let mut one = decisions(&id, "the first");
    one.put(Record::Queue(Queue::default()), first.queue.rev);
    one.messages.push(message(&id, "olga"));
    store.commit(&first, &one, at(0)).await.unwrap();
    let mut other = decisions(&id, "the second");
    other.messages.push(message(&id, "anna"));
    other.put(Record::Queue(Queue::default()), second.queue.rev);
    assert!(matches!(store.commit(&second, &other, at(0)).await, Err(StoreError::Conflict)));
    assert_eq!(store.log(&id, 10).await.unwrap().len(), 1);
    assert_eq!(store.outbox(&id).await.unwrap().len(), 1);
    // Read again it is made; and what is dropped at another revision is not.
    let again = store.situation(&id).await.unwrap();
    let mut other = decisions(&id, "again");
    other.put(Record::Queue(Queue::default()), again.queue.rev);
    store.commit(&again, &other, at(0)).await.unwrap();
    let mut stale = decisions(&id, "stale");
    stale.drop_record(RecordKey::Queue, again.queue.rev);
    assert!(matches!(store.commit(&again, &stale, at(0)).await, Err(StoreError::Conflict)));
    // Two at once: as many are made as were told so.
    let seen = store.situation(&id).await.unwrap();
    let race = |what: &str| {
        let mut decisions = decisions(&id, what);
        decisions.put(Record::Queue(Queue::default()), seen.queue.rev);
        decisions
    };
    let (left, right) = (race("left"), race("right"));
    let (left, right) = tokio::join!(store.commit(&seen, &left, at(0)), store.commit(&seen, &right, at(0)));
    assert_eq!(usize::from(left.is_ok()) + usize::from(right.is_ok()), 1, "{left:?} {right:?}");
}

/// A message is in one hand, until that has been silent for long, and leaves once.
async fn a_message_is_in_one_hand(store: &Store) {
    let id = service("hands");
    let mut decided = decisions(&id, "decided");
    decided.messages.push(message(&id, "olga"));
    let key = decided.messages[0].key.clone();
    store.commit(&store.situation(&id).await.unwrap(), &decided, at(0)).await.unwrap();
    store.mark_published(&key, at(1)).await.unwrap();
    let hands = [store.clone(), store.clone(), store.clone()];
    let claims = hands.each_ref().map(|store| store.claim(&key, at(2), 0));
    let [a, b, c] = claims;
    let (a, b, c) = tokio::join!(a, b, c);
    assert_eq!([a, b, c].into_iter().filter(|claim| matches!(claim, Ok(true))).count(), 1);
    assert!(!store.claim(&key, at(2), 0).await.unwrap());
    assert_eq!(store.try_at(&key, at(2), at(3), 1).await.unwrap(), Some(at(3)));
    assert_eq!(store.try_at(&key, at(2), at(3), 2).await.unwrap(), None, "a claim that was renewed is another");
    let grown_stale = at(3) + domain::on_page::CLAIM;
    assert!(store.claim(&key, grown_stale, 1).await.unwrap());
    store.release(&key, at(3)).await.unwrap();
    assert!(!store.claim(&key, grown_stale, 0).await.unwrap(), "whoever lost it gives nothing back");
    store.release(&key, grown_stale).await.unwrap();
    let outgoing = store.outgoing(&key).await.unwrap().outgoing;
    let outgoing = outgoing.unwrap();
    assert_eq!((outgoing.tries, outgoing.claimed_at, outgoing.published_at), (2, None, Some(at(1))));
    assert!(!store.was_accepted(&key).await.unwrap());
    store.remember_accepted(&key, at(4)).await.unwrap();
    assert!(store.was_accepted(&key).await.unwrap());
    for _ in 0..2 {
        store.finish(&key, &line("accepted")).await.unwrap();
    }
    assert!(store.outbox(&id).await.unwrap().is_empty());
    assert_eq!(store.log(&id, 10).await.unwrap().iter().filter(|entry| entry.what == "accepted").count(), 1);
    store.mark_published(&key, at(5)).await.unwrap();
    assert!(store.outgoing(&key).await.unwrap().outgoing.is_none(), "what is gone does not come back by being marked");
}

/// What may come before what it needs waits for it, in either order.
async fn what_comes_early_waits(store: &Store) {
    let topic = |name: &str| aws::store::Topic { key: keys::placement(name), keep: SignedDuration::from_hours(1) };
    let (early, late) = (topic("early"), topic("late"));
    for report in ["a", "b", "a"] {
        assert_eq!(store.told_or_await::<String, _>(&early, &report, at(0)).await.unwrap(), None);
    }
    let waited: Vec<String> = store.tell(&early, &"told", at(1)).await.unwrap();
    assert_eq!(waited.iter().map(String::as_str).collect::<BTreeSet<_>>(), ["a", "b"].into());
    store.settled(&early, &["a"]).await.unwrap();
    assert_eq!(store.told_or_await::<String, _>(&early, &"c", at(2)).await.unwrap().as_deref(), Some("told"));
    let left: Vec<String> = store.tell(&early, &"told", at(3)).await.unwrap();
    assert_eq!(left, ["b"]);
    let none: Vec<String> = store.tell(&late, &"told", at(0)).await.unwrap();
    assert!(none.is_empty() && store.told::<String>(&late).await.unwrap().as_deref() == Some("told"));
    assert_eq!(store.told::<String>(&topic("never")).await.unwrap(), None);
}

/// Who enqueued is who is sure of it; each approval is kept by when it first was.
async fn the_way_of_a_pull_request_grows(store: &Store) {
    let login = |name: &str| domain::Login::new("github", name).unwrap();
    let enqueued =
        |by: &str, sure| Enqueued { repository: "o/r".parse().unwrap(), number: 7, by: login(by), at: at(0), sure };
    let by = |way: aws::store::Queued| way.way.enqueued.unwrap().by.name().to_owned();
    assert_eq!(by(store.note_enqueued(&enqueued("guessed", false), at(0)).await.unwrap()), "guessed");
    assert_eq!(by(store.note_enqueued(&enqueued("surely", true), at(0)).await.unwrap()), "surely");
    assert_eq!(by(store.note_enqueued(&enqueued("later", false), at(0)).await.unwrap()), "surely");
    for (who, when) in [("olga", 9), ("olga", 3), ("anna", 5), ("olga", 3)] {
        let approved = Approved { repository: "o/r".parse().unwrap(), number: 7, by: login(who), at: at(when) };
        store.note_approved(&approved, at(0)).await.unwrap();
    }
    let known = store.queued(&"o/r".parse().unwrap(), 7).await.unwrap();
    assert_eq!(known.way.approvals, [(login("olga"), at(3)), (login("anna"), at(5))].into());
    assert_eq!(store.queued(&"o/r".parse().unwrap(), 8).await.unwrap().way.approvals.len(), 0);
}

/// The clocks are found by the index, those that ran out first; people by theirs.
async fn what_is_due_is_found_by_the_index(store: &Store) {
    let (soon, later) = (service("soon"), service("later"));
    for (id, when) in [(&soon, 1), (&later, 5)] {
        store.commit(&store.situation(id).await.unwrap(), &decisions(id, "rings"), at(when)).await.unwrap();
    }
    let ours = |due: Vec<ServiceId>| due.into_iter().filter(|id| *id == soon || *id == later).collect::<Vec<_>>();
    assert_eq!(ours(store.due(at(0)).await.unwrap()), []);
    assert_eq!(ours(store.due(at(1)).await.unwrap()), std::slice::from_ref(&soon));
    assert_eq!(ours(store.due(at(5)).await.unwrap()), [soon.clone(), later.clone()]);
    // Set to a time by whoever saw it; not if somebody rang meanwhile.
    let seen = store.situation(&soon).await.unwrap();
    let exactly = |when: Option<i64>| Decisions::none(&soon, Wake::Exactly(when.map(at)));
    store.commit(&seen, &exactly(Some(60)), at(6)).await.unwrap();
    assert_eq!(ours(store.due(at(6)).await.unwrap()), std::slice::from_ref(&later));
    let seen = store.situation(&soon).await.unwrap();
    store.commit(&seen, &decisions(&soon, "rings again"), at(7)).await.unwrap();
    assert!(matches!(store.commit(&seen, &exactly(None), at(8)).await, Err(StoreError::Conflict)));
    assert_eq!(ours(store.due(at(8)).await.unwrap()), [later.clone(), soon.clone()]);
    store.commit(&store.situation(&soon).await.unwrap(), &exactly(None), at(9)).await.unwrap();
    assert_eq!(ours(store.due(at(9000)).await.unwrap()), std::slice::from_ref(&later));

    let person: PersonId = "nadia".parse().unwrap();
    let mut taken = decisions(&later, "takes");
    let shift = Shift::new(domain::shift::Scope::Service, &person, &person, at(0), Some(at(60)), at(0));
    taken.put(Record::Shift(shift.clone()), 0);
    store.commit(&store.situation(&later).await.unwrap(), &taken, at(0)).await.unwrap();
    assert_eq!(store.services_of(&person, 10).await.unwrap(), [later.clone()].into());
    assert_eq!(store.situation(&later).await.unwrap().shifts.values().next().unwrap().value, shift);
}

/// Of two that begin at once one is first, and the other goes on with it.
async fn what_is_begun_twice_is_begun_once(store: &Store) {
    let thread = |id: &str| Thread { channel: "C1".to_owned(), first: id.to_owned() };
    let [a, b] = [thread("1"), thread("2")];
    let (a, b) = tokio::join!(
        store.begin_thread("slack", "C1", "i", &a, at(0)),
        store.begin_thread("slack", "C1", "i", &b, at(0))
    );
    assert!(a.is_ok() && b.is_ok());
    let kept = store.thread("slack", "C1", "i").await.unwrap().unwrap();
    store.begin_thread("slack", "C1", "i", &thread("3"), at(1)).await.unwrap();
    assert_eq!(store.thread("slack", "C1", "i").await.unwrap(), Some(kept));
    assert_eq!(store.thread("slack", "C1", "other").await.unwrap(), None);
    let repository = "o/looked-at".parse().unwrap();
    let look = |when| store.begin_look(&repository, SignedDuration::from_mins(10), at(0), at(when));
    let (a, b) = tokio::join!(look(1), look(1));
    assert_eq!([a.unwrap(), b.unwrap()].iter().flatten().count(), 1);
    assert!(look(10).await.unwrap().is_none() && look(11).await.unwrap().is_some());
}

/// The table is made once, and what a log or a partition holds beyond one answer is read too.
async fn what_does_not_fit_one_answer_is_read_whole(store: &Store) {
    store.create_table().await.unwrap();
    let id = service("large");
    let long = "x".repeat(30_000);
    for number in 0..60 {
        store.append(&id, &Entry { at: at(number), ..line(&long) }).await.unwrap();
    }
    assert_eq!(store.log(&id, 1000).await.unwrap().len(), 60, "1.8 MB: DynamoDB answers 1 MB at a time");
    let newest = store.log(&id, 7).await.unwrap();
    assert_eq!((newest.len(), newest[0].at), (7, at(59)));
}

async fn holds_on(engine: &str, store: &Store) {
    a_decision_is_whole_or_is_not(store).await;
    a_message_is_in_one_hand(store).await;
    what_comes_early_waits(store).await;
    the_way_of_a_pull_request_grows(store).await;
    what_is_due_is_found_by_the_index(store).await;
    what_is_begun_twice_is_begun_once(store).await;
    what_does_not_fit_one_answer_is_read_whole(store).await;
    println!("the store's contract holds on {engine}");
}

async fn elsewhere(endpoint: &str) -> Store {
    let aws = Aws::local(endpoint.to_owned(), String::new());
    let table = format!("contract-{}", std::process::id());
    let store = Store::new(clients::dynamodb(&aws, &Http::new()), table);
    store.create_table().await.unwrap();
    store
}

#[tokio::test]
async fn the_contract_holds_on_the_embedded_engine() {
    let stage = Stage::new().await;
    holds_on("dynoxide-rs", &stage.house.store.racing()).await;
}

#[tokio::test]
async fn the_contract_holds_on_ministack() {
    let Some(folder) = ministack::folder() else {
        println!("not present: RECENT_DEPLOYERS_MINISTACK; the contract was not tried there");
        return;
    };
    let emulator = MiniStack::start(&folder, "contract").await;
    holds_on("MiniStack", &elsewhere(&emulator.endpoint).await).await;
}

#[tokio::test]
async fn the_contract_holds_on_any_other_engine_that_is_named() {
    let Ok(endpoint) = std::env::var("RECENT_DEPLOYERS_DYNAMODB") else {
        println!("not present: RECENT_DEPLOYERS_DYNAMODB; the contract was tried on no further engine");
        return;
    };
    holds_on(&endpoint, &elsewhere(&endpoint).await).await;
}
