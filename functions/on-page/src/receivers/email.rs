//! An e-mail, by SES's `SendEmail`.
//! <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
//!
//! SES knows no repetition and gives every e-mail a `Message-ID` of its own. So a thread hangs on an id that no e-mail
//! has: each names it as what it answers, also the first.

use aws::clients::Answer;
use aws::verify::{hmac_sha256, to_hex};
use domain::message::Link;
use domain::{Message, MessageKey, Subject, text};
use serde_json::{Value, json};

use super::{Letter, Undelivered, email_body, post};

/// Characters of a subject: more is shown nowhere.
const MOST_SUBJECT: usize = 150;
/// Bytes of a header's value: SES takes 995.
const MOST_HEADER: usize = 900;

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let region = letter.house.aws.as_ref().ok_or(Undelivered::NoAccount)?.region.as_str();
    let from = letter.receiver.from.as_deref().unwrap_or_default();
    let base = match letter.receiver.url.as_str() {
        "" => format!("https://email.{region}.amazonaws.com"),
        url => url.to_owned(),
    };
    let url = format!("{base}/v2/email/outbound-emails");
    let body = request(from, letter.address, letter.message, letter.actions).to_string();
    let answer = post::send_signed(letter, "ses", &url, "application/json", body.as_bytes()).await?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(refusal(&answer)) }
}

fn request(from: &str, to: &str, message: &Message, actions: &[Link]) -> Value {
    let part = |text: String| json!({ "Data": text, "Charset": "UTF-8" });
    let header = |(name, value): (&str, String)| json!({ "Name": name, "Value": ascii(&value) });
    json!({
        "FromEmailAddress": from,
        "Destination": { "ToAddresses": [to] },
        "Content": { "Simple": {
            "Subject": part(text::line(&message.title, MOST_SUBJECT)),
            "Body": {
                "Text": part(email_body::plain(message, actions)),
                "Html": part(email_body::html(message, actions)),
            },
            "Headers": headers(from, &message.key).map(header),
        } },
    })
}

/// Nobody's out-of-office note answers a page; all that is said of one thing is one thread.
fn headers(from: &str, key: &MessageKey) -> [(&'static str, String); 5] {
    let thread = thread(from, key);
    [
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned()),
        ("In-Reply-To", thread.clone()),
        ("References", thread),
        ("X-Recent-Deployers-Key", key.to_string()),
    ]
}

/// The id of the thread. A change is one thread, in however many services it goes live.
fn thread(from: &str, key: &MessageKey) -> String {
    let subject = match &key.subject {
        Subject::Change(_) | Subject::Incident(_) => key.subject.to_string(),
        Subject::Shift(_) | Subject::Freeze(_) | Subject::Expedite(_) | Subject::Service => {
            format!("{}#{}", key.service, key.subject)
        }
    };
    let digest = to_hex(&hmac_sha256(b"thread", &[subject.as_bytes()])[..16]);
    let domain = from.rsplit('@').next().unwrap_or_default();
    let domain: String = domain.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
    format!("<{digest}@{domain}>")
}

/// SES takes printable ASCII in a header, and nothing else could begin another header.
fn ascii(value: &str) -> String {
    let printable = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    value.chars().take(MOST_HEADER).map(printable).collect()
}

/// What an error means. Its name is in a header, its words are in the body.
fn refusal(answer: &Answer) -> Undelivered {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = answer.error_type.as_deref().unwrap_or_else(|| said("__type"));
    let name = name.rsplit('#').next().and_then(|name| name.split(':').next()).unwrap_or_default();
    let why = if said("message").is_empty() { said("Message") } else { said("message") };
    match name {
        "" => Undelivered::Status(answer.status),
        "BadRequestException" if is_of_an_address(why) => Undelivered::UnknownPerson,
        "TooManyRequestsException" | "LimitExceededException" | "ThrottlingException" => Undelivered::LimitedFor(1),
        _ => Undelivered::refused(&format!("{name}: {why}")),
    }
}

