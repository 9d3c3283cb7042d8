//! Nothing is lost, nobody is paged twice: orders, copies, races, crashes, outages, large releases.

use std::collections::BTreeMap;

use domain::{Kind, MessageKey};
use house_tests::{Stage, configuration};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use recent_deployers::demo::payloads::{github_headers, token_headers};
use serde_json::Value;

/// A merge, a live deployment and an alert, as they would be sent.
fn three(stage: &Stage) -> [(&'static str, Value); 3] {
    [
        ("/merge/github", stage.merged("feanil", 12)),
        ("/deploy/github", stage.deployed("prod", "success", 12)),
        ("/alert/alertmanager", stage.alerting("edxapp", "Fri 12:00", false)),
    ]
}

async fn send(stage: &Stage, (path, payload): &(&'static str, Value)) -> u16 {
    let body = payload.to_string();
    let headers = if path.starts_with("/alert") {
        token_headers(house_tests::TOKEN)
    } else {
        github_headers("", house_tests::GITHUB_SECRET, body.as_bytes())
    };
    stage.bundle.route(aws::Request::new("POST", path, headers, body.into_bytes())).await.status
}

/// How everything ended: the windows, and the suspects of the incident.
async fn end(stage: &Stage) -> (Vec<String>, Vec<String>) {
    stage.bundle.quiesce().await;
    let incident = stage.incident("edxapp").await;
    (stage.windows("edxapp").await, incident.suspects.iter().map(|s| s.label.clone()).collect())
}

/// The alert still fires, which keeps the turn open as long as policy allows.
fn expected() -> (Vec<String>, Vec<String>) {
    (vec!["edx-platform#12 feanil active until Fri 16:00".to_owned()], vec!["edx-platform#12".to_owned()])
}

/// Each page that reached a person, counted.
fn pages(stage: &Stage) -> BTreeMap<String, usize> {
    let mut pages = BTreeMap::new();
    for line in stage.heard().into_iter().filter(|l| l.starts_with("PAGE")) {
        *pages.entry(line).or_default() += 1;
    }
    pages
}

#[tokio::test]
async fn all_six_orders_of_a_merge_a_deployment_and_an_alert_end_the_same() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let stage = Stage::new().await;
        let events = three(&stage);
        for i in order {
            assert_eq!(send(&stage, &events[i]).await, 200);
            stage.bundle.quiesce().await;
        }
        assert_eq!(end(&stage).await, expected(), "{order:?}");
        let pages = pages(&stage);
        assert_eq!(
            pages.get("PAGE to feanil: [critical] edxapp production: HighErrorRate"),
            Some(&1),
            "{order:?}: {pages:?}"
        );
        assert!(pages.values().all(|n| *n == 1), "{order:?}: {pages:?}");
    }
}

