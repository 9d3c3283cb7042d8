//! What is replayed: one thing that was told, or done, and when.

use std::collections::BTreeMap;

use aws::links::Action;
use domain::on_alert::AlertEvent;
use domain::on_merge::MergeEvent;
use domain::{ChangeId, DeployEvent, PersonId};
use jiff::Timestamp;

/// Something that was told or done, as its sender's reader understood it.
#[derive(Debug, Clone)]
pub struct Told {
    pub at: Timestamp,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// By a source of the configuration, named as there.
    Merge(String, Vec<MergeEvent>),
    Deploy(String, Vec<DeployEvent>),
    Alert(String, AlertEvent),
    /// Somebody did what a link of theirs allows.
    Act {
        action: Action,
        by: PersonId,
        form: BTreeMap<String, String>,
    },
    /// Which change really was the cause of the incident that this alert is of, by its key; none of ours, if absent. It counts as what an owner judges.
    Truth {
        alert: String,
        culprit: Option<ChangeId>,
    },
    /// What did happen to an alert: whom somebody else's pager told, who took it.
    Happened(Happened),
    /// Its reader ignores it, and says why.
    Ignored(String),
}

/// What is known of how it really went, of one alert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Happened {
    /// The alert's key: its source and fingerprint.
    pub alert: String,
    /// Whom the pager told, as it calls them.
    pub told: Vec<String>,
    pub taken_by: Option<String>,
    pub taken_at: Option<Timestamp>,
}
