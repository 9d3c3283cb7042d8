//! Who is asked to sign for a fix, who hears what of it, word for word, and what is posted of it.

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::decision::Wake;
use crate::expedite::{Over, Signed, Way};
use crate::freeze::{Declared, Preset, Scope};
use crate::on_schedule::freezes::decide;
use crate::testing::{at, person, repository, settings};
use crate::{Record, Roster, Service};

/// The desk of freezes in virtual time: olga owns the service, anna and bert are its rotation.
struct Desk {
    settings: Settings,
    situation: Situation,
    now: Timestamp,
    heard: Vec<String>,
}

impl Desk {
    fn during(preset: Preset) -> Self {
        let base = settings();
        let (channel, rotation) = (Some("channel".parse().unwrap()), ["anna", "bert"].map(|who| who.parse().unwrap()));
        let service = Service { channel, rotation: rotation.to_vec(), ..crate::testing::service() };
        let people = base.roster.people().cloned().chain([person("bert", "Bert", "Europe/Berlin")]);
        let unmapped = base.services().last().unwrap().clone();
        let settings = Settings::new([service], Roster::new(people), unmapped, "https://x.example".to_owned());
        let mut situation = Situation::empty(settings.freeze_desk().id.clone());
        let freeze = Declared {
            id: "monday".parse().unwrap(),
            name: "Cyber Monday".to_owned(),
            stops: preset.stops(),
            rotation_signs: preset.rotation_signs(),
            scope: Scope::default(),
            zone: "UTC".to_owned(),
            from: at("10:00"),
            until: at("Mon 10:00"),
            by: "olga".parse().unwrap(),
            declared_at: at("09:00"),
            changed_at: None,
            widened_at: None,
            ended: None,
        };
        situation.note(Record::Freeze(freeze), 1);
        let mut desk = Self { settings, situation, now: at("11:00"), heard: Vec::new() };
        desk.look();
        desk.heard.clear();
        desk
    }

