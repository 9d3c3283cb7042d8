//! Charts, drawn by the server: what a template needs to write one as SVG, in whole units of a box of known size. Each has the
//! same in words beside it, for whoever does not see it.

use std::fmt::Write;

use serde::Serialize;

/// A line of bars without axes, as one path: small enough for each row of a table.
pub(crate) fn spark(values: &[u16], width: usize, height: usize) -> Option<String> {
    let most = usize::from(*values.iter().max().filter(|most| **most > 0)?);
    let mut path = String::new();
    for (n, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
        let (left, right) = (n * width / values.len(), (n + 1) * width / values.len());
        let tall = (usize::from(*value) * height).div_ceil(most);
        // A gap of one unit keeps bars apart.
        let wide = (right - left).saturating_sub(1).max(1);
        let _ = write!(path, "M{left} {height}v-{tall}h{wide}v{tall}z");
    }
    Some(path)
}

/// One bar of a chart.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) wide: usize,
    pub(crate) tall: usize,
    /// What is said when somebody points at it.
    pub(crate) title: String,
    /// How it is coloured.
    pub(crate) kind: &'static str,
}

/// A line across the chart, or a mark below it, and what it says.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mark {
    pub(crate) at: usize,
    pub(crate) label: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Chart {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bars: Vec<Bar>,
    /// From the top.
    pub(crate) lines: Vec<Mark>,
    /// From the left.
    pub(crate) marks: Vec<Mark>,
    /// The same in a sentence.
    pub(crate) words: String,
}

/// The width of a chart across a page, and its height.
pub(crate) const WIDE: usize = 840;
pub(crate) const TALL: usize = 120;

/// Bars side by side: each a height of so many `most`, its words and its kind.
pub(crate) fn bars(values: &[(u64, String, &'static str)], most: u64) -> Vec<Bar> {
    let most = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
    let each = values.len().max(1);
    let bar = |(n, (value, title, kind)): (usize, &(u64, String, &'static str))| {
        let (left, right) = (n * WIDE / each, (n + 1) * WIDE / each);
        let value = usize::try_from(*value).unwrap_or(usize::MAX).min(most);
        let tall = value.saturating_mul(TALL).div_ceil(most);
        let wide = (right - left).saturating_sub(2).clamp(1, 28);
        Bar { x: left, y: TALL - tall, wide, tall, title: title.clone(), kind }
    };
    values.iter().enumerate().filter(|(_, (value, ..))| *value > 0).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_is_one_path_and_nothing_where_nothing_was() {
        assert_eq!(spark(&[0, 0, 0], 60, 16), None);
        assert_eq!(spark(&[], 60, 16), None);
        assert_eq!(spark(&[1, 0, 4], 60, 16).unwrap(), "M0 16v-4h19v4zM40 16v-16h19v16z");
        assert!(spark(&[u16::MAX; 200], 58, 16).unwrap().len() < 5000);
    }

    #[test]
    fn bars_stay_in_their_box() {
        let values: Vec<_> = (0..500).map(|n| (n * n, String::new(), "x")).collect();
        for bar in bars(&values, 1000) {
            assert!(bar.x + bar.wide <= WIDE && bar.y + bar.tall == TALL, "{bar:?}");
        }
        assert_eq!(bars(&[], 0), []);
    }
}
