//! The revert button, from the page to the pull request and on until the change is taken back: one pull request a change, however
//! often and wherever it is pressed, whatever fails meanwhile.

pub mod fake;

use std::sync::Arc;

use aws::Request;
use aws::links::Action;
use expect_test::expect;
use fake::Fake;
use house_tests::{REPOSITORY, Stage, commit, configuration, time};
use serde_json::{Value, json};

/// A day on which `services` go live from a repository of which this forge opens reverts.
async fn day(kind: &str, forge: &Fake, services: &[&str]) -> Stage {
    let source = format!(
        "\n[senders.forge]\nkind = \"{kind}\"\nsecret = \"hook\"\napi_token = \"api\"\napi_url = \"{}\"\nreverts = true\nrepositories = [\"openedx/*\"]\n",
        forge.address
    );
    Stage::with(&format!("{}{source}", configuration(services)), |_| {}).await
}

/// #1 and #2 are merged by feanil and usama, and live at 12:10.
async fn live(kind: &str, forge: &Fake) -> Stage {
    let mut day = day(kind, forge, &["edxapp"]).await;
    day.merge("anna", 100).await;
    day.deploy("prod", "success", 100).await;
    day.at("Fri 12:05").await.merge("feanil", 1).await;
    day.merge("usama", 2).await;
    day.at("Fri 12:10").await.deploy("prod", "success", 2).await;
    day.heard();
    forge.done();
    day
}

fn revert_of(service: &str, number: u64) -> Action {
    let text = format!("{REPOSITORY}@{}", commit(number));
    Action::Revert(service.parse().unwrap(), aws::keys::parse_change(&text).unwrap())
}

/// `who` presses, and comes to rest; what they are told.
async fn press(day: &Stage, who: &str, number: u64) -> String {
    let link = day.link(revert_of("edxapp", number), who);
    let answer = day.post(&link, vec![("accept".into(), "application/json".into())], b"do=revert").await;
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    format!("{} {}: {}", answer.status, said["title"].as_str().unwrap(), said["text"].as_str().unwrap())
}

/// What the form says before it is pressed: its paragraphs, and whether there is a button.
async fn asked(day: &Stage, who: &str, number: u64) -> String {
    let page = day.get(&day.link(revert_of("edxapp", number), who)).await.body;
    let clean =
        |line: &str| line.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect::<String>();
    let lines = page.lines().filter(|line| line.starts_with("<p>") && !line.contains("href")).map(clean);
    let buttons = ["Revert", "Try again"].into_iter().filter(|label| page.contains(&format!(">{label}</button>")));
    let all: Vec<String> = lines.chain(buttons.map(|label| format!("[{label}]"))).collect();
    all.join("\n").replace("&#x27;", "'")
}

/// The revert pull request is merged by `who` as the forge has it.
async fn merges(day: &Stage, who: &str, pull: &Value) {
    let number = pull["number"].as_u64().unwrap();
    let mut merged = day.merged(who, number);
    merged["pull_request"]["title"] = pull["title"].clone();
    merged["pull_request"]["body"] = pull["body"].clone();
    merged["pull_request"]["user"] = json!({ "login": "recent-deployers[bot]", "type": "Bot" });
    assert_eq!(day.github("/merge/github", &merged).await.status, 200);
}

