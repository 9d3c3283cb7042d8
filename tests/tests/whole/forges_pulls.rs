//! What forges are asked and told for a merge freeze: the open pull requests, a status of each, a comment. Each answers as its API
//! documents it; then none of them does as it should.

use domain::{Commit, MergeStatus, OpenPull, Repository, Verdict};
use house_tests::peer::Peer;
use house_tests::{REPOSITORY, Stage, commit, configuration};
use on_schedule::forges::Forge;
use on_schedule::forges::freeze::MOST_PULLS;
use serde_json::{Value, json};

const KINDS: [&str; 6] = ["github", "gitlab", "bitbucket", "bitbucket-server", "gitea", "azure"];

/// A house whose repository is known to a forge of this kind, which is `peer`.
async fn asking(kind: &str, peer: &Peer) -> Stage {
    let section = if kind == "github" { String::new() } else { format!("[senders.{kind}]\n") };
    let address = peer.address.clone();
    Stage::with(&format!("{}{section}", configuration(&["edxapp"])), |c| {
        let source = c.senders.get_mut(kind).unwrap();
        (source.api_token, source.api_url) = (Some("api".into()), Some(address));
        source.repositories = vec![REPOSITORY.to_owned()];
    })
    .await
}

fn repository() -> Repository {
    REPOSITORY.parse().unwrap()
}

fn forge(day: &Stage) -> Forge<'_> {
    Forge::of(&day.house, &repository(), None).unwrap()
}

async fn open(day: &Stage) -> Result<Vec<OpenPull>, String> {
    forge(day).open_pulls(&repository()).await.map_err(|why| why.to_string())
}

async fn tell(day: &Stage, verdict: Verdict) -> Result<(), String> {
    let words = format!("Merge freeze\n{}", "x".repeat(200));
    let status = MergeStatus { verdict, words, url: "https://deployers.example.com/freezes".to_owned() };
    let head: Commit = commit(7).parse().unwrap();
    forge(day).tell_status(&repository(), 12, &head, &status).await.map_err(|why| why.to_string())
}

async fn comment(day: &Stage, text: &str) -> Result<(), String> {
    forge(day).comment(&repository(), 12, text).await.map_err(|why| why.to_string())
}

/// The first line of what was asked since, without the protocol, and its body.
fn asked(peer: &Peer) -> Vec<(String, Value)> {
    let received = peer.received();
    let line = |line: &str| line.trim_end_matches(" HTTP/1.1").to_owned();
    received.iter().map(|r| (line(&r.line), serde_json::from_str(&r.body).unwrap_or(Value::Null))).collect()
}

/// `#12 0000000007 github:usama into main, draft, fork, [labels]`, each.
fn lines(pulls: &[OpenPull]) -> Vec<String> {
    let is = |is: bool, what: &str| if is { format!(", {what}") } else { String::new() };
    let line = |p: &OpenPull| {
        let (draft, fork) = (is(p.draft, "draft"), is(p.fork, "fork"));
        let labels = is(!p.labels.is_empty(), &p.labels.join(" "));
        format!("#{} {} {} into {}{draft}{fork}{labels}", p.number, &p.head.as_str()[30..], p.author, p.base)
    };
    pulls.iter().map(line).collect()
}

