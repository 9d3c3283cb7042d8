//! What all scenarios play in: services with a repository each, people reached by a pager that tells which page it got, and
//! events as their senders write them.

use aws::{House, Request};
use house_tests::peer::{Peer, Received};
use house_tests::{GITHUB_SECRET, Stage, TOKEN, commit};
use jiff::Timestamp;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use serde_json::Value;

/// Who merges. The rotation is anna, the owner olga.
pub const MERGERS: [&str; 2] = ["feanil", "usama"];

/// Their names.
pub fn services(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("service{i:02}")).collect()
}

/// Services with a repository each, and people with one contact: a webhook there.
pub fn configuration(services: &[String], pager: &str) -> String {
    let mut text = format!(
        "public_url = \"https://deployers.example.com\"\n[senders.github]\n[senders.alertmanager]\n\
         [unmapped]\nrotation = [\"anna\"]\n[receivers.pager]\nkind = \"webhook\"\nurl = \"{pager}\"\nsecret = \"hook\"\n"
    );
    for person in ["feanil", "usama", "anna", "olga"] {
        text.push_str(&format!("[people.{person}]\nzone = \"UTC\"\ngithub = [\"{person}\"]\ncontacts = [\"pager\"]\n"));
    }
    for service in services {
        text.push_str(&format!(
            "[services.{service}]\nowners = [\"olga\"]\nrotation = [\"anna\"]\nalerts = [\"service={service}\"]\n\
             repositories = [{{ name = \"openedx/{service}\" }}]\n\
             [services.{service}.environments.production]\nlive = true\n"
        ));
    }
    text
}

/// A stage with these services, and their pager.
pub async fn stage(services: &[String]) -> (Stage, Peer) {
    let pager = Peer::start().await;
    (Stage::with(&configuration(services, &pager.address), |_| {}).await, pager)
}

/// Something that a sender tells us.
#[derive(Debug, Clone)]
pub struct Event {
    pub path: &'static str,
    pub body: String,
    /// In a word, for whoever reads a fault.
    pub what: String,
}

impl Event {
    /// `who` merged pull request `number` of this service's repository.
    pub fn merge(service: &str, number: u64, who: &str, at: Timestamp) -> Self {
        let (repository, commit) = (format!("openedx/{service}"), commit(number));
        let title = format!("change number {number}");
        let (author, merger) = (who, who);
        let merge = Merge { repository: &repository, number, title: &title, author, merger, commit: &commit, at };
        let body = payloads::pull_request_merged(&merge).to_string();
        Self { path: "/merge/github", body, what: format!("merge {service}#{number}") }
    }

    /// Deployment `id` of everything up to `number` gets into this state in production.
    pub fn deploy(service: &str, number: u64, id: u64, state: &str, created_at: Timestamp, at: Timestamp) -> Self {
        let (repository, commit) = (format!("openedx/{service}"), commit(number));
        let environment = "production";
        let deployment =
            Deployment { repository: &repository, id, environment, commit: &commit, state, created_at, at };
        let body = payloads::deployment_status(&deployment).to_string();
        Self { path: "/deploy/github", body, what: format!("deployment {id} of {service}#{number} {state}") }
    }

    /// An alert fires, or is over.
    pub fn alert(service: &str, name: &str, started_at: Timestamp, ended_at: Option<Timestamp>) -> Self {
        let alert =
            Alert { service, name, summary: "7 % of requests fail", severity: "critical", started_at, ended_at };
        let over = if ended_at.is_some() { "over" } else { "fires" };
        let body = payloads::alertmanager(&[alert]).to_string();
        Self { path: "/alert/alertmanager", body, what: format!("alert {service} {name} {over}") }
    }

    pub fn request(&self) -> Request {
        request(self.path, self.body.as_bytes())
    }
}

/// A body as its sender sends it, with the right proof.
pub fn request(path: &str, body: &[u8]) -> Request {
    let headers = match path.starts_with("/alert") {
        true => payloads::token_headers(TOKEN),
        false => payloads::github_headers("", GITHUB_SECRET, body),
    };
    Request::new("POST", path, headers, body.to_vec())
}

/// Hands it to the function that it is for. The status of the answer.
pub async fn hear(house: &House, event: &Event) -> u16 {
    let request = event.request();
    match event.path.split('/').nth(1) {
        Some("merge") => on_merge::handle(house, request).await.status,
        Some("deploy") => on_deploy::handle(house, request).await.status,
        _ => on_alert::handle(house, request).await.status,
    }
}

/// A page as it came to the pager.
#[derive(Debug, Clone)]
pub struct Page {
    /// The same however often it is sent.
    pub key: String,
    pub incident: String,
    pub person: String,
    /// When it was sent, by the house's clock.
    pub sent_at: Timestamp,
}

/// The pages of what came to a pager.
pub fn pages(received: &[Received]) -> Vec<Page> {
    received.iter().filter_map(page).collect()
}

fn page(received: &Received) -> Option<Page> {
    let body: Value = serde_json::from_str(&received.body).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (body["data"]["kind"] == "page").then_some(())?;
    Some(Page {
        key: received.header("webhook-id").to_owned(),
        incident: text(&body["data"]["subject"])?,
        person: text(&body["data"]["person"])?,
        sent_at: body["timestamp"].as_str()?.parse().ok()?,
    })
}
