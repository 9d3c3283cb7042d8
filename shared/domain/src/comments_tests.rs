//! The comment at a merged pull request, from what a service knows to what stands at the forge.

use expect_test::{Expect, expect};
use jiff::SignedDuration;

use super::line::{Held, Suspected, rounded, untold};
use super::*;
use crate::testing::{World, alert, at, change, commit, deployment, repository};
use crate::window::windows;
use crate::{Change, ChangeId, ChangeKind, DeploymentState, Mode, Reverts, on_schedule, revert};

fn reverts(number: u64) -> Option<Reverts> {
    revert::read(&format!("Revert #{number}"), &format!("Reverts openedx/edx-platform#{number}"), &repository())
}

/// A service, the desk of its repository, and its forge.
struct Story {
    world: World,
    desk: Situation,
    /// The comments that stand there, and how often something was written.
    stands: BTreeMap<u64, (u64, String)>,
    written: usize,
    /// What it says instead, once each.
    answers: Vec<Answer>,
}

impl Story {
    fn new() -> Self {
        let mut world = World::new();
        world.settings = world.settings.with_comments(|_| true);
        world.now = at("15:00");
        let desk = Situation::empty(ServiceId::merges_into(&repository()));
        Self { world, desk, stands: BTreeMap::new(), written: 0, answers: vec![] }
    }

    fn merge(&mut self, number: u64) -> &mut Self {
        self.world.merge(change(number, "feanil", self.world.now));
        self.look()
    }

    fn deploy(&mut self, number: u64, state: DeploymentState) -> &mut Self {
        self.world.deploy(&deployment(number, number, "production", state, self.world.now));
        self.look()
    }

    fn alert(&mut self, over: bool) -> &mut Self {
        self.world.alert(&[alert("HighErrorRate", at("15:30"), over.then_some(self.world.now))]);
        self.look()
    }

    /// What is due at this moment: the service looks and tells the desk, which tells the forge.
    fn look(&mut self) -> &mut Self {
        self.world.settle();
        let now = self.world.now;
        let news = self.news();
        let as_of = AsOf(self.world.situation.clock.rev, now);
        let service = self.world.service.id.clone();
        self.desk.apply(&told(&news, &service, as_of, &self.desk, now), now);
        self.world.commit(&noted(&news, &self.world.situation));
        assert!(self.news().is_empty(), "told once it is told");
        for _ in 0..100 {
            let (decisions, asks) = begin(&self.desk, &self.world.settings, now);
            self.desk.apply(&decisions, now);
            if asks.is_empty() {
                break;
            }
            let answers: Vec<(Ask, Answer)> = asks.into_iter().map(|ask| (ask.clone(), self.asks(&ask))).collect();
            self.desk.apply(&hear(&answers, &self.desk, now), now);
        }
        self.world.settle();
        self
    }

    fn news(&self) -> Vec<News> {
        let World { situation, service, settings, now, .. } = &self.world;
        let service = situation.posted.value.applied(service);
        let all = windows(situation, &service, &settings.roster, *now);
        untold(situation, &service, settings, &all, *now)
    }

    fn asks(&mut self, ask: &Ask) -> Answer {
        if !self.answers.is_empty() {
            return self.answers.remove(0);
        }
        self.written += 1;
        let next = 700 + u64::try_from(self.stands.len()).unwrap();
        let stands = self.stands.entry(ask.number).or_insert((next, String::new()));
        let found = stands.0 != next;
        match ask.what {
            Do::Leave => assert!(!found, "a second comment at {}", ask.number),
            Do::Edit { id } => assert_eq!(stands.0, id),
            Do::FindOrLeave { .. } => {}
        }
        stands.1.clone_from(&ask.text);
        Answer::Stands(stands.0)
    }

    /// Minute by minute.
    fn until(&mut self, text: &str) -> &mut Self {
        while self.world.now < at(text) {
            self.world.now += SignedDuration::from_mins(1);
            self.look();
        }
        self
    }

    #[track_caller]
    fn reads(&mut self, number: u64, want: &Expect) -> &mut Self {
        want.assert_eq(self.stands.get(&number).map_or("nothing", |(_, text)| text));
        self
    }

    fn reasons(&self) -> Vec<&'static str> {
        self.desk.comments.values().filter_map(|known| known.value.given_up).map(GivenUp::words).collect()
    }
}

