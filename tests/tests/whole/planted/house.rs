//! The house that is full of planted secrets: one for each setting that names one, and an API behind each that refuses and repeats.

use aws::House;
use aws::clients::Aws;
use aws_credential_types::Credentials;
use house_tests::heard::Log;
use house_tests::peer::Peer;
use house_tests::{Stage, configuration};
use recent_deployers::catalogue;
use serde_json::json;

use crate::receivers::FAKES;

/// The names of the secrets that are configured.
pub const PLANTED: [&str; 22] = [
    "sending",
    "linking",
    "reading",
    "signing",
    "forge",
    "app",
    "pipe",
    "argo",
    "provider",
    "feed",
    "aws-key",
    "aws-session",
    "webhook",
    "pagerduty",
    "pagerduty-events",
    "opsgenie",
    "jira-service-management",
    "goalert",
    "slack",
    "teams",
    "email",
    "sms",
];

pub fn plant(name: &str) -> String {
    format!("pl4nt-{name}-c0ffee1234567890")
}

/// A private key: its lines are the plant.
const KEY: &str = include_str!("../../../fixtures/github-app-for-tests.pem");

pub fn line_of_key() -> &'static str {
    KEY.lines().nth(3).unwrap()
}

pub struct Planted {
    pub stage: Stage,
    pub log: Log,
    /// Who is asked, by the name of the secret that they are sent.
    pub peers: Vec<(&'static str, Peer)>,
    pub said: Vec<String>,
}

/// An API that refuses, and repeats what it was sent in every place where such an answer has words.
fn refuses(peer: &Peer, name: &str, status: u16) {
    let secret = plant(name);
    let words = format!("Bearer {secret} {secret} is not valid, GenieKey {secret}");
    let said = json!({
        "ok": false, "error": words, "message": words, "Message": words, "errors": [words], "error_description": words,
        "__type": words, "detail": words, "reason": words,
    });
    for part in ["GET ", "POST ", "PUT ", "PATCH ", "DELETE "] {
        peer.always_answers(part, status, said.to_string());
    }
}

impl Planted {
    pub async fn house() -> Self {
        let mut peers = Vec::new();
        let mut text = configuration(&["edxapp"]);
        let mut contacts = String::new();
        for fake in FAKES {
            let (kind, peer) = (fake.kind, Peer::start().await);
            refuses(&peer, kind, 400);
            let section = fake
                .section
                .replace("{url}", &peer.address)
                .replace("secret = \"api\"", &format!("secret = \"{kind}\""));
            let section = section.replace("secret = \"address\"", "secret = \"teams\"");
            let buttons = if kind == "slack" { "\nsigning_secret = \"signing\"" } else { "" };
            text.push_str(&format!("[receivers.{kind}]\n{section}{buttons}\n"));
            contacts.push_str(&format!("\"{}\", ", fake.contact.replacen("it", kind, 1)));
            peers.push((kind, peer));
        }
        for name in ["forge", "pipe", "argo", "provider", "feed"] {
            let peer = Peer::start().await;
            refuses(&peer, name, 403);
            peers.push((name, peer));
        }
        let at =
            |name: &str| peers.iter().find(|(known, _)| *known == name).map(|(_, peer)| peer.address.clone()).unwrap();
        text = text.replace("contacts = [\"terminal\"]", &format!("contacts = [{contacts}\"terminal\"]"));
        let holds = "holds = [\"gocd:edxapp-production\", \"argo-cd:edx-project\"]\nschedule = \"pagerduty:PROTA\"\nbeside = \"pagerduty:PFIRST\"";
        text = text.replace("[services.edxapp]\n", &format!("[services.edxapp]\n{holds}\n"));
        for name in catalogue::names() {
            let forge = ["github", "gitlab", "bitbucket", "bitbucket-server", "gitea", "azure"].contains(&name);
            let section = format!("[senders.{name}]\n");
            let known = text.contains(&section);
            let mut more = "secret = \"sending\"\n".to_owned();
            if forge {
                more.push_str(&format!("api_token = \"forge\"\napi_url = \"{}\"\n", at("forge")));
            }
            if name == "github" {
                more.push_str("app_id = \"123456\"\napp_key = \"app\"\nmerge_status = \"during-freezes\"\ncomments = [\"openedx/*\"]\nreverts = true\n");
            }
            if known {
                text = text.replace(&section, &format!("{section}{more}")).replace("secret = \"alertmanager\"\n", "");
            } else {
                text.push_str(&format!("{section}{more}"));
            }
        }
        text = format!("link_secret = \"linking\"\nread_tokens = [\"reading\"]\n{text}");
        text.push_str(&format!(
            "[pipelines.gocd]\nurl = \"{}\"\nsecret = \"pipe\"\n[pipelines.argo-cd]\nurl = \"{}\"\nsecret = \"argo\"\n\
             [sign_in]\nissuer = \"{}\"\nclient_id = \"deployers\"\nsecret = \"provider\"\n\
             [freezes.holidays]\npreset = \"peak-event\"\nzone = \"UTC\"\nfeed = \"{}/h.ics?key={}\"\n",
            at("pipe"),
            at("argo"),
            at("provider"),
            at("feed"),
            plant("feed")
        ));
        let mut secrets: Vec<(&str, String)> = PLANTED.iter().map(|name| (*name, plant(name))).collect();
        let teams = format!("{}/workflows/1?sig={}", at("teams"), plant("teams"));
        for (name, value) in &mut secrets {
            match *name {
                "app" => KEY.clone_into(value),
                "teams" => value.clone_from(&teams),
                _ => {}
            }
        }
        let secrets: Vec<(&str, &str)> = secrets.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let log = Log::kept();
        let mut stage = Stage::with_secrets(&text, &secrets, |_| {}).await;
        let session = Some(plant("aws-session"));
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", plant("aws-key"), session, None, "planted");
        let aws = Aws { credentials, ..Aws::local(String::new(), String::new()) };
        stage.bundle.house = House { aws: Some(aws), ..stage.bundle.house.clone() };
        // Whatever is published is delivered in the house that has the account.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let topic = Aws::local(String::new(), format!("http://{}", listener.local_addr().unwrap()));
        stage.bundle.house.topic =
            aws::topic::Topic::new(aws::clients::sns(&topic, &stage.house.http), recent_deployers::topic::ARN);
        stage.bundle.serve_topic(listener, stage.bundle.house.clone());
        Self { stage, log, peers, said: Vec::new() }
    }
}
