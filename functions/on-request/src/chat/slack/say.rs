//! What is said in Slack to whoever did something.

use aws::House;
use aws::receiver::ReceiverConfig;
use aws::slack;
use aws::wire::error_chain;
use serde_json::{Value, json};

use crate::act::Outcome;

/// How long Slack has to take what is said, in seconds: it waits for our own answer meanwhile.
const SECONDS_TO_SAY: u64 = 1;
/// So much is said at most; Slack takes more.
const MOST_TEXT: usize = 12_000;
const MOST_LINES: usize = 40;
const MOST_SECTIONS: usize = 4;
/// A message has 50 blocks at most.
const MOST_BLOCKS: usize = 40;

/// Says it to whoever pressed. It is done in any case: a failure is logged, and pressing again says what was done.
pub(super) async fn say(house: &House, receivers: &[&ReceiverConfig], url: &str, outcome: &Outcome) {
    if !receivers.iter().any(|receiver| is_slacks(url, &receiver.url)) {
        tracing::warn!("a button came with an address to answer at that is not Slack's: nothing was said");
        return;
    }
    let body = said(outcome, &[]);
    let headers = [("content-type", "application/json; charset=utf-8"), ("user-agent", "recent-deployers")];
    match house.http.send("POST", url, &headers, body.to_string().into_bytes(), SECONDS_TO_SAY).await {
        Ok(answer) if answer.status < 300 => {}
        Ok(answer) => tracing::warn!(status = answer.status, "Slack did not take what came of a button"),
        Err(error) => tracing::warn!(cause = error_chain(&error), "Slack was not told what came of a button"),
    }
}

/// To whoever did it alone. `doing`: what can be done about it.
pub(super) fn said(outcome: &Outcome, doing: &[Value]) -> Value {
    let lines = lines(outcome);
    let text = slack::escaped(&lines.join("\n"), MOST_TEXT);
    let mut said = json!({ "response_type": "ephemeral", "replace_original": false, "text": text, "mrkdwn": false });
    if !doing.is_empty() {
        let words = slack::sections(&lines, MOST_SECTIONS);
        said["blocks"] = words.into_iter().chain(doing.iter().take(MOST_BLOCKS).cloned()).collect();
    }
    said
}

/// What came of it, line by line. Titles and names in it are strangers' words.
pub(super) fn lines(outcome: &Outcome) -> Vec<String> {
    let whole = format!("{}. {}", outcome.title.trim_end_matches('.'), outcome.text);
    whole.lines().take(MOST_LINES).map(|line| domain::text::line(line, 1_000)).collect()
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
