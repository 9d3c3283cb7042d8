//! Which service, environment, repository and commit a pipeline's report is about. Pipelines name things in their own
//! way; in this order a report is understood:
//!
//! | what it says | what is taken |
//! | --- | --- |
//! | a name that an environment is `deployed_as` | that environment of that service |
//! | a repository that services deploy | those services |
//! | a name such as `edxapp`, `edxapp-prod`, `prod/edxapp` | the service of that name |
//!
//! and the environment by what the report calls it, else by the rest of the name; of a service that is named and has one
//! environment only, that. A commit of a repository that the service does not deploy (a configuration repository) says nothing
//! about the service's own commits.

use crate::deployment::{DeploymentEvent, Manner, Revision};
use crate::ids::{Commit, EnvironmentName, Reference, Repository, ServiceId};
use crate::reason::Reason;
use crate::service::{Environment, Service};
use crate::settings::Settings;

/// What a report is about, in one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    pub service: &'a ServiceId,
    pub environment: EnvironmentName,
    pub repository: Repository,
    pub commit: Option<Commit>,
    pub reference: Option<Reference>,
}

/// Every place a report is about, or why there is none.
pub fn places<'a>(event: &DeploymentEvent, settings: &'a Settings) -> Result<Vec<Place<'a>>, Reason> {
    let bound: Vec<(&Service, EnvironmentName)> = settings
        .services()
        .flat_map(|service| service.environments.iter().map(move |environment| (service, environment)))
        .filter(|(_, environment)| environment.is_deployed_as(&event.names))
        .map(|(service, environment)| (service, environment.name.clone()))
        .collect();
    let found = if bound.is_empty() { by_name(event, settings)? } else { bound };
    let found: Vec<Place<'a>> =
        found.into_iter().filter_map(|(service, environment)| place(event, service, environment)).collect();
    if found.is_empty() { Err(Reason::RepositoryNotServed) } else { Ok(found) }
}

/// Where nothing is bound by `deployed_as`: by repository, else by the service's name.
fn by_name<'a>(event: &DeploymentEvent, settings: &'a Settings) -> Result<Vec<(&'a Service, EnvironmentName)>, Reason> {
    let deploys = |service: &&Service| event.repository.as_ref().is_some_and(|repository| service.deploys(repository));
    let of_repository: Vec<&Service> = settings.services().filter(deploys).collect();
    let called = called(event, settings);
    // Of several services of one repository those that are named.
    let both: Vec<&Service> = of_repository.iter().copied().filter(|s| called.iter().any(|c| c.id == s.id)).collect();
    let services = [both, of_repository, called].into_iter().find(|found| !found.is_empty()).unwrap_or_default();
    if services.is_empty() {
        let told = event.repository.is_some() || event.names.is_empty();
        return Err(if told { Reason::RepositoryNotServed } else { Reason::DeploymentUnplaced });
    }
    let mut found = Vec::new();
    for service in services {
        match (&event.manner, environment(event, service)) {
            (_, Some(environment)) => found.push((service, environment.name.clone())),
            (Manner::Test(_), None) => found.push((service, EnvironmentName::live())),
            (Manner::Whole | Manner::Progressive, None) => {}
        }
    }
    if found.is_empty() { Err(Reason::EnvironmentUnknown) } else { Ok(found) }
}

/// The services that the most telling name names which names any.
fn called<'a>(event: &DeploymentEvent, settings: &'a Settings) -> Vec<&'a Service> {
    for name in &event.names {
        let mut services: Vec<&Service> = settings.services().filter(|s| rest_of(name, s).is_some()).collect();
        // `edxapp-worker` is that service, if there is one, rather than `edxapp`.
        let longest = services.iter().map(|service| service.id.as_str().len()).max();
        services.retain(|service| Some(service.id.as_str().len()) == longest);
        if !services.is_empty() {
            return services;
        }
    }
    Vec::new()
}

