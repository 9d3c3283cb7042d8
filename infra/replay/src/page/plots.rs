//! Plots as SVG, in whole units of a box of known size: bars on each other, bars side by side, shares of a whole. Each has its numbers in
//! words too, for whoever does not see it.

use std::fmt::Write as _;

use super::escape;
use crate::words::{number, share};

const WIDE: u64 = 900;
const TALL: u64 = 220;
/// What is left free for the numbers at the left, and the names below.
const LEFT: u64 = 52;
const BELOW: u64 = 26;
const ABOVE: u64 = 10;
/// So many columns are drawn, the newest.
const MOST: usize = 240;
/// So many names fit below them.
const MOST_NAMES: usize = 12;
/// So many lines go across.
const LINES: u64 = 4;

/// How a row of bars is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Series {
    First,
    Second,
    Worst,
}

impl Series {
    fn class(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Worst => "worst",
        }
    }
}

/// A plot of bars: what each series is called and how it is coloured; each column's name and its value of each series.
pub(super) struct Bars<'a> {
    series: &'a [(&'a str, Series)],
    columns: Vec<(String, Vec<u64>)>,
    stacked: bool,
}

impl<'a> Bars<'a> {
    /// A column's values on each other.
    pub(super) fn stacked(series: &'a [(&'a str, Series)], columns: Vec<(String, Vec<u64>)>) -> Self {
        Self { series, columns: newest(columns), stacked: true }
    }

    /// A column's values side by side.
    pub(super) fn beside(series: &'a [(&'a str, Series)], columns: Vec<(String, Vec<u64>)>) -> Self {
        Self { series, columns: newest(columns), stacked: false }
    }

    fn most(&self) -> u64 {
        let height = |values: &Vec<u64>| {
            if self.stacked { values.iter().sum() } else { values.iter().copied().max().unwrap_or(0) }
        };
        round(self.columns.iter().map(|(_, values)| height(values)).max().unwrap_or(0))
    }
}

fn newest(mut columns: Vec<(String, Vec<u64>)>) -> Vec<(String, Vec<u64>)> {
    columns.split_off(columns.len().saturating_sub(MOST))
}

/// The next number of one of a few forms, so that lines stand at whole numbers.
fn round(most: u64) -> u64 {
    let mut unit = LINES;
    loop {
        for times in [1, 2, 3, 5] {
            let top = unit.saturating_mul(times);
            if top >= most || top > u64::MAX / 20 {
                return top;
            }
        }
        unit *= 10;
    }
}

pub(super) fn section(page: &mut String, title: &str, bars: &Bars<'_>) {
    if bars.columns.iter().all(|(_, values)| values.iter().all(|value| *value == 0)) {
        return;
    }
    let _ = writeln!(page, "<section><h2>{}</h2>", escape(title));
    if bars.series.len() > 1 {
        for (called, series) in bars.series {
            let class = series.class();
            let _ = write!(
                page,
                "<span class=\"key\"><svg viewBox=\"0 0 8 8\" aria-hidden=\"true\"><rect width=\"8\" height=\"8\" class=\"{class}\"/></svg>{}</span>",
                escape(called)
            );
        }
    }
    draw(page, title, bars);
    page.push_str("</section>\n");
}

fn draw(page: &mut String, title: &str, bars: &Bars<'_>) {
    let (most, floor) = (bars.most(), ABOVE + TALL);
    let _ = writeln!(
        page,
        "\n<svg viewBox=\"0 0 {WIDE} {}\" role=\"img\" aria-label=\"{}\">",
        floor + BELOW,
        escape(title)
    );
    for line in 0..=LINES {
        let y = floor - TALL * line / LINES;
        let value = number(most * line / LINES);
        let _ = writeln!(
            page,
            "<path class=\"grid\" d=\"M{LEFT} {y}H{WIDE}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{value}</text>",
            LEFT - 8,
            y + 4
        );
    }
    let n = u64::try_from(bars.columns.len()).unwrap_or(1).max(1);
    let named = bars.columns.len().div_ceil(MOST_NAMES).max(1);
    for (i, (name, values)) in bars.columns.iter().enumerate() {
        let i_th = u64::try_from(i).unwrap_or(0);
        let (left, right) = (LEFT + (WIDE - LEFT) * i_th / n, LEFT + (WIDE - LEFT) * (i_th + 1) / n);
        let gap = if right - left > 6 { (right - left) / 6 } else { 0 };
        column(page, bars, (name, values), (left + gap, right - gap), most);
        if i % named == 0 {
            let _ = writeln!(
                page,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                (left + right) / 2,
                floor + 18,
                escape(name)
            );
        }
    }
    page.push_str("</svg>\n");
}

