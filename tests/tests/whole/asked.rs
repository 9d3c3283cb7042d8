//! What the page of a link says before anything is done by it, however things stand by then: a link is followed hours after it was
//! sent, by whoever it was sent to.

use aws::links::Action;
use domain::{FreezeId, PersonId, Repository, ServiceId};
use house_tests::peer::Peer;
use house_tests::{REPOSITORY, Stage, commit, configuration};
use serde_json::json;

use crate::incidents::text_of;

async fn shows(stage: &Stage, who: &str, action: &Action) -> (u16, String) {
    let page = stage.get(&stage.link(action.clone(), who)).await;
    (page.status, text_of(&page.body))
}

async fn says(stage: &Stage, who: &str, action: &Action, form: &str) -> (u16, String) {
    let said = stage.post(&stage.link(action.clone(), who), Vec::new(), form.as_bytes()).await;
    (said.status, text_of(&said.body))
}

fn holds(page: &(u16, String), parts: &[&str], not: &[&str]) {
    assert_eq!(page.0, 200, "{}", page.1);
    for part in parts {
        assert!(page.1.contains(part), "not said: {part}\n{}", page.1);
    }
    for part in not {
        assert!(!page.1.contains(part), "said: {part}\n{}", page.1);
    }
}

fn fix(number: u64) -> Action {
    let repository: Repository = REPOSITORY.parse().unwrap();
    Action::Expedite(repository, number)
}

fn edxapp() -> ServiceId {
    "edxapp".parse().unwrap()
}

/// A freeze by somebody's word, in which an approver and the rotation have to sign.
async fn cyber_monday() -> Stage {
    let mut monday = Stage::with(&configuration(&["edxapp"]), |_| {}).await;
    let form = "do=freeze&name=Cyber+Monday&preset=peak-event&from=2026-03-23+00:00&until=2026-03-25+00:00&zone=Europe/London&freeze=cyber";
    assert_eq!(says(&monday, "olga", &Action::Freezes, form).await.0, 200);
    monday.at("Mon 12:00").await;
    monday
}

#[tokio::test]
async fn a_fix_is_shown_as_it_stands_to_whoever_asks_or_signs() {
    let mut monday = cyber_monday().await;
    holds(
        &shows(&monday, "feanil", &fix(7)).await,
        &[
            "Let edx-platform#7 pass the freeze?",
            "Nobody has asked yet. Whoever asks has the pager",
            "Why it cannot wait",
            "Let it pass",
        ],
        &["Sign"],
    );
    assert_eq!(says(&monday, "feanil", &fix(7), "do=expedite&why=checkout+fails").await.0, 200);
    let offers = &["feanil asks, at ", "Why: checkout fails.", "It waits for an approver."][..];
    holds(&shows(&monday, "feanil", &fix(7)).await, &[offers, &["Say why", "Take it back"]].concat(), &["Sign"]);
    holds(
        &shows(&monday, "olga", &fix(7)).await,
        &[offers, &["Sign: it may pass", "It may not"]].concat(),
        &["Take it back"],
    );
    holds(&shows(&monday, "usama", &fix(7)).await, offers, &["Sign", "Take it back", "Ask again"]);
    assert_eq!(says(&monday, "olga", &fix(7), "do=sign").await.0, 200);
    holds(
        &shows(&monday, "anna", &fix(7)).await,
        &["olga signed as approver at ", "It waits for somebody of the rotation.", "Sign: it may pass"],
        &[],
    );
    assert_eq!(says(&monday, "anna", &fix(7), "do=sign").await.0, 200);
    holds(
        &shows(&monday, "feanil", &fix(7)).await,
        &["anna signed for the rotation at ", "It may pass until ", "Take it back"],
        &["Ask again"],
    );
    assert_eq!(says(&monday, "feanil", &fix(7), "do=withdraw").await.0, 200);
    holds(&shows(&monday, "feanil", &fix(7)).await, &["It was taken back.", "Ask again"], &["Take it back", "Sign"]);
    // Another is refused, a third forgotten.
    for number in [8, 9] {
        assert_eq!(says(&monday, "feanil", &fix(number), "do=expedite&why=a+typo").await.0, 200);
    }
    assert_eq!(says(&monday, "olga", &fix(8), "do=refuse&why=it+can+wait").await.0, 200);
    holds(&shows(&monday, "olga", &fix(8)).await, &["olga refused it: it can wait.", "Ask again"], &["Sign"]);
    monday.at("Tue 12:01").await;
    holds(
        &shows(&monday, "olga", &fix(9)).await,
        &["Too much time has passed: it has to be asked for again."],
        &["Sign"],
    );
    let unread = says(&monday, "olga", &fix(9), "do=dance").await;
    assert_eq!(unread.0, 400, "{}", unread.1);
}

