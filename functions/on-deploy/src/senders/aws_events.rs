//! AWS: what CodePipeline, CodeDeploy and ECS tell, in each form in which it arrives: EventBridge's JSON (to Lambda or
//! an API destination), the same inside SNS, and the notifications of CodeStar and of CodeDeploy's own triggers.
//!
//! None of them names a commit where it tells of a deployment, or hardly ever; they name executions, deployments and
//! images, and other events tell what these stand for.
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events.html>

mod codedeploy;
mod codepipeline;
mod ecs;

use aws::given::plain;
use aws::wire::parse;
use aws::{Guide, Malformed, Proof, Reading, Sender, carrier, given};
use domain::{DeployEvent, Reference, text, times};
use jiff::Timestamp;
use serde_json::Value;

pub const SENDER: Sender<Vec<DeployEvent>> = Sender {
    name: "aws",
    proofs: &[Proof::Sns, Proof::Token],
    parse: read,
    guide: Guide {
        title: "AWS CodePipeline, CodeDeploy, ECS",
        steps: &[
            "In the account that is deployed to: EventBridge, Rules, Create rule, with the event pattern",
            r#"{"source": ["aws.codepipeline", "aws.codedeploy", "aws.ecs"], "detail-type": ["CodePipeline Stage Execution State Change", "CodePipeline Action Execution State Change", "CodeDeploy Deployment State-change Notification", "ECS Deployment State Change", "ECS Task State Change"]}"#,
            "Target: an SNS topic, whose ARN stands in `topics` of this source and to which {url} is subscribed (HTTPS, without raw message delivery).",
            "Or an API destination with {url} and a connection that authorizes with basic auth, any user, password {secret}.",
        ],
        reads: "executions, stages, deploy and source actions of pipelines; deployments of CodeDeploy and ECS; images of ECS tasks",
        ignores: "builds, approvals, instances, CodeDeploy's `READY`, ECS service actions",
        docs: "https://docs.aws.amazon.com/eventbridge/latest/ref/events.html",
    },
};

const SOURCE: &str = "aws";
/// SNS hands over one message at a time; nobody has reason to send more than these.
const MOST_EVENTS: usize = 100;

fn read(body: &[u8]) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    from_json(&parse(body)?)
}

/// Reads an event that Lambda was invoked with, or a body: what can be read of it.
pub fn from_json(event: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let reading = carrier::read(event, read_event)?;
    Ok(reading.map(|carried| carried.events.into_iter().flatten().take(MOST_EVENTS).collect()))
}

fn read_event(event: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let word = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let Some(kind) = word("/detail-type").or_else(|| word("/detailType")) else { return bare(event) };
    let why = match kind {
        "CodePipeline Pipeline Execution State Change" => return codepipeline::execution(&Event::of(event)?),
        "CodePipeline Stage Execution State Change" => return codepipeline::stage(&Event::of(event)?),
        "CodePipeline Action Execution State Change" => return codepipeline::action(&Event::of(event)?),
        "CodeDeploy Deployment State-change Notification" => return codedeploy::deployment(&Event::of(event)?),
        "ECS Deployment State Change" => return ecs::deployment(&Event::of(event)?),
        "ECS Task State Change" => return ecs::task(&Event::of(event)?),
        "CodeDeploy Instance State-change Notification" => "one instance: its deployment will tell",
        "ECS Service Action" => "an ECS service action: its deployment will tell",
        "CodeBuild Build State Change" | "CodeBuild Build Phase Change" => {
            "a build: it moves nothing, and does not say which commit it built"
        }
        "ECR Image Action" => "an image was pushed: nothing has moved yet",
        "AWS API Call via CloudTrail" => "an API call: what it starts will tell",
        _ => "not an event of CodePipeline, CodeDeploy or ECS",
    };
    Ok(Reading::ignored(why))
}

/// What does not come by EventBridge.
fn bare(event: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let has = |key: &str| event.get(key).is_some();
    if has("deploymentId") && has("eventTriggerName") && has("status") {
        return codedeploy::trigger(event);
    }
    let why = match event.get("Type").and_then(Value::as_str) {
        Some("SubscriptionConfirmation") => {
            "SNS asks to confirm a subscription: done when it comes over HTTPS with the token"
        }
        Some("UnsubscribeConfirmation") => "SNS says that a subscription has ended",
        _ if has("instanceId") && has("eventTriggerName") => "one instance: its deployment will tell",
        _ if has("CodePipeline.job") => "a job of an invoke action: its pipeline will tell",
        _ if has("LifecycleEventHookExecutionId") => "a lifecycle hook: its deployment will tell",
        _ => "not an event of CodePipeline, CodeDeploy or ECS",
    };
    Ok(Reading::ignored(why))
}

/// One event as EventBridge wraps it; CodeStar's notifications differ in a letter and have `additionalAttributes`.
struct Event<'a> {
    whole: &'a Value,
    detail: &'a Value,
    at: Option<Timestamp>,
    region: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn of(whole: &'a Value) -> Result<Self, Malformed> {
        let detail = whole.get("detail").filter(|detail| detail.is_object());
        let detail = detail.ok_or_else(|| Malformed::new("an AWS event without `detail`"))?;
        let region = whole.get("region").and_then(Value::as_str);
        Ok(Self { whole, detail, at: time(whole, "/time"), region })
    }

    /// A text of `detail`, as a line; empty is absent.
    fn word(&self, key: &str) -> Option<String> {
        self.detail.get(key).and_then(plain)
    }

    fn need(&self, key: &str) -> Result<String, Malformed> {
        self.word(key).ok_or_else(|| Malformed::new(format!("an AWS event without `detail.{key}`")))
    }

    /// A page of the console, if each part of its address is plain.
    fn console(&self, path: &[&str]) -> Option<String> {
        console(self.region?, path)
    }
}

