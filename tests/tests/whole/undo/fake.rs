//! Forges that revert, as their APIs document it, with a memory: GitHub, GitLab, Azure DevOps. Each refuses what the real one does.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const GITHUB: &str = "/repos/openedx/edx-platform";
const GITLAB: &str = "/projects/openedx%2Fedx-platform";
const AZURE: &str = "/openedx/_apis/git/repositories/edx-platform";

/// What it knows.
#[derive(Default)]
pub struct Known {
    /// The revert pull requests, as a forge lists them.
    pub pulls: Vec<Value>,
    /// Branches that were made for reverts.
    pub branches: Vec<String>,
    /// The revert has been committed to the branch.
    pub committed: bool,
    /// What was merged later is in its way.
    pub conflicts: bool,
    /// GitLab: what a merge request says of how it was merged.
    pub merged_as: Value,
    /// GitLab: how many commits it has.
    pub commits: usize,
    /// How the next requests whose line has this part go wrong: a status, and whether it was done all the same.
    pub mishaps: Vec<(&'static str, u16, bool)>,
    /// What it was asked to do, but for questions.
    pub done: Vec<String>,
}

#[derive(Clone)]
pub struct Fake {
    pub address: String,
    known: Arc<Mutex<Known>>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { address, known: Arc::default() };
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    /// What it knows, to look at or to change by hand.
    pub fn knows<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn done(&self) -> Vec<String> {
        self.knows(|known| std::mem::take(&mut known.done))
    }

    pub fn pulls(&self) -> Vec<Value> {
        self.knows(|known| known.pulls.clone())
    }
}

type Said = (u16, Value);

async fn answer(
    State(fake): State<Fake>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let proven = ["authorization", "private-token"].iter().any(|name| headers.contains_key(*name));
    let line = format!("{method} {uri}");
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let mut known = fake.known.lock().unwrap_or_else(PoisonError::into_inner);
    let mishap = known.mishaps.iter().position(|(part, ..)| line.contains(part)).map(|at| known.mishaps.remove(at));
    let (status, said) = match mishap {
        Some((_, status, false)) => (status, json!({})),
        _ if !proven => (401, json!({})),
        Some((_, status, true)) => {
            known.answer(&method, &uri, &body);
            (status, json!({}))
        }
        None => known.answer(&method, &uri, &body),
    };
    (StatusCode::from_u16(status).unwrap(), said.to_string())
}

impl Known {
    fn answer(&mut self, method: &Method, uri: &Uri, body: &Value) -> Said {
        let path = uri.path();
        if *method != Method::GET {
            self.done.push(format!("{method} {path}"));
        }
        if let Some(rest) = path.strip_prefix(GITHUB) {
            return self.github(method, rest, uri.query().unwrap_or(""), body);
        }
        if path == "/graphql" {
            return self.graphql(body);
        }
        if let Some(rest) = path.strip_prefix(GITLAB) {
            return self.gitlab(method, rest, uri.query().unwrap_or(""), body);
        }
        match path.strip_prefix(AZURE) {
            Some(rest) => self.azure(method, rest, uri.query().unwrap_or(""), body),
            None => (404, json!({ "message": "Not Found" })),
        }
    }

