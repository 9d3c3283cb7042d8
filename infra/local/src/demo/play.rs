//! The stage of the demo: a bundle in memory behind a real port, a clock that we move, a printer.

mod quiet;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws::clients::Answer;
use aws::links::Action;
use aws::secrets::{Secret, Secrets};
use aws::settings::Configuration;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{DemoError, payloads};
use crate::bundle::{Bundle, Options};
use crate::hands::Hands;
use crate::record::Recorder;
use crate::wish::Wish;
use crate::{secrets, server};

/// The sample configuration, compiled in: the demo shows what a new user would run.
const SAMPLE: &str = include_str!("../../../recent-deployers.toml");

/// The file that the sample names, compiled in beside it.
fn beside_the_sample(name: &str) -> Result<String, String> {
    match name {
        "calendars/holidays-se.ics" => Ok(include_str!("../../../calendars/holidays-se.ics").to_owned()),
        "CODEOWNERS" => Ok(include_str!("../../../CODEOWNERS").to_owned()),
        _ => aws::settings::no_files(name),
    }
}

/// Where the links in messages say they lead.
const PUBLIC_URL: &str = "http://127.0.0.1:8787";

/// A clock that moves when it is told to.
#[derive(Clone)]
pub struct VirtualClock(Arc<AtomicI64>);

impl VirtualClock {
    #[must_use]
    pub fn starting_at(at: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_millisecond(), Ordering::SeqCst);
    }
}

/// What the terminal receiver printed since it was last looked at.
type Printed = Arc<Mutex<Vec<String>>>;

pub struct Play {
    pub clock: VirtualClock,
    bundle: Bundle,
    address: String,
    secrets: BTreeMap<String, String>,
    printed: Printed,
    seen: Vec<String>,
    /// Nothing is printed just now, and what was heard since.
    hushed: Option<Vec<String>>,
    out: Box<dyn Write + Send>,
}

