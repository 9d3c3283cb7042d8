//! A person says that a service may break for a while, and when that is over. Nobody is paged meanwhile
//! ([`crate::hold`]); what still fires then pages. Saying it again is harmless and says so.

use jiff::Timestamp;

use super::hands::{A_CLICK, Desk, MOST_WHY};
use crate::decision::{Decisions, Record};
use crate::ids::PersonId;
use crate::maintenance::{self, LONGEST, MOST, Maintenance};
use crate::message::Subject;
use crate::reason::Reason;
use crate::shift::FURTHEST;
use crate::text;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What people or pipelines call it; absent: every environment.
    pub environment: Option<String>,
    /// Absent: from now on.
    pub from: Option<Timestamp>,
    pub until: Timestamp,
    pub why: String,
}

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("that is so already")]
    AlreadySo,
    #[error("it has to end after it begins, and not lie in the past")]
    Backwards,
    #[error("at most three days at a time, at most three months ahead: longer would hide incidents")]
    TooLong,
    #[error("there is no environment {0} here")]
    NoEnvironment(String),
    #[error("{MOST} times of maintenance are ahead already: end some first")]
    TooMany,
    #[error("nothing is under maintenance here by anybody's word, and nothing is planned")]
    NotUnderMaintenance,
    #[error("the maintenance of each week is under way: only the configuration ends it")]
    Weekly,
}

impl Desk<'_> {
    /// By the word of `by` the service may break.
    pub fn begin_maintenance(&self, by: &PersonId, wanted: &Wanted) -> Result<Decisions, Refused> {
        let from = wanted.from.unwrap_or(self.now).max(self.now);
        let until = wanted.until;
        if until <= from {
            return Err(Refused::Backwards);
        }
        if from.duration_since(self.now) > FURTHEST || until.duration_since(from) > LONGEST {
            return Err(Refused::TooLong);
        }
        let called = |name: &String| {
            let known = self.service.environment_called(name).map(|e| e.name.clone());
            known.ok_or_else(|| Refused::NoEnvironment(text::line(name, 40)))
        };
        let environment = wanted.environment.as_ref().map(called).transpose()?;
        let mut paging = self.situation.paging.value.clone();
        let ahead = || paging.maintenance.iter().filter(|m| m.is_ahead(self.now));
        let wider = |m: &&Maintenance| m.environment.is_none() || m.environment == environment;
        if ahead().filter(wider).any(|m| m.from <= from && m.over_at() + A_CLICK >= until) {
            return Err(Refused::AlreadySo);
        }
        if ahead().count() >= MOST {
            return Err(Refused::TooMany);
        }
        let why = text::line(&wanted.why, MOST_WHY);
        let why = if why.is_empty() { "no reason was given".to_owned() } else { why };
        let place = environment.as_ref().map(|e| format!(" in {e}")).unwrap_or_default();
        let (begins, ends) = (from.strftime("%Y-%m-%d %H:%M"), until.strftime("%Y-%m-%d %H:%M UTC"));
        let what = format!("{} says that {}{place} may break, {begins} to {ends}", self.name(by), self.service.id);
        paging.add_maintenance(Maintenance {
            environment,
            from,
            until,
            why: why.clone(),
            by: by.clone(),
            ended_at: None,
        });
        let mut decisions = self.decisions();
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, Reason::MaintenanceBegan { why });
        decisions.put(Record::Paging(paging), self.situation.paging.rev);
        Ok(decisions)
    }

    /// What is under way is over, by the word of `by`; if nothing is, what is ahead is called off.
    pub fn end_maintenance(&self, by: &PersonId) -> Result<Decisions, Refused> {
        let mut paging = self.situation.paging.value.clone();
        let begun = |m: &Maintenance| m.is_ahead(self.now) && m.from <= self.now;
        let under_way = paging.maintenance.iter().any(begun);
        let ends = |m: &Maintenance| if under_way { begun(m) } else { m.is_ahead(self.now) };
        let mut ended = false;
        for maintenance in paging.maintenance.iter_mut().filter(|m| ends(m)) {
            maintenance.ended_at = Some(self.now);
            ended = true;
        }
        if !ended {
            let weekly = maintenance::weekly_now(self.service, self.now);
            return Err(if weekly.is_some() { Refused::Weekly } else { Refused::NotUnderMaintenance });
        }
        let mut decisions = self.decisions();
        let did = if under_way { "ended" } else { "called off" };
        let what = format!("{} {did} the maintenance of {}", self.name(by), self.service.id);
        decisions.log(self.now, Some(Subject::Service), Some(by.clone()), what, Reason::MaintenanceEnded);
        decisions.put(Record::Paging(paging), self.situation.paging.rev);
        Ok(decisions)
    }
}

#[cfg(test)]
#[path = "maintenance_tests.rs"]
mod tests;
