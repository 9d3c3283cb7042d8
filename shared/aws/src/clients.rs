//! The AWS clients and the one HTTP client below them and below every other outgoing request.
//!
//! Built by hand, without `aws-config`: its credential chain costs nine tenths of a cold start
//! (shared/TRIALS.md). Lambda hands credentials to a function in its environment, and that is all we need.

use std::ffi::OsString;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::echo;

/// Where AWS is: nothing but what a Lambda function's environment says.
#[derive(Clone)]
pub struct Aws {
    pub region: String,
    pub credentials: Credentials,
    /// Another address of DynamoDB: the embedded engine's.
    pub dynamodb_endpoint: Option<String>,
    /// Another address of SNS: the local topic's.
    pub sns_endpoint: Option<String>,
    /// Another address of the Parameter Store: an emulator's.
    pub ssm_endpoint: Option<String>,
    /// Another address of EventBridge Scheduler: an emulator's.
    pub scheduler_endpoint: Option<String>,
    /// By whom AWS's own endpoints are believed.
    pub authorities: Authorities,
}

/// Whose word is taken for who an endpoint is.
#[derive(Debug, Clone)]
pub enum Authorities {
    /// Those of the machine: some 150, which take a tenth of a cold start to read.
    Machine,
    /// These, in PEM.
    These(Vec<u8>),
}

/// Those that sign AWS's endpoints: <https://www.amazontrust.com/repository/>
const AMAZON: &[u8] = include_bytes!("../authorities.pem");

impl Authorities {
    /// What the environment says: a file, as AWS's own tools take it; where the endpoints are others, or China's, which others
    /// sign, those of the machine; else Amazon's.
    fn told(bundle: Option<OsString>, region: &str, elsewhere: bool) -> Result<Self, NotOnAws> {
        match bundle {
            Some(path) => {
                let pem = std::fs::read(path).ok().filter(|pem| are_certificates(pem));
                Ok(Self::These(pem.ok_or(NotOnAws("AWS_CA_BUNDLE"))?))
            }
            None if elsewhere || region.starts_with("cn-") => Ok(Self::Machine),
            None => Ok(Self::These(AMAZON.to_vec())),
        }
    }
}

fn are_certificates(pem: &[u8]) -> bool {
    let mut all = CertificateDer::pem_slice_iter(pem).peekable();
    all.peek().is_some() && all.all(|one| one.is_ok_and(|der| webpki::anchor_from_trusted_cert(&der).is_ok()))
}

/// Why the environment does not say where AWS is.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set, or names no file: is this running as a Lambda function?")]
pub struct NotOnAws(&'static str);

impl Aws {
    /// What the environment of a Lambda function says. `AWS_ENDPOINT_URL` is for emulators.
    pub fn from_environment() -> Result<Self, NotOnAws> {
        let need = |name: &'static str| std::env::var(name).map_err(|_| NotOnAws(name));
        let any = std::env::var("AWS_ENDPOINT_URL").ok();
        let region = need("AWS_REGION")?;
        let elsewhere = std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("AWS_ENDPOINT_URL"));
        Ok(Self {
            authorities: Authorities::told(std::env::var_os("AWS_CA_BUNDLE"), &region, elsewhere)?,
            region,
            credentials: Credentials::new(
                need("AWS_ACCESS_KEY_ID")?,
                need("AWS_SECRET_ACCESS_KEY")?,
                std::env::var("AWS_SESSION_TOKEN").ok(),
                None,
                "environment",
            ),
            dynamodb_endpoint: std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok().or_else(|| any.clone()),
            sns_endpoint: std::env::var("AWS_ENDPOINT_URL_SNS").ok().or_else(|| any.clone()),
            ssm_endpoint: std::env::var("AWS_ENDPOINT_URL_SSM").ok().or_else(|| any.clone()),
            scheduler_endpoint: std::env::var("AWS_ENDPOINT_URL_SCHEDULER").ok().or(any),
        })
    }

    /// Engines of our own process, which take any credentials.
    #[must_use]
    pub fn local(dynamodb_endpoint: String, sns_endpoint: String) -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            credentials: Credentials::new("local", "local", None, None, "local"),
            dynamodb_endpoint: Some(dynamodb_endpoint),
            sns_endpoint: Some(sns_endpoint),
            ssm_endpoint: None,
            scheduler_endpoint: None,
            authorities: Authorities::Machine,
        }
    }
}

