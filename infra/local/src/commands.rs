//! What the program is asked on its command line.

mod wishes;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use jiff::SignedDuration;

use crate::audited::Written;
use crate::measures::Wanted;
use crate::wish::NewFreeze;

/// If you merge, you are on call for it.
#[derive(Parser)]
#[command(name = "recent-deployers", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to listen for webhooks and for the board.
    #[arg(long, default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
    /// The directory of the data file and the secrets.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// The configuration.
    #[arg(long, default_value = "infra/recent-deployers.toml")]
    pub config: PathBuf,
    /// Keep the data in memory: it ends with the process. The secrets stay in the data directory.
    #[arg(long)]
    pub in_memory: bool,
    /// Show the board to everybody, where nobody signs in: something in front of it has a login.
    #[arg(long)]
    pub open_board: bool,
    /// Add what is delivered and what people do to this file, to be played again by `replay`: it holds whole payloads.
    #[arg(long)]
    pub record: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Play a story through the real wire formats, in virtual time.
    Demo,
    /// Print what a payload is read into: explain on-merge github payload.json; or who is paged for an incident, and when:
    /// explain edxapp-k3v7q2ma
    Explain {
        /// A function that reads payloads, or an incident.
        what: String,
        #[arg(requires = "file")]
        sender: Option<String>,
        file: Option<PathBuf>,
    },
    /// Print all that is known of an incident, for a retrospective: as Markdown, or as JSON.
    Export {
        incident: String,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Print the sealed log of a service, in which people have pseudonyms, and say whether it is as it was sealed: exit code 1 if not.
    Audit {
        service: String,
        /// From when, such as "Mon 09:00" or 2026-03-20; without this, a week before its end. At most 31 days.
        #[arg(long)]
        from: Option<String>,
        /// Until when; without this, all that is sealed.
        #[arg(long)]
        until: Option<String>,
        /// Only say whether it is as it was sealed.
        #[arg(long)]
        verify: bool,
        /// Compare with a seal that was written down, or that the function's log has as audit.sealed: 17:<digest>.
        #[arg(long)]
        head: Option<Written>,
    },
    /// Export what is kept of a person, or remove it: person remove usama --as olga
    Person {
        #[command(subcommand)]
        what: OfPerson,
    },
    /// Say how a sender is set up: its address, its secret, and what to paste where.
    Connect { sender: String },
    /// Check a configuration and list all its problems.
    Check { config: Option<PathBuf> },
    /// Write a configuration into a folder as the functions on AWS have it, and say which secrets each of them asks for.
    Layer { config: PathBuf, folder: PathBuf },
    /// Say who is on call for what, and who has which pager.
    Who { service: Option<String> },
    /// Take a service's pager for a while, or put somebody on call: paged first for everything in it.
    Take {
        service: String,
        #[arg(long = "for", default_value = "2 h")]
        how_long: String,
        /// Who gets it; without this, you.
        #[arg(long)]
        person: Option<String>,
        /// From when, such as "Mon 09:00" or 2026-03-20T18:00Z; without this, from now.
        #[arg(long)]
        from: Option<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Give a service's pager back before its time.
    GiveBack {
        service: String,
        #[command(flatten)]
        me: Me,
    },
    /// Send one clearly marked test page the whole way that a real one goes: drill edxapp --person anna --as olga
    Drill {
        service: String,
        /// Who gets it; without this, you.
        #[arg(long)]
        person: Option<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Hand a window over to a colleague: hand-over edxapp edx-platform#12 --to usama --as feanil
    HandOver {
        service: String,
        change: String,
        #[arg(long)]
        to: String,
        #[command(flatten)]
        me: Me,
    },
    /// Answer whether you take the pager for a merge outside working hours.
    Answer {
        service: String,
        change: String,
        #[arg(value_parser = ["yes", "no"])]
        answer: String,
        #[command(flatten)]
        me: Me,
    },
    /// Say that a service's pipeline is paused: nobody's turn begins, and waiting does not count.
    Pause {
        service: String,
        #[arg(long = "because", default_value = "")]
        why: String,
        /// For how long; without this, until it is resumed.
        #[arg(long = "for")]
        how_long: Option<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Say that a service may break for a while, so that nobody is paged: maintain edxapp 30m upgrading the database --as olga
    Maintain {
        service: String,
        /// For how long, such as 30m or "2 h".
        #[arg(required_unless_present = "end")]
        how_long: Option<String>,
        why: Vec<String>,
        /// Of one environment only.
        #[arg(long)]
        environment: Option<String>,
        /// From when, such as "Mon 09:00" or 2026-03-20T18:00Z; without this, from now.
        #[arg(long)]
        from: Option<String>,
        /// It is over before its time.
        #[arg(long, conflicts_with_all = ["how_long", "why", "environment", "from"])]
        end: bool,
        #[command(flatten)]
        me: Me,
    },
    /// Say how far automation goes for a service: mode edxapp shadow too many wrong pages --as olga. Never further than the configuration
    /// says.
    Mode {
        service: String,
        #[arg(value_parser = ["manual", "shadow", "notify", "page", "propose", "act"])]
        to: String,
        why: Vec<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Declare a freeze: freeze "gratitude week" --until "2027-01-04 09:00" --as olga; what it asks for is a holiday's
    Freeze {
        #[command(flatten)]
        freeze: Box<NewFreeze>,
        #[command(flatten)]
        me: Me,
    },
    /// Ask to let an urgent fix pass a freeze: expedite openedx/edx-platform#12 checkout fails --as feanil. Or --sign for it, --refuse
    /// it and say why, --withdraw it.
    Expedite {
        /// `owner/name#number`
        pull: String,
        why: Vec<String>,
        /// It may pass: as approver, or for the rotation.
        #[arg(long, conflicts_with_all = ["refuse", "withdraw"])]
        sign: bool,
        /// It may not.
        #[arg(long, conflicts_with = "withdraw")]
        refuse: bool,
        /// Take back what you asked for.
        #[arg(long)]
        withdraw: bool,
        #[command(flatten)]
        me: Me,
    },
    /// Open a service's pipelines that hold for a freeze, for a fix that may pass: until a deployment begins, at most 30 minutes.
    LetThrough {
        service: String,
        #[command(flatten)]
        me: Me,
    },
    /// End a freeze before its time, or call it off, by its short name.
    Thaw {
        freeze: String,
        #[command(flatten)]
        me: Me,
    },
    /// Say whether a service may be deployed: exit code 0 if it may, 1 if a freeze requires to wait, 2 if it cannot be told.
    MayDeploy {
        service: String,
        #[arg(long)]
        environment: Option<String>,
        /// What is to be deployed: it may pass if all that it carries may.
        #[arg(long)]
        commit: Option<String>,
        /// The pull request, if it is deployed alone: it may pass if somebody let it.
        #[arg(long)]
        number: Option<String>,
        /// No, too, where it is only advised to wait.
        #[arg(long)]
        advised: bool,
    },
    /// Say whether may be merged into a repository, in the same way.
    MayMerge {
        repository: String,
        /// The pull request: it may pass if somebody let it.
        #[arg(long)]
        number: Option<String>,
        #[arg(long)]
        advised: bool,
    },
    /// Say what was measured, by month, or before and after a day: measures --service edxapp --cut 2026-10-01
    Measures(Wanted),
    /// Measure on a repository's own history how often the ranking of suspects is right: each revert is a failure of which the culprit is known.
    Backtest {
        /// A clone, or a history: `<folder>/<owner>__<name>` of two files of JSON lines.
        #[arg(required_unless_present_any = ["history", "git"])]
        path: Option<PathBuf>,
        #[arg(long, conflicts_with_all = ["path", "git"])]
        history: Option<PathBuf>,
        #[arg(long, conflicts_with = "path")]
        git: Option<PathBuf>,
        /// How far back a change is a suspect, such as `25h` (what ships) or `72h`.
        #[arg(long, default_value = "25h")]
        window: SignedDuration,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Play a past once more, in virtual time: who would have been on call, paged, woken; and whether the suspects were right.
    Replay {
        #[command(flatten)]
        asked: Box<crate::replay::Asked>,
    },
    /// Forget what was learnt of a service's past: its suspects are ranked as anybody's again.
    Unlearn {
        service: String,
        #[command(flatten)]
        me: Me,
    },
    /// Say that a paused pipeline goes on.
    Resume {
        service: String,
        #[command(flatten)]
        me: Me,
    },
}

/// What is to be done about what is kept of a person.
#[derive(Subcommand)]
pub enum OfPerson {
    /// Print everything that the table holds about them, as JSON.
    Export {
        person: String,
        /// Accounts of theirs that the roster does not name, such as github:usama.
        #[arg(long)]
        login: Vec<String>,
        #[command(flatten)]
        me: Me,
    },
    /// Put a placeholder wherever they are named, and forget who they are in the audit log. What open work needs is left, and said.
    Remove {
        person: String,
        /// Accounts of theirs that the roster does not name, such as github:usama.
        #[arg(long)]
        login: Vec<String>,
        /// Although they are still in the roster.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        me: Me,
    },
}

/// Who acts.
#[derive(clap::Args)]
pub struct Me {
    /// Who you are, by your id in the roster.
    #[arg(long = "as")]
    pub id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wish::Wish;

    fn said(line: &str) -> Result<Option<Wish>, String> {
        let arguments = Arguments::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        Ok(arguments.command.and_then(|command| command.wish().map(|(_, _, wish)| wish)))
    }

    #[test]
    fn no_two_arguments_of_a_command_are_called_the_same() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
        let declared = said("x freeze sale --until 2026-12-01 --preset peak-event --called cyber --as olga").unwrap();
        let Some(Wish::Freeze(freeze)) = declared else { panic!("no freeze") };
        assert_eq!((freeze.name.as_str(), freeze.called.as_str(), freeze.merges.as_str()), ("sale", "cyber", ""));
        assert!(matches!(said("x thaw cyber --as olga"), Ok(Some(Wish::Thaw { .. }))));
        assert!(said("x freeze sale --as olga").is_err() && said("x freeze sale --until 2026-12-01").is_err());
        assert!(matches!(said("x may-deploy edxapp --advised"), Ok(None)));
    }

    #[test]
    fn maintenance_is_begun_with_a_reason_in_so_many_words_and_ended() {
        let Some(Wish::Maintain { how_long, why, environment, from }) =
            said("x maintain edxapp 30m upgrading the database --as olga --environment stage").unwrap()
        else {
            panic!("not maintenance")
        };
        assert_eq!((how_long.as_str(), why.as_str()), ("30m", "upgrading the database"));
        assert_eq!((environment.as_deref(), from), (Some("stage"), None));
        assert!(matches!(said("x maintain edxapp --end --as olga"), Ok(Some(Wish::Maintained))));
        for line in ["x maintain edxapp --as olga", "x maintain edxapp 30m", "x maintain edxapp 30m --end --as olga"] {
            assert!(said(line).is_err(), "{line}");
        }
    }
}
