//! What has to hold, looked at after every commit, every delivery and every minute. The first fault is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::message::{MessageKey, Outgoing};
use crate::*;

/// The rotation is paged by then: its five minutes, and what a function may take.
const IN_TIME: SignedDuration = SignedDuration::from_secs(5 * 60 + 30);
/// After a look that failed: the next tick, and what a function may take.
const NEXT_LOOK: SignedDuration = SignedDuration::from_secs(90);
/// After a delivery that failed: its claim grows stale, the sweeper wakes twice in vain, and what functions may take.
const NEXT_DELIVERY: SignedDuration = SignedDuration::from_secs(270);
/// The most that was ever needed is 4.
const MOST_ROUNDS: u32 = 8;

/// A page as it was decided, and what became of it.
#[derive(Debug)]
pub struct Page {
    pub decided_at: Timestamp,
    pub round: u32,
    pub accepted: Vec<Timestamp>,
    pub withdrawn: Option<&'static str>,
}

/// Everything that was decided and delivered, and what goes on just now.
pub struct Watch {
    pub fault: Option<String>,
    pub pages: BTreeMap<MessageKey, Page>,
    others: BTreeMap<MessageKey, usize>,
    /// A process died between sending and finishing.
    pub may_repeat: BTreeSet<MessageKey>,
    rounds: BTreeMap<IncidentId, u32>,
    /// Who waits for somebody: in which round, since when.
    waiting: BTreeMap<IncidentId, (u32, Timestamp)>,
    /// What worsened after it was taken, and since when.
    outdated: BTreeMap<IncidentId, Timestamp>,
    clock_failed_at: Timestamp,
    slipped_at: Timestamp,
    pub most_actions: usize,
    pub most_rounds: u32,
    /// What was seen by its name, so that no story is vain: why somebody was not paged, or again, and what went wrong.
    pub seen: BTreeSet<&'static str>,
}

impl Watch {
    pub fn new(now: Timestamp) -> Self {
        Self {
            fault: None,
            pages: BTreeMap::new(),
            others: BTreeMap::new(),
            may_repeat: BTreeSet::new(),
            rounds: BTreeMap::new(),
            waiting: BTreeMap::new(),
            outdated: BTreeMap::new(),
            clock_failed_at: now,
            slipped_at: now,
            most_actions: 0,
            most_rounds: 0,
            seen: BTreeSet::new(),
        }
    }

    fn must(&mut self, holds: bool, else_: impl FnOnce() -> String) {
        if !holds && self.fault.is_none() {
            self.fault = Some(else_());
        }
    }

    pub fn clock_failed(&mut self, now: Timestamp) {
        (self.clock_failed_at, self.slipped_at) = (now, now);
    }

    pub fn slipped(&mut self, now: Timestamp, is_clock: bool) {
        self.slipped_at = now;
        if is_clock {
            self.clock_failed_at = now;
        }
    }

    pub fn page_slipped(&mut self, now: Timestamp) {
        self.slipped_at = now;
    }

    /// Whether it may.
    pub fn looked_again(&mut self, rounds: u32) -> bool {
        self.most_rounds = self.most_rounds.max(rounds);
        self.must(rounds < MOST_ROUNDS, || "7: the scheduler does not come to rest".to_owned());
        rounds < MOST_ROUNDS
    }

    pub fn committed(&mut self, decisions: &Decisions, situation: &Situation, service: &Service, now: Timestamp) {
        self.most_actions = self.most_actions.max(decisions.actions());
        self.must(decisions.actions() <= 100, || format!("6: {} actions", decisions.actions()));
        for message in &decisions.messages {
            let key = &message.key;
            let again = self.pages.contains_key(key) || self.others.contains_key(key);
            self.must(!again, || format!("2: {key} was decided twice"));
            if message.kind == Kind::Page {
                let round = message.pager_key.as_ref().and_then(|k| k.split('/').nth(1)?.parse().ok()).unwrap();
                let page = Page { decided_at: now, round, accepted: Vec::new(), withdrawn: None };
                self.pages.insert(key.clone(), page);
            } else {
                self.others.insert(key.clone(), 0);
            }
        }
        for write in &decisions.writes {
            if let Write::Put { record, .. } = write
                && let Record::Incident(incident) = &**record
            {
                self.of_incident(incident);
            }
        }
        for (environment, signals) in &situation.signals {
            let open: Vec<_> = situation.incidents.values().map(|i| &i.value).filter(|i| i.is_open()).collect();
            let open: Vec<_> = open.into_iter().filter(|i| i.environment == *environment).map(|i| &i.id).collect();
            self.must(open.len() <= 1, || format!("5: {} incidents are open", open.len()));
            let named = signals.value.open.iter().collect::<Vec<_>>();
            self.must(named == open, || format!("5: open {open:?}, named {named:?}"));
            let fires = signals.value.firing().next().is_some();
            self.must(!fires || !open.is_empty(), || "5: something fires and no incident is open".to_owned());
        }
        self.wait_for(situation, service, now);
    }

