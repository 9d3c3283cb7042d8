//! What of the audit log is deleted, changed or cannot be read is a fault with a name, and keeps nothing from being sealed; what came
//! late is sealed although a tick dies.

use std::io::Write;
use std::sync::{Arc, Mutex};

use aws::links::Action;
use aws::records;
use aws::{Store, clients, keys};
use domain::audit::{Proof, Seal};
use domain::{Reason, audit};
use house_tests::gate::Fault;
use house_tests::{Stage, time};
use serde_json::Value;

use crate::audit::{audited, day, edxapp, entry, faults, put, seals};

async fn client(stage: &Stage) -> aws_sdk_dynamodb::Client {
    clients::dynamodb(&stage.endpoints().await, &stage.house.http)
}

async fn delete(stage: &Stage, partition: &str, sort: &str) {
    let key = |text: &str| records::text(text);
    let delete = client(stage).await.delete_item().table_name("recent-deployers");
    delete.key("pk", key(partition)).key("sk", key(sort)).send().await.unwrap();
}

/// What nobody can read stands there from now on.
async fn spoil(stage: &Stage, partition: &str, sort: &str) {
    let item = [("pk", partition), ("sk", sort), ("body", "spoilt")];
    put(stage, item.map(|(name, text)| (name.to_owned(), records::text(text))).into()).await;
}

/// The newest seal and what is kept beside it.
async fn newest(stage: &Stage) -> (Seal, Vec<Proof>) {
    let sealed = stage.house.store.sealed(&edxapp(), time("Fri 00:00"), time("Sun 00:00")).await.unwrap();
    let (seal, proofs) = sealed.seals.last().unwrap().clone();
    (seal, proofs.unwrap())
}

async fn put_proofs(stage: &Stage, seal: &Seal, proofs: &[Proof]) {
    put(stage, records::item(&keys::proofs(&edxapp(), seal.hour, seal.part), &proofs, None).unwrap()).await;
}

/// Of an hour, how many lines the log of the service says are broken, in words.
async fn broken(stage: &Stage) -> Vec<String> {
    let log = stage.house.store.log(&edxapp(), 50).await.unwrap();
    let why = log
        .into_iter()
        .filter_map(|entry| if let Reason::AuditBroken { why } = entry.reason { Some(why) } else { None });
    why.collect()
}

#[tokio::test]
async fn a_line_that_is_deleted_with_what_proves_it_is_missed() {
    let day = day().await;
    day.tick_until("Fri 15:30").await;
    let (seal, mut proofs) = newest(&day).await;
    let gone = proofs.remove(0);
    put_proofs(&day, &seal, &proofs).await;
    delete(&day, "L#edxapp", &gone.place).await;
    day.clock.set(time("Sat 23:00"));
    let (lines, left) = (seal.lines.len(), proofs.len());
    let number = seal.number;
    let missed = format!(
        "seal {number} of {} has {lines} lines, and what compares them with the log is kept for {left}",
        seal.hour
    );
    assert_eq!(faults(&audited(&day, "").await), [missed]);
}

#[tokio::test]
async fn a_salt_that_nobody_asked_to_forget_covers_no_change() {
    let day = day().await;
    day.tick_until("Fri 15:30").await;
    let (seal, mut proofs) = newest(&day).await;
    proofs[0].salt = None;
    put_proofs(&day, &seal, &proofs).await;
    let answer = audited(&day, "").await;
    assert!(faults(&answer)[0].contains("no removal of a person's data explains it"), "{answer}");
}

