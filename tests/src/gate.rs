//! What stands between our functions and the table or the topic, below the SDK: it passes requests on, until it is told
//! to fail one, or to be gone for a while.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws::clients::Http;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::peer::{Received, read, say};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with 500, however often the SDK tries.
    Refused,
    /// It is refused because there is too much to do.
    Throttled,
    /// It is done, and its answer is lost, however often the SDK tries.
    AnswerLost,
    /// It is refused once, and the SDK's next try is passed on.
    RefusedOnce,
    /// It is done, its answer is lost, and the SDK's next try is passed on.
    AnswerLostOnce,
    /// The connection is cut before a word was said.
    Cut,
    /// Nobody ever says anything.
    Silence,
    /// Whoever asks dies before it is done: [`Gate::has_died`].
    DiesBefore,
    /// It is done, and whoever asks dies before they hear of it.
    DiesAfter,
}

/// Says of a call whether it fails.
type Rule = Arc<dyn Fn(&Received) -> Option<Fault> + Send + Sync>;

impl Fault {
    pub const ALL: [Self; 5] =
        [Self::Refused, Self::Throttled, Self::AnswerLost, Self::RefusedOnce, Self::AnswerLostOnce];

    fn once(self) -> bool {
        matches!(self, Self::RefusedOnce | Self::AnswerLostOnce)
    }

    fn is_done(self) -> bool {
        matches!(self, Self::AnswerLost | Self::AnswerLostOnce | Self::DiesAfter)
    }

    fn is_death(self) -> bool {
        matches!(self, Self::DiesBefore | Self::DiesAfter)
    }
}

#[derive(Default)]
struct State {
    closed: bool,
    /// The calls since a fault was planned, by what the SDK calls them.
    calls: BTreeSet<String>,
    /// Which call fails.
    planned: Option<(usize, Fault)>,
    /// The call that fails, and what it was.
    struck: Option<(String, String)>,
    /// How often that was.
    times: usize,
}

/// The request, asking what it costs; the functions do not, since AWS bills them all the same.
fn told_what_it_costs(request: &Received) -> String {
    let mut body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    if body.is_object() && request.header("x-amz-target").starts_with("DynamoDB_") {
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        return body.to_string();
    }
    request.body.clone()
}

/// What a request asks AWS's permission for: `dynamodb:Query index/due`, `dynamodb:PutItem`, `sns:Publish`. A transaction
/// asks for what each of its parts does.
fn actions(request: &Received) -> Vec<String> {
    let target = request.header("x-amz-target").rsplit('.').next().unwrap_or_default();
    if target.is_empty() {
        let names: &[&str] = match request.line.split(' ').nth(1).unwrap_or_default() {
            path if path.starts_with("/v2/email/") => &["ses:SendEmail"],
            // Whoever makes a schedule hands it the role by which it wakes.
            path if path.starts_with("/schedules/") => &["iam:PassRole", "scheduler:CreateSchedule"],
            _ if request.body.contains("PhoneNumber=") => &["sns:Publish to a number"],
            _ if request.body.contains("Action=Publish") => &["sns:Publish"],
            _ => &[],
        };
        return names.iter().map(ToString::to_string).collect();
    }
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    if target == "TransactWriteItems" {
        let parts = body["TransactItems"].as_array().into_iter().flatten().filter_map(|part| part.as_object());
        let names = parts.flat_map(|part| part.keys());
        let name = |part: &String| {
            format!(
                "dynamodb:{}",
                if part == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{part}Item") }
            )
        };
        return names.map(name).collect();
    }
    let index = body["IndexName"].as_str().map(|index| format!(" index/{index}")).unwrap_or_default();
    vec![format!("dynamodb:{target}{index}")]
}

/// The keys of what a transaction writes or checks.
fn items(request: &Received) -> Vec<String> {
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let parts =
        body["TransactItems"].as_array().into_iter().flatten().filter_map(|part| part.as_object()?.values().next());
    let key = |part: &Value| {
        let of = |name: &str| {
            part["Item"][name]["S"].as_str().or(part["Key"][name]["S"].as_str()).unwrap_or_default().to_owned()
        };
        format!("{} {}", of("pk"), of("sk"))
    };
    parts.map(key).collect()
}

/// The gate.
#[derive(Clone)]
pub struct Gate {
    pub address: String,
    upstream: String,
    http: Http,
    state: Arc<Mutex<State>>,
    rule: Arc<Mutex<Option<Rule>>>,
    died: Arc<Notify>,
    /// What was asked for through it.
    asked: Arc<Mutex<BTreeSet<String>>>,
    /// What it cost, call by call.
    spent: Arc<Mutex<Vec<Spent>>>,
}

