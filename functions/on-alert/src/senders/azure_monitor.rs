//! Azure Monitor: an action group's webhook, in the common alert schema and in the schemas of metric, log and activity
//! log alerts that came before it.
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema>
//!
//! It cannot sign: the address carries the token.

mod older;

use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, given};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use serde_json::Value;

use super::labels::{Labels, Said};
pub const SENDER: Sender<AlertEvent> = Sender {
    name: "azure-monitor",
    proofs: &[Proof::Token, Proof::Query],
    parse: read,
    guide: Guide {
        title: "Azure Monitor",
        steps: &[
            "Monitor > Alerts > Action groups > Create > Actions: type Webhook, URI {url}?token={secret}, Enable the common alert schema: Yes.",
            "Use the action group in each alert rule, with Automatically resolve alerts on; put `service` and `environment` into its custom properties.",
        ],
        reads: "alerts that are Fired and Resolved, service and resource health, in the common schema and those before it",
        ignores: "the test of an action group, budgets, autoscale notifications",
        docs: "https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-common-schema",
    },
};

const SOURCE: &str = "azure-monitor";

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    let message: Value = parse(body)?;
    let reading = match message.pointer("/data/essentials") {
        Some(essentials) => common(&message, essentials)?,
        None => older::read(&message)?,
    };
    Ok(reading.map(|alert| super::bounded(vec![alert], 1)))
}

/// A message of the common alert schema.
fn common(message: &Value, essentials: &Value) -> Result<Reading<Alert>, Malformed> {
    let rule = given::any(essentials, &["/alertRule"]);
    let id = given::any(essentials, &["/alertId", "/originAlertId"]).or_else(|| rule.clone());
    let id = id.ok_or_else(|| Malformed::new("`essentials` has neither `alertId` nor `alertRule`"))?;
    if is_test(&id, rule.as_deref()) {
        return Ok(Reading::ignored("the test of an action group: the connection works"));
    }
    let context = message.pointer("/data/alertContext").unwrap_or(&Value::Null);
    let target = given::any(essentials, &["/alertTargetIDs"]);
    let health = Health::of(context, target.as_deref());
    // Deeds of the activity log and stateless log alerts never end.
    let log = given::any(essentials, &["/signalType"]).is_some_and(|signal| signal.eq_ignore_ascii_case("log"));
    let unended = health.is_none() && (is_activity(essentials) || log);
    let resolved = given::any(essentials, &["/monitorCondition"]).is_some_and(|c| c.eq_ignore_ascii_case("resolved"));
    let resolved = resolved || health.as_ref().is_some_and(|health| health.is_over);
    let severity = match given::any(context, &["/level"]).filter(|_| is_activity(essentials)) {
        // Alerts on the activity log are all Sev4: what happened has a level of its own.
        Some(at) => level(Some(&at)),
        None => severity(given::any(essentials, &["/severity"]).as_deref()),
    };
    let fired = given::time(essentials, "/firedDateTime");
    let ended = given::time(essentials, "/resolvedDateTime").or(fired.filter(|_| health.is_some()));
    let summary = given::any(essentials, &["/description"]).or_else(|| given::any(context, &SUMMARIES));
    let summary = summary.unwrap_or_else(|| condition(context.get("condition")));
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: super::identity(&health.map_or(id, |health| health.identity).to_lowercase()),
        name: text::line(&rule.unwrap_or_else(|| "alert".to_owned()), 200),
        summary: text::line(&summary, 300),
        severity,
        state: if resolved { AlertState::Resolved } else { AlertState::Firing },
        started_at: fired.filter(|_| !resolved || ended > fired),
        ended_at: ended.filter(|_| resolved),
        acknowledged: None,
        released_at: None,
        lasts: unended.then_some(super::UNENDED),
        group: None,
        detail: None,
        labels: common_labels(message, essentials, context, target.as_deref()),
        url: LINKS.iter().find_map(|place| text::url(&given::any(message, &[place])?)),
    }))
}

/// Where alerts that have no description say what is wrong.
const SUMMARIES: [&str; 5] = [
    "/annotations/summary",
    "/annotations/description",
    "/properties/title",
    "/Activity Log Event Description",
    "/properties/cause",
];
const LINKS: [&str; 5] = [
    "/data/essentials/investigationLink",
    "/data/alertContext/condition/allOf/0/linkToFilteredSearchResultsUI",
    "/data/alertContext/condition/allOf/0/linkToSearchResultsUI",
    "/data/alertContext/LinkToFilteredSearchResultsUI",
    "/data/alertContext/LinkToSearchResults",
];

