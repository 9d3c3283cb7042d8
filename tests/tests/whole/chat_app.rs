//! The app that people make in Slack from `infra/slack-app.yaml` is the one that the code answers for.

use std::collections::BTreeSet;

use aws::slack::{GROUP_SCOPES, TOPIC_SCOPES};
use house_tests::root;

use crate::chat::*;

/// What stands behind this key, wherever it is.
fn values<'a>(manifest: &'a str, key: &str) -> Vec<&'a str> {
    let lines = manifest.lines().map(|line| line.trim().trim_start_matches("- "));
    lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
}

/// The list below this key.
fn list<'a>(manifest: &'a str, key: &str) -> BTreeSet<&'a str> {
    let below = manifest.lines().skip_while(|line| line.trim() != format!("{key}:")).skip(1);
    let lines = below.map(str::trim).filter(|line| !line.starts_with('#'));
    lines.map_while(|line| line.strip_prefix("- ")).collect()
}

#[tokio::test]
async fn its_commands_addresses_events_and_scopes_are_those_of_the_code() {
    let manifest = std::fs::read_to_string(root().join("infra/slack-app.yaml")).unwrap();
    let chat = Chat::of_everybody("").await;
    let known = chat.types(FEANIL, "/nothing-of-ours", "").await;
    let words = known.split([' ', ',', '.']);
    let known: BTreeSet<&str> = words.filter(|word| word.starts_with('/')).collect();
    let commands = values(&manifest, "command");
    assert_eq!(commands.iter().copied().collect::<BTreeSet<_>>(), known);
    for command in &commands {
        let told = chat.types(FEANIL, command, "help").await;
        assert!(told.contains(command), "{command}: {told}");
    }
    let addresses: Vec<&str> = [values(&manifest, "url"), values(&manifest, "request_url")].concat();
    assert_eq!(addresses.len(), commands.len() + 2, "events and buttons too");
    let public = &chat.stage.house.settings().public_url;
    assert!(addresses.iter().all(|address| *address == format!("{public}/chat/slack")), "{addresses:?}");
    assert!(
        values(&manifest, "should_escape").iter().all(|escape| *escape == "true"),
        "colleagues are known by their ids"
    );
    assert_eq!(values(&manifest, "usage_hint").len(), commands.len());
    assert_eq!(list(&manifest, "bot_events"), BTreeSet::from(["app_home_opened"]));
    let scopes = list(&manifest, "bot");
    let [read, write, _, _] = TOPIC_SCOPES;
    let wanted: BTreeSet<&str> = ["chat:write", "commands", read, write].into_iter().chain(GROUP_SCOPES).collect();
    assert_eq!(scopes, wanted);
    assert!(TOPIC_SCOPES.iter().all(|scope| manifest.contains(scope)), "of a private channel too");
    assert_eq!(values(&manifest, "home_tab_enabled"), ["true"]);
    assert_eq!(values(&manifest, "is_enabled"), ["true"]);
}