/// What a pull request is told as by each forge: from a fork, a draft.
fn told(kind: &str, number: u64) -> Value {
    let title = "Pay\u{202e} once\nor twice";
    match kind {
        "gitlab" => json!({
            "iid": number, "sha": commit(number), "author": { "username": "Usama" }, "title": title, "draft": true,
            "web_url": "https://gitlab.com/x", "target_branch": "main", "source_project_id": 4, "target_project_id": 3,
            "labels": ["Bug", "api"]
        }),
        "bitbucket" => json!({
            "id": number, "title": title, "draft": true, "state": "OPEN",
            "author": { "type": "user", "nickname": "Usama", "uuid": "{18aa}" },
            "source": { "commit": { "hash": commit(number) }, "branch": { "name": "pay" }, "repository": null },
            "destination": { "branch": { "name": "main" }, "repository": { "full_name": "OpenEdX/edx-platform" } },
            "links": { "html": { "href": "https://bitbucket.org/x" } }
        }),
        "bitbucket-server" => json!({
            "id": number, "title": title, "draft": true, "author": { "user": { "name": "Usama", "type": "NORMAL" } },
            "fromRef": { "id": "refs/heads/pay", "latestCommit": commit(number), "repository": { "id": 85 } },
            "toRef": { "id": "refs/heads/main", "latestCommit": commit(1), "repository": { "id": 84 } },
            "links": { "self": [null, { "href": "https://git.example.com/x" }] }
        }),
        "azure" => json!({
            "pullRequestId": number, "title": title, "status": "active", "isDraft": true, "forkSource": {},
            "createdBy": { "uniqueName": "Windows Live ID\\Usama@example.com", "displayName": "Usama" },
            "targetRefName": "refs/heads/main", "lastMergeSourceCommit": { "commitId": commit(number) },
            "labels": [{ "name": "Bug", "active": true }, { "name": "gone", "active": false }, { "name": "api" }]
        }),
        _ => json!({
            "number": number, "title": title, "draft": true, "user": { "login": "Usama", "id": 7 }, "state": "open",
            "html_url": "https://github.com/x", "labels": [{ "name": "Bug" }, { "name": "api" }],
            "head": { "ref": "pay", "sha": commit(number), "repo": { "full_name": "usama/edx-platform" } },
            "base": { "ref": "main", "repo": { "full_name": "openedx/edx-platform" } }
        }),
    }
}

/// A page as the forge wraps it: all of these, and that `next` follows.
fn page(kind: &str, listed: &[Value], next: Option<usize>) -> String {
    let page = match kind {
        "bitbucket" => {
            json!({ "values": listed, "next": next.map(|n| format!("https://evil.example.com/x?page={n}")) })
        }
        "bitbucket-server" => json!({ "values": listed, "isLastPage": next.is_none(), "nextPageStart": next }),
        "azure" => json!({ "value": listed, "count": listed.len() }),
        _ => json!(listed),
    };
    page.to_string()
}

#[tokio::test]
async fn the_open_pull_requests_are_told_the_newest_first() {
    for (kind, path, who) in [
        (
            "github",
            "/repos/openedx/edx-platform/pulls?state=open&sort=created&direction=desc&per_page=100&page=1",
            "github:usama",
        ),
        (
            "gitlab",
            "/projects/openedx%2Fedx-platform/merge_requests?state=opened&order_by=created_at&sort=desc&per_page=100&page=1",
            "gitlab:usama",
        ),
        (
            "bitbucket",
            "/repositories/openedx/edx-platform/pullrequests?state=OPEN&sort=-created_on&pagelen=50",
            "bitbucket:usama",
        ),
        (
            "bitbucket-server",
            "/rest/api/latest/projects/openedx/repos/edx-platform/pull-requests?state=OPEN&order=NEWEST&limit=100&start=0",
            "bitbucket:usama",
        ),
        ("gitea", "/repos/openedx/edx-platform/pulls?state=open&limit=50&page=1", "gitea:usama"),
        (
            "azure",
            "/openedx/_apis/git/repositories/edx-platform/pullrequests?searchCriteria.status=active&$top=100&$skip=0&api-version=6.0",
            "email:usama@example.com",
        ),
    ] {
        let peer = Peer::start().await;
        let day = asking(kind, &peer).await;
        // One of which no commit is told, or none that is one, is left out: nothing can be said of it.
        let mut without = told(kind, 2);
        for at in ["/sha", "/head/sha", "/source/commit", "/fromRef/latestCommit", "/lastMergeSourceCommit"] {
            if let Some(place) = without.pointer_mut(at) {
                *place = Value::Null;
            }
        }
        peer.always_answers("GET", 200, page(kind, &[told(kind, 12), without, told(kind, 1)], None));
        let pulls = open(&day).await.unwrap();
        let labels = if kind.starts_with("bitbucket") { "" } else { ", Bug api" };
        let want = [12, 1].map(|n| format!("#{n} {n:010x} {who} into main, draft, fork{labels}"));
        assert_eq!(lines(&pulls), want, "{kind}");
        assert!(pulls.iter().all(|pull| pull.title == "Pay once or twice"), "{kind}: {pulls:?}");
        let page = pulls[0].url.clone().unwrap();
        let elsewhere = format!("{}/openedx/_git/edx-platform/pullrequest/12", peer.address);
        assert!(page.ends_with("/x") || page == elsewhere, "{kind}: {page}");
        assert_eq!(asked(&peer), [(format!("GET {path}"), Value::Null)], "{kind}");
    }
}