#[tokio::test]
async fn a_freeze_is_shown_with_its_end_to_whoever_may_end_it() {
    let monday = cyber_monday().await;
    let freeze: FreezeId = "cyber".parse().unwrap();
    let of = Action::Freeze(freeze);
    holds(&shows(&monday, "feanil", &of).await, &["The freeze Cyber Monday", "End it now"], &[]);
    let other = says(&monday, "feanil", &of, "do=freeze&name=x").await;
    assert_eq!(other.0, 400, "this link ends one and does nothing else: {}", other.1);
    holds(&says(&monday, "feanil", &of, "do=thaw").await, &["The freeze is over"], &[]);
    let gone = shows(&monday, "feanil", &of).await;
    assert!(gone.0 == 409 && gone.1.contains("No freeze cyber is under way or ahead."), "{gone:?}");
    // Before one is declared it is shown whom it would touch.
    monday.merge("usama", 3).await;
    monday.merge("feanil", 4).await;
    let form = "do=freeze&name=Sale&preset=peak-event&until=2026-03-25+00:00&just=show";
    holds(
        &says(&monday, "olga", &Action::Freezes, form).await,
        &["What it would touch", "Nothing was declared.", "2 changes now wait to go live: feanil, usama."],
        &[],
    );
}

#[tokio::test]
async fn a_queue_says_its_maintenance_and_offers_its_end() {
    let text = configuration(&["edxapp"]).replace(
        "[services.edxapp]\n",
        "[services.edxapp]\nzone = \"Europe/London\"\nmaintenance = [\"Sat 02:00-04:00\"]\n",
    );
    let mut day = Stage::with(&text, |_| {}).await;
    let queue = Action::Queue(edxapp());
    let before = shows(&day, "olga", &queue).await;
    holds(
        &before,
        &["Begin maintenance", "Pause"],
        &["End maintenance", "Open its pipelines", "Forget what was learnt"],
    );
    let began = "do=maintain&for=90&why=the+database+moves&environment=production";
    assert_eq!(says(&day, "olga", &queue, began).await.0, 200);
    holds(
        &shows(&day, "olga", &queue).await,
        &["Maintenance of production from ", " until ", ": the database moves (olga).", "End maintenance"],
        &["as each week"],
    );
    assert_eq!(says(&day, "olga", &queue, "do=maintained").await.0, 200);
    day.at("Sat 02:30").await;
    holds(&shows(&day, "olga", &queue).await, &["Maintenance, as each week, until "], &["End maintenance"]);
    assert_eq!(says(&day, "olga", &queue, "do=mode&mode=notify&why=too+many").await.0, 200);
    holds(&says(&day, "olga", &queue, "do=mode&mode=notify&why=too+many").await, &["Nothing to do"], &[]);
    let nowhere = Action::Queue("nowhere".parse().unwrap());
    for form in ["do=pause&why=x", "do=maintain&for=90&why=x", "do=mode&mode=notify&why=x", "do=let-through"] {
        let (status, said) = says(&day, "olga", &nowhere, form).await;
        assert!(status == 404 && said.contains("not in the configuration"), "{form}: {status} {said}");
    }
}

#[tokio::test]
async fn what_is_kept_of_a_person_is_offered_to_owners_alone() {
    let day = Stage::with(&configuration(&["edxapp"]), |_| {}).await;
    let person: PersonId = "feanil".parse().unwrap();
    let kept = Action::Person(person);
    holds(
        &shows(&day, "olga", &kept).await,
        &[
            "What is kept of feanil",
            "Exported, it is shown as JSON.",
            "Export",
            "Remove",
            "Accounts that the roster does not name",
        ],
        &[],
    );
    let refused = shows(&day, "usama", &kept).await;
    assert!(refused.0 == 409 && refused.1.contains("by somebody who owns a service"), "{refused:?}");
}

