//! `cargo run`: the bundle on one machine, and the commands around it.
//!
//! It prints by [`say`] and never by `println!`, which panics when nobody reads.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use aws::clients::Aws;
use aws::secrets::Secrets;
use aws::settings::Configuration;
use aws::telemetry;
use aws::wire::error_chain;
use clap::{Parser, Subcommand};
use recent_deployers::hands::{Hands, Wish};
use recent_deployers::{Bundle, Options, banner, check, connect, demo, explain, secrets, server, server::Board};
use tokio::net::TcpListener;

/// If you merge, you are on call for it.
#[derive(Parser)]
#[command(name = "recent-deployers", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where to listen for webhooks and for the board.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// The directory of the data file and the secrets.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// The configuration.
    #[arg(long, default_value = "infra/recent-deployers.toml")]
    config: PathBuf,
    /// Keep the data in memory: it ends with the process. The secrets stay in the data directory.
    #[arg(long)]
    in_memory: bool,
    /// Show the board to everybody, not to this machine only: something in front of it has a login.
    #[arg(long)]
    open_board: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Play a story through the real wire formats, in virtual time.
    Demo,
    /// Print what a payload is read into: explain on-merge github payload.json
    Explain { function: String, sender: String, file: PathBuf },
    /// Say how a sender is set up: its address, its secret, and what to paste where.
    Connect { sender: String },
    /// Check a configuration and list all its problems.
    Check { config: Option<PathBuf> },
    /// Say who is on call for what, and who has which pager.
    Who { service: Option<String> },
    /// Take a service's pager for a while, or put somebody on call: paged first for everything in it.
    Take {
        service: String,
        #[arg(long = "for", default_value = "2 h")]
        how_long: String,
        /// Who gets it; without this, you.
        #[arg(long)]
        person: Option<String>,
        /// From when, such as 2026-03-20T18:00Z; without this, from now.
        #[arg(long)]
        from: Option<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Give a service's pager back before its time.
    GiveBack {
        service: String,
        #[command(flatten)]
        me: Me,
    },
    /// Hand a window over to a colleague: hand-over edxapp edx-platform#12 --to usama --as feanil
    HandOver {
        service: String,
        change: String,
        #[arg(long)]
        to: String,
        #[command(flatten)]
        me: Me,
    },
    /// Answer whether you take the pager for a merge outside working hours.
    Answer {
        service: String,
        change: String,
        #[arg(value_parser = ["yes", "no"])]
        answer: String,
        #[command(flatten)]
        me: Me,
    },
    /// Say that a service's pipeline is paused: nobody's turn begins, and waiting does not count.
    Pause {
        service: String,
        #[arg(long = "because", default_value = "")]
        why: String,
        /// For how long; without this, until it is resumed.
        #[arg(long = "for")]
        how_long: Option<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Say that a paused pipeline goes on.
    Resume {
        service: String,
        #[command(flatten)]
        me: Me,
    },
}

/// Who acts.
#[derive(clap::Args)]
struct Me {
    /// Who you are, by your id in the roster.
    #[arg(long = "as")]
    id: String,
}

impl Command {
    /// What a person wants done in which service, for the commands that move responsibility.
    fn wish(&self) -> Option<(&str, &str, Wish)> {
        Some(match self {
            Self::Take { service, how_long, person, from, me } => {
                let (how_long, person, from) = (how_long.clone(), person.clone(), from.clone());
                (service, &me.id, Wish::Take { person, how_long, from })
            }
            Self::GiveBack { service, me } => (service, &me.id, Wish::GiveBack),
            Self::HandOver { service, change, to, me } => {
                (service, &me.id, Wish::HandOver { change: change.clone(), to: to.clone() })
            }
            Self::Answer { service, change, answer, me } => {
                (service, &me.id, Wish::Answer { change: change.clone(), takes: answer == "yes" })
            }
            Self::Pause { service, why, how_long, me } => {
                (service, &me.id, Wish::Pause { why: why.clone(), how_long: how_long.clone() })
            }
            Self::Resume { service, me } => (service, &me.id, Wish::Resume),
            Self::Demo | Self::Explain { .. } | Self::Connect { .. } | Self::Check { .. } | Self::Who { .. } => {
                return None;
            }
        })
    }
}

type Failure = Box<dyn std::error::Error>;

/// What was asked for could not be printed.
#[derive(Debug, thiserror::Error)]
#[error("cannot print")]
struct CannotPrint(#[source] io::Error);

/// Prints a text and ends its line. One write, so that what cannot be printed now is not printed later.
fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{text}\n").as_bytes())?;
    out.flush()
}

/// Exit codes: 1 when something failed, 2 when what was given cannot be used.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let bad_input = matches!(arguments.command, Some(Command::Explain { .. } | Command::Check { .. }));
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A configuration's problems are a list, one a line; anything else is one line.
            let why = match error.downcast_ref::<aws::settings::Unreadable>() {
                Some(unreadable @ aws::settings::Unreadable::Problems { .. }) => unreadable.to_string(),
                _ => format!("recent-deployers: {}", error_chain(&*error)),
            };
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(if bad_input && !error.is::<CannotPrint>() { 2 } else { 1 })
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    match &arguments.command {
        None => runtime()?.block_on(serve(&arguments)),
        Some(Command::Demo) => Ok(runtime()?.block_on(demo::run(io::stdout()))?),
        Some(Command::Explain { function, sender, file }) => {
            let event = explain::explain(function, sender, file)?;
            Ok(say(&serde_json::to_string_pretty(&event)?).map_err(CannotPrint)?)
        }
        Some(Command::Connect { sender }) => Ok(say(&connect_sender(&arguments, sender)?).map_err(CannotPrint)?),
        Some(Command::Check { config }) => {
            let path = config.as_ref().unwrap_or(&arguments.config);
            let configuration = check::read(path)?;
            let summary = format!("{} is good: {}", path.display(), check::summary(&configuration));
            Ok(say(&summary).map_err(CannotPrint)?)
        }
        Some(command) => {
            let said = runtime()?.block_on(hand(&arguments, command))?;
            Ok(say(&said).map_err(CannotPrint)?)
        }
    }
}

