//! What forges are asked, and what becomes of their answers: the files of a change with their lines, the commits of a
//! release. Each forge answers as its API documents it; then none of them does as it should.

use domain::change::{Asked, Files};
use domain::{ChangeId, Reason};
use house_tests::peer::Peer;
use house_tests::{REPOSITORY, Stage, commit, configuration};
use serde_json::{Value, json};

/// A service whose repository is known to a forge of this kind, which is `forge`.
async fn asking(kind: &str, forge: &Peer) -> Stage {
    let address = forge.address.clone();
    let text = if kind == "github" {
        configuration(&["edxapp"])
    } else {
        format!("{}[senders.{kind}]\n", configuration(&["edxapp"]))
    };
    Stage::with(&text, |c| {
        let source = c.senders.get_mut(kind).unwrap();
        (source.api_token, source.api_url) = (Some("api".into()), Some(address));
        // The merges of these stories come from GitHub; whose repository it is, its source says.
        source.repositories = vec![REPOSITORY.to_owned()];
    })
    .await
}

/// What was asked since, without the protocol.
fn asked(forge: &Peer) -> Vec<String> {
    let path = |line: &str| line.trim_start_matches("GET ").trim_end_matches(" HTTP/1.1").to_owned();
    forge.received().iter().map(|request| path(&request.line)).collect()
}

async fn push(day: &Stage, number: u64) {
    let push = json!({
        "ref": "refs/heads/master", "before": "0".repeat(40), "created": false, "deleted": false,
        "head_commit": { "id": commit(number), "message": "a direct push", "timestamp": day.clock.now(),
            "author": { "username": "feanil" }, "committer": { "username": "feanil" } },
        "commits": [{ "added": ["lms/a.py"], "removed": [], "modified": ["lms/earlier.py"] }],
        "pusher": { "name": "feanil" },
        "repository": { "full_name": REPOSITORY, "default_branch": "master", "pushed_at": 1_774_015_200 }
    });
    assert_eq!(day.github("/merge/github", &push).await.status, 200);
}

async fn known(day: &Stage, number: u64) -> Files {
    let id = ChangeId { repository: REPOSITORY.parse().unwrap(), commit: commit(number).parse().unwrap() };
    day.situation("edxapp").await.files.get(&id).map(|files| files.value.clone()).unwrap_or_default()
}

/// `path +added -deleted`, each.
async fn files(day: &Stage, number: u64) -> Vec<String> {
    let files = known(day, number).await;
    assert!(matches!(files.asked, Asked::Told { .. }), "{files:?}");
    let line = |path: &String| match files.lines.get(path) {
        Some(lines) => format!("{path} +{} -{}", lines.added, lines.deleted),
        None => path.clone(),
    };
    files.paths.iter().map(line).collect()
}

/// Three changes of which the second release carries only the last, which the forge alone can know: what was asked.
async fn release(day: &mut Stage, forge: &Peer, comparing: &str) -> Vec<String> {
    day.at("Fri 13:00").await.merge("usama", 11).await;
    day.deploy("prod", "success", 11).await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 14:05").await.merge("usama", 13).await;
    let _ = forge.received();
    day.at("Fri 14:10").await.deploy("prod", "success", 13).await;
    let windows = day.windows("edxapp").await;
    assert_eq!(windows[1..], ["edx-platform#12 feanil standby", "edx-platform#13 usama active until Fri 15:10"]);
    asked(forge).into_iter().filter(|path| path.contains(comparing)).collect()
}

/// A page of commits that end in this one.
fn commits(key: &str, last: u64, many: u64) -> Vec<Value> {
    (0..many).map(|n| json!({ key: commit(if n + 1 == many { last } else { 1000 + n }) })).collect()
}

