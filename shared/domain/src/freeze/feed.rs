//! What was read last of a calendar elsewhere that a freeze follows. What is done with that: [`crate::on_schedule::feeds`].

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Time;

/// Where a calendar is. It may be all the secret that it has, so nothing shows it that prints what it has in its hands.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Of which address, as a digest: such an address may be all the secret that a calendar has.
    pub address: String,
    /// By when they begin. Where it cannot be read, those that were read last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    pub tried_at: Timestamp,
    /// Why it could not be read when it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl Feed {
    /// Of an address that nobody has read yet.
    #[must_use]
    pub fn unread(address: &str, now: Timestamp) -> Self {
        Self { address: digest(address), times: Vec::new(), read_at: None, tried_at: now, failed: None }
    }

    #[must_use]
    pub fn is_of(&self, address: &str) -> bool {
        self.address == digest(address)
    }
}

fn digest(address: &str) -> String {
    Sha256::digest(address.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
