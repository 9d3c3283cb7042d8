//! What people are called where their names must not stand: in the audit log. The mapping is one item for each of them, made when their
//! first line is sealed. Without it nobody can tell who they were.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::PersonId;
use domain::audit::{Fault, Pseudonym};
use serde::{Deserialize, Serialize};

use super::audit::random;
use super::{Store, StoreError};
use crate::keys;
use crate::records;
use crate::verify::to_hex;

/// What is kept of a person by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub pseudonym: Pseudonym,
    /// What stands instead of them, while their data are being removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
}

/// The pseudonyms that are known, for as long as a tick lasts.
#[derive(Debug, Default)]
pub struct Called {
    people: BTreeMap<PersonId, Pseudonym>,
    /// What is kept of them cannot be read.
    unread: BTreeSet<PersonId>,
    read: bool,
}

impl Called {
    pub(super) fn of(&self, person: &PersonId) -> Pseudonym {
        // Whoever is not there was called just before.
        self.people.get(person).cloned().unwrap_or_else(|| Pseudonym(String::new()))
    }
}

/// A name that says nothing.
pub(super) fn coined() -> Result<Pseudonym, StoreError> {
    Ok(Pseudonym(format!("p-{}", to_hex(&random()?))))
}

impl Store {
    /// Sees to it that a person has a pseudonym; whether it is known whose it is. Where what is kept of them cannot be read, it is left as
    /// it is, and their lines are sealed under a name that nobody knows: one person keeps nobody's log from being sealed.
    pub(super) async fn call(&self, called: &mut Called, person: &PersonId) -> Result<bool, StoreError> {
        if !called.read {
            (called.people, called.unread) = self.everybody().await?;
            called.read = true;
        }
        if called.people.contains_key(person) {
            return Ok(!called.unread.contains(person));
        }
        let pseudonym = coined()?;
        if called.unread.contains(person) {
            called.people.insert(person.clone(), pseudonym);
            return Ok(false);
        }
        let item = records::item(&keys::person(person), &Known { pseudonym: pseudonym.clone(), former: None }, None)?;
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let pseudonym = match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => pseudonym,
            // Somebody else has just called them.
            Err(e) if e.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                self.known(person).await?.map_or(pseudonym, |known| known.pseudonym)
            }
            Err(e) => return Err(StoreError::unavailable(DisplayErrorContext(e))),
        };
        called.people.insert(person.clone(), pseudonym);
        Ok(true)
    }

    /// What is kept of a person by itself.
    pub async fn known(&self, person: &PersonId) -> Result<Option<Known>, StoreError> {
        self.get(&keys::person(person)).await?.as_ref().map(records::read).transpose()
    }

    /// Everybody's pseudonyms that can be read.
    pub async fn pseudonyms(&self) -> Result<BTreeMap<PersonId, Pseudonym>, StoreError> {
        Ok(self.everybody().await?.0)
    }

    /// Everybody's pseudonyms, and of whom they cannot be read.
    pub async fn everybody(&self) -> Result<(BTreeMap<PersonId, Pseudonym>, BTreeSet<PersonId>), StoreError> {
        let items = self.query(keys::PEOPLE, None, true, None).await?;
        let (mut people, mut unread) = (BTreeMap::new(), BTreeSet::new());
        for item in &items {
            let Ok(person) = records::sort(item).parse::<PersonId>() else { continue };
            match records::read::<Known>(item) {
                Ok(known) => drop(people.insert(person, known.pseudonym)),
                Err(_) => drop(unread.insert(person)),
            }
        }
        Ok((people, unread))
    }
}

/// What is said of somebody of whom it cannot be read what they are called.
#[must_use]
pub fn unreadable(person: &PersonId) -> Fault {
    Fault::Unreadable(format!("what {person} is called in the audit log"))
}
