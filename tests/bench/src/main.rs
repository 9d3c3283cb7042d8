//! What is measured side by side in one run; `tests/bench/run` builds and gets what this needs, and calls it.
//!
//! A timing is no test: these print tables, and end only where something does not do its job at all.

mod alertmanager;
mod cloud;
mod contestant;
mod figures;
mod growth;
mod page;
mod pager;
mod units;
mod webhooks;

use std::path::Path;

const USAGE: &str =
    "bench webhooks ROUNDS EMULATOR FOLDER | page PROGRAM ALERTMANAGER FOLDER ALERTS | growth OLD | units";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["webhooks", rounds, emulator, folder] => {
            webhooks::measure(rounds.parse().unwrap(), Path::new(emulator), Path::new(folder)).await;
        }
        ["page", program, alertmanager, folder, alerts] => {
            let contest = page::Contest {
                program: program.into(),
                alertmanager: alertmanager.into(),
                folder: folder.into(),
                alerts: alerts.parse().unwrap(),
            };
            contest.measure().await;
        }
        ["growth", old] => growth::measure(old.parse().unwrap()).await,
        ["units"] => units::measure().await,
        _ => panic!("{USAGE}"),
    }
}
