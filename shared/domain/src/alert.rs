//! An alert, as one monitor tells it. What all of them together say is [`crate::signals`]'s.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::EnvironmentName;
use crate::login::Login;
use crate::rank::named;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    /// What monitors commonly write; anything unknown counts as critical, because silence is worse.
    #[must_use]
    pub fn from_label(label: Option<&str>) -> Self {
        match label.map(str::to_ascii_lowercase).as_deref() {
            Some("info" | "informational" | "none" | "notice" | "low" | "p4" | "p5") => Self::Info,
            Some("warning" | "warn" | "minor" | "medium" | "p3") => Self::Warning,
            _ => Self::Critical,
        }
    }

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    Firing,
    /// Still firing, and somebody has taken it over there.
    Acknowledged,
    Resolved,
}

/// Who acknowledged an alert in the monitor or pager that sent it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AcknowledgedThere {
    pub at: Timestamp,
    /// Their account there, or their address, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// What they are called there.
    pub name: String,
}

/// One alert of one monitor, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub source: String,
    /// The monitor's own identity of what is wrong: the same while it fires and when it resolves.
    pub fingerprint: String,
    pub name: String,
    pub summary: String,
    pub severity: Severity,
    pub state: AlertState,
    /// Since when it fires, where the monitor says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Who took it over there, where `state` says that somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AcknowledgedThere>,
    /// When whoever had taken it over there gave it back, or that ran out there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// How long after its start it is over by itself, where its monitor never says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<SignedDuration>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What its monitor calls the failure that it is part of, where it groups alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What else it says, a stack trace perhaps: looked through for what it names, shown to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// As much of what an alert says beside its summary is looked at, in bytes.
pub const MOST_DETAIL: usize = 8_000;
/// Under which label a monitor lists files itself.
const FILES: &str = "files";

impl Alert {
    /// Sender and fingerprint: what the newest word is kept under.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.source, self.fingerprint)
    }

    /// The files and modules that it names, nearest to the failure first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let listed = self.labels.get(FILES).map(String::as_str);
        let said = [listed, self.detail.as_deref(), Some(&self.summary), Some(&self.name)];
        let mut found: Vec<String> = Vec::new();
        for name in said.into_iter().flatten().flat_map(named::names) {
            if !found.contains(&name) && found.len() < named::MOST_NAMES {
                found.push(name);
            }
        }
        found
    }
}

/// Which environment of which service a group of alerts is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub service: crate::ids::ServiceId,
    pub environment: EnvironmentName,
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
