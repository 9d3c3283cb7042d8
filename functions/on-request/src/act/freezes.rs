//! Declaring a freeze, changing it, ending it.

use std::collections::BTreeSet;

use aws::links::Grant;
use aws::{House, Refusal};
use domain::freeze::{Freezes, Preset, Scope, Stops, Strength};
use domain::on_request::freezes::{Desk, Refused, Wanted};
use domain::wording::freezes::{details, line};
use domain::{FreezeId, PersonId, times};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Field, Filled, Form, Outcome, Question, nothing, sentence};
use crate::may::{desk, next_of_each};

pub(crate) const DECLARE: &str = "freeze";
pub(crate) const END: &str = "thaw";
/// Nothing is declared: it is shown what would be.
pub(crate) const SHOW: &str = "show";

pub(super) async fn ask(house: &House, grant: &Grant) -> Result<Result<Question, Outcome>, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let desk = desk(house).await?;
    let ahead = next_of_each(Freezes::of(settings, &desk).ahead(now), now);
    let mut lines: Vec<String> =
        ahead.iter().take(10).map(|one| format!("{}.", sentence(&line(one, now)).trim_end_matches('.'))).collect();
    if lines.is_empty() {
        lines.push("No freeze is under way or ahead.".to_owned());
    }
    let zone = settings.roster.zone_of(&grant.person);
    let option = |text: &str| (text.to_owned(), text.to_owned());
    let words = ["advise", "require", "allow"].map(option).to_vec();
    let field = |name, label| Field { name, label, ..Field::default() };
    let just = [("", "declare it"), (SHOW, "only show what it would touch")];
    let just = just.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    let fields = vec![
        field("name", "What it is called"),
        field("until", "Until, such as 2026-12-28 09:00 or Mon 09:00"),
        field("from", "From (empty: now)"),
        Field { value: zone.iana_name().unwrap_or("UTC").to_owned(), ..field("zone", "In the zone") },
        Field { value: "advise".to_owned(), options: words.clone(), ..field("merges", "Merging") },
        Field { value: "require".to_owned(), options: words, ..field("deployments", "Deploying") },
        field("services", "Services (empty: every one)"),
        Field { options: just, ..field("just", "And") },
    ];
    let mut forms = vec![Form { button: "Declare a freeze", does: DECLARE, fields }, super::expedites::form()];
    let own: Vec<(String, String)> =
        ahead.iter().filter(|one| one.by().is_some()).map(|one| (one.id.to_string(), one.name.to_owned())).collect();
    if !own.is_empty() {
        let field = Field { options: own, ..field("freeze", "Which") };
        forms.push(Form { button: "End a freeze", does: END, fields: vec![field] });
    }
    Ok(Ok(Question { title: "Freezes".to_owned(), lines, forms }))
}

/// Of one freeze: what it asks for, and that it can be ended.
pub(super) async fn ask_of(house: &House, grant: &Grant, id: &FreezeId) -> Result<Result<Question, Outcome>, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let desk = desk(house).await?;
    let ahead = Freezes::of(settings, &desk).ahead(now);
    let Some(one) = ahead.iter().filter(|one| *one.id == *id).min_by_key(|one| one.from) else {
        return Ok(Err(nothing(&Refused::NoSuch(id.clone()))));
    };
    let mut question = Question { title: format!("The freeze {}", one.name), ..Question::default() };
    question.lines = details(one, &settings.roster);
    let may = settings.roster.person(&grant.person).is_some_and(|person| !person.is_outside());
    if one.by().is_some() && may {
        question.forms.push(Form { button: "End it now", does: END, fields: Vec::new() });
    }
    Ok(Ok(question))
}

/// Ends the one that the link is about, and does nothing else.
pub(super) async fn act_on(house: &House, grant: &Grant, id: &FreezeId, filled: &Filled) -> Result<Outcome, Refusal> {
    if filled.get("do").is_none_or(|does| does != END) {
        return Ok(Outcome::not_understood(super::NOT_ALLOWED));
    }
    let form = [("do", END), ("freeze", id.as_str())].map(|(name, value)| (name.to_owned(), value.to_owned()));
    act(house, grant, &Filled::from(form)).await
}

pub(super) async fn act(house: &House, grant: &Grant, filled: &Filled) -> Result<Outcome, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let wish = match Wish::read(filled, &settings.roster.zone_of(&grant.person), now) {
        Ok(wish) => wish,
        Err(why) => return Ok(Outcome::not_understood(why)),
    };
    if let (Wish::Declare(wanted), Some(SHOW)) = (&wish, filled.get("just").map(|just| just.trim())) {
        return would(house, grant, wanted).await;
    }
    let decide = |situation: &_| wish.decide(Desk { situation, settings, now }, &grant.person);
    Ok(match super::decide(house, settings.freeze_desk(), decide).await? {
        Ok(()) => wish.done(house).await?,
        Err(why @ Refused::AlreadySo) => Outcome::done("Nothing to do", sentence(&why)),
        Err(why) => nothing(&why),
    })
}

