//! SNS's `Publish` to a telephone number. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use super::contract::Fake;

pub const FAKE: Fake = Fake {
    kind: "sms",
    section: "url = \"{url}\"\nfrom = \"DEPLOYERS\"",
    contact: "it:+15555550123",
    takes: &[(
        "POST / ",
        200,
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
         <MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata>\
         <RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>",
    )],
    page: "POST / ",
    unknown: Some((
        "POST / ",
        400,
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>InvalidParameter</Code><Message>Invalid parameter: PhoneNumber Reason: +15555550123 is not valid to \
         publish to</Message></Error><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ErrorResponse>",
    )),
    key: |received| {
        assert!(received.header("authorization").contains("/eu-west-1/sns/aws4_request, "), "signed: {received:?}");
        received.body.clone()
    },
    keeps: None,
};
