//! A house in which each kind of receiver is somebody's only contact, every sender is a source, and comments are written at the forge.

use aws::links::Action;
use aws::{Proof, Request, Response};
use domain::{ChangeId, IncidentId, ServiceId};
use house_tests::heard::Log;
use house_tests::peer::Peer;
use house_tests::proving::prove;
use house_tests::{REPOSITORY, Stage, commit, time};
use recent_deployers::catalogue;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use serde_json::{Value, json};

use super::Payload;
use super::sinks::{self, ADDRESSES, MARK, Markup, WORDS};
use crate::chat;
use crate::comments::fake::Fake;
use crate::receivers::FAKES;

const KEY: &str = "any-secret-of-a-sender";
/// Whose contact Slack is.
const SLACK: &str = "U024BE7LH";

/// What is deployed: the service, its repository, the branch, and what was merged.
type Served = (String, String, String, String);

pub struct House {
    stage: Stage,
    /// The kinds of receivers with their APIs.
    peers: Vec<(&'static str, Peer)>,
    forge: Fake,
    services: Vec<Served>,
    log: Log,
}

/// What is merged by an event, as a service.
fn served(event: &Value, number: usize) -> Option<Served> {
    let events = event.as_array().cloned().unwrap_or_else(|| vec![event.clone()]);
    let merged = events.iter().find_map(|event| event.get("merged"))?.clone();
    let text = |at: &str| merged.pointer(at).and_then(Value::as_str).map(str::to_owned);
    Some((format!("s{number}"), text("/id/repository")?, text("/base")?, text("/id/commit")?))
}

impl House {
    /// With a service for each repository that something is merged into.
    pub async fn furnished(merges: &[Payload]) -> Self {
        let forge = Fake::start("github").await;
        let (mut text, mut rotation, mut peers) = (String::new(), String::new(), Vec::new());
        for fake in FAKES {
            let peer = Peer::start().await;
            for (part, status, body) in fake.takes {
                peer.always_answers(part, *status, *body);
            }
            let kind = fake.kind;
            let buttons = if kind == "slack" { "\nsigning_secret = \"signing\"" } else { "" };
            let contact = fake.contact.replacen("it", kind, 1);
            text.push_str(&format!("[receivers.{kind}]\n{}{buttons}\n", fake.section.replace("{url}", &peer.address)));
            text.push_str(&person(&format!("p-{kind}"), &contact));
            rotation.push_str(&format!("\"p-{kind}\", "));
            peers.push((kind, peer));
        }
        let teams = peers.iter().find(|(kind, _)| *kind == "teams").map(|(_, peer)| peer.address.clone());
        let mut text = format!(
            "public_url = \"https://deployers.example.com\"\n{text}{}[unmapped]\nrotation = [{rotation}\"olga\"]\n",
            person("olga", "terminal")
        );
        for name in catalogue::names() {
            text.push_str(&format!("[senders.{name}]\nsecret = \"sending\"\n"));
            if name == "github" {
                let api = format!("api_token = \"api\"\napi_url = \"{}\"\n", forge.address);
                text.push_str(&format!("comments = [\"openedx/*\"]\n{api}"));
            }
        }
        let mut services = vec![("edxapp".to_owned(), REPOSITORY.to_owned(), "master".to_owned(), commit(12))];
        for merge in merges {
            services.extend(merge.read(&merge.body).and_then(|event| served(&event, services.len())));
        }
        for (service, repository, base, _) in &services {
            text.push_str(&format!(
                "[services.{service}]\nowners = [\"olga\"]\nrotation = [{rotation}\"olga\"]\nalerts = [\"service={service}\"]\n\
                 repositories = [{{ name = {repository:?}, branch = {base:?} }}]\n\
                 [services.{service}.environments.production]\nlive = true\naliases = [\"prod\"]\n"
            ));
        }
        let log = Log::kept();
        let address = format!("{}/address", teams.unwrap_or_default());
        let stage = Stage::with_secrets(&text, &[("sending", KEY), ("address", &address)], |_| {}).await;
        forge.has_clock(stage.clock.clone());
        Self { stage, peers, forge, services, log }
    }

    /// As this sender sends it, proved.
    async fn post(&self, function: &str, sender: &str, body: &Value) -> Response {
        let known =
            catalogue::all().into_iter().find(|known| known.function == function && known.name == sender).unwrap();
        let proof = known.proofs.iter().find(|proof| **proof != Proof::Sns).unwrap();
        let sent = prove(*proof, KEY, body.to_string().as_bytes(), self.stage.clock.now()).unwrap();
        let request = Request::new("POST", &format!("/{function}/{sender}"), sent.headers, sent.body);
        let answer = self.stage.bundle.route(request.with_query(&sent.query)).await;
        self.stage.bundle.quiesce().await;
        answer
    }

