//! What the board shows of freezes: those that are under way and ahead, as lines and as a strip of the next weeks; the fixes that are
//! to pass; what people did about them.

use aws::House;
use aws::links::Action;
use domain::expedite::Expedite;
use domain::freeze::{Feed, Freezes, Occurrence, Strength};
use domain::wording::freezes;
use domain::{Entry, FreezeId, Situation};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::charts::{Bar, Mark, WIDE};
use crate::hours::Hours;
use crate::may;
use crate::offers::Offers;
use crate::sign_in::Reader;

/// How many freezes that are under way or ahead are shown.
const MOST: usize = 8;
/// So many days are on the strip.
const DAYS: usize = 28;
/// How tall a bar is, and how far the next is below it.
const BAR: usize = 20;
const ROW: usize = 26;
/// Where the bars begin, below the names of days.
const TOP: usize = 24;

#[derive(Serialize)]
pub(crate) struct FreezesView {
    /// Whether it is under way, and its words.
    lines: Vec<(bool, String)>,
    strip: Option<Strip>,
    /// The fixes that somebody asks to let pass, and where this reader says something about each.
    fixes: Vec<(String, Option<String>)>,
    /// What people did about them, newest first.
    lately: Vec<String>,
    /// Which calendars that freezes follow cannot be read.
    unread: Vec<String>,
    /// Where this reader declares one, or ends it.
    link: Option<String>,
    /// Where this reader's calendar program reads them: for a click, and to copy.
    subscribe: Option<(String, String)>,
}

/// The next weeks, a bar for each freeze.
#[derive(Serialize)]
struct Strip {
    width: usize,
    height: usize,
    day: usize,
    /// The left of each weekend's days.
    weekends: Vec<usize>,
    days: Vec<Mark>,
    bars: Vec<(Bar, String)>,
    now: usize,
}

pub(crate) fn view(
    house: &House,
    reader: &Reader,
    offers: &Offers,
    hours: &Hours,
    situation: &Situation,
    log: &[Entry],
) -> FreezesView {
    let settings = house.settings();
    let all = Freezes::of(settings, situation);
    let ahead = all.ahead(hours.now);
    let strip = strip(&ahead, hours);
    let shown = may::next_of_each(ahead, hours.now);
    let line = |one: &Occurrence<'_>| (one.from <= hours.now, freezes::line(one, hours.now));
    let about = |one: &Expedite| offers.path(Action::Expedite(one.repository.clone(), one.number));
    let fixes = situation.expedites.values().map(|noted| &noted.value);
    FreezesView {
        lines: shown.iter().take(MOST).map(line).collect(),
        strip,
        fixes: fixes.filter_map(|one| Some((may::fix(house, &all, one, hours.now)?, about(one)))).collect(),
        lately: log.iter().map(|entry| format!("{} {}", hours.at(entry.at), entry.what)).collect(),
        unread: unread(situation, hours),
        link: offers.path(Action::Freezes),
        subscribe: subscription(house, reader, offers),
    }
}

/// Nothing where nothing is ahead.
fn strip(ahead: &[Occurrence<'_>], hours: &Hours) -> Option<Strip> {
    let start = hours.midnight(hours.now);
    let day = WIDE / DAYS;
    let end = start + SignedDuration::from_hours(24 * i64::try_from(DAYS).unwrap_or(0));
    let within: Vec<&Occurrence<'_>> = ahead.iter().filter(|one| one.from < end && one.until > start).collect();
    // A freeze that comes again each week has one row.
    let mut rows: Vec<&FreezeId> = Vec::new();
    for one in &within {
        if !rows.contains(&one.id) && rows.len() < MOST {
            rows.push(one.id);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let x = |at: Timestamp| {
        let seconds = at.clamp(start, end).duration_since(start).as_secs();
        usize::try_from(seconds).unwrap_or(0) * day / (24 * 3600)
    };
    let bar = |one: &&Occurrence<'_>| {
        let row = rows.iter().position(|id| *id == one.id)?;
        let (from, until) = (x(one.from), x(one.until));
        let wide = (until - from).max(4);
        let (merges, deployments) = (one.stops.merges, one.stops.deployments);
        let hard = merges == Some(Strength::Require) || deployments == Some(Strength::Require);
        let title = freezes::line(one, hours.now);
        let label: String = one.name.chars().take(wide / 8).collect();
        let bar = Bar { x: from, y: TOP + row * ROW, wide, tall: BAR, title, kind: if hard { "hard" } else { "soft" } };
        Some((bar, label))
    };
    let mark = |n: usize| {
        let noon = start + SignedDuration::from_hours(24 * i64::try_from(n).unwrap_or(0) + 12);
        Mark { at: n * day, label: hours.day(noon) }
    };
    let all: Vec<Mark> = (0..DAYS).map(mark).collect();
    Some(Strip {
        width: WIDE,
        height: TOP + rows.len() * ROW,
        day,
        weekends: all.iter().filter(|mark| mark.label.starts_with('S')).map(|mark| mark.at).collect(),
        bars: within.iter().filter_map(bar).collect(),
        days: all.into_iter().filter(|mark| mark.label.starts_with("Mon") || mark.at == 0).collect(),
        now: x(hours.now),
    })
}

/// Which calendars that freezes follow cannot be read.
fn unread(desk: &Situation, hours: &Hours) -> Vec<String> {
    let failed = desk.feeds.iter().filter_map(|(id, noted)| Some((id, &noted.value, noted.value.failed.as_ref()?)));
    let line = |(id, feed, why): (&FreezeId, &Feed, &String)| match feed.read_at {
        Some(at) => format!("The calendar of {id} cannot be read ({why}): what was read {} holds.", hours.at(at)),
        None => format!("The calendar of {id} was never read: {why}."),
    };
    failed.map(line).collect()
}

/// By `webcal`, which calendar programs open, and by the plain address.
fn subscription(house: &House, reader: &Reader, offers: &Offers) -> Option<(String, String)> {
    let url = format!("{}{}", house.settings().public_url, offers.subscription(reader)?);
    let (_, rest) = url.split_once("://")?;
    Some((format!("webcal://{rest}"), url))
}
