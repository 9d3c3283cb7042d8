//! From an alert to the page about it: our program beside Alertmanager, which takes the same alerts and calls the same receiver.
//! Ours knows of a live change in each service, and so pages who made it; Alertmanager passes the alert on.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws::clients::Http;
use house_tests::program::Program;
use house_tests::{GITHUB_SECRET, TOKEN, commit, now};
use recent_deployers::demo::payloads::{self, Alert, Deployment, Merge};
use serde_json::json;
use tokio::task::JoinSet;

use crate::alertmanager::{Alertmanager, posted};
use crate::figures::{median, millis, part, peak_megabytes};
use crate::pager::{MARK, Pager};

/// So many send at a time.
const AT_ONCE: usize = 16;
/// How often each is loaded, in turn.
const ROUNDS: usize = 5;
/// Sent while it is killed.
const AT_THE_KILL: usize = 200;
/// How long after the kill a page is waited for: ours looks each minute.
const PATIENCE: Duration = Duration::from_secs(150);
const SUMMARY: &str = "7 % of requests fail";
const PEOPLE: usize = 50;

pub struct Contest {
    pub program: PathBuf,
    pub alertmanager: PathBuf,
    pub folder: PathBuf,
    /// One after the other, and then so many at once in each round.
    pub alerts: usize,
}

/// Who takes part.
#[derive(Clone)]
enum Who {
    Ours { base: String },
    Alertmanager { address: String },
}

impl Who {
    /// Sends this alert. Whether it was accepted.
    async fn send(&self, http: &Http, alert: usize) -> bool {
        let (service, name) = (service(alert), format!("{MARK}{alert:06}"));
        let started_at = now();
        let (url, headers, body) = match self {
            Self::Ours { base } => {
                let (service, name) = (service.as_str(), name.as_str());
                let alert = Alert { service, name, summary: SUMMARY, severity: "critical", started_at, ended_at: None };
                let body = payloads::alertmanager(&[alert]);
                (format!("{base}/alert/alertmanager"), payloads::token_headers(TOKEN), body)
            }
            Self::Alertmanager { address } => {
                let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
                (
                    format!("http://{address}/api/v2/alerts"),
                    headers,
                    posted(&service, &name, SUMMARY, &json!(started_at)),
                )
            }
        };
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = http.send("POST", &url, &headers, body.to_string().into_bytes(), 30).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }
}

fn service(alert: usize) -> String {
    format!("service{alert:06}")
}

/// What came of sending many at once.
struct Loaded {
    accepted_a_second: f64,
    paged_a_second: f64,
    /// From the request to the page of each.
    waits: Vec<f64>,
}

impl Contest {
    /// Measures, and prints.
    ///
    /// # Panics
    /// When one of them does not start, or does not page.
    pub async fn measure(&self) {
        let _ = std::fs::remove_dir_all(&self.folder);
        std::fs::create_dir_all(&self.folder).unwrap();
        let (pager, other) = (Pager::start().await, Pager::start().await);
        let data = self.folder.join("ours");
        let mut program = self.ours(&data, &pager).await;
        let ours = Who::Ours { base: program.base.clone() };
        let mut alertmanager =
            Alertmanager::start(&self.alertmanager, &self.folder.join("alertmanager"), &other.address).await;
        let theirs = Who::Alertmanager { address: alertmanager.address.clone() };
        let both = [(&ours, &pager), (&theirs, &other)];

        // One after the other, in turn: whatever disturbs the machine disturbs both.
        let mut alone = [Vec::new(), Vec::new()];
        for alert in 0..self.alerts {
            for ((who, pager), waits) in both.iter().zip(&mut alone) {
                waits.push(one(who, pager, alert).await);
            }
        }
        let mut loaded: [Vec<Loaded>; 2] = Default::default();
        for round in 0..ROUNDS {
            let alerts: Vec<usize> = (0..self.alerts).map(|alert| self.alerts * (1 + round) + alert).collect();
            for ((who, pager), loaded) in both.iter().zip(&mut loaded) {
                loaded.push(many(who, pager, &alerts).await);
                pager.quiet(Duration::from_secs(1)).await;
            }
        }
        let memory = [program.child.id(), alertmanager.process()].map(peak_megabytes);
        print_speed(&alone, &loaded, memory);

        println!();
        println!(
            "| killed (`kill -9`) while alerts come | accepted | paged before | after the restart | never | twice |"
        );
        println!("| --- | ---: | ---: | ---: | ---: | ---: |");
        let first = self.alerts * (1 + ROUNDS);
        for (refuses, from) in [(false, first), (true, first + AT_THE_KILL)] {
            let alerts: Vec<usize> = (from..from + AT_THE_KILL).collect();
            let (accepted, before) = struck(&ours, &pager, &alerts, refuses, || program.kill()).await;
            program = self.start(&data);
            let ours = Who::Ours { base: program.base.clone() };
            survived("ours", &ours, &pager, &accepted, before, refuses).await;
            let (accepted, before) = struck(&theirs, &other, &alerts, refuses, || alertmanager.kill()).await;
            alertmanager.again().await;
            survived("Alertmanager", &theirs, &other, &accepted, before, refuses).await;
        }
    }

