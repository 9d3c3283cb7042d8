//! The report as a page.

use std::fmt::Write as _;

use backtest::measure::Outcome;
use domain::rank::Feature;
use strum::IntoEnumIterator as _;

use crate::Studied;
use crate::study::{Found, RANKERS, Trade};

/// `.520 (.480 to .560)`.
fn between((mean, low, high): (f64, f64, f64)) -> String {
    format!("{} ({} to {})", short(mean), short(low), short(high))
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    if value.abs() < 1.0 { text.replacen("0.", ".", 1) } else { text }
}

/// The page.
#[must_use]
pub fn page(studied: &Studied) -> String {
    let mut page = String::new();
    let main = &studied.views[0].1;
    let shipped = &studied.views[1].1;
    let _ = writeln!(
        page,
        "# How often the ranking is right\n\n\
         Written by `cargo run --release -p learn`, which also fits the weights; the same histories give the same page. {} public repositories of\n\
         continuously deployed services, {} changes. An *incident* here is a revert: the change that it takes back is the culprit, the\n\
         time of the revert is the alert. Each repository is ranked by weights that were fitted on the others, and a change by what was known when\n\
         it was merged. Intervals are of 95 %, by bootstrap over repositories (2,000 times). Ties count by expectation.\n",
        studied.repositories,
        thousands(studied.changes)
    );
    let _ = writeln!(
        page,
        "## Against what people do\n\n72 h of suspects, at least two of them, {} incidents, median {} suspects.\n",
        thousands(main.incidents()),
        main.candidates[main.candidates.len() / 2]
    );
    table(&mut page, main);
    differences(&mut page, main);
    let _ = writeln!(
        page,
        "## Other windows\n\n| suspects | incidents | hit@1: ours | two rules | most recent | hit@3: ours | two rules | person@1: ours | two rules | calibration error |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for (name, found) in &studied.views {
        let m = |ranker| found.measures(ranker);
        let (ours, two, recent) = (m(0), m(1), m(2));
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            thousands(found.incidents()),
            short(ours.hit_at_1),
            short(two.hit_at_1),
            short(recent.hit_at_1),
            short(ours.hit_at_3),
            short(two.hit_at_3),
            short(ours.person_hit_at_1),
            short(two.person_hit_at_1),
            short(Found::calibration_error(&found.said))
        );
    }
    let ((often, right), (often_shown, right_shown)) = (Found::sure(&main.said, 0.7), Found::sure(&shipped.shown, 0.7));
    let (often_half, right_half) = Found::sure(&shipped.shown, 0.5);
    let _ = writeln!(
        page,
        "\nAll by the one set of weights that is fitted on 72 h, without scope and with it. *Scope* imitates an alert that names its service, and leaks a bit of the truth.\n\
         At the midpoint it says too little: it is right more often than it says. The calibration error (ten bins) is that of the share of suspicion, given that it is one of them.\n\n\
         ## When it can be trusted\n\n\
         Given that the culprit is one of the suspects (72 h): where the first has 70 % of the suspicion or more, it is it in {} of the incidents, and it has so much in {} of them.\n\n\
         What people are shown is less: it leaves room for none of the suspects being it. Of all incidents with a suspect in 25 h, in {} it is none of them. So measured, the\n\
         calibration error is {}; where the first is shown with 70 % or more it is it in {} of the incidents, in {} of all; with 50 % or more in {}, in {} of all.\n\n![reliability](plots/reliability.svg)\n",
        percent(right),
        percent(often),
        percent(1.0 - studied.among),
        short(Found::calibration_error(&shipped.shown)),
        percent(right_shown),
        percent(often_shown),
        percent(right_half),
        percent(often_half)
    );
    trades(&mut page, studied);
    traces(&mut page, studied);
    weights(&mut page, studied);
    page.push_str(THREATS);
    page
}

fn table(page: &mut String, found: &Found) {
    page.push_str(
        "| ranker | hit@1 | hit@3 | hit@5 | MRR | person@1 | person@3 |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (i, name) in RANKERS.iter().enumerate() {
        let of = |value: fn(&Outcome) -> f64| between(found.interval(|outcomes| value(outcomes[i])));
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            of(|o| o.hits[0]),
            of(|o| o.hits[1]),
            of(|o| o.hits[2]),
            of(|o| o.reciprocal),
            of(|o| o.person_hits[0]),
            of(|o| o.person_hits[1])
        );
    }
}

fn differences(page: &mut String, found: &Found) {
    page.push_str("\n| ours less | hit@1 | hit@3 | person@1 | person@3 |\n| --- | --- | --- | --- | --- |\n");
    for (i, name) in [(1, "two rules"), (2, "most recent")] {
        let of = |value: fn(&Outcome) -> f64| {
            let (mean, low, high) = found.interval(|outcomes| value(outcomes[0]) - value(outcomes[i]));
            let verdict = if low > 0.0 || high < 0.0 { "" } else { ", not significant" };
            format!("{mean:+.3} ({low:+.3} to {high:+.3}){verdict}")
        };
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} |",
            of(|o| o.hits[0]),
            of(|o| o.hits[1]),
            of(|o| o.person_hits[0]),
            of(|o| o.person_hits[1])
        );
    }
    page.push_str(
        "\n*Two rules*: the most recent first; reverts, and what is reverted already, last. *Person*: somebody who is asked is the culprit's author; \
         by ours, a person is as suspicious as all their changes together.\n\n",
    );
}

