//! Somebody pressed a button, chose from a menu or wrote a line, below a message of ours or at home.
//! <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>

use aws::links::{self, Fill, Grant};
use aws::receiver::ReceiverConfig;
use aws::wire::error_chain;
use aws::{House, Malformed, Refusal, Response, slack, wire};
use domain::Person;
use serde::Deserialize;

use super::{home, person, say, stranger};
use crate::act::{self, Outcome};

pub(super) async fn hear(house: &House, receivers: &[&ReceiverConfig], payload: &str) -> Result<Response, Refusal> {
    let press = match Press::read(payload)? {
        Ok(press) => press,
        Err(why) => return Ok(Response::ignored(why)),
    };
    let by = person(&house.settings().roster, receivers, &press.user);
    let outcome = match by {
        Some(person) => perform(house, receivers, person, &press).await?,
        None => stranger(receivers, &press.user),
    };
    match press.at {
        Place::Message { say_at } => say::say(house, receivers, &say_at, &outcome).await,
        // It is done: that the tab could not be read again is no reason to have it done once more.
        Place::Home => home::show(house, receivers, &press.user, by, Some(&outcome)).await.unwrap_or_else(|error| {
            tracing::warn!(cause = error_chain(&error), "the home tab was not shown again");
        }),
    }
    Ok(Response { status: 200, headers: Vec::new(), body: String::new() })
}

/// One element, pressed.
struct Press {
    /// Slack's id of whoever pressed it.
    user: String,
    /// Which of those of its action.
    id: String,
    /// What says what it is about.
    carried: String,
    filled: Filling,
    at: Place,
}

enum Filling {
    Nothing,
    /// Slack's id of a person.
    Person(String),
    Text(String),
}

enum Place {
    /// Where it is said what came of it.
    Message {
        say_at: String,
    },
    Home,
}

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    user: Option<Id>,
    view: Option<View>,
    #[serde(default)]
    actions: Vec<Element>,
    #[serde(default)]
    response_url: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct View {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Element {
    #[serde(rename = "type", default)]
    kind: String,
    action_id: String,
    #[serde(default)]
    block_id: String,
    /// Absent of a button that only opens an address.
    value: Option<String>,
    selected_user: Option<String>,
    selected_option: Option<Chosen>,
}

#[derive(Deserialize)]
struct Chosen {
    value: String,
}

impl Press {
    /// The inner error: something else was done in Slack, or nothing yet.
    fn read(payload: &str) -> Result<Result<Self, &'static str>, Malformed> {
        let Interaction { kind, user, view, actions, response_url } = wire::parse(payload.as_bytes())?;
        if kind != "block_actions" {
            return Ok(Err(named(&kind)));
        }
        let user = user.ok_or_else(|| Malformed::new("nobody pressed it"))?.id;
        let [element] = <[Element; 1]>::try_from(actions).map_err(|_| Malformed::new("not one button"))?;
        let block = slack::named(&element.block_id).to_owned();
        let (carried, filled) = match (element.kind.as_str(), element.value) {
            ("button", Some(value)) => (value, Filling::Nothing),
            ("button", None) => return Ok(Err("a button that opens an address")),
            ("plain_text_input", Some(text)) => (block, Filling::Text(text)),
            ("users_select", _) => match element.selected_user {
                Some(user) => (block, Filling::Person(user)),
                None => return Ok(Err(NOTHING)),
            },
            ("static_select", _) => match element.selected_option {
                Some(chosen) => (block, Filling::Text(chosen.value)),
                None => return Ok(Err(NOTHING)),
            },
            _ => return Ok(Err("nobody pressed a button of ours")),
        };
        let at = match view {
            Some(view) if view.kind == "home" => Place::Home,
            Some(_) | None => Place::Message { say_at: response_url },
        };
        Ok(Ok(Self { user, id: element.action_id, carried, filled, at }))
    }
}

const NOTHING: &str = "nothing was chosen";

/// What else people do there: we have no dialogs and no shortcuts.
fn named(kind: &str) -> &'static str {
    match kind {
        "view_submission" => "a dialog was sent, and we have none",
        "view_closed" => "a dialog was closed",
        "message_action" | "shortcut" => "a shortcut, and we have none",
        "block_suggestion" => "a menu asks for its options, and ours have theirs",
        _ => "nobody pressed a button of ours",
    }
}

/// Whom the message was sent to does not count: who presses acts.
async fn perform(house: &House, receivers: &[&ReceiverConfig], by: &Person, press: &Press) -> Result<Outcome, Refusal> {
    let secrets = house.secrets.get(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let check = |secret: &_| links::pressed(secret, &press.carried, by.id.clone(), house.now());
    let grant: Grant = match links::by_any(&secrets, check) {
        Ok(grant) => grant,
        Err(bad) => return Ok(Outcome::refused("button", bad)),
    };
    let Some(click) = grant.action.click(&press.id) else {
        return Ok(Outcome::not_understood("there is no such button any more: open the board"));
    };
    let form = match (click.fill, &press.filled) {
        (Fill::Nothing | Fill::Always(..) | Fill::Oneself(_), Filling::Nothing) => click.form(&by.id, ""),
        (Fill::Suspect(_) | Fill::Words(_), Filling::Text(text)) => click.form(&by.id, &slack::unescaped(text)),
        (Fill::Person(_), Filling::Person(user)) => match person(&house.settings().roster, receivers, user) {
            Some(chosen) => click.form(&by.id, chosen.id.as_str()),
            None => {
                let text = "Whom you chose is not in the roster. Nothing was done.";
                return Ok(Outcome::missing("Nobody by this name", text));
            }
        },
        _ => return Ok(Outcome::not_understood("it was pressed otherwise than it is made")),
    };
    act::perform(house, &grant, &form).await
}
