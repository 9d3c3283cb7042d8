//! What programs read: the answers as they are described, page by page, by tag and by token.

mod description;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws::clients::{self, Aws, Http};
use aws::links::Action;
use aws::{House, Request, Response, keys, records};
use domain::Incident;
use expect_test::expect;
use house_tests::{REPOSITORY, Stage, commit, configuration, time};
use jiff::SignedDuration;
use recent_deployers::hands::Hands;
use recent_deployers::server::{self, Board};
use serde_json::Value;
use tokio::net::TcpListener;

/// Two services, of which one has broken, and a freeze.
async fn day() -> Stage {
    let week = "\n[freezes.gratitude-week]\npreset = \"holiday\"\nzone = \"America/New_York\"\nfrom = \"2026-03-20 09:00\"\nuntil = \"2026-03-25 09:00\"\n";
    let stage = Stage::with(&format!("{}{week}", configuration(&["edxapp"])), |_| {}).await;
    stage.merge("feanil", 12).await;
    stage.deploy("prod", "success", 12).await;
    let stage = stage.at_once("Fri 12:30").await;
    stage.alert("edxapp", "Fri 12:30", false).await;
    let link = stage.link(Action::OnCall("edxapp".parse().unwrap()), "olga");
    assert_eq!(stage.post(&link, Vec::new(), b"do=take&for=4+h").await.status, 200);
    let stage = stage.at_once("Fri 12:32").await;
    assert_eq!(stage.acknowledge("olga").await.status, 200);
    let stage = stage.at_once("Fri 13:10").await;
    stage.merge("usama", 13).await;
    let link = stage.link(Action::Expedite(REPOSITORY.parse().unwrap(), 13), "usama");
    stage.post(&link, Vec::new(), b"do=expedite&why=checkout+answers+500").await;
    stage
}

trait AtOnce {
    async fn at_once(self, when: &str) -> Self;
}

impl AtOnce for Stage {
    async fn at_once(mut self, when: &str) -> Self {
        self.at(when).await;
        self
    }
}

async fn ask(stage: &Stage, target: &str, headers: &[(&str, &str)]) -> Response {
    asks_by(stage, "GET", target, headers).await
}

async fn asks_by(stage: &Stage, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    stage.bundle.route(Request::new(method, path, headers, Vec::new()).with_query(query)).await
}

/// The answer to a question that is answered.
async fn said(stage: &Stage, target: &str) -> Value {
    let answer = ask(stage, target, &[("accept", "application/json")]).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    let mut found = answer.headers.iter().filter(|(n, _)| n == name);
    let first = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} stands there twice");
    first
}

