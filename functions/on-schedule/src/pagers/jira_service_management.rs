//! Jira Service Management's schedules, by id only. It gives an override an alias of its own and keeps none of ours
//! (<https://jira.atlassian.com/browse/JSDCLOUD-18644>), so those there are read first: it is known by its user and its
//! times. Two who write at the same moment may make two.
//! <https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v2/api-group-schedule-overrides/>
//!
//! Absent: the names and addresses of those on call, whom it tells by account id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::atlassian::{self, Schedule, is_about, is_done, name, read, time};
use super::{Account, Layer, NoAnswer, OnCall, Pager};

const PER_PAGE: usize = 50;
/// So many pages of overrides are read: those that run and those to come.
const MOST_PAGES: usize = 10;

/// An override that is ours.
struct Ours {
    alias: String,
    start: Value,
    /// Whether it ends when it should.
    ends: bool,
}

pub(super) async fn on_call(pager: &Pager<'_>, schedule: &str, at: Timestamp) -> Result<OnCall, NoAnswer> {
    let path = format!("/on-calls?flat=true&date={}", name(&time(at)));
    let answer = api(pager, schedule)?.get(&path).await?;
    let Some(answer) = answer.as_object() else { return Err(NoAnswer::NotRead) };
    let list = answer.get("onCallUsers").unwrap_or(&Value::Null);
    Ok(atlassian::people(list, |id| Account { id: Some(id.clone()), email: None, name: id }))
}

pub(super) async fn put(pager: &Pager<'_>, schedule: &str, layer: &Layer) -> Result<String, NoAnswer> {
    let api = api(pager, schedule)?;
    let responder = json!({ "type": "user", "id": layer.user });
    let wanted = |start: String| json!({ "responder": responder, "startDate": start, "endDate": time(layer.until) });
    let written = match find(&api, layer).await? {
        Some(ours) if ours.ends => return Ok(ours.alias),
        Some(ours) => {
            let wanted = wanted(api.start_again(&ours.start, layer));
            api.send("PUT", &format!("/overrides/{}", name(&ours.alias)), Some(&wanted)).await?
        }
        None => api.send("POST", "/overrides", Some(&wanted(api.start(layer)))).await?,
    };
    if !is_done(&written) {
        return Err(api.refusal(&written));
    }
    read(&written)?["alias"].as_str().map(str::to_owned).ok_or(NoAnswer::NotRead)
}

pub(super) async fn take_out(pager: &Pager<'_>, schedule: &str, id: &str, layer: &Layer) -> Result<(), NoAnswer> {
    let api = api(pager, schedule)?;
    let id = if id.is_empty() { find(&api, layer).await?.map(|ours| ours.alias) } else { Some(id.to_owned()) };
    let Some(id) = id else { return Ok(()) };
    api.delete(&format!("/overrides/{}", name(&id))).await
}

fn api<'a>(pager: &'a Pager<'a>, schedule: &str) -> Result<Schedule<'a>, NoAnswer> {
    let (from, cloud) = (pager.receiver.from.as_deref(), pager.receiver.cloud.as_deref());
    let account = format!("{}:{}", from.unwrap_or_default(), pager.secret()?.expose());
    let path = format!("/jsm/ops/api/{}/v1/schedules", name(cloud.unwrap_or_default()));
    Ok(Schedule::new(pager, &path, schedule, format!("Basic {}", STANDARD.encode(account))))
}

/// The override that is ours: of the same user and from the same time on, or one that runs until the same time. Another
/// one of the same user is somebody else's, and stays as it is.
async fn find(api: &Schedule<'_>, layer: &Layer) -> Result<Option<Ours>, NoAnswer> {
    for page in 0..MOST_PAGES {
        let answer = api.get(&format!("/overrides?size={PER_PAGE}&offset={}", page * PER_PAGE)).await?;
        let Some(listed) = answer["values"].as_array() else { return Err(NoAnswer::NotRead) };
        if let Some(ours) = listed.iter().find_map(|there| ours(api, there, layer)) {
            return Ok(Some(ours));
        }
        if listed.len() < PER_PAGE {
            return Ok(None);
        }
    }
    Err(NoAnswer::NotRead)
}

fn ours(api: &Schedule<'_>, there: &Value, layer: &Layer) -> Option<Ours> {
    let (start, alias) = (&there["startDate"], there["alias"].as_str()?);
    let ends = is_about(&there["endDate"], layer.until);
    let same = there["responder"]["id"] == layer.user.as_str();
    let begins = is_about(start, layer.from) || (ends && api.begins(start, layer));
    (same && begins).then(|| Ours { alias: alias.to_owned(), start: start.clone(), ends })
}
