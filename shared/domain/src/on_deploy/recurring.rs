//! Pipelines whose id names what is deployed, not its deployment: the same revision deployed again, or gone back to,
//! has the same id. Then time tells one deployment from the next. What cannot be told: reports of two such deployments
//! that overtake each other; pipelines that give each deployment an id of its own have no such limit.

use jiff::Timestamp;

use super::places::Place;
use crate::deployment::{Deployment, DeploymentEvent, DeploymentState};
use crate::situation::Situation;

/// The id of the deployment that a report belongs to: what the pipeline says, or that with the time at which it was
/// deployed again.
#[must_use]
pub(super) fn id(event: &DeploymentEvent, situation: &Situation, place: &Place<'_>, now: Timestamp) -> String {
    if !event.recurs {
        return event.id.clone();
    }
    let at = event.at.unwrap_or(now);
    let here = || {
        let all = situation.deployments.values().map(|d| &d.value);
        all.filter(|d| d.key.environment == place.environment)
    };
    let of_this = |d: &&Deployment| {
        d.key.source == event.source && base(&d.key.id) == event.id && d.repository == place.repository
    };
    // The run that was under way then; what is told of a time before the first belongs to the first.
    let runs = || here().filter(of_this);
    let then = runs().filter(|d| d.created_at <= at).max_by_key(|d| d.created_at);
    let Some(run) = then.or_else(|| runs().min_by_key(|d| d.created_at)) else { return event.id.clone() };
    let ended = run.succeeded_at.max(run.failed_at);
    let again = match event.state {
        DeploymentState::Started => ended.is_some_and(|ended| ended < at),
        // Told without a start: again only if something else was deployed in between.
        DeploymentState::Succeeded | DeploymentState::Failed | DeploymentState::Aborted => ended.is_some_and(|ended| {
            here().any(|d| base(&d.key.id) != event.id && d.live_since().is_some_and(|live| ended < live && live < at))
        }),
    };
    if again { format!("{}{AGAIN}{}", event.id, at.as_second()) } else { run.key.id.clone() }
}

const AGAIN: char = '~';

fn base(id: &str) -> &str {
    match id.rsplit_once(AGAIN) {
        Some((base, since)) if !since.is_empty() && since.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use crate::DeploymentState::{self, Started, Succeeded};
    use crate::deployment::DeploymentEvent;
    use crate::testing::{World, at, change, deployment};

    fn reports(reports: &[(u64, DeploymentState, &str)]) -> World {
        let mut world = World::new();
        world.now = at("14:00");
        world.merge(change(11, "usama", at("13:00")));
        world.merge(change(12, "feanil", at("13:30")));
        for (number, state, when) in reports {
            world.until(at(when));
            let event = deployment(1, *number, "prod", *state, at(when));
            let id = format!("of-{number}");
            world.deploy(&DeploymentEvent { id, recurs: true, created_at: None, ..event });
        }
        world
    }

    fn check(told: &[(u64, DeploymentState, &str)], ids: &[&str], windows: &str) {
        let world = reports(told);
        let known: Vec<&str> = world.situation.deployments.keys().map(|key| key.id.as_str()).collect();
        assert_eq!(known, ids, "{told:?}");
        assert!(world.windows().contains(windows), "{told:?}: {}", world.windows());
    }

    #[test]
    fn going_back_to_what_was_deployed_before_is_another_deployment() {
        let started =
            [(11, Started, "14:00"), (11, Succeeded, "14:05"), (12, Started, "14:30"), (12, Succeeded, "14:35")];
        check(&started, &["of-11", "of-12"], "edx-platform#12 feanil active until Fri 15:35");
        let back = [&started[..], &[(11, Started, "14:50"), (11, Succeeded, "14:55")]].concat();
        let second = format!("of-11~{}", at("14:50").as_second());
        check(&back, &["of-11", &second, "of-12"], "edx-platform#12 feanil active until Fri 15:05");
        // A pipeline that tells the end only, and every report twice.
        let ends =
            [(11, Succeeded, "14:05"), (12, Succeeded, "14:35"), (11, Succeeded, "14:55"), (11, Succeeded, "14:55")];
        let second = format!("of-11~{}", at("14:55").as_second());
        check(&ends, &["of-11", &second, "of-12"], "edx-platform#12 feanil active until Fri 15:10");
    }

    #[test]
    fn a_repeated_or_late_report_is_of_the_deployment_that_it_was_of() {
        let told = [(11, Started, "14:00"), (11, Succeeded, "14:05"), (11, Succeeded, "14:20"), (11, Started, "14:20")];
        let again = format!("of-11~{}", at("14:20").as_second());
        check(&told, &["of-11", &again], "edx-platform#11 usama active");
        let mut world = reports(&told[..2]);
        let late = deployment(1, 11, "prod", Started, at("14:00"));
        world.now = at("15:00");
        world.deploy(&DeploymentEvent { id: "of-11".into(), recurs: true, created_at: None, ..late });
        assert_eq!(world.situation.deployments.len(), 1);
    }

    #[test]
    fn what_happens_at_the_same_moment_is_no_other_deployment() {
        let one = [(11, Started, "14:00"), (11, Succeeded, "14:05"), (11, Started, "14:05")];
        check(&one, &["of-11"], "edx-platform#11 usama active");
        // Told without a start: what went live as it ended, or as it is told again, was not in between; nor was what was before.
        let ended = [(11, Succeeded, "14:05"), (12, Succeeded, "14:05"), (11, Succeeded, "14:20")];
        check(&ended, &["of-11", "of-12"], "edx-platform#12 feanil active");
        let told = [(11, Succeeded, "14:05"), (12, Succeeded, "14:20"), (11, Succeeded, "14:20")];
        check(&told, &["of-11", "of-12"], "edx-platform#12 feanil active");
        let before = [(12, Succeeded, "14:00"), (11, Succeeded, "14:05"), (11, Succeeded, "14:20")];
        check(&before, &["of-11", "of-12"], "edx-platform#11 usama");
    }

    #[test]
    fn only_a_time_behind_it_is_no_part_of_a_name() {
        assert_eq!(["a", "a~12", "a~b", "a~", "a~b~12", "~12"].map(super::base), ["a", "a", "a~b", "a~", "a~b", ""]);
    }
}
