//! What the settings know of services and their desks, and what each addition leaves as it was.

use super::*;
use crate::service::{Pin, Upstream};
use crate::testing::{at, repository, service};

fn another(id: &str, repository: &str) -> Service {
    let mut other = Service { id: id.parse().unwrap(), ..service() };
    other.repositories[0].repository = repository.parse().unwrap();
    other
}

fn settings() -> Settings {
    let mut shop = another("shop", "openedx/shop");
    shop.upstreams = vec![Upstream { repository: repository(), pin: Pin::Newest }];
    let services = [service(), shop, another("blog", "openedx/blog")];
    let unmapped = another("unmapped", "openedx/none");
    Settings::new(services, crate::testing::settings().roster, unmapped, "https://deployers.example.com".into())
}

#[test]
fn a_desk_is_no_service_that_people_could_take() {
    let settings = settings();
    let is_desk = |id: &str| settings.is_desk(&id.parse().unwrap());
    assert!(settings.is_desk(&settings.freeze_desk().id));
    let desks: Vec<_> =
        settings.merge_desks().map(|(desk, repository)| (desk.id.clone(), repository.clone())).collect();
    assert!(desks.iter().any(|(_, of)| *of == repository()));
    for (desk, of) in &desks {
        assert!(settings.is_desk(desk) && settings.merges_at(desk) == Some(of));
    }
    assert!(!is_desk("edxapp") && !is_desk("unmapped") && !is_desk("nowhere"));
}

#[test]
fn services_share_what_is_built_of_the_same_repository() {
    let settings = settings();
    let sharing = |id: &str| -> Vec<&str> {
        let service = settings.service(&id.parse().unwrap()).unwrap();
        settings.sharing(service).map(|other| other.id.as_str()).collect()
    };
    assert_eq!(sharing("edxapp"), ["shop"]);
    assert_eq!(sharing("shop"), ["edxapp"]);
    assert_eq!(sharing("blog"), [""; 0]);
}

#[test]
fn what_is_added_stays() {
    let labels = Labels { service: vec!["team".into()], ..Labels::default() };
    let lane = Lane { may: ["anna".parse().unwrap()].into(), ..Lane::default() };
    let settings =
        settings().with_labels(labels.clone()).with_lane(lane.clone()).with_pipelines(["argo".into()].into(), true);
    assert_eq!((&settings.labels, &settings.lane), (&labels, &lane));
    assert!(settings.pipelines.contains("argo") && settings.answers_jobs);
    let alone = settings.alone(|service| service.runbook = None);
    assert!(!alone.answers_jobs && alone.pipelines.contains("argo"));
    assert_eq!(alone.merge_desks().count(), 0);
    assert!(alone.services().all(|service| service.runbook.is_none()));
}

#[test]
fn only_a_freeze_that_requires_it_holds_deployments() {
    use crate::freeze::{Scope, Stops};
    let time = || Time { from: at("12:00"), until: at("18:00"), name: "sale".to_owned() };
    let frozen = |deployments: Option<Strength>| {
        let freeze = Freeze {
            id: "sale".parse().unwrap(),
            stops: Stops { deployments, merges: Some(Strength::Require) },
            rotation_signs: false,
            scope: Scope::default(),
            zone: jiff::tz::TimeZone::UTC,
            times: vec![time()],
            feed: None,
        };
        let settings = settings().with_freezes(vec![freeze]);
        settings.service(&"edxapp".parse().unwrap()).unwrap().frozen_at(at("13:00")).is_some()
    };
    let all = [Some(Strength::Require), Some(Strength::Advise), None].map(frozen);
    assert_eq!(all, [true, false, false]);
}
