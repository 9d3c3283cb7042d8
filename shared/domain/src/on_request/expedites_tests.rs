//! Asking, signing, refusing, taking back: who may, and what a second click does.

use super::*;
use crate::freeze::{Declared, Preset, Scope};
use crate::situation::Situation;
use crate::testing::{at, commit, repository, settings};
use crate::{PersonId, Settings};

struct Lane {
    settings: Settings,
    situation: Situation,
    now: jiff::Timestamp,
}

impl Lane {
    fn during(preset: Option<Preset>) -> Self {
        let settings = settings();
        let mut situation = Situation::empty(settings.freeze_desk().id.clone());
        if let Some(preset) = preset {
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
        }
        Self { settings, situation, now: at("12:00") }
    }

    fn does(&mut self, act: impl Fn(&Desk<'_>) -> Result<Decisions, Refused>) -> Result<(), Refused> {
        let desk = Desk { situation: &self.situation, settings: &self.settings, now: self.now };
        let decisions = act(&desk)?;
        self.situation.apply(&decisions, self.now);
        Ok(())
    }

    fn asks(&mut self, who: &str, why: &str, way: Way) -> Result<(), Refused> {
        self.now += jiff::SignedDuration::from_secs(1);
        self.asks_at(who, why, way, self.now)
    }

    /// Told of now, and said then.
    fn asks_at(&mut self, who: &str, why: &str, way: Way, at: Timestamp) -> Result<(), Refused> {
        let (title, head) = ("Fix it".to_owned(), Some(commit(70)));
        let fix = Fix { repository: repository(), number: 7, title, url: None, head, at };
        let who: PersonId = who.parse().unwrap();
        self.does(|desk| desk.expedite(&who, &fix, why, way))
    }

    fn signs(&mut self, who: &str) -> Result<(), Refused> {
        self.does(|desk| desk.sign(&who.parse().unwrap(), &repository(), 7))
    }

    fn stands(&self) -> Standing {
        let desk = Desk { situation: &self.situation, settings: &self.settings, now: self.now };
        let known = &self.situation.expedites.values().next().unwrap().value;
        known.standing(desk.needs(&repository()).unwrap_or_default(), self.now)
    }
}

#[test]
fn at_a_peak_event_an_approver_and_the_rotation_sign_and_nobody_for_themselves() {
    let mut lane = Lane::during(Some(Preset::PeakEvent));
    lane.asks("feanil", "", Way::Label).unwrap();
    assert_eq!(lane.signs("olga"), Err(Refused::NoReason));
    lane.asks("feanil", "checkout fails", Way::Command).unwrap();
    assert_eq!(lane.asks("usama", "checkout fails", Way::Command), Err(Refused::AlreadySo));
    assert_eq!(lane.signs("feanil"), Err(Refused::OwnAsk));
    assert_eq!(lane.signs("usama"), Err(Refused::NotYours));
    lane.signs("olga").unwrap();
    assert_eq!((lane.signs("olga"), lane.stands()), (Err(Refused::AlreadySo), Standing::AwaitsRotation));
    lane.signs("anna").unwrap();
    assert_eq!(lane.stands(), Standing::Granted);
    // For another reason it is another question.
    lane.asks("usama", "and the cart too", Way::Board).unwrap();
    assert_eq!(lane.stands(), Standing::AwaitsApprover);
}

#[test]
fn what_was_refused_is_not_asked_again_by_a_label_and_only_whoever_asked_takes_it_back() {
    let mut lane = Lane::during(Some(Preset::Holiday));
    lane.asks("feanil", "checkout fails", Way::Command).unwrap();
    let no = |who: &str, why: &'static str| {
        let who: PersonId = who.parse().unwrap();
        move |desk: &Desk<'_>| desk.refuse(&who, &repository(), 7, why)
    };
    assert_eq!(lane.does(no("usama", "no")), Err(Refused::NotYours));
    assert_eq!(lane.does(no("olga", " ")), Err(Refused::NoReason));
    lane.does(no("olga", "wait for Monday")).unwrap();
    assert_eq!(lane.signs("olga"), Err(Refused::NotAsked("edx-platform#7".to_owned())));
    assert_eq!(lane.asks("feanil", "", Way::Label), Err(Refused::WasRefused("wait for Monday".to_owned())));
    lane.asks("feanil", "checkout still fails", Way::Board).unwrap();
    assert_eq!(lane.does(|desk| desk.withdraw(&"usama".parse().unwrap(), &repository(), 7)), Err(Refused::NotTheirs));
    lane.does(|desk| desk.withdraw(&"feanil".parse().unwrap(), &repository(), 7)).unwrap();
    assert_eq!(lane.stands(), Standing::Withdrawn);
}

