//! Datadog: its webhooks integration. The body is a template of the user's: the guide has the one to paste; others are
//! read where they name the same variables, by names such as `ALERT_ID`, `alertId` or `monitor_id`.
//! <https://docs.datadoghq.com/integrations/webhooks/>

use std::collections::BTreeMap;

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use serde_json::Value;

use super::detail;
use super::labels::{Said, parts};
pub const SENDER: Sender<AlertEvent> = Sender {
    name: "datadog",
    proofs: &[Proof::Token],
    parse: read,
    guide: Guide {
        title: "Datadog",
        steps: &[
            "Integrations > Webhooks > New: name recent-deployers, URL {url}, Encode as form off.",
            "Custom Headers: {\"Authorization\": \"Bearer {secret}\"}",
            "Payload: {\"alert_id\": \"$ALERT_ID\", \"transition\": \"$ALERT_TRANSITION\", \"alert_type\": \"$ALERT_TYPE\", \"scope\": \"$ALERT_SCOPE\", \"aggregation_key\": \"$AGGREG_KEY\", \"alert_cycle_key\": \"$ALERT_CYCLE_KEY\", \"title\": \"$EVENT_TITLE\", \"message\": \"$TEXT_ONLY_MSG\", \"priority\": \"$ALERT_PRIORITY\", \"tags\": \"$TAGS\", \"hostname\": \"$HOSTNAME\", \"metric\": \"$ALERT_METRIC\", \"date\": \"$DATE\", \"link\": \"$LINK\"}",
            "Name @webhook-recent-deployers in the message of each monitor, outside of {{#is_alert}}, so that recoveries come too.",
        ],
        reads: "Triggered, Warn, No Data, their repetitions, and Recovered; each group of a monitor by itself; also the default payload and monitors as the API has them",
        ignores: "test notifications, muted monitors, events of no monitor",
        docs: "https://docs.datadoghq.com/integrations/webhooks/",
    },
};

const SOURCE: &str = "datadog";

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    let one = std::slice::from_ref(&message);
    let items = message.as_array().map_or(one, Vec::as_slice);
    let (mut alerts, mut ignored) = (Vec::new(), None);
    for item in items {
        match alert(item)? {
            Reading::Event(alert) => alerts.push(alert),
            Reading::Ignored(why) => ignored = Some(why),
        }
    }
    if alerts.is_empty() {
        return Ok(Reading::Ignored(ignored.unwrap_or_else(|| "the message has no alerts".to_owned())));
    }
    let of = alerts.len();
    Ok(Reading::Event(super::bounded(alerts, of)))
}

/// The fields of a message by their bare names: `ALERT_ID`, `alertId` and `alert: {id}` are all `alertid`.
struct Fields(BTreeMap<String, Value>);

impl Fields {
    fn of(message: &Value) -> Self {
        let bare = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let mut fields = BTreeMap::new();
        for (name, value) in message.as_object().into_iter().flatten().take(200) {
            for (inner, value) in value.as_object().into_iter().flatten().take(50) {
                fields.entry(bare(&format!("{name}{inner}"))).or_insert_with(|| value.clone());
            }
            fields.insert(bare(name), value.clone());
        }
        Self(fields)
    }

    fn value(&self, names: &[&str]) -> Option<&Value> {
        names.iter().filter_map(|name| self.0.get(*name)).find(|value| given::made(value).is_some())
    }

    /// A variable that Datadog does not know stays in the text as it is.
    fn word(&self, names: &[&str]) -> Option<String> {
        names.iter().filter_map(|name| given::made(self.0.get(*name)?)).find(|word| !word.starts_with('$'))
    }
}

/// What a monitor's state, or a transition to it, says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Fires { again: bool, warns: bool },
    Over,
    Silent,
}

impl Standing {
    fn of(word: &str) -> Option<Self> {
        let bare: String = word.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
        let known = bare.strip_prefix("re").filter(|rest| matches!(*rest, "triggered" | "warn" | "nodata"));
        let again = known.is_some();
        Some(match known.unwrap_or(&bare) {
            "triggered" | "alert" | "alerting" | "nodata" | "error" => Self::Fires { again, warns: false },
            "warn" | "warning" => Self::Fires { again, warns: true },
            "renotify" | "renotified" => Self::Fires { again: true, warns: false },
            "recovered" | "ok" | "resolved" | "success" => Self::Over,
            "ignored" | "skipped" | "muted" => Self::Silent,
            _ => return None,
        })
    }
}

