//! What monitors and pagers tell us of people: who has taken an alert there, and what became of our own pages, which are
//! no alerts, but answers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::AlertEvent;
use crate::acknowledgement::{self, Acknowledgement, Acknowledger};
use crate::alert::{AcknowledgedThere, Alert, AlertState};
use crate::decision::{Decisions, Record, Wake};
use crate::ids::PersonId;
use crate::incident::{Incident, PageRecord};
use crate::message::{OwnPage, Subject, own_page};
use crate::outcome::NotMine;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::signals::Signal;
use crate::situation::Situation;
use crate::text;
use crate::wording;

/// How much of a stranger's name is kept, in characters.
const MOST_NAME: usize = 60;
/// So many acknowledgements of one moment are looked at, the newest.
const MOST_TAKEN_OVER: usize = 10;
/// Under which labels pagers tell by what they know an alert.
const OWN_LABELS: [&str; 3] = ["incident_key", "alias", "dedup_key"];

impl AlertEvent {
    /// Takes out the pages of ours that a pager tells us of: they are answers to us, not alerts.
    #[must_use]
    pub fn without_own_pages(mut self) -> (Self, Vec<(OwnPage, Alert)>) {
        let named = |alert: &Alert| OWN_LABELS.iter().find_map(|label| own_page(alert.labels.get(*label)?));
        let (own, alerts) = self.alerts.into_iter().partition::<Vec<Alert>, _>(|alert| named(alert).is_some());
        self.alerts = alerts;
        (self, own.into_iter().filter_map(|alert| Some((named(&alert)?, alert))).collect())
    }
}

/// A pager tells us what became of a page of ours. Whoever took it there has taken the incident: in the round that the
/// page is of, and unless it is a page of somebody who said that it is not theirs and quiets their own telephone. That it
/// is closed there says nothing: we close it ourselves, and what is wrong its monitor knows. Nor does what another
/// installation of ours pages by the same pager, which neither is an alert: each would keep the other's open.
#[must_use]
pub fn answered(
    page: &OwnPage,
    answer: &Alert,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> (Decisions, Reason) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let known = situation.incidents.get(&page.incident);
    let Some(known) = known.filter(|known| known.value.is_open() && known.value.round == page.round) else {
        return (decisions, Reason::OurOwnPage);
    };
    let mut incident = known.value.clone();
    let owner = incident.pages.iter().map(|p| &p.person).find(|person| person.as_str() == page.person).cloned();
    let reason = match (answer.state, answer.released_at) {
        (AlertState::Acknowledged, _) => {
            taken_at_page(&mut decisions, &mut incident, owner, answer, service, settings, now)
        }
        (AlertState::Firing, Some(released)) => {
            let given_back =
                |a: &Acknowledgement| a.at_page.is_some() && a.at_page == owner && a.there <= Some(released);
            give_back(&mut decisions, &mut incident, given_back, now);
            let page = incident.pages.iter_mut().find(|p| Some(&p.person) == owner.as_ref() && p.round == page.round);
            if let Some(page) = page {
                page.released_at = page.released_at.max(Some(released));
            }
            if incident.round != known.value.round { Reason::GivenBackThere } else { Reason::OurOwnPage }
        }
        (AlertState::Firing | AlertState::Resolved, _) => Reason::OurOwnPage,
    };
    if incident != known.value {
        decisions.put(Record::Incident(incident), known.rev);
    }
    (decisions, reason)
}

/// `owner`: whose page it is.
fn taken_at_page(
    decisions: &mut Decisions,
    incident: &mut Incident,
    owner: Option<PersonId>,
    answer: &Alert,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) -> Reason {
    // Who acknowledges it for the others is us.
    if incident.taken(&service.policy, now).is_some() {
        return Reason::AlreadyKnown;
    }
    let person = answer.acknowledged.as_ref().and_then(|there| settings.roster.by_account(there.login.as_ref()?));
    let theirs = person.map(|person| &person.id).or(owner.as_ref());
    if let Some(own) = theirs.filter(|theirs| Some(*theirs) == owner.as_ref()) {
        let paged = incident.page_of_now(own).map(PageRecord::last_at);
        if incident.not_mine.iter().any(|said| said.person == *own && paged.is_none_or(|paged| said.at >= paged)) {
            return Reason::NotMine { person: own.clone() };
        }
    }
    // The news of its taking may come after that of its giving back.
    let there = answer.acknowledged.as_ref().map_or(now, |there| there.at);
    let page = owner.as_ref().and_then(|owner| incident.page_of_now(owner));
    if page.is_some_and(|page| page.released_at.is_some_and(|released| there <= released)) {
        return Reason::OurOwnPage;
    }
    let stranger = || {
        let name = answer.acknowledged.as_ref().map_or("somebody", |there| there.name.as_str());
        Acknowledger::Stranger(text::line(&format!("{name} in {}", answer.source), MOST_NAME))
    };
    let by = person.map_or_else(stranger, |person| Acknowledger::Person(person.id.clone()));
    let acknowledgement = Acknowledgement { by, at: now, there: Some(there), at_page: owner };
    let reason = acknowledgement.reason();
    acknowledgement::acknowledge(decisions, incident, acknowledgement, service, settings, now);
    reason
}

