//! What stands at open pull requests: when a status is put there, what it says, where a comment is left.

use super::*;
use crate::expedite::Granted;
use crate::pull::Verdict;
use crate::testing::{at, commit, repository};

const BOARD: &str = "https://deployers.example.com";

struct Desk {
    situation: Situation,
    manner: Manner,
    now: Timestamp,
    /// What stands at the forge: at which commit, and the comments.
    statuses: Vec<String>,
    comments: Vec<u64>,
    listed: Vec<OpenPull>,
    lists: usize,
}

fn pull(number: u64, head: u64) -> OpenPull {
    OpenPull {
        number,
        head: commit(head),
        author: Login::new("github", "feanil").unwrap(),
        title: String::new(),
        url: None,
        base: "main".to_owned(),
        draft: false,
        fork: false,
        labels: vec![],
    }
}

fn merging(strength: Option<Strength>, key: &str) -> Option<Merging> {
    Some(Merging { strength, key: key.to_owned(), since: at("12:00"), words: format!("Merge freeze: {key}") })
}

impl Desk {
    fn new(manner: Manner) -> Self {
        let situation = Situation::empty(crate::ids::ServiceId::merges_into(&repository()));
        let (statuses, comments, listed) = (vec![], vec![], vec![]);
        Self { situation, manner, now: at("12:00"), statuses, comments, listed, lists: 0 }
    }

    fn posts(&mut self, merging: Option<Merging>) -> &mut Self {
        let posted = Posted { merging, expedites: self.situation.posted.value.expedites.clone(), ..Posted::default() };
        self.situation.note(Record::Posted(posted), self.situation.posted.rev + 1);
        self.look()
    }

    fn tells(&mut self, event: &PullEvent) -> &mut Self {
        let decisions = told(event, &self.situation, self.manner);
        self.situation.apply(&decisions, self.now);
        self.look()
    }

    fn opens(&mut self, number: u64, head: u64) -> &mut Self {
        self.tells(&PullEvent::Open(pull(number, head), self.now))
    }

    /// Everything that is due is done.
    fn look(&mut self) -> &mut Self {
        for _ in 0..100 {
            let asks = plan(&self.situation, self.manner, BOARD, self.now);
            if asks.is_empty() {
                return self;
            }
            for ask in asks {
                let said = match &ask {
                    Ask::List { .. } => {
                        self.lists += 1;
                        Said::Listed(self.listed.clone())
                    }
                    Ask::Tell { number, head, status } => {
                        self.statuses.push(format!(
                            "#{number} at {} {:?}: {}",
                            head.short(),
                            status.verdict,
                            status.words
                        ));
                        Said::Done
                    }
                    Ask::Comment { number, .. } => {
                        self.comments.push(*number);
                        Said::Done
                    }
                };
                let decisions = hear(&ask, &said, &self.situation, self.now);
                self.situation.apply(&decisions, self.now);
            }
        }
        panic!("it never comes to rest");
    }

    fn stands(&mut self) -> Vec<String> {
        std::mem::take(&mut self.statuses)
    }
}

#[test]
fn a_freeze_stands_at_what_is_open_and_is_gone_when_it_is_over() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    desk.opens(1, 1);
    assert!(desk.situation.pulls.value.open.is_empty(), "nothing is kept while nothing holds");
    desk.listed = vec![pull(1, 1), pull(2, 2)];
    // A day before it is asked who has something open; nothing stands there yet.
    desk.posts(merging(None, "week"));
    assert_eq!((desk.lists, desk.stands().len()), (1, 0));
    desk.posts(merging(Some(Strength::Advise), "week"));
    assert_eq!(
        desk.stands(),
        ["#1 at 0000000000 Passes: Merge freeze: week", "#2 at 0000000000 Passes: Merge freeze: week"]
    );
    // New commits have it too; the old ones are not told again.
    desk.opens(1, 11);
    assert_eq!(desk.stands().len(), 1);
    assert_eq!(desk.comments, [1], "somebody works on it");
    desk.opens(1, 12);
    assert_eq!((desk.stands().len(), desk.comments.as_slice()), (1, &[1][..]), "once");
    desk.posts(merging(Some(Strength::Require), "week"));
    assert_eq!(desk.stands()[0], "#1 at 0000000000 Fails: Merge freeze: week");
    desk.posts(None);
    assert_eq!(desk.stands(), ["#1 at 0000000000 Passes: No merge freeze", "#2 at 0000000000 Passes: No merge freeze"]);
    assert!(desk.situation.pulls.value.open.is_empty());
}

