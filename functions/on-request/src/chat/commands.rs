//! What somebody types to us in a chat, read into the form that a button would send. Words, in any order after the name, with
//! or without dashes before them (chats like to change those): `/freeze Gratitude week until 2026-12-28 09:00 preset holiday`.

use aws::links::Action;

use crate::act::{self, Filled};

/// The words that begin a part of `/freeze`; what follows one, up to the next, is what the field of that name says.
const PARTS: [&str; 9] =
    ["until", "from", "zone", "preset", "merges", "deployments", "services", "repositories", "environments"];
/// Declares nothing: shows what it would touch.
const PREVIEW: &str = "preview";
/// How it is written, to whoever wrote it otherwise.
const HOW_TO_FREEZE: &str = "Write: /freeze Gratitude week until Mon 09:00 (or 2026-12-28 09:00) [from ...] [preset weekend, holiday, hackathon or \
     peak-event] [merges or deployments advise, require or allow] [services ...] [preview]; or: /freeze end gratitude-week.";
const HOW_TO_EXPEDITE: &str = "Write: /expedite openedx/edx-platform#12 why it cannot wait; or: /expedite sign, refuse or withdraw \
     openedx/edx-platform#12.";

const HOW_TO_BE_ON_CALL: &str = "/oncall <service> says who answers for it; /takeoncall <service> 2h takes its pager, /takeoncall <service> back gives \
     it back; /handover <colleague> <change> hands a change over.";

