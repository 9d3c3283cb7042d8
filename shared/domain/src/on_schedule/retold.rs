//! A freeze that was told of is another now: it lasts longer, is stricter or wider, or is called off. Whoever was told hears of that,
//! once.

use std::collections::BTreeSet;

use super::Next;
use super::freezes::Desk;
use crate::decision::{Decisions, Record, RecordKey};
use crate::freeze::{FreezeNotes, Occurrence, Said};
use crate::ids::PersonId;
use crate::message::Subject;
use crate::reason::Reason;
use crate::situation::Noted;
use crate::text;
use crate::wording::Reader;
use crate::wording::freezes as words;

/// What it is, as far as whoever was told should know of a change.
pub(super) fn digest(one: &Occurrence<'_>) -> String {
    text::digest(&format!("{:?}", (one.until, one.stops, one.scope)))
}

impl Desk<'_> {
    /// One that is ahead or under way, and was told of.
    pub(super) fn tell_again(&self, decisions: &mut Decisions, next: &mut Next, one: &Occurrence<'_>) {
        let Some(noted) = self.situation.freeze_notes.get(&one.key()) else { return };
        // In this round it is said for the first time, or was said by an older program.
        if noted.value.said.is_empty() || noted.value.as_told.as_ref().is_none_or(|told| *told == digest(one)) {
            return;
        }
        self.retell(decisions, next, one, noted, digest(one));
    }

    /// One that was called off before it began.
    pub(super) fn tell_off(&self, decisions: &mut Decisions, next: &mut Next, one: &Occurrence<'_>) -> bool {
        let Some(noted) = self.situation.freeze_notes.get(&one.key()) else { return false };
        const OFF: &str = "off";
        if noted.value.said.is_empty() || noted.value.as_told.as_deref() == Some(OFF) {
            return false;
        }
        self.retell(decisions, next, one, noted, OFF.to_owned());
        true
    }

    /// One that is there no more: moved, or taken out of the configuration or its calendar.
    pub(super) fn tell_gone(&self, decisions: &mut Decisions, next: &mut Next, key: &str, noted: &Noted<FreezeNotes>) {
        let mut notes = noted.value.clone();
        let begun = notes.said.contains(&Said::Began);
        for person in noted.value.heard.iter().filter(|person| !noted.value.retold.contains(person)) {
            if decisions.room() < 3 {
                next.at(self.now);
                return decisions.put(Record::FreezeNotes(key.to_owned(), notes), noted.rev);
            }
            let desk = self.settings.freeze_desk();
            let reader = Reader { settings: self.settings, service: desk, person, now: self.now };
            decisions.tell(words::gone(reader, key, &notes.name, begun));
            notes.retold.insert(person.clone());
        }
        let name = notes.name.clone();
        let what = format!("the freeze {name} is over: it is there no more");
        decisions.log(self.now, Some(Subject::Freeze(key.to_owned())), None, what, Reason::FreezeOver { freeze: name });
        decisions.drop_record(RecordKey::FreezeNotes(key.to_owned()), noted.rev);
    }

    fn retell(
        &self,
        decisions: &mut Decisions,
        next: &mut Next,
        one: &Occurrence<'_>,
        noted: &Noted<FreezeNotes>,
        told: String,
    ) {
        let mut notes = noted.value.clone();
        let mut people: BTreeSet<PersonId> = notes.heard.clone();
        people.extend(self.hearers(one));
        people.extend(notes.mergers.iter().cloned());
        for person in people {
            if notes.retold.contains(&person) {
                continue;
            }
            if decisions.room() < 3 {
                next.at(self.now);
                decisions.put(Record::FreezeNotes(one.key(), notes), noted.rev);
                return;
            }
            let desk = self.settings.freeze_desk();
            let reader = Reader { settings: self.settings, service: desk, person: &person, now: self.now };
            decisions.tell(words::changed(reader, one));
            notes.heard.insert(person.clone());
            notes.retold.insert(person);
        }
        let what = format!("whoever was told of {} heard that it is another now", one.name);
        let reason = Reason::FreezeChanged { freeze: one.name.to_owned() };
        decisions.log(self.now, Some(Subject::Freeze(one.key())), None, what, reason);
        notes.retold.clear();
        (notes.as_told, notes.until) = (Some(told), one.until);
        decisions.put(Record::FreezeNotes(one.key(), notes), noted.rev);
    }
}