#[tokio::test]
async fn from_the_page_to_the_change_taken_back_in_one_click_and_nobody_is_paged_for_that() {
    let forge = Fake::start().await;
    let mut day = live("github", &forge).await;
    day.at("Fri 12:20").await.alert("edxapp", "Fri 12:19", false).await;
    // The page says who, and has the button; it is a link of theirs.
    let page = day.texts().into_iter().find(|text| text.contains("PAGE to usama")).unwrap();
    assert!(
        page.contains("Revert: press Revert, which opens the pull request, once. By hand: git revert 0000000000"),
        "{page}"
    );
    let link = page
        .lines()
        .find_map(|line| line.trim().strip_prefix("Revert: https://deployers.example.com"))
        .unwrap()
        .to_owned();
    expect![[r#"
        edx-platform#2 “change number 2” is Usama's in edxapp, live since 17:10 (Asia&#x2f;Karachi).
        Clean, it seems: nothing that was merged later touches the same files.
        One pull request is opened, labelled expedite.
        Nothing is reverted before somebody merges it and it is live. You are told its address.
        [Revert]"#]]
    .assert_eq(&asked(&day, "usama", 2).await.replace("usama", "Usama"));
    assert!(asked(&day, "usama", 1).await.contains("It may conflict: edx-platform#2 touches the same files since."));
    assert!(forge.done().is_empty(), "a GET never acts");
    let answer = day.post(&link, Vec::new(), b"do=revert").await;
    assert!(
        answer.status == 200 && answer.body.contains("The revert of edx-platform#2 is on its way"),
        "{}",
        answer.body
    );
    assert_eq!(forge.done(), ["POST /graphql", "POST /repos/openedx/edx-platform/issues/900/labels"]);
    let pull = forge.pulls().remove(0);
    expect![[r#"
        Revert "change number 2"
        Reverts openedx/edx-platform#2

        This reverts commit 0000000000000000000000000000000000000002.

        Asked for by usama at 2026-03-20 12:20 UTC, by Recent Deployers. Nothing is reverted before this is merged and live.

        <!-- recent-deployers: revert of openedx/edx-platform@0000000000000000000000000000000000000002 -->
    "#]]
    .assert_eq(&format!("{}\n{}", pull["title"].as_str().unwrap(), pull["body"].as_str().unwrap()));
    assert_eq!(pull["labels"], json!(["expedite"]));
    assert_eq!(day.heard(), ["notice to usama: edx-platform#900 reverts edx-platform#2: merge it"]);
    // Whoever presses again, or is paged later, hears where it is.
    let again = press(&day, "anna", 2).await;
    assert!(again.contains("Asked for already: Revert: asked for by usama at 13:20 (Europe/Stockholm). edx-platform#900 has to be merged: https://github.com/openedx/edx-platform/pull/900"), "{again}");
    day.at("Fri 12:25").await;
    let later = day.texts().into_iter().find(|text| text.contains("PAGE to anna")).unwrap();
    assert!(
        later.contains("Revert: asked for by usama at 13:20 (Europe/Stockholm). edx-platform#900 has to be merged"),
        "{later}"
    );
    assert!(forge.done().is_empty());
    // It is merged, by somebody who had nothing to do with it, and live: nobody is paged from then on.
    day.acknowledge("anna").await;
    day.heard();
    merges(&day, "olga", &pull).await;
    day.at("Fri 12:30").await.deploy("prod", "success", 900).await;
    assert_eq!(day.incident("edxapp").await.mitigated.map(|m| m.at), Some(time("Fri 12:30")));
    day.at("Fri 12:46").await;
    let windows = day.windows("edxapp").await;
    assert!(windows.iter().all(|line| !line.starts_with("edx-platform#2 ") || line.ends_with("closed")), "{windows:?}");
    let heard = day.heard();
    expect![[r#"
        notice to olga: Your turn starts: edx-platform#900 is live in edxapp production
        notice to olga: edx-platform#900 is merged: you are on standby for edxapp
        notice to usama: Your turn for edx-platform#2 in edxapp is over"#]]
    .assert_eq(&heard.join("\n"));
    // The press, and the opening, stand in the log with who it was.
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 200).await.unwrap();
    let said: Vec<String> = log
        .iter()
        .rev()
        .filter(|entry| entry.reason.name().starts_with("revert_"))
        .map(|entry| format!("{}: {}", entry.person.as_ref().unwrap(), entry.what))
        .collect();
    let told = "usama: notice to usama: edx-platform#900 reverts edx-platform#2: merge it";
    assert_eq!(
        said[..2],
        ["usama: usama asks to revert edx-platform#2", "usama: edx-platform#900 reverts edx-platform#2"]
    );
    assert!(said.iter().any(|line| line == told), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_press_at_once_and_one_pull_request_is_opened() {
    for racing in [false, true] {
        let forge = Fake::start().await;
        let mut day = live("github", &forge).await;
        if racing {
            day.bundle.house.store = day.bundle.house.store.racing();
        }
        let day = Arc::new(day);
        let mut all = tokio::task::JoinSet::new();
        for n in 0..200_usize {
            let day = Arc::clone(&day);
            all.spawn(async move {
                if n % 10 == 0 {
                    // The clock looks meanwhile, as often as it likes.
                    on_schedule::settle(&day.bundle.house, &"edxapp".parse().unwrap()).await.unwrap();
                }
                let link = day.link(revert_of("edxapp", 2), ["anna", "feanil", "olga", "usama"][n % 4]);
                day.bundle.route(Request::new("POST", &link, Vec::new(), b"do=revert".to_vec())).await
            });
        }
        let answers: Vec<_> = all.join_all().await;
        day.bundle.quiesce().await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", answers.iter().map(|a| a.status).max());
        let first = answers.iter().filter(|answer| answer.body.contains("is on its way")).count();
        let others = answers.iter().filter(|answer| answer.body.contains("Asked for already")).count();
        assert_eq!((first, others), (1, 199), "racing: {racing}");
        day.bundle.tick().await;
        day.bundle.quiesce().await;
        assert_eq!(forge.pulls().len(), 1, "racing: {racing}");
        let asked = forge.done().into_iter().filter(|line| line == "POST /graphql").count();
        assert_eq!(asked, 1, "it was asked for once, too");
    }
}

#[tokio::test]
async fn a_try_that_is_cut_off_behind_the_creation_finds_it() {
    let forge = Fake::start().await;
    let mut day = live("github", &forge).await;
    forge.knows(|known| known.mishaps.push(("POST /graphql", 502, true)));
    assert!(press(&day, "usama", 2).await.starts_with("200 The revert of edx-platform#2 is on its way"));
    assert_eq!((forge.pulls().len(), day.heard().len()), (1, 0), "it is there, and we do not know");
    assert!(
        asked(&day, "usama", 2)
            .await
            .contains("The forge did not answer (the forge answered 502); it is tried again at")
    );
    day.at("Fri 12:12").await;
    assert_eq!(forge.pulls().len(), 1);
    let told = day.texts().join("\n");
    assert!(
        told.contains("edx-platform#900 reverts edx-platform#2: merge it") && told.contains("It was there already."),
        "{told}"
    );
}

#[tokio::test]
async fn whoever_claimed_it_and_died_is_replaced() {
    let forge = Fake::start().await;
    let mut day = live("github", &forge).await;
    // Pressed, claimed, and opened; then the process is gone.
    let house = &day.house;
    let change =
        day.situation("edxapp").await.changes.into_values().find(|c| c.value.label().ends_with("#2")).unwrap().value;
    let now = day.clock.now();
    let mut situation = day.situation("edxapp").await;
    situation.note(domain::Record::Undo(domain::Undo::new(&change, &"usama".parse().unwrap(), now)), 0);
    let settings = house.settings();
    let service = settings.service(&"edxapp".parse().unwrap()).unwrap();
    let (claimed, undo) = domain::undo::claim(&change.id, &situation, service, settings, now);
    house.store.commit(&day.situation("edxapp").await, &claimed, now).await.unwrap();
    let wanted = on_schedule::forges::reverts::Wanted { undo: &undo.unwrap(), by: "usama" };
    let source = on_schedule::forges::Forge::that_reverts(house, &change.id.repository).unwrap();
    assert_eq!(source.revert(&wanted).await.unwrap().number, 900);
    day.at("Fri 12:12").await;
    assert!(day.heard().is_empty(), "somebody is at it");
    day.at("Fri 12:14").await;
    assert_eq!(day.heard(), ["notice to usama: edx-platform#900 reverts edx-platform#2: merge it"]);
    assert_eq!((forge.pulls().len(), day.situation("edxapp").await.undos.len()), (1, 1));
}

#[tokio::test]
async fn a_forge_that_is_down_is_asked_again() {
    let forge = Fake::start().await;
    let mut day = live("github", &forge).await;
    let down = [("/pulls?state=all", 503, false), ("/pulls?state=all", 500, false), ("POST /graphql", 503, false)];
    forge.knows(|known| known.mishaps.extend(down));
    press(&day, "usama", 2).await;
    day.at("Fri 12:16").await;
    assert!(day.heard().is_empty() && forge.pulls().is_empty());
    day.at("Fri 12:18").await;
    assert_eq!(day.heard(), ["notice to usama: edx-platform#900 reverts edx-platform#2: merge it"]);
    assert_eq!(forge.pulls().len(), 1);
}

#[tokio::test]
async fn what_conflicts_is_refused_with_how_to_do_it_by_hand_and_can_be_tried_again() {
    let forge = Fake::start().await;
    let day = live("github", &forge).await;
    forge.knows(|known| known.conflicts = true);
    press(&day, "usama", 1).await;
    let told = day.texts().join("\n");
    assert!(told.contains("edx-platform#1 could not be reverted by one click"), "{told}");
    assert!(told.contains("Later changes are in its way: it conflicts."), "{told}");
    assert!(told.contains(&format!("By hand: git revert {} (a merge commit: -m 1)", commit(1))), "{told}");
    let shown = asked(&day, "anna", 1).await;
    assert!(shown.contains("it conflicts. By hand: git revert") && shown.ends_with("[Try again]"), "{shown}");
    forge.knows(|known| known.conflicts = false);
    assert!(press(&day, "anna", 1).await.starts_with("200 The revert of edx-platform#1 is on its way"));
    assert_eq!(day.heard(), ["notice to anna: edx-platform#900 reverts edx-platform#1: merge it"]);
}

#[tokio::test]
async fn one_that_somebody_opened_at_the_forge_is_taken_and_one_from_a_fork_is_not() {
    for (home, number) in [("openedx/edx-platform", 77), ("mallory/edx-platform", 901)] {
        let forge = Fake::start().await;
        let day = live("github", &forge).await;
        forge.knows(|known| {
            known.pulls.push(json!({
                "number": 77, "node_id": "PR_77", "state": "open", "title": "Revert \"change number 2\"",
                "body": "Reverts openedx/edx-platform#2", "html_url": "https://github.com/openedx/edx-platform/pull/77",
                "head": { "sha": commit(77), "repo": { "full_name": home } }, "base": { "repo": { "full_name": "openedx/edx-platform" } },
            }));
        });
        press(&day, "usama", 2).await;
        assert_eq!(day.heard(), [format!("notice to usama: edx-platform#{number} reverts edx-platform#2: merge it")]);
    }
}

#[tokio::test]
async fn one_of_ours_that_was_closed_without_being_merged_reverts_nothing() {
    for (kind, closed) in
        [("github", ("state", "closed")), ("gitlab", ("state", "closed")), ("azure", ("status", "abandoned"))]
    {
        let forge = Fake::start().await;
        let mut day = live(kind, &forge).await;
        forge.knows(|known| known.merged_as = json!({ "merge_commit_sha": commit(2) }));
        // It is made, nobody hears that, and somebody closes it.
        let part = match kind {
            "github" => "POST /graphql",
            "gitlab" => "POST /projects/openedx%2Fedx-platform/merge_requests",
            _ => "/pullrequests?api",
        };
        forge.knows(|known| known.mishaps.push((part, 502, true)));
        press(&day, "usama", 2).await;
        assert_eq!(forge.pulls().len(), 1, "{kind}");
        forge.knows(|known| known.pulls[0][closed.0] = json!(closed.1));
        day.at("Fri 12:12").await;
        assert_eq!(day.heard(), ["notice to usama: edx-platform#901 reverts edx-platform#2: merge it"], "{kind}");
        assert_eq!(forge.pulls().len(), 2, "{kind}");
    }
}

#[tokio::test]
async fn a_change_in_two_services_has_one_revert_and_both_know_it() {
    let forge = Fake::start().await;
    let mut day = day("github", &forge, &["edxapp", "cms"]).await;
    day.merge("usama", 2).await;
    day.at("Fri 12:10").await.deploy("prod", "success", 2).await;
    day.heard();
    for (who, service) in [("usama", "edxapp"), ("anna", "cms"), ("olga", "edxapp")] {
        let link = day.link(revert_of(service, 2), who);
        assert_eq!(day.bundle.route(Request::new("POST", &link, Vec::new(), b"do=revert".to_vec())).await.status, 200);
    }
    day.bundle.quiesce().await;
    assert_eq!(forge.pulls().len(), 1);
    assert_eq!(day.heard(), ["notice to usama: edx-platform#900 reverts edx-platform#2: merge it"]);
    for service in ["edxapp", "cms"] {
        let known = day.situation(service).await.undos.into_values().next().unwrap().value;
        assert_eq!(known.opened().unwrap().1, "edx-platform#900", "{service}");
    }
}

#[tokio::test]
async fn in_a_freeze_it_is_asked_to_let_it_pass() {
    let forge = Fake::start().await;
    let day = live("github", &forge).await;
    let link = day.link(Action::Freezes, "olga");
    let form = "do=freeze&name=Cyber+Monday&preset=peak-event&from=2026-03-20+12:00&until=2026-03-24+00:00&zone=UTC";
    assert_eq!(day.post(&link, Vec::new(), form.as_bytes()).await.status, 200);
    day.bundle.tick().await;
    day.bundle.quiesce().await;
    day.heard();
    let shown = asked(&day, "usama", 2).await;
    assert!(shown.contains("and the freeze that holds is asked to let it pass."), "{shown}");
    press(&day, "usama", 2).await;
    let told = day.texts().join("\n");
    assert!(told.contains("A freeze holds: it is asked to let it pass, and you hear who signs."), "{told}");
    let lane = day.situation("freezes").await.expedites.into_values().next().unwrap().value;
    let said = (lane.number, lane.by.as_str(), lane.reason.as_str(), lane.head.unwrap().to_string());
    assert_eq!(said, (900, "usama", "revert of edx-platform#2", format!("{:040x}", 900)));
}

#[tokio::test]
async fn nobody_outside_presses_and_nothing_else_is_done_by_the_link() {
    let forge = Fake::start().await;
    let day = live("github", &forge).await;
    let link = day.link(revert_of("edxapp", 2), "usama");
    for (path, form, status) in [
        (link.clone(), "do=take", 400),
        (link.replace("/usama/", "/olga/"), "do=revert", 403),
        (link.replace("/revert/", "/hand-over/"), "do=revert", 403),
        (day.link(revert_of("freezes", 2), "usama"), "do=revert", 403),
        (day.link(revert_of("nowhere", 2), "usama"), "do=revert", 404),
        (day.link(revert_of("edxapp", 3), "usama"), "do=revert", 409),
    ] {
        assert_eq!(day.post(&path, Vec::new(), form.as_bytes()).await.status, status, "{path}");
    }
    assert!(forge.done().is_empty() && day.situation("edxapp").await.undos.is_empty());
    // Without `reverts` nobody is offered it, and whoever presses all the same hears how it is done by hand.
    let mut without = Stage::new().await;
    without.merge("usama", 2).await;
    without.at("Fri 12:10").await.deploy("prod", "success", 2).await;
    let told = without.texts().join("\n");
    assert!(told.contains("Revert: press Revert on https://github.com/openedx/edx-platform/pull/2"), "{told}");
    assert!(!told.contains("deployers.example.com/revert/"), "{told}");
    let said = press(&without, "usama", 2).await;
    assert!(
        said.starts_with("409 Nothing was done: No source has `reverts = true`") && said.contains("git revert"),
        "{said}"
    );
}

#[tokio::test]
async fn gitlab_tries_it_first_and_goes_on_where_it_was_cut_off() {
    let project = "/projects/openedx%2Fedx-platform";
    let (revert, branches) = (
        format!("POST {project}/repository/commits/{}/revert", commit(2)),
        format!("POST {project}/repository/branches"),
    );
    let whole = json!({ "merge_commit_sha": commit(2) });
    let (requests, label) = (format!("POST {project}/merge_requests"), format!("PUT {project}/merge_requests/900"));
    let forge = Fake::start().await;
    let day = live("gitlab", &forge).await;
    forge.knows(|known| known.merged_as = whole.clone());
    press(&day, "usama", 2).await;
    assert_eq!(forge.done(), [&revert, &branches, &revert, &requests, &label].map(String::clone));
    let request = forge.pulls().remove(0);
    assert_eq!((&request["labels"], &request["target_branch"]), (&json!("expedite"), &json!("master")));
    assert!(request["description"].as_str().unwrap().starts_with("Reverts !2\n\nThis reverts commit 0"), "{request}");
    assert_eq!(day.heard(), ["notice to usama: edx-platform#900 reverts edx-platform#2: merge it"]);
    // Cut off at each step it ends the same.
    for part in ["/repository/branches", "000002/revert", "POST /projects/openedx%2Fedx-platform/merge_requests"] {
        for done in [false, true] {
            let forge = Fake::start().await;
            let mut day = live("gitlab", &forge).await;
            forge.knows(|known| {
                known.merged_as = whole.clone();
                known.mishaps.push((part, 500, done));
            });
            press(&day, "usama", 2).await;
            day.at("Fri 12:15").await;
            assert_eq!(day.heard().len(), 1, "{part} {done}");
            assert_eq!(forge.pulls().len(), 1, "{part} {done}");
        }
    }
    // What it does not do is said.
    for (merged_as, commits, conflicts, want) in [
        (whole.clone(), 1, true, "Later changes are in its way: it conflicts."),
        (
            json!({ "sha": commit(2) }),
            2,
            false,
            "It was merged as several commits, which the forge does not take back as one.",
        ),
        (json!({ "squash_commit_sha": commit(2) }), 3, false, "edx-platform#900 reverts edx-platform#2: merge it"),
        (json!({ "sha": commit(2) }), 1, false, "edx-platform#900 reverts edx-platform#2: merge it"),
    ] {
        let forge = Fake::start().await;
        let day = live("gitlab", &forge).await;
        forge.knows(|known| (known.merged_as, known.commits, known.conflicts) = (merged_as, commits, conflicts));
        press(&day, "usama", 2).await;
        let told = day.texts().join("\n");
        assert!(told.contains(want), "{told}");
        assert!(!conflicts || forge.knows(|known| known.branches.is_empty()), "it was only tried");
    }
}

#[tokio::test]
async fn azure_makes_a_branch_and_a_pull_request_of_it() {
    let forge = Fake::start().await;
    let day = live("azure", &forge).await;
    press(&day, "usama", 2).await;
    let home = "/openedx/_apis/git/repositories/edx-platform";
    let want = ["reverts", "pullrequests", "pullRequests/900/labels"].map(|rest| format!("POST {home}/{rest}"));
    assert_eq!(forge.done(), want);
    let pull = forge.pulls().remove(0);
    assert_eq!(
        (&pull["targetRefName"], &pull["labels"]),
        (&json!("refs/heads/master"), &json!([{ "name": "expedite" }]))
    );
    assert_eq!(pull["sourceRefName"], "refs/heads/recent-deployers/revert-000000000000");
    assert_eq!(day.heard(), ["notice to usama: edx-platform#900 reverts edx-platform#2: merge it"]);
    for done in [false, true] {
        let forge = Fake::start().await;
        let mut day = live("azure", &forge).await;
        forge.knows(|known| known.mishaps.push(("/pullrequests?api", 503, done)));
        press(&day, "usama", 2).await;
        day.at("Fri 12:15").await;
        assert_eq!((day.heard().len(), forge.pulls().len()), (1, 1), "{done}");
    }
    let forge = Fake::start().await;
    let day = live("azure", &forge).await;
    forge.knows(|known| known.conflicts = true);
    press(&day, "usama", 2).await;
    let told = day.texts().join("\n");
    assert!(told.contains("Later changes are in its way: it conflicts.") && forge.pulls().is_empty(), "{told}");
}
