//! Jobs that wait: what the freezes allow goes on, the rest is told why, a few times only.

use super::*;
use crate::freeze::{Declared, Preset, Scope};
use crate::testing::{World, at, change, commit, repository};

fn waiting(run: u64, number: u64) -> Waiting {
    let environment = "production".to_owned();
    let source = "github".to_owned();
    Waiting {
        repository: repository(),
        run,
        environment,
        commit: commit(number),
        at: None,
        source,
        installation: Some(1),
    }
}

fn declared(until: &str) -> Declared {
    Declared {
        id: "week".parse().unwrap(),
        name: "gratitude week".to_owned(),
        stops: Preset::Holiday.stops(),
        rotation_signs: false,
        scope: Scope::default(),
        zone: "UTC".to_owned(),
        from: at("10:00"),
        until: at(until),
        by: "olga".parse().unwrap(),
        declared_at: at("09:00"),
        changed_at: None,
        widened_at: None,
        ended: None,
    }
}

struct Line {
    world: World,
    desk: Situation,
}

impl Line {
    fn during(until: &str) -> Self {
        let world = World::new();
        let mut desk = Situation::empty(world.settings.freeze_desk().id.clone());
        desk.note(Record::Freeze(declared(until)), 1);
        Self { world, desk }
    }

    fn waits(&mut self, run: u64, number: u64) {
        let decisions =
            told(&waiting(run, number), &"production".parse().unwrap(), &self.world.situation, self.world.now);
        self.world.commit(&decisions);
    }

    fn plan(&self) -> Vec<Tell> {
        let World { situation, service, settings, now, .. } = &self.world;
        let carried = |gate: &Gate| Carried::of(&gate.waiting.commit, situation, service, settings, *now);
        let carried: Vec<_> = situation.pipelines.value.gates.iter().map(carried).collect();
        plan(situation, &self.desk, service, settings, &carried, *now)
    }

    /// What each is told: `1 yes: words`.
    fn look(&mut self, said: &Result<(), String>) -> Vec<String> {
        let mut all = Vec::new();
        for tell in self.plan() {
            let may = if tell.may { "yes" } else { "no" };
            all.push(format!("{} {may}: {}", tell.gate.waiting.run, tell.words));
            let decisions = hear(&tell, said, &self.world.situation, self.world.now);
            self.world.commit(&decisions);
        }
        all
    }
}

#[test]
fn it_waits_for_the_end_of_the_freeze_is_told_so_once_and_then_goes_on() {
    let mut line = Line::during("14:00");
    line.world.now = at("12:00");
    line.waits(1, 12);
    line.waits(1, 12);
    let want =
        "1 no: It waits: gratitude week until 14:00 (UTC): please do not merge; nothing is deployed (every service).";
    assert_eq!(line.look(&Ok(())), [want]);
    assert!(line.look(&Ok(())).is_empty(), "once");
    line.world.now = at("14:00");
    assert_eq!(line.look(&Ok(())), ["1 yes: No freeze holds it."]);
    assert!(line.world.situation.pipelines.value.gates.is_empty());
    assert_eq!(line.world.reasons, ["deployment_held", "deployment_let_go"]);
}

#[test]
fn a_fix_that_may_pass_goes_on_and_the_pile_does_not_go_with_it() {
    let mut line = Line::during("Mon 14:00");
    line.world.now = at("11:00");
    line.world.merge(change(1, "usama", at("10:30"))).merge(change(7, "feanil", at("11:00")));
    line.waits(1, 7);
    let asked = expedite::Expedite {
        repository: repository(),
        number: 7,
        title: String::new(),
        url: None,
        by: "feanil".parse().unwrap(),
        at: at("11:00"),
        way: expedite::Way::Board,
        heard_at: at("11:00"),
        head: None,
        reason: "checkout fails".to_owned(),
        signed: vec![expedite::Signed {
            person: "olga".parse().unwrap(),
            at: at("11:00"),
            approver: true,
            rotation: false,
        }],
        over: None,
        passed: None,
        told: [].into(),
        counted: false,
    };
    line.desk.note(Record::Expedite(asked.clone()), 1);
    let said = line.look(&Ok(()));
    assert!(
        said[0].starts_with("1 no: It waits") && said[0].contains("it carries edx-platform#1, which may not pass"),
        "{said:?}"
    );
    // Once that may pass as well, it goes.
    line.desk.note(Record::Expedite(expedite::Expedite { number: 1, ..asked }), 1);
    assert_eq!(line.look(&Ok(())), ["1 yes: It may pass the freeze."]);
}

