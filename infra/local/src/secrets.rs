//! Secrets for one machine: what is missing at the first start is made up and kept in the data directory.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws::receiver::ReceiverKind;
use aws::secrets::{path, variable};
use aws::settings::Configuration;

/// Why a secret could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error("{path} cannot be written")]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the system gives no randomness: {0}")]
    Randomness(String),
}

/// The secrets that we may make up: they are ours to choose. A forge's or a pager's token is not.
#[must_use]
pub fn ours(configuration: &Configuration) -> Vec<String> {
    let senders = configuration.senders.values().map(|s| s.secret.clone());
    let receivers = configuration.receivers.values().filter(|r| r.kind == ReceiverKind::Webhook);
    let receivers = receivers.filter_map(|r| r.secret.clone());
    let own = configuration.read_tokens.iter().chain([&configuration.link_secret]).cloned();
    let mut names: Vec<String> = senders.chain(receivers).chain(own).collect();
    names.sort();
    names.dedup();
    names
}

/// Makes up those of `names` that are set nowhere. A file that is there is left alone, even an empty one:
/// that is a mistake to be told, not to be covered up.
pub fn make_missing(directory: &Path, names: &[String]) -> Result<(), MakeError> {
    let write = |path: &Path, source| MakeError::Write { path: path.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|e| write(directory, e))?;
    for name in names {
        let file = path(directory, name);
        if std::env::var_os(variable(name)).is_some() || file.exists() {
            continue;
        }
        let text = random()?;
        let mut open =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).map_err(|e| write(&file, e))?;
        open.write_all(text.as_bytes()).map_err(|e| write(&file, e))?;
    }
    Ok(())
}

/// 256 bits that nobody can guess, as hexadecimal digits.
pub fn random() -> Result<String, MakeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| MakeError::Randomness(e.to_string()))?;
    Ok(aws::verify::to_hex(&bytes))
}
