//! Which commands have something done by a person, and what that is.

use super::{Command, OfPerson};
use crate::wish::Wish;

impl Command {
    /// What a person wants done in which service, for the commands that move responsibility.
    #[must_use]
    pub fn wish(&self) -> Option<(&str, &str, Wish)> {
        Some(match self {
            Self::Take { service, how_long, person, from, me } => {
                let (how_long, person, from) = (how_long.clone(), person.clone(), from.clone());
                (service, &me.id, Wish::Take { person, how_long, from })
            }
            Self::GiveBack { service, me } => (service, &me.id, Wish::GiveBack),
            Self::Drill { service, person, me } => (service, &me.id, Wish::Drill { person: person.clone() }),
            Self::HandOver { service, change, to, me } => {
                (service, &me.id, Wish::HandOver { change: change.clone(), to: to.clone() })
            }
            Self::Answer { service, change, answer, me } => {
                (service, &me.id, Wish::Answer { change: change.clone(), takes: answer == "yes" })
            }
            Self::Pause { service, why, how_long, me } => {
                (service, &me.id, Wish::Pause { why: why.clone(), how_long: how_long.clone() })
            }
            Self::Resume { service, me } => (service, &me.id, Wish::Resume),
            Self::Unlearn { service, me } => (service, &me.id, Wish::Unlearn),
            // Freezes are of no service.
            Self::Freeze { freeze, me } => ("freezes", &me.id, Wish::Freeze(freeze.clone())),
            Self::Expedite { pull, why, sign, refuse, withdraw, me } => {
                let does = match (sign, refuse, withdraw) {
                    (true, ..) => "sign",
                    (_, true, _) => "refuse",
                    (.., true) => "withdraw",
                    _ => "expedite",
                };
                ("freezes", &me.id, Wish::Expedite { pull: pull.clone(), why: why.join(" "), does })
            }
            // Of no one service either.
            Self::Person { what: OfPerson::Export { person, login, me } } => {
                ("freezes", &me.id, Wish::ExportPerson { person: person.clone(), logins: login.clone() })
            }
            Self::Person { what: OfPerson::Remove { person, login, yes, me } } => {
                ("freezes", &me.id, Wish::RemovePerson { person: person.clone(), logins: login.clone(), yes: *yes })
            }
            Self::LetThrough { service, me } => (service, &me.id, Wish::LetThrough),
            Self::Thaw { freeze, me } => ("freezes", &me.id, Wish::Thaw { freeze: freeze.clone() }),
            Self::Mode { service, to, why, me } => (service, &me.id, Wish::Mode { to: to.clone(), why: why.join(" ") }),
            Self::Maintain { service, end: true, me, .. } => (service, &me.id, Wish::Maintained),
            Self::Maintain { service, how_long, why, environment, from, me, .. } => {
                let (environment, from) = (environment.clone(), from.clone());
                let how_long = how_long.clone().unwrap_or_default();
                (service, &me.id, Wish::Maintain { how_long, why: why.join(" "), environment, from })
            }
            Self::Backtest { .. }
            | Self::Replay { .. }
            | Self::Audit { .. }
            | Self::Demo
            | Self::Explain { .. }
            | Self::Export { .. }
            | Self::Connect { .. }
            | Self::Check { .. }
            | Self::Layer { .. }
            | Self::MayDeploy { .. }
            | Self::MayMerge { .. }
            | Self::Measures(_)
            | Self::Who { .. } => return None,
        })
    }
}
