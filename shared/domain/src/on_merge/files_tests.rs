//! Which files changes touch: what is asked of forges, when again, and what becomes of their answers.

use jiff::SignedDuration;

use super::*;
use crate::change::{Lines, Size};
use crate::testing::{World, at, change, repository};

fn everywhere(_: &Repository) -> bool {
    true
}

fn asked(world: &World) -> Vec<String> {
    let all = questions(&world.situation, &world.service, &everywhere, world.now);
    all.iter().map(|q| world.situation.changes[&q.change].value.label()).collect()
}

fn tell(world: &mut World, answer: Result<Files, String>) {
    let question = questions(&world.situation, &world.service, &everywhere, world.now).remove(0);
    let decisions = answered(&question, answer, &world.situation, world.now);
    world.commit(&decisions);
}

fn files(world: &World, number: u64) -> Files {
    world.situation.files[&change(number, "feanil", world.now).id].value.clone()
}

fn counted(paths: &[&str]) -> Files {
    Files::counted(paths.iter().map(|path| (*path, Some(Lines { added: 2, deleted: 1 }))))
}

fn listing(number: u64, paths: &[&str]) -> Change {
    Change { files: Some(Files::of(paths.iter().copied())), ..change(number, "feanil", at("12:00")) }
}

#[test]
fn every_change_whose_lines_are_unknown_is_asked_about_once_the_newest_first() {
    let mut world = World::new();
    for number in 1..=25 {
        world.merge(change(number, "feanil", at("12:00") + SignedDuration::from_mins(number as i64)));
    }
    world.merge(Change { files: Some(counted(&["a"])), ..change(30, "feanil", at("15:00")) });
    let first = asked(&world);
    assert_eq!((first.len(), first[0].as_str(), first[19].as_str()), (20, "edx-platform#25", "edx-platform#6"));
    for _ in 0..20 {
        tell(&mut world, Ok(counted(&["lms/a.py"])));
    }
    assert_eq!(asked(&world).len(), 5, "who was told is asked no more");
    assert_eq!(files(&world, 25).size(), Some(Size { files: 1, added: 2, deleted: 1 }));
    assert!(world.reasons.contains(&"files_told"));
    let elsewhere = |of: &Repository| *of != repository();
    assert!(questions(&world.situation, &world.service, &elsewhere, world.now).is_empty(), "no forge knows these");
}

#[test]
fn a_forge_that_does_not_say_is_asked_again_five_times_in_the_services_own_time() {
    let mut world = World::new();
    world.merge(listing(12, &["lms/a.py"])).settle();
    let mut times = Vec::new();
    for _ in 0..5 {
        assert_eq!(asked(&world), ["edx-platform#12"]);
        tell(&mut world, Err("the forge answered 500".to_owned()));
        assert!(asked(&world).is_empty(), "not at once");
        world.settle();
        if let Some(at) = retry_at(&files(&world, 12)) {
            times.push(at.duration_since(world.now).as_mins());
            assert!(world.situation.clock.value.due_at.is_some_and(|due| due <= at));
            world.now = at;
        }
    }
    assert_eq!(times, [1, 2, 4, 8], "and never again after that");
    world.until(at("Sat 12:00"));
    assert!(asked(&world).is_empty());
    assert_eq!(files(&world, 12).paths, Files::of(["lms/a.py"]).paths, "what the push listed is still known");
    assert_eq!(world.reasons.iter().filter(|reason| **reason == "files_unanswered").count(), 5);
}

#[test]
fn an_overdue_question_that_nobody_asks_does_not_ring_for_ever() {
    let mut world = World::new();
    world.merge(change(12, "feanil", at("12:00"))).settle();
    tell(&mut world, Err("no answer".to_owned()));
    world.until(at("12:30"));
    assert!(world.situation.clock.value.due_at.is_none_or(|due| due > at("13:00")));
}

