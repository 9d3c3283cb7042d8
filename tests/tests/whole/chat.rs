//! Somebody presses a button in Slack, or types a command: it does what the form of the link would, in the name of whoever did
//! it, and is said to them alone. Outsiders are hostile here too.

use std::sync::Mutex;

use aws::Response;
use aws::links::{self, Action};
use aws::secrets::Secret;
use aws::verify::{hmac_sha256, to_hex};
use domain::Attendance;
use house_tests::Stage;
use house_tests::peer::{Mishap, Peer, Received};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// The secret of Slack's published example, and what it signed.
const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const PUBLISHED: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
    &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
    &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const PUBLISHED_SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

pub const ANNA: &str = "U0ANNA00001";
pub const FEANIL: &str = "U0FEANIL001";
pub const USAMA: &str = "U0USAMA0001";
pub const OLGA: &str = "U0OLGA00001";
/// Of outside.
pub const CAROL: &str = "U0CAROL0001";
pub const STRANGER: &str = "U0STRANGER1";
pub const CHANNEL: &str = "C0EDXAPP001";

pub struct Chat {
    pub stage: Stage,
    pub slack: Peer,
    /// What came there while something else was looked for.
    kept: Mutex<Vec<Received>>,
}

impl Chat {
    /// anna is reached at `anna`, feanil by direct message, both at the terminal next.
    pub async fn with(anna: &str, signing: &str) -> Self {
        let slack = Peer::start().await;
        slack.always_answers("POST /api", 200, r#"{"ok":true,"channel":"D1","ts":"1.2"}"#);
        let mut text = house_tests::configuration(&["edxapp"]);
        let contacts =
            [("anna", format!("\"slack:{anna}\", \"slack:{ANNA}\"")), ("feanil", format!("\"slack:{FEANIL}\""))];
        for (id, contact) in contacts {
            let old = format!("github = [\"{id}\"]\ncontacts = [\"terminal\"]");
            text = text.replace(&old, &format!("github = [\"{id}\"]\ncontacts = [{contact}, \"terminal\"]"));
        }
        let text =
            text.replace("[services.edxapp]\n", "[services.edxapp]\nzone = \"UTC\"\nhours = \"Mon-Fri 09:00-17:00\"\n");
        let receiver = format!("[receivers.slack]\nurl = \"{}/api\"\nsecret = \"api\"\n{signing}\n", slack.address);
        Self { stage: Stage::with(&format!("{text}\n{receiver}"), |_| {}).await, slack, kept: Mutex::default() }
    }

    pub async fn new() -> Self {
        Self::with(ANNA, "signing_secret = \"signing\"").await
    }

    /// Everybody is in Slack, carol of outside too, and the service has a channel.
    pub async fn of_everybody(more: &str) -> Self {
        let slack = Peer::start().await;
        slack.always_answers("POST /api", 200, r#"{"ok":true,"channel":"D1","ts":"1.2"}"#);
        let mut text = house_tests::configuration(&["edxapp"]);
        for (id, account) in [("anna", ANNA), ("feanil", FEANIL), ("usama", USAMA), ("olga", OLGA)] {
            let old = format!("github = [\"{id}\"]\ncontacts = [\"terminal\"]");
            text = text.replace(&old, &format!("github = [\"{id}\"]\ncontacts = [\"slack:{account}\", \"terminal\"]"));
        }
        let text = text.replace(
            "[services.edxapp]\n",
            &format!(
                "[services.edxapp]\nchannel = [\"slack:{CHANNEL}\"]\nzone = \"UTC\"\nhours = \"Mon-Fri 09:00-17:00\"\n"
            ),
        );
        let carol = format!(
            "[people.carol]\nzone = \"UTC\"\ngithub = [\"carol\"]\ncontacts = [\"slack:{CAROL}\"]\nchampions = [\"anna\"]\n"
        );
        let receiver = format!(
            "[receivers.slack]\nurl = \"{}/api\"\nsecret = \"api\"\nsigning_secret = \"signing\"\n",
            slack.address
        );
        Self {
            stage: Stage::with(&format!("{text}\n{carol}\n{receiver}\n{more}"), |_| {}).await,
            slack,
            kept: Mutex::default(),
        }
    }

    /// What was posted since this was last asked.
    pub fn posted(&self) -> Vec<Value> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap());
        let api = kept.into_iter().chain(self.slack.received());
        let api = api.filter(|request| request.line.starts_with("POST /api/chat.postMessage"));
        api.map(|request| serde_json::from_str(&request.body).unwrap()).collect()
    }

