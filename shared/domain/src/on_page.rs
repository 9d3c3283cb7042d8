//! SNS says a person must be told. The last moment to see that the message is no longer true.

use jiff::{SignedDuration, Timestamp};

use crate::incident::{Incident, PageRecord};
use crate::message::{Kind, Message, MessageKey, Outgoing, Step};
use crate::reason::Reason;
use crate::service::Policy;

/// How long one delivery may hold a message before another may try: longer than any receiver's deadline.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(60);

/// What to do with a message that arrived from the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    Send,
    /// Another delivery is at it, or has done it: leave it alone.
    Leave(Reason),
    /// It is no longer true: take it out of the outbox.
    Withdraw(Reason),
}

/// Decides on delivery. `outgoing` is what the outbox holds now, `incident` what the page is about, `policy` its
/// service's.
#[must_use]
pub fn decide(outgoing: Option<&Outgoing>, incident: Option<&Incident>, policy: &Policy, now: Timestamp) -> Delivery {
    let Some(outgoing) = outgoing else {
        return Delivery::Leave(Reason::AlreadyAccepted);
    };
    if outgoing.claimed_at.is_some_and(|at| now < at + CLAIM) {
        return Delivery::Leave(Reason::DeliveryUnderWay);
    }
    match (outgoing.message.kind, incident) {
        (Kind::Page, Some(incident)) => {
            stale(&outgoing.message, incident, policy, now).map_or(Delivery::Send, Delivery::Withdraw)
        }
        (Kind::Notice | Kind::Update, _) if now > outgoing.message.decided_at + life(outgoing.message.key.step) => {
            Delivery::Withdraw(Reason::NoLongerTrue)
        }
        (Kind::Page, None) if outgoing.message.key.step == Step::Drill => {
            let late = now > outgoing.message.decided_at + life(Step::Drill);
            if late { Delivery::Withdraw(Reason::NoLongerTrue) } else { Delivery::Send }
        }
        // It has long been over: it has left.
        (Kind::Page, None) => Delivery::Withdraw(Reason::NoLongerTrue),
        (Kind::Notice | Kind::Update, _) => Delivery::Send,
    }
}

/// The page whose end an update tells, where it may not have reached its pager yet: it has to get there, or be withdrawn,
/// before its end.
#[must_use]
pub fn page_before(update: &Message, incident: Option<&Incident>) -> Option<MessageKey> {
    Some(incident?.page_key(page_ended(update, incident)?))
}

/// The page whose end an update tells.
#[must_use]
pub fn page_ended<'a>(update: &Message, incident: Option<&'a Incident>) -> Option<&'a PageRecord> {
    let incident = incident.filter(|_| update.kind == Kind::Update)?;
    let key = update.pager_key.as_deref()?;
    incident.pages.iter().find(|page| incident.pager_key(&page.person, page.round) == key)
}

/// Why a page need not be sent any more, if that is so.
fn stale(page: &Message, incident: &Incident, policy: &Policy, now: Timestamp) -> Option<Reason> {
    let person = &page.key.person;
    if let Some(at) = incident.resolved_at {
        return Some(Reason::ResolvedAt { at });
    }
    if let Some(taken) = incident.taken(policy, now) {
        return Some(taken.reason());
    }
    // Whoever is asked in spite of it is asked later.
    if incident.not_mine.iter().any(|said| said.person == *person && said.at >= page.decided_at) {
        return Some(Reason::NotMine { person: person.clone() });
    }
    let later = |paged: &&PageRecord| paged.person == *person && paged.nth() > page.key.nth;
    if incident.pages.iter().any(|paged| later(&paged)) {
        return Some(Reason::Superseded);
    }
    incident.held.as_ref().map(|hold| hold.reason.clone())
}