#[tokio::test]
async fn a_removal_is_sealed_itself_and_covers_its_lines_and_no_others() {
    let day = day().await;
    day.tick_until("Fri 15:30").await;
    day.clock.set(time("Mon 12:00"));
    day.tick_until("Mon 12:01").await;
    let link = day.link(Action::Person("feanil".parse().unwrap()), "olga");
    assert_eq!(day.post(&link, vec![], b"do=remove&sure=yes").await.status, 200);
    assert_eq!(faults(&audited(&day, "").await), [""; 0]);
    day.tick_until("Mon 13:30").await;
    let answer = audited(&day, "").await;
    assert!(answer["seals"].to_string().contains("lines_redacted"), "{answer}");
    day.clock.set(time("Wed 12:00"));
    assert_eq!(faults(&audited(&day, "").await), [""; 0], "also when it has to be sealed");
    // A line that was redacted is changed, and what is kept of it with it.
    let sealed = day.house.store.sealed(&edxapp(), time("Fri 00:00"), time("Sat 00:00")).await.unwrap();
    let with = |proofs: &Vec<Proof>| proofs.iter().position(|proof| proof.salt.is_none());
    let (seal, proofs, nth) = sealed
        .seals
        .iter()
        .find_map(|(seal, proofs)| Some((seal.clone(), proofs.clone()?, with(proofs.as_ref()?)?)))
        .unwrap();
    let mut lie = proofs.clone();
    lie[nth].redacted[0].digest = audit::digest_of("a lie", &proofs[nth].redacted[0].salt);
    put_proofs(&day, &seal, &lie).await;
    let found = audited(&day, "").await;
    assert!(faults(&found).iter().any(|fault| fault.contains("no removal")), "{found}");
    put_proofs(&day, &seal, &proofs).await;
    // The line of the log that tells of it is deleted.
    delete(&day, "L#edxapp", &proofs[nth].redacted[0].by).await;
    let found = audited(&day, "").await;
    assert!(faults(&found).iter().any(|fault| fault.contains("no removal")), "{found}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_seal_is_told_to_the_functions_log() {
    let day = day().await;
    day.clock.set(time("Fri 15:30"));
    let log = Log::default();
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer({
        let log = log.clone();
        move || log.clone()
    });
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(lines);
    on_schedule::sealing::seal(&day.house).await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(u64, String)> = told
        .iter()
        .filter(|line| line["event"] == "audit.sealed" && line["service.name"] == "edxapp")
        .map(|line| (line["number"].as_u64().unwrap(), line["digest"].as_str().unwrap().to_owned()))
        .collect();
    let answer = audited(&day, "").await;
    let of = |seal: &Value| (seal["number"].as_u64().unwrap(), seal["digest"].as_str().unwrap().to_owned());
    let sealed: Vec<(u64, String)> = answer["seals"].as_array().unwrap().iter().map(of).collect();
    assert!(!told.is_empty() && sealed.ends_with(&told), "{told:?} {sealed:?}");
    assert_eq!(of(&answer["head"]), *sealed.last().unwrap());
}

#[tokio::test]
async fn a_chain_that_is_deleted_whole_does_not_begin_anew_in_silence() {
    let day = day().await;
    day.tick_until("Sun 15:30").await;
    let sealed = day.house.store.sealed(&edxapp(), time("Fri 00:00"), time("Mon 00:00")).await.unwrap();
    for (seal, _) in &sealed.seals {
        for key in [keys::seal(&edxapp(), seal.hour, seal.part), keys::proofs(&edxapp(), seal.hour, seal.part)] {
            delete(&day, &key.partition, &key.sort).await;
        }
    }
    delete(&day, "Z#edxapp", "H").await;
    day.house.store.append(&edxapp(), &entry("Sun 16:40", "something")).await.unwrap();
    day.clock.set(time("Sun 17:30"));
    on_schedule::sealing::seal(&day.house).await;
    let answer = audited(&day, "").await;
    assert_eq!((seals(&answer).len(), &answer["seals"][0]["anew"]), (2, &Value::Bool(true)), "{answer}");
    assert!(faults(&answer)[0].ends_with("begins anew: the end of the chain before it was gone, or could not be read"));
    assert!(broken(&day).await[0].starts_with("the end of the chain is gone"), "{:?}", broken(&day).await);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_sealing_goes_on_behind_it() {
    for what in ["H", "S", "N", "K"] {
        let day = day().await;
        day.tick_until("Fri 15:30").await;
        let (seal, _) = newest(&day).await;
        let key = match what {
            "H" => keys::head(&edxapp()),
            "S" => keys::seal(&edxapp(), seal.hour, seal.part),
            "N" => keys::proofs(&edxapp(), seal.hour, seal.part),
            _ => keys::person(&"olga".parse().unwrap()),
        };
        spoil(&day, &key.partition, &key.sort).await;
        let named = match what {
            "H" => "the end of the chain cannot be read".to_owned(),
            "S" => format!("the seal of {} cannot be read", seal.hour),
            "N" => format!("what compares the seal of {} with the log cannot be read", seal.hour),
            _ => "what olga is called in the audit log cannot be read".to_owned(),
        };
        let answer = audited(&day, "").await;
        assert!(faults(&answer).contains(&named.as_str()), "{what}: {answer}");
        // The next hour is sealed all the same, and it is said.
        day.house.store.append(&edxapp(), &entry("Fri 15:40", "something")).await.unwrap();
        day.tick_until("Fri 16:11").await;
        let answer = audited(&day, "").await;
        let last = answer["seals"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["hour"], last["number"].as_u64()),
            (&"2026-03-20T15:00:00Z".into(), Some(seal.number + 1)),
            "{what}"
        );
        assert_eq!(last["anew"], what == "H", "{what}");
        assert!(broken(&day).await.iter().any(|why| why.contains(&named)), "{what}: {:?}", broken(&day).await);
        if what == "H" {
            assert!(!faults(&answer).contains(&named.as_str()), "there is one again: {answer}");
        }
    }
}

/// The newest seal and the head are deleted, and what was kept beside the seal is not.
#[tokio::test]
async fn a_chain_whose_end_was_cut_off_goes_on_and_says_so() {
    let day = day().await;
    day.tick_until("Fri 15:30").await;
    let (seal, _) = newest(&day).await;
    let (head, last) = (keys::head(&edxapp()), keys::seal(&edxapp(), seal.hour, seal.part));
    for key in [&head, &last] {
        delete(&day, &key.partition, &key.sort).await;
    }
    day.tick_until("Fri 16:30").await;
    let answer = audited(&day, "").await;
    let again = answer["seals"].as_array().unwrap().iter().find(|other| other["number"] == seal.number).unwrap();
    assert_eq!((&again["anew"], again["lines"].as_array().unwrap().len()), (&Value::Bool(true), seal.lines.len()));
    assert!(
        broken(&day).await.iter().any(|why| why.contains("the end of the chain is gone")),
        "{:?}",
        broken(&day).await
    );
}

/// Somebody puts an old head back: what is behind it is not sealed twice, nor does it keep anything from being sealed.
#[tokio::test]
async fn a_head_that_was_put_back_is_passed() {
    let day = day().await;
    day.tick_until("Fri 13:30").await;
    let key = keys::head(&edxapp());
    let get = client(&day).await.get_item().table_name("recent-deployers").set_key(Some(records::key_item(&key)));
    let old = get.send().await.unwrap().item.unwrap();
    day.tick_until("Fri 15:30").await;
    let (seal, _) = newest(&day).await;
    put(&day, old).await;
    day.house.store.append(&edxapp(), &entry("Fri 15:40", "something")).await.unwrap();
    day.tick_until("Fri 16:30").await;
    let answer = audited(&day, "").await;
    let last = answer["seals"].as_array().unwrap().last().unwrap();
    assert_eq!((last["number"].as_u64(), &last["anew"]), (Some(seal.number + 1), &Value::Bool(true)), "{answer}");
    assert!(!broken(&day).await.is_empty());
}

/// Whichever call to the table fails: what came late is not lost by the hours that are sealed in the same visit.
#[tokio::test]
async fn what_came_late_is_sealed_although_a_tick_dies_between_two_seals() {
    let mut struck = 0;
    for nth in 1..30 {
        let mut day = day().await;
        day.tick_until("Fri 14:30").await;
        let (table, _) = day.gated().await;
        let mut house = day.bundle.house.clone();
        house.sealed_until = Arc::default();
        for at in ["Fri 13:29", "Fri 15:05", "Fri 16:10"] {
            day.house.store.append(&edxapp(), &entry(at, "said")).await.unwrap();
        }
        day.clock.set(time("Fri 17:15"));
        table.fails(nth, Fault::Refused);
        let store: &Store = &house.store;
        let mut called = aws::store::people::Called::default();
        let first = store.seal(&edxapp(), &mut called, day.clock.now()).await;
        let Some(what) = table.struck() else { break };
        assert!(first.is_err(), "{what}");
        struck += usize::from(what == "TransactWriteItems");
        store.seal(&edxapp(), &mut aws::store::people::Called::default(), day.clock.now()).await.unwrap();
        day.clock.set(time("Sat 23:00"));
        let answer = audited(&day, "").await;
        assert_eq!(faults(&answer), [""; 0], "call {nth}, {what}");
        let late = seals(&answer).iter().filter(|seal| seal.ends_with(" 1 late")).count();
        assert_eq!(late, 1, "call {nth}, {what}: {:?}", seals(&answer));
    }
    assert_eq!(struck, 3, "what is late, and two hours");
}
