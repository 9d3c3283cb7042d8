//! `POST /chat/slack`: somebody pressed a button in Slack, or typed a command. Slack waits for 3 s; what came of it is said to
//! that person alone: of a press, at the address that came with it; of a command, in our answer.
//! <https://docs.slack.dev/interactivity/handling-user-interaction>
//! <https://docs.slack.dev/interactivity/implementing-slash-commands>

use aws::links;
use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::wire::error_chain;
use aws::{House, Malformed, Refusal, Request, Response, verify, wire};
use domain::{Person, Roster};
use serde::Deserialize;
use serde_json::{Value, json};

use super::commands;
use crate::act::{self, Filled, Outcome};

/// The largest press. It repeats the message, which has some 20 KB. A command is smaller.
const MOST_BYTES: usize = 256 * 1024;
/// How long Slack has to take what is said, in seconds: it waits for our own answer meanwhile.
const SECONDS_TO_SAY: u64 = 1;

pub(crate) async fn hear(house: &House, request: &Request) -> Result<Response, Refusal> {
    let receivers = verified(house, request)?;
    if request.body.len() > MOST_BYTES {
        return Err(Malformed::new("larger than what Slack sends").into());
    }
    let mut form = request.form();
    match (form.remove("payload"), form.get("command")) {
        (Some(payload), _) => press(house, &receivers, &payload).await,
        (None, Some(command)) => typed(house, &receivers, command, &form).await,
        (None, None) => Err(Malformed::new("not a form with the field `payload` or `command`").into()),
    }
}

async fn press(house: &House, receivers: &[&ReceiverConfig], payload: &str) -> Result<Response, Refusal> {
    let press = Press::read(payload)?;
    let Press { user, button, say_at } = match press {
        Some(press) => press,
        None => return Ok(Response::ignored("nobody pressed a button of ours")),
    };
    let outcome = match person(&house.settings().roster, receivers, &user) {
        Some(person) => perform(house, person, &button).await?,
        None => stranger(receivers, &user),
    };
    say(house, receivers, &say_at, &outcome).await;
    Ok(Response { status: 200, headers: Vec::new(), body: String::new() })
}

async fn typed(
    house: &House,
    receivers: &[&ReceiverConfig],
    command: &str,
    form: &Filled,
) -> Result<Response, Refusal> {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let user = form.get("user_id").ok_or_else(|| Malformed::new("nobody typed it"))?;
    let roster = &house.settings().roster;
    let outcome = match (commands::read(command, &unescaped(field("text"))), person(roster, receivers, user)) {
        (None, _) => Outcome::not_understood(commands::OURS),
        (Some(_), None) => stranger(receivers, user),
        (Some(command), Some(by)) => {
            let mentioned = |said: &str| person(roster, receivers, mention(said)?);
            super::obey(house, by, command, mentioned).await?
        }
    };
    Ok(Response::json(200, &said(&outcome)))
}

/// The id in `<@U024BE7LH|ann>`.
fn mention(said: &str) -> Option<&str> {
    said.strip_prefix("<@")?.strip_suffix('>')?.split('|').next()
}

/// The receivers whose app signed it.
fn verified<'a>(house: &'a House, request: &Request) -> Result<Vec<&'a ReceiverConfig>, Refusal> {
    let mut signed = Vec::new();
    let mut refusal = Refusal::NotFound("no receiver of the kind slack has a `signing_secret`");
    let receivers = house.configuration.receivers.values().filter(|r| r.kind == ReceiverKind::Slack);
    for (receiver, name) in receivers.filter_map(|r| Some((r, r.signing_secret.as_ref()?))) {
        let secrets = match house.secrets.get(name) {
            Ok(secrets) => secrets,
            // It may be this one that it was signed with.
            Err(error) => {
                refusal = Refusal::NoSecret(error);
                continue;
            }
        };
        match verify::SLACK.verify(request, &secrets, house.now()) {
            Ok(()) => signed.push(receiver),
            Err(_) if matches!(refusal, Refusal::NoSecret(_)) => {}
            Err(why) => refusal = why,
        }
    }
    if signed.is_empty() { Err(refusal) } else { Ok(signed) }
}

/// One button, pressed.
struct Press {
    /// Slack's id of whoever pressed it.
    user: String,
    button: Button,
    /// Where it is said what came of it.
    say_at: String,
}

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    user: Option<User>,
    #[serde(default)]
    actions: Vec<Button>,
    #[serde(default)]
    response_url: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Button {
    action_id: String,
    /// Absent where it only opens an address.
    value: Option<String>,
}