#[tokio::test]
async fn github() {
    let forge = Peer::start().await;
    let mut page: Vec<Value> = (0..99)
        .map(|n| json!({ "filename": format!("lms/{n}.py"), "status": "added", "additions": 1, "deletions": 0 }))
        .collect();
    page.push(json!({ "filename": "cms/new.py", "previous_filename": "lms/old.py", "status": "renamed", "additions": 3, "deletions": 2 }));
    let one = json!([{ "filename": "lms/a.py", "additions": 5, "deletions": 1 }]);
    forge.always_answers("/pulls/", 200, one.to_string());
    forge.always_answers("/pulls/12/files?per_page=100&page=1", 200, json!(page).to_string());
    forge.always_answers("/pulls/12/files?per_page=100&page=2", 200, "[]");
    forge.always_answers("/commits/", 200, json!({ "sha": commit(14), "files": one }).to_string());
    let pages = [commits("sha", 2000, 100), commits("sha", 13, 1)];
    for (n, commits) in pages.iter().enumerate() {
        let compared = json!({ "total_commits": 101, "commits": commits });
        forge.always_answers(&format!("{}?per_page=100&page={}", commit(13), n + 1), 200, compared.to_string());
    }
    let mut day = asking("github", &forge).await;
    let range = format!("/repos/{REPOSITORY}/compare/{}...{}?per_page=100&page=", commit(11), commit(13));
    assert_eq!(release(&mut day, &forge, "compare").await, [format!("{range}1"), format!("{range}2")]);
    let renamed = known(&day, 12).await;
    assert!(renamed.cut && renamed.lines["cms/new.py"].added == 3, "101 paths, of which 100 are kept: {renamed:?}");
    assert_eq!(files(&day, 13).await, ["lms/a.py +5 -1"]);
    let _ = forge.received();
    push(&day, 14).await;
    let received = forge.received();
    assert_eq!(
        received[0].line,
        format!("GET /repos/{REPOSITORY}/commits/{}?per_page=100&page=1 HTTP/1.1", commit(14))
    );
    assert_eq!(received[0].header("authorization"), "Bearer api-token");
    assert_eq!(files(&day, 14).await, ["lms/a.py +5 -1", "lms/earlier.py"]);
    day.at("Fri 15:00").await;
    assert!(forge.received().is_empty(), "nothing is asked twice");
}

#[tokio::test]
async fn gitlab() {
    let forge = Peer::start().await;
    let mut page: Vec<Value> = (0..29)
        .map(|_| json!({ "new_path": "lms/same.py", "old_path": "lms/same.py", "diff": "@@ -1 +1 @@\n-a\n+b\n" }))
        .collect();
    page.push(json!({ "new_path": "lms/huge.py", "old_path": "lms/huge.py", "diff": "", "too_large": true }));
    forge.always_answers("page=1 ", 200, json!(page).to_string());
    let moved = json!([{ "new_path": "lms/b.py", "old_path": "lms/a.py", "renamed_file": true, "diff": "@@ -1,2 +1,3 @@\n-a\n+b\n+c\n x\n" }]);
    forge.always_answers("page=2 ", 200, moved.to_string());
    forge.always_answers("/diff?", 200, moved.to_string());
    forge.always_answers("/repository/commits?", 200, json!([{ "id": commit(13), "short_id": "0000" }]).to_string());
    let day = asking("gitlab", &forge).await;
    day.merge("feanil", 12).await;
    let received = forge.received();
    let home = "/projects/openedx%2Fedx-platform";
    assert_eq!(received[0].line, format!("GET {home}/merge_requests/12/diffs?per_page=30&page=1 HTTP/1.1"));
    assert_eq!(received[0].header("private-token"), "api-token");
    assert_eq!(received.len(), 2);
    assert_eq!(files(&day, 12).await, ["lms/a.py +0 -0", "lms/b.py +2 -1", "lms/huge.py", "lms/same.py +29 -29"]);
    push(&day, 14).await;
    assert_eq!(asked(&forge), [format!("{home}/repository/commits/{}/diff?per_page=30&page=1", commit(14))]);
    assert_eq!(files(&day, 14).await, ["lms/a.py +0 -0", "lms/b.py +2 -1", "lms/earlier.py"]);

    let mut day = asking("gitlab", &forge).await;
    let range = format!("ref_name={}..{}&per_page=100&page=1", commit(11), commit(13));
    assert_eq!(release(&mut day, &forge, "ref_name").await, [format!("{home}/repository/commits?{range}")]);
}

