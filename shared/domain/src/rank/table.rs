//! The weights, read from `weights.csv`: one line a feature.

use std::str::FromStr as _;
use std::sync::LazyLock;

use strum::{EnumCount as _, IntoEnumIterator as _};

use super::{Feature, Past};

/// What ships. `cargo run --release -p learn` writes the lines that say `fitted`.
const SHIPPED: &str = include_str!("weights.csv");

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weight {
    /// Added to the logarithm of the odds for each unit of the feature.
    pub weight: f64,
    /// What the feature is for most changes: there it adds nothing.
    pub typical: f64,
}

/// A weight for each feature, and for the suspicion that it is none of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    weights: [Weight; Feature::COUNT],
    /// What it scores that it is none of the suspects.
    pub none: f64,
    /// In how many incidents it is one of the suspects, before a service has shown its own.
    pub among: f64,
}

/// What is wrong with a table of weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("line {line} has to be: a feature, its weight, what is typical, where that comes from")]
    Line { line: usize },
    #[error("no weight for {0}")]
    Missing(&'static str),
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(SHIPPED).unwrap_or_else(|_| Table::flat()));

impl Table {
    /// The weights that ship.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &TABLE
    }

    /// Every change is as suspicious as every other.
    #[must_use]
    pub fn flat() -> Self {
        Self { weights: [Weight::default(); Feature::COUNT], none: -100.0, among: 0.8 }
    }

    #[must_use]
    pub fn with(mut self, feature: Feature, weight: Weight) -> Self {
        self.weights[feature as usize] = weight;
        self
    }

    #[must_use]
    pub fn weight(&self, feature: Feature) -> Weight {
        self.weights[feature as usize]
    }

    /// What a feature adds, in thousandths.
    #[must_use]
    pub fn points(&self, feature: Feature, value: f64) -> i64 {
        whole(self.adds(feature, value))
    }

    /// What the pace of a service adds to what its change's age did. Each rounded by itself their sum could grow with age.
    #[must_use]
    pub fn pace_points(&self, age: f64, pace: f64) -> i64 {
        whole(self.adds(Feature::Age, age) + self.adds(Feature::Pace, pace)) - self.points(Feature::Age, age)
    }

    /// Before it is a whole number.
    fn adds(&self, feature: Feature, value: f64) -> f64 {
        let Weight { weight, typical } = self.weight(feature);
        weight * (value - typical) * 1000.0
    }

    /// What it scores that it is none of a service's suspects, in thousandths: bent by how often it was.
    #[must_use]
    pub fn none_of(&self, past: &Past) -> i64 {
        let odds = |share: f64| (share / (1.0 - share)).ln();
        let among = past.among(self.among).min(0.99);
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm of odds")]
        let points = ((self.none + odds(self.among) - odds(among)) * 1000.0).round() as i64;
        points
    }

    /// Reads a table: a heading, then `feature,weight,typical,source`.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let mut table = Self::flat();
        let mut said = Vec::new();
        for (i, line) in text.lines().enumerate().skip(1) {
            let wrong = Unusable::Line { line: i + 1 };
            let mut cells = line.split(',').map(str::trim);
            let (name, weight, typical) = (cells.next(), cells.next(), cells.next());
            let number = |cell: Option<&str>| {
                cell.and_then(|cell| cell.parse().ok()).filter(|n: &f64| n.is_finite()).ok_or_else(|| wrong.clone())
            };
            let weight = Weight { weight: number(weight)?, typical: number(typical)? };
            match name {
                Some("none") => table.none = weight.weight,
                Some("among") => table.among = weight.typical,
                Some(name) => {
                    let feature = Feature::from_str(name).map_err(|_| wrong.clone())?;
                    table = table.with(feature, weight);
                    said.push(feature);
                }
                None => return Err(wrong),
            }
        }
        match Feature::iter().find(|feature| !said.contains(feature)) {
            Some(missing) => Err(Unusable::Missing(missing.into())),
            None => Ok(table),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weights and values are small; what is not saturates")]
fn whole(points: f64) -> i64 {
    points.round() as i64
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
