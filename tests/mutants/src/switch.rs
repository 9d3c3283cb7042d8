//! Which mutant is alive in this process: the one that `MUTANT` numbers, or none. With `MUTANTS_REACHED` the number of each
//! that could have been is written there once. `tests/mutants/run` puts this file into its copy of the domain.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

const UNKNOWN: u32 = u32::MAX;
const NOTING: u32 = u32::MAX - 1;

static ALIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
static REACHED: [AtomicBool; 1 << 16] = [const { AtomicBool::new(false) }; 1 << 16];

#[inline]
pub fn on(mutant: u32) -> bool {
    let alive = ALIVE.load(Relaxed);
    if alive >= NOTING { slowly(mutant) } else { alive == mutant }
}

#[cold]
fn slowly(mutant: u32) -> bool {
    if ALIVE.load(Relaxed) == UNKNOWN {
        let told = std::env::var("MUTANT").ok().and_then(|number| number.parse().ok());
        let noting = std::env::var_os("MUTANTS_REACHED").map(|_| NOTING);
        ALIVE.store(told.or(noting).unwrap_or(0), Relaxed);
    }
    if ALIVE.load(Relaxed) == NOTING
        && !REACHED[mutant as usize].swap(true, Relaxed)
        && let Some(path) = std::env::var_os("MUTANTS_REACHED")
    {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{mutant}").unwrap();
    }
    ALIVE.load(Relaxed) == mutant
}
