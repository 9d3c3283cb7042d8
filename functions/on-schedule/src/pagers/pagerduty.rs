//! PagerDuty's schedules: who is on call, and overrides, which replace whom a layer-based schedule says; of several at a
//! time the one made last counts. An override has no name of ours: it is known by its user and its times.
//! <https://developer.pagerduty.com/api-reference/schedules>
//!
//! Absent: overrides of shift-based schedules (v3), which belong to a rotation and to whom they replace.

use aws::clients::Answer;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Account, Layer, NoAnswer, OnCall, Pager};
use crate::forges::api::encoded;

/// Who is on call. The list of those on call knows both kinds of schedules, but only those that an escalation policy
/// uses; of others the schedule itself is asked.
pub(super) async fn on_call(pager: &Pager<'_>, schedule: &str, at: Timestamp) -> Result<OnCall, NoAnswer> {
    let window = format!("since={}&until={}", stamp(at), stamp(at + SignedDuration::from_secs(1)));
    let id = encoded(schedule);
    let path = format!("/oncalls?schedule_ids%5B%5D={id}&include%5B%5D=users&limit=100&{window}");
    let answer = ask(pager, "GET", &path, None).await?;
    // What a schedule that it does not know is answered is not documented: the schedule itself tells.
    if ![200, 400, 404].contains(&answer.status) {
        return Err(NoAnswer::Status(answer.status));
    }
    if answer.status == 200 {
        let mut listed: Listed = read(&answer.body)?;
        listed.oncalls.sort_by_key(|turn| turn.escalation_level);
        let found = people(listed.oncalls, schedule, at);
        if !found.people.is_empty() {
            return Ok(found);
        }
    }
    let path = format!("/schedules/{id}?{window}&overflow=true");
    let answer = ask(pager, "GET", &path, None).await?;
    if answer.status != 200 {
        return Err(no_schedule(pager, schedule, &answer).await);
    }
    let Rendered { schedule: Final { final_schedule: Entries { rendered_schedule_entries: turns } } } =
        read(&answer.body)?;
    Ok(people(turns, schedule, at))
}

/// Writes an override, unless it is there.
pub(super) async fn put(pager: &Pager<'_>, schedule: &str, layer: &Layer) -> Result<String, NoAnswer> {
    if let Some(id) = find(pager, schedule, layer).await? {
        return Ok(id);
    }
    let from = layer.from.max(pager.house.now());
    let user = json!({ "id": layer.user, "type": "user_reference" });
    let wanted = json!({ "overrides": [{ "start": stamp(from), "end": stamp(layer.until), "user": user }] });
    let answer = ask(pager, "POST", &overrides(schedule), Some(&wanted)).await?;
    if !(200..300).contains(&answer.status) {
        if unknown_user(&fault(&answer.body)) {
            return Err(NoAnswer::UnknownUser);
        }
        return Err(no_schedule(pager, schedule, &answer).await);
    }
    made(pager, &read(&answer.body)?)
}

/// Takes an override out: one to come is deleted, one that runs ends now.
pub(super) async fn take_out(pager: &Pager<'_>, schedule: &str, id: &str, layer: &Layer) -> Result<(), NoAnswer> {
    let id = if id.is_empty() { find(pager, schedule, layer).await? } else { Some(id.to_owned()) };
    let Some(id) = id else { return Ok(()) };
    let answer = ask(pager, "DELETE", &format!("{}/{}", overrides(schedule), encoded(&id)), None).await?;
    match answer.status {
        200..300 => Ok(()),
        400 if fault(&answer.body).to_lowercase().contains("past") => Ok(()),
        // Whether it is the override that is gone, or the schedule that is of the other kind now.
        404 => {
            let why = no_schedule(pager, schedule, &answer).await;
            if matches!(why, NoAnswer::UnknownSchedule) { Ok(()) } else { Err(why) }
        }
        _ => Err(no_schedule(pager, schedule, &answer).await),
    }
}

/// The override that says what a layer says, if there is one. One that runs may have been made to start when it was
/// written.
async fn find(pager: &Pager<'_>, schedule: &str, layer: &Layer) -> Result<Option<String>, NoAnswer> {
    let window = format!("since={}&until={}&overflow=true", stamp(layer.from), stamp(layer.until));
    let answer = ask(pager, "GET", &format!("{}?{window}", overrides(schedule)), None).await?;
    if !(200..300).contains(&answer.status) {
        return Err(no_schedule(pager, schedule, &answer).await);
    }
    let listed: Overrides = read(&answer.body)?;
    let (now, from) = (pager.house.now(), layer.from.as_second());
    let same = |it: &Override| {
        let starts = it.start.as_second() == from || (it.start <= now && layer.from <= now);
        it.user.id.as_deref() == Some(layer.user.as_str()) && it.end.as_second() == layer.until.as_second() && starts
    };
    Ok(listed.overrides.into_iter().find(same).map(|it| it.id))
}

