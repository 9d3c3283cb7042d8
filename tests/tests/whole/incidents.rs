//! What people say about incidents and see of them, from the wire to the board, in virtual time: maintenance, the ladder,
//! pages that do not arrive.

use domain::paging::{Layer, OnCall, Unread};
use expect_test::{expect, expect_file};
use house_tests::Stage;
use house_tests::peer::Peer;
use recent_deployers::demo::payloads::token_headers;
use recent_deployers::hands::{Hands, HandsError};
use recent_deployers::server::{self, Board};
use recent_deployers::wish::Wish;
use serde_json::json;
use tokio::net::TcpListener;

const TITLE: &str = "[critical] edxapp production: HighErrorRate";

fn pages(stage: &Stage) -> Vec<String> {
    stage.heard().into_iter().filter(|line| line.starts_with("PAGE")).collect()
}

/// What `who` sends by the form of the queue's link.
async fn says(stage: &Stage, who: &str, form: &str) -> aws::Response {
    let path = stage.link(aws::links::Action::Queue("edxapp".parse().unwrap()), who);
    stage.post(&path, vec![], form.as_bytes()).await
}

#[tokio::test]
async fn nobody_is_paged_under_maintenance_that_somebody_began_by_link_and_ended_by_command() {
    let mut day = Stage::new().await;
    let desk = Desk::open(&day).await;
    let path = day.link(aws::links::Action::Queue("edxapp".parse().unwrap()), "olga");
    let asked = day.get(&path).await.body;
    assert!(asked.contains("Begin maintenance") && !asked.contains("End maintenance"), "{asked}");
    let begun = says(&day, "olga", "do=maintain&for=30&why=new+%3Cdatabase%3E").await;
    assert!(begun.status == 200 && begun.body.contains("until 12:30 (Europe"), "{}", begun.body);
    let again = says(&day, "olga", "do=maintain&for=30&why=x").await;
    assert!(again.status == 200 && again.body.contains("That is so already."), "{}", again.body);
    day.at("Fri 12:05").await.alert("edxapp", "Fri 12:05", false).await;
    assert_eq!(day.heard(), [""; 0]);
    let board = day.get("/services/edxapp").await.body;
    assert!(board.contains("maintenance: new &lt;database&gt;"), "{board}");
    assert_eq!(day.incident("edxapp").await.held.unwrap().until, Some(house_tests::time("Fri 12:30")));
    day.at("Fri 12:10").await;
    let said = desk.act("anna", &Wish::Maintained, &day).await.unwrap();
    assert_eq!(said, "Maintenance ended. What fires in edxapp pages again.");
    assert_eq!(pages(&day), [format!("PAGE to anna: {TITLE}")]);
    let nothing = desk.act("anna", &Wish::Maintained, &day).await.unwrap_err().to_string();
    assert!(nothing.starts_with("Nothing was done. Nothing is under maintenance"), "{nothing}");
    let log = day.house.store.log(&"edxapp".parse().unwrap(), 50).await.unwrap();
    let whats: Vec<&str> = log.iter().map(|entry| entry.what.as_str()).collect();
    for what in [
        "olga says that edxapp may break, 2026-03-20 12:00 to 2026-03-20 12:30 UTC",
        "anna ended the maintenance of edxapp",
    ] {
        assert!(whats.contains(&what), "{whats:?}");
    }
}

#[tokio::test]
async fn maintenance_that_cannot_be_meant_is_refused_and_says_why() {
    let day = Stage::new().await;
    let desk = Desk::open(&day).await;
    for (form, status, why) in [
        ("do=maintain&for=73+h", 409, "At most three days at a time"),
        ("do=maintain&for=-5", 400, "`for` is a length of time"),
        ("do=maintain&for=-5+min", 409, "It has to end after it begins"),
        ("do=maintain", 400, "`for` is a length of time"),
        ("do=maintain&for=99999999999999+h", 400, "`for` is a length of time"),
        ("do=maintain&for=4294967295", 400, "`for` is a length of time"),
        ("do=maintain&for=30&from=soon", 400, "`from` is a time"),
        ("do=maintain&for=30&environment=%3Cmoon%3E", 409, "There is no environment &lt;moon&gt; here."),
        ("do=maintained", 409, "Nothing is under maintenance"),
    ] {
        let answer = says(&day, "olga", form).await;
        assert!(answer.status == status && answer.body.contains(why), "{form}: {} {}", answer.status, answer.body);
    }
    let path = day.link(aws::links::Action::OnCall("edxapp".parse().unwrap()), "olga");
    assert_eq!(day.post(&path, vec![], b"do=maintain&for=30").await.status, 400, "the link of another thing");
    assert!(day.situation("edxapp").await.paging.value.maintenance.is_empty());
    let stage = Some("stage".to_owned());
    let wish = Wish::Maintain { how_long: "2 h".into(), why: "x".into(), environment: stage, from: None };
    desk.act("olga", &wish, &day).await.unwrap();
    day.alert("edxapp", "Fri 12:00", false).await;
    assert_eq!(pages(&day), [format!("PAGE to anna: {TITLE}")], "production is not stage");
}

