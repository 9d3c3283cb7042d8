//! `GET /audit`: the sealed log of a service, with whatever of it is not as it was sealed. For a token, for whoever owns the service, and
//! for this machine where nobody signs in.

use std::collections::BTreeMap;

use aws::session::MACHINE;
use aws::store::audit::Sealed;
use aws::store::people;
use aws::wire::HeaderFault;
use aws::{House, Malformed, Refusal, Request, keys};
use domain::audit::{self, Extent, Fault, Lately, Line, Pseudonym, Seal};
use domain::{PersonId, Service, ServiceId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::paging::Listed;
use super::parameters::Parameters;
use super::views::PersonView;
use crate::sign_in::{self, Reader};

/// How much of it is shown, where `from` is not said, and at most.
const USUAL: SignedDuration = SignedDuration::from_hours(24 * 7);
const MOST: SignedDuration = SignedDuration::from_hours(24 * 31);
/// An answer ends with the hour in which it has so many lines.
const MOST_LINES: usize = 4000;

#[derive(Serialize)]
struct SealView {
    number: u64,
    hour: Timestamp,
    part: u32,
    before: Option<Timestamp>,
    previous: String,
    anew: bool,
    digest: String,
    lines: Vec<LineView>,
}

/// The end of the whole chain, to be written down.
#[derive(Serialize)]
struct HeadView {
    number: u64,
    hour: Timestamp,
    digest: String,
}

#[derive(Serialize)]
struct LineView {
    at: Timestamp,
    subject: Option<String>,
    pseudonym: Option<String>,
    person: Option<PersonView>,
    reason: String,
    digest: String,
    late: bool,
}

pub(super) async fn show(house: &House, request: &Request) -> Result<Listed, Refusal> {
    let parameters = Parameters::read(request, &["service", "from", "until"])?;
    let asked = parameters.get("service").ok_or(Malformed::new("say which `service`"))?;
    let id: ServiceId = asked.parse().map_err(Malformed::from)?;
    let service =
        house.settings().service(&id).ok_or(Refusal::NotFound("no service of the configuration is called so"))?;
    may_read(house, request, service)?;
    let sealed_until = audit::sealed_until(house.now());
    let until = parameters.moment("until")?.map_or(sealed_until, |until| audit::hour_of(until).min(sealed_until));
    let from = parameters.moment("from")?.map_or(until - USUAL, audit::hour_of);
    if from > until || until.duration_since(from) > MOST {
        return Err(Malformed::new("`from` is before `until`, and at most 31 days before it").into());
    }
    let sealed = house.store.sealed(&id, from, until).await?;
    let mut faults = faults(house, service, &sealed, from, until).await?;
    let until = end(&sealed, until);
    let (people, unread) = house.store.everybody().await?;
    faults.extend(unread.iter().map(people::unreadable));
    let known: BTreeMap<&Pseudonym, &PersonId> = people.iter().map(|(person, called)| (called, person)).collect();
    let roster = &house.settings().roster;
    let line = |line: &Line| LineView {
        at: line.at,
        subject: line.subject.clone(),
        pseudonym: line.person.as_ref().map(ToString::to_string),
        person: line.person.as_ref().and_then(|called| known.get(called)).map(|person| PersonView::of(person, roster)),
        reason: line.reason.clone(),
        digest: line.digest.clone(),
        late: line.late,
    };
    let shown = sealed.seals.iter().map(|(seal, _)| seal).filter(|seal| seal.hour < until);
    let shown = shown.map(|seal| SealView {
        number: seal.number,
        hour: seal.hour,
        part: seal.part,
        before: seal.before,
        previous: seal.previous.clone(),
        anew: seal.anew,
        digest: seal.digest.clone(),
        lines: seal.lines.iter().map(line).collect(),
    });
    let next = sealed.seals.iter().any(|(seal, _)| seal.hour >= until).then_some(until);
    let head = sealed.head.as_ref();
    let head = head.map(|head| HeadView { number: head.number, hour: head.hour, digest: head.digest.clone() });
    Ok(Listed::whole(json!({
        "service": id, "from": from, "until": until, "next": next, "head": head,
        "seals": shown.collect::<Vec<_>>(), "faults": faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })))
}

/// A token was checked already.
fn may_read(house: &House, request: &Request, service: &Service) -> Result<(), Refusal> {
    if request.header("authorization") != Err(HeaderFault::Missing) {
        return Ok(());
    }
    let owners = &service.owners;
    match sign_in::reader(house, request)? {
        Ok(Reader::Unasked) => Ok(()),
        Ok(Reader::Guest(who)) if who == MACHINE => Ok(()),
        // Desks have no owners of their own.
        Ok(Reader::Person(person)) if owners.contains(&person) || house.settings().is_desk(&service.id) => Ok(()),
        Ok(Reader::Person(_) | Reader::Guest(_)) | Err(_) => {
            Err(Refusal::Forbidden("the audit log of a service is for its owners, and for programs with a token"))
        }
    }
}

/// Where the answer ends: after so many lines, with their hour.
fn end(sealed: &Sealed, until: Timestamp) -> Timestamp {
    let mut lines = 0;
    for (seal, _) in &sealed.seals {
        if lines >= MOST_LINES {
            return seal.hour.min(until);
        }
        lines += seal.lines.len();
    }
    until
}

/// What is not as it was sealed. The seal after the last that is shown is looked at too, which says what that was.
async fn faults(
    house: &House,
    service: &Service,
    sealed: &Sealed,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Fault>, Refusal> {
    let seals: Vec<Seal> = sealed.seals.iter().map(|(seal, _)| seal.clone()).collect();
    let kept_from = house.now() - keys::KEEP_AUDIT;
    // Of a head that cannot be read that is said, and nothing follows from it.
    let to_the_end = !sealed.no_head && sealed.head.as_ref().is_none_or(|head| head.hour < until);
    let extent = Extent { from: from.max(kept_from), to_the_end };
    let mut faults = sealed.faults.clone();
    faults.extend(audit::verify(&seals, sealed.head.as_ref(), extent));
    // What is about to expire may be gone in the log or not.
    let log_from = house.now() - keys::KEEP_LOG + SignedDuration::from_hours(48);
    // The head is in no chain: it does not say that what has a seal was before there were any.
    let began = sealed.head.iter().map(|head| head.began).chain(seals.first().map(|seal| seal.hour)).min();
    let log_from = from.max(log_from).max(began.unwrap_or(until));
    if log_from < until {
        let logged = house.store.logged(&service.id, &keys::instant(log_from), until, None).await?;
        // What came late is sealed later, perhaps behind what is read here.
        let late = audit::LATE_UNTIL + audit::LOOK_BACK * 2;
        let due = audit::sealed_until(house.now()) - late;
        let removals = house.store.removals(&service.id, &sealed.seals, due, house.now()).await?;
        let until = until - late;
        faults.extend(audit::compare(Lately {
            sealed: &sealed.seals,
            orphans: &sealed.orphans,
            logged: &logged,
            removals: &removals,
            from: log_from,
            until,
        }));
    }
    Ok(faults)
}
