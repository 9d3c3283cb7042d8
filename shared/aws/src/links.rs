//! Links by which a person acts: bound to the person, the incident and a time, signed, checked on use.
//!
//! A link is not spent when it is opened (chat clients open links by themselves), only when its form is
//! posted; what it does can be done once, and doing it again says so.

use domain::{IncidentId, PersonId};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use crate::secrets::Secret;
use crate::verify::{hmac_sha256, to_hex};

/// How long an acknowledgement link can be used.
pub const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What a link allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub incident: IncidentId,
    pub person: PersonId,
    pub expires: Timestamp,
}

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("this link is not one of ours, or was changed")]
    Forged,
    #[error("this link has expired")]
    Expired,
}

fn mac(secret: &Secret, grant: &Grant) -> String {
    let text = format!("acknowledge\n{}\n{}\n{}", grant.incident, grant.person, grant.expires.as_second());
    to_hex(&hmac_sha256(secret.bytes(), &[text.as_bytes()])[..20])
}

/// The path of an acknowledgement link: `/acknowledge/<incident>/<person>/<expires>/<mac>`.
#[must_use]
pub fn acknowledge(secret: &Secret, grant: &Grant) -> String {
    format!("/acknowledge/{}/{}/{}/{}", grant.incident, grant.person, grant.expires.as_second(), mac(secret, grant))
}

/// Reads and checks the segments of such a path, without the leading `acknowledge`.
pub fn check(secret: &Secret, segments: &[&str], now: Timestamp) -> Result<Grant, BadLink> {
    let [incident, person, expires, given] = segments else {
        return Err(BadLink::Forged);
    };
    let seconds: i64 = expires.parse().map_err(|_| BadLink::Forged)?;
    let grant = Grant {
        incident: incident.parse().map_err(|_| BadLink::Forged)?,
        person: person.parse().map_err(|_| BadLink::Forged)?,
        expires: Timestamp::from_second(seconds).map_err(|_| BadLink::Forged)?,
    };
    if !bool::from(mac(secret, &grant).as_bytes().ct_eq(given.as_bytes())) {
        return Err(BadLink::Forged);
    }
    if grant.expires <= now { Err(BadLink::Expired) } else { Ok(grant) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_for_its_person_its_incident_and_its_time_only() {
        let secret = Secret::new("key").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let grant = Grant {
            incident: "edxapp-k3v7q2ma".parse().unwrap(),
            person: "feanil".parse().unwrap(),
            expires: at("2026-03-21T05:00:00Z"),
        };
        let path = acknowledge(&secret, &grant);
        let segments: Vec<&str> = path.split('/').skip(2).collect();
        assert_eq!(check(&secret, &segments, at("2026-03-21T04:59:59Z")), Ok(grant));
        assert_eq!(check(&secret, &segments, at("2026-03-21T05:00:00Z")), Err(BadLink::Expired));
        assert_eq!(check(&Secret::new("other").unwrap(), &segments, at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
        for (i, other) in ["edxapp-aaaaaaaa", "kamila", "1900000000", "00"].into_iter().enumerate() {
            let mut changed = segments.clone();
            changed[i] = other;
            assert_eq!(check(&secret, &changed, at("2026-03-21T04:00:00Z")), Err(BadLink::Forged), "{other}");
        }
        assert_eq!(check(&secret, &segments[1..], at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
    }
}
