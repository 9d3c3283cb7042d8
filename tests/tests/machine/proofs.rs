//! Every sender proves itself exactly as it signs: the published vectors, and for each way of each sender every
//! variation of it. What is refused has touched nothing.

use std::sync::Arc;

use aws::secrets::{Secret, Secrets};
use aws::settings::SenderConfig;
use aws::verify::{self, SLACK, Signature, Signed};
use aws::{House, Proof, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use house_tests::proving::{Sent, prove};
use house_tests::{Stage, configuration, root};
use jiff::{SignedDuration, Timestamp};
use recent_deployers::catalogue::{self, Known};
use serde_json::Value;

const KEY: &str = "new-secret";
const OLD_KEY: &str = "old-secret";
/// JSON of nobody: whoever proves itself is told that it is not for us, or cannot be read.
const BODY: &[u8] = br#"{"a": [1, 2.50], "b": "\u00e9"}"#;
const RESERIALISED: &[u8] = br#"{"a":[1,2.5],"b":"\u00e9"}"#;

/// Every sender's house: each configured with a secret that is being rotated.
async fn house() -> (Stage, House) {
    let stage = Stage::with(&configuration(&["edxapp"]), |configuration| {
        for name in catalogue::names() {
            configuration.senders.insert(name.to_owned(), source(name));
        }
    })
    .await;
    let folder = std::env::temp_dir().join(format!("rd-proofs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("any"), format!("{KEY}\n{OLD_KEY}\n")).unwrap();
    let house = House { secrets: Arc::new(Secrets::new(Some(folder))), ..stage.house.clone() };
    (stage, house)
}

fn source(kind: &str) -> SenderConfig {
    SenderConfig {
        kind: kind.to_owned(),
        secret: "any".to_owned(),
        without_secret: false,
        repositories: vec![],
        services: vec![],
        topics: vec!["arn:aws:sns:eu-west-1:123456789012:alarms".to_owned()],
        api_token: None,
        api_url: None,
        merge_status: None,
        reverts: false,
        app: None,
        check_runs: false,
        comments: aws::settings::Comments::default(),
    }
}

async fn status(house: &House, known: &Known, sent: &Sent) -> u16 {
    let path = format!("/{}/{}", known.function, known.name);
    let request = Request::new("POST", &path, sent.headers.clone(), sent.body.clone()).with_query(&sent.query);
    match known.function {
        "merge" => on_merge::handle(house, request).await,
        "deploy" => on_deploy::handle(house, request).await,
        _ => on_alert::handle(house, request).await,
    }
    .status
}

/// Every variation of what a sender sends, each with whether it proves anything.
fn variations(proof: Proof, now: Timestamp) -> Vec<(&'static str, Sent, bool)> {
    let made = |key: &str, body: &[u8], at: Timestamp| prove(proof, key, body, at).unwrap();
    let good = made(KEY, BODY, now);
    let with = |change: &dyn Fn(&str) -> String| {
        let mut sent = good.clone();
        match sent.headers.first_mut() {
            Some((_, value)) => *value = change(value),
            None => sent.query = format!("token={}", change(sent.query.trim_start_matches("token="))),
        }
        sent
    };
    let signs = matches!(proof, Proof::Signature(_) | Proof::StandardWebhooks);
    let doubled = match good.headers.first() {
        Some(first) => Sent { headers: [good.headers.clone(), vec![first.clone()]].concat(), ..good.clone() },
        None => Sent { query: format!("{0}&{0}", good.query), ..good.clone() },
    };
    let mut all = vec![
        ("valid", good.clone(), true),
        ("with the old secret", made(OLD_KEY, BODY, now), true),
        ("with another secret", made("another", BODY, now), false),
        ("absent", Sent { headers: vec![], query: String::new(), body: BODY.to_vec() }, false),
        ("empty", with(&|_| String::new()), false),
        ("truncated", with(&|value| value[..value.len() - 2].to_owned()), false),
        ("doubled", doubled, false),
        ("with more after it", with(&|value| format!("{value}00")), false),
    ];
    if let Proof::Signature(signature) = proof {
        all.push(("in upper case", with(&|value| upper_digits(value)), false));
        let other = if signature.prefix.is_empty() { "sha256=" } else { "" };
        all.push(("with another prefix", with(&|v| v.replacen(signature.prefix, other, 1)), false));
    } else if proof == Proof::StandardWebhooks {
        all.push(("of another version", with(&|value| value.replace("v1,", "v2,")), false));
    } else {
        all.push(("in upper case", with(&str::to_uppercase), false));
    }
    if signs {
        let reserialised = Sent { body: RESERIALISED.to_vec(), ..good.clone() };
        all.push(("of the same JSON written otherwise", reserialised, false));
    }
    let timed = match proof {
        Proof::Signature(signature) => signature.signed != Signed::Body,
        Proof::StandardWebhooks => true,
        Proof::Header(_) | Proof::Token | Proof::Query | Proof::Sns => false,
    };
    for seconds in [-301, -300, 300, 301] {
        let sent = made(KEY, BODY, now + SignedDuration::from_secs(seconds));
        all.extend(timed.then_some(("of another time", sent, seconds.abs() <= 300)));
    }
    all
}

fn upper_digits(value: &str) -> String {
    let (prefix, digits) = value.split_at(value.len() - 64);
    format!("{prefix}{}", digits.to_uppercase())
}

#[tokio::test]
async fn each_way_of_each_sender_is_taken_exactly_and_no_variation_of_it() {
    let (stage, house) = house().await;
    let now = stage.clock.now();
    let (mut tried, mut refused) = (0, 0);
    for known in catalogue::all() {
        for proof in known.proofs.iter().copied().filter(|proof| *proof != Proof::Sns) {
            for (what, sent, proves) in variations(proof, now) {
                let (status, cost) = stage.cost(status(&house, &known, &sent)).await;
                let name = format!("{} {} {proof:?}: {what}", known.function, known.name);
                if proves {
                    assert!(status == 200 || status == 400, "{name}: {status}");
                } else {
                    assert_eq!((status, cost), (401, [0; 4]), "{name}");
                    refused += 1;
                }
                tried += 1;
            }
        }
    }
    println!("{tried} variations, {refused} of them refused without touching the table");
}

#[tokio::test]
async fn what_is_offered_must_be_right_even_where_another_way_would_be() {
    let (stage, house) = house().await;
    let now = stage.clock.now();
    for known in catalogue::all() {
        let ways: Vec<Proof> = known.proofs.iter().copied().filter(|proof| *proof != Proof::Sns).collect();
        let [first, .., last] = ways.as_slice() else { continue };
        let wrong = prove(*first, "another", BODY, now).unwrap();
        let right = prove(*last, KEY, BODY, now).unwrap();
        let headers = [wrong.headers, right.headers].concat();
        let both = Sent { headers, query: right.query, body: BODY.to_vec() };
        assert_eq!(status(&house, &known, &both).await, 401, "{} {}", known.function, known.name);
    }
}

#[tokio::test]
async fn every_published_vector_gives_what_was_published() {
    let path = root().join("../shared/payloads/signature-vectors.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("not present: {}; 0 signature vectors checked", path.display());
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    for vector in &vectors {
        let word = |name: &str| vector[name].as_str().unwrap_or("");
        if word("kind") == "canonical-string" {
            assert_eq!(aws::sns::canonical(&vector["fields"]).as_deref(), Some(word("expect_string")));
            continue;
        }
        let mut headers = vec![(word("header").to_owned(), word("value").to_owned())];
        headers.extend(
            [("webhook-id", "id"), ("webhook-timestamp", "timestamp")].map(|(h, v)| (h.into(), word(v).into())),
        );
        if !word("timestamp_header").is_empty() {
            headers.push((word("timestamp_header").to_owned(), word("timestamp").to_owned()));
        }
        let secrets = [Secret::new(word("secret")).unwrap()];
        let at = |late: i64| Timestamp::from_second(word("timestamp").parse::<i64>().unwrap_or(0) + late).unwrap();
        let perhaps = Signed::PerhapsTimed { header: "x-timestamp", between: ":" };
        let check = |headers: &[(String, String)], late: i64| {
            let request = Request::new("POST", "/", headers.to_vec(), word("body").into());
            match word("header") {
                "webhook-signature" => verify::standard_webhooks(&request, &secrets, at(late)),
                "X-Slack-Signature" => SLACK.verify(&request, &secrets, at(late)),
                "X-PagerDuty-Signature" => {
                    let several =
                        Signature { several: true, prefix: "v1=", ..Signature::bare("x-pagerduty-signature") };
                    several.verify(&request, &secrets, at(late))
                }
                "X-Hub-Signature-256" => Signature::sha256("x-hub-signature-256").verify(&request, &secrets, at(late)),
                "X-Hub-Signature" => Signature::sha256("x-hub-signature").verify(&request, &secrets, at(late)),
                "X-Signature" => {
                    Signature { signed: perhaps, ..Signature::bare("x-signature") }.verify(&request, &secrets, at(late))
                }
                "X-Grafana-Alerting-Signature" => {
                    let signature = Signature { signed: perhaps, ..Signature::bare("x-grafana-alerting-signature") };
                    signature.verify(&request, &secrets, at(late))
                }
                other => panic!("no sender signs with {other}"),
            }
            .is_ok()
        };
        let expected = word("expect").starts_with("ok");
        assert_eq!(check(&headers, 0), expected, "{}", word("name"));
        if vector["tolerance_s"].is_number() {
            let held = [-301, -300, 300, 301].map(|late| check(&headers, late));
            assert_eq!(held, [false, expected, expected, false], "{}", word("name"));
        }
    }
    println!("{} signature vectors checked", vectors.len());
}

mod sns {
    //! SNS over HTTPS, signed with a key of our own (tests/fixtures/sns).

    use super::*;

    const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";

    fn fixture(name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(root().join("tests/fixtures/sns").join(name)).unwrap()).unwrap()
    }

    async fn stage() -> Stage {
        let stage = Stage::with(&configuration(&["edxapp"]), |configuration| {
            configuration.senders.insert("cloudwatch".to_owned(), source("cloudwatch"));
        })
        .await;
        let pem = std::fs::read_to_string(root().join("tests/fixtures/sns/cert.pem")).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        stage.house.certificates.keep(CERTIFICATE, STANDARD.decode(der).unwrap());
        stage
    }

    async fn post(stage: &Stage, message: &Value) -> (u16, [u64; 4], String) {
        let headers = vec![("x-amz-sns-message-type".to_owned(), message["Type"].as_str().unwrap_or("").to_owned())];
        let body = message.to_string();
        let sent = Request::new("POST", "/alert/cloudwatch", headers, body.into_bytes());
        let (answer, cost) = stage.cost(on_alert::handle(&stage.house, sent)).await;
        (answer.status, cost, answer.body)
    }

    #[tokio::test]
    async fn what_sns_signed_for_a_topic_of_ours_is_taken_in_both_versions() {
        for name in ["notification-v1.json", "notification-v2.json"] {
            let stage = stage().await;
            let (status, _, body) = post(&stage, &fixture(name)).await;
            assert_eq!(status, 200, "{name}: {body}");
            assert!(body.contains("incident_opened"), "{name}: {body}");
        }
    }

    #[tokio::test]
    async fn what_it_did_not_sign_or_not_for_us_is_refused_and_touches_nothing() {
        let stage = stage().await;
        for (what, field, value) in [
            ("another message", "Message", "{}"),
            ("another topic", "TopicArn", "arn:aws:sns:eu-west-1:999999999999:alarms"),
            ("another time", "Timestamp", "2026-03-20T12:01:00.000Z"),
            ("no signature", "Signature", ""),
            ("not base64", "Signature", "%%%"),
            ("another version", "SignatureVersion", "3"),
            ("the other digest", "SignatureVersion", "2"),
            (
                "a certificate of somebody else",
                "SigningCertURL",
                "https://evil.example/SimpleNotificationService-1.pem",
            ),
            (
                "of a bucket",
                "SigningCertURL",
                "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
            ),
            ("of another file", "SigningCertURL", "https://sns.eu-west-1.amazonaws.com/evil.pem"),
            ("of a cloud's machine", "SigningCertURL", "https://169.254.169.254/SimpleNotificationService-1.pem"),
            ("the same, longer", "SigningCertURL", "https://[fd00:ec2::254]/SimpleNotificationService-1.pem"),
            (
                "behind a name",
                "SigningCertURL",
                "https://sns.eu-west-1.amazonaws.com@169.254.169.254/SimpleNotificationService-1.pem",
            ),
            (
                "of another port",
                "SigningCertURL",
                "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
            ),
            ("in the clear", "SigningCertURL", "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"),
            ("another type", "Type", "UnsubscribeConfirmation"),
            ("no type", "Type", ""),
        ] {
            let mut message = fixture("notification-v1.json");
            message[field] = value.into();
            let (status, cost, body) = post(&stage, &message).await;
            assert_eq!((status, cost), (401, [0; 4]), "{what}: {body}");
        }
        let mut added = fixture("notification-v1.json");
        added.as_object_mut().unwrap().remove("Subject");
        assert_eq!(post(&stage, &added).await.0, 401);
    }

    #[tokio::test]
    async fn an_old_message_and_one_from_the_future_are_refused() {
        for (late, status) in [(0, 200), (3_900, 200), (3_901, 401), (-300, 200), (-301, 401)] {
            let stage = stage().await;
            stage.clock.set(house_tests::time("Fri 12:00") + SignedDuration::from_secs(late));
            assert_eq!(post(&stage, &fixture("notification-v2.json")).await.0, status, "{late} s");
        }
    }

    #[tokio::test]
    async fn a_subscription_is_confirmed_for_topics_of_ours_only() {
        let stage = stage().await;
        // Nobody is reached from here: that we would have asked SNS is what 503 says.
        assert_eq!(post(&stage, &fixture("subscription-v1.json")).await.0, 503);
        let mut elsewhere = fixture("subscription-v1.json");
        elsewhere["SubscribeURL"] = "https://evil.example/?Action=ConfirmSubscription".into();
        assert_eq!(post(&stage, &elsewhere).await.0, 401);
        for (what, url) in [
            ("of a cloud's machine", "http://169.254.169.254/latest/meta-data/iam/security-credentials/"),
            ("the same, longer", "http://[fd00:ec2::254]/latest/meta-data/"),
            ("of this machine", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"),
            ("behind a name", "https://sns.eu-west-1.amazonaws.com@169.254.169.254/?Action=ConfirmSubscription"),
            ("of another host", "https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription"),
        ] {
            let mut asked = fixture("subscription-v1.json");
            asked["SubscribeURL"] = url.into();
            assert_eq!(by_token(&stage, &asked).await, 403, "{what}: with a right token too");
        }
        // With the token instead of a signature the topic has to be ours all the same.
        let mut other = fixture("subscription-v1.json");
        other["TopicArn"] = "arn:aws:sns:eu-west-1:999999999999:other".into();
        assert_eq!(by_token(&stage, &other).await, 403);
    }

    /// Proved by the source's token, where SNS does not sign.
    async fn by_token(stage: &Stage, message: &Value) -> u16 {
        let secrets = Arc::new(Secrets::fixed([("any".to_owned(), Secret::new(KEY).unwrap())]));
        let house = House { secrets, ..stage.house.clone() };
        let headers = vec![("authorization".to_owned(), format!("Bearer {KEY}"))];
        let sent = Request::new("POST", "/alert/cloudwatch", headers, message.to_string().into_bytes());
        on_alert::handle(&house, sent).await.status
    }
}
