//! The board is shown to people who sign in, by OpenID Connect: the whole flow against a provider that others wrote
//! (PyPI's oidc-provider-mock, by Authlib; `tests/run` gets it), and everything that a provider, or whoever plays one, can say
//! wrong against one of ours.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws::clients::Http;
use aws::session::{MACHINE, Session};
use aws::{House, Request, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use house_tests::peer::Peer;
use house_tests::{Stage, configuration, now, root};
use jiff::SignedDuration;
use recent_deployers::server::{self, Board};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: (&str, &str) = ("sign-in", "the client's secret");

fn sign_in(issuer: &str, more: &str) -> String {
    let base = configuration(&["edxapp"])
        .replace("github = [\"feanil\"]", "github = [\"feanil\"]\nemails = [\"feanil@example.com\"]");
    format!("{base}\n[sign_in]\nissuer = \"{issuer}\"\nclient_id = \"deployers\"\n{more}\n")
}

/// A browser: it keeps cookies, and goes nowhere by itself.
#[derive(Default, Clone)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn ask(&mut self, stage: &Stage, method: &str, address: &str, more: &[(&str, &str)]) -> Response {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let carried: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = vec![("cookie".to_owned(), carried.join("; "))];
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = Request::new(method, path, headers, Vec::new()).with_query(query);
        let answer = stage.bundle.route(request).await;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self.cookies.retain(|_, value| !value.is_empty());
        answer
    }

    async fn get(&mut self, stage: &Stage, address: &str) -> Response {
        self.ask(stage, "GET", address, &[]).await
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
}

/// The parameters of an address.
fn parameters(url: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes()).into_owned().collect()
}

/// A provider of ours, who says what it is told.
struct Provider {
    peer: Peer,
    key: EcdsaKeyPair,
}

impl Provider {
    async fn start() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let provider = Self { peer: Peer::start().await, key };
        provider.describes(&json!({}));
        let point = provider.key.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let ours = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": x, "y": y });
        let others =
            [json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" }), json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" })];
        provider.peer.always_answers("GET /keys", 200, json!({ "keys": [others[0], others[1], ours] }).to_string());
        provider
    }

    /// What it publishes about itself; `more` instead of what it usually says.
    fn describes(&self, more: &Value) {
        let at = |path: &str| format!("{}/{path}", self.peer.address);
        let mut description = json!({
            "issuer": self.peer.address, "authorization_endpoint": at("authorize?tenant=1"), "token_endpoint": at("token"),
            "jwks_uri": at("keys"), "userinfo_endpoint": at("userinfo"),
        });
        description.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.peer.always_answers("GET /.well-known/openid-configuration", 200, description.to_string());
    }

    /// What an ID token says of somebody.
    fn claims(&self, nonce: &str) -> Value {
        let at = now().as_second();
        json!({
            "iss": self.peer.address, "aud": "deployers", "sub": "u1", "iat": at, "exp": at + 600, "nonce": nonce,
            "email": "Feanil@Example.com", "email_verified": true,
        })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// What it gives for the code.
    fn gives(&self, token: &str) {
        let answer = json!({ "id_token": token, "access_token": "access", "token_type": "Bearer" });
        self.peer.always_answers("POST /token", 200, answer.to_string());
    }
}

/// What is changed in what a token says.
type Adjust = Box<dyn Fn(&mut Value)>;
/// What is given instead of a token that says this.
type Make<'a> = Box<dyn Fn(&Value) -> String + 'a>;

const USUAL: &str = r#"{"alg":"ES256","kid":"k1"}"#;

async fn stage(text: &str) -> Stage {
    let stage = Stage::with_secrets(text, &[SECRET], |configuration| {
        "http://127.0.0.1:8787".clone_into(&mut configuration.settings.public_url);
    })
    .await;
    stage.clock.set(now());
    stage
}