#[test]
fn a_late_push_replaces_no_counts_and_no_tries() {
    let mut world = World::new();
    world.merge(change(12, "feanil", at("12:00")));
    tell(&mut world, Err("no answer".to_owned()));
    world.merge(listing(12, &["lms/a.py"]));
    assert_eq!(files(&world, 12).paths.len(), 1, "now it is known which");
    assert!(asked(&world).is_empty(), "and still asked again only after a while");
    world.now = at("12:01");
    tell(&mut world, Ok(counted(&["lms/a.py", "lms/b.py"])));
    let told = files(&world, 12);
    world.merge(listing(12, &["lms/a.py"]));
    assert_eq!(files(&world, 12), told);
}

#[test]
fn a_push_keeps_the_files_of_its_other_commits_and_a_pull_request_is_asked_about_as_a_whole() {
    let mut world = World::new();
    let push = |paths: &[&str]| Change { kind: ChangeKind::DirectPush, ..listing(12, paths) };
    world.merge(push(&["lms/a.py", "lms/first.py"]));
    tell(&mut world, Ok(counted(&["lms/a.py"])));
    assert_eq!(files(&world, 12).paths.len(), 2);
    assert_eq!(files(&world, 12).size(), None, "the lines of the other commit are not known");
    world.merge(change(12, "feanil", at("12:00")));
    assert_eq!(asked(&world), ["edx-platform#12"], "it was a pull request");
    tell(&mut world, Ok(counted(&["lms/a.py", "lms/first.py"])));
    assert_eq!(files(&world, 12).size(), Some(Size { files: 2, added: 4, deleted: 2 }));
    assert!(asked(&world).is_empty());
}

#[test]
fn an_answer_about_a_change_that_has_left_is_not_kept() {
    let mut world = World::new();
    world.merge(change(12, "feanil", at("12:00")));
    let question = questions(&world.situation, &world.service, &everywhere, world.now).remove(0);
    world.situation.changes.clear();
    assert!(answered(&question, Ok(counted(&["a"])), &world.situation, world.now).is_quiet());
    assert!(listed(&question.change, &counted(&["a"]), &world.situation).is_quiet());
}

#[test]
fn sizes_are_told_only_where_everything_is_known() {
    let cut = Files::counted((0..200).map(|n| if n % 2 == 0 { ("even", None) } else { ("odd", None) }));
    assert_eq!(cut.size(), None);
    assert_eq!(Files::default().size(), None);
    let huge = Lines { added: u64::MAX, deleted: 1 };
    let files = Files::counted([("a", Some(huge)), ("b", Some(huge))]);
    assert_eq!(files.size(), Some(Size { files: 2, added: u64::MAX, deleted: 2 }));
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many = Files::counted(many.iter().map(|path| (path.as_str(), Some(huge))));
    assert!(many.cut && many.size().is_none() && many.and(&files).cut);
}

#[test]
fn a_forge_that_does_not_say_takes_nothing_back_that_it_told_another_time() {
    let mut world = World::new();
    world.merge(listing(12, &["lms/a.py"])).settle();
    let question = questions(&world.situation, &world.service, &everywhere, world.now).remove(0);
    tell(&mut world, Ok(counted(&["lms/b.py"])));
    let told = files(&world, 12);
    let late = answered(&question, Err("no answer".to_owned()), &world.situation, world.now);
    assert!(late.is_quiet(), "somebody else has asked meanwhile");
    assert_eq!(files(&world, 12), told);
}

#[test]
fn what_a_pull_request_lists_is_all_of_it_and_what_a_push_lists_is_more_of_it() {
    let kept = |kind: ChangeKind, answer: Files| {
        let mut world = World::new();
        world.merge(Change { kind, ..listing(12, &["lms/a.py"]) }).settle();
        tell(&mut world, Ok(answer));
        files(&world, 12).paths.into_iter().collect::<Vec<_>>().join(" ")
    };
    let pull = ChangeKind::PullRequest { number: 12 };
    assert_eq!(kept(pull, counted(&["lms/b.py"])), "lms/b.py");
    assert_eq!(kept(pull, counted(&[])), "lms/a.py", "an answer that lists nothing");
    assert_eq!(kept(ChangeKind::DirectPush, counted(&["lms/b.py"])), "lms/a.py lms/b.py");
}