#[test]
fn a_required_check_stands_always_and_what_may_pass_passes() {
    let mut desk = Desk::new(Manner::Always);
    desk.listed = vec![pull(1, 1)];
    desk.look();
    assert_eq!(desk.stands(), ["#1 at 0000000000 Passes: No merge freeze"]);
    assert_eq!(desk.lists, 1, "what was open before it was asked for has its status too");
    desk.listed = vec![pull(7, 7)];
    desk.posts(merging(Some(Strength::Require), "monday"));
    assert_eq!(desk.stands(), ["#7 at 0000000000 Fails: Merge freeze: monday"]);
    let granted = Granted {
        repository: repository(),
        number: 7,
        by: "feanil".parse().unwrap(),
        at: at("12:00"),
        until: at("Sat 12:00"),
        head: Some(commit(7)),
        reason: "checkout fails".to_owned(),
        signed: vec![],
    };
    desk.situation.posted.value.expedites.push(granted);
    desk.look();
    assert_eq!(desk.stands(), ["#7 at 0000000000 Passes: May pass the freeze, by feanil: checkout fails"]);
    // Who signed, signed for that commit.
    desk.opens(7, 71);
    assert_eq!(desk.stands(), ["#7 at 0000000000 Fails: Merge freeze: monday"]);
    desk.tells(&PullEvent::Gone { number: 7, at: desk.now });
    assert!(desk.situation.pulls.value.open.is_empty());
}

#[test]
fn late_events_and_a_forge_that_fails_change_nothing_for_long() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    desk.posts(merging(Some(Strength::Advise), "week"));
    desk.now = at("13:00");
    desk.opens(1, 2);
    // What comes late is older than what is known.
    desk.tells(&PullEvent::Open(pull(1, 1), at("12:30")));
    assert_eq!(desk.situation.pulls.value.open[&1].head, commit(2));
    let ask = Ask::List { key: "x".to_owned() };
    let failed = hear(&ask, &Said::Nothing("it answered 503".to_owned()), &desk.situation, desk.now);
    assert_eq!(failed.entries.len(), 1);
    desk.situation.apply(&failed, desk.now);
    desk.stands();
    desk.opens(3, 3);
    assert!(desk.stands().is_empty(), "it is left alone for a minute");
    assert_eq!(due_at(&desk.situation, desk.manner, BOARD, desk.now), Some(at("13:01")));
    desk.now = at("13:01");
    desk.look();
    assert_eq!(desk.stands().len(), 1);
    // However many there are, a bounded number is kept.
    desk.listed = (1..=300).map(|number| pull(number, number)).collect();
    desk.posts(merging(Some(Strength::Advise), "another"));
    assert_eq!(desk.situation.pulls.value.open.len(), MOST);
}

#[test]
fn one_that_its_forge_refuses_keeps_the_others_waiting_for_nothing() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    desk.listed = vec![pull(1, 1), pull(2, 2)];
    let posted = Posted { merging: merging(Some(Strength::Require), "week"), ..Posted::default() };
    desk.situation.note(Record::Posted(posted), 1);
    let list = plan(&desk.situation, desk.manner, BOARD, desk.now).remove(0);
    let listed = hear(&list, &Said::Listed(desk.listed.clone()), &desk.situation, desk.now);
    desk.situation.apply(&listed, desk.now);
    let first = plan(&desk.situation, desk.manner, BOARD, desk.now).remove(0);
    let refused = hear(&first, &Said::Refused("it answered 404".to_owned()), &desk.situation, desk.now);
    assert_eq!(refused.entries.len(), 1);
    desk.situation.apply(&refused, desk.now);
    desk.look();
    assert_eq!(desk.stands(), ["#2 at 0000000000 Fails: Merge freeze: week"]);
    assert_eq!(due_at(&desk.situation, desk.manner, BOARD, desk.now), Some(at("13:00")));
}

#[test]
fn names_mention_nobody_and_link_nowhere() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    let words = "Merge freeze: @openedx/core [renew](https://evil.example/x) #1 <b>".to_owned();
    let merging = Merging { strength: Some(Strength::Advise), key: "week".to_owned(), since: at("12:00"), words };
    let posted = Posted { merging: Some(merging), ..Posted::default() };
    desk.situation.note(Record::Posted(posted), 1);
    let decisions = told(&PullEvent::Open(pull(1, 1), at("12:30")), &desk.situation, desk.manner);
    desk.situation.apply(&decisions, desk.now);
    desk.situation.pulls.value.listed_for = "week".to_owned();
    let asks = plan(&desk.situation, desk.manner, BOARD, desk.now);
    let Some(Ask::Comment { text, .. }) = asks.iter().find(|ask| matches!(ask, Ask::Comment { .. })) else { panic!() };
    assert!(
        text.starts_with(
            "Merge freeze: @\u{200b}openedx/core \\[renew\\](https:\u{200b}//evil.example/x) #\u{200b}1 &lt;b\\>"
        ),
        "{text}"
    );
}

