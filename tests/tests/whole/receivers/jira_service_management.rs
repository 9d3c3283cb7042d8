//! Jira Service Management's Operations: the same alerts, by another API.

use house_tests::peer::Mishap;

use super::contract::Fake;

const TAKEN: &str = r#"{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c-3dbf"}"#;
const BY_ALIAS: &str = "GET /jsm/ops/api/f3b2-site/v1/alerts/alias?alias=deployers.edxapp";
const ALERT: &str = "GET /jsm/ops/api/f3b2-site/v1/alerts/8743a1b2-1700 ";

pub const FAKE: Fake = Fake {
    kind: "jira-service-management",
    section: "url = \"{url}\"\nsecret = \"api\"\nfrom = \"anna@example.com\"\ncloud = \"f3b2-site\"",
    contact: "it:5b10ac8d82e05b22cc7d4ef5",
    takes: &[
        ("POST /jsm/ops/api/f3b2-site/v1/alerts ", 200, TAKEN),
        (
            "GET /jsm/ops/api/f3b2-site/v1/alerts/requests/43a29c5c-3dbf",
            200,
            r#"{"action":"Create","isSuccess":true,"status":"Created alert","alertId":"8743a1b2-1700","alias":"x"}"#,
        ),
        (ALERT, 200, r#"{"id":"8743a1b2-1700","responders":[{"type":"user","id":"5b10ac8d82e05b22cc7d4ef5"}]}"#),
        (BY_ALIAS, 200, r#"{"id":"8743a1b2-1700","status":"open"}"#),
        ("POST /jsm/ops/api/f3b2-site/v1/alerts/8743a1b2-1700/", 202, TAKEN),
    ],
    page: "POST /jsm/ops/api/f3b2-site/v1/alerts ",
    unknown: Some((ALERT, 200, r#"{"id":"8743a1b2-1700","responders":[]}"#)),
    key: |received| {
        let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
        body["alias"].as_str().unwrap().to_owned()
    },
    keeps: Some((
        &["POST /jsm/ops/api/f3b2-site/v1/alerts/8743a1b2-1700/acknowledge"],
        &["POST /jsm/ops/api/f3b2-site/v1/alerts/8743a1b2-1700/close"],
    )),
};

#[tokio::test]
async fn an_alert_is_asked_for_with_the_account_and_its_token() {
    for (status, body) in [
        (422, r#"{"errors":[{"title":"Responder does not exist","code":"unprocessable"}]}"#),
        (401, r#"{"code":401,"message":"scope does not match"}"#),
    ] {
        let (stage, peer) = FAKE.stage().await;
        peer.will(FAKE.page, Mishap::Says(status, String::new(), body.to_owned()));
        stage.alert("edxapp", "Fri 12:00", false).await;
        assert_eq!(stage.heard().len(), 1, "{body}");
        let received = peer.received();
        assert_eq!(received[0].header("authorization"), "Basic YW5uYUBleGFtcGxlLmNvbTphcGktdG9rZW4=");
        assert_eq!(received.len(), 1, "{body}");
    }
}
