//! One-time schedules, asked of a fake of EventBridge Scheduler that behaves as documented.

use aws::House;
use aws::clients::{Aws, Http};
use aws::links::Action;
use aws::wake::Waker;
use house_tests::peer::Peer;
use house_tests::{Stage, time};
use serde_json::{Value, json};

/// A stage whose functions may make schedules.
async fn stage() -> (Stage, Peer) {
    let peer = Peer::start().await;
    let mut stage = Stage::new().await;
    let aws = Aws { scheduler_endpoint: Some(peer.address.clone()), ..Aws::local(String::new(), String::new()) };
    let waker = Waker {
        aws,
        http: Http::new(),
        group: "wakes".into(),
        target: "arn:aws:lambda:eu-west-1:000000000000:function:on-schedule".into(),
        role: "arn:aws:iam::000000000000:role/scheduler".into(),
    };
    stage.bundle.house = House { waker: Some(waker), ..stage.bundle.house.clone() };
    (stage, peer)
}

async fn declares(stage: &Stage, form: &str) -> u16 {
    let link = stage.link(Action::Queue("edxapp".parse().unwrap()), "olga");
    stage.post(&link, Vec::new(), form.as_bytes()).await.status
}

#[tokio::test]
async fn what_is_declared_for_later_is_scheduled_by_a_name_of_its_own_and_deleted_once_it_fired() {
    let (stage, peer) = stage().await;
    assert_eq!(declares(&stage, "do=maintain&for=30&why=x&from=2026-03-20T18:00Z").await, 200);
    let asked = peer.received();
    let lines: Vec<&str> = asked.iter().map(|r| r.line.as_str()).collect();
    assert_eq!(
        lines,
        ["POST /schedules/edxapp-20260320T180000Z HTTP/1.1", "POST /schedules/edxapp-20260320T183000Z HTTP/1.1"]
    );
    assert!(asked[0].header("authorization").contains("/eu-west-1/scheduler/aws4_request"));
    let body: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(
        body,
        json!({
            "GroupName": "wakes",
            "ScheduleExpression": "at(2026-03-20T18:00:00)",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": "arn:aws:lambda:eu-west-1:000000000000:function:on-schedule",
                "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
                "Input": r#"{"wake":"edxapp"}"#,
                "RetryPolicy": { "MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600 },
            },
        })
    );
    // What begins now has its end scheduled only.
    assert_eq!(declares(&stage, "do=maintain&for=10&why=y").await, 200);
    assert_eq!(peer.received().len(), 1);
}

#[tokio::test]
async fn a_schedule_that_is_there_or_cannot_be_made_changes_nothing() {
    for (status, said) in
        [(409, r#"{"Message":"Schedule edxapp-20260320T180000Z already exists."}"#), (500, ""), (403, "{}")]
    {
        let (mut stage, peer) = stage().await;
        peer.always_answers("POST", status, said);
        assert_eq!(declares(&stage, "do=maintain&for=30&why=x&from=2026-03-20T18:00Z").await, 200, "{status}");
        stage.at("Fri 18:00").await.alert("edxapp", "Fri 18:00", false).await;
        assert!(stage.heard().is_empty(), "{status}: the stored times decide");
        stage.at("Fri 18:31").await;
        assert_eq!(stage.heard().len(), 1, "{status}: the tick comes");
        assert!(stage.clock.now() > time("Fri 18:30"));
    }
}
