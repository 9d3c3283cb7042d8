//! The comments of pull requests at six forges, as their APIs document them, with a memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use house_tests::gate::Gate;
use jiff::Timestamp;
use recent_deployers::demo::VirtualClock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Clone)]
pub struct Comment {
    pub pull: u64,
    pub id: u64,
    pub text: String,
    at: Timestamp,
    version: u64,
    gone: bool,
}

/// What goes wrong with what is written next.
#[derive(Clone)]
pub enum Mishap {
    /// It says this, and does nothing.
    Says(u16, &'static str),
    /// It does it, and the answer is lost.
    Lost,
    /// It does it; and whoever asked reaches the table no more.
    Dies(Gate),
}

#[derive(Default)]
struct Known {
    comments: Vec<Comment>,
    written: Vec<String>,
    mishaps: Vec<Mishap>,
    /// Nothing is taken any more at these.
    locked: Vec<u64>,
    /// These are deleted, with all that was said at them.
    removed: Vec<u64>,
    /// The token sees nothing.
    blind: bool,
    clock: Option<VirtualClock>,
}

#[derive(Clone)]
pub struct Fake {
    pub address: String,
    kind: &'static str,
    known: Arc<Mutex<Known>>,
}

impl Fake {
    pub async fn start(kind: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { address, kind, known: Arc::default() };
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn has_clock(&self, clock: VirtualClock) {
        self.known().clock = Some(clock);
    }

    pub fn will(&self, mishap: Mishap) {
        self.known().mishaps.push(mishap);
    }

    pub fn locks(&self, pull: u64) {
        self.known().locked.push(pull);
    }

    /// Somebody deletes a pull request.
    pub fn removes(&self, pull: u64) {
        self.known().removed.push(pull);
    }

    /// Whether the token sees anything.
    pub fn is_blind(&self, blind: bool) {
        self.known().blind = blind;
    }

    /// Somebody deletes what stands at a pull request.
    pub fn deletes(&self, pull: u64) {
        self.known().comments.iter_mut().filter(|one| one.pull == pull).for_each(|one| one.gone = true);
    }

    /// Somebody else says that.
    pub fn says(&self, pull: u64, text: &str, at: Timestamp) {
        let mut known = self.known();
        let id = 9000 + known.comments.len() as u64;
        known.comments.push(Comment { pull, id, text: text.to_owned(), at, version: 0, gone: false });
    }

    /// What stands at a pull request.
    pub fn stands(&self, pull: u64) -> Vec<String> {
        let known = self.known();
        known.comments.iter().filter(|one| one.pull == pull && !one.gone).map(|one| one.text.clone()).collect()
    }

    pub fn all(&self) -> usize {
        self.known().comments.iter().filter(|one| !one.gone).count()
    }

    /// `leave 12`, `edit 12`: what was written since.
    pub fn written(&self) -> Vec<String> {
        std::mem::take(&mut self.known().written)
    }
}

async fn answer(State(fake): State<Fake>, method: Method, uri: Uri, body: String) -> (StatusCode, String) {
    let said = asked(&fake, &method, uri.path(), &body);
    let (status, body) = said.unwrap_or((404, json!({ "message": "Not Found" })));
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

type Said = (u16, Value);

fn asked(fake: &Fake, method: &Method, path: &str, body: &str) -> Option<Said> {
    let words: Vec<&str> = path.split('/').collect();
    if fake.known().blind {
        return None;
    }
    let pulls = ["issues", "pulls", "merge_requests", "pullrequests", "pull-requests", "pullRequests"];
    let at = words.iter().position(|word| pulls.contains(word))?;
    // GitHub and Gitea name a comment without its pull request.
    let (pull, rest): (Option<u64>, &[&str]) = match words.get(at + 1).copied() {
        None => return (*method == Method::GET).then(|| (200, json!([]))),
        Some(word) => match word {
            "comments" => (None, &words[at + 1..]),
            number => (Some(number.parse().ok()?), &words[at + 2..]),
        },
    };
    if pull.is_some_and(|pull| fake.known().removed.contains(&pull)) {
        return None;
    }
    if rest.is_empty() && *method == Method::GET {
        return Some((200, json!({})));
    }
    let what = match rest.first().copied()? {
        what @ ("comments" | "notes" | "threads" | "activities") => what,
        _ => return None,
    };
    let id: Option<u64> = rest.get(1).and_then(|id| id.parse().ok());
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = ["/body", "/content/raw", "/text", "/comments/0/content", "/content"];
    let text = text.iter().find_map(|at| body.pointer(at)?.as_str()).map(str::to_owned);
    let mut known = fake.known();
    match (method.as_str(), id) {
        ("GET", None) => Some((200, list(fake.kind, &known, pull?, what))),
        ("GET", Some(id)) => {
            let one = known.comments.iter().find(|one| one.id == id && !one.gone)?;
            Some((200, shown(fake.kind, one)))
        }
        ("POST", None) => writes(fake.kind, &mut known, pull?, None, text?, None),
        ("PUT" | "PATCH", Some(id)) => {
            let one = known.comments.iter().find(|one| one.id == id && !one.gone)?;
            let (pull, version) = (one.pull, one.version);
            let seen = body.pointer("/version").and_then(Value::as_u64);
            if fake.kind == "bitbucket-server" && seen != Some(version) {
                return Some((
                    409,
                    json!({ "errors": [{ "message": "You are attempting to modify a comment based on out-of-date information." }] }),
                ));
            }
            writes(fake.kind, &mut known, pull, Some(id), text?, seen)
        }
        _ => None,
    }
}

fn writes(kind: &str, known: &mut Known, pull: u64, id: Option<u64>, text: String, _: Option<u64>) -> Option<Said> {
    let mishap = (!known.mishaps.is_empty()).then(|| known.mishaps.remove(0));
    if let Some(Mishap::Says(status, said)) = mishap {
        return Some((status, json!({ "message": said })));
    }
    if known.locked.contains(&pull) {
        return Some((403, json!({ "message": "Unable to create comment because issue is locked." })));
    }
    let at = known.clock.as_ref().map_or(Timestamp::UNIX_EPOCH, VirtualClock::now);
    let number = match id {
        Some(id) => known.comments.iter().position(|one| one.id == id)?,
        None => {
            let id = 700 + known.comments.len() as u64;
            known.comments.push(Comment { pull, id, text: String::new(), at, version: 0, gone: false });
            known.comments.len() - 1
        }
    };
    known.written.push(format!("{} {pull}", if id.is_some() { "edit" } else { "leave" }));
    let one = &mut known.comments[number];
    (one.text, one.version) = (text, one.version + u64::from(id.is_some()));
    let said = shown(kind, one);
    match mishap {
        Some(Mishap::Lost) => Some((502, json!({ "message": "Bad Gateway" }))),
        Some(Mishap::Dies(gate)) => {
            gate.close();
            Some((201, said))
        }
        Some(Mishap::Says(..)) | None => Some((if id.is_some() { 200 } else { 201 }, said)),
    }
}

/// A comment as each forge shows it.
fn shown(kind: &str, one: &Comment) -> Value {
    let at = one.at.to_string();
    match kind {
        "bitbucket" => json!({ "id": one.id, "content": { "raw": one.text }, "created_on": at, "deleted": one.gone }),
        "bitbucket-server" => {
            json!({ "id": one.id, "version": one.version, "text": one.text, "createdDate": one.at.as_millisecond() })
        }
        "azure" => json!({ "id": one.id, "publishedDate": at, "isDeleted": one.gone, "status": "closed",
            "comments": [{ "id": 1, "content": one.text, "commentType": "text" }] }),
        "gitlab" => json!({ "id": one.id, "body": one.text, "created_at": at, "system": false }),
        _ => json!({ "id": one.id, "body": one.text, "created_at": at, "user": { "login": "deployers[bot]" } }),
    }
}

fn list(kind: &str, known: &Known, pull: u64, what: &str) -> Value {
    let there = known.comments.iter().filter(|one| one.pull == pull && (!one.gone || kind == "bitbucket"));
    let shown: Vec<Value> = there.map(|one| shown(kind, one)).collect();
    match (kind, what) {
        ("bitbucket", _) => json!({ "values": shown, "pagelen": 100 }),
        ("bitbucket-server", "activities") => {
            let said = |one| json!({ "action": "COMMENTED", "commentAction": "ADDED", "comment": one });
            let merged = json!({ "action": "MERGED", "commit": {} });
            let all: Vec<Value> = std::iter::once(merged).chain(shown.into_iter().map(said)).collect();
            json!({ "values": all, "isLastPage": true })
        }
        ("azure", _) => json!({ "value": shown, "count": shown.len() }),
        _ => json!(shown),
    }
}
