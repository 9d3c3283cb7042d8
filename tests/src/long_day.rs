//! One long day that uses whatever the functions do to the table and the topic: for permissions, and for other engines.

use aws::{Request, links};
use recent_deployers::demo::payloads::{Merge, pull_request_merged, token_headers};
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::{REPOSITORY, Stage, TOKEN, commit, configuration};

/// The day, and those who answer in it.
pub struct LongDay {
    pub stage: Stage,
    /// Where e-mails, text messages and schedules go.
    pub beyond: Peer,
    _peers: [Peer; 2],
}

impl LongDay {
    /// # Panics
    /// When the bundle does not start.
    pub async fn begin() -> Self {
        let chat = Peer::start().await;
        chat.always_answers("chat.postMessage", 200, r#"{"ok":true,"channel":"D024BE91L","ts":"1503435956.000247"}"#);
        let text = configuration(&["edxapp", "ecommerce"]).replace(
            "github = [\"feanil\"]\ncontacts = [\"terminal\"]",
            "github = [\"feanil\"]\ncontacts = [\"slack:U024BE7LH\", \"terminal\"]",
        );
        let beyond = Peer::start().await;
        let text = text
            .replace(
                "github = [\"anna\"]\ncontacts = [\"terminal\"]",
                "github = [\"anna\"]\ncontacts = [\"sms:+15555550123\"]",
            )
            .replace(
                "github = [\"usama\"]\ncontacts = [\"terminal\"]",
                "github = [\"usama\"]\ncontacts = [\"email:usama@example.com\"]",
            );
        let text = format!(
            "{text}\n[receivers.sms]\nurl = \"{0}\"\n[receivers.email]\nfrom = \"deployers@example.com\"\nurl = \"{0}\"\n",
            beyond.address
        );
        let text = format!(
            "{text}\n[receivers.slack]\nkind = \"slack\"\nurl = \"{}/api\"\nsecret = \"api\"\n[senders.opsgenie]\nsecret = \"alertmanager\"\n[senders.generic]\nsecret = \"alertmanager\"\n",
            chat.address
        );
        // What is merged into more services than one transaction holds.
        let many: String = (0..30)
        .map(|n| {
            format!("\n[services.many{n}]\nowners = [\"olga\"]\nrotation = [\"anna\"]\nrepositories = [{{ name = \"openedx/many\" }}]\n[services.many{n}.environments.production]\nlive = true\n")
        })
        .collect();
        let text = format!("{text}{many}");
        let forge = Peer::start().await;
        forge.always_answers("/hooks?", 200, "[]");
        let address = forge.address.clone();
        let stage = Stage::with(&text, |c| {
            let github = c.senders.get_mut("github").unwrap();
            (github.api_token, github.api_url) = (Some("api".into()), Some(address));
        })
        .await;
        Self { stage, beyond, _peers: [chat, forge] }
    }

    /// # Panics
    /// When anything is refused.
    pub async fn passes(&mut self) {
        a_long_day(&mut self.stage).await;
    }
}

async fn tells(day: &Stage, path: &str, body: &Value) {
    let answer = day.post(path, token_headers(TOKEN), body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
}

async fn a_long_day(day: &mut Stage) {
    // Merges: a plain one, one that a merge queue made for whoever enqueued it, one that is pushed.
    day.merge("feanil", 11).await;
    let mut enqueued = day.merged("usama", 12);
    enqueued["action"] = json!("enqueued");
    enqueued["pull_request"]["merged"] = json!(false);
    day.github("/merge/github", &enqueued).await;
    let mut by_bot = day.merged("github-merge-queue[bot]", 12);
    by_bot["pull_request"]["auto_merge"] = Value::Null;
    day.github("/merge/github", &by_bot).await;
    let many = Merge {
        repository: "openedx/many",
        number: 1,
        title: "t",
        author: "feanil",
        merger: "feanil",
        commit: &commit(99),
        at: day.clock.now(),
    };
    assert_eq!(day.github("/merge/github", &pull_request_merged(&many)).await.status, 200);
    // Deployments: of a commit, and of an image that is told later what it is.
    day.at("Fri 12:10").await.deploy("prod", "success", 11).await;
    let image = json!({ "service": "edxapp", "environment": "prod", "image": "registry.example.com/edxapp:7", "state": "succeeded" });
    tells(day, "/deploy/generic", &image).await;
    let built = json!({ "image": "registry.example.com/edxapp:7", "commit": commit(12), "repository": REPOSITORY });
    tells(day, "/deploy/generic", &built).await;
    // A rollout that gives up is an alert.
    let gave_up = json!({ "service": "ecommerce", "environment": "prod", "commit": commit(12), "state": "aborted", "progressive": true });
    tells(day, "/deploy/generic", &gave_up).await;
    // An alert whose monitor says once where it belongs; its acknowledgement; one that breaks two services.
    let opsgenie = |action: &str, tags: Value| {
        json!({ "action": action, "alert": { "alertId": "052652ac", "message": "Down", "tags": tags, "priority": "P1",
            "createdAt": 1_774_009_000_000_i64, "updatedAt": 1_774_009_000_000_i64, "username": "anna@example.com" } })
    };
    day.at("Fri 12:30").await;
    tells(day, "/alert/opsgenie", &opsgenie("Create", json!(["service:edxapp"]))).await;
    tells(day, "/alert/opsgenie", &opsgenie("Acknowledge", json!([]))).await;
    let mut both = day.alerting("edxapp", "Fri 12:40", false);
    let other = day.alerting("ecommerce", "Fri 12:40", false);
    both["alerts"].as_array_mut().unwrap().push(other["alerts"][0].clone());
    both["commonLabels"] = json!({});
    day.at("Fri 12:40").await;
    tells(day, "/alert/alertmanager", &both).await;
    day.at("Fri 12:55").await;
    // People: the board, an incident, a person's page; what they do.
    let incidents = day.situation("ecommerce").await.incidents;
    let newest = incidents.into_values().map(|known| known.value).max_by_key(|incident| incident.detected_at);
    let incident = newest.unwrap().id;
    for path in ["/", "/who", "/people/feanil", &format!("/incidents/{incident}")] {
        assert_eq!(day.get(path).await.status, 200, "{path}");
    }
    let over = incident.clone();
    let link = day.link(links::Action::Acknowledge(incident), "anna");
    assert_eq!(day.get(&link).await.status, 200);
    assert_eq!(day.post(&link, Vec::new(), b"do=acknowledge").await.status, 200);
    let link = day.link(links::Action::OnCall("edxapp".parse().unwrap()), "usama");
    day.post(&link, Vec::new(), b"do=take&for=30+min").await;
    // What is declared for later has its begin and its end scheduled.
    let link = day.link(links::Action::Queue("edxapp".parse().unwrap()), "olga");
    let form = b"do=maintain&for=30+min&why=upgrade&from=2026-03-20T18:00Z";
    assert_eq!(day.post(&link, Vec::new(), form).await.status, 200);
    // So has each begin and end of a freeze.
    let link = day.link(links::Action::Freezes, "olga");
    let form =
        b"do=freeze&name=Move&deployments=require&services=many0&from=2026-03-20+18:00&until=2026-03-20+20:00&zone=UTC";
    assert_eq!(day.post(&link, Vec::new(), form).await.status, 200);
    // A fix is asked for by a comment.
    let comment = json!({
        "action": "created", "repository": { "full_name": "openedx/many", "default_branch": "main" }, "sender": { "login": "feanil" },
        "issue": { "number": 9, "title": "Fix", "state": "open", "user": { "login": "feanil" },
            "pull_request": { "url": "https://api.github.com/repos/openedx/many/pulls/9" } },
        "comment": { "body": "/expedite checkout fails", "user": { "login": "feanil" }, "created_at": day.clock.now().to_string(),
            "updated_at": day.clock.now().to_string() },
    });
    assert_eq!(day.github("/merge/github", &comment).await.status, 200);
    // It is over; days pass, and what is closed leaves.
    both["alerts"].as_array_mut().unwrap().iter_mut().for_each(|alert| {
        alert["status"] = json!("resolved");
        alert["endsAt"] = json!("2026-03-20T13:30:00Z");
    });
    day.at("Fri 13:30").await;
    tells(day, "/alert/alertmanager", &both).await;
    tells(day, "/alert/opsgenie", &opsgenie("Close", json!([]))).await;
    day.at("Mon 12:00").await;
    assert_eq!(day.get("/").await.status, 200);
    // What is over is looked at once more, what was said of it was sealed, and somebody who has left is forgotten.
    assert_eq!(day.get(&format!("/incidents/{over}.md")).await.status, 200);
    let audit = Request::new("GET", "/audit", Vec::new(), Vec::new()).with_query("service=edxapp");
    assert_eq!(day.bundle_of("/audit").route(audit).await.status, 200);
    let link = day.link(links::Action::Person("feanil".parse().unwrap()), "olga");
    assert_eq!(day.post(&link, Vec::new(), b"do=remove&sure=yes").await.status, 200);
}
