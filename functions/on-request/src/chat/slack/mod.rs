//! `POST /chat/slack`: somebody pressed a button in Slack, typed a command, or opened our home tab. Slack waits for 3 s; what came
//! of a press is said at the address that came with it, of a command in our answer, of what was pressed at home in the home itself.
//! <https://docs.slack.dev/interactivity/handling-user-interaction>
//! <https://docs.slack.dev/interactivity/implementing-slash-commands>
//! <https://docs.slack.dev/apis/events-api>

mod event;
mod home;
mod press;
mod say;

use aws::links::{self, Action, Click};
use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::secrets::Secret;
use aws::{House, Malformed, Refusal, Request, Response, slack, verify};
use domain::{Person, Roster};
use jiff::Timestamp;
use serde_json::Value;

use super::{Offered, commands};
use crate::act::{Filled, Outcome};

/// The largest of what Slack sends. A press repeats the message, which has some 20 KB, or the home tab, which may have 250 before
/// it is made a form.
const MOST_BYTES: usize = 1024 * 1024;

pub(crate) async fn hear(house: &House, request: &Request) -> Result<Response, Refusal> {
    let receivers = verified(house, request)?;
    if request.body.len() > MOST_BYTES {
        return Err(Malformed::new("larger than what Slack sends").into());
    }
    // Events are JSON; what people do is a form.
    if request.body.starts_with(b"{") {
        return event::hear(house, &receivers, &request.body).await;
    }
    let mut form = request.form();
    match (form.remove("payload"), form.get("command")) {
        (Some(payload), _) => press::hear(house, &receivers, &payload).await,
        (None, Some(command)) => typed(house, &receivers, command, &form).await,
        (None, None) => Err(Malformed::new("not a form with the field `payload` or `command`").into()),
    }
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
    let text = slack::unescaped(field("text"));
    let (outcome, offered) = match (commands::read(command, &text), person(roster, receivers, user)) {
        (None, _) => (Outcome::not_understood(commands::OURS), None),
        (Some(_), None) => (stranger(receivers, user), None),
        (Some(command), Some(by)) => {
            let mentioned = |said: &str| person(roster, receivers, mention(said)?);
            super::obey(house, by, command, mentioned).await?
        }
    };
    let doing = match offered {
        Some(Offered { action, only }) => Buttons::of(house)?.doing(&action, only, &[]),
        None => Vec::new(),
    };
    Ok(Response::json(200, &say::said(&outcome, &doing)))
}

/// Makes what can be pressed. What it carries holds for a day.
struct Buttons {
    secret: Secret,
    expires: Timestamp,
}

impl Buttons {
    fn of(house: &House) -> Result<Self, Refusal> {
        let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
        Ok(Self { secret, expires: house.now() + links::LIFE })
    }

    /// What can be done about it, as blocks. `only`: which of its clicks, by their ids; none: all.
    fn doing(&self, action: &Action, only: &[&str], suspects: &[(String, String)]) -> Vec<Value> {
        let wanted = |click: &&Click| only.is_empty() || only.contains(&click.id().as_str());
        let clicks: Vec<&Click> = action.clicks().iter().filter(wanted).collect();
        slack::doing(&links::button(&self.secret, action, self.expires), &clicks, suspects)
    }
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

/// Who has this account as a contact.
fn person<'a>(roster: &'a Roster, receivers: &[&ReceiverConfig], user: &str) -> Option<&'a Person> {
    let is = |contact: &domain::Contact| {
        contact.address == user && receivers.iter().any(|receiver| receiver.name == contact.receiver)
    };
    // A channel's id is a contact too, and nobody.
    roster.people().find(|person| user.starts_with(['U', 'W']) && person.contacts.iter().any(is))
}

fn stranger(receivers: &[&ReceiverConfig], user: &str) -> Outcome {
    tracing::warn!("somebody did something in Slack who is not in the roster");
    Outcome::missing("You are not in the roster", &format!("Nothing was done. {}", joining(receivers, user)))
}

/// How somebody comes to be known.
fn joining(receivers: &[&ReceiverConfig], user: &str) -> String {
    let name = receivers.first().map_or("", |receiver| receiver.name.as_str());
    let user = domain::text::line(user, 40);
    format!("Ask whoever keeps the roster to add \"{name}:{user}\" to your contacts.")
}