fn column(page: &mut String, bars: &Bars<'_>, (name, values): (&str, &[u64]), (left, right): (u64, u64), most: u64) {
    let floor = ABOVE + TALL;
    let each =
        if bars.stacked { right - left } else { (right - left) / u64::try_from(values.len()).unwrap_or(1).max(1) };
    let mut below = 0;
    for (i, ((called, series), value)) in
        bars.series.iter().zip(values).enumerate().filter(|(_, (_, value))| **value > 0)
    {
        let tall = (value * TALL).div_ceil(most.max(1)).clamp(1, TALL);
        let (x, y) = if bars.stacked {
            (left, floor.saturating_sub(below + tall).max(ABOVE))
        } else {
            (left + each * u64::try_from(i).unwrap_or(0), floor - tall)
        };
        below += tall;
        let _ = writeln!(
            page,
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{tall}\"><title>{}: {} {}</title></rect>",
            series.class(),
            each.max(1),
            escape(name),
            number(*value),
            escape(called)
        );
    }
}

/// How much of a whole each of these is.
pub(super) fn shares(page: &mut String, title: &str, rows: &[(String, u64, u64)]) {
    const ROW: u64 = 34;
    const NAMES: u64 = 200;
    const FULL: u64 = 480;
    let tall = ROW * u64::try_from(rows.len()).unwrap_or(0) + 4;
    let _ = writeln!(
        page,
        "<section><h2>{}</h2>\n<svg viewBox=\"0 0 {WIDE} {tall}\" role=\"img\" aria-label=\"{}\">",
        escape(title),
        escape(title)
    );
    for (i, (name, part, all)) in rows.iter().enumerate() {
        let y = ROW * u64::try_from(i).unwrap_or(0) + 4;
        let wide = FULL * part / (*all).max(1);
        let _ = writeln!(
            page,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect class=\"rest\" x=\"{NAMES}\" y=\"{y}\" width=\"{FULL}\" height=\"22\" rx=\"3\"/>\
             <rect class=\"first\" x=\"{NAMES}\" y=\"{y}\" width=\"{wide}\" height=\"22\" rx=\"3\"/><text x=\"{}\" y=\"{}\">{}</text>",
            NAMES - 10,
            y + 16,
            escape(name),
            NAMES + FULL + 10,
            y + 16,
            escape(&share(*part, *all))
        );
    }
    page.push_str("</svg></section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_whole_numbers() {
        for (most, top) in [(0, 4), (3, 4), (5, 8), (9, 12), (13, 20), (21, 40), (81, 120), (12_345, 20_000)] {
            assert_eq!(round(most), top, "{most}");
        }
        assert!(round(u64::MAX) > 0);
    }

    #[test]
    fn bars_stay_in_their_box() {
        let columns = (0..500).map(|n| (n.to_string(), vec![n, 2 * n])).collect();
        let series = [("a", Series::First), ("b", Series::Second)];
        let mut page = String::new();
        section(&mut page, "t", &Bars::stacked(&series, columns));
        let number = |rect: &str, name: &str| -> u64 {
            rect.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        let rects: Vec<&str> =
            page.split("<rect ").filter(|rect| rect.split('>').next().unwrap().contains(" x=")).collect();
        assert_eq!(rects.len(), 480);
        for rect in rects {
            assert!(number(rect, " x") + number(rect, "width") <= WIDE, "{rect}");
            assert!(number(rect, " y") + number(rect, "height") <= ABOVE + TALL + 1, "{rect}");
        }
    }
}
