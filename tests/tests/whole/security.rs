//! SECURITY.md is true: what it names is there, whom the house calls is in it, and what it says of redirects, replays, guesses and of
//! whoever can write to the table holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use aws::clients::{self, Aws, Http};
use aws::links::Action;
use aws::{Request, records};
use aws_sdk_dynamodb::types::AttributeValue;
use house_tests::peer::Peer;
use house_tests::{GITHUB_SECRET, REPOSITORY, Stage, TOKEN, configuration, root};
use recent_deployers::demo::payloads::{github_headers, token_headers};

use crate::hostile_fields::sinks::{self, Markup, WORDS};

fn document() -> String {
    std::fs::read_to_string(root().join("SECURITY.md")).unwrap()
}

/// What stands in backquotes.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn code(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    folders.iter().for_each(|folder| sources(&root().join(folder), &mut found));
    found
}

#[test]
fn the_threat_model_names_files_and_tests_that_are_there() {
    let (document, mut tests) = (document(), BTreeSet::new());
    for (_, text) in code(&["functions", "shared", "infra", "tests"]) {
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            if ["#[test]", "#[tokio::test]"].contains(&line) || line.starts_with("#[tokio::test(") {
                let named =
                    lines.peek().and_then(|line| line.split_once("fn ")).and_then(|(_, rest)| rest.split_once('('));
                tests.extend(named.map(|(name, _)| name.to_owned()));
            }
        }
    }
    let mut named = 0;
    for span in spans(&document) {
        let is_name = span.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if is_name && span.matches('_').count() >= 3 {
            assert!(tests.contains(span), "SECURITY.md names the test {span}, which is not there");
            named += 1;
        }
        let is_file = span.contains('/') && !span.contains(['<', '*', '{', ' ', ':']) && !span.starts_with('/');
        assert!(!is_file || root().join(span).exists(), "SECURITY.md names {span}, which is not there");
    }
    assert!(named > 40, "it names {named} tests");
}

#[test]
fn whom_the_house_calls_is_in_the_threat_model() {
    let document = document();
    let table = document.split("## Whom the house calls").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let told: BTreeSet<&str> = rows.flat_map(spans).filter(|span| span.ends_with(".rs")).collect();
    let mut calls = BTreeSet::new();
    for (path, text) in code(&["functions", "shared"]) {
        let path = path.to_string_lossy().split("tests/../").last().unwrap().to_owned();
        let text = text.split("#[cfg(test)]").next().unwrap();
        // One client, which follows no redirect; nobody opens a socket beside it.
        for socket in ["TcpStream", "UdpSocket", "lookup_host", "reqwest::", "hyper::client", "Connector::builder"] {
            assert!(!text.contains(socket) || path == "shared/aws/src/clients.rs", "{path} has {socket}");
        }
        if text.contains("http.send(") {
            calls.insert(path);
        }
    }
    let calls: BTreeSet<&str> = calls.iter().map(String::as_str).collect();
    assert_eq!(told, calls, "the table of SECURITY.md, and who calls `http.send`");
}

