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
