//! Taking turns: in one process, decisions about one service wait for each other instead of racing to the table and
//! losing. On AWS a function has one event at a time, so there is nobody to wait for; there, and between processes,
//! the revisions alone decide.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ServiceId;
use tokio::sync::OwnedMutexGuard;

/// Whoever has waited this long goes ahead: turns are a courtesy, and a table that hangs must not hang everybody.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whose turn it is, for each service.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<BTreeMap<ServiceId, Arc<tokio::sync::Mutex<()>>>>>);

impl Turns {
    /// Waits for its turn, which lasts until what is returned is dropped.
    pub(super) async fn wait(&self, service: &ServiceId) -> Option<OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(service.clone()).or_default())
        };
        tokio::time::timeout(PATIENCE, turn.lock_owned()).await.ok()
    }
}
