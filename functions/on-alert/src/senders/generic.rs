//! Any monitor that can send one flat JSON, such as a shell script with `curl`. The form is ours, and strict: what it
//! does not know is refused by name, so that a slip of the pen is seen when it is set up and not when it matters.

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::alert::MOST_DETAIL;
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::labels::{Labels, Said};
pub const SENDER: Sender<AlertEvent> = Sender {
    name: "generic",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Anything else, with `curl`",
        steps: &[
            "curl -fsS {url} -H 'Authorization: Bearer {secret}' -d '{\"service\": \"edxapp\", \"environment\": \"production\", \"name\": \"probe\", \"summary\": \"no answer on /heartbeat\", \"severity\": \"critical\"}'",
            "When it is over, the same with \"state\": \"resolved\".",
            "Needed: service, name. Optional: environment, summary, severity (critical, warning, info), state (firing, acknowledged, resolved), id (else service, environment and name), started_at, ended_at, url, labels, for (minutes until it is over by itself).",
            "Several at once: {\"alerts\": [...]}.",
        ],
        reads: "one alert, or a list of them under `alerts`",
        ignores: "an empty list",
        docs: "https://curl.se/docs/manpage.html",
    },
};

const SOURCE: &str = "generic";
const KNOWN: [&str; 13] = [
    "service",
    "environment",
    "name",
    "summary",
    "detail",
    "severity",
    "state",
    "id",
    "started_at",
    "ended_at",
    "url",
    "labels",
    "for",
];
/// A month, in minutes.
const LONGEST: i64 = 31 * 24 * 60;

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    let list = match message.as_object() {
        None => return Err(Malformed::new("expected an object, with one alert or with a list of them as `alerts`")),
        Some(object) if object.contains_key("alerts") => {
            if object.len() > 1 {
                return Err(Malformed::new("beside `alerts` there is another field: put it into each alert"));
            }
            let list = message.get("alerts").and_then(Value::as_array);
            list.ok_or_else(|| Malformed::new("`alerts` has to be a list"))?.as_slice()
        }
        Some(_) => std::slice::from_ref(&message),
    };
    if list.is_empty() {
        return Ok(Reading::ignored("the message has no alerts"));
    }
    let alerts = list.iter().enumerate().map(|(i, one)| {
        let fields = one.as_object().ok_or_else(|| Malformed::new("expected an object"));
        fields.and_then(alert).map_err(|why| Malformed::new(format!("alert {}: {why}", i + 1)))
    });
    let alerts = alerts.collect::<Result<Vec<Alert>, Malformed>>()?;
    Ok(Reading::Event(super::bounded(alerts, list.len())))
}

fn alert(fields: &Map<String, Value>) -> Result<Alert, Malformed> {
    if fields.keys().any(|name| !KNOWN.contains(&name.as_str())) {
        return Err(Malformed::new(format!("a field is unknown; known are `{}`", KNOWN.join("`, `"))));
    }
    let (service, name) = (needed(fields, "service")?, needed(fields, "name")?);
    let environment = word(fields, "environment", 100)?;
    let started_at = time(fields, "started_at")?;
    let ended_at = time(fields, "ended_at")?;
    let state = match word(fields, "state", 20)?.as_deref() {
        None | Some("firing") => AlertState::Firing,
        Some("acknowledged") => AlertState::Acknowledged,
        Some("resolved") => AlertState::Resolved,
        Some(_) => return Err(Malformed::new("`state` has to be `firing`, `acknowledged` or `resolved`")),
    };
    let own_id = || format!("{service}/{}/{name}", environment.as_deref().unwrap_or(""));
    let fingerprint = super::identity(&word(fields, "id", 2000)?.unwrap_or_else(own_id));
    let minutes = minutes(fields)?;
    Ok(Alert {
        source: SOURCE.to_owned(),
        fingerprint,
        summary: word(fields, "summary", 300)?.unwrap_or_default(),
        severity: Severity::from_label(word(fields, "severity", 20)?.as_deref()),
        state,
        started_at,
        ended_at: ended_at.filter(|_| state == AlertState::Resolved),
        acknowledged: None,
        released_at: None,
        lasts: minutes,
        group: None,
        detail: word(fields, "detail", MOST_DETAIL)?,
        labels: labels(fields, &service, environment.as_deref())?,
        url: link(fields)?,
        name,
    })
}

fn must(field: &str, be: &str) -> Malformed {
    Malformed::new(format!("`{field}` has to be {be}"))
}

/// A field that is absent, null or empty is not given.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()))
}