#[tokio::test]
async fn bitbucket_cloud() {
    let forge = Peer::start().await;
    let home = format!("/repositories/{REPOSITORY}");
    let stat = |old: &str, new: &str| json!({ "status": "modified", "lines_added": 4, "lines_removed": 2, "old": { "path": old }, "new": { "path": new } });
    let gone = json!({ "status": "removed", "lines_added": 0, "lines_removed": 9, "old": { "path": "lms/gone.py" }, "new": null });
    let range = format!("openedx/edx-platform:aaaaaaaaaaaa%0D{}", "b".repeat(12));
    let elsewhere = format!("https://api.bitbucket.org/2.0{home}/diffstat/{range}?from_pullrequest_id=12&topic=true");
    forge.always_redirects("/pullrequests/12/diffstat", &elsewhere);
    let next = format!("https://evil.example.com/steal{home}?topic=true&page=2");
    forge.always_answers(
        "/diffstat/openedx",
        200,
        json!({ "values": [stat("lms/a.py", "lms/a.py")], "next": next }).to_string(),
    );
    forge.always_answers(
        "topic=true&page=2",
        200,
        json!({ "values": [gone, stat("lms/b.py", "lms/c.py")] }).to_string(),
    );
    let day = asking("bitbucket", &forge).await;
    day.merge("feanil", 12).await;
    let received = forge.received();
    assert!(received.iter().all(|request| request.header("authorization") == "Bearer api-token"));
    let paths: Vec<&str> = received.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(
        paths,
        [
            format!("GET {home}/pullrequests/12/diffstat HTTP/1.1"),
            format!("GET {home}/diffstat/{range}?from_pullrequest_id=12&topic=true HTTP/1.1"),
            format!("GET {home}/diffstat/{range}?topic=true&page=2 HTTP/1.1"),
        ]
    );
    assert_eq!(files(&day, 12).await, ["lms/a.py +4 -2", "lms/b.py +0 -0", "lms/c.py +4 -2", "lms/gone.py +0 -9"]);
    forge.always_answers(
        &format!("/diffstat/{}", commit(14)),
        200,
        json!({ "values": [stat("lms/a.py", "lms/a.py")] }).to_string(),
    );
    push(&day, 14).await;
    assert_eq!(asked(&forge), [format!("{home}/diffstat/{}", commit(14))]);
    assert_eq!(files(&day, 14).await, ["lms/a.py +4 -2", "lms/earlier.py"]);
    for (number, location) in
        [(21, "https://evil.example.com/x"), (22, "/diffstat/../../../user"), (23, "/diffstat/a b")]
    {
        forge.always_redirects(&format!("/pullrequests/{number}/"), location);
        day.merge("feanil", number).await;
        assert!(matches!(known(&day, number).await.asked, Asked::Unanswered { tries: 1, .. }), "{location}");
        assert_eq!(asked(&forge).len(), 1, "{location}");
    }

    let mut day = asking("bitbucket", &forge).await;
    forge.always_answers("/pullrequests/", 200, json!({ "values": [] }).to_string());
    let next = format!("https://api.bitbucket.org/2.0{home}/commits/x?ctx=abc&page=2");
    forge.always_answers("exclude=", 200, json!({ "values": commits("hash", 1, 3), "next": next }).to_string());
    forge.always_answers("ctx=abc", 200, json!({ "values": [{ "hash": commit(13) }] }).to_string());
    let path = format!("{home}/commits/{}?", commit(13));
    assert_eq!(
        release(&mut day, &forge, "/commits/").await,
        [format!("{path}exclude={}&pagelen=100", commit(11)), format!("{path}ctx=abc&page=2")]
    );
}