    /// Pages anna, and gives back the message.
    pub async fn page(&self) -> Value {
        self.stage.alert("edxapp", "Fri 12:00", false).await;
        self.posted().remove(0)
    }

    /// Pages anna, and gives back what the button that acknowledges carries.
    pub async fn button(&self) -> String {
        button(&self.page().await, "acknowledge")
    }

    pub fn payload(&self, user: &str, does: &str, value: &str) -> Value {
        self.pressing(user, json!({ "type": "button", "action_id": does, "block_id": "b", "value": value }))
    }

    /// This element is pressed, below a message.
    pub fn pressing(&self, user: &str, element: Value) -> Value {
        json!({
            "type": "block_actions",
            "user": { "id": user, "username": "x", "team_id": "T1" },
            "team": null,
            "container": { "type": "message", "message_ts": "1.2", "channel_id": "D1" },
            "response_url": format!("{}/actions/T1/2/x", self.slack.address),
            "actions": [element],
        })
    }

    pub async fn send(&self, payload: &Value) -> Response {
        let body = form(payload);
        self.stage.post("/chat/slack", signed(&self.stage, &body), body.as_bytes()).await
    }

    /// Presses it, and gives back what that person was told.
    pub async fn press(&self, user: &str, does: &str, value: &str) -> String {
        self.told(&self.payload(user, does, value)).await
    }

    /// Sends it, and gives back what that person was told.
    pub async fn told(&self, payload: &Value) -> String {
        let answer = self.send(payload).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        let (told, others): (Vec<Received>, Vec<Received>) =
            self.slack.received().into_iter().partition(|request| request.line.starts_with("POST /actions/T1/2/x"));
        self.kept.lock().unwrap().extend(others);
        let told: Vec<Value> = told.iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["response_type"], "ephemeral");
        assert_eq!(told[0]["replace_original"], false);
        told[0]["text"].as_str().unwrap().to_owned()
    }

    /// Types it, and gives back what that person was told.
    pub async fn types(&self, user: &str, command: &str, text: &str) -> String {
        self.answer(user, command, text).await["text"].as_str().unwrap().to_owned()
    }

    /// Types it, and gives back the whole answer.
    pub async fn answer(&self, user: &str, command: &str, text: &str) -> Value {
        let body = typed(user, command, text);
        let answer = self.stage.post("/chat/slack", signed(&self.stage, &body), body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(told["response_type"], "ephemeral");
        told
    }

    /// Who has acknowledged the one incident.
    pub async fn acknowledged(&self) -> Vec<String> {
        let incident = self.stage.incident("edxapp").await;
        incident.acknowledged.iter().map(|a| a.name(&self.stage.house.settings().roster).to_owned()).collect()
    }

    /// Posts, and asserts that it was refused with this and that the table was not touched.
    pub async fn refused(&self, headers: Vec<(String, String)>, body: &str, status: u16) {
        let (answer, cost) = self.stage.cost(self.stage.post("/chat/slack", headers, body.as_bytes())).await;
        let sent: String = body.chars().take(300).collect();
        assert_eq!((answer.status, cost), (status, [0; 4]), "{sent}: {}", answer.body);
    }
}

pub fn button(message: &Value, does: &str) -> String {
    let blocks = message["blocks"].as_array().unwrap();
    let buttons = blocks.iter().filter(|b| b["type"] == "actions").flat_map(|b| b["elements"].as_array().unwrap());
    let found = buttons.into_iter().find(|b| b["action_id"] == does);
    found.unwrap_or_else(|| panic!("no {does} in {message}"))["value"].as_str().unwrap().to_owned()
}

pub fn form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

