//! CodeDeploy: deployments, from EventBridge and from the SNS triggers of a deployment group.
//!
//! Neither says whether traffic is shifted at once, in blue and green or a part at a time, so each is taken for a whole
//! one: that it failed is no alert by itself. Neither says what is deployed, either.
//! <https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html>

use aws::given::{plain, told};
use aws::{Malformed, Reading};
use domain::{DeployEvent, DeploymentEvent, DeploymentState, Manner, Revision, text};
use jiff::Timestamp;
use serde_json::Value;

use super::{Event, SOURCE, console, reference, time};

pub(super) fn deployment(event: &Event<'_>) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    Deployment {
        id: event.need("deploymentId")?,
        application: event.need("application")?,
        group: event.word("deploymentGroup"),
        state: event.need("state")?,
        at: event.at,
        created_at: None,
        note: None,
        region: event.region,
    }
    .moved()
}

/// A message of a trigger: flat, with other names.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html>
pub(super) fn trigger(message: &Value) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
    let need = |key: &str| {
        message
            .get(key)
            .and_then(plain)
            .ok_or_else(|| Malformed::new(format!("a CodeDeploy notification without `{key}`")))
    };
    let why = |key: &str, part: &str| {
        let told = message.get(key)?;
        // Some come as objects, some as texts of JSON.
        let told = told.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| told.clone());
        told.get(part).and_then(plain)
    };
    let (created_at, ended) = (time(message, "/createTime"), time(message, "/completeTime"));
    let state = need("status")?.to_uppercase();
    let over = matches!(state.as_str(), "SUCCEEDED" | "FAILED" | "STOPPED");
    Deployment {
        id: need("deploymentId")?,
        application: need("applicationName")?,
        group: told(message, "/deploymentGroupName"),
        at: if over { ended } else { created_at },
        state,
        created_at,
        note: why("errorInformation", "ErrorMessage").or_else(|| why("rollbackInformation", "RollbackMessage")),
        region: message.get("region").and_then(Value::as_str),
    }
    .moved()
}

/// What both forms tell.
struct Deployment<'a> {
    id: String,
    application: String,
    group: Option<String>,
    state: String,
    at: Option<Timestamp>,
    created_at: Option<Timestamp>,
    note: Option<String>,
    region: Option<&'a str>,
}

impl Deployment<'_> {
    fn moved(self) -> Result<Reading<Vec<DeployEvent>>, Malformed> {
        let state = match self.state.as_str() {
            "START" | "STARTED" | "INPROGRESS" | "IN_PROGRESS" | "BAKING" => DeploymentState::Started,
            "SUCCESS" | "SUCCEEDED" => DeploymentState::Succeeded,
            "FAILURE" | "FAILED" => DeploymentState::Failed,
            "STOP" | "STOPPED" => DeploymentState::Aborted,
            // The trigger for a start says that a deployment was created, and there is no later one.
            "CREATED" => DeploymentState::Started,
            "READY" => return Ok(Reading::ignored("READY: the new instances wait for their traffic")),
            "QUEUED" => return Ok(Reading::ignored("QUEUED: nothing has moved yet")),
            other => return Ok(Reading::ignored(format!("deployment {}: not a state we know", text::line(other, 40)))),
        };
        let both = self.group.as_ref().map(|group| format!("{}/{group}", self.application));
        let page = |region| console(region, &["codesuite", "codedeploy", "deployments", &self.id]);
        Ok(Reading::Event(vec![DeployEvent::Moved(Box::new(DeploymentEvent {
            recurs: false,
            source: SOURCE.to_owned(),
            repository: None,
            names: both.into_iter().chain([self.application]).chain(self.group.clone()).collect(),
            environments: self.group.into_iter().collect(),
            revision: Revision::Named(reference(&format!("codedeploy:{}", self.id))?),
            manner: Manner::Whole,
            state,
            at: self.at,
            created_at: self.created_at,
            note: self.note,
            url: self.region.and_then(page),
            id: self.id,
        }))]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{event, moved};
    use super::*;
    use serde_json::json;

    fn deployed(state: &str) -> Value {
        let detail =
            json!({ "application": "edxapp", "deploymentGroup": "prod", "deploymentId": "d-1", "state": state });
        event("CodeDeploy Deployment State-change Notification", &[], &detail)
    }

    fn triggered(status: &str) -> Value {
        json!({
            "region": "us-west-1", "eventTriggerName": "x", "applicationName": "edxapp", "deploymentId": "d-1",
            "deploymentGroupName": "prod", "createTime": "1774000800.595", "completeTime": "1774000860.402", "status": status,
            "errorInformation": { "ErrorCode": "IAM_ROLE_MISSING", "ErrorMessage": "no role" },
        })
    }

    #[test]
    fn a_deployment_is_told_by_an_event_or_by_a_trigger() {
        for (message, want) in [
            (deployed("START"), Ok(DeploymentState::Started)),
            (deployed("SUCCESS"), Ok(DeploymentState::Succeeded)),
            (deployed("FAILURE"), Ok(DeploymentState::Failed)),
            (deployed("STOP"), Ok(DeploymentState::Aborted)),
            (deployed("READY"), Err("READY: the new instances wait for their traffic")),
            (deployed("<b>"), Err("deployment <b>: not a state we know")),
            (triggered("CREATED"), Ok(DeploymentState::Started)),
            (triggered("Succeeded"), Ok(DeploymentState::Succeeded)),
            (triggered("FAILED"), Ok(DeploymentState::Failed)),
            (triggered("STOPPED"), Ok(DeploymentState::Aborted)),
        ] {
            let got = moved(&message);
            assert_eq!(got.as_ref().map(|event| event.state).map_err(String::as_str), want, "{message}");
            let Ok(event) = got else { continue };
            assert_eq!(event.names, ["edxapp/prod", "edxapp", "prod"]);
            assert_eq!((event.id.as_str(), event.environments), ("d-1", vec!["prod".to_owned()]));
            assert_eq!(event.revision, Revision::Named("codedeploy:d-1".parse().unwrap()));
            assert!(event.at.is_some());
        }
        let failed = moved(&triggered("FAILED")).unwrap();
        assert_eq!(failed.note.as_deref(), Some("no role"));
        assert_eq!(failed.at.unwrap().duration_since(failed.created_at.unwrap()).as_secs(), 59);
    }
}