/// What it would touch, if it is one that may be declared.
async fn would(house: &House, grant: &Grant, wanted: &Wanted) -> Result<Outcome, Refusal> {
    let (settings, now) = (house.settings(), house.now());
    let situation = house.store.situation(&settings.freeze_desk().id).await?;
    match (Desk { situation: &situation, settings, now }).would_be(&grant.person, wanted) {
        Ok(freeze) => super::preview::show(house, &freeze, &situation).await,
        Err(why) => Ok(nothing(&why)),
    }
}

/// What the person wants, read from the form.
pub(super) enum Wish {
    Declare(Wanted),
    End(FreezeId),
}

impl Wish {
    pub(super) fn read(filled: &Filled, own: &TimeZone, now: Timestamp) -> Result<Self, &'static str> {
        let text = |name: &str| filled.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let list =
            |name: &str| text(name).into_iter().flat_map(|text| text.split([',', ' '])).filter(|one| !one.is_empty());
        match text("do") {
            Some(END) => {
                let id = text("freeze").and_then(|id| id.parse().ok());
                Ok(Self::End(id.ok_or("`freeze` is the name of one")?))
            }
            Some(DECLARE) => {
                let name = text("name").ok_or("`name` is what people call it, such as \"gratitude week\"")?;
                let id = meant(filled).ok_or("`freeze` is a short name: letters, digits, `-`, `_` and `.`")?;
                let zone_name = text("zone").or(own.iana_name()).unwrap_or("UTC");
                let zone = TimeZone::get(zone_name).map_err(|_| "`zone` is a time zone such as \"Europe/London\"")?;
                const WHEN: &str =
                    "`from` and `until` are times such as \"2026-12-28 09:00\", \"Mon 09:00\" or 2026-12-28T09:00Z";
                let moment = |text| times::read(text, &zone, now);
                let until = text("until").and_then(moment).ok_or(WHEN)?;
                let from = text("from").map(|text| moment(text).ok_or(WHEN)).transpose()?;
                let preset = text("preset").map(|name| {
                    name.parse::<Preset>().map_err(|_| "`preset` is weekend, holiday, hackathon or peak-event")
                });
                let preset = preset.transpose()?;
                let rotation_signs = preset.map(Preset::rotation_signs);
                let preset = preset.map(Preset::stops);
                let usual = preset.unwrap_or(Preset::Holiday.stops());
                let stops = Stops {
                    merges: strength(text("merges"), usual.merges)?,
                    deployments: strength(text("deployments"), usual.deployments)?,
                };
                let stops =
                    ["preset", "merges", "deployments"].iter().any(|name| text(name).is_some()).then_some(stops);
                const NAMES: &str = "`services`, `repositories` and `environments` are names, with commas between them";
                let scope = Scope {
                    services: list("services").map(str::parse).collect::<Result<_, _>>().map_err(|_| NAMES)?,
                    repositories: list("repositories").map(str::to_owned).collect::<BTreeSet<String>>(),
                    environments: list("environments").map(str::parse).collect::<Result<_, _>>().map_err(|_| NAMES)?,
                };
                let narrowed = ["services", "repositories", "environments"]
                    .map(|name| (text(name).is_some(), list(name).next().is_some()));
                if narrowed.iter().any(|(given, named)| given != named) {
                    return Err(NAMES);
                }
                let scope = narrowed.iter().any(|(given, _)| *given).then_some(scope);
                let name = name.to_owned();
                Ok(Self::Declare(Wanted {
                    id,
                    name,
                    stops,
                    rotation_signs,
                    scope,
                    zone: zone_name.to_owned(),
                    from,
                    until,
                }))
            }
            _ => Err(super::NOT_ALLOWED),
        }
    }

    pub(super) fn decide(&self, desk: Desk<'_>, person: &PersonId) -> Result<domain::Decisions, Refused> {
        match self {
            Self::Declare(wanted) => desk.declare(person, wanted),
            Self::End(id) => desk.end(person, id),
        }
    }

    /// What came of it, and that it is looked at when it begins and ends.
    async fn done(&self, house: &House) -> Result<Outcome, Refusal> {
        let (settings, now) = (house.settings(), house.now());
        Ok(match self {
            Self::Declare(wanted) => {
                for at in wanted.from.into_iter().chain([wanted.until]) {
                    house.wake_at(&settings.freeze_desk().id, at).await;
                }
                let desk = desk(house).await?;
                let ahead = Freezes::of(settings, &desk).ahead(now);
                let said = ahead.iter().find(|one| *one.id == wanted.id).map(|one| line(one, now)).unwrap_or_default();
                Outcome::done("The freeze is declared", format!("{said}. It is called {}.", wanted.id))
            }
            Self::End(id) => Outcome::done("The freeze is over", format!("{id} holds nothing any more.")),
        })
    }
}

fn strength(given: Option<&str>, preset: Option<Strength>) -> Result<Option<Strength>, &'static str> {
    match given {
        None => Ok(preset),
        Some("allow") => Ok(None),
        Some(word) => word.parse().map(Some).map_err(|_| "`merges` and `deployments` are advise, require or allow"),
    }
}

/// The freeze that a form declares, by its short name.
pub(crate) fn meant(filled: &Filled) -> Option<FreezeId> {
    let text = |name: &str| filled.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    text("freeze").map_or_else(|| text("name").map(slug), |given| Some(given.to_owned()))?.parse().ok()
}

/// `Gratitude week` as a name: `gratitude-week`.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    slug.truncate(60);
    slug
}