#[test]
fn one_comment_tells_a_change_s_whole_life() {
    let mut story = Story::new();
    story.merge(11).until("15:02").merge(12);
    story.reads(12, &expect!["nothing"]);
    story.until("15:03");
    story.reads(
        12,
        &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: **Feanil** is on standby: it is merged, not live. 1 change is ahead of it in the queue.

        This comment is edited as things change."#]],
    );
    // What is ahead of it goes live.
    story.until("15:10").deploy(11, DeploymentState::Started).deploy(11, DeploymentState::Succeeded).until("15:13");
    story.reads(
        12,
        &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: **Feanil** is on standby: it is merged, not live. Nothing is ahead of it in the queue.

        This comment is edited as things change."#]],
    );
    story.until("15:20").deploy(12, DeploymentState::Started);
    story.reads(12, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:20 (America/New_York). **Feanil** is paged first until 1 h after the deployment succeeds, at the latest until Fri 2026-03-20 15:20 (America/New_York).

        This comment is edited as things change."#]]);
    story.until("15:25").deploy(12, DeploymentState::Succeeded).until("15:27");
    story.reads(12, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:20 (America/New_York). **Feanil** is paged first until Fri 2026-03-20 12:25 (America/New_York).

        This comment is edited as things change."#]]);
    story.until("15:31").alert(false);
    story.reads(12, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:20 (America/New_York). **Feanil** is paged first until what broke is over, at the latest until Fri 2026-03-20 15:20 (America/New_York).
          - Incident [`HighErrorRate`](https://deployers.example.com/incidents/edxapp-qaqn6jef), since Fri 2026-03-20 11:30 (America/New_York), has it as a suspect. It is not over.

        This comment is edited as things change."#]]);
    story.until("15:40").alert(true);
    story.reads(12, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:20 (America/New_York). **Feanil** is paged first until Fri 2026-03-20 12:25 (America/New_York).
          - Incident [`HighErrorRate`](https://deployers.example.com/incidents/edxapp-qaqn6jef), since Fri 2026-03-20 11:30 (America/New_York), has it as a suspect. It is over since Fri 2026-03-20 11:40 (America/New_York).

        This comment is edited as things change."#]]);
    story.until("16:30");
    story.reads(12, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:20 (America/New_York). The turn of **Feanil** ended Fri 2026-03-20 12:25 (America/New_York). It stays a suspect until Sat 2026-03-21 12:25 (America/New_York).
          - Incident [`HighErrorRate`](https://deployers.example.com/incidents/edxapp-qaqn6jef), since Fri 2026-03-20 11:30 (America/New_York), has it as a suspect. It is over since Fri 2026-03-20 11:40 (America/New_York).

        This comment is edited as things change."#]]);
    // Nothing more is said of it, and in the end nothing is kept.
    let written = story.written;
    story.until("Sat 16:30");
    assert_eq!((story.written, story.stands.len()), (written, 2));
    assert!(story.world.is_empty() && story.desk.comments.len() == 2);
    let mut round = on_schedule::merge_desks::decide(&story.desk, &[], None, &story.world.settings, at("Sun 16:30"));
    story.desk.apply(&round.decisions, at("Sun 16:30"));
    round = on_schedule::merge_desks::decide(&story.desk, &[], None, &story.world.settings, at("Sun 16:30"));
    assert!(story.desk.comments.is_empty() && round.decisions.is_quiet());
}

#[test]
fn a_change_that_is_taken_back_says_by_what() {
    let mut story = Story::new();
    story.merge(11).until("15:05").deploy(11, DeploymentState::Succeeded).until("15:20");
    let reverts = reverts(11);
    story.world.merge(Change { reverts, ..change(12, "usama", at("15:20")) });
    story.look().until("15:23");
    story.reads(11, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:05 (America/New_York). **Feanil** is paged first until Fri 2026-03-20 12:05 (America/New_York). `edx-platform#12` reverts it.

        This comment is edited as things change."#]]);
    story.deploy(12, DeploymentState::Succeeded).until("15:45");
    story.reads(11, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: live since Fri 2026-03-20 11:05 (America/New_York), reverted: `edx-platform#12` is live since Fri 2026-03-20 11:23 (America/New_York). The turn of **Feanil** is over.

        This comment is edited as things change."#]]);
}

#[test]
fn what_is_reverted_before_it_is_live_hears_that_before_it_leaves() {
    let mut story = Story::new();
    story.merge(11).until("15:05");
    let reverts = reverts(11);
    story.world.merge(Change { reverts, ..change(12, "usama", at("15:05")) });
    story.look().until("15:10").deploy(12, DeploymentState::Succeeded).until("15:12");
    story.reads(11, &expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#edxapp): who answers for this change**

        - `edxapp`: reverted before it was live: `edx-platform#12` went live Fri 2026-03-20 11:10 (America/New_York). **Feanil** has no turn for it.

        This comment is edited as things change."#]]);
    let id = ChangeId { repository: repository(), commit: commit(11) };
    assert!(!story.world.situation.changes.contains_key(&id));
}

#[test]
fn what_nobody_knows_to_stand_there_is_looked_for_and_a_forge_that_is_down_is_left_alone() {
    let mut story = Story::new();
    story.answers = vec![Answer::Nothing("no answer".to_owned())];
    story.merge(11).until("15:01");
    assert_eq!((story.written, story.answers.len()), (0, 0));
    assert!(story.desk.pulls.value.silent.is_some());
    // Whoever began is not at it any more.
    let (_, asks) = begin(&story.desk, &story.world.settings, at("15:05"));
    assert!(matches!(asks[0].what, Do::FindOrLeave { since } if since == at("15:01")), "{asks:?}");
    story.until("15:05");
    assert_eq!((story.written, story.stands.len()), (1, 1));
    assert!(story.desk.pulls.value.silent.is_none());
}

#[test]
fn two_at_once_do_not_write_the_same() {
    let mut story = Story::new();
    let news = {
        story.world.merge(change(11, "feanil", at("15:00"))).settle();
        story.news()
    };
    let service = story.world.service.id.clone();
    let (newer, older) = (AsOf(5, at("15:00")), AsOf(4, at("15:00")));
    story.desk.apply(&told(&news, &service, newer, &story.desk, at("15:00")), at("15:00"));
    let none: Vec<News> = news.iter().map(|one| News { line: None, ..one.clone() }).collect();
    assert!(told(&none, &service, older, &story.desk, at("15:01")).is_quiet(), "an older look says nothing");
    let (decisions, asks) = begin(&story.desk, &story.world.settings, at("15:01"));
    assert_eq!(asks.len(), 1);
    story.desk.apply(&decisions, at("15:01"));
    assert!(begin(&story.desk, &story.world.settings, at("15:02")).1.is_empty(), "somebody is at it");
    // Who is thought to have died and has not, writes the same; the other then has nothing to write.
    let (decisions, later) = begin(&story.desk, &story.world.settings, at("15:03"));
    story.desk.apply(&decisions, at("15:03"));
    let decisions = hear(&[(asks[0].clone(), Answer::Stands(7))], &story.desk, at("15:03"));
    story.desk.apply(&decisions, at("15:03"));
    assert_eq!(later.len(), 1);
    let stands = story.desk.comments[&11].value.clone();
    assert_eq!((stands.stands.unwrap().id, stands.begun.is_some()), (7, true));
}

#[test]
fn what_a_forge_refuses_for_one_is_given_up_and_said_why() {
    for (answer, tries, why) in [
        (Answer::Locked, 1, "its conversation is locked"),
        (Answer::Deleted, 1, "somebody deleted the comment"),
        (Answer::Refused("the forge answered 422".to_owned()), 3, "the forge refused it again and again"),
    ] {
        let mut story = Story::new();
        story.answers = vec![answer; 3];
        story.merge(11).until("23:00");
        assert_eq!((story.answers.len(), story.written), (3 - tries, 0), "{why}");
        assert_eq!(story.reasons(), [why]);
    }
}

#[test]
fn what_may_stand_there_is_looked_for_after_a_refusal_too() {
    let mut story = Story::new();
    story.answers = vec![Answer::Nothing("no answer".to_owned()), Answer::Refused("the forge answered 422".to_owned())];
    story.merge(11).until("15:10");
    assert_eq!((story.answers.len(), story.written), (0, 0));
    let (_, asks) = begin(&story.desk, &story.world.settings, at("16:30"));
    assert!(matches!(asks[0].what, Do::FindOrLeave { since } if since == at("15:01")), "{asks:?}");
    // What was refused from the first stands nowhere.
    let mut story = Story::new();
    story.answers = vec![Answer::Refused("the forge answered 422".to_owned())];
    story.merge(11).until("15:10");
    assert_eq!(begin(&story.desk, &story.world.settings, at("16:30")).1[0].what, Do::Leave);
}

#[test]
fn what_is_refused_has_the_same_pace() {
    let mut story = Story::new();
    story.answers = vec![Answer::Refused("the forge answered 422".to_owned()); 60];
    for number in 1..=60 {
        let merged_at = at("14:00") + SignedDuration::from_secs(i64::try_from(number).unwrap());
        story.world.merge(change(number, "feanil", merged_at));
    }
    story.look().until("15:01");
    assert_eq!(story.answers.len(), 40, "twenty in a minute");
    story.until("15:03");
    assert_eq!(story.answers.len(), 0);
}

#[test]
fn a_release_is_told_in_portions_and_a_queue_that_moves_edits_few() {
    let mut story = Story::new();
    for number in 1..=60 {
        let merged_at = at("14:00") + SignedDuration::from_secs(i64::try_from(number).unwrap());
        story.world.merge(change(number, "feanil", merged_at));
    }
    story.look().until("15:01");
    assert_eq!(story.written, 20, "in a minute");
    story.until("15:03");
    assert_eq!((story.written, story.stands.len()), (60, 60));
    // One of them goes: those behind it, as far as they count exactly, are told.
    story.until("15:10").deploy(1, DeploymentState::Succeeded).until("15:20");
    assert!((61..=75).contains(&story.written), "{}", story.written);
    // They go live together.
    let before = story.written;
    story.deploy(60, DeploymentState::Succeeded);
    assert_eq!(story.written - before, 20);
    story.until("15:23");
    assert_eq!(story.written - before, 59);
    assert!(story.stands.values().all(|(_, text)| text.contains("live since")), "{:?}", story.stands);
}

#[test]
fn only_pull_requests_of_repositories_that_want_it_are_told() {
    let mut story = Story::new();
    story.world.settings = story.world.settings.clone().with_comments(|_| false);
    story.merge(11).until("15:10");
    assert!(story.stands.is_empty() && story.desk.comments.is_empty());
    let mut story = Story::new();
    story.world.change_service(|service| service.mode = Mode::Manual);
    story.world.settings = story.world.settings.clone().with_comments(|_| true);
    story.merge(11).until("15:10");
    assert!(story.desk.comments.is_empty(), "by hand");
    // One that wants it no more is left as it is, and wakes nobody.
    let mut story = Story::new();
    story.merge(11).until("15:02");
    story.world.settings = story.world.settings.clone().with_comments(|_| false);
    story.until("15:05").deploy(11, DeploymentState::Succeeded).until("15:10");
    assert_eq!((story.written, story.world.situation.notes.len()), (1, 1));
    assert!(due_at(&story.desk, &story.world.settings, story.world.now) > Some(at("Sun 15:00")));
    let mut story = Story::new();
    story.world.merge(Change { kind: ChangeKind::DirectPush, ..change(11, "feanil", at("15:00")) });
    story.look().until("15:10");
    assert!(story.desk.comments.is_empty(), "a push has none");
}

#[test]
fn every_service_has_its_line_and_names_from_elsewhere_are_only_names() {
    let mut settings = crate::testing::settings();
    settings.roster = crate::Roster::new([
        crate::testing::person("feanil", "@openedx/core [Feanil](https://evil.example) #1", "America/New_York"),
        crate::testing::person("usama", "Usama", "Asia/Karachi"),
    ]);
    let hostile = "`@all` <img src=x> [x](https://evil.example) fixes #12\n/close";
    let line = |responder: &str, instead: Option<&str>, standing| Line {
        responder: responder.parse().unwrap(),
        instead: instead.map(|who| who.parse().unwrap()),
        standing,
        reverted_by: Some("edx`platform#13".to_owned()),
        incidents: BTreeMap::new(),
    };
    let frozen = Held::Frozen { name: crate::text::line(hostile, 80), until: at("Mon 13:00") };
    let mut broken =
        line("feanil", Some("usama"), Standing::Standby { again: true, ahead: rounded(37), held: Some(frozen) });
    let suspected = Suspected { what: hostile.to_owned(), began_at: at("15:30"), over_at: None, it_was: Some(false) };
    broken.incidents.insert("edxapp-qaqn6jef".parse().unwrap(), suspected);
    let paused = Standing::Standby { again: false, ahead: 0, held: Some(Held::Paused { until: None }) };
    let mut comment = Comment::new(at("15:00"));
    for (service, line) in [("edxapp", broken), ("ecommerce", line("usama", None, paused))] {
        let said = Said { as_of: AsOf(1, at("15:00")), line: Some(line) };
        comment.lines.insert(service.parse().unwrap(), said);
    }
    let text = crate::wording::comments::words(&comment, &settings);
    expect![[r#"
        **[Recent Deployers](https://deployers.example.com/#ecommerce): who answers for this change**

        - `ecommerce`: **Usama** is on standby: it is merged, not live. Nothing is ahead of it in the queue. The pipeline is paused. `edx'platform#13` reverts it.
        - `edxapp`: **@·openedx/core \[Feanil\](https:·//evil.example) #·1** is on standby: it was taken back, and is not live. 30 changes or more are ahead of it in the queue. Deployments wait until Mon 2026-03-23 09:00 (America/New_York), for the freeze `'@·all' <img src=x> [x](https://evil.example) fixes #12 /close`. **Usama** has the pager just now and is paged instead. `edx'platform#13` reverts it.
          - Incident [`'@·all' <img src=x> [x](https://evil.example) fixes #12 /close`](https://deployers.example.com/incidents/edxapp-qaqn6jef), since Fri 2026-03-20 11:30 (America/New_York), has it as a suspect. It is not over. It was not this change.

        This comment is edited as things change."#]].assert_eq(&text.replace('\u{200b}', "·"));
    // One that turned out to be no service's says so, where it stands; and one of many services is bounded.
    comment.lines.values_mut().for_each(|said| said.line = None);
    assert!(crate::wording::comments::words(&comment, &settings).contains("\nNo service of ours is touched by it.\n"));
    for n in 0..40 {
        let line = line("usama", None, Standing::Reverted { since: None, at: at("15:00") });
        let said = Said { as_of: AsOf(1, at("15:00")), line: Some(line) };
        comment.lines.insert(format!("s{n}").parse().unwrap(), said);
    }
    let text = crate::wording::comments::words(&comment, &settings);
    assert!(text.contains("\n- And 28 services: see the board.\n") && text.len() < 8000, "{text}");
}

#[test]
fn incidents_that_are_over_stay_said_as_far_as_there_is_room() {
    let line = |incidents: &[(u32, bool)]| {
        let of = |(n, over): &(u32, bool)| {
            let suspected = Suspected {
                what: format!("Alert{n}"),
                began_at: at("15:30"),
                over_at: over.then(|| at("15:40")),
                it_was: None,
            };
            (format!("edxapp-qaqn6je{n}").parse().unwrap(), suspected)
        };
        Line {
            responder: "feanil".parse().unwrap(),
            instead: None,
            standing: Standing::Standby { again: false, ahead: 0, held: None },
            reverted_by: None,
            incidents: incidents.iter().map(of).collect(),
        }
    };
    let said = |now: &[(u32, bool)], past: &[(u32, bool)]| {
        let line = line(now).with_past(Some(&line(past)));
        line.incidents.into_values().map(|incident| incident.what).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(said(&[], &[(1, true)]), "Alert1");
    assert_eq!(said(&[], &[(1, false)]), "", "one that is not over, and that nobody knows of, was none");
    assert_eq!(said(&[(3, false), (4, false)], &[(1, true), (2, true)]), "Alert1 Alert3 Alert4", "three at most");
    assert_eq!(said(&[(3, false), (4, false), (5, false)], &[(1, true)]), "Alert3 Alert4 Alert5");
    assert_eq!(line(&[(3, false)]).with_past(None), line(&[(3, false)]));
}

#[test]
fn what_matters_of_a_line_is_who_answers_where_it_stands_and_what_broke() {
    let standing = |standing| Line {
        responder: "feanil".parse().unwrap(),
        instead: None,
        standing,
        reverted_by: Some("edx-platform#13".to_owned()),
        incidents: BTreeMap::new(),
    };
    let until = at("16:00");
    let gists = [
        standing(Standing::Standby { again: false, ahead: 9, held: Some(Held::Paused { until: None }) }),
        standing(Standing::Active { since: at("15:00"), until, end: super::line::End::AfterIncident }),
        standing(Standing::Ended { since: at("14:00"), at: at("15:00"), until }),
        standing(Standing::Reverted { since: None, at: at("15:00") }),
    ]
    .map(|line| line.gist());
    expect![[r#"
        feanil standby false Some("edx-platform#13") {}
        feanil active 2026-03-20T15:00:00Z Some("edx-platform#13") {}
        feanil ended 2026-03-20T15:00:00Z Some("edx-platform#13") {}
        feanil reverted 2026-03-20T15:00:00Z Some("edx-platform#13") {}"#]]
    .assert_eq(&gists.join("\n"));
}
