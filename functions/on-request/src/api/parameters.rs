//! What is asked for: the parameters of a query, each known and there once.

use std::collections::BTreeMap;
use std::str::FromStr;

use aws::{Malformed, Refusal, Request};
use domain::{InvalidId, Person, PersonId, Service, ServiceId, Settings};
use jiff::Timestamp;

#[derive(Debug, Clone)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(crate) fn read(request: &Request, known: &[&str]) -> Result<Self, Refusal> {
        let mut given = BTreeMap::new();
        for (name, value) in request.parameters() {
            let Some(name) = known.iter().find(|known| **known == name) else {
                let there = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Malformed::new(format!("a parameter that is not known; there are: {there}")).into());
            };
            if given.insert((*name).to_owned(), value).is_some() {
                return Err(Malformed::new(format!("`{name}` stands there twice")).into());
            }
        }
        Ok(Self(given))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Those that say what is asked for, not which part of it.
    pub(super) fn filters(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit"))
    }

    fn id<T: FromStr<Err = InvalidId>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        Ok(self.get(name).map(str::parse).transpose().map_err(Malformed::from)?)
    }

    /// The services that are asked about, by name: all, or the one that `service` names.
    pub(super) fn services<'a>(&self, settings: &'a Settings) -> Result<Vec<&'a Service>, Refusal> {
        let mut all: Vec<&Service> = settings.services().collect();
        if let Some(id) = self.id::<ServiceId>("service")? {
            all.retain(|service| service.id == id);
            if all.is_empty() {
                return Err(Refusal::NotFound("no service of the configuration is called so"));
            }
        }
        all.sort_by_key(|service| &service.id);
        Ok(all)
    }

    /// The services of which something is measured, by name, or the one that `service` names: the desk of freezes too.
    pub(super) fn measured(&self, settings: &Settings) -> Result<Vec<ServiceId>, Refusal> {
        let desk = &settings.freeze_desk().id;
        let mut all: Vec<ServiceId> = match self.id::<ServiceId>("service")? {
            Some(id) if id == *desk => vec![id],
            Some(_) => self.services(settings)?.into_iter().map(|service| service.id.clone()).collect(),
            None => settings.services().map(|service| &service.id).chain([desk]).cloned().collect(),
        };
        all.sort();
        all.dedup();
        Ok(all)
    }

    pub(super) fn person<'a>(&self, settings: &'a Settings) -> Result<Option<&'a Person>, Refusal> {
        let Some(id) = self.id::<PersonId>("person")? else { return Ok(None) };
        let known = settings.roster.person(&id);
        known.map(Some).ok_or(Refusal::NotFound("nobody of the roster is called so"))
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let known = words.iter().find(|(word, _)| *word == given).map(|(_, meant)| Some(*meant));
        Ok(known.ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Malformed::new(format!("`{name}` is one of {}", words.join(", ")))
        })?)
    }

    /// A moment as RFC 3339 has it: with a `T`, and with `Z` or an offset.
    pub(super) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let shape = given.get(10..11).is_some_and(|t| t.eq_ignore_ascii_case("t")) && given.len() <= 40;
        let read = given.parse::<Timestamp>().ok().filter(|_| shape);
        let why =
            || Malformed::new(format!("`{name}` is a time such as 2026-11-27T09:00:00Z, a `+` in it written as %2B"));
        Ok(read.map(Some).ok_or_else(why)?)
    }
}
