//! Given, event, expectation: the words in which the domain's tests are written. A [`World`] is one service
//! as the store would keep it, driven through the real `decide` functions in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::alert::Place;
use crate::calendar::Timetable;
use crate::decision::Wake;
use crate::message::{MessageKey, Outgoing};
use crate::on_merge::{MergeDecision, MergeEvent, Way};
use crate::on_request::incidents::{Counter, Refused};
use crate::*;

/// `"15:30"` is Friday 20 March 2026 in UTC; `"Sat 15:30"` the day after, `"Sun 15:30"` the next.
pub fn at(text: &str) -> Timestamp {
    let (days, time) = match text.split_once(' ') {
        None => (0, text),
        Some((day, time)) => (["Fri", "Sat", "Sun", "Mon", "Tue"].iter().position(|d| *d == day).unwrap(), time),
    };
    let midnight: Timestamp = "2026-03-20T00:00:00Z".parse().unwrap();
    let (hours, minutes) = time.split_once(':').unwrap();
    let minutes = hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap();
    midnight + SignedDuration::from_hours(24 * days as i64) + SignedDuration::from_mins(minutes)
}

pub fn person(id: &str, name: &str, zone: &str) -> Person {
    let zone = TimeZone::get(zone).unwrap();
    Person {
        id: id.parse().unwrap(),
        name: name.into(),
        logins: vec![Login::new("github", id).unwrap()],
        timetable: Timetable::always(zone.clone()),
        zone,
        contacts: vec![Contact::terminal()],
        champions: vec![],
        deputies: vec![],
        muted: BTreeSet::new(),
    }
}

pub fn repository() -> Repository {
    "openedx/edx-platform".parse().unwrap()
}

/// The merge commit of pull request `number`.
pub fn commit(number: u64) -> Commit {
    format!("{number:040x}").parse().unwrap()
}

pub fn service() -> Service {
    let environment = |name: &str, live, alias: &str| Environment {
        name: name.parse().unwrap(),
        live,
        aliases: vec![alias.into()],
        deployed_as: vec![],
    };
    Service {
        id: "edxapp".parse().unwrap(),
        mode: Mode::Page,
        upstreams: vec![],
        repositories: vec![ServedRepository { repository: repository(), branch: None, paths: Paths::default() }],
        environments: vec![environment("production", true, "prod"), environment("stage", false, "staging")],
        owners: vec!["olga".parse().unwrap()],
        rotation: vec!["anna".parse().unwrap()],
        schedule: None,
        beside: None,
        channel_topic: None,
        user_group: None,
        channel: None,
        alerts: vec![Matcher { label: "service".into(), value: "edxapp".into() }],
        policy: Policy::default(),
        timetable: Timetable::always(TimeZone::UTC),
        holds: vec![],
        acts: None,
        maintenance: None,
        frozen: vec![],
        migrations: Paths::new(&crate::undo::outlook::MIGRATIONS.map(str::to_owned)).unwrap(),
        runbook: Some("https://wiki.example.com/edxapp".into()),
        dashboard: None,
        digest: None,
    }
}

pub fn settings() -> Settings {
    let unmapped = Service {
        id: "unmapped".parse().unwrap(),
        repositories: vec![],
        owners: vec!["anna".parse().unwrap()],
        alerts: vec![],
        runbook: None,
        ..service()
    };
    let roster = Roster::new([
        person("feanil", "Feanil", "America/New_York"),
        person("usama", "Usama", "Asia/Karachi"),
        person("anna", "Anna", "Europe/Stockholm"),
        person("olga", "Olga", "Europe/London"),
    ]);
    Settings::new([service()], roster, unmapped, "https://deployers.example.com".into())
}

pub fn change(number: u64, merger: &str, merged_at: Timestamp) -> Change {
    let login = Login::new("github", merger).unwrap();
    Change {
        id: ChangeId { repository: repository(), commit: commit(number) },
        kind: ChangeKind::PullRequest { number },
        title: format!("change number {number}"),
        url: Some(format!("https://github.com/openedx/edx-platform/pull/{number}")),
        base: "master".into(),
        base_is_default: true,
        author: login.clone(),
        merger: Merger { login, credit: Credit::Merged },
        merged_at,
        size: None,
        labels: vec![],
        approvers: vec![],
        commits: vec![],
        reverts: None,
        files: None,
    }
}

