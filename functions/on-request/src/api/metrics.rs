//! `GET /metrics`: what was measured, for scrapers, in OpenMetrics' text format
//! (<https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md>). All of it is of the last 28 days, counts
//! too, so each is a gauge: what is older is forgotten some day, and a counter must never fall. What is not known has no sample.

use std::fmt::Write;

use aws::{House, Refusal, Request, Response};
use domain::ServiceId;
use domain::measures::{MEASURES, Measure, Period, Tally, Timeline, Unit, day};

use super::parameters::Parameters;
use crate::measures::number;

/// Of so many days is what is told.
const LATELY: i64 = 28;
/// As the specification has it.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// More services are not scraped at once.
const MOST: usize = 500;

pub(super) async fn scrape(house: &House, request: &Request) -> Result<Response, Refusal> {
    let parameters = Parameters::read(request, &[])?;
    let today = day(house.now());
    let first = today.saturating_sub(jiff::Span::new().days(LATELY - 1));
    let mut services = parameters.measured(house.settings())?;
    services.truncate(MOST);
    let (from, until) = (Period::Day(first), Period::Day(today));
    let known = house
        .store
        .of_each(services.clone(), move |store, service| async move { store.timeline(&service, from, until).await })
        .await;
    let known = known.into_iter().collect::<Result<Vec<Timeline>, _>>()?;
    let measured: Vec<_> =
        services.into_iter().zip(known).map(|(service, known)| (service, known.days(first, today))).collect();
    let headers = [("content-type", CONTENT_TYPE), ("x-content-type-options", "nosniff")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Ok(Response { status: 200, headers, body: exposition(&measured) })
}

/// Of each service, of the last days.
fn exposition(measured: &[(ServiceId, Tally)]) -> String {
    let mut text = String::new();
    for measure in MEASURES {
        let name = named(measure);
        let _ = writeln!(text, "# TYPE {name} gauge");
        if measure.unit == Unit::Seconds {
            let _ = writeln!(text, "# UNIT {name} seconds");
        }
        let _ = writeln!(text, "# HELP {name} {}", escaped(&format!("{}; of the last {LATELY} days", measure.words)));
        for (service, tally) in measured {
            if let Some(amount) = measure.of(tally, LATELY.unsigned_abs()) {
                let value = number(amount.number());
                let _ = writeln!(text, "{name}{{service=\"{}\"}} {value}", escaped(service.as_str()));
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

/// The name of a family.
fn named(measure: &Measure) -> String {
    let unit = match measure.unit {
        Unit::Seconds => "_seconds",
        Unit::Share => "_ratio",
        Unit::Count | Unit::Mean => "",
    };
    format!("recent_deployers_{}{unit}", measure.name)
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_is_told_types_units_and_the_end() {
        let lately = Tally { deployments: 4, failed: 1, ..Tally::default() };
        let text = exposition(&[("edxapp".parse().unwrap(), lately)]);
        for line in [
            "# TYPE recent_deployers_deployments gauge",
            "recent_deployers_deployments{service=\"edxapp\"} 4",
            "recent_deployers_change_fail_rate_ratio{service=\"edxapp\"} 0.25",
            "recent_deployers_deployments_per_week{service=\"edxapp\"} 1",
            "# UNIT recent_deployers_time_to_detect_median_seconds seconds",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(!text.contains("recent_deployers_time_to_detect_median_seconds{"), "what is not known has no sample");
        assert!(text.ends_with("# EOF\n") && !text.contains('\r'));
        // Each family's lines stand together, its descriptions once.
        let types: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert_eq!(types.len(), MEASURES.len());
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }
}