/// The HTTP client: one connection pool and one trust store for AWS, and one for everybody else once somebody else is asked.
#[derive(Clone, Debug)]
pub struct Http {
    to_aws: SharedHttpConnector,
    to_others: Arc<OnceLock<SharedHttpConnector>>,
    /// Which of them its requests go by.
    is_for_aws: bool,
}

/// What a request to the table carries if its loss, with the machine's power, would only have something done again. It is seen by
/// a connector of our own process.
#[derive(Debug, Clone, Copy)]
pub struct Passing;

/// How much of an answer to an outgoing request is read: a forge's page of commits is a tenth of it.
const MOST_ANSWER: usize = 8 * 1024 * 1024;

/// How long the other side may be silent.
const READ_SECONDS: u64 = 5;

/// An answer to an outgoing request.
pub struct Answer {
    pub status: u16,
    /// The header `link`: where the next page is, where answers come in pages.
    pub link: Option<String>,
    /// Where it says that the answer is instead.
    pub location: Option<String>,
    /// For how many seconds it asks to be left alone.
    pub retry_after: Option<u64>,
    /// What an API of AWS calls the error, where it does so in a header.
    pub error_type: Option<String>,
    pub body: Vec<u8>,
}

/// Why an outgoing request came to nothing. Never holds the address: it may carry a token.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the address or a header is not valid")]
    Invalid,
    #[error("no answer within {0} s")]
    Timeout(u64),
    #[error("an answer of more than {} MiB", MOST_ANSWER / 1024 / 1024)]
    TooLarge,
    /// It had said so much; the rest of its answer never came.
    #[error("an answer of {status} that broke off")]
    Cut { status: u16 },
    #[error("no connection")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Http {
    /// Connections are made when they are needed.
    #[must_use]
    pub fn new() -> Self {
        let connector = connector(TlsContext::default());
        Self { to_aws: connector.clone(), to_others: Arc::new(OnceLock::from(connector)), is_for_aws: false }
    }

    /// That of a function, which may never ask anybody but AWS.
    #[must_use]
    pub fn on_aws(aws: &Aws) -> Self {
        let Authorities::These(pem) = &aws.authorities else { return Self::new() };
        let store = TrustStore::empty().with_pem_certificate(pem.clone());
        // It cannot fail but for names that are not given here.
        let Ok(context) = TlsContext::builder().with_trust_store(store).build() else { return Self::new() };
        Self { to_aws: connector(context), to_others: Arc::default(), is_for_aws: false }
    }

    /// The same, for requests to AWS.
    #[must_use]
    pub fn to_aws(&self) -> Self {
        Self { is_for_aws: true, ..self.clone() }
    }

    /// The same, whose requests to AWS go this way.
    #[must_use]
    pub fn by_way_of(&self, to_aws: impl HttpConnector + 'static) -> Self {
        Self { to_aws: SharedHttpConnector::new(to_aws), ..self.clone() }
    }

    fn connector(&self) -> &SharedHttpConnector {
        if self.is_for_aws { &self.to_aws } else { self.to_others.get_or_init(|| connector(TlsContext::default())) }
    }

    fn for_sdk(&self) -> SharedHttpClient {
        let connector = self.to_aws.clone();
        aws_smithy_runtime_api::client::http::http_client_fn(move |_, _| connector.clone())
    }

    /// One request with a deadline. Redirects are not followed: an address is what was configured.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        seconds: u64,
    ) -> Result<Answer, HttpError> {
        let mut request = aws_smithy_runtime_api::client::orchestrator::HttpRequest::new(SdkBody::from(body));
        request.set_method(method).map_err(|_| HttpError::Invalid)?;
        request.set_uri(url).map_err(|_| HttpError::Invalid)?;
        for (name, value) in headers {
            request
                .headers_mut()
                .try_insert((*name).to_owned(), (*value).to_owned())
                .map_err(|_| HttpError::Invalid)?;
        }
        let exchange = async {
            let response = self.connector().call(request).await.map_err(|error| {
                if error.is_timeout() { HttpError::Timeout(READ_SECONDS) } else { HttpError::Connection(error.into()) }
            })?;
            let status = response.status().as_u16();
            let link = response.headers().get("link").map(str::to_owned);
            let location = response.headers().get("location").map(str::to_owned);
            let wait = ["retry-after", "ratelimit-reset"].iter().find_map(|name| response.headers().get(*name));
            let retry_after = wait.and_then(|seconds| seconds.trim().parse().ok());
            let error_type = response.headers().get("x-amzn-errortype").map(str::to_owned);
            let mut arriving = aws_smithy_types::byte_stream::ByteStream::new(response.into_body());
            let mut body = Vec::new();
            while let Some(part) = arriving.next().await {
                let part = part.map_err(|_| HttpError::Cut { status })?;
                if body.len() + part.len() > MOST_ANSWER {
                    return Err(HttpError::TooLarge);
                }
                body.extend_from_slice(&part);
            }
            echo::forget(headers, &mut body);
            Ok(Answer { status, link, location, retry_after, error_type, body })
        };
        tokio::time::timeout(Duration::from_secs(seconds), exchange).await.map_err(|_| HttpError::Timeout(seconds))?
    }
}