/// Goes to the provider and comes back with a code, after `adjust` had its say in the token's claims.
async fn signs_in(
    stage: &Stage,
    provider: &Provider,
    browser: &mut Browser,
    to: &str,
    adjust: impl FnOnce(&mut Value),
) -> Response {
    let sent = browser.get(stage, &format!("/sign-in?to={to}")).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let asked = parameters(header(&sent, "location"));
    let mut claims = provider.claims(&asked["nonce"]);
    adjust(&mut claims);
    provider.gives(&provider.token(&serde_json::from_str(USUAL).unwrap(), &claims));
    browser.get(stage, &format!("/sign-in/callback?code=c1&state={}", asked["state"])).await
}

#[tokio::test]
async fn who_signs_in_reads_the_board_and_who_does_not_is_sent_to_sign_in() {
    let provider = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    let mut browser = Browser::default();
    for path in ["/", "/incidents/edxapp-k3v7q2ma", "/people/anna", "/who", "/who/else"] {
        let answer = browser.get(&stage, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (303, ""), "{path}");
        assert_eq!(parameters(header(&answer, "location"))["to"], path);
        let program = browser.ask(&stage, "GET", path, &[("accept", "application/json")]).await;
        assert!(program.status == 401 && program.body.contains("sign in with a browser"), "{}", program.body);
    }

    let sent = browser.get(&stage, "/sign-in?to=/people/feanil").await;
    let url = header(&sent, "location").to_owned();
    assert!(url.starts_with(&format!("{}/authorize?tenant=1&response_type=code", provider.peer.address)), "{url}");
    let asked = parameters(&url);
    assert_eq!(asked["redirect_uri"], "http://127.0.0.1:8787/sign-in/callback");
    assert_eq!((asked["client_id"].as_str(), asked["scope"].as_str()), ("deployers", "openid email profile"));
    assert_eq!((asked["code_challenge_method"].as_str(), asked["code_challenge"].len()), ("S256", 43));

    provider.gives(&provider.token(&serde_json::from_str(USUAL).unwrap(), &provider.claims(&asked["nonce"])));
    let _ = provider.peer.received();
    let back = format!("/sign-in/callback?code=c1&state={}", asked["state"]);
    let answer = browser.get(&stage, &back).await;
    assert_eq!((answer.status, header(&answer, "location")), (303, "/people/feanil"), "{}", answer.body);
    let received = provider.peer.received();
    let exchange = received.iter().find(|request| request.line.starts_with("POST /token")).unwrap();
    let basic = format!("Basic {}", STANDARD.encode("deployers:the+client%27s+secret"));
    assert_eq!(exchange.header("authorization"), basic);
    assert!(exchange.body.starts_with("grant_type=authorization_code&code=c1&redirect_uri=http%3A%2F%2F127.0.0.1"));
    assert!(!exchange.body.contains("secret") && !received.iter().any(|request| request.line.contains("userinfo")));

    let board = browser.get(&stage, "/").await;
    assert_eq!(board.status, 200);
    assert!(board.body.contains("Signed in as <a href=\"/people/feanil\">"), "{}", board.body);
    assert!(
        board.body.replace("&#x2f;", "/").contains("<a href=\"/freezes/feanil/"),
        "where to declare a freeze: {}",
        board.body
    );
    for path in ["/people/feanil", "/who"] {
        assert_eq!(browser.get(&stage, path).await.status, 200, "{path}");
    }
    // Each attempt is good for one sign-in: its cookie is gone, and who comes again is in already.
    let again = browser.get(&stage, &back).await;
    assert_eq!((again.status, header(&again, "location")), (303, "/"));

    // A form of another site signs nobody out; one's own does.
    let foreign = browser.ask(&stage, "POST", "/sign-out", &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!((foreign.status, browser.cookies.len()), (403, 1));
    assert_eq!(browser.ask(&stage, "POST", "/sign-out", &[("sec-fetch-site", "same-origin")]).await.status, 200);
    assert_eq!(browser.get(&stage, "/").await.status, 303);
    assert_eq!(browser.get(&stage, "/sign-out").await.status, 303, "a GET does nothing");
}

#[tokio::test]
async fn a_session_ends_in_time_and_with_the_roster() {
    let provider = Provider::start().await;
    let mut stage = stage(&sign_in(&provider.peer.address, "lasts = \"8 h\"")).await;
    let mut browser = Browser::default();
    signs_in(&stage, &provider, &mut browser, "/", |_| {}).await;
    let begun = stage.clock.now();
    // Who left the roster is somebody with an address like any other.
    let mut configuration = (*stage.house.configuration).clone();
    configuration.settings =
        aws::settings::Configuration::parse(&house_tests::configuration(&["edxapp"]), &aws::settings::no_files)
            .unwrap()
            .settings;
    configuration.settings.public_url.clone_from(&stage.house.settings().public_url);
    let whole = stage.bundle.house.clone();
    stage.bundle.house = House { configuration: configuration.into(), ..whole.clone() };
    assert_eq!(browser.get(&stage, "/").await.status, 303);
    // A command on the machine of the bundle has its secret.
    let secret = aws::secrets::Secret::new("links-key").unwrap();
    let session = |who: &str| Session { who: who.to_owned(), expires: begun + SignedDuration::from_mins(5) };
    let mut command = Browser::default();
    command.cookies.insert("deployers-session".to_owned(), session(MACHINE).seal(&secret));
    assert_eq!(command.get(&stage, "/who").await.status, 200);
    let forged = session(MACHINE).seal(&aws::secrets::Secret::new("guessed").unwrap());
    command.cookies.insert("deployers-session".to_owned(), forged);
    assert_eq!(command.get(&stage, "/who").await.status, 303);
    stage.bundle.house = whole;
    // And in time.
    stage.clock.set(begun + SignedDuration::from_mins(479));
    assert_eq!(browser.get(&stage, "/").await.status, 200);
    stage.clock.set(begun + SignedDuration::from_hours(8));
    assert_eq!(browser.get(&stage, "/").await.status, 303);
}

#[tokio::test]
async fn whoever_is_of_no_roster_reads_only_where_their_domain_may() {
    let provider = Provider::start().await;
    let narrow = stage(&sign_in(&provider.peer.address, "")).await;
    let wide = stage(&sign_in(&provider.peer.address, "domains = [\"Example.com\"]")).await;
    for (address, narrow_says, wide_says) in [
        ("feanil@example.com", 303, 303),
        ("guest@example.com", 403, 303),
        ("<b>guest@example.com", 403, 403),
        ("guest@evil.example", 403, 403),
        ("guest@notexample.com", 403, 403),
        ("guest@example.com@evil.example", 403, 403),
        ("feanil@users.noreply.github.com", 403, 403),
        (MACHINE, 403, 403),
        ("", 403, 403),
    ] {
        for (stage, says) in [(&narrow, narrow_says), (&wide, wide_says)] {
            let mut browser = Browser::default();
            let answer = signs_in(stage, &provider, &mut browser, "/", |claims| claims["email"] = json!(address)).await;
            assert_eq!(answer.status, says, "{address}: {}", answer.body);
            let board = browser.get(stage, "/").await;
            assert_eq!(board.status, if says == 303 { 200 } else { 303 }, "{address}");
            assert!(!board.body.contains("<b>guest") && !answer.body.contains("<b>guest"), "escaped");
        }
    }
}

#[tokio::test]
async fn a_token_that_does_not_prove_it_signs_nobody_in() {
    let provider = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    provider.peer.always_answers("GET /userinfo", 200, "{\"sub\":\"u1\"}");
    let at = now().as_second();
    let cases: Vec<(&str, Adjust, u16)> = vec![
        ("as it should be", Box::new(|_| {}), 303),
        ("another issuer", Box::new(|c| c["iss"] = json!("https://evil.example")), 502),
        ("for another application", Box::new(|c| c["aud"] = json!("other")), 502),
        ("for several, of whom none is named", Box::new(|c| c["aud"] = json!(["deployers", "other"])), 502),
        (
            "for several, given to us",
            Box::new(|c| {
                c["aud"] = json!(["x", "deployers"]);
                c["azp"] = json!("deployers");
            }),
            303,
        ),
        ("given to another", Box::new(|c| c["azp"] = json!("other")), 502),
        ("long over", Box::new(move |c| c["exp"] = json!(at - 121)), 502),
        ("just over, by a clock a little apart", Box::new(move |c| c["exp"] = json!(at - 60)), 303),
        ("of a time to come", Box::new(move |c| c["iat"] = json!(at + 3600)), 502),
        ("of no time", Box::new(|c| c["exp"] = json!(null)), 502),
        ("of a time in thousandths", Box::new(move |c| c["exp"] = json!(at * 1000)), 303),
        ("of a time long before time", Box::new(|c| c["exp"] = json!(-1e15)), 502),
        ("of another attempt", Box::new(|c| c["nonce"] = json!("other")), 502),
        (
            "of no attempt",
            Box::new(|c| {
                c.as_object_mut().unwrap().remove("nonce");
            }),
            502,
        ),
        (
            "nobody",
            Box::new(|c| {
                c.as_object_mut().unwrap().remove("sub");
            }),
            502,
        ),
        ("an address that nobody verified", Box::new(|c| c["email_verified"] = json!(false)), 403),
        (
            "an address of which nothing is said",
            Box::new(|c| {
                c.as_object_mut().unwrap().remove("email_verified");
            }),
            403,
        ),
        ("verified, as a text", Box::new(|c| c["email_verified"] = json!("true")), 303),
        ("an address that is none", Box::new(|c| c["email"] = json!(["feanil@example.com"])), 403),
    ];
    for (what, adjust, says) in cases {
        let mut browser = Browser::default();
        let answer = signs_in(&stage, &provider, &mut browser, "/", adjust).await;
        assert_eq!(answer.status, says, "{what}: {}", answer.body);
        assert_eq!(browser.get(&stage, "/").await.status, if says == 303 { 200 } else { 303 }, "{what}");
    }
}

#[tokio::test]
async fn a_token_is_signed_by_the_providers_own_key_and_in_a_way_that_proves_it() {
    let provider = Provider::start().await;
    let stranger = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    let usual: Value = serde_json::from_str(USUAL).unwrap();
    let unsigned = |token: &str| format!("{}.", token.rsplit_once('.').unwrap().0);
    let cases: Vec<(&str, Make<'_>)> = vec![
        ("by a stranger", Box::new(|claims| stranger.token(&usual, claims))),
        ("by nobody", Box::new(|claims| unsigned(&provider.token(&json!({ "alg": "none" }), claims)))),
        ("by a shared key", Box::new(|claims| provider.token(&json!({ "alg": "HS256", "kid": "k1" }), claims))),
        (
            "by a key that is not published",
            Box::new(|claims| provider.token(&json!({ "alg": "ES256", "kid": "k2" }), claims)),
        ),
        (
            "by a key of another kind",
            Box::new(|claims| provider.token(&json!({ "alg": "RS256", "kid": "k1" }), claims)),
        ),
        (
            "in words that were changed",
            Box::new(|claims| {
                let (header, rest) = (URL_SAFE_NO_PAD.encode(usual.to_string()), provider.token(&usual, &json!({})));
                format!("{header}.{}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()), rest.rsplit_once('.').unwrap().1)
            }),
        ),
        ("nothing at all", Box::new(|_| String::new())),
        ("what is no token", Box::new(|_| "a.b.c".to_owned())),
        (
            "what is far too long",
            Box::new(|claims| provider.token(&usual, &json!({ "x": "y".repeat(100_000), "claims": claims }))),
        ),
    ];
    for (what, token) in cases {
        let mut browser = Browser::default();
        let sent = browser.get(&stage, "/sign-in").await;
        let asked = parameters(header(&sent, "location"));
        provider.gives(&token(&provider.claims(&asked["nonce"])));
        let answer = browser.get(&stage, &format!("/sign-in/callback?code=c1&state={}", asked["state"])).await;
        assert_eq!(answer.status, 502, "{what}: {}", answer.body);
        assert!(
            answer.body.contains("Its ID token proves nothing") || answer.body.contains("ID token proves nothing"),
            "{what}"
        );
        assert_eq!(browser.get(&stage, "/").await.status, 303, "{what}");
    }
    // A key without a name, and a token that names none.
    let mut browser = Browser::default();
    let sent = browser.get(&stage, "/sign-in").await;
    let asked = parameters(header(&sent, "location"));
    provider.gives(&provider.token(&json!({ "alg": "ES256" }), &provider.claims(&asked["nonce"])));
    let answer = browser.get(&stage, &format!("/sign-in/callback?code=c1&state={}", asked["state"])).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

#[tokio::test]
async fn nobody_is_signed_in_by_an_answer_that_was_not_asked_for() {
    let provider = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    let mut browser = Browser::default();
    let sent = browser.get(&stage, "/sign-in?to=//evil.example").await;
    let asked = parameters(header(&sent, "location"));
    provider.gives(&provider.token(&serde_json::from_str(USUAL).unwrap(), &provider.claims(&asked["nonce"])));
    let _ = provider.peer.received();
    let back = |query: &str| format!("/sign-in/callback?{query}");
    let state = &asked["state"];
    // In another browser, with another state, of another provider, with what is no code.
    assert_eq!(Browser::default().get(&stage, &back(&format!("code=c1&state={state}"))).await.status, 403);
    for query in [
        "code=c1",
        "code=c1&state=",
        "code=c1&state=other",
        &format!("code=c1&state={state}x"),
        &format!("code=c1&state={state}&iss=https%3A%2F%2Fevil.example"),
        &format!("state={state}"),
        &format!("state={state}&error=access_denied"),
        &format!("state={state}&error=%3Cscript%3E"),
        "",
    ] {
        let answer = browser.clone().get(&stage, &back(query)).await;
        assert_eq!(answer.status, 403, "{query}: {}", answer.body);
        assert!(answer.body.matches("<script>").count() == 1, "escaped, but for ours: {}", answer.body);
    }
    assert!(provider.peer.received().is_empty(), "the provider was asked nothing");
    stage.clock.set(now() + SignedDuration::from_mins(11));
    assert_eq!(browser.clone().get(&stage, &back(&format!("code=c1&state={state}"))).await.status, 403, "too late");
    stage.clock.set(now());
    let issuer: String = form_urlencoded::byte_serialize(provider.peer.address.as_bytes()).collect();
    let answer = browser.get(&stage, &back(&format!("code=c1&state={state}&iss={issuer}"))).await;
    assert_eq!((answer.status, header(&answer, "location")), (303, "/"), "and to no other host");
}

#[tokio::test]
async fn a_provider_that_is_away_or_is_another_keeps_people_out_and_links_work() {
    let provider = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    stage.merge("feanil", 1).await;
    for description in [
        json!({ "issuer": "https://evil.example" }),
        json!({ "token_endpoint": "http://evil.example/token" }),
        json!({ "jwks_uri": "http://10.0.0.1/keys" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "token_endpoint": 7 }),
    ] {
        provider.describes(&description);
        let answer = Browser::default().get(&stage, "/sign-in").await;
        assert!(answer.status == 502 && answer.body.contains("Links in messages work without it"), "{}", answer.body);
    }
    provider.peer.always_answers("GET /.well-known/openid-configuration", 500, "{}");
    assert_eq!(Browser::default().get(&stage, "/sign-in").await.status, 502);
    provider.describes(&json!({}));
    let mut browser = Browser::default();
    let sent = browser.get(&stage, "/sign-in").await;
    let asked = parameters(header(&sent, "location"));
    provider.peer.always_answers("POST /token", 400, "{\"error\":\"invalid_grant\"}");
    let answer = browser.get(&stage, &format!("/sign-in/callback?code=spent&state={}", asked["state"])).await;
    assert!(answer.status == 502 && answer.body.contains("answered 400"), "{}", answer.body);
    // What proves itself is not asked to sign in.
    let link = stage.link(aws::links::Action::Queue("edxapp".parse().unwrap()), "olga");
    assert_eq!(stage.get(&link).await.status, 200);
    assert_eq!(stage.post(&link, Vec::new(), b"do=pause&why=lunch&for=").await.status, 200);
}

#[tokio::test]
async fn an_address_is_taken_from_where_the_provider_keeps_it() {
    let provider = Provider::start().await;
    provider.describes(&json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"] }));
    let plain = stage(&sign_in(&provider.peer.address, "")).await;
    let without = |claims: &mut Value| {
        claims.as_object_mut().unwrap().remove("email");
    };
    // In its user information, of the same person.
    for (subject, says) in [("u1", 303), ("u2", 502)] {
        let told = json!({ "sub": subject, "email": "feanil@example.com", "email_verified": true });
        provider.peer.always_answers("GET /userinfo", 200, told.to_string());
        let _ = provider.peer.received();
        let answer = signs_in(&plain, &provider, &mut Browser::default(), "/", without).await;
        assert_eq!(answer.status, says, "{}", answer.body);
        let received = provider.peer.received();
        let asked = received.iter().find(|request| request.line.starts_with("GET /userinfo")).unwrap();
        assert_eq!(asked.header("authorization"), "Bearer access");
        let exchange = received.iter().find(|request| request.line.starts_with("POST /token")).unwrap();
        assert_eq!(exchange.header("authorization"), "");
        assert!(exchange.body.contains("client_secret=the+client%27s+secret"), "{}", exchange.body);
    }
    // In a claim that the configuration names, which the organization itself keeps.
    let named = stage(&sign_in(&provider.peer.address, "claim = \"upn\"")).await;
    let upn = |claims: &mut Value| {
        claims["upn"] = json!("FEANIL@example.com");
        claims["email"] = json!("anybody@evil.example");
        claims["email_verified"] = json!(false);
    };
    assert_eq!(signs_in(&named, &provider, &mut Browser::default(), "/", upn).await.status, 303);
}

#[tokio::test]
async fn where_nobody_can_sign_in_the_board_is_shown_to_nobody() {
    let mut stage = Stage::new().await;
    assert_eq!(stage.get("/").await.status, 200, "one machine's server sees to it");
    stage.bundle.house = House { vouched: false, ..stage.bundle.house.clone() };
    for path in ["/", "/who", "/people/feanil", "/sign-in", "/sign-in/callback?code=x"] {
        let answer = stage.get(path).await;
        assert!(answer.status == 403 && answer.body.contains("no [sign_in]"), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn over_https_the_cookies_are_of_this_host_and_encrypted() {
    let provider = Provider::start().await;
    let stage = Stage::with_secrets(&sign_in(&provider.peer.address, ""), &[SECRET], |configuration| {
        "https://deployers.example.com".clone_into(&mut configuration.settings.public_url);
    })
    .await;
    stage.clock.set(now());
    let mut browser = Browser::default();
    let answer = signs_in(&stage, &provider, &mut browser, "/", |_| {}).await;
    let set: Vec<&str> =
        answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
    assert_eq!(set.len(), 2);
    assert!(
        set.iter().all(|cookie| cookie.starts_with("__Host-deployers-") && cookie.ends_with("; Secure")),
        "{set:?}"
    );
    assert_eq!(browser.get(&stage, "/").await.status, 200);
    let twice = [("cookie", "__Host-deployers-session=x")];
    assert_eq!(browser.ask(&stage, "GET", "/", &twice).await.status, 303, "of two nobody knows which is whose");
}

/// A provider that others wrote.
struct Mock(Child);

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_whole_flow_against_a_provider_that_others_wrote() {
    let Some(folder) = std::env::var_os("RECENT_DEPLOYERS_OPENID").map(PathBuf::from) else {
        println!("not present: RECENT_DEPLOYERS_OPENID; nobody signed in");
        return;
    };
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let people = [
        json!({ "sub": "1", "email": "feanil@example.com", "email_verified": true }),
        json!({ "sub": "2", "email": "feanil@example.com" }),
        json!({ "sub": "3", "email": "mallory@evil.example", "email_verified": true }),
    ];
    let mut command = Command::new("python3");
    command.args(["-m", "oidc_provider_mock", "--require-nonce", "--port", &port.to_string()]);
    for person in &people {
        command.args(["--user-claims", &person.to_string()]);
    }
    let quiet =
        command.current_dir(root().join("target")).env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
    let _mock = Mock(quiet.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let issuer = format!("http://127.0.0.1:{port}");
    let http = Http::new();
    for _ in 0..150 {
        if http.send("GET", &issuer, &[], Vec::new(), 5).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let stage = stage(&sign_in(&issuer, "")).await;
    for (person, says) in [("1", 303), ("2", 403), ("3", 403)] {
        let mut browser = Browser::default();
        let sent = browser.get(&stage, "/sign-in?to=/people/feanil").await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let form = format!("sub={person}");
        let typed = [("content-type", "application/x-www-form-urlencoded")];
        let signed = http.send("POST", header(&sent, "location"), &typed, form.into_bytes(), 10).await.unwrap();
        let back = signed.location.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&signed.body)));
        let answer = browser.get(&stage, back.strip_prefix("http://127.0.0.1:8787").unwrap()).await;
        assert_eq!(answer.status, says, "{person}: {}", answer.body);
        assert_eq!(browser.get(&stage, "/").await.status, if says == 303 { 200 } else { 303 });
    }
}

/// An answer as it comes over the wire: its status, and its header lines.
async fn over_the_wire(address: &str, target: &str, cookies: &str) -> (u16, Vec<(String, String)>) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookies}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let mut lines = text.split("\r\n\r\n").next().unwrap().lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    (status, lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect())
}

#[tokio::test]
async fn one_machine_signs_people_in_too() {
    let provider = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server::serve(listener, stage.bundle.clone(), Board::Everybody, std::future::pending()));
    let one = |headers: &[(String, String)], name: &str| -> Vec<String> {
        headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.clone()).collect()
    };
    let (status, headers) = over_the_wire(&address, "/people/feanil?x=1", "").await;
    assert_eq!((status, one(&headers, "location")), (303, vec!["/sign-in?to=%2Fpeople%2Ffeanil%3Fx%3D1".to_owned()]));
    let (_, headers) = over_the_wire(&address, "/sign-in?to=%2Fpeople%2Ffeanil%3Fx%3D1", "").await;
    let asked = parameters(&one(&headers, "location")[0]);
    let attempt = one(&headers, "set-cookie")[0].split(';').next().unwrap().to_owned();
    provider.gives(&provider.token(&serde_json::from_str(USUAL).unwrap(), &provider.claims(&asked["nonce"])));
    let back = format!("/sign-in/callback?code=c1&state={}", asked["state"]);
    let (status, headers) = over_the_wire(&address, &back, &attempt).await;
    assert_eq!((status, one(&headers, "location")), (303, vec!["/people/feanil?x=1".to_owned()]));
    let set = one(&headers, "set-cookie");
    assert_eq!(set.len(), 2, "the session, and that the attempt is over: {set:?}");
    let session = set[0].split(';').next().unwrap();
    assert_eq!(over_the_wire(&address, "/", session).await.0, 200);
    assert_eq!(over_the_wire(&address, "/", "").await.0, 303);
    // Another tab that wanted to sign in meanwhile.
    assert_eq!(over_the_wire(&address, "/sign-in/callback?code=c2&state=other", session).await.0, 303);
}

#[tokio::test]
async fn a_provider_is_asked_who_it_is_once_in_a_while_and_as_somebody_else_if_that_is_wished() {
    let provider = Provider::start().await;
    let stage = stage(&sign_in(&provider.peer.address, "")).await;
    let _ = provider.peer.received();
    for _ in 0..20 {
        assert_eq!(Browser::default().get(&stage, "/sign-in").await.status, 303);
    }
    assert_eq!(provider.peer.received().len(), 1);
    let sent = Browser::default().get(&stage, "/sign-in?other=1").await;
    assert_eq!(parameters(header(&sent, "location"))["prompt"], "select_account");
    stage.clock.set(now() + SignedDuration::from_mins(11));
    assert_eq!(Browser::default().get(&stage, "/sign-in").await.status, 303);
    assert_eq!(provider.peer.received().len(), 1);
}
