//! GoAlert's generic API, as its page "Integration Keys" documents it.

use super::contract::{Fake, field};

pub const FAKE: Fake = Fake {
    kind: "goalert",
    section: "url = \"{url}\"\nsecret = \"api\"",
    contact: "it",
    takes: &[("POST /api/v2/generic/incoming", 204, "")],
    page: "POST /api/v2/generic/incoming",
    unknown: None,
    key: |received| field(received, "/dedup"),
    // It cannot be told that somebody took it: it is closed then.
    keeps: Some((&[r#""action":"close""#], &[r#""action":"close""#])),
};
