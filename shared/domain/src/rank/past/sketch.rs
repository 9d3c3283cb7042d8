//! Counts and marks of a fixed size, under fingerprints. Two things may share a fingerprint: then more is believed of them
//! than is true, a little. Nothing can be read out of it but by who knows what to ask for.

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Each thing is counted in two rows, and the smaller count is believed.
const ROWS: usize = 2;
const WIDTH: usize = 256;
const CELL: usize = 4;
/// More than any of these has.
const MOST_BYTES: usize = 16 * 1024;
/// In how many places a thing is marked.
const HASHES: usize = 3;

/// A fingerprint that is the same on every machine: FNV-1a, of the parts with a separator between them.
fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash ^ (hash >> 29)
}

/// Changes and reverts of things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Empty until something is counted.
    cells: Vec<(u16, u16)>,
}

impl Counts {
    fn places(thing: &str) -> [usize; ROWS] {
        let hash = fingerprint(&[thing]);
        let place = |row: usize| usize::try_from((hash >> (row * 24)) % WIDTH as u64).unwrap_or(0) + row * WIDTH;
        std::array::from_fn(place)
    }

    /// How many changes and how many reverts of this are counted.
    pub(super) fn of(&self, thing: &str) -> (u16, u16) {
        let cells = Self::places(thing).map(|place| self.cells.get(place).copied().unwrap_or_default());
        cells.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap_or_default()
    }

    pub(super) fn changed(&mut self, thing: &str) {
        self.each(thing, |cell| cell.0 = cell.0.saturating_add(1));
    }

    pub(super) fn reverted(&mut self, thing: &str) {
        self.each(thing, |cell| cell.1 = cell.1.saturating_add(1));
    }

    fn each(&mut self, thing: &str, what: impl Fn(&mut (u16, u16))) {
        self.cells.resize(ROWS * WIDTH, (0, 0));
        for place in Self::places(thing) {
            what(&mut self.cells[place]);
        }
    }

    pub(super) fn halve(&mut self) {
        self.cells.iter_mut().for_each(|cell| *cell = (cell.0 / 2, cell.1 / 2));
    }
}

/// Whether something was seen, of late. When a quarter of the bits of a generation is set, a new one begins, and the one before is
/// remembered. Each thing has [`HASHES`] bits: of a hundred that were never seen, about three are believed to have been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks<const BITS: usize> {
    /// The generation before, then this one. Empty until something is marked.
    bits: Vec<u8>,
}

impl<const BITS: usize> Marks<BITS> {
    const BYTES: usize = BITS / 8;
    const FULL: usize = BITS / 4;

    fn places(thing: &[&str]) -> [(usize, u8); HASHES] {
        let hash = fingerprint(thing);
        std::array::from_fn(|nth| {
            let bit = usize::try_from((hash >> (nth * 20)) % BITS as u64).unwrap_or(0);
            (bit / 8, 1 << (bit % 8))
        })
    }

    pub(super) fn has(&self, thing: &[&str]) -> bool {
        let places = Self::places(thing);
        let in_generation = |start: usize| {
            places.iter().all(|(byte, bit)| self.bits.get(start + byte).is_some_and(|bits| bits & bit != 0))
        };
        in_generation(0) || in_generation(Self::BYTES)
    }

    pub(super) fn put(&mut self, thing: &[&str]) {
        self.bits.resize(2 * Self::BYTES, 0);
        let young = &mut self.bits[Self::BYTES..];
        let mut new = false;
        for (byte, bit) in Self::places(thing) {
            new |= young[byte] & bit == 0;
            young[byte] |= bit;
        }
        if !new {
            return;
        }
        let set: u32 = young.iter().map(|bits| bits.count_ones()).sum();
        if usize::try_from(set).unwrap_or(0) >= Self::FULL {
            self.bits.drain(..Self::BYTES);
            self.bits.resize(2 * Self::BYTES, 0);
        }
    }
}

/// Bytes, whether the format has them or only lists of numbers.
struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            if bytes.len() < MOST_BYTES {
                bytes.push(byte);
            }
        }
        Ok(bytes)
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cell = |(changed, reverted): &(u16, u16)| [changed.to_be_bytes(), reverted.to_be_bytes()].concat();
        serializer.serialize_bytes(&self.cells.iter().flat_map(cell).collect::<Vec<u8>>())
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_byte_buf(Bytes)?;
        // What has another size was written by a program that counts otherwise: it begins anew.
        if bytes.len() != ROWS * WIDTH * CELL {
            return Ok(Self::default());
        }
        let cell = |c: &[u8]| (u16::from_be_bytes([c[0], c[1]]), u16::from_be_bytes([c[2], c[3]]));
        Ok(Self { cells: bytes.chunks_exact(CELL).map(cell).collect() })
    }
}

impl<const BITS: usize> Serialize for Marks<BITS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bits)
    }
}

impl<'de, const BITS: usize> Deserialize<'de> for Marks<BITS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = deserializer.deserialize_byte_buf(Bytes)?;
        Ok(if bits.len() == 2 * Self::BYTES { Self { bits } } else { Self::default() })
    }
}

#[cfg(test)]
#[path = "sketch_tests.rs"]
mod tests;
