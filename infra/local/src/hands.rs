//! The commands by which a person moves responsibility from a terminal: each posts a link of that person to the
//! running bundle, as a button would.

use aws::clients::{Answer, Http, HttpError};
use aws::links::{self, Action, Grant};
use aws::secrets::{SecretError, Secrets};
use aws::session::{MACHINE, Session};
use aws::settings::Configuration;
use domain::{ChangeId, IncidentId, InvalidId, PersonId, ServiceId};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::wish::{Wish, form};

const DEADLINE_SECONDS: u64 = 15;
/// A commit is named by at least so many digits.
const SHORTEST_COMMIT: usize = 7;
/// A link of a command is used at once.
const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Why a command did nothing. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HandsError {
    #[error("not a name")]
    Name(#[from] InvalidId),
    #[error("nobody in the roster is called {0}: say who you are with --as <id of the roster>")]
    Nobody(String),
    #[error("not one change of {service} is called {change}; there are {known}")]
    NoChange { service: ServiceId, change: String, known: String },
    #[error("no service is called {service}; there are {known}")]
    NoService { service: String, known: String },
    #[error("{0} is not a pull request: write one such as openedx/edx-platform#12")]
    NoPull(String),
    #[error("links cannot be signed: is --data the directory of the running bundle?")]
    Secret(#[from] SecretError),
    #[error("nothing answers at {address}: is `cargo run` on, and --listen the same?")]
    NotRunning {
        address: String,
        #[source]
        source: HttpError,
    },
    #[error("{0} is not among the incidents that the bundle remembers; the board at / shows them")]
    NoIncident(IncidentId),
    #[error("{title}. {text}")]
    Refused { title: String, text: String },
    #[error("the bundle answered {0}")]
    Answer(u16),
}

/// Whether something may go on.
pub struct May {
    pub may: bool,
    pub advised_against: bool,
    /// What to print.
    pub words: String,
}

/// Where the bundle runs, and who acts.
pub struct Hands<'a> {
    pub configuration: &'a Configuration,
    pub secrets: &'a Secrets,
    pub address: String,
    pub now: Timestamp,
}

impl Hands<'_> {
    /// Does it, and returns what came of it.
    pub async fn act(&self, service: &str, me: &str, wish: &Wish) -> Result<String, HandsError> {
        let (service, me): (ServiceId, PersonId) = (service.parse()?, me.parse()?);
        if self.configuration.settings.roster.person(&me).is_none() {
            return Err(HandsError::Nobody(me.to_string()));
        }
        let action = match wish {
            Wish::Take { .. } | Wish::GiveBack | Wish::Drill { .. } => Action::OnCall(service),
            Wish::LetThrough
            | Wish::Pause { .. }
            | Wish::Resume
            | Wish::Unlearn
            | Wish::Maintain { .. }
            | Wish::Mode { .. }
            | Wish::Maintained => Action::Queue(service),
            Wish::Freeze(_) | Wish::Thaw { .. } => Action::Freezes,
            Wish::Expedite { pull, .. } => {
                let (repository, number) = pull.rsplit_once('#').unwrap_or((pull, ""));
                let number = number.parse().map_err(|_| HandsError::NoPull(domain::text::line(pull, 80)))?;
                Action::Expedite(repository.parse()?, number)
            }
            Wish::HandOver { change, .. } => Action::HandOver(service.clone(), self.change(&service, change).await?),
            Wish::Answer { change, .. } => Action::Answer(service.clone(), self.change(&service, change).await?),
        };
        let secret = self.secrets.first(&self.configuration.link_secret)?;
        let path = links::path(&secret, &Grant { action, person: me, expires: self.now + LIFE });
        let answer = self.send("POST", &path, form(wish).into_bytes()).await?;
        let said: Value = serde_json::from_slice(&answer.body).map_err(|_| HandsError::Answer(answer.status))?;
        let field = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let (title, text) = (field("title"), field("text"));
        if answer.status == 200 { Ok(format!("{title}. {text}")) } else { Err(HandsError::Refused { title, text }) }
    }

    /// Who is on call for what, in all services or in this one: who is on the rotation, and a line for each window.
    pub async fn who(&self, service: Option<&str>) -> Result<String, HandsError> {
        let mut all = self.services().await?;
        if let Some(wanted) = service {
            let known = all.iter().map(|one| text(one, "service")).collect::<Vec<_>>().join(", ");
            all.retain(|one| text(one, "service").eq_ignore_ascii_case(wanted));
            if all.is_empty() {
                return Err(HandsError::NoService { service: domain::text::line(wanted, 80), known });
            }
        }
        Ok(all.iter().flat_map(lines).collect::<Vec<_>>().join("\n"))
    }

    /// Whether something may go on, as the bundle says it.
    pub async fn may(&self, what: &str, query: &[(&str, &str)]) -> Result<May, HandsError> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let answer = self.send("GET", &format!("/{what}?{query}"), Vec::new()).await?;
        let said: Value = serde_json::from_slice(&answer.body).map_err(|_| HandsError::Answer(answer.status))?;
        if answer.status != 200 {
            let text = said.get("error").and_then(Value::as_str).unwrap_or("it does not say why").to_owned();
            return Err(HandsError::Refused { title: format!("The bundle answered {}", answer.status), text });
        }
        let is = |name: &str| said.get(name).and_then(Value::as_bool).unwrap_or(false);
        let (may, advised_against) = (is("may_deploy") || is("may_merge"), is("advised_against"));
        let listed = said.get("because").and_then(Value::as_array).cloned().unwrap_or_default();
        let next = said.get("next").and_then(|next| next.get("words")).and_then(Value::as_str);
        let answer = match (may, advised_against) {
            (true, false) => "yes",
            (true, true) => "yes, and please wait",
            (false, _) => "no",
        };
        let because = listed.iter().filter_map(|one| one.get("words").and_then(Value::as_str));
        let words = said.get("words").and_then(Value::as_str);
        let passes = said.get("expedited").and_then(Value::as_array).into_iter().flatten();
        let text = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let passes: Vec<String> = passes
            .map(|one| format!("{} may pass, by {}: {}", text(one, "pull"), text(one, "by"), text(one, "why")))
            .collect();
        let because = because.chain(words).chain(passes.iter().map(String::as_str));
        let lines = std::iter::once(answer.to_owned()).chain(because.map(|line| format!("  {line}")));
        let words = lines.chain(next.map(|line| format!("  next: {line}"))).collect::<Vec<_>>().join("\n");
        Ok(May { may, advised_against, words })
    }

    /// The ladder of an incident, as the bundle says it.
    pub async fn incident(&self, id: &str) -> Result<Value, HandsError> {
        let id: IncidentId = id.parse()?;
        let answer = self.send("GET", &format!("/incidents/{id}"), Vec::new()).await?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| HandsError::Answer(answer.status)),
            404 => Err(HandsError::NoIncident(id)),
            status => Err(HandsError::Answer(status)),
        }
    }

    /// What is answered there, as it is.
    pub async fn read(&self, path: &str) -> Result<Vec<u8>, HandsError> {
        let answer = self.send("GET", path, Vec::new()).await?;
        if answer.status == 200 {
            return Ok(answer.body.to_vec());
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = said.get("error").and_then(Value::as_str).unwrap_or("it does not say why").to_owned();
        Err(HandsError::Refused { title: format!("The bundle answered {}", answer.status), text })
    }

    /// The change of a service that people call so: `edx-platform#12`, `#12`, or the beginning of its commit.
    async fn change(&self, service: &ServiceId, called: &str) -> Result<ChangeId, HandsError> {
        let services = self.services().await?;
        let ours = services.iter().find(|s| s.get("service").and_then(Value::as_str) == Some(service.as_str()));
        let windows = ours.and_then(|s| s.get("windows")).and_then(Value::as_array).cloned().unwrap_or_default();
        let found: Vec<ChangeId> = windows
            .iter()
            .filter(|w| {
                let (label, id) = (text(w, "label"), text(w, "change"));
                let commit = id.rsplit_once('@').map_or("", |(_, commit)| commit);
                label == called
                    || id == called
                    || (called.starts_with('#') && label.ends_with(called))
                    || (called.len() >= SHORTEST_COMMIT && commit.starts_with(&called.to_ascii_lowercase()))
            })
            .filter_map(|w| aws::keys::parse_change(&text(w, "change")))
            .collect();
        // Two repositories may each have a #12: then it has to be said which.
        let only = if let [only] = found.as_slice() { Some(only.clone()) } else { None };
        only.ok_or_else(|| HandsError::NoChange {
            service: service.clone(),
            change: domain::text::line(called, 80),
            known: if windows.is_empty() {
                "none".to_owned()
            } else {
                windows.iter().map(|w| text(w, "label")).collect::<Vec<_>>().join(", ")
            },
        })
    }

    async fn services(&self) -> Result<Vec<Value>, HandsError> {
        let answer = self.send("GET", "/who", Vec::new()).await?;
        let said: Value = serde_json::from_slice(&answer.body).map_err(|_| HandsError::Answer(answer.status))?;
        if answer.status != 200 {
            let text = said.get("error").and_then(Value::as_str).unwrap_or("it does not say why").to_owned();
            return Err(HandsError::Refused { title: format!("The bundle answered {}", answer.status), text });
        }
        Ok(said.get("services").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    async fn send(&self, method: &'static str, path: &str, body: Vec<u8>) -> Result<Answer, HandsError> {
        let secret = self.secrets.first(&self.configuration.link_secret)?;
        // Where people sign in, a command proves itself by the bundle's own secret.
        let session = Session { who: MACHINE.to_owned(), expires: self.now + LIFE }.seal(&secret);
        let cookies = ["", "__Host-"].map(|prefix| format!("{prefix}deployers-session={session}")).join("; ");
        let mut headers = vec![("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
        if self.configuration.sign_in.is_some() {
            headers.push(("cookie", &cookies));
        }
        let sent = Http::new().send(method, &format!("{}{path}", self.address), &headers, body, DEADLINE_SECONDS).await;
        sent.map_err(|source| HandsError::NotRunning { address: self.address.clone(), source })
    }
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or("").to_owned()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A service as `who` prints it.
fn lines(service: &Value) -> Vec<String> {
    let mut lines = vec![text(service, "service")];
    let rotation: Vec<String> = list(service, "rotation").iter().map(|one| text(one, "name")).collect();
    if !rotation.is_empty() {
        lines.push(format!("  on the rotation: {}", rotation.join(", ")));
    }
    lines.extend(service.get("unreadable").and_then(Value::as_str).map(|why| format!("  {why}")));
    lines.extend(list(service, "now").iter().filter_map(Value::as_str).map(|line| format!("  {line}")));
    let windows = list(service, "windows");
    if windows.is_empty() {
        lines.push("  nobody's change waits or went live lately: the rotation is paged first".to_owned());
    }
    lines.extend(windows.iter().map(|window| {
        let name = |who: &str| window.get(who).map(|one| text(one, "name")).unwrap_or_default();
        let (first, holder) = (name("paged_first"), name("holder"));
        let until = window.get("until").and_then(Value::as_str).map(|at| format!(" until {at}")).unwrap_or_default();
        let instead = if first == holder { String::new() } else { format!(" (instead of {holder})") };
        let phase = match text(window, "phase").as_str() {
            "active" => "on call".to_owned(),
            "tail" => "suspect only".to_owned(),
            other => other.to_owned(),
        };
        format!("  {:<24} {first:<20} {phase}{until}{instead}", text(window, "label"))
    }));
    lines
}
