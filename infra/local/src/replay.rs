//! `cargo run -- replay`: a team's own past through the same functions, in virtual time, before they trust it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::settings::Configuration;
use clap::ValueEnum;
use domain::{Mode, Settings};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use replay::export::{Export, LeftOut};
use replay::input::{self, Input, InputKind};
use replay::run::{self, Played};
use replay::{history, page, words};
use serde_json::json;

use crate::check;

/// What is asked of a replay.
#[derive(Debug, clap::Args)]
pub struct Asked {
    /// What happened: an archive (JSON lines, also .gz), a clone, a history, or exports of GitHub, PagerDuty, Opsgenie; several exports
    /// together, and alerts beside a clone.
    #[arg(required = true)]
    pub events: Vec<PathBuf>,
    /// What it is; without this, it is seen from its beginning.
    #[arg(long)]
    pub kind: Option<Kind>,
    /// A list of alerts (CSV or JSON lines: at, service, name, severity, resolved_at) or a pager's export, beside a clone or a history.
    #[arg(long)]
    pub alerts: Vec<PathBuf>,
    /// How long after its merge a change is live, where no deployments are told.
    #[arg(long, default_value = "30m")]
    pub live_after: SignedDuration,
    /// Where people work, of a history that no service of the configuration deploys.
    #[arg(long, default_value = "UTC")]
    pub zone: String,
    /// Play every service in this mode; without this, each in its own. In `manual` nobody is paged, from `shadow` to `page` the same is
    /// decided. `propose` and `act` say which reverts would have been opened; none is, and each incident goes on as it did.
    #[arg(long)]
    pub mode: Option<Mode>,
    /// The same past by another configuration (a .toml file), or by other numbers: active=30m,rotation_after=10m
    #[arg(long)]
    pub against: Option<String>,
    /// Leave out what cannot be read, and say how much that was.
    #[arg(long)]
    pub lenient: bool,
    /// For machines.
    #[arg(long)]
    pub json: bool,
    /// Write every decision to this file, as JSON lines.
    #[arg(long)]
    pub log: Option<PathBuf>,
    /// Write a page with plots to this file.
    #[arg(long)]
    pub report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    Archive,
    Git,
    History,
    Export,
}

impl From<Kind> for InputKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Archive => Self::Archive,
            Kind::Git => Self::Git,
            Kind::History => Self::History,
            Kind::Export => Self::Export,
        }
    }
}

type Failure = Box<dyn std::error::Error>;

