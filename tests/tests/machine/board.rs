//! The board in a real browser: what people see of a merge, a deployment and an incident, and what their clicks do. The pictures are
//! in `target/board`; those of the README are copies.

use std::pin::Pin;
use std::time::Duration;

use aws::links::Action;
use aws::secrets::Secret;
use aws::session::Session;
use house_tests::{Stage, TOKEN, time};
use jiff::SignedDuration;
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use recent_deployers::server::{self, Board};
use tokio::net::TcpListener;

#[path = "../whole/undo/fake.rs"]
mod fake;

use super::browser::{DARK, Driver, LIGHT, PHONE, Page, WITHOUT_SCRIPT};

/// Four services of one company, five people.
const CONFIGURATION: &str = r#"
[senders.github]
[senders.alertmanager]
[unmapped]
rotation = ["olga"]
[sign_in]
issuer = "https://accounts.example.com"
client_id = "deployers"
[calendars.company]
zone = "Europe/Stockholm"
kind = "event"
days = ["2026-03-26..2026-03-29"]
name = "Gratitude week"
[freezes.gratitude-week]
preset = "holiday"
calendar = "company"
zone = "Europe/Stockholm"
[freezes.spring-sale]
preset = "peak-event"
from = "2026-04-07 08:00"
until = "2026-04-10 20:00"
zone = "Europe/Stockholm"
[freezes.weekends]
preset = "weekend"
from = "2026-03-20 18:00"
until = "2026-03-23 07:00"
rule = "FREQ=WEEKLY"
zone = "Europe/Stockholm"
services = ["search"]
"#;

const PEOPLE: [(&str, &str, &str); 5] = [
    ("anna", "Anna Lindqvist", "Europe/Stockholm"),
    ("bilal", "Bilal Khan", "Asia/Karachi"),
    ("chen", "Chen Wei", "Asia/Shanghai"),
    ("dana", "Dana Okafor", "America/New_York"),
    ("olga", "Olga Petrova", "Europe/London"),
];
const SERVICES: [(&str, &str, &str); 5] = [
    ("cart", "dana", "olga"),
    ("checkout", "olga", "chen"),
    ("payments", "anna", "olga"),
    ("search", "chen", "dana"),
    ("website", "dana", "anna"),
];

fn configuration() -> String {
    let mut text = CONFIGURATION.to_owned();
    for (id, name, zone) in PEOPLE {
        text.push_str(&format!(
            "[people.{id}]\nname = \"{name}\"\nzone = \"{zone}\"\ngithub = [\"{id}\"]\nemails = [\"{id}@example.com\"]\ncontacts = [\"terminal\"]\n"
        ));
    }
    for (id, owner, rotation) in SERVICES {
        text.push_str(&format!(
            "[services.{id}]\nowners = [\"{owner}\"]\nrotation = [\"{rotation}\"]\nalerts = [\"service={id}\"]\n\
             repositories = [{{ name = \"shop/{id}\" }}]\n[services.{id}.environments.production]\nlive = true\n[services.{id}.environments.stage]\n"
        ));
    }
    text
}

/// When payments was slow before, until when, and which change it was, where somebody said so.
const LATELY: [(&str, &str, u64); 8] = [
    ("Fri 12:20", "Fri 12:31", 301),
    ("Fri 13:05", "Fri 13:50", 302),
    ("Fri 14:10", "Fri 14:14", 0),
    ("Fri 15:00", "Fri 17:05", 302),
    ("Fri 17:30", "Fri 17:49", 305),
    ("Fri 18:10", "Fri 18:38", 306),
    ("Fri 18:50", "Fri 18:56", 307),
    ("Fri 19:05", "Fri 19:48", 306),
];