    /// A person fills in a form.
    async fn fills_in(&self, who: &str, action: Action, form: &[(&str, &str)]) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let answer = self.stage.post(&self.stage.link(action, who), Vec::new(), body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{form:?}: {}", answer.body);
    }

    /// Everything that strangers and colleagues can say.
    pub async fn hears(&mut self, merges: Vec<Payload>, alerts: Vec<Payload>, round: usize) {
        let (words, address, now) = (WORDS[round], ADDRESSES[round], self.stage.clock.now());
        let service = || "edxapp".parse().unwrap();
        let until = ("until", "2026-03-20 18:00");
        self.fills_in("olga", Action::Freezes, &[("do", "freeze"), ("name", words), until, ("zone", "UTC")]).await;
        let merge = Merge {
            repository: REPOSITORY,
            number: 12,
            title: words,
            author: "p-slack",
            merger: "p-slack",
            commit: &commit(12),
            at: now,
        };
        let mut own = payloads::pull_request_merged(&merge);
        own["pull_request"]["html_url"] = json!(address);
        own["pull_request"]["body"] = json!(words);
        assert!(self.post("merge", "github", &own).await.body.contains("standby"), "ours is merged");
        for merge in &merges {
            let answer = self.post("merge", merge.sender, &merge.body).await;
            assert_eq!(answer.status, 200, "{} {}: {}", merge.sender, merge.file, answer.body);
        }
        self.fills_in("olga", Action::Queue(service()), &[("do", "pause"), ("why", words), ("for", "2 h")]).await;
        let fix = Action::Expedite(REPOSITORY.parse().unwrap(), 13);
        self.fills_in("p-slack", fix, &[("do", "expedite"), ("why", words)]).await;
        self.stage.at("Fri 12:05").await;
        for (id, (_, repository, _, commit)) in (1..).zip(&self.services) {
            let now = self.stage.clock.now();
            let live =
                Deployment { repository, id, environment: "prod", commit, state: "success", created_at: now, at: now };
            let mut live = payloads::deployment_status(&live);
            live["deployment_status"]["description"] = json!(words);
            live["deployment_status"]["log_url"] = json!(address);
            live["deployment"]["description"] = json!(words);
            assert_eq!(self.post("deploy", "github", &live).await.status, 200);
        }
        self.stage.at("Fri 12:10").await;
        for alert in &alerts {
            let answer = self.post("alert", alert.sender, &alert.body).await;
            assert_eq!(answer.status, 200, "{} {}: {}", alert.sender, alert.file, answer.body);
        }
        for (service, ..) in &self.services {
            let started_at = time("Fri 12:10");
            let alert = Alert { service, name: words, summary: words, severity: words, started_at, ended_at: None };
            let mut alert = payloads::alertmanager(&[alert]);
            alert["alerts"][0]["labels"]["environment"] = json!("prod");
            alert["alerts"][0]["annotations"]["description"] = json!(format!("{words}\n{words}"));
            alert["alerts"][0]["annotations"]["runbook_url"] = json!(address);
            alert["alerts"][0]["generatorURL"] = json!(address);
            assert_eq!(self.post("alert", "alertmanager", &alert).await.status, 200);
        }
        self.stage.at("Fri 13:15").await;
    }

    /// Whatever is shown, sent, printed and logged of it.
    pub async fn shows_nothing_but_words(&self, round: usize) {
        self.sent().await;
        for text in self.stage.texts() {
            sinks::terminal("terminal", &text);
        }
        self.pages(round).await;
        let comments = self.forge.stands(12);
        assert!(
            comments.iter().any(|text| text.contains(MARK)),
            "a comment names the freeze and the alert: {comments:?}"
        );
        comments.iter().for_each(|text| sinks::markdown("comment", text));
        let (json, shown) = (self.log.json(), self.log.terminal());
        assert!(json.lines().count() > 50, "{} lines were logged", json.lines().count());
        json.lines().for_each(|line| sinks::json("log", line));
        for line in shown.lines() {
            sinks::plain("log on a terminal", line, &[]);
            assert!(line.starts_with("20"), "a line of a stranger: {line}");
        }
    }

