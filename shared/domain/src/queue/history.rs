//! How long the queue was, for a chart: its length at the end of each quarter of a day, and the greatest in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How long one sample stands for, in seconds.
pub const SLOT: i64 = 6 * 3600;
/// So many are kept: at four a day more than a month, and longer where the queue is still.
const MOST: usize = 130;

/// The queue's length within one slot. Slots in which it did not change are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample(
    /// The slot: seconds since 1970, divided by [`SLOT`].
    pub i64,
    /// The greatest length in it.
    pub u16,
    /// The last one.
    pub u16,
);

#[must_use]
pub fn slot(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLOT)
}

/// Remembers how long it is now. A look that comes late or twice changes nothing.
pub fn sample(history: &mut Vec<Sample>, length: usize, now: Timestamp) {
    let (slot, length) = (slot(now), u16::try_from(length).unwrap_or(u16::MAX));
    match history.last_mut() {
        Some(Sample(known, most, last)) if *known >= slot => (*most, *last) = ((*most).max(length), length),
        Some(Sample(_, _, last)) if *last == length => {}
        None if length == 0 => {}
        // What it was when this slot began is in it too.
        Some(&mut Sample(_, _, before)) => history.push(Sample(slot, length.max(before), length)),
        None => history.push(Sample(slot, length, length)),
    }
    history.drain(..history.len().saturating_sub(MOST));
}

/// The greatest length in each of the last `slots`, the newest last.
#[must_use]
pub fn lately(history: &[Sample], slots: usize, now: Timestamp) -> Vec<u16> {
    let newest = slot(now);
    let of = |slot: i64| {
        let known = history.iter().rev().find(|Sample(at, ..)| *at <= slot);
        known.map_or(0, |Sample(at, most, last)| if *at == slot { *most } else { *last })
    };
    let first = newest.saturating_sub(i64::try_from(slots).unwrap_or(0)) + 1;
    (first..=newest).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn a_queue_is_remembered_by_the_greatest_and_the_last_of_each_quarter_of_a_day() {
        let mut history = Vec::new();
        for (time, length) in [("00:10", 0), ("06:00", 2), ("07:00", 9), ("11:59", 1), ("18:00", 1), ("19:00", 0)] {
            sample(&mut history, length, at(time));
        }
        let base = slot(at("00:00"));
        assert_eq!(history, [Sample(base + 1, 9, 1), Sample(base + 3, 1, 0)]);
        // 00:00, 06:00, 12:00 (nothing happened: still one), 18:00, and the day after.
        assert_eq!(lately(&history, 4, at("23:00")), [0, 9, 1, 1]);
        assert_eq!(lately(&history, 2, at("Sat 08:00")), [0, 0]);
        // Late, and out of order: counted where we are.
        sample(&mut history, 4, at("12:00"));
        assert_eq!(history.last(), Some(&Sample(base + 3, 4, 4)));
    }

    #[test]
    fn while_it_stays_as_long_as_it_was_nothing_is_written_down() {
        let mut history = Vec::new();
        for (time, length) in [("00:10", 0), ("06:00", 2), ("12:00", 2), ("18:00", 2), ("Sat 00:00", 3)] {
            sample(&mut history, length, at(time));
        }
        let base = slot(at("00:00"));
        assert_eq!(history, [Sample(base + 1, 2, 2), Sample(base + 4, 3, 3)]);
    }

    #[test]
    fn it_is_bounded() {
        let mut history = Vec::new();
        for n in 0..1000_i64 {
            let now = Timestamp::from_second(n * SLOT).unwrap();
            sample(&mut history, usize::try_from(n % 7).unwrap(), now);
        }
        assert_eq!(history.len(), MOST);
        sample(&mut history, usize::MAX, Timestamp::from_second(1000 * SLOT).unwrap());
        assert_eq!(history.last().unwrap().2, u16::MAX);
    }
}
