//! Each button, menu and line of Slack, from the message that has it to what it did: pressed once, pressed again, pressed late,
//! pressed by somebody who should not, made up by somebody else.

use std::collections::BTreeSet;

use aws::links::{self, Action, Click, Fill};
use aws::secrets::Secret;
use domain::{ChangeId, Situation};
use house_tests::{REPOSITORY, commit};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::chat::*;

fn secret() -> Secret {
    Secret::new("links-key").unwrap()
}

fn change(number: u64) -> ChangeId {
    ChangeId { repository: REPOSITORY.parse().unwrap(), commit: commit(number).parse().unwrap() }
}

/// The ids of what can be pressed, chosen or written at a message.
fn ids(message: &Value) -> Vec<String> {
    elements(message).iter().map(|element| element["action_id"].as_str().unwrap().to_owned()).collect()
}

/// What can be pressed, chosen or written, each with the name of its block.
fn elements(message: &Value) -> Vec<Value> {
    let blocks = message["blocks"].as_array().cloned().unwrap_or_default();
    let of = |block: &Value| {
        let one = block.get("element").cloned().into_iter();
        let all = one.chain(block["elements"].as_array().cloned().unwrap_or_default());
        let name = block["block_id"].clone();
        let named = |mut element: Value| {
            element["block_id"] = name.clone();
            element
        };
        all.filter(|element| element.get("action_id").is_some()).map(named).collect::<Vec<_>>()
    };
    blocks.iter().flat_map(of).collect()
}

/// The element of this id, as Slack sends it when it is used with `filled`.
fn used(message: &Value, id: &str, filled: &str) -> Value {
    let all = elements(message);
    let found = all.iter().find(|element| element["action_id"] == id);
    filled_in(found.unwrap_or_else(|| panic!("no {id} in {message}")), filled)
}

fn filled_in(element: &Value, filled: &str) -> Value {
    let mut sent =
        json!({ "type": element["type"], "action_id": element["action_id"], "block_id": element["block_id"] });
    match element["type"].as_str().unwrap() {
        "button" => sent["value"] = element["value"].clone(),
        "users_select" => sent["selected_user"] = json!(filled),
        "static_select" => {
            sent["selected_option"] = json!({ "text": { "type": "plain_text", "text": "x" }, "value": filled })
        }
        "plain_text_input" => sent["value"] = json!(filled),
        other => panic!("we make no {other}"),
    }
    sent
}

/// Of what was posted, what says this.
fn saying(messages: &[Value], part: &str) -> Value {
    let found = messages.iter().find(|message| message["text"].as_str().is_some_and(|text| text.contains(part)));
    found.unwrap_or_else(|| panic!("nobody said {part:?}: {messages:#?}")).clone()
}

impl Chat {
    /// Uses it, and gives back what that person was told.
    async fn uses(&self, user: &str, message: &Value, id: &str, filled: &str) -> String {
        self.told(&self.pressing(user, used(message, id, filled))).await
    }
}

#[tokio::test]
async fn what_somebodys_turn_is_about_is_handed_over_by_a_menu() {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.merge("feanil", 12).await;
    assert_eq!(ids(&saying(&chat.posted(), "on standby")), ["hand-over.to"]);
    chat.stage.deploy("prod", "success", 12).await;
    let starts = saying(&chat.posted(), "Your turn starts");
    assert_eq!(ids(&starts), ["hand-over.to"]);
    for (chosen, told) in [
        (STRANGER, "Nobody by this name. Whom you chose is not in the roster. Nothing was done."),
        (CHANNEL, "Nobody by this name. "),
        (CAROL, "Nothing was done. Carol is an outside contributor, who is not to be paged."),
        (FEANIL, "Nothing to do. "),
        (ANNA, "Handed over. anna has it now, and was told."),
        (ANNA, "Nothing to do. That is so already."),
    ] {
        let text = chat.uses(FEANIL, &starts, "hand-over.to", chosen).await;
        assert!(text.starts_with(told), "{chosen}: {text}");
    }
    assert_eq!(chat.stage.windows("edxapp").await, ["edx-platform#12 anna active until Fri 13:00"]);
    let told = saying(&chat.posted(), "handed edx-platform#12 over to you");
    assert_eq!((told["channel"].as_str(), ids(&told)), (Some(ANNA), vec!["hand-over.to".to_owned()]));
    chat.stage.at("Sat 12:30").await;
    let text = chat.uses(ANNA, &starts, "hand-over.to", OLGA).await;
    assert!(text.contains("it has expired"), "{text}");
}

