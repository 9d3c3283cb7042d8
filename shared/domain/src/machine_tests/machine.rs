//! The shells around the pure functions, as steps: between any two of them a process may die, stop, or let another pass.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};

use super::checks::Watch;
use super::story::{ALERTS, Fate, Pace};
use crate::alert::Place;
use crate::decision::{RecordKey, Wake};
use crate::message::{MessageKey, Outgoing};
use crate::on_merge::{MergeDecision, MergeEvent, Way};
use crate::on_page::{self, CLAIM, Delivery};
use crate::on_request::hands::Desk;
use crate::on_request::incidents::Counter;
use crate::on_request::maintenance::Wanted;
use crate::testing::{World, at, change, deployment, person};
use crate::*;

/// A function under way for so long is ended: it finishes before.
pub const LIFE: SignedDuration = SignedDuration::from_secs(30);
/// As in `on-schedule` and in the store.
const MOST_TRIES: u32 = 5;
const MINUTE: i64 = 60;

/// What wakes a function, told once and perhaps again.
#[derive(Clone)]
pub enum Input {
    Alert(Alert),
    Merge(Box<Change>),
    Deployment(DeploymentEvent),
    Person(PersonId, Act),
}

#[derive(Clone)]
pub enum Act {
    Acknowledge(IncidentId),
    NotMine(IncidentId, Option<ChangeId>),
    Take(IncidentId),
    HasPager,
    Maintenance(Wanted),
    MaintenanceEnds,
}

/// A function that decides: what woke it (nothing: the clock), and when; which try, and which round of one look.
#[derive(Clone)]
pub struct Decider {
    pub woken_by: Option<usize>,
    pub now: Timestamp,
    pub tries: u32,
    pub rounds: u32,
}

pub enum Job {
    Decide(Decider),
    Commit { by: Decider, decisions: Decisions, republish: Vec<Message>, clock: u64 },
    Publish { by: Decider, left: VecDeque<Message>, again: bool },
    Mark { by: Decider, left: VecDeque<Message>, again: bool },
    Read(MessageKey),
    Claim(MessageKey, Timestamp),
    Send(MessageKey, Timestamp),
    Release(MessageKey, Timestamp),
    Finish(MessageKey),
}

pub struct Running {
    pub since: Timestamp,
    pub job: Job,
    pub fate: Fate,
}

/// The table, the topic, whatever runs, and whoever watches.
pub struct Machine {
    pub now: Timestamp,
    pub service: &'static Service,
    pub settings: &'static Settings,
    pub situation: Situation,
    pub outbox: BTreeMap<MessageKey, Outgoing>,
    /// What the topic has yet to deliver, and what it ever took.
    pub topic: VecDeque<MessageKey>,
    pub taken: Vec<MessageKey>,
    pub running: Vec<Running>,
    pub told: Vec<Input>,
    /// What senders got no answer to.
    pub unanswered: BTreeSet<usize>,
    pub paces: VecDeque<Pace>,
    pub fates: VecDeque<Fate>,
    pub asleep_until: Timestamp,
    pub topic_down_until: Timestamp,
    pub watch: Watch,
    /// What the store remembers of each change, also when it has left the working set: how much was told of it.
    kept: BTreeMap<ChangeId, u64>,
}

static HOUSE: LazyLock<(Service, Settings, Vec<Situation>)> = LazyLock::new(|| {
    let worlds: Vec<World> = (0..=3).map(world).collect();
    let (service, settings) = (worlds[0].service.clone(), worlds[0].settings.clone());
    (service, settings, worlds.into_iter().map(|world| world.situation).collect())
});

