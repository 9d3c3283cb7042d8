//! `GET /measures`: of all services one figure each, months side by side, or before and after a day; of one service every figure. Without
//! script: what is chosen stands in the address.

use aws::{House, Refusal, Request, Response};
use domain::ServiceId;
use domain::measures::{Amount, MEASURES, Measure, Unit};
use minijinja::context;
use serde::Serialize;

use super::{Asked, Measured, PeriodView, read};
use crate::charts::{self, Chart, Mark, TALL, WIDE};
use crate::hours::Hours;
use crate::page;
use crate::sign_in::Reader;

/// So many services are on the page; more are in the table for spreadsheets.
const MOST: usize = 60;
/// What is shown of all services, unless it is said.
const FIRST: &str = "time_to_resolve_median";
/// What is drawn of one service.
const DRAWN: [&str; 4] = ["time_to_resolve_median", "deployments", "change_fail_rate", "suspects_hit_at_3"];

/// A row: what it is about, a link to more of it, and a cell a period.
#[derive(Serialize)]
struct Row {
    name: String,
    link: Option<String>,
    words: Option<&'static str>,
    cells: Vec<String>,
}

pub(crate) async fn show(house: &House, request: &Request, reader: &Reader) -> Result<Response, Refusal> {
    let hours = Hours::of(house, request, reader);
    let given = |name: &str| request.query(name).into_iter().next().filter(|text| !text.is_empty());
    let (from, until, cut) = (given("from"), given("until"), given("cut"));
    let asked = match Asked::read(house, from.as_deref(), until.as_deref(), cut.as_deref()) {
        Ok(asked) => asked,
        Err(wrong) => return Ok(page::notice(400, "Not a time", &format!("{wrong}."))),
    };
    match given("service") {
        None => all(house, reader, &hours, asked, given("measure").as_deref()).await,
        Some(name) => one(house, reader, &hours, asked, &name).await,
    }
}

/// One figure of all services.
async fn all(
    house: &House,
    reader: &Reader,
    hours: &Hours,
    asked: Asked,
    measure: Option<&str>,
) -> Result<Response, Refusal> {
    let Some(measure) = Measure::called(measure.unwrap_or(FIRST)) else {
        return Ok(page::notice(404, "No such figure", "The page of measures lists those that there are."));
    };
    let mut services: Vec<ServiceId> = house.settings().services().map(|service| service.id.clone()).collect();
    services.sort();
    let more = services.len().saturating_sub(MOST);
    services.truncate(MOST);
    let measured = read(house, services, asked).await?;
    let row = |measured: &Measured| Row {
        name: measured.service.to_string(),
        link: Some(format!("/measures?service={}{}", measured.service, and_cut(asked))),
        words: None,
        cells: measured.periods.iter().map(|period| cell(measure, period)).collect(),
    };
    let rows: Vec<Row> = measured.iter().map(row).collect();
    let choice = |one: &Measure| {
        let link = format!("/measures?measure={}{}", one.name, and_cut(asked));
        (spoken(one.name), link, one.name == measure.name)
    };
    let choices: Vec<(String, String, bool)> = MEASURES.iter().map(choice).collect();
    let values = context! {
        title => "Measures", words => measure.words, name => spoken(measure.name), measure => measure.name, more,
        heads => heads(&measured), rows => page::value(&rows), choices => page::value(&choices), cut => asked.cut.map(|cut| cut.to_string()),
    };
    Ok(page::whole(house, reader, hours, 200, "measures.html", values))
}

/// Every figure of one service.
async fn one(house: &House, reader: &Reader, hours: &Hours, asked: Asked, name: &str) -> Result<Response, Refusal> {
    let settings = house.settings();
    let services = settings.services().chain([settings.freeze_desk()]);
    let Some(service) = services.map(|service| &service.id).find(|id| id.as_str() == name) else {
        return Ok(page::notice(404, "No such service", "It is not in the configuration."));
    };
    let measured = read(house, vec![service.clone()], asked).await?;
    let periods = measured.first().map(|one| one.periods.as_slice()).unwrap_or_default();
    let row = |measure: &'static Measure| Row {
        name: spoken(measure.name),
        link: None,
        words: Some(measure.words),
        cells: periods.iter().map(|period| cell(measure, period)).collect(),
    };
    let rows: Vec<Row> = MEASURES.iter().map(row).collect();
    let drawn: Vec<(String, Chart)> = DRAWN
        .iter()
        .filter_map(|name| Measure::called(name))
        .filter_map(|measure| Some((spoken(measure.name), drawn(measure, periods)?)))
        .collect();
    let values = context! {
        title => format!("Measures of {service}"), service => service.as_str(), heads => heads(&measured), rows => page::value(&rows),
        drawn => page::value(&drawn), cut => asked.cut.map(|cut| cut.to_string()),
        desk => settings.is_desk(service),
    };
    Ok(page::whole(house, reader, hours, 200, "measures.html", values))
}

fn and_cut(asked: Asked) -> String {
    asked.cut.map(|cut| format!("&cut={cut}")).unwrap_or_default()
}

/// `time to resolve, median`
fn spoken(name: &str) -> String {
    let text = name.replace('_', " ");
    ["median", "p90"].iter().find_map(|end| Some(format!("{}, {end}", text.strip_suffix(end)?.trim()))).unwrap_or(text)
}

fn heads(measured: &[Measured]) -> Vec<String> {
    measured.first().map(|one| one.periods.iter().map(|period| period.period.clone()).collect()).unwrap_or_default()
}

fn amount(measure: &Measure, period: &PeriodView) -> Option<Amount> {
    measure.of(&period.tally, period.days())
}

fn cell(measure: &Measure, period: &PeriodView) -> String {
    amount(measure, period).map_or_else(|| "–".to_owned(), |amount| measure.unit.words(amount))
}

/// A bar a period, if there is anything to draw.
fn drawn(measure: &Measure, periods: &[PeriodView]) -> Option<Chart> {
    // In thousandths, so that shares are drawn too.
    let tall = |amount: Amount| amount.n.saturating_mul(1000) / amount.of.max(1);
    let known: Vec<Option<Amount>> = periods.iter().map(|period| amount(measure, period)).collect();
    let most = known.iter().flatten().map(|amount| tall(*amount)).max().filter(|most| *most > 0)?;
    let most = if measure.unit == Unit::Share { 1000 } else { most };
    let said = |known: &Option<Amount>| known.map_or_else(|| "not known".to_owned(), |known| measure.unit.words(known));
    let lines: Vec<String> =
        periods.iter().zip(&known).map(|(period, known)| format!("{}: {}", period.period, said(known))).collect();
    let bar = |(line, known): (&String, &Option<Amount>)| (known.map_or(0, tall), line.clone(), "past");
    let values: Vec<_> = lines.iter().zip(&known).map(bar).collect();
    let mark = |(n, period): (usize, &PeriodView)| Mark { at: n * WIDE / periods.len(), label: period.period.clone() };
    Some(Chart {
        width: WIDE,
        height: TALL,
        bars: charts::bars(&values, most),
        lines: Vec::new(),
        marks: periods.iter().enumerate().map(mark).collect(),
        words: format!("{}. {}.", sentence(measure.words), lines.join("; ")),
    })
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_spoken_of_in_words() {
        assert_eq!(spoken("time_to_resolve_median"), "time to resolve, median");
        assert_eq!(spoken("suspects_hit_at_3"), "suspects hit at 3");
        assert!(DRAWN.iter().chain([&FIRST]).all(|name| Measure::called(name).is_some()));
    }
}
