//! Every sender of every function, as people set it up: for `connect`, for the README's table, for `check`.

use aws::{Guide, Proof, Sender};

/// One sender of one function.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The first part of its address: `merge`, `deploy` or `alert`.
    pub function: &'static str,
    pub name: &'static str,
    pub proofs: &'static [Proof],
    pub guide: Guide,
}

/// Every sender, in the order in which a change meets them.
#[must_use]
pub fn all() -> Vec<Known> {
    let mut all = of("merge", on_merge::senders::SENDERS);
    all.extend(of("deploy", on_deploy::senders::SENDERS));
    all.extend(of("alert", on_alert::senders::SENDERS));
    all
}

fn of<E>(function: &'static str, senders: &[Sender<E>]) -> Vec<Known> {
    senders.iter().map(|s| Known { function, name: s.name, proofs: s.proofs, guide: s.guide }).collect()
}

/// The names of all senders, each once.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for known in all() {
        if !names.contains(&known.name) {
            names.push(known.name);
        }
    }
    names
}

/// The README's table.
#[must_use]
pub fn table() -> String {
    let mut lines = vec![
        "| sender, address | where it is set up | proves itself by | read | ignored, with the reason |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    for Known { function, name, proofs, guide } in all() {
        let address = format!("/{function}/{name}");
        let proofs: Vec<String> = proofs.iter().map(|proof| proof.words()).collect();
        let first = guide.steps.first().copied().unwrap_or_default();
        let first = first
            .replace("{url}", &format!("`{address}`"))
            .replace("{url_with_secret}", &format!("`{address}`"))
            .replace("{secret}", "the secret");
        lines.push(format!(
            "| [{}]({}) `{address}` | {} | {} | {} | {} |",
            guide.title,
            guide.docs,
            first.trim_end_matches([':', ',', '.']),
            proofs.join("; or "),
            guide.reads,
            guide.ignores
        ));
    }
    lines.join("\n")
}
