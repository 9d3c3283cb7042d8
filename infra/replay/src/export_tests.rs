//! Exports as others write them, in the shapes of their documentation; small, and our own.

use std::fs;
use std::path::PathBuf;

use aws::settings::Configuration;

use super::*;
use crate::input::Input;
use crate::{Tally, World};

const PULLS: &str = r#"[{"number":12,"state":"closed","title":"feat: batches","html_url":"https://github.com/acme/shop/pull/12",
"user":{"login":"feanil","type":"User"},"merged_at":"2026-03-20T15:00:00Z","merge_commit_sha":"8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1","labels":[],
"base":{"ref":"main","repo":{"full_name":"acme/shop","default_branch":"main"}}},
{"number":13,"state":"closed","title":"never merged","merged_at":null,"user":{"login":"x","type":"User"}}][]"#;
const BY_COMMAND: &str = r#"[{"number":14,"title":"fix: a <b>bold</b> one","url":"https://github.com/acme/shop/pull/14","mergedAt":"2026-03-20T15:30:00Z",
"mergeCommit":{"oid":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e"},"author":{"login":"usama","is_bot":false},"mergedBy":{"login":"usama"},"baseRefName":"main",
"additions":3,"deletions":1,"changedFiles":2,"labels":[{"name":"bug"}]}]"#;
const DEPLOYMENTS: &str = r#"{"id":42,"sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","ref":"main","task":"deploy","environment":"production",
"created_at":"2026-03-20T15:40:00Z","updated_at":"2026-03-20T15:46:00Z","repository_url":"https://api.github.com/repos/acme/shop"}
{"id":1,"state":"in_progress","environment":"production","created_at":"2026-03-20T15:41:00Z","updated_at":"2026-03-20T15:41:00Z","deployment_url":"https://api.github.com/repos/acme/shop/deployments/42"}
{"id":2,"state":"success","environment":"production","created_at":"2026-03-20T15:46:00Z","updated_at":"2026-03-20T15:46:00Z","deployment_url":"https://api.github.com/repos/acme/shop/deployments/42"}"#;
const PAGERDUTY: &str = r#"{"incidents":[{"id":"PT4KHLK","incident_number":1234,"title":"Checkout fails","status":"resolved","urgency":"high",
"created_at":"2026-03-20T15:55:00Z","resolved_at":"2026-03-20T16:20:00Z","service":{"id":"PIJ90N7","summary":"shop"},
"assignments":[{"at":"2026-03-20T15:55:00Z","assignee":{"summary":"Anna Lindqvist"}}],
"acknowledgements":[{"at":"2026-03-20T15:58:00Z","acknowledger":{"summary":"usama"}}]}],"limit":25,"more":false}"#;
const OPSGENIE: &str = r#"{"data":[{"id":"70413a06","tinyId":"1791","alias":"a","message":"Latency","status":"closed","acknowledged":true,
"tags":["service:shop","env:production"],"createdAt":"2026-03-21T15:00:00.000Z","updatedAt":"2026-03-21T15:30:00.000Z","priority":"P1","owner":"anna@example.com",
"report":{"ackTime":120000,"closeTime":1500000,"acknowledgedBy":"anna@example.com","closedBy":"anna@example.com"}}],"took":0.1}"#;
const LIST: &str = "at,service,name,severity,resolved_at,culprit\n2026-03-20T16:30:00Z,shop,\"Errors, many\",critical,2026-03-20T16:50:00Z,acme/shop@f95f852bd8\n";