#[tokio::test]
async fn bitbucket_server() {
    let forge = Peer::start().await;
    let home = "/rest/api/latest/projects/openedx/repos/edx-platform";
    let at = |path: &str| json!({ "components": [], "name": "x", "toString": path });
    forge.always_answers(
        "start=0",
        200,
        json!({ "values": [{ "path": at("lms/a.py"), "type": "MODIFY" }], "isLastPage": false, "nextPageStart": 25 })
            .to_string(),
    );
    forge.always_answers("start=25", 200, json!({ "values": [{ "path": at("lms/c.py"), "srcPath": at("lms/b.py"), "type": "MOVE" }, { "path": at("lms/long.py") }], "isLastPage": true, "nextPageStart": null }).to_string());
    let segment = |kind: &str, lines: usize| json!({ "type": kind, "lines": vec![json!({ "line": "x" }); lines], "truncated": false });
    let hunks = json!([{ "segments": [segment("REMOVED", 1), segment("ADDED", 3), segment("CONTEXT", 2)], "truncated": false }]);
    let diffs = json!({ "diffs": [
        { "source": at("lms/a.py"), "destination": at("lms/a.py"), "hunks": hunks, "truncated": false },
        { "source": at("lms/b.py"), "destination": at("lms/c.py"), "hunks": [], "truncated": false },
        { "source": null, "destination": at("lms/long.py"), "hunks": hunks, "truncated": true },
    ], "truncated": true });
    forge.always_answers("/diff?", 200, diffs.to_string());
    let day = asking("bitbucket-server", &forge).await;
    day.merge("feanil", 12).await;
    let received = forge.received();
    assert!(received.iter().all(|request| request.header("authorization") == "Bearer api-token"));
    let paths: Vec<&str> = received.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(
        paths,
        ["changes?limit=100&start=0", "changes?limit=100&start=25", "diff?contextLines=0&withComments=false"]
            .map(|path| format!("GET {home}/pull-requests/12/{path} HTTP/1.1"))
    );
    assert_eq!(files(&day, 12).await, ["lms/a.py +3 -1", "lms/b.py +0 -0", "lms/c.py +0 -0", "lms/long.py"]);
    // Without a diff it is still known which files.
    forge.always_answers("/diff?", 500, "");
    push(&day, 14).await;
    assert_eq!(asked(&forge)[0], format!("{home}/commits/{}/changes?limit=100&start=0", commit(14)));
    assert_eq!(files(&day, 14).await, ["lms/a.py", "lms/b.py", "lms/c.py", "lms/earlier.py", "lms/long.py"]);

    let mut day = asking("bitbucket-server", &forge).await;
    forge.always_answers(
        "/compare/",
        200,
        json!({ "values": [{ "id": commit(13), "displayId": "0" }], "isLastPage": true }).to_string(),
    );
    let range = format!("from={}&to={}&limit=100&start=0", commit(13), commit(11));
    assert_eq!(release(&mut day, &forge, "/compare/").await, [format!("{home}/compare/commits?{range}")]);
}

#[tokio::test]
async fn gitea() {
    let forge = Peer::start().await;
    let home = format!("/repos/{REPOSITORY}");
    forge.always_answers(
        "/pulls/",
        200,
        json!([{ "filename": "lms/a.py", "status": "changed", "additions": 2, "deletions": 7, "changes": 9 }])
            .to_string(),
    );
    let whole = json!({ "sha": commit(14), "files": [{ "filename": "lms/a.py", "status": "modified" }, { "filename": "lms/picture.png" }] });
    forge.always_answers("/git/commits/", 200, whole.to_string());
    forge.always_answers(
        ".diff",
        200,
        "diff --git a/lms/a.py b/lms/a.py\n--- a/lms/a.py\n+++ b/lms/a.py\n@@ -1,2 +1 @@\n-a\n-b\n+c\n",
    );
    let day = asking("gitea", &forge).await;
    day.merge("feanil", 12).await;
    let received = forge.received();
    assert_eq!(received[0].line, format!("GET {home}/pulls/12/files?limit=50&page=1 HTTP/1.1"));
    assert_eq!(received[0].header("authorization"), "token api-token");
    assert_eq!(files(&day, 12).await, ["lms/a.py +2 -7"]);
    push(&day, 14).await;
    let path = format!("{home}/git/commits/{}", commit(14));
    assert_eq!(asked(&forge), [format!("{path}?stat=false&verification=false&files=true"), format!("{path}.diff")]);
    assert_eq!(files(&day, 14).await, ["lms/a.py +1 -2", "lms/earlier.py", "lms/picture.png"]);

    let mut day = asking("gitea", &forge).await;
    let pages = [
        json!({ "total_commits": 51, "commits": commits("sha", 1, 50) }),
        json!({ "total_commits": 51, "commits": commits("sha", 13, 1) }),
    ];
    forge.always_answers("page=1&limit=50", 200, pages[0].to_string());
    forge.always_answers("page=2&limit=50", 200, pages[1].to_string());
    let range = format!("{home}/compare/{}...{}?page=", commit(11), commit(13));
    assert_eq!(
        release(&mut day, &forge, "/compare/").await,
        [format!("{range}1&limit=50"), format!("{range}2&limit=50")]
    );
}

