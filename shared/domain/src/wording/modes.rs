//! What is said of a service's mode.

use super::Reader;
use crate::alert::Severity;
use crate::message::{Kind, Message, Step, Subject};
use crate::mode::{Lowered, Mode, Why};
use crate::reason::Reason;
use crate::text::count;

/// What a mode means, in one line.
#[must_use]
pub fn means(mode: Mode) -> &'static str {
    match mode {
        Mode::Manual => "people take and hand over the pager themselves; nobody is paged",
        Mode::Shadow => "what would be done is recorded; nobody is told",
        Mode::Notify => "people hear of it by chat; nobody is woken",
        Mode::Page => "responders are told of their turns and paged",
        Mode::Propose => "the revert of a likely culprit is opened, for a person to merge",
        Mode::Act => "the revert of a likely culprit is opened and merged",
    }
}

/// Why it is lower than the configuration says.
#[must_use]
pub fn why(why: &Why) -> String {
    match why {
        Why::Said { why, .. } if why.is_empty() => "somebody said so".to_owned(),
        Why::Said { why, .. } => why.clone(),
        Why::WrongPages { pages } => {
            format!("{} to one person within 30 days", count(*pages, "wrong page", "wrong pages"))
        }
        Why::WrongRevert { label, .. } => format!("{label} was reverted by itself, and was not it"),
    }
}

/// A service has stepped down by itself.
#[must_use]
pub fn stepped_down(reader: Reader<'_>, from: Mode, lowered: &Lowered, reason: Reason) -> Message {
    let (service, to) = (&reader.service.id, lowered.to);
    let mut message = reader.message(Subject::Service, Step::SteppedDown, Kind::Notice, Severity::Warning, reason);
    // Each time is another one.
    message.key.nth = u32::try_from(lowered.at.as_second() / 60).unwrap_or(u32::MAX);
    message.title = format!("{service} has gone down from {} to {}", from.word(), to.word());
    message.lines = vec![
        format!("Why: {}.", why(&lowered.why)),
        format!("From now on {}.", means(to)),
        format!(
            "It stays so until a person raises it: recent-deployers mode {service} {} --as <you>. Look at the incidents first: who was paged, and what it really was.",
            from.word()
        ),
    ];
    message.links.push(reader.board());
    message
}
