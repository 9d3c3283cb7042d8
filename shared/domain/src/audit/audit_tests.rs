//! Whatever ticks came when, the same log is sealed into the same chain; and whatever is changed in it is found.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_773_964_800 + seconds).unwrap()
}

fn logged(seconds: i64, who: usize) -> Logged {
    let person = ["feanil", "usama", "anna"].get(who).map(|id| id.parse().unwrap());
    Logged {
        place: format!("{}#00-{seconds:08x}", at(seconds).strftime("%Y-%m-%dT%H:%M:%S%.6fZ")),
        at: at(seconds),
        subject: (seconds % 3 > 0).then(|| format!("change openedx/edx-platform@{seconds:040x}")),
        person,
        reason: "merged_on_standby".into(),
        full: format!("line {seconds} of {who}"),
        redacted: Vec::new(),
    }
}

fn called(person: &PersonId) -> Pseudonym {
    Pseudonym(format!("p-{}", person.as_str().len()))
}

fn salted(place: &str) -> String {
    hex(&["seed", place])
}

/// What a tick does: as the shell, what is late first, then a few lines at a time.
fn tick(log: &BTreeMap<String, Logged>, sealed: &mut Sealed, now: Timestamp, page: usize) {
    let until = sealed_until(now);
    let before = sealed.head.clone();
    let known: BTreeSet<&str> = sealed.proofs.iter().map(|proof| proof.place.as_str()).collect();
    let late = log.values().filter(|line| line.at < until && is_late(before.as_ref(), line));
    let lines: Vec<Logged> = late.filter(|line| !known.contains(line.place.as_str())).cloned().collect();
    if let Some(head) = before.as_ref().filter(|_| !lines.is_empty()) {
        sealed.add(&Batch { hour: head.hour, lines, more: head.more, late: true });
    }
    loop {
        let after = sealed.head.as_ref().map_or("", |head| head.after.as_str()).to_owned();
        let there = log.values().filter(|line| line.place > after && line.at < until);
        let mut lines: Vec<Logged> = there.filter(|line| !is_late(before.as_ref(), line)).cloned().collect();
        let all = lines.len() <= page;
        lines.truncate(page + 1);
        let batches = due(lines, all);
        if batches.is_empty() {
            break;
        }
        batches.iter().for_each(|batch| sealed.add(batch));
    }
}

#[derive(Debug, Default, PartialEq)]
struct Sealed {
    seals: Vec<Seal>,
    proofs: Vec<Proof>,
    head: Option<Head>,
}

impl Sealed {
    fn add(&mut self, batch: &Batch) {
        let (seal, proofs, head) = seal(self.head.as_ref(), false, batch, called, salted);
        self.seals.push(seal);
        self.proofs.extend(proofs);
        self.head = Some(head);
    }

    fn faults(&self) -> Vec<Fault> {
        verify(&self.seals, self.head.as_ref(), Extent { from: at(0), to_the_end: true })
    }

    fn all(log: &BTreeMap<String, Logged>) -> Self {
        let mut sealed = Self::default();
        tick(log, &mut sealed, at(100 * 3600), 5000);
        sealed
    }
}

fn log(of: impl IntoIterator<Item = (i64, usize)>) -> BTreeMap<String, Logged> {
    of.into_iter().map(|(seconds, who)| logged(seconds, who)).map(|line| (line.place.clone(), line)).collect()
}

fn some_log() -> impl Strategy<Value = BTreeMap<String, Logged>> {
    vec((0..8 * 3600i64, 0..4usize), 1..80).prop_map(log)
}

/// Something that can be done to a chain.
#[derive(Debug, Clone)]
enum Harm {
    Drop,
    Twice,
    Swap,
    DropLine,
    AddLine,
    SwapLines,
    Later,
    SomebodyElse,
    Nobody,
    Late,
    OtherReason,
    OtherDigest,
    Anew,
    DropLast,
}