#[test]
fn where_nothing_holds_and_where_nobody_may_nothing_is_asked() {
    let mut lane = Lane::during(None);
    assert_eq!(lane.asks("feanil", "why not", Way::Board), Err(Refused::NothingHolds));
    let mut lane = Lane::during(Some(Preset::Holiday));
    assert_eq!(lane.asks("stranger", "why not", Way::Label), Err(Refused::MayNotAsk));
    let fix = Fix {
        repository: "other/repo".parse().unwrap(),
        number: 1,
        title: String::new(),
        url: None,
        head: None,
        at: lane.now,
    };
    let asked = lane.does(|desk| desk.expedite(&"feanil".parse().unwrap(), &fix, "x", Way::Board));
    assert_eq!(asked, Err(Refused::NotServed("other/repo".parse().unwrap())));
    // A weekend only advises: a reason is enough.
    let mut lane = Lane::during(Some(Preset::Weekend));
    lane.asks("feanil", "checkout fails", Way::Board).unwrap();
    assert_eq!(lane.stands(), Standing::Granted);
}

#[test]
fn what_is_told_again_or_late_undoes_nothing() {
    let mut lane = Lane::during(Some(Preset::Holiday));
    let first = at("12:00");
    lane.asks_at("feanil", "checkout fails", Way::Command, first).unwrap();
    lane.now = at("12:10");
    lane.asks("feanil", "checkout fails for everybody", Way::Board).unwrap();
    lane.signs("olga").unwrap();
    // The forge tells of the first comment once more.
    assert_eq!(lane.asks_at("feanil", "checkout fails", Way::Command, first), Err(Refused::AlreadySo));
    assert_eq!(lane.stands(), Standing::Granted);
    lane.now = at("13:00");
    lane.does(|desk| desk.withdraw(&"feanil".parse().unwrap(), &repository(), 7)).unwrap();
    assert_eq!(lane.asks_at("feanil", "checkout fails", Way::Command, at("12:20")), Err(Refused::AlreadySo));
    assert_eq!(lane.stands(), Standing::Withdrawn);
    // Days later it is no wish any more.
    lane.now = at("Mon 09:59");
    assert_eq!(lane.asks_at("feanil", "checkout fails", Way::Command, at("13:30")), Err(Refused::AlreadySo));
}

#[test]
fn who_signed_signed_for_the_commits_that_it_had() {
    let mut lane = Lane::during(Some(Preset::Holiday));
    lane.asks("feanil", "checkout fails", Way::Command).unwrap();
    lane.signs("olga").unwrap();
    assert_eq!(lane.stands(), Standing::Granted);
    lane.now = at("12:30");
    let now = lane.now;
    // The same commit, told again, changes nothing.
    lane.does(|desk| Ok(desk.moved(&repository(), 7, &commit(70), now))).unwrap();
    assert_eq!(lane.stands(), Standing::Granted);
    lane.does(|desk| Ok(desk.moved(&repository(), 7, &commit(71), now))).unwrap();
    assert_eq!(lane.stands(), Standing::AwaitsApprover);
    lane.signs("olga").unwrap();
    assert_eq!(lane.stands(), Standing::Granted);
}

impl Lane {
    fn known(&self) -> &Expedite {
        &self.situation.expedites.values().next().unwrap().value
    }

    /// As if it had been told of, and counted.
    fn was_told(&mut self) {
        let known = &mut self.situation.expedites.values_mut().next().unwrap().value;
        known.told.insert((crate::Step::ExpediteAsked, "olga".parse().unwrap()));
        known.counted = true;
    }

    fn moves(&mut self, number: u64, at: Timestamp) {
        self.does(|desk| Ok(desk.moved(&repository(), 7, &commit(number), at))).unwrap();
    }
}

