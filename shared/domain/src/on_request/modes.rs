//! A person says how far automation goes for a service: lower by anybody's word, up again by those who answer for it, and never
//! further than the configuration says.

use super::hands::{Desk, MOST_WHY};
use crate::decision::{Decisions, Record};
use crate::ids::PersonId;
use crate::message::Subject;
use crate::mode::{Ceiling, Lowered, Mode, Why};
use crate::reason::Reason;
use crate::text;

/// Why nothing was done. Each says what is so, or what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("that is so already")]
    AlreadySo,
    #[error("the configuration says {}: more than that is said there, by whoever deploys it", .0.word())]
    AboveConfiguration(Mode),
    #[error("whoever owns the service, or is on its rotation, raises its mode")]
    OwnersRaise,
    #[error("outside contributors do not say how far automation goes: ask somebody of the team")]
    ByOutside,
}

impl Desk<'_> {
    /// By the word of `by` automation goes this far.
    pub fn set_mode(&self, by: &PersonId, to: Mode, why: &str) -> Result<Decisions, Refused> {
        let Desk { situation, service, settings, now } = *self;
        if settings.roster.person(by).is_none_or(crate::Person::is_outside) {
            return Err(Refused::ByOutside);
        }
        if to > service.mode {
            return Err(Refused::AboveConfiguration(service.mode));
        }
        let known = &situation.ceiling;
        let before = situation.mode(service);
        if to == before {
            return Err(Refused::AlreadySo);
        }
        if to > before && !service.owners.iter().chain(&service.rotation).any(|person| person == by) {
            return Err(Refused::OwnersRaise);
        }
        let why = text::line(why, MOST_WHY);
        let said = Why::Said { by: by.clone(), why: why.clone() };
        let lowered = (to < service.mode).then_some(Lowered { to, at: now, why: said });
        // Whoever raises it has looked at the wrong pages of before: they lower it no more.
        let counts_from = if to > before { Some(now) } else { known.value.counts_from };
        let mut decisions = self.decisions();
        let what = format!("{} says: {} is in mode {}", settings.roster.name_of(by), service.id, to.word());
        let reason = Reason::ModeSaid { to: to.word().to_owned(), why };
        decisions.log(now, Some(Subject::Service), Some(by.clone()), what, reason);
        decisions.put(Record::Ceiling(Ceiling { lowered, counts_from, ..known.value.clone() }), known.rev);
        Ok(decisions)
    }
}

#[cfg(test)]
#[path = "modes_tests.rs"]
mod tests;
