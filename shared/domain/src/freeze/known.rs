//! All that is known of freezes, whoever says so, as times in order.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Declared, Feed, Freeze, Occurrence, Source};
use crate::ids::FreezeId;
use crate::settings::Settings;
use crate::situation::Situation;

/// How far ahead is looked for what comes next, and for how long what overlaps is joined.
pub const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 400);

/// All that is known of freezes: those of the configuration, what was read of the calendars that they follow, and those that
/// people declared.
#[derive(Debug, Clone)]
pub struct Freezes<'a> {
    pub configured: &'a [Freeze],
    pub feeds: BTreeMap<&'a FreezeId, &'a Feed>,
    pub declared: Vec<&'a Declared>,
}

impl<'a> Freezes<'a> {
    /// As the configuration and the desk of freezes have them.
    #[must_use]
    pub fn of(settings: &'a Settings, desk: &'a Situation) -> Self {
        Self {
            configured: &settings.freezes,
            feeds: desk.feeds.iter().map(|(id, noted)| (id, &noted.value)).collect(),
            declared: desk.freezes.values().map(|noted| &noted.value).collect(),
        }
    }

    /// Each time of each freeze that is not over at `at` and begins within [`LOOK_AHEAD`], by when it begins.
    #[must_use]
    pub fn ahead(&self, at: Timestamp) -> Vec<Occurrence<'a>> {
        self.during(at, at.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX))
    }

    /// Each time of each freeze that is not over at `first` and has begun by `last`, by when it begins.
    #[must_use]
    pub fn during(&self, first: Timestamp, last: Timestamp) -> Vec<Occurrence<'a>> {
        let lasts = |one: &Occurrence<'_>| one.from < one.until && first < one.until;
        let mut all: Vec<_> = self.begun(last).filter(lasts).collect();
        all.sort_by_key(|one| (one.from, one.until, one.id));
        all
    }

    /// Those that people declared and that were ended before they began, with the times that they would have had.
    pub fn called_off(&self) -> impl Iterator<Item = Occurrence<'a>> {
        self.declared.iter().filter(|freeze| freeze.is_called_off()).map(|freeze| freeze.occurrence(freeze.until))
    }

    /// Each time that has begun by `last`.
    fn begun(&self, last: Timestamp) -> impl Iterator<Item = Occurrence<'a>> {
        let configured = self.configured.iter().flat_map(move |freeze| {
            let (times, source) = match (&freeze.feed, self.feeds.get(&freeze.id)) {
                (Some(_), Some(feed)) => (feed.times.as_slice(), Source::Feed),
                (Some(_), None) | (None, _) => (freeze.times.as_slice(), Source::Configuration),
            };
            times.iter().filter(move |time| time.from <= last).map(move |time| Occurrence {
                id: &freeze.id,
                name: &time.name,
                stops: freeze.stops,
                rotation_signs: freeze.rotation_signs,
                scope: &freeze.scope,
                zone: freeze.zone.iana_name().unwrap_or("UTC"),
                from: time.from,
                until: time.until,
                source,
            })
        });
        let declared = self.declared.iter().map(|freeze| freeze.occurrence(freeze.over_at()));
        configured.chain(declared.filter(move |one| one.from <= last))
    }

    /// The time that is called so, also when it is over.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Occurrence<'a>> {
        let begins = key.rsplit_once('@').and_then(|(_, from)| {
            Timestamp::strptime("%Y%m%dT%H%M%S%z", format!("{}+0000", from.trim_end_matches('Z'))).ok()
        })?;
        self.begun(begins.checked_add(SignedDuration::from_secs(1)).ok()?).find(|one| one.key() == key)
    }
}
