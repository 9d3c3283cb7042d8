//! Calendars that freezes follow, in virtual time: when they are read, what is kept, what is said.

use super::*;
use crate::freeze::{Freezes, Preset, Question, Scope, Side};
use crate::on_schedule::freezes;
use crate::testing::{at, settings};

const ADDRESS: &str = "https://calendar.example.com/h.ics?key=secret";

struct Table {
    settings: Settings,
    situation: Situation,
    now: Timestamp,
}

fn following(address: &str) -> Freeze {
    Freeze {
        id: "holidays".parse().unwrap(),
        stops: Preset::Holiday.stops(),
        rotation_signs: false,
        scope: Scope::default(),
        zone: jiff::tz::TimeZone::get("Europe/London").unwrap(),
        times: Vec::new(),
        feed: Some(crate::freeze::Address::new(address)),
    }
}

fn time(name: &str, from: &str, until: &str) -> Time {
    Time { from: at(from), until: at(until), name: name.to_owned() }
}

impl Table {
    fn new() -> Self {
        let settings = settings().with_freezes(vec![following(ADDRESS)]);
        let situation = Situation::empty(settings.freeze_desk().id.clone());
        Self { settings, situation, now: at("12:00") }
    }

    fn due(&self, when: &str) -> bool {
        !due(&self.situation, &self.settings, at(when)).is_empty()
    }

    /// What stands in the log once it is heard.
    fn hears(&mut self, when: &str, said: Result<Vec<Time>, &str>) -> Vec<String> {
        self.now = at(when);
        let heard = Heard { freeze: "holidays".parse().unwrap(), said: said.map_err(str::to_owned) };
        let decisions = hear(&[heard], &self.situation, &self.settings, self.now);
        self.situation.apply(&decisions, self.now);
        decisions.entries.iter().map(|entry| format!("{} [{}]", entry.what, entry.reason)).collect()
    }

    fn may(&self, when: &str) -> bool {
        let service = self.settings.services().next().unwrap();
        let question = Question::about(Side::Deployments, service, None);
        Freezes::of(&self.settings, &self.situation).answer(&question, at(when)).may()
    }

    /// Looks at the desk; when it wants to be looked at again.
    fn looks(&mut self, when: &str) -> Option<Timestamp> {
        self.now = at(when);
        let round = freezes::decide(&self.situation, &[], &self.settings, self.now);
        self.situation.apply(&round.decisions, self.now);
        let due_at = self.situation.clock.value.due_at;
        if let Some(posting) = freezes::posting(&self.situation, &self.settings, self.now) {
            let posted = freezes::all_posted(&posting.digest, &self.situation);
            self.situation.apply(&posted, self.now);
            return self.looks(when);
        }
        due_at
    }
}

#[test]
fn a_calendar_is_read_every_six_hours_and_a_quarter_of_an_hour_after_it_could_not_be() {
    let mut table = Table::new();
    assert!(table.due("12:00"), "nobody has read it");
    assert_eq!(table.looks("12:00"), Some(at("12:01")), "should the reading fail, the tick comes");
    table.hears("12:00", Ok(vec![time("sale", "18:00", "20:00")]));
    assert!(!table.due("17:59") && table.due("18:00"));
    table.hears("18:00", Err("it answered 404"));
    assert!(!table.due("18:14") && table.due("18:15"));
    assert_eq!(table.looks("18:01"), Some(at("18:15")), "it is woken for that");
    table.hears("18:15", Ok(vec![]));
    assert!(!table.due("18:30") && table.due("Sat 00:15"));
    // Another address is read at once, and what the first said holds until then.
    table.hears("18:30", Ok(vec![time("sale", "19:00", "20:00")]));
    table.settings.freezes = vec![following("https://other.example.com/h.ics")];
    assert!(table.due("18:31") && !table.may("19:30"));
}

#[test]
fn what_was_read_last_holds_while_it_cannot_be_read_and_each_is_said_once() {
    let mut table = Table::new();
    let sale = || vec![time("sale", "18:00", "20:00"), time("Christmas", "Sun 00:00", "Mon 00:00")];
    assert_eq!(
        table.hears("12:00", Ok(sale())),
        ["the freeze holidays follows its calendar: next sale, 2026-03-20 18:00 to 20:00 (Europe/London) \
          [the calendar of holidays has 2 times ahead]"]
    );
    assert_eq!(table.hears("13:00", Ok(sale())), [""; 0], "nothing new");
    assert_eq!(
        table.hears("14:00", Err("it answered 404")),
        ["the calendar of the freeze holidays cannot be read [it answered 404: what was read last of holidays holds]"]
    );
    assert_eq!(table.hears("14:15", Err("it cannot be reached")), [""; 0], "said once");
    assert!(table.may("17:59") && !table.may("18:00") && table.may("20:00") && !table.may("Sun 12:00"));
    assert_eq!(table.hears("14:30", Ok(sale())).len(), 1, "it is read again");
    // That time goes on is no news; that one is gone, is.
    assert_eq!(table.hears("21:00", Ok(sale())), [""; 0]);
    assert_eq!(
        table.hears("22:00", Ok(vec![])),
        [
            "the freeze holidays follows its calendar: which has nothing ahead [the calendar of holidays has 0 times ahead]"
        ]
    );
    assert!(table.may("Sun 12:00"));
}

#[test]
fn of_a_calendar_that_was_never_read_nothing_holds_and_its_reason_is_one_line() {
    let mut table = Table::new();
    let said = table.hears("12:00", Err("it answered\r\n<script> 404"));
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("it answered <script> 404: "), "{said:?}");
    assert!(table.may("12:00"));
    let feed = &table.situation.feeds.values().next().unwrap().value;
    assert!(feed.read_at.is_none() && feed.failed.is_some() && feed.is_of(ADDRESS));
    assert!(!format!("{feed:?}").contains("secret"), "the address may be one");
}

