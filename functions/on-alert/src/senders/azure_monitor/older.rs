//! The schemas before the common one: metric alerts (both kinds), log alerts, and events of the activity log. None has
//! an alert's id: what they are about is told by the rule and the resource.
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/alerts/alerts-non-common-schema-definitions>

use aws::{Malformed, Reading, given};
use domain::{Alert, AlertState, text};
use serde_json::Value;

use super::{Health, SOURCE, condition, is_test, resource, severity};
use crate::senders;
use crate::senders::labels::Said;

pub fn read(message: &Value) -> Result<Reading<Alert>, Malformed> {
    let data = message.get("data").filter(|data| data.is_object()).unwrap_or(message);
    let reading = if let Some(event) = data.pointer("/context/activityLog") {
        activity(data, event)
    } else if given::any(data, &["/AlertRuleName"]).is_some() {
        log(data)
    } else if data.get("operation").is_some() {
        Ok(Reading::ignored("an autoscale notification, not an alert"))
    } else if data.get("status").is_some() && data.get("context").is_some_and(Value::is_object) {
        metric(data)
    } else if data.get("BudgetName").is_some() || data.get("Budget").is_some() {
        Ok(Reading::ignored("a budget, not an alert"))
    } else {
        Ok(Reading::ignored("not an alert of Azure Monitor"))
    };
    let reading = reading?;
    if let Reading::Event(alert) = &reading
        && is_test(&alert.fingerprint, Some(&alert.name))
    {
        return Ok(Reading::ignored("the test of an action group: the connection works"));
    }
    Ok(reading)
}

fn is_over(status: Option<&str>) -> bool {
    status.is_some_and(|status| ["deactivated", "resolved"].contains(&status.to_lowercase().as_str()))
}

/// A metric alert: `AzureMonitorMetricAlert`, and the classic one.
fn metric(data: &Value) -> Result<Reading<Alert>, Malformed> {
    let context = data.get("context").unwrap_or(&Value::Null);
    let name = given::any(context, &["/name"]);
    let rule = given::any(context, &["/id"]).or_else(|| name.clone());
    let rule = rule.ok_or_else(|| Malformed::new("`context` has neither the `id` nor the `name` of a rule"))?;
    let target = given::any(context, &["/resourceId"]).unwrap_or_default();
    let over = is_over(given::any(data, &["/status"]).as_deref());
    let at = given::time(context, "/timestamp");
    let mut labels = Said::default();
    labels.members(data.get("properties"));
    labels.pairs(context.pointer("/condition/allOf/0/dimensions"), "name", "value");
    resource(&mut labels, &target);
    for (name, place) in [
        ("resource", "/resourceName"),
        ("resource_group", "/resourceGroupName"),
        ("subscription", "/subscriptionId"),
        ("rule", "/name"),
    ] {
        labels.add(name, given::any(context, &[place]).as_deref());
    }
    let measured = || condition(context.get("condition"));
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: senders::identity(&format!("{rule} {target}{}", group(context)).to_lowercase()),
        name: text::line(&name.unwrap_or_else(|| "alert".to_owned()), 200),
        summary: text::line(&given::any(context, &["/description"]).unwrap_or_else(measured), 300),
        severity: severity(given::any(context, &["/severity"]).as_deref()),
        state: if over { AlertState::Resolved } else { AlertState::Firing },
        started_at: at.filter(|_| !over),
        ended_at: at.filter(|_| over),
        acknowledged: None,
        released_at: None,
        lasts: None,
        group: None,
        detail: None,
        labels: labels.labels(),
        url: given::any(context, &["/portalLink"]).as_deref().and_then(text::url),
    }))
}

/// Which time series of a resource it is about.
fn group(context: &Value) -> String {
    let dimensions = context.pointer("/condition/allOf/0/dimensions").and_then(Value::as_array);
    let dimensions = dimensions.into_iter().flatten().take(20);
    let pairs = dimensions.filter_map(|d| Some((given::any(d, &["/name"])?, given::any(d, &["/value"])?)));
    pairs.map(|(name, value)| format!(" {name}={value}")).collect()
}

/// A log alert. It never says that it is over.
fn log(data: &Value) -> Result<Reading<Alert>, Malformed> {
    let name = given::any(data, &["/AlertRuleName"]).unwrap_or_default();
    let subscription = given::any(data, &["/SubscriptionId"]).unwrap_or_default();
    let mut labels = Said::default();
    labels.members(data.get("customProperties"));
    labels.add("subscription", Some(&subscription));
    labels.add("rule", Some(&name));
    resource(&mut labels, &given::any(data, &["/AffectedConfigurationItems", "/ResourceId"]).unwrap_or_default());
    let links = ["/LinkToFilteredSearchResultsUI", "/LinkToSearchResults"];
    let count = || given::any(data, &["/ResultCount"]).map_or(String::new(), |n| format!("{n} results"));
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: senders::identity(&format!("{subscription}/log/{name}").to_lowercase()),
        summary: text::line(&given::any(data, &["/Description"]).unwrap_or_else(count), 300),
        name: text::line(&name, 200),
        severity: severity(given::any(data, &["/Severity"]).as_deref()),
        state: AlertState::Firing,
        started_at: given::time(data, "/SearchIntervalEndtimeUtc")
            .or_else(|| given::time(data, "/SearchIntervalEndTimeUtc")),
        ended_at: None,
        acknowledged: None,
        released_at: None,
        lasts: Some(super::super::UNENDED),
        group: None,
        detail: None,
        labels: labels.labels(),
        url: links.iter().find_map(|place| text::url(&given::any(data, &[place])?)),
    }))
}

