//! Chance that can be had again: splitmix64, from a seed that whoever rolls says.

use std::time::Duration;

/// <https://prng.di.unimi.it/splitmix64.c>
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`; 0 where there are none.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides.max(1)
    }

    /// The same, of a length.
    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.roll(most as u64)).unwrap_or(0)
    }

    pub fn up_to(&mut self, millis: u64) -> Duration {
        Duration::from_millis(self.roll(millis))
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.below(i + 1));
        }
    }
}
