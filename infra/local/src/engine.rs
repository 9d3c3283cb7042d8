//! The embedded engine: DynamoDB's protocol, SQLite in a file or in memory below.

use std::path::Path;
use std::sync::Arc;

use aws::clients::Http;
use aws::house::Now;
use dynoxide::Database;
use dynoxide::storage_backend::Clock;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::disk::Disk;
use crate::wireless::Wireless;

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the data file cannot be opened: {0}")]
    Open(String),
    #[error("the data file cannot be written out to the disk")]
    Disk(#[source] std::io::Error),
    #[error("no loopback port is free")]
    Port(#[source] std::io::Error),
}

/// A running engine.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    /// Below the file, where there is one.
    disk: Option<Disk>,
    /// Where other processes reach it, once that was asked.
    address: Arc<OnceCell<String>>,
}

/// The engine's clock is ours, in virtual time too.
struct OurClock(Now);

impl Clock for OurClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().as_second()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}

impl Engine {
    /// Opens the engine. It runs until the process ends; nothing has to be shut down, since every write that was answered by
    /// [`Engine::reached_by`] is on the disk. In memory it goes by our clock; with a file by the machine's.
    pub fn open(file: Option<&Path>, now: Now) -> Result<Self, EngineError> {
        let opened = match file {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory_with_clock(Arc::new(OurClock(now))),
        };
        let database = opened.map_err(|e| EngineError::Open(e.to_string()))?;
        let disk = match file {
            Some(path) => {
                // The engine's word for `synchronous = NORMAL`, and otherwise what it starts with.
                database.disable_bulk_loading().map_err(|e| EngineError::Open(e.to_string()))?;
                Some(Disk::below(path).map_err(EngineError::Disk)?)
            }
            None => None,
        };
        Ok(Self { database, disk, address: Arc::default() })
    }

    /// The client by which it is reached.
    #[must_use]
    pub fn reached_by(&self, http: &Http) -> Http {
        http.by_way_of(Wireless::new(self.database.clone(), self.disk.clone()))
    }

    /// Serves it to other processes too, until this one ends: at this address of the machine itself, to whoever asks. What is written
    /// that way is answered before it is on the disk.
    pub async fn serve(&self) -> Result<String, EngineError> {
        let serve = async || {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = format!("http://{}", listener.local_addr()?);
            tokio::spawn(dynoxide::server::serve_with_shutdown(
                listener,
                self.database.clone(),
                std::future::pending(),
            ));
            Ok(address)
        };
        self.address.get_or_try_init(serve).await.cloned().map_err(EngineError::Port)
    }

    /// Deletes what has expired, as DynamoDB does by itself. Other requests go on meanwhile.
    pub async fn sweep(&self) {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        match swept {
            Ok(Ok(deleted)) => tracing::debug!(deleted, "what had expired is deleted"),
            Ok(Err(error)) => tracing::warn!(%error, "what has expired was not deleted, tried again later"),
            Err(error) => tracing::warn!(%error, "what has expired was not deleted, tried again later"),
        }
    }
}
