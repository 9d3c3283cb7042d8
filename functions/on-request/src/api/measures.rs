//! `GET /measures.json` and `GET /measures.csv`: what was measured of each service, in months or before and after a day.

use aws::{House, Refusal, Request, Response};
use domain::ServiceId;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::paging::{Listed, Page};
use super::parameters::Parameters;
use crate::measures::{Asked, Measured, csv, read};

const KNOWN: [&str; 6] = ["service", "from", "until", "cut", "limit", "cursor"];

/// The service that was shown last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place(ServiceId);

pub(super) async fn list(house: &House, request: &Request) -> Result<Listed, Refusal> {
    let (measured, page, next) = asked(house, request).await?;
    page.listed(json!({ "services": measured }), next.as_ref())
}

pub(super) async fn table(house: &House, request: &Request) -> Result<Response, Refusal> {
    let (measured, page, next) = asked(house, request).await?;
    // Where it goes on is in a header: there is no room for it in the table.
    let link = page.listed(json!({}), next.as_ref())?.link;
    let headers = [
        ("content-type", "text/csv; charset=utf-8; header=present"),
        ("content-disposition", "attachment; filename=\"measures.csv\""),
        ("x-content-type-options", "nosniff"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let answer = Response { status: 200, headers, body: csv::of(&measured) };
    Ok(link.into_iter().fold(answer, |answer, link| answer.with_header("link", &link)))
}

async fn asked(house: &House, request: &Request) -> Result<(Vec<Measured>, Page<Place>, Option<Place>), Refusal> {
    let parameters = Parameters::read(request, &KNOWN)?;
    let asked = Asked::read(house, parameters.get("from"), parameters.get("until"), parameters.get("cut"))?;
    let services = parameters.measured(house.settings())?;
    let page: Page<Place> = Page::read(house, request, &parameters)?;
    let after = page.after.as_ref();
    let left: Vec<ServiceId> =
        services.into_iter().filter(|service| after.is_none_or(|after| *service > after.0)).collect();
    let shown: Vec<ServiceId> = left.iter().take(page.limit).cloned().collect();
    let next = shown.last().filter(|_| shown.len() < left.len()).cloned().map(Place);
    Ok((read(house, shown, asked).await?, page, next))
}