#[tokio::test]
async fn the_maintenance_of_each_week_keeps_everybody_asleep_until_its_end() {
    let text = house_tests::configuration(&["edxapp"]).replace(
        "[services.edxapp]\n",
        "[services.edxapp]\nzone = \"Europe/Stockholm\"\nmaintenance = [\"Sun 02:00-04:00\"]\n",
    );
    let mut night = Stage::with(&text, |_| {}).await;
    night.at("Sun 01:30").await.alert("edxapp", "Sun 01:30", false).await;
    assert_eq!(night.heard(), [""; 0], "02:30 in Stockholm");
    night.at("Sun 02:59").await;
    assert_eq!(night.heard(), [""; 0]);
    night.at("Sun 03:00").await;
    assert_eq!(pages(&night), [format!("PAGE to anna: {TITLE}")]);
}

/// Two changes of two people live since 12:05, and something fires at 12:10.
async fn failing(configuration: &str) -> Stage {
    let mut day = Stage::with(configuration, |_| {}).await;
    day.merge("feanil", 12).await;
    day.at("Fri 12:01").await.merge("usama", 13).await;
    day.at("Fri 12:05").await.deploy("prod", "success", 13).await;
    day.at("Fri 12:10").await.alert("edxapp", "Fri 12:09", false).await;
    day.heard();
    day
}

