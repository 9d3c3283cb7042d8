//! Reads the calendars that freezes follow. Which are due, and what is kept of them, is the domain's business
//! ([`domain::on_schedule::feeds`]). What an answer says is hostile: it is bounded, and it never leads to a less safe address.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::clients::{Http, HttpError};
use aws::settings::read_feed;
use aws::settings::sign_in::may_lead;
use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::freeze::{Freeze, Time};
use domain::on_schedule::feeds::{Heard, due, hear};
use tokio::task::JoinSet;

/// How many are read at a time. The others are still due.
const MOST: usize = 8;
const DEADLINE_SECONDS: u64 = 10;
const MOST_BYTES: usize = 1024 * 1024;
/// How often a calendar may say that it is elsewhere.
const MOST_REDIRECTS: usize = 3;

/// Why a calendar was not read. Never holds its address, which may be a secret.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("it cannot be reached")]
    Http(#[source] HttpError),
    #[error("it did not answer within {DEADLINE_SECONDS} s")]
    Slow,
    #[error("it answered {0}")]
    Status(u16),
    #[error("it is larger than 1 MiB")]
    TooLarge,
    #[error("it says that it is where we do not follow")]
    Elsewhere,
    #[error("it says more than {MOST_REDIRECTS} times that it is elsewhere")]
    Endless,
    #[error("it is not UTF-8 text")]
    NotText,
    #[error("its text is not understood: {0}")]
    NotUnderstood(String),
    #[error("it broke its reader")]
    Broken,
}

/// Reads what is due, and keeps what it says; whether there was any.
pub(crate) async fn keep(house: &House) -> Result<bool, StoreError> {
    let settings = house.settings();
    if settings.freezes.iter().all(|freeze| freeze.feed.is_none()) {
        return Ok(false);
    }
    let desk = &settings.freeze_desk().id;
    let situation = house.store.situation(desk).await?;
    let due: Vec<_> = due(&situation, settings, house.now()).into_iter().take(MOST).collect();
    if due.is_empty() {
        return Ok(false);
    }
    let (heard, now) = (read_all(&house.http, &due).await, house.now());
    house.store.decide(desk, now, |situation| (hear(&heard, situation, settings, now), ())).await.map(|_| true)
}

/// What each says, all asked at a time.
async fn read_all(http: &Http, due: &[(&Freeze, &str)]) -> Vec<Heard> {
    let mut reading = JoinSet::new();
    for (freeze, address) in due {
        let (http, freeze, address) = (http.clone(), Freeze::clone(freeze), (*address).to_owned());
        reading.spawn(async move {
            let said = read(&http, &freeze, &address).await;
            (freeze.id, said)
        });
    }
    let mut heard = BTreeMap::new();
    while let Some(read) = reading.join_next().await {
        heard.extend(read.ok());
    }
    let of = |(freeze, _): &(&Freeze, &str)| {
        let said = heard.remove(&freeze.id).unwrap_or(Err(Unread::Broken)).map_err(|error| {
            let cause = error_chain(&error);
            tracing::warn!(freeze = %freeze.id, cause, "the calendar of a freeze cannot be read");
            cause
        });
        Heard { freeze: freeze.id.clone(), said }
    };
    due.iter().map(of).collect()
}

async fn read(http: &Http, freeze: &Freeze, address: &str) -> Result<Vec<Time>, Unread> {
    let deadline = Duration::from_secs(DEADLINE_SECONDS);
    let text = tokio::time::timeout(deadline, fetch(http, address)).await.map_err(|_| Unread::Slow)??;
    read_feed(&text, freeze).map_err(Unread::NotUnderstood)
}

async fn fetch(http: &Http, address: &str) -> Result<String, Unread> {
    let headers = [("accept", "text/calendar"), ("user-agent", "recent-deployers")];
    let mut url = address.to_owned();
    for _ in 0..=MOST_REDIRECTS {
        let answer = http.send("GET", &url, &headers, Vec::new(), DEADLINE_SECONDS).await.map_err(Unread::Http)?;
        match (answer.status, answer.location) {
            (200, _) if answer.body.len() > MOST_BYTES => return Err(Unread::TooLarge),
            (200, _) => return String::from_utf8(answer.body).map_err(|_| Unread::NotText),
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                url = elsewhere(&url, &location).ok_or(Unread::Elsewhere)?;
            }
            (status, _) => return Err(Unread::Status(status)),
        }
    }
    Err(Unread::Endless)
}

/// Where it is instead: where that may lead us, so that neither is the rest of the way unencrypted, nor does somebody else's answer
/// have us ask this machine or a number of our own net.
fn elsewhere(url: &str, location: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let to = match location.strip_prefix('/') {
        Some(path) if !path.starts_with('/') => format!("{scheme}://{host}{location}"),
        Some(_) | None => location.to_owned(),
    };
    may_lead(url, &to).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_as_safe_as_it_was() {
        let from = |location: &str| elsewhere("https://calendar.example.com/a/b.ics?key=1", location);
        assert_eq!(from("/c.ics").as_deref(), Some("https://calendar.example.com/c.ics"));
        assert_eq!(from("https://other.example.com/c.ics").as_deref(), Some("https://other.example.com/c.ics"));
        for bad in [
            "http://calendar.example.com/b.ics",
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "https://169.254.169.254/latest/meta-data/iam/security-credentials/",
            "https://[fd00:ec2::254]/latest/meta-data/",
            "https://10.0.0.1/c.ics",
            "https://localhost/c.ics",
            "//other.example.com/c.ics",
            "file:///etc/passwd",
            "webcal://calendar.example.com/b.ics",
            "https://user@other.example.com/",
            "c.ics",
            "",
        ] {
            assert_eq!(from(bad), None, "{bad}");
        }
        let here = elsewhere("http://127.0.0.1:8000/b.ics", "http://127.0.0.1:8000/c.ics");
        assert_eq!(here.as_deref(), Some("http://127.0.0.1:8000/c.ics"));
        assert_eq!(elsewhere("http://127.0.0.1:8000", "http://calendar.example.com/"), None);
    }
}