fn environment<'a>(event: &DeploymentEvent, service: &'a Service) -> Option<&'a Environment> {
    let rest = rest_of_name(event, service).filter(|rest| !rest.is_empty());
    let hints = || event.environments.iter().map(String::as_str).chain(rest.as_deref());
    let whole = hints().find_map(|hint| service.environment_called(hint));
    // `edxapp-prod` as the name of a namespace or stage: the part that is an environment's name.
    let part = || {
        let parts = hints().flat_map(|hint| hint.split(|c: char| !c.is_alphanumeric()));
        parts.filter(|part| !part.is_empty()).find_map(|part| service.environment_called(part))
    };
    // A repository alone says too little: most of what runs for it deploys nothing.
    let only = || match service.environments.as_slice() {
        [only] if rest.is_none() && hints().next().is_none() => rest_of_name(event, service).map(|_| only),
        _ => None,
    };
    whole.or_else(part).or_else(only)
}

fn rest_of_name(event: &DeploymentEvent, service: &Service) -> Option<String> {
    event.names.iter().find_map(|name| rest_of(name, service))
}

/// What is left of a name that begins or ends with the service's own: nothing of `edxapp`, `prod` of `edxapp-prod`.
/// `None`: the name is not the service's.
fn rest_of(name: &str, service: &Service) -> Option<String> {
    let (id, name) = (service.id.as_str(), name.to_lowercase());
    let separated = |c: char| !c.is_alphanumeric();
    if name == id {
        return Some(String::new());
    }
    let after = name.strip_prefix(id).filter(|rest| rest.starts_with(separated));
    let before = name.strip_suffix(id).filter(|rest| rest.ends_with(separated));
    let rest = after.or(before)?.trim_matches(separated).to_owned();
    let known = service.environment_called(&rest).is_some();
    // A namespace may be called anything; what else stands beside the service's name may not: `legacy-api` is not `api`.
    (known || before.is_some_and(|before| before.ends_with('/'))).then_some(rest)
}