/// One call to the table, and the capacity units that DynamoDB counts for it; or to the topic, which counts none.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    pub call: String,
    pub units: f64,
    /// The keys of the items that a transaction writes or checks, `partition sort key`.
    pub items: Vec<String>,
}

impl Gate {
    /// # Panics
    /// When no port is free.
    pub async fn before(upstream: String) -> Self {
        let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { panic!("no port is free") };
        let address = listener.local_addr().map(|a| format!("http://{a}")).unwrap_or_default();
        let gate = Self {
            address,
            upstream,
            http: Http::new(),
            state: Arc::default(),
            rule: Arc::default(),
            died: Arc::default(),
            asked: Arc::default(),
            spent: Arc::default(),
        };
        let own = gate.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().pass(stream));
            }
        });
        gate
    }

    /// What AWS's permission was asked for, as a policy names it.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on every connection is cut.
    pub fn close(&self) {
        self.with(|state| state.closed = true);
    }

    pub fn open(&self) {
        self.with(|state| state.closed = false);
    }

    /// Of the calls from now on the nth fails, counted from 1.
    pub fn fails(&self, nth: usize, fault: Fault) {
        self.with(|state| *state = State { planned: Some((nth, fault)), ..State::default() });
    }

    /// From now on this is asked of each call too.
    pub fn obeys(&self, rule: impl Fn(&Received) -> Option<Fault> + Send + Sync + 'static) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(rule));
    }

    /// Waits until somebody has come to their end, by [`Fault::DiesBefore`] or [`Fault::DiesAfter`].
    pub async fn has_died(&self) {
        self.died.notified().await;
    }

    /// What failed, if it has come to that.
    #[must_use]
    pub fn struck(&self) -> Option<String> {
        self.with(|state| state.struck.clone().map(|(_, what)| what))
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn pass(self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else { return };
        if self.with(|state| state.closed) {
            return;
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).extend(actions(&request));
        let rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fault = rule.and_then(|rule| rule(&request)).or_else(|| self.with(|state| state.fault(&request)));
        if fault.is_none_or(Fault::is_done) {
            let Some((status, body)) = self.forward(&request).await else { return };
            self.count(&request, &body);
            if fault.is_none() {
                return say(&mut stream, status, "", &body).await;
            }
        }
        if fault.is_some_and(Fault::is_death) {
            self.died.notify_one();
        }
        match fault {
            Some(Fault::Cut) => {}
            // Until whoever asked has gone.
            Some(Fault::Silence | Fault::DiesBefore | Fault::DiesAfter) => {
                let _ = stream.read(&mut [0]).await;
            }
            Some(Fault::Throttled) => {
                let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"later"}"#;
                say(&mut stream, 400, "", body).await;
            }
            Some(_) | None => {
                let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oops"}"#;
                say(&mut stream, 500, "", body).await;
            }
        }
    }

    /// What was spent since this was last asked.
    #[must_use]
    pub fn spent(&self) -> Vec<Spent> {
        std::mem::take(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, request: &Received, answer: &str) {
        let call = match request.header("x-amz-target").rsplit('.').next().unwrap_or_default() {
            "" if request.body.contains("Action=Publish") => "Publish".to_owned(),
            call => call.to_owned(),
        };
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let consumed = &answer["ConsumedCapacity"];
        let all = consumed.as_array().map_or_else(|| vec![consumed], |list| list.iter().collect());
        let units = all.into_iter().filter_map(|one| one["CapacityUnits"].as_f64()).fold(0.0, |sum, one| sum + one);
        if !call.is_empty() {
            self.spent.lock().unwrap_or_else(PoisonError::into_inner).push(Spent {
                call,
                units,
                items: items(request),
            });
        }
    }

    async fn forward(&self, request: &Received) -> Option<(u16, String)> {
        let ours = ["host", "content-length", "connection"];
        let kept = request.headers.iter().filter(|(name, _)| !ours.contains(&name.to_lowercase().as_str()));
        let headers: Vec<(&str, &str)> = kept.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let body = told_what_it_costs(request);
        let answer = self.http.send("POST", &format!("{}/", self.upstream), &headers, body.into(), 30).await;
        let answer = answer.ok()?;
        Some((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }
}

impl State {
    fn fault(&mut self, request: &Received) -> Option<Fault> {
        let call = request.header("amz-sdk-invocation-id").to_owned();
        let (nth, fault) = self.planned?;
        self.calls.insert(call.clone());
        if self.struck.is_none() && self.calls.len() == nth {
            let target = request.header("x-amz-target");
            let what = target.rsplit('.').next().unwrap_or_default().to_owned();
            self.struck = Some((call.clone(), what));
        }
        let strikes = self.struck.as_ref().is_some_and(|(struck, _)| *struck == call);
        if !strikes || (fault.once() && self.times > 0) {
            return None;
        }
        self.times += 1;
        Some(fault)
    }
}