pub fn deployment(id: u64, number: u64, environment: &str, state: DeploymentState, when: Timestamp) -> DeploymentEvent {
    DeploymentEvent {
        source: "github".into(),
        id: id.to_string(),
        recurs: false,
        repository: Some(repository()),
        names: vec![],
        environments: vec![environment.into()],
        revision: Revision::Commit(commit(number)),
        manner: Manner::Whole,
        state,
        at: Some(when),
        // Created a while before, as pipelines do; the same for every report of one deployment.
        created_at: Some(at("15:00") + SignedDuration::from_mins(i64::try_from(id).unwrap())),
        note: None,
        url: None,
    }
}

pub fn alert(name: &str, started_at: Timestamp, ended_at: Option<Timestamp>) -> Alert {
    Alert {
        source: "alertmanager".into(),
        fingerprint: name.into(),
        name: name.into(),
        summary: "7 % of requests fail".into(),
        severity: Severity::Critical,
        state: if ended_at.is_some() { AlertState::Resolved } else { AlertState::Firing },
        started_at: Some(started_at),
        ended_at,
        labels: [("service".to_owned(), "edxapp".to_owned())].into(),
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        url: None,
    }
}

/// One service, as the store keeps it.
pub struct World {
    pub settings: Settings,
    pub service: Service,
    pub situation: Situation,
    /// Every message ever decided, in order: the pages and notices of the whole story.
    pub told: Vec<Message>,
    /// Every line of the log, in order.
    pub log: Vec<Entry>,
    /// The reasons of every decision, in order.
    pub reasons: Vec<&'static str>,
    /// What was counted, in order.
    pub facts: Vec<measures::Fact>,
    pub now: Timestamp,
    /// The most that one transaction had to write.
    pub most_actions: usize,
    /// What the store remembers of each change, also when it has left the working set: how much was told of it.
    pub kept: BTreeMap<ChangeId, u64>,
}

impl World {
    pub fn new() -> Self {
        let service = service();
        let situation = Situation::empty(service.id.clone());
        Self {
            settings: settings(),
            service,
            situation,
            told: vec![],
            log: vec![],
            reasons: vec![],
            kept: BTreeMap::new(),
            facts: vec![],
            now: at("12:00"),
            most_actions: 0,
        }
    }

    pub fn commit(&mut self, decisions: &Decisions) {
        self.situation.apply(decisions, self.now);
        self.most_actions = self.most_actions.max(decisions.actions());
        self.facts.extend(decisions.facts.iter().cloned());
        self.told.extend(decisions.messages.iter().cloned());
        self.log.extend(decisions.entries.iter().cloned());
        self.reasons.extend(decisions.entries.iter().map(|e| e.reason.name()));
    }

    /// Another roster, before anything happens.
    pub fn change_roster(&mut self, change: impl FnOnce(&mut Vec<Person>)) {
        let mut people: Vec<Person> = self.settings.roster.people().cloned().collect();
        change(&mut people);
        self.settings.roster = Roster::new(people);
    }

    /// Another service, before anything happens.
    pub fn change_service(&mut self, change: impl FnOnce(&mut Service)) {
        change(&mut self.service);
        let unmapped = self.settings.service(&"unmapped".parse().unwrap()).unwrap().clone();
        let (roster, url) = (self.settings.roster.clone(), self.settings.public_url.clone());
        self.settings = Settings::new([self.service.clone()], roster, unmapped, url);
    }

    /// What the store does with a merge: a richer report of the same commit replaces a poorer one, and the same one told again is
    /// known, however long ago that was.
    pub fn merge(&mut self, change: Change) -> &mut Self {
        let event = MergeEvent::Merged(Box::new(change));
        if let MergeDecision::Keep(merge) = on_merge::decide(event, &Way::default(), &self.settings, self.now) {
            let (id, worth) = (merge.change.id.clone(), u64::from(merge.change.worth()));
            if self.kept.get(&id).is_none_or(|known| *known < worth) {
                self.kept.insert(id.clone(), worth);
                self.situation.note(Record::Change(merge.change), worth);
            }
            if let Some(files) = merge.files {
                self.commit(&on_merge::files::listed(&id, &files, &self.situation));
            }
        }
        self
    }

