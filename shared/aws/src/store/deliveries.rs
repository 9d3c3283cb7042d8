//! How far a repository's deliveries were looked at, so that looks go on where the last one ended, and not too often.

use domain::Repository;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::{keys, records};

/// A look at what a forge delivered from one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What the forge sent before this has arrived, or was given up.
    pub settled_until: Timestamp,
    /// When it began. Whether it came to an end is not said: the next one begins in any case.
    pub begun_at: Timestamp,
    /// When it was last said that the forge refuses to tell.
    pub warned_at: Option<Timestamp>,
    #[serde(skip)]
    rev: u64,
}

impl Store {
    /// Begins a look at a repository, unless one began less than `every` ago or somebody else begins it just now.
    /// The first of all begins where `first` says.
    pub async fn begin_look(
        &self,
        repository: &Repository,
        every: SignedDuration,
        first: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Look>, StoreError> {
        let look = match self.look(repository).await? {
            Some(last) if now.duration_since(last.begun_at) < every => return Ok(None),
            Some(last) => Look { begun_at: now, ..last },
            None => Look { settled_until: first, begun_at: now, warned_at: None, rev: 0 },
        };
        match self.keep_look(repository, &look, now).await {
            Ok(()) => Ok(Some(Look { rev: look.rev + 1, ..look })),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what came of a look. If another has begun meanwhile, that one's word counts.
    pub async fn end_look(&self, repository: &Repository, look: &Look, now: Timestamp) -> Result<(), StoreError> {
        match self.keep_look(repository, look, now).await {
            Err(StoreError::Conflict) => Ok(()),
            kept => kept,
        }
    }

    /// The last look at a repository.
    pub async fn look(&self, repository: &Repository) -> Result<Option<Look>, StoreError> {
        let Some(item) = self.get(&keys::look(repository)).await? else { return Ok(None) };
        Ok(Some(Look { rev: records::revision(&item), ..records::read(&item)? }))
    }

    async fn keep_look(&self, repository: &Repository, look: &Look, now: Timestamp) -> Result<(), StoreError> {
        let mut item = records::item(&keys::look(repository), look, Some(now + keys::KEEP_LOOK))?;
        item.insert(keys::REVISION.into(), records::number(look.rev + 1));
        let mut transaction = Transaction::new(self);
        transaction.put_at(item, look.rev)?;
        transaction.commit().await
    }
}
