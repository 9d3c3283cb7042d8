//! GoAlert's generic API: an alert of the service whose integration key is the secret. GoAlert's alerts name no person:
//! to reach one, give them a service of their own, whose escalation policy has them as its only step.
//! <https://github.com/target/goalert/blob/master/web/src/app/documentation/sections/IntegrationKeys.md>
//!
//! This API knows no acknowledgement. What somebody took is closed there, so that it wakes nobody any more; should they
//! let it lie, the next page has another key and opens another alert.

use domain::Message;
use domain::message::Link;
use serde_json::{Value, json};

use super::pager::{Told, key, lines, links, refused, text, title};
use super::{Letter, Undelivered, post};

/// GoAlert cuts what is longer, its key too.
const MOST_KEY: usize = 512;
const MOST_TITLE: usize = 1024;
const MOST_TEXT: usize = 6 * 1024;

pub(super) async fn send(letter: &Letter<'_>) -> Result<(), Undelivered> {
    let bearer = format!("Bearer {}", letter.secret()?.expose());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let url = format!("{}/api/v2/generic/incoming", letter.receiver.url);
    let body = alert(letter.message, letter.actions).to_string();
    let answer = post::send(letter, "POST", &url, &headers, body.as_bytes()).await?;
    match answer.status {
        200..300 => Ok(()),
        // Its words are plain text: what cannot be read of the alert, or that the service has too many.
        400 | 409 => Err(refused(letter, &String::from_utf8_lossy(&answer.body))),
        status => Err(Undelivered::Status(status)),
    }
}

fn alert(message: &Message, actions: &[Link]) -> Value {
    let dedup = key(message, MOST_KEY);
    // It wants a summary also of what it closes.
    let summary = title(message, MOST_TITLE);
    match Told::by(message) {
        Told::Open => {
            let lines: Vec<String> = lines(message).map(|line| plain(&line)).collect();
            let links: Vec<String> = links(message, actions).map(link).collect();
            // A line ends in two spaces, which at worst doubles it.
            let details = text(&lines, &links, MOST_TEXT / 2).replace('\n', "  \n");
            json!({ "summary": summary, "details": details, "dedup": dedup })
        }
        Told::Taken | Told::Over => json!({ "summary": summary, "dedup": dedup, "action": "close" }),
    }
}

/// A line that Markdown shows as it is.
fn plain(line: &str) -> String {
    let anywhere = |c: char| "\\`*_[]<>&|~".contains(c);
    let at_first = |c: char| "#-+=".contains(c);
    let escaped = |(i, c): (usize, char)| {
        let escape = anywhere(c) || (i == 0 && at_first(c));
        escape.then_some('\\').into_iter().chain([c])
    };
    line.chars().enumerate().flat_map(escaped).collect()
}

/// `Acknowledge: <https://...>`.
fn link(link: &Link) -> String {
    let url = link.url.replace('<', "%3C").replace('>', "%3E").replace(char::is_whitespace, "%20");
    format!("{}: <{url}>", plain(&link.label))
}

#[cfg(test)]
mod tests {
    use domain::Step;
    use expect_test::expect;

    use super::super::pager::tests::{hostile, update};
    use super::*;

    #[test]
    fn a_page_becomes_an_alert_in_which_no_text_is_markup() {
        let (message, actions) = hostile();
        expect![[r#"
            {
              "dedup": "deployers/edxapp/2026-03-06-abc/anna",
              "details": "edx-platform#12 \\*Fix\\* the \\[thing\\](https://evil.example) \\<img src=x\\>  \n\\> quoted # not a heading \\\\ \\`rm\\` \\& \\| \\~ \\_x\\_  \n  \nAcknowledge: <https://deployers.example/do/a.b_c>  \nBoard: <https://deployers.example/incidents/2026-03-06-abc>",
              "summary": "[critical] <b>edxapp</b> \"down\" [31m 🔥 {{x}}"
            }"#]].assert_eq(&format!("{:#}", alert(&message, &actions)));
    }

    #[test]
    fn what_was_taken_and_what_is_over_are_closed() {
        expect![[r#"{"action":"close","dedup":"deployers/edxapp/2026-03-06-abc/anna","summary":"[critical] <b>edxapp</b> \"down\" [31m 🔥 {{x}}"}"#]].assert_eq(&alert(&update(Step::PagerAcknowledged), &[]).to_string());
        expect![[r#"{"action":"close","dedup":"deployers/edxapp/2026-03-06-abc/anna","summary":"[critical] <b>edxapp</b> \"down\" [31m 🔥 {{x}}"}"#]].assert_eq(&alert(&update(Step::PagerResolved), &[]).to_string());
    }
}
