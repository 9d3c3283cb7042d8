//! PagerDuty's Events API, as <https://developer.pagerduty.com/docs/events-api-v2/overview/> documents it.

use super::contract::{Fake, field};

pub const FAKE: Fake = Fake {
    kind: "pagerduty-events",
    section: "url = \"{url}\"\nsecret = \"api\"",
    contact: "it",
    takes: &[(
        "POST /v2/enqueue",
        202,
        r#"{"status":"success","message":"Event processed","dedup_key":"deployers/1"}"#,
    )],
    page: "POST /v2/enqueue",
    unknown: None,
    key: |received| field(received, "/dedup_key"),
    keeps: Some((&[r#""event_action":"acknowledge""#], &[r#""event_action":"resolve""#])),
};
