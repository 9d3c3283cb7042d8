//! An incident as Markdown, to be pasted into a retrospective: what is known is filled in, what only people know is left empty.
//!
//! Whatever was told from outside (titles, alerts, names) stands in cells and after words of ours, each escaped: it mentions nobody,
//! links nowhere, and begins no block.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::markdown::literal;
use crate::export::{Export, Judged, Paged, Suspected};
use crate::text::url;
use crate::times;

/// Who reads: where the board is, and in which zone they live.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    pub public_url: &'a str,
    pub zone: &'a TimeZone,
}

/// The whole document.
#[must_use]
pub fn markdown(export: &Export, sheet: Sheet<'_>) -> String {
    let parts = [
        head(export, sheet),
        section("What it took", measures(export, sheet)),
        section("Timeline", timeline(export, sheet)),
        section("Suspects", suspects(export)),
        section("Pages", pages(export, sheet)),
        section("People", people(export)),
        section("Alerts", alerts(export, sheet)),
        section("What went well", "-".to_owned()),
        section("What to change", "-".to_owned()),
    ];
    parts.join("\n\n") + "\n"
}

fn section(title: &str, body: String) -> String {
    format!("## {title}\n\n{body}")
}

/// Rows of a table; `none` where there are none.
fn table(head: &[String], rows: Vec<Vec<String>>, none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let rule = format!("| {} |", vec!["---"; head.len()].join(" | "));
    let lines = [line(head), rule].into_iter().chain(rows.iter().map(|row| line(row)));
    lines.collect::<Vec<_>>().join("\n")
}

fn titles(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// An address where it can stand as one; nothing in it ends a cell or the link.
fn link(words: &str, address: Option<&str>) -> String {
    match address.and_then(url) {
        Some(address) => format!("[{words}](<{address}>)"),
        None => words.to_owned(),
    }
}

impl Sheet<'_> {
    fn is_elsewhere(self) -> bool {
        !matches!(self.zone.iana_name(), None | Some("UTC" | "Etc/UTC"))
    }

    /// What the columns of a time are called: UTC, and the reader's own where they live elsewhere.
    fn head(self) -> Vec<String> {
        let own = self.zone.iana_name().filter(|_| self.is_elsewhere()).map(literal);
        std::iter::once("UTC".to_owned()).chain(own).collect()
    }

    fn at(self, at: Timestamp) -> Vec<String> {
        let utc = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let there = at.to_zoned_datetime(self.zone.clone());
        let own = self.is_elsewhere().then(|| there.strftime("%a %H:%M").to_string());
        std::iter::once(utc).chain(own).collect()
    }

    fn columns(self, rest: &[&str]) -> Vec<String> {
        self.head().into_iter().chain(titles(rest)).collect()
    }

    fn row<const N: usize>(self, at: Timestamp, rest: [String; N]) -> Vec<String> {
        self.at(at).into_iter().chain(rest).collect()
    }
}

fn head(export: &Export, sheet: Sheet<'_>) -> String {
    let own = format!("{}/incidents/{}", sheet.public_url, export.incident);
    let incident = link(&literal(export.incident.as_str()), Some(&own));
    let summary = if export.summary.is_empty() { "none".to_owned() } else { literal(&export.summary) };
    let rows = [
        ("Incident", incident),
        ("Service", format!("{}, {}", literal(export.service.as_str()), literal(export.environment.as_str()))),
        ("State", export.state.to_owned()),
        ("Summary", summary),
        ("What it was", export.verdict.as_ref().map_or_else(|| "nobody has said".to_owned(), verdict)),
    ];
    let rows = rows.map(|(what, said)| vec![what.to_owned(), said]).to_vec();
    format!("# {}\n\n{}", literal(&export.headline), table(&titles(&["", ""]), rows, ""))
}

