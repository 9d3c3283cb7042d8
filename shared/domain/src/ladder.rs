//! The ladder of one incident as somebody reads it: who was paged in this round, who is next and when, who is not and why.
//! Nothing is decided here: that is [`crate::escalation`]'s.

use jiff::Timestamp;

use crate::escalation::{Call, MOST_FIRST_RESPONDERS};
use crate::ids::PersonId;
use crate::incident::{Incident, PageRecord};
use crate::message::Step;
use crate::reason::Reason;
use crate::responder::{Responder, on_override};
use crate::service::Service;
use crate::shift::Shift;
use crate::situation::Situation;

/// Whom an incident of a service can reach just now.
#[derive(Debug, Clone)]
pub struct Reach {
    pager: Option<Responder>,
    rotation: Vec<PersonId>,
}

impl Reach {
    #[must_use]
    pub fn of(situation: &Situation, service: &Service, now: Timestamp) -> Self {
        let shifts: Vec<&Shift> = situation.shifts.values().map(|s| &s.value).collect();
        Self { pager: on_override(&shifts, now), rotation: situation.paging.value.rotation(service, now) }
    }

    #[must_use]
    pub fn call<'a>(&'a self, incident: &'a Incident, service: &'a Service) -> Call<'a> {
        Call { incident, pager: self.pager.as_ref(), service, rotation: &self.rotation }
    }
}

/// Where somebody on the ladder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    Paged(&'a PageRecord),
    /// Paged at that time, unless somebody acknowledges before.
    Next,
    Later,
    /// Somebody has taken it.
    Stopped,
    /// Nobody is paged just now.
    Held,
}

/// One line of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    pub at: Timestamp,
    pub person: PersonId,
    pub step: Step,
    pub reason: Reason,
    pub standing: Standing<'a>,
}

/// The ladder of the present round, in order of time. Of what is over, only who was paged.
#[must_use]
pub fn rows<'a>(call: &Call<'a>, now: Timestamp) -> Vec<Row<'a>> {
    let incident = call.incident;
    let paged = incident.pages.iter().filter(|page| page.round == incident.round);
    let mut rows: Vec<Row<'a>> = paged
        .map(|page| {
            let (person, reason) = (page.person.clone(), page.reason.clone());
            Row { at: page.at, person, step: page.step, reason, standing: Standing::Paged(page) }
        })
        .collect();
    let suspects = |step: Step| matches!(step, Step::FirstResponder | Step::NextResponder);
    let mut room = MOST_FIRST_RESPONDERS.saturating_sub(rows.iter().filter(|row| suspects(row.step)).count());
    let mut next = Standing::Next;
    for rung in call.ladder().into_iter().filter(|_| incident.is_open()) {
        if incident.was_paged_this_round(&rung.person) || (suspects(rung.step) && room == 0) {
            continue;
        }
        room -= usize::from(suspects(rung.step));
        let standing = match (incident.held.is_some(), incident.taken(&call.service.policy, now).is_some()) {
            (true, _) => Standing::Held,
            (false, true) => Standing::Stopped,
            (false, false) => std::mem::replace(&mut next, Standing::Later),
        };
        rows.push(Row { at: rung.at, person: rung.person, step: rung.step, reason: rung.reason, standing });
    }
    rows.sort_by_key(|row| row.at);
    rows
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::DeploymentState::Succeeded;
    use crate::testing::{World, alert, at, change, deployment};

    fn world() -> World {
        let mut world = World::new();
        world.now = at("15:00");
        for (number, who) in [(12, "feanil"), (13, "usama")] {
            world.merge(change(number, who, at("15:00")));
        }
        world.deploy(&deployment(1, 13, "prod", Succeeded, at("15:40")));
        world.until(at("15:50"));
        world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
        world.settle();
        world
    }

    fn check(world: &World, want: Expect) {
        let reach = Reach::of(&world.situation, &world.service, world.now);
        let incident = &world.situation.incidents.values().next().unwrap().value;
        let line = |row: &Row<'_>| {
            let standing = match row.standing {
                Standing::Paged(page) => format!("Paged, again {}", page.again),
                Standing::Next | Standing::Later | Standing::Stopped | Standing::Held => format!("{:?}", row.standing),
            };
            format!("{} {} {}: {standing}\n", row.at.strftime("%H:%M"), row.person, row.step.word())
        };
        let rows = rows(&reach.call(incident, &world.service), world.now);
        want.assert_eq(&rows.iter().map(line).collect::<String>());
    }

    #[test]
    fn it_says_who_was_paged_and_who_is_next_until_somebody_takes_it() {
        let mut world = world();
        check(
            &world,
            expect![[r#"
                15:50 usama first-responder: Paged, again 0
                15:53 feanil next-responder: Next
                15:54 anna rotation: Later
                16:04 olga owner: Later
            "#]],
        );
        world.until(at("16:01"));
        check(
            &world,
            expect![[r#"
                15:50 usama first-responder: Paged, again 1
                15:53 feanil next-responder: Paged, again 0
                15:54 anna rotation: Paged, again 0
                16:04 olga owner: Next
            "#]],
        );
        world.acknowledge("anna").unwrap();
        check(
            &world,
            expect![[r#"
                15:50 usama first-responder: Paged, again 1
                15:53 feanil next-responder: Paged, again 0
                15:54 anna rotation: Paged, again 0
                16:04 olga owner: Stopped
            "#]],
        );
    }

    #[test]
    fn it_names_three_for_their_changes_at_most_with_those_who_were_paged() {
        let mut world = world();
        let incident = &mut world.situation.incidents.values_mut().next().unwrap().value;
        // Two others were paged for what is no suspect any more.
        let page = |person: &str| PageRecord { person: person.parse().unwrap(), ..incident.pages[0].clone() };
        incident.pages = vec![page("one"), page("two")];
        check(
            &world,
            expect![[r#"
                15:50 one first-responder: Paged, again 0
                15:50 two first-responder: Paged, again 0
                15:50 usama first-responder: Next
                15:54 anna rotation: Later
                16:04 olga owner: Later
            "#]],
        );
    }

    #[test]
    fn who_said_not_mine_stays_as_paged_and_what_is_over_has_no_next() {
        let mut world = world();
        world.does("usama", |counter| counter.not_mine(None)).unwrap();
        check(
            &world,
            expect![[r#"
                15:50 usama first-responder: Paged, again 0
                15:50 feanil first-responder: Paged, again 0
                15:54 anna rotation: Next
                16:04 olga owner: Later
            "#]],
        );
        world.until(at("15:52"));
        world.alert(&[alert("HighErrorRate", at("15:50"), Some(at("15:52")))]);
        check(
            &world,
            expect![[r#"
                15:50 usama first-responder: Paged, again 0
                15:50 feanil first-responder: Paged, again 0
            "#]],
        );
    }
}
