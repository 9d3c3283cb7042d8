//! A person declares a freeze, says that it lasts longer or shorter, ends it. Doing it again is harmless and says so.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::decision::{Decisions, Record, Wake};
use crate::freeze::{Declared, Preset, Scope, Stops};
use crate::ids::{FreezeId, PersonId, ServiceId};
use crate::message::Subject;
use crate::reason::Reason;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;

/// The longest that one freeze may last by somebody's word: what is longer belongs into the configuration.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 31);
/// How far ahead it may begin.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 366);
/// How many may be ahead at a time.
const MOST: usize = 50;
/// Asking again within this time is a second click, not a wish for longer.
const A_CLICK: SignedDuration = SignedDuration::from_mins(1);

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: FreezeId,
    pub name: String,
    /// Absent: a holiday's; of one that is changed, what it asked for.
    pub stops: Option<Stops>,
    /// Whether the rotation signs for what is to pass. Absent: not; of one that is changed, as it was.
    pub rotation_signs: Option<bool>,
    /// Absent: everything; of one that is changed, what it was about. Environments are called as people call them.
    pub scope: Option<Scope>,
    pub zone: String,
    /// Absent: from now on; of one that is changed, when it began or begins.
    pub from: Option<Timestamp>,
    pub until: Timestamp,
}

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("that is so already")]
    AlreadySo,
    #[error("it asks for nothing: say what should wait, merges or deployments")]
    Nothing,
    #[error("it has to end after it begins, and not lie in the past")]
    Backwards,
    #[error("at most 31 days at a time, at most a year ahead: what is longer belongs into the configuration")]
    TooLong,
    #[error("`{0}` is not a time zone; write one such as \"Europe/London\"")]
    NoZone(String),
    #[error("there is no service {0}")]
    NoService(String),
    #[error("there is no environment {0} in what it is about")]
    NoEnvironment(String),
    #[error("outside contributors do not declare freezes")]
    Outside,
    #[error("{0} is a freeze of the configuration: only that changes it")]
    Configured(FreezeId),
    #[error("{MOST} freezes are ahead already: end some first")]
    TooMany,
    #[error("no freeze {0} is under way or ahead")]
    NoSuch(FreezeId),
}

/// Where freezes are kept, as it stands at one moment.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub situation: &'a Situation,
    pub settings: &'a Settings,
    pub now: Timestamp,
}