#[tokio::test]
async fn azure() {
    let forge = Peer::start().await;
    let home = "/openedx/_apis/git/repositories/edx-platform";
    forge.always_answers(
        "/iterations?",
        200,
        json!({ "value": [{ "id": 1 }, { "id": 3 }, { "id": 2 }], "count": 3 }).to_string(),
    );
    let entry = |path: &str| json!({ "changeType": "edit", "item": { "objectId": "1", "path": path } });
    let moved = json!({ "changeType": "rename", "item": { "path": "/lms/c.py" }, "originalPath": "/lms/b.py", "sourceServerItem": "/lms/b.py" });
    let entries = json!([entry("/lms/a.py"), moved, { "item": { "path": "/lms", "isFolder": true } }, { "item": { "path": "/cms", "gitObjectType": "tree" } }]);
    forge.always_answers("/iterations/3/changes", 200, json!({ "changeEntries": entries, "nextSkip": 0 }).to_string());
    forge.always_answers("/commits/", 200, json!({ "changeCounts": { "Edit": 1 }, "changes": entries }).to_string());
    let day = asking("azure", &forge).await;
    day.merge("feanil", 12).await;
    let received = forge.received();
    // `:api-token`
    assert!(received.iter().all(|request| request.header("authorization") == "Basic OmFwaS10b2tlbg=="));
    let paths: Vec<&str> = received.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(
        paths,
        ["iterations?api-version=6.0", "iterations/3/changes?$top=100&$skip=0&api-version=6.0"]
            .map(|path| format!("GET {home}/pullRequests/12/{path} HTTP/1.1"))
    );
    assert_eq!(files(&day, 12).await, ["lms/a.py", "lms/b.py", "lms/c.py"]);
    push(&day, 14).await;
    assert_eq!(asked(&forge), [format!("{home}/commits/{}/changes?top=100&skip=0&api-version=6.0", commit(14))]);
    assert_eq!(files(&day, 14).await, ["lms/a.py", "lms/b.py", "lms/c.py", "lms/earlier.py"]);

    let mut day = asking("azure", &forge).await;
    forge.always_answers("$skip=0", 200, json!({ "value": commits("commitId", 1, 100) }).to_string());
    forge.always_answers("$skip=100", 200, json!({ "value": commits("commitId", 13, 1) }).to_string());
    forge.always_answers("/iterations", 200, json!({ "value": [{ "id": 1 }], "changeEntries": [] }).to_string());
    let side = |name: &str, number| {
        format!("searchCriteria.{name}.versionType=commit&searchCriteria.{name}.version={}", commit(number))
    };
    let range =
        format!("{home}/commits?{}&{}&searchCriteria.$top=100", side("itemVersion", 11), side("compareVersion", 13));
    assert_eq!(
        release(&mut day, &forge, "/commits?").await,
        [0, 100].map(|skip| format!("{range}&searchCriteria.$skip={skip}&api-version=6.0"))
    );
}

#[tokio::test]
async fn what_no_forge_answers_as_it_should_is_asked_again_and_given_up() {
    let endless = json!({ "values": [], "next": "https://api.bitbucket.org/2.0/x?page=2", "isLastPage": false, "nextPageStart": 0 });
    for kind in ["github", "gitlab", "bitbucket", "bitbucket-server", "gitea", "azure"] {
        for (status, body) in [
            (404, String::new()),
            (500, "[]".to_owned()),
            (302, String::new()),
            (200, "\u{0}garbage".to_owned()),
            (200, "[".repeat(100_000)),
            (200, json!("a text").to_string()),
            (200, json!([{ "filename": 7, "new_path": [], "path": {} }]).to_string()),
            (200, endless.to_string()),
        ] {
            if status == 500 && kind != "github" {
                continue;
            }
            let forge = Peer::start().await;
            forge.always_answers("GET", status, body.clone());
            let mut day = asking(kind, &forge).await;
            day.merge("feanil", 12).await;
            let failed = known(&day, 12).await;
            assert!(matches!(failed.asked, Asked::Unanswered { tries: 1, .. }), "{kind} {status}: {failed:?}");
            assert!(forge.received().len() <= 41, "{kind}: bounded");
            day.at("Fri 12:02").await;
            assert!(!forge.received().is_empty(), "{kind} {status}: asked again after a minute");
            let failed = known(&day, 12).await;
            assert!(matches!(failed.asked, Asked::Unanswered { tries: 2, .. }), "{kind} {status}: {failed:?}");
        }
    }
}

