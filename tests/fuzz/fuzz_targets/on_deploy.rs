//! Any bytes, through every pipeline's reader, and where what was read runs.
#![no_main]

use aws::keys;
use domain::on_deploy::{self, Place, places};
use domain::situation::Situation;
use domain::times::plausible;
use domain::{DeployEvent, Deployment, DeploymentEvent, Manner};
use house_fuzz::{Target, bytes_of, is_line, is_url, now, settings};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const TARGET: Target<Vec<DeployEvent>> = Target { name: "on_deploy", senders: ::on_deploy::senders::SENDERS, holds };

fuzz_target!(init: TARGET.prepare(), |data: &[u8]| TARGET.run(data));
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    house_fuzz::mutate(data, size, max_size, seed)
});

fn holds(sender: &str, events: &Vec<DeployEvent>) {
    assert!(events.len() <= 200, "{} events of one message", events.len());
    for event in events {
        let DeployEvent::Moved(event) = event else { continue };
        bounded(sender, event);
        placed(event);
        // The same of something that a service deploys.
        let mut served = event.clone();
        served.repository = Some("acme/shop".parse().unwrap());
        placed(&served);
        served.environments.insert(0, "prod".to_owned());
        placed(&served);
    }
}

fn bounded(sender: &str, event: &DeploymentEvent) {
    assert_eq!(event.source, sender);
    is_line("id", &event.id, 400);
    assert!(!event.id.is_empty(), "a deployment without an id");
    assert!(event.names.len() <= 50 && event.environments.len() <= 50, "too many names");
    event.names.iter().chain(&event.environments).for_each(|name| is_line("name", name, 1000));
    if let Manner::Test(suite) = &event.manner {
        is_line("suite", suite, 200);
    }
    is_line("note", event.note.as_deref().unwrap_or(""), 400);
    is_url(event.url.as_deref());
    for at in event.at.iter().chain(&event.created_at) {
        assert!(plausible(*at), "a time that cannot be right: {at}");
    }
    assert!(bytes_of(event) <= 100_000, "a deployment of {} bytes", bytes_of(event));
}

fn placed(event: &DeploymentEvent) {
    let Ok(places) = places(event, settings()) else { return };
    for place in &places {
        decided(event, place);
    }
}

fn decided(event: &DeploymentEvent, place: &Place<'_>) {
    let service = settings().service(place.service).expect("a service of the settings");
    let deployment = Deployment::first(event, place, now());
    let sort = keys::deployment(place.service, &deployment.key).sort;
    assert!(sort.len() <= 1024, "a sort key of {} bytes: DynamoDB takes 1024", sort.len());
    assert!(bytes_of(&deployment) <= 100_000, "a deployment of {} bytes", bytes_of(&deployment));
    let _ = on_deploy::alarm(event, place, service, now());
    let situation = Situation::empty(place.service.clone());
    let _ = on_deploy::decide(event, &situation, service, place, now());
}
