//! Reading the audit log: seals, what compares their lines with the log, and the log as it is sealed.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::audit::{self, Fault, Head, Kept, Logged, Proof, Removals, Seal};
use domain::{Entry, Reason, ServiceId};
use jiff::Timestamp;

use crate::keys::{self, Key};
use crate::records::{self, Item};
use crate::store::{Store, StoreError};

/// The log of a service, or a part of it, as it was sealed.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// The seals of these hours, and the first one after, of which only the seal itself was read.
    pub seals: Vec<Kept>,
    /// What is kept beside seals that are gone or cannot be read.
    pub orphans: Vec<Proof>,
    pub head: Option<Head>,
    /// What cannot be read.
    pub faults: Vec<Fault>,
    /// The head is among that.
    pub no_head: bool,
}

impl Store {
    /// The seals of these hours, with what is kept beside them; and the first one after, if there is one.
    pub async fn sealed(&self, service: &ServiceId, from: Timestamp, until: Timestamp) -> Result<Sealed, StoreError> {
        let partition = keys::audit(service);
        let sort = |kind: &str, at: Timestamp| format!("{kind}#{}", keys::instant(at));
        let (mut seals, mut orphans, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        let within = self.between(&partition, &sort("S", from), &sort("S", until), None).await?;
        let mut proofs = self.between(&partition, &sort("N", from), &sort("N", until), None).await?;
        for item in &within {
            let place = records::sort(item).trim_start_matches("S#");
            let Ok(seal) = records::read::<Seal>(item) else {
                faults.push(Fault::Unreadable(format!("the seal of {}", shown(place))));
                continue;
            };
            let beside = proofs.iter().position(|proofs| records::sort(proofs).trim_start_matches("N#") == place);
            let beside = beside.map(|nth| proofs.swap_remove(nth));
            let beside = match beside.as_ref().map(records::read::<Vec<Proof>>) {
                None => Some(Vec::new()),
                Some(Ok(proofs)) => Some(proofs),
                Some(Err(_)) => {
                    faults.push(Fault::Unreadable(format!("what compares the seal of {} with the log", shown(place))));
                    None
                }
            };
            seals.push((seal, beside));
        }
        orphans.extend(proofs.iter().filter_map(|item| records::read::<Vec<Proof>>(item).ok()).flatten());
        if until < Timestamp::MAX {
            let next = self.between(&partition, &sort("S", until), "S~", Some(1)).await?;
            seals.extend(next.iter().filter_map(|item| Some((records::read(item).ok()?, None))));
        }
        let head = self.get(&keys::head(service)).await?.as_ref().map(records::read::<Head>).transpose();
        let no_head = head.is_err();
        faults.extend(no_head.then(unreadable_head));
        Ok(Sealed { seals, orphans, head: head.ok().flatten(), faults, no_head })
    }

    /// The lines of the log behind this place that were said before `until`, in order.
    pub async fn logged(
        &self,
        service: &ServiceId,
        after: &str,
        until: Timestamp,
        most: Option<usize>,
    ) -> Result<Vec<Logged>, StoreError> {
        // Nothing is between a place and the same with a `!`.
        let from = format!("{after}!");
        let until = keys::instant(until);
        if from >= until {
            return Ok(Vec::new());
        }
        let items = self.between(&keys::log(service), &from, &until, most).await?;
        Ok(items.iter().filter_map(logged).collect())
    }

    /// What the log tells of the removals by which these lines lost their salts, where it tells it in lines that are as they were sealed.
    /// `due`: from when on lines need not be sealed yet. One get and one reading of a day of seals for each.
    pub async fn removals(
        &self,
        service: &ServiceId,
        sealed: &[Kept],
        due: Timestamp,
        now: Timestamp,
    ) -> Result<Removals, StoreError> {
        let proofs = sealed.iter().flat_map(|(_, proofs)| proofs).flatten();
        let places: BTreeSet<&str> = proofs.flat_map(|proof| &proof.redacted).map(|done| done.by.as_str()).collect();
        let mut removals = Removals::new();
        for place in places {
            let key = Key { partition: keys::log(service), sort: place.to_owned() };
            let Some(line) = self.get(&key).await?.as_ref().and_then(logged) else { continue };
            let hour = audit::hour_of(line.at);
            let beside = self.sealed(service, hour, hour + audit::LATE_UNTIL + audit::LOOK_BACK * 2).await?;
            if audit::is_vouched(&line, &beside.seals, due, now) {
                removals.insert(line.place, line.redacted);
            }
        }
        Ok(removals)
    }
}

pub(super) fn unreadable_head() -> Fault {
    Fault::Unreadable("the end of the chain".to_owned())
}

/// `2026-03-20T12:00:00Z`, with the part where there are several.
fn shown(place: &str) -> String {
    match keys::parse_sealed(place) {
        Some((hour, 0)) => hour.to_string(),
        Some((hour, part)) => format!("{hour}, part {part}"),
        None => domain::text::line(place, 40),
    }
}

/// A line of the log as it is sealed. All of it is what is stored, whatever this program understands of it: one that it cannot read is
/// sealed too, and keeps nobody from the others.
fn logged(item: &Item) -> Option<Logged> {
    let place = records::sort(item).to_owned();
    let full = spelled(item);
    Some(match records::read::<Entry>(item) {
        Ok(entry) => Logged {
            place,
            at: entry.at,
            subject: entry.subject.map(|subject| subject.to_string()),
            person: entry.person,
            reason: entry.reason.name().to_owned(),
            full,
            redacted: if let Reason::LinesRedacted { seals } = entry.reason { seals } else { Vec::new() },
        },
        Err(_) => {
            let at = place.split('#').next()?.parse().ok()?;
            Logged {
                place,
                at,
                subject: None,
                person: None,
                reason: "unreadable".to_owned(),
                full,
                redacted: Vec::new(),
            }
        }
    })
}

/// The body of an item as one text.
pub(in crate::store) fn spelled(item: &Item) -> String {
    let mut full = String::new();
    if let Some(body) = item.get(keys::BODY) {
        spell(body, &mut full);
    }
    full
}

/// A value as one text, the same whatever order its fields came in.
fn spell(value: &AttributeValue, out: &mut String) {
    let mut text = |kind: char, text: &str| out.push_str(&format!("{kind}{}:{text}", text.len()));
    match value {
        AttributeValue::S(value) => text('s', value),
        AttributeValue::N(value) => text('n', value),
        AttributeValue::Bool(value) => text('b', if *value { "1" } else { "0" }),
        AttributeValue::L(values) => {
            text('l', &values.len().to_string());
            values.iter().for_each(|value| spell(value, out));
        }
        AttributeValue::M(fields) => {
            text('m', &fields.len().to_string());
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            for name in names {
                out.push_str(&format!("k{}:{name}", name.len()));
                spell(&fields[name], out);
            }
        }
        // Serde writes no others but what is absent.
        AttributeValue::B(_)
        | AttributeValue::Bs(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Null(_)
        | AttributeValue::Ss(_)
        | _ => text('?', &format!("{value:?}")),
    }
}
