//! What came of a past, in words: a screen of text, and how two policies differ.

use std::fmt::Write as _;

use crate::outcome::{Counts, Outcome, Verdict};
use crate::run::Played;
use crate::witness::Passed;

/// So many of the words of what reached nobody are told.
const MOST_WORDS: usize = 4;
/// So many incidents are told one by one.
const MOST_INCIDENTS: usize = 5;

/// `12 of 40 (30 %)`
#[must_use]
pub fn share(part: u64, all: u64) -> String {
    format!("{} of {} ({} %)", number(part), number(all), percent(part, all))
}

/// The nearest whole percent; of nothing, nothing.
#[must_use]
pub fn percent(part: u64, all: u64) -> u64 {
    (part * 100 + all / 2).checked_div(all).unwrap_or(0)
}

/// `12,345`
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut said = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

fn count(n: u64, one: &str, more: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { more })
}

/// What it is called that reached nobody.
#[must_use]
pub fn passed(why: Passed) -> &'static str {
    match why {
        Passed::Ignored => "not for us, as their readers say",
        Passed::NotServed => "of repositories or branches that no service deploys",
        Passed::Unplaced => "of no service or environment of the configuration",
        Passed::OutOfScope => "that their source does not speak for",
        Passed::NobodyToAsk => "of which only somebody outside could say more",
        Passed::Awaits => "deployments of which nobody had told the commit yet",
        Passed::Refused => "that people did and that was refused, or is not understood",
    }
}

/// A screen of text.
#[must_use]
pub fn summary(played: &Played) -> String {
    let Played { outcome, events, unread, .. } = played;
    let all = outcome.all();
    let mut text = format!("{} replayed", count(*events, "event", "events"));
    if let (Some(from), Some(until)) = (outcome.from, outcome.until) {
        let _ = write!(text, ", {} to {}", from.strftime("%Y-%m-%d"), until.strftime("%Y-%m-%d"));
    }
    text.push_str(".\n");
    if *unread > 0 {
        let _ = writeln!(text, "  {} could not be read and were left out", count(*unread, "line", "lines"));
    }
    if outcome.really_left_out > 0 {
        let n = count(outcome.really_left_out, "alert", "alerts");
        let _ = writeln!(text, "  what did happen is not told of {n}: too many have no incident yet");
    }
    for (why, (n, words)) in &outcome.passed {
        let _ = writeln!(text, "  {} {}", number(*n), passed(*why));
        let mut words: Vec<_> = words.iter().collect();
        words.sort_by_key(|(word, n)| (std::cmp::Reverse(**n), (*word).clone()));
        for (word, n) in words.into_iter().take(MOST_WORDS) {
            let _ = writeln!(text, "    {} {}", number(*n), domain::text::line(word, 120));
        }
    }
    text.push('\n');
    figures(&mut text, outcome, &all);
    newest(&mut text, outcome);
    let _ = write!(text, "\nDecision log: {}, sha256 {}", count(played.lines, "line", "lines"), played.digest);
    text
}

fn figures(text: &mut String, outcome: &Outcome, all: &Counts) {
    let hours = all.turn_minutes / 60;
    let row = |text: &mut String, what: &str, said: String| {
        let _ = writeln!(text, "{what:<26}{said}");
    };
    let off =
        if all.merges_off_hours > 0 { format!("; {} off hours", number(all.merges_off_hours)) } else { String::new() };
    row(text, "merges", format!("{}{off}", number(all.merges)));
    let failed = [(all.deployments_failed, "failed"), (all.rollbacks, "rolled back")];
    let failed: String =
        failed.iter().filter(|(n, _)| *n > 0).map(|(n, how)| format!(", {} {how}", number(*n))).collect();
    row(text, "live deployments", format!("{}{failed}", number(all.deployments)));
    let people = u64::try_from(outcome.people_on_call).unwrap_or(0);
    row(
        text,
        "on call",
        format!(
            "{}, {} h in all, by {}",
            count(all.turns, "turn", "turns"),
            number(hours),
            count(people, "person", "people")
        ),
    );
    let acknowledged = if all.incidents_acknowledged > 0 {
        format!(", {} acknowledged", number(all.incidents_acknowledged))
    } else {
        String::new()
    };
    row(
        text,
        "incidents",
        format!("{}, {} paged somebody{acknowledged}", number(all.incidents), number(all.incidents_paged)),
    );
    let people = u64::try_from(outcome.people_paged).unwrap_or(0);
    row(text, "pages", format!("{} to {}", number(all.pages), count(people, "person", "people")));
    row(text, "  at night (22-07)", share(all.pages_at_night, all.pages));
    row(text, "  outside working hours", share(all.pages_outside_hours, all.pages));
    row(text, "  to rotation or owner", share(all.rotation_pages, all.pages));
    row(
        text,
        "rotation left alone",
        format!("in {} incidents that paged", share(all.rotation_spared, all.incidents_paged)),
    );
    if all.judged > 0 {
        row(
            text,
            "the change that did it",
            format!(
                "first {}, in three {}, in five {}",
                share(all.top_1, all.judged),
                share(all.top_3, all.judged),
                share(all.top_5, all.judged)
            ),
        );
        row(text, "  who answers for it", format!("paged in {}", share(all.culprits_paged, all.judged)));
    }
    if all.judged + all.no_change > 0 {
        row(text, "wrong pages", number(all.wrong_pages));
    }
    if all.proposed > 0 {
        let merged = match all.proposed_to_merge {
            0 => String::new(),
            n => format!("; {} would have been merged by itself", number(n)),
        };
        let reverts = count(all.proposed, "revert", "reverts");
        let (right, wrong) = (number(all.proposed_right), number(all.proposed_wrong));
        row(
            text,
            "would have proposed",
            format!("{reverts}: {right} of the known culprit, {wrong} of another{merged}"),
        );
        row(text, "", "none is opened here: each incident goes on as it did".to_owned());
    }
    let really = outcome.incidents.iter().filter_map(|told| told.really.as_ref());
    let taken: Vec<_> = really.filter(|really| really.taken_by.is_some()).collect();
    if !taken.is_empty() {
        let same = taken.iter().filter(|really| really.would_have_been_paged).count();
        let of = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        row(text, "who took it then", format!("would have been paged in {}", share(of(same), of(taken.len()))));
    }
}

