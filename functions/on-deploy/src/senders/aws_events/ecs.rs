//! ECS: deployments of services, and the tasks that tell which image a deployment runs.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html>

use aws::given::{list, told};
use aws::{Malformed, Reading};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, Reference, Revision, StandsFor, text};
use serde_json::Value;

use super::{Event, SOURCE, reference, time};

pub(super) fn deployment(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let told = event.need("eventName")?;
    let state = match told.as_str() {
        "SERVICE_DEPLOYMENT_IN_PROGRESS" => DeploymentState::Started,
        "SERVICE_DEPLOYMENT_COMPLETED" => DeploymentState::Succeeded,
        "SERVICE_DEPLOYMENT_FAILED" => DeploymentState::Failed,
        other => return Ok(Reading::ignored(format!("{}: not a state we know", text::line(other, 60)))),
    };
    let resource = event.whole.pointer("/resources/0").and_then(Value::as_str).unwrap_or("");
    let place = resource.split_once(":service/").map_or("", |(_, place)| place);
    // Before 2018 an ARN had no cluster in it.
    let (cluster, service) = place.split_once('/').map_or((None, place), |(cluster, service)| (Some(cluster), service));
    let service = text::line(service, 200);
    if service.is_empty() {
        return Err(Malformed::new("an ECS deployment without the ARN of its service in `resources`"));
    }
    let cluster = cluster.map(|cluster| text::line(cluster, 200));
    let id = event.need("deploymentId")?;
    let page =
        |cluster: &String| event.console(&["ecs", "v2", "clusters", cluster, "services", &service, "deployments"]);
    Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
        recurs: false,
        source: SOURCE.to_owned(),
        repository: None,
        url: cluster.as_ref().and_then(page),
        names: std::iter::once(service.clone()).chain(cluster.as_ref().map(|c| format!("{c}/{service}"))).collect(),
        environments: cluster.into_iter().collect(),
        revision: Revision::Named(reference(&format!("ecs:{id}"))?),
        manner: Manner::Whole,
        state,
        at: time(event.detail, "/updatedAt").or(event.at),
        created_at: None,
        note: event.word("reason").filter(|_| state == DeploymentState::Failed),
        id,
    }))]))
}

/// A task that a deployment started tells which image that deployment runs.
pub(super) fn task(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let Some(deployment) = event.word("startedBy").filter(|by| by.starts_with("ecs-svc/")) else {
        return Ok(Reading::ignored("a task that no deployment of a service started"));
    };
    let containers: Vec<&Value> = list(event.detail, "/containers").take(20).collect();
    // Others stand beside it: proxies, agents, log routers.
    let service = event.word("group").and_then(|group| group.strip_prefix("service:").map(str::to_owned));
    let main = containers.iter().find(|one| service.is_some() && told(one, "/name") == service).or(containers.first());
    let Some(image) = main.and_then(|main| image(main)) else {
        return Ok(Reading::ignored("a task that names no image"));
    };
    let reference = reference(&format!("ecs:{deployment}"))?;
    let told = StandsFor { reference, repository: None, revision: Revision::Named(image) };
    Ok(Reading::Event(vec![DeployEvent::StandsFor(told)]))
}

/// The image by its tag; by its digest where it has no tag that stays.
fn image(container: &Value) -> Option<Reference> {
    let name = told(container, "/image")?;
    let digest = told(container, "/imageDigest").filter(|digest| digest.starts_with("sha256:"));
    let last = name.rsplit('/').next().unwrap_or("");
    let lasting = last.contains('@') || last.split_once(':').is_some_and(|(_, tag)| tag != "latest");
    match digest {
        Some(digest) if !lasting => Reference::image(&format!("{}@{digest}", name.trim_end_matches(":latest"))).ok(),
        _ => Reference::image(&name).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{event, events, moved};
    use super::*;
    use serde_json::json;

    fn deployed(name: &str, resource: &str) -> Value {
        let detail = json!({
            "eventType": "INFO", "eventName": name, "deploymentId": "ecs-svc/123", "updatedAt": "2026-03-20T10:04:58Z",
            "reason": "tasks failed to start",
        });
        event("ECS Deployment State Change", &[resource], &detail)
    }

    #[test]
    fn a_deployment_of_a_service_is_named_by_its_arn() {
        let (new, old) = ("arn:aws:ecs:eu-west-1:1:service/prod/edxapp", "arn:aws:ecs:eu-west-1:1:service/edxapp");
        for (name, arn, state, environments) in [
            ("SERVICE_DEPLOYMENT_IN_PROGRESS", new, DeploymentState::Started, vec!["prod".to_owned()]),
            ("SERVICE_DEPLOYMENT_COMPLETED", new, DeploymentState::Succeeded, vec!["prod".to_owned()]),
            ("SERVICE_DEPLOYMENT_FAILED", old, DeploymentState::Failed, vec![]),
        ] {
            let event = moved(&deployed(name, arn)).unwrap();
            assert_eq!((event.state, event.environments), (state, environments));
            assert_eq!((event.id.as_str(), event.names[0].as_str()), ("ecs-svc/123", "edxapp"));
            assert_eq!(event.revision, Revision::Named("ecs:ecs-svc/123".parse().unwrap()));
            assert_eq!(event.at, Some("2026-03-20T10:04:58Z".parse().unwrap()));
            assert_eq!(event.note.is_some(), state == DeploymentState::Failed);
        }
        assert!(moved(&deployed("SERVICE_DEPLOYMENT_COMPLETED", "")).unwrap_err().starts_with("malformed"));
        assert_eq!(moved(&deployed("SERVICE_STEADY", new)).unwrap_err(), "SERVICE_STEADY: not a state we know");
    }

    #[test]
    fn a_task_tells_which_image_its_deployment_runs() {
        let task = |by: &str, containers: Value| {
            let detail = json!({ "startedBy": by, "group": "service:edxapp", "lastStatus": "RUNNING", "containers": containers });
            event("ECS Task State Change", &[], &detail)
        };
        let proxy = json!({ "name": "envoy", "image": "envoy:1.30" });
        let app = |image: &str| json!({ "name": "edxapp", "image": image, "imageDigest": "sha256:aa" });
        for (containers, want) in [
            (
                json!([proxy, app("1.dkr.ecr.eu-west-1.amazonaws.com/lms:2.1")]),
                "image:1.dkr.ecr.eu-west-1.amazonaws.com/lms:2.1",
            ),
            (json!([app("localhost:5000/lms:latest")]), "image:localhost:5000/lms@sha256:aa"),
            (json!([app("localhost:5000/lms")]), "image:localhost:5000/lms@sha256:aa"),
            (json!([app("lms@sha256:bb")]), "image:lms@sha256:bb"),
            (json!([{ "name": "web", "image": "lms:latest" }]), "image:lms:latest"),
        ] {
            let told = events(&task("ecs-svc/123", containers)).unwrap();
            let [DeployEvent::StandsFor(told)] = told.as_slice() else { panic!("{told:?}") };
            assert_eq!(told.reference.as_str(), "ecs:ecs-svc/123");
            assert_eq!(told.revision, Revision::Named(want.parse().unwrap()));
        }
        for (task, want) in [
            (task("somebody", json!([])), "a task that no deployment of a service started"),
            (task("ecs-svc/1", json!([{ "name": "edxapp" }])), "a task that names no image"),
        ] {
            assert_eq!(events(&task).unwrap_err(), want);
        }
    }
}