    /// What every receiver was sent.
    async fn sent(&self) {
        // What Slack shows on request.
        let typed = chat::typed(SLACK, "/oncall", "");
        let answer = self.stage.post("/chat/slack", chat::signed(&self.stage, &typed), typed.as_bytes()).await;
        sinks::slack("a command's answer", &answer.body);
        let opened =
            json!({ "type": "event_callback", "event": { "type": "app_home_opened", "user": SLACK, "tab": "home" } });
        let opened = opened.to_string();
        self.stage.post("/chat/slack", chat::signed(&self.stage, &opened), opened.as_bytes()).await;
        for (kind, peer) in &self.peers {
            let received = peer.received();
            assert!(received.iter().any(|request| request.body.contains(MARK)), "{kind} was told nothing of strangers");
            for request in received.iter().filter(|request| !request.body.is_empty()) {
                let (what, body) = (format!("{kind} {}", request.line), request.body.as_str());
                sinks::plain(&what, &request.line, &[]);
                match *kind {
                    "slack" => sinks::slack(&what, body),
                    "teams" => sinks::teams(&what, body),
                    "email" => sinks::email(&what, body),
                    "sms" => sinks::sms(&what, body),
                    "opsgenie" | "jira-service-management" => {
                        sinks::json(&what, body);
                        assert!(!body.contains("<img") && !body.contains("<script"), "it shows HTML: {what}: {body}");
                    }
                    "goalert" => {
                        sinks::json(&what, body);
                        let said: Value = serde_json::from_str(body).unwrap();
                        let markdown = said["details"].as_str().unwrap_or("").replace("\\<", "");
                        assert!(!markdown.contains("<img") && !markdown.contains("<script"), "{what}: {markdown}");
                    }
                    _ => sinks::json(&what, body),
                }
            }
        }
    }

    async fn get(&self, target: &str, accept: &str) -> Response {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = vec![("accept".to_owned(), accept.to_owned())];
        let answer = self.stage.bundle.route(Request::new("GET", path, headers, Vec::new()).with_query(query)).await;
        // What cannot be done here is a page too, which says so.
        assert!([200, 409].contains(&answer.status), "{target}: {}", answer.body);
        answer
    }

    async fn incidents(&self, service: &str) -> Vec<IncidentId> {
        self.stage.situation(service).await.incidents.into_keys().collect()
    }

    /// Every page, and every answer to a program.
    async fn pages(&self, round: usize) {
        let markup = Markup::of_templates();
        let mut pages: Vec<String> = ["/", "/calendar", "/measures"].map(str::to_owned).into();
        let mut answers: Vec<String> =
            ["/on-call", "/queue", "/incidents", "/freezes", "/measures.json", "/may-deploy?service=edxapp", "/who"]
                .map(str::to_owned)
                .into();
        answers.push(format!("/may-merge?repository={REPOSITORY}"));
        let unmapped = ("unmapped".to_owned(), String::new(), String::new(), String::new());
        for (service, repository, _, commit) in self.services.iter().chain([&unmapped]) {
            pages.extend(["", "/history"].map(|more| format!("/services/{service}{more}")));
            for id in self.incidents(service).await {
                pages.push(format!("/incidents/{id}"));
                pages.extend(
                    [Action::Acknowledge(id.clone()), Action::Judge(id.clone())].map(|a| self.stage.link(a, "olga")),
                );
                answers.extend(["", "/export.json"].map(|more| format!("/incidents/{id}{more}")));
                let sheet = self.get(&format!("/incidents/{id}.md"), "text/markdown").await;
                sinks::markdown(&format!("{id}.md"), &sheet.body);
            }
            let Ok(repository) = repository.parse() else { continue };
            let id: ServiceId = service.parse().unwrap();
            let change = ChangeId { repository, commit: commit.parse().unwrap() };
            let about = [Action::HandOver, Action::Revert].map(|action| action(id.clone(), change.clone()));
            pages.extend(about.map(|action| self.stage.link(action, "olga")));
        }
        let service = || "edxapp".parse().unwrap();
        let more = [Action::OnCall(service()), Action::Queue(service()), Action::Freezes];
        pages.extend(more.map(|action| self.stage.link(action, "olga")));
        pages.push(self.stage.link(Action::Expedite(REPOSITORY.parse().unwrap(), 13), "olga"));
        pages.extend(self.peers.iter().map(|(kind, _)| format!("/people/p-{kind}")));
        let mut shown = 0;
        for page in &pages {
            let body = self.get(page, "text/html").await.body;
            shown += usize::from(body.contains(MARK));
            markup.check(&format!("round {round} {page}"), &body);
        }
        assert!(shown > 20, "words of strangers are on {shown} pages of {}", pages.len());
        for answer in &answers {
            sinks::json(answer, &self.get(answer, "application/json").await.body);
        }
        for plain in ["/metrics", "/measures.csv"] {
            let body = self.get(plain, "text/plain").await.body;
            assert!(!body.contains(MARK), "{plain}: {body}");
        }
        sinks::calendar("freezes.ics", &self.get("/freezes.ics", "text/calendar").await.body);
    }
}

fn person(id: &str, contact: &str) -> String {
    format!("[people.{id}]\nzone = \"UTC\"\ngithub = [\"{id}\"]\ncontacts = [\"{contact}\"]\n")
}
