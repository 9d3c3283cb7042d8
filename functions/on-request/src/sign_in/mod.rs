//! Who reads the board: whoever signed in at the OpenID provider and is of the roster, or of a domain that may read.
//!
//! The code flow with a proof key. Nothing is kept here: what belongs to an attempt and to a session is signed and carried
//! by the browser, and each request looks anew whether its person may still read.

mod claims;
mod provider;

use std::time::Duration;

use aws::secrets::SecretError;
use aws::session::{Attempt, MACHINE, PATIENCE, Session};
use aws::settings::sign_in::SignIn;
use aws::wire::{HeaderFault, error_chain};
use aws::{House, Refusal, Request, Response};
use domain::{Login, PersonId};
use minijinja::context;
use serde_json::json;

use crate::page;
use claims::{address, is_member};
use provider::{Exchange, Provider, ProviderError};

/// Where the provider sends browsers back to.
const BACK: &str = "/sign-in/callback";

/// Whoever reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reader {
    Person(PersonId),
    /// Not of the roster: an address of a domain that may read, or a program with the bundle's own secrets.
    Guest(String),
    /// Nobody signs in here: whoever hands in the requests has seen to it.
    Unasked,
}

impl Reader {
    /// For the pages: the name, and the person's own page.
    pub(crate) fn shown(&self, house: &House) -> minijinja::Value {
        match self {
            Self::Person(id) => context! { name => house.settings().roster.name_of(id), id => id.as_str() },
            Self::Guest(who) => context! { name => who },
            Self::Unasked => minijinja::Value::UNDEFINED,
        }
    }
}

/// How long the provider may take in all: the function has 9 s, and may have secrets to read first.
const ALL_ITS_ANSWERS: Duration = Duration::from_millis(3900);

const NO_SIGN_IN: Refusal =
    Refusal::Forbidden("the board is shown to people who sign in, and the configuration has no [sign_in]");

/// Who reads, or what whoever does not yet is answered.
pub(crate) fn reader(house: &House, request: &Request) -> Result<Result<Reader, Response>, Refusal> {
    let Some(config) = &house.configuration.sign_in else {
        return if house.vouched { Ok(Ok(Reader::Unasked)) } else { Err(NO_SIGN_IN) };
    };
    if let Some(reader) = signed_in(house, config, request)? {
        return Ok(Ok(reader));
    }
    if page::is_for_program(request) {
        return Err(Refusal::Unauthenticated("sign in with a browser at /sign-in"));
    }
    let to: String = form_urlencoded::byte_serialize(request.target().as_bytes()).collect();
    Ok(Err(Response::redirect(&format!("/sign-in?to={to}"))))
}

/// Whether a program may read: by one of the tokens, or because whoever runs it may. It is never sent elsewhere to sign in, which
/// some take for a yes.
pub(crate) fn program(house: &House, request: &Request) -> Result<(), Refusal> {
    const WANTED: Refusal = Refusal::Unauthenticated(
        "send `Authorization: Bearer` with a token that the configuration names (`api_secret`, `read_tokens`), or sign in with a browser at /sign-in",
    );
    if request.header("authorization") != Err(HeaderFault::Missing) {
        let named = |name: &String| Ok((name.clone(), house.secrets.get(name)?));
        let tokens: Result<Vec<_>, SecretError> = house.configuration.read_tokens.iter().map(named).collect();
        let tokens = tokens.map_err(Refusal::NoSecret)?;
        if tokens.is_empty() {
            return Err(WANTED);
        }
        let token = aws::verify::named_token(request, &tokens)?;
        tracing::info!(token, path = request.path, "read by a program");
        return Ok(());
    }
    match &house.configuration.sign_in {
        Some(config) => signed_in(house, config, request)?.map(|_| ()).ok_or(WANTED),
        None if house.vouched => Ok(()),
        None => Err(WANTED),
    }
}