/// What a reader sees of a page: its text, a line for each line of it.
pub(crate) fn text_of(html: &str) -> String {
    let body = html.split_once("<main").unwrap().1.split_once('>').unwrap().1.split_once("</main>").unwrap().0;
    let mut text = String::new();
    let mut inside = false;
    let ends = [("</td>", " | "), ("</th>", " | "), ("</p>", "\n"), ("</li>", "\n"), ("</span>", " ")];
    let marked = ends.iter().fold(body.to_owned(), |text, (tag, sign)| text.replace(tag, sign));
    for c in marked.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x2f;", "/");
    let text = text.replace("&#x27;", "'").replace("&amp;", "&");
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn an_incidents_page_tells_it_whole_and_explain_prints_its_ladder() {
    let mut day = failing(&house_tests::configuration(&["edxapp"])).await;
    let desk = Desk::open(&day).await;
    let id = day.incident("edxapp").await.id.to_string();
    day.at("Fri 12:12").await;
    let change = format!("do=not-mine&change=openedx/edx-platform@{}", house_tests::commit(12));
    let link = |day: &Stage, who: &str| day.link(aws::links::Action::Acknowledge(id.parse().unwrap()), who);
    assert_eq!(day.post(&link(&day, "usama"), vec![], change.as_bytes()).await.status, 200);
    day.at("Fri 12:13").await;
    let early = recent_deployers::explain::ladder(&desk.hands(&day).incident(&id).await.unwrap());
    day.at("Fri 12:26").await;
    assert_eq!(day.post(&link(&day, "anna"), vec![], b"do=acknowledge").await.status, 200);
    day.at("Fri 12:30").await.alert("edxapp", "Fri 12:09", true).await;
    assert_eq!(day.post(&link(&day, "olga"), vec![], b"do=judge&change=none").await.status, 200);
    let page = day.get(&format!("/incidents/{id}")).await.body;
    let page = text_of(&page);
    let (told, log) = page.split_once("\nThe log\n").unwrap();
    expect_file!["../../golden/incident.txt"].assert_eq(&format!("{told}\n"));
    assert!(log.contains("page to feanil delivered"), "{log}");
    let late = recent_deployers::explain::ladder(&desk.hands(&day).incident(&id).await.unwrap());
    expect_file!["../../golden/ladder.txt"].assert_eq(&format!("{early}\n\n{late}\n"));
    let board = text_of(&day.get("/services/edxapp").await.body);
    for said in ["judged", "Acknowledged by anna at 12:26.", "It was no change of ours, says olga."] {
        assert!(board.contains(said), "{said}: {board}");
    }
    let unknown = desk.hands(&day).incident("edxapp-aaaaaaaa").await.unwrap_err().to_string();
    assert!(unknown.starts_with("edxapp-aaaaaaaa is not among the incidents"), "{unknown}");
    // It leaves the working set after a day, and stays with its verdict.
    day.at("Sat 12:31").await;
    assert!(day.situation("edxapp").await.incidents.is_empty());
    let past = text_of(&day.get("/services/edxapp/history").await.body);
    assert!(past.contains(TITLE) && past.contains("It was no change of ours, says olga"), "{past}");
    assert!(text_of(&day.get(&format!("/incidents/{id}")).await.body).contains("paged anna (rotation)"));
}

#[tokio::test]
async fn the_ladder_of_what_is_held_says_so_and_what_held_it() {
    let mut day = failing(&house_tests::configuration(&["edxapp"])).await;
    says(&day, "olga", "do=maintain&for=30&why=upgrade").await;
    let id = day.incident("edxapp").await.id.to_string();
    let page = text_of(&day.get(&format!("/incidents/{id}")).await.body);
    assert!(page.contains("Nobody is paged: maintenance, until 12:40."), "{page}");
    assert!(page.contains("| anna | rotation | nobody acknowledged within 5 min | not paged: held |"), "{page}");
    day.at("Fri 12:41").await;
    let desk = Desk::open(&day).await;
    let said = recent_deployers::explain::ladder(&desk.hands(&day).incident(&id).await.unwrap());
    expect![[r#"
        [critical] edxapp production: HighErrorRate (edxapp-a9g265th)
        paged, since Fri 2026-03-20 12:09 UTC, round 2

        time (UTC)            who     step             paged                        why
        Fri 2026-03-20 12:40  usama   first-responder  paged; accepted by terminal  edx-platform#13: likely the cause by 54 %
        Fri 2026-03-20 12:43  feanil  next-responder   next                         edx-platform#12: likely the cause by 33 %, and nobody acknowledged
        Fri 2026-03-20 12:44  anna    rotation         not yet                      nobody acknowledged within 5 min
        Fri 2026-03-20 12:54  olga    owner            not yet                      nobody acknowledged within 15 min

        It was held:
          Fri 2026-03-20 12:10  maintenance until 2026-03-20 12:40 UTC"#]].assert_eq(&said);
}

#[tokio::test]
async fn a_page_that_no_receiver_takes_is_a_dead_letter_that_the_board_shows_loudly() {
    let peer = Peer::start().await;
    let receiver = format!("[receivers.chat]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"hook\"\n", peer.address);
    let text = house_tests::configuration(&["edxapp"]).replace("contacts = [\"terminal\"]", "contacts = [\"chat\"]");
    for _ in 0..40 {
        peer.will_answer(503, "");
    }
    let mut day = Stage::with(&format!("{text}{receiver}"), |_| {}).await;
    day.alert("edxapp", "Fri 12:00", false).await;
    let board = day.get("/services/edxapp").await.body;
    assert!(!board.contains("NOT DELIVERED"), "it may be under way for a minute: {board}");
    day.at("Fri 12:02").await;
    let id = day.incident("edxapp").await.id;
    for path in ["/services/edxapp".to_owned(), format!("/incidents/{id}")] {
        let page = day.get(&path).await.body;
        assert!(page.contains("<p class=\"loud\">The page to anna: NOT DELIVERED since 12:00"), "{page}");
        assert!(page.contains("no contact accepted it (chat: "), "{page}");
    }
    peer.forget_answers();
    day.at("Fri 12:05").await;
    let page = text_of(&day.get(&format!("/incidents/{id}")).await.body);
    assert!(!page.contains("NOT DELIVERED") && page.contains("accepted by chat"), "{page}");
}

#[tokio::test]
async fn a_service_shows_its_maintenance_its_channel_and_who_is_on_call_by_whose_word() {
    let text = house_tests::configuration(&["edxapp"]).replace(
        "[services.edxapp]\n",
        "[services.edxapp]\nzone = \"Europe/Stockholm\"\nmaintenance = [\"Sun 02:00-04:00\"]\nchannel = [\"slack:C024BE91L\"]\n\
         schedule = \"pd:PIJ90N7\"\nbeside = \"pd:PBESIDE\"\n",
    );
    let pager = Peer::start().await;
    pager.always_answers("GET /", 503, "");
    let url = format!("url = \"{}\"\n", pager.address);
    let text = text
        + "[receivers.slack]\nsecret = \"hook\"\n[receivers.pd]\nkind = \"pagerduty\"\nsecret = \"api\"\nfrom = \"a@example.com\"\nservice = \"P1\"\n"
        + &url;
    let day = Stage::with(&text, |_| {}).await;
    says(&day, "olga", "do=maintain&for=30&why=now&environment=stage").await;
    says(&day, "olga", "do=maintain&for=30&why=later&from=2026-03-21T10:00Z").await;
    let shown = |html: String| {
        let text = text_of(&html);
        let text = text.split_once("edxapp").unwrap().1.split_once("On call now\n").unwrap().0.to_owned();
        text.trim().to_owned()
    };
    expect![[r#"
        Rotation: anna
        Maintenance of stage from 12:00 until 12:30, says olga: now. Nobody is paged for it meanwhile.
        On call now: anna, says the configuration; the schedule in pd was not read yet.
        The schedule in pd cannot be read since 12:00: it answered 503.
        Maintenance ahead from Sat 10:00 until Sat 10:30, says olga: later.
        Maintenance each week: next from Sun 01:00 until Sun 03:00.
        Its channel: slack:C024BE91L."#]]
    .assert_eq(&shown(day.get("/services/edxapp").await.body));
    // What the pager says, and what we wrote into it.
    let known = day.situation("edxapp").await.paging;
    let mut paging = known.value;
    let at = house_tests::time;
    paging.on_call = Some(OnCall {
        people: vec!["usama".parse().unwrap()],
        read_at: at("Fri 11:55"),
        until: Some(at("Mon 08:00")),
        unread: Some(Unread { since: at("Fri 11:58"), last: at("Fri 11:59"), why: "503 <b>".into() }),
    });
    let (from, until) = (at("Fri 11:30"), at("Fri 12:30"));
    paging.layer = Some(Layer { person: "feanil".parse().unwrap(), from, until, id: None, seen_at: None });
    let service = day.house.settings().service(&"edxapp".parse().unwrap()).unwrap().id.clone();
    let wrote = day.house.store.decide(&service, day.clock.now(), |situation| {
        let mut decisions = domain::Decisions::none(&service, domain::decision::Wake::Now);
        decisions.put(domain::Record::Paging(paging.clone()), situation.paging.rev);
        (decisions, ())
    });
    wrote.await.unwrap();
    let board = day.get("/services/edxapp").await.body;
    assert!(board.contains("503 &lt;b&gt;"), "{board}");
    expect![[r#"
        Rotation: usama, anna
        Maintenance of stage from 12:00 until 12:30, says olga: now. Nobody is paged for it meanwhile.
        On call now: usama, says pd (read 11:55), until Mon 08:00.
        The schedule in pd cannot be read since 11:58: 503 <b>.
        feanil is to be the first level in the pager, 11:30 to 12:30: not written there yet.
        Maintenance ahead from Sat 10:00 until Sat 10:30, says olga: later.
        Maintenance each week: next from Sun 01:00 until Sun 03:00.
        Its channel: slack:C024BE91L."#]]
    .assert_eq(&shown(board));
}

#[tokio::test]
async fn hostile_titles_stay_harmless_on_an_incidents_page() {
    let hostile = "<script>alert('x')</script>\u{202e}txt.exe\u{2066} \"{{ 7*7 }}\" \u{1b}[31m";
    let mut day = Stage::new().await;
    let mut merged = day.merged("feanil", 12);
    merged["pull_request"]["title"] = json!(hostile);
    merged["pull_request"]["html_url"] = json!("javascript:alert(1)");
    day.github("/merge/github", &merged).await;
    day.deploy("prod", "success", 12).await;
    let mut alert = day.alerting("edxapp", "Fri 12:00", false);
    alert["alerts"][0]["labels"]["alertname"] = json!(hostile);
    alert["alerts"][0]["annotations"]["summary"] = json!(hostile);
    let headers = token_headers(house_tests::TOKEN);
    assert_eq!(day.post("/alert/alertmanager", headers, alert.to_string().as_bytes()).await.status, 200);
    assert_eq!(says(&day, "olga", &format!("do=maintain&for=30&why={}", "%3Cscript%3E%E2%80%AE")).await.status, 200);
    let id = day.incident("edxapp").await.id;
    day.at("Fri 12:01").await;
    for path in ["/services/edxapp".to_owned(), format!("/incidents/{id}")] {
        let page = day.get(&path).await;
        let policy = page.headers.iter().find(|(name, _)| name == "content-security-policy").unwrap();
        assert!(policy.1.starts_with("default-src 'none'") && !policy.1.contains("unsafe"), "{policy:?}");
        assert!(page.body.contains("&lt;script&gt;") && page.body.matches("<script").count() == 1, "{}", page.body);
        assert!(!page.body.contains("javascript:") && page.body.contains("{{ 7*7 }}"), "{}", page.body);
        assert!(!page.body.contains(['\u{202e}', '\u{2066}', '\u{1b}']), "{}", page.body);
    }
    let said = Desk::open(&day).await.hands(&day).incident(id.as_str()).await.unwrap();
    assert!(!recent_deployers::explain::ladder(&said).contains(['\u{202e}', '\u{2066}', '\u{1b}']));
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