#[tokio::test]
async fn who_is_warned_takes_what_nobody_would_take() {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.at("Fri 23:00").await.merge("feanil", 12).await;
    let asked = saying(&chat.posted(), "do you take the pager");
    assert_eq!(ids(&asked), ["take", "decline"]);
    let text = chat.uses(USAMA, &asked, "take", "").await;
    assert_eq!(text, "Nothing was done. You were not asked about this change.");
    assert_eq!(chat.uses(FEANIL, &asked, "decline", "").await, "Noted. You do not take the pager for it.");
    assert!(chat.uses(FEANIL, &asked, "decline", "").await.starts_with("Nothing to do. "));
    chat.stage.at("Fri 23:20").await;
    let warned = saying(&chat.posted(), "Be warned");
    assert_eq!((warned["channel"].as_str(), ids(&warned)), (Some(ANNA), vec!["hand-over".to_owned()]));
    assert_eq!(chat.uses(ANNA, &warned, "hand-over", "").await, "Handed over. anna has it now, and was told.");
    assert!(chat.uses(ANNA, &warned, "hand-over", "").await.starts_with("Nothing to do. "));
    assert_eq!(chat.stage.windows("edxapp").await, ["edx-platform#12 anna standby"]);
}

#[tokio::test]
async fn the_pager_is_taken_below_the_answer_to_a_command_and_given_back_below_what_is_told_of_it() {
    let mut chat = Chat::of_everybody("").await;
    let answer = chat.answer(FEANIL, "/oncall", "edxapp").await;
    assert_eq!(ids(&answer), ["take", "give-back"]);
    let text = chat.uses(FEANIL, &answer, "give-back", "").await;
    assert!(text.starts_with("Nothing was done. You do not have the pager"), "{text}");
    let text = chat.uses(FEANIL, &answer, "take", "").await;
    assert_eq!(text, "On call. feanil has the pager of edxapp; the board shows it.");
    assert!(chat.uses(FEANIL, &answer, "take", "").await.starts_with("Nothing to do. "));
    let text = chat.uses(CAROL, &answer, "take", "").await;
    assert!(text.starts_with("Nothing was done. Outside contributors do not move the pager"), "{text}");
    let shifts = chat.stage.situation("edxapp").await.shifts;
    assert_eq!(shifts.len(), 1);
    let until = shifts.values().next().unwrap().value.until.unwrap();
    assert_eq!(until, chat.stage.clock.now() + SignedDuration::from_hours(2));
    chat.stage.at("Fri 12:01").await;
    let taken = chat.answer(FEANIL, "/takeoncall", "edxapp 4 h").await;
    assert_eq!(ids(&taken), ["give-back"]);
    let told = saying(&chat.posted(), "You have the pager of edxapp now");
    assert_eq!(ids(&told), ["give-back"]);
    assert_eq!(chat.uses(FEANIL, &told, "give-back", "").await, "Given back. You no longer have the pager of edxapp.");
    assert!(chat.uses(FEANIL, &told, "give-back", "").await.starts_with("Nothing was done. "));
}

#[tokio::test]
async fn a_queue_that_grew_is_paused_with_a_word_and_goes_on_by_a_press() {
    let chat = Chat::of_everybody("[policy]\nqueue_warned_at = 2\n").await;
    chat.stage.merge("feanil", 12).await;
    chat.stage.merge("usama", 13).await;
    chat.stage.bundle.tick().await;
    chat.stage.bundle.quiesce().await;
    let grew = saying(&chat.posted(), "2 changes wait to go live");
    assert_eq!(ids(&grew), ["resume", "pause.why"]);
    let text = chat.uses(OLGA, &grew, "resume", "").await;
    assert_eq!(text, "Nothing was done. The pipeline is not paused.");
    let text = chat.uses(OLGA, &grew, "pause.why", "the tests &lt;flake&gt; <!channel>").await;
    assert_eq!(text, "Paused. The pipeline of edxapp is paused; the board shows it.");
    assert!(chat.uses(OLGA, &grew, "pause.why", "again").await.starts_with("Nothing to do. "));
    let queue = chat.stage.situation("edxapp").await.queue.value;
    let pause = queue.paused(chat.stage.clock.now()).unwrap();
    assert_eq!((pause.by.as_str(), pause.why.as_str()), ("olga", "the tests <flake> <!channel>"));
    let text = chat.uses(USAMA, &grew, "resume", "").await;
    assert_eq!(text, "Resumed. The pipeline of edxapp goes on.");
    assert!(chat.uses(USAMA, &grew, "resume", "").await.starts_with("Nothing was done. "));
}

