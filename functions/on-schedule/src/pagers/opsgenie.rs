//! Opsgenie's schedules, by id or name. An override has an alias of our choice, so that there is one of each however
//! often it is written.
//! <https://docs.opsgenie.com/docs/who-is-on-call-api>
//! <https://docs.opsgenie.com/docs/schedule-override-api>
//!
//! The key needs access to configurations; one of a team's integration reaches that team's schedules only. Whoever an
//! escalation names directly is paged all the same.

use domain::text;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::atlassian::{self, Schedule, is_about, is_done, name, read, time};
use super::{Account, Layer, NoAnswer, OnCall, Pager};

const MOST_ALIAS: usize = 100;

pub(super) async fn on_call(pager: &Pager<'_>, schedule: &str, at: Timestamp) -> Result<OnCall, NoAnswer> {
    let query = format!("{}&flat=true&date={}", kind(schedule), name(&time(at)));
    let answer = api(pager, schedule)?.get(&format!("/on-calls?{query}")).await?;
    let Some(data) = answer["data"].as_object() else { return Err(NoAnswer::NotRead) };
    let list = data.get("onCallRecipients").unwrap_or(&Value::Null);
    // Who is told flatly is told by user name, which is an address.
    Ok(atlassian::people(list, |user| Account { id: None, email: Some(user.clone()), name: user }))
}

pub(super) async fn put(pager: &Pager<'_>, schedule: &str, layer: &Layer) -> Result<String, NoAnswer> {
    let (api, alias, kind) = (api(pager, schedule)?, alias(layer), kind(schedule));
    let wanted = |start: String| json!({ "user": user(layer), "startDate": start, "endDate": time(layer.until) });
    let mut made = wanted(api.start(layer));
    made["alias"] = json!(alias);
    let refused = api.send("POST", &format!("/overrides?{kind}"), Some(&made)).await?;
    if is_done(&refused) {
        return Ok(alias);
    }
    if !matches!(refused.status, 409 | 422) {
        return Err(api.refusal(&refused));
    }
    // It may be there already.
    let path = format!("/overrides/{}?{kind}", name(&alias));
    let there = api.send("GET", &path, None).await?;
    if !is_done(&there) {
        return Err(api.refusal(if there.status == 404 { &refused } else { &there }));
    }
    let there = &read(&there)?["data"];
    if names(there, layer) && api.begins(&there["startDate"], layer) && is_about(&there["endDate"], layer.until) {
        return Ok(alias);
    }
    let written = api.send("PUT", &path, Some(&wanted(api.start_again(&there["startDate"], layer)))).await?;
    if is_done(&written) { Ok(alias) } else { Err(api.refusal(&written)) }
}

pub(super) async fn take_out(pager: &Pager<'_>, schedule: &str, id: &str, layer: &Layer) -> Result<(), NoAnswer> {
    let id = if id.is_empty() { alias(layer) } else { id.to_owned() };
    api(pager, schedule)?.delete(&format!("/overrides/{}?{}", name(&id), kind(schedule))).await
}

fn api<'a>(pager: &'a Pager<'a>, schedule: &str) -> Result<Schedule<'a>, NoAnswer> {
    Ok(Schedule::new(pager, "/v2/schedules", schedule, format!("GenieKey {}", pager.secret()?.expose())))
}

fn alias(layer: &Layer) -> String {
    text::handle(&layer.mark, MOST_ALIAS)
}

/// By what the schedule is named: an id is a UUID.
fn kind(schedule: &str) -> &'static str {
    let is_id = schedule.len() == 36 && schedule.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_id { "scheduleIdentifierType=id" } else { "scheduleIdentifierType=name" }
}

fn user(layer: &Layer) -> Value {
    let named = if layer.user.contains('@') { "username" } else { "id" };
    json!({ "type": "user", named: layer.user })
}

/// Whether an override is the user's, who is told by some of these.
fn names(there: &Value, layer: &Layer) -> bool {
    let mut names = ["username", "name", "id"].iter().filter_map(|key| there["user"][*key].as_str());
    names.any(|name| name.eq_ignore_ascii_case(&layer.user))
}