fn common_labels(message: &Value, essentials: &Value, context: &Value, target: Option<&str>) -> Labels {
    let mut labels = Said::default();
    labels.members(message.pointer("/data/customProperties"));
    labels.members(context.get("labels"));
    labels.pairs(context.pointer("/condition/allOf/0/dimensions"), "name", "value");
    labels.pairs(context.get("dimensions"), "name", "value");
    resource(&mut labels, target.unwrap_or(""));
    for (name, value, place) in [
        ("rule", essentials, "/alertRule"),
        ("resource", essentials, "/configurationItems"),
        ("signal", essentials, "/signalType"),
        ("monitoring_service", essentials, "/monitoringService"),
        ("azure_service", context, "/properties/service"),
        ("region", context, "/properties/region"),
    ] {
        labels.add(name, given::any(value, &[place]).as_deref());
    }
    labels.labels()
}

/// `/subscriptions/<id>/resourceGroups/<name>/providers/<kind>/<type>/<name>`: what a resource's address says.
fn resource(labels: &mut Said, address: &str) {
    let parts: Vec<&str> = address.split('/').filter(|part| !part.is_empty()).take(30).collect();
    let after = |name: &str| {
        let at = parts.iter().position(|part| part.eq_ignore_ascii_case(name))?;
        parts.get(at + 1).copied()
    };
    labels.add("subscription", after("subscriptions"));
    labels.add("resource_group", after("resourceGroups"));
    let (Some(family), Some(name)) = (after("providers"), parts.last()) else { return };
    labels.add("resource", Some(name));
    let kind = after(family).unwrap_or("");
    labels.add("resource_type", Some(&format!("{family}/{kind}")));
    // What runs people's code is called as the service that it runs.
    if ["sites", "containerapps", "components"].iter().any(|app| kind.eq_ignore_ascii_case(app)) {
        labels.add("app", Some(name));
    }
}

/// What the test of an action group is about, whatever the schema.
fn is_test(id: &str, rule: Option<&str>) -> bool {
    let nobody = id.contains("/11111111-1111-1111-1111-111111111111/") || id.starts_with("11111111-1111-");
    nobody && rule.is_some_and(|rule| rule.to_lowercase().starts_with("test-"))
}

fn is_activity(essentials: &Value) -> bool {
    given::any(essentials, &["/signalType"]).is_some_and(|kind| kind.eq_ignore_ascii_case("activity log"))
}

/// `Sev0` to `Sev4`, the number alone, or the level of an event.
/// The level of what is in the activity log: a word, or its number from 1, critical, to 5, verbose.
fn level(word: Option<&str>) -> Severity {
    match word {
        Some("1" | "2") => Severity::Critical,
        Some("3") => Severity::Warning,
        Some("4" | "5") => Severity::Info,
        other => severity(other),
    }
}

fn severity(word: Option<&str>) -> Severity {
    match word.map(|word| word.trim_start_matches(|c: char| c.is_ascii_alphabetic())) {
        Some("0" | "1") => Severity::Critical,
        Some("2") => Severity::Warning,
        Some("3" | "4") => Severity::Info,
        Some(_) if word.is_some_and(|word| word.eq_ignore_ascii_case("verbose")) => Severity::Info,
        Some(_) | None => Severity::from_label(word),
    }
}

/// `cpu GreaterThan 80 (97.5)`: what was measured.
fn condition(condition: Option<&Value>) -> String {
    let Some(first) = condition.and_then(|c| c.pointer("/allOf/0").or(Some(c))) else { return String::new() };
    let part = |places: &[&str]| given::any(first, places).unwrap_or_default();
    let measured = given::any(first, &["/metricValue"]).map_or(String::new(), |value| format!("({value})"));
    let parts = [part(&["/metricName", "/metricMeasureColumn"]), part(&["/operator"]), part(&["/threshold"]), measured];
    let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    said.join(" ")
}

/// What Azure says about the health of itself or of a resource. Each word is an alert of its own that has just
/// `Fired`: what it is about, and whether it is over, stand in the event.
struct Health {
    identity: String,
    is_over: bool,
}