#[tokio::test]
async fn a_freeze_is_ended_where_it_is_told_of_by_one_press_that_asks_once_more() {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.at("Fri 12:00").await;
    let answer = chat.answer(FEANIL, "/freeze", "Gratitude days until 2026-03-24 09:00 preset holiday").await;
    assert_eq!(ids(&answer), ["thaw"], "declared by mistake it is ended at once");
    assert_eq!(ids(&chat.answer(FEANIL, "/freeze", "x until 2026-03-24 09:00 preview").await), [""; 0]);
    chat.stage.at("Fri 12:02").await;
    let began = saying(&chat.posted(), "Freeze until 2026-03-24 09:00");
    assert_eq!((began["channel"].as_str(), ids(&began)), (Some(CHANNEL), vec!["thaw".to_owned()]));
    assert_eq!(elements(&began)[0]["confirm"]["confirm"]["text"], "Yes");
    assert!(!began.to_string().contains("/freeze/gratitude-days/channel-of-"), "a channel has no link that acts");
    let text = chat.uses(CAROL, &began, "thaw", "").await;
    assert_eq!(text, "Nothing was done. Outside contributors do not declare freezes.");
    assert_eq!(
        chat.uses(FEANIL, &began, "thaw", "").await,
        "The freeze is over. gratitude-days holds nothing any more."
    );
    let text = chat.uses(FEANIL, &answer, "thaw", "").await;
    assert_eq!(text, "Nothing was done. No freeze gratitude-days is under way or ahead.");
}

#[tokio::test]
async fn a_fix_is_asked_for_signed_refused_and_taken_back_where_it_is_told_of() {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.at("Fri 12:00").await;
    chat.answer(FEANIL, "/freeze", "Gratitude days until 2026-03-24 09:00 preset holiday").await;
    let asked = chat.answer(USAMA, "/expedite", "openedx/edx-platform#12").await;
    assert_eq!(ids(&asked), ["withdraw", "expedite.why"]);
    chat.stage.at("Fri 12:01").await;
    let why = saying(&chat.posted(), "Why should edx-platform#12 pass the freeze?");
    assert_eq!(
        (why["channel"].as_str(), ids(&why)),
        (Some(USAMA), vec!["withdraw".to_owned(), "expedite.why".to_owned()])
    );
    let text = chat.uses(USAMA, &why, "expedite.why", "checkout answers 500").await;
    assert_eq!(text, "Noted. An approver has to sign; they are told.");
    chat.stage.at("Fri 12:02").await;
    let sign = saying(&chat.posted(), "do you sign?");
    assert_eq!((sign["channel"].as_str(), ids(&sign)), (Some(OLGA), vec!["sign".to_owned(), "refuse.why".to_owned()]));
    for (user, told) in [
        (USAMA, "Nothing was done. Nobody signs for what they asked for themselves."),
        (FEANIL, "Nothing was done. You do not sign for it"),
        (CAROL, "Nothing was done. You do not sign for it"),
        (OLGA, "Edx-platform#12 may pass. Whoever asked has the pager for it."),
        (OLGA, "Nothing to do. "),
    ] {
        let text = chat.uses(user, &sign, "sign", "").await;
        assert!(text.to_lowercase().starts_with(&told.to_lowercase()), "{user}: {text}");
    }
    let text = chat.uses(OLGA, &sign, "refuse.why", "  ").await;
    assert_eq!(text, "Nothing was done. Say why.");
    let text = chat.uses(OLGA, &sign, "refuse.why", "it can wait").await;
    assert_eq!(text, "Noted. edx-platform#12 may not pass.");
    chat.stage.at("Fri 12:03").await;
    let refused = saying(&chat.posted(), "may not pass the freeze");
    assert_eq!((refused["channel"].as_str(), ids(&refused)), (Some(USAMA), vec!["expedite.why".to_owned()]));
    chat.uses(USAMA, &refused, "expedite.why", "it cannot: nobody can pay").await;
    let text = chat.uses(USAMA, &why, "withdraw", "").await;
    assert!(text.starts_with("Noted. It was taken back."), "{text}");
    assert!(chat.uses(USAMA, &why, "withdraw", "").await.starts_with("Nothing was done. "));
}