fn verdict(judged: &Judged) -> String {
    let by = match (judged.by, &judged.person) {
        (_, None) => "by its revert".to_owned(),
        ("guess", Some(who)) => format!("guesses {}", literal(&who.name)),
        (_, Some(who)) => format!("says {}", literal(&who.name)),
    };
    format!("{}, {by}", literal(&judged.label))
}

fn measures(export: &Export, sheet: Sheet<'_>) -> String {
    let measured = export.measures;
    let all = [
        ("Detected", measured.detect),
        ("First page", measured.first_page),
        ("Acknowledged", measured.acknowledge),
        ("Mitigated", measured.mitigate),
        ("Resolved", measured.resolve),
    ];
    let began = sheet.row(export.since, ["Began".to_owned(), String::new()]);
    let reached = |(what, after): (&str, Option<i64>)| {
        let after = SignedDuration::from_secs(after?);
        let at = export.since.checked_add(after).ok()?;
        Some(sheet.row(at, [what.to_owned(), length(after)]))
    };
    let rows = std::iter::once(began).chain(all.into_iter().filter_map(reached)).collect();
    table(&sheet.columns(&["What", "After"]), rows, "")
}

/// A monitor's clock may be ahead of ours.
fn length(span: SignedDuration) -> String {
    times::span(span.max(SignedDuration::ZERO))
}

fn timeline(export: &Export, sheet: Sheet<'_>) -> String {
    let row = |line: &crate::export::Happened| sheet.row(line.at, [literal(&line.what), literal(&line.why)]);
    table(&sheet.columns(&["What", "Why"]), export.timeline.iter().map(row).collect(), "Nothing is known.")
}

fn suspects(export: &Export) -> String {
    let row = |(place, suspect): (usize, &Suspected)| {
        let change = link(&literal(&suspect.label), suspect.url.as_deref());
        let was = export.verdict.as_ref().and_then(|judged| judged.change.as_ref()) == Some(&suspect.change);
        let was = if was { " (it was this)" } else { "" };
        vec![
            (place + 1).to_string(),
            format!("{change} {}{was}", literal(&suspect.title)),
            literal(&suspect.responder.name),
            suspect.percent.map_or_else(String::new, |percent| format!("about {percent} %")),
            suspect.evidence.iter().map(|words| literal(words)).collect::<Vec<_>>().join("; "),
        ]
    };
    let head = titles(&["", "Change", "Who answers", "Likely", "Evidence"]);
    table(&head, export.suspects.iter().enumerate().map(row).collect(), "No change went live lately.")
}

fn pages(export: &Export, sheet: Sheet<'_>) -> String {
    let row = |page: &Paged| {
        let again = match page.again {
            0 => String::new(),
            _ => format!(", again {}", crate::text::count(usize::try_from(page.again).unwrap_or(0), "time", "times")),
        };
        let arrived = match page.arrived {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "not known",
        };
        let became = format!("{arrived}: {}{again}", literal(&page.delivery));
        sheet.row(page.at, [literal(&page.name), page.step.to_owned(), literal(&page.why), became])
    };
    let head = sheet.columns(&["Who", "Step", "Why", "Arrived"]);
    table(&head, export.pages.iter().map(row).collect(), "Nobody was paged.")
}

fn people(export: &Export) -> String {
    let row = |one: &crate::export::Involved| vec![literal(&one.name), one.parts.join(", ")];
    table(&titles(&["Who", "Part"]), export.people.iter().map(row).collect(), "Nobody.")
}

fn alerts(export: &Export, sheet: Sheet<'_>) -> String {
    let row = |alert: &crate::export::Fired| {
        let name = link(&literal(&alert.name), alert.url.as_deref());
        sheet.row(alert.started_at, [name, alert.severity.word().to_owned(), literal(&alert.summary)])
    };
    let told =
        table(&sheet.columns(&["Alert", "Severity", "Summary"]), export.fired.iter().map(row).collect(), "None.");
    match export.alerts.saturating_sub(export.fired.len()) {
        0 => told,
        more => format!("{told}\n\n{more} more fired, and were not kept in words."),
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