#[tokio::test]
async fn pages_are_asked_for_as_far_as_two_hundred() {
    for (kind, length) in
        [("github", 100), ("gitlab", 100), ("bitbucket", 50), ("bitbucket-server", 100), ("gitea", 50), ("azure", 100)]
    {
        let peer = Peer::start().await;
        let day = asking(kind, &peer).await;
        let listed: Vec<Value> = (1..=length).map(|number| told(kind, number)).collect();
        let two = [told(kind, 901), told(kind, 902)];
        peer.will_answer(200, page(kind, &listed, Some(2)));
        peer.will_answer(200, page(kind, &two, None));
        assert_eq!(open(&day).await.unwrap().len() as u64, length + 2, "{kind}");
        let second = asked(&peer).pop().unwrap().0;
        let next = ["page=2", "start=2", "$skip=100"].iter().any(|next| second.contains(next));
        assert!(next && !second.contains("evil"), "{kind}: {second}");
        // For ever.
        peer.always_answers("GET", 200, page(kind, &listed, Some(3)));
        assert_eq!(open(&day).await.unwrap().len(), MOST_PULLS, "{kind}");
        assert_eq!(asked(&peer).len() as u64, MOST_PULLS as u64 / length, "{kind}");
    }
}

#[tokio::test]
async fn a_status_is_put_on_the_commit() {
    let url = "https://deployers.example.com/freezes";
    let words = format!("Merge freeze {}…", "x".repeat(126));
    assert_eq!(words.chars().count(), 140);
    let name = "recent-deployers/freeze";
    let (of, project) = (commit(7), "/projects/openedx%2Fedx-platform");
    let azure = "/openedx/_apis/git/repositories/edx-platform/pullRequests/12/statuses?api-version=6.0-preview.1";
    let github = format!("/repos/openedx/edx-platform/statuses/{of}");
    for (kind, path, [passes, fails], rest) in [
        (
            "github",
            github.clone(),
            ["success", "failure"],
            json!({ "target_url": url, "description": words, "context": name }),
        ),
        ("gitea", github, ["success", "failure"], json!({ "target_url": url, "description": words, "context": name })),
        (
            "gitlab",
            format!("{project}/statuses/{of}"),
            ["success", "failed"],
            json!({ "name": name, "description": words, "target_url": url }),
        ),
        (
            "bitbucket",
            format!("/repositories/openedx/edx-platform/commit/{of}/statuses/build"),
            ["SUCCESSFUL", "FAILED"],
            json!({ "key": name, "name": name, "description": words, "url": url }),
        ),
        (
            "bitbucket-server",
            format!("/rest/build-status/1.0/commits/{of}"),
            ["SUCCESSFUL", "FAILED"],
            json!({ "key": name, "name": name, "description": words, "url": url }),
        ),
        (
            "azure",
            azure.to_owned(),
            ["succeeded", "failed"],
            json!({ "description": words, "targetUrl": url, "context": { "genre": "recent-deployers", "name": "freeze" } }),
        ),
    ] {
        let peer = Peer::start().await;
        let day = asking(kind, &peer).await;
        for (verdict, state, answer) in [(Verdict::Fails, fails, 201), (Verdict::Passes, passes, 204)] {
            // What is answered is not read, but that it was taken.
            peer.will_answer(answer, "");
            assert_eq!(tell(&day, verdict).await, Ok(()), "{kind}");
            let mut body = rest.clone();
            body["state"] = json!(state);
            assert_eq!(asked(&peer), [(format!("POST {path}"), body)], "{kind}");
        }
        tell(&day, Verdict::Fails).await.unwrap();
        assert_eq!(peer.received()[0].header("content-type"), "application/json", "{kind}");
    }
}