#[tokio::test]
async fn a_forge_that_comes_to_itself_is_heard_and_one_that_does_not_is_left_alone() {
    let forge = Peer::start().await;
    forge.always_answers("/pulls/", 503, "");
    let mut day = asking("github", &forge).await;
    push(&day, 14).await;
    day.merge("feanil", 12).await;
    day.merge("feanil", 13).await;
    day.at("Fri 12:00").await;
    forge.always_answers(
        "/pulls/12",
        200,
        json!([{ "filename": "lms/a.py", "additions": 1, "deletions": 0 }]).to_string(),
    );
    day.at("Fri 12:01").await;
    assert_eq!(files(&day, 12).await, ["lms/a.py +1 -0"]);
    day.at("Fri 14:00").await;
    let again: Vec<String> = asked(&forge).into_iter().filter(|path| path.contains("/pulls/13/")).collect();
    assert_eq!(again.len(), 5, "{again:?}");
    assert!(matches!(known(&day, 13).await.asked, Asked::Unanswered { tries: 5, .. }));
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 100).await.unwrap();
    let why = "the forge answered 503".to_owned();
    assert!(log.iter().any(|entry| entry.reason == Reason::FilesUnanswered { why: why.clone() }));
    assert!(log.iter().any(|entry| entry.reason == Reason::FilesTold { files: 1 }));
    assert_eq!(known(&day, 14).await.paths.len(), 2, "what the push listed is not lost");
}

#[tokio::test]
async fn what_the_forge_told_outlives_a_late_push() {
    let forge = Peer::start().await;
    forge.always_answers(
        "/pulls/12",
        200,
        json!([{ "filename": "lms/b.py", "additions": 1, "deletions": 0 }]).to_string(),
    );
    let day = asking("github", &forge).await;
    day.merge("feanil", 12).await;
    for _ in 0..2 {
        push(&day, 12).await;
        assert_eq!(files(&day, 12).await, ["lms/b.py +1 -0"]);
    }
    assert_eq!(asked(&forge).len(), 1);
}

#[tokio::test]
async fn a_comparison_without_end_leaves_the_release_to_merge_order() {
    let forge = Peer::start().await;
    forge.always_answers("/pulls/", 200, "[]");
    forge.always_answers(
        "/compare/",
        200,
        json!({ "total_commits": 1_000_000, "commits": commits("sha", 1, 100) }).to_string(),
    );
    let mut day = asking("github", &forge).await;
    day.merge("usama", 11).await;
    day.deploy("prod", "success", 11).await;
    day.at("Fri 12:10").await.merge("feanil", 12).await;
    let _ = forge.received();
    day.deploy("prod", "success", 12).await;
    assert_eq!(asked(&forge).len(), 40);
    assert_eq!(day.windows("edxapp").await[1], "edx-platform#12 feanil active until Fri 13:10");
    let deployments = day.situation("edxapp").await.deployments;
    let unanswered = |d: &domain::Deployment| matches!(d.carries, domain::Carries::Unanswered { tries: 1, .. });
    assert!(deployments.values().any(|d| unanswered(&d.value)));
}