fn harm(seals: &mut Vec<Seal>, harm: &Harm, which: Index, line: Index) {
    let place = which.index(seals.len());
    let lines = seals[place].lines.len();
    let one = line.index(lines);
    match harm {
        Harm::Drop => drop(seals.remove(place)),
        Harm::Twice => seals.insert(place, seals[place].clone()),
        Harm::Swap => seals.rotate_left(1),
        Harm::DropLine => drop(seals[place].lines.remove(one)),
        Harm::AddLine => {
            let line = seals[place].lines[one].clone();
            seals[place].lines.push(line);
        }
        Harm::SwapLines => seals[place].lines.reverse(),
        Harm::Later => seals[place].lines[one].at += SignedDuration::from_nanos(1),
        Harm::SomebodyElse => seals[place].lines[one].person = Some(Pseudonym("p-x".into())),
        Harm::Nobody => seals[place].lines[one].person = None,
        Harm::Late => seals[place].lines[one].late ^= true,
        Harm::OtherReason => seals[place].lines[one].reason.push('s'),
        Harm::OtherDigest => seals[place].lines[one].digest = salted("other"),
        Harm::Anew => seals[place].anew ^= true,
        Harm::DropLast => drop(seals.pop()),
    }
}

fn some_harm() -> impl Strategy<Value = Harm> {
    use Harm::{AddLine, Drop, DropLast, DropLine, Late, Later, Nobody, OtherDigest, OtherReason, SomebodyElse, Swap};
    prop::sample::select(vec![
        Drop,
        Harm::Twice,
        Swap,
        DropLine,
        AddLine,
        Harm::SwapLines,
        Later,
        SomebodyElse,
        Nobody,
        Late,
        OtherReason,
        OtherDigest,
        Harm::Anew,
        DropLast,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_same_log_is_sealed_into_the_same_chain_whatever_ticks_came_when(
        log in some_log(),
        ticks in btree_set(0..12 * 60i64, 0..12),
        page in 1..7usize,
    ) {
        let at_once = Sealed::all(&log);
        let mut sealed = Sealed::default();
        for minutes in ticks {
            let now = at(minutes * 60);
            // At that time the log is no longer than this.
            let so_far = log.iter().filter(|(_, line)| line.at <= now).map(|(k, v)| (k.clone(), v.clone())).collect();
            // A reading shows at least as much as a seal can hold.
            tick(&so_far, &mut sealed, now, MOST_LINES * page);
        }
        tick(&log, &mut sealed, at(100 * 3600), MOST_LINES);
        prop_assert_eq!(&sealed, &at_once);
        prop_assert_eq!(sealed.faults(), vec![]);
        let lines: usize = sealed.seals.iter().map(|seal| seal.lines.len()).sum();
        prop_assert_eq!(lines, log.len());
        prop_assert!(sealed.seals.iter().flat_map(|seal| &seal.lines).all(|line| !line.late));
    }

    #[test]
    fn each_line_is_sealed_once_also_when_it_comes_late(
        log in some_log(),
        delays in vec((any::<Index>(), 0..5 * 60i64), 0..20),
        ticks in btree_set(0..16 * 60i64, 0..20),
    ) {
        let mut comes: BTreeMap<&String, Timestamp> = log.iter().map(|(place, line)| (place, line.at)).collect();
        let places: Vec<&String> = log.keys().collect();
        for (which, minutes) in delays {
            let place = places[which.index(places.len())];
            comes.insert(place, log[place].at + SignedDuration::from_mins(minutes));
        }
        let mut sealed = Sealed::default();
        for minutes in ticks.into_iter().chain([6000]) {
            let now = at(minutes * 60);
            let there = log.iter().filter(|(place, _)| comes[place] <= now).map(|(k, v)| (k.clone(), v.clone()));
            tick(&there.collect(), &mut sealed, now, 5000);
        }
        let mut places: Vec<&str> = sealed.proofs.iter().map(|proof| proof.place.as_str()).collect();
        places.sort_unstable();
        prop_assert_eq!(places, log.keys().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(sealed.faults(), vec![]);
    }

    #[test]
    fn whatever_is_changed_in_a_chain_is_found(
        log in some_log(), kind in some_harm(), which in any::<Index>(), line in any::<Index>(),
    ) {
        let mut sealed = Sealed::all(&log);
        let before = sealed.seals.clone();
        harm(&mut sealed.seals, &kind, which, line);
        prop_assume!(sealed.seals != before);
        prop_assert_ne!(sealed.faults(), vec![], "{:?}", kind);
    }

    /// Who makes the digests anew as well is found by the head, or by the seal after it.
    #[test]
    fn a_seal_that_is_made_anew_is_found(log in some_log(), which in any::<Index>()) {
        let mut sealed = Sealed::all(&log);
        let place = which.index(sealed.seals.len());
        sealed.seals[place].lines[0].reason.push('s');
        sealed.seals[place].digest = sealed.seals[place].reckoned();
        prop_assert_ne!(sealed.faults(), vec![]);
    }

    #[test]
    fn a_part_of_a_chain_can_be_verified_alone(log in some_log(), first in any::<Index>(), last in any::<Index>()) {
        let sealed = Sealed::all(&log);
        let first = first.index(sealed.seals.len());
        let part = &sealed.seals[first..=first + last.index(sealed.seals.len() - first)];
        let extent = Extent { from: part[0].hour, to_the_end: part.last() == sealed.seals.last() };
        let faults = verify(part, sealed.head.as_ref(), extent);
        // Of an hour that was cut the parts belong together.
        prop_assert!(part[0].part > 0 || faults.is_empty(), "{:?}", faults);
    }
}

#[test]
fn a_long_hour_is_cut_and_goes_on_in_the_next_seal() {
    let log = log((0..2500).map(|n| (n, 0)));
    let sealed = Sealed::all(&log);
    let sizes: Vec<(u32, usize)> = sealed.seals.iter().map(|seal| (seal.part, seal.lines.len())).collect();
    assert_eq!(sizes, [(0, 992), (1, 992), (2, 516)]);
    assert_eq!(sealed.faults(), []);
    let mut read_in_pieces = Sealed::default();
    tick(&log, &mut read_in_pieces, at(3 * 3600), MOST_LINES);
    assert_eq!(read_in_pieces, sealed);
}

#[test]
fn an_hour_is_sealed_ten_minutes_after_it_is_over_and_an_empty_one_never() {
    let log = log([(30, 0), (3 * 3600 + 5, 1)]);
    let mut sealed = Sealed::default();
    tick(&log, &mut sealed, at(3600 + 599), 5000);
    assert_eq!(sealed.seals.len(), 0);
    tick(&log, &mut sealed, at(3600 + 600), 5000);
    assert_eq!(sealed.seals.len(), 1);
    tick(&log, &mut sealed, at(10 * 3600), 5000);
    let hours: Vec<(u64, String)> = sealed.seals.iter().map(|seal| (seal.number, seal.hour.to_string())).collect();
    assert_eq!(hours, [(1, "2026-03-20T00:00:00Z".to_owned()), (2, "2026-03-20T03:00:00Z".to_owned())]);
}

/// The figures of this example are by another program: `printf "2:ab0:" | sha256sum`.
#[test]
fn a_digest_is_sha_256_of_texts_each_led_by_its_length() {
    assert_eq!(hex(&["ab", ""]), "bd9027e9dbf27167f8c3e2fbc1e42491e1cf15a54dd6fa6caa99f5e12b4c0750");
}

/// What is wrong between seals and the log, from this second on.
fn compared(sealed: &[Kept], logged: &[Logged], removals: &Removals, from: i64) -> Vec<String> {
    let faults = compare(Lately { sealed, orphans: &[], logged, removals, from: at(from), until: at(3600) });
    faults.iter().map(ToString::to_string).collect()
}

/// Three lines in one seal.
fn three() -> (Vec<Kept>, Vec<Logged>) {
    let log = log([(30, 0), (40, 1), (50, 2)]);
    let sealed = Sealed::all(&log);
    assert_eq!(sealed.seals.len(), 1);
    (vec![(sealed.seals[0].clone(), Some(sealed.proofs))], log.into_values().collect())
}

#[test]
fn the_log_is_compared_with_what_was_sealed() {
    let (sealed, mut logged) = three();
    let none = Removals::new();
    assert_eq!(compared(&sealed, &logged, &none, 0), [""; 0]);
    logged[1].full.push('!');
    let changed = "the line of 2026-03-20T00:00:40Z in the log was changed after it was sealed";
    assert_eq!(compared(&sealed, &logged, &none, 0), [changed]);
    logged[1].full.pop();
    let gone = logged.remove(0);
    let was = "the line of 2026-03-20T00:00:30Z was sealed, and is no longer in the log";
    assert_eq!(compared(&sealed, &logged, &none, 0), [was]);
    assert_eq!(compared(&sealed, &logged, &none, 31), [""; 0], "it has expired");
    logged.insert(0, Logged { place: "2026-03-20T00:00:30.000000Z#00-ffffffff".into(), ..gone });
    let unsealed = "the line of 2026-03-20T00:00:30Z in the log was never sealed";
    assert_eq!(compared(&sealed, &logged, &none, 31), [""; 0]);
    assert_eq!(compared(&sealed, &logged, &none, 30).last().unwrap(), unsealed);
}

#[test]
fn a_line_that_is_deleted_with_its_proof_is_missed() {
    let (mut sealed, mut logged) = three();
    logged.remove(1);
    sealed[0].1.as_mut().unwrap().remove(1);
    let gone = "seal 1 of 2026-03-20T00:00:00Z has 3 lines, and what compares them with the log is kept for 2";
    assert_eq!(compared(&sealed, &logged, &Removals::new(), 0), [gone]);
    assert_eq!(compared(&sealed, &logged, &Removals::new(), 3600), [""; 0], "they have expired");
    sealed[0].1 = None;
    assert_eq!(compared(&sealed, &logged, &Removals::new(), 0), [""; 0], "they were not asked for");
}

#[test]
fn a_salt_is_gone_only_where_the_log_tells_of_a_removal_that_took_it() {
    let (mut sealed, mut logged) = three();
    let unexplained =
        "the line of 2026-03-20T00:00:40.000000Z has lost its salt, and no removal of a person's data explains it";
    // Whoever can write to the table takes a salt away, and changes the line.
    let salt = sealed[0].1.as_mut().unwrap()[1].salt.take();
    logged[1].full = "somebody else's".to_owned();
    assert_eq!(compared(&sealed, &logged, &Removals::new(), 0), [unexplained]);
    // A removal says how the line stands since.
    let proofs = sealed[0].1.as_mut().unwrap();
    proofs[1].salt = salt;
    let lines = BTreeMap::from([(logged[1].place.clone(), "of nobody".to_owned())]);
    let told = redact((at(0), 0), proofs, &lines, salted).unwrap();
    assert_eq!(redact((at(0), 0), &mut proofs.clone(), &lines, |_| "other".into()), Some(told.clone()), "once more");
    proofs.iter_mut().for_each(|proof| proof.is_by("removal"));
    assert_eq!(redact((at(0), 0), proofs, &lines, salted), None, "all of it was done");
    let removals = Removals::from([("removal".to_owned(), vec![told.clone()])]);
    let unfinished = "the line of 2026-03-20T00:00:40Z is not as the removal of a person's data left it: run the removal again if it was interrupted";
    assert_eq!(compared(&sealed, &logged, &removals, 0), [unfinished]);
    logged[1].full = "of nobody".to_owned();
    assert_eq!(compared(&sealed, &logged, &removals, 0), [""; 0]);
    assert_eq!(compared(&sealed, &logged, &Removals::new(), 0), [unexplained], "the log does not tell of it");
    // Nor does it cover a line more, or another text.
    let mut more = sealed.clone();
    let proofs = more[0].1.as_mut().unwrap();
    let done = proofs[1].redacted.clone();
    proofs[2] = Proof { salt: None, redacted: done, ..proofs[2].clone() };
    assert_eq!(compared(&more, &logged, &removals, 0).iter().filter(|f| f.contains("lost its salt")).count(), 2);
    let mut other = sealed.clone();
    other[0].1.as_mut().unwrap()[1].redacted[0].digest = digest_of("a lie", &salted(&logged[1].place));
    assert!(compared(&other, &logged, &removals, 0).contains(&unexplained.to_owned()));
    // A second person is removed from the same line.
    let lines = BTreeMap::from([(logged[1].place.clone(), "of nobody at all".to_owned())]);
    let proofs = sealed[0].1.as_mut().unwrap();
    let second = redact((at(0), 0), proofs, &lines, salted).unwrap();
    proofs.iter_mut().for_each(|proof| proof.is_by("second"));
    logged[1].full = "of nobody at all".to_owned();
    let removals = Removals::from([("removal".to_owned(), vec![told]), ("second".to_owned(), vec![second])]);
    assert_eq!(compared(&sealed, &logged, &removals, 0), [""; 0]);
}

#[test]
fn a_removal_counts_where_its_line_is_as_it_was_sealed_or_not_yet_due() {
    let (sealed, logged) = three();
    let counts = |line: &Logged, due: i64| is_vouched(line, &sealed, at(due), at(7200));
    assert!(counts(&logged[1], 3600));
    let changed = Logged { full: "another".into(), ..logged[1].clone() };
    assert!(!counts(&changed, 3600) && counts(&changed, 40));
    assert!(!is_vouched(&changed, &sealed, at(0), at(39)), "of a time to come");
}

#[test]
fn a_head_that_is_gone_is_found_again_behind_the_newest_seal_and_the_next_one_says_so() {
    let log = log([(30, 0), (3600 + 5, 1)]);
    let sealed = Sealed::all(&log);
    let head = sealed.head.clone().unwrap();
    let found = Head::found(head.began, (head.hour, head.part), sealed.seals.last(), 0);
    assert_eq!((found.number, found.hour, &found.digest, found.at), (2, head.hour, &head.digest, head.at));
    assert!(found.after > head.after && found.after < keyed(head.at + SignedDuration::from_micros(1)));
    let batch = Batch { hour: at(7200), lines: vec![logged(7205, 0)], more: false, late: false };
    let (next, _, head) = seal(Some(&found), true, &batch, called, salted);
    let seals: Vec<Seal> = sealed.seals.into_iter().chain([next]).collect();
    let faults = verify(&seals, Some(&head), Extent { from: at(0), to_the_end: true });
    assert_eq!(faults, [Fault::Anew { number: 3, hour: at(7200) }]);
    assert_eq!(Head::found(at(0), (at(3600), 2), None, 3).number, 3);
    let gone = verify(&seals, None, Extent { from: at(0), to_the_end: true });
    assert!(gone.contains(&Fault::EndGone), "{gone:?}");
}

fn keyed(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[test]
fn a_pseudonym_is_written_as_it_is() {
    assert_eq!(Pseudonym("p-7".into()).to_string(), "p-7");
}

#[test]
fn what_is_late_is_told_by_the_place_and_the_hour_of_what_was_sealed() {
    let head = |more| Head {
        began: at(0),
        number: 1,
        hour: at(3600),
        part: 0,
        digest: String::new(),
        after: "m".into(),
        at: at(3700),
        more,
    };
    let late = |place: &str, seconds: i64, more: bool| {
        is_late(Some(&head(more)), &Logged { place: place.into(), ..logged(seconds, 0) })
    };
    // Behind the last line, in the same hour: late only if that hour is sealed to its end.
    assert_eq!((late("n", 3700, true), late("n", 3700, false)), (false, true));
    // Of an hour before, wherever it is.
    assert_eq!((late("n", 3599, true), late("n", 3600, true)), (true, false));
    // Of an hour to come.
    assert_eq!((late("n", 7200, true), late("n", 7200, false)), (false, false));
    // At the place of the last line, or before it, whenever that was.
    assert_eq!((late("m", 7200, true), late("a", 7200, true)), (true, true));
    assert!(!is_late(None, &logged(0, 0)), "nothing is sealed yet");
}

#[test]
fn a_seal_is_full_at_so_many_lines_or_bytes() {
    let short = |n: i64| Logged { subject: None, ..logged(n, 0) };
    let sizes = |lines: Vec<Logged>| -> Vec<(usize, bool)> {
        due(lines, true).iter().map(|batch| (batch.lines.len(), batch.more)).collect()
    };
    assert_eq!(sizes((0..1000).map(short).collect()), [(1000, false)]);
    assert_eq!(sizes((0..1001).map(short).collect()), [(1000, true), (1, false)]);
    // 240 bytes beside its reason: three of these fill it.
    let long = |n: i64, more: usize| Logged { reason: "x".repeat(MOST_BYTES / 3 - 240 + more), ..short(n) };
    assert_eq!(sizes(vec![long(0, 0), long(1, 0), long(2, 0)]), [(3, false)]);
    assert_eq!(sizes(vec![long(0, 0), long(1, 0), long(2, 1)]), [(2, true), (1, false)]);
}

/// Seals of four hours.
fn four() -> Sealed {
    let sealed = Sealed::all(&log((0..4).map(|hour| (hour * 3600 + 5, 0))));
    assert_eq!((sealed.seals.len(), sealed.faults()), (4, vec![]));
    sealed
}

#[test]
fn seals_that_are_missing_are_told_by_their_numbers() {
    let mut sealed = four();
    let one = sealed.seals.remove(2);
    assert_eq!(sealed.faults(), [Fault::Missing { from: 3, to: 3 }]);
    assert_eq!(sealed.faults()[0].to_string(), "seal 3 is missing");
    sealed.seals.remove(1);
    assert_eq!(sealed.faults(), [Fault::Missing { from: 2, to: 3 }]);
    assert_eq!(sealed.faults()[0].to_string(), "seals 2 to 3 are missing");
    sealed.seals.insert(2, one);
    assert_eq!(sealed.faults()[0], Fault::Missing { from: 2, to: 3 });
    assert!(sealed.faults().contains(&Fault::Unlinked { number: 3, hour: at(7200) }), "out of order");
}

#[test]
fn a_chain_has_to_begin_unless_what_is_before_is_too_old_to_be_kept() {
    let sealed = four();
    let from =
        |seconds, seals: &[Seal]| verify(seals, sealed.head.as_ref(), Extent { from: at(seconds), to_the_end: true });
    let missing = [Fault::NoBeginning { number: 2 }];
    assert_eq!(from(0, &sealed.seals[1..]), missing, "the first one, of this hour, would be kept");
    assert_eq!(from(1, &sealed.seals[1..]), []);
    assert_eq!(from(3600, &sealed.seals), []);
    // The first one is number 1, behind nothing.
    let changes: [fn(&mut Seal); 3] =
        [|seal| seal.number = 2, |seal| seal.previous = "something".into(), |seal| seal.before = Some(at(0))];
    for change in changes {
        let mut first = sealed.seals[0].clone();
        change(&mut first);
        first.digest = first.reckoned();
        let faults = verify(&[first.clone()], None, Extent { from: at(0), to_the_end: false });
        assert_eq!(faults, [Fault::NoBeginning { number: first.number }], "{first:?}");
    }
}

#[test]
fn an_end_that_is_older_than_what_is_looked_at_need_not_be_there() {
    let head = four().head.unwrap();
    assert_eq!(head.hour, at(3 * 3600));
    let from = |seconds| verify(&[], Some(&head), Extent { from: at(seconds), to_the_end: true });
    let gone = [Fault::NoEnd { number: 4 }];
    assert_eq!((from(3 * 3600 - 1), from(3 * 3600)), (gone.to_vec(), gone.to_vec()));
    assert_eq!(from(3 * 3600 + 1), []);
    assert_eq!(verify(&[], None, Extent { from: at(0), to_the_end: true }), [], "nothing was ever sealed");
}

#[test]
fn what_is_not_to_be_sealed_yet_is_not_missed_in_the_seals() {
    let (sealed, mut all) = three();
    all.push(logged(3600, 0));
    assert_eq!(compared(&sealed, &all, &Removals::new(), 0), [""; 0]);
    all.push(logged(3599, 0));
    let unsealed = "the line of 2026-03-20T00:59:59Z in the log was never sealed";
    assert_eq!(compared(&sealed, &all, &Removals::new(), 0), [unsealed]);
}