    pub fn deploy(&mut self, event: &DeploymentEvent) -> Reason {
        let settings = self.settings.clone();
        let place = on_deploy::places(event, &settings).unwrap().remove(0);
        let (decisions, reason) = on_deploy::decide(event, &self.situation, &self.service, &place, self.now);
        self.commit(&decisions);
        reason
    }

    pub fn alert(&mut self, alerts: &[Alert]) -> Reason {
        let place = Place { service: self.service.id.clone(), environment: "production".parse().unwrap() };
        let (decisions, reason) =
            on_alert::decide(alerts, &place, &self.situation, &self.service, &self.settings, &[], self.now);
        self.commit(&decisions);
        reason
    }

    pub fn acknowledge(&mut self, who: &str) -> Result<(), Refused> {
        self.does(who, |counter| counter.acknowledge())
    }

    /// What somebody does about the newest incident.
    pub fn does(
        &mut self,
        who: &str,
        act: impl FnOnce(&Counter<'_>) -> Result<Decisions, Refused>,
    ) -> Result<(), Refused> {
        let newest = self.situation.incidents.values().max_by_key(|known| known.value.detected_at);
        let id = newest.ok_or(Refused::NoSuchIncident)?.value.id.clone();
        let person = who.parse().unwrap();
        let (situation, service, settings) = (&self.situation, &self.service, &self.settings);
        let counter = Counter { id: &id, person: &person, situation, service, settings, now: self.now };
        let decisions = act(&counter)?;
        self.commit(&decisions);
        Ok(())
    }

    /// Lets the scheduler look until it wants to look no more at this moment.
    pub fn settle(&mut self) -> &mut Self {
        for _ in 0..100 {
            let outbox: [Outgoing; 0] = [];
            let round = on_schedule::decide(&self.situation, &outbox, &self.service, &self.settings, self.now);
            self.commit(&round.decisions);
            if !matches!(round.decisions.wake, Wake::Exactly(Some(due)) if due <= self.now) {
                return self;
            }
        }
        panic!("the scheduler does not come to rest");
    }

    /// Moves the clock, and looks whenever a stored deadline is due on the way.
    pub fn until(&mut self, then: Timestamp) -> &mut Self {
        for _ in 0..1000 {
            let Some(due) = self.situation.clock.value.due_at.filter(|due| *due <= then) else { break };
            self.now = self.now.max(due);
            self.settle();
            if self.situation.clock.value.due_at.is_some_and(|next| next <= self.now) {
                panic!("due again at the same moment");
            }
        }
        self.now = then;
        self.settle()
    }

    /// `person step reason`, a line for each message decided since the last call.
    pub fn heard(&mut self) -> String {
        let line =
            |m: &Message| format!("{} {} {} ({})", m.kind.word(), m.key.person, m.key.step.word(), m.reason.name());
        std::mem::take(&mut self.told).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// `label person phase`, a line for each window.
    pub fn windows(&self) -> String {
        let all = window::windows(&self.situation, &self.service, &self.settings.roster, self.now);
        let line = |w: &Window<'_>| {
            let phase = match w.phase {
                Phase::Standby => "standby".to_owned(),
                Phase::Active { until, .. } => format!("active until {}", clock(until)),
                Phase::Tail { until, .. } => format!("tail until {}", clock(until)),
                Phase::Closed { at, .. } => format!("closed at {}", clock(at)),
            };
            format!("{} {} {phase}", w.change.label(), w.responder.person)
        };
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The suspects of every incident, best first.
    pub fn suspects(&self) -> String {
        let incidents = self.situation.incidents.values();
        incidents.flat_map(|i| i.value.suspects.iter().map(|s| s.label.clone())).collect::<Vec<_>>().join(", ")
    }

    /// Panics if any message was decided twice.
    pub fn nobody_told_twice(&self) {
        let mut seen: BTreeSet<&MessageKey> = BTreeSet::new();
        for message in &self.told {
            assert!(seen.insert(&message.key), "decided twice: {}", message.key);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.situation.changes.is_empty() && self.situation.notes.is_empty()
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%a %H:%M").to_string()
}
