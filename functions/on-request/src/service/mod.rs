//! A service whole: who is on call for it and why, its queue, what is live, its incidents, what happened lately. At most three
//! queries. What is long past is on the page of its [`history`].

pub(crate) mod history;
pub(crate) mod view;

use aws::links::Action;
use aws::{House, Refusal, Request, Response};
use domain::{Service, ServiceId};
use minijinja::context;

use crate::board::readable;
use crate::hours::Hours;
use crate::incident::Scene;
use crate::offers::Offers;
use crate::page;
use crate::sign_in::Reader;
use view::{Beyond, view};

/// How many lines of the log are shown.
const MOST_LINES: i32 = 20;

/// `GET /services/{id}?after=60`
pub(crate) async fn show(house: &House, request: &Request, reader: &Reader, id: &str) -> Result<Response, Refusal> {
    let Some(service) = find(house, id) else {
        return Ok(page::notice(404, "No such service", "It is not in the configuration."));
    };
    let (hours, offers) = (Hours::of(house, request, reader), Offers::of(house, reader)?);
    let read = tokio::try_join!(house.store.situation(&service.id), house.store.log(&service.id, MOST_LINES));
    let mut unreadable = Vec::new();
    let Some((situation, log)) = readable(&mut unreadable, service, read)? else {
        return Ok(page::notice(503, "It cannot be shown", &unreadable.join(" ")));
    };
    // Only what is open, or was lately, has pages that may still be on their way.
    let outbox = if situation.incidents.is_empty() { Vec::new() } else { house.store.outbox(&service.id).await? };
    let scene = Scene { house, service, situation: &situation, outbox: &outbox, log: &log, hours: &hours };
    let beyond = Beyond(number(request, "after").unwrap_or(0));
    let shown = view(scene, &offers, beyond);
    let values = context! {
        title => service.id.as_str(), service => page::value(&shown),
        take => offers.path(Action::OnCall(service.id.clone())),
        pause => offers.path(Action::Queue(service.id.clone())),
    };
    Ok(page::whole(house, reader, &hours, 200, "service.html", values))
}

/// A service of the configuration; that of alerts which no service owns too.
pub(crate) fn find<'a>(house: &'a House, id: &str) -> Option<&'a Service> {
    let id: ServiceId = id.parse().ok()?;
    house.settings().service(&id).filter(|service| !house.settings().is_desk(&service.id))
}

fn number(request: &Request, name: &str) -> Option<usize> {
    request.query(name).into_iter().next()?.parse().ok()
}