/// The newest incidents, a line each.
fn newest(text: &mut String, outcome: &Outcome) {
    if outcome.incidents.is_empty() {
        return;
    }
    let all = outcome.incidents.len();
    let _ = writeln!(
        text,
        "\nThe newest {} of {}:",
        all.min(MOST_INCIDENTS),
        count(u64::try_from(all).unwrap_or(0), "incident", "incidents")
    );
    for told in outcome.incidents.iter().rev().take(MOST_INCIDENTS) {
        let paged: Vec<String> = told.paged.iter().map(|(person, step, _)| format!("{person} ({step})")).collect();
        let paged = if paged.is_empty() { "nobody".to_owned() } else { paged.join(", ") };
        let at = told.detected_at.strftime("%Y-%m-%d %H:%M");
        let proposed = told
            .proposed
            .as_ref()
            .map(|(label, at)| format!("; would have proposed the revert of {label} at {}", at.strftime("%H:%M")));
        let (what, verdict) = (domain::text::line(&told.what, 70), verdict(told.verdict));
        let _ = writeln!(text, "  {at} {what}: paged {paged}{verdict}{}", proposed.unwrap_or_default());
    }
}

/// `; it was suspect 2`
#[must_use]
pub fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Unknown => String::new(),
        Verdict::NoChange => "; it was no change".to_owned(),
        Verdict::Missed => "; what did it was no suspect".to_owned(),
        Verdict::Place(place) => format!("; it was suspect {place}"),
    }
}

/// How another policy does, laid against the one that was asked about: what is more or fewer there.
#[must_use]
pub fn compare(called: &str, one: &Outcome, other_called: &str, other: &Outcome) -> String {
    let (a, b) = (one.all(), other.all());
    let rows: [(&str, u64, u64); 14] = [
        ("turns", a.turns, b.turns),
        ("hours on call", a.turn_minutes / 60, b.turn_minutes / 60),
        ("notices", a.notices, b.notices),
        ("incidents that paged", a.incidents_paged, b.incidents_paged),
        ("pages", a.pages, b.pages),
        ("  at night", a.pages_at_night, b.pages_at_night),
        ("  outside working hours", a.pages_outside_hours, b.pages_outside_hours),
        ("  to rotation or owner", a.rotation_pages, b.rotation_pages),
        ("wrong pages", a.wrong_pages, b.wrong_pages),
        ("culprit was suspect 1", a.top_1, b.top_1),
        ("culprit in the first 3", a.top_3, b.top_3),
        ("its responder was paged", a.culprits_paged, b.culprits_paged),
        ("reverts proposed", a.proposed, b.proposed),
        ("  of the known culprit", a.proposed_right, b.proposed_right),
    ];
    let mut text = format!(
        "{}\n\n{:<26}{:>14}{:>14}{:>12}\n",
        headline(called, one, other_called, other),
        "",
        "this",
        "the other",
        "difference"
    );
    for (what, a, b) in rows {
        let more = i128::from(b) - i128::from(a);
        let _ = writeln!(
            text,
            "{what:<26}{:>14}{:>14}{:>12}",
            number(a),
            number(b),
            if more == 0 { "-".to_owned() } else { format!("{more:+}") }
        );
    }
    text.trim_end().to_owned()
}

/// `active 60m against 30m: 14 fewer pages, 1 culprit missed`: what the other costs and saves.
#[must_use]
pub fn headline(called: &str, one: &Outcome, other_called: &str, other: &Outcome) -> String {
    let (a, b) = (one.all(), other.all());
    let mut said = Vec::new();
    let mut more = |a: u64, b: u64, single: &str, many: &str| {
        let n = a.abs_diff(b);
        if n > 0 {
            let how = if b > a { "more" } else { "fewer" };
            said.push(format!("{} {how} {}", number(n), if n == 1 { single } else { many }));
        }
    };
    more(a.pages, b.pages, "page", "pages");
    more(a.pages_at_night, b.pages_at_night, "page at night", "pages at night");
    more(a.rotation_pages, b.rotation_pages, "page to the rotation", "pages to the rotation");
    more(a.wrong_pages, b.wrong_pages, "wrong page", "wrong pages");
    let missed = a.culprits_paged.abs_diff(b.culprits_paged);
    if missed > 0 {
        let how = if b.culprits_paged < a.culprits_paged { "missed" } else { "found in addition" };
        said.push(format!("{} {how}", count(missed, "culprit", "culprits")));
    }
    let said = if said.is_empty() { "no difference".to_owned() } else { said.join(", ") };
    format!("{called} against {other_called}: {said}")
}