/// So many changes went live at 15:40, the newest last; it is 15:45.
fn world(live: u64) -> World {
    let mut world = World::new();
    world.change_roster(|people| {
        people.push(person("bert", "Bert", "Europe/Berlin"));
        people.push(person("carl", "Carl", "Europe/Berlin"));
        people.push(person("channel", "the channel", "UTC"));
        let feanil = people.iter_mut().find(|p| p.id.as_str() == "feanil").unwrap();
        feanil.contacts = vec![Contact { receiver: "pd".into(), address: "P1".into(), keeps: true }];
    });
    world.change_service(|service| {
        service.rotation = vec!["anna".parse().unwrap(), "bert".parse().unwrap()];
        service.owners = vec!["carl".parse().unwrap()];
        service.channel = Some("channel".parse().unwrap());
    });
    world.now = at("15:00");
    for (number, who) in (1..=live).zip(["feanil", "usama", "olga"]) {
        world.merge(change(number, who, at("15:00") + SignedDuration::from_mins(number.cast_signed())));
    }
    if live > 0 {
        world.deploy(&deployment(1, live, "prod", DeploymentState::Succeeded, at("15:40")));
    }
    world.until(at("15:45"));
    world
}

/// What is said of stage is said by name.
fn environment(alert: &Alert) -> EnvironmentName {
    if alert.name == ALERTS[3] { "stage" } else { "production" }.parse().unwrap()
}

impl Machine {
    pub fn new(live: usize) -> Self {
        let (service, settings, situations) = &*HOUSE;
        let now = at("15:45");
        Self {
            now,
            service,
            settings,
            situation: situations[live].clone(),
            outbox: BTreeMap::new(),
            topic: VecDeque::new(),
            taken: Vec::new(),
            running: Vec::new(),
            told: Vec::new(),
            unanswered: BTreeSet::new(),
            paces: VecDeque::new(),
            fates: VecDeque::new(),
            asleep_until: now,
            topic_down_until: now,
            watch: Watch::new(now),
            kept: situations[live].changes.iter().map(|(id, known)| (id.clone(), known.rev)).collect(),
        }
    }

    /// Somebody tells us something: a function runs for it.
    pub fn tell(&mut self, input: Input) {
        self.told.push(input);
        self.hear(self.told.len() - 1);
    }

    /// The same once more, for whatever reason.
    pub fn hear(&mut self, nth: usize) {
        self.unanswered.insert(nth);
        self.decide(Some(nth));
    }

    /// The clock's function looks, if there is something to look at.
    pub fn tick(&mut self) {
        if self.now < self.asleep_until {
            self.watch.clock_failed(self.now);
        } else if self.situation.clock.value.due_at.is_some_and(|due| due <= self.now) {
            self.decide(None);
        }
    }

    pub fn decide(&mut self, woken_by: Option<usize>) {
        let pace = self.paces.pop_front();
        if pace.is_some() {
            self.watch.slipped(self.now, woken_by.is_none());
        }
        let job = Job::Decide(Decider { woken_by, now: self.now, tries: 0, rounds: 0 });
        self.run(Running { since: self.now, job, fate: Fate::Arrives }, pace);
    }

    fn run(&mut self, mut running: Running, pace: Option<Pace>) {
        let most = match pace {
            None => usize::MAX,
            Some(Pace::Dies(steps) | Pace::Stops(steps)) => steps,
        };
        for _ in 0..most {
            match self.step(running) {
                Some(next) => running = next,
                None => return,
            }
        }
        if matches!(pace, Some(Pace::Stops(_))) {
            self.running.push(running);
        }
    }

    /// One of the functions that stopped goes on.
    pub fn go_on(&mut self, nth: usize) {
        if !self.running.is_empty() {
            let running = self.running.remove(nth % self.running.len());
            if let Some(next) = self.step(running) {
                self.running.push(next);
            }
        }
    }

    /// Those that stopped and would be ended by then come to their end.
    pub fn finish(&mut self, by: Timestamp) {
        while let Some(i) = self.running.iter().position(|r| r.since + LIFE <= by) {
            let running = self.running.remove(i);
            self.run(running, None);
        }
    }