fn place<'a>(event: &DeploymentEvent, service: &'a Service, environment: EnvironmentName) -> Option<Place<'a>> {
    let own = event.repository.as_ref().filter(|repository| service.deploys(repository));
    let foreign = event.repository.is_some() && own.is_none();
    let repository = own.or_else(|| service.repositories.first().map(|r| &r.repository))?.clone();
    let (commit, reference) = match &event.revision {
        Revision::Commit(commit) => (Some(commit.clone()).filter(|_| !foreign), None),
        Revision::Named(reference) => (None, Some(reference.clone())),
        Revision::Untold => (None, None),
    };
    let environment = match &event.manner {
        Manner::Test(suite) => EnvironmentName::about(&format!("tests-{suite}")),
        Manner::Whole | Manner::Progressive => environment,
    };
    Some(Place { service: &service.id, environment, repository, commit, reference })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// `service environment commit`, or the reason why not, of a report with these names, hints and repository.
    fn check(names: &[&str], environments: &[&str], repository: Option<&str>) -> String {
        let mut world = testing::World::new();
        world.change_service(|service| {
            service.environments[0].deployed_as = vec!["Jenkins/release-edxapp*".into(), "argocd-eu/*/live".into()];
        });
        let event = DeploymentEvent {
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            environments: environments.iter().map(|n| (*n).to_owned()).collect(),
            repository: repository.map(|r| r.parse().unwrap()),
            ..testing::deployment(1, 1, "", crate::DeploymentState::Started, testing::at("12:00"))
        };
        match places(&event, &world.settings) {
            Ok(found) => {
                let line = |p: &Place<'_>| {
                    let commit = p.commit.as_ref().map_or("no commit", |_| "its commit");
                    format!("{} {} {} {commit}", p.service, p.environment, p.repository.short())
                };
                found.iter().map(line).collect::<Vec<_>>().join("; ")
            }
            Err(reason) => reason.name().to_owned(),
        }
    }

    #[test]
    fn a_report_is_placed_by_what_its_pipeline_calls_things() {
        let ours = Some("openedx/edx-platform");
        let live = "edxapp production edx-platform its commit";
        for (names, environments, repository, want) in [
            // By repository, and by what the environment is called.
            (&[][..], &["prod"][..], ours, live),
            (&[], &["PROD"], ours, live),
            (&[], &["edxapp-prod"], ours, live),
            (&[], &["qa"], ours, "environment_unknown"),
            (&[], &[], ours, "environment_unknown"),
            (&[], &["prod"], Some("someone/else"), "repository_not_served"),
            // By name.
            (&["edxapp"], &["prod"], None, live),
            (&["EdxApp-Prod"], &[], None, live),
            (&["prod/edxapp"], &[], None, live),
            (&["k8s-prod/edxapp"], &[], None, live),
            (&["edxapp-worker"], &["prod"], None, "deployment_unplaced"),
            (&["prod/legacy-edxapp"], &["prod"], None, "deployment_unplaced"),
            (&["worker"], &["prod"], None, "deployment_unplaced"),
            (&["worker"], &["prod"], Some("someone/else"), "repository_not_served"),
            (&[], &["prod"], None, "repository_not_served"),
            (&["edxapp"], &["nowhere"], None, "environment_unknown"),
            // By what the configuration says, before everything else.
            (&["jenkins/release-edxapp-7"], &["stage"], None, live),
            (&["argocd-eu/anything/live"], &[], Some("openedx/edx-platform"), live),
            // A configuration repository's commit is not the service's.
            (&["edxapp"], &["prod"], Some("openedx/gitops"), "edxapp production edx-platform no commit"),
        ] {
            assert_eq!(check(names, environments, repository), want, "{names:?} {environments:?} {repository:?}");
        }
    }

    #[test]
    fn where_a_service_has_one_environment_its_name_alone_means_that_one() {
        let of = |names: &[&str], hints: &[&str], repository: Option<&str>| {
            let mut world = testing::World::new();
            world.change_service(|service| service.environments.truncate(1));
            let owned = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let event = DeploymentEvent {
                names: owned(names),
                environments: owned(hints),
                repository: repository.map(|r| r.parse().unwrap()),
                ..testing::deployment(1, 1, "", crate::DeploymentState::Started, testing::at("12:00"))
            };
            let places = places(&event, &world.settings);
            places.map_or_else(|reason| reason.name().to_owned(), |found| found[0].environment.to_string())
        };
        let ours = Some("openedx/edx-platform");
        assert_eq!(of(&["edxapp"], &[], None), "production");
        assert_eq!(of(&["edxapp"], &[], ours), "production");
        assert_eq!(of(&["edxapp"], &["nowhere"], None), "environment_unknown");
        assert_eq!(of(&["nowhere/edxapp"], &[], None), "environment_unknown");
        assert_eq!(of(&[], &[], ours), "environment_unknown", "most of what runs for a repository deploys nothing");
    }

    #[test]
    fn of_several_services_of_a_repository_those_that_are_named_are_meant() {
        let of = |names: &[&str]| {
            let world = testing::World::new();
            let worker = Service { id: "worker".parse().unwrap(), ..world.service.clone() };
            let other = Service { id: "other".parse().unwrap(), repositories: vec![], ..world.service.clone() };
            let unmapped = world.settings.service(&"unmapped".parse().unwrap()).unwrap().clone();
            let all = [world.service.clone(), worker, other];
            let settings = Settings::new(all, world.settings.roster.clone(), unmapped, String::new());
            let event = DeploymentEvent {
                names: names.iter().map(|name| (*name).to_owned()).collect(),
                ..testing::deployment(1, 1, "prod", crate::DeploymentState::Started, testing::at("12:00"))
            };
            let found = places(&event, &settings).unwrap();
            found.iter().map(|place| place.service.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            (of(&[]).as_str(), of(&["worker"]).as_str(), of(&["edxapp"]).as_str()),
            ("edxapp worker", "worker", "edxapp")
        );
        assert_eq!(of(&["other"]), "edxapp worker", "that one is not of the repository");
    }
}
