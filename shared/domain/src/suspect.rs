//! Which changes may have caused a failure, most likely first, with the evidence in words. How they are ranked is
//! [`crate::rank`]'s; which changes users had, and what is known of them, is gathered here.

mod clues;
mod exposed;
mod kept;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::because::Because;
use crate::deployment::Deployment;
use crate::ids::{ChangeId, PersonId};
use crate::rank::words::{Told, words};
use crate::rank::{self, Candidate, Feature, Score, Table, alike, named, probability};
use crate::service::Service;
use crate::situation::Situation;
use crate::text;
use crate::track;
use crate::window::{Closed, Phase, Window};
pub use clues::Clues;
pub(crate) use exposed::live_since;
use exposed::{exposed, is_rolling_out};
use kept::kept;

/// How many suspects an incident keeps and shows.
pub const MOST_SUSPECTS: usize = 5;
/// Evidence of fewer points than this is on the board, not in a message.
const TELLING: i64 = 150;
/// What speaks clearly has so many points.
const CLEAR: i64 = 500;
/// So many pieces of evidence are in a message, beside since when it is live.
const MOST_TOLD: usize = 3;

/// Where the suspect's window stood when the failure began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stand {
    /// Its responder is on call: paged first.
    Active,
    /// Its turn is over: shown, paged only if nobody answers.
    Tail,
}

/// One line of a suspect's score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub words: String,
    /// What it adds to the score, in thousandths of a natural logarithm of odds.
    pub points: i64,
}

/// A change that may have caused the failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    pub change: ChangeId,
    pub label: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub responder: PersonId,
    /// Why this person answers for it.
    pub because: Because,
    pub stand: Stand,
    pub live_since: Timestamp,
    /// Why it is here, in words: since when it is live, then what tells most.
    pub evidence: Vec<String>,
    /// How likely it is the cause, of a thousand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<u16>,
    /// How likely it is that any change of its responder's is, of a thousand: those that are not kept here too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<u16>,
    /// What that comes from: the points add up to its score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weighed: Vec<Evidence>,
}

impl Suspect {
    /// `about 35 %`, as exactly as it can be known.
    #[must_use]
    pub fn percent(&self) -> Option<u16> {
        self.likelihood.map(|share| if share < 50 { (share + 5) / 10 } else { (share + 25) / 50 * 5 })
    }

    /// What speaks for it most, beside its being live, if anything speaks clearly.
    #[must_use]
    pub fn telling(&self) -> Option<&str> {
        let clear = |words: &&String| self.weighed.iter().any(|part| part.words == **words && part.points >= CLEAR);
        self.evidence.iter().skip(1).find(clear).map(String::as_str)
    }

    /// What it scores.
    #[must_use]
    pub fn score(&self) -> i64 {
        self.weighed.iter().map(|evidence| evidence.points).sum()
    }
}

/// A change that was in front of users.
struct Exposed<'w, 'a> {
    window: &'w Window<'a>,
    deployment: &'a Deployment,
    stand: Stand,
}