fn configuration() -> Configuration {
    let text = r#"
        [senders.github]
        [unmapped]
        rotation = ["anna"]
        [people.feanil]
        zone = "UTC"
        github = ["feanil"]
        contacts = ["terminal"]
        [people.usama]
        zone = "UTC"
        github = ["usama"]
        contacts = ["terminal"]
        [people.anna]
        zone = "UTC"
        contacts = ["terminal"]
        [services.shop]
        owners = ["anna"]
        rotation = ["anna"]
        repositories = [{ name = "acme/shop" }]
        [services.shop.environments.production]
        live = true
    "#;
    Configuration::parse(text, &aws::settings::no_files).unwrap()
}

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("replay-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

fn played(folder: &Path) -> (crate::Outcome, u64) {
    let configuration = configuration();
    let mut export = Export::default();
    export.add(folder).unwrap();
    let (exported, left_out) = export.finish();
    let input = Input::of_export(exported, left_out);
    let mut world = World::new(&configuration, configuration.settings.clone(), Tally::default());
    let unread = input.each(&configuration.senders, &|_, _| (), |told| world.hear(told)).unwrap();
    (world.end(jiff::SignedDuration::from_hours(80)).finish(), unread)
}

#[test]
fn a_forge_and_two_pagers_and_a_list_in_one_folder_are_one_past() {
    let files = [
        ("pulls.json", PULLS),
        ("pulls-2.json", BY_COMMAND),
        ("deployments.jsonl", DEPLOYMENTS),
        ("pagerduty.json", PAGERDUTY),
        ("opsgenie.json", OPSGENIE),
        ("alerts.csv", LIST),
        ("notes.txt", "not looked at"),
    ];
    let folder = folder("exports", &files);
    assert_eq!(InputKind::of(&folder).unwrap(), InputKind::Export);
    let (outcome, unread) = played(&folder);
    fs::remove_dir_all(&folder).unwrap();
    let all = outcome.all();
    assert_eq!((unread, all.merges, all.deployments, all.incidents), (0, 2, 1, 3));
    let [first, second, third] = outcome.incidents.as_slice() else { panic!("{:#?}", outcome.incidents) };
    let really = first.really.as_ref().unwrap();
    assert_eq!(really.told, ["Anna Lindqvist"]);
    assert_eq!((really.taken_by.as_deref(), really.would_have_been_paged), (Some("usama"), true));
    assert_eq!(first.paged[0].0.as_str(), "usama");
    // What the list says of the culprit counts, by the beginning of its commit.
    assert!(second.what.contains("Errors, many") && second.suspects.len() == 2, "{second:#?}");
    assert_eq!(third.really.as_ref().and_then(|really| really.taken_by.as_deref()), Some("anna@example.com"));
    assert_eq!(third.service.as_str(), "shop");
}

#[test]
fn what_is_no_export_is_counted_or_says_what_it_is() {
    let folder = folder(
        "strange",
        &[("a.json", "[{\"x\":1},7,[[[[]]]],{\"merged_at\":3},{\"tinyId\":\"1\"}]"), ("b.json", "{")],
    );
    let mut export = Export::default();
    export.add(&folder.join("a.json")).unwrap();
    let (events, left_out) = export.finish();
    assert_eq!((events.len(), left_out), (0, LeftOut { unknown: 4, badly_timed: 0 }));
    let why = Export::default().add(&folder.join("b.json")).unwrap_err().to_string();
    assert!(why.contains("b.json"), "{why}");
    assert!(matches!(InputKind::of(&folder.join("none.json")), Err(BadInput::File { .. })));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_has_a_time_that_cannot_be_is_counted_and_not_played() {
    let rows = "at,service,name,resolved_at\n0999-01-02T00:00:00Z,shop,Errors,\n2026-03-20T12:00:00Z,shop,Errors,9999-12-30T22:00:00Z\n2026-03-20T12:00:00Z,shop,Errors,2026-03-20T12:10:00Z\n";
    let merged = PULLS.replace("2026", "1026");
    let deployed = DEPLOYMENTS.replace("2026", "1026");
    let folder = folder("times", &[("a.csv", rows), ("pulls.json", &merged), ("deployments.jsonl", &deployed)]);
    let mut export = Export::default();
    export.add(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let (events, left_out) = export.finish();
    assert_eq!(left_out.unknown, 0);
    assert!(left_out.badly_timed >= 4 && events.iter().all(|event| times::plausible(event.at)), "{left_out:?}");
    assert_eq!(events.len(), 2, "one alert, and its end: {events:?}");
}

#[test]
fn what_is_longer_than_is_read_says_so_and_how_much_that_is() {
    let folder = folder("long", &[("a.json", &"7 ".repeat(60)), ("b.csv", &"at,name\n".repeat(20))]);
    let added = |file: u64, all: u64, path: &Path| {
        let mut export = Export { limits: Limits { file, all, objects: 1000 }, ..Export::default() };
        export.add(path).map_err(|why| why.to_string())
    };
    for name in ["a.json", "b.csv"] {
        let path = folder.join(name);
        let size = fs::metadata(&path).unwrap().len();
        assert_eq!(added(size, size, &path), Ok(()));
        let why = added(size - 1, 1000, &path).unwrap_err();
        assert!(why.contains(&format!("it has {size} bytes, and at most {} are read", size - 1)), "{why}");
        let why = added(1000, size - 1, &path).unwrap_err();
        assert!(why.contains(&format!("it goes on behind {} bytes", size - 1)), "{why}");
    }
    let why = added(1000, 200, &folder).unwrap_err();
    assert!(why.contains("b.csv") && why.contains("it goes on behind 80 bytes"), "both together: {why}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_change_that_would_be_live_at_no_time_is_refused() {
    let history = |at: Timestamp| backtest::History {
        name: "acme/shop".into(),
        changes: vec![backtest::Landed {
            commit: "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".into(),
            merged_at: at,
            author: "usama".into(),
            title: "feat: batches (#12)".into(),
            by_machine: false,
            commits: None,
            files: 1,
            lines: 1,
            paths: Vec::new(),
            lands_again: None,
            reverts: None,
        }],
        incidents: Vec::new(),
    };
    let configuration = configuration();
    let at: Timestamp = "2026-03-20T12:00:00Z".parse().unwrap();
    let of =
        |at, live_after| Input::of_history(history(at), &configuration, live_after, Vec::new(), LeftOut::default());
    for live_after in [jiff::SignedDuration::MAX, jiff::SignedDuration::from_secs(-1)] {
        assert!(matches!(of(at, live_after), Err(BadInput::LiveAfter(_))));
    }
    assert!(matches!(of(Timestamp::MAX, jiff::SignedDuration::from_hours(1)), Err(BadInput::Time { .. })));
}

#[test]
fn an_archive_says_which_line_is_wrong_and_is_lenient_if_it_is_asked_to() {
    let good = r#"{"at":"2026-03-20T15:00:00Z","to":"/acknowledge/shop-k3v7q2ma","by":"anna"}"#;
    let delivery = r#"{"id":1,"delivered_at":"2026-03-20T15:00:00Z","event":"pull_request","action":"closed","request":{"headers":{},"payload":{"action":"labeled"}}}"#;
    let text = format!(
        "{good}\n\n{delivery}\n{{\"at\":\"then\"}}\n{{\"at\":\"2026-03-20T15:00:00Z\",\"to\":\"/merge/nobody\",\"raw\":\"x\"}}\n"
    );
    let folder = folder("archive", &[("a.jsonl", &text)]);
    let path = folder.join("a.jsonl");
    assert_eq!(InputKind::of(&path).unwrap(), InputKind::Archive);
    let senders = configuration().senders;
    let strict = Input::Archive { path: path.clone(), lenient: false };
    let why = strict.each(&senders, &|_, _| (), |_| ()).unwrap_err().to_string();
    assert!(why.starts_with("line 4 of ") && why.contains("--lenient"), "{why}");
    let mut heard = 0;
    let lenient = Input::Archive { path, lenient: true };
    assert_eq!(lenient.each(&senders, &|_, _| (), |_| heard += 1).unwrap(), 2);
    assert_eq!(heard, 2);
    fs::remove_dir_all(&folder).unwrap();
}
