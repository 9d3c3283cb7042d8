//! Which deployments go live with which change, where several are alike.

use super::*;
use crate::DeploymentState::{Failed, Started, Succeeded};
use crate::ids::Repository;
use crate::testing::{World, at, change, deployment, repository};
use crate::{DeploymentState, Service};

fn deployed(id: u64, number: u64, environment: &str, state: DeploymentState, when: &str) -> Deployment {
    let mut world = World::new();
    world.now = at(when);
    world.deploy(&deployment(id, number, environment, state, at(when)));
    world.situation.deployments.values().next().unwrap().value.clone()
}

fn of(repository: &Repository, deployment: Deployment) -> Deployment {
    Deployment { repository: repository.clone(), ..deployment }
}

#[test]
fn the_newest_live_one_is_of_the_same_environment_and_repository_and_did_not_fail() {
    let other: Repository = "openedx/other".parse().unwrap();
    let first = deployed(1, 11, "prod", Succeeded, "15:10");
    let second = deployed(2, 12, "prod", Succeeded, "15:20");
    let all = [
        first.clone(),
        second.clone(),
        deployed(3, 13, "stage", Succeeded, "15:30"),
        of(&other, deployed(4, 14, "prod", Succeeded, "15:40")),
        deployed(5, 15, "prod", Failed, "15:50"),
    ];
    let live = "production".parse().unwrap();
    let newest = |before: Option<&Deployment>, repository: &Repository| {
        newest_live(all.iter(), &live, before, repository).map(|deployment| deployment.key.id.clone())
    };
    assert_eq!(newest(None, &repository()).as_deref(), Some("2"));
    assert_eq!(newest(Some(&second), &repository()).as_deref(), Some("1"));
    assert_eq!(newest(Some(&first), &repository()), None);
    assert_eq!(newest(None, &other).as_deref(), Some("4"));
}

#[test]
fn a_commit_is_as_old_as_its_change_else_as_is_remembered_else_as_its_first_deployment() {
    let tip = change(12, "feanil", at("12:00"));
    let first = deployed(1, 12, "stage", Succeeded, "15:10");
    let again = deployed(2, 12, "prod", Succeeded, "15:20");
    let other = deployed(3, 13, "stage", Succeeded, "15:00");
    let merged = |changes: &[&Change], deployments: &[&Deployment]| commit_merged_at(&again, changes, deployments);
    assert_eq!(merged(&[&tip], &[&first, &again]), Some(at("12:00")));
    assert_eq!(merged(&[], &[&first, &again, &other]), Some(first.created_at));
    assert_eq!(merged(&[], &[&again, &other]), None, "it is its own first");
    let remembering = Deployment { commit_merged_at: Some(at("12:01")), ..first };
    assert_eq!(merged(&[], &[&remembering, &again]), Some(at("12:01")));
    let elsewhere = of(&"openedx/other".parse().unwrap(), remembering);
    assert_eq!(merged(&[], &[&elsewhere, &again]), None);
}

#[test]
fn a_title_names_a_library_as_a_whole_word_only() {
    for (title, want) in [
        ("chore: bump edx-enterprise to 4.2", true),
        ("edx-enterprise", true),
        ("Bump EDX-Enterprise", true),
        ("bump edx-enterprise-data", false),
        ("bump my-edx-enterprise", false),
        ("bump edx-enterprise_x", false),
        ("bump xedx-enterprise", false),
        ("bump edx-enterprise-data and edx-enterprise", true),
        ("bump something", false),
    ] {
        assert_eq!(names(title, "edx-enterprise"), want, "{title}");
    }
}

/// What a library's change is pinned by, of these.
fn pinned(changes: &[&Change]) -> Option<u64> {
    let upstream = Upstream { repository: "openedx/lib".parse().unwrap(), pin: Pin::Named("lib".into()) };
    let mut library = change(1, "usama", at("12:00"));
    library.id.repository = upstream.repository.clone();
    let release = deployed(2, 13, "prod", Succeeded, "15:20");
    let by = upstream.pinning(&library, &release, changes)?;
    if let crate::ChangeKind::PullRequest { number } = by.kind { Some(number) } else { None }
}

#[test]
fn a_library_goes_live_with_the_first_change_of_the_service_that_names_it_later() {
    let bump = |number, when: &str| Change { title: "bump lib".into(), ..change(number, "anna", at(when)) };
    let early = bump(10, "11:59");
    let same = bump(11, "12:00");
    let late = bump(12, "13:00");
    let mut elsewhere = bump(9, "12:30");
    elsewhere.id.repository = "openedx/other".parse().unwrap();
    let mut revert = bump(8, "12:10");
    revert.reverts = Some(crate::Reverts { of: vec![], lands_again: false });
    let unnamed = change(7, "anna", at("12:20"));
    assert_eq!(pinned(&[&early, &elsewhere, &revert, &unnamed]), None);
    assert_eq!(pinned(&[&late, &early, &elsewhere, &revert, &unnamed]), Some(12));
    assert_eq!(pinned(&[&late, &same]), Some(11));
}