/// Takes out the acknowledgements that were given back where they were made. Was there no other, a round begins.
fn give_back(
    decisions: &mut Decisions,
    incident: &mut Incident,
    given_back: impl Fn(&Acknowledgement) -> bool,
    now: Timestamp,
) {
    let was_taken = incident.last_taken().is_some();
    incident.acknowledged.retain(|a| !given_back(a));
    if was_taken && incident.last_taken().is_none() {
        let what = format!("{} is given back", wording::headline(incident));
        let subject = Some(Subject::Incident(incident.id.clone()));
        decisions.log(now, subject, None, what, Reason::GivenBackThere);
        incident.begin_round(now, Reason::GivenBackThere);
    }
}

/// Somebody took it over in the monitor or pager: that counts here, unless they have given it back since, there or here.
pub(super) fn taken_over(
    decisions: &mut Decisions,
    incident: &mut Incident,
    firing: &BTreeMap<String, Signal>,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let by = |there: &AcknowledgedThere| {
        let person = there.login.as_ref().and_then(|login| settings.roster.by_account(login));
        let stranger = || Acknowledger::Stranger(text::line(&there.name, MOST_NAME));
        person.map_or_else(stranger, |person| Acknowledger::Person(person.id.clone()))
    };
    let mut told: Vec<_> = firing.values().filter_map(Signal::taken_over).collect();
    // What was given back is what was taken of the same alert; who has another of them has it still.
    let of_released = |a: &Acknowledgement| {
        let of = |signal: &Signal| {
            let there = signal.acknowledged.as_ref().map(|there| there.at);
            there.is_some() && there == a.there && signal.released_at >= there
        };
        firing.values().any(of) && told.iter().all(|told| by(told) != a.by)
    };
    give_back(decisions, incident, |a| a.at_page.is_none() && of_released(a), now);
    told.sort();
    let older = told.len().saturating_sub(MOST_TAKEN_OVER);
    for acknowledged in told.into_iter().skip(older) {
        let by = by(acknowledged);
        let there = acknowledged.at;
        let given_back = |said: &NotMine| by == Acknowledger::Person(said.person.clone()) && said.at >= there;
        let known = incident.acknowledged.iter().any(|known| known.covers(&by, there));
        if known || incident.not_mine.iter().any(given_back) {
            continue;
        }
        let mut at = there.max(incident.began_at).min(now);
        // Whoever took the last of it, by the clocks of those who tell us, took what this round is about, though it began later.
        let last = incident.risen_at.map_or(incident.latest_at, |risen| risen.max(incident.latest_at));
        if matches!(incident.round_why, Some(Reason::Worsened | Reason::FiresAgain)) && there >= last {
            at = incident.worsened_at.map_or(at, |worse| worse.max(at)).max(incident.round_began());
        }
        let acknowledgement = Acknowledgement { by, at, there: Some(there), at_page: None };
        acknowledgement::acknowledge(decisions, incident, acknowledgement, service, settings, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, alert, at};

    #[test]
    fn our_own_pages_are_known_by_their_key_whatever_stands_for_the_slash() {
        let said = |key: &str| {
            own_page(key).map(|page| format!("{} {} {}", page.incident, page.round, page.person)).unwrap_or_default()
        };
        for (key, want) in [
            ("deployers/edxapp-k3v7q2ma/0/anna", "edxapp-k3v7q2ma 0 anna"),
            ("deployers/edxapp-k3v7q2ma/12/anna/3", "edxapp-k3v7q2ma 12 anna"),
            ("deployers.edx.app-k3v7q2ma.1.anna.b.2", "edx.app-k3v7q2ma 1 anna.b"),
            ("deployers.edxapp-k3v7q2ma/1/ann~0123456789", "edxapp-k3v7q2ma 1 ann~0123456789"),
            ("deployers/edxapp-k3v7q2ma", ""),
            ("deployers/edxapp-k3v7q2ma/anna/0", ""),
            ("deployers/edxapp-k3v7q2ma/0", ""),
            ("other/edxapp-k3v7q2ma/0/anna", ""),
            ("deployers/a-b/c/d", ""),
            ("deployers/", ""),
            ("", ""),
        ] {
            assert_eq!(said(key), want, "{key}");
        }
    }

    /// One page, to whoever is on the rotation, and what its pager tells of it.
    struct Paged {
        world: World,
        page: OwnPage,
    }

    impl Paged {
        fn new() -> Self {
            let mut world = World::new();
            world.until(at("15:50"));
            world.alert(&[alert("HighErrorRate", at("15:50"), None)]);
            let page = own_page(&world.told[0].at_pager()).unwrap();
            Self { world, page }
        }

        fn told(&mut self, state: AlertState, by: Option<&str>) -> &'static str {
            let login = by.map(|by| crate::Login::new("github", by).unwrap());
            let taken = AcknowledgedThere { at: self.world.now, login, name: "Zoe".into() };
            let acknowledged = Some(taken).filter(|_| state == AlertState::Acknowledged);
            let answer = Alert { source: "pagerduty".into(), state, acknowledged, ..alert("Q1", at("15:51"), None) };
            let World { situation, service, settings, now, .. } = &self.world;
            let (decisions, reason) = answered(&self.page, &answer, situation, service, settings, *now);
            self.world.commit(&decisions);
            reason.name()
        }
    }

    #[test]
    fn a_page_of_ours_that_comes_back_is_no_alert() {
        let Paged { world, page } = Paged::new();
        let key = world.told[0].at_pager();
        let own = Alert {
            source: "pagerduty".into(),
            labels: [("incident_key".to_owned(), key)].into(),
            ..alert("Q1", at("15:51"), None)
        };
        let event = AlertEvent { alerts: vec![own, alert("Other", at("15:51"), None)], left_out: 0, brief: false };
        let (event, own) = event.without_own_pages();
        assert_eq!((event.alerts.len(), own.len()), (1, 1));
        assert_eq!(own[0].0, page);
    }

    #[test]
    fn taking_a_page_there_takes_the_incident_and_closing_it_says_nothing() {
        use AlertState::{Acknowledged, Firing, Resolved};
        let mut paged = Paged::new();
        for (state, by, want) in [
            (Firing, None, "our_own_page"),
            (Resolved, None, "our_own_page"),
            (Acknowledged, None, "acknowledged_there"),
            (Acknowledged, Some("anna"), "already_known"),
            (Resolved, None, "our_own_page"),
        ] {
            assert_eq!(paged.told(state, by), want, "{state:?}");
        }
        paged.page.incident = "edxapp-aaaaaaaa".parse().unwrap();
        assert_eq!(paged.told(Acknowledged, None), "our_own_page", "another installation's");
    }

    #[test]
    fn whoever_said_not_mine_and_quiets_their_telephone_has_not_taken_it_but_somebody_else_may() {
        for (by, want) in [(None, "not_mine"), (Some("anna"), "not_mine"), (Some("olga"), "acknowledged_by")] {
            let mut paged = Paged::new();
            paged.world.does("anna", |counter| counter.not_mine(None)).unwrap();
            assert_eq!(paged.told(AlertState::Acknowledged, by), want, "{by:?}");
        }
    }

    #[test]
    fn an_echo_of_an_earlier_round_does_not_take_the_present_one() {
        let mut paged = Paged::new();
        paged.world.acknowledge("anna").unwrap();
        paged.world.does("anna", |counter| counter.not_mine(None)).unwrap();
        assert_eq!(paged.told(AlertState::Acknowledged, Some("anna")), "our_own_page");
        assert_eq!(paged.told(AlertState::Acknowledged, None), "our_own_page");
        paged.page.round = 1;
        assert_eq!(paged.told(AlertState::Acknowledged, Some("olga")), "acknowledged_by");
    }
}