/// Ten copies of each, shuffled, eight at a time over the real table: races, conflicts and repeats together.
/// The domain's own tests do 10,000 such interleavings; `INTERLEAVINGS` sets how many are done here.
#[test]
fn ten_copies_of_each_event_in_a_race_end_the_same_and_page_each_person_once() {
    let rounds = std::env::var("INTERLEAVINGS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let mut runner = TestRunner::deterministic();
    for round in 0..rounds {
        let copies: Vec<usize> = (0..30).map(|i| i % 3).collect();
        let order = Just(copies).prop_shuffle().new_tree(&mut runner).unwrap().current();
        // A runtime of its own, which ends with everything that runs on it.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(race(round, &order));
    }
}

async fn race(round: usize, order: &[usize]) {
    let mut stage = Stage::new().await;
    if round.is_multiple_of(2) {
        // As between the processes of AWS: nothing but the table decides who was faster.
        stage.bundle.house.store = stage.bundle.house.store.racing();
    }
    let stage = std::sync::Arc::new(stage);
    for group in order.chunks(8) {
        let sending = group.iter().map(|i| {
            let (stage, event) = (std::sync::Arc::clone(&stage), three(&stage)[*i].clone());
            tokio::spawn(async move {
                // A sender sends again what was answered with 503.
                for _ in 0..10 {
                    let status = send(&stage, &event).await;
                    if status == 200 {
                        return;
                    }
                    assert_eq!(status, 503);
                }
                panic!("never accepted");
            })
        });
        for sent in sending.collect::<Vec<_>>() {
            sent.await.unwrap();
        }
    }
    assert_eq!(end(&stage).await, expected(), "round {round}: {order:?}");
    stage.bundle.quiesce().await;
    let pages = pages(&stage);
    assert!(pages.values().all(|n| *n == 1), "round {round}: {order:?}: {pages:?}");
    assert!(stage.house.store.outbox(&"edxapp".parse().unwrap()).await.unwrap().is_empty(), "round {round}");
}

#[tokio::test]
async fn a_release_of_500_changes_in_three_services_goes_live_with_a_handful_of_writes() {
    let services = ["lms", "cms", "workers"];
    let stage = Stage::with(&configuration(&services), |_| {}).await;
    let (status, cost) = stage.cost(send(&stage, &("/merge/github", stage.merged("feanil", 1)))).await;
    assert_eq!(
        (status, cost),
        (200, [0, 1, 0, 1]),
        "a merge is one get and one transaction, whatever it means for three services"
    );
    for number in 2..=500 {
        let person = ["feanil", "usama"][number as usize % 2];
        assert_eq!(send(&stage, &("/merge/github", stage.merged(person, number))).await, 200);
    }
    let (status, cost) = stage.cost(send(&stage, &("/deploy/github", stage.deployed("prod", "success", 500)))).await;
    // 500 changes of one service are under the megabyte that one page of a query holds.
    assert_eq!((status, cost), (200, [3, 0, 0, 3]), "one query and one transaction a service");
    for service in services {
        let windows = stage.windows(service).await;
        assert_eq!(windows.len(), 500);
        assert!(windows.iter().all(|w| w.ends_with("active until Fri 13:00")), "{service}");
    }
    stage.bundle.quiesce().await;
    let heard = stage.heard();
    assert_eq!(heard.iter().filter(|l| l.contains("Your turn starts")).count(), 1500, "each is told, in chunks");
    assert_eq!(heard.len(), 1500, "and told nothing else");
}

#[tokio::test]
async fn an_alert_is_one_query_one_transaction_and_one_mark() {
    let stage = Stage::new().await;
    let [merge, deploy, alert] = three(&stage);
    send(&stage, &merge).await;
    send(&stage, &deploy).await;
    stage.bundle.quiesce().await;
    stage.heard();
    // A house whose topic takes the message and delivers nothing, so that only on-alert's own cost is counted.
    let topic = house_tests::peer::Peer::start().await;
    topic
        .will_answer(200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>");
    let aws = aws::clients::Aws::local(String::new(), topic.address.clone());
    let mut house = stage.house.clone();
    house.topic = aws::topic::Topic::new(aws::clients::sns(&aws, &house.http), recent_deployers::topic::ARN);
    let body = alert.1.to_string();
    let request = aws::Request::new("POST", alert.0, token_headers(house_tests::TOKEN), body.into_bytes());
    let (response, cost) = stage.cost(on_alert::handle(&house, request)).await;
    assert_eq!((response.status, cost), (200, [1, 0, 1, 1]), "{}", response.body);
    let published = topic.received();
    assert_eq!(published.len(), 1, "one publish");
    assert!(published[0].body.contains("MessageAttributes.entry"), "filter policies have attributes to look at");
}

#[tokio::test]
async fn a_page_decided_before_a_crash_is_sent_after_it_and_only_once() {
    let mut stage = Stage::new().await;
    let [merge, deploy, alert] = three(&stage);
    send(&stage, &merge).await;
    send(&stage, &deploy).await;
    stage.bundle.quiesce().await;
    stage.heard();
    // The process dies between the transaction and the publication: the topic is out of reach.
    let body = alert.1.to_string();
    let request = aws::Request::new("POST", alert.0, token_headers(house_tests::TOKEN), body.into_bytes());
    let response = on_alert::handle(&stage.without_topic(), request).await;
    assert_eq!(response.status, 200, "the page is durable, so the sender need not send again");
    assert!(stage.heard().is_empty());
    let left = stage.house.store.outbox(&"edxapp".parse().unwrap()).await.unwrap();
    assert_eq!(left.iter().map(|o| (o.message.kind, o.published_at)).collect::<Vec<_>>(), [(Kind::Page, None)]);

    stage.at("Fri 12:01").await;
    assert_eq!(stage.heard(), ["PAGE to feanil: [critical] edxapp production: HighErrorRate"]);
    stage.at("Fri 12:03").await;
    assert!(stage.heard().is_empty(), "accepted once, sent once");
}

#[tokio::test]
async fn a_page_is_dropped_at_the_last_moment_when_it_is_no_longer_true() {
    for over in [true, false] {
        let mut stage = Stage::new().await;
        let [merge, deploy, alert] = three(&stage);
        send(&stage, &merge).await;
        send(&stage, &deploy).await;
        stage.bundle.quiesce().await;
        let request =
            aws::Request::new("POST", alert.0, token_headers(house_tests::TOKEN), alert.1.to_string().into_bytes());
        on_alert::handle(&stage.without_topic(), request).await;
        stage.heard();
        let key: MessageKey =
            stage.house.store.outbox(&"edxapp".parse().unwrap()).await.unwrap()[0].message.key.clone();
        if over {
            stage.alert("edxapp", "Fri 12:00", true).await;
        } else {
            // Somebody else takes it before the page is out.
            let incident = stage.incident("edxapp").await.id;
            let secret = stage.house.secrets.first("links").unwrap();
            let expires = domain::Incident::clone(&stage.incident("edxapp").await).detected_at + aws::links::LIFE;
            let action = aws::links::Action::Acknowledge(incident);
            let grant = aws::links::Grant { action, person: "anna".parse().unwrap(), expires };
            assert_eq!(stage.post(&aws::links::path(&secret, &grant), vec![], b"").await.status, 200);
        }
        stage.at("Fri 12:02").await;
        let heard = stage.heard();
        assert!(heard.iter().all(|l| !l.starts_with("PAGE")), "{heard:?}");
        let log = stage.house.store.log(&key.service, 30).await.unwrap();
        assert!(log.iter().any(|e| e.what == "page to feanil withdrawn"), "withdrawn by name");
        assert!(stage.house.store.outbox(&key.service).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_message_that_arrives_twice_from_the_topic_is_delivered_once() {
    let stage = Stage::new().await;
    let [merge, ..] = three(&stage);
    let silent = stage.without_topic();
    let request = aws::Request::new(
        "POST",
        merge.0,
        github_headers("", house_tests::GITHUB_SECRET, merge.1.to_string().as_bytes()),
        merge.1.to_string().into_bytes(),
    );
    on_merge::handle(&silent, request).await;
    on_schedule::settle(&silent, &"edxapp".parse().unwrap()).await.unwrap();
    let message = stage.house.store.outbox(&"edxapp".parse().unwrap()).await.unwrap().remove(0).message;
    let both = tokio::join!(on_page::deliver(&stage.house, &message), on_page::deliver(&stage.house, &message));
    let reasons = [both.0.unwrap(), both.1.unwrap()];
    assert!(reasons.contains(&domain::Reason::AcceptedBy { receiver: "terminal".into() }), "{reasons:?}");
    assert_eq!(on_page::deliver(&stage.house, &message).await.unwrap(), domain::Reason::AlreadyAccepted);
    assert_eq!(stage.heard().len(), 1);
}

#[tokio::test]
async fn a_store_that_is_away_is_answered_with_503_and_the_same_event_is_taken_later() {
    let stage = Stage::new().await;
    let events = three(&stage);
    for (path, payload) in &events {
        let body = payload.to_string();
        let headers = if path.starts_with("/alert") {
            token_headers(house_tests::TOKEN)
        } else {
            github_headers("", house_tests::GITHUB_SECRET, body.as_bytes())
        };
        let request = aws::Request::new("POST", path, headers, body.into_bytes());
        let away = stage.without_table();
        let response = match *path {
            "/merge/github" => on_merge::handle(&away, request).await,
            "/deploy/github" => on_deploy::handle(&away, request).await,
            _ => on_alert::handle(&away, request).await,
        };
        assert_eq!(response.status, 503, "{path}: {}", response.body);
    }
    for event in &events {
        assert_eq!(send(&stage, event).await, 200);
    }
    assert_eq!(end(&stage).await, expected());
}

#[tokio::test]
async fn a_merge_repeated_after_its_window_was_closed_opens_nothing() {
    let mut stage = Stage::new().await;
    let [merge, deploy, _] = three(&stage);
    send(&stage, &merge).await;
    send(&stage, &deploy).await;
    stage.at("Sat 13:05").await;
    assert!(stage.windows("edxapp").await.is_empty());
    stage.heard();
    send(&stage, &merge).await;
    send(&stage, &deploy).await;
    stage.at("Sat 13:10").await;
    assert!(stage.windows("edxapp").await.is_empty() && stage.heard().is_empty());
}

#[tokio::test]
async fn the_working_set_does_not_grow_with_history() {
    let mut stage = Stage::new().await;
    for (day, number) in [("Fri 12:10", 1), ("Sat 14:00", 2), ("Sun 16:00", 3), ("Mon 18:00", 4), ("Thu 23:00", 5)] {
        stage.at(day).await.merge("feanil", number).await;
        stage.deploy("prod", "success", number).await;
        stage.alert("edxapp", day, false).await;
        stage.alert("edxapp", day, true).await;
    }
    let now = stage.situation("edxapp").await;
    assert_eq!((now.changes.len(), now.notes.len(), now.incidents.len()), (1, 1, 1));
    assert!(now.deployments.len() <= 3, "{}", now.deployments.len());
    let past = stage.house.store.past_incidents(&"edxapp".parse().unwrap(), 10).await.unwrap();
    assert_eq!(past.len(), 4, "old incidents are history, not lost");
}

#[tokio::test]
async fn a_delivery_that_took_too_long_gives_back_its_own_claim_and_nobody_elses() {
    let stage = Stage::new().await;
    send(&stage, &three(&stage)[0]).await;
    let silent = stage.without_topic();
    on_schedule::settle(&silent, &"edxapp".parse().unwrap()).await.unwrap();
    let store = &stage.house.store;
    let key = store.outbox(&"edxapp".parse().unwrap()).await.unwrap().remove(0).message.key;
    let (first, second) = (stage.clock.now(), stage.clock.now() + domain::on_page::CLAIM);
    assert!(store.claim(&key, first, 0).await.unwrap());
    assert!(store.claim(&key, second, 0).await.unwrap(), "the first has grown stale");
    store.release(&key, first).await.unwrap();
    let held = store.outgoing(&key).await.unwrap().outgoing.unwrap().claimed_at;
    assert_eq!(held, Some(second), "the second still holds it");
    store.release(&key, second).await.unwrap();
    assert_eq!(store.outgoing(&key).await.unwrap().outgoing.unwrap().claimed_at, None);
}

#[tokio::test]
async fn a_merge_into_more_services_than_a_transaction_holds_opens_a_window_in_each() {
    for (count, transactions) in [(24, 1), (25, 2), (100, 5)] {
        let names: Vec<String> = (0..count).map(|i| format!("service{i:03}")).collect();
        let services: Vec<&str> = names.iter().map(String::as_str).collect();
        let stage = Stage::with(&configuration(&services), |_| {}).await;
        let merge = ("/merge/github", stage.merged("feanil", 12));
        let (status, cost) = stage.cost(send(&stage, &merge)).await;
        assert_eq!((status, cost), (200, [0, 1, 0, transactions]), "{count} services");
        for service in &services {
            assert_eq!(stage.windows(service).await, ["edx-platform#12 feanil standby"], "{service} of {count}");
        }
        let again = stage.github("/merge/github", &merge.1).await;
        assert!(again.body.contains("already_known"), "{}", again.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_alerts_at_once_are_all_taken_the_first_time() {
    let stage = std::sync::Arc::new(Stage::new().await);
    let sending = (0..30).map(|i| {
        let stage = std::sync::Arc::clone(&stage);
        tokio::spawn(async move {
            let mut alert = stage.alerting("edxapp", "Fri 12:00", false);
            alert["alerts"][0]["fingerprint"] = Value::from(format!("f{i}"));
            send(&stage, &("/alert/alertmanager", alert)).await
        })
    });
    for sent in sending.collect::<Vec<_>>() {
        assert_eq!(sent.await.unwrap(), 200);
    }
    stage.bundle.quiesce().await;
    assert_eq!(stage.incident("edxapp").await.alerts(), 30);
}

/// The news of who enqueued twenty pull requests, and the bot's merges of them, at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bots_merge_and_the_news_of_who_enqueued_it_find_each_other_in_a_race() {
    let stage = std::sync::Arc::new(Stage::new().await);
    let mut sending = Vec::new();
    for number in 1..=20 {
        let merged = stage.merged("github-merge-queue[bot]", number);
        let mut enqueued = stage.merged("feanil", number);
        (enqueued["action"], enqueued["pull_request"]["merged"]) = ("enqueued".into(), false.into());
        for event in [merged, enqueued] {
            let stage = std::sync::Arc::clone(&stage);
            sending.push(tokio::spawn(async move { send(&stage, &("/merge/github", event)).await }));
        }
    }
    for sent in sending {
        assert_eq!(sent.await.unwrap(), 200);
    }
    let windows = stage.windows("edxapp").await;
    assert!(windows.len() == 20 && windows.iter().all(|w| w.contains(" feanil ")), "{windows:?}");
}

/// A look that was too slow must not put the clock beyond a message which it has not seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_is_committed_while_the_scheduler_looks_is_seen_with_its_message() {
    let mut stage = Stage::new().await;
    // Where nobody takes turns: the scheduler is another process.
    stage.house.store = stage.house.store.racing();
    send(&stage, &three(&stage)[0]).await;
    let alert = stage.alerting("edxapp", "Fri 12:00", false).to_string();
    let silent = stage.without_topic();
    let (mut looks, mut seen) = (0, Vec::new());
    let id = "edxapp".parse().unwrap();
    let service = stage.house.settings().service(&id).unwrap();
    let now = stage.clock.now();
    let (decisions, ()) = stage
        .house
        .store
        .decide_seeing_outbox(&id, now, |situation, outbox| {
            looks += 1;
            if looks == 1 {
                // Between our reading and our writing; the process that decides it dies before it publishes.
                let headers = token_headers(house_tests::TOKEN);
                let request = aws::Request::new("POST", "/alert/alertmanager", headers, alert.clone().into_bytes());
                let deciding = on_alert::handle(&silent, request);
                let response = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(deciding));
                assert_eq!(response.status, 200);
            }
            seen = outbox.iter().map(|o| o.message.kind).collect();
            (domain::on_schedule::decide(situation, outbox, service, stage.house.settings(), now).decisions, ())
        })
        .await
        .unwrap();
    assert_eq!((looks, seen), (2, vec![Kind::Page]));
    let domain::decision::Wake::Exactly(Some(due)) = decisions.wake else { panic!("{decisions:?}") };
    assert!(due <= now + jiff::SignedDuration::from_secs(15), "looked at again before the page is anybody's to lose");
    stage.at("Fri 12:01").await;
    assert!(stage.heard().contains(&"PAGE to anna: [critical] edxapp production: HighErrorRate".to_owned()));
}

#[tokio::test]
async fn a_forge_that_hangs_keeps_no_page_of_any_service_waiting() {
    // It takes every connection and says nothing.
    let hangs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", hangs.local_addr().unwrap());
    let stage = Stage::with(&configuration(&["aaa", "zzz"]), |configuration| {
        let github = configuration.senders.get_mut("github").unwrap();
        (github.api_token, github.api_url) = (Some("api".into()), Some(address));
    })
    .await;
    for number in [1, 2] {
        send(&stage, &("/merge/github", stage.merged("feanil", number))).await;
        send(&stage, &("/deploy/github", stage.deployed("prod", "success", number))).await;
    }
    send(&stage, &("/alert/alertmanager", stage.alerting("zzz", "Fri 12:00", false))).await;
    for by_tick in [true, false] {
        stage.clock.set(stage.clock.now() + jiff::SignedDuration::from_mins(5));
        let bundle = stage.bundle.clone();
        let working = tokio::spawn(async move {
            match by_tick {
                true => bundle.tick().await,
                false => bundle.run_schedule().await,
            }
        });
        let wanted = if by_tick { "PAGE to anna: [critical] zzz" } else { "PAGE to anna: [critical] aaa" };
        let told = async {
            while !stage.heard().iter().any(|line| line.starts_with(wanted)) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(8), told).await.expect(wanted);
        assert!(!working.is_finished(), "the forge is still being asked");
        working.abort();
        if by_tick {
            // Another failure, in time for the loop: unacknowledged for five minutes when it looks.
            send(&stage, &("/alert/alertmanager", stage.alerting("aaa", "Fri 12:05", false))).await;
        } else {
            working.abort();
        }
    }
}

#[tokio::test]
async fn what_has_expired_is_deleted_and_what_is_live_never_is() {
    let mut stage = Stage::new().await;
    for event in three(&stage) {
        send(&stage, &event).await;
    }
    let id = "edxapp".parse().unwrap();
    stage.at("Fri 12:30").await.alert("edxapp", "Fri 12:00", true).await;
    stage.at("Sat 14:00").await;
    let change = domain::ChangeId {
        repository: house_tests::REPOSITORY.parse().unwrap(),
        commit: house_tests::commit(12).parse().unwrap(),
    };
    let store = stage.house.store.clone();
    let days = |days: i64| house_tests::time("Fri 12:00") + jiff::SignedDuration::from_hours(24 * days);
    assert!(!store.log(&id, 10).await.unwrap().is_empty() && store.change(&change).await.unwrap().is_some());

    stage.clock.set(days(92));
    stage.bundle.tick().await;
    let old = store.log(&id, 100).await.unwrap().into_iter().filter(|entry| entry.at < days(2)).count();
    assert_eq!(old, 0, "the log is kept for 90 days");
    assert!(store.change(&change).await.unwrap().is_some(), "a change is known for 400 days");
    stage.alert("edxapp", "Sat 14:00", false).await;

    stage.clock.set(days(402));
    stage.bundle.tick().await;
    assert!(store.change(&change).await.unwrap().is_none());
    stage.clock.set(days(1000));
    stage.bundle.tick().await;
    let situation = stage.situation("edxapp").await;
    assert_eq!((situation.deployments.len(), situation.signals.len()), (1, 1), "what is live, and what still fires");
    assert!(situation.incidents.values().any(|i| i.value.is_open()));
}

#[tokio::test]
async fn a_service_that_left_the_configuration_is_left_alone_and_goes_on_when_it_is_back() {
    let stage = Stage::with(&configuration(&["edxapp", "gone"]), |_| {}).await;
    send(&stage, &("/alert/alertmanager", stage.alerting("gone", "Fri 12:00", false))).await;
    let mut without = stage.house.clone();
    let text = configuration(&["edxapp"]);
    let parsed = aws::settings::Configuration::parse(&text, &aws::settings::no_files).unwrap();
    without.configuration = std::sync::Arc::new(parsed);
    // The service, the first look at the freezes, and at the two of which the board has no card.
    assert_eq!(on_schedule::tick(&without).await.unwrap(), 4);
    for hours in [1, 23] {
        stage.clock.set(house_tests::time("Fri 12:00") + jiff::SignedDuration::from_hours(hours));
        assert_eq!(on_schedule::tick(&without).await.unwrap(), 0, "it does not warn each minute");
    }
    send(&stage, &("/alert/alertmanager", stage.alerting("gone", "Fri 12:00", true))).await;
    stage.bundle.quiesce().await;
    assert!(stage.incident("gone").await.resolved_at.is_some());
}
