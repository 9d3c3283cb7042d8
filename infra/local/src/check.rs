//! `check [config]`: everything that is wrong with a configuration, or a summary of what is right.

use std::path::Path;

use aws::settings::{Configuration, Unreadable};
use domain::text::count;
use domain::times::span;

use crate::catalogue;

/// Reads a configuration; it has problems too where it names a sender that no function knows.
pub fn read(path: &Path) -> Result<Configuration, Unreadable> {
    Configuration::read_knowing(path, Some(&catalogue::names()))
}

/// What a configuration without problems amounts to, in a few lines.
#[must_use]
pub fn summary(configuration: &Configuration) -> String {
    let settings = &configuration.settings;
    let served: Vec<_> = settings.services().filter(|s| !s.repositories.is_empty()).collect();
    let mut lines = vec![format!(
        "{}, {}, {}",
        count(served.len(), "service", "services"),
        count(settings.roster.people().count(), "person", "people"),
        count(configuration.senders.len(), "sender", "senders"),
    )];
    for service in served {
        let repositories: Vec<&str> = service.repositories.iter().map(|r| r.repository.as_str()).collect();
        let rotation: Vec<&str> = service.rotation.iter().map(|p| settings.roster.name_of(p)).collect();
        let mode = if service.mode == domain::Mode::Manual { "; mode manual: nobody is paged" } else { "" };
        let live = service.live_environment().map_or("", |e| e.name.as_str());
        lines.push(format!(
            "  {}: {} go live in {live}; turns last {}, at most {}; rotation: {}{mode}",
            service.id,
            repositories.join(", "),
            span(service.policy.active),
            span(service.policy.at_most),
            rotation.join(", ")
        ));
    }
    lines.join("\n")
}
