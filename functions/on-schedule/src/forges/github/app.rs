//! A GitHub App proves itself by a text that it signs, and is given a token for one of its installations for an hour.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
//! <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>

use aws::House;
use aws::jws::sign;
use aws::settings::GitHubApp;
use serde::Deserialize;
use serde_json::json;

use super::super::api::{Api, Unanswered};

/// GitHub takes a text that is valid for ten minutes at most, by its own clock.
const VALID_SECONDS: i64 = 540;
const SKEW_SECONDS: i64 = 60;

#[derive(Deserialize)]
struct Issued {
    token: String,
}

/// A token for this installation.
pub async fn token(house: &House, base: &str, app: &GitHubApp, installation: u64) -> Result<String, Unanswered> {
    let key = house.secrets.first(&app.key).map_err(Unanswered::Token)?;
    let now = house.now().as_second();
    let claims = json!({ "iat": now - SKEW_SECONDS, "exp": now + VALID_SECONDS, "iss": app.id }).to_string();
    let proof = sign::rs256(&key, &claims).map_err(Unanswered::Unsigned)?;
    let api = Api::new(&house.http, base, super::headers(&proof));
    let path = format!("/app/installations/{installation}/access_tokens");
    let answer = api.send_json("POST", &path, &json!({ "permissions": { "deployments": "write" } })).await?;
    if answer.status != 201 {
        return Err(Unanswered::Status(answer.status));
    }
    let issued: Issued = aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?;
    let plain = !issued.token.is_empty() && issued.token.bytes().all(|b| b.is_ascii_graphic());
    if plain { Ok(issued.token) } else { Err(Unanswered::malformed("the token is none")) }
}