impl Press {
    /// `None`: something else was done in Slack.
    fn read(payload: &str) -> Result<Option<Self>, Malformed> {
        let Interaction { kind, user, actions, response_url } = wire::parse(payload.as_bytes())?;
        if kind != "block_actions" {
            return Ok(None);
        }
        let user = user.ok_or_else(|| Malformed::new("nobody pressed it"))?;
        match <[Button; 1]>::try_from(actions) {
            Ok([button]) if button.value.is_some() => Ok(Some(Self { user: user.id, button, say_at: response_url })),
            Ok(_) => Ok(None),
            Err(_) => Err(Malformed::new("not one button")),
        }
    }
}

/// Who has this account as a contact.
fn person<'a>(roster: &'a Roster, receivers: &[&ReceiverConfig], user: &str) -> Option<&'a Person> {
    let is = |contact: &domain::Contact| {
        contact.address == user && receivers.iter().any(|receiver| receiver.name == contact.receiver)
    };
    // A channel's id is a contact too, and nobody.
    roster.people().find(|person| user.starts_with(['U', 'W']) && person.contacts.iter().any(is))
}

/// Whom the message was sent to does not count: who presses acts.
async fn perform(house: &House, person: &Person, button: &Button) -> Result<Outcome, Refusal> {
    let secrets = house.secrets.get(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let carried = button.value.as_deref().unwrap_or_default();
    match links::by_any(&secrets, |secret| links::pressed(secret, carried, person.id.clone(), house.now())) {
        Ok(grant) => {
            let form = Filled::from([("do".to_owned(), button.action_id.clone())]);
            act::perform(house, &grant, &form).await
        }
        Err(bad) => Ok(Outcome::refused("button", bad)),
    }
}

fn stranger(receivers: &[&ReceiverConfig], user: &str) -> Outcome {
    tracing::warn!("somebody pressed a button who is not in the roster");
    let name = receivers.first().map_or("", |receiver| receiver.name.as_str());
    let user = domain::text::line(user, 40);
    Outcome::missing(
        "You are not in the roster",
        &format!("Nothing was done. Ask whoever keeps the roster to add \"{name}:{user}\" to your contacts."),
    )
}

/// Says it to whoever pressed. It is done in any case: a failure is logged, and pressing again says what was done.
async fn say(house: &House, receivers: &[&ReceiverConfig], url: &str, outcome: &Outcome) {
    if !receivers.iter().any(|receiver| is_slacks(url, &receiver.url)) {
        tracing::warn!("a button came with an address to answer at that is not Slack's: nothing was said");
        return;
    }
    let body = said(outcome);
    let headers = [("content-type", "application/json; charset=utf-8"), ("user-agent", "recent-deployers")];
    match house.http.send("POST", url, &headers, body.to_string().into_bytes(), SECONDS_TO_SAY).await {
        Ok(answer) if answer.status < 300 => {}
        Ok(answer) => tracing::warn!(status = answer.status, "Slack did not take what came of a button"),
        Err(error) => tracing::warn!(cause = error_chain(&error), "Slack was not told what came of a button"),
    }
}

fn said(outcome: &Outcome) -> Value {
    let text = escaped(&format!("{}. {}", outcome.title.trim_end_matches('.'), outcome.text));
    json!({ "response_type": "ephemeral", "replace_original": false, "text": text, "mrkdwn": false })
}

/// Whether an address is Slack's: `hooks.` of where its API is, or that itself.
fn is_slacks(url: &str, api: &str) -> bool {
    let host = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        let (host, _) = rest.split_once('/')?;
        Some(format!("{scheme}://{host}"))
    };
    let (Some(given), Some(api)) = (host(url), host(&format!("{api}/"))) else { return false };
    given == api || given == api.replacen("://", "://hooks.", 1)
}

/// Titles and names in it are strangers' words.
fn escaped(text: &str) -> String {
    let lines: Vec<String> = text.lines().take(40).map(|line| domain::text::line(line, 1_000)).collect();
    lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What was typed: Slack escapes three letters of it.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_button_is_said_to_slack_only() {
        let api = "https://slack.com/api";
        for good in ["https://hooks.slack.com/actions/T1/2/x", "https://slack.com/x"] {
            assert!(is_slacks(good, api), "{good}");
        }
        for bad in [
            "",
            "https://hooks.slack.com",
            "http://hooks.slack.com/actions",
            "https://hooks.slack.com.evil.example.com/",
            "https://hooks.slack.com@evil.example.com/",
            "https://hooks.slack.com:443/",
            "https://evil.example.com/https://hooks.slack.com/",
            "https://evil.example.com\\@hooks.slack.com/",
            "//hooks.slack.com/",
            "https://HOOKS.slack.com/",
            "file:///etc/passwd",
        ] {
            assert!(!is_slacks(bad, api), "{bad}");
        }
        assert!(is_slacks("https://hooks.slack-gov.com/x", "https://slack-gov.com/api"));
    }
}
