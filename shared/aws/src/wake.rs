//! One-time schedules of EventBridge Scheduler: they wake `on-schedule` for a service at a moment that is known long before,
//! such as the begin or the end of what was declared. What is due then is what the stored times say; a schedule that fires
//! late, twice or never changes nothing, and the tick is what it falls back to. Each is called after what it is for, so that
//! making it twice is making it once, and is deleted by AWS once it has fired.
//! <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>

use domain::ServiceId;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clients::{Aws, Http, HttpError};
use crate::signed::{Post, Unsignable};
use crate::verify::{hmac_sha256, to_hex};

const DEADLINE_SECONDS: u64 = 3;
/// The longest name of a schedule.
const MOST_NAME: usize = 64;

/// Why a schedule was not made.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    #[error("the request cannot be signed")]
    Unsignable(#[from] Unsignable),
    #[error("the scheduler cannot be reached")]
    Http(#[from] HttpError),
    #[error("the scheduler answered {status}: {why}")]
    Refused { status: u16, why: String },
}

/// Whom schedules wake, and by which role.
#[derive(Clone)]
pub struct Waker {
    pub aws: Aws,
    pub http: Http,
    /// The group that they are made in.
    pub group: String,
    /// The function, by its ARN.
    pub target: String,
    /// By which the scheduler invokes it.
    pub role: String,
}

impl Waker {
    /// What the environment of a function says, where it may make schedules.
    #[must_use]
    pub fn from_environment(aws: &Aws, http: &Http) -> Option<Self> {
        let told = |name: &str| std::env::var(format!("RECENT_DEPLOYERS_WAKE_{name}")).ok();
        let (group, target, role) = (told("GROUP")?, told("TARGET")?, told("ROLE")?);
        Some(Self { aws: aws.clone(), http: http.clone(), group, target, role })
    }

    /// Has `on-schedule` woken for this service at that moment, to the second that AWS is exact to: within a minute.
    pub async fn wake(&self, service: &ServiceId, at: Timestamp, now: Timestamp) -> Result<(), WakeError> {
        let body = self.schedule(service, at).to_string();
        let own = || format!("https://scheduler.{}.amazonaws.com", self.aws.region);
        let endpoint = self.aws.scheduler_endpoint.clone().unwrap_or_else(own);
        let url = format!("{}/schedules/{}", endpoint.trim_end_matches('/'), name(service, at));
        let headers = [("content-type", "application/json")];
        let post = Post { service: "scheduler", url: &url, headers: &headers, body: body.as_bytes() };
        let signed = post.sign(&self.aws, now)?;
        let signed: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.http.send("POST", &url, &signed, body.into_bytes(), DEADLINE_SECONDS).await?;
        match answer.status {
            // It is there already.
            200..300 | 409 => Ok(()),
            status => {
                let why = domain::text::line(&String::from_utf8_lossy(&answer.body), 200);
                Err(WakeError::Refused { status, why })
            }
        }
    }

    fn schedule(&self, service: &ServiceId, at: Timestamp) -> Value {
        json!({
            "GroupName": self.group,
            "ScheduleExpression": format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self.target,
                "RoleArn": self.role,
                "Input": json!({ "wake": service }).to_string(),
                "RetryPolicy": { "MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600 },
            },
        })
    }
}

/// `edxapp-20260320T180000Z`. A name that is too long, or has what the scheduler does not allow, is a digest.
#[must_use]
pub fn name(service: &ServiceId, at: Timestamp) -> String {
    let time = at.strftime("%Y%m%dT%H%M%SZ");
    let plain = service.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let name = format!("{service}-{time}");
    if plain && name.len() <= MOST_NAME {
        return name;
    }
    format!("{}-{time}", &to_hex(&hmac_sha256(b"schedule", &[service.as_str().as_bytes()]))[..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_moment_of_one_service_is_one_schedule_whatever_the_service_is_called() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let of = |service: &str, time: &str| name(&service.parse().unwrap(), at(time));
        assert_eq!(of("edxapp", "2026-03-20T18:00:00.4Z"), "edxapp-20260320T180000Z");
        let long = of(&"x".repeat(60), "2026-03-20T18:00:00Z");
        assert!(long.len() <= MOST_NAME && long.ends_with("-20260320T180000Z"), "{long}");
        assert_ne!(long, of(&"y".repeat(60), "2026-03-20T18:00:00Z"));
    }
}
