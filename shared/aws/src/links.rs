//! Links by which a person acts: bound to the person, to what it is about and to a time, signed, checked on use.
//!
//! A link is not spent when it is opened (chat clients open links by themselves), only when its form is
//! posted; what it does can be done once, and doing it again says so.

use domain::{ChangeId, FreezeId, IncidentId, PersonId, Repository, ServiceId};
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

mod clicks;

pub use clicks::{Click, Fill};

use crate::keys;
use crate::secrets::Secret;
use crate::verify::{hmac_sha256, to_hex};

/// How long a link in a message can be used.
pub const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What a link is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `/acknowledge/<incident>`
    Acknowledge(IncidentId),
    /// `/judge/<incident>`: which change was it?
    Judge(IncidentId),
    /// `/answer/<service>/<repository>@<commit>`: take the pager for a merge outside working hours, or not.
    Answer(ServiceId, ChangeId),
    /// `/hand-over/<service>/<repository>@<commit>`: to a colleague, or take it.
    HandOver(ServiceId, ChangeId),
    /// `/revert/<service>/<repository>@<commit>`: open its revert pull request.
    Revert(ServiceId, ChangeId),
    /// `/on-call/<service>`: take the service's pager, put somebody on call, give it back.
    OnCall(ServiceId),
    /// `/queue/<service>`: pause the pipeline, resume it; say that the service may break for a while, and that this is over.
    Queue(ServiceId),
    /// `/freezes`: declare one, change it, end it; ask to let a fix pass.
    Freezes,
    /// `/freeze/<freeze>`: end this one.
    Freeze(FreezeId),
    /// `/expedite/<repository>@<number>`: let this fix pass, sign for it, refuse it.
    Expedite(Repository, u64),
    /// `/person/<person>`: export or remove what is kept of somebody.
    Person(PersonId),
}

impl Action {
    /// The first segment of the paths by which people act.
    pub const PATHS: [&str; 11] = [
        "acknowledge",
        "answer",
        "expedite",
        "freeze",
        "freezes",
        "hand-over",
        "judge",
        "on-call",
        "person",
        "queue",
        "revert",
    ];

    /// Whether these are the segments of such a path: it has more than the first, which alone may be a page or an answer for programs.
    #[must_use]
    pub fn is_path(segments: &[&str]) -> bool {
        matches!(segments, [first, _, ..] if Self::PATHS.contains(first))
    }

