//! Large and strange bodies, each handed to its function with the right proof: what is taken is in the table, what cannot be is
//! refused for a reason, and one poisoned record does not take the other 99 with it.

use aws::wire::MOST_BYTES;
use house_tests::peer::Peer;
use house_tests::{Stage, commit, time};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::outcome::{Outcome, Plan};
use crate::world::{self, Event, pages, request, services};

/// GitHub waits for so long, the shortest of those who send large bodies.
const DEADLINE: Duration = Duration::from_secs(10);

/// A body, where it is sent, and how it is to be answered.
struct Case {
    what: &'static str,
    path: &'static str,
    body: Vec<u8>,
    status: u16,
}

fn case(what: &'static str, path: &'static str, body: impl Into<Vec<u8>>, status: u16) -> Case {
    Case { what, path, body: body.into(), status }
}

pub fn run(plan: &Plan) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (alerts, commits) = (200, plan.either(2_000, 10_000));
    runtime.block_on(async move {
        let mut outcome = Outcome::default();
        refused(&mut outcome).await;
        group(&mut outcome, alerts).await;
        push(&mut outcome, commits).await;
        poisoned(&mut outcome).await;
        outcome.done = format!(
            "a group of {alerts} alerts; a push of {commits} commits; 4 MiB and a byte more; nesting 10,000 deep; duplicate keys; \
             lone surrogates; 1e999; a poisoned record among 100"
        );
        outcome
    })
}

async fn world() -> (Stage, Peer, String) {
    let services = services(1);
    let (stage, pager) = world::stage(&services).await;
    (stage, pager, services[0].clone())
}

/// Answers with this status, in time; and touches the table only if it takes it.
async fn answers(stage: &Stage, case: &Case, outcome: &mut Outcome) {
    outcome.runs += 1;
    let begun = Instant::now();
    let routed = stage.bundle.route(request(case.path, &case.body));
    let (response, cost) = stage.cost(routed).await;
    let took = begun.elapsed();
    outcome.must(response.status == case.status, || {
        format!("{} is answered with {}, not {}: {}", case.what, response.status, case.status, response.body)
    });
    outcome.must(took < DEADLINE, || format!("{} took {took:?}", case.what));
    let touched = cost != [0; 4];
    outcome.must(case.status == 200 || !touched, || format!("{} was refused, and cost {cost:?}", case.what));
    stage.bundle.quiesce().await;
}

async fn refused(outcome: &mut Outcome) {
    let (stage, _pager, service) = world().await;
    let now = time("Fri 12:00");
    let merge = Event::merge(&service, 1, "feanil", now).body;
    let alert = Event::alert(&service, "Slow", now, None).body;
    let within = |text: &str, deep: &str| text.replacen('{', &format!("{{\"deep\":{deep},"), 1);
    let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
    let filled = |size: usize| merge.clone() + &" ".repeat(size - merge.len());
    let doors = [("/merge/github", &merge), ("/deploy/github", &merge), ("/alert/alertmanager", &alert)];
    let mut cases = vec![
        case("4 MiB", "/merge/github", filled(MOST_BYTES), 200),
        case("4 MiB and a byte", "/merge/github", filled(MOST_BYTES + 1), 413),
        case(
            "invalid UTF-8",
            "/alert/alertmanager",
            [b"{\"alerts\":[\"".as_slice(), &[0xff, 0xfe], b"\"]}"].concat(),
            400,
        ),
        // The last one counts, as in every JSON parser of a sender's.
        case(
            "duplicate keys",
            "/merge/github",
            merge.replacen("\"action\":", "\"action\":\"opened\",\"action\":", 1),
            200,
        ),
    ];
    for (path, body) in doors {
        cases.push(case("10,000 lists", path, within(body, &nested(10_000)), 400));
        cases.push(case("10,000 objects", path, within(body, &objects(10_000)), 400));
        cases.push(case("1e999", path, within(body, "1e999"), 400));
        cases.push(case("a lone surrogate", path, within(body, "\"\\ud800\""), 400));
        cases.push(case("only brackets", path, nested(1_000_000), 400));
    }
    for case in &cases {
        answers(&stage, case, outcome).await;
    }
    let windows = stage.windows(&service).await;
    outcome.must(windows.len() == 1, || format!("of the two that were taken there is one change: {windows:?}"));
}