    /// The program, with a service of its own for each alert, and in each a live change.
    async fn ours(&self, data: &Path, pager: &Pager) -> Program {
        let secrets = data.join("secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        for (name, text) in
            [("github", GITHUB_SECRET), ("alertmanager", TOKEN), ("hook", "hook-key"), ("links", "links-key")]
        {
            std::fs::write(secrets.join(name), text).unwrap();
        }
        let services = self.alerts * (1 + ROUNDS) + 2 * AT_THE_KILL;
        std::fs::write(self.folder.join("recent-deployers.toml"), settings(services, &pager.address)).unwrap();
        let program = self.start(data);
        let base = Arc::new(program.base.clone());
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (base, next) = (Arc::clone(&base), Arc::clone(&next));
            workers.spawn(async move {
                let http = Http::new();
                loop {
                    let nth = next.fetch_add(1, Ordering::SeqCst);
                    if nth >= services {
                        return;
                    }
                    goes_live(&http, &base, nth).await;
                }
            });
        }
        workers.join_all().await;
        pager.quiet(Duration::from_secs(2)).await;
        program
    }

    fn start(&self, data: &Path) -> Program {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let config = self.folder.join("recent-deployers.toml");
        let mut program = Program::spawn_as(&self.program, data, &config, Stdio::from(log));
        program.ready();
        program
    }
}

fn settings(services: usize, pager: &str) -> String {
    let mut text = format!(
        "[senders.github]\n[senders.alertmanager]\n[unmapped]\nrotation = [\"anna\"]\n\
         [receivers.pager]\nkind = \"webhook\"\nurl = \"{pager}\"\nsecret = \"hook\"\n\
         [people.anna]\nzone = \"UTC\"\ncontacts = [\"pager\"]\n"
    );
    for person in 0..PEOPLE {
        text.push_str(&format!(
            "[people.p{person}]\nzone = \"UTC\"\ngithub = [\"p{person}\"]\ncontacts = [\"pager\"]\n"
        ));
    }
    for nth in 0..services {
        let service = service(nth);
        text.push_str(&format!(
            "[services.{service}]\nowners = [\"anna\"]\nrotation = [\"anna\"]\nalerts = [\"service={service}\"]\n\
             repositories = [{{ name = \"openedx/{service}\" }}]\n[services.{service}.environments.production]\nlive = true\n"
        ));
    }
    text
}

/// A change of this service is merged, and live.
async fn goes_live(http: &Http, base: &str, nth: usize) {
    let (repository, commit, number) = (format!("openedx/{}", service(nth)), commit(nth as u64), nth as u64 + 1);
    let (who, at) = (format!("p{}", nth % PEOPLE), now());
    let (author, merger) = (who.as_str(), who.as_str());
    let merge =
        Merge { repository: &repository, number, title: "Cache the outline", author, merger, commit: &commit, at };
    let deployment = Deployment {
        repository: &repository,
        id: number,
        environment: "production",
        commit: &commit,
        state: "success",
        created_at: at,
        at,
    };
    let events = [
        ("/merge/github", payloads::pull_request_merged(&merge)),
        ("/deploy/github", payloads::deployment_status(&deployment)),
    ];
    for (path, body) in events {
        let body = body.to_string();
        let headers = payloads::github_headers("", GITHUB_SECRET, body.as_bytes());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = http.send("POST", &format!("{base}{path}"), &headers, body.into_bytes(), 30).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    }
}

/// From one alert to its page, nothing else going on.
async fn one(who: &Who, pager: &Pager, alert: usize) -> f64 {
    let http = Http::new();
    let sent = Instant::now();
    assert!(who.send(&http, alert).await, "alert {alert} was not accepted");
    assert!(pager.hears(&[alert], PATIENCE).await, "nobody was paged for alert {alert}");
    millis(pager.heard(alert).unwrap() - sent)
}

/// All of these, as fast as they are taken.
async fn many(who: &Who, pager: &Pager, alerts: &[usize]) -> Loaded {
    let began = Instant::now();
    let sent = storm(who, alerts, || false).await;
    let answered = began.elapsed();
    assert!(sent.iter().all(|(_, _, accepted)| *accepted), "an alert was not accepted");
    assert!(pager.hears(alerts, PATIENCE).await, "nobody was paged for an alert");
    let wait = |(alert, sent, _): &(usize, Instant, bool)| millis(pager.heard(*alert).unwrap() - *sent);
    let last = alerts.iter().filter_map(|alert| pager.heard(*alert)).max().unwrap();
    let count = alerts.len() as f64;
    Loaded {
        accepted_a_second: count / answered.as_secs_f64(),
        paged_a_second: count / (last - began).as_secs_f64(),
        waits: sent.iter().map(wait).collect(),
    }
}

