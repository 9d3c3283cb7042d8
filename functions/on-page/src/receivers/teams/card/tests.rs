//! What Teams is sent of a message full of what strangers write.

use expect_test::expect;

use super::*;
use crate::receivers::strangers;

fn acknowledge() -> Link {
    Link { label: "Acknowledge".to_owned(), url: "https://deployers.example.com/acknowledge/x/anna/1/00".to_owned() }
}

#[test]
fn strangers_words_are_shown_and_do_nothing() {
    let body = body(&strangers::hostile(), &[acknowledge()]);
    expect![[r#"
        {
          "attachments": [
            {
              "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "actions": [
                  {
                    "title": "Acknowledge",
                    "type": "Action.OpenUrl",
                    "url": "https://deployers.example.com/acknowledge/x/anna/1/00"
                  },
                  {
                    "title": "Incident",
                    "type": "Action.OpenUrl",
                    "url": "https://deployers.example.com/incidents/edxapp-k3v7q2ma?a=1&b=2"
                  },
                  {
                    "title": "Run*book* | <!here>",
                    "type": "Action.OpenUrl",
                    "url": "https://wiki.example.com/edxapp"
                  }
                ],
                "body": [
                  {
                    "inlines": [
                      {
                        "color": "Attention",
                        "size": "Large",
                        "text": "[critical] <!channel> & @everyone: *bold* safegpj.exe",
                        "type": "TextRun",
                        "weight": "Bolder"
                      }
                    ],
                    "type": "RichTextBlock"
                  },
                  {
                    "inlines": [
                      {
                        "text": "feanil merged “<https://evil.example.com|a link> [or so](https://evil.example.com)”",
                        "type": "TextRun"
                      }
                    ],
                    "type": "RichTextBlock"
                  },
                  {
                    "inlines": [
                      {
                        "text": "< at>olga</at> { {DATE(2026-01-01T00:00:00Z)}} $ {env} { { {x}}} `code` :fire: <@U024BE7LH>",
                        "type": "TextRun"
                      }
                    ],
                    "type": "RichTextBlock"
                  },
                  {
                    "inlines": [
                      {
                        "text": "two lines, hidden",
                        "type": "TextRun"
                      }
                    ],
                    "type": "RichTextBlock"
                  }
                ],
                "msteams": {
                  "width": "Full"
                },
                "type": "AdaptiveCard",
                "version": "1.4"
              },
              "contentType": "application/vnd.microsoft.card.adaptive",
              "contentUrl": null
            }
          ],
          "summary": "[critical] <!channel> & @everyone: *bold* safegpj.exe",
          "type": "message"
        }"#]].assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

#[test]
fn the_longest_message_stays_far_below_what_teams_takes() {
    for letter in ["<", "\"", "é", "\u{1f525}", "a", "{"] {
        let long = letter.repeat(5_000);
        let lines = vec![long.as_str(); 40];
        let mut message = strangers::page(&long, &lines);
        message.links =
            vec![Link { label: long.clone(), url: format!("https://x.example.com/{}", "&".repeat(400)) }; 30];
        let body = body(&message, &[acknowledge()]);
        // As Teams may write it: everything that is not plain ASCII as `\u1234`.
        let written: usize = body.to_string().chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum();
        assert!(written <= 20_000, "{letter}: {written}");
        let card = &body["attachments"][0]["content"];
        assert_eq!(card["actions"].as_array().unwrap().len(), MOST_BUTTONS);
        assert_eq!(card["actions"][0]["title"], "Acknowledge");
        assert_eq!(card["body"].as_array().unwrap().last().unwrap()["inlines"][0]["text"], "…", "{letter}");
    }
}
