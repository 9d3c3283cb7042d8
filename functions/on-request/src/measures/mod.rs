//! What was measured, as it is asked for: months side by side, or before and after a day; one query a service. Shown as a page, as
//! JSON, as CSV, to scrapers.

pub(crate) mod csv;
pub(crate) mod page;

use aws::{House, Malformed, StoreError, keys};
use domain::ServiceId;
use domain::measures::{MEASURES, Month, Period, Tally, Timeline, day, days_between};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// So many months are shown, unless it is said; so many at most.
const USUAL: i32 = 6;
const MOST: i32 = 26;

/// The stretch of time that is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    from: Month,
    until: Month,
    /// From which day on it is after.
    pub(crate) cut: Option<Date>,
    today: Date,
}

impl Asked {
    /// From the words of a query: `2026-06`, `2026-11`, `2026-10-01`.
    pub(crate) fn read(
        house: &House,
        from: Option<&str>,
        until: Option<&str>,
        cut: Option<&str>,
    ) -> Result<Self, Malformed> {
        let today = day(house.now());
        let month = |name: &str, given: Option<&str>| {
            let wrong = || Malformed::new(format!("`{name}` is a month such as 2026-11"));
            let read = |text: &str| text.parse::<Month>().ok().filter(|month| month.to_string() == text);
            given.map(|text| read(text).ok_or_else(wrong)).transpose()
        };
        // Nothing was counted before that.
        let dawn = Month::of(jiff::civil::date(2000, 1, 1));
        let until = month("until", until)?.unwrap_or(Month::of(today)).min(Month::of(today)).max(dawn);
        let from = month("from", from)?.unwrap_or_else(|| until.back(USUAL - 1)).max(until.back(MOST - 1)).max(dawn);
        let wrong = || Malformed::new("`cut` is a day such as 2026-10-01");
        let date = |text: &str| text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        let cut = cut.map(|text| date(text).ok_or_else(wrong)).transpose()?;
        // What is before it has to be among what is read.
        let from = cut.map_or(from, |cut| from.min(Month::of(cut)).max(until.back(MOST - 1))).min(until);
        // A cut beyond what is asked for is at its edge.
        let last = until.last().min(today).max(from.first());
        let cut = cut.map(|cut| cut.clamp(from.first(), last));
        Ok(Self { from, until, cut, today })
    }

    /// The keys between which all of it is: single days only where a month is cut.
    fn keys(self) -> (Period, Period) {
        let first = match self.cut {
            Some(cut) => Period::Day(Month::of(cut).first()),
            None => Period::Month(self.from),
        };
        (first, Period::Month(self.until))
    }

    /// What is asked for, out of what is known.
    fn periods(self, known: &Timeline) -> Vec<PeriodView> {
        let last = |month: Month| month.last().min(self.today);
        if let Some(cut) = self.cut {
            let kept = keys::KEEP_DAY.as_hours() / 24;
            let days_since = self.today.saturating_sub(jiff::Span::new().days(kept));
            let two = known.cohorts(cut, self.from, last(self.until), days_since);
            let before = two.cut.yesterday().unwrap_or(two.cut);
            return vec![
                PeriodView::of("before", self.from.first(), before, &two.before.0, two.before.1),
                PeriodView::of("after", two.cut, last(self.until), &two.after.0, two.after.1),
            ];
        }
        let mut months = Vec::new();
        let mut month = self.until;
        while month >= self.from {
            let nothing = Tally::default();
            let tally = known.months.get(&month).unwrap_or(&nothing);
            let (first, last) = (month.first(), last(month));
            months.push(PeriodView::of(&month.to_string(), first, last, tally, days_between(first, last)));
            month = month.back(1);
        }
        months.reverse();
        months
    }
}

/// What was measured of a service in one stretch of time.
#[derive(Debug, Serialize)]
pub(crate) struct PeriodView {
    pub(crate) period: String,
    from: Date,
    until: Date,
    days: u64,
    pub(crate) figures: Map<String, Value>,
    #[serde(skip)]
    pub(crate) tally: Tally,
}

impl PeriodView {
    fn of(period: &str, from: Date, until: Date, tally: &Tally, days: u64) -> Self {
        let figure = |measure: &domain::measures::Measure| {
            let amount = measure.of(tally, days).map(|amount| amount.number());
            (measure.name.to_owned(), amount.map_or(Value::Null, number))
        };
        let figures = MEASURES.iter().map(figure).collect();
        Self { period: period.to_owned(), from, until, days, figures, tally: tally.clone() }
    }

    pub(crate) fn days(&self) -> u64 {
        self.days
    }
}

/// Whole numbers as such.
pub(crate) fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and far below the greatest")]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "it is looked at whether it was exact")]
    let exact = (whole as f64 - value).abs() < f64::EPSILON;
    if exact { Value::from(whole) } else { Number::from_f64(value).map_or(Value::Null, Value::Number) }
}

/// What was measured of a service.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) service: ServiceId,
    pub(crate) periods: Vec<PeriodView>,
}

/// What was measured of each of these services, in their order.
pub(crate) async fn read(house: &House, services: Vec<ServiceId>, asked: Asked) -> Result<Vec<Measured>, StoreError> {
    let (from, until) = asked.keys();
    let known = house
        .store
        .of_each(services.clone(), move |store, service| async move { store.timeline(&service, from, until).await })
        .await;
    let of = |(service, known): (ServiceId, Result<Timeline, StoreError>)| {
        Ok(Measured { periods: asked.periods(&known?), service })
    };
    services.into_iter().zip(known).map(of).collect()
}