/// Sends these, so many at once, until it is over or all are sent. Each that was sent, when, and whether it was accepted.
async fn storm(
    who: &Who,
    alerts: &[usize],
    over: impl Fn() -> bool + Clone + Send + 'static,
) -> Vec<(usize, Instant, bool)> {
    let (alerts, next) = (Arc::new(alerts.to_vec()), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (who, alerts, next, over) = (who.clone(), Arc::clone(&alerts), Arc::clone(&next), over.clone());
        workers.spawn(async move {
            let (http, mut sent) = (Http::new(), Vec::new());
            while let Some(alert) = alerts.get(next.fetch_add(1, Ordering::SeqCst)).filter(|_| !over()) {
                let at = Instant::now();
                let accepted = who.send(&http, *alert).await;
                sent.push((*alert, at, accepted));
            }
            sent
        });
    }
    workers.join_all().await.into_iter().flatten().collect()
}

/// Sends these and kills it when half of them were answered. What was accepted, and how many of those were paged by then.
async fn struck(who: &Who, pager: &Pager, alerts: &[usize], refuses: bool, kill: impl FnOnce()) -> (Vec<usize>, usize) {
    pager.refuse(refuses);
    let dead = Arc::new(AtomicBool::new(false));
    let half = alerts.len() / 2;
    let (first, rest) = alerts.split_at(half);
    let mut sent = storm(who, first, || false).await;
    let over = Arc::clone(&dead);
    let (who, rest) = (who.clone(), rest.to_vec());
    let under_way = tokio::spawn(async move { storm(&who, &rest, move || over.load(Ordering::SeqCst)).await });
    // In the middle of the rest.
    tokio::time::sleep(Duration::from_millis(40)).await;
    kill();
    dead.store(true, Ordering::SeqCst);
    sent.extend(under_way.await.unwrap());
    let accepted: Vec<usize> = sent.into_iter().filter(|(_, _, accepted)| *accepted).map(|(alert, ..)| alert).collect();
    let before = accepted.iter().filter(|alert| pager.heard(**alert).is_some()).count();
    pager.refuse(false);
    (accepted, before)
}

/// What became of what was accepted before the kill.
async fn survived(name: &str, _who: &Who, pager: &Pager, accepted: &[usize], before: usize, refuses: bool) {
    pager.hears(accepted, PATIENCE).await;
    let paged = accepted.iter().filter(|alert| pager.heard(**alert).is_some()).count();
    let twice = accepted.iter().filter(|alert| pager.how_often(**alert) > 1).count();
    let pager_s = if refuses { ", the receiver answers 503 until then" } else { "" };
    let all = accepted.len();
    println!("| {name}{pager_s} | {all} | {before} | {} | {} | {twice} |", paged - before, all - paged);
}

fn print_speed(alone: &[Vec<f64>; 2], loaded: &[Vec<Loaded>; 2], memory: [f64; 2]) {
    let of =
        |value: &dyn Fn(&Loaded) -> f64| -> [Vec<f64>; 2] { [0, 1].map(|who| loaded[who].iter().map(value).collect()) };
    // A ratio is the median of those of each round, in which both were measured one after the other.
    let row = |what: &str, unit: &str, [ours, theirs]: [Vec<f64>; 2]| {
        let ratio = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect());
        println!("| {what} | {:.1}{unit} | {:.1}{unit} | {ratio:.2} |", median(ours), median(theirs));
    };
    let whole = |p: f64| [0, 1].map(|who| vec![part(alone[who].clone(), p)]);
    println!("| from an alert to its page | ours | Alertmanager | ours / Alertmanager |");
    println!("| --- | ---: | ---: | ---: |");
    row("one at a time, p50", " ms", whole(0.5));
    row("one at a time, p99", " ms", whole(0.99));
    row(&format!("{AT_ONCE} at once: accepted"), "/s", of(&|loaded| loaded.accepted_a_second));
    row(&format!("{AT_ONCE} at once: paged"), "/s", of(&|loaded| loaded.paged_a_second));
    row(&format!("{AT_ONCE} at once, p50"), " ms", of(&|loaded| part(loaded.waits.clone(), 0.5)));
    row(&format!("{AT_ONCE} at once, p99"), " ms", of(&|loaded| part(loaded.waits.clone(), 0.99)));
    row("peak memory", " MB", memory.map(|megabytes| vec![megabytes]));
}