#[tokio::test]
async fn gitlab_says_that_a_status_stands_already() {
    let peer = Peer::start().await;
    let day = asking("gitlab", &peer).await;
    let said = r#"{"message":"Cannot transition status via :drop from :failed (Reason(s): Status cannot transition via \"drop\")"}"#;
    peer.always_answers("POST", 400, said);
    assert_eq!(tell(&day, Verdict::Fails).await, Ok(()));
    assert_eq!(tell(&day, Verdict::Passes).await, Err("the forge answered 400".to_owned()));
}

#[tokio::test]
async fn a_comment_is_left() {
    let text = "A merge freeze began.\n/merge it";
    let home = "/repos/openedx/edx-platform/issues/12/comments";
    let azure = "/openedx/_apis/git/repositories/edx-platform/pullRequests/12/threads?api-version=6.0";
    let thread = json!([{ "parentCommentId": 0, "content": text, "commentType": "text" }]);
    for (kind, path, body) in [
        ("github", home, json!({ "body": text })),
        ("gitea", home, json!({ "body": text })),
        // GitLab would do it.
        (
            "gitlab",
            "/projects/openedx%2Fedx-platform/merge_requests/12/notes",
            json!({ "body": "A merge freeze began.\n\\/merge it" }),
        ),
        (
            "bitbucket",
            "/repositories/openedx/edx-platform/pullrequests/12/comments",
            json!({ "content": { "raw": text } }),
        ),
        (
            "bitbucket-server",
            "/rest/api/latest/projects/openedx/repos/edx-platform/pull-requests/12/comments",
            json!({ "text": text }),
        ),
        ("azure", azure, json!({ "comments": thread, "status": "closed" })),
    ] {
        let peer = Peer::start().await;
        let day = asking(kind, &peer).await;
        peer.will_answer(201, "");
        assert_eq!(comment(&day, text).await, Ok(()), "{kind}");
        assert_eq!(asked(&peer), [(format!("POST {path}"), body)], "{kind}");
        comment(&day, &"é".repeat(100_000)).await.unwrap();
        assert!(asked(&peer)[0].1.to_string().chars().count() < 8200, "{kind}: bounded");
    }
}

#[tokio::test]
async fn what_no_forge_does_as_it_should_says_why() {
    for kind in KINDS {
        let peer = Peer::start().await;
        let day = asking(kind, &peer).await;
        for status in [302, 401, 403, 404, 422, 429, 500] {
            peer.always_answers(" /", status, "{\"message\":\"no\"}");
            let why = format!("the forge answered {status}");
            assert_eq!(open(&day).await, Err(why.clone()), "{kind}");
            assert_eq!(tell(&day, Verdict::Fails).await, Err(why.clone()), "{kind}");
            assert_eq!(comment(&day, "x").await, Err(why), "{kind}");
        }
        let _ = peer.received();
        for garbage in ["", "\u{0}garbage", "[", "7", "[[7]]", "[{}]", "{\"values\":[{}],\"value\":[{}]}"] {
            peer.always_answers(" /", 200, garbage);
            assert_eq!(open(&day).await, Err("the forge's answer cannot be read".to_owned()), "{kind}: {garbage}");
            assert_eq!(asked(&peer).len(), 1, "{kind}");
        }
    }
}

#[tokio::test]
async fn whoever_made_it_a_pull_request_is_open() {
    for kind in KINDS {
        let peer = Peer::start().await;
        let day = asking(kind, &peer).await;
        let mut pull = told(kind, 12);
        for at in ["/author", "/user", "/createdBy"] {
            if let Some(place) = pull.pointer_mut(at) {
                *place = Value::Null;
            }
        }
        peer.always_answers("GET", 200, page(kind, &[pull], None));
        assert_eq!(open(&day).await.unwrap()[0].author.name(), "ghost", "{kind}");
    }
}
