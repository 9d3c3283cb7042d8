//! The report: one page that stands alone, with plots that are drawn here. No script, nothing from elsewhere; every text is escaped.

mod plots;

use std::fmt::Write as _;

use crate::outcome::{Counts, Outcome, Told};
use crate::words::{self, number, share};
use plots::{Bars, Series};

/// So many incidents are listed, the newest first.
const MOST_INCIDENTS: usize = 300;
/// So many services have a row of their own.
const MOST_SERVICES: usize = 200;

/// Text as it stands in markup.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// The whole page. `title`: what was replayed; `against`: the other policy and what came of it.
#[must_use]
pub fn page(title: &str, outcome: &Outcome, against: Option<(&str, &Outcome)>) -> String {
    let mut page = String::with_capacity(64 * 1024);
    let title = escape(title);
    let _ = writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Replay of {title}</title>\n<style>{}</style>\n</head>\n<body>\n<main>",
        include_str!("page/page.css")
    );
    let span = outcome
        .from
        .zip(outcome.until)
        .map(|(from, until)| format!("{} to {}", from.strftime("%-d %B %Y"), until.strftime("%-d %B %Y")));
    let _ =
        writeln!(page, "<header><h1>What would have been</h1><p>{title}<br>{}</p></header>", span.unwrap_or_default());
    tiles(&mut page, outcome);
    if let Some((called, other)) = against {
        versus(&mut page, outcome, called, other);
    }
    plots_of(&mut page, outcome, against);
    services(&mut page, outcome);
    incidents(&mut page, outcome);
    passed(&mut page, outcome);
    page.push_str(
        "<footer><p>Played by the very functions that decide when it runs, in virtual time. Each message counts as accepted at once; \
         nobody acts who is not in what was replayed. Figures are of services: nobody is ranked.</p></footer>\n</main>\n</body>\n</html>\n",
    );
    page
}

fn tiles(page: &mut String, outcome: &Outcome) {
    let all = outcome.all();
    let mut tile = |big: String, what: &str, small: String| {
        let small = escape(&small);
        let _ =
            writeln!(page, "<div class=\"tile\"><strong>{big}</strong><span>{what}</span><small>{small}</small></div>");
    };
    glance(&mut tile, &all, outcome);
}

/// The figures at a glance.
fn glance(tile: &mut impl FnMut(String, &str, String), all: &Counts, outcome: &Outcome) {
    let months = u64::try_from(outcome.month_count()).unwrap_or(1);
    tile(number(all.incidents), "incidents", format!("{} paged somebody", number(all.incidents_paged)));
    tile(number(all.pages), "pages", format!("{} a month", number(all.pages / months)));
    tile(number(all.pages_at_night), "pages at night", "22 to 7 by the clock of whoever is paged".to_owned());
    tile(number(all.pages_outside_hours), "outside working hours", share(all.pages_outside_hours, all.pages));
    tile(number(all.rotation_spared), "rotation left alone", share(all.rotation_spared, all.incidents_paged));
    tile(
        number(all.turns),
        "turns on call",
        format!("{} people, {} h", outcome.people_on_call, number(all.turn_minutes / 60)),
    );
    if all.judged > 0 {
        let percent = words::percent(all.top_3, all.judged);
        tile(format!("{percent} %"), "culprit in the first three", share(all.top_3, all.judged));
        tile(number(all.wrong_pages), "wrong pages", "to whoever answers for another change".to_owned());
    }
}

