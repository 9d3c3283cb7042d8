//! `connect <sender>`: the address, the secret and the steps by which one sender is set up.

use std::fmt::Write;

use aws::settings::Configuration;

use crate::catalogue::{self, Known};

/// Why there is nothing to connect.
#[derive(Debug, thiserror::Error)]
#[error("no sender is called {name}; there are {known}")]
pub struct NoSuchSender {
    name: String,
    known: String,
}

/// How to set up a source of the configuration, or a sender that is not configured yet. `secret` is its value, where
/// it is known.
pub fn connect(
    configuration: &Configuration,
    name: &str,
    base: &str,
    secret: Option<&str>,
) -> Result<String, NoSuchSender> {
    let kind = configuration.senders.get(name).map_or(name, |config| config.kind.as_str());
    let known: Vec<Known> = catalogue::all().into_iter().filter(|known| known.name == kind).collect();
    if known.is_empty() {
        let known = catalogue::names().join(", ");
        return Err(NoSuchSender { name: domain::text::line(name, 40), known });
    }
    let mut text = String::new();
    if !configuration.senders.contains_key(name) {
        let _ =
            writeln!(text, "Not configured yet. Add to the configuration, and start again:\n\n  [senders.{name}]\n");
    }
    for (i, sender) in known.iter().enumerate() {
        let url = format!("{base}/{}/{name}", sender.function);
        let proofs: Vec<String> = sender.proofs.iter().map(|proof| proof.words()).collect();
        let separator = if i == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{separator}{} ({}): {url}", sender.guide.title, what(sender.function));
        let _ = writeln!(text, "  proves itself by: {}", proofs.join("; or "));
        let _ = writeln!(text, "  read:             {}", sender.guide.reads);
        let _ = writeln!(text, "  ignored:          {}", sender.guide.ignores);
        let _ = writeln!(text, "  its manual:       {}", sender.guide.docs);
        for step in sender.guide.steps {
            let secret = secret.unwrap_or("<the secret>");
            let with_secret = url.replacen("://", &format!("://any:{secret}@"), 1);
            let step =
                step.replace("{url}", &url).replace("{url_with_secret}", &with_secret).replace("{secret}", secret);
            let _ = writeln!(text, "  - {step}");
        }
    }
    Ok(text.trim_end().to_owned())
}

fn what(function: &str) -> &'static str {
    match function {
        "merge" => "merges",
        "deploy" => "deployments",
        _ => "alerts",
    }
}