#[test]
fn a_release_of_another_repository_or_environment_takes_nothing_back() {
    let changes = [change(11, "anna", at("12:00")), change(12, "anna", at("13:00"))];
    let changes: Vec<&Change> = changes.iter().collect();
    let release = deployed(1, 12, "prod", Succeeded, "15:10");
    let back = deployed(2, 11, "prod", Started, "15:30");
    let taken = |release: &Deployment| taken_back(&back, &changes, &[release, &back]).len();
    assert_eq!(taken(&release), 1);
    let failed = Deployment { failed_at: Some(at("15:11")), ..deployed(1, 12, "prod", Started, "15:10") };
    assert_eq!(taken(&failed), 0);
    assert_eq!(taken(&deployed(1, 12, "stage", Succeeded, "15:10")), 0);
    assert_eq!(taken(&of(&"openedx/other".parse().unwrap(), release)), 0);
    assert_eq!(taken(&deployed(3, 12, "prod", Succeeded, "15:40")), 0, "it came later");
}

#[test]
fn a_service_serves_the_branch_it_is_told_else_the_default_one() {
    let mut service: Service = crate::testing::service();
    let serves =
        |service: &Service, of: &str, branch: &str, default| service.serves(&of.parse().unwrap(), branch, default);
    let own = repository().to_string();
    assert!(serves(&service, &own, "master", true) && !serves(&service, &own, "topic", false));
    assert!(!serves(&service, "openedx/other", "master", true));
    service.repositories[0].branch = Some("release".into());
    assert!(serves(&service, &own, "release", false) && !serves(&service, &own, "master", true));
    service.upstreams = vec![crate::service::Upstream { repository: "openedx/lib".parse().unwrap(), pin: Pin::Newest }];
    assert!(serves(&service, "openedx/lib", "main", true) && !serves(&service, "openedx/lib", "topic", false));
    assert!(!serves(&service, "openedx/other", "main", true));
}

/// The exposure of #12, merged at 15:00 and live since 15:10, after one more deployment.
fn after(another: &Deployment) -> (bool, usize, usize) {
    let changes =
        [change(11, "olga", at("14:00")), change(12, "feanil", at("15:00")), change(13, "usama", at("15:00"))];
    let changes: Vec<&Change> = changes.iter().collect();
    let first = deployed(1, 12, "prod", Succeeded, "15:10");
    let all = exposures(&changes, &[&first, another], &"production".parse().unwrap(), &[]);
    let exposure = &all[&changes[1].id];
    (exposure.live.is_some(), exposure.rolled_back.len(), exposure.attempts.len())
}

#[test]
fn only_an_older_release_of_its_repository_that_did_not_fail_takes_a_change_back() {
    let older = || deployed(2, 11, "prod", Succeeded, "15:20");
    assert_eq!(after(&older()), (false, 1, 0));
    let failed =
        Deployment { succeeded_at: None, failed_at: Some(at("15:21")), started_at: Some(at("15:20")), ..older() };
    assert_eq!(after(&failed), (true, 0, 0), "it never took the traffic");
    assert_eq!(after(&of(&"openedx/other".parse().unwrap(), older())), (true, 0, 0), "it is of another repository");
    assert_eq!(after(&deployed(2, 12, "prod", Succeeded, "15:20")), (true, 0, 0));
    // The forge says that it carries something else, which was merged at the same moment, or nobody knows when.
    let commits = |number| {
        let commits = [crate::testing::commit(number)].into();
        let carries = Carries::Commits { since: crate::testing::commit(1), commits };
        Deployment { carries, ..deployed(2, number, "prod", Succeeded, "15:20") }
    };
    assert_eq!(after(&commits(13)), (true, 0, 0), "it is no older");
    assert_eq!(after(&commits(99)), (true, 0, 0));
    assert_eq!(after(&commits(11)), (false, 1, 0));
}

#[test]
fn a_release_of_another_repository_brings_nothing_live() {
    let changes = [change(12, "feanil", at("15:00"))];
    let changes: Vec<&Change> = changes.iter().collect();
    let live = |release: &Deployment| {
        exposures(&changes, &[release], &"production".parse().unwrap(), &[])[&changes[0].id].live.is_some()
    };
    let later = deployed(2, 13, "prod", Succeeded, "15:20");
    assert!(live(&later), "by when it was made");
    assert!(!live(&of(&"openedx/other".parse().unwrap(), later)));
}
