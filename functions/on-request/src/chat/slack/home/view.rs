//! The home tab as Slack's blocks, of which a view holds 100.
//! <https://docs.slack.dev/reference/views/home-tab-views>

use aws::links::Action;
use aws::slack::{self, escaped, plain, section};
use serde_json::{Value, json};

use super::{Open, Scene, Seen};
use crate::chat::slack::Buttons;

/// A view holds 100 blocks; the last one says that there is more.
const MOST_BLOCKS: usize = 98;
/// So much of each is shown; the board shows the rest.
const MOST_MINE: usize = 10;
const MOST_INCIDENTS: usize = 8;
const MOST_FIXES: usize = 4;
const MOST_FREEZES: usize = 8;
/// Of so many services somebody may take the pager here.
const MOST_TAKEN: usize = 6;

/// To somebody of the roster.
pub(super) fn blocks(scene: &Scene, buttons: &Buttons) -> Vec<Value> {
    let mut blocks = slack::sections(&scene.said, 1);
    mine(&mut blocks, scene, buttons);
    incidents(&mut blocks, scene, buttons);
    fixes(&mut blocks, scene, buttons);
    freezes(&mut blocks, scene, buttons);
    on_call(&mut blocks, scene, buttons);
    if blocks.len() > MOST_BLOCKS {
        blocks.truncate(MOST_BLOCKS);
        blocks.push(section("The board shows the rest."));
    }
    let links: Vec<Value> = scene.links.iter().filter_map(|(label, url)| slack::link(label, url)).collect();
    blocks.push(json!({ "type": "context", "elements": links }));
    blocks
}

/// To anybody else: nothing, but how to come into the roster.
pub(super) fn stranger(how: &str) -> Vec<Value> {
    vec![
        header("You are not in the roster"),
        section(&escaped(
            &format!("This app says who is on call for what was just released. {how}"),
            slack::MOST_SECTION,
        )),
    ]
}

fn header(text: &str) -> Value {
    json!({ "type": "header", "text": plain(text) })
}

fn words(text: &str) -> Value {
    let lines = [text.to_owned()];
    slack::sections(&lines, 1).pop().unwrap_or_else(|| section("…"))
}

/// How many are not shown.
fn more(blocks: &mut Vec<Value>, all: usize, shown: usize) {
    if all > shown {
        blocks.push(section(&format!("And {} more: the board shows them.", all - shown)));
    }
}

fn mine(blocks: &mut Vec<Value>, scene: &Scene, buttons: &Buttons) {
    blocks.push(header("You"));
    let all: Vec<_> =
        scene.seen.iter().flat_map(|seen| seen.mine.iter().map(move |mine| (&seen.service, mine))).collect();
    for (service, mine) in all.iter().take(MOST_MINE) {
        blocks.push(words(&mine.words));
        let action = mine.held.clone().map(|change| Action::HandOver((*service).clone(), change));
        blocks.extend(action.into_iter().flat_map(|action| buttons.doing(&action, &["hand-over.to"], &[])));
    }
    more(blocks, all.len(), MOST_MINE);
    match (all.is_empty(), scene.outside) {
        (true, true) => blocks.push(section(
            "You are an outside contributor: you are not paged, and your champions answer for what you merge.",
        )),
        (true, false) => blocks.push(section("You are not on call, and nothing of yours waits.")),
        (false, _) => {}
    }
}

fn incidents(blocks: &mut Vec<Value>, scene: &Scene, buttons: &Buttons) {
    let all: Vec<&Open> = scene.seen.iter().flat_map(|seen| &seen.incidents).collect();
    if all.is_empty() {
        return;
    }
    blocks.push(header("Something is broken"));
    for open in all.iter().take(MOST_INCIDENTS) {
        let mut said = words(&open.words);
        said["accessory"] = json!({ "type": "button", "text": plain("Open"), "action_id": "open", "url": open.url });
        blocks.push(said);
        if !scene.outside {
            let named = |s: &domain::Suspect| (s.change.to_string(), format!("{} {}", s.label, s.title));
            let suspects: Vec<(String, String)> = open.incident.suspects.iter().map(named).collect();
            blocks.extend(buttons.doing(&Action::Acknowledge(open.incident.id.clone()), &[], &suspects));
        }
    }
    more(blocks, all.len(), MOST_INCIDENTS);
}

fn fixes(blocks: &mut Vec<Value>, scene: &Scene, buttons: &Buttons) {
    if scene.fixes.is_empty() {
        return;
    }
    blocks.push(header("May it pass the freeze?"));
    for (line, one) in scene.fixes.iter().take(MOST_FIXES) {
        blocks.push(words(&format!("{line}.")));
        let action = Action::Expedite(one.repository.clone(), one.number);
        blocks.extend(buttons.doing(&action, &["sign", "refuse.why"], &[]));
    }
    more(blocks, scene.fixes.len(), MOST_FIXES);
}

fn freezes(blocks: &mut Vec<Value>, scene: &Scene, buttons: &Buttons) {
    if scene.freezes.is_empty() {
        return;
    }
    blocks.push(header("Freezes"));
    for (line, own) in scene.freezes.iter().take(MOST_FREEZES) {
        blocks.push(words(&format!("{line}.")));
        let end = own.clone().map(Action::Freeze);
        blocks.extend(end.into_iter().flat_map(|action| buttons.doing(&action, &[], &[])));
    }
    more(blocks, scene.freezes.len(), MOST_FREEZES);
}

fn on_call(blocks: &mut Vec<Value>, scene: &Scene, buttons: &Buttons) {
    blocks.push(header("Who is on call"));
    let takes = |seen: &Seen| seen.own && !scene.outside;
    let mut taken = 0;
    for seen in &scene.seen {
        let lines: Vec<String> = std::iter::once(format!("{}:", seen.service)).chain(seen.on_call.clone()).collect();
        blocks.extend(slack::sections(&lines, 1));
        if takes(seen) && taken < MOST_TAKEN {
            taken += 1;
            blocks.extend(buttons.doing(&Action::OnCall(seen.service.clone()), &[], &[]));
        }
    }
    blocks.extend(scene.unreadable.iter().map(|line| words(line)));
    if scene.left_out > 0 {
        let services = domain::text::count(scene.left_out, "more service", "more services");
        blocks.push(section(&format!("And {services}: the board shows them.")));
    }
}
