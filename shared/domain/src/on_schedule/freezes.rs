//! The clock of freezes: says a day and an hour before that one begins, when it has begun and when it is over, once each, in
//! the channels of the services that it is about. It says what the stored times say at the moment: looked at late, it says what
//! is so by then, and nothing of what it missed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::expedites::Lane;
use super::retold::digest;
use super::{LINGER, Next, REPUBLISH, Round, feeds, unsent};
use crate::decision::{Decisions, Record, RecordKey, Wake};
use crate::freeze::{FreezeNotes, Freezes, Occurrence, Question, Said, Strength};
use crate::ids::{PersonId, Repository, ServiceId};
use crate::measures::Fact;
use crate::message::{Outgoing, Subject};
use crate::posted::{self, Posted};
use crate::settings::Settings;
use crate::situation::Situation;
use crate::wording::Reader;
use crate::wording::freezes::{self as words, After};

/// How long before it begins it is told of.
const TOMORROW: SignedDuration = SignedDuration::from_hours(24);
const SOON: SignedDuration = SignedDuration::from_hours(1);
/// How long one that is over stays known.
const KNOWN: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Looks at the freezes.
#[must_use]
pub fn decide(situation: &Situation, outbox: &[Outgoing], settings: &Settings, now: Timestamp) -> Round {
    let mut decisions = Decisions::none(&settings.freeze_desk().id, Wake::Now);
    let mut next = Next::default();
    let desk = Desk { situation, settings, freezes: Freezes::of(settings, situation), now };
    let mut seen = BTreeSet::new();
    // Of two of one name and begin the first is told of.
    for one in desk.freezes.ahead(now).into_iter().filter(|one| seen.insert(one.key())) {
        let moments = [one.from - TOMORROW, one.from - SOON, one.from, one.until];
        moments.into_iter().filter(|at| *at > now).for_each(|at| next.at(at));
        if let Some(said) = due(&one, now) {
            let written = decisions.writes.len();
            desk.say(&mut decisions, &mut next, &one, said);
            // One record is written once in a round.
            if decisions.writes.len() == written {
                desk.tell_again(&mut decisions, &mut next, &one);
            } else {
                next.at(now);
            }
        }
    }
    desk.what_is_over(&mut decisions, &mut next);
    let lane = Lane { situation, settings, freezes: &desk.freezes, now };
    lane.look(&mut decisions, &mut next);
    if posting(situation, settings, now).is_some() {
        // It is posted after this look; should that fail, the tick comes again.
        next.at(now + REPUBLISH);
    }
    for (id, noted) in &situation.freezes {
        let leaves = noted.value.over_at() + KNOWN;
        if leaves <= now && decisions.room() > 0 {
            decisions.drop_record(RecordKey::Freeze(id.clone()), noted.rev);
        } else {
            next.at(leaves.max(now));
        }
    }
    feeds::tidy(&mut decisions, &mut next, situation, settings, now);
    let republish = unsent(&mut next, outbox, now);
    if !decisions.messages.is_empty() {
        next.at(now + REPUBLISH);
    }
    decisions.wake = Wake::Exactly(next.0);
    Round { decisions, republish }
}

/// What has to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub wanted: BTreeMap<ServiceId, Posted>,
    /// Everywhere else.
    pub nothing: Posted,
    /// By which it is known that all of it was.
    pub digest: String,
}

/// What has to be posted at which services; `None`: it was.
#[must_use]
pub fn posting(situation: &Situation, settings: &Settings, now: Timestamp) -> Option<Posting> {
    let freezes = Freezes::of(settings, situation);
    let lane = Lane { situation, settings, freezes: &freezes, now };
    let mut wanted = posted::wanted(&freezes, (&lane.passed(), &lane.passing()), settings, now);
    let digest = posted::digest(&wanted);
    let look = situation.clock.rev;
    wanted.values_mut().for_each(|posted| posted.look = look);
    (digest != situation.posted_all.value).then_some(Posting {
        wanted,
        nothing: Posted { look, ..Posted::default() },
        digest,
    })
}

/// Who has open pull requests into a repository hears of the freezes that are about it.
#[must_use]
pub fn mergers(
    people: &BTreeSet<PersonId>,
    repository: &Repository,
    situation: &Situation,
    settings: &Settings,
    now: Timestamp,
) -> Decisions {
    let mut decisions = Decisions::none(&settings.freeze_desk().id, Wake::Now);
    let desk = Desk { situation, settings, freezes: Freezes::of(settings, situation), now };
    let question = Question::of_merge(repository, settings);
    for one in desk.freezes.concerning(&question, now).into_iter().filter(|one| one.from - TOMORROW <= now) {
        let (mut notes, rev) = desk.notes(&one);
        notes.mergers.extend(people.iter().take(MOST_MERGERS.saturating_sub(notes.mergers.len())).cloned());
        if rev == 0 || situation.freeze_notes.get(&one.key()).is_some_and(|known| known.value != notes) {
            decisions.put(Record::FreezeNotes(one.key(), notes), rev);
        }
    }
    decisions
}

/// So many of them hear of one time of a freeze.
const MOST_MERGERS: usize = 500;

/// Everything is posted.
#[must_use]
pub fn all_posted(digest: &str, situation: &Situation) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    if situation.posted_all.value != digest {
        decisions.put(Record::PostedAll(digest.to_owned()), situation.posted_all.rev);
    }
    decisions
}

/// What is to be said of one that is ahead or under way.
fn due(one: &Occurrence<'_>, now: Timestamp) -> Option<Said> {
    match one.from.duration_since(now) {
        left if left <= SignedDuration::ZERO => Some(Said::Began),
        left if left <= SOON => Some(Said::WithinAnHour),
        left if left <= TOMORROW => Some(Said::WithinADay),
        _ => None,
    }
}