fn trades(page: &mut String, studied: &Studied) {
    let _ = writeln!(
        page,
        "## Whom to wake\n\n\
         25 h of suspects, every incident with at least one; in {} of them nobody who is asked can be right. Up to three people whose turn is not over are paged, each at least as\n\
         likely as the threshold (`first_suspect_from`, `next_suspect_from`; 15 % ships); where nobody is, the rotation is, at once, with the suspects before it. The second and the third hear of it only\n\
         if nobody acknowledges for minutes, so these are the most wrong pages that there can be. Here an alert comes as late as it can, at the revert: with the shipped turn of an hour most\n\
         culprits' turns are over by then. Real alerts come earlier.\n",
        percent(1.0 - studied.among)
    );
    for (hours, trades, everyone) in &studied.trades {
        let _ = writeln!(
            page,
            "A turn lasts {hours} h:\n\n| threshold | the culprit's author is paged | ... first | wrong pages an incident | rotation at once |\n| --- | --- | --- | --- | --- |"
        );
        let shown =
            |trade: &&Trade| [0, 10, 15, 20, 30, 40, 50, 60, 70].contains(&((trade.threshold * 100.0).round() as i32));
        for trade in trades.iter().filter(shown) {
            row(page, &percent(trade.threshold), trade);
        }
        row(page, "page everyone", everyone);
        page.push('\n');
    }
    page.push_str("![trade-off](plots/trade-off.svg)\n\n");
}

fn row(page: &mut String, name: &str, trade: &Trade) {
    let (reached, first, rotation) = (percent(trade.reached), percent(trade.first), percent(trade.abstained));
    let _ = writeln!(page, "| {name} | {reached} | {first} | {:.2} | {rotation} |", trade.wrong);
}

fn traces(page: &mut String, studied: &Studied) {
    page.push_str(
        "## SYNTHETIC: what the alert's own text can be worth\n\n\
         The histories have no alerts. So each incident is given a made-up stack trace, in the form of the language at hand: a file of the culprit at the stated rate, at one of\n\
         the innermost three places, among files of earlier changes, which are files that are touched often. It shows what the reading of traces can do, not how often\n\
         real alerts have them. By the weights that ship, which were fitted on these repositories too. The weight of a named file was found by a milder mixture (half of the incidents have a trace, six in ten of these name the culprit, four other frames).\n\n\
         | traces that name the culprit | hit@1, 2 other frames | hit@1, 6 other frames |\n| --- | --- | --- |\n",
    );
    let (few, many) = (&studied.curves[0].1, &studied.curves[1].1);
    for ((rate, few), (_, many)) in few.iter().zip(many) {
        let _ = writeln!(page, "| {} | {} | {} |", percent(*rate), short(few.hit_at_1), short(many.hit_at_1));
    }
    page.push_str("\n![traces](plots/traces.svg)\n\n");
}

fn weights(page: &mut String, studied: &Studied) {
    page.push_str(
        "## The weights\n\n\
         A change's score is the sum of weight x (value - typical); shares of suspicion are proportional to its exponential; that it is none of them is another suspect, of a score of its own. What ships is fitted on all of these histories and no others\n\
         (`shared/domain/src/rank/weights.csv`, with what is `assumed` and `synthetic` beside it).\n\n| feature | weight | typical |\n| --- | --- | --- |\n",
    );
    for feature in Feature::iter() {
        let weight = studied.table.weight(feature);
        let name: &str = feature.into();
        let _ = writeln!(page, "| {name} | {:+.3} | {:.3} |", weight.weight, weight.typical);
    }
    let _ = writeln!(page, "| none of them | {:+.3} | |", studied.table.none);
}

/// What these figures do not say.
const THREATS: &str = "
## What these figures do not say

- A revert is not always an incident, and not every incident ends in a revert. The alert came some time before the revert: the midpoint is shown beside it.
- Merging stands for going live. With real deployments changes go live together, and what is live longer is older for a better reason.
- Reverts of reverts are no culprits here by construction, and only the first revert of a change counts: the weights of `is-revert` and `taken-back` are partly that.
- What is usual (how many incidents are one of the suspects, how old culprits are) is taken from all of these repositories, also where one is left out.
- Dependency bumps, migrations, configuration files, time of day, weekends, and how long a change was open added nothing and are not used.
- Recency is most of the signal. What learning adds is a better first guess, and knowing when to trust it.
- Among hundreds of ways to choose features some look good by luck; these were chosen on these repositories, so a fresh repository may do a little worse.
- Whose changes had to be taken back is not counted. It would add little, and it is a record of persons.
";

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
