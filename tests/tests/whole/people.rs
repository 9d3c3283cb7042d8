//! PRODUCT.md's stories about people, from the wire to whoever hears of it, in virtual time: who is asked, who answers,
//! what happens to a queue that stalls, what people do by link and by command.

use domain::Attendance;
use house_tests::{REPOSITORY, Stage};
use recent_deployers::hands::{Hands, HandsError};
use recent_deployers::server::{self, Board};
use recent_deployers::wish::Wish;
use serde_json::json;
use tokio::net::TcpListener;

/// edxapp works Monday to Friday 09:00-17:00 in Stockholm, usama 12:00-21:00 in Karachi; carol is from outside.
fn configuration() -> String {
    house_tests::configuration(&["edxapp"])
        .replace("[people.usama]\n", "[people.usama]\nhours = \"Mon-Fri 12:00-21:00\"\n")
        .replace(
            "[services.edxapp]\n",
            "[services.edxapp]\nzone = \"Europe/Stockholm\"\nhours = \"Mon-Fri 09:00-17:00\"\n",
        )
        + "[people.carol]\nzone = \"America/Chicago\"\ngithub = [\"carol\"]\ncontacts = [\"terminal\"]\n\
           champions = [\"feanil\", \"usama\"]\n"
}

async fn stage() -> Stage {
    Stage::with(&configuration(), |_| {}).await
}

/// The newest link of this label that was sent to this person.
fn link(texts: &[String], to: &str, label: &str) -> String {
    let ours = texts.iter().rev().filter(|t| t.lines().next().unwrap().contains(&format!(" to {to} ")));
    let found = ours.flat_map(|t| t.lines()).find_map(|l| l.trim().strip_prefix(&format!("{label}: ")));
    found
        .unwrap_or_else(|| panic!("no {label} was sent to {to}: {texts:?}"))
        .replace("https://deployers.example.com", "")
}

async fn attendance(stage: &Stage) -> Attendance {
    let situation = stage.situation("edxapp").await;
    let service = stage.house.settings().service(&situation.service).unwrap();
    let all = domain::window::windows(&situation, service, &stage.house.settings().roster, stage.clock.now());
    all[0].attendance.clone()
}

#[tokio::test]
async fn story_3_a_contributor_from_outside_merges_on_saturday_and_a_champion_answers() {
    let mut day = stage().await;
    day.at("Sat 14:00").await.merge("carol", 12).await;
    let heard = day.texts();
    assert!(heard.iter().any(|t| t.contains("notice to feanil") && t.contains("do you take the pager")), "{heard:?}");
    assert!(heard.iter().any(|t| t.contains("notice to carol") && t.contains("thank you")), "{heard:?}");
    day.at("Sat 14:16").await;
    let asked = day.texts();
    let second = link(&asked, "usama", "Take it, or not");
    assert_eq!(day.post(&second, vec![], b"do=take").await.status, 200);
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 usama standby"]);
    day.deploy("prod", "success", 12).await;
    day.alert("edxapp", "Sat 14:20", false).await;
    let pages: Vec<String> = day.heard().into_iter().filter(|l| l.starts_with("PAGE")).collect();
    assert_eq!(pages, ["PAGE to usama: [critical] edxapp production: HighErrorRate"], "nobody pages the contributor");
}

#[tokio::test]
async fn story_3_with_no_champion_reachable_the_rotation_is_forewarned_and_holds_it() {
    let mut day = stage().await;
    day.at("Sat 14:00").await.merge("carol", 12).await;
    day.at("Sat 14:31").await;
    let heard = day.heard();
    assert!(
        heard.contains(&"notice to anna: Be warned: edx-platform#12 was merged on the weekend, unattended".to_owned()),
        "{heard:?}"
    );
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 anna standby"]);
}

#[tokio::test]
async fn story_4_the_colleague_whose_day_is_our_night_is_not_asked_and_reads_their_own_time() {
    let mut day = stage().await;
    // Monday 12:30 in Karachi is 08:30 in Stockholm: nobody else is at work.
    day.at("Mon 07:30").await.merge("usama", 12).await;
    assert_eq!(attendance(&day).await, Attendance::NotAsked);
    assert_eq!(day.heard(), ["notice to usama: edx-platform#12 is merged: you are on standby for edxapp"]);
    day.deploy("prod", "success", 12).await;
    let text = day.texts().join("\n");
    assert!(text.contains("You are paged first until 13:30 (Asia/Karachi)"), "{text}");
}

