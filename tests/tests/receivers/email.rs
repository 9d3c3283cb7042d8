//! SES's `SendEmail`. <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>

use crate::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "email",
    section: "url = \"{url}\"\nfrom = \"Deployers <oncall@example.com>\"",
    contact: "it:anna@example.com",
    takes: &[(
        "POST /v2/email/outbound-emails",
        200,
        "{\"MessageId\":\"0100017d41d36138-496e8b33-1f5e-4b0e-9a7e-5a6f0e6c6d2a-000000\"}",
    )],
    page: "POST /v2/email/outbound-emails",
    unknown: Some((
        "POST /v2/email/outbound-emails",
        400,
        "{\"__type\":\"BadRequestException\",\"message\":\"Missing final '@domain'\"}",
    )),
    key: |received| {
        assert!(received.header("authorization").contains("/eu-west-1/ses/aws4_request, "), "signed: {received:?}");
        received.body.clone()
    },
    keeps: None,
};