fn connector(context: TlsContext) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(READ_SECONDS))
        .build();
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .tls_context(context)
        .connector_settings(settings)
        .build();
    SharedHttpConnector::new(connector)
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

fn timeouts() -> TimeoutConfig {
    // Below the shortest deadline of a sender that we serve (GitHub's 10 s), retries included.
    TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(8))
        .operation_attempt_timeout(Duration::from_secs(3))
        .connect_timeout(Duration::from_secs(2))
        .build()
}

/// The DynamoDB client.
#[must_use]
pub fn dynamodb(aws: &Aws, http: &Http) -> aws_sdk_dynamodb::Client {
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(aws.credentials.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts())
        .http_client(http.for_sdk());
    if let Some(endpoint) = &aws.dynamodb_endpoint {
        config = config.endpoint_url(endpoint);
    }
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// The SNS client.
#[must_use]
pub fn sns(aws: &Aws, http: &Http) -> aws_sdk_sns::Client {
    let mut config = aws_sdk_sns::Config::builder()
        .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
        .region(aws_sdk_sns::config::Region::new(aws.region.clone()))
        .credentials_provider(aws_sdk_sns::config::SharedCredentialsProvider::new(aws.credentials.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts())
        .http_client(http.for_sdk());
    if let Some(endpoint) = &aws.sns_endpoint {
        config = config.endpoint_url(endpoint);
    }
    aws_sdk_sns::Client::from_conf(config.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_authorities_are_read_each() {
        let all: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(AMAZON).collect::<Result<_, _>>().unwrap();
        assert_eq!(all.len(), 5);
        assert!(are_certificates(AMAZON));
        assert!(
            !are_certificates(b"")
                && !are_certificates(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        );
    }

    #[test]
    fn whose_word_is_taken_follows_from_where_the_endpoints_are() {
        let of = |region: &str, elsewhere| Authorities::told(None, region, elsewhere).unwrap();
        assert!(matches!(of("eu-west-1", false), Authorities::These(pem) if pem == AMAZON));
        assert!(matches!(of("eu-west-1", true), Authorities::Machine));
        assert!(matches!(of("cn-north-1", false), Authorities::Machine));
        assert!(Authorities::told(Some("/nowhere".into()), "eu-west-1", false).is_err());
    }
}