#[tokio::test]
async fn story_5_an_off_hours_merge_breaks_production_and_only_who_took_the_risk_is_woken() {
    let mut night = stage().await;
    night.at("Fri 22:40").await.merge("feanil", 12).await;
    let asked = night.texts();
    let take = link(&asked, "feanil", "Take it, or not");
    let shown = night.get(&take).await;
    assert!(
        shown.body.contains("Take the pager for edx-platform#12?") && shown.body.contains("I cannot"),
        "{}",
        shown.body
    );
    assert!(matches!(attendance(&night).await, Attendance::Asking { .. }), "a GET never acts");
    assert_eq!(night.post(&take, vec![], b"do=take").await.status, 200);
    let again = night.post(&take, vec![], b"do=take").await;
    assert!(again.status == 200 && again.body.contains("Nothing to do"), "{}", again.body);
    night.deploy("prod", "success", 12).await;
    night.at("Fri 22:50").await.alert("edxapp", "Fri 22:50", false).await;
    let pages = |stage: &Stage| stage.heard().into_iter().filter(|l| l.starts_with("PAGE")).collect::<Vec<_>>();
    assert_eq!(pages(&night), ["PAGE to feanil: [critical] edxapp production: HighErrorRate"]);
    night.at("Fri 22:53").await;
    assert!(pages(&night).is_empty(), "the rotation sleeps");
    night.at("Fri 22:55").await;
    assert_eq!(
        pages(&night),
        ["PAGE to anna: [critical] edxapp production: HighErrorRate"],
        "and somebody always answers"
    );
}

#[tokio::test]
async fn story_5_unanswered_the_change_is_unattended_and_the_merger_is_still_paged_first() {
    let mut night = stage().await;
    night.at("Fri 22:40").await.merge("feanil", 12).await;
    night.at("Fri 22:56").await;
    let heard = night.heard();
    assert!(
        heard.contains(
            &"notice to anna: Be warned: edx-platform#12 was merged outside working hours, unattended".to_owned()
        ),
        "{heard:?}"
    );
    assert!(night.get("/services/edxapp").await.body.contains("unattended"));
    night.deploy("prod", "success", 12).await;
    night.heard();
    night.alert("edxapp", "Fri 22:56", false).await;
    assert_eq!(night.heard(), ["PAGE to feanil: [critical] edxapp production: HighErrorRate"]);
}

#[tokio::test]
async fn story_7_a_pipeline_that_fails_twice_and_is_paused_overnight_starts_nobodys_turn() {
    let mut day = stage().await;
    let desk = Desk::open(&day).await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    for minute in ["Fri 14:20", "Fri 14:50"] {
        let at = &mut day;
        let mut failed = at.at(minute).await.deployed("stage", "failure", 12);
        failed["deployment"]["id"] = json!(minute.len() as i64 + at.clock.now().as_second());
        at.github("/deploy/github", &failed).await;
    }
    desk.act("olga", &Wish::Pause { why: "flaky <e2e>".into(), how_long: None }, &day).await.unwrap();
    day.heard();
    let board = day.get("/services/edxapp").await.body;
    assert!(board.contains("The pipeline is paused since 14:50 by olga: flaky &lt;e2e&gt;."), "{board}");
    day.at("Sat 08:00").await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil standby"]);
    assert_eq!(day.heard(), [""; 0], "nobody's turn begins, nobody is paged");
    desk.act("olga", &Wish::Resume, &day).await.unwrap();
    day.at("Sat 09:00").await.deploy("prod", "success", 12).await;
    assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil active until Sat 10:00"], "the turn starts now");
}

#[tokio::test]
async fn story_8_in_manual_mode_people_take_the_pager_by_one_command_and_everybody_sees_it() {
    let text = house_tests::configuration(&["edxapp"])
        .replace("[services.edxapp]\n", "[services.edxapp]\nmode = \"manual\"\n");
    let mut day = Stage::with(&text, |_| {}).await;
    let desk = Desk::open(&day).await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    day.at("Fri 14:05").await.alert("edxapp", "Fri 14:05", false).await;
    assert_eq!(day.heard(), [""; 0], "nothing is automatic");
    let said =
        desk.act("feanil", &Wish::Take { person: None, how_long: "2 h".into(), from: None }, &day).await.unwrap();
    assert_eq!(said, "On call. feanil has the pager of edxapp; the board shows it.");
    let board = day.get("/services/edxapp").await.body;
    assert!(board.contains("feanil has the pager until 16:05"), "{board}");
    day.at("Fri 14:15").await.alert("edxapp", "Fri 14:05", true).await;
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 10).await.unwrap();
    assert!(log.iter().any(|e| e.what == "[critical] edxapp production: HighErrorRate, over after 10 min"), "{log:?}");
    assert!(log.iter().any(|e| e.reason.name() == "manual_mode"), "why nobody was paged");
}

