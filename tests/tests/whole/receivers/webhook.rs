//! A webhook signed as Standard Webhooks describes.

use super::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "webhook",
    section: "url = \"{url}/hook\"\nsecret = \"api\"",
    contact: "it",
    takes: &[("POST /hook", 200, "")],
    page: "POST /hook",
    unknown: None,
    key: |received| received.header("webhook-id").to_owned(),
    keeps: None,
};