#[tokio::test]
async fn a_fix_that_was_picked_to_another_branch_goes_live_with_its_copy() {
    let forge = Peer::start().await;
    forge.always_answers("/pulls/", 200, "[]");
    let message = format!("Fix it\n\n(cherry picked from commit {})\n", commit(13));
    let copy = json!({ "sha": commit(900), "commit": { "message": message } });
    forge.always_answers("/compare/", 200, json!({ "total_commits": 1, "commits": [copy] }).to_string());
    let mut day = asking("github", &forge).await;
    day.at("Fri 13:00").await.merge("usama", 11).await;
    day.deploy("prod", "success", 11).await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.at("Fri 14:05").await.merge("usama", 13).await;
    day.at("Fri 14:10").await.deploy("prod", "success", 900).await;
    let windows = day.windows("edxapp").await;
    assert_eq!(windows[1..], ["edx-platform#12 feanil standby", "edx-platform#13 usama active until Fri 15:10"]);
}

#[tokio::test]
async fn without_a_token_or_an_address_nothing_is_asked() {
    let forge = Peer::start().await;
    let address = forge.address.clone();
    let text = format!("{}[senders.gitlab]\napi_url = \"{address}\"\n", configuration(&["edxapp"]));
    let mut day = Stage::with(&text, |c| c.senders.get_mut("github").unwrap().api_url = Some(address)).await;
    day.merge("feanil", 12).await;
    push(&day, 14).await;
    day.deploy("prod", "success", 12).await;
    day.at("Fri 12:30").await.deploy("prod", "success", 14).await;
    assert!(forge.received().is_empty());
    assert_eq!(known(&day, 12).await, Files::default());

    // A token that speaks for other repositories is none for this one.
    let text = format!(
        "{}[senders.gitlab]\napi_token = \"api\"\napi_url = \"{}\"\nrepositories = [\"other/*\"]\n",
        configuration(&["edxapp"]),
        forge.address
    );
    let day = Stage::with(&text, |_| {}).await;
    let (_, cost) = day.cost(on_schedule::ask(&day.house, &["edxapp".parse().unwrap()])).await;
    assert_eq!(cost, [0; 4], "not even the table");
    day.merge("feanil", 12).await;
    assert!(forge.received().is_empty());

    for kind in ["gitea", "bitbucket-server", "azure"] {
        let bound = format!("repositories = [\"{REPOSITORY}\"]");
        let text = format!("{}[senders.{kind}]\napi_token = \"api\"\n{bound}\n", configuration(&["edxapp"]));
        let day = Stage::with(&text, |_| {}).await;
        day.merge("feanil", 12).await;
        assert!(matches!(known(&day, 12).await.asked, Asked::Unanswered { .. }), "{kind}");
        let log = day.house.store.log(&"edxapp".parse().unwrap(), 10).await.unwrap();
        assert!(log.iter().any(|entry| entry.reason.to_string().contains("api_url")), "{kind}: {log:?}");
    }
}

#[tokio::test]
async fn of_several_forges_the_one_with_the_mergers_account_is_asked() {
    let (github, gitlab) = (Peer::start().await, Peer::start().await);
    github.always_answers("GET", 200, "[]");
    let text = format!(
        "{}[senders.gitlab]\napi_token = \"api\"\napi_url = \"{}\"\n",
        configuration(&["edxapp"]),
        gitlab.address
    );
    let address = github.address.clone();
    let day = Stage::with(&text, |c| {
        let source = c.senders.get_mut("github").unwrap();
        (source.api_token, source.api_url) = (Some("api".into()), Some(address));
    })
    .await;
    day.merge("feanil", 12).await;
    assert_eq!((github.received().len(), gitlab.received().len()), (1, 0));
}

#[tokio::test]
async fn many_changes_are_asked_about_in_turn() {
    let forge = Peer::start().await;
    forge.always_answers("GET", 200, json!([{ "filename": "lms/a.py", "additions": 1, "deletions": 0 }]).to_string());
    let day = asking("github", &forge).await;
    for number in 1..=45 {
        let body = day.merged("feanil", number).to_string();
        let headers = recent_deployers::demo::payloads::github_headers("", house_tests::GITHUB_SECRET, body.as_bytes());
        let request = aws::Request::new("POST", "/merge/github", headers, body.into_bytes());
        assert_eq!(day.bundle.route(request).await.status, 200);
    }
    day.bundle.quiesce().await;
    assert_eq!(asked(&forge).len(), 45);
    let situation = day.situation("edxapp").await;
    assert!(situation.files.values().all(|files| files.value.size().is_some()) && situation.files.len() == 45);
}
