//! CloudWatch's embedded metric format: one JSON line a fact that was counted, printed raw, out of which CloudWatch Logs makes metrics.
//! By its specification
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>). The only
//! dimension is the service: each combination of dimensions costs as a metric of its own.
//!
//! The time of a point is when it was counted: CloudWatch shows points that are older than a day late. At most once, unlike the
//! roll-ups: whoever dies between the transaction and the print has counted and not said so.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::ServiceId;
use domain::measures::{Ended, Fact, Outcome, Released};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of our metrics.
pub const NAMESPACE: &str = "RecentDeployers";
/// A target member holds at most so many values.
const MOST_VALUES: usize = 100;

static PRINTS: AtomicBool = AtomicBool::new(false);

/// From now on facts are printed: standard output is a log of CloudWatch's.
pub fn begin() {
    PRINTS.store(true, Ordering::Relaxed);
}

/// Prints what was counted, where that is wanted.
pub fn print(service: &ServiceId, facts: &[Fact], now: Timestamp) {
    if !PRINTS.load(Ordering::Relaxed) {
        return;
    }
    let mut out = io::stdout().lock();
    for fact in facts {
        // A log that cannot be written is no reason to stop.
        let _ = writeln!(out, "{}", line(service, fact, now));
    }
    let _ = out.flush();
}

/// A metric: its name, its unit as CloudWatch has it, its value or values.
type Metric = (&'static str, &'static str, Value);

/// The document of one fact.
#[must_use]
pub fn line(service: &ServiceId, fact: &Fact, now: Timestamp) -> String {
    let metrics = metrics(fact);
    let directives: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let mut document = Map::new();
    document.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [["Service"]], "Metrics": directives }],
        }),
    );
    document.insert("Service".to_owned(), json!(service.as_str()));
    document.insert("happened_at".to_owned(), json!(fact.at().to_string()));
    document.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
    Value::Object(document).to_string()
}

fn metrics(fact: &Fact) -> Vec<Metric> {
    let one = |name| (name, "Count", json!(1));
    match fact {
        Fact::Incident(ended) => incident(ended),
        Fact::Released(released) => release(released),
        Fact::Failed { recovery, .. } => {
            let took = recovery.map(|took| ("FailedDeploymentRecoveryTime", "Seconds", json!(took)));
            std::iter::once(one("FailedDeployments")).chain(took).collect()
        }
        Fact::Stalled { .. } => vec![one("StalledDeployments")],
        Fact::Thawed { lasted, .. } => vec![one("Freezes"), ("FreezeTime", "Seconds", json!(lasted))],
        Fact::Expedite { outcome, .. } => match outcome {
            Outcome::Granted => vec![one("ExpeditesAsked"), one("ExpeditesGranted")],
            Outcome::Refused => vec![one("ExpeditesAsked"), one("ExpeditesRefused")],
            Outcome::Neither => vec![one("ExpeditesAsked")],
        },
    }
}

fn incident(ended: &Ended) -> Vec<Metric> {
    let mut all = vec![
        ("Incidents", "Count", json!(1)),
        ("TimeToDetect", "Seconds", json!(ended.detect)),
        ("TimeToResolve", "Seconds", json!(ended.resolve)),
        ("Pages", "Count", json!(ended.pages)),
        ("WrongPages", "Count", json!(ended.people.iter().map(|person| person.wrong).sum::<u32>())),
    ];
    all.extend(ended.acknowledge.map(|took| ("TimeToAcknowledge", "Seconds", json!(took))));
    all.extend(ended.mitigate.map(|took| ("TimeToMitigate", "Seconds", json!(took))));
    if ended.pages > 0 {
        all.push(("RotationPagesAvoided", "Count", json!(u32::from(!ended.rotation))));
    }
    if let Some(place) = ended.place {
        // Its average is the hit rate.
        all.push(("SuspectsHitAt3", "Count", json!(u32::from(place.is_some_and(|place| place <= 3)))));
    }
    all
}

fn release(released: &Released) -> Vec<Metric> {
    let mut all = vec![("Deployments", "Count", json!(1))];
    if let Some(oldest) = released.leads.iter().max() {
        let leads = released.leads.get(..MOST_VALUES).unwrap_or(&released.leads);
        all.push(("ChangeLeadTime", "Seconds", json!(leads)));
        all.push(("ReleaseSize", "Count", json!(released.leads.len())));
        all.push(("QueueAge", "Seconds", json!(oldest)));
    }
    all
}

#[cfg(test)]
mod tests {
    use domain::measures::OfPerson;
    use expect_test::expect;

    use super::*;

    #[test]
    fn each_document_names_the_metrics_that_it_holds() {
        let (service, now) = ("edxapp".parse().unwrap(), "2026-11-27T09:00:00Z".parse().unwrap());
        let at = "2026-11-26T08:00:00Z".parse().unwrap();
        let ended = Ended {
            at,
            detect: 120,
            acknowledge: Some(60),
            mitigate: None,
            resolve: 2400,
            place: Some(Some(4)),
            none_of_ours: false,
            pages: 3,
            off_hours: 1,
            rotation: true,
            people: vec![OfPerson { mark: "m".into(), wrong: 1 }],
        };
        let facts = [
            Fact::Incident(Box::new(ended)),
            Fact::Released(Released { at, leads: vec![60; 500], rework: false }),
            Fact::Failed { at, recovery: None },
        ];
        for fact in &facts {
            let document: Value = serde_json::from_str(&line(&service, fact, now)).unwrap();
            let directive = &document["_aws"]["CloudWatchMetrics"][0];
            for metric in directive["Metrics"].as_array().unwrap() {
                let value = &document[metric["Name"].as_str().unwrap()];
                let several = value.as_array().is_some_and(|values| values.len() <= MOST_VALUES);
                assert!(value.is_number() || several, "{metric} {value}");
            }
            assert!(document["Service"].is_string());
        }
        expect![[r#"{"FailedDeployments":1,"Service":"edxapp","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Service"]],"Metrics":[{"Name":"FailedDeployments","Unit":"Count"}],"Namespace":"RecentDeployers"}],"Timestamp":1795770000000},"happened_at":"2026-11-26T08:00:00Z"}"#]]
        .assert_eq(&line(&service, &facts[2], now));
        let first = line(&service, &facts[0], now);
        assert!(first.contains("\"SuspectsHitAt3\":0") && first.contains("\"RotationPagesAvoided\":0"), "{first}");
    }
}
