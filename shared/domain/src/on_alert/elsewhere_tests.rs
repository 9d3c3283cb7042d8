//! What one message breaks in several services that share a repository.

use super::*;
use crate::settings::Settings;
use crate::testing::{World, alert, at};
use crate::{Mode, Severity};

/// Three services: two of one repository, one of another.
fn three() -> (World, Vec<Service>) {
    let mut world = World::new();
    let service = |id: &str| Service { id: id.parse().unwrap(), ..world.service.clone() };
    let mut apart = service("apart");
    apart.repositories[0].repository = "openedx/other".parse().unwrap();
    let services = vec![apart, service("cms"), service("lms")];
    let unmapped = world.settings.service(&"unmapped".parse().unwrap()).unwrap().clone();
    world.settings = Settings::new(services.clone(), world.settings.roster.clone(), unmapped, String::new());
    world.now = at("12:00");
    (world, services)
}

fn looked(world: &World, services: &[&Service], alerts: &[Alert]) -> Together {
    let mut together = Together::default();
    for service in services {
        let place = Place { service: service.id.clone(), environment: "production".parse().unwrap() };
        let situation = Situation::empty(service.id.clone());
        together.look(alerts, &place, &situation, service, &world.settings, world.now);
    }
    together
}

fn of(together: &Together) -> Vec<&str> {
    together.services().map(ServiceId::as_str).collect()
}

#[test]
fn only_where_somebody_is_paged_it_may_speak_for_another() {
    let (world, services) = three();
    let fires = alert("HighErrorRate", at("12:00"), None);
    let all: Vec<&Service> = services.iter().collect();
    assert_eq!(of(&looked(&world, &all, std::slice::from_ref(&fires))), ["apart", "cms", "lms"]);
    assert_eq!(of(&looked(&world, &all[1..2], std::slice::from_ref(&fires))), ["cms"]);
    let info = Alert { severity: Severity::Info, ..fires.clone() };
    assert!(of(&looked(&world, &all, &[info])).is_empty(), "nobody is paged for that");
    let over = Alert { ended_at: Some(at("12:00")), ..alert("HighErrorRate", at("11:00"), Some(at("12:00"))) };
    assert!(of(&looked(&world, &all, &[over])).is_empty());
    let quiet = Service { mode: Mode::Manual, ..services[1].clone() };
    assert!(of(&looked(&world, &[&quiet], &[fires])).is_empty());
}

#[test]
fn beside_a_service_is_what_breaks_in_those_of_its_repositories_now_or_is_open_there() {
    let (world, services) = three();
    let fires = [alert("HighErrorRate", at("12:00"), None)];
    let all: Vec<&Service> = services.iter().collect();
    let together = looked(&world, &all, &fires);
    let none = |_: &ServiceId| None;
    let beside = |service: &Service, found: &Together, situation: &Situation| {
        let found = found.beside(service, &world.settings, |id| (*id == situation.service).then_some(situation));
        found.into_iter().map(|one| format!("{} {}", one.incident.service, one.now)).collect::<Vec<_>>()
    };
    let nothing = Situation::empty("cms".parse().unwrap());
    assert_eq!(beside(&services[2], &together, &nothing), ["cms true"]);
    assert_eq!(beside(&services[1], &together, &nothing), ["lms true"]);
    assert!(beside(&services[0], &together, &nothing).is_empty(), "it shares nothing");
    assert!(Together::default().beside(&services[2], &world.settings, none).is_empty());
    // An incident of before, as long as it is open.
    let place = Place { service: services[1].id.clone(), environment: "production".parse().unwrap() };
    let (decisions, _) = decide(&fires, &place, &nothing, &services[1], &world.settings, &[], world.now);
    let mut there = nothing.clone();
    there.apply(&decisions, world.now);
    assert_eq!(incidents(&decisions).count(), 1);
    assert_eq!(beside(&services[2], &Together::default(), &there), ["cms false"]);
    there.incidents.values_mut().for_each(|known| known.value.resolved_at = Some(at("12:00")));
    assert!(beside(&services[2], &Together::default(), &there).is_empty());
}