    fn github(&mut self, method: &Method, rest: &str, query: &str, body: &Value) -> Said {
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        match (method.as_str(), segments.as_slice()) {
            ("GET", ["pulls"]) if query.contains("state=all") => (200, self.pulls.iter().rev().cloned().collect()),
            ("GET", ["pulls", number, "files"]) => {
                let path = if number.parse::<u64>().unwrap_or(0) < 3 { "lms/urls.py" } else { "docs/x.md" };
                (200, json!([{ "filename": path, "additions": 1, "deletions": 1 }]))
            }
            ("GET", ["pulls", number]) if self.pulls.iter().any(|pull| is_number(pull, number)) => {
                (200, self.pulls.iter().find(|pull| is_number(pull, number)).cloned().unwrap_or_default())
            }
            ("PUT", ["pulls", number, "merge"]) => {
                let pull = self.pulls.iter_mut().find(|pull| is_number(pull, number));
                match pull {
                    Some(pull) if pull["head"]["sha"] != body["sha"] => {
                        (409, json!({ "message": "Head branch was modified" }))
                    }
                    Some(pull) if pull["merged"] == true => {
                        (405, json!({ "message": "Pull Request is not mergeable" }))
                    }
                    Some(pull) => {
                        (pull["merged"], pull["state"]) = (json!(true), json!("closed"));
                        (200, json!({ "merged": true, "sha": "x" }))
                    }
                    None => (404, json!({})),
                }
            }
            ("GET", ["pulls", number]) => {
                let number: u64 = number.parse().unwrap();
                let of = json!({ "repo": { "full_name": "openedx/edx-platform" } });
                (
                    200,
                    json!({ "number": number, "node_id": format!("PR_{number}"), "title": "x", "state": "closed", "head": of, "base": of }),
                )
            }
            ("POST", ["issues", number, "labels"]) => {
                let number: u64 = number.parse().unwrap();
                let pull = self.pulls.iter_mut().find(|pull| pull["number"] == number).unwrap();
                pull["labels"] = body["labels"].clone();
                (200, json!([]))
            }
            ("GET", ["hooks"]) => (200, json!([])),
            _ => (404, json!({ "message": "Not Found" })),
        }
    }

    /// One error a problem, with status 200; a merged pull request is reverted once.
    fn graphql(&mut self, body: &Value) -> Said {
        let input = &body["variables"]["input"];
        let of = input["pullRequestId"].as_str().unwrap_or_default();
        let refused = |message: &str| {
            let error = json!({ "type": "UNPROCESSABLE", "path": ["revertPullRequest"], "message": message });
            (200, json!({ "data": { "revertPullRequest": null }, "errors": [error] }))
        };
        if !body["query"].as_str().unwrap_or_default().contains("revertPullRequest(input: $input)") || of.is_empty() {
            return refused("Parse error");
        }
        let again = self.pulls.iter().any(|pull| pull["of"] == of && pull["state"] == "open");
        if self.conflicts || again {
            return refused(
                "This pull request could not be reverted automatically. It may have already been reverted.",
            );
        }
        let number = 900 + self.pulls.len();
        let url = format!("https://github.com/openedx/edx-platform/pull/{number}");
        let home = json!({ "sha": format!("{number:040x}"), "repo": { "full_name": "openedx/edx-platform" } });
        self.pulls.push(json!({
            "number": number, "node_id": format!("PR_{number}"), "state": "open", "title": input["title"],
            "body": input["body"], "html_url": url, "head": home, "base": home, "of": of, "labels": [],
        }));
        let made = json!({ "number": number, "url": url, "headRefOid": format!("{number:040x}") });
        (200, json!({ "data": { "revertPullRequest": { "revertPullRequest": made } } }))
    }