/// How long a notice that no receiver took is still worth telling: what is said of the moment is soon untrue, what
/// somebody has to know from then on is not. A page has no such end: it waits for an answer.
fn life(step: Step) -> SignedDuration {
    use Step::{
        Acknowledged, AlsoBroken, Ask, Drill, EndingSoon, Escalated, ExpediteAsked, ExpediteGranted, ExpediteRefused,
        ExpediteWhy, Extended, FreezeBegan, FreezeChanged, FreezeOver, FreezeSoon, FreezeTomorrow, HandedOver, Opened,
        PagerAcknowledged, PipelineSilent, QueueGrew, Receipt, SquadHears, StandbyAgain, Started, TestsFailed, Thanks,
        Thaw,
    };
    match step {
        EndingSoon | Drill | FreezeSoon => SignedDuration::from_mins(15),
        Started | Extended | Ask | Acknowledged | PagerAcknowledged | SquadHears | AlsoBroken | Opened | Escalated => {
            SignedDuration::from_hours(1)
        }
        Receipt | Thanks | StandbyAgain | HandedOver | TestsFailed | FreezeTomorrow | FreezeBegan | FreezeOver
        | FreezeChanged | ExpediteWhy | ExpediteAsked | ExpediteGranted | ExpediteRefused | QueueGrew | Thaw
        | PipelineSilent => SignedDuration::from_hours(4),
        Step::Forewarned
        | Step::TakenOver
        | Step::StoodInFor
        | Step::QueueSlow
        | Step::Deputy
        | Step::Ended
        | Step::FirstResponder
        | Step::NextResponder
        | Step::Rotation
        | Step::TailResponder
        | Step::Owner
        | Step::PagerResolved
        | Step::RevertOpened
        | Step::RevertRefused
        | Step::RevertMerged
        | Step::SteppedDown
        | Step::Digest
        | Step::Resolved => SignedDuration::from_hours(24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PersonId;
    use crate::testing::{World, at, change};

    /// The first message that a merge decides, turned into another step.
    fn message(step: Step, kind: Kind) -> Message {
        let mut world = World::new();
        world.now = at("15:00");
        world.merge(change(12, "feanil", at("15:00"))).settle();
        let mut message = world.told.remove(0);
        (message.key.step, message.kind) = (step, kind);
        message
    }

    fn after(step: Step, kind: Kind, minutes: i64) -> Delivery {
        let message = message(step, kind);
        let now = message.decided_at + SignedDuration::from_mins(minutes);
        let outgoing = Outgoing { message, published_at: None, claimed_at: None, tries: 3, trying: None };
        decide(Some(&outgoing), None, &Policy::default(), now)
    }

    #[test]
    fn a_notice_that_nobody_took_is_withdrawn_when_it_is_no_longer_true() {
        for (step, minutes) in [
            (Step::EndingSoon, 15),
            (Step::Started, 60),
            (Step::Ask, 60),
            (Step::Receipt, 240),
            (Step::Ended, 24 * 60),
            (Step::Resolved, 24 * 60),
        ] {
            assert_eq!(after(step, Kind::Notice, minutes), Delivery::Send, "{step:?}");
            let late = after(step, Kind::Notice, minutes + 1);
            assert_eq!(late, Delivery::Withdraw(Reason::NoLongerTrue), "{step:?}");
        }
    }

    #[test]
    fn who_is_at_it_is_left_alone_for_a_minute() {
        let claimed = |seconds: i64| {
            let message = message(Step::Receipt, Kind::Notice);
            let claimed_at = Some(message.decided_at);
            let now = message.decided_at + SignedDuration::from_secs(seconds);
            let outgoing = Outgoing { message, published_at: None, claimed_at, tries: 1, trying: None };
            decide(Some(&outgoing), None, &Policy::default(), now)
        };
        let under_way = Delivery::Leave(Reason::DeliveryUnderWay);
        assert_eq!((claimed(0), claimed(59), claimed(60)), (under_way.clone(), under_way, Delivery::Send));
        assert_eq!(decide(None, None, &Policy::default(), at("15:00")), Delivery::Leave(Reason::AlreadyAccepted));
    }

    #[test]
    fn a_drill_is_a_page_without_an_incident_that_is_soon_too_late() {
        let late = Delivery::Withdraw(Reason::NoLongerTrue);
        assert_eq!(after(Step::Drill, Kind::Page, 15), Delivery::Send);
        assert_eq!(after(Step::Drill, Kind::Page, 16), late);
        assert_eq!(after(Step::Rotation, Kind::Page, 0), late, "of an incident that has left");
    }

    #[test]
    fn whoever_said_since_that_it_is_not_theirs_is_not_paged_for_it() {
        let mut world = World::new();
        world.until(at("15:50"));
        world.alert(&[crate::testing::alert("HighErrorRate", at("15:50"), None)]);
        let page = world.told.remove(0);
        let incident = world.situation.incidents.values().next().unwrap().value.clone();
        let said = |who: &PersonId, seconds: i64| {
            let mut incident = incident.clone();
            let at = page.decided_at + SignedDuration::from_secs(seconds);
            incident.not_mine = vec![crate::outcome::NotMine { person: who.clone(), at, instead: None }];
            let outgoing =
                Outgoing { message: page.clone(), published_at: None, claimed_at: None, tries: 0, trying: None };
            decide(Some(&outgoing), Some(&incident), &Policy::default(), page.decided_at)
        };
        let person = page.key.person.clone();
        let not_mine = Delivery::Withdraw(Reason::NotMine { person: person.clone() });
        assert_eq!((said(&person, 0), said(&person, 1)), (not_mine.clone(), not_mine));
        assert_eq!(said(&person, -1), Delivery::Send, "asked in spite of it");
        assert_eq!(said(&"usama".parse().unwrap(), 0), Delivery::Send, "somebody else");
    }

    #[test]
    fn a_page_is_never_too_old_but_one_of_an_incident_that_has_left_is_withdrawn() {
        let mut world = World::new();
        world.until(at("15:50"));
        world.alert(&[crate::testing::alert("HighErrorRate", at("15:50"), None)]);
        let message = world.told.remove(0);
        let incident = world.situation.incidents.values().next().map(|known| &known.value);
        let now = message.decided_at + SignedDuration::from_hours(24 * 5);
        let outgoing = Outgoing { message, published_at: None, claimed_at: None, tries: 3, trying: None };
        let policy = Policy::default();
        assert_eq!(decide(Some(&outgoing), incident, &policy, now), Delivery::Send);
        assert_eq!(decide(Some(&outgoing), None, &policy, now), Delivery::Withdraw(Reason::NoLongerTrue));
    }

    #[test]
    fn what_became_of_a_page_waits_until_that_has_reached_its_pager() {
        let mut world = World::new();
        world.change_roster(|people| {
            let anna = people.iter_mut().find(|p| p.id.as_str() == "anna").unwrap();
            anna.contacts = vec![crate::Contact { receiver: "pd".into(), address: "P1".into(), keeps: true }];
        });
        world.until(at("15:50"));
        world.alert(&[crate::testing::alert("HighErrorRate", at("15:50"), None)]);
        world.until(at("16:05"));
        world.acknowledge("anna").unwrap();
        let incident = world.situation.incidents.values().next().map(|known| &known.value);
        let keys = world.told.iter().filter_map(|message| page_before(message, incident));
        let mut pages = world.told.iter().filter(|m| m.kind == Kind::Page && m.key.person.as_str() == "anna");
        assert_eq!(keys.collect::<Vec<_>>(), [pages.next_back().unwrap().key.clone()], "the newest of its repetitions");
    }
}