/// A line for each incident of a page.
fn incidents(page: &Value) -> Vec<String> {
    let line = |one: &Value| format!("{} {}", one["incident"].as_str().unwrap(), one["state"].as_str().unwrap());
    page["incidents"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn who_is_on_call_is_asked_by_service_person_and_phase() {
    let stage = day().await;
    let windows = |answer: &Value| -> Vec<String> {
        let services = answer["services"].as_array().unwrap();
        let line = |service: &Value, window: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} until {}: {}, paged first {}",
                text(&service["service"]),
                text(&window["label"]),
                text(&window["phase"]),
                text(&window["until"]),
                text(&window["holder"]["name"]),
                text(&window["paged_first"]["person"]),
            )
        };
        let of = |service: &Value| -> Vec<String> {
            service["windows"].as_array().unwrap().iter().map(|window| line(service, window)).collect()
        };
        services.iter().flat_map(of).collect()
    };
    let all = said(&stage, "/on-call").await;
    expect![[r#"
        edxapp edx-platform#12 active until 2026-03-20T16:00:00Z: feanil, paged first olga
        edxapp edx-platform#13 standby until -: usama, paged first olga"#]]
    .assert_eq(&windows(&all).join("\n"));
    assert_eq!(all["services"].as_array().unwrap().len(), 2, "the bucket of unmapped alerts too");
    assert_eq!(windows(&said(&stage, "/on-call?service=EdxApp").await).len(), 2);
    assert_eq!(windows(&said(&stage, "/on-call?person=feanil").await).len(), 1);
    assert_eq!(windows(&said(&stage, "/on-call?phase=standby").await).len(), 1);
    assert!(windows(&said(&stage, "/on-call?phase=closed").await).is_empty());
    // Who is on a rotation has a service; who has nothing to do with any has none.
    let anna = said(&stage, "/on-call?person=anna").await;
    assert_eq!((anna["services"].as_array().unwrap().len(), windows(&anna).len()), (2, 0));
    // The commands read the same view.
    let who: Value = serde_json::from_str(&stage.get("/who").await.body).unwrap();
    assert_eq!(who["services"], all["services"]);
    // A page at a time it is the same too.
    let (mut paged, mut target) = (Vec::new(), "/on-call?limit=1".to_owned());
    loop {
        let page = said(&stage, &target).await;
        paged.extend(windows(&page));
        let Some(next) = page["next"].as_str() else { break };
        target = format!("/on-call?limit=1&cursor={next}");
    }
    assert_eq!(paged, windows(&all));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_and_says_how() {
    let stage = day().await;
    for (target, status, why) in [
        ("/on-call?service=lms", 404, "no such address: no service of the configuration is called so"),
        ("/on-call?person=nobody", 404, "no such address: nobody of the roster is called so"),
        ("/on-call?service=%00", 400, "cannot be read: expected service: 1 to 64 letters, digits, `-`, `_` or `.`"),
        (
            "/on-call?sevice=edxapp",
            400,
            "cannot be read: a parameter that is not known; there are: service, person, phase, limit, cursor",
        ),
        ("/queue?service=edxapp&service=edxapp", 400, "cannot be read: `service` stands there twice"),
        ("/on-call?phase=live", 400, "cannot be read: `phase` is one of standby, active, tail, closed"),
        ("/queue?limit=0", 400, "cannot be read: `limit` is a number from 1 to 200"),
        ("/queue?limit=201", 400, "cannot be read: `limit` is a number from 1 to 200"),
        ("/queue?limit=%2B5", 400, "cannot be read: `limit` is a number from 1 to 200"),
        (
            "/freezes?from=tomorrow",
            400,
            "cannot be read: `from` is a time such as 2026-11-27T09:00:00Z, a `+` in it written as %2B",
        ),
        (
            "/incidents?cursor=x",
            400,
            "cannot be read: `cursor` is no `next` of this question: ask again without it, or with the same parameters",
        ),
        ("/incidents/edxapp-nothing1", 404, "no such address: it is not among the incidents that we remember"),
        (
            "/may-merge",
            400,
            "cannot be read: `repository` is missing: /may-deploy?service=... or /may-merge?repository=...",
        ),
        (
            "/may-deploy?service=edxapp&strct",
            400,
            "cannot be read: a parameter that is not known; there are: service, environment, commit, number, repository, strict",
        ),
        ("/openapi.json?x", 400, "cannot be read: a parameter that is not known; there are: none"),
    ] {
        let answer = ask(&stage, target, &[("accept", "application/json")]).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, body), (status, serde_json::json!({ "error": why })), "{target}");
    }
    // Nothing is done by asking, and nothing else is served.
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for path in ["/on-call", "/queue", "/incidents", "/freezes", "/may-deploy", "/may-merge", "/openapi.json"] {
            let answer = asks_by(&stage, method, path, &[]).await;
            assert_eq!((answer.status, header(&answer, "allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
    // What has more segments is a link still, by which people act.
    assert!(stage.get("/on-call/edxapp/olga/1900000000/00").await.body.contains("not one of ours"));
}

#[tokio::test]
async fn a_service_that_a_newer_version_wrote_keeps_nobody_from_reading_the_others() {
    let stage = Stage::with(&configuration(&["edxapp", "discovery"]), |_| {}).await;
    stage.merge("feanil", 12).await;
    spoil(&stage).await;
    let on_call = said(&stage, "/on-call").await;
    let queue = said(&stage, "/queue").await;
    for answer in [&on_call, &queue] {
        let why = |i: usize| answer["services"][i]["unreadable"].as_str();
        assert_eq!((why(0), why(1).is_some_and(|why| why.contains("deploy the newer one again"))), (None, true));
    }
    assert_eq!(on_call["services"][0]["windows"].as_array().unwrap().len(), 1);
    let incidents = said(&stage, "/incidents").await;
    assert!(incidents["unreadable"][0].as_str().unwrap().starts_with("edxapp cannot be shown"), "{incidents}");
    // Without a table nothing is said, and certainly not that nobody is on call.
    let blind = House { store: stage.without_table().store, ..stage.house.clone() };
    let mut stage = stage;
    stage.bundle.house = blind;
    for path in ["/on-call", "/queue", "/incidents", "/freezes"] {
        assert_eq!(ask(&stage, path, &[]).await.status, 503, "{path}");
    }
}

/// A change of `edxapp` becomes one of a newer version.
async fn spoil(stage: &Stage) {
    let change = format!("C#{REPOSITORY}@{}", commit(12));
    let (table, client) = client(stage).await;
    let key = keys::Key { partition: "S#edxapp".to_owned(), sort: change };
    let asked = client.get_item().table_name(&table).set_key(Some(records::key_item(&key))).send();
    let mut item = asked.await.unwrap().item.unwrap();
    item.insert(keys::VERSION.into(), records::number(aws::schema::READS + 1));
    client.put_item().table_name(&table).set_item(Some(item)).send().await.unwrap();
}

async fn client(stage: &Stage) -> (String, aws_sdk_dynamodb::Client) {
    let aws = Aws::local(stage.endpoints().await.dynamodb_endpoint.clone().unwrap(), String::new());
    ("recent-deployers".to_owned(), clients::dynamodb(&aws, &Http::new()))
}

/// An incident that left the working set, `hours` before Friday noon.
async fn past(stage: &Stage, like: &Incident, service: &str, number: u32, hours: i64) -> String {
    let at = time("Fri 12:00") - SignedDuration::from_hours(hours);
    let digits: String =
        format!("{number:08}").chars().map(|digit| char::from(b'a' + u8::try_from(digit).unwrap() - b'0')).collect();
    let mut incident = like.clone();
    (incident.id, incident.service) = (format!("{service}-{digits}").parse().unwrap(), service.parse().unwrap());
    (incident.began_at, incident.detected_at, incident.resolved_at) = (at, at, Some(at));
    let key = keys::past_incident(&incident.service, at, &incident.id);
    let (table, client) = client(stage).await;
    let item = records::item(&key, &incident, None).unwrap();
    client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    incident.id.to_string()
}

/// Follows `next` to the end; between two pages `meanwhile` happens.
async fn walk(stage: &mut Stage, target: &str, mut meanwhile: impl AsyncFnMut(&mut Stage)) -> Vec<Vec<String>> {
    let (mut pages, mut at) = (Vec::new(), target.to_owned());
    loop {
        let answer = ask(stage, &at, &[]).await;
        assert_eq!(answer.status, 200, "{at}: {}", answer.body);
        let page: Value = serde_json::from_str(&answer.body).unwrap();
        pages.push(incidents(&page));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(header(&answer, "link"), None);
            return pages;
        };
        let link = header(&answer, "link").unwrap();
        assert!(link.ends_with(&format!("cursor={next}>; rel=\"next\"")), "{link}");
        at = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
        meanwhile(stage).await;
    }
}

#[tokio::test]
async fn a_walk_through_many_past_incidents_sees_each_once_while_new_ones_come_and_open_ones_end() {
    let mut stage = Stage::with(&configuration(&["discovery", "edxapp"]), |_| {}).await;
    stage.alert("edxapp", "Fri 12:00", false).await;
    let open = stage.incident("edxapp").await;
    let mut all = BTreeSet::from([open.id.to_string()]);
    for number in 0..120 {
        // Several in one moment, and two services by turns.
        let service = if number % 3 == 0 { "discovery" } else { "edxapp" };
        all.insert(past(&stage, &open, service, number, 24 + i64::from(number / 4)).await);
    }
    let mut step = 0;
    let pages = walk(&mut stage, "/incidents?limit=7", async |stage| {
        step += 1;
        match step {
            // One is new, and over at once; the open one is over; and one more comes.
            1 => drop(stage.at("Fri 12:10").await.alert("discovery", "Fri 12:10", false).await),
            2 => {
                stage.alert("discovery", "Fri 12:10", true).await;
                stage.alert("edxapp", "Fri 12:00", true).await;
            }
            3 => drop(stage.at("Fri 12:40").await.alert("edxapp", "Fri 12:40", false).await),
            _ => {}
        }
    })
    .await;
    let seen: Vec<String> = pages.concat().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(seen.len(), all.len(), "{pages:#?}");
    assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), all);
    assert!(pages.iter().all(|page| page.len() <= 7));
    // What is new is in the next walk, the latest first.
    let again = said(&stage, "/incidents?limit=3").await;
    let states: Vec<String> = incidents(&again).iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(states, ["paged", "resolved", "resolved"]);
    // Of one service each page is a query of its working set and one of its past.
    let (page, cost) = stage.cost(said(&stage, "/incidents?service=edxapp&limit=20")).await;
    assert_eq!((incidents(&page).len(), cost), (20, [2, 0, 0, 0]));
    let (_, cost) = stage.cost(said(&stage, "/incidents?service=edxapp&state=open")).await;
    assert_eq!(cost, [1, 0, 0, 0]);
    // A state of which there are none among them: every page is followed, and none has any.
    assert_eq!(walk(&mut stage, "/incidents?state=judged&limit=40", async |_| {}).await.concat(), [""; 0]);
    let over = walk(&mut stage, "/incidents?state=resolved&limit=200", async |_| {}).await.concat();
    assert_eq!(over.len(), 122);
}

#[tokio::test]
async fn a_cursor_is_of_its_question_and_its_secret() {
    let stage = Stage::with(&configuration(&["discovery", "edxapp"]), |_| {}).await;
    let page = said(&stage, "/queue?limit=1").await;
    let cursor = page["next"].as_str().unwrap();
    assert_eq!(ask(&stage, &format!("/queue?limit=5&cursor={cursor}"), &[]).await.status, 200);
    let (text, mac) = cursor.split_once('.').unwrap();
    for forged in [
        format!("/on-call?cursor={cursor}"),
        format!("/queue?service=edxapp&cursor={cursor}"),
        format!("/queue?cursor={cursor}A"),
        format!("/queue?cursor={}.{mac}", text.replace('e', "f")),
        format!("/queue?cursor={text}"),
        format!("/queue?cursor={text}."),
        format!("/queue?cursor={text}.{}", "A".repeat(20)),
        "/queue?cursor=".to_owned(),
        "/queue?cursor=.".to_owned(),
        format!("/queue?cursor={}", "A".repeat(100_000)),
    ] {
        assert_eq!(ask(&stage, &forged, &[]).await.status, 400, "{forged}");
    }
    // While the secret is rotated either value is ours.
    let rotated = |values: &str| stage.bundle.house.secrets.keep(vec![("links".to_owned(), values.to_owned())]);
    rotated("new\nlinks-key");
    assert_eq!(ask(&stage, &format!("/queue?cursor={cursor}"), &[]).await.status, 200);
    rotated("new");
    assert_eq!(ask(&stage, &format!("/queue?cursor={cursor}"), &[]).await.status, 400);
}

#[tokio::test]
async fn whoever_has_an_answer_already_is_told_so_until_something_happens() {
    let stage = day().await;
    for path in ["/on-call", "/queue", "/incidents", "/incidents?limit=1", "/freezes", "/openapi.json"] {
        let whole = ask(&stage, path, &[]).await;
        let tag = header(&whole, "etag").unwrap().to_owned();
        assert_eq!(header(&whole, "cache-control"), Some("private, no-cache"));
        // A second later nothing is new.
        stage.clock.set(stage.clock.now() + SignedDuration::from_secs(1));
        let short = ask(&stage, path, &[("if-none-match", &tag)]).await;
        assert_eq!((short.status, short.body.as_str()), (304, ""), "{path}");
        assert_eq!(header(&short, "etag"), Some(tag.as_str()));
    }
    let tag = header(&ask(&stage, "/on-call", &[]).await, "etag").unwrap().to_owned();
    stage.merge("feanil", 14).await;
    let new = ask(&stage, "/on-call", &[("if-none-match", &tag)]).await;
    assert!(new.status == 200 && new.body.contains("edx-platform#14"), "{}", new.body);
    // Whether something may go on is of the moment.
    let may = ask(&stage, "/may-deploy?service=edxapp", &[("if-none-match", "*")]).await;
    assert_eq!((may.status, header(&may, "etag"), header(&may, "cache-control")), (200, None, Some("no-store")));
}

#[tokio::test]
async fn each_program_has_a_token_of_its_own_and_a_wrong_one_reads_nothing() {
    let text =
        format!("api_secret = \"api\"\nread_tokens = [\"grafana\", \"release-bot\"]\n{}", configuration(&["edxapp"]));
    let mut stage = Stage::with_secrets(&text, &[("release-bot", "bot")], |_| {}).await;
    // It is being rotated.
    stage.bundle.house.secrets.keep(vec![("grafana".to_owned(), "old-grafana\nnew-grafana\n".to_owned())]);
    assert_eq!(ask(&stage, "/on-call", &[]).await.status, 200, "whoever runs it may");
    stage.bundle.house = House { vouched: false, ..stage.bundle.house.clone() };
    let incident = "/incidents/edxapp-k3v7q2ma";
    for path in ["/on-call", "/queue", "/incidents", "/freezes", "/may-deploy?service=edxapp", incident] {
        for headers in [
            &[][..],
            &[("authorization", "Bearer guessed")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Bearer links-key")],
            &[("authorization", "api-token")],
            &[("authorization", "Bearer api-token"), ("authorization", "Bearer api-token")],
        ] {
            let headers = [headers, &[("accept", "application/json")]].concat();
            let refused = ask(&stage, path, &headers).await;
            assert_eq!(refused.status, 401, "{path} {headers:?}");
            assert_eq!(header(&refused, "www-authenticate"), Some("Bearer realm=\"recent-deployers\""));
            assert!(refused.body.starts_with("{\"error\":\"not authenticated: "), "{}", refused.body);
        }
        let wanted = if path == incident { 404 } else { 200 };
        for token in ["api-token", "old-grafana", "new-grafana", "bot"] {
            let answer = ask(&stage, path, &[("authorization", &format!("Bearer {token}"))]).await;
            assert_eq!(answer.status, wanted, "{path} {token}: {}", answer.body);
        }
    }
    // The log says whose token it was, and no token.
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer({
        let log = log.clone();
        move || log.clone()
    });
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    assert_eq!(ask(&stage, "/queue", &[("authorization", "Bearer new-grafana")]).await.status, 200);
    assert_eq!(ask(&stage, "/queue", &[("authorization", "Bearer guessed")]).await.status, 401);
    drop(guard);
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(said.contains("read by a program") && said.contains("grafana"), "{said}");
    assert!(!said.contains("new-grafana") && !said.contains("guessed"), "{said}");
    // What the answers look like is no secret; and a token reads no page.
    assert_eq!(ask(&stage, "/openapi.json", &[]).await.status, 200);
    for page in ["/", "/who", "/people/feanil", "/freezes.ics"] {
        assert_eq!(ask(&stage, page, &[("authorization", "Bearer bot")]).await.status, 403, "{page}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_terminal_is_told_who_is_on_call_for_one_service_or_that_there_is_no_such_service() {
    let stage = day().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, stage.bundle.clone(), Board::ThisMachine, std::future::pending()));
    let (configuration, secrets) = (&stage.house.configuration, &stage.house.secrets);
    let hands = Hands { configuration, secrets, address, now: stage.clock.now() };
    expect![[r#"
        edxapp
          on the rotation: anna
          olga has the pager until 2026-03-20 16:30 UTC and is paged first for everything.
          Deployments wait until 2026-03-25 13:00 UTC, for the freeze gratitude week.
          edx-platform#12          olga                 on call until 2026-03-20T16:00:00Z (instead of feanil)
          edx-platform#13          olga                 standby (instead of usama)"#]]
    .assert_eq(&hands.who(Some("EdxApp")).await.unwrap());
    let all = hands.who(None).await.unwrap();
    assert!(all.contains("edxapp\n") && all.contains("unmapped\n"), "{all}");
    let none = hands.who(Some("lms")).await.unwrap_err().to_string();
    assert_eq!(none, "no service is called lms; there are edxapp, unmapped");
}
