//! What the board says of a queue as a whole: what holds it up, how long it is, and what becomes of it.

use aws::House;
use domain::pipelines::Stands;
use domain::queue::{self, thaw};
use domain::text::count;
use domain::wording::queues::age;
use domain::{PersonId, Service, Situation, window};

use crate::hours::Hours;

/// `service` as [`domain::posted::Posted::applied`] has it.
pub(crate) fn lines(house: &House, service: &Service, situation: &Situation, hours: &Hours) -> Vec<String> {
    let now = hours.now;
    let roster = &house.settings().roster;
    let name = |person: &PersonId| roster.name_of(person).to_owned();
    let mut lines = Vec::new();
    let stalled = |r: &domain::ServedRepository| queue::stalled(situation, service, &r.repository, now);
    lines.extend(service.repositories.iter().find_map(stalled).map(|stalled| match stalled {
        queue::Stalled::Paused(pause) => {
            format!("The pipeline is paused since {} by {}: {}.", hours.at(pause.from), name(&pause.by), pause.why)
        }
        queue::Stalled::Frozen(frozen) => {
            format!("Deployments wait until {}, for the freeze {}.", hours.at(frozen.until), frozen.name)
        }
        queue::Stalled::Failing { environment, at, times } => {
            let row = if times > 1 { format!(", {times} times in a row") } else { String::new() };
            format!("The last deployment to {environment} failed {}{row}.", hours.at(at))
        }
    }));
    let at = service.frozen_at(now).map_or(now, |frozen| frozen.until);
    let all = window::windows(situation, service, roster, now);
    let forecast = thaw::forecast(&all, service, roster, at, now);
    if forecast.releases.len() > 1 {
        let releases: Vec<String> = forecast
            .releases
            .iter()
            .map(|release| {
                format!("{} with {}", hours.at(release.at), count(release.labels.len(), "change", "changes"))
            })
            .collect();
        lines.push(format!(
            "{} of {} wait, the oldest since {}: proposed are {} releases, {}.",
            count(forecast.changes(), "change", "changes"),
            count(forecast.people, "person", "people"),
            forecast.oldest.map(age).unwrap_or_default(),
            releases.len(),
            releases.join("; "),
        ));
    }
    lines.extend(situation.pipelines.value.held.iter().map(|(pipeline, held)| match (&held.stands, &held.failed) {
        (_, Some(failed)) => format!("The pipeline {pipeline} does not answer: {}.", failed.why),
        (Stands::Wanted, None) => format!("The pipeline {pipeline} is asked to hold."),
        (Stands::Held, None) => format!("The pipeline {pipeline} holds until {}.", hours.at(held.until)),
        (Stands::Theirs { why }, None) => format!("The pipeline {pipeline} is held by somebody else: {why}."),
        (Stands::Opened, None) => format!("Somebody opened the pipeline {pipeline} by hand."),
    }));
    if let Some(through) = situation.pipelines.value.through.as_ref().filter(|through| now < through.until) {
        let until = hours.at(through.until);
        lines.push(format!("Open for {} until {until}, by {}.", through.label, name(&through.by)));
    }
    lines
}