fn versus(page: &mut String, outcome: &Outcome, called: &str, other: &Outcome) {
    let headline = words::headline("This policy", outcome, called, other);
    let _ = writeln!(page, "<section><h2>Against another policy</h2><p class=\"lead\">{}</p>", escape(&headline));
    let (a, b) = (outcome.all(), other.all());
    page.push_str("<div class=\"wide\"><table><thead><tr><th></th><th>this</th><th>the other</th><th>difference</th></tr></thead><tbody>\n");
    type Figure = fn(&Counts) -> u64;
    let rows: [(&str, Figure); 9] = [
        ("turns", |c| c.turns),
        ("hours on call", |c| c.turn_minutes / 60),
        ("pages", |c| c.pages),
        ("pages at night", |c| c.pages_at_night),
        ("pages outside working hours", |c| c.pages_outside_hours),
        ("pages to rotation or owner", |c| c.rotation_pages),
        ("wrong pages", |c| c.wrong_pages),
        ("culprit in the first three", |c| c.top_3),
        ("its responder was paged", |c| c.culprits_paged),
    ];
    for (what, of) in rows {
        let (a, b) = (of(&a), of(&b));
        let more = i128::from(b) - i128::from(a);
        let more = if more == 0 { "&ndash;".to_owned() } else { format!("{more:+}") };
        let _ = writeln!(page, "<tr><th>{what}</th><td>{}</td><td>{}</td><td>{more}</td></tr>", number(a), number(b));
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn plots_of(page: &mut String, outcome: &Outcome, against: Option<(&str, &Outcome)>) {
    let months = outcome.months.iter().map(|(month, m)| {
        let [night, outside] = [m.pages_at_night, m.pages_outside_hours.saturating_sub(m.pages_at_night)];
        (month.clone(), vec![night, outside.min(m.pages - night), m.pages.saturating_sub(night + outside)])
    });
    let series = [("at night", Series::Worst), ("outside working hours", Series::Second), ("by day", Series::First)];
    plots::section(page, "Pages by month", &Bars::stacked(&series, months.collect()));
    if let Some((called, other)) = against {
        let both = |month: &String| {
            let of = |outcome: &Outcome| outcome.months.get(month).map_or(0, |m| m.pages);
            (month.clone(), vec![of(outcome), of(other)])
        };
        let series = [("this policy", Series::First), (called, Series::Second)];
        plots::section(
            page,
            "Pages by month, by both",
            &Bars::beside(&series, outcome.months.keys().map(both).collect()),
        );
    }
    let hour = |(hour, pages): (usize, &u64)| (format!("{hour:02}"), vec![*pages]);
    let hours = outcome.pages_by_hour.iter().enumerate().map(hour).collect();
    plots::section(page, "Pages by the hour of whoever was paged", &Bars::stacked(&[("pages", Series::First)], hours));
    let delivered = outcome.months.iter().map(|(month, m)| (month.clone(), vec![m.merges, m.deployments]));
    let series = [("merges", Series::First), ("live deployments", Series::Second)];
    plots::section(page, "Merges and live deployments by month", &Bars::beside(&series, delivered.collect()));
    let all = outcome.all();
    if all.judged > 0 {
        let row = |what: &str, n: u64| (what.to_owned(), n, all.judged);
        let rows = [
            row("first", all.top_1),
            row("in the first three", all.top_3),
            row("in the first five", all.top_5),
            row("its responder was paged", all.culprits_paged),
        ];
        plots::shares(page, "Where it is known which change did it: how often it was", &rows);
    }
    if all.proposed > 0 {
        let row = |what: &str, n: u64| (what.to_owned(), n, all.proposed);
        let rows = [row("of the known culprit", all.proposed_right), row("of another change", all.proposed_wrong)];
        plots::shares(page, "Reverts that would have been proposed; none is opened in a replay", &rows);
    }
}

fn services(page: &mut String, outcome: &Outcome) {
    page.push_str(
        "<section><h2>Services</h2><div class=\"wide\"><table><thead><tr><th>service</th><th>merges</th><th>deployments</th><th>turns</th>\
         <th>incidents</th><th>pages</th><th>at night</th><th>to rotation</th><th>first three</th><th>wrong pages</th></tr></thead><tbody>\n",
    );
    for (service, c) in outcome.services.iter().take(MOST_SERVICES) {
        let hits = if c.judged == 0 { "&ndash;".to_owned() } else { escape(&share(c.top_3, c.judged)) };
        let _ = write!(page, "<tr><th>{}</th>", escape(service.as_str()));
        for n in [c.merges, c.deployments, c.turns, c.incidents, c.pages, c.pages_at_night, c.rotation_pages] {
            let _ = write!(page, "<td>{}</td>", number(n));
        }
        let _ = writeln!(page, "<td>{hits}</td><td>{}</td></tr>", number(c.wrong_pages));
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn incidents(page: &mut String, outcome: &Outcome) {
    let all = outcome.incidents.len();
    if all == 0 {
        return;
    }
    let shown = all.min(MOST_INCIDENTS);
    let _ = writeln!(
        page,
        "<section><h2>Incidents</h2><p>The newest {shown} of {all}: who would have been paged, and what is known of it.</p>\
         <div class=\"wide\"><table class=\"texts\"><thead><tr><th>when (UTC)</th><th>what</th><th>paged</th><th>it was</th><th>really</th></tr></thead><tbody>"
    );
    for told in outcome.incidents.iter().rev().take(MOST_INCIDENTS) {
        incident(page, told);
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn incident(page: &mut String, told: &Told) {
    let minutes = |at: jiff::Timestamp| at.duration_since(told.detected_at).as_mins();
    let paged: Vec<String> = told
        .paged
        .iter()
        .map(|(person, step, at)| format!("{} <small>{step}, +{} min</small>", escape(person.as_str()), minutes(*at)))
        .collect();
    let paged = if paged.is_empty() { "nobody".to_owned() } else { paged.join("<br>") };
    let verdict = words::verdict(told.verdict);
    let verdict = if verdict.is_empty() { "&ndash;".to_owned() } else { escape(verdict.trim_start_matches("; ")) };
    let really = told.really.as_ref().map_or_else(String::new, |really| {
        let taken = really.taken_by.as_ref().map(|by| format!("taken by {}", escape(by))).unwrap_or_default();
        let told =
            if really.told.is_empty() { String::new() } else { format!("told {}", escape(&really.told.join(", "))) };
        [told, taken].into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join("<br>")
    });
    let at = told.detected_at.strftime("%Y-%m-%d %H:%M");
    let _ = writeln!(
        page,
        "<tr><td>{at}</td><td>{}</td><td>{paged}</td><td>{verdict}</td><td>{really}</td></tr>",
        escape(&told.what)
    );
}

fn passed(page: &mut String, outcome: &Outcome) {
    if outcome.passed.is_empty() {
        return;
    }
    page.push_str("<section><h2>What reached nobody</h2><ul>\n");
    for (why, (n, said)) in &outcome.passed {
        let _ = write!(page, "<li>{} {}", number(*n), words::passed(*why));
        let said: Vec<String> = said.iter().map(|(word, n)| format!("{} {}", number(*n), escape(word))).collect();
        let _ = writeln!(page, " <small>{}</small></li>", said.join("; "));
    }
    page.push_str("</ul></section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Month, Verdict};

    fn hostile() -> Outcome {
        let mut outcome = Outcome::default();
        let evil = "<script>alert('x')</script>\" onload=\"";
        outcome
            .services
            .insert("edxapp".parse().unwrap(), Counts { pages: 7, judged: 3, top_3: 2, ..Counts::default() });
        outcome.months.insert(
            "2026-03".to_owned(),
            Month { pages: 7, pages_at_night: 2, pages_outside_hours: 3, ..Month::default() },
        );
        outcome.passed.insert(crate::Passed::Ignored, (1, [(evil.to_owned(), 1)].into()));
        let at = jiff::Timestamp::UNIX_EPOCH;
        outcome.incidents.push(Told {
            id: "edxapp-k3v7q2ma".parse().unwrap(),
            service: "edxapp".parse().unwrap(),
            what: evil.to_owned(),
            detected_at: at,
            resolved_at: None,
            acknowledged_at: None,
            suspects: vec![],
            verdict: Verdict::Place(2),
            paged: vec![("anna".parse().unwrap(), "rotation", at)],
            rotation_at: None,
            culprit_paged: false,
            wrong_pages: 0,
            proposed: None,
            really: Some(crate::outcome::Really {
                told: vec![evil.to_owned()],
                taken_by: Some(evil.to_owned()),
                taken_at: None,
                would_have_been_paged: false,
            }),
        });
        outcome
    }

    #[test]
    fn whatever_a_title_says_is_text_and_nothing_is_run() {
        let outcome = hostile();
        let page = page("<b>bold</b>", &outcome, Some(("<i>other</i>", &outcome)));
        for markup in ["<script", "<b>bold", "<i>other", "onload=\"", "javascript:", "http:", "https:"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("&lt;script&gt;") && page.contains("no difference") && page.contains("67 %"));
        let (open, close) = (page.matches("<tr>").count(), page.matches("</tr>").count());
        assert_eq!((open, page.matches("<svg").count()), (close, page.matches("</svg>").count()));
    }

    #[test]
    fn a_past_in_which_nothing_happened_has_a_page_too() {
        assert!(page("nothing", &Outcome::default(), None).ends_with("</html>\n"));
    }
}
