//! How a quantity is spread: every value with how often it came. Few different values are kept as they are, so that a median is
//! exact; many are rounded to two significant digits, so that no roll-up grows without end.

use serde::{Deserialize, Serialize};

use super::figures::Amount;

/// So many different values are kept as they are.
const EXACT: usize = 64;
/// No value is greater: in seconds, three years. With it no more than some 700 different ones are left once they are rounded.
const MOST: u64 = 3 * 365 * 86_400;

/// In order of the values; the same whatever order they came in, and however they were merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rounded: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<(u64, u64)>,
}

impl Spread {
    pub fn learn(&mut self, value: u64) {
        self.add(value.min(MOST), 1);
    }

    pub fn merge(&mut self, other: &Self) {
        if other.rounded {
            self.round();
        }
        for (value, times) in &other.values {
            self.add(*value, *times);
        }
    }

    fn add(&mut self, value: u64, times: u64) {
        let value = if self.rounded { two_digits(value) } else { value };
        match self.values.binary_search_by_key(&value, |(known, _)| *known) {
            Ok(at) => self.values[at].1 = self.values[at].1.saturating_add(times),
            Err(at) => self.values.insert(at, (value, times)),
        }
        if self.values.len() > EXACT && !self.rounded {
            self.round();
        }
    }

    fn round(&mut self) {
        if !self.rounded {
            self.rounded = true;
            let exact = std::mem::take(&mut self.values);
            exact.into_iter().for_each(|(value, times)| self.add(value, times));
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.values.iter().map(|(_, times)| times).sum()
    }

    #[must_use]
    pub fn sum(&self) -> u64 {
        self.values.iter().map(|(value, times)| value.saturating_mul(*times)).fold(0, u64::saturating_add)
    }

    /// The one in the middle; of an even number the mean of the two there.
    #[must_use]
    pub fn median(&self) -> Option<Amount> {
        let count = self.count();
        let (lower, upper) = (self.nth(count.checked_sub(1)? / 2)?, self.nth(count / 2)?);
        Some(Amount { n: lower + upper, of: 2 })
    }

    /// The least one that nine in ten do not exceed.
    #[must_use]
    pub fn p90(&self) -> Option<Amount> {
        let rank = (self.count() * 9).div_ceil(10);
        Some(Amount { n: self.nth(rank.checked_sub(1)?)?, of: 1 })
    }

    /// The value at this place, the least being at 0.
    fn nth(&self, place: u64) -> Option<u64> {
        let mut before = 0;
        self.values.iter().find_map(|(value, times)| {
            before += times;
            (place < before).then_some(*value)
        })
    }
}

/// `1234` is `1200`: the nearest that is written with two digits and zeros.
fn two_digits(value: u64) -> u64 {
    let mut unit = 1;
    while value / unit >= 100 {
        unit *= 10;
    }
    // 9960 is 10000, which is one digit and zeros.
    (value + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Spread {
        let mut spread = Spread::default();
        values.iter().for_each(|value| spread.learn(*value));
        spread
    }

    #[test]
    fn a_few_are_exact() {
        let amount = |n, of| Some(Amount { n, of });
        assert_eq!((of(&[]).median(), of(&[]).p90()), (None, None));
        assert_eq!((of(&[7]).median(), of(&[7]).p90()), (amount(14, 2), amount(7, 1)));
        assert_eq!(of(&[9, 1, 4]).median(), amount(8, 2));
        assert_eq!(of(&[9, 1, 4, 5]).median(), amount(9, 2));
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!((of(&ten).p90(), of(&[1, 2, 3]).p90()), (amount(9, 1), amount(3, 1)));
        assert_eq!((of(&ten).count(), of(&ten).sum()), (10, 55));
    }

    #[test]
    fn sixty_four_different_values_are_kept_as_they_are_and_one_more_rounds_all() {
        let mut spread = of(&(1001..=1064).collect::<Vec<u64>>());
        assert_eq!((spread.rounded, spread.values.len(), spread.values[63]), (false, 64, (1064, 1)));
        spread.learn(1064);
        assert_eq!((spread.rounded, spread.values[63]), (false, (1064, 2)), "no other one");
        spread.learn(1065);
        // 1001 to 1049, and from 1050 on.
        assert_eq!((spread.rounded, &spread.values[..]), (true, &[(1000, 49), (1100, 17)][..]));
    }

    #[test]
    fn rounding_keeps_two_digits_and_is_done_once() {
        let rounded = [7, 99, 100, 104, 105, 1234, 9949, 9960, 123_456].map(two_digits);
        assert_eq!(rounded, [7, 99, 100, 100, 110, 1200, 9900, 10_000, 120_000]);
        assert!(rounded.iter().all(|value| two_digits(*value) == *value));
    }

    proptest! {
        /// In whatever parts they are rolled up, and in whatever order: the same, bounded, and off by a twentieth at most.
        #[test]
        fn a_roll_up_is_of_its_values_alone(values in prop::collection::vec(0_u64..10_000_000, 0..200), cut in 0_usize..200) {
            let cut = cut.min(values.len());
            let whole = of(&values);
            let (mut left, right) = (of(&values[..cut]), of(&values[cut..]));
            let mut other = right.clone();
            other.merge(&left);
            left.merge(&right);
            prop_assert_eq!(&left, &whole);
            prop_assert_eq!(&other, &whole);
            prop_assert!(whole.values.len() <= EXACT || whole.rounded);
            let mut sorted = values.clone();
            sorted.sort_unstable();
            if let (Some(p90), Some(exact)) = (whole.p90(), sorted.get((sorted.len() * 9).div_ceil(10).wrapping_sub(1))) {
                prop_assert!(p90.n.abs_diff(*exact) * 20 <= *exact);
            }
        }

        #[test]
        fn it_is_bounded_however_much_it_learns(values in prop::collection::vec(any::<u64>(), 0..2000)) {
            prop_assert!(of(&values).values.len() <= 800);
        }
    }
}
