//! A workflow of Microsoft Teams: it says "accepted", and knows nobody.

use crate::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "teams",
    section: "secret = \"address\"",
    contact: "it",
    takes: &[("POST /address", 202, "")],
    page: "POST /address",
    unknown: None,
    key: |received| received.body.clone(),
    keeps: None,
};
