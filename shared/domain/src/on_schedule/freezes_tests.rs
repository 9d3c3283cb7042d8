//! What is said of freezes, and when, in virtual time.

use super::*;
use crate::freeze::{Declared, Freeze, Preset, Scope, Side, Stops, Time};
use crate::ids::FreezeId;
use crate::testing::{at, settings};

/// Freezes as the table keeps them, looked at in virtual time.
struct Days {
    settings: Settings,
    situation: Situation,
    now: Timestamp,
    heard: Vec<String>,
}

fn configured(from: &str, until: &str) -> Freeze {
    Freeze {
        id: "week".parse().unwrap(),
        stops: Preset::Holiday.stops(),
        rotation_signs: false,
        scope: Scope::default(),
        zone: jiff::tz::TimeZone::get("America/New_York").unwrap(),
        times: vec![Time { from: at(from), until: at(until), name: "gratitude week".to_owned() }],
        feed: None,
    }
}

fn declared(id: &str, from: &str, until: &str) -> Declared {
    Declared {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        stops: Preset::PeakEvent.stops(),
        rotation_signs: true,
        scope: Scope::default(),
        zone: "UTC".to_owned(),
        from: at(from),
        until: at(until),
        by: "olga".parse().unwrap(),
        declared_at: at("00:00"),
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

impl Days {
    fn of(freezes: Vec<Freeze>) -> Self {
        let base = settings();
        let channel: PersonId = "channel".parse().unwrap();
        let services = base.services().filter(|service| !service.repositories.is_empty()).cloned();
        let services: Vec<_> =
            services.map(|service| crate::Service { channel: Some(channel.clone()), ..service }).collect();
        let unmapped = base.services().last().unwrap().clone();
        let settings =
            Settings::new(services, base.roster, unmapped, "https://x.example".to_owned()).with_freezes(freezes);
        let situation = Situation::empty(settings.freeze_desk().id.clone());
        Self { settings, situation, now: at("00:00"), heard: Vec::new() }
    }

    /// Looks until nothing is due now.
    fn look(&mut self, when: &str) -> &mut Self {
        self.now = self.now.max(at(when));
        for _ in 0..20 {
            let round = decide(&self.situation, &[], &self.settings, self.now);
            let time = self.now.strftime("%d %H:%M").to_string();
            self.heard.extend(round.decisions.messages.iter().map(|message| format!("{time} {}", message.title)));
            self.situation.apply(&round.decisions, self.now);
            if !matches!(round.decisions.wake, Wake::Exactly(Some(due)) if due <= self.now) {
                return self;
            }
        }
        panic!("it never comes to rest");
    }

    /// Looks whenever it wants to be looked at, until then.
    fn until(&mut self, when: &str) -> &mut Self {
        self.look("00:00");
        while let Some(due) = self.situation.clock.value.due_at.filter(|due| *due <= at(when)) {
            self.now = self.now.max(due);
            self.look("00:00");
        }
        self.look(when)
    }

    fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard)
    }
}

#[test]
fn each_time_is_told_of_a_day_and_an_hour_before_when_it_begins_and_when_it_is_over_once_each() {
    let mut days = Days::of(vec![configured("Sun 12:00", "Mon 12:00")]);
    assert_eq!(
        days.until("Tue 20:00").heard(),
        [
            "21 12:00 A freeze begins within a day, at 2026-03-22 08:00 (America/New_York): gratitude week",
            "22 11:00 A freeze begins within an hour, at 08:00 (America/New_York): gratitude week",
            "22 12:00 Freeze until 2026-03-23 08:00 (America/New_York): gratitude week",
            "23 12:00 The freeze is over: gratitude week",
        ]
    );
    assert!(days.situation.freeze_notes.is_empty(), "it leaves after a day");
    // Looked at all the time it says the same.
    let mut often = Days::of(vec![configured("Sun 12:00", "Mon 12:00")]);
    for minute in 0..5 * 24 * 60 / 7 {
        often.now = at("00:00") + SignedDuration::from_mins(7 * minute);
        often.look("00:00");
    }
    assert_eq!(often.heard().len(), 4);
}

#[test]
fn looked_at_late_it_says_what_is_so_by_then_and_nothing_of_what_it_missed() {
    let mut days = Days::of(vec![configured("Sun 12:00", "Mon 12:00")]);
    assert_eq!(
        days.look("Sun 15:00").heard(),
        ["22 15:00 Freeze until 2026-03-23 08:00 (America/New_York): gratitude week"]
    );
    assert_eq!(days.look("Tue 00:00").heard(), ["24 00:00 The freeze is over: gratitude week"]);
    // Of one that came and went while nobody looked nothing is said.
    let mut late = Days::of(vec![configured("Sun 12:00", "Mon 12:00")]);
    assert!(late.look("Tue 00:00").heard().is_empty());
}