/// One failure told as many alerts at once: one incident, one page a person.
async fn group(outcome: &mut Outcome, count: usize) {
    let (stage, pager, service) = world().await;
    let mut body: Value =
        serde_json::from_str(&Event::alert(&service, "Slow", time("Fri 12:00"), None).body).expect("ours");
    let one = body["alerts"][0].clone();
    let nth = |nth: usize| {
        let mut alert = one.clone();
        alert["fingerprint"] = json!(format!("f{nth}"));
        alert["labels"]["alertname"] = json!(format!("Slow{nth}"));
        alert["annotations"]["summary"] = json!("x".repeat(2000));
        alert
    };
    body["alerts"] = (0..count).map(nth).collect();
    answers(&stage, &case("a group of alerts", "/alert/alertmanager", body.to_string(), 200), outcome).await;
    let incident = stage.incident(&service).await;
    outcome.must(incident.alerts() == count, || format!("{} alerts of {count}", incident.alerts()));
    let firing: usize =
        stage.situation(&service).await.signals.values().map(|known| known.value.firing().count()).sum();
    if firing != count {
        outcome.is_lost(format!("{firing} of {count} alerts fire"));
    }
    let came = pages(&pager.received());
    outcome.must(came.len() == 1, || format!("one page, not {came:?}"));
}

/// A direct push of many commits is one change.
async fn push(outcome: &mut Outcome, commits: u64) {
    let (stage, _pager, service) = world().await;
    let person = |name: &str| json!({ "name": name, "username": name, "email": format!("{name}@example.com") });
    let one = |n: u64| {
        json!({
            "id": commit(n), "message": format!("change number {n}"), "timestamp": time("Fri 11:00"), "distinct": true,
            "author": person("feanil"), "committer": person("feanil"), "added": [format!("a/{n}.py")],
            "removed": [], "modified": ["b.py"],
        })
    };
    let all: Vec<Value> = (1..=commits).map(one).collect();
    let body = json!({
        "ref": "refs/heads/master", "before": "f".repeat(40), "after": commit(commits), "created": false, "deleted": false,
        "forced": false, "commits": all, "head_commit": one(commits), "pusher": person("feanil"),
        "repository": { "full_name": format!("openedx/{service}"), "default_branch": "master" },
        "sender": { "login": "feanil", "type": "User" },
    });
    let status = if body.to_string().len() > MOST_BYTES { 413 } else { 200 };
    outcome.must(status == 200, || format!("it has {} bytes: GitHub's own limit comes first", body.to_string().len()));
    answers(&stage, &case("a push of many commits", "/merge/github", body.to_string(), status), outcome).await;
    let windows = stage.windows(&service).await;
    outcome
        .must(windows.len() == 1 && windows[0].contains("feanil"), || format!("one window of feanil's: {windows:?}"));
    // The deployment of a commit in its midst is known to be of it, or of nothing: it is never an error.
    let now = stage.clock.now() + SignedDuration::from_mins(1);
    let event = Event::deploy(&service, commits / 2, 1, "success", now, now);
    answers(&stage, &case("its deployment", event.path, event.body.clone(), 200), outcome).await;
}

/// Of 100 alerts one cannot be read, each in another way.
async fn poisoned(outcome: &mut Outcome) {
    let poisons = [
        json!(7),
        json!(null),
        json!([]),
        json!({ "labels": 7 }),
        json!({ "labels": { "alertname": { "a": 1 } }, "startsAt": 1, "fingerprint": [] }),
        json!({ "labels": { "service": "x".repeat(1 << 20) } }),
        json!({ "labels": {}, "startsAt": "yesterday", "status": "perhaps" }),
    ];
    for (nth, poison) in poisons.iter().enumerate() {
        let (stage, _pager, service) = world().await;
        let mut body: Value =
            serde_json::from_str(&Event::alert(&service, "Slow", time("Fri 12:00"), None).body).expect("ours");
        let one = body["alerts"][0].clone();
        let good = |nth: usize| {
            let mut alert = one.clone();
            alert["fingerprint"] = json!(format!("f{nth}"));
            alert
        };
        let mut alerts: Vec<Value> = (0..99).map(good).collect();
        alerts.insert(nth * 15, poison.clone());
        body["alerts"] = Value::Array(alerts);
        answers(&stage, &case("a poisoned record", "/alert/alertmanager", body.to_string(), 200), outcome).await;
        let known = stage.incident(&service).await.alerts();
        if known < 99 {
            outcome.is_lost(format!("of 99 alerts beside poison {nth} {known} are known"));
        }
    }
}