    /// Where it is, without any proof: `/acknowledge/edxapp-k3v7q2ma`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("/{}", self.path())
    }

    fn path(&self) -> String {
        match self {
            Self::Acknowledge(incident) => format!("acknowledge/{incident}"),
            Self::Judge(incident) => format!("judge/{incident}"),
            Self::Answer(service, change) => format!("answer/{service}/{change}"),
            Self::HandOver(service, change) => format!("hand-over/{service}/{change}"),
            Self::Revert(service, change) => format!("revert/{service}/{change}"),
            Self::OnCall(service) => format!("on-call/{service}"),
            Self::Queue(service) => format!("queue/{service}"),
            Self::Freezes => "freezes".to_owned(),
            Self::Freeze(freeze) => format!("freeze/{freeze}"),
            Self::Expedite(repository, number) => format!("expedite/{repository}@{number}"),
            Self::Person(person) => format!("person/{person}"),
        }
    }

    /// What these segments of a path are about, whoever follows it.
    #[must_use]
    pub fn parse(segments: &[&str]) -> Option<Self> {
        let about = |rest: &[&str]| {
            let (service, change) = rest.split_first()?;
            Some((service.parse().ok()?, keys::parse_change(&change.join("/").replace("%40", "@"))?))
        };
        match segments {
            ["acknowledge", incident] => Some(Self::Acknowledge(incident.parse().ok()?)),
            ["judge", incident] => Some(Self::Judge(incident.parse().ok()?)),
            ["answer", rest @ ..] => about(rest).map(|(service, change)| Self::Answer(service, change)),
            ["hand-over", rest @ ..] => about(rest).map(|(service, change)| Self::HandOver(service, change)),
            ["revert", rest @ ..] => about(rest).map(|(service, change)| Self::Revert(service, change)),
            ["on-call", service] => Some(Self::OnCall(service.parse().ok()?)),
            ["queue", service] => Some(Self::Queue(service.parse().ok()?)),
            ["freezes"] => Some(Self::Freezes),
            ["person", person] => Some(Self::Person(person.parse().ok()?)),
            ["freeze", freeze] => Some(Self::Freeze(freeze.parse().ok()?)),
            ["expedite", rest @ ..] => {
                let pull = rest.join("/").replace("%40", "@");
                let (repository, number) = pull.rsplit_once('@')?;
                Some(Self::Expedite(repository.parse().ok()?, number.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// What a link allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub action: Action,
    pub person: PersonId,
    pub expires: Timestamp,
}

/// Why a link, or a button, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    #[error("it is not one of ours, or was changed")]
    Forged,
    #[error("it has expired")]
    Expired,
}

/// What any of the values of a secret proves: several, while it is being rotated.
pub fn by_any(secrets: &[Secret], check: impl Fn(&Secret) -> Result<Grant, BadLink>) -> Result<Grant, BadLink> {
    let mut best = Err(BadLink::Forged);
    for one in secrets.iter().map(check) {
        // That it has expired says more than that another value did not make it.
        if one.is_ok() || best == Err(BadLink::Forged) {
            best = one;
        }
    }
    best
}

fn mac(secret: &Secret, grant: &Grant) -> String {
    let text = format!("{}\n{}\n{}", grant.action.path(), grant.person, grant.expires.as_second());
    to_hex(&hmac_sha256(secret.bytes(), &[b"link\n", text.as_bytes()])[..20])
}

/// The path of a link: `/<what it is about>/<person>/<expires>/<mac>`.
#[must_use]
pub fn path(secret: &Secret, grant: &Grant) -> String {
    format!("/{}/{}/{}/{}", grant.action.path(), grant.person, grant.expires.as_second(), mac(secret, grant))
}

/// What a chat's button carries: `/<what it is about>/<expires>/<mac>`. It is nobody's, since many may see it: whoever
/// presses it acts for themselves, and the chat's own signature says who that is. As a link it does not work.
#[must_use]
pub fn button(secret: &Secret, action: &Action, expires: Timestamp) -> String {
    let text = format!("/{}/{}", action.path(), expires.as_second());
    let mac = button_mac(secret, &text);
    format!("{text}/{mac}")
}

fn button_mac(secret: &Secret, text: &str) -> String {
    to_hex(&hmac_sha256(secret.bytes(), &[b"button\n", text.as_bytes()])[..20])
}

/// Reads and checks what a button carried, and makes it the grant of whoever pressed it.
pub fn pressed(secret: &Secret, carried: &str, person: PersonId, now: Timestamp) -> Result<Grant, BadLink> {
    let (text, given) = carried.rsplit_once('/').ok_or(BadLink::Forged)?;
    if !bool::from(button_mac(secret, text).as_bytes().ct_eq(given.as_bytes())) {
        return Err(BadLink::Forged);
    }
    let segments: Vec<&str> = text.split('/').skip(1).collect();
    let (expires, action) = segments.split_last().ok_or(BadLink::Forged)?;
    let expires = expires.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let expires = expires.ok_or(BadLink::Forged)?;
    let action = Action::parse(action).ok_or(BadLink::Forged)?;
    if expires <= now { Err(BadLink::Expired) } else { Ok(Grant { action, person, expires }) }
}

/// Reads and checks the segments of such a path.
pub fn check(secret: &Secret, segments: &[&str], now: Timestamp) -> Result<Grant, BadLink> {
    let [action @ .., person, expires, given] = segments else {
        return Err(BadLink::Forged);
    };
    let seconds: i64 = expires.parse().map_err(|_| BadLink::Forged)?;
    let grant = Grant {
        action: Action::parse(action).ok_or(BadLink::Forged)?,
        person: person.parse().map_err(|_| BadLink::Forged)?,
        expires: Timestamp::from_second(seconds).map_err(|_| BadLink::Forged)?,
    };
    if !bool::from(mac(secret, &grant).as_bytes().ct_eq(given.as_bytes())) {
        return Err(BadLink::Forged);
    }
    if grant.expires <= now { Err(BadLink::Expired) } else { Ok(grant) }
}

/// The first segment of the paths at which calendar programs read the freezes.
pub const CALENDAR: &str = "freezes.ics";

/// The path at which somebody's calendar program reads the freezes: `/freezes.ics/<person>/<mac>`. Such a program cannot sign in.
/// It may only read, so it does not expire: it is over when its person leaves the roster, and all are when the secret is rotated.
#[must_use]
pub fn subscription(secret: &Secret, person: &PersonId) -> String {
    format!("/{CALENDAR}/{person}/{}", subscription_mac(secret, person))
}

fn subscription_mac(secret: &Secret, person: &PersonId) -> String {
    to_hex(&hmac_sha256(secret.bytes(), &[b"calendar\n", person.as_str().as_bytes()])[..20])
}

/// Whose subscription it is, if any of these secrets made it.
#[must_use]
pub fn subscriber(secrets: &[Secret], person: &str, given: &str) -> Option<PersonId> {
    let person: PersonId = person.parse().ok()?;
    let made = |secret: &Secret| bool::from(subscription_mac(secret, &person).as_bytes().ct_eq(given.as_bytes()));
    secrets.iter().any(made).then_some(person)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn grant(action: Action) -> Grant {
        Grant { action, person: "feanil".parse().unwrap(), expires: at("2026-03-21T05:00:00Z") }
    }

    #[test]
    fn a_link_works_for_its_person_its_incident_and_its_time_only() {
        let secret = Secret::new("key").unwrap();
        let grant = grant(Action::Acknowledge("edxapp-k3v7q2ma".parse().unwrap()));
        let path = path(&secret, &grant);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        assert_eq!(check(&secret, &segments, at("2026-03-21T04:59:59Z")), Ok(grant));
        assert_eq!(check(&secret, &segments, at("2026-03-21T05:00:00Z")), Err(BadLink::Expired));
        assert_eq!(check(&Secret::new("other").unwrap(), &segments, at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
        for (i, other) in ["on-call", "edxapp-aaaaaaaa", "kamila", "1900000000", "00"].into_iter().enumerate() {
            let mut changed = segments.clone();
            changed[i] = other;
            assert_eq!(check(&secret, &changed, at("2026-03-21T04:00:00Z")), Err(BadLink::Forged), "{other}");
        }
        assert_eq!(check(&secret, &segments[1..], at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
        assert_eq!(check(&secret, &[], at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
    }

    #[test]
    fn while_a_secret_is_rotated_either_value_proves() {
        let (old, new) = (Secret::new("old").unwrap(), Secret::new("new").unwrap());
        let grant = grant(Action::OnCall("edxapp".parse().unwrap()));
        let path = path(&old, &grant);
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let checked = |secrets: &[Secret], at_time| by_any(secrets, |secret| check(secret, &segments, at(at_time)));
        let both = [new.clone(), old];
        assert_eq!(checked(&both, "2026-03-21T04:00:00Z"), Ok(grant));
        assert_eq!(checked(&both, "2026-03-21T05:00:00Z"), Err(BadLink::Expired));
        assert_eq!(checked(&[new], "2026-03-21T04:00:00Z"), Err(BadLink::Forged));
        assert_eq!(checked(&[], "2026-03-21T04:00:00Z"), Err(BadLink::Forged));
    }

    #[test]
    fn every_action_survives_its_path_and_allows_nothing_else() {
        let secret = Secret::new("key").unwrap();
        let service: ServiceId = "edxapp".parse().unwrap();
        let change = ChangeId {
            repository: "group/sub/project".parse().unwrap(),
            commit: "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1".parse().unwrap(),
        };
        for action in [
            Action::Answer(service.clone(), change.clone()),
            Action::HandOver(service.clone(), change.clone()),
            Action::Revert(service.clone(), change.clone()),
            Action::OnCall(service.clone()),
            Action::Queue(service),
            Action::Freezes,
            Action::Freeze("gratitude-week".parse().unwrap()),
            Action::Judge("edxapp-k3v7q2ma".parse().unwrap()),
            Action::Expedite("openedx/edx-platform".parse().unwrap(), 12),
            Action::Person("usama".parse().unwrap()),
        ] {
            let grant = grant(action);
            let path = path(&secret, &grant);
            let segments: Vec<&str> = path.split('/').skip(1).collect();
            assert!(Action::PATHS.contains(&segments[0]));
            assert_eq!(check(&secret, &segments, at("2026-03-21T04:00:00Z")), Ok(grant));
            let mut other = segments.clone();
            other[0] = if segments[0] == "answer" { "hand-over" } else { "answer" };
            assert_eq!(check(&secret, &other, at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
        }
    }

    #[test]
    fn a_subscription_is_of_its_person_and_its_secret_and_no_link() {
        let (secret, new) = (Secret::new("key").unwrap(), Secret::new("new").unwrap());
        let person: PersonId = "feanil".parse().unwrap();
        let path = subscription(&secret, &person);
        let mac = path.rsplit('/').next().unwrap();
        assert_eq!(path, format!("/freezes.ics/feanil/{mac}"));
        let both = [new.clone(), secret.clone()];
        assert_eq!(subscriber(&both, "feanil", mac), Some(person));
        assert_eq!(subscriber(&[new], "feanil", mac), None, "the secret was rotated");
        for (who, given) in [("anna", mac), ("Feanil ", mac), ("feanil", &mac[1..]), ("feanil", ""), ("", mac)] {
            assert_eq!(subscriber(&both, who, given), None, "{who} {given}");
        }
        // Neither is what one proves taken for the other.
        let link = super::path(&secret, &grant(Action::Freezes));
        assert_eq!(subscriber(&both, "feanil", link.rsplit('/').next().unwrap()), None);
        let segments = ["freezes", "feanil", "1900000000", mac];
        assert_eq!(check(&secret, &segments, at("2026-03-21T04:00:00Z")), Err(BadLink::Forged));
    }

    #[test]
    fn a_button_is_of_whoever_presses_it_and_no_link() {
        let secret = Secret::new("key").unwrap();
        let person: PersonId = "anna".parse().unwrap();
        let grant = grant(Action::Acknowledge("edxapp-k3v7q2ma".parse().unwrap()));
        let carried = button(&secret, &grant.action, grant.expires);
        let now = at("2026-03-21T04:00:00Z");
        let press = |text: &str, now| pressed(&secret, text, person.clone(), now);
        assert_eq!(press(&carried, now), Ok(Grant { person: person.clone(), ..grant.clone() }));
        assert_eq!(press(&carried, grant.expires), Err(BadLink::Expired));
        for bad in [
            "",
            "/",
            "///",
            &carried[1..],
            &format!("{carried}0"),
            &carried.replace("k3v7", "k3v8"),
            &path(&secret, &grant),
        ] {
            assert_eq!(press(bad, now), Err(BadLink::Forged), "{bad}");
        }
        let segments: Vec<&str> = carried.split('/').skip(1).collect();
        assert_eq!(check(&secret, &segments, now), Err(BadLink::Forged));
        assert_eq!(pressed(&Secret::new("other").unwrap(), &carried, person.clone(), now), Err(BadLink::Forged));
    }
}
