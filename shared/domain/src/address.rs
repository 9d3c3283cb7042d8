//! Which repository an address is about: one by which git clones it, or at which a person looks at it.

use crate::ids::Repository;

/// The repository behind such an address.
#[must_use]
pub fn repository_in(url: &str) -> Option<Repository> {
    let url = url.trim();
    let (host_and_path, scp_like) = match url.split_once("://") {
        Some((_, rest)) => (rest, false),
        None => (url, true),
    };
    let after_user = host_and_path.rsplit_once('@').map_or(host_and_path, |(_, rest)| rest);
    // `git@github.com:owner/name`, where the colon is not a port's.
    let (_, path) = if scp_like { after_user.split_once(':')? } else { after_user.split_once('/')? };
    let path = path.split(['?', '#']).next()?.trim_matches('/');
    let path = path.strip_prefix("scm/").unwrap_or(path);
    let path = path.split("/-/").next()?;
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.parse().ok()
}

/// The same, of whatever may stand for a repository: `https://github.com/owner/name`, `git.example.com/owner/name`,
/// `owner/name`.
#[must_use]
pub fn repository_at(source: &str) -> Option<Repository> {
    let bare = source.trim_matches('/').trim_end_matches(".git");
    let host = bare.split_once('/').filter(|(host, rest)| host.contains('.') && rest.contains('/'));
    let of_path = || host.map_or(bare, |(_, path)| path).parse().ok();
    if source.contains("://") || source.contains('@') { repository_in(source) } else { of_path() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_found_in_each_kind_of_address() {
        for (url, want) in [
            ("https://github.com/openedx/edx-platform.git", Some("openedx/edx-platform")),
            ("https://github.com/openedx/edx-platform/", Some("openedx/edx-platform")),
            ("git@github.com:openedx/edx-platform.git", Some("openedx/edx-platform")),
            ("ssh://git@gitlab.example.com:2222/group/sub/project.git", Some("group/sub/project")),
            ("http://user:******@gitrepo.example.com/team/app", Some("team/app")),
            ("https://bitbucket.example.com/scm/prj/repo.git", Some("prj/repo")),
            ("https://gitlab.com/group/project/-/pipelines/12", Some("group/project")),
            ("https://github.com/openedx", None),
            ("http://user:******@gitrepo.com", None),
            ("not an address", None),
            ("", None),
        ] {
            assert_eq!(repository_in(url), want.map(|w| w.parse().unwrap()), "{url}");
        }
        for (source, want) in [
            ("https://github.com/openedx/edx-platform.git", Some("openedx/edx-platform")),
            ("git.example.com/openedx/edx-platform", Some("openedx/edx-platform")),
            ("openedx/edx-platform", Some("openedx/edx-platform")),
            ("group/sub/project", Some("group/sub/project")),
            ("my.org/project", Some("my.org/project")),
            ("/here", None),
        ] {
            assert_eq!(repository_at(source), want.map(|w| w.parse().unwrap()), "{source}");
        }
    }
}