#[test]
fn a_refused_status_is_said_once_and_tried_again_a_while_later_or_with_new_commits() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    desk.listed = vec![pull(1, 1), pull(2, 2)];
    desk.posts(merging(Some(Strength::Advise), "week"));
    desk.opens(1, 11).stands();
    desk.posts(merging(Some(Strength::Require), "week")).stands();
    let ask = |desk: &Desk| plan(&desk.situation, desk.manner, BOARD, desk.now);
    desk.situation.pulls.value.open.get_mut(&1).unwrap().told = None;
    let [tell] = &ask(&desk)[..] else { panic!("{:?}", ask(&desk)) };
    for lines in [1, 0] {
        let decisions = hear(tell, &Said::Refused("no such commit".into()), &desk.situation, desk.now);
        assert_eq!(decisions.entries.len(), lines);
        desk.situation.apply(&decisions, desk.now);
    }
    assert_eq!(ask(&desk), []);
    assert_eq!(due_at(&desk.situation, desk.manner, BOARD, desk.now), Some(desk.now + AGAIN));
    desk.now += AGAIN - SignedDuration::from_secs(1);
    assert_eq!(ask(&desk), []);
    desk.now += SignedDuration::from_secs(1);
    assert_eq!(ask(&desk), std::slice::from_ref(tell));
    assert_eq!(due_at(&desk.situation, desk.manner, BOARD, desk.now), Some(desk.now));
    desk.now -= AGAIN;
    let newer = PullEvent::Open(pull(1, 12), desk.now + SignedDuration::from_secs(9));
    let decisions = told(&newer, &desk.situation, desk.manner);
    desk.situation.apply(&decisions, desk.now);
    assert!(matches!(&ask(&desk)[..], [Ask::Tell { number: 1, head, .. }] if *head == commit(12)));
}

#[test]
fn a_list_gives_way_to_what_was_heard_since_it_was_asked() {
    let second = SignedDuration::from_secs(1);
    for (heard, stays, head) in [(-1, false, 5), (0, true, 9), (1, true, 9)] {
        let mut desk = Desk::new(Manner::Always);
        let asked = desk.now;
        // One that the list does not have, and one that it has with other commits, heard of at this moment.
        for number in [1, 2] {
            let event = PullEvent::Open(pull(number, 9), asked + second * heard);
            let decisions = told(&event, &desk.situation, desk.manner);
            desk.situation.apply(&decisions, asked);
        }
        let list = Ask::List { key: "day".into() };
        let decisions = hear(&list, &Said::Listed(vec![pull(2, 5)]), &desk.situation, asked);
        desk.situation.apply(&decisions, asked);
        let open = &desk.situation.pulls.value.open;
        assert_eq!(open.contains_key(&1), stays, "{heard}");
        assert_eq!(open[&2].head, commit(head), "{heard}");
    }
}

#[test]
fn a_list_that_is_cut_takes_nothing_away() {
    for (count, stays) in [(MOST - 1, false), (MOST, true)] {
        let mut desk = Desk::new(Manner::Always);
        let early = PullEvent::Open(pull(9_999_999, 9), desk.now - SignedDuration::from_hours(1));
        let decisions = told(&early, &desk.situation, desk.manner);
        desk.situation.apply(&decisions, desk.now);
        // What stands there has to be corrected one day: others leave before it.
        let words = MergeStatus { verdict: Verdict::Fails, words: "Merge freeze".into(), url: BOARD.into() };
        desk.situation.pulls.value.open.get_mut(&9_999_999).unwrap().told = Some((commit(9), words));
        let listed = (1..=u64::try_from(count).unwrap()).map(|number| pull(number, 1)).collect();
        let decisions = hear(&Ask::List { key: "day".into() }, &Said::Listed(listed), &desk.situation, desk.now);
        desk.situation.apply(&decisions, desk.now);
        assert_eq!(desk.situation.pulls.value.open.contains_key(&9_999_999), stays, "{count}");
        assert!(desk.situation.pulls.value.open.len() <= MOST);
    }
}