impl Health {
    fn of(event: &Value, target: Option<&str>) -> Option<Self> {
        let is = |place: &str, words: &[&str]| {
            given::any(event, &[place]).is_some_and(|word| words.iter().any(|known| word.eq_ignore_ascii_case(known)))
        };
        let resolved = is("/status", &["Resolved"]);
        if let Some(incident) = given::any(event, &["/properties/trackingId"]) {
            let over = ["Resolved", "Complete", "Canceled", "RCA"];
            let is_over = resolved || is("/properties/stage", &over);
            return Some(Self { identity: format!("service-health/{incident}"), is_over });
        }
        given::any(event, &["/properties/currentHealthStatus"])?;
        let own = given::any(event, &["/resourceId"]);
        let identity = format!("resource-health/{}", own.as_deref().or(target)?);
        Some(Self { identity, is_over: resolved || is("/properties/currentHealthStatus", &["Available"]) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub fn said(message: &Value) -> Value {
        crate::senders::tests::said(read(message.to_string().as_bytes()))
    }

    const ID: &str = "/subscriptions/aaaa/providers/Microsoft.AlertsManagement/alerts/B956";

    fn alert(condition: &str) -> Value {
        json!({"schemaId": "azureMonitorCommonAlertSchema", "data": {
            "essentials": {"alertId": ID, "alertRule": "CPU", "severity": "Sev2", "signalType": "Metric", "monitorCondition": condition,
                "alertTargetIDs": ["/subscriptions/aaaa/resourcegroups/shop/providers/microsoft.web/sites/edxapp"],
                "configurationItems": ["edxapp"], "firedDateTime": "2026-03-22T13:58:24.3713213Z",
                "resolvedDateTime": "2026-03-22T14:03:16.2246313Z", "description": ""},
            "alertContext": {"condition": {"allOf": [{"metricName": "cpu", "operator": "GreaterThan", "threshold": "80",
                "metricValue": 97.5, "dimensions": [{"name": "slot", "value": "blue"}]}]}},
            "customProperties": {"environment": "production"}}})
    }

    #[test]
    fn an_alert_fires_and_resolves() {
        let want = json!({"source": "azure-monitor", "fingerprint": ID.to_lowercase(), "name": "CPU", "summary": "cpu GreaterThan 80 (97.5)",
            "severity": "warning", "state": "firing", "started_at": "2026-03-22T13:58:24.3713213Z",
            "labels": {"environment": "production", "slot": "blue", "subscription": "aaaa", "resource_group": "shop", "resource": "edxapp",
                "resource_type": "microsoft.web/sites", "app": "edxapp", "rule": "CPU", "signal": "Metric"}});
        assert_eq!(said(&alert("Fired")), want);
        let over = said(&alert("Resolved"));
        assert_eq!((&over["state"], &over["fingerprint"]), (&json!("resolved"), &want["fingerprint"]));
        assert_eq!(over["ended_at"], "2026-03-22T14:03:16.2246313Z");
        let mut test = alert("Fired");
        test["data"]["essentials"]["alertId"] = json!("/subscriptions/11111111-1111-1111-1111-111111111111/x");
        test["data"]["essentials"]["alertRule"] = json!("test-metricAlertRule");
        assert_eq!(said(&test), "the test of an action group: the connection works");
        assert!(said(&json!({"data": {"essentials": {}}}))["malformed"].is_string());
    }

    #[test]
    fn severities_are_azures_own() {
        for (word, want) in [
            ("Sev0", Severity::Critical),
            ("Sev1", Severity::Critical),
            ("Sev2", Severity::Warning),
            ("Sev3", Severity::Info),
            ("4", Severity::Info),
            ("Verbose", Severity::Info),
            ("Informational", Severity::Info),
            ("Error", Severity::Critical),
            ("odd", Severity::Critical),
        ] {
            assert_eq!(severity(Some(word)), want, "{word}");
        }
        assert_eq!(severity(None), Severity::Critical);
    }

    #[test]
    fn health_that_is_over_resolves_what_fired_under_another_id() {
        let one = |id: &str, status: &str| {
            json!({"data": {"essentials": {"alertId": id, "alertRule": "health", "severity": "Sev4", "signalType": "Activity Log",
                "monitorCondition": "Fired", "firedDateTime": "2026-03-22T13:58:24Z", "monitoringService": "ServiceHealth"},
                "alertContext": {"level": "Error", "status": status, "properties": {"trackingId": "VS3-1", "title": "Storage", "service": "Storage"}}}})
        };
        let (on, off) = (said(&one("1", "Active")), said(&one("2", "Resolved")));
        assert_eq!(
            (&on["fingerprint"], &on["state"], &on["severity"]),
            (&json!("service-health/vs3-1"), &json!("firing"), &json!("critical"))
        );
        assert_eq!((&off["fingerprint"], &off["state"]), (&json!("service-health/vs3-1"), &json!("resolved")));
        assert_eq!(off["ended_at"], "2026-03-22T13:58:24Z");
    }
}