    fn look(&mut self) {
        for _ in 0..20 {
            let round = decide(&self.situation, &[], &self.settings, self.now);
            let of_lane = round.decisions.messages.iter().filter(|m| matches!(m.key.subject, Subject::Expedite(_)));
            self.heard.extend(of_lane.map(|message| {
                let time = self.now.strftime("%a %H:%M");
                format!(
                    "{time} {} {} ({})\n{}",
                    message.key.person,
                    message.key.step.word(),
                    message.reason,
                    message.plain()
                )
            }));
            self.situation.apply(&round.decisions, self.now);
            if !matches!(round.decisions.wake, Wake::Exactly(Some(due)) if due <= self.now) {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Feanil's fix, as it is now.
    fn fix(&mut self, change: impl FnOnce(&mut Expedite)) {
        let key = format!("{}@7", repository());
        let mut fix = self.situation.expedites.get(&key).map_or_else(asked, |known| known.value.clone());
        change(&mut fix);
        let rev = self.situation.expedites.get(&key).map_or(0, |known| known.rev);
        self.situation.note(Record::Expedite(fix), rev + 1);
        self.look();
    }

    fn kept(&self) -> Option<&Expedite> {
        self.situation.expedites.values().next().map(|known| &known.value)
    }

    fn hears(&mut self, want: Expect) {
        want.assert_eq(&std::mem::take(&mut self.heard).join("\n\n"));
    }

    fn until(&mut self, when: Timestamp) {
        while let Some(due) = self.situation.clock.value.due_at.filter(|due| *due <= when) {
            self.now = self.now.max(due);
            self.look();
        }
        self.now = when;
        self.look();
    }

    /// Those that may pass now, and until when those that did.
    fn posted(&self) -> (usize, Vec<Timestamp>) {
        let freezes = Freezes {
            configured: &[],
            feeds: [].into(),
            declared: self.situation.freezes.values().map(|known| &known.value).collect(),
        };
        let lane = Lane { situation: &self.situation, settings: &self.settings, freezes: &freezes, now: self.now };
        (lane.passing().len(), lane.passed().iter().map(|one| one.until).collect())
    }
}

fn asked() -> Expedite {
    Expedite {
        repository: repository(),
        number: 7,
        title: "Mend the till".to_owned(),
        url: Some("https://github.com/openedx/edx-platform/pull/7".to_owned()),
        by: "feanil".parse().unwrap(),
        at: at("11:00"),
        way: Way::Label,
        heard_at: at("11:00"),
        head: None,
        reason: String::new(),
        signed: vec![],
        over: None,
        passed: None,
        told: [].into(),
        counted: false,
    }
}

fn signed(who: &str, approver: bool, rotation: bool) -> Signed {
    Signed { person: who.parse().unwrap(), at: at("11:30"), approver, rotation }
}

#[test]
fn whoever_asks_says_why_then_an_owner_and_the_rotation_sign_and_each_hears_once() {
    let mut desk = Desk::during(Preset::PeakEvent);
    desk.fix(|_| {});
    desk.look();
    desk.hears(expect![[r#"
        Fri 11:00 feanil expedite-why (somebody asks to let it pass the freeze: )
        Why should edx-platform#7 pass the freeze?
        You asked to let edx-platform#7 “Mend the till” pass: Cyber Monday until 2026-03-23 10:00 (UTC).
        Say why, in one line: at the board, or by a comment `/expedite <reason>` on the pull request. Nobody signs without a reason.
        You have the pager for it by asking: its turn starts when it is live.
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/"#]]);
    desk.fix(|fix| fix.reason = "Users cannot pay.".to_owned());
    desk.look();
    desk.hears(expect![[r#"
        Fri 11:00 olga expedite-asked (somebody asks to let it pass the freeze: Users cannot pay.)
        Feanil asks to let edx-platform#7 pass the freeze: do you sign?
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        It would pass Cyber Monday until 2026-03-23 10:00 (UTC).
        It takes an approver and somebody of the rotation.
        Feanil has the pager for it. It lapses at 2026-03-21 11:00 (Europe/London).
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/"#]]);
    assert_eq!(desk.posted(), (0, vec![]));
    desk.now = at("11:30");
    desk.fix(|fix| fix.signed.push(signed("olga", true, false)));
    desk.hears(expect![[r#"
        Fri 11:30 anna expedite-asked (somebody asks to let it pass the freeze: Users cannot pay.)
        Feanil asks to let edx-platform#7 pass the freeze: do you sign?
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        It would pass Cyber Monday until 2026-03-23 10:00 (UTC).
        Olga has signed.
        It takes an approver and somebody of the rotation.
        Feanil has the pager for it. It lapses at 2026-03-21 12:30 (Europe/Stockholm).
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/

        Fri 11:30 bert expedite-asked (somebody asks to let it pass the freeze: Users cannot pay.)
        Feanil asks to let edx-platform#7 pass the freeze: do you sign?
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        It would pass Cyber Monday until 2026-03-23 10:00 (UTC).
        Olga has signed.
        It takes an approver and somebody of the rotation.
        Feanil has the pager for it. It lapses at 2026-03-21 12:30 (Europe/Berlin).
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/"#]]);
    desk.fix(|fix| fix.signed.push(signed("bert", false, true)));
    desk.look();
    desk.hears(expect![[r#"
        Fri 11:30 feanil expedite-granted (it may pass the freeze: Users cannot pay.)
        edx-platform#7 may pass the freeze
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        Signed by Olga and Bert.
        Merge it before 2026-03-21 07:30 (America/New_York).
        What waits in the queue stays there. Release the fix alone: on a branch from the live commit, `git cherry-pick -x` it, and deploy that.
        You have the pager for it: your turn starts when it is live, and not before.
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/

        Fri 11:30 channel expedite-granted (it may pass the freeze: Users cannot pay.)
        edx-platform#7 may pass the freeze
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        Signed by Olga and Bert.
        Feanil has the pager for it.
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/"#]]);
    assert_eq!(desk.posted(), (1, vec![at("Sat 11:30")]));
    assert_eq!(desk.kept().unwrap().passed.as_ref().map(|passed| passed.until), Some(at("Sat 11:30")));
}

#[test]
fn a_freeze_that_only_advises_takes_a_reason_and_nobodys_signature() {
    let mut desk = Desk::during(Preset::Weekend);
    desk.fix(|fix| fix.reason = "Users cannot pay".to_owned());
    desk.hears(expect![[r#"
        Fri 11:00 feanil expedite-granted (it may pass the freeze: Users cannot pay)
        edx-platform#7 may pass the freeze
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        Merge it before 2026-03-21 07:00 (America/New_York).
        You have the pager for it: your turn starts when it is live, and not before.
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/

        Fri 11:00 channel expedite-granted (it may pass the freeze: Users cannot pay)
        edx-platform#7 may pass the freeze
        edx-platform#7 “Mend the till”. Why: Users cannot pay.
        Feanil has the pager for it.
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/"#]]);
}

#[test]
fn where_nobody_is_left_to_sign_whoever_asked_hears_so() {
    let mut desk = Desk::during(Preset::Holiday);
    desk.fix(|fix| (fix.reason, fix.by) = ("Users cannot pay".to_owned(), "olga".parse().unwrap()));
    desk.hears(expect![[r#"
        Fri 11:00 olga expedite-why (somebody asks to let it pass the freeze: Users cannot pay)
        Nobody is left to sign for edx-platform#7
        It would pass Cyber Monday until 2026-03-23 10:00 (UTC).
        Whoever could sign has asked for it, or signed already: name somebody else in [expedite] of the configuration.
        Pull request: https://github.com/openedx/edx-platform/pull/7
        Board: https://x.example/"#]]);
}

#[test]
fn a_refusal_is_told_to_whoever_asked_and_counted_once_and_a_withdrawal_to_nobody() {
    let refused = |why: &str| Over::Refused { why: why.to_owned() };
    for (over, told) in [(refused("Wait for Monday."), 1), (Over::Withdrawn, 0)] {
        let mut desk = Desk::during(Preset::Holiday);
        desk.fix(|fix| fix.reason = "Users cannot pay".to_owned());
        desk.heard.clear();
        desk.fix(|fix| fix.over = Some((at("11:00"), "olga".parse().unwrap(), over)));
        assert!(desk.kept().unwrap().counted);
        desk.look();
        assert_eq!(desk.heard.len(), told);
        assert_eq!(desk.posted(), (0, vec![]));
        if told == 1 {
            desk.hears(expect![[r#"
                Fri 11:00 feanil expedite-refused (it may not pass the freeze: Wait for Monday.)
                edx-platform#7 may not pass the freeze
                Olga: Wait for Monday.
                Talk to them, and ask again at the board.
                Pull request: https://github.com/openedx/edx-platform/pull/7
                Board: https://x.example/"#]]);
        }
    }
}

#[test]
fn it_lapses_after_a_day_and_is_forgotten_after_a_month() {
    let mut desk = Desk::during(Preset::Holiday);
    desk.fix(|fix| {
        fix.reason = "Users cannot pay".to_owned();
        fix.signed.push(signed("olga", true, false));
    });
    assert_eq!(desk.posted().0, 1);
    desk.until(at("Sat 11:29"));
    assert_eq!((desk.posted().0, desk.kept().unwrap().counted), (1, false));
    desk.until(at("Sat 11:30"));
    assert_eq!((desk.posted().0, desk.kept().unwrap().counted), (0, true));
    let end = at("11:00") + KNOWN;
    desk.until(end - SignedDuration::from_mins(1));
    assert!(desk.kept().is_some());
    desk.until(end);
    assert!(desk.kept().is_none());
}

#[test]
fn what_takes_more_than_it_did_passes_no_longer_and_is_told_anew() {
    let mut desk = Desk::during(Preset::Weekend);
    desk.fix(|fix| fix.reason = "Users cannot pay".to_owned());
    assert_eq!(desk.posted().0, 1);
    desk.heard.clear();
    let mut freeze = desk.situation.freezes.values().next().unwrap().value.clone();
    freeze.stops = Preset::Holiday.stops();
    desk.situation.note(Record::Freeze(freeze), 2);
    desk.now = at("12:00");
    desk.look();
    assert_eq!(desk.posted(), (0, vec![at("12:00")]));
    assert_eq!(desk.heard.len(), 1);
    desk.fix(|fix| fix.signed.push(signed("olga", true, false)));
    let granted = desk.heard.iter().filter(|heard| heard.contains("may pass the freeze")).count();
    assert_eq!(granted, 2, "whoever asked, and the channel: {:?}", desk.heard);
}

#[test]
fn while_nothing_holds_nobody_is_asked_and_nothing_is_let_through() {
    let mut desk = Desk::during(Preset::Holiday);
    desk.now = at("Mon 10:00");
    desk.look();
    desk.fix(|fix| (fix.at, fix.reason) = (at("Mon 09:59"), "Users cannot pay".to_owned()));
    assert!(desk.heard.is_empty());
    assert_eq!(desk.posted(), (0, vec![]));
}

/// What the lane adds for one fix to a transaction of so many actions: who hears it, what stands in the log, what is written, what
/// is counted; and when it looks again.
#[derive(Debug, PartialEq, Eq)]
struct Added {
    heard: Vec<String>,
    passes: usize,
    writes: usize,
    facts: usize,
    next: Option<Timestamp>,
}

fn added(desk: &Desk, fix: &Expedite, actions: usize) -> Added {
    let freezes = Freezes {
        configured: &[],
        feeds: [].into(),
        declared: desk.situation.freezes.values().map(|known| &known.value).collect(),
    };
    let lane = Lane { situation: &desk.situation, settings: &desk.settings, freezes: &freezes, now: desk.now };
    let mut decisions = Decisions::none(&desk.settings.freeze_desk().id, Wake::Now);
    while decisions.actions() < actions {
        decisions.log(desk.now, None, None, "something else".to_owned(), Reason::ExpediteWithdrawn);
    }
    let mut next = Next::default();
    lane.one(&mut decisions, &mut next, &Noted { value: fix.clone(), rev: 3 });
    Added {
        heard: decisions.messages.iter().map(|m| format!("{} {}", m.key.person, m.key.step.word())).collect(),
        passes: decisions.entries.iter().filter(|line| line.what.contains(" may pass: ")).count(),
        writes: decisions.writes.len(),
        facts: decisions.facts.len(),
        next: next.0,
    }
}

#[test]
fn a_fix_is_looked_at_when_it_lapses_or_what_holds_it_is_over_and_told_of_while_there_is_room() {
    let mut desk = Desk::during(Preset::PeakEvent);
    let fix = Expedite { reason: "Users cannot pay.".to_owned(), ..asked() };
    let asks = |next, full: bool| Added {
        heard: if full { vec![] } else { vec!["olga expedite-asked".to_owned()] },
        passes: 0,
        writes: usize::from(!full),
        facts: 0,
        next: Some(next),
    };
    let lapses = fix.lapses_at();
    assert_eq!(added(&desk, &fix, 1), asks(lapses, false));
    assert_eq!(added(&desk, &fix, 84), asks(lapses, false));
    for full in [85, 86, 90] {
        assert_eq!(added(&desk, &fix, full), asks(desk.now, true), "{full}");
    }
    // The freeze is over before.
    desk.situation.freezes.values_mut().for_each(|known| known.value.until = at("12:00"));
    assert_eq!(added(&desk, &fix, 1), asks(at("12:00"), false));
    // What is over by somebody's word waits for nothing.
    let withdrawn = Expedite { over: Some((at("11:00"), "feanil".parse().unwrap(), Over::Withdrawn)), ..fix };
    assert_eq!(added(&desk, &withdrawn, 1), Added { heard: vec![], passes: 0, writes: 1, facts: 1, next: None });
    assert_eq!(added(&desk, &withdrawn, 84).facts, 1);
    for full in [85, 86, 90] {
        assert_eq!((added(&desk, &withdrawn, full).facts, added(&desk, &withdrawn, full).writes), (0, 0), "{full}");
    }
    let counted = Expedite { counted: true, ..withdrawn };
    assert_eq!(added(&desk, &counted, 1), Added { heard: vec![], passes: 0, writes: 0, facts: 0, next: None });
}

#[test]
fn that_a_fix_may_pass_is_in_the_log_once_however_many_hear_it() {
    let mut desk = Desk::during(Preset::PeakEvent);
    desk.now = at("11:30");
    let signed = vec![signed("olga", true, false), signed("anna", false, true)];
    let mut fix = Expedite { reason: "Users cannot pay.".to_owned(), signed, ..asked() };
    let first = added(&desk, &fix, 1);
    assert_eq!(first.heard, ["feanil expedite-granted", "channel expedite-granted"]);
    assert_eq!((first.passes, first.writes), (1, 1));
    fix.told.insert((Step::ExpediteGranted, "feanil".parse().unwrap()));
    let second = added(&desk, &fix, 1);
    assert_eq!((second.heard, second.passes), (vec!["channel expedite-granted".to_owned()], 0));
    fix.told.insert((Step::ExpediteGranted, "channel".parse().unwrap()));
    fix.passed = Some(fix.granted());
    let third = added(&desk, &fix, 1);
    assert_eq!((third.heard.len(), third.passes, third.writes), (0, 0, 0), "nothing is new");
    // That it is to be asked for is no word that it may pass.
    let asked = Expedite { signed: vec![], told: [].into(), passed: None, ..fix };
    assert_eq!(added(&desk, &asked, 1).passes, 0);
}

#[test]
fn a_fix_leaves_when_it_has_lapsed_and_is_known_for_a_while_as_long_as_that_fits() {
    let mut desk = Desk::during(Preset::PeakEvent);
    let fix = asked();
    let leaves = fix.lapses_at().max(fix.at + KNOWN);
    desk.situation.note(Record::Expedite(fix), 4);
    let looked = |desk: &Desk, actions| {
        let freezes = Freezes { configured: &[], feeds: [].into(), declared: vec![] };
        let lane = Lane { situation: &desk.situation, settings: &desk.settings, freezes: &freezes, now: desk.now };
        let mut decisions = Decisions::none(&desk.settings.freeze_desk().id, Wake::Now);
        while decisions.actions() < actions {
            decisions.log(desk.now, None, None, "something else".to_owned(), Reason::ExpediteWithdrawn);
        }
        let mut next = Next::default();
        lane.look(&mut decisions, &mut next);
        let drops = decisions.writes.iter().filter(|write| matches!(write, crate::Write::Drop { seen: 4, .. }));
        (drops.count(), next.0)
    };
    desk.now = leaves - SignedDuration::from_secs(1);
    assert_eq!(looked(&desk, 1), (0, Some(leaves)));
    desk.now = leaves;
    assert_eq!(
        [1, 88, 89, 90].map(|actions| looked(&desk, actions)),
        [(1, None), (1, None), (0, Some(leaves)), (0, Some(leaves))]
    );
}