#[test]
fn neither_history_nor_what_is_far_ahead_nor_more_than_fits_is_kept() {
    let mut table = Table::new();
    let hours = |n: i64| at("12:00") + SignedDuration::from_hours(n);
    let one = |n: i64| Time { from: hours(n), until: hours(n + 1), name: n.to_string() };
    let kept = |table: &Table| -> Vec<String> {
        table.situation.feeds.values().flat_map(|noted| &noted.value.times).map(|time| time.name.clone()).collect()
    };
    table.hears("12:00", Ok([-24 * 8, 24 * 401, 24 * 399, -24 * 6].map(one).to_vec()));
    assert_eq!(kept(&table), ["-144", "9576"]);
    table.hears("12:00", Ok((0..5000).map(one).collect()));
    assert_eq!((kept(&table).len(), kept(&table).last().unwrap().as_str()), (MOST, "199"));
    assert_eq!(table.hears("18:00", Ok((0..5000).map(one).collect())), [""; 0], "time goes on");
}

#[test]
fn a_freeze_that_leaves_the_configuration_takes_what_was_read_with_it() {
    let mut table = Table::new();
    table.hears("12:00", Ok(vec![time("sale", "18:00", "20:00")]));
    table.settings.freezes = Vec::new();
    table.looks("12:01");
    assert!(table.situation.feeds.is_empty());
    assert_eq!(table.hears("12:02", Ok(vec![time("sale", "18:00", "20:00")])), [""; 0], "read before, heard after");
    assert!(table.situation.feeds.is_empty());
}

#[test]
fn its_times_are_told_as_any() {
    let mut table = Table::new();
    table.hears("12:00", Ok(vec![time("sale", "18:00", "20:00")]));
    let freezes = Freezes::of(&table.settings, &table.situation);
    let one = freezes.ahead(at("12:00"))[0];
    let person = "olga".parse().unwrap();
    let desk = table.settings.freeze_desk();
    let reader = crate::wording::Reader { settings: &table.settings, service: desk, person: &person, now: at("12:00") };
    let said = crate::freeze::Said::WithinADay;
    let notice = crate::wording::freezes::notice(reader, &one, said, &crate::wording::freezes::After::default());
    assert!(notice.lines.contains(&"The calendar that it follows says so.".to_owned()), "{:?}", notice.lines);
    assert!(notice.lines.iter().any(|line| line.contains("is asked to take the pager")), "{:?}", notice.lines);
    assert_eq!(freezes.find(&one.key()), Some(one));
}

fn feed(times: Vec<Time>) -> Feed {
    Feed { times, read_at: Some(at("12:00")), ..Feed::unread(ADDRESS, at("12:00")) }
}

fn spans(name: &str, from: Timestamp, until: Timestamp) -> Time {
    Time { from, until, name: name.to_owned() }
}

#[test]
fn what_is_over_for_a_week_or_begins_beyond_what_is_looked_at_is_not_kept() {
    let (now, second) = (at("12:00"), SignedDuration::from_secs(1));
    let over = |until| kept(&[spans("x", at("00:00") - 2 * PAST, until)], now).len();
    assert_eq!([over(now - PAST - second), over(now - PAST), over(now - PAST + second)], [0, 0, 1]);
    let far = now + LOOK_AHEAD;
    let ahead = |from| kept(&[spans("x", from, far + PAST)], now).len();
    assert_eq!([ahead(far - second), ahead(far), ahead(far + second)], [1, 0, 0]);
}

#[test]
fn news_is_what_is_not_over_and_was_in_sight_before() {
    let (now, second) = (at("13:00"), SignedDuration::from_secs(1));
    let news = |before: Vec<Time>, after: Vec<Time>| is_news(&feed(before), &feed(after), now);
    let until = |until| vec![spans("x", at("00:00"), until)];
    assert!(!news(until(now), vec![]) && !news(until(now - second), vec![]), "that was over");
    assert!(news(until(now + second), vec![]) && news(vec![], until(now + second)));
    // What was in sight then.
    let sight = at("12:00") + LOOK_AHEAD;
    let from = |from| vec![spans("x", from, sight + PAST)];
    assert!(news(vec![], from(sight - second)));
    assert!(!news(vec![], from(sight)) && !news(vec![], from(sight + second)), "time goes on");
    assert!(!news(from(sight - second), from(sight - second)));
    assert!(is_news(&Feed::unread(ADDRESS, now), &feed(vec![]), now), "read for the first time");
}

#[test]
fn what_is_said_of_a_calendar_is_what_of_it_is_ahead_and_of_which_address_it_was_is_kept() {
    let mut table = Table::new();
    let times = vec![time("over", "10:00", "12:00"), time("on", "11:00", "13:00"), time("later", "15:00", "16:00")];
    let lines = table.hears("12:00", Ok(times.clone()));
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("next on,"), "{lines:?}");
    let reason = read(&following(ADDRESS), &feed(times), at("12:00")).1;
    assert_eq!(reason, Reason::FeedRead { freeze: "holidays".to_owned(), times: 2 });
    let other = "https://calendar.example.com/other.ics";
    table.settings = settings().with_freezes(vec![following(other)]);
    table.hears("12:10", Ok(vec![]));
    let known = &table.situation.feeds.values().next().unwrap().value;
    assert!(known.is_of(other) && !known.is_of(ADDRESS));
    assert!(!table.due("12:11"), "it was read just now");
}
