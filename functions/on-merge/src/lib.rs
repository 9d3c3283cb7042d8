//! A forge says a change was merged.

mod pulls;
pub mod senders;

use aws::sender::{self, Reading, Verified};
use aws::settings::{Configuration, SenderConfig};
use aws::store::{self, MergeOutcome, Queued};
use aws::{House, Refusal, Request, Response, StoreError};
use domain::on_merge::errands::{self, Errand};
use domain::on_merge::{self, Merge, MergeDecision, MergeEvent, Way};
use domain::{ChangeId, Reason, Repository, ServiceId};
use jiff::Timestamp;
use serde_json::json;

/// The secrets that it asks for: by which forges prove themselves.
#[must_use]
pub fn secrets(configuration: &Configuration) -> Vec<String> {
    configuration.sender_secrets(senders::SENDERS)
}

/// `POST /merge/{sender}`
pub async fn handle(house: &House, request: Request) -> Response {
    receive(house, &request).await.unwrap_or_else(Response::from)
}

async fn receive(house: &House, request: &Request) -> Result<Response, Refusal> {
    let Verified { sender, config, .. } = sender::verify(house, senders::SENDERS, request).await?;
    let events = match (sender.parse)(&request.body)? {
        Reading::Event(events) => events,
        Reading::Ignored(why) => return Ok(Response::ignored(&why)),
    };
    if events.iter().any(|event| !config.speaks_for_repository(event.repository())) {
        return Err(Refusal::Forbidden(
            "this secret does not speak for this repository: see `repositories` of its source",
        ));
    }
    // A push may move several branches, and what is merged is no longer open. A failure half-way is answered with 503; what is
    // kept already says nothing new.
    let mut answer = Response::ignored("the message has no events");
    for (i, event) in events.into_iter().enumerate() {
        let kept = keep(house, event, config).await?;
        if i == 0 || (answer.is_ignored() && !kept.is_ignored()) {
            answer = kept;
        }
    }
    Ok(answer)
}

/// Load, decide, commit: again where somebody else was faster.
async fn keep(house: &House, event: MergeEvent, config: &SenderConfig) -> Result<Response, Refusal> {
    let now = house.now();
    for attempt in 0..store::MOST_TRIES {
        let way = load(house, &event).await?;
        let decision = on_merge::decide(event.clone(), &way, house.settings(), now);
        let decision = match decision {
            MergeDecision::Keep(merge) => MergeDecision::Keep(within(config, merge)?),
            other @ (MergeDecision::NoteEnqueue(_)
            | MergeDecision::NoteApproval(_)
            | MergeDecision::Ask(..)
            | MergeDecision::Pull(..)
            | MergeDecision::Nothing(_)) => other,
        };
        match commit(house, decision, &way, config, now).await {
            Err(Refusal::Unavailable(StoreError::Conflict)) => store::pause(attempt, now).await,
            result => return result,
        }
    }
    Err(StoreError::Conflict.into())
}

/// The merge, in the services that its source speaks for.
fn within(config: &SenderConfig, mut merge: Box<Merge>) -> Result<Box<Merge>, Refusal> {
    merge.windows.retain(|(service, ..)| config.speaks_for(service));
    if merge.windows.is_empty() {
        return Err(Refusal::Forbidden("this secret does not speak for this service: see `services` of its source"));
    }
    Ok(merge)
}

/// Who put a pull request into the queue, and who approved it, was told before.
async fn load(house: &House, event: &MergeEvent) -> Result<Way, StoreError> {
    match on_merge::wants_way(event, house.settings()) {
        Some((repository, number)) => Ok(house.store.queued(repository, number).await?.way),
        None => Ok(Way::default()),
    }
}

async fn commit(
    house: &House,
    decision: MergeDecision,
    way: &Way,
    config: &SenderConfig,
    now: Timestamp,
) -> Result<Response, Refusal> {
    match decision {
        MergeDecision::Nothing(reason) => Ok(Response::ignored(&reason.to_string())),
        MergeDecision::Keep(merge) => {
            let awaits = merge.awaits().map(|number| (number, way));
            Ok(keep_merge(house, &merge, awaits, now).await?)
        }
        MergeDecision::NoteEnqueue(enqueued) => {
            let queued = house.store.note_enqueued(&enqueued, now).await?;
            let noted = Response::decided(&Reason::EnqueueNoted, &json!({ "by": enqueued.by }));
            Ok(credit_late(house, &enqueued.repository, queued, noted, now).await?)
        }
        MergeDecision::NoteApproval(approved) => {
            let queued = house.store.note_approved(&approved, now).await?;
            let noted = Response::decided(&Reason::ApprovalNoted, &json!({ "by": approved.by }));
            Ok(credit_late(house, &approved.repository, queued, noted, now).await?)
        }
        MergeDecision::Ask(service, errand) => ask(house, &service, &errand, now).await,
        // On the heap: what is rare does not make every merge larger.
        MergeDecision::Pull(repository, event) => Box::pin(pulls::keep(house, &repository, &event, config)).await,
    }
}

/// Kept in one service, whose clock rings: `on-schedule` asks the forge.
async fn ask(house: &House, service: &ServiceId, errand: &Errand, now: Timestamp) -> Result<Response, Refusal> {
    if !house.configuration.knows_forge_of(&errand.repository) {
        return Ok(Response::ignored(&Reason::NoForgeToAsk.to_string()));
    }
    let (_, reason) = house.store.decide(service, now, |situation| errands::noted(errand, situation, now)).await?;
    let reason = reason.ok_or(Refusal::NotNow("too many merges are waiting for their forge, please send it again"))?;
    (house.nudge)(service);
    Ok(Response::decided(&reason, &json!({ "service": service, "change": errand.label() })))
}

async fn keep_merge(
    house: &House,
    merge: &Merge,
    awaits: Option<(u64, &Way)>,
    now: Timestamp,
) -> Result<Response, StoreError> {
    let outcome = house.store.keep_merge(merge, awaits, now).await?;
    let windows: Vec<_> = merge
        .windows
        .iter()
        .map(|(service, responder, entry)| json!({ "service": service, "responder": responder, "why": entry.reason.to_string() }))
        .collect();
    let details = json!({ "change": merge.change.id.to_string(), "windows": windows });
    if outcome == MergeOutcome::Known {
        return Ok(Response::decided(&Reason::AlreadyKnown, &details));
    }
    for (service, responder, entry) in &merge.windows {
        tracing::info!(
            service.name = %service,
            change.id = %merge.change.id,
            person = %responder,
            reason = entry.reason.name(),
            "{}: {}", entry.what, entry.reason
        );
        (house.nudge)(service);
    }
    Ok(Response::decided(&Reason::MergedOnStandby, &details))
}

/// The merge may have come before the news of who had enqueued or approved it: then its responder is corrected.
async fn credit_late(
    house: &House,
    repository: &Repository,
    queued: Queued,
    noted: Response,
    now: Timestamp,
) -> Result<Response, StoreError> {
    let Some(commit) = queued.merged else { return Ok(noted) };
    let id = ChangeId { repository: repository.clone(), commit };
    let Some(change) = house.store.change(&id).await? else { return Ok(noted) };
    match on_merge::decide(MergeEvent::Merged(Box::new(change)), &queued.way, house.settings(), now) {
        MergeDecision::Keep(merge) => keep_merge(house, &merge, None, now).await,
        MergeDecision::NoteEnqueue(_)
        | MergeDecision::NoteApproval(_)
        | MergeDecision::Ask(..)
        | MergeDecision::Pull(..)
        | MergeDecision::Nothing(_) => Ok(noted),
    }
}
