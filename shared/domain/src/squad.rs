//! Squads: who owns which code together, and what a squad wishes to hear of.
//!
//! Whether somebody is paged is not decided here, but by `escalation`; a wish says who else is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::alert::Severity;
use crate::code_owners::CodeOwners;
use crate::ids::{PersonId, Repository, SquadId};
use crate::paths::Paths;

/// What a squad wishes to hear of. Each hears less than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// Of every incident.
    All,
    /// Of those with a suspect that touches the squad's code.
    Mine,
    /// Of the same, once the responders did not answer.
    AfterEscalation,
    /// Of none, but the most severe.
    None,
}

impl Wish {
    pub const ALL: [Self; 4] = [Self::All, Self::Mine, Self::AfterEscalation, Self::None];

    /// As the configuration writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mine => "mine",
            Self::AfterEscalation => "after-escalation",
            Self::None => "none",
        }
    }
}

/// People who own code together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squad {
    pub id: SquadId,
    pub name: String,
    pub members: Vec<PersonId>,
    pub wish: Wish,
    /// How CODEOWNERS files call the squad, lower-cased: `@openedx/teaching`.
    pub code_owners: Vec<String>,
    /// What is the squad's without a CODEOWNERS file; without a repository, in each.
    pub paths: Vec<(Option<Repository>, Paths)>,
}

/// Why a squad hears of an incident, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishReason {
    /// Told: the highest severity is never hidden.
    MostSevere,
    /// Told: the squad wishes to hear of everything.
    WishesAll,
    /// Told: a suspect touches its code.
    TouchesItsCode,
    /// Told: a suspect touches its code, and nobody answered.
    Escalated,
    /// Not told: no suspect touches its code.
    NotItsCode,
    /// Not told yet: the responders may still answer.
    NotEscalated,
    /// Not told: the squad wishes to hear of nothing.
    WishesNone,
}

impl WishReason {
    /// The reason's name, as it stands in logs and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MostSevere => "most_severe",
            Self::WishesAll => "wishes_all",
            Self::TouchesItsCode => "touches_its_code",
            Self::Escalated => "escalated",
            Self::NotItsCode => "not_its_code",
            Self::NotEscalated => "not_escalated",
            Self::WishesNone => "wishes_none",
        }
    }
}

impl fmt::Display for WishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MostSevere => "the highest severity is told to everybody",
            Self::WishesAll => "the squad wishes to hear of every incident",
            Self::TouchesItsCode => "a suspect touches the squad's code",
            Self::Escalated => "a suspect touches the squad's code, and nobody acknowledged in time",
            Self::NotItsCode => "no suspect touches the squad's code",
            Self::NotEscalated => "the squad wishes to hear of it only once nobody acknowledged in time",
            Self::WishesNone => "the squad wishes to hear of nothing",
        })
    }
}

/// Whether a squad hears of an incident, and the named reason either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    pub tell: bool,
    pub reason: WishReason,
}

/// Whether this squad hears of an incident. `touches`: a suspect touches its code.
#[must_use]
pub fn wish(squad: &Squad, severity: Severity, touches: bool, escalated: bool) -> Heard {
    let (tell, reason) = match squad.wish {
        _ if severity == Severity::Critical => (true, WishReason::MostSevere),
        Wish::All => (true, WishReason::WishesAll),
        Wish::None => (false, WishReason::WishesNone),
        Wish::Mine | Wish::AfterEscalation if !touches => (false, WishReason::NotItsCode),
        Wish::Mine => (true, WishReason::TouchesItsCode),
        Wish::AfterEscalation if escalated => (true, WishReason::Escalated),
        Wish::AfterEscalation => (false, WishReason::NotEscalated),
    };
    Heard { tell, reason }
}

/// Which files are whose: by CODEOWNERS and by the squads' own paths.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    code_owners: BTreeMap<Repository, CodeOwners>,
    handles: BTreeMap<String, SquadId>,
    paths: Vec<(SquadId, Option<Repository>, Paths)>,
}

