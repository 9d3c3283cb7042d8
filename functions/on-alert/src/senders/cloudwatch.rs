//! Amazon CloudWatch alarms, in each form in which one arrives: an SNS message (to Lambda, over HTTPS, or
//! raw), an EventBridge event, and the alarm's own Lambda action.
//!
//! To Lambda they come by IAM's leave; over HTTP with a token, which SNS sends as the address's password.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>

use std::collections::BTreeMap;

use aws::given::{list, moment};
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, carrier};
use domain::on_alert::AlertEvent;
use domain::{Alert, AlertState, Severity, text};
use serde_json::Value;

pub const SENDER: Sender<AlertEvent> = Sender {
    name: "cloudwatch",
    proofs: &[Proof::Sns, Proof::Token],
    parse: read,
    guide: Guide {
        title: "CloudWatch",
        steps: &[
            "Put the ARN of the alarms' SNS topic into `topics` of this source.",
            "Subscribe {url} to the topic (protocol HTTPS, without raw message delivery); it confirms itself.",
            "Or, with raw message delivery: {url_with_secret}",
            "Or EventBridge: an API destination {url} whose connection has basic authorization, any user, password {secret}",
        ],
        reads: "`ALARM` and `OK` of metric and composite alarms, from SNS, EventBridge and an alarm's Lambda action",
        ignores: "`INSUFFICIENT_DATA`, other notifications",
        docs: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html",
    },
};

const SOURCE: &str = "cloudwatch";

fn read(body: &[u8]) -> Result<Reading<AlertEvent>, Malformed> {
    from_json(&parse(body)?)
}

/// Reads an event that Lambda was invoked with, or a body: what can be read of it.
pub fn from_json(event: &Value) -> Result<Reading<AlertEvent>, Malformed> {
    Ok(carrier::read(event, read_alarm)?.map(|carried| super::bounded(carried.events, carried.of)))
}

fn read_alarm(alarm: &Value) -> Result<Reading<Alert>, Malformed> {
    let word = |pointer: &str| alarm.pointer(pointer).and_then(Value::as_str);
    let state_change =
        word("/source") == Some("aws.cloudwatch") && alarm.get("detail").is_some_and(|d| d.get("state").is_some());
    let parts = if word("/AlarmName").is_some() {
        Parts {
            name: word("/AlarmName"),
            arn: word("/AlarmArn"),
            state: word("/NewStateValue"),
            reason: word("/AlarmDescription").filter(|d| !d.is_empty()).or(word("/NewStateReason")),
            at: word("/StateChangeTime"),
            account: word("/AWSAccountId"),
            region: word("/Region"),
            dimensions: sns_dimensions(alarm),
        }
    } else if state_change {
        let arn = word("/resources/0");
        Parts {
            arn,
            account: word("/account"),
            ..Parts::of(alarm, "/detail", "/detail/alarmName", "/detail/configuration")
        }
    } else if alarm.get("alarmData").is_some() {
        Parts {
            arn: word("/alarmArn"),
            account: word("/accountId"),
            ..Parts::of(alarm, "/alarmData", "/alarmData/alarmName", "/alarmData/configuration")
        }
    } else if word("/Type") == Some("SubscriptionConfirmation") {
        return Ok(Reading::ignored(
            "SNS asks to confirm a subscription: done when it comes over HTTPS with the token",
        ));
    } else {
        return Ok(Reading::ignored("not a CloudWatch alarm"));
    };
    parts.alert()
}

/// What the three forms have in common.
struct Parts<'a> {
    name: Option<&'a str>,
    arn: Option<&'a str>,
    state: Option<&'a str>,
    reason: Option<&'a str>,
    at: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    dimensions: BTreeMap<String, String>,
}

impl<'a> Parts<'a> {
    /// The form that EventBridge and the Lambda action share, below `root`.
    fn of(alarm: &'a Value, root: &str, name: &str, configuration: &str) -> Self {
        let word = |pointer: &str| alarm.pointer(pointer).and_then(Value::as_str);
        let reason = word(&format!("{configuration}/description")).filter(|d| !d.is_empty());
        Self {
            name: word(name),
            arn: None,
            state: word(&format!("{root}/state/value")),
            reason: reason.or(word(&format!("{root}/state/reason"))),
            at: word(&format!("{root}/state/timestamp")).or(word("/time")),
            account: None,
            region: word("/region"),
            dimensions: metric_dimensions(alarm.pointer(&format!("{configuration}/metrics"))),
        }
    }

    fn alert(self) -> Result<Reading<Alert>, Malformed> {
        let name = self.name.map(|n| text::line(n, 200)).filter(|n| !n.is_empty());
        let name = name.ok_or_else(|| Malformed::new("a CloudWatch alarm without a name"))?;
        let at = self.at.and_then(moment);
        let state = match self.state {
            Some("ALARM") => AlertState::Firing,
            Some("OK") => AlertState::Resolved,
            Some("INSUFFICIENT_DATA") => {
                return Ok(Reading::ignored("INSUFFICIENT_DATA: neither firing nor over"));
            }
            Some(_) | None => return Ok(Reading::ignored("the alarm has no state that we know")),
        };
        let mut labels = self.dimensions;
        for (label, value) in [("alarm", Some(name.as_str())), ("region", self.region), ("account", self.account)] {
            labels.extend(value.map(|value| (label.to_owned(), text::line(value, 200))));
        }
        let arn = self.arn.map(|arn| text::line(arn, 300)).filter(|arn| !arn.is_empty());
        let identity = arn.unwrap_or_else(|| text::line(&format!("{}/{name}", self.region.unwrap_or("")), 300));
        let fired = state == AlertState::Firing;
        Ok(Reading::Event(Alert {
            source: SOURCE.to_owned(),
            fingerprint: identity,
            summary: text::line(self.reason.unwrap_or(""), 300),
            severity: Severity::Critical,
            state,
            started_at: at.filter(|_| fired),
            ended_at: at.filter(|_| !fired),
            acknowledged: None,
            released_at: None,
            lasts: None,
            group: None,
            detail: None,
            url: console(&name, self.region),
            name,
            labels,
        }))
    }
}

/// `Trigger.Dimensions` of an SNS message: pairs of name and value.
fn sns_dimensions(alarm: &Value) -> BTreeMap<String, String> {
    // An alarm on several metrics has those of each.
    let metrics = list(alarm, "/Trigger/Metrics").flat_map(|metric| list(metric, "/MetricStat/Metric/Dimensions"));
    let listed = list(alarm, "/Trigger/Dimensions").chain(metrics).take(30);
    let pairs = listed.filter_map(|d| Some((d.get("name")?.as_str()?, d.get("value")?.as_str()?)));
    pairs.map(|(name, value)| (text::line(name, 100), text::line(value, 200))).collect()
}

/// The dimensions of every metric of an EventBridge event.
fn metric_dimensions(metrics: Option<&Value>) -> BTreeMap<String, String> {
    let metrics = metrics.and_then(Value::as_array).into_iter().flatten();
    let dimensions = metrics.filter_map(|m| m.pointer("/metricStat/metric/dimensions")?.as_object());
    let pairs = dimensions.flatten().take(30).filter_map(|(name, value)| Some((name, value.as_str()?)));
    pairs.map(|(name, value)| (text::line(name, 100), text::line(value, 200))).collect()
}

fn console(name: &str, region: Option<&str>) -> Option<String> {
    let region = region.filter(|r| r.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))?;
    let safe = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let known = region.contains('-') && safe;
    known.then(|| {
        format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}")
    })
}