/// Plays it and says what came of it. `config`: the configuration of whoever asks.
pub fn run(asked: &Asked, config: &Path) -> Result<String, Failure> {
    let (input, configuration, made_up) = read(asked, config)?;
    let settings = in_mode(configuration.settings.clone(), asked.mode);
    let bar = bar();
    let progress = |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let log = asked.log.as_deref();
    let (played, other) = match &asked.against {
        None => (run::play(&input, &configuration, settings, log, &progress)?, None),
        Some(against) => {
            let (other, other_settings) = other(against, &configuration, &made_up)?;
            let other_settings = in_mode(other_settings, asked.mode);
            let (one, two) =
                run::play_both(&input, (&configuration, settings), (&other, other_settings), log, &progress)?;
            (one, Some((against.as_str(), two)))
        }
    };
    bar.finish_and_clear();
    if let Some(path) = &asked.report {
        let title = asked.events.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let against = other.as_ref().map(|(called, played)| (*called, &played.outcome));
        fs::write(path, page::page(&title, &played.outcome, against))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    if asked.json {
        let other = other.map(|(called, played)| json!({ "policy": called, "outcome": figures(&played) }));
        let said = json!({ "outcome": figures(&played), "against": other });
        return Ok(serde_json::to_string_pretty(&said)?);
    }
    let manual = configuration.settings.services().filter(|service| !service.mode.decides()).count();
    let mut text = made_up.map(|why| format!("{why}\n\n")).unwrap_or_default();
    if manual > 0 && asked.mode.is_none() {
        let services = domain::text::count(manual, "service is", "services are");
        text.push_str(&format!(
            "{services} in manual mode, in which nobody is paged: --mode shadow plays them too.\n\n"
        ));
    }
    text.push_str(&words::summary(&played));
    if asked.mode.is_some_and(|mode| mode >= Mode::Propose) && played.outcome.all().proposed == 0 {
        text.push_str("\n\nNo revert would have been proposed: --log says why not, incident by incident (\"no revert is opened by itself\").");
    }
    if let Some((called, other)) = other {
        text.push_str("\n\n");
        text.push_str(&words::compare("this configuration", &played.outcome, called, &other.outcome));
    }
    Ok(text)
}

fn in_mode(settings: Settings, mode: Option<Mode>) -> Settings {
    match mode {
        Some(mode) => settings.alone(|service| service.mode = mode),
        None => settings,
    }
}

fn figures(played: &Played) -> serde_json::Value {
    let log = json!({ "lines": played.lines, "sha256": played.digest });
    json!({ "events": played.events, "unread": played.unread, "log": log, "all": played.outcome.all(), "came_of_it": played.outcome })
}

/// The input, by which configuration, and why that is not the one that was named.
fn read(asked: &Asked, config: &Path) -> Result<(Input, Configuration, Option<String>), Failure> {
    let first = asked.events.first().ok_or("name what is to be replayed")?;
    let kind = asked.kind.map_or_else(|| InputKind::of(first), |kind| Ok(kind.into()))?;
    if kind == InputKind::Archive {
        if asked.events.len() > 1 {
            return Err("one archive at a time: `cat` puts several together, if they are in order".into());
        }
        return Ok((Input::Archive { path: first.clone(), lenient: asked.lenient }, check::read(config)?, None));
    }
    let mut export = Export::default();
    let beside = if kind == InputKind::Export { 0 } else { 1 };
    for path in asked.events.iter().skip(beside).chain(&asked.alerts) {
        export.add(path)?;
    }
    let history = input::history(kind, first, |_, _| ())?;
    let (exported, left_out) = export.finish();
    if left_out.all() > 0 && !asked.lenient {
        return Err(not_known(left_out));
    }
    let Some(history) = history else {
        return Ok((Input::of_export(exported, left_out), check::read(config)?, None));
    };
    let read = check::read(config);
    let served = |configuration: &Configuration| {
        let repository = history.name.parse().ok();
        repository.is_some_and(|repository| configuration.settings.services().any(|s| s.deploys(&repository)))
    };
    let (configuration, made_up) = match read.ok().filter(served) {
        Some(configuration) => (configuration, None),
        None => {
            let problems = |p: Vec<aws::settings::Problem>| p.first().map(ToString::to_string).unwrap_or_default();
            let made = history::configuration(&history, &asked.zone).map_err(problems)?;
            let why = format!(
                "No service of {} deploys {}: played with one that is made up, each author a person who works Mon-Fri 09:00-17:00 in {}.",
                config.display(),
                history.name,
                asked.zone
            );
            (made, Some(why))
        }
    };
    let input = Input::of_history(history, &configuration, asked.live_after, exported, left_out)?;
    Ok((input, configuration, made_up))
}

fn not_known(left_out: LeftOut) -> Failure {
    let count = |n: u64, one, many| domain::text::count(usize::try_from(n).unwrap_or(usize::MAX), one, many);
    let mut said = Vec::new();
    if left_out.unknown > 0 {
        let things = count(left_out.unknown, "object is", "objects are");
        said.push(format!(
            "{things} none that is known here (a pull request, a deployment or its status, an incident, an alert)"
        ));
    }
    if left_out.badly_timed > 0 {
        let things = count(left_out.badly_timed, "event has", "events have");
        said.push(format!("{things} a time that is not of this century"));
    }
    format!("{}; --lenient leaves them out", said.join(", ")).into()
}

/// The other policy: a configuration, or other numbers in this one.
fn other(
    against: &str,
    configuration: &Configuration,
    made_up: &Option<String>,
) -> Result<(Configuration, Settings), Failure> {
    if against.ends_with(".toml") {
        if made_up.is_some() {
            return Err(
                "another configuration has no service for this history either: try other numbers, such as active=30m"
                    .into(),
            );
        }
        let other = check::read(Path::new(against))?;
        let settings = other.settings.clone();
        return Ok((other, settings));
    }
    let settings = run::with_policy(&configuration.settings, against)?;
    Ok((configuration.clone(), settings))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0).with_message("replaying");
    let style = ProgressStyle::with_template("{msg} {bar:40} {percent} % {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