impl Ownership {
    /// Where two squads claim one handle the later has it; `check` refuses such a configuration.
    #[must_use]
    pub fn new<'a>(code_owners: BTreeMap<Repository, CodeOwners>, squads: impl IntoIterator<Item = &'a Squad>) -> Self {
        let mut ownership = Self { code_owners, ..Self::default() };
        for squad in squads {
            let handles = squad.code_owners.iter().map(|handle| (handle.clone(), squad.id.clone()));
            ownership.handles.extend(handles);
            let paths = squad.paths.iter().map(|(repository, p)| (squad.id.clone(), repository.clone(), p.clone()));
            ownership.paths.extend(paths);
        }
        ownership
    }

    /// Whether the squad owns anything in this repository.
    #[must_use]
    pub fn owns_in(&self, squad: &Squad, repository: &Repository) -> bool {
        let owners = self.code_owners.get(repository);
        owners.is_some_and(|owners| squad.code_owners.iter().any(|handle| owners.names(handle)))
            || squad.paths.iter().any(|(of, _)| of.as_ref().is_none_or(|of| of == repository))
    }

    /// The squads that own some of these files of a repository, sorted.
    #[must_use]
    pub fn squads_of<'a>(
        &self,
        repository: &Repository,
        files: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Vec<SquadId> {
        let mut found = BTreeSet::new();
        if let Some(owners) = self.code_owners.get(repository) {
            let handles = files.clone().into_iter().flat_map(|file| owners.owners_of(file));
            found.extend(handles.filter_map(|handle| self.handles.get(handle)));
        }
        for (squad, of, paths) in &self.paths {
            let is_here = of.as_ref().is_none_or(|of| of == repository);
            if is_here && !found.contains(squad) && files.clone().into_iter().any(|file| paths.matches(file)) {
                found.insert(squad);
            }
        }
        found.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{repository, service};

    fn squad(id: &str, wish: Wish) -> Squad {
        let (id, name) = (id.parse().unwrap(), id.to_owned());
        Squad { id, name, members: vec![], wish, code_owners: vec![], paths: vec![] }
    }

    fn paths(pattern: &str) -> Paths {
        Paths::new(&[pattern.to_owned()]).unwrap()
    }

    #[test]
    fn a_squads_wish_is_kept_and_never_hides_the_highest_severity() {
        for (wished, touches, escalated, want) in [
            (Wish::All, false, false, "wishes_all"),
            (Wish::All, true, true, "wishes_all"),
            (Wish::Mine, true, false, "touches_its_code"),
            (Wish::Mine, false, true, "not_its_code"),
            (Wish::AfterEscalation, true, false, "not_escalated"),
            (Wish::AfterEscalation, true, true, "escalated"),
            (Wish::AfterEscalation, false, true, "not_its_code"),
            (Wish::None, true, true, "wishes_none"),
        ] {
            let squad = squad("teaching", wished);
            for severity in [Severity::Info, Severity::Warning] {
                let heard = wish(&squad, severity, touches, escalated);
                assert_eq!(heard.reason.name(), want, "{wished:?} {touches} {escalated}");
                assert_eq!(heard.tell, !(want.starts_with("not_") || want == "wishes_none"), "{want}");
            }
            let heard = wish(&squad, Severity::Critical, touches, escalated);
            assert_eq!(heard, Heard { tell: true, reason: WishReason::MostSevere });
            assert!(!heard.reason.to_string().is_empty());
        }
    }

    #[test]
    fn each_wish_hears_less_than_the_one_before() {
        for (touches, escalated) in [(false, false), (false, true), (true, false), (true, true)] {
            let told = Wish::ALL.map(|w| wish(&squad("a", w), Severity::Warning, touches, escalated).tell);
            assert!(told.is_sorted_by(|a, b| a >= b), "{told:?}");
        }
        for wish in Wish::ALL {
            assert_eq!(serde_json::to_value(wish).unwrap(), wish.word());
        }
    }

    #[test]
    fn a_change_is_of_the_squads_that_own_its_files() {
        let (file, _) = CodeOwners::parse("* @OpenedX/Everything\nlms/ @openedx/teaching @feanil\nlms/static/\n");
        let (mut teaching, mut everything) = (squad("teaching", Wish::Mine), squad("everything", Wish::Mine));
        teaching.code_owners = vec!["@openedx/teaching".into()];
        everything.code_owners = vec!["@openedx/everything".into()];
        let mut design = squad("design", Wish::Mine);
        design.paths = vec![(None, paths("*.css")), (Some("openedx/other".parse().unwrap()), paths("*"))];
        let ownership = Ownership::new([(repository(), file)].into(), [&teaching, &everything, &design]);
        let of = |repository: &Repository, files: &[&str]| {
            ownership
                .squads_of(repository, files.iter().copied())
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(of(&repository(), &["lms/urls.py"]), "teaching");
        assert_eq!(of(&repository(), &["lms/urls.py", "cms/a.css"]), "design everything teaching");
        assert_eq!(of(&repository(), &["lms/static/a.js"]), "");
        assert_eq!(of(&repository(), &[]), "");
        assert_eq!(of(&"openedx/other".parse().unwrap(), &["lms/urls.py"]), "design");
    }

    #[test]
    fn a_service_is_touched_by_what_changes_in_its_paths() {
        let files = |names: &[&str]| crate::change::Files::of(names.iter().copied());
        let mut service = service();
        assert!(service.touched_by(&repository(), Some(&files(&["cms/a.py"]))), "all of the repository is its");
        service.repositories[0].paths = paths("lms/**");
        for (names, want) in [(Some(&["lms/a.py", "x"][..]), true), (Some(&["cms/a.py"]), false), (None, true)] {
            let names = names.map(files);
            assert_eq!(service.touched_by(&repository(), names.as_ref()), want, "{names:?}");
        }
        assert!(!service.touched_by(&"openedx/other".parse().unwrap(), None));
    }
}