#[tokio::test]
async fn a_drill_goes_the_whole_way_and_says_that_it_is_one() {
    let day = Stage::new().await;
    let desk = Desk::open(&day).await;
    let said = desk.act("olga", &Wish::Drill { person: Some("anna".into()) }, &day).await.unwrap();
    assert_eq!(said, "On its way. A test page goes to anna; the log says who took it.");
    assert_eq!(day.heard(), ["PAGE to anna: DRILL: a test page for edxapp"]);
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 5).await.unwrap();
    assert!(log.iter().any(|e| e.reason.name() == "accepted_by"), "{log:?}");
    let refused = desk.act("olga", &Wish::Drill { person: Some("nobody".into()) }, &day).await.unwrap_err();
    assert!(refused.to_string().contains("Nobody in the roster is called nobody"), "{refused}");
}

#[tokio::test]
async fn a_window_is_handed_over_by_command_and_the_colleague_is_paged() {
    let mut day = stage().await;
    let desk = Desk::open(&day).await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    day.deploy("prod", "success", 12).await;
    day.heard();
    let to = |change: &str, to: &str| Wish::HandOver { change: change.into(), to: to.into() };
    assert!(
        desk.act("feanil", &to(&house_tests::commit(12)[..5], "olga"), &day).await.is_err(),
        "too short to name one"
    );
    desk.act("feanil", &to("#12", "olga"), &day).await.unwrap();
    let heard = day.heard();
    assert!(heard.contains(&"notice to olga: feanil handed edx-platform#12 over to you".to_owned()), "{heard:?}");
    day.alert("edxapp", "Fri 14:00", false).await;
    assert_eq!(day.heard(), ["PAGE to olga: [critical] edxapp production: HighErrorRate"]);
    let unknown = desk.act("feanil", &to("#99", "olga"), &day).await.unwrap_err();
    assert_eq!(unknown.to_string(), "not one change of edxapp is called #99; there are edx-platform#12");
    let nobody = desk.act("feanil", &to("#12", "ghost"), &day).await.unwrap_err();
    assert_eq!(nobody.to_string(), "Nothing was done. Nobody in the roster is called ghost.");
    assert!(matches!(desk.act("ghost", &Wish::GiveBack, &day).await, Err(HandsError::Nobody(_))));
    let person = day.get("/people/olga").await.body;
    assert!(person.contains("edx-platform#12") && person.contains("on call"), "{person}");
    let who = desk.hands(&day).who(None).await.unwrap();
    assert!(who.contains("edx-platform#12          olga                 on call until 2026-03-20T18:00:00Z"), "{who}");
}

