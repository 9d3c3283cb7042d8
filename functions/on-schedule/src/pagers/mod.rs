//! What pagers are asked, and told, of their schedules: who is on call, and who is for a while instead. Each pager has a
//! file; what they have in common is here. Absent: whose turn it is, which is the domain's business.

mod pagerduty;

use aws::House;
use aws::clients::{Answer, HttpError};
use aws::receiver::{ReceiverConfig, ReceiverKind};
use aws::secrets::{Secret, SecretError};
use domain::text::line;
use jiff::Timestamp;
use serde_json::Value;

const DEADLINE_SECONDS: u64 = 8;

/// A pager, and the house that asks.
#[derive(Clone, Copy)]
pub struct Pager<'a> {
    pub house: &'a House,
    pub receiver: &'a ReceiverConfig,
}

/// Who is on call, first one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// Empty where nobody is.
    pub people: Vec<Account>,
    /// Until when that holds, if it ends and the pager says when.
    pub until: Option<Timestamp>,
}

/// Somebody, as the pager calls them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: Option<String>,
    pub email: Option<String>,
    pub name: String,
}

/// Who is on call instead of whom the schedule says, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The account, as a contact writes it.
    pub user: String,
    pub from: Timestamp,
    pub until: Timestamp,
    /// By what we know it: the same mark is the same layer.
    pub mark: String,
}

/// Why a pager's schedule was not read or written. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("the schedules of a {0} cannot be asked")]
    NotKnown(&'static str),
    #[error("its configuration lacks a secret")]
    NoSecret,
    #[error("its secret cannot be read")]
    Secret(#[source] SecretError),
    #[error("it cannot be reached")]
    Http(#[source] HttpError),
    #[error("it answered {0}")]
    Status(u16),
    #[error("it asks to be left alone for {0} s")]
    LimitedFor(u64),
    #[error("its answer cannot be read")]
    NotRead,
    #[error("it knows no such schedule: correct the configuration")]
    UnknownSchedule,
    #[error(
        "its schedule is shift-based (PagerDuty's v3), which cannot be overridden: name a layer-based one, or leave this \
         schedule to people"
    )]
    ShiftBased,
    #[error("it knows no such user: correct the roster")]
    UnknownUser,
    #[error("it refused: {0}")]
    Refused(String),
    #[error("that is over already")]
    Over,
}

/// Who is on call in a schedule at a time.
pub async fn on_call(ask: &Pager<'_>, schedule: &str, at: Timestamp) -> Result<OnCall, NoAnswer> {
    match ask.speaks()? {
        Speaks::PagerDuty => pagerduty::on_call(ask, schedule, at).await,
    }
}

/// Writes that somebody is on call for a while; returns the pager's id of it. The same again makes no second one.
pub async fn put(ask: &Pager<'_>, schedule: &str, layer: &Layer) -> Result<String, NoAnswer> {
    if layer.until <= ask.house.now() {
        return Err(NoAnswer::Over);
    }
    match ask.speaks()? {
        Speaks::PagerDuty => pagerduty::put(ask, schedule, layer).await,
    }
}

/// Takes a layer out, or ends it now if it runs. An empty id: the answer that told it was lost, and it is looked for.
/// What is gone, or over, is taken out.
pub async fn take_out(ask: &Pager<'_>, schedule: &str, id: &str, layer: &Layer) -> Result<(), NoAnswer> {
    if layer.until <= ask.house.now() {
        return Ok(());
    }
    match ask.speaks()? {
        Speaks::PagerDuty => pagerduty::take_out(ask, schedule, id, layer).await,
    }
}

/// The pagers whose schedules are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    PagerDuty,
}

impl Pager<'_> {
    fn speaks(&self) -> Result<Speaks, NoAnswer> {
        use ReceiverKind::{
            Email, GoAlert, JiraServiceManagement, Opsgenie, PagerDuty, PagerDutyEvents, Slack, Sms, Teams, Terminal,
            Webhook,
        };
        match self.receiver.kind {
            PagerDuty => Ok(Speaks::PagerDuty),
            kind @ (Opsgenie
            | JiraServiceManagement
            | PagerDutyEvents
            | GoAlert
            | Slack
            | Teams
            | Email
            | Sms
            | Terminal
            | Webhook) => Err(NoAnswer::NotKnown(kind.word())),
        }
    }

    fn secret(&self) -> Result<Secret, NoAnswer> {
        let name = self.receiver.secret.as_ref().ok_or(NoAnswer::NoSecret)?;
        self.house.secrets.first(name).map_err(NoAnswer::Secret)
    }

    /// One request, once: whoever asks comes again by the clock. The answer is whatever it is, but for "later".
    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let own = [("user-agent", "recent-deployers"), ("content-type", "application/json")];
        let headers: Vec<(&str, &str)> = own.iter().chain(headers).copied().collect();
        let url = format!("{}{path}", self.receiver.url);
        let body = body.map(Value::to_string).unwrap_or_default();
        let sent = self.house.http.send(method, &url, &headers, body.into_bytes(), DEADLINE_SECONDS).await;
        let answer = sent.map_err(NoAnswer::Http)?;
        match answer.status {
            429 => Err(NoAnswer::LimitedFor(answer.retry_after.unwrap_or(60))),
            500.. => Err(NoAnswer::Status(answer.status)),
            _ => Ok(answer),
        }
    }

    /// A refusal in the pager's words, without the secret should it repeat it.
    fn refused(&self, why: &str) -> NoAnswer {
        let why = match self.secret() {
            Ok(secret) => why.replace(secret.expose(), "…"),
            Err(_) => why.to_owned(),
        };
        NoAnswer::Refused(line(&why, 120))
    }
}