/// What Datadog puts before the name of a monitor: `[P2] [Triggered on {host:a}] Disk is full`.
#[derive(Default)]
struct Title {
    standing: Option<Standing>,
    scope: Option<String>,
    priority: Option<String>,
    is_test: bool,
    name: String,
}

impl Title {
    fn of(title: &str) -> Self {
        let mut read = Self::default();
        let mut rest = title.trim();
        while let Some((inner, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let (word, scope) = inner.split_once(" on ").unwrap_or((inner, ""));
            if inner.eq_ignore_ascii_case("test") {
                read.is_test = true;
            } else if level(inner).is_some() {
                read.priority = Some(inner.to_owned());
            } else if let (Some(standing), None) = (Standing::of(word), read.standing) {
                read.standing = Some(standing);
                let scope = scope.trim().trim_start_matches('{').trim_end_matches('}');
                read.scope = Some(scope.to_owned()).filter(|scope| !scope.is_empty());
            } else {
                break;
            }
            rest = after.trim_start();
        }
        rest.clone_into(&mut read.name);
        read
    }
}

/// A monitor's priority: `P1` to `P5`, or the number alone.
fn level(word: &str) -> Option<Severity> {
    match word.trim_start_matches(['P', 'p']) {
        "1" | "2" => Some(Severity::Critical),
        "3" => Some(Severity::Warning),
        "4" | "5" => Some(Severity::Info),
        _ => None,
    }
}

/// By the monitor's priority; events have one too, `normal` or `low`, which says nothing.
fn severity(fields: &Fields, title: &Title) -> Severity {
    let priority = fields.word(&["alertpriority", "monitorpriority", "priority"]);
    let priority = [priority, fields.word(&["severity"]), title.priority.clone()];
    let said = priority.into_iter().flatten().find_map(|word| level(&word));
    said.unwrap_or_else(|| match (fields.word(&["severity"]), fields.word(&["alerttype"])) {
        (Some(word), _) => Severity::from_label(Some(&word)),
        (None, Some(kind)) if kind == "info" => Severity::Info,
        (None, _) => Severity::Critical,
    })
}

fn alert(message: &Value) -> Result<Reading<Alert>, Malformed> {
    let fields = Fields::of(message);
    // As the API has it, a monitor's `id` is its own; in a webhook it is that of the event.
    let is_monitor = fields.0.contains_key("overallstate");
    let monitor = fields.word(&["alertid", "monitorid"]).or_else(|| fields.word(&["id"]).filter(|_| is_monitor));
    let title = fields.word(&["title", "eventtitle", "alerttitle", "name", "monitorname", "alertname"]);
    let title = Title::of(&title.unwrap_or_default());
    if title.is_test {
        return Ok(Reading::ignored("a test notification: the connection works"));
    }
    let kind = fields.word(&["alerttype"]).as_deref().and_then(Standing::of);
    let states = ["alerttransition", "transition", "overallstate", "alertstate", "monitorstate", "state", "status"];
    let told = states.iter().find_map(|name| Standing::of(&fields.word(&[name])?));
    let standing = match told.or(title.standing).or(kind) {
        Some(standing) => standing,
        None if monitor.is_some() => Standing::Fires { again: false, warns: false },
        None => return Ok(Reading::ignored("an event of no monitor: nothing fires")),
    };
    if standing == Standing::Silent {
        return Ok(Reading::ignored("a muted monitor: nothing fires"));
    }
    let fingerprint = fingerprint(&fields, monitor.as_deref(), &title)
        .ok_or_else(|| Malformed::new("neither the id of a monitor nor its name: send `alert_id`"))?;
    Ok(Reading::Event(build(&fields, standing, fingerprint, monitor.as_deref(), &title)))
}

/// The monitor and which of its groups: the same for each of its transitions.
fn fingerprint(fields: &Fields, monitor: Option<&str>, title: &Title) -> Option<String> {
    let scope = Some(scope(fields)).filter(|scope| !scope.is_empty());
    let group = scope
        .map(|scope| scope.join(","))
        .or_else(|| fields.word(&["aggregationkey", "aggregkey", "aggregate"]))
        .or_else(|| fields.word(&["alertcyclekey", "cyclekey"]))
        .or_else(|| title.scope.as_deref().map(sorted))
        .unwrap_or_default();
    match monitor {
        Some(monitor) => Some(super::identity(&format!("{monitor}/{group}"))),
        None if title.name.is_empty() && group.is_empty() => None,
        None => Some(super::identity(&format!("{}/{group}", title.name))),
    }
}

/// Which group of a monitor it is about, in any order the same.
fn scope(fields: &Fields) -> Vec<String> {
    let mut scope = parts(fields.value(&["alertscope", "scope", "scopes"]));
    scope.retain(|part| part != "*" && !part.starts_with('$'));
    scope.sort();
    scope
}

/// The parts of a group as a title has it, in an order of their own.
fn sorted(group: &str) -> String {
    let mut parts: Vec<&str> = group.split(',').map(str::trim).collect();
    parts.sort_unstable();
    parts.join(",")
}

fn build(fields: &Fields, standing: Standing, fingerprint: String, monitor: Option<&str>, title: &Title) -> Alert {
    let mut labels = Said::default();
    labels.tags(Some(&scope(fields).into()));
    labels.tags(title.scope.clone().map(serde_json::Value::from).as_ref());
    labels.tags(fields.value(&["tags", "alerttags", "eventtags", "monitortags"]));
    labels.add("monitor", Some(&title.name));
    labels.add("monitor_id", monitor);
    labels.add("host", fields.word(&["hostname", "host"]).as_deref());
    labels.add("metric", fields.word(&["alertmetric", "metric"]).as_deref());
    let message = ["textonlymsg", "message", "eventmsg", "body", "msg", "alertstatus", "description"];
    let at = ["date", "alertdate", "lastupdated", "updated", "overallstatemodified"];
    let at = at.iter().find_map(|name| given::moment(&fields.word(&[name])?));
    let (state, again, warns) = match standing {
        Standing::Fires { again, warns } => (AlertState::Firing, again, warns),
        Standing::Over | Standing::Silent => (AlertState::Resolved, false, false),
    };
    let severity = severity(fields, title);
    let name = if title.name.is_empty() { "monitor" } else { &title.name };
    Alert {
        source: SOURCE.to_owned(),
        fingerprint,
        name: text::line(name, 200),
        summary: text::line(&fields.word(&message).unwrap_or_default().replace("%%%", ""), 300),
        severity: if warns { severity.min(Severity::Warning) } else { severity },
        state,
        // A repetition tells when it was repeated, not since when it fires.
        started_at: at.filter(|_| state == AlertState::Firing && !again),
        ended_at: at.filter(|_| state == AlertState::Resolved),
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: detail(fields.word(&message).as_deref()),
        labels: labels.labels(),
        url: fields.word(&["link", "alerturl", "eventlink", "url"]).as_deref().and_then(text::url),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(message: &Value) -> Value {
        crate::senders::tests::said(read(message.to_string().as_bytes()))
    }

    /// The payload of the guide.
    fn pasted(transition: &str, scope: &str) -> Value {
        json!({"alert_id": "1234", "transition": transition, "alert_type": "error", "scope": scope,
            "aggregation_key": "9bd4", "alert_cycle_key": "77", "title": format!("[P2] [{transition} on {{host:a}}] Disk is full"),
            "message": "%%%\nfull\n%%%", "priority": "P2", "tags": "env:production,service:edxapp,monitor",
            "hostname": "a", "metric": "disk.used", "date": "1770000000000", "link": "https://app.datadoghq.com/event/1"})
    }

    #[test]
    fn the_pasted_payload_is_read() {
        let want = json!({"source": "datadog", "fingerprint": "1234/env:production,host:a", "name": "Disk is full", "summary": "full",
            "detail": "%%%\nfull\n%%%", "severity": "critical", "state": "firing", "started_at": "2026-02-02T02:40:00Z",
            "labels": {"env": "production", "service": "edxapp", "host": "a", "monitor": "Disk is full", "monitor_id": "1234",
                "metric": "disk.used"}, "url": "https://app.datadoghq.com/event/1"});
        assert_eq!(said(&pasted("Triggered", "host:a, env:production")), want);
        let over = said(&pasted("Recovered", "env:production,host:a"));
        assert_eq!((&over["state"], &over["fingerprint"]), (&json!("resolved"), &want["fingerprint"]));
        assert_eq!(over["ended_at"], "2026-02-02T02:40:00Z");
    }

    #[test]
    fn each_transition_is_known() {
        for (transition, state, severity, since) in [
            ("Re-Triggered", "firing", "critical", false),
            ("Renotify", "firing", "critical", false),
            ("Warn", "firing", "warning", true),
            ("Re-Warn", "firing", "warning", false),
            ("No Data", "firing", "critical", true),
            ("Re-No Data", "firing", "critical", false),
            ("Recovered", "resolved", "critical", false),
        ] {
            let alert = said(&pasted(transition, "*"));
            assert_eq!((&alert["state"], &alert["severity"]), (&json!(state), &json!(severity)), "{transition}");
            assert_eq!(alert["started_at"].is_string(), since, "{transition}");
            assert_eq!(alert["fingerprint"], "1234/9bd4");
        }
    }

    #[test]
    fn other_payloads_are_read_where_they_can_be() {
        let default = |title: &str| json!({"body": "x", "event_type": "metric_alert_monitor", "title": title, "id": "9", "date": "1770000000000"});
        let (on, off) = (said(&default("[Triggered on {host:a}] CPU")), said(&default("[Recovered on {host:a}] CPU")));
        assert_eq!((&on["fingerprint"], &on["state"]), (&json!("CPU/host:a"), &json!("firing")));
        assert_eq!((&off["fingerprint"], &off["state"]), (&json!("CPU/host:a"), &json!("resolved")));
        let monitor =
            said(&json!([{"id": 7, "name": "CPU", "overall_state": "OK", "tags": ["env:prod"], "priority": 4}]));
        assert_eq!(
            (&monitor["fingerprint"], &monitor["state"], &monitor["severity"]),
            (&json!("7/"), &json!("resolved"), &json!("info"))
        );
        assert_eq!(said(&json!({"ALERT_ID": 7, "ALERT_TRANSITION": "Triggered"}))["name"], "monitor");
        assert_eq!(said(&json!({"monitor_id": "7", "title": "CPU", "scopes": []}))["state"], "firing");
        assert_eq!(said(&json!({"title": "[TEST] [Triggered] CPU"})), "a test notification: the connection works");
        assert_eq!(said(&json!({"title": "Somebody commented", "id": 1})), "an event of no monitor: nothing fires");
        assert_eq!(
            said(&json!({"id": 7, "name": "CPU", "overall_state": "Ignored"})),
            "a muted monitor: nothing fires"
        );
        assert!(said(&json!({"transition": "Triggered"}))["malformed"].is_string());
        let nested = said(&json!({"alert": {"id": 7, "transition": "Recovered", "title": "[EU] [Recovered] CPU"}}));
        assert_eq!(
            (&nested["fingerprint"], &nested["state"], &nested["name"]),
            (&json!("7/"), &json!("resolved"), &json!("[EU] [Recovered] CPU"))
        );
    }

    #[test]
    fn without_a_priority_it_is_as_severe_as_it_says() {
        for (more, want) in [
            (json!({"severity": "warning"}), "warning"),
            (json!({"severity": "info", "alert_type": "error"}), "info"),
            (json!({"alert_type": "info"}), "info"),
            (json!({"alert_type": "error", "priority": "normal"}), "critical"),
            (json!({}), "critical"),
        ] {
            let mut message = json!({"alert_id": 7, "transition": "Triggered", "title": "CPU"});
            message.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            assert_eq!(said(&message)["severity"], want, "{more}");
        }
    }
}
