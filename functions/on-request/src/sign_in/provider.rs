//! The OpenID provider: what it publishes about itself, and what it gives for the code that a browser brings back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws::House;
use aws::clients::{Answer, HttpError};
use aws::jws::Keys;
use aws::secrets::Secret;
use aws::session::Attempt;
use aws::settings::sign_in::{EMAIL, SignIn, may_lead};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::claims::{Claims, NotProven, proven};

/// How long each of its answers may take.
const DEADLINE_SECONDS: u64 = 3;
/// How long what it says of itself is believed.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Of so many providers it is remembered.
const MOST_KNOWN: usize = 16;

/// What providers said of themselves, by their names. Whoever asks to sign in need not be anybody, and each would have it asked again.
static KNOWN: Mutex<BTreeMap<String, (Timestamp, Provider)>> = Mutex::new(BTreeMap::new());

/// What it publishes (OpenID Connect Discovery 1.0).
#[derive(Clone, Deserialize)]
pub(super) struct Provider {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

/// Why the provider's word cannot be had, or not be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    #[error("{what} cannot be reached")]
    Away {
        what: &'static str,
        #[source]
        source: HttpError,
    },
    #[error("{what} answered {status}{why}")]
    Status { what: &'static str, status: u16, why: String },
    #[error("it takes too long")]
    Slow,
    #[error("{0} said something that cannot be read")]
    Unreadable(&'static str),
    #[error("it calls itself {0}, and the configuration does not")]
    Issuer(String),
    #[error(
        "it names an address to which secrets would travel in the clear, or where nothing of the provider's can be"
    )]
    Unsafe,
    #[error("its ID token proves nothing")]
    Token(#[from] NotProven),
    #[error("its user information is of somebody else")]
    Subject,
}

impl Provider {
    pub(super) async fn discover(house: &House, config: &SignIn) -> Result<Self, ProviderError> {
        const WHAT: &str = "the provider's description of itself";
        let now = house.now();
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |(at, _): &&(Timestamp, Self)| (SignedDuration::ZERO..KNOWN_FOR).contains(&now.duration_since(*at));
        if let Some((_, provider)) = known().get(&config.issuer).filter(fresh) {
            return Ok(provider.clone());
        }
        let url = format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/'));
        let answer =
            house.http.send("GET", &url, &[("accept", "application/json")], Vec::new(), DEADLINE_SECONDS).await;
        let provider: Self = read(WHAT, answer)?;
        if provider.issuer != config.issuer {
            return Err(ProviderError::Issuer(domain::text::line(&provider.issuer, 200)));
        }
        let all = [&provider.authorization_endpoint, &provider.token_endpoint, &provider.jwks_uri];
        if all.into_iter().chain(&provider.userinfo_endpoint).any(|url| !may_lead(&config.issuer, url)) {
            return Err(ProviderError::Unsafe);
        }
        let mut known = known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(config.issuer.clone(), (now, provider.clone()));
        Ok(provider)
    }

    /// Where a browser is sent to sign in.
    pub(super) fn authorization(
        &self,
        config: &SignIn,
        secret: &Secret,
        attempt: &Attempt,
        back: &str,
        other: bool,
    ) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &config.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &attempt.state(secret))
            .append_pair("nonce", &attempt.nonce(secret))
            .append_pair("code_challenge", &attempt.challenge(secret))
            .append_pair("code_challenge_method", "S256");
        if other {
            query.append_pair("prompt", "select_account");
        }
        let joint = if self.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.authorization_endpoint, query.finish())
    }

    /// Exchanges the code for what the provider says of whoever signed in.
    pub(super) async fn claims(
        &self,
        house: &House,
        config: &SignIn,
        client_secret: &Secret,
        exchange: &Exchange<'_>,
        now: Timestamp,
    ) -> Result<Claims, ProviderError> {
        let tokens = self.tokens(house, config, client_secret, exchange).await?;
        let answer = house.http.send("GET", &self.jwks_uri, &[], Vec::new(), DEADLINE_SECONDS).await;
        let keys: Keys = read("the provider's list of keys", answer)?;
        let claims = proven(&tokens.id_token, &keys, config, exchange.nonce, now)?;
        let complete = claims.others.contains_key(&config.claim)
            && (config.claim != EMAIL || claims.others.contains_key("email_verified"));
        match (complete, &self.userinfo_endpoint, &tokens.access_token) {
            (false, Some(url), Some(token)) => user_information(house, url, token, &claims).await,
            _ => Ok(claims),
        }
    }

    async fn tokens(
        &self,
        house: &House,
        config: &SignIn,
        client_secret: &Secret,
        exchange: &Exchange<'_>,
    ) -> Result<Tokens, ProviderError> {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encoded(&config.client_id), encoded(client_secret.expose()));
        let basic = format!("Basic {}", STANDARD.encode(pair));
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", exchange.code),
            ("redirect_uri", exchange.back),
            ("code_verifier", exchange.verifier),
        ];
        if self.takes_basic() {
            headers.push(("authorization", &basic));
        } else {
            fields.extend([("client_id", config.client_id.as_str()), ("client_secret", client_secret.expose())]);
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        let answer = house.http.send("POST", &self.token_endpoint, &headers, body, DEADLINE_SECONDS).await;
        read("the provider's token endpoint", answer)
    }

    /// Whether the client's secret is sent in a header: what a provider takes that says nothing.
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

/// What a browser brought back, and what belongs to it.
pub(super) struct Exchange<'a> {
    pub(super) code: &'a str,
    pub(super) verifier: &'a str,
    pub(super) nonce: &'a str,
    /// Where it came back to.
    pub(super) back: &'a str,
}

/// Some providers put the address there only.
async fn user_information(house: &House, url: &str, token: &str, known: &Claims) -> Result<Claims, ProviderError> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("accept", "application/json")];
    let answer = house.http.send("GET", url, &headers, Vec::new(), DEADLINE_SECONDS).await;
    let claims: Claims = read("the provider's user information", answer)?;
    if claims.sub != known.sub {
        return Err(ProviderError::Subject);
    }
    let others = known.others.clone().into_iter().chain(claims.others).collect();
    Ok(Claims { others, ..claims })
}

fn read<T: DeserializeOwned>(what: &'static str, answer: Result<Answer, HttpError>) -> Result<T, ProviderError> {
    let answer = answer.map_err(|source| ProviderError::Away { what, source })?;
    if answer.status != 200 {
        // RFC 6749 names what is wrong: the secret, the code, where it was to come back to.
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let name = said.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
        let named = !name.is_empty() && name.len() <= 60 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let why = if named { format!(" ({name})") } else { String::new() };
        return Err(ProviderError::Status { what, status: answer.status, why });
    }
    serde_json::from_slice(&answer.body).map_err(|_| ProviderError::Unreadable(what))
}