/// The merge commit of pull request `number`, as commits look.
fn commit(number: u64) -> String {
    format!("{:016x}{:024x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number)
}

/// A step of a story. Each is kept on the heap: all of a day would not fit a thread's stack.
type Step<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A bundle that a browser reaches, and its story.
struct Town {
    stage: Stage,
    address: String,
}

impl Town {
    async fn build() -> Self {
        Self::of(&configuration()).await
    }

    async fn of(text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stage =
            Stage::with_secrets(text, &[("sign-in", "x"), ("hook", "hook"), ("forge", "token")], |configuration| {
                configuration.settings.public_url.clone_from(&address);
            })
            .await;
        let bundle = stage.bundle.clone();
        // Each service is looked at once, as when the program starts.
        bundle.tick().await;
        bundle.quiesce().await;
        let own = bundle.clone();
        // As the program does: what somebody did by a click is looked at, at once.
        tokio::spawn(async move {
            loop {
                own.settle_nudged().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        tokio::spawn(server::serve(listener, bundle, Board::Everybody, std::future::pending()));
        Self { stage, address }
    }

    /// Signs this person in, by the cookie that the provider's answer would have set.
    async fn signed_in(&self, page: &Page, who: &str) {
        page.goto(&self.at("/freezes/nobody/0/0")).await;
        let who = format!("{who}@example.com");
        let expires = self.stage.clock.now() + SignedDuration::from_hours(24 * 30);
        let sealed = Session { who, expires }.seal(&Secret::new("links-key").unwrap());
        page.carries("deployers-session", &sealed).await;
        page.goto(&format!("{}/", self.address)).await;
    }

    fn merge<'a>(&'a self, service: &'a str, number: u64, who: &'a str, title: &'a str) -> Step<'a> {
        Box::pin(async move {
            let repository = format!("shop/{service}");
            let (commit, at) = (commit(number), self.stage.clock.now());
            let merge = Merge { repository: &repository, number, title, author: who, merger: who, commit: &commit, at };
            let answer = self.stage.github("/merge/github", &payloads::pull_request_merged(&merge)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        })
    }

    fn deploy<'a>(&'a self, service: &'a str, environment: &'a str, state: &'a str, number: u64) -> Step<'a> {
        Box::pin(async move {
            let repository = format!("shop/{service}");
            let (commit, at) = (commit(number), self.stage.clock.now());
            let deployment = Deployment {
                repository: &repository,
                id: number,
                environment,
                commit: &commit,
                state,
                created_at: at,
                at,
            };
            let answer = self.stage.github("/deploy/github", &payloads::deployment_status(&deployment)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        })
    }

    fn alert<'a>(&'a self, service: &'a str, name: &'a str, summary: &'a str, since: &'a str, over: bool) -> Step<'a> {
        Box::pin(async move {
            let ended_at = over.then(|| self.stage.clock.now());
            let alert = Alert { service, name, summary, severity: "critical", started_at: time(since), ended_at };
            let body = payloads::alertmanager(&[alert]).to_string();
            let answer = self.stage.post("/alert/alertmanager", payloads::token_headers(TOKEN), body.as_bytes()).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        })
    }

    /// A day at the shop: releases, a queue that grows, an incident that is over, and one that is not.
    async fn day() -> Self {
        let mut town = Self::build().await;
        for (service, number) in
            [("cart", 100), ("checkout", 200), ("payments", 300), ("search", 400), ("website", 500)]
        {
            town.merge(service, number, "dana", "Bump the base image").await;
            town.deploy(service, "production", "success", number).await;
        }
        for (n, (since, over, culprit)) in LATELY.into_iter().enumerate() {
            town.earlier(301 + u64::try_from(n).unwrap(), since, over, culprit).await;
        }
        town.until("Fri 20:00").await;
        town.merge("search", 401, "chen", "Index synonyms from the shared dictionary").await;
        town.merge("search", 402, "bilal", "Raise the timeout of the spell checker").await;
        town.until("Sun 10:00").await;
        town.merge("cart", 101, "bilal", "Keep the cart of guests for thirty days").await;
        town.deploy("cart", "production", "success", 101).await;
        town.until("Sun 10:20").await;
        town.alert("cart", "CartErrors", "2 % of requests answer 500", "Sun 10:18", false).await;
        town.until("Sun 10:26").await;
        let incident = town.stage.incident("cart").await.id;
        town.act(&incident, "bilal", "do=acknowledge").await;
        town.until("Sun 10:51").await;
        town.alert("cart", "CartErrors", "2 % of requests answer 500", "Sun 10:18", true).await;
        town.act(&incident, "bilal", "do=judge&change=shop%2Fcart%40".to_owned() + &commit(101)).await;
        town.until("Mon 08:05").await;
        for (number, who, title) in [
            (403, "anna", "Show out-of-stock articles last"),
            (404, "dana", "Remove the old ranking flag"),
            (405, "chen", "Cache facets per storefront"),
        ] {
            town.merge("search", number, who, title).await;
        }
        town.deploy("search", "production", "failure", 405).await;
        town.merge("website", 501, "dana", "New footer with opening hours").await;
        town.deploy("website", "stage", "success", 501).await;
        town.until("Mon 09:12").await;
        town.merge("checkout", 201, "anna", "Validate vouchers before the payment step").await;
        town.merge("checkout", 202, "chen", "Retry tax look-ups with a shorter timeout").await;
        town.merge("payments", 390, "bilal", "Rotate the keys of the card vault").await;
        town.until("Mon 09:30").await;
        town.deploy("checkout", "production", "success", 202).await;
        town.deploy("payments", "production", "success", 390).await;
        town.until("Mon 09:41").await;
        town.alert("checkout", "CheckoutFailing", "7 % of checkouts answer 500 since 09:38", "Mon 09:38", false).await;
        town.until("Mon 09:43").await;
        town
    }

    /// A release of payments that broke something, and what became of it.
    fn earlier<'a>(&'a mut self, number: u64, since: &'a str, over: &'a str, culprit: u64) -> Step<'a> {
        Box::pin(async move {
            self.merge("payments", number, PEOPLE[usize::try_from(number).unwrap() % 4].0, "Tune the retries").await;
            self.deploy("payments", "production", "success", number).await;
            self.until(since).await;
            self.alert("payments", "PaymentsSlow", "the 95th percentile is above 2 s", since, false).await;
            let situation = self.stage.situation("payments").await;
            let open = situation.incidents.values().find(|known| known.value.is_open()).unwrap().value.id.clone();
            self.until(over).await;
            self.alert("payments", "PaymentsSlow", "the 95th percentile is above 2 s", since, true).await;
            if culprit > 0 {
                self.act(&open, "anna", format!("do=judge&change=shop%2Fpayments%40{}", commit(culprit))).await;
            }
        })
    }

    fn act<'a>(&'a self, incident: &'a domain::IncidentId, who: &'a str, form: impl AsRef<[u8]> + 'a) -> Step<'a> {
        Box::pin(async move {
            let path = self.stage.link(Action::Acknowledge(incident.clone()), who);
            let answer = self.stage.post(&path, Vec::new(), form.as_ref()).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        })
    }

    /// Lets time pass.
    fn until<'a>(&'a mut self, time: &'a str) -> Step<'a> {
        Box::pin(async move {
            self.stage.at(time).await;
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

/// Says plainly that there is no browser here.
fn driver() -> Option<Driver> {
    let driver = Driver::start();
    if driver.is_none() {
        println!("NOT RUN: RECENT_DEPLOYERS_CHROMEDRIVER names no driver of Chromium; tests/run installs one");
    }
    driver
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_look_as_they_should_and_nobody_is_kept_out_of_them() {
    let Some(driver) = driver() else { return };
    let town = Town::day().await;
    let open = town.stage.incident("checkout").await.id;
    let past = town.stage.incident("cart").await.id;
    for look in [LIGHT, DARK, PHONE] {
        let page = driver.open(look).await;
        town.signed_in(&page, "olga").await;
        for (name, path, says) in [
            ("board", "/".to_owned(), "Anna Lindqvist"),
            ("service", "/services/search".to_owned(), "Index synonyms"),
            ("incident", format!("/incidents/{open}"), "Validate vouchers"),
            ("past-incident", format!("/incidents/{past}"), "It was cart#101, says Bilal"),
            ("history", "/services/payments/history".to_owned(), "It was the first suspect"),
            ("person", "/people/anna".to_owned(), "On call for checkout"),
            ("calendar", "/calendar".to_owned(), "Gratitude week"),
            ("measures", "/measures".to_owned(), "Other figures"),
            ("measures-of-one", "/measures?service=payments&cut=2026-03-10".to_owned(), "All services"),
            ("act", town.stage.link(Action::OnCall("cart".parse().unwrap()), "olga"), "Take the pager"),
            ("notice", "/people/nobody".to_owned(), "Nobody by this name"),
        ] {
            page.goto(&town.at(&path)).await;
            page.says(says).await;
            page.photographs(name).await;
            assert_eq!(page.barriers().await, Vec::<String>::new(), "{name}, {}", look.name);
            let (wide, shown) = (
                page.run("return document.documentElement.scrollWidth").await,
                page.run("return window.innerWidth").await,
            );
            assert!(wide.as_u64() <= shown.as_u64(), "{name}, {}: {wide} wide, {shown} are shown", look.name);
        }
        page.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_appears_and_an_incident_is_acknowledged_handed_over_and_judged() {
    let Some(driver) = driver() else { return };
    let mut town = Town::build().await;
    town.merge("cart", 100, "dana", "Bump the base image").await;
    town.deploy("cart", "production", "success", 100).await;
    let page = driver.open(LIGHT).await;
    town.signed_in(&page, "bilal").await;
    page.says("No change of yours is on call now.").await;
    // It comes without anybody's asking for the page again.
    page.run("window.asked = 1").await;
    town.merge("cart", 101, "bilal", "Keep the cart of guests").await;
    town.deploy("cart", "production", "success", 101).await;
    page.run("document.dispatchEvent(new Event('visibilitychange'))").await;
    page.says("You are on call for cart until 18:00.").await;
    assert_eq!(page.run("return window.asked").await, 1, "the page was not loaded anew");

    town.until("Fri 12:30").await;
    town.alert("cart", "CartErrors", "2 % of requests answer 500", "Fri 12:29", false).await;
    page.run("document.dispatchEvent(new Event('visibilitychange'))").await;
    page.says("CartErrors").await;
    assert_eq!(page.element("#say").await.html(true).await.unwrap(), "1 open incident.", "it is said aloud");
    let stale = page.element(".wound form").await.attr("action").await.unwrap().unwrap();
    page.press("Acknowledge").await;
    page.says("It is yours. Nobody else will be paged for it.").await;
    page.press("The board").await;
    page.says("Bilal Khan is at it").await;
    // What was open meanwhile in another tab does no harm.
    page.run(&format!("document.body.innerHTML = '<form method=post action=\"{stale}\"><button>Old</button></form>'"))
        .await;
    page.press("Old").await;
    page.says("You acknowledged this at").await;
    assert_eq!(town.stage.incident("cart").await.acknowledged.len(), 1);

    page.press("The board").await;
    page.press("You").await;
    page.says("On call for cart until").await;
    page.press("Hand over cart#101").await;
    page.says("Hand cart#101 over").await;
    let colleague = page.element("select[name=to]").await;
    colleague.select_by_value("chen").await.unwrap();
    page.press("Hand over").await;
    page.says("Chen Wei has it now, and was told.").await;
    assert!(town.stage.windows("cart").await.iter().any(|window| window.starts_with("cart#101 chen active")));
    page.goto(&town.at("/people/chen")).await;
    page.says("On call for cart until").await;

    // A page that is left open: what somebody has begun to choose stays, and what is over is seen.
    let incident = town.stage.incident("cart").await.id;
    page.goto(&town.at(&format!("/incidents/{incident}"))).await;
    let chosen = "return [...document.querySelectorAll('select[name=change]')].pop().selectedIndex";
    page.run("[...document.querySelectorAll('select[name=change]')].pop().selectedIndex = 1").await;
    town.until("Fri 12:50").await;
    town.alert("cart", "CartErrors", "2 % of requests answer 500", "Fri 12:29", true).await;
    let renewed = "document.dispatchEvent(new Event('visibilitychange'))";
    page.run(renewed).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(page.run(chosen).await, 1, "what is begun is not undone");
    page.run("[...document.querySelectorAll('select[name=change]')].pop().selectedIndex = 0").await;
    page.run(renewed).await;
    page.says("Resolved").await;
    page.says("resolved").await;
    page.element("select[name=change]").await.select_by_label("cart#101 Keep the cart of guests").await.unwrap();
    page.press("Judge").await;
    page.says("it counts for how often the suspects were right").await;
    let verdict = town.stage.incident("cart").await.verdict.unwrap();
    assert_eq!(verdict.label, "cart#101");
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_script_and_without_a_mouse_everything_can_be_done() {
    let Some(driver) = driver() else { return };
    let town = Town::day().await;
    let page = driver.open(WITHOUT_SCRIPT).await;
    town.signed_in(&page, "olga").await;
    page.says("CheckoutFailing").await;
    // The first key leads past what each page begins with, the next ones through what can be done, in order.
    let mut stops = Vec::new();
    for _ in 0..10 {
        page.client.active_element().await.unwrap().send_keys("\u{e004}").await.unwrap();
        stops.push(page.client.active_element().await.unwrap().text().await.unwrap());
    }
    assert_eq!(
        stops,
        [
            "Skip to the content",
            "Recent Deployers",
            "On call",
            "Freezes",
            "Measures",
            "You",
            "[critical] checkout production: CheckoutFailing",
            "checkout#202",
            "Chen Wei",
            "Acknowledge"
        ]
    );
    page.client.active_element().await.unwrap().send_keys("\u{e007}").await.unwrap();
    page.says("It is yours. Nobody else will be paged for it.").await;
    assert!(town.stage.incident("checkout").await.acknowledged[0].is_by(&"olga".parse().unwrap()));
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_is_one_click_from_the_incident_and_one_pull_request_however_often_it_is_pressed() {
    let Some(driver) = driver() else { return };
    let forge = fake::Fake::start().await;
    let sign_in = "[sign_in]\nissuer = \"https://accounts.example.com\"\nclient_id = \"deployers\"\n";
    let source = format!(
        "[senders.forge]\nkind = \"github\"\nsecret = \"hook\"\napi_token = \"forge\"\napi_url = \"{}\"\nreverts = true\nrepositories = [\"openedx/*\"]\n",
        forge.address
    );
    let people = house_tests::configuration(&["edxapp"])
        .replace("github = [\"usama\"]", "github = [\"usama\"]\nemails = [\"usama@example.com\"]");
    let mut town = Town::of(&format!("{people}{source}{sign_in}")).await;
    town.stage.merge("feanil", 1).await;
    town.stage.deploy("prod", "success", 1).await;
    town.stage.merge("usama", 2).await;
    town.stage.deploy("prod", "success", 2).await;
    town.stage.at("Fri 12:10").await.alert("edxapp", "Fri 12:09", false).await;
    let incident = town.stage.incident("edxapp").await.id;
    forge.done();

    let page = driver.open(LIGHT).await;
    town.signed_in(&page, "usama").await;
    page.goto(&town.at(&format!("/incidents/{incident}"))).await;
    page.press("Revert edx-platform#2…").await;
    page.says("Revert edx-platform#2?").await;
    page.says("labelled expedite").await;
    assert!(forge.done().is_empty(), "looking does nothing");
    page.photographs("revert").await;
    assert_eq!(page.barriers().await, Vec::<String>::new());
    let stale = page.element("main form").await.attr("action").await.unwrap().unwrap();
    page.press("Revert").await;
    page.says("The revert of edx-platform#2 is on its way").await;
    for _ in 0..3 {
        page.run(&format!(
            "document.body.innerHTML = '<form method=post action=\"{stale}\"><button>Once more</button></form>'"
        ))
        .await;
        page.press("Once more").await;
        page.says("Asked for already").await;
    }
    page.goto(&town.at(&format!("/incidents/{incident}"))).await;
    for _ in 0..100 {
        if page.text().await.contains("its revert: edx-platform#900") {
            break;
        }
        page.run("document.dispatchEvent(new Event('visibilitychange'))").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    page.says("its revert: edx-platform#900").await;
    assert_eq!(forge.pulls().len(), 1);
    assert_eq!(forge.done().iter().filter(|line| line.contains("graphql")).count(), 1);
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_incidents_the_focus_stays_with_its_own() {
    let Some(driver) = driver() else { return };
    let mut town = Town::build().await;
    for (service, number, who) in [("cart", 100, "dana"), ("search", 400, "chen")] {
        town.merge(service, number, who, "Bump the base image").await;
        town.deploy(service, "production", "success", number).await;
    }
    town.until("Fri 12:10").await;
    town.alert("search", "SearchErrors", "no results", "Fri 12:09", false).await;
    let page = driver.open(LIGHT).await;
    town.signed_in(&page, "olga").await;
    page.says("SearchErrors").await;
    page.run("document.querySelector('.wound button').focus()").await;
    // Another one comes, and stands above it.
    town.alert("cart", "CartErrors", "2 % of requests answer 500", "Fri 12:09", false).await;
    page.run("document.dispatchEvent(new Event('visibilitychange'))").await;
    page.says("CartErrors").await;
    let first = page.element(".wound h2").await.text().await.unwrap();
    assert!(first.contains("CartErrors"), "{first}");
    page.client.active_element().await.unwrap().send_keys("\u{e007}").await.unwrap();
    page.says("It is yours. Nobody else will be paged for it.").await;
    assert!(town.stage.incident("cart").await.acknowledged.is_empty());
    assert_eq!(town.stage.incident("search").await.acknowledged.len(), 1);
    page.close().await;
}