#[test]
fn asked_for_another_reason_it_is_another_question_of_whoever_asks_now() {
    let mut lane = Lane::during(Some(Preset::Holiday));
    lane.asks("feanil", "checkout fails", Way::Command).unwrap();
    lane.signs("olga").unwrap();
    lane.was_told();
    let before = lane.known().clone();
    lane.now = at("12:30");
    lane.asks("usama", "the cart too", Way::Board).unwrap();
    let after = Expedite {
        by: "usama".parse().unwrap(),
        at: at("12:30") + jiff::SignedDuration::from_secs(1),
        way: Way::Board,
        reason: "the cart too".to_owned(),
        signed: vec![],
        told: [].into(),
        counted: false,
        ..before
    };
    assert_eq!(*lane.known(), after);
}

#[test]
fn other_commits_are_told_of_anew_where_somebody_had_signed_and_else_silently() {
    let mut lane = Lane::during(Some(Preset::Holiday));
    lane.asks("feanil", "checkout fails", Way::Command).unwrap();
    lane.was_told();
    let before = lane.known().clone();
    lane.moves(71, before.at);
    assert_eq!(*lane.known(), before, "as old as what was asked");
    lane.moves(71, at("12:10"));
    assert_eq!(*lane.known(), Expedite { head: Some(commit(71)), ..before.clone() }, "nobody had signed");
    lane.signs("olga").unwrap();
    lane.moves(72, at("12:20"));
    assert_eq!(*lane.known(), Expedite { head: Some(commit(72)), told: [].into(), ..before });
}

#[test]
fn a_wish_is_heard_for_a_day_and_not_a_second_longer() {
    let asks = |late: i64| {
        let mut lane = Lane::during(Some(Preset::Holiday));
        lane.now = at("Sat 12:00") + jiff::SignedDuration::from_secs(late);
        lane.asks_at("feanil", "checkout fails", Way::Command, at("12:00"))
    };
    assert_eq!((asks(0), asks(1)), (Ok(()), Err(Refused::AlreadySo)));
}

#[test]
fn a_refusal_stands_for_a_day_against_labels() {
    let again = |when: &str| {
        let mut lane = Lane::during(Some(Preset::Holiday));
        lane.asks("feanil", "checkout fails", Way::Command).unwrap();
        lane.now = at("13:00");
        lane.does(|desk| desk.refuse(&"olga".parse().unwrap(), &repository(), 7, "no")).unwrap();
        lane.now = at(when);
        lane.asks_at("feanil", "", Way::Label, at(when))
    };
    assert_eq!((again("Sat 12:59"), again("Sat 13:00")), (Err(Refused::WasRefused("no".to_owned())), Ok(())));
}

#[test]
fn a_label_that_is_taken_off_takes_back_what_was_asked_by_it_and_nothing_else() {
    let takes_off = |way, seconds| {
        let mut lane = Lane::during(Some(Preset::Holiday));
        lane.asks_at("feanil", "checkout fails", way, at("12:00")).unwrap();
        lane.now = at("12:10");
        let then = at("12:00") + jiff::SignedDuration::from_secs(seconds);
        let said = lane.does(|desk| desk.unlabelled(&"feanil".parse().unwrap(), &repository(), 7, then));
        (said, lane.stands() == Standing::Withdrawn)
    };
    let no = (Err(Refused::NotTheirs), false);
    assert_eq!(takes_off(Way::Label, 1), (Ok(()), true));
    assert_eq!(takes_off(Way::Label, 0), no, "it is older than the label");
    assert_eq!(takes_off(Way::Command, 1), no);
    assert_eq!(takes_off(Way::Board, 1), no);
}

#[test]
fn the_log_says_in_which_role_somebody_signs() {
    let mut lane = Lane::during(Some(Preset::PeakEvent));
    lane.asks("feanil", "checkout fails", Way::Command).unwrap();
    let says = |lane: &Lane, who: &str| {
        let desk = Desk { situation: &lane.situation, settings: &lane.settings, now: lane.now };
        let decisions = desk.sign(&who.parse().unwrap(), &repository(), 7).unwrap();
        decisions.entries[0].what.clone()
    };
    assert_eq!(says(&lane, "olga"), "Olga signs as approver: edx-platform#7 may pass");
    assert_eq!(says(&lane, "anna"), "Anna signs for the rotation: edx-platform#7 may pass");
    lane.settings.lane.approvers = ["anna".parse().unwrap()].into();
    assert_eq!(says(&lane, "anna"), "Anna signs as approver: edx-platform#7 may pass", "who may sign as either");
}