pub(super) struct Desk<'a> {
    pub(super) situation: &'a Situation,
    pub(super) settings: &'a Settings,
    freezes: Freezes<'a>,
    pub(super) now: Timestamp,
}

impl Desk<'_> {
    fn notes(&self, one: &Occurrence<'_>) -> (FreezeNotes, u64) {
        let known = self.situation.freeze_notes.get(&one.key());
        let fresh = || FreezeNotes {
            said: [].into(),
            told: [].into(),
            mergers: [].into(),
            heard: [].into(),
            as_told: None,
            retold: [].into(),
            until: one.until,
            name: one.name.to_owned(),
        };
        known.map_or_else(|| (fresh(), 0), |noted| (noted.value.clone(), noted.rev))
    }

    /// Whom it is told: the channels of the services that it is about. One that only advises to deploy later is no news.
    pub(super) fn hearers(&self, one: &Occurrence<'_>) -> Vec<PersonId> {
        if one.stops.merges.is_none() && one.stops.deployments != Some(Strength::Require) {
            return Vec::new();
        }
        let about = self.settings.services().filter(|service| one.scope.includes(service));
        let mut channels: Vec<PersonId> = about.filter_map(|service| service.channel.clone()).collect();
        channels.sort();
        channels.dedup();
        channels
    }

    /// Says it once: to everybody who hears of it, then that it was said. What does not fit is left to the next round.
    fn say(&self, decisions: &mut Decisions, next: &mut Next, one: &Occurrence<'_>, said: Said) {
        if decisions.room() < 3 {
            return next.at(self.now);
        }
        let (mut notes, rev) = self.notes(one);
        let before = notes.clone();
        notes.until = one.until;
        // Who learnt that it has begun need not hear that it will.
        if !notes.said.iter().any(|before| *before > said) {
            let desk = self.settings.freeze_desk();
            let mut left = false;
            // Who hears of it by being found later hears of it alone.
            let channels = if notes.said.contains(&said) { Vec::new() } else { self.hearers(one) };
            for person in channels.into_iter().chain(notes.mergers.clone()) {
                if notes.told.contains(&(said, person.clone())) {
                    continue;
                }
                if decisions.room() < 3 {
                    left = true;
                    break;
                }
                let reader = Reader { settings: self.settings, service: desk, person: &person, now: self.now };
                let after = After { ended_by: self.ended_by(one), still: self.still(&person) };
                decisions.tell(words::notice(reader, one, said, &after));
                notes.heard.insert(person.clone());
                notes.told.insert((said, person));
            }
            if left {
                next.at(self.now);
            } else if !notes.said.contains(&said) {
                let what = words::log(one, said);
                decisions.log(self.now, Some(Subject::Freeze(one.key())), None, what, said.reason(one));
                notes.said.insert(said);
                if said == Said::Over {
                    let lasted = u64::try_from(one.until.duration_since(one.from).as_secs()).unwrap_or(0);
                    decisions.facts.push(Fact::Thawed { at: one.until, lasted });
                }
                notes.as_told.get_or_insert_with(|| digest(one));
                // Whoever is found later has still to hear it.
                let FreezeNotes { told, mergers, .. } = &mut notes;
                told.retain(|(step, person)| *step == said && mergers.contains(person));
            }
        }
        if notes != before || rev == 0 {
            decisions.put(Record::FreezeNotes(one.key(), notes), rev);
        }
    }

    /// What had begun and is over: by its time, by somebody's word, or because the configuration has it no more.
    fn what_is_over(&self, decisions: &mut Decisions, next: &mut Next) {
        for (key, noted) in &self.situation.freeze_notes {
            let known = self.freezes.find(key);
            let over_at = known.as_ref().map_or(noted.value.until.min(self.now), |one| one.until);
            if over_at > self.now {
                continue;
            }
            if decisions.room() < 3 {
                return next.at(self.now);
            }
            let begun = noted.value.said.contains(&Said::Began);
            if let Some(one) = known.as_ref().filter(|one| !begun && one.until <= one.from)
                && self.tell_off(decisions, next, one)
            {
                next.at(self.now);
                continue;
            }
            match &known {
                Some(one) if begun && !noted.value.said.contains(&Said::Over) => {
                    self.say(decisions, next, one, Said::Over);
                    continue;
                }
                // It is at another time now, or nowhere: whoever heard of it hears that.
                None if !noted.value.said.contains(&Said::Over) => {
                    self.tell_gone(decisions, next, key, noted);
                    continue;
                }
                Some(_) | None => {}
            }
            let leaves = over_at + LINGER;
            if leaves <= self.now {
                decisions.drop_record(RecordKey::FreezeNotes(key.clone()), noted.rev);
            } else {
                next.at(leaves);
            }
        }
    }

    /// What else is under way for whoever hears this channel.
    fn still(&self, channel: &PersonId) -> Option<Occurrence<'_>> {
        let heard = |one: &Occurrence<'_>| {
            let mut services = self.settings.services().filter(|service| service.channel.as_ref() == Some(channel));
            services.any(|service| one.scope.includes(service))
        };
        self.freezes
            .ahead(self.now)
            .into_iter()
            .filter(|one| one.from <= self.now && heard(one))
            .max_by_key(|one| one.until)
    }

    /// Who ended it before its time.
    fn ended_by(&self, one: &Occurrence<'_>) -> Option<&PersonId> {
        let noted = self.situation.freezes.get(one.id)?;
        noted.value.ended.as_ref().filter(|(at, _)| *at < noted.value.until).map(|(_, by)| by)
    }
}

#[cfg(test)]
#[path = "freezes_tests.rs"]
mod tests;
