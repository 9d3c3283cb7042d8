//! An incident as a document for a retrospective: what the table knows is put into [`Export`], which is JSON as it is and Markdown by
//! [`wording::export`]. Reading it is no act, so it stands in no log of the table.

use aws::{House, Malformed, Refusal, Request, Response};
use domain::Incident;
use domain::export::{Delivered, Export, Told};
use domain::wording::export::{Sheet, markdown as written};
use jiff::tz::TimeZone;

use super::{Delivery, Scene, found, timeline};
use crate::api::parameters::Parameters;
use crate::hours::Hours;
use crate::page;

/// What follows an incident's name in the address of its Markdown.
const ENDING: &str = ".md";

/// The name of the incident of which the Markdown is asked for.
pub(crate) fn named(file: &str) -> Option<&str> {
    file.strip_suffix(ENDING)
}

pub(crate) fn whole(scene: Scene<'_>, incident: &Incident) -> Export {
    let deliveries = incident.pages.iter().map(|page| {
        let delivery = Delivery::of(scene, incident, page);
        Delivered { arrived: delivery.arrived(), words: delivery.words(scene.hours) }
    });
    let told = Told { timeline: timeline::timeline(scene, incident), deliveries: deliveries.collect() };
    Export::of(incident, &scene.service.policy, &scene.house.settings().roster, told, scene.hours.now)
}

/// `GET /incidents/{id}.md`, with times in UTC and in the reader's zone, or in that of `?zone=Europe/Stockholm`.
pub(crate) async fn markdown(house: &House, request: &Request, hours: &Hours, file: &str) -> Result<Response, Refusal> {
    let zone = zone(request, hours)?;
    let Some(found) = found(house, named(file).unwrap_or(file)).await? else {
        let missing = page::notice(404, "No such incident", "It is not among the incidents we remember.");
        let refused = Refusal::NotFound("it is not among the incidents that we remember");
        return if page::is_for_program(request) { Err(refused) } else { Ok(missing) };
    };
    // What stands in words stands there with its date, and alike for everybody.
    let export = whole(found.scene(&Hours::utc(hours.now)), &found.incident);
    let body = written(&export, Sheet { public_url: &house.settings().public_url, zone: &zone });
    let named = format!("inline; filename=\"{}{ENDING}\"", found.incident.id);
    let headers = [
        ("content-type", "text/markdown; charset=utf-8"),
        ("content-disposition", named.as_str()),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ];
    Ok(Response { status: 200, headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(), body })
}

fn zone(request: &Request, hours: &Hours) -> Result<TimeZone, Refusal> {
    const WANTED: &str = "`zone` is the name of a time zone such as Europe/Stockholm";
    let parameters = Parameters::read(request, &["zone"])?;
    let Some(name) = parameters.get("zone") else { return Ok(hours.own_zone().clone()) };
    Ok(TimeZone::get(name).map_err(|_| Malformed::new(WANTED))?)
}