/// How a sender is set up. A secret that is missing is made up, as it would be at the start.
fn connect_sender(arguments: &Arguments, sender: &str) -> Result<String, Failure> {
    let configuration = check::read(&arguments.config)?;
    let own = format!("http://{}", banner::shown(arguments.listen));
    let base = Some(configuration.settings.public_url.as_str()).filter(|url| !url.is_empty()).unwrap_or(&own);
    let directory = arguments.data.join("secrets");
    let name = configuration.senders.get(sender).map(|config| config.secret.clone());
    let secret = match name {
        None => None,
        Some(name) => {
            secrets::make_missing(&directory, std::slice::from_ref(&name))?;
            Some(Secrets::new(Some(directory)).first(&name)?)
        }
    };
    Ok(connect::connect(&configuration, sender, base, secret.as_ref().map(|secret| secret.expose()))?)
}

/// Asks the running bundle, or has it do what a person wants.
async fn hand(arguments: &Arguments, command: &Command) -> Result<String, Failure> {
    let configuration = check::read(&arguments.config)?;
    let secrets = Secrets::new(Some(arguments.data.join("secrets")));
    #[expect(clippy::disallowed_methods, reason = "a command line reads the clock")]
    let now = jiff::Timestamp::now();
    let address = format!("http://{}", banner::shown(arguments.listen));
    let hands = Hands { configuration: &configuration, secrets: &secrets, address, now };
    Ok(match (command.wish(), command) {
        (Some((service, me, wish)), _) => hands.act(service, me, &wish).await?,
        (None, Command::Who { service }) => hands.who(service.as_deref()).await?,
        (None, _) => String::new(),
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    telemetry::terminal();
    if !arguments.listen.ip().is_loopback() && !arguments.open_board {
        return Err("the board has no login yet, so beyond loopback anybody could read it: put a proxy with a login in front and say --open-board".into());
    }
    let mut configuration = check::read(&arguments.config)?;
    let listener =
        TcpListener::bind(arguments.listen).await.map_err(|e| format!("cannot listen on {}: {e}", arguments.listen))?;
    let address = listener.local_addr()?;
    if configuration.settings.public_url.is_empty() {
        configuration.settings.public_url = format!("http://{}", banner::shown(address));
    }
    let directory = arguments.data.join("secrets");
    let secrets = prepare_secrets(&configuration, &directory)?;
    let file = (!arguments.in_memory).then(|| arguments.data.join("recent-deployers.sqlite"));
    let text = banner::banner(&configuration, address, &directory, file.as_deref());
    note(&text);
    #[expect(clippy::disallowed_methods, reason = "the one place where the bundle reads the clock")]
    let now = Arc::new(jiff::Timestamp::now);
    let terminal = Arc::new(|text: &str| say(&format!("\n{text}")));
    let aws = Aws::from_environment().ok();
    let bundle = Bundle::start(Options { configuration, secrets, file, aws, now, terminal }).await?;
    tokio::spawn(bundle.clone().run_schedule());
    note("Ready. Pages are printed here; stop with Ctrl-C.");
    let board = if arguments.open_board { Board::Everybody } else { Board::ThisMachine };
    tokio::select! {
        served = server::serve(listener, bundle, board, stopped()) => served?,
        () = async { stopped().await; stopped().await } => {}
    }
    note("\nStopped. Start again and it goes on where it was.");
    Ok(())
}

/// Makes up what is missing and refuses what is empty.
fn prepare_secrets(configuration: &Configuration, directory: &Path) -> Result<Secrets, Failure> {
    let names = secrets::ours(configuration);
    secrets::make_missing(directory, &names)?;
    let secrets = Secrets::new(Some(directory.to_owned()));
    let tokens = configuration.senders.values().filter_map(|s| s.api_token.clone());
    for name in names.into_iter().chain(tokens) {
        secrets.get(&name)?;
    }
    Ok(secrets)
}

/// Says something that nobody depends on: the webhooks are served, whether or not anybody reads along.
fn note(text: &str) {
    if let Err(error) = say(text) {
        tracing::warn!(%error, "nobody can read what is printed here");
    }
}

/// Ctrl-C. A second one waits for nothing.
async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