#[tokio::test]
async fn a_turn_that_somebody_has_taken_or_that_nobody_is_asked_about_says_so() {
    let hours = "[people.feanil]\nhours = \"Mon-Fri 09:00-17:00\"\n";
    let text = configuration(&["edxapp"]).replace("[people.feanil]\n", hours);
    let mut night = Stage::with(&text, |_| {}).await;
    // Outside working hours: the merger is asked.
    night.at("Fri 23:40").await.merge("feanil", 12).await;
    let change = domain::ChangeId { repository: REPOSITORY.parse().unwrap(), commit: commit(12).parse().unwrap() };
    let answer = Action::Answer(edxapp(), change.clone());
    holds(&shows(&night, "feanil", &answer).await, &["Take the pager", "I cannot"], &["has taken it"]);
    assert_eq!(says(&night, "feanil", &answer, "do=take").await.0, 200);
    holds(&shows(&night, "feanil", &answer).await, &["feanil has taken it."], &["I cannot"]);
    // Where no forge opens reverts it is said how to do it by hand.
    let revert = Action::Revert(edxapp(), change);
    let (status, said) = shows(&night, "feanil", &revert).await;
    assert!(status == 409 && said.contains("nobody opens the pull request. By hand: git revert"), "{status} {said}");
    let other = says(&night, "feanil", &revert, "do=dance").await;
    assert_eq!(other.0, 400, "{}", other.1);
}

#[tokio::test]
async fn before_a_freeze_is_declared_each_change_and_pull_request_is_counted_once_in_however_many_services() {
    let forge = Peer::start().await;
    let source =
        format!("[senders.github]\nmerge_status = \"always\"\napi_token = \"api\"\napi_url = \"{}\"\n", forge.address);
    let text = configuration(&["edxapp", "ecommerce"]).replace("[senders.github]\n", &source);
    let day = Stage::with(&text, |_| {}).await;
    day.merge("usama", 3).await;
    let open = json!({
        "action": "opened", "number": 7, "repository": { "full_name": REPOSITORY, "default_branch": "master" },
        "sender": { "login": "feanil", "type": "User" },
        "pull_request": {
            "number": 7, "state": "open", "title": "Faster grades", "html_url": "https://github.com/openedx/edx-platform/pull/7",
            "user": { "login": "feanil", "type": "User" }, "head": { "ref": "grades", "sha": commit(7) }, "base": { "ref": "master" },
            "updated_at": "2026-03-20T12:00:00Z",
        },
    });
    let told = day.github("/merge/github", &open).await;
    assert!(told.body.contains("pull_noted"), "{}", told.body);
    let form = "do=freeze&name=Sale&preset=peak-event&until=2026-03-25+00:00&just=show";
    holds(
        &says(&day, "olga", &Action::Freezes, form).await,
        &["It is about 2 services.", "1 change now waits to go live, 1 pull request open: feanil, usama."],
        &[],
    );
}

/// `[expedite]` says who may ask and who signs, where it is not everybody and the owners.
#[tokio::test]
async fn only_whom_the_configuration_names_asks_for_the_lane_and_signs() {
    let lane = "\n[squads.lms]\nmembers = [\"feanil\"]\npaths = [\"lms/\"]\nrepository = \"openedx/edx-platform\"\n\
                [expedite]\nmay = [\"squad:lms\"]\napprovers = [\"usama\"]\n";
    let mut monday = Stage::with(&(configuration(&["edxapp"]) + lane), |_| {}).await;
    let form = "do=freeze&name=Week&preset=holiday&from=2026-03-23+00:00&until=2026-03-25+00:00&zone=Europe/London&freeze=week";
    assert_eq!(says(&monday, "olga", &Action::Freezes, form).await.0, 200);
    monday.at("Mon 12:00").await;
    let (status, said) = says(&monday, "anna", &fix(7), "do=expedite&why=checkout+fails").await;
    assert_eq!(status, 409, "{said}");
    assert_eq!(says(&monday, "feanil", &fix(7), "do=expedite&why=checkout+fails").await.0, 200);
    assert_eq!(says(&monday, "olga", &fix(7), "do=sign").await.0, 409, "an owner signs where nobody else is named");
    assert_eq!(says(&monday, "usama", &fix(7), "do=refuse").await.0, 409, "not without a reason");
    assert_eq!(says(&monday, "usama", &fix(7), "do=withdraw").await.0, 409, "it is not his");
    assert_eq!(says(&monday, "usama", &fix(7), "do=sign").await.0, 200);
    holds(&says(&monday, "usama", &fix(7), "do=sign").await, &["Nothing to do"], &[]);
    holds(&shows(&monday, "feanil", &fix(7)).await, &["usama signed as approver at ", "It may pass until "], &[]);
}
