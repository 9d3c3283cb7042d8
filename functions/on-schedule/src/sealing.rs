//! The audit log: once an hour, when everything else is done, what is over of each service's log is sealed. What fails is tried again
//! by the next tick; a chain that is broken is said loudly, and goes on from where it is.

use std::sync::atomic::Ordering;

use aws::store::people::Called;
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::audit::{Fault, sealed_until};
use domain::{Entry, Reason, ServiceId, Subject, text};

/// Seals what is over, of every service and desk; nothing is asked for where this process has done so.
pub async fn seal(house: &House) {
    let until = sealed_until(house.now()).as_second();
    if house.sealed_until.load(Ordering::Relaxed) >= until {
        return;
    }
    let settings = house.settings();
    let desks = settings.merge_desks().map(|(desk, _)| desk).chain([settings.freeze_desk()]);
    let mut called = Called::default();
    let mut done = true;
    for service in settings.services().chain(desks) {
        match house.store.seal(&service.id, &mut called, house.now()).await {
            Ok(sealing) => {
                done &= !sealing.more;
                say(house, &service.id, &sealing.faults).await;
            }
            // Another tick seals it at this moment.
            Err(StoreError::Conflict) => done = false,
            Err(error) => {
                done = false;
                tracing::error!(service.name = %service.id, cause = error_chain(&error), "the log was not sealed, tried again at the next tick");
            }
        }
    }
    if done {
        house.sealed_until.store(until, Ordering::Relaxed);
    }
}

/// What is not as it was sealed: in the function's log, by which people are alarmed, and in the service's.
async fn say(house: &House, service: &ServiceId, faults: &[Fault]) {
    const MOST: usize = 400;
    if faults.is_empty() {
        return;
    }
    let why: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let why = text::line(&why.join("; "), MOST);
    tracing::error!(event = "audit.broken", service.name = %service, why, "the audit log is not as it was sealed: see who can write to the table");
    let entry = Entry {
        at: house.now(),
        subject: Some(Subject::Service),
        person: None,
        what: "the audit log was changed".to_owned(),
        reason: Reason::AuditBroken { why },
    };
    if let Err(error) = house.store.append(service, &entry).await {
        tracing::warn!(service.name = %service, cause = error_chain(&error), "the log does not say so");
    }
}
