//! What every function's shell is given: the store, the topic, the configuration, secrets, and the time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Message, PersonId, ServiceId};
use jiff::{SignedDuration, Timestamp};

use crate::clients::{self, Aws, Http, NotOnAws};
use crate::links::Action;
use crate::parameters::{ParameterError, Parameters};
use crate::secrets::{SecretError, Secrets};
use crate::settings::{Configuration, Unreadable};
use crate::sns::Certificates;
use crate::store::{Store, StoreError};
use crate::topic::Topic;
use crate::wake::Waker;
use crate::wire::error_chain;

/// The time, handed in by whoever started us.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Told that a service should be looked at soon; the tick does it anyway.
pub type Nudge = Arc<dyn Fn(&ServiceId) + Send + Sync>;
/// Prints a message for a person, where there is a terminal. An error: nobody can have read it.
pub type Terminal = Arc<dyn Fn(&str) -> std::io::Result<()> + Send + Sync>;

/// Hears what somebody did, however they did it: what it is about, who, and the form that says what.
pub type Acted = Arc<dyn Fn(&Action, &PersonId, &BTreeMap<String, String>) + Send + Sync>;

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
    /// Where what people do is recorded.
    pub acted: Option<Acted>,
    /// Where the secrets were read, and are again.
    pub renewal: Option<Arc<Renewal>>,
    /// Has `on-schedule` woken at a moment to come; where there is none the tick does it.
    pub waker: Option<Waker>,
    /// Whether this process has looked at the freezes of its configuration.
    pub freezes_seen: Arc<AtomicBool>,
    /// Until when this process has sealed every service's log, in seconds.
    pub sealed_until: Arc<AtomicI64>,
    /// Whoever hands in requests has seen to it who reads the board, where nobody signs in.
    pub vouched: bool,
}

/// How old secrets become before they are read again.
const SECRETS_LAST: SignedDuration = SignedDuration::from_mins(15);
/// Where they could not be read: when it is tried again.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// The secrets' source, and when it is asked again.
pub struct Renewal {
    parameters: Parameters,
    due_at: Mutex<Timestamp>,
}

impl Renewal {
    /// Whether it is due; whoever is told so does it.
    fn is_due(&self, now: Timestamp) -> bool {
        let mut due_at = self.due_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = *due_at <= now;
        if due {
            *due_at = now + TRY_AGAIN;
        }
        due
    }

    fn done(&self, now: Timestamp) {
        *self.due_at.lock().unwrap_or_else(PoisonError::into_inner) = now + SECRETS_LAST;
    }
}

/// Whether a function starts without some of its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// It verifies or signs with them: without one it does not start.
    All,
    /// It can do most of its work without them, and says which it lacks when it comes to that.
    None,
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
    #[error("the secrets cannot be read")]
    Parameters(#[from] ParameterError),
}

impl House {
    /// The house of a Lambda function, from its environment. `secrets_of` are the names that it may ask for.
    ///
    /// `RECENT_DEPLOYERS_TABLE` and `RECENT_DEPLOYERS_TOPIC` name the table and the topic,
    /// `RECENT_DEPLOYERS_CONFIG` the configuration file (in a layer: `/opt/recent-deployers.toml`),
    /// `RECENT_DEPLOYERS_SECRETS_PATH` the parameters that secrets are, and `RECENT_DEPLOYERS_SECRETS` instead of them a
    /// directory, for emulators. `RECENT_DEPLOYERS_PUBLIC_URL` stands in for a `public_url` that is not configured.
    pub async fn from_environment(
        now: Now,
        secrets_of: impl Fn(&Configuration) -> Vec<String>,
        needs: Needs,
    ) -> Result<Self, CannotStart> {
        let house = Self::furnished(now, secrets_of, needs).await;
        if let Err(error) = &house {
            tracing::error!(cause = error_chain(error), "cannot start");
        }
        house
    }

    async fn furnished(
        now: Now,
        secrets_of: impl Fn(&Configuration) -> Vec<String>,
        needs: Needs,
    ) -> Result<Self, CannotStart> {
        let need = |name: &'static str| std::env::var(name).map_err(|_| CannotStart::Variable(name));
        let aws = Aws::from_environment()?;
        let path = std::env::var("RECENT_DEPLOYERS_CONFIG").unwrap_or_else(|_| "/opt/recent-deployers.toml".to_owned());
        let mut configuration = Configuration::read(&PathBuf::from(path))?;
        if configuration.settings.public_url.is_empty() {
            configuration.settings.public_url = std::env::var("RECENT_DEPLOYERS_PUBLIC_URL").unwrap_or_default();
        }
        let http = Http::on_aws(&aws);
        let mut names = secrets_of(&configuration);
        names.sort();
        names.dedup();
        let (secrets, renewal) = match std::env::var("RECENT_DEPLOYERS_SECRETS_PATH") {
            Ok(path) => {
                let parameters = Parameters::new(aws.clone(), http.to_aws(), &path, names.clone());
                let renewal = Renewal { parameters, due_at: Mutex::new(Timestamp::UNIX_EPOCH) };
                (Secrets::told(&path), Some(Arc::new(renewal)))
            }
            Err(_) => (Secrets::new(std::env::var_os("RECENT_DEPLOYERS_SECRETS").map(PathBuf::from)), None),
        };
        let waker = Waker::from_environment(&aws, &http.to_aws());
        let house = Self {
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
            acted: None,
            renewal,
            waker,
            freezes_seen: Arc::default(),
            sealed_until: Arc::default(),
            vouched: false,
        };
        match house.read_secrets().await {
            Err(error) if needs == Needs::All => return Err(error.into()),
            Err(error) => tracing::error!(cause = error_chain(&error), "the secrets cannot be read yet"),
            Ok(()) => {}
        }
        if needs == Needs::All {
            for name in &names {
                house.secrets.get(name)?;
            }
        }
        Ok(house)
    }

    /// Has this service looked at when that comes. What fails costs nothing but the tick's minute.
    pub async fn wake_at(&self, service: &ServiceId, at: Timestamp) {
        let now = self.now();
        let Some(waker) = self.waker.as_ref().filter(|_| at > now) else { return };
        if let Err(error) = waker.wake(service, at, now).await {
            tracing::warn!(service.name = %service, cause = error_chain(&error), "no schedule was made: the tick comes");
        }
    }

    /// Reads the secrets again where that is due. What cannot be read stays as it was.
    pub async fn renew(&self) {
        if let Err(error) = self.read_secrets().await {
            tracing::error!(cause = error_chain(&error), "the secrets cannot be read again: those of before are used");
        }
    }

    async fn read_secrets(&self) -> Result<(), ParameterError> {
        let now = self.now();
        let Some(renewal) = self.renewal.as_ref().filter(|renewal| renewal.is_due(now)) else { return Ok(()) };
        self.secrets.keep(renewal.parameters.read(now).await?);
        renewal.done(now);
        Ok(())
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