impl Desk<'_> {
    /// The one of this name that is not over yet.
    fn ahead(&self, id: &FreezeId) -> Option<&Declared> {
        let known = self.situation.freezes.get(id).map(|noted| &noted.value);
        known.filter(|freeze| self.now < freeze.over_at())
    }

    /// The freeze that there would be by the word of `by`.
    pub fn would_be(&self, by: &PersonId, wanted: &Wanted) -> Result<Declared, Refused> {
        let ahead = self.ahead(&wanted.id);
        let from = match (ahead, wanted.from) {
            // What is under way began when it began.
            (Some(ahead), _) if ahead.from <= self.now => ahead.from,
            (Some(ahead), None) => ahead.from,
            (_, from) => from.unwrap_or(self.now).max(self.now),
        };
        let stops = wanted.stops.or(ahead.map(|ahead| ahead.stops)).unwrap_or(Preset::Holiday.stops());
        let scope = match (&wanted.scope, ahead) {
            (Some(scope), _) => self.known(scope)?,
            (None, Some(ahead)) => ahead.scope.clone(),
            (None, None) => Scope::default(),
        };
        if stops == Stops::default() {
            return Err(Refused::Nothing);
        }
        if wanted.until <= from.max(self.now) {
            return Err(Refused::Backwards);
        }
        if from.duration_since(self.now) > FURTHEST || wanted.until.duration_since(from) > LONGEST {
            return Err(Refused::TooLong);
        }
        TimeZone::get(&wanted.zone).map_err(|_| Refused::NoZone(text::line(&wanted.zone, 60)))?;
        if self.settings.roster.person(by).is_none_or(crate::Person::is_outside) {
            return Err(Refused::Outside);
        }
        if self.settings.freezes.iter().any(|freeze| freeze.id == wanted.id) {
            return Err(Refused::Configured(wanted.id.clone()));
        }
        let others = self.situation.freezes.values().filter(|noted| self.now < noted.value.over_at());
        if ahead.is_none() && others.count() >= MOST {
            return Err(Refused::TooMany);
        }
        let name = text::line(&wanted.name, 80);
        let widened_at = ahead.and_then(|ahead| {
            if ahead.stops == stops && ahead.scope == scope { ahead.widened_at } else { Some(self.now) }
        });
        Ok(Declared {
            id: wanted.id.clone(),
            name: if name.is_empty() { wanted.id.to_string() } else { name },
            stops,
            rotation_signs: wanted.rotation_signs.or(ahead.map(|ahead| ahead.rotation_signs)).unwrap_or_default(),
            scope,
            zone: wanted.zone.clone(),
            from,
            until: wanted.until,
            by: by.clone(),
            declared_at: ahead.map_or(self.now, |ahead| ahead.declared_at),
            changed_at: ahead.map(|_| self.now),
            widened_at,
            ended: None,
        })
    }

    /// By the word of `by` there is a freeze; one of this name that is not over yet is changed.
    pub fn declare(&self, by: &PersonId, wanted: &Wanted) -> Result<Decisions, Refused> {
        let freeze = self.would_be(by, wanted)?;
        let ahead = self.ahead(&wanted.id);
        let near = |a: Timestamp, b: Timestamp| a.duration_since(b).abs() < A_CLICK;
        if ahead.is_some_and(|old| {
            let same = (&old.name, old.stops, old.rotation_signs, &old.scope, &old.zone)
                == (&freeze.name, freeze.stops, freeze.rotation_signs, &freeze.scope, &freeze.zone);
            same && near(old.from, freeze.from) && near(old.until, freeze.until)
        }) {
            return Err(Refused::AlreadySo);
        }
        let (did, reason) = match ahead {
            Some(_) => ("changes", Reason::FreezeChanged { freeze: freeze.name.clone() }),
            None => ("declares", Reason::FreezeDeclared { freeze: freeze.name.clone() }),
        };
        let what = format!("{} {did} the freeze {}: {}", self.name(by), freeze.id, freeze.in_words());
        let mut decisions = self.decisions();
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, reason);
        let rev = self.situation.freezes.get(&wanted.id).map_or(0, |noted| noted.rev);
        decisions.put(Record::Freeze(freeze), rev);
        Ok(decisions)
    }

    /// What it is about, by the configuration's own names.
    fn known(&self, scope: &Scope) -> Result<Scope, Refused> {
        let served = |id: &ServiceId| self.settings.services().any(|service| service.id == *id);
        if let Some(id) = scope.services.iter().find(|id| !served(id)) {
            return Err(Refused::NoService(id.to_string()));
        }
        let about = || self.settings.services().filter(|s| scope.services.is_empty() || scope.services.contains(&s.id));
        let mut environments = BTreeSet::new();
        for name in &scope.environments {
            let called = about().filter_map(|service| service.environment_called(name.as_str()));
            let before = environments.len();
            environments.extend(called.map(|environment| environment.name.clone()));
            if environments.len() == before && !environments.contains(name) {
                return Err(Refused::NoEnvironment(name.to_string()));
            }
        }
        let repositories = scope.repositories.iter().take(MOST).map(|pattern| text::line(pattern, 200)).collect();
        Ok(Scope { services: scope.services.clone(), repositories, environments })
    }

    /// A freeze is over by the word of `by`, or does not begin.
    pub fn end(&self, by: &PersonId, id: &FreezeId) -> Result<Decisions, Refused> {
        let known = self.situation.freezes.get(id).filter(|noted| self.now < noted.value.over_at());
        let Some(noted) = known else {
            let configured = self.settings.freezes.iter().any(|freeze| freeze.id == *id);
            return Err(if configured { Refused::Configured(id.clone()) } else { Refused::NoSuch(id.clone()) });
        };
        if self.settings.roster.person(by).is_none_or(crate::Person::is_outside) {
            return Err(Refused::Outside);
        }
        let freeze = Declared { ended: Some((self.now, by.clone())), ..noted.value.clone() };
        let did = if freeze.from <= self.now { "ends" } else { "calls off" };
        let what = format!("{} {did} the freeze {id} ({})", self.name(by), freeze.name);
        let mut decisions = self.decisions();
        let reason = Reason::FreezeEnded { freeze: freeze.name.clone() };
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, reason);
        decisions.put(Record::Freeze(freeze), noted.rev);
        Ok(decisions)
    }

    pub(crate) fn decisions(&self) -> Decisions {
        Decisions::none(&self.settings.freeze_desk().id, Wake::Now)
    }

    pub(super) fn name<'b>(&'b self, person: &'b PersonId) -> &'b str {
        self.settings.roster.name_of(person)
    }
}

#[cfg(test)]
#[path = "freezes_tests.rs"]
mod tests;