    /// Whatever the topic has is delivered.
    pub fn deliver(&mut self) {
        while let Some(key) = self.topic.pop_front() {
            self.deliver_one(key);
        }
    }

    pub fn deliver_one(&mut self, key: MessageKey) {
        let is_page = self.outbox.get(&key).is_some_and(|o| o.message.kind == Kind::Page);
        let fate = if is_page { self.fates.pop_front() } else { None }.unwrap_or(Fate::Arrives);
        if fate != Fate::Arrives {
            self.watch.page_slipped(self.now);
        }
        let pace = match fate {
            Fate::Late => return,
            Fate::Stops(steps) => Some(Pace::Stops(steps)),
            Fate::Arrives | Fate::Fails | Fate::Hangs | Fate::DiesSent => None,
        };
        self.run(Running { since: self.now, job: Job::Read(key), fate }, pace);
    }

    /// One step of one function; `None`: it is at its end, or dead.
    fn step(&mut self, Running { since, job, fate }: Running) -> Option<Running> {
        let next = match job {
            Job::Decide(by) => self.load_and_decide(by),
            Job::Commit { by, decisions, republish, clock } => self.commit(by, decisions, republish, clock),
            Job::Publish { by, left, again } => self.publish(by, left, again),
            Job::Mark { by, mut left, again } => {
                if let Some(outgoing) = left.pop_front().and_then(|m| self.outbox.get_mut(&m.key)) {
                    outgoing.published_at = Some(self.now);
                }
                Some(Job::Publish { by, left, again })
            }
            Job::Read(key) => self.read(key),
            Job::Claim(key, read_at) => {
                let free = |o: &&mut Outgoing| o.claimed_at.is_none_or(|at| at <= read_at - CLAIM);
                let outgoing = self.outbox.get_mut(&key).filter(free)?;
                (outgoing.claimed_at, outgoing.tries) = (Some(read_at), outgoing.tries + 1);
                Some(Job::Send(key, read_at))
            }
            Job::Send(key, claimed_at) => match fate {
                Fate::Hangs => None,
                Fate::Fails => Some(Job::Release(key, claimed_at)),
                Fate::DiesSent => {
                    self.watch.accepted(&key, self.now);
                    self.watch.may_repeat.insert(key);
                    None
                }
                Fate::Arrives | Fate::Late | Fate::Stops(_) => {
                    self.watch.accepted(&key, self.now);
                    Some(Job::Finish(key))
                }
            },
            Job::Release(key, claimed_at) => {
                if let Some(outgoing) = self.outbox.get_mut(&key).filter(|o| o.claimed_at == Some(claimed_at)) {
                    outgoing.claimed_at = None;
                }
                None
            }
            Job::Finish(key) => {
                self.outbox.remove(&key);
                None
            }
        };
        next.map(|job| Running { since, job, fate })
    }

    fn load_and_decide(&mut self, by: Decider) -> Option<Job> {
        let (decisions, republish) = match by.woken_by.map(|nth| self.told[nth].clone()) {
            None => {
                let outbox: Vec<Outgoing> = self.outbox.values().cloned().collect();
                let round = on_schedule::decide(&self.situation, &outbox, self.service, self.settings, by.now);
                (round.decisions, round.republish)
            }
            Some(input) => match self.decide_on(input, by.now) {
                Some(decisions) => (decisions, Vec::new()),
                None => {
                    self.answered(&by);
                    return None;
                }
            },
        };
        Some(Job::Commit { by, decisions, republish, clock: self.situation.clock.rev })
    }

