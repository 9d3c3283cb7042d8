//! Secrets on AWS: SecureStrings of Systems Manager's Parameter Store, called `<path>/<name>`. They are read before the
//! first event and again now and then, so that one is rotated without a deployment.
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::clients::{Aws, Http, HttpError};
use crate::signed::{Post, Unsignable};

/// So many are asked for at one time, at most.
const MOST_NAMES: usize = 10;
const DEADLINE_SECONDS: u64 = 5;

/// Why the Parameter Store did not tell. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    #[error("the request cannot be signed")]
    Unsignable(#[from] Unsignable),
    #[error("the Parameter Store cannot be reached")]
    Http(#[from] HttpError),
    #[error("the Parameter Store answered {status}: {why}")]
    Refused { status: u16, why: String },
    #[error("the Parameter Store's answer cannot be read")]
    Unreadable,
}

/// The parameters of one function.
#[derive(Clone)]
pub struct Parameters {
    aws: Aws,
    http: Http,
    path: String,
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    value: String,
}

impl Parameters {
    /// Those of these names below `path`, such as `/recent-deployers`.
    #[must_use]
    pub fn new(aws: Aws, http: Http, path: &str, names: Vec<String>) -> Self {
        Self { aws, http, path: path.trim_end_matches('/').to_owned(), names }
    }

    /// What a secret's parameter is called.
    #[must_use]
    pub fn parameter(path: &str, name: &str) -> String {
        format!("{}/{name}", path.trim_end_matches('/'))
    }

    /// Names and values; what is not there is left out.
    pub async fn read(&self, at: Timestamp) -> Result<Vec<(String, String)>, ParameterError> {
        let mut values = Vec::new();
        for names in self.names.chunks(MOST_NAMES) {
            let names: Vec<String> = names.iter().map(|name| Self::parameter(&self.path, name)).collect();
            let told = self.ask(&names, at).await?;
            let own = |parameter: Parameter| {
                let name = parameter.name.strip_prefix(&self.path)?.strip_prefix('/')?;
                Some((name.to_owned(), parameter.value))
            };
            values.extend(told.parameters.into_iter().filter_map(own));
        }
        Ok(values)
    }

    async fn ask(&self, names: &[String], at: Timestamp) -> Result<Told, ParameterError> {
        let body = json!({ "Names": names, "WithDecryption": true }).to_string();
        let region = &self.aws.region;
        let url = self.aws.ssm_endpoint.clone().unwrap_or_else(|| format!("https://ssm.{region}.amazonaws.com"));
        let url = format!("{}/", url.trim_end_matches('/'));
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.GetParameters")];
        let post = Post { service: "ssm", url: &url, headers: &headers, body: body.as_bytes() };
        let signed = post.sign(&self.aws, at)?;
        let signed: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.http.send("POST", &url, &signed, body.into_bytes(), DEADLINE_SECONDS).await?;
        if answer.status != 200 {
            let why = String::from_utf8_lossy(&answer.body);
            return Err(ParameterError::Refused { status: answer.status, why: domain::text::line(&why, 200) });
        }
        serde_json::from_slice(&answer.body).map_err(|_| ParameterError::Unreadable)
    }
}