/// Those of a command that is none of ours.
pub(super) const OURS: &str = "This app has the commands /freeze, /expedite, /oncall, /takeoncall and /handover";

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// What whoever typed it answers for, and how to go on.
    Mine(&'static str),
    /// One of their changes is a colleague's from now on; which, where they have several.
    HandOver {
        to: String,
        which: Option<String>,
    },
    /// Something is to be shown, and how to go on.
    Look(Action, &'static str),
    Do(Action, Filled),
    /// It is one of ours, and cannot be read.
    Unclear(&'static str),
}

/// `None`: no command of ours. Two apps cannot have one command, so a team may call it `/deploy-freeze`.
pub(super) fn read(command: &str, text: &str) -> Option<Command> {
    let name = command.strip_prefix('/')?.rsplit(['-', '_']).next()?;
    let text = text.trim();
    match name {
        "freeze" => Some(freeze(text)),
        "expedite" => Some(expedite(text)),
        "oncall" => Some(on_call(text)),
        "takeoncall" => Some(take(text)),
        "handover" => Some(hand_over(text)),
        _ => None,
    }
}

fn freeze(text: &str) -> Command {
    let filled = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    if text.is_empty() || plain(text) == "help" {
        return Command::Look(Action::Freezes, HOW_TO_FREEZE);
    }
    if let Some(which) = after(text, "end") {
        return Command::Do(Action::Freezes, filled(&[("do", act::THAW), ("freeze", unquoted(which))]));
    }
    let (name, rest) = named(text);
    let mut form: Filled = filled(&[("do", act::FREEZE), ("name", name)]);
    let mut part = None;
    for word in rest.split_whitespace() {
        let begins = plain(word);
        let known = PARTS.into_iter().find(|part| *part == begins);
        if begins == PREVIEW {
            form.insert("just".to_owned(), act::SHOW.to_owned());
            part = None;
        } else if let Some(next) = known {
            // Said twice, neither is meant more than the other.
            if form.insert(next.to_owned(), String::new()).is_some() {
                return Command::Unclear(HOW_TO_FREEZE);
            }
            part = Some(next);
        } else {
            let Some(said) = part.and_then(|part| form.get_mut(part)) else {
                return Command::Unclear(HOW_TO_FREEZE);
            };
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(unquoted(word));
        }
    }
    if name.is_empty() || !form.contains_key("until") || form.values().any(String::is_empty) {
        return Command::Unclear(HOW_TO_FREEZE);
    }
    Command::Do(Action::Freezes, form)
}

fn expedite(text: &str) -> Command {
    let (does, rest) = ["sign", "refuse", "withdraw"]
        .into_iter()
        .find_map(|does| Some((does, after(text, does)?)))
        .unwrap_or((act::EXPEDITE, text));
    let (which, why) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match act::pull(which) {
        Some((repository, number)) => {
            let why = unquoted(why.trim());
            let form = [("do", does), ("why", why)].map(|(k, v)| (k.to_owned(), v.to_owned()));
            Command::Do(Action::Expedite(repository, number), Filled::from(form))
        }
        None => Command::Unclear(HOW_TO_EXPEDITE),
    }
}

fn on_call(text: &str) -> Command {
    match text {
        "" | "me" | "help" => Command::Mine(HOW_TO_BE_ON_CALL),
        service => service.parse().map_or(Command::Unclear(HOW_TO_BE_ON_CALL), |service| {
            Command::Look(Action::OnCall(service), HOW_TO_BE_ON_CALL)
        }),
    }
}

fn take(text: &str) -> Command {
    /// As the board proposes it.
    const USUAL: &str = "2 h";
    if matches!(text, "" | "help") {
        return Command::Unclear(HOW_TO_BE_ON_CALL);
    }
    let (service, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Ok(service) = service.parse() else { return Command::Unclear(HOW_TO_BE_ON_CALL) };
    let rest = after(rest.trim(), "for").unwrap_or(rest.trim());
    let form = match rest {
        "back" => vec![("do", "give-back")],
        "" => vec![("do", "take"), ("for", USUAL)],
        span => vec![("do", "take"), ("for", span)],
    };
    Command::Do(Action::OnCall(service), form.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

fn hand_over(text: &str) -> Command {
    let mut words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "to" | "for")).collect();
    // `edx-platform#12`, `edx-platform@8c1c06a1a8`; a colleague begins with the sign.
    let which = words.iter().position(|word| word.find(['#', '@']).is_some_and(|at| at > 0) && !word.starts_with('<'));
    let which = which.map(|at| words.remove(at).to_owned());
    match words.as_slice() {
        [] | ["help"] => Command::Mine(HOW_TO_BE_ON_CALL),
        words => Command::HandOver { to: words.join(" "), which },
    }
}

/// The name of a freeze, and the rest: in quotes, or all before the first word that begins a part.
fn named(text: &str) -> (&str, &str) {
    const QUOTES: [char; 3] = ['"', '\u{201c}', '\u{201d}'];
    if let Some((name, rest)) = text.strip_prefix(QUOTES).and_then(|text| text.split_once(QUOTES)) {
        return (name.trim(), rest);
    }
    let mut at = 0;
    for word in text.split_whitespace() {
        let from = at + text[at..].find(word).unwrap_or_default();
        if PARTS.contains(&plain(word).as_str()) || plain(word) == PREVIEW {
            return (text[..from].trim(), &text[from..]);
        }
        at = from + word.len();
    }
    (text, "")
}

/// What follows this word, if it is the first.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.split_once(char::is_whitespace)?;
    (plain(first) == word).then(|| rest.trim())
}

/// A word without dashes before it, of whatever length they were made.
fn plain(word: &str) -> String {
    word.trim_start_matches(['-', '\u{2013}', '\u{2014}']).to_lowercase()
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\u{201c}', '\u{201d}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields, in the order of their names.
    fn freezes(text: &str) -> String {
        match read("/freeze", text) {
            Some(Command::Do(Action::Freezes, form)) => {
                form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
            }
            Some(Command::Look(..)) => "look".to_owned(),
            Some(Command::Unclear(_)) => "unclear".to_owned(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_freeze_is_read_from_words() {
        let week = "do=freeze; name=Gratitude week; preset=holiday; until=2026-12-28 09:00";
        for text in [
            "Gratitude week until 2026-12-28 09:00 preset holiday",
            "  Gratitude week   preset holiday  until 2026-12-28   09:00 ",
            "\"Gratitude week\" --until \"2026-12-28 09:00\" --preset holiday",
            "\u{201c}Gratitude week\u{201d} \u{2014}until \u{201c}2026-12-28 09:00\u{201d} \u{2014}preset holiday",
            "Gratitude week Until 2026-12-28 09:00 PRESET holiday",
        ] {
            assert_eq!(freezes(text), week, "{text}");
        }
        assert_eq!(
            freezes("\"From dusk until dawn\" until 2026-12-28 preview services edxapp, cart"),
            "do=freeze; just=show; name=From dusk until dawn; services=edxapp, cart; until=2026-12-28"
        );
        assert_eq!(freezes("end gratitude-week"), "do=thaw; freeze=gratitude-week");
        assert_eq!((freezes("").as_str(), freezes("help").as_str()), ("look", "look"));
        for unclear in [
            "Gratitude week",
            "until 2026-12-28",
            "x until",
            "x until 2026-12-28 until 2027-12-28",
            "x until 2026-12-28 preview soon",
            "\"x\" y until 2026-12-28",
            "\"\" until 2026-12-28",
            "end",
        ] {
            assert_eq!(freezes(unclear), "unclear", "{unclear}");
        }
    }

    #[test]
    fn a_fix_is_read_with_its_reason() {
        let fix = Action::Expedite("openedx/edx-platform".parse().unwrap(), 12);
        for (text, does, why) in [
            ("openedx/edx-platform#12 checkout answers 500", "expedite", "checkout answers 500"),
            ("openedx/edx-platform#12", "expedite", ""),
            ("sign openedx/edx-platform#12", "sign", ""),
            ("refuse openedx/edx-platform#12 it can wait", "refuse", "it can wait"),
            ("withdraw openedx/edx-platform#12", "withdraw", ""),
        ] {
            let form = Filled::from([("do".to_owned(), does.to_owned()), ("why".to_owned(), why.to_owned())]);
            assert_eq!(read("/expedite", text), Some(Command::Do(fix.clone(), form)), "{text}");
        }
        for unclear in ["", "sign", "checkout answers 500", "#12 x", "sign me", "openedx/edx-platform#-1"] {
            assert_eq!(read("/expedite", unclear), Some(Command::Unclear(HOW_TO_EXPEDITE)), "{unclear}");
        }
    }

    #[test]
    fn who_is_on_call_is_asked_taken_and_handed_over() {
        let action = || Action::OnCall("edxapp".parse().unwrap());
        assert_eq!(read("/oncall", ""), Some(Command::Mine(HOW_TO_BE_ON_CALL)));
        assert_eq!(read("/oncall", " me "), Some(Command::Mine(HOW_TO_BE_ON_CALL)));
        assert_eq!(read("/oncall", "edxapp"), Some(Command::Look(action(), HOW_TO_BE_ON_CALL)));
        assert_eq!(read("/oncall", "who is it"), Some(Command::Unclear(HOW_TO_BE_ON_CALL)));
        for (text, form) in [
            ("edxapp", "do=take; for=2 h"),
            ("edxapp 45m", "do=take; for=45m"),
            ("edxapp for 3 h", "do=take; for=3 h"),
            ("edxapp back", "do=give-back"),
        ] {
            let Some(Command::Do(about, filled)) = read("/takeoncall", text) else { panic!("{text}") };
            let filled: Vec<String> = filled.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!((about, filled.join("; ").as_str()), (action(), form), "{text}");
        }
        assert_eq!(read("/takeoncall", ""), Some(Command::Unclear(HOW_TO_BE_ON_CALL)));
        for (text, to, which) in [
            ("anna", "anna", None),
            ("@anna", "@anna", None),
            ("to <@U0ANNA00001|anna>", "<@U0ANNA00001|anna>", None),
            ("edx-platform#12 to Anna Lindqvist", "Anna Lindqvist", Some("edx-platform#12")),
            ("anna edx-platform@8c1c06a1a8", "anna", Some("edx-platform@8c1c06a1a8")),
        ] {
            let which = which.map(str::to_owned);
            assert_eq!(read("/handover", text), Some(Command::HandOver { to: to.to_owned(), which }), "{text}");
        }
        assert_eq!(read("/handover", "edx-platform#12"), Some(Command::Mine(HOW_TO_BE_ON_CALL)));
    }

    #[test]
    fn another_name_is_ours_by_its_last_word() {
        for ours in ["/freeze", "/deploy-freeze", "/deploy_freeze"] {
            assert!(read(ours, "").is_some(), "{ours}");
        }
        for not in ["", "freeze", "/", "/unfreeze", "/freeze-all", "/webhook-collect", "/FREEZE"] {
            assert_eq!(read(not, ""), None, "{not}");
        }
    }
}
