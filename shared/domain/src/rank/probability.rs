//! How sure the ranking is: shares of suspicion out of scores, and whom they make worth waking.

/// The share of suspicion that each score has among them: they add up to 1, in the order in which they are given.
#[must_use]
pub fn shares(points: &[i64]) -> Vec<f64> {
    let Some(most) = points.iter().copied().max() else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "thousandths of a logarithm, far below what a float holds")]
    let odds = |points: i64| (((points - most) as f64) / 1000.0).exp();
    // Added in order of size, so that the sum does not depend on the order in which they are given.
    let mut sorted = points.to_vec();
    sorted.sort_unstable();
    let sum: f64 = sorted.into_iter().map(odds).sum();
    points.iter().map(|points| odds(*points) / sum).collect()
}

/// How likely it is each of them, with room for none of them being it: as another suspect whose score is `none`.
#[must_use]
pub fn likelihoods(points: &[i64], none: i64) -> Vec<f64> {
    let all: Vec<i64> = points.iter().copied().chain([none]).collect();
    let mut shares = shares(&all);
    shares.pop();
    shares
}