    fn gitlab(&mut self, method: &Method, rest: &str, query: &str, body: &Value) -> Said {
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        let refused = |code: &str| {
            (400, json!({ "message": "Sorry, we cannot revert this commit automatically.", "error_code": code }))
        };
        match (method.as_str(), segments.as_slice()) {
            ("GET", ["merge_requests"]) => {
                let ours = query.contains("source_branch=");
                let state = if query.contains("state=opened") { Some("opened") } else { None };
                let is_it = |pull: &&Value| {
                    let branch = pull["source_branch"].as_str().unwrap_or_default();
                    (!ours || query.contains(&branch.replace('/', "%2F")))
                        && state.is_none_or(|state| pull["state"] == state)
                };
                (200, self.pulls.iter().filter(is_it).cloned().collect())
            }
            ("GET", ["merge_requests", _, "commits"]) => (200, json!(vec![json!({}); self.commits])),
            ("GET", ["merge_requests", number]) if self.pulls.iter().any(|pull| is_iid(pull, number)) => {
                (200, self.pulls.iter().find(|pull| is_iid(pull, number)).cloned().unwrap_or_default())
            }
            ("PUT", ["merge_requests", number, "merge"]) => {
                match self.pulls.iter_mut().find(|pull| is_iid(pull, number)) {
                    Some(pull) if pull["sha"] != body["sha"] => (409, json!({ "message": "SHA does not match HEAD" })),
                    Some(pull) if pull["state"] != "opened" => (405, json!({ "message": "405 Method Not Allowed" })),
                    Some(pull) => {
                        pull["state"] = json!("merged");
                        (200, pull.clone())
                    }
                    None => (404, json!({})),
                }
            }
            ("GET", ["merge_requests", number]) => {
                let mut request = self.merged_as.clone();
                request["iid"] = json!(number.parse::<u64>().unwrap());
                (200, request)
            }
            ("POST", ["repository", "commits", _, "revert"]) if self.conflicts => refused("conflict"),
            ("POST", ["repository", "commits", _, "revert"]) if body["dry_run"] == true => {
                (200, json!({ "dry_run": "success" }))
            }
            ("POST", ["repository", "commits", _, "revert"]) => {
                let branch = body["branch"].as_str().unwrap_or_default().to_owned();
                assert!(self.branches.contains(&branch), "no such branch: {branch}");
                if std::mem::replace(&mut self.committed, true) {
                    refused("empty")
                } else {
                    (201, json!({ "id": "x" }))
                }
            }
            ("POST", ["repository", "branches"]) => {
                let branch = body["branch"].as_str().unwrap().to_owned();
                if self.branches.contains(&branch) {
                    return (400, json!({ "message": "Branch already exists" }));
                }
                self.branches.push(branch);
                (201, json!({}))
            }
            ("POST", ["merge_requests"]) => {
                let mut request = body.clone();
                for (name, value) in [
                    ("iid", json!(900 + self.pulls.len())),
                    ("state", json!("opened")),
                    ("sha", json!("8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1")),
                    ("source_project_id", json!(3)),
                    ("target_project_id", json!(3)),
                    ("web_url", json!("https://gitlab.example.com/openedx/edx-platform/-/merge_requests/900")),
                ] {
                    request[name] = value;
                }
                self.pulls.push(request.clone());
                (201, request)
            }
            ("PUT", ["merge_requests", _]) => (200, json!({})),
            _ => (404, json!({})),
        }
    }

    /// A branch is made in its own time: asked once more it is there.
    fn azure(&mut self, method: &Method, rest: &str, query: &str, body: &Value) -> Said {
        let operation = |status: &str, conflict: bool| json!({ "revertId": 7, "status": status, "detailedStatus": { "conflict": conflict, "progress": 0.5, "timedout": false } });
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        match (method.as_str(), segments.as_slice()) {
            ("GET", ["pullrequests"]) => {
                let ours = query.contains("sourceRefName=");
                let is_it = |pull: &&Value| {
                    let branch = pull["sourceRefName"].as_str().unwrap_or_default();
                    !ours || query.contains(&branch.replace('/', "%2F"))
                };
                let listed: Vec<Value> = self.pulls.iter().filter(is_it).cloned().collect();
                (200, json!({ "value": listed, "count": listed.len() }))
            }
            ("GET", ["reverts"]) if self.branches.is_empty() => (404, json!({})),
            ("GET", ["reverts"]) => (200, operation("completed", false)),
            ("POST", ["reverts"]) => {
                self.branches.push(body["generatedRefName"].as_str().unwrap().to_owned());
                (201, operation("queued", false))
            }
            ("GET", ["reverts", _]) if self.conflicts => (200, operation("failed", true)),
            ("GET", ["reverts", _]) => (200, operation("completed", false)),
            ("POST", ["pullrequests"]) => {
                let mut pull = body.clone();
                pull["pullRequestId"] = json!(900 + self.pulls.len());
                pull["status"] = json!("active");
                self.pulls.push(pull.clone());
                (201, pull)
            }
            ("POST", ["pullRequests", _, "labels"]) => (200, json!({})),
            _ => (404, json!({})),
        }
    }
}

fn is_iid(request: &Value, number: &str) -> bool {
    number.parse::<u64>().is_ok_and(|number| request["iid"] == number)
}

fn is_number(pull: &Value, number: &str) -> bool {
    number.parse() == Ok(pull["number"].as_u64().unwrap_or(0))
}
