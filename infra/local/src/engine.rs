//! The embedded engine: DynamoDB's protocol on a loopback port, SQLite in a file or in memory below.

use std::path::Path;

use dynoxide::Database;
use tokio::net::TcpListener;

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("the data file cannot be opened: {0}")]
    Open(String),
    #[error("no loopback port is free")]
    Port(#[source] std::io::Error),
}

/// Starts the engine and returns its address. It runs until the process ends; nothing has to be shut down,
/// since every answered write is in the file.
pub async fn start(file: Option<&Path>) -> Result<String, EngineError> {
    let opened = match file {
        Some(path) => Database::new(&path.to_string_lossy()),
        None => Database::memory(),
    };
    let database = opened.map_err(|e| EngineError::Open(e.to_string()))?;
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(EngineError::Port)?;
    let address = listener.local_addr().map_err(EngineError::Port)?;
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    Ok(format!("http://{address}"))
}
