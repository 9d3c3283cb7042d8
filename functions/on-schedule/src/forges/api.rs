//! What all forges have in common: one request with a token, bounded pages, names made fit for an address, and why
//! there is no answer. Whatever an answer says is hostile: it is counted, bounded, and never becomes an address.

use std::borrow::Cow;

use aws::clients::{Answer, Http};
use aws::wire::parse;
use domain::Repository;
use domain::change::{Files, Lines};
use serde::de::DeserializeOwned;
use serde_json::Value;

const DEADLINE_SECONDS: u64 = 10;
/// A release of more commits is placed by merge order.
pub const MOST_COMMITS: usize = 2000;
/// So many pages of one answer are asked for.
pub const MOST_PAGES: usize = 40;

/// Why a forge did not answer. Never holds the token.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    #[error("the token cannot be read")]
    Token(#[source] aws::secrets::SecretError),
    #[error("there is no address to ask: the source needs an `api_url`")]
    NoAddress,
    #[error("the key of the GitHub App")]
    Unsigned(#[source] aws::jws::sign::Unsigned),
    #[error("the GitHub App is not installed at this repository, or may not write checks")]
    NotInstalled,
    #[error("no answer")]
    Http(#[source] aws::clients::HttpError),
    #[error("the forge answered {0}")]
    Status(u16),
    /// Whether it is about what was asked for alone has to be looked at.
    #[error("the forge answered {0}")]
    Doubtful(u16),
    #[error("the forge's answer cannot be read")]
    Malformed(#[source] aws::Malformed),
    #[error("no forge with a token knows this repository")]
    NoForge,
    #[error("this forge is not asked for merges")]
    NotAskedForMerges,
    #[error("it is not merged yet")]
    NotMerged,
    #[error("the forge knows no merged change by this name")]
    UnknownChange,
    #[error("the forge says: {0}")]
    Said(String),
    #[error("there was no time left for the question")]
    TooLate,
    #[error("the release has more than {0} commits")]
    TooMany(usize),
    #[error("the answer has more than {0} pages")]
    Endless(usize),
}

impl Unanswered {
    pub fn malformed(why: &str) -> Self {
        Self::Malformed(aws::Malformed::new(why))
    }
}

/// The API of one forge, with what every request to it carries.
pub struct Api<'a> {
    http: &'a Http,
    base: Cow<'a, str>,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Api<'a> {
    pub fn new(http: &'a Http, base: &'a str, headers: Vec<(&'static str, String)>) -> Self {
        Self { http, base: base.into(), headers }
    }

    /// Where it is, as it was configured.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Another address of the same forge.
    pub fn elsewhere(&self, base: String) -> Self {
        Self { http: self.http, base: base.into(), headers: self.headers.clone() }
    }

    /// One answer, whatever its status.
    pub async fn ask(&self, path: &str) -> Result<Answer, Unanswered> {
        self.send("GET", path).await
    }

    /// The answer to a request that does something, whatever its status.
    pub async fn send(&self, method: &str, path: &str) -> Result<Answer, Unanswered> {
        self.request(method, path, None, Vec::new()).await
    }

    /// The same, with a body.
    pub async fn send_json(&self, method: &str, path: &str, body: &Value) -> Result<Answer, Unanswered> {
        let json = ("content-type", "application/json");
        self.request(method, path, Some(json), body.to_string().into_bytes()).await
    }

    async fn request(
        &self,
        method: &str,
        path: &str,
        kind: Option<(&str, &str)>,
        body: Vec<u8>,
    ) -> Result<Answer, Unanswered> {
        let own = [("user-agent", "recent-deployers")].into_iter().chain(kind);
        let headers: Vec<_> = own.chain(self.headers.iter().map(|(n, v)| (*n, v.as_str()))).collect();
        let url = format!("{}{path}", self.base);
        self.http.send(method, &url, &headers, body, DEADLINE_SECONDS).await.map_err(Unanswered::Http)
    }

    /// Posts what nothing is to be learnt from but that it was taken.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(), Unanswered> {
        let answer = self.send_json("POST", path, body).await?;
        if (200..300).contains(&answer.status) { Ok(()) } else { Err(Unanswered::Status(answer.status)) }
    }

    /// The body of an answer that is one.
    pub async fn body(&self, path: &str) -> Result<Vec<u8>, Unanswered> {
        let answer = self.ask(path).await?;
        if answer.status == 200 { Ok(answer.body) } else { Err(Unanswered::Status(answer.status)) }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Unanswered> {
        parse(&self.body(path).await?).map_err(Unanswered::Malformed)
    }
}

/// The files of a change, as they are told page by page.
#[derive(Default)]
pub struct Touched(Vec<(String, Option<Lines>)>);

impl Touched {
    pub fn add(&mut self, path: String, lines: Option<Lines>) {
        self.0.push((path, lines));
    }

    /// A file that was renamed is touched in both places.
    pub fn add_moved(&mut self, from: Option<String>, to: String, lines: Option<Lines>) {
        let from = from.filter(|from| !from.is_empty() && *from != to);
        self.add(to, lines);
        if let Some(from) = from {
            self.add(from, lines.map(|_| Lines::default()));
        }
    }

    /// Adds the lines that another answer told.
    pub fn count(&mut self, lines: impl Fn(&str) -> Option<Lines>) {
        for (path, known) in &mut self.0 {
            *known = known.or_else(|| lines(path));
        }
    }

    /// More than are kept: no further page says anything new.
    pub fn is_full(&self) -> bool {
        self.0.len() > Files::MOST
    }

    pub fn files(&self) -> Files {
        Files::counted(self.0.iter().map(|(path, lines)| (path.as_str(), *lines)))
    }
}

/// A name as it stands in an address. What is percent-encoded already stays so: some names are ids only that way.
pub fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let bytes = name.as_bytes();
    for (i, byte) in bytes.iter().enumerate() {
        let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        let fits =
            byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || (*byte == b'%' && hex(i + 1) && hex(i + 2));
        if fits {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `owner/name`, each as it stands in an address.
pub fn path(repository: &Repository) -> String {
    repository.as_str().split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// The last two names of a repository: what it is in, and what it is called.
pub fn pair(repository: &Repository) -> (String, String) {
    let mut names = repository.as_str().rsplit('/');
    let name = names.next().map(encoded).unwrap_or_default();
    (names.next().map(encoded).unwrap_or_default(), name)
}

/// `Authorization: Bearer`.
pub fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_leave_their_place_in_an_address() {
        for (repository, want) in [
            ("openedx/edx-platform", "openedx/edx-platform"),
            ("~usama/edx.platform", "~usama/edx.platform"),
            ("open%20edx/edx", "open%20edx/edx"),
            ("a?b=c/d&e", "a%3Fb%3Dc/d%26e"),
            ("100%/a%2", "100%25/a%252"),
        ] {
            assert_eq!(path(&repository.parse().unwrap()), want);
        }
        assert_eq!(pair(&"org/team/edx".parse().unwrap()), ("team".to_owned(), "edx".to_owned()));
    }

    #[test]
    fn a_renamed_file_is_touched_in_both_places() {
        let mut touched = Touched::default();
        let lines = Lines { added: 3, deleted: 1 };
        touched.add_moved(Some("lms/a.py".to_owned()), "cms/a.py".to_owned(), Some(lines));
        touched.add_moved(Some("b".to_owned()), "b".to_owned(), None);
        let files = touched.files();
        assert_eq!(files.paths.iter().map(String::as_str).collect::<Vec<_>>(), ["b", "cms/a.py", "lms/a.py"]);
        assert_eq!(files.lines.get("cms/a.py"), Some(&lines));
        assert_eq!(files.lines.get("b"), None);
    }
}