impl Play {
    /// Starts a bundle on loopback with the sample configuration and secrets made for this run.
    pub async fn start(out: Box<dyn Write + Send>, recorder: Option<Recorder>) -> Result<Self, DemoError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(DemoError::Port)?;
        let address = format!("http://{}", listener.local_addr().map_err(DemoError::Port)?);
        let mut configuration = Configuration::parse(SAMPLE, &beside_the_sample).map_err(|problems| {
            DemoError::Configuration(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        configuration.settings.public_url = PUBLIC_URL.to_owned();
        let mut known = BTreeMap::new();
        for name in secrets::ours(&configuration) {
            known.insert(name, secrets::random()?);
        }
        let fixed = known.iter().filter_map(|(name, text)| Some((name.clone(), Secret::new(text)?)));
        let clock = VirtualClock::starting_at(Timestamp::UNIX_EPOCH);
        let printed = Printed::default();
        let (time, lines) = (clock.clone(), Arc::clone(&printed));
        let mut bundle = Bundle::start(Options {
            configuration,
            secrets: Secrets::fixed(fixed),
            file: None,
            aws: None,
            now: Arc::new(move || time.now()),
            terminal: Arc::new(move |text| lines.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned())),
        })
        .await?;
        if let Some(recorder) = recorder {
            bundle.record(recorder);
        }
        tokio::spawn(server::serve(listener, bundle.clone(), server::Board::ThisMachine, std::future::pending()));
        Ok(Self { clock, bundle, address, secrets: known, printed, seen: Vec::new(), hushed: None, out })
    }

    /// Nothing more is played.
    pub(super) fn into_bundle(self) -> Bundle {
        self.bundle
    }

    /// A line of the story.
    pub fn say(&mut self, text: &str) -> Result<(), DemoError> {
        if self.hushed.is_some() {
            return Ok(());
        }
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Lets time pass, minute by minute, printing what becomes due.
    pub async fn until(&mut self, at: Timestamp) -> Result<(), DemoError> {
        while let Some(tick) = self.bundle.next_tick(self.clock.now()).await?.filter(|tick| *tick <= at) {
            self.clock.set(tick);
            self.bundle.tick().await;
            self.show().await?;
        }
        self.clock.set(at);
        Ok(())
    }

    /// Sends a payload as its sender would, and prints what happened.
    pub async fn send(&mut self, what: &str, path: &str, payload: &Value) -> Result<(), DemoError> {
        let body = payload.to_string().into_bytes();
        let secret = |name: &str| self.secrets.get(name).cloned().unwrap_or_default();
        let headers = match path.rsplit('/').next() {
            Some("github") => payloads::github_headers("", &secret("github-webhook"), &body),
            _ => payloads::token_headers(&secret("alertmanager")),
        };
        self.stamp(what)?;
        let answer = self.post(path, &headers, body).await?;
        if answer.status != 200 {
            return Err(DemoError::Answer(path.to_owned(), answer.status));
        }
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let why = answer.get("why").or_else(|| answer.get("ignored"));
        self.say(&format!("           POST {path} -> {}", why.and_then(Value::as_str).unwrap_or("?")))?;
        self.show().await
    }

    /// Opens the newest link of this label that was sent to this person, and posts its form.
    pub async fn press(&mut self, what: &str, name: &str, label: &str, form: &str) -> Result<(), DemoError> {
        self.stamp(what)?;
        let (to, prefix) = (format!(" to {name} "), format!("{label}: "));
        let link = |text: &String| {
            let ours = text.lines().next().is_some_and(|head| head.contains(&to));
            let lines = text.lines().filter(|_| ours);
            lines.filter_map(|line| line.trim().strip_prefix(&prefix)).next_back().map(str::to_owned)
        };
        let link = self.seen.iter().rev().find_map(link).ok_or_else(|| DemoError::NoLink(name.to_owned()))?;
        let path = link.trim_start_matches(PUBLIC_URL).to_owned();
        let headers = [("accept".to_owned(), "application/json".to_owned())];
        let answer = self.post(&path, &headers, form.as_bytes().to_vec()).await?;
        if answer.status != 200 {
            return Err(DemoError::Answer(label.to_owned(), answer.status));
        }
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let said = answer.get("text").and_then(Value::as_str).unwrap_or("?");
        let first = path.split('/').nth(1).unwrap_or("");
        self.say(&format!("           POST /{first}/... -> {said}"))?;
        self.show().await
    }

    /// What a person types into a terminal.
    pub async fn command(&mut self, what: &str, service: &str, me: &str, wish: &Wish) -> Result<(), DemoError> {
        self.stamp(what)?;
        let house = &self.bundle.house;
        let hands = Hands {
            configuration: &house.configuration,
            secrets: &house.secrets,
            address: self.address.clone(),
            now: self.clock.now(),
        };
        let said = hands.act(service, me, wish).await?;
        let about = wish.about().unwrap_or_else(|| service.to_owned());
        self.say(&format!("           recent-deployers {} {about} --as {me} -> {said}", wish.command()))?;
        self.show().await
    }

    /// The newest lines of a service's log, oldest first.
    pub async fn log(&mut self, service: &str, most: i32) -> Result<(), DemoError> {
        let Ok(id) = service.parse() else { return Ok(()) };
        self.stamp(&format!("what {service}'s log says:"))?;
        let mut entries = self.bundle.house.store.log(&id, most).await?;
        entries.reverse();
        for entry in entries {
            let at = entry.at.strftime("%a %H:%M");
            self.say(&format!("           {at}  {} ({})", entry.what, entry.reason))?;
        }
        Ok(())
    }

    /// What the board says about a service, in lines.
    pub async fn board(&mut self, service: &str) -> Result<(), DemoError> {
        let settings = self.bundle.house.settings().clone();
        let Some(service) = service.parse().ok().and_then(|id| settings.service(&id)) else {
            return Ok(());
        };
        let situation = self.bundle.house.store.situation(&service.id).await?;
        let now = self.clock.now();
        self.stamp(&format!("the board on {}:", service.id))?;
        let windows = domain::window::windows(&situation, service, &settings.roster, now);
        for window in &windows {
            let state = match window.phase {
                domain::Phase::Standby => "standby".to_owned(),
                domain::Phase::Active { until, .. } => format!("on call until {}", clock_time(until, now)),
                domain::Phase::Tail { until, .. } => format!("suspect until {}", clock_time(until, now)),
                domain::Phase::Closed { .. } => "closed".to_owned(),
            };
            let who = settings.roster.name_of(&window.holder.person);
            let why = window.holder.because.they(|person| settings.roster.name_of(person).to_owned());
            self.say(&format!("           {:<20} {who:<14} {state} ({why})", window.change.label()))?;
        }
        let shifts = situation.shifts.values().map(|s| &s.value);
        if let Some(shift) = domain::shift::of_service(shifts, now) {
            let until = shift.until.map(|at| clock_time(at, now)).unwrap_or_default();
            self.say(&format!(
                "           {} has the pager until {until} and is paged first",
                settings.roster.name_of(&shift.person)
            ))?;
        }
        if let Some(pause) = situation.queue.value.paused(now) {
            let by = settings.roster.name_of(&pause.by);
            self.say(&format!("           the pipeline is paused by {by}: {}", pause.why))?;
        }
        if windows.is_empty() {
            self.say("           nobody's change went live lately: the rotation is paged first")?;
        }
        Ok(())
    }

    fn stamp(&mut self, what: &str) -> Result<(), DemoError> {
        let at = self.clock.now().to_zoned_datetime(TimeZone::UTC);
        let line = format!("{}  {what}", at.strftime("%a %H:%M"));
        self.say(&format!("\n{line}"))
    }

    async fn post(&self, path: &str, headers: &[(String, String)], body: Vec<u8>) -> Result<Answer, DemoError> {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        Ok(self.bundle.house.http.send("POST", &format!("{}{path}", self.address), &headers, body, 10).await?)
    }

    /// Waits for what the last event set off, and prints the messages in a steady order.
    async fn show(&mut self) -> Result<(), DemoError> {
        self.bundle.quiesce().await;
        let mut texts = std::mem::take(&mut *self.printed.lock().unwrap_or_else(PoisonError::into_inner));
        texts.sort();
        let at = self.clock.now().to_zoned_datetime(TimeZone::UTC).strftime("%a %H:%M").to_string();
        for text in texts {
            self.say(&at)?;
            for line in text.lines() {
                self.say(&format!("    {}", mask(line)))?;
            }
            self.seen.push(text);
        }
        Ok(())
    }
}

fn clock_time(at: Timestamp, now: Timestamp) -> String {
    domain::times::time(at, &TimeZone::UTC, now)
}

/// A link's signature is a key: it is cut from what is printed.
fn mask(line: &str) -> String {
    let path = line.split_once(PUBLIC_URL).and_then(|(_, path)| path.split('/').nth(1));
    if !path.is_some_and(|first| Action::PATHS.contains(&first)) {
        return line.to_owned();
    }
    line.rsplitn(3, '/').last().map_or_else(String::new, |kept| format!("{kept}/..."))
}
