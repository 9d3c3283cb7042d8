//! A monitor says something is wrong, or that it no longer is. All alerts of one environment of a service
//! are one failure: one open incident, its suspects, its pages.

mod answers;
pub mod elsewhere;
mod escalate;
mod outcomes;
mod over;
mod squads;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Place};
use crate::autopilot;
use crate::decision::{Decisions, Record, Wake};
use crate::ids::{EnvironmentName, ServiceId};
use crate::incident::Incident;
use crate::message::Subject;
use crate::reason::Reason;
use crate::service::Service;
use crate::settings::Settings;
use crate::signals::{Signal, Signals};
use crate::situation::{Noted, Situation};
use crate::times::span;
use crate::wording;
pub use answers::answered;
use answers::taken_over;
pub use escalate::{Elsewhere, escalate, escalate_among, look_back, next_look};
pub(crate) use outcomes::judge;
pub(crate) use over::{close_pages, tell_pager};

/// What monitors tell us: the alerts of one message, which may be about several services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertEvent {
    pub alerts: Vec<Alert>,
    /// How many more the message had, that could not be read or were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Whether what comes later about one of these may say less than this, so that where it belongs is remembered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brief: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl AlertEvent {
    /// The same, as said by this source: two monitors of one kind may use one fingerprint for different things.
    #[must_use]
    pub fn from(mut self, source: &str) -> Self {
        self.alerts.iter_mut().for_each(|alert| source.clone_into(&mut alert.source));
        self
    }

    /// The alerts by the service and environment they are about. Of what the sender may not speak for, none are.
    #[must_use]
    pub fn by_place(self, settings: &Settings, may: impl Fn(&ServiceId) -> bool) -> BTreeMap<Place, Vec<Alert>> {
        let mut places: BTreeMap<Place, Vec<Alert>> = BTreeMap::new();
        for alert in self.alerts {
            places.entry(Self::place(&alert, settings, &may)).or_default().push(alert);
        }
        places
    }

    /// Where one alert belongs.
    #[must_use]
    pub fn place(alert: &Alert, settings: &Settings, may: impl Fn(&ServiceId) -> bool) -> Place {
        let (service, environment) = settings.place(alert);
        let (service, environment) = if may(&service.id) { (service, environment) } else { settings.unplaced(alert) };
        Place { service: service.id.clone(), environment }
    }
}

/// What is known of one service at one moment, and of what is broken elsewhere.
#[derive(Clone, Copy)]
struct Scene<'a> {
    situation: &'a Situation,
    service: &'a Service,
    settings: &'a Settings,
    elsewhere: &'a [Elsewhere],
    now: Timestamp,
}

/// Decides about the alerts of one environment of one service. `elsewhere`: what is broken in services that may have
/// broken by the same change.
#[must_use]
pub fn decide(
    alerts: &[Alert],
    place: &Place,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    elsewhere: &[Elsewhere],
    now: Timestamp,
) -> (Decisions, Reason) {
    let mut decisions = Decisions::none(&service.id, Wake::Now);
    let known = situation.signals.get(&place.environment);
    let mut signals = known.map(|k| k.value.clone()).unwrap_or_default();
    for alert in alerts {
        signals.learn(alert, now);
        if autopilot::is_canary(alert, service) {
            signals.by_key.entry(alert.key()).and_modify(|signal| signal.canary = true);
        }
    }
    // What was over by itself before we heard of it wakes nobody.
    signals.lapse(now);
    signals.trim(now);
    if known.is_some_and(|k| k.value == signals) {
        return (decisions, Reason::AlreadyKnown);
    }
    let scene = Scene { situation, service, settings, elsewhere, now };
    let reason = hear(&mut decisions, &mut signals, place, scene);
    decisions.put(Record::Signals(place.environment.clone(), signals), known.map_or(0, |k| k.rev));
    (decisions, reason)
}

/// What is over by itself is over: its monitor will never say so.
pub fn lapse(
    decisions: &mut Decisions,
    known: &Noted<Signals>,
    environment: &EnvironmentName,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let mut signals = known.value.clone();
    signals.lapse(now);
    let place = Place { service: service.id.clone(), environment: environment.clone() };
    let scene = Scene { situation, service, settings, elsewhere: &[], now };
    hear(decisions, &mut signals, &place, scene);
    decisions.put(Record::Signals(environment.clone(), signals), known.rev);
}

/// What the monitors say has changed: an incident begins, goes on, or is over.
fn hear(decisions: &mut Decisions, signals: &mut Signals, place: &Place, scene: Scene<'_>) -> Reason {
    match open_incident(signals, scene.situation) {
        Some((incident, rev)) => follow(decisions, signals, incident.clone(), rev, scene),
        None => begin(decisions, signals, place, scene),
    }
}

fn open_incident<'a>(signals: &Signals, situation: &'a Situation) -> Option<(&'a Incident, u64)> {
    let noted = situation.incidents.get(signals.open.as_ref()?)?;
    noted.value.is_open().then_some((&noted.value, noted.rev))
}

fn firing(signals: &Signals) -> BTreeMap<String, Signal> {
    signals.firing().map(|(key, signal)| (key.clone(), signal.clone())).collect()
}