/// A command as Slack's own library describes it, where that is at hand; else with the fields that we read.
pub fn typed(user: &str, command: &str, text: &str) -> String {
    let path = house_tests::root().join("../shared/payloads/slack-sdk/SlashCommandPayload.json");
    let described =
        std::fs::read(path).map(|text| serde_json::from_slice::<serde_json::Map<String, Value>>(&text).unwrap());
    if described.is_err() {
        println!("not present: ../shared/payloads; the fields that we read");
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    let ours = [("user_id", user), ("command", command), ("text", text)];
    for name in described.iter().flat_map(|fields| fields.keys()).filter(|name| ours.iter().all(|(our, _)| our != name))
    {
        form.append_pair(name, "x");
    }
    form.extend_pairs(ours).finish()
}

pub fn headers(time: i64, signature: &str) -> Vec<(String, String)> {
    vec![
        ("Content-Type".into(), "application/x-www-form-urlencoded".into()),
        ("X-Slack-Request-Timestamp".into(), time.to_string()),
        ("X-Slack-Signature".into(), signature.into()),
    ]
}

/// As Slack signs it, now.
pub fn signed(stage: &Stage, body: &str) -> Vec<(String, String)> {
    let time = stage.clock.now().as_second();
    let mac = hmac_sha256(SIGNING.as_bytes(), &[format!("v0:{time}:{body}").as_bytes()]);
    headers(time, &format!("v0={}", to_hex(&mac)))
}

#[tokio::test]
async fn slacks_published_example_is_genuine_within_five_minutes_and_no_command_of_ours() {
    let chat = Chat::new().await;
    let time = 1_531_420_618;
    let example = || headers(time, PUBLISHED_SIGNATURE);
    for (late, status) in [(0, 200), (300, 200), (301, 401), (-300, 200), (-301, 401)] {
        chat.stage.clock.set(jiff::Timestamp::from_second(time + late).unwrap());
        chat.refused(example(), PUBLISHED, status).await;
    }
    chat.stage.clock.set(jiff::Timestamp::from_second(time).unwrap());
    chat.refused(example(), &PUBLISHED.replace("roadrunner", "coyote"), 401).await;
    chat.refused(headers(time + 1, PUBLISHED_SIGNATURE), PUBLISHED, 401).await;
    chat.refused(headers(time, &PUBLISHED_SIGNATURE[3..]), PUBLISHED, 401).await;
    chat.refused([example(), example()].concat(), PUBLISHED, 401).await;
    chat.refused(Vec::new(), PUBLISHED, 401).await;
}

#[tokio::test]
async fn a_press_acknowledges_and_a_replay_says_that_it_was_done() {
    let chat = Chat::new().await;
    let value = chat.button().await;
    let text = chat.press(ANNA, "acknowledge", &value).await;
    assert_eq!(text, "Acknowledged. It is yours. Nobody else will be paged for it.");
    assert_eq!(chat.acknowledged().await, ["anna"]);
    let text = chat.press(ANNA, "acknowledge", &value).await;
    assert!(text.starts_with("Acknowledged before. You acknowledged this at "), "{text}");
    assert_eq!(chat.acknowledged().await, ["anna"]);
    chat.stage.alert("edxapp", "Fri 12:00", true).await;
    let text = chat.press(FEANIL, "acknowledge", &value).await;
    assert!(text.starts_with("Resolved already. "), "{text}");
}

#[tokio::test]
async fn whoever_presses_acts_and_never_whom_it_was_sent_to() {
    let chat = Chat::new().await;
    let value = chat.button().await;
    assert!(!value.contains("anna"), "{value}");
    chat.press(FEANIL, "acknowledge", &value).await;
    assert_eq!(chat.acknowledged().await, ["feanil"]);
    assert_eq!(chat.stage.get(&value).await.status, 403, "what a button carries is no link");
}

#[tokio::test]
async fn in_a_channel_nobody_finds_the_link_of_somebody_else() {
    let chat = Chat::with(CHANNEL, "signing_secret = \"signing\"").await;
    let page = chat.page().await;
    assert_eq!(page["channel"], CHANNEL);
    assert!(!page.to_string().contains("/anna/"), "{page}");
    chat.press(FEANIL, "acknowledge", &button(&page, "acknowledge")).await;
    assert_eq!(chat.acknowledged().await, ["feanil"]);

    let direct = Chat::new().await.page().await;
    assert!(direct.to_string().contains("|Open>"), "a direct message has it, should the button not work: {direct}");
}

#[tokio::test]
async fn a_stranger_is_told_so_and_does_nothing() {
    let chat = Chat::with(CHANNEL, "signing_secret = \"signing\"").await;
    let value = chat.button().await;
    for stranger in ["U0STRANGER1", "", CHANNEL, "u0anna00001", "<!channel>"] {
        let text = chat.press(stranger, "acknowledge", &value).await;
        assert!(text.starts_with("You are not in the roster. Nothing was done."), "{text}");
        assert!(!text.contains('<'), "{text}");
    }
    assert!(chat.acknowledged().await.is_empty());
}

#[tokio::test]
async fn a_button_that_is_unknown_forged_or_stale_says_so_and_does_nothing() {
    let chat = Chat::new().await;
    let value = chat.button().await;
    for does in ["explode", "Acknowledge", "acknowledge ", ""] {
        let text = chat.press(ANNA, does, &value).await;
        assert!(text.starts_with("Not understood. "), "{does}: {text}");
    }
    let incident = chat.stage.incident("edxapp").await.id;
    let now = chat.stage.clock.now();
    let expires = now + SignedDuration::from_hours(1);
    let forger = Secret::new("guessed").unwrap();
    let forged = links::button(&forger, &Action::Acknowledge(incident.clone()), expires);
    let link = chat.stage.link(Action::Acknowledge(incident.clone()), "anna");
    let other = value.replace("/acknowledge/edxapp-", "/acknowledge/edxapq-");
    for bad in [forged.as_str(), &link, &other, "", "/", "acknowledge", &"/".repeat(2_000)] {
        let text = chat.press(ANNA, "acknowledge", bad).await;
        assert!(text.starts_with("This button does not work. Nothing was done: "), "{bad}: {text}");
    }
    let unknown = Action::Acknowledge("edxapp-aaaaaaaa".parse().unwrap());
    let unknown = links::button(&Secret::new("links-key").unwrap(), &unknown, expires);
    assert!(chat.press(ANNA, "acknowledge", &unknown).await.starts_with("No such incident. "));
    chat.stage.clock.set(now + links::LIFE);
    let text = chat.press(ANNA, "acknowledge", &value).await;
    assert!(text.contains("it has expired"), "{text}");
    assert!(chat.acknowledged().await.is_empty());
}

#[tokio::test]
async fn what_is_no_press_is_refused_and_nothing_is_stored() {
    let chat = Chat::new().await;
    let without = |field: &str| {
        let mut payload = chat.payload(ANNA, "acknowledge", "/x");
        payload.as_object_mut().unwrap().remove(field);
        form(&payload)
    };
    let mut two = chat.payload(ANNA, "acknowledge", "/x");
    two["actions"] = json!([two["actions"][0], two["actions"][0]]);
    for body in [
        String::new(),
        "{}".to_owned(),
        chat.payload(ANNA, "acknowledge", "/x").to_string(),
        "payload=".to_owned(),
        "payload=%7B".to_owned(),
        "payload=[]".to_owned(),
        "payload=%ff%fe".to_owned(),
        format!("payload={}", "[".repeat(100_000)),
        without("type"),
        without("user"),
        without("actions"),
        form(&two),
        form(&json!({ "type": "block_actions", "user": { "id": 7 }, "actions": [] })),
        format!("{}&more={}", form(&chat.payload(ANNA, "acknowledge", "/x")), "x".repeat(1_100_000)),
    ] {
        chat.refused(signed(&chat.stage, &body), &body, 400).await;
    }
    let mut opens = chat.payload(ANNA, "open", "");
    opens["actions"][0].as_object_mut().unwrap().remove("value");
    for (what, payload) in [("another kind", json!({ "type": "view_submission" })), ("opens an address", opens)] {
        let (answer, cost) = chat.stage.cost(chat.send(&payload)).await;
        assert_eq!((answer.status, cost), (200, [0; 4]), "{what}");
    }
    assert!(chat.slack.received().is_empty());
}

#[tokio::test]
async fn without_its_secret_it_asks_to_be_pressed_again_and_without_any_it_is_not_there() {
    for (signing, status) in [("signing_secret = \"absent\"", 503), ("", 404)] {
        let chat = Chat::with(ANNA, signing).await;
        let body = form(&chat.payload(ANNA, "acknowledge", "/x"));
        chat.refused(signed(&chat.stage, &body), &body, status).await;
    }
    let chat = Chat::new().await;
    assert_eq!(chat.stage.get("/chat/slack").await.status, 404);
}

#[tokio::test]
async fn what_came_of_it_is_said_to_slack_only_and_done_whether_slack_hears_it_or_not() {
    let chat = Chat::new().await;
    let value = chat.button().await;
    let elsewhere = Peer::start().await;
    let mut payload = chat.payload(ANNA, "acknowledge", &value);
    payload["response_url"] = json!(format!("{}/actions", elsewhere.address));
    assert_eq!(chat.send(&payload).await.status, 200);
    assert_eq!(chat.acknowledged().await, ["anna"]);
    assert!(elsewhere.received().is_empty() && chat.slack.received().is_empty());

    for mishap in [Mishap::Resets, Mishap::Takes(5), Mishap::Says(404, String::new(), String::new())] {
        let chat = Chat::new().await;
        let value = chat.button().await;
        chat.slack.will("POST /actions", mishap);
        assert_eq!(chat.send(&chat.payload(FEANIL, "acknowledge", &value)).await.status, 200);
        assert_eq!(chat.acknowledged().await, ["feanil"]);
    }
}

#[tokio::test]
async fn the_pager_is_taken_by_a_press_too() {
    let mut chat = Chat::new().await;
    chat.stage.at("Fri 23:00").await.merge("feanil", 12).await;
    let asked = chat.posted().into_iter().find(|message| message.to_string().contains("I cannot")).unwrap();
    let text = chat.press(FEANIL, "take", &button(&asked, "take")).await;
    assert_eq!(text, "Thank you. You have the pager for it. Nobody else is woken first.");
    let situation = chat.stage.situation("edxapp").await;
    let settings = chat.stage.house.settings();
    let service = settings.service(&situation.service).unwrap();
    let all = domain::window::windows(&situation, service, &settings.roster, chat.stage.clock.now());
    assert!(matches!(all[0].attendance, Attendance::Taken { .. }));
    let text = chat.press(FEANIL, "take", &button(&asked, "take")).await;
    assert!(text.starts_with("Nothing to do"), "{text}");
}

#[tokio::test]
async fn a_freeze_is_declared_seen_and_ended_by_a_command() {
    let mut chat = Chat::new().await;
    chat.stage.at("Fri 12:00").await;
    let week = "Gratitude days until 2026-03-24 09:00 preset holiday";
    let text = chat.types(FEANIL, "/freeze", &format!("{week} preview")).await;
    assert!(
        text.starts_with("What it would touch. ") && text.contains("\n") && text.contains("Nothing was declared"),
        "{text}"
    );
    let text = chat.types(FEANIL, "/freeze", "").await;
    assert!(text.starts_with("Freezes. No freeze is under way or ahead.\nWrite: /freeze Gratitude week"), "{text}");

    let text = chat.types(FEANIL, "/freeze", week).await;
    assert!(text.starts_with("The freeze is declared. Gratitude days until 2026-03-24 09:00"), "{text}");
    assert_eq!(chat.stage.situation("freezes").await.freezes.len(), 1);
    // Slack shows a timeout and somebody types it again: it is one freeze.
    let text = chat.types(FEANIL, "/freeze", week).await;
    assert!(text.starts_with("Nothing to do. "), "{text}");
    let text = chat.types(ANNA, "/freeze", "").await;
    assert!(text.contains("Gratitude days until 2026-03-24 09:00"), "{text}");

    let text = chat.types(FEANIL, "/freeze", "end gratitude-days").await;
    assert!(text.starts_with("The freeze is over. "), "{text}");
    let log = chat.stage.house.store.log(&chat.stage.house.settings().freeze_desk().id, 20).await.unwrap();
    let said: Vec<String> = log.iter().map(|entry| entry.what.clone()).collect();
    assert!(said.iter().any(|what| what.starts_with("feanil declares the freeze gratitude-days")), "{said:?}");
}

#[tokio::test]
async fn a_fix_passes_by_commands() {
    let mut chat = Chat::new().await;
    chat.stage.at("Fri 12:00").await;
    chat.types(FEANIL, "/freeze", "Gratitude days until 2026-03-24 09:00 preset holiday").await;
    let text = chat.types(FEANIL, "/deploy-expedite", "openedx/edx-platform#12").await;
    assert_eq!(text, "Noted. Say why: nobody signs without a reason.");
    chat.stage.at("Fri 12:01").await;
    let text = chat.types(FEANIL, "/deploy-expedite", "openedx/edx-platform#12 checkout &lt;answers&gt; 500").await;
    assert_eq!(text, "Noted. An approver has to sign; they are told.");
    let desk = chat.stage.situation("freezes").await;
    let one = &desk.expedites.values().next().unwrap().value;
    assert_eq!((one.by.as_str(), one.reason.as_str()), ("feanil", "checkout <answers> 500"));
    let text = chat.types(FEANIL, "/expedite", "sign openedx/edx-platform#12").await;
    assert!(text.starts_with("Nothing was done. "), "nobody signs for themselves: {text}");
    let text = chat.types(ANNA, "/expedite", "sign openedx/edx-platform#12").await;
    assert_eq!(text, "Nothing was done. It waits for another signature than yours: an approver's.");
    let text = chat.types(FEANIL, "/expedite", "withdraw openedx/edx-platform#12").await;
    assert!(text.starts_with("Noted. It was taken back."), "{text}");
}

#[tokio::test]
async fn a_command_of_a_stranger_or_one_that_cannot_be_read_changes_nothing() {
    let chat = Chat::new().await;
    let week = "Gratitude days until 2026-03-24 09:00";
    for (user, command, text, told) in [
        ("U0STRANGER1", "/freeze", week, "You are not in the roster. Nothing was done."),
        ("", "/expedite", "openedx/edx-platform#12 x", "You are not in the roster. Nothing was done."),
        (CHANNEL, "/freeze", week, "You are not in the roster. Nothing was done."),
        (FEANIL, "/webhook-collect", week, "Not understood. This app has the commands"),
        (FEANIL, "/freeze", "Gratitude days", "Not understood. Write: /freeze"),
        (FEANIL, "/freeze", "Gratitude days until soon", "Not understood. `from` and `until` are times"),
        (FEANIL, "/freeze", "<!channel> until 2026-03-24 preset party", "Not understood. `preset` is"),
        (FEANIL, "/expedite", "checkout answers 500", "Not understood. Write: /expedite"),
    ] {
        let body = typed(user, command, text);
        let sent = chat.stage.post("/chat/slack", signed(&chat.stage, &body), body.as_bytes());
        let (answer, cost) = chat.stage.cost(sent).await;
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(said["text"].as_str().unwrap().starts_with(told), "{user} {command} {text}: {said}");
        assert_eq!(cost, [0; 4], "{user} {command} {text}");
    }
    let body = typed(FEANIL, "/freeze", week);
    chat.refused(signed(&chat.stage, &typed(ANNA, "/freeze", week)), &body, 401).await;
    let nobody = "command=%2Ffreeze&text=x";
    chat.refused(signed(&chat.stage, nobody), nobody, 400).await;
    let long = typed(FEANIL, "/freeze", &"x ".repeat(600_000));
    chat.refused(signed(&chat.stage, &long), &long, 400).await;
}

#[tokio::test]
async fn who_is_on_call_is_seen_taken_given_back_and_handed_over_by_commands() {
    let mut chat = Chat::new().await;
    assert_eq!(
        chat.types(FEANIL, "/oncall", "").await.lines().next().unwrap(),
        "You answer for. Nothing: you are not on call, and nothing of yours waits."
    );
    chat.stage.at("Fri 11:30").await.merge("feanil", 12).await;
    let mine = chat.types(FEANIL, "/oncall", "me").await;
    assert!(mine.starts_with("You answer for. edx-platform#12 in edxapp: standby.\n"), "{mine}");
    chat.stage.at("Fri 11:50").await.deploy("prod", "success", 12).await;
    let mine = chat.types(FEANIL, "/oncall", "").await;
    assert!(
        mine.starts_with("You answer for. edx-platform#12 in edxapp: on call until 08:50 (America/New_York).\n"),
        "{mine}"
    );
    let service = chat.types(ANNA, "/who-oncall", "edxapp").await;
    assert!(service.contains("\nfeanil is on call for edx-platform#12 until 13:50 (Europe/Stockholm).\n"), "{service}");
    assert!(service.contains("\nThe rotation: anna.\n"), "{service}");

    let taken = chat.types(ANNA, "/takeoncall", "edxapp 45m").await;
    assert_eq!(taken, "On call. anna has the pager of edxapp; the board shows it.");
    let service = chat.types(FEANIL, "/oncall", "edxapp").await;
    assert!(service.starts_with("On call for edxapp. anna has its pager until 08:35 (America/New_York)."), "{service}");
    let back = chat.types(ANNA, "/takeoncall", "edxapp back").await;
    assert!(back.starts_with("Given back. "), "{back}");
    let again = chat.types(ANNA, "/takeoncall", "edxapp back").await;
    assert!(again.starts_with("Nothing "), "{again}");

    for (minute, (by, said, told)) in (0..).zip([
        (FEANIL, "nobody", "Nobody by this name. "),
        (FEANIL, "<@U0STRANGER1|anna>", "Nobody by this name. "),
        (FEANIL, "anna edx-platform#99", "Nothing to hand over. "),
        (ANNA, "feanil edx-platform#12", "Nothing to hand over. "),
        (FEANIL, &format!("to &lt;@{ANNA}|ann&gt;"), "Handed over. anna has it now, and was told."),
        (FEANIL, "anna", "Nothing to hand over. "),
        (ANNA, "edx-platform#12 to feanil", "Handed over. feanil has it now, and was told."),
    ]) {
        chat.stage.at(&format!("Fri 12:0{minute}")).await;
        let text = chat.types(by, "/handover", said).await;
        assert!(text.starts_with(told), "{by} {said}: {text}");
    }
    chat.stage.merge("feanil", 13).await;
    let several = chat.types(FEANIL, "/handover", "anna").await;
    assert!(several.starts_with("Several are yours. "), "{several}");
    assert!(
        several.contains("edx-platform#12 in edxapp") && several.contains("edx-platform#13 in edxapp"),
        "{several}"
    );
}

#[tokio::test]
async fn revert_is_a_button_that_acts_for_whoever_presses_it_and_once() {
    let chat = Chat::new().await;
    let forge = crate::undo::fake::Fake::start().await;
    // A forge that opens reverts of the repository.
    let mut configuration = (*chat.stage.house.configuration).clone();
    let source = configuration.senders.get_mut("github").unwrap();
    (source.api_token, source.api_url, source.reverts) = (Some("api".into()), Some(forge.address.clone()), true);
    configuration.settings = configuration.settings.with_reverts(|_| Some(domain::undo::Opens::PullRequests));
    let mut chat = chat;
    chat.stage.bundle.house.configuration = std::sync::Arc::new(configuration);
    chat.stage.merge("feanil", 2).await;
    chat.stage.deploy("prod", "success", 2).await;
    let posted = chat.posted();
    let started = posted.iter().find(|message| message["text"].as_str().unwrap().contains("Your turn starts")).unwrap();
    let value = button(started, "revert");
    let told = chat.press(ANNA, "revert", &value).await;
    assert!(told.starts_with("The revert of edx-platform#2 is on its way. One pull request is opened."), "{told}");
    let told = chat.press(FEANIL, "revert", &value).await;
    assert!(told.starts_with("Asked for already. Revert: asked for by anna at "), "{told}");
    assert_eq!(forge.pulls().len(), 1);
}
