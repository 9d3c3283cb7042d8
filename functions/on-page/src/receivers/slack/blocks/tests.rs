//! What Slack is sent of a message full of what strangers write.

use expect_test::expect;

use super::*;
use crate::receivers::strangers;

fn offer(message: &Message) -> Shown {
    let action = aws::links::Action::Acknowledge("edxapp-k3v7q2ma".parse().unwrap());
    let clicks: Vec<_> = ["acknowledge", "take"].iter().filter_map(|id| action.click(id)).collect();
    let doing = slack::doing("/acknowledge/edxapp-k3v7q2ma/1774065600/00", &clicks, &[]);
    Shown { doing, links: message.links.clone() }
}

fn shown(blocks: &[Value]) -> String {
    blocks.iter().map(|block| format!("{block}\n")).collect()
}

#[test]
fn strangers_words_are_shown_and_do_nothing() {
    let message = strangers::hostile();
    expect![[r#"
        {"text":{"emoji":false,"text":"[critical] &lt;!channel&gt; &amp; @everyone: *bold* safegpj.exe","type":"plain_text"},"type":"header"}
        {"text":{"emoji":false,"text":"feanil merged “&lt;https://evil.example.com|a link&gt; [or so](https://evil.example.com)”\n&lt;at&gt;olga&lt;/at&gt; {{DATE(2026-01-01T00:00:00Z)}} ${env} {{{x}}} `code` :fire: &lt;@U024BE7LH&gt;\ntwo lines, hidden","type":"plain_text"},"type":"section"}
        {"block_id":"/acknowledge/edxapp-k3v7q2ma/1774065600/00","elements":[{"action_id":"acknowledge","style":"primary","text":{"emoji":false,"text":"Acknowledge","type":"plain_text"},"type":"button","value":"/acknowledge/edxapp-k3v7q2ma/1774065600/00"},{"action_id":"take","text":{"emoji":false,"text":"Take it","type":"plain_text"},"type":"button","value":"/acknowledge/edxapp-k3v7q2ma/1774065600/00"}],"type":"actions"}
        {"elements":[{"text":"<https://deployers.example.com/incidents/edxapp-k3v7q2ma?a=1&amp;b=2|Incident>","type":"mrkdwn","verbatim":true},{"text":"<https://wiki.example.com/edxapp|Run*book* ¦ &lt;!here&gt;>","type":"mrkdwn","verbatim":true}],"type":"context"}
    "#]].assert_eq(&shown(&blocks(&message, &offer(&message))));
    expect![[r#"
        [critical] &lt;!channel&gt; &amp; @everyone: *bold* safegpj.exe
        feanil merged “&lt;https://evil.example.com|a link&gt; [or so](https://evil.example.com)”
        &lt;at&gt;olga&lt;/at&gt; {{DATE(2026-01-01T00:00:00Z)}} ${env} {{{x}}} `code` :fire: &lt;@U024BE7LH&gt;
        two lines, hidden
    "#]]
    .assert_eq(&text(&message));
}

#[test]
fn without_anything_to_do_or_to_read_there_are_words_only() {
    let message = strangers::page(" \u{200b}", &[]);
    expect![[r#"
        {"text":{"emoji":false,"text":"(without a title)","type":"plain_text"},"type":"section"}
    "#]]
    .assert_eq(&shown(&blocks(&message, &Shown::default())));
}

#[test]
fn the_longest_message_keeps_every_limit_and_what_is_cut_says_so() {
    for letter in ["<", "é", "\u{1f525}", "a"] {
        let long = letter.repeat(5_000);
        let lines = vec![long.as_str(); 40];
        let message = strangers::page(&long, &lines);
        let links = vec![Link { label: long.clone(), url: format!("https://x.example.com/{}", "&".repeat(400)) }; 30];
        let blocks = blocks(&message, &Shown { doing: Vec::new(), links });
        let texts: Vec<&str> = blocks.iter().filter_map(|b| b.pointer("/text/text")?.as_str()).collect();
        assert_eq!(texts.len(), 1 + MOST_SECTIONS);
        assert!(texts.iter().all(|text| (1..=3_000).contains(&text.len())), "{letter}");
        assert!(texts[0].ends_with('…') && texts[MOST_SECTIONS].ends_with("\n…"), "{letter}");
        let links = blocks.last().unwrap()["elements"].as_array().unwrap();
        assert_eq!(links.len(), MOST_LINKS);
        assert!(links.iter().all(|link| link["text"].as_str().unwrap().len() <= 3_000), "{letter}");
        assert!(text(&message).len() <= MOST_TEXT);
    }
    let fits = "a".repeat(150);
    assert_eq!(title(&fits)["type"], "header");
    assert_eq!(title(&format!("{fits}a"))["type"], "section");
    assert_eq!(title(&"<".repeat(38))["type"], "section");
}