#[tokio::test]
async fn whose_an_incident_is_not_and_whose_it_was_is_chosen_among_the_suspects() {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.merge("feanil", 12).await;
    chat.stage.merge("usama", 13).await;
    chat.stage.deploy("prod", "success", 13).await;
    chat.stage.at("Fri 12:10").await.alert("edxapp", "Fri 12:10", false).await;
    let posted = chat.posted();
    let page = saying(&posted, "Why you:");
    assert_eq!(ids(&page), ["acknowledge", "not-mine", "take", "not-mine.change", "hand-over.to"]);
    let channel = posted.iter().find(|message| message["channel"] == CHANNEL).unwrap();
    assert_eq!(ids(channel), ["acknowledge", "not-mine", "take", "not-mine.change"]);
    let menu = elements(&page).into_iter().find(|element| element["action_id"] == "not-mine.change").unwrap();
    let options: Vec<&str> = menu["options"].as_array().unwrap().iter().map(|o| o["value"].as_str().unwrap()).collect();
    assert_eq!(options.len(), 3, "two suspects, and that one does not know: {options:?}");
    let paged = if page["channel"] == FEANIL { (FEANIL, 12, 13) } else { (USAMA, 13, 12) };
    let other = change(paged.2).to_string();
    let text = chat.uses(paged.0, &page, "not-mine.change", &change(99).to_string()).await;
    assert!(text.starts_with("No such suspect. "), "{text}");
    let text = chat.uses(paged.0, &page, "not-mine.change", &other).await;
    assert_eq!(text, "Not yours. Noted. Whoever answers for what you named is asked at once.");
    assert!(chat.uses(paged.0, &page, "not-mine.change", &other).await.starts_with("Said before. "));
    let text = chat.uses(CAROL, &page, "acknowledge", "").await;
    assert!(text.starts_with("Nothing was done. Outside contributors are not paged"), "{text}");
    assert!(chat.acknowledged().await.is_empty());
    assert!(chat.uses(OLGA, &page, "take", "").await.starts_with("Taken. "));
    assert_eq!(chat.acknowledged().await, ["olga"]);

    chat.posted();
    chat.stage.alert("edxapp", "Fri 12:10", true).await;
    let over = saying(&chat.posted(), "Resolved");
    assert_eq!(ids(&over), ["judge.change"]);
    assert!(chat.uses(CAROL, &over, "judge.change", "none").await.starts_with("Nothing was done. "));
    assert!(chat.uses(OLGA, &over, "judge.change", "none").await.starts_with("Judged. "));
    assert!(chat.uses(OLGA, &over, "judge.change", "none").await.starts_with("Said before. "));
    let verdict = chat.stage.incident("edxapp").await.verdict.unwrap();
    assert_eq!((verdict.change, verdict.label.as_str()), (None, "no change of ours"));
    assert!(chat.uses(OLGA, &over, "judge.change", &change(12).to_string()).await.starts_with("Judged. "));
    assert_eq!(chat.stage.incident("edxapp").await.verdict.unwrap().change, Some(change(12)));
}

/// One of each that a chat offers anything about.
fn actions(incident: &domain::IncidentId) -> Vec<Action> {
    let service = || "edxapp".parse().unwrap();
    vec![
        Action::Acknowledge(incident.clone()),
        Action::Judge(incident.clone()),
        Action::Answer(service(), change(13)),
        Action::HandOver(service(), change(12)),
        Action::OnCall(service()),
        Action::Queue(service()),
        Action::Freeze("gratitude-days".parse().unwrap()),
        Action::Expedite(REPOSITORY.parse().unwrap(), 12),
    ]
}

/// Everything that can be pressed, as it stands at a message.
fn pressed(action: &Action, secret: &Secret, expires: jiff::Timestamp) -> Vec<Value> {
    let clicks: Vec<&Click> = action.clicks().iter().collect();
    let suspects = [(change(12).to_string(), "edx-platform#12".to_owned())];
    let blocks = aws::slack::doing(&links::button(secret, action, expires), &clicks, &suspects);
    let message = json!({ "blocks": blocks });
    let all = elements(&message);
    assert_eq!(all.len(), clicks.len(), "{action:?}");
    let filled = |element: &Value| match action.click(element["action_id"].as_str().unwrap()).unwrap().fill {
        Fill::Person(_) => USAMA.to_owned(),
        Fill::Suspect(_) => change(12).to_string(),
        Fill::Words(_) => "because".to_owned(),
        Fill::Nothing | Fill::Always(..) | Fill::Oneself(_) => String::new(),
    };
    all.iter().map(|element| filled_in(element, &filled(element))).collect()
}

/// Everything that is known of the service and of freezes, but for when it is looked at.
async fn known(chat: &Chat) -> [Situation; 2] {
    let clock = |mut situation: Situation| {
        situation.clock = domain::Noted::default();
        situation
    };
    [clock(chat.stage.situation("edxapp").await), clock(chat.stage.situation("freezes").await)]
}

