//! GitHub opens a revert by its GraphQL API alone, of pull requests alone, on a branch that it names. A fine-grained token needs
//! `Contents: read and write` and `Pull requests: read and write`, a classic one the scope `repo`.
//! <https://docs.github.com/en/graphql/reference/mutations#revertpullrequest>
//! <https://docs.github.com/en/rest/issues/labels#add-labels-to-an-issue>

use domain::undo::{Opened, Why};
use domain::{ChangeKind, Commit, Repository, text};
use serde::Deserialize;
use serde_json::json;

use super::super::api::{self, Api, Unanswered};
use super::super::reverts::{Listed, State, Unopened, Wanted};

/// So many of the newest are looked at: each may have a long text.
const NEWEST: usize = 30;

const MUTATION: &str = "mutation($input: RevertPullRequestInput!) { revertPullRequest(input: $input) { revertPullRequest { number url headRefOid } } }";

#[derive(Deserialize)]
struct Pull {
    number: u64,
    node_id: String,
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
    merged_at: Option<serde::de::IgnoredAny>,
    html_url: Option<String>,
    head: Option<Branch>,
    base: Option<Branch>,
}

#[derive(Deserialize)]
struct Branch {
    sha: Option<String>,
    /// None where the fork was deleted.
    repo: Option<Home>,
}

#[derive(Deserialize)]
struct Home {
    full_name: String,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    revert_pull_request: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    revert_pull_request: Option<Made>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    number: u64,
    url: Option<String>,
    head_ref_oid: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
}

impl Pull {
    fn home(branch: Option<&Branch>) -> Option<String> {
        Some(branch?.repo.as_ref()?.full_name.to_lowercase())
    }

    fn is_it(&self, wanted: &Wanted<'_>) -> bool {
        let base = Self::home(self.base.as_ref());
        wanted.is_it(&Listed {
            title: self.title.as_deref().unwrap_or_default(),
            body: self.body.as_deref().unwrap_or_default(),
            state: match (self.state.as_deref(), &self.merged_at) {
                (Some("open"), _) => State::Open,
                (_, Some(_)) => State::Merged,
                (_, None) => State::Closed,
            },
            is_fork: base.is_none() || base != Self::home(self.head.as_ref()),
        })
    }

    fn found(self) -> Opened {
        let head = self.head.and_then(|head| head.sha);
        opened(self.number, self.html_url, head, true)
    }
}

fn opened(number: u64, url: Option<String>, head: Option<String>, found: bool) -> Opened {
    let head = head.and_then(|sha| sha.parse::<Commit>().ok());
    Opened { number, url: url.as_deref().and_then(text::url), head, found }
}

pub async fn open(api: &Api<'_>, wanted: &Wanted<'_>) -> Result<Opened, Unopened> {
    // What was pushed has no revert here.
    let ChangeKind::PullRequest { number } = wanted.undo.kind else { return Err(Why::NoApi.into()) };
    let home = api::path(wanted.repository());
    let newest = format!("/repos/{home}/pulls?state=all&sort=created&direction=desc&per_page={NEWEST}");
    let listed: Vec<Pull> = api.get(&newest).await?;
    if let Some(pull) = listed.into_iter().find(|pull| pull.is_it(wanted)) {
        return Ok(pull.found());
    }
    let pull: Pull = api.get(&format!("/repos/{home}/pulls/{number}")).await?;
    let own = |number| format!("{}#{number}", wanted.repository());
    let input =
        json!({ "pullRequestId": pull.node_id, "title": wanted.title(), "body": wanted.body(own), "draft": false });
    let asked = json!({ "query": MUTATION, "variables": { "input": input } });
    let answer = api.elsewhere(graphql(api.base())).send_json("POST", "", &asked).await?;
    if answer.status != 200 {
        return Err(Unanswered::Status(answer.status).into());
    }
    made(aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?)
}

/// Of GitHub Enterprise Server the two are beside each other: `/api/v3` and `/api/graphql`.
fn graphql(base: &str) -> String {
    format!("{}/graphql", base.strip_suffix("/v3").unwrap_or(base))
}

fn made(answer: Answer) -> Result<Opened, Unopened> {
    let payload = answer.data.and_then(|data| data.revert_pull_request);
    if let Some(made) = payload.and_then(|payload| payload.revert_pull_request) {
        return Ok(opened(made.number, made.url, made.head_ref_oid, false));
    }
    let Some(problem) = answer.errors.into_iter().next() else {
        return Err(Unanswered::malformed("neither a pull request nor an error").into());
    };
    let said = text::line(&problem.message, 160);
    let about = said.to_lowercase();
    let in_the_way = ["conflict", "automatically", "already been reverted", "could not be reverted"];
    Err(match problem.kind.as_deref() {
        Some("UNPROCESSABLE") if in_the_way.iter().any(|words| about.contains(words)) => Why::Conflicts.into(),
        Some("UNPROCESSABLE") => Why::Said { why: said }.into(),
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES" | "NOT_FOUND") => Why::NotAllowed.into(),
        // Its limits, and what went wrong inside of it: tried again.
        Some(_) | None => Unanswered::Said(said).into(),
    })
}

/// Made, if there is none of this name yet.
pub async fn label(api: &Api<'_>, repository: &Repository, number: u64, label: &str) -> Result<(), Unanswered> {
    let path = format!("/repos/{}/issues/{number}/labels", api::path(repository));
    api.post(&path, &json!({ "labels": [label] })).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enterprise_server_has_its_graphql_beside() {
        assert_eq!(graphql("https://api.github.com"), "https://api.github.com/graphql");
        assert_eq!(graphql("https://github.example.com/api/v3"), "https://github.example.com/api/graphql");
    }

    #[test]
    fn what_github_says_is_a_pull_request_a_refusal_or_no_answer() {
        let said = |answer: serde_json::Value| match made(serde_json::from_value(answer).unwrap()) {
            Ok(opened) => format!("#{} {:?}", opened.number, opened.url),
            Err(Unopened::Refused(why)) => format!("refused: {why}"),
            Err(Unopened::Unanswered(why)) => format!("again: {why}"),
        };
        let error = |kind: Option<&str>, message: &str| {
            said(json!({ "data": { "revertPullRequest": null }, "errors": [{ "type": kind, "message": message }] }))
        };
        let made = json!({ "number": 13, "url": "https://github.com/o/r/pull/13", "headRefOid": "x" });
        let told = json!({ "data": { "revertPullRequest": { "revertPullRequest": made } } });
        assert_eq!(said(told), "#13 Some(\"https://github.com/o/r/pull/13\")");
        assert_eq!(
            error(Some("UNPROCESSABLE"), "Pull request couldn't be reverted automatically."),
            "refused: later changes are in its way: it conflicts"
        );
        assert_eq!(error(Some("UNPROCESSABLE"), "Is locked"), "refused: the forge does not take it: Is locked");
        for kind in ["FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND"] {
            assert!(error(Some(kind), "no").starts_with("refused: the token may not do it"), "{kind}");
        }
        assert_eq!(error(Some("RATE_LIMITED"), "slower"), "again: the forge says: slower");
        assert_eq!(error(None, "Something went wrong"), "again: the forge says: Something went wrong");
        assert_eq!(said(json!({ "data": null })), "again: the forge's answer cannot be read");
    }
}
