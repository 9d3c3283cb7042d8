//! `cargo run`: the bundle on one machine, and the commands around it.
//!
//! It prints by [`say`] and never by `println!`, which panics when nobody reads.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use aws::clients::Aws;
use aws::secrets::Secrets;
use aws::settings::Configuration;
use aws::telemetry;
use aws::wire::error_chain;
use clap::Parser;
use recent_deployers::backtest::{self, Source};
use recent_deployers::commands::{Arguments, Command};
use recent_deployers::hands::Hands;
use recent_deployers::{
    Bundle, Options, audited, banner, check, connect, demo, explain, layer, measures, record, replay, secrets, server,
    server::Board,
};
use tokio::net::TcpListener;

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

/// Exit codes: 1 when something failed, 2 when what was given cannot be used. Of what may go on: 1 says no, 2 that it cannot be told.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let bad_input = matches!(
        arguments.command,
        Some(
            Command::Explain { sender: Some(_), .. }
                | Command::Check { .. }
                | Command::MayDeploy { .. }
                | Command::MayMerge { .. }
        )
    );
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<HasToWait>() => ExitCode::FAILURE,
        Err(error) => {
            // A configuration's problems are a list, one a line; anything else is one line.
            let own = error.downcast_ref::<aws::settings::Unreadable>();
            let of_layer = error.downcast_ref::<layer::LayerError>().and_then(|error| match error {
                layer::LayerError::Configuration(unreadable) => Some(unreadable),
                layer::LayerError::Write { .. } => None,
            });
            let why = match own.or(of_layer) {
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
        Some(Command::Explain { what, sender: Some(sender), file: Some(file) }) => {
            let event = explain::explain(what, sender, file)?;
            Ok(say(&serde_json::to_string_pretty(&event)?).map_err(CannotPrint)?)
        }
        Some(Command::Connect { sender }) => Ok(say(&connect_sender(&arguments, sender)?).map_err(CannotPrint)?),
        Some(Command::Check { config }) => {
            let path = config.as_ref().unwrap_or(&arguments.config);
            let configuration = check::read(path)?;
            let summary = format!("{} is good: {}", path.display(), check::summary(&configuration));
            Ok(say(&summary).map_err(CannotPrint)?)
        }
        Some(Command::Layer { config, folder }) => Ok(say(&layer::write(config, folder)?).map_err(CannotPrint)?),
        Some(Command::Backtest { path, history, git, window, json }) => {
            let git = git.as_deref().map(Source::Git);
            let source = git.or(history.as_deref().map(Source::History)).or(path.as_deref().map(Source::of));
            let source = source.ok_or("name a clone or a history")?;
            Ok(say(&backtest::run(source, *window, *json)?).map_err(CannotPrint)?)
        }
        Some(Command::Replay { asked }) => Ok(say(&replay::run(asked, &arguments.config)?).map_err(CannotPrint)?),
        Some(Command::MayDeploy { service, environment, commit, number, advised }) => {
            let mut query = vec![("service", service.as_str())];
            let given = [("environment", environment), ("commit", commit), ("number", number)];
            query.extend(given.iter().filter_map(|(name, given)| Some((*name, given.as_deref()?))));
            may(&arguments, "may-deploy", &query, *advised)
        }
        Some(Command::MayMerge { repository, number, advised }) => {
            let mut query = vec![("repository", repository.as_str())];
            query.extend(number.as_deref().map(|number| ("number", number)));
            may(&arguments, "may-merge", &query, *advised)
        }
        Some(Command::Audit { service, from, until, verify, head }) => {
            let zone = jiff::tz::TimeZone::system();
            let (from, until, head) = (from.clone(), until.clone(), head.clone());
            let wanted = audited::Wanted { from, until, verify: *verify, head, zone };
            audit(&arguments, service, &wanted)
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

/// What was asked about has to wait, or does not hold: said already, and told by the exit code.
#[derive(Debug, thiserror::Error)]
#[error("no")]
struct HasToWait;

/// Says whether something may go on. It fails where it has to wait.
fn may(arguments: &Arguments, what: &str, query: &[(&str, &str)], advised: bool) -> Result<(), Failure> {
    let configuration = check::read(&arguments.config)?;
    let secrets = Secrets::new(Some(arguments.data.join("secrets")));
    let said = runtime()?.block_on(hands(arguments, &configuration, &secrets).may(what, query))?;
    say(&said.words).map_err(CannotPrint)?;
    if said.may && !(advised && said.advised_against) { Ok(()) } else { Err(HasToWait.into()) }
}

/// Prints the sealed log of a service. It fails where that is not as it was sealed.
fn audit(arguments: &Arguments, service: &str, wanted: &audited::Wanted) -> Result<(), Failure> {
    let configuration = check::read(&arguments.config)?;
    let secrets = Secrets::new(Some(arguments.data.join("secrets")));
    let said = runtime()?.block_on(hands(arguments, &configuration, &secrets).audit(service, wanted))?;
    say(&said.words).map_err(CannotPrint)?;
    if said.holds { Ok(()) } else { Err(HasToWait.into()) }
}

fn hands<'a>(arguments: &Arguments, configuration: &'a Configuration, secrets: &'a Secrets) -> Hands<'a> {
    #[expect(clippy::disallowed_methods, reason = "a command line reads the clock")]
    let now = jiff::Timestamp::now();
    let address = format!("http://{}", banner::shown(arguments.listen));
    Hands { configuration, secrets, address, now }
}

/// Asks the running bundle, or has it do what a person wants.
async fn hand(arguments: &Arguments, command: &Command) -> Result<String, Failure> {
    let configuration = check::read(&arguments.config)?;
    let secrets = Secrets::new(Some(arguments.data.join("secrets")));
    let hands = hands(arguments, &configuration, &secrets);
    Ok(match (command.wish(), command) {
        (Some((service, me, wish)), _) => hands.act(service, me, &wish).await?,
        (None, Command::Who { service }) => hands.who(service.as_deref()).await?,
        (None, Command::Measures(wanted)) => measures::ask(&hands, &wanted.question()).await?,
        (None, Command::Explain { what, .. }) => explain::ladder(&hands.incident(what).await?),
        (None, Command::Export { incident, json }) => {
            hands.export(incident, *json, &jiff::tz::TimeZone::system()).await?
        }
        (None, _) => String::new(),
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    telemetry::terminal();
    let mut configuration = check::read(&arguments.config)?;
    let board = audience(arguments, &configuration)?;
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
    let mut bundle = Bundle::start(Options { configuration, secrets, file, aws, now, terminal }).await?;
    if let Some(path) = &arguments.record {
        bundle.record(record::into_file(path)?);
    }
    tokio::spawn(bundle.clone().run_schedule());
    note("Ready. Pages are printed here; stop with Ctrl-C.");
    tokio::select! {
        served = server::serve(listener, bundle, board, stopped()) => served?,
        () = async { stopped().await; stopped().await } => {}
    }
    note("\nStopped. Start again and it goes on where it was.");
    Ok(())
}

/// Who sees the board. Beyond this machine somebody has to ask who reads it: we do, or something in front does.
fn audience(arguments: &Arguments, configuration: &Configuration) -> Result<Board, Failure> {
    let beyond = !arguments.listen.ip().is_loopback();
    let named = !configuration.settings.public_url.is_empty();
    match (&configuration.sign_in, arguments.open_board) {
        (Some(_), true) => Err("--open-board shows the board to everybody, and [sign_in] to those who sign in: take one of them away".into()),
        (Some(_), false) if beyond && !named => Err("people who sign in come back to `public_url`: configure it, an https address".into()),
        (Some(_), false) | (None, true) => Ok(Board::Everybody),
        (None, false) if beyond => Err("nobody signs in here, so beyond loopback anybody could read the board: configure [sign_in], or put a proxy with a login in front and say --open-board".into()),
        (None, false) => Ok(Board::ThisMachine),
    }
}

/// Makes up what is missing and refuses what is empty.
fn prepare_secrets(configuration: &Configuration, directory: &Path) -> Result<Secrets, Failure> {
    let names = secrets::ours(configuration);
    secrets::make_missing(directory, &names)?;
    let secrets = Secrets::new(Some(directory.to_owned()));
    let tokens = configuration.senders.values().filter_map(|s| s.api_token.clone());
    let provider = configuration.sign_in.iter().map(|sign_in| sign_in.secret.clone());
    for name in names.into_iter().chain(tokens).chain(provider) {
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
