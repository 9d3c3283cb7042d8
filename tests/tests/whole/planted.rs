//! A house full of planted secrets: everything goes wrong that can, everybody who is asked repeats what they were sent, and all that
//! the house says meanwhile (answers, pages, board, messages, its logs at `trace`, what a panic prints) is searched for the plants.

mod house;

use std::sync::Arc;

use aws::links::{self, Action, Grant};
use aws::secrets::Secret;
use aws::{House, Proof, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use house_tests::peer::Received;
use house_tests::proving::prove;
use house_tests::{REPOSITORY, commit};
use jiff::SignedDuration;
use recent_deployers::catalogue;

use house::{PLANTED, Planted, line_of_key, plant};

impl Planted {
    async fn asks(&mut self, request: Request) -> u16 {
        let answer = self.stage.bundle.route(request).await;
        self.stage.bundle.quiesce().await;
        self.said.push(format!("{} {:?} {}", answer.status, answer.headers, answer.body));
        answer.status
    }

    async fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> u16 {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.asks(Request::new("GET", path, headers, Vec::new()).with_query(query)).await
    }

    fn link(&self, action: Action, who: &str) -> String {
        let expires = self.stage.clock.now() + SignedDuration::from_hours(24);
        let grant = Grant { action, person: who.parse().unwrap(), expires };
        links::path(&Secret::new(&plant("linking")).unwrap(), &grant)
    }

    /// A body as this sender proves it, in each of its ways, with this key.
    async fn sends(&mut self, function: &str, sender: &str, key: &str, body: &[u8]) -> u16 {
        let known =
            catalogue::all().into_iter().find(|known| known.function == function && known.name == sender).unwrap();
        let mut status = 0;
        for proof in known.proofs.iter().filter(|proof| **proof != Proof::Sns) {
            let sent = prove(*proof, key, body, self.stage.clock.now()).unwrap();
            let request = Request::new("POST", &format!("/{function}/{sender}"), sent.headers, sent.body);
            status = self.asks(request.with_query(&sent.query)).await;
        }
        status
    }

    /// Everything that the house has said, wherever.
    async fn all_said(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = vec![
            ("the log".into(), self.log.json()),
            ("the log of a terminal".into(), self.log.terminal()),
            ("what was printed".into(), self.stage.texts().join("\n")),
            ("the configuration, as a panic would show it".into(), format!("{:?}", self.stage.house.configuration)),
            ("the secrets, as a panic would show them".into(), format!("{:?}", self.stage.house.secrets)),
        ];
        all.extend(self.said.iter().map(|said| ("an answer".to_owned(), said.clone())));
        for service in ["edxapp", "unmapped", "freezes"] {
            let id = service.parse().unwrap();
            all.push((
                format!("the log of {service}"),
                format!("{:?}", self.stage.house.store.log(&id, 200).await.unwrap()),
            ));
            all.push((format!("the table of {service}"), format!("{:?}", self.stage.situation(service).await)));
        }
        all
    }
}

/// The forms in which a plant could come to light.
fn forms(name: &str) -> Vec<String> {
    let plain = if name == "app" { line_of_key().to_owned() } else { plant(name) };
    // In base64 a text looks different at each of three places.
    let shifted = (0..3).map(|n| {
        let text = STANDARD.encode(format!("{}{plain}", &"   "[..n]));
        text[4..text.len() - 4].to_owned()
    });
    shifted.chain([plain.clone()]).collect()
}

#[tokio::test]
async fn no_planted_secret_is_in_anything_that_the_house_says() {
    let mut planted = Planted::house().await;
    let merged = planted.stage.merged("feanil", 12).to_string();
    let deployed = planted.stage.deployed("prod", "success", 12).to_string();
    let alerting = planted.stage.alerting("edxapp", "Fri 12:00", false).to_string();
    let (sending, wrong) = (plant("sending"), plant("reading"));
    for known in catalogue::all() {
        // Refused: another's secret, a body that holds secrets, one that is none.
        assert_eq!(planted.sends(known.function, known.name, &wrong, b"{}").await, 401, "{}", known.name);
        let holds: String = PLANTED.iter().map(|name| format!("\"{}\",", plant(name))).collect();
        for body in
            [format!("[{holds}1"), format!("{{\"{sending}\":[{holds}1]}}"), format!("{{\"action\":\"{sending}\"}}")]
        {
            planted.sends(known.function, known.name, &sending, body.as_bytes()).await;
        }
    }
    assert_eq!(planted.sends("merge", "github", &sending, merged.as_bytes()).await, 200);
    planted.stage.at("Fri 12:05").await;
    assert_eq!(planted.sends("deploy", "github", &sending, deployed.as_bytes()).await, 200);
    planted.stage.at("Fri 12:10").await;
    assert_eq!(planted.sends("alert", "alertmanager", &sending, alerting.as_bytes()).await, 200);
    // A freeze has pipelines asked; a revert and comments the forge; the calendar is read by the clock.
    let freezes = planted.link(Action::Freezes, "olga");
    let form = b"do=freeze&name=Week&until=2026-03-20+15:00&zone=UTC".to_vec();
    assert_eq!(planted.asks(Request::new("POST", &freezes, Vec::new(), form)).await, 200);
    let change = domain::ChangeId { repository: REPOSITORY.parse().unwrap(), commit: commit(12).parse().unwrap() };
    let revert = planted.link(Action::Revert("edxapp".parse().unwrap(), change), "feanil");
    planted.asks(Request::new("POST", &revert, Vec::new(), b"do=revert".to_vec())).await;
    planted.stage.at("Fri 13:30").await;
    planted.stage.tick_until("Fri 13:45").await;
    // Links and sessions, forged and real; pages; programs, with a right and a wrong token.
    let incident = planted.stage.incident("edxapp").await.id;
    for action in [Action::Acknowledge(incident.clone()), Action::Judge(incident.clone()), Action::Freezes] {
        let link = planted.link(action, "anna");
        assert_eq!(planted.get(&link, &[]).await, 200);
        assert_eq!(planted.get(&format!("{link}0"), &[]).await, 403);
    }
    let session = aws::session::Session {
        who: "this machine".into(),
        expires: planted.stage.clock.now() + SignedDuration::from_hours(1),
    };
    let cookie = format!("__Host-deployers-session={}", session.seal(&Secret::new(&plant("linking")).unwrap()));
    let token = format!("Bearer {}", plant("reading"));
    for page in
        ["/", "/services/edxapp", "/calendar", "/measures", "/people/anna", "/who", &format!("/incidents/{incident}")]
    {
        assert_eq!(planted.get(page, &[("cookie", &cookie)]).await, 200, "{page}");
        assert_eq!(planted.get(page, &[("cookie", &token)]).await, 303, "{page}");
    }
    for answer in
        ["/on-call", "/queue", "/incidents", "/freezes", "/measures.json", "/metrics", "/audit?service=edxapp"]
    {
        assert_eq!(planted.get(answer, &[("authorization", &token)]).await, 200, "{answer}");
        assert_eq!(planted.get(answer, &[("authorization", &format!("{token}x"))]).await, 401, "{answer}");
    }
    planted.get("/sign-in?to=/", &[]).await;
    planted.get(&format!("/sign-in/callback?code={}&state=x", plant("provider")), &[]).await;
    let press = "payload=%7B%7D";
    planted.asks(Request::new("POST", "/chat/slack", crate::chat::headers(1, &plant("signing")), press.into())).await;

    // A panic in the middle of a request: what it prints is its message, and what it could print shows nothing.
    let now: aws::house::Now = Arc::new(|| panic!("the clock is gone"));
    let broken = House { now, ..planted.stage.house.clone() };
    let sent = prove(Proof::Token, &sending, alerting.as_bytes(), planted.stage.clock.now()).unwrap();
    let request = Request::new("POST", "/alert/alertmanager", sent.headers, sent.body);
    let died = tokio::spawn(async move { on_alert::handle(&broken, request).await.status }).await.unwrap_err();
    assert!(died.is_panic());
    planted.said.push(format!("{died} {died:?}"));

    let all = planted.all_said().await;
    assert!(all.iter().any(|(_, text)| text.contains("refused")), "they were refused, and it is said");
    for name in PLANTED {
        for form in forms(name) {
            for (what, text) in &all {
                let at = text.find(&form);
                let near = at.map(|at| text.get(at.saturating_sub(300)..(at + 20).min(text.len())).unwrap_or("..."));
                assert_eq!(near, None, "{what} holds the secret {name}");
            }
        }
    }
    each_went_to_its_own(&planted);
}

/// Whoever was asked was asked by their own secret, and told nobody else's.
#[track_caller]
fn each_went_to_its_own(planted: &Planted) {
    for (peer, asked) in &planted.peers {
        let received = asked.received();
        assert!(!received.is_empty(), "{peer} was not asked");
        let whole = |one: &Received| format!("{} {:?} {}", one.line, one.headers, one.body);
        let text: String = received.iter().map(whole).collect();
        // An account's session travels with what it signs; its key never does.
        let signed = ["email", "sms"].contains(peer);
        for name in PLANTED.iter().filter(|name| **name != *peer && !(signed && **name == "aws-session")) {
            for form in forms(name) {
                assert!(!text.contains(&form), "{peer} was sent the secret {name}");
            }
        }
    }
}
