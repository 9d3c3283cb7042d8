//! Freezes by somebody's word.

use super::*;
use crate::freeze::{Freeze, Freezes, Preset, Question, Side, Time};
use crate::testing::{at, settings};

struct Table {
    settings: Settings,
    situation: Situation,
    now: Timestamp,
}

fn wanted(until: &str) -> Wanted {
    Wanted {
        id: "sale".parse().unwrap(),
        name: "Cyber Monday".to_owned(),
        stops: Some(Preset::PeakEvent.stops()),
        rotation_signs: Some(true),
        scope: None,
        zone: "Europe/London".to_owned(),
        from: None,
        until: at(until),
    }
}

impl Table {
    fn new() -> Self {
        let settings = settings();
        let situation = Situation::empty(settings.freeze_desk().id.clone());
        Self { settings, situation, now: at("12:00") }
    }

    fn does(&mut self, decide: impl FnOnce(Desk<'_>) -> Result<Decisions, Refused>) -> Result<String, Refused> {
        let decisions = decide(Desk { situation: &self.situation, settings: &self.settings, now: self.now })?;
        self.situation.apply(&decisions, self.now);
        Ok(decisions.entries.iter().map(|entry| format!("{} [{}]", entry.what, entry.reason.name())).collect())
    }

    fn declares(&mut self, wanted: &Wanted) -> Result<String, Refused> {
        let by = "olga".parse().unwrap();
        self.does(|desk| desk.declare(&by, wanted))
    }

    fn ends(&mut self, id: &str) -> Result<String, Refused> {
        let (by, id) = ("anna".parse().unwrap(), id.parse().unwrap());
        self.does(|desk| desk.end(&by, &id))
    }

    fn may(&self, when: &str) -> bool {
        let freezes = Freezes::of(&self.settings, &self.situation);
        let service = self.settings.services().next().unwrap();
        freezes.answer(&Question::about(Side::Deployments, service, None), at(when)).may()
    }
}

#[test]
fn a_freeze_is_declared_changed_while_it_runs_and_ended_and_each_is_in_the_log() {
    let mut table = Table::new();
    assert_eq!(
        table.declares(&wanted("18:00")).unwrap(),
        "Olga declares the freeze sale: Cyber Monday, 2026-03-20 12:00 to 18:00 (Europe/London): please do not merge; \
         nothing is deployed (every service) [freeze_declared]"
    );
    assert!(!table.may("17:59") && table.may("18:00"));
    assert_eq!(table.declares(&wanted("18:00")), Err(Refused::AlreadySo), "a second click");
    table.now = at("15:00");
    assert!(
        table
            .declares(&wanted("20:00"))
            .unwrap()
            .contains("changes the freeze sale: Cyber Monday, 2026-03-20 12:00 to 20:00")
    );
    assert_eq!(table.situation.freezes.len(), 1);
    assert!(!table.may("19:59"));
    table.now = at("16:00");
    assert_eq!(table.ends("sale").unwrap(), "Anna ends the freeze sale (Cyber Monday) [freeze_ended]");
    assert!(table.may("16:00"));
    assert_eq!(table.ends("sale"), Err(Refused::NoSuch("sale".parse().unwrap())));
    // Of this name there can be another one later.
    table.now = at("Sat 12:00");
    assert!(table.declares(&wanted("Sat 18:00")).unwrap().contains("declares"));
    assert!(!table.may("Sat 13:00"));
}

#[test]
fn one_that_is_changed_stays_the_one_that_was_declared() {
    let mut table = Table::new();
    let kept = |table: &Table| table.situation.freezes.values().next().unwrap().value.clone();
    table.declares(&Wanted { from: Some(at("Mon 00:00")), ..wanted("Tue 00:00") }).unwrap();
    assert_eq!((kept(&table).declared_at, kept(&table).changed_at), (at("12:00"), None));
    table.now = at("15:00");
    table.declares(&Wanted { from: Some(at("Tue 00:00")), ..wanted("Tue 12:00") }).unwrap();
    assert_eq!((kept(&table).declared_at, kept(&table).touched_at()), (at("12:00"), at("15:00")));
    table.now = at("16:00");
    table.ends("sale").unwrap();
    assert!(kept(&table).is_called_off() && kept(&table).touched_at() == at("16:00"));
    table.declares(&Wanted { from: Some(at("Tue 00:00")), ..wanted("Tue 12:00") }).unwrap();
    assert_eq!(kept(&table).declared_at, at("16:00"), "what is over, or called off, is another");
}

#[test]
fn one_that_lies_ahead_is_called_off() {
    let mut table = Table::new();
    table.declares(&Wanted { from: Some(at("Mon 00:00")), ..wanted("Tue 00:00") }).unwrap();
    assert!(table.may("Sun 23:59") && !table.may("Mon 00:00"));
    assert!(table.ends("sale").unwrap().contains("calls off"));
    assert!(table.may("Mon 00:00"));
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_kept() {
    let mut table = Table::new();
    let base = wanted("18:00");
    let cases = [
        (Wanted { stops: Some(Stops::default()), ..base.clone() }, Refused::Nothing),
        (Wanted { until: at("12:00"), ..base.clone() }, Refused::Backwards),
        (Wanted { from: Some(at("19:00")), ..base.clone() }, Refused::Backwards),
        (Wanted { until: at("12:00") + SignedDuration::from_hours(24 * 32), ..base.clone() }, Refused::TooLong),
        (Wanted { zone: "Mars/Olympus".to_owned(), ..base.clone() }, Refused::NoZone("Mars/Olympus".to_owned())),
        (
            Wanted {
                scope: Some(Scope { services: ["nothing".parse().unwrap()].into(), ..Scope::default() }),
                ..base.clone()
            },
            Refused::NoService("nothing".to_owned()),
        ),
        (
            Wanted {
                scope: Some(Scope { environments: ["moon".parse().unwrap()].into(), ..Scope::default() }),
                ..base.clone()
            },
            Refused::NoEnvironment("moon".to_owned()),
        ),
    ];
    for (wanted, why) in cases {
        assert_eq!(table.declares(&wanted), Err(why));
    }
    assert!(table.situation.freezes.is_empty());
    for n in 0..50 {
        table.declares(&Wanted { id: format!("f{n}").parse().unwrap(), ..base.clone() }).unwrap();
    }
    assert_eq!(table.declares(&Wanted { id: "one-more".parse().unwrap(), ..base.clone() }), Err(Refused::TooMany));
    assert!(table.declares(&Wanted { id: "f7".parse().unwrap(), ..wanted("19:00") }).is_ok(), "one of them is changed");
    let mut later = Table { settings: settings(), situation: table.situation.clone(), now: at("18:00") };
    let one_more = Wanted { id: "one-more".parse().unwrap(), ..wanted("20:00") };
    assert!(later.declares(&one_more).is_ok(), "those that are over count no more");
    // What the configuration says only that changes.
    let time = Time { from: at("12:00"), until: at("13:00"), name: "x".to_owned() };
    let zone = jiff::tz::TimeZone::UTC;
    let freeze = Freeze {
        id: "f7".parse().unwrap(),
        stops: Preset::Holiday.stops(),
        rotation_signs: false,
        scope: Scope::default(),
        zone,
        times: vec![time],
        feed: None,
    };
    table.settings = settings().with_freezes(vec![freeze]);
    let configured = Refused::Configured("f7".parse().unwrap());
    assert_eq!(table.declares(&Wanted { id: "f7".parse().unwrap(), ..base }), Err(configured.clone()));
    assert!(table.ends("f7").is_ok(), "that which somebody declared before");
    assert_eq!(table.ends("f7"), Err(configured));
}

#[test]
fn changed_it_keeps_what_is_not_said_again() {
    let mut table = Table::new();
    let scope = Scope { environments: ["prod".parse().unwrap()].into(), ..Scope::default() };
    let first = Wanted { from: Some(at("Mon 00:00")), scope: Some(scope), ..wanted("Tue 00:00") };
    table.declares(&first).unwrap();
    // Longer, and nothing else is said: it still begins on Monday, still asks for the same, of the same.
    table.declares(&Wanted { stops: None, ..wanted("Tue 12:00") }).unwrap();
    let kept = &table.situation.freezes.values().next().unwrap().value;
    assert_eq!((kept.from, kept.until, kept.stops), (at("Mon 00:00"), at("Tue 12:00"), Preset::PeakEvent.stops()));
    let production: crate::EnvironmentName = "production".parse().unwrap();
    assert_eq!(kept.scope.environments, [production].into(), "by the configuration's own name");
    assert!(table.may("Sun 12:00") && !table.may("Mon 12:00"));
    // Of a new one of which nothing is said it is a holiday's.
    table.declares(&Wanted { id: "other".parse().unwrap(), stops: None, ..wanted("18:00") }).unwrap();
    assert_eq!(table.situation.freezes.get(&"other".parse().unwrap()).unwrap().value.stops, Preset::Holiday.stops());
}

#[test]
fn outside_contributors_do_not_declare_and_do_not_end() {
    let mut table = Table::new();
    let carol =
        crate::Person { champions: vec!["anna".parse().unwrap()], ..crate::testing::person("carol", "Carol", "UTC") };
    table.settings.roster.add(carol);
    let carol: PersonId = "carol".parse().unwrap();
    assert_eq!(table.does(|desk| desk.declare(&carol, &wanted("18:00"))), Err(Refused::Outside));
    table.declares(&wanted("18:00")).unwrap();
    assert_eq!(table.does(|desk| desk.end(&carol, &"sale".parse().unwrap())), Err(Refused::Outside));
}

#[test]
fn a_freeze_lasts_a_month_at_most_and_begins_within_a_year() {
    let secs = SignedDuration::from_secs;
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let says = |from: SignedDuration, lasts: SignedDuration| {
        let from = at("12:00") + from;
        Table::new().declares(&Wanted { from: Some(from), until: from + lasts, ..wanted("18:00") }).map(|_| ())
    };
    assert_eq!((says(secs(0), days(31)), says(secs(0), days(31) + secs(1))), (Ok(()), Err(Refused::TooLong)));
    assert_eq!((says(days(366), days(1)), says(days(366) + secs(1), days(1))), (Ok(()), Err(Refused::TooLong)));
}

#[test]
fn one_that_runs_began_when_it_began_and_one_that_lies_ahead_begins_when_it_is_said_to() {
    let began = |first: &str, now: &str, then: Option<&str>| {
        let mut table = Table::new();
        table.declares(&Wanted { from: Some(at(first)), ..wanted("18:00") }).unwrap();
        table.now = at(now);
        table.declares(&Wanted { from: then.map(at), ..wanted("20:00") }).unwrap();
        table.situation.freezes.values().next().unwrap().value.from
    };
    assert_eq!(began("13:00", "13:00", Some("16:00")), at("13:00"), "it runs");
    assert_eq!(began("13:00", "12:59", Some("16:00")), at("16:00"));
    assert_eq!(began("13:00", "12:59", None), at("13:00"));
    assert_eq!(began("13:00", "12:59", Some("12:10")), at("12:59"), "not in the past");
}

#[test]
fn a_second_click_within_a_minute_changes_nothing_and_later_it_does() {
    let again = |seconds: i64| {
        let mut table = Table::new();
        table.declares(&wanted("18:00")).unwrap();
        let until = at("18:00") + SignedDuration::from_secs(seconds);
        table.declares(&Wanted { until, ..wanted("18:00") }).map(|_| ())
    };
    assert_eq!(
        (again(59), again(60), again(-59), again(-60)),
        (Err(Refused::AlreadySo), Ok(()), Err(Refused::AlreadySo), Ok(()))
    );
}

#[test]
fn what_stops_more_or_elsewhere_is_another_freeze_from_then_on() {
    let mut table = Table::new();
    table.declares(&wanted("18:00")).unwrap();
    let widened = |table: &Table| table.situation.freezes.values().next().unwrap().value.widened_at;
    assert_eq!(widened(&table), None);
    table.now = at("13:00");
    table.declares(&wanted("19:00")).unwrap();
    assert_eq!(widened(&table), None, "it only lasts longer");
    table.now = at("14:00");
    table.declares(&Wanted { stops: Some(Preset::Weekend.stops()), ..wanted("19:00") }).unwrap();
    assert_eq!(widened(&table), Some(at("14:00")));
    table.now = at("15:00");
    table.declares(&Wanted { stops: None, ..wanted("20:00") }).unwrap();
    assert_eq!(widened(&table), Some(at("14:00")), "what it stops stays");
    table.now = at("16:00");
    let services = ["edxapp".parse().unwrap()].into();
    let scope = crate::freeze::Scope { services, ..crate::freeze::Scope::default() };
    table.declares(&Wanted { stops: None, scope: Some(scope), ..wanted("20:00") }).unwrap();
    assert_eq!(widened(&table), Some(at("16:00")));
}
