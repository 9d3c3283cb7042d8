//! Finds the weights: a conditional logit, by Newton's method. Of each failure the culprit is to be the likeliest of its candidates; weights are
//! held back towards zero, so that what shows little stays small. No randomness: the same histories give the same weights.

#![expect(clippy::needless_range_loop, reason = "matrices are written by their indices, as in a book")]

use domain::rank::table::Weight;
use domain::rank::{Feature, Table};
use strum::{EnumCount as _, IntoEnumIterator as _};

const N: usize = Feature::COUNT;
type Row = [f64; N];

/// How strongly weights, of features in units of their spread, are held back.
const HELD_BACK: f64 = 20.0;
const STEPS: usize = 25;

/// What is learnt from: of each failure the facts of its candidates, and which was the culprit.
pub struct Lesson {
    rows: Vec<[Option<f64>; N]>,
    culprit: usize,
}

impl Lesson {
    pub fn of(example: &backtest::Example) -> Self {
        let row = |facts: &domain::rank::Facts| {
            let mut row = [None; N];
            Feature::iter().for_each(|feature| row[feature as usize] = facts.get(feature));
            row
        };
        Self { rows: example.lineup.facts.iter().map(row).collect(), culprit: example.culprit }
    }
}

/// Mean and spread of each feature over all candidates.
fn spread(lessons: &[Lesson]) -> (Row, Row) {
    let (mut mean, mut scale) = ([0.0; N], [1.0; N]);
    for i in 0..N {
        let values = || lessons.iter().flat_map(|lesson| lesson.rows.iter().filter_map(move |row| row[i]));
        let n = f64::max(values().map(|_| 1.0).sum(), 1.0);
        mean[i] = values().sum::<f64>() / n;
        let variance = values().map(|value| (value - mean[i]).powi(2)).sum::<f64>() / n;
        scale[i] = variance.sqrt().max(1e-9);
    }
    (mean, scale)
}

/// The weights under which the culprits of these failures are the likeliest. `used`: the features that may have a weight.
pub fn fit(lessons: &[Lesson], used: &[Feature]) -> Table {
    let (mean, scale) = spread(lessons);
    let standard = |row: &[Option<f64>; N]| -> Row {
        std::array::from_fn(|i| row[i].map_or(0.0, |value| (value - mean[i]) / scale[i]))
    };
    let rows: Vec<(Vec<Row>, usize)> =
        lessons.iter().map(|lesson| (lesson.rows.iter().map(standard).collect(), lesson.culprit)).collect();
    let mut weights = [0.0; N];
    for _ in 0..STEPS {
        let step = newton(&rows, &weights, used);
        (0..N).for_each(|i| weights[i] -= step[i]);
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    Feature::iter().filter(|feature| used.contains(feature)).fold(Table::flat(), |table, feature| {
        let i = feature as usize;
        weights[i] = weights[i].max(least(feature) * scale[i]);
        let typical = if adds_nothing_at_zero(feature) { 0.0 } else { mean[i] };
        table.with(feature, Weight { weight: weights[i] / scale[i], typical })
    })
}

/// The least that a weight may be. Reverts of reverts are no culprits in these histories, and only the first revert of a change counts: what is
/// learnt of both is partly how the histories were made, and would acquit a revert that is the only suspect.
fn least(feature: Feature) -> f64 {
    if matches!(feature, Feature::IsRevert | Feature::TakenBack) { -2.7 } else { f64::MIN }
}

/// What most changes are not: where it is not so, nothing is said about it. It makes no difference to the order.
fn adds_nothing_at_zero(feature: Feature) -> bool {
    !matches!(feature, Feature::Age | Feature::Newer | Feature::Familiarity | Feature::Lines)
}

/// The step of Newton's method: the solution of curvature · step = slope.
fn newton(rows: &[(Vec<Row>, usize)], weights: &Row, used: &[Feature]) -> Row {
    let (mut slope, mut curve) = ([0.0; N], [[0.0; N]; N]);
    for feature in Feature::iter() {
        let i = feature as usize;
        slope[i] = HELD_BACK * weights[i];
        curve[i][i] = HELD_BACK;
    }
    for (rows, culprit) in rows {
        let scores: Vec<f64> = rows.iter().map(|row| dot(row, weights)).collect();
        let most = scores.iter().copied().fold(f64::MIN, f64::max);
        let odds: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
        let sum: f64 = odds.iter().sum();
        let mut expected = [0.0; N];
        for (row, odds) in rows.iter().zip(&odds) {
            let share = odds / sum;
            for i in 0..N {
                expected[i] += share * row[i];
                for j in 0..=i {
                    curve[i][j] += share * row[i] * row[j];
                }
            }
        }
        for i in 0..N {
            slope[i] += expected[i] - rows[*culprit][i];
            for j in 0..=i {
                curve[i][j] -= expected[i] * expected[j];
            }
        }
    }
    for i in 0..N {
        for j in 0..i {
            curve[j][i] = curve[i][j];
        }
    }
    for feature in Feature::iter().filter(|feature| !used.contains(feature)) {
        let i = feature as usize;
        slope[i] = 0.0;
        for j in 0..N {
            (curve[i][j], curve[j][i]) = (0.0, 0.0);
        }
        curve[i][i] = 1.0;
    }
    solve(curve, slope)
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Gaussian elimination; the matrix is symmetric and positive, so that no pivot is zero.
fn solve(mut matrix: [Row; N], mut right: Row) -> Row {
    for i in 0..N {
        for below in i + 1..N {
            let factor = matrix[below][i] / matrix[i][i];
            for j in i..N {
                matrix[below][j] -= factor * matrix[i][j];
            }
            right[below] -= factor * right[i];
        }
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|j| matrix[i][j] * right[j]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    right
}
