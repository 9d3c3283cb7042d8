//! What has to be written at the forge now, by what stands there; and what came of it.

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Ask, Begun, Comment, Digests, Do, GivenUp, Refused, Stands};
use crate::decision::{Decisions, MOST_ACTIONS, Record, RecordKey, Wake};
use crate::message::Subject;
use crate::paging::Unread;
use crate::reason::Reason;
use crate::settings::Settings;
use crate::situation::Situation;
use crate::text;
use crate::wording::comments::words;

/// So much time passes before the first word, so that all services have said theirs, and which files it touches is known.
const SETTLES: SignedDuration = SignedDuration::from_secs(45);
/// A comment is edited so often at most, but for what matters: that it is live, that its turn is over, an incident.
const CALM: SignedDuration = SignedDuration::from_mins(2);
/// Whoever began to write and says nothing for so long has died.
const AT_IT: SignedDuration = SignedDuration::from_secs(90);
/// What a forge refuses is tried again so much later, so many times.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
const MOST_REFUSED: u32 = 3;
/// So many are written at a time, in a minute and in an hour: GitHub takes 80 and 500 of one account.
pub const MOST_AT_ONCE: usize = 10;
const MOST_IN_A_MINUTE: usize = 20;
const MOST_IN_AN_HOUR: usize = 400;
/// How long one is kept after the last of its windows is over, or of one that went nowhere.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24 * 90);
const A_MINUTE: SignedDuration = SignedDuration::from_mins(1);
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

impl Comment {
    fn digests(&self, text: &str) -> Digests {
        let gist: Vec<String> = self.said().map(|(service, line)| format!("{service} {}", line.gist())).collect();
        Digests { all: text::digest(text), gist: text::digest(&gist.join("\n")) }
    }

    /// Whether a first comment is worth leaving: somebody still answers for it, or an incident names it.
    fn matters(&self) -> bool {
        self.said().any(|(_, line)| line.over_at().is_none() || !line.incidents.is_empty())
    }

    /// What has to be written, whether it matters, and when.
    fn due(&self, settings: &Settings) -> Option<(Ask, bool, Timestamp)> {
        if self.given_up.is_some() {
            return None;
        }
        let text = words(self, settings);
        let words = self.digests(&text);
        let (what, matters, at) = match (&self.stands, self.begun) {
            (Some(stands), _) if stands.words.all == words.all => return None,
            (Some(stands), _) => {
                let matters = stands.words.gist != words.gist;
                (Do::Edit { id: stands.id }, matters, if matters { self.last } else { stands.at + CALM })
            }
            (None, _) if !self.matters() => return None,
            (None, None) => (Do::Leave, true, self.since + SETTLES),
            (None, Some(begun)) => (Do::FindOrLeave { since: begun.first }, true, self.since),
        };
        let at_it = self.begun.map(|begun| begun.last + AT_IT);
        let refused = self.refused.map(|refused| refused.last + AGAIN);
        let at = [Some(at), at_it, refused].into_iter().flatten().max()?;
        let begun = Begun { first: self.begun.map_or(at, |begun| begun.first), last: at };
        Some((Ask { number: 0, what, text, words, begun }, matters, at))
    }

    /// When it may be forgotten.
    fn over_at(&self) -> Timestamp {
        let over = self.said().map(|(_, line)| line.over_at()).try_fold(self.last, |last, over| Some(last.max(over?)));
        match over.filter(|_| self.stands.is_some() || self.given_up.is_some() || !self.matters()) {
            Some(over) => over + KEPT,
            None => self.last + FORGOTTEN,
        }
    }
}

/// How many more may be written just now.
fn room(situation: &Situation, now: Timestamp) -> usize {
    let written = |since: Timestamp| {
        let written = |comment: &Comment| {
            let stands = comment.stands.as_ref().map(|stands| stands.at);
            let at = [stands, comment.begun.map(|begun| begun.last), comment.refused.map(|refused| refused.last)];
            at.into_iter().flatten().any(|at| at > since)
        };
        situation.comments.values().filter(|known| written(&known.value)).count()
    };
    let minute = MOST_IN_A_MINUTE.saturating_sub(written(now - A_MINUTE));
    let hour = MOST_IN_AN_HOUR.saturating_sub(written(now - AN_HOUR));
    MOST_AT_ONCE.min(minute).min(hour)
}

/// What has to be written now, which is then marked as begun; what matters goes first.
#[must_use]
pub fn begin(situation: &Situation, settings: &Settings, now: Timestamp) -> (Decisions, Vec<Ask>) {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    if !is_wanted(situation, settings) || again_at(situation).is_some_and(|at| now < at) {
        return (decisions, Vec::new());
    }
    let due = situation.comments.iter().filter_map(|(number, known)| {
        let (ask, matters, at) = known.value.due(settings)?;
        (at <= now).then_some((!matters, at, Ask { number: *number, ..ask }))
    });
    let mut due: Vec<(bool, Timestamp, Ask)> = due.collect();
    due.sort_by_key(|(later, at, ask)| (*later, *at, ask.number));
    let mut asks = Vec::new();
    for (_, _, mut ask) in due.into_iter().take(room(situation, now)) {
        let Some(known) = situation.comments.get(&ask.number) else { continue };
        let first = known.value.begun.map_or(now, |begun| begun.first);
        ask.begun = Begun { first, last: now };
        let begun = Comment { begun: Some(ask.begun), ..known.value.clone() };
        decisions.put(Record::Comment(ask.number, begun), known.rev);
        asks.push(ask);
    }
    (decisions, asks)
}