/// The id of the override that was made. The answer is a bare list or a named one, and may be a success that holds a
/// failure: each entry says of itself what became of it.
fn made(pager: &Pager<'_>, answer: &Value) -> Result<String, NoAnswer> {
    let entry = answer.get("overrides").unwrap_or(answer).get(0).ok_or(NoAnswer::NotRead)?;
    let status = entry.get("status").and_then(Value::as_u64).unwrap_or(201);
    if !(200..300).contains(&status) {
        let why = entry.get("errors").map(texts).unwrap_or_default();
        return Err(if unknown_user(&why) { NoAnswer::UnknownUser } else { pager.refused(&why) });
    }
    let id = entry.pointer("/override/id").or_else(|| entry.get("id")).and_then(Value::as_str);
    id.map(str::to_owned).ok_or(NoAnswer::NotRead)
}

/// Why a request about a schedule was turned down: it may be none, or one of the kind that these requests do not know.
async fn no_schedule(pager: &Pager<'_>, schedule: &str, answer: &Answer) -> NoAnswer {
    if ![400, 404].contains(&answer.status) {
        return NoAnswer::Status(answer.status);
    }
    match ask(pager, "GET", &format!("/v3/schedules/{}", encoded(schedule)), None).await {
        Ok(other) if other.status == 200 => return NoAnswer::ShiftBased,
        Ok(_) => {}
        Err(why) => return why,
    }
    if answer.status == 404 {
        return NoAnswer::UnknownSchedule;
    }
    let why = fault(&answer.body);
    if why.is_empty() { NoAnswer::Status(answer.status) } else { pager.refused(&why) }
}

async fn ask(pager: &Pager<'_>, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, NoAnswer> {
    let token = format!("Token token={}", pager.secret()?.expose());
    let headers = [("authorization", token.as_str()), ("accept", "application/vnd.pagerduty+json;version=2")];
    pager.ask(method, path, &headers, body).await
}

fn overrides(schedule: &str) -> String {
    format!("/schedules/{}/overrides", encoded(schedule))
}

/// A time to the second, as it stands in an address too.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, NoAnswer> {
    aws::wire::parse(body).map_err(|_| NoAnswer::NotRead)
}

/// What it says is wrong: its list of errors, where it has one, says more than its message.
fn fault(body: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = answer.get("error").unwrap_or(&Value::Null);
    let message = error.get("message").and_then(Value::as_str).unwrap_or("");
    let said = error.get("errors").map(texts).unwrap_or_default();
    if said.is_empty() { message.to_owned() } else { said }
}

fn texts(list: &Value) -> String {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
}

fn unknown_user(why: &str) -> bool {
    let why = why.to_lowercase();
    why.contains("user") && ["not found", "invalid", "not exist", "must exist"].iter().any(|word| why.contains(word))
}

/// Those who have a turn at a time, each once, and when the first of them goes.
fn people(turns: Vec<Turn>, schedule: &str, at: Timestamp) -> OnCall {
    let mut found = OnCall { people: Vec::new(), until: None };
    for turn in turns.into_iter().filter(|turn| turn.is_of(schedule) && turn.is_at(at)) {
        found.until = [found.until, turn.end].into_iter().flatten().min();
        let account = turn.user.account();
        if !found.people.contains(&account) {
            found.people.push(account);
        }
    }
    found
}

#[derive(Deserialize)]
struct Listed {
    oncalls: Vec<Turn>,
}

#[derive(Deserialize)]
struct Rendered {
    schedule: Final,
}

#[derive(Deserialize)]
struct Final {
    final_schedule: Entries,
}

#[derive(Deserialize)]
struct Entries {
    rendered_schedule_entries: Vec<Turn>,
}

/// A turn as both lists tell it. One without a start or an end has none.
#[derive(Deserialize)]
struct Turn {
    user: User,
    schedule: Option<Reference>,
    #[serde(default)]
    escalation_level: u64,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Turn {
    fn is_of(&self, schedule: &str) -> bool {
        self.schedule.as_ref().is_none_or(|own| own.id == schedule)
    }

    fn is_at(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

#[derive(Deserialize)]
struct User {
    id: Option<String>,
    name: Option<String>,
    summary: Option<String>,
    email: Option<String>,
}

impl User {
    fn account(self) -> Account {
        let name = self.name.or(self.summary).unwrap_or_default();
        let short = |text: String| domain::text::line(&text, 254);
        Account { id: self.id, email: self.email.map(short), name: short(name) }
    }
}

#[derive(Deserialize)]
struct Overrides {
    overrides: Vec<Override>,
}

#[derive(Deserialize)]
struct Override {
    id: String,
    user: User,
    start: Timestamp,
    end: Timestamp,
}