#[test]
fn what_is_not_taken_is_told_again_and_forgotten_once_the_job_is_over() {
    let mut line = Line::during("11:00");
    line.world.now = at("12:00");
    line.waits(1, 12);
    let refused = Err("the forge answered 502".to_owned());
    assert_eq!(line.look(&refused).len(), 1);
    assert!(line.look(&refused).is_empty(), "not at once");
    assert_eq!(due_at(&line.world.situation, line.world.now), Some(at("12:01")));
    line.world.now = at("12:01");
    assert_eq!(line.look(&refused).len(), 1);
    assert_eq!(line.world.reasons, ["pipeline_silent"], "said once");
    line.world.now = at("12:00") + LASTS;
    assert_eq!(line.look(&refused).len(), 1);
    assert!(line.world.situation.pipelines.value.gates.is_empty());
    // However many wait, a bounded number is kept.
    for run in 0..200 {
        line.waits(run, 12);
    }
    assert_eq!(line.world.situation.pipelines.value.gates.len(), MOST);
}

#[test]
fn after_a_thaw_what_is_more_than_a_release_waits_for_the_one_before_it() {
    let mut line = Line::during("14:00");
    for number in 1..=12 {
        line.world.now = at("12:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        line.world.merge(change(number, "feanil", line.world.now));
    }
    line.waits(8, 8);
    line.waits(12, 12);
    assert_eq!(line.look(&Ok(())).len(), 2);
    line.world.now = at("14:00");
    let said = line.look(&Ok(()));
    assert_eq!(said[0], "8 yes: No freeze holds it.");
    assert!(
        said[1]
            .starts_with("12 no: It waits for the release before it: it carries 12 changes: deploy 0000000000 first"),
        "{said:?}"
    );
    // Once that is live it carries four; where it never goes live it is not held for ever.
    line.world.now = at("15:00");
    assert!(line.look(&Ok(()))[0].starts_with("12 yes"));
}

#[test]
fn another_job_of_the_same_run_is_answered_too_and_a_hot_fix_is_known_by_what_it_was_picked_from() {
    let mut line = Line::during("11:00");
    line.world.now = at("12:00");
    line.waits(1, 12);
    let tell = line.plan().remove(0);
    // It is told of again while the answer is under way.
    line.waits(1, 12);
    let decisions = hear(&tell, &Ok(()), &line.world.situation, line.world.now);
    line.world.commit(&decisions);
    assert_eq!(line.look(&Ok(())), ["1 yes: No freeze holds it."]);
    assert!(line.world.situation.pipelines.value.gates.is_empty());
    line.world.merge(change(1, "usama", at("10:30"))).merge(change(7, "feanil", at("11:00")));
    let World { situation, service, settings, now, .. } = &line.world;
    let of = |commits: &[u64]| {
        let commits = commits.iter().map(|n| commit(*n)).collect();
        Carried::of_commits(&commits, situation, service, settings, *now).map(|one| (one.pulls.len(), one.others))
    };
    assert_eq!(of(&[700, 7]), Some((1, 0)), "the pick, and what it was picked from");
    assert_eq!(of(&[700, 701, 7]), Some((1, 1)), "somebody put something else beside it");
    assert_eq!(of(&[700]), None);
}

#[test]
fn a_smaller_release_keeps_the_pile_back_until_its_turns_are_over() {
    let mut line = Line::during("14:00");
    for number in 1..=12 {
        line.world.now = at("12:00") + SignedDuration::from_mins(i64::try_from(number).unwrap());
        line.world.merge(change(number, "feanil", line.world.now));
    }
    line.world.now = at("14:00");
    line.waits(8, 8);
    assert_eq!(line.look(&Ok(())), ["8 yes: No freeze holds it."]);
    line.waits(12, 12);
    line.world.now = at("14:59");
    assert!(line.look(&Ok(()))[0].starts_with("12 no: It waits for the release before it"));
    line.world.now = at("15:00");
    assert!(line.look(&Ok(()))[0].starts_with("12 yes"));
}

#[test]
fn it_is_looked_at_at_once_then_every_ten_minutes_and_that_is_kept_once() {
    let mut line = Line::during("14:00");
    line.world.now = at("12:00");
    assert_eq!(due_at(&line.world.situation, line.world.now), None);
    assert!(looked(&line.world.situation, line.world.now).is_quiet(), "nothing waits");
    line.waits(1, 12);
    assert_eq!(due_at(&line.world.situation, line.world.now), Some(at("12:00")));
    let decisions = looked(&line.world.situation, line.world.now);
    assert_eq!(decisions.writes.len(), 1);
    line.world.commit(&decisions);
    assert_eq!(due_at(&line.world.situation, line.world.now), Some(at("12:10")));
    assert!(looked(&line.world.situation, line.world.now).is_quiet());
}

#[test]
fn why_it_waits_is_told_five_times_at_most() {
    let mut line = Line::during("14:00");
    line.world.now = at("12:00");
    line.waits(1, 12);
    let told: Vec<usize> = (0..8)
        .map(|minute| {
            let until = format!("15:{minute:02}");
            line.desk.note(Record::Freeze(declared(&until)), 1);
            line.look(&Ok(())).len()
        })
        .collect();
    assert_eq!(told, [1, 1, 1, 1, 1, 0, 0, 0]);
}

#[test]
fn two_environments_of_one_run_are_answered_each_for_itself() {
    let mut line = Line::during("11:00");
    line.world.now = at("12:00");
    line.waits(1, 12);
    let other = Waiting { environment: "stage".to_owned(), ..waiting(1, 12) };
    let decisions = told(&other, &"stage".parse().unwrap(), &line.world.situation, line.world.now);
    line.world.commit(&decisions);
    let left = |line: &Line| -> Vec<String> {
        let gates = &line.world.situation.pipelines.value.gates;
        gates.iter().map(|gate| gate.environment.to_string()).collect()
    };
    assert_eq!(left(&line), ["production", "stage"]);
    let tell = line.plan().into_iter().find(|tell| tell.gate.environment.as_str() == "stage").unwrap();
    let decisions = hear(&tell, &Ok(()), &line.world.situation, line.world.now);
    line.world.commit(&decisions);
    assert_eq!(left(&line), ["production"]);
}

#[test]
fn the_services_of_a_job_are_those_of_its_repository_that_have_its_environment() {
    let settings = crate::testing::settings();
    let of = |waiting: &Waiting| shares(waiting, &settings).map(|service| service.id.to_string()).collect::<Vec<_>>();
    assert_eq!(of(&waiting(1, 12)), ["edxapp"]);
    assert_eq!(of(&Waiting { environment: "prod".to_owned(), ..waiting(1, 12) }), ["edxapp"], "by its other name");
    assert_eq!(of(&Waiting { environment: "moon".to_owned(), ..waiting(1, 12) }), [""; 0]);
    assert_eq!(of(&Waiting { repository: "openedx/other".parse().unwrap(), ..waiting(1, 12) }), [""; 0]);
}

#[test]
fn what_only_advises_holds_no_job_and_passes_for_no_fix() {
    let mut line = Line::during("14:00");
    line.world.now = at("12:00");
    let advises = crate::freeze::Stops { deployments: Some(crate::freeze::Strength::Advise), merges: None };
    line.desk.note(Record::Freeze(Declared { stops: advises, ..declared("14:00") }), 2);
    line.waits(1, 12);
    assert_eq!(line.look(&Ok(())), ["1 yes: No freeze holds it."]);
}

#[test]
fn only_what_is_signed_passes_and_only_while_something_holds() {
    let mut line = Line::during("14:00");
    let signed = expedite::Signed { person: "olga".parse().unwrap(), at: at("11:00"), approver: true, rotation: false };
    let asked = |signed: Vec<expedite::Signed>| expedite::Expedite {
        repository: repository(),
        number: 7,
        title: String::new(),
        url: None,
        by: "feanil".parse().unwrap(),
        at: at("11:00"),
        way: expedite::Way::Board,
        heard_at: at("11:00"),
        head: None,
        reason: "checkout fails".to_owned(),
        signed,
        over: None,
        passed: None,
        told: [].into(),
        counted: false,
    };
    let mut passes = |signatures: Vec<expedite::Signed>, when: &str| {
        line.desk.note(Record::Expedite(asked(signatures)), 1);
        let (settings, desk) = (&line.world.settings, &line.desk);
        passing(desk, &Freezes::of(settings, desk), settings, at(when)).len()
    };
    assert_eq!(passes(vec![], "12:00"), 0, "nobody has signed");
    assert_eq!(passes(vec![signed.clone()], "12:00"), 1);
    assert_eq!(passes(vec![signed], "14:00"), 0, "nothing holds any more");
}
