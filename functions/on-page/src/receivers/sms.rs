//! A text message, by SNS's `Publish` to a telephone number.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
//!
//! SNS knows no repetition, and says only that it took a message: that a number opted out, or that the month's money is
//! spent, is in its delivery logs and nowhere else.

use domain::Message;
use domain::message::Link;
use form_urlencoded::Serializer;

use super::{Letter, Undelivered, gsm, post};

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let region = letter.house.aws.as_ref().ok_or(Undelivered::NoAccount)?.region.as_str();
    let url = match letter.receiver.url.as_str() {
        "" => format!("https://sns.{region}.amazonaws.com/"),
        url => format!("{url}/"),
    };
    let body = form(letter.address, letter.receiver.from.as_deref(), &text(letter.message, letter.actions));
    let form = "application/x-www-form-urlencoded";
    let answer = post::send_signed(letter, "sns", &url, form, body.as_bytes()).await?;
    let said = String::from_utf8_lossy(&answer.body);
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(refusal(answer.status, &said)) }
}

/// What is sent: the message in short, and the link by which it is acknowledged.
fn text(message: &Message, actions: &[Link]) -> String {
    let words = if message.short.is_empty() { &message.title } else { &message.short };
    let link = actions.first().and_then(|action| domain::text::url(&action.url));
    gsm::text(words, link.as_deref())
}

/// The request. `Transactional`: it is worth more to arrive than to be cheap.
fn form(number: &str, sender: Option<&str>, text: &str) -> String {
    let mut form = Serializer::new(String::new());
    for (name, value) in [("Action", "Publish"), ("Version", "2010-03-31"), ("PhoneNumber", number), ("Message", text)]
    {
        form.append_pair(name, value);
    }
    let kind = [("AWS.SNS.SMS.SMSType", "Transactional")];
    let sender = sender.map(|sender| ("AWS.SNS.SMS.SenderID", sender));
    for (i, (name, value)) in kind.into_iter().chain(sender).enumerate() {
        let entry = format!("MessageAttributes.entry.{}", i + 1);
        form.append_pair(&format!("{entry}.Name"), name);
        form.append_pair(&format!("{entry}.Value.DataType"), "String");
        form.append_pair(&format!("{entry}.Value.StringValue"), value);
    }
    form.finish()
}

/// What an error means: `<Error><Code>..</Code><Message>..</Message></Error>`.
fn refusal(status: u16, said: &str) -> Undelivered {
    let (code, why) = (element(said, "Code"), element(said, "Message"));
    match code {
        "" => Undelivered::Status(status),
        "InvalidParameter" | "ParameterValueInvalid" if why.contains("PhoneNumber") => Undelivered::UnknownPerson,
        "Throttling" | "Throttled" | "ThrottlingException" | "ThrottledException" => Undelivered::LimitedFor(1),
        _ => Undelivered::refused(&format!("{code}: {why}")),
    }
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let found = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    found.map_or("", |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::example;
    use super::*;

    fn check(message: &Message, actions: &[Link], want: Expect) {
        want.assert_eq(&text(message, actions));
    }

    #[test]
    fn a_text_is_the_page_in_short_and_its_link() {
        let (page, actions) = example::page();
        check(
            &page,
            &actions,
            expect![[r#"
            [critical] edxapp production: HighErrorRate
            https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233"#]],
        );
        let page = Message { short: "edxapp production: HighErrorRate, 7 % of requests fail".to_owned(), ..page };
        check(
            &page,
            &actions,
            expect![[r#"
            edxapp production: HighErrorRate, 7 % of requests fail
            https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233"#]],
        );
        let (hostile, actions) = example::hostile();
        check(
            &hostile,
            &actions,
            expect![[r#"
            <script>alert(1)</script> Bcc: evil@example.com gnp.exe ?? xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
            https://deployers.example.com/acknowledge/edxapp-k3v7q2ma/feanil/1774095600/00112233445566778899aabbccddeeff00112233"#]],
        );
        let (notice, actions) = example::notice();
        check(&notice, &actions, expect!["Resolved: [critical] edxapp production: HighErrorRate"]);
    }

    #[test]
    fn the_request_is_as_sns_documents_it() {
        let lines = |form: String| form.replace('&', "\n&");
        expect![[r#"
            Action=Publish
            &Version=2010-03-31
            &PhoneNumber=%2B15555550123
            &Message=Broken+%26+%5Blost%5D%0Ahttps%3A%2F%2Fexample.com%2F%7Ea
            &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType
            &MessageAttributes.entry.1.Value.DataType=String
            &MessageAttributes.entry.1.Value.StringValue=Transactional"#]]
        .assert_eq(&lines(form("+15555550123", None, "Broken & [lost]\nhttps://example.com/~a")));
        expect![[r#"
            Action=Publish
            &Version=2010-03-31
            &PhoneNumber=%2B4612345678
            &Message=Broken
            &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType
            &MessageAttributes.entry.1.Value.DataType=String
            &MessageAttributes.entry.1.Value.StringValue=Transactional
            &MessageAttributes.entry.2.Name=AWS.SNS.SMS.SenderID
            &MessageAttributes.entry.2.Value.DataType=String
            &MessageAttributes.entry.2.Value.StringValue=DEPLOYERS"#]]
        .assert_eq(&lines(form("+4612345678", Some("DEPLOYERS"), "Broken")));
    }

    #[test]
    fn errors_are_told_by_their_codes() {
        for (status, code, why, want) in [
            (
                400,
                "InvalidParameter",
                "Invalid parameter: PhoneNumber Reason: +1 is not valid to publish to",
                "it knows nobody by this address",
            ),
            (
                400,
                "InvalidParameter",
                "Invalid parameter: Message too long",
                "it refused: InvalidParameter: Invalid parameter: Message too long",
            ),
            (400, "Throttling", "Rate exceeded", "it asks to be left alone for 1 s"),
            (
                403,
                "AuthorizationError",
                "not authorized to perform: SNS:Publish",
                "it refused: AuthorizationError: not authorized to perform: SNS:Publish",
            ),
        ] {
            let said = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{why}</Message></Error></ErrorResponse>"
            );
            assert_eq!(refusal(status, &said).to_string(), want);
        }
        assert_eq!(refusal(400, "{}").to_string(), "it answered 400");
    }
}