/// No incident is open: open one if something fires.
fn begin(decisions: &mut Decisions, signals: &mut Signals, place: &Place, scene: Scene<'_>) -> Reason {
    let Scene { service, settings, now, .. } = scene;
    let firing = firing(signals);
    if firing.is_empty() {
        return Reason::ResolvedBeforeItFired;
    }
    if let Some((incident, rev)) = flapped(&firing, place, scene) {
        return reopen(decisions, signals, incident, rev, &firing, scene);
    }
    let mut incident = Incident::open(&place.service, &place.environment, &firing, now);
    signals.open = Some(incident.id.clone());
    let reason = Reason::IncidentOpened { alerts: firing.len() };
    let what = wording::headline(&incident);
    decisions.log(now, Some(Subject::Incident(incident.id.clone())), None, what, reason.clone());
    taken_over(decisions, &mut incident, &firing, service, settings, now);
    escalate::with(decisions, &mut incident, scene);
    let seen = scene.situation.incidents.get(&incident.id).map_or(0, |known| known.rev);
    decisions.put(Record::Incident(incident), seen);
    reason
}

/// The incident of this environment that was over only lately: what fires now is the same failure.
fn flapped(firing: &BTreeMap<String, Signal>, place: &Place, scene: Scene<'_>) -> Option<(Incident, u64)> {
    let lately = scene.situation.incidents.values().filter(|known| known.value.environment == place.environment);
    let over = |known: &&Noted<Incident>| {
        let again = known.value.resolved_at.is_some_and(|at| scene.now < at + scene.service.policy.reopen_within);
        again && firing.keys().any(|key| known.value.alerts.contains_key(key))
    };
    let known = lately.filter(over).max_by_key(|known| known.value.resolved_at)?;
    Some((known.value.clone(), known.rev))
}

/// What was over fires again: the same incident, a new round.
fn reopen(
    decisions: &mut Decisions,
    signals: &mut Signals,
    mut incident: Incident,
    rev: u64,
    firing: &BTreeMap<String, Signal>,
    scene: Scene<'_>,
) -> Reason {
    let Scene { service, settings, now, .. } = scene;
    incident.reopen(firing, now);
    signals.open = Some(incident.id.clone());
    let what = wording::headline(&incident);
    decisions.log(now, Some(Subject::Incident(incident.id.clone())), None, what, Reason::FiresAgain);
    taken_over(decisions, &mut incident, firing, service, settings, now);
    escalate::with(decisions, &mut incident, scene);
    decisions.put(Record::Incident(incident), rev);
    Reason::FiresAgain
}

/// An incident is open: it grows, or it is over.
fn follow(
    decisions: &mut Decisions,
    signals: &mut Signals,
    mut incident: Incident,
    rev: u64,
    scene: Scene<'_>,
) -> Reason {
    let Scene { service, settings, now, .. } = scene;
    let firing = firing(signals);
    let before = incident.clone();
    let over = firing.is_empty() && signals.unsure_until().is_none_or(|until| until <= now);
    let reason = if over {
        signals.open = None;
        resolve(decisions, &mut incident, signals, service, settings, now);
        Reason::IncidentResolved
    } else {
        incident.join(&firing, now);
        taken_over(decisions, &mut incident, &firing, service, settings, now);
        escalate::with(decisions, &mut incident, scene);
        Reason::IncidentGrew { alerts: incident.alerts() }
    };
    if incident != before {
        let subject = Some(Subject::Incident(incident.id.clone()));
        let lasted =
            incident.resolved_at.map(|at| format!(", over after {}", span(at.duration_since(incident.began_at))));
        let what = format!("{}{}", wording::headline(&incident), lasted.unwrap_or_default());
        decisions.log(now, subject, None, what, reason.clone());
        decisions.put(Record::Incident(incident), rev);
    }
    reason
}

/// What fired and was forgotten has been silent for so long that the incident is over all the same.
pub fn give_up(
    decisions: &mut Decisions,
    known: &Noted<Signals>,
    place: &EnvironmentName,
    situation: &Situation,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    if let Some((incident, rev)) = open_incident(&known.value, situation) {
        let mut incident = incident.clone();
        resolve(decisions, &mut incident, &known.value, service, settings, now);
        let subject = Some(Subject::Incident(incident.id.clone()));
        decisions.log(now, subject, None, wording::headline(&incident), Reason::IncidentResolved);
        decisions.put(Record::Incident(incident), rev);
    }
    let signals = Signals { open: None, lost_at: None, ..known.value.clone() };
    decisions.put(Record::Signals(place.clone(), signals), known.rev);
}

/// Nothing fires any more. Those who were paged are told.
fn resolve(
    decisions: &mut Decisions,
    incident: &mut Incident,
    signals: &Signals,
    service: &Service,
    settings: &Settings,
    now: Timestamp,
) {
    let ended = incident.alerts.keys().filter_map(|key| signals.by_key.get(key)?.ended_at).max();
    let at = ended.unwrap_or(now).min(now).max(incident.began_at);
    incident.resolved_at = Some(at);
    over::say_over(decisions, incident, service, settings, now);
}

#[cfg(test)]
#[path = "on_alert_tests.rs"]
mod tests;