#[test]
fn by_somebodys_word_it_is_told_of_too_and_ends_when_they_say() {
    let mut days = Days::of(vec![]);
    days.situation.note(Record::Freeze(declared("sale", "10:00", "18:00")), 1);
    assert_eq!(days.look("10:00").heard(), ["20 10:00 Freeze until 18:00 (UTC): sale"]);
    // It lasts longer: whoever was told hears of that, once.
    days.situation.note(Record::Freeze(declared("sale", "10:00", "20:00")), 2);
    assert_eq!(days.look("11:00").heard(), ["20 11:00 The freeze is another now, until 20:00 (UTC): sale"]);
    assert!(days.until("19:00").heard().is_empty());
    let ended = Declared { ended: Some((at("19:30"), "olga".parse().unwrap())), ..declared("sale", "10:00", "20:00") };
    days.situation.note(Record::Freeze(ended), 3);
    assert_eq!(days.look("19:30").heard(), ["20 19:30 The freeze is over: sale"]);
    assert!(days.until("Tue 00:00").heard().is_empty());
    // Called off before anybody was told of it is no news.
    let off = Declared {
        ended: Some((at("Tue 01:00"), "olga".parse().unwrap())),
        ..declared("other", "Tue 05:00", "Tue 06:00")
    };
    days.situation.note(Record::Freeze(off), 1);
    assert!(days.until("Tue 12:00").heard().is_empty());
}

#[test]
fn what_was_told_of_and_is_called_off_is_told_of_again_and_so_is_what_became_stricter() {
    let mut days = Days::of(vec![]);
    let advises = Stops { merges: Some(Strength::Advise), deployments: None };
    days.situation.note(Record::Freeze(Declared { stops: advises, ..declared("sale", "Sat 10:00", "Sat 18:00") }), 1);
    assert_eq!(days.until("12:00").heard().len(), 1, "a day before");
    let stricter = declared("sale", "Sat 10:00", "Sat 18:00");
    days.situation.note(Record::Freeze(stricter.clone()), 2);
    assert_eq!(days.look("13:00").heard(), ["20 13:00 The freeze is another now, until 2026-03-21 18:00 (UTC): sale"]);
    let off = Declared { ended: Some((at("14:00"), "olga".parse().unwrap())), ..stricter };
    days.situation.note(Record::Freeze(off), 3);
    assert_eq!(days.look("14:00").heard(), ["20 14:00 The freeze is called off: sale"]);
    assert!(days.until("Tue 12:00").heard().is_empty());
}

#[test]
fn what_the_configuration_has_no_more_is_over_and_moved_it_is_another() {
    let mut days = Days::of(vec![configured("12:00", "Sat 12:00")]);
    assert_eq!(days.look("13:00").heard().len(), 1);
    let mut without = Days::of(vec![]);
    without.situation = days.situation.clone();
    assert_eq!(
        without.look("14:00").heard(),
        ["20 14:00 The freeze is over: gratitude week"],
        "whoever heard of it hears that"
    );
    assert!(without.look("14:02").heard().is_empty());
    assert!(without.situation.freeze_notes.is_empty() && without.situation.clock.value.due_at.is_none());
    let mut moved = Days::of(vec![configured("16:00", "Sat 12:00")]);
    moved.situation = days.situation.clone();
    assert_eq!(
        moved.look("15:00").heard(),
        [
            "20 15:00 A freeze begins within an hour, at 12:00 (America/New_York): gratitude week",
            "20 15:00 The freeze is over: gratitude week",
        ]
    );
}

#[test]
fn of_a_weekend_that_only_advises_to_deploy_later_nobody_is_told_and_the_log_knows() {
    let stops = Stops { merges: None, deployments: Some(Strength::Advise) };
    let mut days = Days::of(vec![Freeze { stops, ..configured("12:00", "13:00") }]);
    assert!(days.until("14:00").heard().is_empty());
    assert_eq!(days.situation.freeze_notes.len(), 1);
}

#[test]
fn many_channels_take_several_rounds_and_each_hears_it_once() {
    let base = settings();
    let mut days = Days::of(vec![]);
    let service = base.services().next().unwrap().clone();
    let many = (0..200).map(|n| crate::Service {
        id: format!("s{n}").parse().unwrap(),
        channel: Some(format!("channel{n}").parse().unwrap()),
        ..service.clone()
    });
    let unmapped = base.services().last().unwrap().clone();
    days.settings =
        Settings::new(many, base.roster, unmapped, String::new()).with_freezes(vec![configured("12:00", "13:00")]);
    days.look("12:00");
    assert_eq!(days.heard().len(), 200);
    assert!(days.look("12:01").heard().is_empty());
    let id: FreezeId = "week".parse().unwrap();
    let notes = days.situation.freeze_notes.get(&format!("{id}@20260320T120000Z")).unwrap();
    assert!(notes.value.told.is_empty() && notes.value.said.len() == 1, "who was told is forgotten once all were");
}