/// Whether its repository wants comments, still.
fn is_wanted(situation: &Situation, settings: &Settings) -> bool {
    settings.merges_at(&situation.service).is_some_and(|repository| settings.comments_at(repository))
}

fn again_at(situation: &Situation) -> Option<Timestamp> {
    situation.pulls.value.silent.as_ref().map(Unread::try_again_at)
}

/// When there is something to write, or to forget.
#[must_use]
pub fn due_at(situation: &Situation, settings: &Settings, now: Timestamp) -> Option<Timestamp> {
    let wanted = situation.comments.values().filter(|_| is_wanted(situation, settings));
    let written = wanted.filter_map(|known| known.value.due(settings)).map(|(.., at)| at).min();
    let again = again_at(situation).filter(|at| *at > now);
    let full = (room(situation, now) == 0).then_some(now + A_MINUTE);
    let written = written.map(|at| [Some(at), again, full].into_iter().flatten().max().unwrap_or(at));
    let over = situation.comments.values().map(|known| known.value.over_at()).min();
    [written, over].into_iter().flatten().min()
}

/// What is over is forgotten.
pub fn tidy(decisions: &mut Decisions, situation: &Situation, now: Timestamp) {
    for (number, known) in &situation.comments {
        if known.value.over_at() <= now && decisions.actions() < MOST_ACTIONS {
            decisions.drop_record(RecordKey::Comment(*number), known.rev);
        }
    }
}

/// Keeps what came of asking.
#[must_use]
pub fn hear(answers: &[(Ask, Answer)], situation: &Situation, now: Timestamp) -> Decisions {
    let mut decisions = Decisions::none(&situation.service, Wake::Now);
    let mut pulls = situation.pulls.value.clone();
    for (ask, answer) in answers {
        if let Answer::Nothing(why) = answer {
            let why = text::line(why, 160);
            let since = pulls.silent.as_ref().map_or(now, |silent| silent.since);
            if pulls.silent.is_none() {
                let what = "the forge takes no comments at merged pull requests".to_owned();
                decisions.log(now, Some(Subject::Service), None, what, Reason::CommentUntold { why: why.clone() });
            }
            pulls.silent = Some(Unread { since, last: now, why });
        } else if *answer != Answer::NotAsked {
            pulls.silent = None;
        }
        let Some(known) = situation.comments.get(&ask.number) else { continue };
        let (comment, reason) = known.value.after(ask, answer, now);
        if let Some(reason) = reason {
            let what = format!("the comment at pull request {}", ask.number);
            decisions.log(now, Some(Subject::Service), None, what, reason);
        }
        if comment != known.value {
            decisions.put(Record::Comment(ask.number, comment), known.rev);
        }
    }
    if pulls != situation.pulls.value {
        decisions.put(Record::Pulls(pulls), situation.pulls.rev);
    }
    decisions
}

impl Comment {
    /// The same after this answer, with what is to be said of it in the log.
    fn after(&self, ask: &Ask, answer: &Answer, now: Timestamp) -> (Self, Option<Reason>) {
        let mut comment = self.clone();
        // Whoever took over meanwhile is at it.
        let ours = self.begun == Some(ask.begun);
        let given_up = match answer {
            Answer::Stands(id) => {
                comment.stands = Some(Stands { id: *id, words: ask.words.clone(), at: now });
                (comment.refused, comment.begun) = (None, comment.begun.filter(|_| !ours));
                return (comment, None);
            }
            Answer::Locked => GivenUp::Locked,
            Answer::Deleted => GivenUp::Deleted,
            Answer::Refused(why) => {
                let times = self.refused.map_or(0, |refused| refused.times) + 1;
                // One that was left before may stand there all the same.
                let before = matches!(ask.what, Do::FindOrLeave { .. });
                (comment.refused, comment.begun) =
                    (Some(Refused { times, last: now }), comment.begun.filter(|_| before || !ours));
                if times < MOST_REFUSED {
                    let why = text::line(why, 160);
                    return (comment, (times == 1).then_some(Reason::CommentUntold { why }));
                }
                GivenUp::Refused
            }
            // It may stand there all the same.
            Answer::Nothing(_) if matches!(ask.what, Do::Leave | Do::FindOrLeave { .. }) => return (comment, None),
            Answer::Nothing(_) | Answer::NotAsked => {
                let before = matches!(ask.what, Do::FindOrLeave { .. });
                comment.begun = comment.begun.filter(|_| before || !ours);
                return (comment, None);
            }
        };
        (comment.given_up, comment.begun) = (Some(given_up), None);
        (comment, Some(Reason::CommentGivenUp { why: given_up.words().to_owned() }))
    }
}

#[cfg(test)]
#[path = "writing_tests.rs"]
mod tests;
