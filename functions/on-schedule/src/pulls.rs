//! Tells a forge what stands at the open pull requests of a repository, and asks it which there are. What is to be told is the
//! domain's business ([`domain::merge_desk`]); how, that of [`crate::forges`].

use aws::wire::error_chain;
use aws::{House, StoreError};
use domain::merge_desk::{self, Ask, Said};
use domain::on_schedule::freezes;
use domain::{Repository, ServiceId, Situation};
use jiff::Timestamp;

use crate::forges::{Forge, Unanswered};

/// So many rounds at a look; what is left is due again at once.
const MOST_ROUNDS: usize = 15;

/// Asks and tells the forge of one repository what is due.
pub(crate) async fn keep(house: &House, desk: &ServiceId, repository: &Repository) -> Result<(), StoreError> {
    let Some((forge, manner)) = Forge::told_of_freezes(house, repository) else { return Ok(()) };
    let board = &house.settings().public_url;
    for _ in 0..MOST_ROUNDS {
        let situation = house.store.situation(desk).await?;
        let asks = merge_desk::plan(&situation, manner, board, house.now());
        if asks.is_empty() {
            return Ok(());
        }
        for ask in asks {
            if let Ask::Comment { number, text, .. } = &ask {
                // Two of it would stand there: it is noted first. Should it then be lost, the status says the same.
                hear(house, desk, &ask, &Said::Done, house.now()).await?;
                if let Err(error) = forge.comment(repository, *number, text).await {
                    tracing::warn!(%repository, number, cause = error_chain(&error), "no comment was left");
                }
                continue;
            }
            let asked_at = house.now();
            let said = said(house, &forge, repository, &ask).await?;
            hear(house, desk, &ask, &said, asked_at).await?;
            if matches!(said, Said::Nothing(_)) {
                return Ok(());
            }
        }
    }
    (house.nudge)(desk);
    Ok(())
}

async fn hear(house: &House, desk: &ServiceId, ask: &Ask, said: &Said, now: Timestamp) -> Result<(), StoreError> {
    let decide = |situation: &Situation| (merge_desk::hear(ask, said, situation, now), ());
    house.store.decide(desk, now, decide).await.map(|_| ())
}

async fn said(house: &House, forge: &Forge<'_>, repository: &Repository, ask: &Ask) -> Result<Said, StoreError> {
    let done = match ask {
        Ask::List { .. } => match forge.open_pulls(repository).await {
            Ok(listed) => {
                found(house, repository, &listed).await?;
                return Ok(Said::Listed(listed));
            }
            Err(error) => Err(error),
        },
        Ask::Tell { number, head, status } => forge.tell_status(repository, *number, head, status).await,
        Ask::Comment { number, text, .. } => forge.comment(repository, *number, text).await,
    };
    Ok(match done {
        Ok(()) => Said::Done,
        // Of this one only: a fork's commit that it does not know, one that has too many statuses.
        Err(Unanswered::Status(status @ (400 | 404 | 409 | 410 | 422))) if matches!(ask, Ask::Tell { .. }) => {
            Said::Refused(format!("the forge answered {status}"))
        }
        Err(error) => {
            tracing::warn!(%repository, cause = error_chain(&error), "a forge does not take what stands at pull requests");
            Said::Nothing(error_chain(&error))
        }
    })
}

/// Who has something open hears of the freeze, from the desk of freezes.
async fn found(house: &House, repository: &Repository, listed: &[domain::OpenPull]) -> Result<(), StoreError> {
    let (settings, now) = (house.settings(), house.now());
    let people = merge_desk::authors(listed, &settings.roster);
    if people.is_empty() {
        return Ok(());
    }
    let desk = &settings.freeze_desk().id;
    let decide = |situation: &Situation| (freezes::mergers(&people, repository, situation, settings, now), ());
    house.store.decide(desk, now, decide).await?;
    (house.nudge)(desk);
    Ok(())
}