/// The suspects of a failure that was going on at `at`, best first, at most [`MOST_SUSPECTS`].
#[must_use]
pub fn suspects(
    windows: &[Window<'_>],
    situation: &Situation,
    service: &Service,
    clues: &Clues,
    at: Timestamp,
) -> Vec<Suspect> {
    let exposed = |window| {
        let (deployment, stand) = exposed(window, &service.policy, at)?;
        Some(Exposed { window, deployment, stand })
    };
    let found: Vec<Exposed<'_, '_>> = windows.iter().filter_map(exposed).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let track = &situation.track.value;
    let table = Table::shipped();
    let here = windows.iter().filter(|w| !matches!(w.phase, Phase::Closed { reason: Closed::OtherPaths, .. }));
    let traits = track.traits(situation, here.map(|w| w.change), found.iter().map(|e| &e.window.change.id));
    let gathered = Gathered::of(&found, situation, traits, clues);
    let candidates = gathered.candidates(&found, service.policy.after_failure, at);
    let scores = rank::facts::scores(&candidates, &track.past, at, table);
    let points: Vec<i64> = scores.iter().map(|score| score.points).collect();
    let likely = probability::likelihoods(&points, table.none_of(&track.past));
    let mut order: Vec<usize> = (0..found.len()).collect();
    let key = |i: usize| (scores[i].points, candidates[i].since, candidates[i].merged, &found[i].window.change.id);
    order.sort_by(|a, b| key(*b).cmp(&key(*a)));
    let mut people: BTreeMap<&PersonId, f64> = BTreeMap::new();
    order.iter().for_each(|i| *people.entry(&found[*i].window.holder.person).or_default() += likely[*i]);
    let kept = kept(&order, &found, &people, clues, service.policy.next_suspect_from);
    let suspect = |i: usize| {
        let both = [likely[i], people[&found[i].window.holder.person]].map(thousandths);
        gathered.suspect(i, &found[i], &scores[i], both, at)
    };
    order.into_iter().filter(|i| kept.contains(i)).map(suspect).collect()
}

fn thousandths(share: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a thousand")]
    let thousandths = (share * 1000.0).round() as u16;
    thousandths
}

/// What is known of each of them beside its window, in the same order.
struct Gathered<'a> {
    paths: Vec<Vec<&'a str>>,
    traits: Vec<rank::Traits>,
    named: Vec<Option<(f64, &'a str)>>,
    alike: Vec<Option<(f64, &'a str)>>,
}

impl<'a> Gathered<'a> {
    fn of(found: &[Exposed<'_, 'a>], situation: &'a Situation, traits: Vec<rank::Traits>, clues: &'a Clues) -> Self {
        let paths: Vec<Vec<&str>> = found.iter().map(|e| track::paths(situation, e.window.change)).collect();
        let about: Vec<(&str, &[&str])> =
            found.iter().zip(&paths).map(|(e, paths)| (e.window.change.title.as_str(), paths.as_slice())).collect();
        let alike = alike::alike(&clues.words, &about);
        let named = paths.iter().map(|paths| named::matches(&clues.names, paths)).collect();
        Self { traits, named, alike, paths }
    }

    fn candidates<'b>(
        &'b self,
        found: &[Exposed<'_, 'b>],
        after_failure: SignedDuration,
        at: Timestamp,
    ) -> Vec<Candidate<'b>> {
        let anything_named = self.named.iter().any(Option::is_some);
        let anything_alike = self.alike.iter().any(Option::is_some);
        let sure = |of: Option<(f64, &str)>, any: bool| any.then(|| of.map_or(0.0, |(sure, _)| sure));
        let each = found.iter().enumerate();
        each.map(|(i, Exposed { window, deployment, .. })| {
            let change = window.change;
            let count = || u32::try_from(change.commits.len()).unwrap_or(u32::MAX);
            let commits = (!change.commits.is_empty()).then(count);
            // For a while monitors tell of what was.
            let taken_back = window.reverted_live_at.is_some_and(|live| live + after_failure <= at);
            Candidate {
                since: live_since(deployment),
                merged: (change.merged_at, i),
                author: change.author.name(),
                title: &change.title,
                lands_again: change.reverts.as_ref().map(|said| said.lands_again),
                taken_back,
                traits: self.traits[i],
                paths: &self.paths[i],
                size: change.size,
                commits,
                by_machine: change.author.is_bot(),
                named: sure(self.named[i], anything_named),
                alike: sure(self.alike[i], anything_alike),
                rolling_out: is_rolling_out(deployment, at),
            }
        })
        .collect()
    }

    fn suspect(&self, i: usize, exposed: &Exposed<'_, '_>, score: &Score, likely: [u16; 2], at: Timestamp) -> Suspect {
        let Exposed { window, deployment, stand } = exposed;
        let live_since = live_since(deployment);
        let age = age(at, live_since);
        let told = Told {
            age: &age,
            lineage: window.lineage.as_deref(),
            file: self.named[i].map(|(_, file)| file),
            word: self.alike[i].map(|(_, word)| word),
        };
        let weighed: Vec<(Feature, Evidence)> = score
            .parts
            .iter()
            .filter(|part| part.points != 0)
            .map(|part| (part.feature, Evidence { words: words(part, told), points: part.points }))
            .collect();
        Suspect {
            change: window.change.id.clone(),
            label: window.change.label(),
            title: window.change.title.clone(),
            url: window.change.url.clone(),
            responder: window.holder.person.clone(),
            because: window.holder.because.clone(),
            stand: *stand,
            live_since,
            evidence: evidence(exposed, &age, &weighed),
            likelihood: Some(likely[0]),
            together: Some(likely[1]),
            weighed: weighed.into_iter().map(|(_, evidence)| evidence).collect(),
        }
    }
}

/// What a message says of a suspect: since when users have it, what tells most for or against it, how large it is, and what
/// it comes with.
fn evidence(exposed: &Exposed<'_, '_>, age: &str, weighed: &[(Feature, Evidence)]) -> Vec<String> {
    let Exposed { window, deployment, stand } = exposed;
    let mut evidence = vec![if deployment.has_failed() {
        format!("took traffic {age} before the alert, in a deployment that failed")
    } else {
        format!("live {age} before the alert")
    }];
    // Where it stands is said by the order, and how large it is and what it reverts is said anyway.
    let said = |feature: Feature| {
        use Feature::{Age, IsRevert, LandsAgain, LaterByAuthor, Lines, Newer, Pace};
        matches!(feature, Age | Pace | Newer | LaterByAuthor | Lines)
            || matches!(feature, IsRevert | LandsAgain) && window.lineage.is_some()
    };
    let mut telling: Vec<&Evidence> = weighed
        .iter()
        .filter(|(feature, evidence)| !said(*feature) && evidence.points.abs() >= TELLING)
        .map(|(_, evidence)| evidence)
        .collect();
    telling.sort_by_key(|evidence| std::cmp::Reverse(evidence.points.abs()));
    evidence.extend(telling.into_iter().take(MOST_TOLD).map(|evidence| evidence.words.clone()));
    if let Some(size) = window.change.size {
        evidence.push(format!(
            "{} changed, +{} -{}",
            text::count(usize::try_from(size.files).unwrap_or(usize::MAX), "file", "files"),
            size.added,
            size.deleted
        ));
    }
    evidence.extend(window.lineage.clone());
    evidence.extend(window.pinned_by.map(|by| format!("went live with {}", by.label())));
    if *stand == Stand::Tail {
        evidence.push("its turn was over".to_owned());
    }
    evidence
}

fn age(at: Timestamp, since: Timestamp) -> String {
    match at.duration_since(since).as_mins() {
        ..1 => "less than a minute".to_owned(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}
