//! What is replayed decides the same as the live functions did, bit for bit: the same bundle that tests play on is recorded, and what
//! was recorded is played once more in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws::settings::Configuration;
use backtest::History;
use domain::{Decisions, Entry, ServiceId, Settings, Situation};
use house_tests::{REPOSITORY, Stage, TOKEN, commit, root};
use jiff::{SignedDuration, Timestamp};
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use recent_deployers::{Bundle, demo};
use replay::{Log, Witness, World};
use serde_json::{Value, json};

use crate::elsewhere;

/// A line of the decision log, as a text that sorts by service and time.
type Line = String;

fn line(service: &ServiceId, entry: &Entry) -> Line {
    format!("{service} {} {}", entry.at, serde_json::to_string(entry).unwrap())
}

#[derive(Default)]
struct Lines(Vec<Line>);

impl Witness for Lines {
    fn decided(&mut self, _: &Situation, decisions: &Decisions, _: &Settings, _: Timestamp) {
        self.0.extend(decisions.entries.iter().map(|entry| line(&decisions.service, entry)));
    }

    fn merged(&mut self, service: &ServiceId, entry: &Entry) {
        self.0.push(line(service, entry));
    }
}

/// What was recorded, and where more is.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<String>>>);

impl Tape {
    fn recorder(&self) -> recent_deployers::record::Recorder {
        let lines = Arc::clone(&self.0);
        Arc::new(move |line| lines.lock().unwrap().push(line.to_owned()))
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Plays the tape: the decision log and its digest.
fn played(tape: &[String], configuration: &Configuration, end: Timestamp) -> (Vec<Line>, String) {
    let log = Log::<std::io::Sink>::new(None);
    let mut world = World::new(configuration, configuration.settings.clone(), (Lines::default(), log));
    for line in tape {
        world.hear(replay::archive::read(line.as_bytes(), &configuration.senders).unwrap());
    }
    let rest = end.duration_since(world.now());
    let (lines, log) = world.end(rest);
    (lines.0, log.finish().unwrap().1)
}

/// The log that the table holds, without what `on-page` says of deliveries.
async fn live(bundle: &Bundle) -> BTreeSet<Line> {
    let settings = bundle.house.settings();
    let mut lines = BTreeSet::new();
    for service in settings.services().chain([settings.freeze_desk()]) {
        let entries = bundle.house.store.log(&service.id, i32::MAX).await.unwrap();
        let decided = |entry: &&Entry| {
            let told = ["page to ", "notice to ", "update to "].iter().any(|kind| entry.what.starts_with(kind));
            let delivered =
                [" delivered: ", " withdrawn", " not delivered"].iter().any(|word| entry.what.contains(word));
            !(told && delivered)
        };
        lines.extend(entries.iter().filter(decided).map(|entry| line(&service.id, entry)));
    }
    lines
}

/// The two logs say the same, and playing it again too. How many lines that are.
async fn the_same(bundle: &Bundle, tape: &Tape) -> usize {
    let (tape, end) = (tape.lines(), bundle.house.now());
    let (lines, digest) = played(&tape, &bundle.house.configuration, end);
    let (again, same) = played(&tape, &bundle.house.configuration, end);
    assert_eq!((&lines, &digest), (&again, &same), "played twice");
    // The table orders what is of one moment by its digest, and holds what is the same once.
    let (replayed, live) = (lines.into_iter().collect::<BTreeSet<Line>>(), live(bundle).await);
    let missing: Vec<_> = live.difference(&replayed).take(5).collect();
    let more: Vec<_> = replayed.difference(&live).take(5).collect();
    assert!(missing.is_empty() && more.is_empty(), "live only: {missing:#?}\nreplayed only: {more:#?}");
    live.len()
}

#[tokio::test]
async fn the_demo_week_is_decided_as_it_was() {
    let tape = Tape::default();
    let bundle = demo::recorded(std::io::sink(), Some(tape.recorder())).await.unwrap();
    let lines = the_same(&bundle, &tape).await;
    assert!(lines > 150, "{lines} lines");
}

/// A stage whose clock is at `from`, recorded.
async fn stage(configuration: &str, from: Timestamp) -> (Stage, Tape) {
    let (mut stage, tape) = (Stage::with(configuration, |_| ()).await, Tape::default());
    stage.clock.set(from);
    stage.bundle.record(tape.recorder());
    (stage, tape)
}

async fn merge(stage: &Stage, repository: &str, number: u64, who: &str, title: &str, commit: &str) {
    let at = stage.clock.now();
    let merge = Merge { repository, number, title, author: who, merger: who, commit, at };
    stage.github("/merge/github", &payloads::pull_request_merged(&merge)).await;
}

async fn deploy(stage: &Stage, repository: &str, id: u64, commit: &str, state: &str, created_at: Timestamp) {
    let (environment, at) = ("production", stage.clock.now());
    let deployment = Deployment { repository, id, environment, commit, state, created_at, at };
    stage.github("/deploy/github", &payloads::deployment_status(&deployment)).await;
}

async fn alert(stage: &Stage, service: &str, name: &str, started_at: Timestamp, ended_at: Option<Timestamp>) {
    let (summary, severity) = ("7 % of requests fail", "critical");
    let alert = Alert { service, name, summary, severity, started_at, ended_at };
    let body = payloads::alertmanager(&[alert]).to_string();
    stage.post("/alert/alertmanager", payloads::token_headers(TOKEN), body.as_bytes()).await;
}

/// The changes of a real history around its failures, through the wire: merged, deployed some minutes later, alerts where it failed.
async fn real(name: &str, changes: usize) {
    let path = root().join("../shared/histories").join(name);
    let mut history = match History::read(&path) {
        Ok(history) => history,
        Err(_) => return eprintln!("SKIPPED: ../shared/histories/{name} is not there, so it was not replayed"),
    };
    // From a while before the third failure.
    let first = history.incidents.get(2).map_or(0, |incident| incident.culprit.saturating_sub(changes / 4));
    let last = (first + changes).min(history.changes.len());
    history.incidents.retain(|incident| (first..last).contains(&incident.culprit) && incident.revert < last);
    let text = replay::history::configuration_text(&history, "Europe/Stockholm");
    let service = Configuration::parse(&text, &aws::settings::no_files).unwrap();
    let service = service.settings.services().next().unwrap().id.to_string();
    let mut events: Vec<(Timestamp, u8, usize)> = Vec::new();
    for (i, change) in history.changes.iter().enumerate().take(last).skip(first) {
        let live = SignedDuration::from_mins(7 + i64::try_from(i).unwrap() % 23);
        events.push((change.merged_at, 1, i));
        events.push((change.merged_at + live - SignedDuration::from_mins(4), 2, i));
        events.push((change.merged_at + live, 3, i));
    }
    for (i, incident) in history.incidents.iter().enumerate() {
        events.push((incident.alert_at, 0, i));
        events.push((incident.alert_at + SignedDuration::from_mins(25), 4, i));
    }
    events.sort_unstable();
    let (stage, tape) = stage(&text, events[0].0 - SignedDuration::from_mins(1)).await;
    for (at, kind, i) in events {
        stage.until(at).await;
        match kind {
            0 | 4 => {
                let name = format!("Failure{i}");
                alert(&stage, &service, &name, history.incidents[i].alert_at, (kind == 4).then_some(at)).await;
            }
            1 => {
                let (change, number) = (&history.changes[i], u64::try_from(i).unwrap() + 1);
                merge(&stage, &history.name, number, &change.author, &change.title, &change.commit).await;
            }
            _ => {
                let state = if kind == 2 { "in_progress" } else { "success" };
                let (change, id) = (&history.changes[i], u64::try_from(i).unwrap() + 1);
                deploy(&stage, &history.name, id, &change.commit, state, change.merged_at).await;
            }
        }
    }
    stage.until(stage.clock.now() + SignedDuration::from_hours(50)).await;
    let lines = the_same(&stage.bundle, &tape).await;
    assert!(lines > changes * 4 && !history.incidents.is_empty(), "{lines} lines");
}

/// Who presses a button or types a command does what a link does, and it is recorded as that: nothing of what Slack sent with it.
#[tokio::test]
async fn what_people_do_in_a_chat_is_recorded_and_decided_as_it_was() {
    let (mut chat, tape) = (crate::chat::Chat::of_everybody("").await, Tape::default());
    chat.stage.bundle.record(tape.recorder());
    chat.stage.merge("feanil", 12).await;
    chat.stage.at("Fri 12:05").await.deploy("prod", "success", 12).await;
    chat.posted();
    chat.stage.at("Fri 12:10").await.alert("edxapp", "Fri 12:09", false).await;
    let pages = chat.posted();
    let page = pages.iter().find(|page| page["channel"] == crate::chat::FEANIL).unwrap();
    let text = chat.press(crate::chat::FEANIL, "acknowledge", &crate::chat::button(page, "acknowledge")).await;
    assert!(text.contains("cknowledged"), "{text}");
    chat.stage.at("Fri 12:15").await;
    let text = chat.types(crate::chat::USAMA, "/takeoncall", "edxapp 2 h").await;
    assert!(text.contains("pager"), "{text}");
    chat.types(crate::chat::STRANGER, "/takeoncall", "edxapp 2 h").await;
    chat.stage.at("Fri 13:00").await.alert("edxapp", "Fri 12:09", true).await;
    chat.stage.at("Mon 12:00").await;
    let acts: Vec<String> = tape.lines().into_iter().filter(|line| line.contains("\"by\"")).collect();
    let incident = chat.stage.house.store.past_incidents(&"edxapp".parse().unwrap(), 1).await.unwrap()[0].id.clone();
    assert_eq!(
        acts,
        [
            format!(
                r#"{{"at":"2026-03-20T12:10:00Z","by":"feanil","form":{{"do":"acknowledge"}},"to":"/acknowledge/{incident}"}}"#
            ),
            r#"{"at":"2026-03-20T12:15:00Z","by":"usama","form":{"do":"take","for":"2 h"},"to":"/on-call/edxapp"}"#
                .to_owned(),
        ]
    );
    the_same(&chat.stage.bundle, &tape).await;
}

/// What SNS delivers is recorded without what proves it, and is read all the same.
#[tokio::test]
async fn what_sns_delivers_is_recorded_without_its_proof_and_decided_as_it_was() {
    let mut stage = Stage::new().await;
    let tape = Tape::default();
    stage.bundle.record(tape.recorder());
    let alarm = serde_json::json!({ "AlarmName": "edxapp-5xx", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:edxapp-5xx", "NewStateValue": "ALARM", "NewStateReason": "too many", "StateChangeTime": "2026-03-20T12:00:00.000+0000", "Region": "eu-west-1" });
    let body = serde_json::json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:alarms", "MessageId": "1", "Message": alarm.to_string(), "Timestamp": "2026-03-20T12:00:00.000Z", "SignatureVersion": "1", "Signature": "c2lnbmVk", "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem", "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe" });
    let answer = stage.post("/alert/cloudwatch", payloads::token_headers(TOKEN), body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let lines = tape.lines();
    assert!(lines.len() == 1 && lines[0].contains("edxapp-5xx"), "{lines:?}");
    assert!(!lines[0].contains("c2lnbmVk") && !lines[0].contains("x.pem") && !lines[0].contains("Unsubscribe"));
    stage.at("Fri 14:00").await;
    assert!(the_same(&stage.bundle, &tape).await > 0);
}

#[tokio::test]
async fn a_real_history_of_one_repository_is_decided_as_it_was() {
    real("openedx__course-discovery", 60).await;
}

#[tokio::test]
async fn a_real_history_of_another_repository_is_decided_as_it_was() {
    real("mozilla__treeherder", 60).await;
}

/// Four days around a change of clocks, in a zone that has it, with working hours: merges by day and by night, one of them live across
/// the change, alerts before and after it.
async fn across(change: &str) {
    let mut text = house_tests::configuration(&["edxapp", "worker"]);
    text = text.replace("zone = \"Europe/London\"", "zone = \"Europe/Stockholm\"");
    text = text.replace("contacts = [\"terminal\"]", "contacts = [\"terminal\"]\nhours = \"Mon-Fri 09:00-17:00\"");
    let sunday: Timestamp = format!("{change}T00:00:00Z").parse().unwrap();
    let (stage, tape) = stage(&text, sunday - SignedDuration::from_hours(40)).await;
    let repository = house_tests::REPOSITORY;
    for n in 1..30_u64 {
        let who = ["feanil", "usama", "anna", "olga"][usize::try_from(n % 4).unwrap()];
        let minutes = i64::try_from(n).unwrap() * 157;
        let at = sunday + SignedDuration::from_mins(minutes - 40 * 60) + SignedDuration::from_secs(minutes % 60);
        stage.until(at).await;
        let commit = house_tests::commit(n);
        merge(&stage, repository, n, who, &format!("change {n}"), &commit).await;
        if n % 3 != 0 {
            stage.until(at + SignedDuration::from_mins(11)).await;
            deploy(&stage, repository, n, &commit, "in_progress", at).await;
            stage.until(at + SignedDuration::from_mins(17)).await;
            deploy(&stage, repository, n, &commit, "success", at).await;
        }
        if n % 4 == 1 {
            let service = if n % 8 == 1 { "edxapp" } else { "worker" };
            let fires = at + SignedDuration::from_mins(31);
            stage.until(fires).await;
            alert(&stage, service, "HighErrorRate", fires, None).await;
            alert(&stage, "edxapp", "Latency", fires, None).await;
            stage.until(fires + SignedDuration::from_mins(47)).await;
            let over = Some(stage.clock.now());
            alert(&stage, service, "HighErrorRate", fires, over).await;
            alert(&stage, "edxapp", "Latency", fires, over).await;
        }
    }
    stage.until(stage.clock.now() + SignedDuration::from_hours(72)).await;
    let lines = the_same(&stage.bundle, &tape).await;
    assert!(lines > 300, "{lines} lines");
}

#[tokio::test]
async fn the_night_in_which_clocks_go_forward_is_decided_as_it_was() {
    across("2026-03-29").await;
}

#[tokio::test]
async fn the_night_in_which_clocks_go_back_is_decided_as_it_was() {
    across("2026-10-25").await;
}

/// Whoever stands in a merge queue or approves, whichever news comes first; what an image was made of, told before it is deployed or after; an
/// alert that says once where it belongs; answers at a pager, which count for what the page named too.
#[tokio::test]
async fn a_day_of_queues_images_and_answers_is_decided_as_it_was() {
    let (mut day, tape) = (elsewhere::stage().await, Tape::default());
    day.bundle.record(tape.recorder());
    for (number, who, enqueued_first) in [(11, "usama", true), (12, "feanil", false)] {
        let mut enqueued = day.merged(who, number);
        (enqueued["action"], enqueued["pull_request"]["merged"]) = (json!("enqueued"), json!(false));
        let mut merged = day.merged("github-merge-queue[bot]", number);
        merged["pull_request"]["user"]["login"] = json!("olga");
        for event in if enqueued_first { [&enqueued, &merged] } else { [&merged, &enqueued] } {
            assert_eq!(day.github("/merge/github", event).await.status, 200);
        }
    }
    // Of a machine's change whoever approved it answers.
    day.github("/merge/github", &day.merged("renovate[bot]", 13)).await;
    let approved = json!({
        "action": "submitted", "repository": { "full_name": REPOSITORY, "default_branch": "master" },
        "review": { "state": "approved", "submitted_at": "2026-03-20T11:00:00Z", "user": { "login": "anna", "type": "User" } },
        "pull_request": { "number": 13 }, "sender": { "login": "anna", "type": "User" },
    });
    assert_eq!(day.github("/merge/github", &approved).await.status, 200);
    assert!(
        day.windows("edxapp").await.contains(&"edx-platform#13 anna standby".to_owned()),
        "{:?}",
        day.windows("edxapp").await
    );
    // What is not for us.
    day.github("/deploy/github", &json!({ "zen": "x", "hook": {} })).await;
    elsewhere::post(&day, "/alert/generic", &json!({ "alerts": [] })).await;
    let mut branch = day.merged("usama", 14);
    branch["pull_request"]["base"]["ref"] = json!("next");
    day.github("/merge/github", &branch).await;
    // Images.
    let image = |tag: &str| format!("registry.example.com/edxapp:{tag}");
    let built =
        |tag: &str, number: u64| json!({ "image": image(tag), "commit": commit(number), "repository": REPOSITORY });
    let live =
        |tag: &str| json!({ "service": "edxapp", "environment": "prod", "image": image(tag), "state": "succeeded" });
    day.at("Fri 12:10").await;
    elsewhere::post(&day, "/deploy/generic", &built("1", 11)).await;
    elsewhere::post(&day, "/deploy/generic", &live("1")).await;
    day.at("Fri 12:20").await;
    elsewhere::post(&day, "/deploy/generic", &live("2")).await;
    elsewhere::post(&day, "/deploy/generic", &built("2", 12)).await;
    elsewhere::post(&day, "/deploy/generic", &live(&format!("main-{}", commit(12)))).await;
    let nowhere = json!({ "service": "nothing", "environment": "prod", "commit": commit(12), "state": "succeeded" });
    elsewhere::post(&day, "/deploy/generic", &nowhere).await;
    let active = day.windows("edxapp").await.iter().filter(|line| line.contains(" active ")).count();
    assert_eq!(active, 3, "what was merged in the same minute went out with it: {:?}", day.windows("edxapp").await);
    // A rollout that gives up is an alert.
    let gave_up = json!({ "service": "discovery", "environment": "prod", "commit": commit(12), "state": "aborted", "progressive": true });
    elsewhere::post(&day, "/deploy/generic", &gave_up).await;
    // A monitor that says only at first where its alert belongs, and news of it that come before.
    let opsgenie = |action: &str, id: &str, tags: Value| {
        json!({ "action": action, "alert": { "alertId": id, "message": "Down", "tags": tags, "priority": "P1",
            "createdAt": 1_774_009_800_000_i64, "updatedAt": 1_774_009_800_000_i64, "username": "usama@example.com" } })
    };
    day.at("Fri 12:31").await;
    elsewhere::post(&day, "/alert/opsgenie", &opsgenie("Acknowledge", "b2", json!([]))).await;
    elsewhere::post(&day, "/alert/opsgenie", &opsgenie("Create", "a1", json!(["service:edxapp"]))).await;
    elsewhere::post(&day, "/alert/opsgenie", &opsgenie("Acknowledge", "a1", json!([]))).await;
    elsewhere::post(&day, "/alert/opsgenie", &opsgenie("Create", "b2", json!(["service:discovery"]))).await;
    elsewhere::post(&day, "/alert/opsgenie", &opsgenie("Create", "a1", json!([]))).await;
    day.at("Fri 12:50").await;
    for id in ["a1", "b2"] {
        elsewhere::post(&day, "/alert/opsgenie", &opsgenie("Close", id, json!([]))).await;
    }
    // One page for two services; it is taken at the pager, runs out there, and is taken by hand.
    day.at("Sat 09:00").await;
    let mut both = day.alerting("discovery", "Sat 09:00", false);
    let other = day.alerting("edxapp", "Sat 09:00", false);
    both["alerts"].as_array_mut().unwrap().push(other["alerts"][0].clone());
    both["commonLabels"] = json!({});
    elsewhere::post(&day, "/alert/alertmanager", &both).await;
    let incidents = day.situation("discovery").await.incidents;
    let newest = incidents.values().map(|known| &known.value).max_by_key(|incident| incident.detected_at).unwrap();
    let (id, person) = (newest.id.clone(), newest.pages[0].person.clone());
    for (kind, status, at) in
        [("acknowledged", "acknowledged", "Sat 09:01"), ("unacknowledged", "triggered", "Sat 09:41")]
    {
        day.at(at).await;
        let mut told = elsewhere::pagerduty(kind, status, &house_tests::time(at).to_string());
        told["event"]["data"]["incident_key"] = json!(format!("deployers/{id}/0/{person}"));
        elsewhere::post(&day, "/alert/pagerduty", &told).await;
    }
    let link = day.link(aws::links::Action::Acknowledge(id), "anna");
    assert_eq!(day.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    both["alerts"].as_array_mut().unwrap().iter_mut().for_each(|alert| {
        (alert["status"], alert["endsAt"]) = (json!("resolved"), json!("2026-03-21T10:00:00Z"));
    });
    day.at("Sat 10:00").await;
    elsewhere::post(&day, "/alert/alertmanager", &both).await;
    day.at("Tue 12:00").await;
    let lines = the_same(&day.bundle, &tape).await;
    assert!(lines > 60, "{lines} lines");
}

/// In `propose` and `act` a replay says which reverts would have been opened; it opens none, so each incident goes on as it did.
#[test]
fn reverts_that_would_have_been_proposed_are_counted_and_none_is_opened() {
    let commits = ["8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"];
    let at = |minutes: i64| house_tests::time("Fri 12:00") + SignedDuration::from_mins(minutes);
    let landed = |commit: &str, minutes: i64, who: &str| backtest::Landed {
        commit: commit.to_owned(),
        merged_at: at(minutes),
        author: who.to_owned(),
        title: "feat: batches".to_owned(),
        by_machine: false,
        commits: None,
        files: 1,
        lines: 10,
        paths: vec![format!("{who}.py")],
        lands_again: None,
        reverts: None,
    };
    let history = |culprit: usize| History {
        name: "acme/shop".to_owned(),
        changes: vec![landed(commits[0], -3 * 24 * 60, "usama"), landed(commits[1], 0, "feanil")],
        incidents: vec![backtest::Incident {
            id: "1".to_owned(),
            alert_at: at(35),
            culprit,
            revert: 1,
            candidates: Vec::new(),
        }],
    };
    let played = |mode: domain::Mode, culprit: usize| {
        let configuration = replay::history::configuration(&history(culprit), "UTC").unwrap();
        let settings = configuration.settings.clone().alone(|service| {
            service.mode = mode;
            service.policy.propose_from = 1;
        });
        let input = replay::input::Input::of_history(
            history(culprit),
            &configuration,
            SignedDuration::from_mins(30),
            Vec::new(),
            replay::export::LeftOut::default(),
        );
        replay::run::play(&input.unwrap(), &configuration, settings, None, &|_, _| ()).unwrap()
    };
    let right = played(domain::Mode::Propose, 1);
    let all = right.outcome.all();
    assert_eq!((all.incidents, all.proposed, all.proposed_right, all.proposed_wrong), (1, 1, 1, 0));
    let said = replay::words::summary(&right);
    assert!(said.contains("1 revert: 1 of the known culprit, 0 of another"), "{said}");
    assert!(said.contains("would have proposed the revert of shop@f95f852bd8 at 12:35"), "{said}");
    assert!(said.contains("none is opened here"), "{said}");
    let all = played(domain::Mode::Act, 0).outcome.all();
    assert_eq!((all.proposed, all.proposed_right, all.proposed_wrong, all.proposed_to_merge), (1, 0, 1, 0));
    assert_eq!(played(domain::Mode::Page, 1).outcome.all().proposed, 0);
}
