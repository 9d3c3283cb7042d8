//! PagerDuty's REST API, as <https://developer.pagerduty.com/api-reference> documents it.

use crate::contract::{Fake, field};

pub const FAKE: Fake = Fake {
    kind: "pagerduty",
    section: "url = \"{url}\"\nsecret = \"api\"\nfrom = \"deployers@example.com\"\nservice = \"PWIXJZS\"",
    contact: "it:PXPGF42",
    takes: &[
        ("POST /incidents", 201, r#"{"incident":{"id":"PT4KHLK","incident_number":1234,"status":"triggered"}}"#),
        (
            "GET /incidents?incident_key=deployers%2F",
            200,
            r#"{"incidents":[{"id":"PT4KHLK","status":"triggered"}],"limit":25,"offset":0,"more":false}"#,
        ),
        ("PUT /incidents", 200, r#"{"incidents":[{"id":"PT4KHLK"}]}"#),
    ],
    page: "POST /incidents",
    unknown: Some(("POST /incidents", 400, r#"{"error":{"message":"Assigned To User Not Found","code":1007}}"#)),
    key: |received| field(received, "/incident/incident_key"),
    keeps: Some((
        &["PUT /incidents", r#""id":"PT4KHLK""#, r#""status":"acknowledged""#],
        &["PUT /incidents", r#""id":"PT4KHLK""#, r#""status":"resolved""#],
    )),
};