#[tokio::test]
async fn a_link_allows_its_own_action_only_and_bad_forms_do_nothing() {
    let mut night = stage().await;
    night.at("Fri 22:40").await.merge("feanil", 12).await;
    let take = link(&night.texts(), "feanil", "Take it, or not");
    for (path, form, status) in [
        (take.clone(), &b"do=hand-over&to=anna"[..], 400),
        (take.clone(), b"", 400),
        (take.clone(), b"do=%ff%00&&&=", 400),
        (take.replace("/answer/", "/hand-over/"), b"do=hand-over&to=anna", 403),
        (take.replace("/feanil/", "/anna/"), b"do=take", 403),
    ] {
        let answer = night.post(&path, vec![], form).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    assert!(matches!(attendance(&night).await, Attendance::Asking { .. }), "nothing was done");
}

#[tokio::test]
async fn in_a_monorepo_a_change_opens_a_window_where_its_files_are_whichever_report_comes_first() {
    let text = house_tests::configuration(&["lms", "cms"]).replacen(
        &format!("{{ name = \"{REPOSITORY}\" }}"),
        &format!("{{ name = \"{REPOSITORY}\", paths = [\"/lms/\"] }}"),
        1,
    );
    let text = text.replacen(
        &format!("{{ name = \"{REPOSITORY}\" }}"),
        &format!("{{ name = \"{REPOSITORY}\", paths = [\"/cms/\"] }}"),
        1,
    );
    for push_first in [true, false] {
        let mut day = Stage::with(&text, |_| {}).await;
        day.at("Fri 14:00").await;
        let merged = day.merged("feanil", 12);
        let push = json!({
            "ref": "refs/heads/master", "before": "0".repeat(40), "created": false, "deleted": false,
            "head_commit": { "id": house_tests::commit(12), "message": "change number 12 (#12)", "timestamp": "2026-03-20T14:00:00Z",
                "author": { "username": "feanil" }, "committer": { "username": "web-flow" } },
            "commits": [{ "added": ["lms/a.py"], "removed": [], "modified": ["docs/b.md"] }],
            "pusher": { "name": "feanil" },
            "repository": { "full_name": REPOSITORY, "default_branch": "master", "pushed_at": 1_774_015_200 }
        });
        let reports = if push_first { [&push, &merged] } else { [&merged, &push] };
        for report in reports {
            assert_eq!(day.github("/merge/github", report).await.status, 200);
        }
        day.at("Fri 14:01").await;
        assert_eq!(day.windows("lms").await, ["edx-platform#12 feanil standby"], "push first: {push_first}");
        assert_eq!(day.windows("cms").await, ["edx-platform#12 feanil closed"], "push first: {push_first}");
        day.deploy("prod", "success", 12).await;
        day.alert("cms", "Fri 14:05", false).await;
        assert!(day.incident("cms").await.suspects.is_empty(), "what does not touch a service is no suspect there");
        day.at("Sat 14:02").await;
        assert_eq!(day.windows("cms").await, [""; 0]);
        assert!(
            day.house.store.situation(&"cms".parse().unwrap()).await.unwrap().files.is_empty(),
            "nothing is left behind"
        );
    }
}

#[tokio::test]
async fn a_dependency_bump_is_answered_for_by_who_approved_it_whichever_news_comes_first() {
    for approved_first in [true, false] {
        let day = stage().await;
        let mut merged = day.merged("renovate[bot]", 12);
        merged["pull_request"]["merged_by"]["login"] = json!("github-actions[bot]");
        let approval = json!({
            "action": "submitted",
            "review": { "state": "approved", "user": { "login": "Feanil" }, "submitted_at": day.clock.now() },
            "pull_request": { "number": 12, "user": { "login": "renovate[bot]" } },
            "repository": { "full_name": REPOSITORY }
        });
        let reports = if approved_first { [&approval, &merged] } else { [&merged, &approval] };
        day.github("/merge/github", reports[0]).await;
        if !approved_first {
            assert_eq!(day.windows("edxapp").await, ["edx-platform#12 olga standby"], "so far the owner answers");
        }
        day.github("/merge/github", reports[1]).await;
        assert_eq!(day.windows("edxapp").await, ["edx-platform#12 feanil standby"], "approved first: {approved_first}");
    }
    let day = stage().await;
    let persons = json!({
        "action": "submitted",
        "review": { "state": "approved", "user": { "login": "anna" }, "submitted_at": "2026-03-20T12:00:00Z" },
        "pull_request": { "number": 13, "user": { "login": "feanil" } },
        "repository": { "full_name": REPOSITORY }
    });
    let answer = day.github("/merge/github", &persons).await;
    assert!(answer.body.contains("approval_noted"), "{}", answer.body);
}

#[tokio::test]
async fn a_deployment_that_should_wait_says_until_when_on_the_board_and_in_the_question() {
    let text = configuration().replace(
        "[services.edxapp.environments.production]",
        "[services.edxapp.policy]\noff_hours = \"hold\"\n[services.edxapp.environments.production]",
    );
    let mut night = Stage::with(&text, |_| {}).await;
    night.at("Fri 22:40").await.merge("feanil", 12).await;
    let asked = night.texts().join("\n");
    assert!(asked.contains("Its deployment should wait until 2026-03-23 04:00 (America/New_York)"), "{asked}");
    let board = night.get("/services/edxapp").await.body;
    assert!(board.contains("its deployment should wait until Mon 08:00"), "{board}");
    // Story 4: whose day is our night is held until their own morning, not until ours; and by day not at all.
    let mut night = Stage::with(&text, |_| {}).await;
    night.at("Mon 18:30").await.merge("usama", 12).await;
    let asked = night.texts().join("\n");
    assert!(asked.contains("Its deployment should wait until 2026-03-24 12:00 (Asia/Karachi)"), "{asked}");
    let mut day = Stage::with(&text, |_| {}).await;
    day.at("Mon 07:30").await.merge("usama", 12).await;
    let told = day.texts().join("\n");
    assert!(told.contains("on standby") && !told.contains("should wait"), "{told}");
}

#[tokio::test]
async fn squads_hear_of_incidents_as_they_wish_and_of_the_most_severe_all_the_same() {
    let squads = "[people.mia]\nzone = \"Europe/Paris\"\ncontacts = [\"terminal\"]\n\
        [people.noa]\nzone = \"Europe/Paris\"\ncontacts = [\"terminal\"]\n\
        [people.tim]\nzone = \"Europe/Paris\"\ncontacts = [\"terminal\"]\n\
        [squads.teaching]\nmembers = [\"mia\"]\nwish = \"mine\"\npaths = [\"/lms/\"]\n\
        [squads.later]\nmembers = [\"tim\"]\nwish = \"after-escalation\"\npaths = [\"/lms/\"]\n\
        [squads.quiet]\nmembers = [\"noa\"]\nwish = \"none\"\npaths = [\"/lms/\"]\n";
    let text = house_tests::configuration(&["edxapp"]) + squads;
    let mut day = Stage::with(&text, |_| {}).await;
    day.at("Fri 14:00").await.merge("feanil", 12).await;
    let mut push = json!({
        "ref": "refs/heads/master", "before": "0".repeat(40), "created": false, "deleted": false,
        "head_commit": { "id": house_tests::commit(12), "message": "change number 12 (#12)", "timestamp": "2026-03-20T14:00:00Z" },
        "commits": [{ "added": ["lms/a.py"] }], "pusher": { "name": "feanil" },
        "repository": { "full_name": REPOSITORY, "default_branch": "master" }
    });
    push["head_commit"]["committer"] = json!({ "username": "web-flow" });
    day.github("/merge/github", &push).await;
    day.deploy("prod", "success", 12).await;
    day.heard();
    let mut alert = day.alerting("edxapp", "Fri 14:05", false);
    alert["alerts"][0]["labels"]["severity"] = json!("warning");
    day.at("Fri 14:05").await;
    let headers = || recent_deployers::demo::payloads::token_headers(house_tests::TOKEN);
    day.post("/alert/alertmanager", headers(), alert.to_string().as_bytes()).await;
    let title = "[warning] edxapp production: HighErrorRate";
    assert_eq!(day.heard(), [format!("PAGE to feanil: {title}"), format!("notice to mia: {title}")]);
    day.at("Fri 14:10").await;
    assert_eq!(day.heard(), [format!("PAGE to anna: {title}"), format!("notice to tim: {title}")], "nobody answered");
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 50).await.unwrap();
    let said: Vec<&str> = log.iter().filter(|e| e.reason.name() == "squads_wishes").map(|e| e.what.as_str()).collect();
    assert_eq!(said, ["later hears of it", "later does not, quiet does not, teaching hears of it"]);
    alert["alerts"][0]["labels"]["severity"] = json!("critical");
    alert["alerts"][0]["fingerprint"] = json!("another");
    day.post("/alert/alertmanager", headers(), alert.to_string().as_bytes()).await;
    assert_eq!(day.heard(), ["notice to noa: [critical] edxapp production: HighErrorRate"], "never hidden");
}

/// A running server, for commands.
struct Desk {
    address: String,
}

impl Desk {
    async fn open(stage: &Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server::serve(listener, stage.bundle.clone(), Board::ThisMachine, std::future::pending()));
        Self { address }
    }

    fn hands<'a>(&self, stage: &'a Stage) -> Hands<'a> {
        let (configuration, secrets) = (&stage.house.configuration, &stage.house.secrets);
        Hands { configuration, secrets, address: self.address.clone(), now: stage.clock.now() }
    }

    async fn act(&self, me: &str, wish: &Wish, stage: &Stage) -> Result<String, HandsError> {
        let said = self.hands(stage).act("edxapp", me, wish).await;
        stage.bundle.quiesce().await;
        said
    }
}
