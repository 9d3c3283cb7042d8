//! Secrets by name. Where they live depends on where we run: a directory or environment variables on one
//! machine, the Parameter Store on AWS ([`crate::parameters`]). An empty secret is refused, because everybody knows it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::parameters::Parameters;

/// A secret that is not empty. Its `Debug` shows nothing.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// `None` for an empty or blank text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(SecretString::from(text.to_owned())))
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }

    /// For headers of outgoing requests only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Why a secret cannot be had. Names the secret, never its value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the secret {name} is not set: put it into {place}")]
    Missing { name: String, place: String },
    #[error("the secret {name} is empty, which anybody could guess: put a long random text into {place}")]
    Empty { name: String, place: String },
    #[error("the secret {name} cannot be read from {place}")]
    Unreadable {
        name: String,
        place: String,
        #[source]
        source: std::io::Error,
    },
}

/// The values of a secret: one a line, several while one is being rotated; a key in PEM is whole.
fn each(text: &str) -> Vec<Secret> {
    if text.trim_start().starts_with("-----BEGIN") {
        return Secret::new(text).into_iter().collect();
    }
    text.lines().filter_map(Secret::new).collect()
}

/// Where secrets are looked up: `RECENT_DEPLOYERS_SECRET_<NAME>` first, then a file of that name in a directory. On AWS
/// they are told to us, and looked up nowhere.
#[derive(Debug, Default)]
pub struct Secrets {
    directory: Option<PathBuf>,
    /// The path of the parameters that they are told from.
    told: Option<String>,
    known: Mutex<BTreeMap<String, Vec<Secret>>>,
}

impl Secrets {
    /// Looks in the environment, then in `directory`.
    #[must_use]
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, ..Self::default() }
    }

    /// These and no others; for tests and the demo.
    #[must_use]
    pub fn fixed(secrets: impl IntoIterator<Item = (String, Secret)>) -> Self {
        let known = secrets.into_iter().map(|(name, secret)| (name, vec![secret])).collect();
        Self { known: Mutex::new(known), ..Self::default() }
    }

    /// Those that [`Self::keep`] is told, from the parameters below `path`.
    #[must_use]
    pub fn told(path: &str) -> Self {
        Self { told: Some(path.to_owned()), ..Self::default() }
    }

    /// Keeps these instead of what was known of them.
    pub fn keep(&self, values: Vec<(String, String)>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, text) in values {
            known.insert(name, each(&text));
        }
    }

    /// Every value of a secret, one a line: several while one is being rotated.
    pub fn get(&self, name: &str) -> Result<Vec<Secret>, SecretError> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            let empty = || SecretError::Empty { name: name.to_owned(), place: self.place(name) };
            return if known.is_empty() { Err(empty()) } else { Ok(known.clone()) };
        }
        if self.told.is_some() {
            return Err(SecretError::Missing { name: name.to_owned(), place: self.place(name) });
        }
        let (text, place) = self.read(name)?;
        let values = each(&text);
        if values.is_empty() {
            return Err(SecretError::Empty { name: name.to_owned(), place });
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), values.clone());
        Ok(values)
    }

    /// The first value: what we sign with.
    pub fn first(&self, name: &str) -> Result<Secret, SecretError> {
        self.get(name)?
            .into_iter()
            .next()
            .ok_or_else(|| SecretError::Empty { name: name.to_owned(), place: self.place(name) })
    }

    fn place(&self, name: &str) -> String {
        match &self.told {
            Some(path) => format!("the parameter {}", Parameters::parameter(path, name)),
            None => variable(name),
        }
    }

    fn read(&self, name: &str) -> Result<(String, String), SecretError> {
        let variable = variable(name);
        if let Ok(text) = std::env::var(&variable) {
            return Ok((text, format!("the environment variable {variable}")));
        }
        let Some(path) = self.directory.as_deref().map(|d| path(d, name)) else {
            let place = format!("the environment variable {variable}");
            return Err(SecretError::Missing { name: name.to_owned(), place });
        };
        let place = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((text, place)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(SecretError::Missing {
                name: name.to_owned(),
                place: format!("{place}, or the environment variable {variable}"),
            }),
            Err(source) => Err(SecretError::Unreadable { name: name.to_owned(), place, source }),
        }
    }
}

/// The file of a secret.
#[must_use]
pub fn path(directory: &Path, name: &str) -> PathBuf {
    directory.join(name)
}

/// The environment variable of a secret: `github-webhook` is `RECENT_DEPLOYERS_SECRET_GITHUB_WEBHOOK`.
#[must_use]
pub fn variable(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("RECENT_DEPLOYERS_SECRET_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_is_refused_and_a_known_one_is_never_shown() {
        assert!(Secret::new(" \n").is_none());
        let dir = std::env::temp_dir().join(format!("rd-secrets-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("blank"), "\n \n").unwrap();
        std::fs::write(dir.join("two"), "new\nold\n").unwrap();
        let secrets = Secrets::new(Some(dir.clone()));
        assert!(matches!(secrets.get("blank"), Err(SecretError::Empty { .. })));
        assert!(matches!(secrets.get("absent"), Err(SecretError::Missing { .. })));
        assert_eq!(secrets.get("two").unwrap().len(), 2);
        assert!(!format!("{secrets:?}").contains("new"));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
