//! Counts and marks of a fixed size: where they are kept, what they forget, how they come back.

use serde::de::value::{BytesDeserializer, Error, SeqDeserializer};

use super::*;

/// A generation of 64 bits, of which 16 may be set.
type Few = Marks<64>;

fn set_in(bits: &[u8]) -> u32 {
    bits.iter().map(|bits| bits.count_ones()).sum()
}

/// What is kept is found again by every later version, on every machine: the figures are by another program.
#[test]
fn where_a_thing_is_kept_never_changes() {
    assert_eq!(fingerprint(&["billing"]), 0x78e5_7c67_9ee9_09db);
    assert_eq!(fingerprint(&["cart"]), 0xafd4_203e_7705_df88);
    assert_eq!(["billing", "help", "cart"].map(Counts::places), [[219, 414], [11, 420], [136, 375]]);
    let bits = |thing: &[&str]| Few::places(thing).map(|(byte, bit)| byte * 8 + bit.trailing_zeros() as usize);
    assert_eq!(bits(&["ann", "billing/tax.py"]), [62, 59, 58]);
    assert_eq!(bits(&["ben", "help/page.py"]), [42, 56, 38]);
}

#[test]
fn what_is_halved_counts_half_and_rounds_down() {
    let mut counts = Counts::default();
    (0..5).for_each(|_| counts.changed("billing"));
    (0..3).for_each(|_| counts.reverted("billing"));
    counts.changed("help");
    assert_eq!((counts.of("billing"), counts.of("help"), counts.of("cart")), ((5, 3), (1, 0), (0, 0)));
    counts.halve();
    assert_eq!((counts.of("billing"), counts.of("help"), counts.of("cart")), ((2, 1), (0, 0), (0, 0)));
}

#[test]
fn a_generation_that_is_a_quarter_full_makes_room_for_the_next() {
    let mut marks = Few::default();
    assert!(!marks.has(&["t0"]));
    let mut generations = 0;
    for i in 0..200 {
        let thing = format!("t{i}");
        let before = marks.bits.clone();
        marks.put(&[&thing]);
        assert!(marks.has(&[&thing]), "{thing} was seen just now");
        assert_eq!(marks.bits.len(), 16, "two generations of eight bytes");
        assert!(set_in(&marks.bits[8..]) < 16, "{thing}: a generation that is full is no longer written to");
        if before.get(8..).is_some_and(|young| young == &marks.bits[8..]) {
            continue;
        }
        if set_in(&marks.bits[8..]) == 0 {
            generations += 1;
            assert!((16..=18).contains(&set_in(&marks.bits[..8])), "{thing}: the one before is remembered");
            // It comes back as it was, just then too.
            let json = serde_json::to_string(&marks).unwrap();
            assert_eq!(serde_json::from_str::<Few>(&json).unwrap(), marks);
        }
    }
    assert!((20..60).contains(&generations), "{generations}");
    assert!(!marks.has(&["t0", "t1"]), "another thing");
}

#[test]
fn what_is_seen_again_and_again_fills_nothing() {
    let mut marks = Few::default();
    marks.put(&["a"]);
    let once = marks.clone();
    (0..100).for_each(|_| marks.put(&["a"]));
    assert_eq!(marks, once);
}

#[test]
fn bytes_come_back_however_a_format_writes_them() {
    let mut marks = Few::default();
    marks.put(&["a"]);
    let of_bytes = Few::deserialize(BytesDeserializer::<Error>::new(&marks.bits));
    assert_eq!(of_bytes.unwrap(), marks);
    assert_eq!(Bytes.visit_byte_buf::<Error>(vec![3, 1, 4]).unwrap(), [3, 1, 4]);
    assert_eq!(Bytes.visit_bytes::<Error>(&[3, 1, 4]).unwrap(), [3, 1, 4]);
    let list = |n: usize| Bytes.visit_seq(SeqDeserializer::<_, Error>::new(vec![7u8; n].into_iter())).unwrap().len();
    assert_eq!((list(MOST_BYTES), list(MOST_BYTES + 1)), (MOST_BYTES, MOST_BYTES), "no list is read without end");
    let wrong = serde_json::from_str::<Few>("true").unwrap_err().to_string();
    assert!(wrong.starts_with("invalid type: boolean `true`, expected bytes"), "{wrong}");
    // Of another size it begins anew.
    assert_eq!(Few::deserialize(BytesDeserializer::<Error>::new(&marks.bits[1..])).unwrap(), Few::default());
}
