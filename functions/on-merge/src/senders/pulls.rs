//! What forges tell alike about pull requests that are not merged yet: that one is no longer open, and that somebody asks
//! for the lane of urgent fixes.

use aws::Reading;
use domain::on_merge::MergeEvent;
use domain::{Change, ChangeKind, Commit, Login, OpenPull, PullEvent, Repository, text};
use jiff::Timestamp;

use super::MOST_TITLE;

/// How much of a reason is kept, in characters.
const MOST_REASON: usize = 200;
/// What a comment is answered with that asks for nothing.
pub(super) const NOT_ASKED: &str = "a comment that does not ask for the lane of urgent fixes";
/// What is answered where a pull request is merged or closed, and somebody still says something.
pub(super) const OVER: &str = "about a pull request that is merged or closed already";

/// A merge, and that its pull request is no longer open.
pub(super) fn merged(change: Change) -> Vec<MergeEvent> {
    let gone = match change.kind {
        ChangeKind::PullRequest { number } => Some(gone(change.id.repository.clone(), number, change.merged_at)),
        ChangeKind::DirectPush => None,
    };
    std::iter::once(MergeEvent::Merged(Box::new(change))).chain(gone).collect()
}

pub(super) fn gone(repository: Repository, number: u64, at: Timestamp) -> MergeEvent {
    MergeEvent::Pull(repository, PullEvent::Gone { number, at })
}

pub(super) fn open(repository: Repository, pull: OpenPull, at: Timestamp) -> MergeEvent {
    MergeEvent::Pull(repository, PullEvent::Open(pull.bounded(), at))
}

pub(super) fn one(event: MergeEvent) -> Reading<Vec<MergeEvent>> {
    Reading::Event(vec![event])
}

/// The author of a pull request; whoever is no account any more is what GitHub calls a ghost, for a pull request is open
/// whoever made it.
pub(super) fn author(forge: &str, told: Option<Login>) -> Option<Login> {
    told.or_else(|| Login::new(forge, "ghost").ok())
}

/// Whether a label asks for the lane.
pub(super) fn is_expedite(label: &str) -> bool {
    label.trim().eq_ignore_ascii_case(PullEvent::EXPEDITE)
}

/// A command in the first line of a comment: `/expedite payments are down`, or, where a forge has commands of its own,
/// `expedite: payments are down`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub reason: Option<String>,
}

impl Command {
    pub fn of(comment: &str) -> Option<Self> {
        let first = comment.trim_start().lines().next()?;
        let (slash, words) = first.strip_prefix('/').map_or((false, first), |words| (true, words));
        let (word, rest) = words.split_at_checked(PullEvent::EXPEDITE.len())?;
        if !is_expedite(word) {
            return None;
        }
        let reason = match rest.strip_prefix(':') {
            Some(reason) => reason,
            None if slash && (rest.is_empty() || rest.starts_with(char::is_whitespace)) => rest,
            None => return None,
        };
        let reason = text::line(reason, MOST_REASON);
        Some(Self { reason: Some(reason).filter(|reason| !reason.is_empty()) })
    }
}

/// Somebody asks for the lane.
pub(super) struct Asking<'a> {
    pub number: u64,
    pub head: Option<Commit>,
    pub title: &'a str,
    pub url: Option<&'a str>,
    pub by: Login,
    pub at: Timestamp,
    /// Nothing where a label asks.
    pub command: Option<Command>,
}

impl Asking<'_> {
    pub fn event(self, repository: Repository) -> MergeEvent {
        let event = PullEvent::Expedite {
            number: self.number,
            head: self.head,
            by: self.by,
            at: self.at,
            reason: self.command.and_then(|command| command.reason),
            title: text::line(self.title, MOST_TITLE),
            url: self.url.and_then(text::url),
        };
        MergeEvent::Pull(repository, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_the_first_line_of_a_comment() {
        for (comment, want) in [
            ("/expedite payments are down\nmore", Some(Some("payments are down"))),
            ("\n  /Expedite\tpayments\u{202e} are <b>down", Some(Some("payments are <b>down"))),
            ("/expedite", Some(None)),
            ("/expedite  \r\nnot this", Some(None)),
            ("/expedite: it is down", Some(Some("it is down"))),
            ("Expedite: it is down", Some(Some("it is down"))),
            ("expedite:", Some(None)),
            ("expedite it please", None),
            ("/expedited", None),
            ("/expedite-me", None),
            ("> /expedite", None),
            ("please /expedite", None),
            ("text\n/expedite", None),
            ("/expédite x", None),
            ("", None),
            ("/", None),
        ] {
            let asked = Command::of(comment).map(|command| command.reason);
            assert_eq!(asked, want.map(|reason| reason.map(str::to_owned)), "{comment:?}");
        }
        let long = Command::of(&format!("/expedite {}", "é".repeat(900))).unwrap().reason.unwrap();
        assert_eq!(long.chars().count(), MOST_REASON);
    }
}