#[test]
fn it_is_looked_at_when_a_forge_that_failed_is_tried_again_and_each_day_where_a_status_stands_always() {
    let mut desk = Desk::new(Manner::Always);
    desk.look();
    let due = |desk: &Desk| due_at(&desk.situation, desk.manner, BOARD, desk.now);
    assert_eq!(due(&desk), Some(desk.now + A_DAY));
    desk.manner = Manner::DuringFreezes;
    assert_eq!(due(&desk), None);
    desk.manner = Manner::Always;
    desk.situation.pulls.value.listed_for.clear();
    let list = plan(&desk.situation, desk.manner, BOARD, desk.now).remove(0);
    let decisions = hear(&list, &Said::Nothing("503".into()), &desk.situation, desk.now);
    desk.situation.apply(&decisions, desk.now);
    let minute = SignedDuration::from_mins(1);
    assert_eq!(due(&desk), Some(desk.now + minute));
    desk.now += minute;
    assert_eq!(due(&desk), Some(desk.now), "now, not a minute later");
}

#[test]
fn who_made_what_is_open_is_told_who_can_be_and_is_one_of_ours() {
    let mut outside = crate::testing::person("carol", "Carol", "UTC");
    outside.champions = vec!["anna".parse().unwrap()];
    let roster = crate::Roster::new([
        crate::testing::person("feanil", "Feanil", "UTC"),
        crate::testing::person("usama", "Usama", "UTC"),
        outside,
    ]);
    let by = |number: u64, who: &str| OpenPull { author: Login::new("github", who).unwrap(), ..pull(number, 1) };
    let listed = [by(1, "feanil"), by(2, "usama"), by(3, "feanil"), by(4, "carol"), by(5, "stranger")];
    let names: Vec<String> = authors(&listed, &roster).into_iter().map(|person| person.to_string()).collect();
    assert_eq!(names, ["feanil", "usama"]);
}

#[test]
fn what_failed_or_was_refused_wakes_nobody_once_there_is_nothing_to_be_told() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    let due = |desk: &Desk| due_at(&desk.situation, desk.manner, BOARD, desk.now);
    desk.situation.pulls.value.failed =
        Some(Unread { since: at("12:00"), last: at("12:00"), why: "it answered 503".to_owned() });
    let mut refused = opened(&pull(1, 1), None);
    refused.refused = Some((commit(1), at("11:30")));
    desk.situation.pulls.value.open.insert(1, refused);
    assert_eq!(due(&desk), Some(at("12:01")), "it may answer then");
    desk.now = at("12:01");
    assert_eq!(due(&desk), Some(at("12:30")), "it takes it, perhaps");
    desk.now = at("12:30");
    assert_eq!(due(&desk), None);
}

#[test]
fn of_too_many_those_leave_first_at_which_nothing_stands_to_be_corrected() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    desk.posts(merging(Some(Strength::Advise), "week"));
    let says = |words: &str| MergeStatus { verdict: Verdict::Passes, words: words.into(), url: BOARD.into() };
    for number in 1..=u64::try_from(MOST).unwrap() {
        let words = if number == 2 { NONE } else { "Merge freeze: week" };
        let told = Some((commit(number), says(words)));
        desk.situation.pulls.value.open.insert(number, Open { told, ..opened(&pull(number, number), None) });
    }
    let decisions = told(&PullEvent::Open(pull(1000, 1000), desk.now), &desk.situation, desk.manner);
    desk.situation.apply(&decisions, desk.now);
    let open = &desk.situation.pulls.value.open;
    assert_eq!([1, 2, 3, 1000].map(|number| open.contains_key(&number)), [true, false, true, true]);
}

#[test]
fn what_may_pass_has_no_comment_that_asks_to_wait() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    desk.situation.posted.value.expedites = vec![Granted {
        repository: repository(),
        number: 7,
        by: "feanil".parse().unwrap(),
        at: at("12:00"),
        until: at("Sat 12:00"),
        head: None,
        reason: "checkout fails".to_owned(),
        signed: vec![],
    }];
    desk.posts(merging(Some(Strength::Require), "week"));
    desk.opens(7, 7).opens(1, 1);
    assert_eq!(desk.comments, [1]);
}

#[test]
fn what_is_due_now_is_looked_at_again_in_a_minute_should_it_fail() {
    let mut desk = Desk::new(Manner::DuringFreezes);
    let posted = Posted { merging: merging(Some(Strength::Advise), "week"), ..Posted::default() };
    desk.situation.note(Record::Posted(posted), 1);
    assert_eq!(due_at(&desk.situation, desk.manner, BOARD, desk.now), Some(desk.now));
    let settings = crate::testing::settings();
    let round = crate::on_schedule::merge_desks::decide(&desk.situation, &[], Some(desk.manner), &settings, desk.now);
    assert_eq!(round.decisions.wake, Wake::Exactly(Some(at("12:01"))));
}
