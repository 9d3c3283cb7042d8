//! What a reader may do, as addresses of their own: whoever signed in acts from a page as they would by a link in a message.

use aws::links::{self, Action, Grant, LIFE};
use aws::secrets::Secret;
use aws::{House, Refusal};
use domain::{Change, PersonId, ServiceId, Settings, undo};
use jiff::Timestamp;

use crate::sign_in::Reader;

/// Who acts, if the reader may.
pub(crate) struct Offers {
    secret: Secret,
    pub(crate) person: Option<PersonId>,
    expires: Timestamp,
}

impl Offers {
    /// Nobody from outside acts from a page, and nobody who is not known.
    pub(crate) fn of(house: &House, reader: &Reader) -> Result<Self, Refusal> {
        let inside = |id: &&PersonId| house.settings().roster.person(id).is_some_and(|person| !person.is_outside());
        let person = if let Reader::Person(id) = reader { Some(id).filter(inside).cloned() } else { None };
        let secret = house.secrets.first(&house.configuration.link_secret).map_err(Refusal::NoSecret)?;
        Ok(Self { secret, person, expires: house.now() + LIFE })
    }

    /// Where this person does that.
    pub(crate) fn path(&self, action: Action) -> Option<String> {
        let person = self.person.clone()?;
        Some(links::path(&self.secret, &Grant { action, person, expires: self.expires }))
    }

    /// Where this person takes the change back, if a forge opens its revert.
    pub(crate) fn revert(&self, settings: &Settings, service: &ServiceId, change: &Change) -> Option<String> {
        let path = self.path(Action::Revert(service.clone(), change.id.clone()));
        path.filter(|_| undo::can_open(settings, change))
    }

    /// Where this reader's calendar program reads the freezes: where nobody signs in, whoever reads the board reads that too.
    pub(crate) fn subscription(&self, reader: &Reader) -> Option<String> {
        match reader {
            Reader::Person(id) => Some(links::subscription(&self.secret, id)),
            Reader::Unasked => Some(format!("/{}", links::CALENDAR)),
            Reader::Guest(_) => None,
        }
    }
}
