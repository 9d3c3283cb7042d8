//! Calendars: those that freezes follow, read over HTTP while we run, and the one that we are to others.

use aws::session::Session;
use aws::settings::icalendar;
use aws::{Request, links};
use domain::{OccasionKind, PersonId, Span};
use house_tests::peer::{Mishap, Peer};
use house_tests::{Stage, configuration, time};
use jiff::tz::TimeZone;
use serde_json::Value;

const PATH: &str = "GET /h.ics";

/// A freeze that follows the calendar of this peer.
async fn following() -> (Stage, Peer) {
    let peer = Peer::start().await;
    peer.always_answers(PATH, 200, calendar(&[SALE]));
    let freeze = format!(
        "\n[freezes.holidays]\npreset = \"peak-event\"\nzone = \"Europe/London\"\nfeed = \"{}/h.ics\"\n",
        peer.address
    );
    let stage = Stage::with(&format!("{}{freeze}", configuration(&["edxapp"])), |_| {}).await;
    stage.bundle.tick().await;
    stage.bundle.quiesce().await;
    (stage, peer)
}

/// Name, begin and end.
type Event = (&'static str, &'static str, &'static str);
const SALE: Event = ("Cyber Monday", "20260323T000000Z", "20260324T000000Z");

fn calendar(events: &[Event]) -> String {
    let event = |(name, from, until): &Event| {
        format!("BEGIN:VEVENT\r\nUID:{name}\r\nSUMMARY:{name}\r\nDTSTART:{from}\r\nDTEND:{until}\r\nEND:VEVENT\r\n")
    };
    let events: String = events.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n")
}

async fn asks(stage: &Stage, path: &str, query: &str) -> aws::Response {
    stage.bundle.route(Request::new("GET", path, Vec::new(), Vec::new()).with_query(query)).await
}

/// When the freeze that holds is over, or which is next.
async fn may(stage: &Stage) -> String {
    let answer: Value = serde_json::from_str(&asks(stage, "/may-deploy", "service=edxapp").await.body).unwrap();
    match answer["may_deploy"].as_bool() {
        Some(true) => format!("yes, next {}", answer["next"]["from"]),
        _ => format!("no until {}", answer["until"]),
    }
}

/// What the log says of calendars since the beginning, oldest first.
async fn logged(stage: &Stage) -> Vec<String> {
    let desk = "freezes".parse().unwrap();
    let log = stage.house.store.log(&desk, 50).await.unwrap();
    let lines = log.iter().rev().filter(|entry| entry.reason.name().starts_with("feed_"));
    lines.map(|entry| format!("{}: {}", entry.reason.name(), entry.reason)).collect()
}

#[tokio::test]
async fn a_calendar_is_read_and_read_again_and_every_pipeline_is_answered_by_it() {
    let (mut stage, peer) = following().await;
    let asked = peer.received();
    assert_eq!((asked.len(), asked[0].header("accept")), (1, "text/calendar"));
    assert_eq!(may(&stage).await, "yes, next \"2026-03-23T00:00:00Z\"");
    let due = stage.situation("freezes").await.clock.value.due_at;
    assert_eq!(due, Some(time("Fri 18:00")), "the desk is woken for the next reading");
    assert!(stage.get("/").await.body.contains("Cyber Monday from 2026-03-23 00:00 (Europe"));

    stage.at("Fri 17:59").await;
    assert!(peer.received().is_empty());
    peer.always_answers(PATH, 200, calendar(&[("Cyber Monday", "20260321T000000Z", "20260322T000000Z")]));
    stage.at("Fri 18:01").await;
    assert_eq!(peer.received().len(), 1);
    assert_eq!(may(&stage).await, "yes, next \"2026-03-21T00:00:00Z\"");
    stage.at("Sat 12:00").await;
    assert_eq!(may(&stage).await, "no until \"2026-03-22T00:00:00Z\"");
    // It was emptied, and is a calendar.
    peer.always_answers(PATH, 200, calendar(&[]));
    stage.at("Sat 18:10").await;
    assert_eq!(may(&stage).await, "yes, next null");
    let told = "feed_read: the calendar of holidays has";
    assert_eq!(
        logged(&stage).await,
        [format!("{told} 1 time ahead"), format!("{told} 1 time ahead"), format!("{told} 0 times ahead")]
    );
    let log = stage.house.store.log(&"freezes".parse().unwrap(), 50).await.unwrap();
    assert!(log.iter().any(|entry| entry.what == "the freeze Cyber Monday is over: it is there no more"), "{log:#?}");
}

#[tokio::test]
async fn what_was_read_last_holds_whatever_the_calendar_answers_and_that_is_said_once() {
    let (mut stage, peer) = following().await;
    assert_eq!(peer.received().len(), 1);
    stage.at("Fri 17:59").await;
    // One is read each quarter of an hour, as long as none can be.
    let garbage = [
        (404, "{}".to_owned()),
        (500, String::new()),
        (200, "<!doctype html><title>Please sign in</title>".to_owned()),
        (200, String::new()),
        (200, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n".to_owned()),
        (200, calendar(&[SALE]).replace("20260323", "yesterday")),
        (200, format!("{}{}", calendar(&[]), " ".repeat(1024 * 1024))),
        (204, String::new()),
    ];
    for (i, (status, body)) in garbage.into_iter().enumerate() {
        peer.always_answers(PATH, status, body);
        let quarter = 15 * i;
        stage.at(&format!("Fri {}:{:02}", 18 + quarter / 60, quarter % 60 + 1)).await;
        assert_eq!(peer.received().len(), 1, "{i}");
        assert_eq!(may(&stage).await, "yes, next \"2026-03-23T00:00:00Z\"", "{i}");
    }
    peer.will(PATH, Mishap::BreaksOff(200));
    stage.at("Fri 20:01").await;
    peer.will(PATH, Mishap::Resets);
    stage.at("Fri 20:16").await;
    peer.always_redirects(PATH, "https://elsewhere.example.com/h.ics");
    stage.at("Fri 20:31").await;
    assert_eq!(may(&stage).await, "yes, next \"2026-03-23T00:00:00Z\"");
    let unread = "feed_unread: it answered 404: what was read last of holidays holds";
    let read = "feed_read: the calendar of holidays has 1 time ahead";
    assert_eq!(logged(&stage).await, [read, unread]);
    let board = stage.get("/").await.body;
    assert!(
        board.contains("The calendar of holidays cannot be read (it says that it is where we do not follow)"),
        "{board}"
    );

    peer.always_redirects(PATH, "/moved.ics");
    peer.always_answers("GET /moved.ics", 200, calendar(&[SALE]));
    stage.at("Fri 20:46").await;
    assert_eq!(logged(&stage).await, [read, unread, read], "it is where the same server says");
    assert!(!stage.get("/").await.body.contains("cannot be read ("));
    stage.at("Mon 12:00").await;
    assert_eq!(may(&stage).await, "no until \"2026-03-24T00:00:00Z\"");
}

/// The times of a calendar's events, by the reader of calendars.
fn times(text: &str) -> Vec<String> {
    let read = icalendar::read_kept(text, &TimeZone::UTC, OccasionKind::Event).unwrap();
    let shown = |span: &Span| match span {
        Span::Times { from, until } => format!("{from} {until}"),
        Span::Days { .. } => panic!("times are moments"),
    };
    read.iter().map(|one| format!("{} {}", one.name, shown(&one.span))).collect()
}

#[tokio::test]
async fn the_freezes_are_a_calendar_to_whoever_reads_the_board() {
    let (stage, _peer) = following().await;
    let form = b"do=freeze&name=Move,%20at%20last&until=2026-03-20+18:00&services=edxapp&zone=UTC";
    let link = stage.link(links::Action::Freezes, "olga");
    assert_eq!(stage.post(&link, Vec::new(), form).await.status, 200);
    let answer = stage.get("/freezes.ics").await;
    let header = |name: &str| answer.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    assert_eq!((answer.status, header("content-type")), (200, "text/calendar; charset=utf-8"));
    assert_eq!(header("cache-control"), "private");
    let mut read = times(&answer.body);
    read.sort();
    assert_eq!(
        read,
        [
            "Freeze: Cyber Monday 2026-03-23T00:00:00Z 2026-03-24T00:00:00Z",
            "Freeze: Move, at last 2026-03-20T12:00:00Z 2026-03-20T18:00:00Z",
        ]
    );
    assert_eq!(asks(&stage, "/freezes.ics", "service=nothing").await.status, 404);
    let board = stage.get("/calendar").await.body.replace("&#x2f;", "/");
    assert!(board.contains("href=\"webcal://deployers.example.com/freezes.ics\">Subscribe"), "{board}");
}

#[tokio::test]
async fn a_calendar_program_subscribes_without_signing_in_for_as_long_as_its_person_is_of_the_roster() {
    let sign_in = "\n[sign_in]\nissuer = \"https://id.example.com\"\nclient_id = \"deployers\"\n";
    let text = configuration(&["edxapp"])
        .replace("github = [\"olga\"]\n", "github = [\"olga\"]\nemails = [\"olga@example.com\"]\n");
    let stage = Stage::with(&format!("{text}{sign_in}"), |_| {}).await;
    let secret = aws::secrets::Secret::new("links-key").unwrap();
    let path = |who: &str| links::subscription(&secret, &who.parse::<PersonId>().unwrap());

    assert_eq!(stage.get("/freezes.ics").await.status, 303, "a browser is sent to sign in");
    let served = stage.get(&path("olga")).await;
    assert!(served.status == 200 && served.body.starts_with("BEGIN:VCALENDAR\r\n"), "{}", served.body);
    for bad in [path("nobody"), path("olga").replace("/olga/", "/anna/"), "/freezes.ics/olga/x".to_owned()] {
        assert_eq!(stage.get(&bad).await.status, 403, "{bad}");
    }
    let link = stage.link(links::Action::Freezes, "olga");
    let mac = link.rsplit('/').next().unwrap();
    assert_eq!(stage.get(&format!("/freezes.ics/olga/{mac}")).await.status, 403, "a link's is another");
    assert_eq!(stage.post(&path("olga"), Vec::new(), b"do=thaw").await.status, 404, "it may only read");

    let session = Session { who: "olga@example.com".to_owned(), expires: time("Sat 00:00") }.seal(&secret);
    let cookie = ("cookie".to_owned(), format!("__Host-deployers-session={session}"));
    let board = stage
        .bundle
        .route(Request::new("GET", "/calendar", vec![cookie], Vec::new()))
        .await
        .body
        .replace("&#x2f;", "/");
    for address in ["webcal", "https"] {
        let wanted = format!("href=\"{address}://deployers.example.com{}\"", path("olga"));
        assert!(board.contains(&wanted), "{wanted}: {board}");
    }
}
