//! Why somebody answers for a change, as a fact and in words: to the person, and about the person.

use serde::{Deserialize, Serialize};

use crate::ids::PersonId;
use crate::login::Login;

/// Why somebody holds a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    Merged,
    Enqueued,
    Authored,
    Pushed,
    /// A bot made and merged it, and this person approved it.
    Approved {
        bot: Login,
    },
    /// A bot made and merged it, and nobody is known to have approved it: the owner answers.
    OwnsWhatBotsMerge {
        bot: Login,
    },
    /// Nobody in the roster has the merger's account: the service's owner stands in.
    StandsIn {
        unknown: Login,
    },
    /// The merger is an outside contributor, and this is a champion.
    Champion {
        contributor: PersonId,
    },
    /// The merger is an outside contributor of whom no champion could be reached: the rotation holds it.
    NoChampion {
        contributor: PersonId,
    },
    /// The merger has a day off or a holiday; this is the deputy, or the owner.
    Deputises {
        away: PersonId,
        why: String,
    },
    /// Everybody who was asked to take the pager declined; policy says that this person answers.
    Declined {
        merger: Option<PersonId>,
    },
    /// The window was handed over.
    HandedOver {
        by: PersonId,
    },
    /// This person asked to let it pass a freeze: on call by that act.
    Expedited,
    /// This person took the window, or the pager of the whole service.
    Took,
    /// Somebody else put this person on call for the whole service.
    PutOnCall {
        by: PersonId,
    },
}

impl Because {
    /// To the person: `you merged edx-platform#12`. `name` says how people are called.
    #[must_use]
    pub fn you(&self, what: &str, name: impl Fn(&PersonId) -> String) -> String {
        match self {
            Self::Merged => format!("you merged {what}"),
            Self::Enqueued => format!("you put {what} into the merge queue"),
            Self::Authored => format!("you wrote {what}, which a bot merged"),
            Self::Pushed => format!("you pushed {what}"),
            Self::Approved { bot } => format!("you approved {what}, which {bot} made"),
            Self::OwnsWhatBotsMerge { bot } => format!("{bot} made and merged {what}: you answer as owner"),
            Self::StandsIn { unknown } => {
                format!("you stand in as owner for {unknown}, who merged {what} and is in no roster")
            }
            Self::Champion { contributor } => {
                format!("you are the champion of {}, who merged {what}", name(contributor))
            }
            Self::NoChampion { contributor } => {
                format!("no champion of {}, who merged {what}, could be reached", name(contributor))
            }
            Self::Deputises { away, why } => {
                format!("you stand in for {}, who merged {what} and has {why}", name(away))
            }
            Self::Declined { merger: Some(merger) } => {
                format!("{}, who merged {what}, declined the pager", name(merger))
            }
            Self::Declined { merger: None } => format!("nobody who was asked took the pager for {what}"),
            Self::HandedOver { by } => format!("{} handed {what} over to you", name(by)),
            Self::Expedited => format!("you asked to let {what} pass the freeze"),
            Self::Took => format!("you took the pager for {what}"),
            Self::PutOnCall { by } => format!("{} put you on call for {what}", name(by)),
        }
    }

    /// About the person: `merged it`.
    #[must_use]
    pub fn they(&self, name: impl Fn(&PersonId) -> String) -> String {
        match self {
            Self::Merged => "merged it".to_owned(),
            Self::Enqueued => "put it into the merge queue".to_owned(),
            Self::Authored => "wrote it; a bot merged".to_owned(),
            Self::Pushed => "pushed it".to_owned(),
            Self::Approved { bot } => format!("approved it; {bot} made and merged it"),
            Self::OwnsWhatBotsMerge { bot } => format!("answers as owner; {bot} made and merged it"),
            Self::StandsIn { unknown } => format!("stands in as owner: nobody in the roster has the account {unknown}"),
            Self::Champion { contributor } => format!("champion of {}, who merged it", name(contributor)),
            Self::NoChampion { contributor } => {
                format!("holds it: no champion of {}, who merged it, could be reached", name(contributor))
            }
            Self::Deputises { away, why } => format!("stands in for {}, who merged it and has {why}", name(away)),
            Self::Declined { merger: Some(merger) } => format!("holds it: {} declined the pager", name(merger)),
            Self::Declined { merger: None } => "holds it: nobody who was asked took the pager".to_owned(),
            Self::HandedOver { by } => format!("had it handed over by {}", name(by)),
            Self::Expedited => "asked to let it pass the freeze".to_owned(),
            Self::Took => "took the pager".to_owned(),
            Self::PutOnCall { by } => format!("was put on call by {}", name(by)),
        }
    }

    /// Whether somebody should put it right in the roster.
    #[must_use]
    pub fn is_flagged(&self) -> bool {
        matches!(self, Self::StandsIn { .. } | Self::NoChampion { .. })
    }
}
