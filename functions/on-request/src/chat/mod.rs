//! Chats: somebody presses a button of a message of ours, or types a command. It does what the form of a link would do, in the
//! name of whoever did it.

mod commands;
pub(crate) mod slack;

use aws::links::{Action, Grant};
use aws::{House, Refusal};
use commands::Command;
use domain::{Person, Roster, ServiceId, times};
use jiff::Timestamp;

use crate::act::{self, Filled, Outcome};
use crate::person::{self, Mine, Theirs};

/// So many of somebody's changes are shown.
const MOST_SHOWN: usize = 12;

/// Does what was typed. The chat has proved who typed it, so it needs no link; `mentioned` knows how the chat writes a person.
async fn obey<'a>(
    house: &House,
    by: &Person,
    command: Command,
    mentioned: impl Fn(&str) -> Option<&'a Person>,
) -> Result<(Outcome, Option<Offered>), Refusal> {
    let grant = |action: Action| Grant { action, person: by.id.clone(), expires: house.now() };
    match command {
        Command::Unclear(how) => Ok(alone(Outcome::not_understood(how))),
        Command::Look(action, how) => {
            let outcome = act::look(house, &grant(action.clone()), how).await?;
            Ok((outcome, Some(Offered { action, only: &[] })))
        }
        Command::Do(action, form) => {
            let outcome = act::perform(house, &grant(action.clone()), &form).await?;
            let next = next(action, &form).filter(|_| outcome.is_done());
            Ok((outcome, next))
        }
        Command::Mine(how) => {
            let Theirs { mine, pagers, unreadable } = person::windows(house, by).await?;
            let open: Vec<&Mine> = mine.iter().filter(|one| one.is_open).collect();
            let pager = |(service, until): &(ServiceId, Option<Timestamp>)| {
                let until = until.map(|at| format!(" until {}", times::time(at, &by.zone, house.now())));
                format!("{service}: you have the pager{}.", until.unwrap_or_default())
            };
            let mut lines: Vec<String> = pagers.iter().map(pager).collect();
            lines.extend(open.iter().take(MOST_SHOWN).map(|one| line(one)));
            match open.len() {
                0 if lines.is_empty() => {
                    lines.push("Nothing: you are not on call, and nothing of yours waits.".to_owned())
                }
                all if all > MOST_SHOWN => lines.push(format!("And {} more: the board shows them.", all - MOST_SHOWN)),
                _ => {}
            }
            lines.extend(unreadable);
            lines.push(how.to_owned());
            // One menu says which change it hands over; of several that would be a riddle.
            let hand_over = match open.as_slice() {
                [one] if one.held => Some(Action::HandOver(one.service.clone(), one.change.clone())),
                _ => None,
            };
            let offered = hand_over.map(|action| Offered { action, only: &["hand-over.to"] });
            Ok((Outcome::done("You answer for", lines.join("\n")), offered))
        }
        Command::HandOver { to, which } => {
            let Some(to) = mentioned(&to).or_else(|| named(&house.settings().roster, &to)) else {
                let text = "The roster has no such person. Nothing was done.";
                return Ok(alone(Outcome::missing("Nobody by this name", text)));
            };
            let Theirs { mine, .. } = person::windows(house, by).await?;
            let is_meant = |one: &&Mine| which.as_ref().is_none_or(|label| one.label.eq_ignore_ascii_case(label));
            match mine.iter().filter(|one| one.held && one.is_open).filter(is_meant).collect::<Vec<_>>().as_slice() {
                [] => Ok(alone(Outcome::missing("Nothing to hand over", "No such change is yours."))),
                [one] => {
                    let action = Action::HandOver(one.service.clone(), one.change.clone());
                    let form = [("do", "hand-over"), ("to", to.id.as_str())].map(|(k, v)| (k.to_owned(), v.to_owned()));
                    Ok(alone(act::perform(house, &grant(action), &Filled::from(form)).await?))
                }
                several => {
                    let lines: Vec<String> = several.iter().take(MOST_SHOWN).map(|one| line(one)).collect();
                    let ask = "Say which of them, such as /handover anna edx-platform#12. Where one is in several services, by the board.";
                    Ok(alone(Outcome::missing("Several are yours", &format!("{ask}\n{}", lines.join("\n")))))
                }
            }
        }
    }
}

/// What a chat offers to do about what it says.
struct Offered {
    action: Action,
    /// Which of its clicks, by their ids; none: all.
    only: &'static [&'static str],
}

/// Nothing is to be done about it.
fn alone(outcome: Outcome) -> (Outcome, Option<Offered>) {
    (outcome, None)
}

/// What can be done about what was just done: taken back, mostly.
fn next(action: Action, form: &Filled) -> Option<Offered> {
    let does = form.get("do").map_or("", String::as_str);
    let (action, only): (_, &'static [&'static str]) = match action {
        Action::Freezes if does == act::FREEZE && !form.contains_key("just") => {
            (Action::Freeze(act::freeze_meant(form)?), &[])
        }
        Action::OnCall(service) if does == "take" => (Action::OnCall(service), &["give-back"]),
        Action::Expedite(repository, number) if does == act::EXPEDITE => {
            (Action::Expedite(repository, number), &["expedite.why", "withdraw"])
        }
        Action::Freezes
        | Action::OnCall(_)
        | Action::Expedite(..)
        | Action::Acknowledge(_)
        | Action::Judge(_)
        | Action::Answer(..)
        | Action::HandOver(..)
        | Action::Queue(_)
        | Action::Freeze(_)
        | Action::Person(_)
        | Action::Revert(..) => return None,
    };
    Some(Offered { action, only })
}

/// `edx-platform#12 in edxapp: on call until 14:30 (America/New_York).`
fn line(one: &Mine) -> String {
    let until = one.until.as_ref().map_or_else(String::new, |until| format!(" until {until}"));
    format!("{} in {}: {}{until}.", one.label, one.service, one.phase)
}

/// By id or by name, if only one is called so.
fn named<'a>(roster: &'a Roster, said: &str) -> Option<&'a Person> {
    let said = said.trim_start_matches('@');
    let mut all = roster.people().filter(|person| {
        person.id.as_str().eq_ignore_ascii_case(said) || person.name.to_lowercase() == said.to_lowercase()
    });
    let one = all.next()?;
    all.next().is_none().then_some(one)
}