fn console(region: &str, path: &[&str]) -> Option<String> {
    let plain =
        |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let all_plain = plain(&region) && region.contains('-') && path.iter().all(plain);
    let address = || format!("https://{region}.console.aws.amazon.com/{}?region={region}", path.join("/"));
    all_plain.then(address).as_deref().and_then(text::url)
}

fn reference(name: &str) -> Result<Reference, Malformed> {
    Ok(name.parse()?)
}

/// As everybody writes it; or as the triggers do, `Wed Nov 04 18:12:47 UTC 2026`.
fn time(of: &Value, pointer: &str) -> Option<Timestamp> {
    given::time(of, pointer).or_else(|| {
        let told = given::word(of, pointer)?.replace("UTC", "+0000");
        Timestamp::strptime("%a %b %d %H:%M:%S %z %Y", told).ok().filter(|at| times::plausible(*at))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::DeploymentEvent;
    use serde_json::json;

    /// EventBridge's form of an event.
    pub(super) fn event(kind: &str, resources: &[&str], detail: &Value) -> Value {
        json!({
            "version": "0", "id": "1", "detail-type": kind, "source": "aws.x", "account": "123456789012",
            "time": "2026-03-20T10:05:00Z", "region": "eu-west-1", "resources": resources, "detail": detail,
        })
    }

    /// The events that are read, or why there are none.
    pub(super) fn events(event: &Value) -> Result<Vec<DeployEvent>, String> {
        match from_json(event) {
            Ok(Reading::Event(events)) => Ok(events),
            Ok(Reading::Ignored(why)) => Err(why),
            Err(why) => Err(format!("malformed: {why}")),
        }
    }

    pub(super) fn moved(event: &Value) -> Result<DeploymentEvent, String> {
        match events(event)?.remove(0) {
            DeployEvent::Moved(event) => Ok(*event),
            DeployEvent::Waits(waiting) => Err(format!("{waiting:?}")),
            DeployEvent::StandsFor(told) => Err(format!("{} stands for something", told.reference)),
        }
    }

    #[test]
    fn an_event_is_read_in_whatever_carried_it() {
        let detail = json!({ "pipeline": "edxapp", "execution-id": "e-1", "stage": "prod", "state": "STARTED" });
        let plain = event("CodePipeline Stage Execution State Change", &[], &detail);
        let mut notification = plain.clone();
        let object = notification.as_object_mut().unwrap();
        let kind = object.remove("detail-type").unwrap();
        object.insert("detailType".to_owned(), kind);
        let want = events(&plain).unwrap();
        for carried in [
            notification,
            json!({ "Type": "Notification", "TopicArn": "x", "Message": plain.to_string() }),
            json!({ "Records": [{ "Sns": { "Type": "Notification", "Message": plain.to_string() } }] }),
            json!({ "Records": [{ "Sns": { "Message": "a note" } }, { "Sns": { "Message": plain.to_string() } }] }),
        ] {
            assert_eq!(events(&carried).as_ref(), Ok(&want), "{carried}");
        }
    }

    #[test]
    fn what_is_no_deployment_is_ignored() {
        let other = |kind: &str| event(kind, &[], &json!({ "state": "SUCCESS" }));
        for (event, want) in [
            (other("CodeDeploy Instance State-change Notification"), "one instance: its deployment will tell"),
            (
                other("CodeBuild Build State Change"),
                "a build: it moves nothing, and does not say which commit it built",
            ),
            (other("EC2 Instance State-change Notification"), "not an event of CodePipeline, CodeDeploy or ECS"),
            (json!({ "LifecycleEventHookExecutionId": "x" }), "a lifecycle hook: its deployment will tell"),
            (json!({ "CodePipeline.job": {} }), "a job of an invoke action: its pipeline will tell"),
            (json!({ "Type": "UnsubscribeConfirmation", "Message": "x" }), "SNS says that a subscription has ended"),
            (json!({ "Records": [] }), "the message carries no events"),
            (json!({ "detail-type": "ECS Task State Change" }), "malformed: an AWS event without `detail`"),
            (json!({ "detail-type": "CloudWatch Alarm" }), "not an event of CodePipeline, CodeDeploy or ECS"),
            (json!(7), "not an event of CodePipeline, CodeDeploy or ECS"),
        ] {
            assert_eq!(events(&event).unwrap_err(), want, "{event}");
        }
        assert!(
            events(&json!({ "Type": "SubscriptionConfirmation", "Message": "x" })).unwrap_err().starts_with("SNS asks")
        );
    }

    #[test]
    fn times_come_in_several_forms() {
        for given in [
            json!("2026-03-20T10:00:00Z"),
            json!("2026-03-20T10:00:00.000+0000"),
            json!("1774000800.000"),
            json!(1_774_000_800),
            json!("Fri Mar 20 10:00:00 UTC 2026"),
        ] {
            assert_eq!(time(&json!([given]), "/0"), Some("2026-03-20T10:00:00Z".parse().unwrap()), "{given}");
        }
        for given in [json!("soon"), json!(1e300), json!(-1), json!(null)] {
            assert_eq!(time(&json!([given]), "/0"), None, "{given}");
        }
    }
}
