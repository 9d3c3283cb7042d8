//! What every function's shell is given: the store, the topic, the configuration, secrets, and the time.

use std::path::PathBuf;
use std::sync::Arc;

use domain::{Message, ServiceId};
use jiff::Timestamp;

use crate::clients::{self, Aws, Http, NotOnAws};
use crate::secrets::{SecretError, Secrets};
use crate::settings::{Configuration, Unreadable};
use crate::sns::Certificates;
use crate::store::{Store, StoreError};
use crate::topic::Topic;
use crate::wire::error_chain;

/// The time, handed in by whoever started us.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Told that a service should be looked at soon; the tick does it anyway.
pub type Nudge = Arc<dyn Fn(&ServiceId) + Send + Sync>;
/// Prints a message for a person, where there is a terminal. An error: nobody can have read it.
pub type Terminal = Arc<dyn Fn(&str) -> std::io::Result<()> + Send + Sync>;

#[derive(Clone)]
pub struct House {
    pub configuration: Arc<Configuration>,
    pub store: Store,
    pub topic: Topic,
    pub secrets: Arc<Secrets>,
    /// SNS's certificates, by which it signs what it sends over HTTPS.
    pub certificates: Arc<Certificates>,
    pub http: Http,
    /// Whose requests to AWS are signed without its SDK: e-mail and text messages. Absent where there is no account.
    pub aws: Option<Aws>,
    pub now: Now,
    pub nudge: Nudge,
    pub terminal: Option<Terminal>,
}

/// Why a function cannot start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    #[error(transparent)]
    NotOnAws(#[from] NotOnAws),
    #[error("the environment variable {0} is not set")]
    Variable(&'static str),
    #[error(transparent)]
    Configuration(#[from] Unreadable),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl House {
    /// The house of a Lambda function, from its environment. `secrets` are the names it needs, all of which
    /// must be there: a function that cannot verify does not start.
    ///
    /// `RECENT_DEPLOYERS_TABLE` and `RECENT_DEPLOYERS_TOPIC` name the table and the topic,
    /// `RECENT_DEPLOYERS_CONFIG` the configuration file (in a layer: `/opt/recent-deployers.toml`), and
    /// `RECENT_DEPLOYERS_SECRETS` a directory of secrets, for emulators.
    pub fn from_environment(now: Now, secrets_of: impl Fn(&Configuration) -> Vec<String>) -> Result<Self, CannotStart> {
        let need = |name: &'static str| std::env::var(name).map_err(|_| CannotStart::Variable(name));
        let aws = Aws::from_environment()?;
        let path = std::env::var("RECENT_DEPLOYERS_CONFIG").unwrap_or_else(|_| "/opt/recent-deployers.toml".to_owned());
        let configuration = Configuration::read(&PathBuf::from(path))?;
        let secrets = Secrets::new(std::env::var_os("RECENT_DEPLOYERS_SECRETS").map(PathBuf::from));
        for name in secrets_of(&configuration) {
            secrets.get(&name)?;
        }
        let http = Http::new();
        Ok(Self {
            configuration: Arc::new(configuration),
            store: Store::new(clients::dynamodb(&aws, &http), need("RECENT_DEPLOYERS_TABLE")?),
            topic: Topic::new(clients::sns(&aws, &http), need("RECENT_DEPLOYERS_TOPIC")?),
            secrets: Arc::new(secrets),
            certificates: Arc::default(),
            http,
            aws: Some(aws),
            now,
            nudge: Arc::new(|_| {}),
            terminal: None,
        })
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    #[must_use]
    pub fn settings(&self) -> &domain::Settings {
        &self.configuration.settings
    }

    /// Publishes messages that are already in the outbox, and marks them. A failure leaves the rest to the
    /// sweeper of `on-schedule`: nothing is lost, so nobody need be told but the log. Where the topic cannot be reached at
    /// all, whoever waits for an answer does not wait for each of them.
    pub async fn publish(&self, messages: &[Message]) {
        for message in messages {
            if let Err(error) = self.topic.publish(message).await {
                tracing::error!(message.key = %message.key, cause = error_chain(&error), "not published, left to the sweeper");
                if error.unreachable {
                    return;
                }
                continue;
            }
            if let Err(error) = self.mark(message).await {
                tracing::warn!(message.key = %message.key, cause = error_chain(&error), "published but not marked: it may be published again");
            }
        }
    }

    async fn mark(&self, message: &Message) -> Result<(), StoreError> {
        self.store.mark_published(&message.key, self.now()).await
    }
}
