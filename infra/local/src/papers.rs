//! The command that prints an incident for its retrospective.

use aws::clients::Answer;
use domain::IncidentId;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::hands::{Hands, HandsError};

impl Hands<'_> {
    /// All that is known of an incident: as Markdown, with times in UTC and in this zone, or as JSON.
    pub async fn export(&self, incident: &str, json: bool, zone: &TimeZone) -> Result<String, HandsError> {
        let id: IncidentId = incident.parse()?;
        let zone = zone.iana_name().map(|name| format!("?zone={}", name.replace('/', "%2F"))).unwrap_or_default();
        let path = if json { format!("/incidents/{id}/export.json") } else { format!("/incidents/{id}.md{zone}") };
        let answer = self.send("GET", &path, Vec::new()).await?;
        match answer.status {
            200 if json => pretty(&answer),
            200 => Ok(String::from_utf8_lossy(&answer.body).trim_end().to_owned()),
            404 => Err(HandsError::NoIncident(id)),
            status => Err(HandsError::Answer(status)),
        }
    }
}

fn pretty(answer: &Answer) -> Result<String, HandsError> {
    let unread = |_| HandsError::Answer(answer.status);
    let said: Value = serde_json::from_slice(&answer.body).map_err(unread)?;
    serde_json::to_string_pretty(&said).map_err(unread)
}