#[test]
fn where_another_goes_on_nobody_is_told_that_it_is_over_for_what_waits() {
    let mut days = Days::of(vec![configured("10:00", "Mon 12:00")]);
    days.situation.note(Record::Freeze(declared("sale", "12:00", "18:00")), 1);
    days.until("17:59");
    let round = {
        days.now = at("18:00");
        decide(&days.situation, &[], &days.settings, days.now)
    };
    let message = &round.decisions.messages[0];
    assert_eq!(message.title, "The freeze is over: sale");
    assert!(message.lines.iter().any(|line| line.starts_with("Another goes on: gratitude week until")), "{message:?}");
}

#[test]
fn very_many_at_once_take_several_rounds_and_two_of_one_key_are_told_of_once() {
    let many = |n: usize| Freeze { id: format!("f{n}").parse().unwrap(), ..configured("12:00", "13:00") };
    let twice =
        Freeze { times: [configured("12:00", "13:00").times, configured("12:00", "14:00").times].concat(), ..many(0) };
    let mut days = Days::of((1..120).map(many).chain([twice]).collect());
    days.now = at("12:00");
    for _ in 0..20 {
        let round = decide(&days.situation, &[], &days.settings, days.now);
        assert!(round.decisions.actions() <= 100, "{}", round.decisions.actions());
        days.situation.apply(&round.decisions, days.now);
        days.heard.extend(round.decisions.messages.iter().map(|message| message.key.to_string()));
        if !matches!(round.decisions.wake, Wake::Exactly(Some(due)) if due <= days.now) {
            break;
        }
    }
    let heard = days.heard();
    assert_eq!(heard.len(), 120);
    assert_eq!(heard.iter().collect::<std::collections::BTreeSet<_>>().len(), 120);
}

proptest::proptest! {
    /// Whatever jobs fire, and whenever: what holds at a moment follows from the stored times alone.
    #[test]
    fn at_every_instant_the_answer_is_that_of_the_stored_freezes_whatever_jobs_fired(
        made in proptest::collection::vec((0_i64..3000, 1_i64..600, 0_u8..3, 0_u8..3, proptest::option::of(0_i64..3000)), 0..6),
        looks in proptest::collection::vec(0_i64..3600, 0..12),
        asked in proptest::collection::vec(0_i64..3600, 1..12),
    ) {
        let minute = |n: i64| at("00:00") + SignedDuration::from_mins(n);
        let strength = |n: u8| [None, Some(Strength::Advise), Some(Strength::Require)][usize::from(n)];
        let mut days = Days::of(vec![configured("12:00", "18:00")]);
        for (i, (from, lasts, merges, deployments, ended)) in made.iter().enumerate() {
            let freeze = Declared {
                from: minute(*from),
                until: minute(from + lasts),
                stops: Stops { merges: strength(*merges), deployments: strength(*deployments) },
                ended: ended.map(|at| (minute(at), "olga".parse().unwrap())),
                ..declared(&format!("f{i}"), "10:00", "11:00")
            };
            days.situation.note(Record::Freeze(freeze), 1);
        }
        let stored = days.situation.clone();
        let service = days.settings.services().next().unwrap().clone();
        let mut moments: Vec<(i64, bool)> = looks.into_iter().map(|n| (n, true)).chain(asked.into_iter().map(|n| (n, false))).collect();
        moments.sort_unstable();
        for (n, is_look) in moments {
            if is_look {
                // A job that fires late looks with the clock of that time.
                days.now = minute(n);
                for _ in 0..20 {
                    let round = decide(&days.situation, &[], &days.settings, days.now);
                    days.situation.apply(&round.decisions, days.now);
                }
                continue;
            }
            for side in [Side::Merges, Side::Deployments] {
                let question = Question::about(side, &service, service.live_environment().map(|e| &e.name));
                let now = Freezes::of(&days.settings, &days.situation).answer(&question, minute(n));
                let want = Freezes::of(&days.settings, &stored).answer(&question, minute(n));
                proptest::prop_assert_eq!((now.strength, now.until), (want.strength, want.until));
                // And it is what the times themselves say.
                let holds = |one: &&Declared| one.from <= minute(n) && minute(n) < one.over_at();
                let own = stored.freezes.values().map(|noted| &noted.value).filter(holds).filter_map(|one| one.stops.of(side));
                let week = (at("12:00")..at("18:00")).contains(&minute(n)).then(|| Preset::Holiday.stops().of(side)).flatten();
                proptest::prop_assert_eq!(now.strength, own.chain(week).max());
            }
        }
    }
}

