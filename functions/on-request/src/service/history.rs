//! What a service's incidents were, newest first, a page of them at a time; and of those on the page: how long each took, and how
//! often the suspects were right. One query a page.
//! An address names the last one before its page, `2026-03-20T12:31:00Z_edxapp-k3v7q2ma`: what is over meanwhile moves nothing.

use aws::{House, Refusal, Request, Response};
use domain::text::count;
use domain::{Incident, IncidentId, Service, times, wording};
use jiff::{SignedDuration, Timestamp};
use minijinja::context;
use serde::Serialize;

use super::find;
use crate::charts::{self, Chart, Mark, TALL, WIDE};
use crate::hours::{Hours, Moment, length};
use crate::incident::view::verdict_words;
use crate::page;
use crate::sign_in::Reader;

/// So many are on a page.
const MOST: i32 = 50;
/// Where lines are drawn across the chart of recovery, in minutes.
const LINES: [(u64, &str); 4] = [(5, "5 min"), (30, "30 min"), (120, "2 h"), (480, "8 h")];

#[derive(Serialize)]
struct PastView {
    id: String,
    headline: String,
    resolved: Option<Moment>,
    /// How long it took from its beginning until it was over.
    took: Option<String>,
    verdict: Option<String>,
    /// Whether the suspects were right: `first`, `named`, `missed`; absent where nobody knows.
    hit: Option<&'static str>,
}

/// `GET /services/{id}/history?before=<the last one on the page before>`
pub(crate) async fn show(house: &House, request: &Request, reader: &Reader, id: &str) -> Result<Response, Refusal> {
    let Some(service) = find(house, id) else {
        return Ok(page::notice(404, "No such service", "It is not in the configuration."));
    };
    let hours = Hours::of(house, request, reader);
    let before = before(request);
    let past = house.store.past_before(&service.id, before.as_ref(), MOST).await?;
    let views: Vec<PastView> = past.iter().map(|incident| past_view(house, incident, &hours)).collect();
    let full = past.len() >= usize::try_from(MOST).unwrap_or(usize::MAX);
    let older = past.last().and_then(|last| Some(format!("{}_{}", last.resolved_at?, last.id))).filter(|_| full);
    let values = context! {
        title => format!("History of {}", service.id), id => service.id.as_str(), past => page::value(&views),
        recovery => recovery(service, &past, before.is_none(), &hours).map(|chart| page::value(&chart)),
        hits => Hits::of(&past).map(|hits| page::value(&hits.view())),
        older, newest => before.is_none(),
    };
    Ok(page::whole(house, reader, &hours, 200, "history.html", values))
}

fn before(request: &Request) -> Option<(Timestamp, IncidentId)> {
    let given = request.query("before").into_iter().next()?;
    let (at, id) = given.split_once('_')?;
    let at: Timestamp = at.parse().ok().filter(|at| times::plausible(*at))?;
    Some((at, id.parse().ok()?))
}

fn past_view(house: &House, incident: &Incident, hours: &Hours) -> PastView {
    let took = incident.resolved_at.map(|at| at.duration_since(incident.began_at));
    PastView {
        id: incident.id.to_string(),
        headline: wording::headline(incident),
        resolved: incident.resolved_at.map(|at| hours.moment(at)),
        took: took.map(length),
        verdict: incident.verdict.as_ref().map(|verdict| verdict_words(house, verdict)),
        hit: rank(incident).map(|rank| match rank {
            Some(0) => "first",
            Some(_) => "named",
            None => "missed",
        }),
    }
}

/// Where among the suspects the culprit was, of an incident of which it is known that a change of ours was it.
fn rank(incident: &Incident) -> Option<Option<usize>> {
    let culprit = incident.verdict.as_ref()?.change.as_ref()?;
    Some(incident.suspects.iter().position(|suspect| suspect.change == *culprit))
}

/// How often the suspects were right.
#[derive(Default)]
struct Hits {
    judged: usize,
    first: usize,
    first_three: usize,
    named: usize,
}

