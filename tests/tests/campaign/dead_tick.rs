//! A tick that is dead is noticed from outside within five minutes: the template's alarm is read and evaluated, as CloudWatch
//! does, over what `on-schedule` says of itself minute by minute. Also while other things wake it: the table's stream does for
//! every alert, and nobody is escalated to all the same.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use house_tests::dice::Dice;
use house_tests::{Stage, root, time};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::outcome::{Outcome, Plan};
use crate::world::{self, services};

const WITHIN: i64 = 5;
/// Minutes before it dies, and in all.
const DIES_AT: i64 = 20;
const LASTS: i64 = 28;

/// What was logged, a line each, as CloudWatch gets it.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What goes on when the tick dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// The stream wakes the function so many times a minute.
    Stream(u64),
    /// It is invoked, and fails: the table is away.
    Failing,
}

pub fn run(plan: &Plan) -> Outcome {
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Lines);
    tracing_subscriber::registry().with(tracing_subscriber::filter::LevelFilter::INFO).with(lines).init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).expect("the template");
    let (alarm, seed) = (Alarm::read(&template), plan.seed);
    runtime.block_on(async move {
        let mut outcome = Outcome::default();
        let mut noticed = Vec::new();
        for meanwhile in [Meanwhile::Nothing, Meanwhile::Stream(1), Meanwhile::Stream(3), Meanwhile::Failing] {
            outcome.runs += 1;
            let seen = watched(meanwhile, &alarm, &mut Dice(seed)).await;
            let early = (0..DIES_AT).find(|minute| alarm.is_on(&seen, *minute));
            outcome.must(early.is_none(), || format!("{meanwhile:?}: alarmed at minute {early:?}, while it ticks"));
            let at = (DIES_AT..LASTS).find(|minute| alarm.is_on(&seen, *minute));
            let after = at.map(|at| at + 1 - DIES_AT);
            outcome.must(after.is_some_and(|after| after <= WITHIN), || {
                format!("{meanwhile:?}: dead for {} min, noticed after {after:?}", LASTS - DIES_AT)
            });
            noticed.push(format!("{meanwhile:?} {} min", after.unwrap_or(-1)));
        }
        outcome.done = format!(
            "the template's alarm, evaluated over the function's own log: noticed after {}",
            noticed.join(", ")
        );
        outcome
    })
}

/// An alarm of the template, with the metric filter that counts for it where it has one.
struct Alarm {
    properties: BTreeMap<String, String>,
    /// `{ $.event = "x" }`: x.
    event: Option<String>,
}

impl Alarm {
    fn read(template: &str) -> Self {
        let properties = properties(template, "TickIsDead");
        let filters = template.split("\n\n").filter(|block| block.contains("AWS::Logs::MetricFilter"));
        let metric = format!("MetricName: {},", properties["MetricName"]);
        let filter = filters.into_iter().find(|block| block.contains(&metric));
        let event = filter.and_then(|block| block.split("$.event = \"").nth(1)?.split('"').next().map(str::to_owned));
        Self { properties, event }
    }

    fn number(&self, name: &str) -> i64 {
        self.properties[name].parse().expect("a number")
    }

    /// At the end of this minute: whether of the last periods enough breach.
    fn is_on(&self, seen: &BTreeMap<i64, u64>, minute: i64) -> bool {
        assert_eq!((self.number("Period"), self.properties["ComparisonOperator"].as_str()), (60, "LessThanThreshold"));
        let threshold = u64::try_from(self.number("Threshold")).expect("a count");
        let missing = self.properties["TreatMissingData"] == "breaching";
        let breaches = |at: &i64| seen.get(at).map_or(missing, |sum| *sum < threshold);
        let periods = (minute + 1 - self.number("EvaluationPeriods"))..=minute;
        let breaching = periods.filter(|at| *at >= 0).filter(breaches).count();
        i64::try_from(breaching).is_ok_and(|count| count >= self.number("DatapointsToAlarm"))
    }
}

/// The properties of a resource that are written a line each.
fn properties(template: &str, resource: &str) -> BTreeMap<String, String> {
    let after = template.split(&format!("\n  {resource}:\n")).nth(1).expect("it is in the template");
    let lines = after.lines().take_while(|line| line.starts_with("    "));
    let pairs = lines.filter_map(|line| line.trim().split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What the alarm's metric says of each minute: nothing of a minute without a datapoint.
async fn watched(meanwhile: Meanwhile, alarm: &Alarm, dice: &mut Dice) -> BTreeMap<i64, u64> {
    let names = services(2);
    let (stage, _pager) = world::stage(&names).await;
    let mut seen = BTreeMap::new();
    for minute in 0..LASTS {
        stage.clock.set(time("Fri 12:00") + SignedDuration::from_mins(minute));
        LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut invocations = 0;
        if minute < DIES_AT {
            invocations += 1;
            let _ = on_schedule::handle(&stage.bundle.house, &json!({ "tick": true })).await;
        } else if meanwhile == Meanwhile::Failing {
            invocations += 1;
            let failed = on_schedule::handle(&stage.without_table(), &json!({ "tick": true })).await;
            assert!(failed.is_err(), "the table is away");
        }
        if let Meanwhile::Stream(times) = meanwhile {
            for _ in 0..times {
                invocations += 1;
                let _ = on_schedule::handle(&stage.bundle.house, &stream(&stage, dice.of::<String>(&names))).await;
            }
        }
        let told = alarm.event.as_ref().map_or(invocations, |event| lines(event));
        if told > 0 {
            seen.insert(minute, told);
        }
    }
    seen
}

/// What the table's stream hands over when the service's clock rings.
fn stream(stage: &Stage, service: &str) -> Value {
    let id = service.parse().expect("a service");
    assert!(stage.house.settings().service(&id).is_some());
    let key = aws::keys::clock(&id);
    json!({ "Records": [{ "eventName": "MODIFY", "dynamodb": { "Keys": { "pk": { "S": key.partition }, "sk": { "S": key.sort } } } }] })
}

/// How many lines were logged whose `event` is this.
fn lines(event: &str) -> u64 {
    let text = String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    let parsed = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(|line| line["event"] == event).count() as u64
}