/// What each hears of a freeze, word for word.
fn texts(days: &mut Days, when: &[&str]) -> String {
    let mut texts = Vec::new();
    for when in when {
        days.now = at(when);
        for _ in 0..20 {
            let round = decide(&days.situation, &[], &days.settings, days.now);
            let text = |m: &crate::Message| format!("{when} to {}, ends {:?}\n{}", m.key.person, m.ends, m.plain());
            texts.extend(round.decisions.messages.iter().map(text));
            texts.extend(
                round.decisions.entries.iter().filter(|e| e.what.starts_with("the freeze")).map(|e| e.what.clone()),
            );
            days.situation.apply(&round.decisions, days.now);
            if !matches!(round.decisions.wake, Wake::Exactly(Some(due)) if due <= days.now) {
                break;
            }
        }
    }
    texts.join("\n\n")
}

#[test]
fn a_freeze_of_the_configuration_in_words_from_a_day_before_to_its_end() {
    let mut days = Days::of(vec![configured("Sat 12:00", "Sun 12:00")]);
    let told = texts(&mut days, &["12:00", "Sat 11:00", "Sat 12:00", "Sun 12:00"]);
    expect_test::expect![[r#"
        12:00 to channel, ends None
        A freeze begins within a day, at 2026-03-21 08:00 (America/New_York): gratitude week
        Please do not merge; nothing is deployed. For every service.
        It is over at 2026-03-22 08:00 (America/New_York).
        The configuration says so.
        Who merges all the same is asked to take the pager for it.
        Board: https://x.example/

        the freeze gratitude week begins within a day: please do not merge; nothing is deployed

        Sat 11:00 to channel, ends None
        A freeze begins within an hour, at 08:00 (America/New_York): gratitude week
        Please do not merge; nothing is deployed. For every service.
        It is over at 2026-03-22 08:00 (America/New_York).
        The configuration says so.
        Who merges all the same is asked to take the pager for it.
        Board: https://x.example/

        the freeze gratitude week begins within an hour: please do not merge; nothing is deployed

        Sat 12:00 to channel, ends None
        Freeze until 2026-03-22 08:00 (America/New_York): gratitude week
        Please do not merge; nothing is deployed. For every service.
        The configuration says so.
        Who merges all the same is asked to take the pager for it.
        Board: https://x.example/

        the freeze gratitude week has begun: please do not merge; nothing is deployed

        Sun 12:00 to channel, ends None
        The freeze is over: gratitude week
        What has waited goes on as it can.
        Board: https://x.example/

        the freeze gratitude week is over: please do not merge; nothing is deployed"#]]
    .assert_eq(&told);
}

#[test]
fn a_declared_freeze_in_words_as_it_changes_and_is_ended_or_called_off() {
    let mut days = Days::of(vec![]);
    days.situation.note(Record::Freeze(declared("monday", "Sat 12:00", "Mon 12:00")), 1);
    let mut told = vec![texts(&mut days, &["12:00"])];
    let mut later = declared("monday", "Sat 12:00", "Mon 18:00");
    later.changed_at = Some(at("13:00"));
    days.situation.note(Record::Freeze(later.clone()), 2);
    told.push(texts(&mut days, &["13:00", "Sat 12:00"]));
    later.ended = Some((at("Sun 12:00"), "anna".parse().unwrap()));
    days.situation.note(Record::Freeze(later), 3);
    told.push(texts(&mut days, &["Sun 12:00"]));
    let mut off = declared("off", "Tue 12:00", "Tue 18:00");
    days.situation.note(Record::Freeze(off.clone()), 1);
    told.push(texts(&mut days, &["Mon 13:00"]));
    off.ended = Some((at("Mon 14:00"), "anna".parse().unwrap()));
    days.situation.note(Record::Freeze(off), 2);
    told.push(texts(&mut days, &["Mon 14:00"]));
    expect_test::expect![[r#"
        12:00 to channel, ends Some(FreezeId("monday"))
        A freeze begins within a day, at 2026-03-21 12:00 (UTC): monday
        Please do not merge; nothing is deployed. For every service.
        It is over at 2026-03-23 12:00 (UTC).
        Olga declared it.
        Who merges all the same is asked to take the pager for it.
        Board: https://x.example/

        the freeze monday begins within a day: please do not merge; nothing is deployed

        13:00 to channel, ends Some(FreezeId("monday"))
        The freeze is another now, until 2026-03-23 18:00 (UTC): monday
        Please do not merge; nothing is deployed. For every service. Olga says so.
        Board: https://x.example/

        Sat 12:00 to channel, ends Some(FreezeId("monday"))
        Freeze until 2026-03-23 18:00 (UTC): monday
        Please do not merge; nothing is deployed. For every service.
        Olga declared it.
        Who merges all the same is asked to take the pager for it.
        Board: https://x.example/

        the freeze monday has begun: please do not merge; nothing is deployed

        Sun 12:00 to channel, ends None
        The freeze is over: monday
        Anna ended it before its time.
        What has waited goes on as it can.
        Board: https://x.example/

        the freeze monday is over: please do not merge; nothing is deployed

        Mon 13:00 to channel, ends Some(FreezeId("off"))
        A freeze begins within a day, at 2026-03-24 12:00 (UTC): off
        Please do not merge; nothing is deployed. For every service.
        It is over at 2026-03-24 18:00 (UTC).
        Olga declared it.
        Who merges all the same is asked to take the pager for it.
        Board: https://x.example/

        the freeze off begins within a day: please do not merge; nothing is deployed

        Mon 14:00 to channel, ends None
        The freeze is called off: off
        It does not begin. Anna says so.
        Board: https://x.example/"#]]
    .assert_eq(&told.join("\n\n"));
}

#[test]
fn when_it_is_looked_at_next_is_a_day_and_an_hour_before_it_begins_when_it_does_and_when_it_is_over() {
    let mut days = Days::of(vec![configured("Sun 12:00", "Mon 12:00")]);
    let mut nexts = Vec::new();
    for when in ["00:00", "Sat 11:59", "Sat 12:00", "Sun 10:59", "Sun 11:00", "Sun 12:00", "Mon 11:59", "Mon 12:00"] {
        days.look(when);
        let desk = decide(&days.situation, &[], &days.settings, days.now);
        let posted = posting(&days.situation, &days.settings, days.now).map(|posting| posting.digest);
        let wake = |wake| if let Wake::Exactly(next) = wake { next } else { None };
        let soon = wake(desk.decisions.wake);
        // What is posted is out of the way.
        if let Some(digest) = posted {
            let decisions = all_posted(&digest, &days.situation);
            days.situation.apply(&decisions, days.now);
        }
        let then = wake(decide(&days.situation, &[], &days.settings, days.now).decisions.wake);
        nexts.push(format!("{when}: {} or {}", soon.unwrap(), then.unwrap()));
    }
    expect_test::expect![[r#"
        00:00: 2026-03-21T12:00:00Z or 2026-03-21T12:00:00Z
        Sat 11:59: 2026-03-21T12:00:00Z or 2026-03-21T12:00:00Z
        Sat 12:00: 2026-03-21T12:01:00Z or 2026-03-22T11:00:00Z
        Sun 10:59: 2026-03-22T11:00:00Z or 2026-03-22T11:00:00Z
        Sun 11:00: 2026-03-22T12:00:00Z or 2026-03-22T12:00:00Z
        Sun 12:00: 2026-03-22T12:01:00Z or 2026-03-23T12:00:00Z
        Mon 11:59: 2026-03-23T12:00:00Z or 2026-03-23T12:00:00Z
        Mon 12:00: 2026-03-23T12:01:00Z or 2026-03-24T12:00:00Z"#]]
    .assert_eq(&nexts.join("\n"));
}

#[test]
fn it_is_looked_at_again_as_soon_as_something_was_said_and_what_is_posted_says_by_which_look() {
    let mut days = Days::of(vec![configured("12:00", "Mon 12:00")]);
    days.now = at("12:00");
    let posted = posting(&days.situation, &days.settings, days.now).unwrap();
    let decisions = all_posted(&posted.digest, &days.situation);
    days.situation.apply(&decisions, days.now);
    days.situation.clock.rev = 7;
    assert_eq!(posting(&days.situation, &days.settings, days.now), None);
    let round = decide(&days.situation, &[], &days.settings, days.now);
    assert_eq!((round.decisions.messages.len(), round.decisions.wake), (1, Wake::Exactly(Some(at("12:00")))));
    days.now = at("Mon 12:00");
    let posted = posting(&days.situation, &days.settings, days.now).unwrap();
    assert_eq!(posted.nothing, Posted { look: 7, ..Posted::default() });
    assert!(posted.wanted.values().all(|posted| posted.look == 7));
    assert_eq!(all_posted(&posted.digest, &days.situation).writes.len(), 1);
    days.situation.note(Record::PostedAll(posted.digest.clone()), 9);
    assert!(all_posted(&posted.digest, &days.situation).is_quiet());
}

#[test]
fn a_declared_freeze_is_known_for_a_week_after_its_end_and_many_leave_in_several_rounds() {
    let mut days = Days::of(vec![]);
    for n in 0..120 {
        days.situation.note(Record::Freeze(declared(&format!("f{n}"), "10:00", "11:00")), 1);
    }
    let leaves = at("11:00") + SignedDuration::from_hours(24 * 7);
    days.now = leaves - SignedDuration::from_secs(1);
    let round = decide(&days.situation, &[], &days.settings, days.now);
    assert_eq!((round.decisions.writes.len(), round.decisions.wake), (0, Wake::Exactly(Some(leaves))));
    days.now = leaves;
    let mut left = Vec::new();
    for _ in 0..3 {
        let round = decide(&days.situation, &[], &days.settings, days.now);
        assert!(round.decisions.actions() <= crate::decision::MOST_ACTIONS, "{}", round.decisions.actions());
        days.situation.apply(&round.decisions, days.now);
        left.push((days.situation.freezes.len(), round.decisions.wake));
    }
    let rest = Wake::Exactly(None);
    assert_eq!(left, [(32, Wake::Exactly(Some(leaves))), (0, rest), (0, rest)]);
}

fn people(ids: &[&str]) -> BTreeSet<PersonId> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

#[test]
fn who_has_open_pull_requests_hears_of_it_from_a_day_before_and_is_written_down_once() {
    let mut days = Days::of(vec![configured("Sat 12:00", "Sun 12:00")]);
    let repository = crate::testing::repository();
    let mut found = |ids: &[&str], when: Timestamp| {
        let decisions = mergers(&people(ids), &repository, &days.situation, &days.settings, when);
        days.situation.apply(&decisions, when);
        let of = |write: &crate::Write| {
            let crate::Write::Put { record, seen } = write else { panic!("{write:?}") };
            let Record::FreezeNotes(key, notes) = &**record else { panic!("{record:?}") };
            let names: Vec<&str> = notes.mergers.iter().map(PersonId::as_str).collect();
            format!("{key} at {seen}: {}", names.join(", "))
        };
        decisions.writes.iter().map(of).collect::<Vec<_>>()
    };
    assert!(found(&["anna"], at("12:00") - SignedDuration::from_secs(1)).is_empty(), "it is more than a day ahead");
    assert_eq!(found(&["anna"], at("12:00")), ["week@20260321T120000Z at 0: anna"]);
    assert!(found(&["anna"], at("12:01")).is_empty(), "that is known");
    assert_eq!(found(&["olga"], at("Sat 12:00")), ["week@20260321T120000Z at 1: anna, olga"]);
    assert!(found(&["olga", "anna"], at("Sat 13:00")).is_empty());
    assert!(found(&["usama"], at("Sun 12:00")).is_empty(), "it is over");
    let none = mergers(&people(&[]), &repository, &Situation::empty("x".parse().unwrap()), &days.settings, at("12:00"));
    assert_eq!(none.writes.len(), 1, "it is looked for once");
}

#[test]
fn five_hundred_of_them_hear_of_it() {
    let days = Days::of(vec![configured("12:00", "13:00")]);
    let many: BTreeSet<PersonId> = (0..600).map(|n| format!("p{n}").parse().unwrap()).collect();
    let repository = crate::testing::repository();
    let decisions = mergers(&many, &repository, &days.situation, &days.settings, at("12:00"));
    let mut situation = days.situation.clone();
    situation.apply(&decisions, at("12:00"));
    assert_eq!(situation.freeze_notes.values().next().unwrap().value.mergers.len(), 500);
}

/// What is said of its only freeze, in a transaction that does so much already; whether there is more to say; what is kept.
fn said(days: &Days, said: Said, actions: usize) -> (Vec<String>, bool, Option<FreezeNotes>) {
    let desk = Desk {
        situation: &days.situation,
        settings: &days.settings,
        freezes: Freezes::of(&days.settings, &days.situation),
        now: days.now,
    };
    let one = desk.freezes.ahead(days.now)[0];
    let (mut decisions, mut next) = (filled(days, actions), Next::default());
    desk.say(&mut decisions, &mut next, &one, said);
    let people = decisions.messages.iter().map(|message| message.key.person.to_string()).collect();
    let mut situation = days.situation.clone();
    situation.apply(&decisions, days.now);
    let kept = decisions.writes.first().map(|_| situation.freeze_notes[&one.key()].value.clone());
    assert!(next.0.is_none_or(|at| at == days.now));
    (people, next.0.is_some(), kept)
}

fn filled(days: &Days, actions: usize) -> Decisions {
    let mut decisions = Decisions::none(&days.settings.freeze_desk().id, Wake::Now);
    while decisions.actions() < actions {
        let reason = crate::Reason::FreezeOver { freeze: "another".to_owned() };
        decisions.log(days.now, None, None, "something else".to_owned(), reason);
    }
    decisions
}

#[test]
fn what_does_not_fit_is_said_by_the_next_look_which_knows_who_heard_it() {
    let mut days = Days::of(vec![configured("12:00", "13:00")]);
    days.now = at("12:00");
    let found = people(&["anna", "olga"]);
    let decisions = mergers(&found, &crate::testing::repository(), &days.situation, &days.settings, days.now);
    days.situation.apply(&decisions, days.now);
    let all = ["channel", "anna", "olga"];
    for (actions, people, more) in [
        (1, &all[..], false),
        (80, &all, false),
        (81, &all[..2], true),
        (82, &all[..2], true),
        (83, &all[..1], true),
        (84, &all[..1], true),
        (85, &[], true),
        (90, &[], true),
    ] {
        let (heard, again, kept) = said(&days, Said::Began, actions);
        assert_eq!(
            (heard.as_slice(), again),
            (people.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>().as_slice(), more),
            "{actions}"
        );
        assert_eq!(kept.is_some(), !people.is_empty());
        let Some(kept) = kept else { continue };
        assert_eq!(kept.said.contains(&Said::Began), !more, "it is said once all heard it");
        let told = kept.told.iter().map(|(_, person)| person.clone()).collect::<BTreeSet<_>>();
        // Once all have, only those are known who were found: more may be.
        assert_eq!(told.contains(&"channel".parse().unwrap()), more);
        assert_eq!(told.contains(&"anna".parse().unwrap()), people.len() > 1);
    }
}

#[test]
fn who_is_found_later_hears_it_alone_and_not_what_was_to_be_said_before() {
    let mut days = Days::of(vec![configured("12:00", "13:00")]);
    days.look("12:00");
    assert_eq!(days.heard().len(), 1);
    let decisions =
        mergers(&people(&["anna"]), &crate::testing::repository(), &days.situation, &days.settings, days.now);
    days.situation.apply(&decisions, days.now);
    assert_eq!(said(&days, Said::WithinAnHour, 1).0, Vec::<String>::new(), "it has begun");
    assert_eq!(said(&days, Said::Began, 1).0, ["anna"]);
    days.look("12:01");
    assert_eq!(days.heard().len(), 1);
    assert_eq!(said(&days, Said::Began, 1), (vec![], false, None), "once");
}

#[test]
fn that_it_is_over_is_said_while_it_fits() {
    let mut days = Days::of(vec![configured("12:00", "13:00")]);
    days.look("12:00");
    days.now = at("13:00");
    let over = |days: &Days, actions| {
        let desk = Desk {
            situation: &days.situation,
            settings: &days.settings,
            freezes: Freezes::of(&days.settings, &days.situation),
            now: days.now,
        };
        let (mut decisions, mut next) = (filled(days, actions), Next::default());
        desk.what_is_over(&mut decisions, &mut next);
        (decisions.messages.len(), decisions.writes.len(), decisions.facts, next.0)
    };
    let thawed = vec![Fact::Thawed { at: at("13:00"), lasted: 3600 }];
    assert_eq!(over(&days, 1), (1, 1, thawed.clone(), None));
    assert_eq!(over(&days, 84), (1, 1, thawed, None));
    for full in [85, 86, 90] {
        assert_eq!(over(&days, full), (0, 0, vec![], Some(at("13:00"))), "{full}");
    }
    // Then it is known for a day.
    days.look("13:00");
    assert_eq!(over(&days, 1), (0, 0, vec![], Some(at("Sat 13:00"))));
    days.now = at("Sat 13:00");
    assert_eq!(over(&days, 84), (0, 1, vec![], None));
}

#[test]
fn what_nobody_saw_begin_is_neither_called_off_nor_over() {
    let mut days = Days::of(vec![]);
    days.situation.note(Record::Freeze(declared("sale", "Sat 10:00", "Sat 12:00")), 1);
    assert_eq!(days.look("12:00").heard().len(), 1, "a day before");
    assert!(days.look("Sat 18:00").heard().is_empty());
}

#[test]
fn of_what_is_over_and_then_gone_nothing_more_is_said() {
    let mut days = Days::of(vec![configured("12:00", "13:00")]);
    assert_eq!(days.until("13:00").heard().len(), 4);
    let mut without = Days::of(vec![]);
    without.situation = days.situation.clone();
    assert!(without.look("14:00").heard().is_empty());
    assert_eq!(without.situation.freeze_notes.len(), 1, "it is known for a day");
    assert!(without.look("Sat 13:00").situation.freeze_notes.is_empty());
}

#[test]
fn what_else_is_under_way_is_said_to_those_whom_it_is_about() {
    let mut days = Days::of(vec![]);
    let base = settings();
    let service = base.services().next().unwrap().clone();
    let unmapped = base.services().last().unwrap().clone();
    let two = ["one", "two"].map(|id| crate::Service {
        id: id.parse().unwrap(),
        channel: Some(format!("channel-{id}").parse().unwrap()),
        ..service.clone()
    });
    days.settings = Settings::new(two, base.roster, unmapped, String::new());
    let of_one = Scope { services: ["one".parse().unwrap()].into(), ..Scope::default() };
    days.situation.note(Record::Freeze(Declared { scope: of_one, ..declared("sale", "12:00", "18:00") }), 1);
    days.situation.note(Record::Freeze(declared("later", "15:00", "20:00")), 1);
    let still = |channel: &str, when: &str| {
        let desk = Desk {
            situation: &days.situation,
            settings: &days.settings,
            freezes: Freezes::of(&days.settings, &days.situation),
            now: at(when),
        };
        desk.still(&channel.parse().unwrap()).map(|one| one.name.to_owned())
    };
    assert_eq!(still("channel-one", "11:59"), None);
    assert_eq!(still("channel-one", "12:00").as_deref(), Some("sale"));
    assert_eq!(still("channel-two", "12:00"), None, "it is about the other service");
    assert_eq!(still("channel-two", "15:00").as_deref(), Some("later"));
    assert_eq!(still("channel-one", "15:00").as_deref(), Some("later"), "that lasts longer");
    assert_eq!(still("channel-one", "18:00").as_deref(), Some("later"));
    assert_eq!(still("nobody", "15:00"), None);
}

#[test]
fn ended_before_its_time_it_was_by_somebody_and_at_its_time_by_nobody() {
    let mut days = Days::of(vec![]);
    let olga: PersonId = "olga".parse().unwrap();
    for (when, by) in [("17:59", true), ("18:00", false), ("18:01", false)] {
        let ended = Declared { ended: Some((at(when), olga.clone())), ..declared("sale", "12:00", "18:00") };
        days.situation.note(Record::Freeze(ended.clone()), 1);
        let desk = Desk {
            situation: &days.situation,
            settings: &days.settings,
            freezes: Freezes::of(&days.settings, &days.situation),
            now: at("15:00"),
        };
        assert_eq!(desk.ended_by(&desk.freezes.ahead(at("15:00"))[0]), by.then_some(&olga), "{when}");
    }
}

#[test]
fn that_a_freeze_is_another_now_or_gone_is_told_while_it_fits_and_by_the_next_look_to_the_others() {
    let mut days = Days::of(vec![configured("12:00", "18:00")]);
    days.now = at("12:00");
    let found =
        mergers(&people(&["anna", "olga"]), &crate::testing::repository(), &days.situation, &days.settings, days.now);
    days.situation.apply(&found, days.now);
    days.look("12:00");
    assert_eq!(days.heard().len(), 3);
    let longer = Days::of(vec![configured("12:00", "19:00")]);
    let told = |settings: &Settings, actions: usize, gone: bool| {
        let desk = Desk {
            situation: &days.situation,
            settings,
            freezes: Freezes::of(settings, &days.situation),
            now: days.now,
        };
        let (mut decisions, mut next) = (filled(&days, actions), Next::default());
        let (key, noted) = days.situation.freeze_notes.first_key_value().unwrap();
        if gone {
            desk.tell_gone(&mut decisions, &mut next, key, noted);
        } else {
            desk.tell_again(&mut decisions, &mut next, &desk.freezes.ahead(days.now)[0]);
        }
        let people: Vec<String> = decisions.messages.iter().map(|m| m.key.person.to_string()).collect();
        (people.join(" "), next.0.is_some(), decisions.writes.len())
    };
    for (actions, people, more) in [
        (1, "anna channel olga", false),
        (80, "anna channel olga", false),
        (81, "anna channel", true),
        (82, "anna channel", true),
        (84, "anna", true),
        (85, "", true),
        (90, "", true),
    ] {
        for (settings, gone) in [(&longer.settings, false), (&days.settings, true)] {
            assert_eq!(told(settings, actions, gone), (people.to_owned(), more, 1), "{actions} {gone}");
        }
    }
    assert_eq!(told(&days.settings, 1, false), (String::new(), false, 0), "it is what it was");
}