/// A day in which everything that can be pressed means something.
async fn busy_day() -> (Chat, domain::IncidentId) {
    let mut chat = Chat::of_everybody("").await;
    chat.stage.merge("feanil", 12).await;
    chat.stage.deploy("prod", "success", 12).await;
    chat.stage.at("Fri 12:10").await.alert("edxapp", "Fri 12:10", false).await;
    chat.answer(FEANIL, "/freeze", "Gratitude days until 2026-03-24 09:00 preset holiday").await;
    chat.answer(USAMA, "/expedite", "openedx/edx-platform#12 checkout answers 500").await;
    chat.stage.at("Fri 23:00").await.merge("feanil", 13).await;
    chat.stage.bundle.quiesce().await;
    let incident = chat.stage.situation("edxapp").await.incidents.into_keys().next().unwrap();
    drop(chat.posted());
    (chat, incident)
}

#[tokio::test]
async fn whatever_is_pressed_by_a_stranger_late_or_made_up_says_so_and_the_table_is_not_asked() {
    let (chat, incident) = busy_day().await;
    let now = chat.stage.clock.now();
    let (day, past) = (now + links::LIFE, now - SignedDuration::from_secs(1));
    let forger = Secret::new("guessed").unwrap();
    let mut seen = BTreeSet::new();
    for action in actions(&incident) {
        let cases = [
            (
                STRANGER,
                &secret(),
                day,
                "You are not in the roster. Nothing was done. Ask whoever keeps the roster to add \"slack:U0STRANGER1\"",
            ),
            (OLGA, &secret(), past, "This button does not work. Nothing was done: it has expired."),
            (OLGA, &forger, day, "This button does not work. Nothing was done: it is not one of ours, or was changed."),
        ];
        for (user, secret, expires, told) in cases {
            for element in pressed(&action, secret, expires) {
                seen.insert(element["action_id"].as_str().unwrap().to_owned());
                let (text, cost) = chat.stage.cost(chat.told(&chat.pressing(user, element.clone()))).await;
                assert!(text.starts_with(told), "{element}: {text}");
                assert_eq!(cost, [0; 4], "{element}");
            }
        }
        for element in pressed(&action, &secret(), day) {
            // Of another action, or of none; and used as it cannot be.
            let mut other = element.clone();
            other["action_id"] = json!("explode");
            let mut otherwise = element.clone();
            let is_button = element["type"] == "button";
            otherwise["type"] = json!(if is_button { "users_select" } else { "button" });
            otherwise["selected_user"] = json!(OLGA);
            otherwise["block_id"] =
                json!(element["value"].as_str().filter(|_| is_button).unwrap_or(element["block_id"].as_str().unwrap()));
            otherwise["value"] = json!(aws::slack::named(element["block_id"].as_str().unwrap()));
            for bad in [other, otherwise] {
                let (text, cost) = chat.stage.cost(chat.told(&chat.pressing(OLGA, bad.clone()))).await;
                assert!(text.starts_with("Not understood. "), "{bad}: {text}");
                assert_eq!(cost, [0; 4], "{bad}");
            }
        }
    }
    assert_eq!(seen.len(), 16, "{seen:?}");
}

#[tokio::test]
async fn whatever_is_pressed_with_a_wrong_or_an_old_signature_is_refused_and_nobody_is_told() {
    let (chat, incident) = busy_day().await;
    let now = chat.stage.clock.now();
    for action in actions(&incident) {
        for element in pressed(&action, &secret(), now + links::LIFE) {
            let body = form(&chat.pressing(OLGA, element));
            let genuine = signed(&chat.stage, &body);
            let mut forged = genuine.clone();
            forged[2].1 = forged[2].1.replace(char::is_numeric, "7");
            chat.refused(forged, &body, 401).await;
            chat.refused(signed(&chat.stage, "payload=x"), &body, 401).await;
            chat.stage.clock.set(now + SignedDuration::from_secs(301));
            chat.refused(genuine, &body, 401).await;
            chat.stage.clock.set(now);
        }
    }
    assert!(chat.slack.received().is_empty());
}

#[tokio::test]
async fn whatever_an_outside_contributor_presses_changes_nothing_and_says_why() {
    let (chat, incident) = busy_day().await;
    let before = known(&chat).await;
    for action in actions(&incident) {
        for element in pressed(&action, &secret(), chat.stage.clock.now() + links::LIFE) {
            let text = chat.told(&chat.pressing(CAROL, element.clone())).await;
            assert!(text.starts_with("Nothing was done. ") && text.len() > 25, "{element}: {text}");
        }
    }
    assert_eq!(known(&chat).await, before);
}
