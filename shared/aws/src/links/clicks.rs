//! What a chat offers to do about something where it stands, without a page: by a press, by a choice, with a line of words.
//! Whatever comes of it is the form that the page of the link would send.

use std::collections::BTreeMap;

use domain::PersonId;

use super::Action;

/// One thing that a chat offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Click {
    pub label: &'static str,
    /// Sent as `do`.
    pub does: &'static str,
    pub fill: Fill,
    /// Asked once more before it is done, where a slip of the finger would cost others something.
    pub sure: Option<&'static str>,
}

/// What is sent with it, by the name of the form's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Nothing,
    Always(&'static str, &'static str),
    /// Whoever presses it.
    Oneself(&'static str),
    /// A person who is chosen.
    Person(&'static str),
    /// One of the incident's suspects that is chosen, or none of them.
    Suspect(&'static str),
    /// A line that is written.
    Words(&'static str),
}

/// A button that needs nothing but to be pressed.
const fn press(label: &'static str, does: &'static str) -> Click {
    with(label, does, Fill::Nothing)
}

const fn with(label: &'static str, does: &'static str, fill: Fill) -> Click {
    Click { label, does, fill, sure: None }
}

impl Click {
    /// By what it is known among those of its action, of which several can do the same.
    #[must_use]
    pub fn id(&self) -> String {
        match self.fill {
            Fill::Nothing | Fill::Always(..) | Fill::Oneself(_) => self.does.to_owned(),
            Fill::Person(field) | Fill::Suspect(field) | Fill::Words(field) => format!("{}.{field}", self.does),
        }
    }

    /// Whether something has to be chosen or written.
    #[must_use]
    pub fn is_filled_in(&self) -> bool {
        !matches!(self.fill, Fill::Nothing | Fill::Always(..) | Fill::Oneself(_))
    }

    /// The form that `by` sends. `filled`: what was chosen or written; a person by their id in the roster.
    #[must_use]
    pub fn form(&self, by: &PersonId, filled: &str) -> BTreeMap<String, String> {
        let field = match self.fill {
            Fill::Nothing => None,
            Fill::Always(field, value) => Some((field, value)),
            Fill::Oneself(field) => Some((field, by.as_str())),
            Fill::Person(field) | Fill::Suspect(field) | Fill::Words(field) => Some((field, filled)),
        };
        let all = std::iter::once(("do", self.does)).chain(field);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl Action {
    /// What a chat offers to do about it.
    #[must_use]
    pub fn clicks(&self) -> &'static [Click] {
        const ACKNOWLEDGE: &[Click] = &[
            press("Acknowledge", "acknowledge"),
            press("Not mine", "not-mine"),
            press("Take it", "take"),
            with("Not mine, but…", "not-mine", Fill::Suspect("change")),
        ];
        const JUDGE: &[Click] = &[with("Which change was it?", "judge", Fill::Suspect("change"))];
        const ANSWER: &[Click] = &[press("Take the pager", "take"), press("I cannot", "decline")];
        const HAND_OVER: &[Click] = &[
            with("Take it", "hand-over", Fill::Oneself("to")),
            with("Hand over to…", "hand-over", Fill::Person("to")),
        ];
        const ON_CALL: &[Click] =
            &[with("Take the pager for 2 h", "take", Fill::Always("for", "2 h")), press("Give it back", "give-back")];
        const QUEUE: &[Click] = &[
            press("The pipeline goes on", "resume"),
            with("Pause the pipeline, because…", "pause", Fill::Words("why")),
        ];
        const FREEZE: &[Click] =
            &[Click { sure: Some("What waits for it goes on, and everybody is told."), ..press("End it now", "thaw") }];
        const EXPEDITE: &[Click] = &[
            press("Sign", "sign"),
            with("Refuse, because…", "refuse", Fill::Words("why")),
            with("It cannot wait, because…", "expedite", Fill::Words("why")),
            press("Take it back", "withdraw"),
        ];
        const REVERT: &[Click] = &[press("Revert", "revert")];
        match self {
            Self::Acknowledge(_) => ACKNOWLEDGE,
            Self::Revert(..) => REVERT,
            Self::Judge(_) => JUDGE,
            Self::Answer(..) => ANSWER,
            Self::HandOver(..) => HAND_OVER,
            Self::OnCall(_) => ON_CALL,
            Self::Queue(_) => QUEUE,
            Self::Freeze(_) => FREEZE,
            Self::Expedite(..) => EXPEDITE,
            Self::Freezes | Self::Person(_) => &[],
        }
    }

    /// The one of this id.
    #[must_use]
    pub fn click(&self, id: &str) -> Option<&'static Click> {
        self.clicks().iter().find(|click| click.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each; another that has clicks belongs here.
    fn actions() -> Vec<Action> {
        let (service, incident) = ("edxapp".parse().unwrap(), "edxapp-k3v7q2ma".parse().unwrap());
        let change = domain::ChangeId {
            repository: "openedx/edx-platform".parse().unwrap(),
            commit: "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".parse().unwrap(),
        };
        vec![
            Action::Acknowledge(incident),
            Action::Judge("edxapp-k3v7q2ma".parse().unwrap()),
            Action::Answer("edxapp".parse().unwrap(), change.clone()),
            Action::HandOver("edxapp".parse().unwrap(), change.clone()),
            Action::OnCall(service),
            Action::Queue("edxapp".parse().unwrap()),
            Action::Freeze("gratitude-week".parse().unwrap()),
            Action::Expedite("openedx/edx-platform".parse().unwrap(), 12),
            Action::Revert("edxapp".parse().unwrap(), change),
        ]
    }

    #[test]
    fn those_of_one_action_are_told_apart_and_fit_a_chat() {
        for action in actions() {
            let ids: std::collections::BTreeSet<String> = action.clicks().iter().map(Click::id).collect();
            assert_eq!(ids.len(), action.clicks().len(), "{action:?}");
            for click in action.clicks() {
                // A button's text has 75 characters at most, an `action_id` 255.
                assert!((1..=75).contains(&click.label.chars().count()) && click.id().len() < 255);
                assert_eq!(action.click(&click.id()), Some(click));
            }
        }
        assert!(Action::Freezes.click("freeze").is_none());
    }

    #[test]
    fn a_form_names_whoever_pressed_or_what_was_filled_in() {
        let anna: PersonId = "anna".parse().unwrap();
        let form = |action: &Action, id: &str, filled: &str| {
            let form = action.click(id).unwrap().form(&anna, filled);
            form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        };
        let all = actions();
        assert_eq!(form(&all[0], "acknowledge", "ignored"), "do=acknowledge");
        assert_eq!(form(&all[0], "not-mine.change", "a/b@c"), "change=a/b@c&do=not-mine");
        assert_eq!(form(&all[3], "hand-over", "feanil"), "do=hand-over&to=anna");
        assert_eq!(form(&all[3], "hand-over.to", "feanil"), "do=hand-over&to=feanil");
        assert_eq!(form(&all[4], "take", ""), "do=take&for=2 h");
        assert_eq!(form(&all[7], "refuse.why", "it can wait"), "do=refuse&why=it can wait");
    }
}
