//! The comments at merged pull requests: services tell the desks of their repositories what they have to say, and the desks write it
//! at the forge. What is said, and when, is the domain's business ([`domain::comments`]); how it is written, that of
//! [`crate::forges::comments`].

use std::collections::BTreeMap;

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::comments::line::{News, untold};
use domain::comments::{self, Answer, AsOf, Ask};
use domain::window::windows;
use domain::{Repository, ServiceId, Situation};
use jiff::{SignedDuration, Timestamp};

use crate::forges::Forge;

/// So many changes are told of in one transaction, and so often at a look; what is left is due again at once.
const MOST_NEWS: usize = 40;
const MOST_PORTIONS: usize = 6;
/// So often at a look it is written; how much at a time, the domain says.
const MOST_ROUNDS: usize = 4;
/// Who looks after so long leaves the rest to the next look.
const MOST_TIME: SignedDuration = SignedDuration::from_secs(20);

/// Tells the desks what a service has to say of its changes and has not said. First the desk keeps it, then it is noted here; a
/// crash between says the same again.
pub(crate) async fn post(house: &House, id: &ServiceId) -> Result<(), StoreError> {
    let settings = house.settings();
    let Some(service) = settings.service(id) else { return Ok(()) };
    if !service.merged().any(|repository| settings.comments_at(repository)) {
        return Ok(());
    }
    for _ in 0..MOST_PORTIONS {
        let (situation, now) = (house.store.situation(id).await?, house.now());
        let applied = situation.posted.value.applied(service);
        let all = windows(&situation, &applied, &settings.roster, now);
        let news = untold(&situation, &applied, settings, &all, now);
        if news.is_empty() {
            return Ok(());
        }
        let as_of = AsOf(situation.clock.rev, now);
        let mut portions: BTreeMap<&Repository, Vec<News>> = BTreeMap::new();
        for one in news.iter().take(MOST_NEWS) {
            portions.entry(&one.change.repository).or_default().push(one.clone());
        }
        for (repository, portion) in portions {
            let desk = ServiceId::merges_into(repository);
            let tell = |at: &Situation| (comments::told(&portion, id, as_of, at, now), ());
            let (told, ()) = house.store.decide(&desk, now, tell).await?;
            house.store.decide(id, now, |at: &Situation| (comments::noted(&portion, at), ())).await?;
            if !told.is_quiet() {
                (house.nudge)(&desk);
            }
        }
    }
    (house.nudge)(id);
    Ok(())
}

/// Writes what is due at the merged pull requests of one repository.
pub(crate) async fn keep(house: &House, desk: &ServiceId, repository: &Repository) -> Result<(), StoreError> {
    let Some(forge) = Forge::commented(house, repository) else { return Ok(()) };
    let until = house.now() + MOST_TIME;
    for _ in 0..MOST_ROUNDS {
        let (settings, now) = (house.settings(), house.now());
        let (_, asks) = house.store.decide(desk, now, |situation| comments::begin(situation, settings, now)).await?;
        if asks.is_empty() {
            return Ok(());
        }
        let answers = answers(house, &forge, repository, asks, until).await;
        let now = house.now();
        house.store.decide(desk, now, |situation| (comments::hear(&answers, situation, now), ())).await?;
        if now > until {
            break;
        }
    }
    (house.nudge)(desk);
    Ok(())
}

/// One after the other: GitHub asks for that. Who takes nothing is not asked for the rest.
async fn answers(
    house: &House,
    forge: &Forge<'_>,
    repository: &Repository,
    asks: Vec<Ask>,
    until: Timestamp,
) -> Vec<(Ask, Answer)> {
    let (mut answers, mut silent) = (Vec::new(), false);
    for ask in asks {
        let answer = if silent || house.now() > until {
            Answer::NotAsked
        } else {
            let written = forge.write_comment(repository, ask.number, ask.what, &ask.text).await;
            written.unwrap_or_else(|error| {
                let cause = error_chain(&error);
                tracing::warn!(%repository, number = ask.number, cause, "a forge takes no comment");
                silent = true;
                Answer::Nothing(cause)
            })
        };
        answers.push((ask, answer));
    }
    answers
}