    fn of_incident(&mut self, incident: &Incident) {
        let why = incident.held.iter().map(|hold| &hold.reason).chain(&incident.round_why);
        self.seen.extend(why.map(Reason::name));
        let before = self.rounds.insert(incident.id.clone(), incident.round);
        self.must(before.is_none_or(|before| before <= incident.round), || "5: a round goes back".to_owned());
        let damped = incident.held.as_ref().is_some_and(|hold| matches!(hold.reason, Reason::Flapping { .. }));
        let swallowed = damped && incident.severity == Severity::Critical && incident.is_open();
        self.must(!swallowed, || "5: damping swallows what is critical".to_owned());
    }

    /// Remembers since when each incident waits for somebody.
    fn wait_for(&mut self, situation: &Situation, service: &Service, now: Timestamp) {
        for (id, known) in &situation.incidents {
            let incident = &known.value;
            let of_round = |a: &Acknowledgement| incident.round_at.is_none_or(|began| a.at >= began);
            let taken = incident.acknowledged.iter().any(of_round);
            if taken && incident.last_taken().is_none() && incident.held.is_none() && incident.is_open() {
                self.outdated.entry(id.clone()).or_insert(now);
            } else {
                self.outdated.remove(id);
            }
            let waits = incident.is_open() && incident.held.is_none() && incident.taken(&service.policy, now).is_none();
            if !waits {
                self.waiting.remove(id);
            } else if self.waiting.get(id).is_none_or(|(round, _)| *round != incident.round) {
                self.waiting.insert(id.clone(), (incident.round, now));
            }
        }
    }

    /// After every minute, and whenever a process that stopped came to its end.
    pub fn look(
        &mut self,
        situation: &Situation,
        outbox: &BTreeMap<MessageKey, Outgoing>,
        service: &Service,
        now: Timestamp,
    ) {
        self.wait_for(situation, service, now);
        let looked = now > self.clock_failed_at + NEXT_LOOK;
        let delivered = now > self.slipped_at + NEXT_DELIVERY;
        for known in situation.incidents.values().filter(|known| known.value.is_open()) {
            let incident = &known.value;
            let until = incident.held.as_ref().and_then(|hold| hold.until);
            let outlived = until.is_some_and(|until| now > until + NEXT_LOOK);
            self.must(!(looked && outlived), || format!("3: at {now} still held until {until:?}"));
            let taken = incident.last_taken().map(|taken| taken.at + service.policy.acknowledged_for);
            let stale = incident.held.is_none() && taken.is_some_and(|end| now > end + NEXT_LOOK);
            self.must(!(looked && stale), || format!("3: at {now} an acknowledgement grew stale unheard"));
            let worse = self.outdated.get(&incident.id).is_some_and(|since| now > *since + NEXT_LOOK);
            self.must(!(looked && worse), || {
                format!("5: at {now} it has worsened since it was taken, and no round began")
            });
            if let Some((round, since)) = self.waiting.get(&incident.id).copied() {
                self.rotation_is_reached(incident, round, since, service, (looked, delivered), now);
            }
        }
        for outgoing in outbox.values().filter(|o| o.message.kind == Kind::Page) {
            let late = delivered && now > outgoing.message.decided_at + NEXT_DELIVERY;
            self.must(!late, || format!("1: at {now} {} is still in the outbox", outgoing.message.key));
        }
    }

