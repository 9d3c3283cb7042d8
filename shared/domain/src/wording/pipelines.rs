//! What is said of pipelines that are to hold.

use super::Reader;
use crate::alert::Severity;
use crate::message::{Kind, Message, Step, Subject};
use crate::pipelines::Held;
use crate::reason::Reason;

/// A pipeline does not answer: it may not hold, or still hold.
#[must_use]
pub fn silent(reader: Reader<'_>, name: &str, held: &Held, why: &str, frozen: bool) -> Message {
    let reason = Reason::PipelineSilent { pipeline: name.to_owned(), why: why.to_owned() };
    let mut message = reader.message(Subject::Service, Step::PipelineSilent, Kind::Notice, Severity::Info, reason);
    message.key.nth =
        u32::try_from(held.failed.as_ref().map_or(held.from, |f| f.since).as_second() / 60).unwrap_or(u32::MAX);
    let service = &reader.service.id;
    if frozen {
        message.title = format!("{service} is frozen, and its pipeline {name} cannot be asked to hold");
        message.lines.push(format!("It says: {why}. What it deploys goes out, freeze or not: pause it by hand."));
    } else {
        message.title = format!("The freeze is over, and {service}'s pipeline {name} may still hold");
        message.lines.push(format!("It says: {why}. Open it by hand if it waits."));
    }
    message.lines.push("We go on trying.".to_owned());
    message.links.push(reader.board());
    message
}
