//! The report as a page.

use std::fmt::Write as _;

use backtest::measure::Outcome;
use domain::rank::Feature;
use strum::IntoEnumIterator as _;

use crate::Studied;
use crate::study::{Found, RANKERS};

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
            short(found.calibration_error())
        );
    }
    let (often, right) = main.sure(0.7);
    let (often_shipped, right_shipped) = shipped.sure(0.7);
    let _ = writeln!(
        page,
        "\nAll by the one set of weights that is fitted on 72 h, without scope and with it. *Scope* imitates an alert that names its service, and leaks a bit of the truth.\n\
         At the midpoint it says too little: it is right more often than it says.\n\n\
         ## When it can be trusted\n\n\
         Expected calibration error, ten bins: {} (72 h), {} (25 h). Where it gives its first suspect 70 % or more, it is right in {} of\n\
         the incidents, and it says so in {} of them (72 h; 25 h: {}, {}).\n\n![reliability](plots/reliability.svg)\n",
        short(main.calibration_error()),
        short(shipped.calibration_error()),
        percent(right),
        percent(often),
        percent(right_shipped),
        percent(often_shipped)
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
         25 h of suspects; here also the incidents whose culprit is older, so that nobody who is asked can be right ({} of all). Up to three people are paged, each\n\
         at least as likely as the threshold (`first_suspect_from`, `next_suspect_from`); where nobody is, the rotation is, at once.\n\n\
         | threshold | the culprit's author is paged | ... first | wrong pages an incident | rotation at once |\n| --- | --- | --- | --- | --- |",
        percent(1.0 - studied.among)
    );
    for trade in studied.trades.iter().step_by(2) {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {:.2} | {} |",
            percent(trade.threshold),
            percent(trade.reached),
            percent(trade.first),
            trade.wrong,
            percent(trade.abstained)
        );
    }
    let all = &studied.everyone;
    let _ = writeln!(
        page,
        "| page everyone | {} | {} | {:.2} | {} |\n\n![trade-off](plots/trade-off.svg)\n",
        percent(all.reached),
        percent(all.first),
        all.wrong,
        percent(all.abstained)
    );
}

fn traces(page: &mut String, studied: &Studied) {
    page.push_str(
        "## SYNTHETIC: what the alert's own text can be worth\n\n\
         The histories have no alerts. So each incident is given a made-up stack trace, in the form of the language at hand: a file of the culprit at the stated rate, at one of\n\
         the innermost three places, among files of earlier changes, which are files that are touched often. It shows what the reading of traces can do, not how often\n\
         real alerts have them. The weight of a named file was found by a milder mixture (half of the incidents have a trace, six in ten of these name the culprit, four other frames).\n\n\
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
         A change's score is the sum of weight x (value - typical); shares of suspicion are proportional to its exponential. What ships is fitted on all of these histories and no others\n\
         (`shared/domain/src/rank/weights.csv`, with what is `assumed` and `synthetic` beside it).\n\n| feature | weight | typical |\n| --- | --- | --- |\n",
    );
    for feature in Feature::iter() {
        let weight = studied.table.weight(feature);
        let name: &str = feature.into();
        let _ = writeln!(page, "| {name} | {:+.3} | {:.3} |", weight.weight, weight.typical);
    }
}

/// What these figures do not say.
const THREATS: &str = "
## What these figures do not say

- A revert is not always an incident, and not every incident ends in a revert. The alert came some time before the revert: the midpoint is shown beside it.
- Merging stands for going live. With real deployments changes go live together, and what is live longer is older for a better reason.
- Reverts of reverts are no culprits here by construction, and only the first revert of a change counts: the weights of `is-revert` and `taken-back` are partly that.
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