    fn rotation_is_reached(
        &mut self,
        incident: &Incident,
        round: u32,
        since: Timestamp,
        service: &Service,
        (looked, delivered): (bool, bool),
        now: Timestamp,
    ) {
        let people = || service.rotation.iter().chain(&service.owners);
        let said = |person: &PersonId| Some(incident.not_mine.iter().find(|said| said.person == *person)?.at);
        if let Some(refused) = people().map(said).collect::<Option<Vec<_>>>()
            && let Some(last) = refused.iter().max()
            && refused.iter().all(|at| *at >= incident.round_began())
        {
            // Everybody said, in this round, that it is not theirs: a while later they are asked once more.
            let anew = *last.max(&since) + service.policy.again_after + NEXT_LOOK;
            self.must(!looked || now <= anew, || format!("5: at {now} nobody is asked anew since {last}"));
            return;
        }
        let somebody = || self.pages.iter().any(|(key, page)| page.round == round && is_of(key, incident));
        let nobody = looked && now > since + NEXT_LOOK && !somebody();
        self.must(!nobody, || format!("5: at {now} nobody is paged for {}, waiting since {since}", incident.id));
        if now <= since + IN_TIME {
            return;
        }
        let is_theirs = |key: &MessageKey| {
            is_of(key, incident) && (key.step == Step::Rotation || people().any(|person| key.person == *person))
        };
        let theirs: Vec<&Page> = self
            .pages
            .iter()
            .filter(|(key, page)| page.round == round && is_theirs(key))
            .map(|(_, page)| page)
            .collect();
        let (decided, reached) = (!theirs.is_empty(), theirs.iter().any(|page| !page.accepted.is_empty()));
        self.must(!looked || decided, || format!("3: at {now} the rotation is not paged, waiting since {since}"));
        self.must(!delivered || reached, || format!("3: at {now} the rotation is not reached, waiting since {since}"));
    }

    pub fn is_still_true(&mut self, key: &MessageKey, incident: Option<&Incident>, service: &Service, now: Timestamp) {
        if let (Some(incident), true) = (incident, self.pages.contains_key(key)) {
            self.must(incident.is_open(), || format!("4: {key} is delivered after the end"));
            let decided_at = self.pages[key].decided_at;
            let passed = incident.not_mine.iter().any(|said| said.person == key.person && said.at >= decided_at);
            self.must(!passed, || format!("4: {key} is delivered to whom it is not"));
            let taken = incident.taken(&service.policy, now).is_some() || incident.held.is_some();
            self.must(!taken, || format!("4: {key} is delivered although it is taken or held"));
        }
    }

    pub fn accepted(&mut self, key: &MessageKey, now: Timestamp) {
        let may = self.may_repeat.contains(key);
        self.seen.extend(may.then_some("repeated"));
        let times = match (self.pages.get_mut(key), self.others.get_mut(key)) {
            (Some(page), _) => {
                page.accepted.push(now);
                page.accepted.len()
            }
            (None, Some(times)) => {
                *times += 1;
                *times
            }
            (None, None) => return self.must(false, || format!("2: {key} was delivered and never decided")),
        };
        self.must(times == 1 || may, || format!("2: {key} was delivered {times} times"));
    }

    pub fn withdrawn(&mut self, key: &MessageKey, reason: &Reason) {
        if let Some(page) = self.pages.get_mut(key) {
            page.withdrawn = Some(reason.name());
            self.seen.insert(reason.name());
        }
    }

    /// When everything was let come to rest.
    pub fn at_rest(&mut self, situation: &Situation, service: &Service, now: Timestamp) {
        let lost = |page: &&Page| page.accepted.is_empty() && page.withdrawn.is_none();
        let lost: Vec<String> = self.pages.iter().filter(|(_, p)| lost(p)).map(|(key, _)| key.to_string()).collect();
        self.must(lost.is_empty(), || format!("1: neither delivered nor withdrawn: {}", lost.join(", ")));
        for incident in situation.incidents.values().map(|known| &known.value).filter(|i| i.is_open()) {
            let paged = incident.pages.iter().any(|page| page.round == incident.round);
            let taken = incident.taken(&service.policy, now).is_some();
            let everybody = service.rotation.iter().chain(&service.owners);
            let refused = everybody.into_iter().all(|p| incident.not_mine.iter().any(|said| said.person == *p));
            let heard = paged || taken || incident.held.is_some() || refused;
            self.must(heard, || format!("1: nobody was paged for {} and nothing says why", incident.id));
        }
        let due = situation.clock.value.due_at.is_some_and(|due| due <= now);
        self.must(!due, || "7: the scheduler is due again at once".to_owned());
    }
}

fn is_of(key: &MessageKey, incident: &Incident) -> bool {
    key.subject == Subject::Incident(incident.id.clone())
}
