//! Chats: somebody presses a button of a message of ours, or types a command. It does what the form of a link would do, in the
//! name of whoever did it.

mod commands;
pub(crate) mod slack;

use aws::links::{Action, Grant};
use aws::{House, Refusal};
use commands::Command;
use domain::{Person, Roster};

use crate::act::{self, Filled, Outcome};
use crate::person::{self, Mine};

/// So many of somebody's changes are shown.
const MOST_SHOWN: usize = 12;

/// Does what was typed. The chat has proved who typed it, so it needs no link; `mentioned` knows how the chat writes a person.
async fn obey<'a>(
    house: &House,
    by: &Person,
    command: Command,
    mentioned: impl Fn(&str) -> Option<&'a Person>,
) -> Result<Outcome, Refusal> {
    let grant = |action: Action| Grant { action, person: by.id.clone(), expires: house.now() };
    match command {
        Command::Unclear(how) => Ok(Outcome::not_understood(how)),
        Command::Look(action, how) => act::look(house, &grant(action), how).await,
        Command::Do(action, form) => act::perform(house, &grant(action), &form).await,
        Command::Mine(how) => {
            let (mine, unreadable) = person::windows(house, by).await?;
            let open = mine.iter().filter(|one| one.is_open);
            let mut lines: Vec<String> = open.clone().take(MOST_SHOWN).map(line).collect();
            match open.count() {
                0 => lines.push("Nothing: you are not on call, and nothing of yours waits.".to_owned()),
                all if all > MOST_SHOWN => lines.push(format!("And {} more: the board shows them.", all - MOST_SHOWN)),
                _ => {}
            }
            lines.extend(unreadable);
            lines.push(how.to_owned());
            Ok(Outcome::done("You answer for", lines.join("\n")))
        }
        Command::HandOver { to, which } => {
            let Some(to) = mentioned(&to).or_else(|| named(&house.settings().roster, &to)) else {
                return Ok(Outcome::missing("Nobody by this name", "The roster has no such person. Nothing was done."));
            };
            let (mine, _) = person::windows(house, by).await?;
            let is_meant = |one: &&Mine| which.as_ref().is_none_or(|label| one.label.eq_ignore_ascii_case(label));
            match mine.iter().filter(|one| one.held && one.is_open).filter(is_meant).collect::<Vec<_>>().as_slice() {
                [] => Ok(Outcome::missing("Nothing to hand over", "No such change is yours.")),
                [one] => {
                    let action = Action::HandOver(one.service.clone(), one.change.clone());
                    let form = [("do", "hand-over"), ("to", to.id.as_str())].map(|(k, v)| (k.to_owned(), v.to_owned()));
                    act::perform(house, &grant(action), &Filled::from(form)).await
                }
                several => {
                    let lines: Vec<String> = several.iter().take(MOST_SHOWN).map(|one| line(one)).collect();
                    let ask = "Say which of them, such as /handover anna edx-platform#12. Where one is in several services, by the board.";
                    Ok(Outcome::missing("Several are yours", &format!("{ask}\n{}", lines.join("\n"))))
                }
            }
        }
    }
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
