//! A GitHub App proves itself by a text that it signs, and is given a token for one of its installations for an hour.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
//! <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>
//! <https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app>

use aws::House;
use aws::jws::sign;
use aws::settings::GitHubApp;
use domain::Repository;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::{self, Api, Unanswered};

/// GitHub takes a text that is valid for ten minutes at most, by its own clock.
const VALID_SECONDS: i64 = 540;
const SKEW_SECONDS: i64 = 60;

#[derive(Deserialize)]
struct Issued {
    token: String,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

/// What a token may do, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Deployments,
    Checks,
}

impl Permission {
    fn asked(self) -> Value {
        match self {
            Self::Deployments => json!({ "deployments": "write" }),
            Self::Checks => json!({ "checks": "write" }),
        }
    }
}

/// The App as itself.
fn own<'a>(house: &'a House, base: &'a str, app: &GitHubApp) -> Result<Api<'a>, Unanswered> {
    let key = house.secrets.first(&app.key).map_err(Unanswered::Token)?;
    let now = house.now().as_second();
    let claims = json!({ "iat": now - SKEW_SECONDS, "exp": now + VALID_SECONDS, "iss": app.id }).to_string();
    let proof = sign::rs256(&key, &claims).map_err(Unanswered::Unsigned)?;
    Ok(Api::new(&house.http, base, super::headers(&proof)))
}

/// A token for the installation at a repository.
pub async fn token_at(
    house: &House,
    base: &str,
    app: &GitHubApp,
    repository: &Repository,
    permission: Permission,
) -> Result<String, Unanswered> {
    let path = format!("/repos/{}/installation", api::path(repository));
    let answer = own(house, base, app)?.ask(&path).await?;
    let installation: Installation = match answer.status {
        200 => aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?,
        404 => return Err(Unanswered::NotInstalled),
        status => return Err(Unanswered::Status(status)),
    };
    match token(house, base, app, installation.id, permission).await {
        Err(Unanswered::Status(422)) => Err(Unanswered::NotInstalled),
        other => other,
    }
}

/// A token for this installation.
pub async fn token(
    house: &House,
    base: &str,
    app: &GitHubApp,
    installation: u64,
    permission: Permission,
) -> Result<String, Unanswered> {
    let path = format!("/app/installations/{installation}/access_tokens");
    let body = json!({ "permissions": permission.asked() });
    let answer = own(house, base, app)?.send_json("POST", &path, &body).await?;
    if answer.status != 201 {
        return Err(Unanswered::Status(answer.status));
    }
    let issued: Issued = aws::wire::parse(&answer.body).map_err(Unanswered::Malformed)?;
    let plain = !issued.token.is_empty() && issued.token.bytes().all(|b| b.is_ascii_graphic());
    if plain { Ok(issued.token) } else { Err(Unanswered::malformed("the token is none")) }
}