/// An event of the activity log: what somebody did, or the health of Azure or of a resource.
fn activity(data: &Value, event: &Value) -> Result<Reading<Alert>, Malformed> {
    let health = Health::of(event, None);
    let operation = given::any(event, &["/properties/title", "/operationName"]);
    let target = given::any(event, &["/resourceId"]).unwrap_or_default();
    let identity = match &health {
        Some(health) => health.identity.clone(),
        None => given::any(event, &["/eventDataId", "/correlationId"])
            .ok_or_else(|| Malformed::new("`activityLog` has neither `eventDataId` nor `correlationId`"))?,
    };
    // What somebody did is over when it is done; the health of something is told when it changes.
    let is_deed = health.is_none();
    let over = health.is_some_and(|health| health.is_over);
    let at = given::time(event, "/eventTimestamp").or_else(|| given::time(event, "/submissionTimestamp"));
    let mut labels = Said::default();
    labels.members(data.get("properties"));
    resource(&mut labels, &target);
    for (name, place) in [
        ("resource_group", "/resourceGroupName"),
        ("subscription", "/subscriptionId"),
        ("event_source", "/eventSource"),
        ("azure_service", "/properties/service"),
        ("region", "/properties/region"),
    ] {
        labels.add(name, given::any(event, &[place]).as_deref());
    }
    let summary = ["/description", "/properties/cause", "/properties/statusMessage", "/status"];
    Ok(Reading::Event(Alert {
        source: SOURCE.to_owned(),
        fingerprint: senders::identity(&identity.to_lowercase()),
        name: text::line(&operation.unwrap_or_else(|| "activity".to_owned()), 200),
        summary: text::line(&given::any(event, &summary).unwrap_or_default(), 300),
        severity: super::level(given::any(event, &["/level"]).as_deref()),
        state: if over { AlertState::Resolved } else { AlertState::Firing },
        started_at: at.filter(|_| !over),
        ended_at: at.filter(|_| over),
        acknowledged: None,
        released_at: None,
        lasts: is_deed.then_some(super::super::UNENDED),
        group: None,
        detail: None,
        labels: labels.labels(),
        url: None,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::senders::azure_monitor::tests::said;

    #[test]
    fn a_metric_alert_is_activated_and_deactivated() {
        let one = |status: &str| {
            json!({"schemaId": "AzureMonitorMetricAlert", "data": {"version": "2.0", "status": status, "properties": {"service": "edxapp"},
                "context": {"timestamp": "2026-02-02T02:40:00.0000000Z", "id": "/Rules/cpu", "name": "cpu", "description": "hot", "severity": "3",
                    "condition": {"allOf": [{"dimensions": [{"name": "ApiName", "value": "GetBlob"}]}]},
                    "resourceId": "/subscriptions/a/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/s",
                    "portalLink": "https://portal.azure.com/#resource/a"}}})
        };
        let on = said(&one("Activated"));
        let id = "/rules/cpu /subscriptions/a/resourcegroups/g/providers/microsoft.storage/storageaccounts/s apiname=getblob";
        assert_eq!((&on["fingerprint"], &on["state"], &on["severity"]), (&json!(id), &json!("firing"), &json!("info")));
        assert_eq!((&on["labels"]["service"], &on["labels"]["resource"]), (&json!("edxapp"), &json!("s")));
        let off = said(&one("Deactivated"));
        assert_eq!((&off["fingerprint"], &off["state"]), (&json!(id), &json!("resolved")));
        assert_eq!(off["ended_at"], "2026-02-02T02:40:00Z");
        let classic =
            json!({"status": "Resolved", "context": {"id": "/r", "name": "cpu", "timestamp": "2026-02-02T02:40:00Z"}});
        assert_eq!(said(&classic)["state"], "resolved");
    }

    #[test]
    fn logs_and_activities_are_read() {
        let log = json!({"schemaId": "Microsoft.Insights/LogAlert", "data": {"SubscriptionId": "s", "AlertRuleName": "Errors", "Severity": "Warning",
            "ResultCount": 2, "LinkToSearchResults": "https://portal.azure.com/#x"}});
        let alert = said(&log);
        assert_eq!(
            (&alert["fingerprint"], &alert["severity"], &alert["summary"]),
            (&json!("s/log/errors"), &json!("warning"), &json!("2 results"))
        );
        let health = |status: &str| {
            json!({"data": {"status": "Activated", "context": {"activityLog": {"level": "Critical", "status": "Active", "resourceId": "/R/1",
                "eventTimestamp": "2026-02-02T02:40:00Z", "properties": {"currentHealthStatus": status}}}}})
        };
        let (on, off) = (said(&health("Unavailable")), said(&health("Available")));
        assert_eq!((&on["fingerprint"], &on["state"]), (&json!("resource-health//r/1"), &json!("firing")));
        assert_eq!((&off["fingerprint"], &off["state"]), (&json!("resource-health//r/1"), &json!("resolved")));
        assert!(said(&json!({"data": {"context": {"activityLog": {}}}}))["malformed"].is_string());
    }

    #[test]
    fn what_is_no_alert_is_said_to_be_none() {
        for (message, why) in [
            (
                json!({"operation": "Scale Out", "status": "Activated", "context": {"name": "x"}}),
                "an autoscale notification, not an alert",
            ),
            (json!({"schemaId": "AIP Budget Notification", "data": {"BudgetName": "x"}}), "a budget, not an alert"),
            (json!({"a": 1}), "not an alert of Azure Monitor"),
        ] {
            assert_eq!(said(&message), why);
        }
    }
}