/// `Illegal address`, `Missing final '@domain'`, `Local address contains control or whitespace`: SES has no name of
/// their own for them.
fn is_of_an_address(why: &str) -> bool {
    let why = why.to_lowercase();
    ["address", "domain", "user name"].iter().any(|part| why.contains(part))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::example;
    use super::*;

    #[test]
    fn the_request_is_as_ses_documents_it() {
        let (page, actions) = example::hostile();
        let mut request = request("Deployers <oncall@example.com>", "feanil@example.com", &page, &actions);
        for part in ["Text", "Html"] {
            request["Content"]["Simple"]["Body"][part]["Data"] = json!("...");
        }
        expect![[r#"
            {
              "Content": {
                "Simple": {
                  "Body": {
                    "Html": {
                      "Charset": "UTF-8",
                      "Data": "..."
                    },
                    "Text": {
                      "Charset": "UTF-8",
                      "Data": "..."
                    }
                  },
                  "Headers": [
                    {
                      "Name": "Auto-Submitted",
                      "Value": "auto-generated"
                    },
                    {
                      "Name": "X-Auto-Response-Suppress",
                      "Value": "OOF, AutoReply"
                    },
                    {
                      "Name": "In-Reply-To",
                      "Value": "<3c27837e637a706556e366c7e0fdb406@example.com>"
                    },
                    {
                      "Name": "References",
                      "Value": "<3c27837e637a706556e366c7e0fdb406@example.com>"
                    },
                    {
                      "Name": "X-Recent-Deployers-Key",
                      "Value": "edxapp#edxapp-k3v7q2ma#feanil#first-responder"
                    }
                  ],
                  "Subject": {
                    "Charset": "UTF-8",
                    "Data": "<script>alert(1)</script> Bcc: evil@example.com gnp.exe 🔥🔥 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
                  }
                }
              },
              "Destination": {
                "ToAddresses": [
                  "feanil@example.com"
                ]
              },
              "FromEmailAddress": "Deployers <oncall@example.com>"
            }"#]].assert_eq(&serde_json::to_string_pretty(&request).unwrap());
    }

    #[test]
    fn what_is_said_of_one_thing_is_one_thread() {
        let (page, _) = example::page();
        let thread = |change: &dyn Fn(&mut MessageKey)| {
            let mut key = page.key.clone();
            change(&mut key);
            thread("oncall@example.com", &key)
        };
        let incident = thread(&|_| {});
        assert!(incident.starts_with('<') && incident.ends_with("@example.com>"), "{incident}");
        assert_eq!(thread(&|key| key.person = "anna".parse().unwrap()), incident);
        assert_eq!(thread(&|key| key.step = domain::Step::Resolved), incident);
        let service = thread(&|key| key.subject = Subject::Service);
        assert_ne!(service, incident);
        let other = thread(&|key| {
            (key.subject, key.service) = (Subject::Service, "ecommerce".parse().unwrap());
        });
        assert_ne!(other, service);
    }

    #[test]
    fn a_header_is_one_line_of_printable_ascii() {
        assert_eq!(ascii("a\r\nBcc: evil@example.com é"), "a??Bcc: evil@example.com ?");
        assert_eq!(ascii(&"é".repeat(2000)).len(), MOST_HEADER);
    }

    #[test]
    fn errors_are_told_by_their_types() {
        let refused = |status, name: &str, body: &str| {
            let error_type = (!name.is_empty()).then(|| name.to_owned());
            let body = body.as_bytes().to_vec();
            refusal(&Answer { status, link: None, location: None, retry_after: None, error_type, body }).to_string()
        };
        let said = |why: &str| format!("{{\"message\":\"{why}\"}}");
        for (status, name, why, want) in [
            (400, "BadRequestException", "Illegal address", "it knows nobody by this address"),
            (400, "BadRequestException:http://x/", "Missing final '@domain'", "it knows nobody by this address"),
            (400, "BadRequestException", "Empty body", "it refused: BadRequestException: Empty body"),
            (400, "LimitExceededException", "Too many", "it asks to be left alone for 1 s"),
            (
                400,
                "MessageRejected",
                "Email address is not verified.",
                "it refused: MessageRejected: Email address is not verified.",
            ),
            (400, "SendingPausedException", "Paused", "it refused: SendingPausedException: Paused"),
            (403, "AccessDeniedException", "not authorized", "it refused: AccessDeniedException: not authorized"),
        ] {
            assert_eq!(refused(status, name, &said(why)), want);
        }
        let body = "{\"__type\":\"com.amazonaws.ses#NotFoundException\",\"Message\":\"no such set\"}";
        assert_eq!(refused(404, "", body), "it refused: NotFoundException: no such set");
        assert_eq!(refused(400, "", "{}"), "it answered 400");
    }
}
