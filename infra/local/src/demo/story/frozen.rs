//! Freezes: gratitude days in which people merge all the same, a fix that passes them, the thaw in batches; and a peak event with two
//! signatures.

use super::{DemoError, Deployment, Merge, PLATFORM, Play, day};
use crate::wish::{NewFreeze, Wish};

const FIRST: u64 = 34_570;
const FIX: u64 = 34_590;

/// The merge commit of a pull request of this chapter.
fn commit(number: u64) -> String {
    format!("{:08x}{number:032x}", (number * 0x9e37_79b9) & 0xffff_ffff)
}

async fn merge(play: &mut Play, what: &str, who: &str, number: u64, at: jiff::Timestamp) -> Result<(), DemoError> {
    let (title, commit) = (format!("change number {number}"), commit(number));
    let merge = Merge { repository: PLATFORM, number, title: &title, author: who, merger: who, commit: &commit, at };
    play.merges(what, &merge).await
}

async fn deploy(play: &mut Play, what: &str, number: u64, at: jiff::Timestamp) -> Result<(), DemoError> {
    let commit = commit(number);
    let (repository, environment, state) = (PLATFORM, "prod", "success");
    let live = Deployment { repository, id: number, environment, commit: &commit, state, created_at: at, at };
    play.deploys(what, &live).await
}

fn freeze(name: &str, until: &str, preset: &str) -> Wish {
    Wish::Freeze(Box::new(NewFreeze {
        name: name.to_owned(),
        until: until.to_owned(),
        zone: "America/New_York".to_owned(),
        preset: preset.to_owned(),
        ..NewFreeze::default()
    }))
}

fn expedite(number: u64, why: &str) -> Wish {
    Wish::Expedite { pull: format!("{PLATFORM}#{number}"), why: why.to_owned(), does: "expedite" }
}

/// Gratitude week: the pile is seen beforehand, and let go in batches.
pub(super) async fn gratitude(play: &mut Play) -> Result<(), DemoError> {
    play.until(day(5, 13, 0)).await?;
    play.chapter("Wednesday: gratitude days, and who merges all the same")?;
    play.command("Olga declares them", "freezes", "olga", &freeze("Gratitude days", "2026-03-27 09:00", "holiday"))
        .await?;
    merge(play, &format!("Feanil merges #{FIRST} all the same"), "feanil", FIRST, day(5, 14, 0)).await?;
    play.hushed(true)?;
    for n in 1..12 {
        let who = if n % 3 == 0 { "feanil" } else { "annalindqvist" };
        merge(play, "", who, FIRST + n, day(5, 14, i64::try_from(n).unwrap_or(0) * 2)).await?;
    }
    play.hushed(false)?;
    play.heard(
        "eleven more are merged; at eight the owner was warned, once:",
        "Olga Nowak",
        "changes wait to go live",
    )?;
    play.may("may what waits be deployed?", &[("service", "edxapp"), ("commit", &commit(FIRST + 11))]).await
}

/// "Sorry, you can't release your bugfix, there is so much unreleased": the fix passes, and the pile does not go with it.
pub(super) async fn urgent(play: &mut Play) -> Result<(), DemoError> {
    play.hushed(true)?;
    play.until(day(5, 15, 0)).await?;
    play.hushed(false)?;
    play.chapter("Wednesday: an urgent fix passes, and is not stuck behind the pile")?;
    let asks = expedite(FIX, "checkout answers 500");
    play.command("Feanil asks, and says why; by that he has the pager for it", "freezes", "feanil", &asks).await?;
    play.press("Olga signs", "Olga Nowak", "Sign, or refuse", "do=sign").await?;
    merge(play, "it is merged", "feanil", FIX, day(5, 15, 10)).await?;
    play.may("with what was merged before it?", &[("service", "edxapp"), ("commit", &commit(FIX))]).await?;
    play.may("alone, cherry-picked onto the live commit?", &[("service", "edxapp"), ("number", &FIX.to_string())]).await
}

/// The thaw: foretold the day before, gone in releases of eight.
pub(super) async fn thaw(play: &mut Play) -> Result<(), DemoError> {
    play.hushed(true)?;
    play.until(day(6, 13, 1)).await?;
    play.hushed(false)?;
    play.chapter("Thursday and Friday: the thaw is foretold, and goes out in batches")?;
    play.heard("a day before its end Olga hears what goes out when:", "Olga Nowak", "goes on at")?;
    play.hushed(true)?;
    play.until(day(7, 13, 0)).await?;
    play.hushed(false)?;
    play.may("all of it at once?", &[("service", "edxapp"), ("commit", &commit(FIRST + 11))]).await?;
    play.hushed(true)?;
    deploy(play, "", FIRST + 7, day(7, 13, 30)).await?;
    play.hushed(false)?;
    play.board("edxapp").await?;
    play.hushed(true)?;
    deploy(play, "", FIRST + 11, day(7, 14, 45)).await?;
    deploy(play, "", FIX, day(7, 16, 0)).await
}

/// Cyber Monday, some Monday: an approver and somebody of the rotation sign for each exception.
pub(super) async fn peak(play: &mut Play) -> Result<(), DemoError> {
    play.hushed(true)?;
    play.until(day(10, 14, 0)).await?;
    play.hushed(false)?;
    play.chapter("Monday: a peak event, and two who sign")?;
    play.command("Olga declares it", "freezes", "olga", &freeze("Cyber Monday", "2026-03-31 09:00", "peak-event"))
        .await?;
    play.command("Feanil asks for another fix", "freezes", "feanil", &expedite(FIX + 20, "the cart is empty")).await?;
    play.press("Olga signs as approver", "Olga Nowak", "Sign, or refuse", "do=sign").await?;
    play.press("Anna signs for the rotation", "Anna Lindqvist", "Sign, or refuse", "do=sign").await?;
    play.log("freezes", 6).await
}
