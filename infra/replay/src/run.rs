//! Plays one past by one policy, or by two side by side.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use aws::settings::{Configuration, Problem, policy_over};
use domain::Settings;
use jiff::SignedDuration;

use crate::input::{BadInput, Input};
use crate::outcome::Outcome;
use crate::tally::Tally;
use crate::witness::Log;
use crate::world::World;

/// After the last event: until every turn is over, every suspect forgotten, every incident closed.
const REST: SignedDuration = SignedDuration::from_hours(80);

/// Why a past could not be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Input(#[from] BadInput),
    #[error("the log cannot be written to {path}")]
    Log {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the other policy has problems: {}", .0.iter().map(|p| p.what.clone()).collect::<Vec<_>>().join("; "))]
    Policy(Vec<Problem>),
    #[error("whoever played it has died")]
    Died,
}

/// What came of one run.
#[derive(Debug, Clone)]
pub struct Played {
    pub outcome: Outcome,
    /// How many events were heard, and how many lines could not be read.
    pub events: u64,
    pub unread: u64,
    /// How many lines the decision log has, and their SHA-256.
    pub lines: u64,
    pub digest: String,
}

/// Plays everything by these settings. `log`: where the decision log goes.
pub fn play(
    input: &Input,
    configuration: &Configuration,
    settings: Settings,
    log: Option<&Path>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Played, ReplayError> {
    let unwritten = |source| ReplayError::Log { path: log.unwrap_or(Path::new("")).to_owned(), source };
    let out = log.map(File::create).transpose().map_err(unwritten)?;
    let out = out.map(|file| Box::new(BufWriter::new(file)) as Box<dyn Write>);
    let mut world = World::new(configuration, settings, (Tally::default(), Log::new(out)));
    let mut events = 0;
    let unread = input.each(&configuration.senders, progress, |told| {
        events += 1;
        world.hear(told);
    })?;
    let (tally, log) = world.end(REST);
    let (lines, digest) = log.finish().map_err(unwritten)?;
    Ok(Played { outcome: tally.finish(), events, unread, lines, digest })
}

/// Settings with other numbers in every service: `active=30m,rotation_after=10m`.
pub fn with_policy(settings: &Settings, numbers: &str) -> Result<Settings, ReplayError> {
    let lines = policy_lines(numbers);
    let mut problems = Vec::new();
    let settings = settings.clone().alone(|service| match policy_over(&service.policy, &lines) {
        Ok(policy) => service.policy = policy,
        Err(found) => problems = found,
    });
    if problems.is_empty() { Ok(settings) } else { Err(ReplayError::Policy(problems)) }
}

/// Each number as a line of TOML: bare where it is a number or quoted already, else a text.
fn policy_lines(numbers: &str) -> String {
    let line = |one: &str| {
        let (name, value) = one.split_once('=').unwrap_or((one, ""));
        let value = value.trim();
        let bare = value.starts_with('"') || value.parse::<u64>().is_ok();
        let value = if bare { value.to_owned() } else { format!("{:?}", value) };
        format!("{} = {value}\n", name.trim())
    };
    numbers.split(',').filter(|one| !one.trim().is_empty()).map(line).collect()
}

/// Plays the same past by two policies, each in a thread of its own.
pub fn play_both(
    input: &Input,
    (configuration, settings): (&Configuration, Settings),
    (other, other_settings): (&Configuration, Settings),
    log: Option<&Path>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<(Played, Played), ReplayError> {
    let silent = |_: u64, _: u64| {};
    std::thread::scope(|scope| {
        let beside = scope.spawn(move || play(input, other, other_settings, None, &silent));
        let first = play(input, configuration, settings, log, progress)?;
        let second = beside.join().map_err(|_| ReplayError::Died)??;
        Ok((first, second))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_policy_are_read_as_the_configuration_writes_them() {
        let text = "[senders.github]\n[unmapped]\nrotation = [\"a\"]\n[people.a]\nzone = \"UTC\"\ncontacts = [\"terminal\"]\n[services.s]\nowners = [\"a\"]\n\
             rotation = [\"a\"]\nrepositories = [{ name = \"a/s\" }]\n[services.s.environments.production]\nlive = true\n";
        let configuration = Configuration::parse(text, &aws::settings::no_files).unwrap();
        let other = with_policy(&configuration.settings, "active=30m, rotation_after = 10 min,queue_warned_at=3");
        let policy = other.unwrap().services().next().unwrap().policy;
        assert_eq!((policy.active.as_mins(), policy.rotation_after.as_mins()), (30, 10));
        assert_eq!(policy.queue_warned_at[0], 3);
        for (bad, why) in [("activ=30m", "did you mean `active`"), ("active=much", "active"), ("active=9h", "at_most")]
        {
            let said = with_policy(&configuration.settings, bad).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
