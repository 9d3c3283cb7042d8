//! A night's pages and what a channel reads of it, word for word.

use expect_test::{Expect, expect};

use crate::escalation_tests::{fires, release};
use crate::testing::{World, alert, at};
use crate::{Alert, ChangeId, Severity};

/// Every message since the last look, with what is shown on a lock screen.
fn texts(world: &mut World) -> String {
    let told = std::mem::take(&mut world.told);
    let text = |m: &crate::Message| {
        let time = m.decided_at.strftime("%H:%M");
        let short = if m.short.is_empty() { String::new() } else { format!("\n[{}]", m.short) };
        format!("{time} {} to {} {}\n{}{short}", m.kind.word(), m.key.person, m.key.step.word(), m.plain())
    };
    told.iter().map(text).collect::<Vec<_>>().join("\n\n")
}

fn check(world: &mut World, until: &str, want: Expect) {
    world.until(at(until));
    want.assert_eq(&texts(world));
}

#[test]
fn the_ladder_in_words() {
    let mut world = release();
    world.service.channel = Some("channel".parse().unwrap());
    fires(&mut world, "15:50");
    check(
        &mut world,
        "16:05",
        expect![[r#"
        15:50 page to olga first-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (Europe/London).
        Why you: you merged edx-platform#14, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (you; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Cannot take it? Leave it: without an acknowledgement by 15:53 (Europe/London), Usama is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#14, live 49 min before the alert]

        15:50 notice to channel opened
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (UTC).
        Paged: Olga (edx-platform#14: likely the cause by 42 %).
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp

        15:53 page to usama next-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 20:50 (Asia/Karachi).
        Why you: you merged edx-platform#13, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (you; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga. Cannot take it? Leave it: without an acknowledgement by 20:54 (Asia/Karachi), Anna is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#13, live 49 min before the alert]

        15:53 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged: Usama (edx-platform#13: likely the cause by 25 %, and nobody acknowledged).

        15:54 page to anna rotation
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 16:50 (Europe/Stockholm).
        Why you: you are on the rotation; nobody acknowledged within 5 min.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga, Usama. Cannot take it? Leave it: without an acknowledgement by 16:56 (Europe/Stockholm), Feanil is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You are on the rotation]

        15:54 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged: Anna (nobody acknowledged within 5 min).

        15:56 page to feanil next-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 11:50 (America/New_York).
        Why you: you merged edx-platform#12, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (you; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga, Usama, Anna. Cannot take it? Leave it: without an acknowledgement by 11:59 (America/New_York), Bert is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#12, live 49 min before the alert]

        15:56 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged: Feanil (edx-platform#12: likely the cause by 19 %, and nobody acknowledged).

        15:59 page to bert rotation
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 16:50 (Europe/Berlin).
        Why you: you are on the rotation; nobody acknowledged within 9 min.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga, Usama, Anna, Feanil. Cannot take it? Leave it: without an acknowledgement by 17:04 (Europe/Berlin), Carl is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You are on the rotation]

        15:59 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged: Bert (nobody acknowledged within 9 min).

        16:00 page to olga first-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (Europe/London).
        Asked again: nobody has acknowledged for 10 min.
        Why you: you merged edx-platform#14, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (you; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Usama, Anna, Feanil, Bert. Cannot take it? Leave it: without an acknowledgement by 16:04 (Europe/London), Carl is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#14, live 49 min before the alert]

        16:00 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged again: Olga (edx-platform#14: likely the cause by 42 %).

        16:03 page to usama next-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 20:50 (Asia/Karachi).
        Asked again: nobody has acknowledged for 13 min.
        Why you: you merged edx-platform#13, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (you; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga, Anna, Feanil, Bert. Cannot take it? Leave it: without an acknowledgement by 21:04 (Asia/Karachi), Carl is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#13, live 49 min before the alert]

        16:03 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged again: Usama (edx-platform#13: likely the cause by 25 %, and nobody acknowledged).

        16:04 page to carl owner
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 16:50 (Europe/Berlin).
        Why you: you own edxapp; nobody acknowledged within 15 min.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga, Usama, Anna, Feanil, Bert.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You own it, nobody answered]

        16:04 page to anna rotation
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 16:50 (Europe/Stockholm).
        Asked again: nobody has acknowledged for 14 min.
        Why you: you are on the rotation; nobody has acknowledged for 14 min.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga, Usama, Feanil, Bert, Carl.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You are on the rotation]

        16:04 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Paged again: Anna (nobody acknowledged within 5 min).
        Paged: Carl (nobody acknowledged within 15 min)."#]],
    );
}

#[test]
fn who_said_that_it_is_not_theirs_is_named_and_the_owner_hears_why_them() {
    let mut world = release();
    fires(&mut world, "15:50");
    world.does("olga", |counter| counter.not_mine(None)).unwrap();
    check(
        &mut world,
        "15:52",
        expect![[r#"
        15:50 page to olga first-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (Europe/London).
        Why you: you merged edx-platform#14, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (you; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Cannot take it? Leave it: without an acknowledgement by 15:53 (Europe/London), Usama is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#14, live 49 min before the alert]

        15:50 page to usama first-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 20:50 (Asia/Karachi).
        Why you: you merged edx-platform#13, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (you; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Not theirs, they say: Olga. Cannot take it? Leave it: without an acknowledgement by 20:53 (Asia/Karachi), Feanil is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#13, live 49 min before the alert]"#]],
    );
}

#[test]
fn what_worsens_or_grows_stale_is_told_to_whoever_took_it() {
    let mut world = release();
    world.service.channel = Some("channel".parse().unwrap());
    world.until(at("15:50"));
    world.alert(&[Alert { severity: Severity::Warning, ..alert("Slow", at("15:50"), None) }]);
    world.settle();
    world.until(at("15:51"));
    world.acknowledge("olga").unwrap();
    world.told.clear();
    world.until(at("15:58"));
    world.alert(&[alert("HighErrorRate", at("15:58"), None)]);
    check(
        &mut world,
        "15:59",
        expect![[r#"
        15:58 page to olga first-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (Europe/London). 1 more alert with it.
        Why you: you took what was before; something more severe, or something else, began after it was taken.
        What changed:
          1. edx-platform#14 change number 14 (you; about 40 %: live 57 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 57 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 57 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Cannot take it? Leave it: without an acknowledgement by 16:01 (Europe/London), Usama is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-je9syfqi
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#14, live 57 min before the alert]

        15:58 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Once more: something more severe, or something else, began after it was taken.
        Paged: Olga (something more severe, or something else, began after it was taken)."#]],
    );
    world.acknowledge("olga").unwrap();
    world.told.clear();
    let stale = at("15:59") + world.service.policy.acknowledged_for;
    world.until(stale);
    expect![[r#"
        16:30 notice to feanil extended
        Your turn for edx-platform#12 in edxapp lasts longer
        Something broke while it was live. You are paged first until it is over, at the latest until 15:40 (America/New_York).
        Board: https://deployers.example.com/#edxapp

        16:30 notice to usama extended
        Your turn for edx-platform#13 in edxapp lasts longer
        Something broke while it was live. You are paged first until it is over, at the latest until 2026-03-21 00:40 (Asia/Karachi).
        Board: https://deployers.example.com/#edxapp

        16:30 notice to olga extended
        Your turn for edx-platform#14 in edxapp lasts longer
        Something broke while it was live. You are paged first until it is over, at the latest until 19:40 (Europe/London).
        Board: https://deployers.example.com/#edxapp

        16:59 page to olga first-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (Europe/London). 1 more alert with it.
        Why you: you took it, it was acknowledged 60 min ago and is not over. Still at it? Acknowledge again.
        What changed:
          1. edx-platform#14 change number 14 (you; about 40 %: live 57 min before the alert)
          2. edx-platform#13 change number 13 (Usama; about 25 %: live 57 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 57 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Cannot take it? Leave it: without an acknowledgement by 17:02 (Europe/London), Usama is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-je9syfqi
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#14, live 57 min before the alert]

        16:59 notice to channel escalated
        [critical] edxapp production: HighErrorRate
        Once more: it was acknowledged 60 min ago and is not over.
        Paged: Olga (it was acknowledged 60 min ago and is not over)."#]].assert_eq(&texts(&mut world));
}

#[test]
fn without_a_suspect_the_rotation_hears_that_nothing_went_live() {
    let mut world = World::new();
    world.service.dashboard = Some("https://grafana.example.com/edxapp".into());
    fires(&mut world, "15:50");
    check(
        &mut world,
        "15:50",
        expect![[r#"
        15:50 page to anna rotation
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 16:50 (Europe/Stockholm).
        Why you: you are on the rotation; no recent change is a suspect.
        What changed: no change went live lately.
        Cannot take it? Leave it: without an acknowledgement by 17:04 (Europe/Stockholm), Olga is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        Dashboard: https://grafana.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You are on the rotation]"#]],
    );
    check(
        &mut world,
        "16:05",
        expect![[r#"
        16:00 page to anna rotation
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 16:50 (Europe/Stockholm).
        Asked again: nobody has acknowledged for 10 min.
        Why you: you are on the rotation; nobody has acknowledged for 10 min.
        What changed: no change went live lately.
        Cannot take it? Leave it: without an acknowledgement by 17:04 (Europe/Stockholm), Olga is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        Dashboard: https://grafana.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You are on the rotation]

        16:04 page to olga owner
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 15:50 (Europe/London).
        Why you: you own edxapp; nobody acknowledged within 15 min.
        What changed: no change went live lately.
        Paged before you, no answer: Anna.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        Dashboard: https://grafana.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You own it, nobody answered]"#]],
    );
}

#[test]
fn the_end_says_which_change_it_was_where_somebody_said_so() {
    let mut world = release();
    fires(&mut world, "15:50");
    let id = ChangeId { repository: crate::testing::repository(), commit: crate::testing::commit(14) };
    world.does("olga", |counter| counter.judge(Some(&id))).unwrap();
    world.told.clear();
    crate::escalation_tests::is_over(&mut world, "15:50", "15:53");
    check(
        &mut world,
        "15:53",
        expect![[r#"
        15:53 page to usama next-responder
        [critical] edxapp production: HighErrorRate
        7 % of requests fail, since 20:50 (Asia/Karachi).
        Why you: you merged edx-platform#13, live 49 min before the alert.
        What changed:
          1. edx-platform#14 change number 14 (Olga; about 40 %: live 49 min before the alert)
          2. edx-platform#13 change number 13 (you; about 25 %: live 49 min before the alert)
          3. edx-platform#12 change number 12 (Feanil; about 20 %: live 49 min before the alert)
        Revert: press Revert on https://github.com/openedx/edx-platform/pull/14
        Paged before you, no answer: Olga. Cannot take it? Leave it: without an acknowledgement by 20:54 (Asia/Karachi), Anna is paged. Not yours? Say so by the link.
        Board: https://deployers.example.com/incidents/edxapp-mtmyvkgg
        Runbook: https://wiki.example.com/edxapp
        [[critical] edxapp production: HighErrorRate. You: edx-platform#13, live 49 min before the alert]

        15:53 notice to olga resolved
        Resolved: [critical] edxapp production: HighErrorRate
        2026-03-20 15:50 to 15:53 (Europe/London), 3 min. Nobody acknowledged.
        It was edx-platform#14, says Olga.

        15:53 notice to usama resolved
        Resolved: [critical] edxapp production: HighErrorRate
        2026-03-20 20:50 to 20:53 (Asia/Karachi), 3 min. Nobody acknowledged.
        It was edx-platform#14, says Olga."#]],
    );
}

#[test]
fn a_page_says_whether_somebody_is_asked_after_you_and_what_else_is_broken() {
    let mut world = World::new();
    world.change_service(|service| service.owners = service.rotation.clone());
    world.until(at("15:50")).alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.settle();
    let page = world.told.iter().find(|message| message.kind == crate::Kind::Page).unwrap().clone();
    assert!(page.plain().contains("You are the first to be paged, and there is nobody after you."), "{}", page.plain());
    let incident = world.situation.incidents.values().next().unwrap().value.clone();
    let mut two = page.clone();
    crate::wording::incidents::name_too(&mut two, std::iter::empty());
    assert_eq!(two, page, "nothing else is");
    crate::wording::incidents::name_too(&mut two, [&incident, &incident].into_iter());
    assert_eq!(two.title, format!("{} (+ 2 more)", page.title));
    let headline = "[critical] edxapp production: HighErrorRate";
    assert_eq!(two.lines[0], format!("The same change broke: {headline}; {headline}."));
    assert_eq!(two.lines[1..], page.lines[..]);
}

#[test]
fn a_lock_screen_says_why_it_is_you() {
    let short = |world: &World, step: crate::Step| {
        let page = world.told.iter().find(|message| message.kind == crate::Kind::Page && message.key.step == step);
        page.map(|page| page.short.clone()).unwrap_or_default()
    };
    let mut world = World::new();
    world.until(at("15:50")).alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.until(at("17:00"));
    let mut shorts = vec![short(&world, crate::Step::Rotation), short(&world, crate::Step::Owner)];
    let mut world = World::new();
    let usama = "usama".parse().unwrap();
    let shift =
        crate::Shift::new(crate::shift::Scope::Service, &usama, &usama, at("15:00"), Some(at("18:00")), at("15:00"));
    world.situation.note(crate::Record::Shift(shift), 1);
    world.until(at("15:50")).alert(&[alert("HighErrorRate", at("15:50"), None)]);
    world.settle();
    shorts.push(short(&world, crate::Step::FirstResponder));
    expect![[r#"
        [critical] edxapp production: HighErrorRate. You are on the rotation
        [critical] edxapp production: HighErrorRate. You own it, nobody answered
        [critical] edxapp production: HighErrorRate. You have the pager"#]]
    .assert_eq(&shorts.join("\n"));
}

#[test]
fn a_page_names_who_is_paged_in_the_same_moment() {
    let mut world = release();
    world.service.policy.next_suspect_after = jiff::SignedDuration::ZERO;
    fires(&mut world, "15:50");
    let next = |who: &str| {
        let page = world.told.iter().find(|message| message.key.person.as_str() == who).unwrap();
        page.lines.last().unwrap().clone()
    };
    assert_eq!(next("olga"), "Usama is paged in the same moment.");
    assert_eq!(next("usama"), "Paged before you, no answer: Olga.");
    assert!(next("feanil").contains("without an acknowledgement by 11:54 (America/New_York), Anna is paged."));
}