    /// `None`: there is nothing to decide about it.
    fn decide_on(&mut self, input: Input, now: Timestamp) -> Option<Decisions> {
        let Self { service, settings, situation, .. } = &*self;
        match input {
            Input::Alert(alert) => {
                let place = Place { service: service.id.clone(), environment: environment(&alert) };
                Some(on_alert::decide(&[alert], &place, situation, service, settings, &[], now).0)
            }
            Input::Deployment(event) => {
                let place = on_deploy::places(&event, settings).unwrap().remove(0);
                Some(on_deploy::decide(&event, situation, service, &place, now).0)
            }
            Input::Merge(change) => {
                self.merge(*change, now);
                None
            }
            Input::Person(person, act) => {
                let desk = Desk { situation, service, settings, now };
                let counter = |id| Counter { id, person: &person, situation, service, settings, now };
                match &act {
                    Act::Acknowledge(id) => counter(id).acknowledge().ok(),
                    Act::NotMine(id, instead) => counter(id).not_mine(instead.as_ref()).ok(),
                    Act::Take(id) => counter(id).take().ok(),
                    Act::HasPager => desk.take(&person, &person, None, now + SignedDuration::from_mins(30)).ok(),
                    Act::Maintenance(wanted) => desk.begin_maintenance(&person, wanted).ok(),
                    Act::MaintenanceEnds => desk.end_maintenance(&person).ok(),
                }
            }
        }
    }

    /// One transaction that reads nothing.
    fn merge(&mut self, change: Change, now: Timestamp) {
        let event = MergeEvent::Merged(Box::new(change));
        if let MergeDecision::Keep(merge) = on_merge::decide(event, &Way::default(), self.settings, now) {
            let worth = u64::from(merge.change.worth());
            if self.kept.get(&merge.change.id).is_none_or(|known| *known < worth) {
                self.kept.insert(merge.change.id.clone(), worth);
                self.situation.note(Record::Change(merge.change), worth);
                self.situation.apply(&Decisions::none(&self.service.id, Wake::Now), now);
            }
        }
    }

    /// All of it, if nobody was faster.
    fn commit(&mut self, mut by: Decider, decisions: Decisions, republish: Vec<Message>, clock: u64) -> Option<Job> {
        let unwritten = decisions.is_quiet() && decisions.wake == Wake::Now;
        if !unwritten && self.is_refused(&decisions, clock) {
            by.tries += 1;
            self.watch.seen.insert("refused");
            return (by.tries < MOST_TRIES).then_some(Job::Decide(by));
        }
        if !unwritten {
            self.situation.apply(&decisions, by.now);
            for message in &decisions.messages {
                let message = message.clone();
                let outgoing = Outgoing { message, published_at: None, claimed_at: None, tries: 0, trying: None };
                self.outbox.insert(outgoing.message.key.clone(), outgoing);
            }
            self.watch.committed(&decisions, &self.situation, self.service, self.now);
        }
        let again = matches!(decisions.wake, Wake::Exactly(Some(due)) if due <= by.now);
        let left = decisions.messages.into_iter().chain(republish).collect();
        Some(Job::Publish { by, left, again })
    }

    fn is_refused(&self, decisions: &Decisions, clock: u64) -> bool {
        let stale = |write: &Write| match write {
            Write::Put { record, seen } => self.revision(&record.key()) != *seen,
            Write::Drop { key, seen } => self.revision(key) != *seen,
        };
        let rung = matches!(decisions.wake, Wake::Exactly(_)) && self.situation.clock.rev != clock;
        rung || decisions.writes.iter().any(stale)
    }

