//! What can be done, as Slack is sent it, within what Slack takes.

use expect_test::expect;

use super::*;
use crate::links::Action;

fn shown(action: &Action, carried: &str, suspects: &[(String, String)]) -> String {
    let clicks: Vec<&Click> = action.clicks().iter().collect();
    doing(carried, &clicks, suspects).iter().map(|block| format!("{block}\n")).collect()
}

fn change() -> domain::ChangeId {
    domain::ChangeId {
        repository: "openedx/edx-platform".parse().unwrap(),
        commit: "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".parse().unwrap(),
    }
}

#[test]
fn a_press_carries_what_it_is_about_and_a_menu_is_known_by_its_block() {
    let hand_over = Action::HandOver("edxapp".parse().unwrap(), change());
    expect![[r#"
        {"block_id":"/hand-over/x/1/00","elements":[{"action_id":"hand-over","text":{"emoji":false,"text":"Take it","type":"plain_text"},"type":"button","value":"/hand-over/x/1/00"},{"action_id":"hand-over.to","placeholder":{"emoji":false,"text":"Hand over to…","type":"plain_text"},"type":"users_select"}],"type":"actions"}
    "#]]
    .assert_eq(&shown(&hand_over, "/hand-over/x/1/00", &[]));
    let fix = Action::Expedite("openedx/edx-platform".parse().unwrap(), 12);
    let blocks = doing("/expedite/x@12/1/00", &[fix.click("refuse.why").unwrap()], &[]);
    assert_eq!(blocks[0]["block_id"], "/expedite/x@12/1/00 refuse.why");
    assert_eq!(named("/expedite/x@12/1/00 refuse.why"), "/expedite/x@12/1/00");
    assert_eq!(named("/expedite/x@12/1/00"), "/expedite/x@12/1/00");
    let end = Action::Freeze("gratitude-week".parse().unwrap());
    assert!(
        shown(&end, "/freeze/x/1/00", &[]).contains("\"confirm\":{\"confirm\":"),
        "one press ends it for everybody"
    );
}

#[test]
fn suspects_are_chosen_among_and_their_titles_do_nothing() {
    let judge = Action::Judge("edxapp-k3v7q2ma".parse().unwrap());
    let suspects = [
        (change().to_string(), "edx-platform#12 <!channel> & \u{202e}x".to_owned()),
        ("r".repeat(151), "y".to_owned()),
    ];
    expect![[r#"
        {"block_id":"/judge/x/1/00","elements":[{"action_id":"judge.change","options":[{"text":{"emoji":false,"text":"edx-platform#12 &lt;!channel&gt; &amp; x","type":"plain_text"},"value":"openedx/edx-platform@8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1"},{"text":{"emoji":false,"text":"no change of ours","type":"plain_text"},"value":"none"}],"placeholder":{"emoji":false,"text":"Which change was it?","type":"plain_text"},"type":"static_select"}],"type":"actions"}
    "#]]
    .assert_eq(&shown(&judge, "/judge/x/1/00", &suspects));
    assert_eq!(shown(&judge, "/judge/x/1/00", &[]), "", "there is nothing to choose");
}

#[test]
fn whatever_is_offered_keeps_slacks_limits() {
    let long = format!("/hand-over/edxapp/{}/1774065600/{}", "g/".repeat(200), "0".repeat(40));
    let incident = "edxapp-k3v7q2ma".parse().unwrap();
    let suspects: Vec<(String, String)> = (0..9).map(|n| (format!("{n}"), "<".repeat(400))).collect();
    for action in [
        Action::Acknowledge(incident),
        Action::HandOver("edxapp".parse().unwrap(), change()),
        Action::Queue("edxapp".parse().unwrap()),
    ] {
        let clicks: Vec<&Click> = action.clicks().iter().collect();
        for carried in ["/x/1/00", long.as_str()] {
            for block in doing(carried, &clicks, &suspects) {
                assert!(block["block_id"].as_str().is_none_or(|id| id.len() <= 255), "{block}");
                let elements = block["elements"].as_array().cloned().unwrap_or_default();
                assert!(elements.len() <= 25);
                for element in elements {
                    assert!(element["value"].as_str().is_none_or(|value| value.len() <= 2_000));
                    // Without a name that says what it is about a menu would be about nothing.
                    assert!(element["type"] == "button" || carried.len() <= 255);
                    for option in element["options"].as_array().into_iter().flatten() {
                        assert!(option["text"]["text"].as_str().unwrap().len() <= 75, "{option}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_escape_is_never_cut_in_two() {
    for most in 3..30 {
        let cut = escaped(&"<&>é".repeat(20), most);
        assert!(cut.len() <= most && cut.ends_with('…'));
        let left = cut.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
        assert!(!left.contains('&'), "{most}: {cut}");
    }
    assert_eq!(unescaped(&escaped("a <b> & &amp;", 100)), "a <b> & &amp;");
}