/// Whose session the browser carries, if they may still read. While the secret is rotated either value proves it.
fn signed_in(house: &House, config: &SignIn, request: &Request) -> Result<Option<Reader>, Refusal> {
    let secrets = house.secrets.get(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let Some(sealed) = request.cookie(&session_cookie(house)) else { return Ok(None) };
    let session = secrets.iter().find_map(|secret| Session::open(secret, sealed, house.now()));
    Ok(session.and_then(|session| still_known(house, config, &session)))
}

/// Whose session it is, if they may still read.
fn still_known(house: &House, config: &SignIn, session: &Session) -> Option<Reader> {
    if session.who == MACHINE {
        return Some(Reader::Guest(MACHINE.to_owned()));
    }
    known(house, config, &session.who)
}

/// Who has this address, if they may read.
fn known(house: &House, config: &SignIn, who: &str) -> Option<Reader> {
    // A forge's made-up address belongs to an account there, and is nobody's at a provider.
    let login = Login::from_email(who).ok().filter(|login| login.forge() == "email")?;
    if let Some(person) = house.settings().roster.by_login(&login) {
        return Some(Reader::Person(person.id.clone()));
    }
    let (_, domain) = who.rsplit_once('@')?;
    config.domains.iter().any(|known| known == domain).then(|| Reader::Guest(who.to_owned()))
}

/// `GET /sign-in?to=<path>`: to the provider.
pub(crate) async fn begin(house: &House, request: &Request) -> Result<Response, Refusal> {
    let Some(config) = &house.configuration.sign_in else { return Err(NO_SIGN_IN) };
    let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let to = request.query("to").into_iter().next().unwrap_or_default();
    let Some(attempt) = Attempt::begin(&to, house.now()) else {
        return Err(Refusal::NotNow("the system gives no randomness"));
    };
    let provider = match Provider::discover(house, config).await {
        Ok(provider) => provider,
        Err(error) => return Ok(away(&error)),
    };
    // Who is signed in there as somebody else is asked, not signed in as that again.
    let other = !request.query("other").is_empty();
    let url = provider.authorization(config, &secret, &attempt, &back(house), other);
    let carried = cookie(house, &attempt_cookie(house), &attempt.seal(&secret), PATIENCE.as_secs());
    Ok(Response::redirect(&url).with_header("set-cookie", &carried))
}

/// `GET /sign-in/callback`: back from the provider.
pub(crate) async fn finish(house: &House, request: &Request) -> Result<Response, Refusal> {
    let Some(config) = &house.configuration.sign_in else { return Err(NO_SIGN_IN) };
    let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
    let now = house.now();
    let one = |name: &str| request.query(name).into_iter().next().unwrap_or_default();
    let attempt = request.cookie(&attempt_cookie(house)).and_then(|sealed| Attempt::open(&secret, sealed, now));
    let Some(attempt) = attempt.filter(|attempt| attempt.is_state(&secret, &one("state"))) else {
        // Of several tabs that wanted to sign in one has done it for all.
        if signed_in(house, config, request)?.is_some() {
            return Ok(Response::redirect("/"));
        }
        return Ok(refused("it was begun in another browser or another tab, or more than ten minutes ago"));
    };
    // Who names itself there has to be who was asked (RFC 9207).
    if request.query("iss").iter().any(|issuer| *issuer != config.issuer) {
        return Ok(refused("the answer is of another provider"));
    }
    let code = one("code");
    if code.is_empty() {
        let why = domain::text::line(&one("error"), 60);
        let why = if why.is_empty() { "nothing".to_owned() } else { why };
        return Ok(refused(&format!("the provider said: {why}")));
    }
    let client_secret = house.secrets.first(&config.secret).map_err(Refusal::NoSecret)?;
    let (verifier, nonce, back) = (attempt.verifier(&secret), attempt.nonce(&secret), back(house));
    let exchange = Exchange { code: &code, verifier: &verifier, nonce: &nonce, back: &back };
    let asked = async {
        let provider = Provider::discover(house, config).await?;
        provider.claims(house, config, &client_secret, &exchange, now).await
    };
    let claims = match tokio::time::timeout(ALL_ITS_ANSWERS, asked).await {
        Ok(Ok(claims)) => claims,
        Ok(Err(error)) => return Ok(away(&error)),
        Err(_) => return Ok(away(&ProviderError::Slow)),
    };
    let who = match address(&claims, config) {
        Ok(who) => who,
        Err(why) => return Ok(refused(&why.to_string())),
    };
    let may = known(house, config, &who)
        .filter(|reader| *reader != Reader::Guest(who.clone()) || is_member(&claims, config, &who));
    let Some(reader) = may else {
        tracing::warn!("somebody signed in who is not of the roster, nor of a domain that may read");
        let text = format!(
            "You are signed in as {who}, and nobody in the roster has this address. Somebody else signs in at /sign-in?other=1."
        );
        return Ok(page::notice(403, "You may not read this board", &text));
    };
    if let Reader::Person(person) = &reader {
        tracing::info!(%person, "signed in");
    }
    let session = Session { who, expires: now + config.lasts };
    let carried = cookie(house, &session_cookie(house), &session.seal(&secret), config.lasts.as_secs());
    Ok(Response::redirect(&attempt.to)
        .with_header("set-cookie", &carried)
        .with_header("set-cookie", &cookie(house, &attempt_cookie(house), "", 0)))
}

/// `POST /sign-out`. A session is over when its browser has forgotten it, and when its time has come.
pub(crate) fn end(house: &House, request: &Request) -> Response {
    // A browser says from where a form was sent; one of another site does nothing here.
    if request.header("sec-fetch-site").is_ok_and(|from| !matches!(from, "same-origin" | "none")) {
        return Refusal::Forbidden("the form is of another site").into();
    }
    let forget = cookie(house, &session_cookie(house), "", 0);
    if page::is_for_program(request) {
        return Response::json(200, &json!({ "signed_out": true })).with_header("set-cookie", &forget);
    }
    page::notice(200, "You are signed out", "The board is at / for whoever signs in.")
        .with_header("set-cookie", &forget)
}

fn refused(why: &str) -> Response {
    tracing::warn!(why, "not signed in");
    page::notice(403, "You are not signed in", &format!("Nothing was done: {why}. Try again at /sign-in."))
}

fn away(error: &ProviderError) -> Response {
    tracing::error!(cause = error_chain(error), "the OpenID provider");
    let text =
        format!("The provider by which people sign in could not be asked: {error}. Links in messages work without it.");
    page::notice(502, "You are not signed in", &text)
}

fn back(house: &House) -> String {
    format!("{}{BACK}", house.settings().public_url)
}

/// Whether browsers reach us encrypted. On one machine they need not.
fn is_encrypted(house: &House) -> bool {
    house.settings().public_url.starts_with("https://")
}

/// `__Host-`: browsers take such a cookie of no other host, and not unencrypted.
fn named(house: &House, name: &str) -> String {
    let prefix = if is_encrypted(house) { "__Host-" } else { "" };
    format!("{prefix}deployers-{name}")
}

fn session_cookie(house: &House) -> String {
    named(house, "session")
}

fn attempt_cookie(house: &House) -> String {
    named(house, "attempt")
}

/// Sent back by the browser alone, unread by scripts, and by forms of other sites not at all.
fn cookie(house: &House, name: &str, value: &str, seconds: i64) -> String {
    let secure = if is_encrypted(house) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