impl Hits {
    fn of(past: &[Incident]) -> Option<Self> {
        let mut hits = Self::default();
        for rank in past.iter().filter_map(rank) {
            let within = |n: usize| usize::from(rank.is_some_and(|rank| rank < n));
            hits.judged += 1;
            (hits.first, hits.first_three) = (hits.first + within(1), hits.first_three + within(3));
            hits.named += usize::from(rank.is_some());
        }
        (hits.judged > 0).then_some(hits)
    }

    /// A line each: words, how many, and how wide it is drawn.
    fn view(&self) -> (String, Vec<(&'static str, String, usize)>) {
        let line = |words, n: usize| {
            let share = n * 100 / self.judged;
            (words, format!("{n} of {}, {share} %", self.judged), n * WIDE / self.judged)
        };
        let words = format!("Of {} it is known which change it was.", count(self.judged, "incident", "incidents"));
        let lines = vec![
            line("It was the first suspect", self.first),
            line("It was among the first three", self.first_three),
            line("It was among the suspects", self.named),
        ];
        (words, lines)
    }
}

/// How long each took, the newest last, on a scale on which twice as long is always as much higher.
fn recovery(service: &Service, past: &[Incident], newest: bool, hours: &Hours) -> Option<Chart> {
    let took = |incident: &Incident| Some(incident.resolved_at?.duration_since(incident.began_at));
    let mut all: Vec<SignedDuration> = past.iter().filter_map(took).collect();
    let bar = |incident: &Incident| {
        let span = took(incident)?;
        let kind = if incident.mitigated.is_some() { "mitigated" } else { "past" };
        let words = format!("{}: {}", incident.resolved_at.map(|at| hours.at(at))?, length(span));
        Some((scaled(minutes(span)), words, kind))
    };
    let mut bars: Vec<_> = past.iter().filter_map(bar).collect();
    bars.reverse();
    all.sort_unstable();
    let (median, longest) = (*all.get(all.len() / 2)?, *all.last()?);
    // The highest line stands within the chart even where nothing took so long.
    let top = scaled(minutes(longest).max(45));
    let line = |(at, label): &(u64, &str)| {
        let down = u64::try_from(TALL).unwrap_or(0) * scaled(*at) / top.max(1);
        let at = TALL.checked_sub(usize::try_from(down).ok()?)?;
        Some(Mark { at, label: (*label).to_owned() })
    };
    Some(Chart {
        width: WIDE,
        height: TALL,
        bars: charts::bars(&bars, top),
        lines: LINES.iter().filter_map(line).collect(),
        marks: Vec::new(),
        words: format!(
            "{} {} of {} took {} in the median, {} at most.",
            if newest { "The last" } else { "These" },
            count(all.len(), "incident", "incidents"),
            service.id,
            length(median),
            length(longest)
        ),
    })
}

fn minutes(span: SignedDuration) -> u64 {
    u64::try_from(span.as_mins()).unwrap_or(0)
}

/// A logarithm in whole steps: 64 for each doubling.
fn scaled(minutes: u64) -> u64 {
    let minutes = minutes.min(1 << 40) + 1;
    let whole = minutes.ilog2();
    let rest = ((minutes - (1 << whole)) * 64) >> whole;
    u64::from(whole) * 64 + rest + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_as_long_is_always_as_much_higher() {
        let of: Vec<u64> = [0, 1, 3, 7, 15, 31].into_iter().map(scaled).collect();
        assert_eq!(of, [1, 65, 129, 193, 257, 321]);
        assert!((0..5000).all(|n| scaled(n) <= scaled(n + 1)));
        assert!(scaled(u64::MAX) < 5000);
    }

    #[test]
    fn hits_are_counted_of_those_of_which_the_change_is_known() {
        let hits = Hits { judged: 4, first: 2, first_three: 3, named: 3 };
        let (words, lines) = hits.view();
        assert_eq!(words, "Of 4 incidents it is known which change it was.");
        assert_eq!(lines[0], ("It was the first suspect", "2 of 4, 50 %".to_owned(), WIDE / 2));
        assert!(Hits::of(&[]).is_none());
    }
}
