//! The figures: what people read of a roll-up, each with its name, its unit and what it means in words. The definitions of the
//! four that are DORA's are those of <https://dora.dev/guides/dora-metrics/>; `MEASURES.md` says where ours differ.

mod list;

use super::tally::Tally;
pub use list::MEASURES;

/// A number of a figure, exactly: `n` of `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub n: u64,
    pub of: u64,
}

impl Amount {
    /// To four digits behind the point.
    #[must_use]
    pub fn number(self) -> f64 {
        let of = u128::from(self.of.max(1));
        let thousandths = (u128::from(self.n) * 10_000 + of / 2) / of;
        #[expect(clippy::cast_precision_loss, reason = "far below what a float counts exactly")]
        let number = thousandths as f64 / 10_000.0;
        number
    }

    /// Which is more.
    #[must_use]
    pub fn against(self, other: Self) -> std::cmp::Ordering {
        let cross = |a: Self, b: Self| u128::from(a.n) * u128::from(b.of.max(1));
        cross(self, other).cmp(&cross(other, self))
    }
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    Seconds,
    /// Of one.
    Share,
    /// So many for each.
    Mean,
}

impl Unit {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Share => "share",
            Self::Mean => "mean",
        }
    }

    /// A number as people read it: `4 min 30 s`, `25 % (1 of 4)`, `2.5`.
    #[must_use]
    pub fn words(self, amount: Amount) -> String {
        match self {
            Self::Seconds => length(amount.n / amount.of.max(1)),
            Self::Share => {
                let percent = (amount.n * 100 + amount.of / 2) / amount.of.max(1);
                format!("{percent} % ({} of {})", amount.n, amount.of)
            }
            Self::Count | Self::Mean => {
                let number = Amount { n: (amount.n * 10 + amount.of / 2) / amount.of.max(1), of: 10 };
                number.number().to_string()
            }
        }
    }
}

/// `45 s`, `4 min 30 s`, `3 h 20 min`, `2 d 4 h`: two units at most.
fn length(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let (unit, word) = UNITS[first];
    let rest = UNITS.get(first + 1).map(|(smaller, word)| (seconds % unit / smaller, word));
    match rest.filter(|(n, _)| *n > 0) {
        Some((n, smaller)) => format!("{} {word} {n} {smaller}", seconds / unit),
        None => format!("{} {word}", seconds / unit),
    }
}

/// One figure.
#[derive(Debug)]
pub struct Measure {
    pub name: &'static str,
    pub unit: Unit,
    /// Whether more of it is better, worse, or neither.
    pub better: Option<Better>,
    /// What it means, in words.
    pub words: &'static str,
    of: fn(&Tally, u64) -> Option<Amount>,
}

/// In which direction a figure gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    More,
    Less,
}

impl Measure {
    /// The figure of a roll-up of so many days; `None`: nothing is known of it.
    #[must_use]
    pub fn of(&self, tally: &Tally, days: u64) -> Option<Amount> {
        (self.of)(tally, days)
    }

    #[must_use]
    pub fn called(name: &str) -> Option<&'static Self> {
        MEASURES.iter().find(|measure| measure.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_people_and_by_machines() {
        let of = |n, of| Amount { n, of };
        assert_eq!(Unit::Seconds.words(of(540, 2)), "4 min 30 s");
        assert_eq!(Unit::Share.words(of(1, 3)), "33 % (1 of 3)");
        assert_eq!((Unit::Mean.words(of(5, 2)), Unit::Count.words(of(7, 1))), ("2.5".to_owned(), "7".to_owned()));
        let spans = [0, 59, 60, 3600, 12_000, 187_300].map(length);
        assert_eq!(spans, ["0 s", "59 s", "1 min", "1 h", "3 h 20 min", "2 d 4 h"]);
        assert_eq!((of(1, 3).number(), of(2, 3).number(), of(5, 0).number()), (0.3333, 0.6667, 5.0));
        assert_eq!(of(1, 3).against(of(2, 6)), std::cmp::Ordering::Equal);
    }

    #[test]
    fn a_unit_is_told_by_its_word() {
        assert_eq!(
            [Unit::Count, Unit::Seconds, Unit::Share, Unit::Mean].map(Unit::word),
            ["count", "seconds", "share", "mean"]
        );
    }

    #[test]
    fn each_figure_has_a_name_of_its_own_that_every_format_allows() {
        let names: std::collections::BTreeSet<&str> = MEASURES.iter().map(|measure| measure.name).collect();
        assert_eq!(names.len(), MEASURES.len());
        let allowed = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(MEASURES.iter().all(|measure| allowed(measure.name) && !measure.words.is_empty()));
        assert!(Measure::called("incidents").is_some() && Measure::called("").is_none());
    }

    #[test]
    fn of_nothing_only_counts_are_known() {
        let nothing = Tally::default();
        let known = MEASURES.iter().filter(|measure| measure.of(&nothing, 0).is_some());
        assert!(known.clone().all(|measure| measure.unit == Unit::Count), "{:?}", known.collect::<Vec<_>>());
    }
}