    fn revision(&self, key: &RecordKey) -> u64 {
        let s = &self.situation;
        let rev = match key {
            RecordKey::Change(id) => s.changes.get(id).map(|n| n.rev),
            RecordKey::Notes(id) => s.notes.get(id).map(|n| n.rev),
            RecordKey::Deployment(key) => s.deployments.get(key).map(|n| n.rev),
            RecordKey::Signals(environment) => s.signals.get(environment).map(|n| n.rev),
            RecordKey::Incident(id) => s.incidents.get(id).map(|n| n.rev),
            RecordKey::Shift(id) => s.shifts.get(id).map(|n| n.rev),
            RecordKey::Queue => Some(s.queue.rev),
            RecordKey::Ceiling => Some(s.ceiling.rev),
            RecordKey::Paging => Some(s.paging.rev),
            RecordKey::Track => Some(s.track.rev),
            RecordKey::Files(id) => s.files.get(id).map(|n| n.rev),
            RecordKey::Errand(key) => s.errands.get(key).map(|n| n.rev),
            RecordKey::Freeze(id) => s.freezes.get(id).map(|n| n.rev),
            RecordKey::FreezeNotes(key) => s.freeze_notes.get(key).map(|n| n.rev),
            RecordKey::Expedite(key) => s.expedites.get(key).map(|n| n.rev),
            RecordKey::Posted => Some(s.posted.rev),
            RecordKey::PostedAll => Some(s.posted_all.rev),
            RecordKey::Pipelines => Some(s.pipelines.rev),
            RecordKey::Pulls => Some(s.pulls.rev),
            RecordKey::Comment(number) => s.comments.get(number).map(|n| n.rev),
            RecordKey::Feed(id) => s.feeds.get(id).map(|n| n.rev),
            RecordKey::Undo(id) => s.undos.get(id).map(|n| n.rev),
        };
        rev.unwrap_or(0)
    }

    fn publish(&mut self, by: Decider, mut left: VecDeque<Message>, again: bool) -> Option<Job> {
        if let Some(first) = left.front() {
            if self.now < self.topic_down_until {
                left.pop_front();
                return Some(Job::Publish { by, left, again });
            }
            self.topic.push_back(first.key.clone());
            self.taken.push(first.key.clone());
            return Some(Job::Mark { by, left, again });
        }
        if again && by.woken_by.is_none() {
            let next = Decider { now: self.now, tries: 0, rounds: by.rounds + 1, ..by };
            return self.watch.looked_again(by.rounds).then_some(Job::Decide(next));
        }
        self.answered(&by);
        None
    }

    fn answered(&mut self, by: &Decider) {
        if let Some(nth) = by.woken_by {
            self.unanswered.remove(&nth);
        }
    }

    fn read(&mut self, key: MessageKey) -> Option<Job> {
        let outgoing = self.outbox.get(&key);
        let incident = match &key.subject {
            Subject::Incident(id) => self.situation.incidents.get(id).map(|known| &known.value),
            Subject::Change(_) | Subject::Shift(_) | Subject::Freeze(_) | Subject::Expedite(_) | Subject::Service => {
                None
            }
        };
        let before = outgoing.and_then(|outgoing| on_page::page_before(&outgoing.message, incident));
        if before.is_some_and(|before| self.outbox.contains_key(&before)) {
            return None;
        }
        match on_page::decide(outgoing, incident, &self.service.policy, self.now) {
            Delivery::Leave(_) => None,
            Delivery::Withdraw(reason) => {
                self.watch.withdrawn(&key, &reason);
                Some(Job::Finish(key))
            }
            Delivery::Send => {
                self.watch.is_still_true(&key, incident, self.service, self.now);
                Some(Job::Claim(key, self.now))
            }
        }
    }

    /// Time passes, with a tick each minute.
    pub fn wait(&mut self, seconds: i64) {
        let then = self.now + SignedDuration::from_secs(seconds);
        while self.now < then {
            let minute = self.now.as_second().div_euclid(MINUTE) * MINUTE + MINUTE;
            let minute = Timestamp::from_second(minute).unwrap();
            let ends = self.running.iter().map(|r| r.since + LIFE).min();
            self.now = [Some(minute), ends, Some(then)].into_iter().flatten().min().unwrap();
            self.finish(self.now);
            self.deliver();
            if self.now == minute {
                self.tick();
                self.deliver();
            }
            if self.now < self.topic_down_until {
                self.watch.page_slipped(self.now);
            }
            self.watch.look(&self.situation, &self.outbox, self.service, self.now);
        }
    }
}
