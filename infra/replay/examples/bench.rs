//! How long a hundred thousand events take, and how much memory: `tests/bench/replay [events] [services]`. It makes an archive (every seed is
//! stated, so it is the same each time), plays it as `replay` does, and prints what it measured.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use aws::settings::Configuration;
use jiff::{SignedDuration, Timestamp};
use replay::input::Input;
use replay::run;
use serde_json::json;

const SEED: u64 = 0x2545_f491_4f6c_dd1d;
const PEOPLE: u64 = 60;
const ZONES: [&str; 4] = ["Europe/Stockholm", "America/New_York", "Asia/Karachi", "Europe/London"];
/// A year of ten services is a hundred thousand events.
const MINUTES_OF_ALL: u64 = 365 * 24 * 60;

/// Marsaglia's xorshift: the same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn configuration(services: u64) -> String {
    let mut text = String::from(
        "[senders.github]\n[senders.alertmanager]\n[unmapped]\nrotation = [\"p0\"]\n[calendars.off]\nzone = \"UTC\"\nkind = \"holiday\"\nname = \"holiday\"\ndays = [\"2025-12-25..2025-12-26\"]\n",
    );
    for n in 0..PEOPLE {
        let zone = ZONES[usize::try_from(n % 4).unwrap_or(0)];
        let _ = write!(
            text,
            "[people.p{n}]\nzone = \"{zone}\"\ngithub = [\"p{n}\"]\ncontacts = [\"terminal\"]\nhours = \"Mon-Fri 09:00-17:00\"\ncalendars = [\"off\"]\n"
        );
    }
    for n in 0..services {
        let _ = write!(
            text,
            "[services.s{n}]\nowners = [\"p{}\"]\nrotation = [\"p{}\"]\nalerts = [\"service=s{n}\"]\nrepositories = [{{ name = \"acme/s{n}\" }}]\n\
             [services.s{n}.environments.production]\nlive = true\n",
            n % PEOPLE,
            (n + 7) % PEOPLE
        );
    }
    text
}

/// Of ten events three are merges, six say that a deployment of one of them started or succeeded, one is an alert that fires or is over.
fn archive(out: &mut impl Write, events: u64, services: u64) -> io::Result<()> {
    let mut dice = Dice(SEED);
    let start: Timestamp = "2025-01-01T00:00:00Z".parse().map_err(io::Error::other)?;
    let cycles = events / 10;
    let mut lines: Vec<(Timestamp, u64, String)> = Vec::new();
    let at = |minutes: u64| start + SignedDuration::from_mins(i64::try_from(minutes).unwrap_or(0));
    for cycle in 0..cycles {
        let begin = cycle * MINUTES_OF_ALL / cycles;
        let service = dice.below(services);
        for n in 0..3 {
            let (number, who) = (cycle * 3 + n + 1, dice.below(PEOPLE));
            let (merged, commit) = (
                begin + dice.below(30),
                format!("{:08x}{number:032x}", number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff),
            );
            let live = merged + 5 + dice.below(20);
            let repository = format!("acme/s{service}");
            let account = json!({ "login": format!("p{who}"), "type": "User" });
            let pull = json!({ "action": "closed", "number": number, "sender": account,
                "repository": { "full_name": repository, "default_branch": "main" },
                "pull_request": { "number": number, "title": format!("change {number} of module {}", dice.below(40)), "state": "closed",
                    "html_url": format!("https://github.com/{repository}/pull/{number}"), "user": account, "merged": true,
                    "merged_at": at(merged), "merge_commit_sha": commit, "merged_by": account, "base": { "ref": "main" }, "labels": [],
                    "additions": dice.below(400), "deletions": dice.below(100), "changed_files": dice.below(20) + 1,
                    "body": "What it does, and why. ".repeat(20) } });
            lines.push((
                at(merged),
                number * 4,
                json!({ "at": at(merged), "to": "/merge/github", "body": pull }).to_string(),
            ));
            for (state, when, order) in [("in_progress", live, 1), ("success", live + 6, 2)] {
                let status = json!({ "action": "created", "repository": { "full_name": repository, "default_branch": "main" },
                    "deployment_status": { "id": number * 10 + order, "state": state, "environment": "production", "created_at": at(when), "updated_at": at(when) },
                    "deployment": { "id": number, "sha": commit, "ref": "main", "task": "deploy", "environment": "production", "created_at": at(live), "updated_at": at(when) } });
                lines.push((
                    at(when),
                    number * 4 + order,
                    json!({ "at": at(when), "to": "/deploy/github", "body": status }).to_string(),
                ));
            }
        }
        // Every second cycle has an alert, which fires and is over.
        if cycle % 2 == 0 {
            let name = format!("A{}", dice.below(40));
            let fires = begin + 40 + dice.below(30);
            for (status, when) in [("firing", fires), ("resolved", fires + 4 + dice.below(40))] {
                let over = if status == "resolved" { at(when) } else { Timestamp::UNIX_EPOCH };
                let body = json!({ "version": "4", "status": status, "receiver": "deployers", "groupLabels": {}, "commonLabels": {}, "alerts": [{ "status": status,
                    "labels": { "alertname": name, "service": format!("s{service}"), "severity": "critical" }, "annotations": { "summary": "requests fail" },
                    "startsAt": at(fires), "endsAt": over, "fingerprint": format!("s{service}{name}") }] });
                lines.push((
                    at(when),
                    u64::MAX,
                    json!({ "at": at(when), "to": "/alert/alertmanager", "body": body }).to_string(),
                ));
            }
        }
        // What is far enough behind is written: the whole is never in memory.
        if cycle % 64 == 63 {
            lines.sort();
            let done = lines.partition_point(|(when, ..)| *when < at(begin));
            for (_, _, line) in lines.drain(..done) {
                writeln!(out, "{line}")?;
            }
        }
    }
    lines.sort();
    lines.iter().try_for_each(|(_, _, line)| writeln!(out, "{line}"))
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(str::trim);
    line.unwrap_or("unknown").to_owned()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |n: usize, default: u64| std::env::args().nth(n).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (events, services) = (number(1, 100_000), number(2, 10));
    let path = std::env::temp_dir().join(format!("replay-bench-{}.jsonl", std::process::id()));
    let mut out = BufWriter::new(File::create(&path)?);
    archive(&mut out, events, services)?;
    out.flush()?;
    let bytes = path.metadata()?.len();
    let configuration =
        Configuration::parse(&configuration(services), &aws::settings::no_files).map_err(|p| format!("{p:?}"))?;
    let input = Input::Archive { path: path.clone(), lenient: false };
    let before = peak();
    #[expect(clippy::disallowed_methods, reason = "it measures")]
    let began = Instant::now();
    let played = run::play(&input, &configuration, configuration.settings.clone(), None, &|_, _| ())?;
    let took = began.elapsed();
    std::fs::remove_file(&path)?;
    let per_second = f64::from(u32::try_from(played.events)?) / took.as_secs_f64();
    let all = played.outcome.all();
    let said = format!(
        "{} events of {services} services ({} MB) in {:.1} s: {per_second:.0} a second\npeak memory {} (before: {before})\n{} merges, {} deployments, {} incidents, {} pages; {} lines of log, sha256 {}\n",
        played.events,
        bytes / 1_000_000,
        took.as_secs_f64(),
        peak(),
        all.merges,
        all.deployments,
        all.incidents,
        all.pages,
        played.lines,
        &played.digest[..16]
    );
    io::stdout().write_all(said.as_bytes())?;
    Ok(())
}
