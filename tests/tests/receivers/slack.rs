//! Slack's Web API: it answers 200 also where it refuses.

use crate::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "slack",
    section: "url = \"{url}/api\"\nsecret = \"api\"",
    contact: "it:U024BE7LH",
    takes: &[("POST /api/chat.postMessage", 200, r#"{"ok":true,"channel":"D024BE91L","ts":"1503435956.000247"}"#)],
    page: "POST /api/chat.postMessage",
    unknown: Some(("POST /api/chat.postMessage", 200, r#"{"ok":false,"error":"channel_not_found"}"#)),
    key: |received| received.body.clone(),
    keeps: None,
};