#[tokio::test]
async fn a_redirect_takes_nothing_of_ours_anywhere_else() {
    let (configured, elsewhere) = (Peer::start().await, Peer::start().await);
    let metadata = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";
    for to in [&format!("{}/x", elsewhere.address), metadata, "http://[fd00:ec2::254]/latest/meta-data/"] {
        for method in ["GET ", "POST "] {
            configured.always_redirects(method, to);
        }
        let headers = [("authorization", "Bearer planted")];
        let answer = Http::new().send("GET", &configured.address, &headers, Vec::new(), 5).await.unwrap();
        assert_eq!((answer.status, answer.location.as_deref()), (302, Some(to)), "it is told, not followed");
        // A page goes to the next contact, with its links.
        let hook =
            format!("[receivers.hook]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"hook\"\n", configured.address);
        let text =
            configuration(&["edxapp"]).replace("contacts = [\"terminal\"]", "contacts = [\"hook\", \"terminal\"]");
        // So does the forge's token not leave.
        let forge =
            format!("[senders.github]\napi_token = \"api\"\napi_url = \"{}\"\nreverts = true\n", configured.address);
        let mut stage = Stage::with(&format!("{}\n{hook}", text.replace("[senders.github]\n", &forge)), |_| {}).await;
        stage.merge("feanil", 12).await;
        stage.deploy("prod", "success", 12).await;
        stage.at("Fri 12:05").await.alert("edxapp", "Fri 12:05", false).await;
        assert!(stage.heard().iter().any(|line| line.starts_with("PAGE to feanil")), "{to}");
        assert!(configured.received().iter().any(|asked| asked.line.contains("/repos/")), "the forge was asked");
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn what_was_taken_once_and_is_sent_again_changes_nothing() {
    let mut day = Stage::new().await;
    let mut taken = Vec::new();
    for (when, path) in
        [("Fri 12:00", "/merge/github"), ("Fri 12:05", "/deploy/github"), ("Fri 12:10", "/alert/alertmanager")]
    {
        day.at(when).await;
        let body = match path {
            "/merge/github" => day.merged("feanil", 12),
            "/deploy/github" => day.deployed("prod", "success", 12),
            _ => day.alerting("edxapp", "Fri 12:10", false),
        }
        .to_string();
        let headers = if path.starts_with("/alert") {
            token_headers(TOKEN)
        } else {
            github_headers("", GITHUB_SECRET, body.as_bytes())
        };
        assert_eq!(day.post(path, headers.clone(), body.as_bytes()).await.status, 200);
        taken.push((path.to_owned(), headers, body));
    }
    let link = day.link(Action::Acknowledge(day.incident("edxapp").await.id), "feanil");
    assert_eq!(day.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    taken.push((link, Vec::new(), "do=acknowledge".to_owned()));
    day.at("Fri 12:20").await.alert("edxapp", "Fri 12:10", true).await;
    day.heard();
    let state = async |day: &Stage| {
        let incident = day.incident("edxapp").await;
        (day.windows("edxapp").await, incident.pages, incident.acknowledged, incident.resolved_at)
    };
    day.at("Fri 12:30").await;
    let before = state(&day).await;
    for (path, headers, body) in &taken {
        let answer = day.post(path, headers.clone(), body.as_bytes()).await;
        assert!([200, 409].contains(&answer.status), "{path}: {}", answer.body);
    }
    assert_eq!(state(&day).await, before);
    assert_eq!(day.heard(), [""; 0], "nobody is told again");
    // Days later: the window is closed, and the link is over. The alert began long ago, and was over.
    day.at("Sun 12:40").await.heard();
    for (path, headers, body) in &taken {
        let answer = day.post(path, headers.clone(), body.as_bytes()).await;
        let wanted = if path.starts_with("/acknowledge") { 403 } else { 200 };
        assert_eq!(answer.status, wanted, "{path}: {}", answer.body);
    }
    assert_eq!(day.windows("edxapp").await, [""; 0]);
    let heard = day.heard();
    assert!(heard.iter().all(|line| !line.starts_with("PAGE")), "{heard:?}");
}

#[tokio::test]
async fn a_guess_at_a_link_or_a_token_is_refused_and_the_table_is_not_asked() {
    let stage = Stage::with(&format!("api_secret = \"reading\"\n{}", configuration(&["edxapp"])), |_| {}).await;
    let link = stage.link(Action::Queue("edxapp".parse().unwrap()), "olga");
    // Each letter of it changed, one at a time: whose it is, until when, what it allows, and by which proof.
    for (at, old) in link.char_indices().filter(|(_, old)| *old != '/') {
        let new = if old == '0' { '1' } else { '0' };
        let guess = format!("{}{new}{}", &link[..at], &link[at + 1..]);
        let (answer, cost) = stage.cost(stage.post(&guess, Vec::new(), b"do=pause&why=x")).await;
        assert!([403, 404].contains(&answer.status), "{guess}: {}", answer.body);
        assert_eq!(cost, [0; 4], "{guess}");
        let get = Request::new("GET", &guess, Vec::new(), Vec::new());
        assert!([403, 404].contains(&stage.bundle.route(get).await.status), "{guess}");
    }
    for guess in ["", "Bearer", "Bearer x", "Bearer api-token", "Basic Og=="] {
        let headers = vec![("authorization".to_owned(), guess.to_owned())];
        let request = Request::new("GET", "/on-call", headers, Vec::new());
        let (answer, cost) = stage.cost(stage.bundle.route(request)).await;
        assert!([401, 503].contains(&answer.status) && cost == [0; 4], "{guess}: {} {}", answer.status, answer.body);
    }
}

/// Writes these words into every text of an item that people read.
fn spoil(value: &mut AttributeValue, words: &str, name: &str) {
    const READ: [&str; 6] = ["title", "name", "summary", "note", "what", "why"];
    if let AttributeValue::S(text) = value {
        if READ.contains(&name) {
            words.clone_into(text);
        } else if name == "url" {
            "javascript:alert('zq7')".clone_into(text);
        }
    } else if let AttributeValue::M(map) = value {
        map.iter_mut().for_each(|(name, value)| spoil(value, words, name));
    } else if let AttributeValue::L(list) = value {
        list.iter_mut().for_each(|value| spoil(value, words, name));
    }
}

#[tokio::test]
async fn whoever_writes_to_the_table_writes_no_script_into_a_page() {
    for words in WORDS {
        let mut stage = Stage::new().await;
        stage.merge("feanil", 12).await;
        stage.deploy("prod", "success", 12).await;
        stage.at("Fri 12:05").await.alert("edxapp", "Fri 12:05", false).await;
        let aws = Aws::local(stage.endpoints().await.dynamodb_endpoint.clone().unwrap(), String::new());
        let client = clients::dynamodb(&aws, &Http::new());
        let mut spoilt = BTreeMap::new();
        for partition in ["S#edxapp", "L#edxapp", "B"] {
            let all = client.query().table_name("recent-deployers").key_condition_expression("pk = :p");
            let all = all.expression_attribute_values(":p", records::text(partition)).send().await.unwrap();
            for mut item in all.items().to_vec() {
                let before = item.clone();
                item.iter_mut()
                    .filter(|(name, _)| !["pk", "sk"].contains(&name.as_str()))
                    .for_each(|(name, value)| spoil(value, words, name));
                *spoilt.entry(partition).or_insert(0) += usize::from(item != before);
                client.put_item().table_name("recent-deployers").set_item(Some(item)).send().await.unwrap();
            }
        }
        assert!(spoilt.get("S#edxapp").is_some_and(|n| *n >= 3), "{spoilt:?}");
        let (markup, id) = (Markup::of_templates(), stage.incident("edxapp").await.id);
        let pages =
            ["/".to_owned(), "/services/edxapp".to_owned(), format!("/incidents/{id}"), "/people/feanil".to_owned()];
        for page in pages {
            let answer = stage.get(&page).await;
            assert_eq!(answer.status, 200, "{page}: {}", answer.body);
            markup.structure(&page, &answer.body);
        }
        let answer =
            stage.bundle.route(Request::new("GET", &format!("/incidents/{id}.md"), Vec::new(), Vec::new())).await;
        assert!(!answer.body.contains("<img") && !answer.body.contains("<script"), "{}", answer.body);
        assert!(answer.body.contains(sinks::MARK), "{REPOSITORY}: {}", answer.body);
    }
}