fn word(fields: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>, Malformed> {
    let Some(value) = field(fields, name) else { return Ok(None) };
    match value {
        Value::String(_) | Value::Number(_) => {
            let word = given::made(value).map(|word| text::line(&word, most)).filter(|word| !word.is_empty());
            Ok(word)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(must(name, "a text")),
    }
}

fn needed(fields: &Map<String, Value>, name: &str) -> Result<String, Malformed> {
    word(fields, name, 200)?.ok_or_else(|| Malformed::new(format!("`{name}` is missing")))
}

/// `date -Is` and `date +%s` both will do.
fn time(fields: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Malformed> {
    let Some(given) = word(fields, name, 50)? else { return Ok(None) };
    let at = given::moment(&given);
    at.map(Some).ok_or_else(|| must(name, "a time such as 2026-03-20T15:30:00Z, or the seconds since 1970"))
}

fn minutes(fields: &Map<String, Value>) -> Result<Option<SignedDuration>, Malformed> {
    let Some(given) = word(fields, "for", 20)? else { return Ok(None) };
    let minutes = given.parse::<i64>().ok().filter(|minutes| (1..=LONGEST).contains(minutes));
    minutes
        .map(|m| Some(SignedDuration::from_mins(m)))
        .ok_or_else(|| must("for", "a number of minutes, at most a month"))
}

fn link(fields: &Map<String, Value>) -> Result<Option<String>, Malformed> {
    let Some(given) = word(fields, "url", 600)? else { return Ok(None) };
    text::url(&given).map(Some).ok_or_else(|| must("url", "an address that begins with https://"))
}

fn labels(fields: &Map<String, Value>, service: &str, environment: Option<&str>) -> Result<Labels, Malformed> {
    let mut said = Said::default();
    said.add("service", Some(service));
    said.add("environment", environment);
    let labels = field(fields, "labels");
    if labels.is_some_and(|labels| !labels.is_object()) {
        return Err(must("labels", "an object of names and texts"));
    }
    said.members(labels);
    Ok(said.labels())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(message: &str) -> Value {
        match read(message.as_bytes()) {
            Ok(Reading::Event(event)) => json!(event.alerts),
            Ok(Reading::Ignored(why)) => json!(why),
            Err(why) => json!(why.to_string()),
        }
    }

    #[test]
    fn one_line_is_an_alert_and_its_end() {
        let want = json!([{"source": "generic", "fingerprint": "edxapp//probe", "name": "probe", "summary": "",
            "severity": "critical", "state": "firing", "labels": {"service": "edxapp"}}]);
        assert_eq!(said(r#"{"service":"edxapp","name":"probe"}"#), want);
        let over = said(r#"{"alerts":[{"service":"edxapp","name":"probe","state":"resolved","ended_at":1770000000}]}"#);
        assert_eq!(over[0]["fingerprint"], "edxapp//probe");
        assert_eq!(over[0]["ended_at"], "2026-02-02T02:40:00Z");
        let full = said(
            r#"{"service":"edxapp","environment":"stage","name":"probe","summary":"a\nb","severity":"warning","state":"acknowledged",
            "id":7,"started_at":"2026-02-02T02:40:00Z","ended_at":null,"url":"https://x.example.com","labels":{"team":"a","service":"b","n":1},"for":30}"#,
        );
        let want = json!([{"source": "generic", "fingerprint": "7", "name": "probe", "summary": "a b", "severity": "warning",
            "state": "acknowledged", "started_at": "2026-02-02T02:40:00Z", "lasts": "PT30M",
            "labels": {"service": "edxapp", "environment": "stage", "team": "a", "n": "1"}, "url": "https://x.example.com"}]);
        assert_eq!(full, want);
        assert_eq!(said(r#"{"service":"a","name":"b","for":5}"#)[0].get("lasts_until"), None);
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        let known = format!("alert 1: a field is unknown; known are `{}`", KNOWN.join("`, `"));
        for (message, why) in [
            (r#"{"service":"a","name":"b","sevrity":"low"}"#, known.as_str()),
            (r#"{"service":"a"}"#, "alert 1: `name` is missing"),
            (r#"{"service":" ","name":"b"}"#, "alert 1: `service` is missing"),
            (r#"{"service":["a"],"name":"b"}"#, "alert 1: `service` has to be a text"),
            (
                r#"{"service":"a","name":"b","state":"secret"}"#,
                "alert 1: `state` has to be `firing`, `acknowledged` or `resolved`",
            ),
            (r#"{"service":"a","name":"b","for":-1}"#, "alert 1: `for` has to be a number of minutes, at most a month"),
            (r#"{"service":"a","name":"b","labels":[]}"#, "alert 1: `labels` has to be an object of names and texts"),
            (
                r#"{"service":"a","name":"b","url":"javascript:x"}"#,
                "alert 1: `url` has to be an address that begins with https://",
            ),
            (r#"{"alerts":[{"service":"a","name":"b"},7]}"#, "alert 2: expected an object"),
            (r#"{"alerts":[],"service":"a"}"#, "beside `alerts` there is another field: put it into each alert"),
            (r#"{"alerts":7}"#, "`alerts` has to be a list"),
            ("[]", "expected an object, with one alert or with a list of them as `alerts`"),
            (r#"{"alerts":[]}"#, "the message has no alerts"),
        ] {
            assert_eq!(said(message), why, "{message}");
        }
    }
}
