//! Package URLs, as far as they say which commit or image an artifact is: `pkg:type/namespace/name@version?qualifiers`.
//! <https://github.com/package-url/purl-spec>

use domain::{Commit, Reference, Repository, Revision};

use super::super::repository_in;

/// The commit that a package URL names, with its repository; else the image; else the package itself.
pub(super) fn revision(artifact: &str) -> (Option<Repository>, Revision) {
    let Some(purl) = Purl::of(artifact) else {
        let reference = Reference::image(artifact).ok().filter(|_| !artifact.contains("://"));
        return (None, reference.or_else(|| artifact.parse().ok()).map_or(Revision::Untold, Revision::Named));
    };
    if let Some((address, commit)) = purl.qualifier("vcs_url").and_then(|url| {
        let (address, commit) = url.rsplit_once('@')?;
        Some((address.to_owned(), commit.parse::<Commit>().ok()?))
    }) {
        return (repository_in(address.trim_start_matches("git+")), Revision::Commit(commit));
    }
    let version = purl.version.as_deref().unwrap_or("");
    // A version of digits alone is a number, or a date.
    let lettered = version.len() == 40 || version.bytes().any(|b| b.is_ascii_alphabetic());
    match (purl.kind.as_str(), version.parse().ok().filter(|_| lettered)) {
        ("oci" | "docker", _) => (None, purl.image().map_or(Revision::Untold, Revision::Named)),
        (_, Some(commit)) => (purl.repository(), Revision::Commit(commit)),
        (_, None) => (None, purl.bare.parse().map_or(Revision::Untold, Revision::Named)),
    }
}

struct Purl {
    kind: String,
    /// Namespace and name.
    path: String,
    version: Option<String>,
    qualifiers: Vec<(String, String)>,
    /// Without qualifiers, which differ from report to report.
    bare: String,
}

impl Purl {
    fn of(text: &str) -> Option<Self> {
        let text = text.trim().split('#').next()?;
        let (bare, qualifiers) = text.split_once('?').unwrap_or((text, ""));
        let (kind, rest) = bare.strip_prefix("pkg:")?.trim_start_matches('/').split_once('/')?;
        let (path, version) = rest.rsplit_once('@').map_or((rest, None), |(path, version)| (path, Some(version)));
        let pairs = qualifiers.split('&').take(30).filter_map(|pair| pair.split_once('='));
        Some(Self {
            kind: kind.to_lowercase(),
            path: decoded(path.trim_matches('/')),
            version: version.map(decoded),
            qualifiers: pairs.map(|(name, value)| (name.to_lowercase(), decoded(value))).collect(),
            bare: bare.to_owned(),
        })
    }

    fn qualifier(&self, name: &str) -> Option<&str> {
        self.qualifiers
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// As clusters name it: by its tag, if that stays; else by its digest.
    fn image(&self) -> Option<Reference> {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        let place = self.qualifier("repository_url").map(|url| url.split_once("://").map_or(url, |(_, rest)| rest));
        let place = place.map(|place| place.trim_end_matches('/'));
        let repository = match place {
            Some(place) if place.rsplit('/').next() == Some(name) && place.contains('/') => place.to_owned(),
            Some(place) => format!("{place}/{}", self.path),
            None => self.path.clone(),
        };
        let tag = self.qualifier("tag").filter(|tag| *tag != "latest");
        match (tag, self.version.as_deref()) {
            (Some(tag), _) => Reference::image(&format!("{repository}:{tag}")).ok(),
            (None, Some(digest)) if digest.contains(':') => Reference::image(&format!("{repository}@{digest}")).ok(),
            (None, Some(version)) => Reference::image(&format!("{repository}:{version}")).ok(),
            (None, None) => Reference::image(&repository).ok(),
        }
    }

    /// `owner/name`, without the host that Go's packages begin with.
    fn repository(&self) -> Option<Repository> {
        let (first, rest) = self.path.split_once('/')?;
        if first.contains('.') { rest.parse().ok() } else { self.path.parse().ok() }
    }
}

/// `%3A` is `:`. What is no escape stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) => {
                out.push(escaped);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "8c1c06a1a89e8278937a7d22d8ba1a834bd4c8a1";

    #[test]
    fn a_package_url_names_a_commit_an_image_or_itself() {
        for (artifact, want) in [
            ("pkg:oci/lms@sha256%3Aaa", "image:lms@sha256:aa"),
            ("pkg:oci/lms@sha256:aa?repository_url=ghcr.io/openedx/lms&tag=2.1", "image:ghcr.io/openedx/lms:2.1"),
            (
                "pkg:oci/lms@sha256:aa?tag=latest&repository_url=https://ghcr.io/openedx/lms",
                "image:ghcr.io/openedx/lms@sha256:aa",
            ),
            ("pkg:docker/openedx/lms@2.1?repository_url=gcr.io", "image:gcr.io/openedx/lms:2.1"),
            ("pkg:docker/openedx/lms", "image:openedx/lms"),
            ("pkg:github/openedx/edx-platform@SHA", "openedx/edx-platform SHA"),
            ("pkg:golang/git.example.com/openedx/edx@234fd47e07d1004f0aed9c", "openedx/edx 234fd47e07d1004f0aed9c"),
            (
                "pkg:generic/lms@2.1?vcs_url=git%2Bhttps://github.com/openedx/edx-platform.git%40SHA",
                "openedx/edx-platform SHA",
            ),
            ("pkg:npm/%40openedx/lms@2.1.0?x=y", "pkg:npm/%40openedx/lms@2.1.0"),
            ("pkg:maven/org/lms@20260320", "pkg:maven/org/lms@20260320"),
            ("ghcr.io/openedx/lms:2.1", "image:ghcr.io/openedx/lms:2.1"),
            ("pkg:oci", "image:pkg:oci"),
            ("pkg:oci/%", "image:%"),
            ("pkg:oci/a b", "untold"),
            ("", "image:"),
        ] {
            let (repository, revision) = revision(&artifact.replace("SHA", SHA));
            let got = match revision {
                Revision::Commit(commit) => format!("{} {commit}", repository.map_or(String::new(), String::from)),
                Revision::Named(reference) => reference.to_string(),
                Revision::Untold => "untold".to_owned(),
            };
            assert_eq!(got, want.replace("SHA", SHA), "{artifact}");
        }
    }
}
